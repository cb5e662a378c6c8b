"""Telethon as one person of a conversation. Transports: full, abridged, obfuscated, and mtproxy, by a
secret that begins with dd.

Called by one line of JSON on standard input, answers and tells events by one on standard output.
"""

import asyncio
import json
import logging
import sys
import traceback

from telethon import TelegramClient, events, functions, network, types, utils
from telethon.crypto import rsa
from telethon.errors import PhoneNumberUnoccupiedError
from telethon.sessions import MemorySession

TRANSPORTS = {
    "full": network.ConnectionTcpFull,
    "abridged": network.ConnectionTcpAbridged,
    "obfuscated": network.ConnectionTcpObfuscated,
    "mtproxy": network.ConnectionTcpMTProxyRandomizedIntermediate,
}


def write(line):
    print(json.dumps(line), flush=True)


def emit(**event):
    write({"event": event})


def item(message):
    return {
        "id": message.id, "text": message.message or "",
        "forwarded": message.fwd_from is not None,
    }


async def on_message(event):
    if not event.out:
        emit(kind="message", chat=event.chat_id, id=event.id, text=event.message.message)


async def on_edit(event):
    reactions = event.message.reactions
    emit(kind="edited", chat=event.chat_id, id=event.id, text=event.message.message,
         reactions=[r.reaction for r in reactions.results] if reactions else [])


async def on_delete(event):
    emit(kind="deleted", ids=event.deleted_ids)


async def on_read(event):
    if event.outbox:
        emit(kind="read", chat=event.chat_id, id=event.max_id)


class Person:
    """What a test can call."""

    def __init__(self):
        self.client = None

    async def connect(self, host, port, dc, key, transport, secret, retries):
        with open(key, encoding="ascii") as file:
            rsa.add_key(file.read(), old=False)
        if self.client:
            await self.client.disconnect()
        self.client = TelegramClient(
            MemorySession(), 1, "parley", connection=TRANSPORTS[transport],
            proxy=(host, port, secret) if transport == "mtproxy" else None,
            connection_retries=retries, retry_delay=1)
        self.client.session.set_dc(dc, host, port)
        self.client.add_event_handler(on_message, events.NewMessage())
        self.client.add_event_handler(on_edit, events.MessageEdited())
        self.client.add_event_handler(on_delete, events.MessageDeleted())
        self.client.add_event_handler(on_read, events.MessageRead())
        await self.client.connect()
        config = await self.client(functions.help.GetConfigRequest())
        return {"dc": config.this_dc}

    async def login(self, phone, code, name):
        await self.client.send_code_request(phone)
        try:
            await self.client.sign_in(phone, code)
        except PhoneNumberUnoccupiedError:
            await self.client.sign_up(code, name)
        return await self.self()

    async def self(self):
        me = await self.client.get_me()
        return {"id": me.id, "phone": me.phone}

    async def setUsername(self, username):
        await self.client(functions.account.UpdateUsernameRequest(username))

    async def find(self, username):
        return {"id": await self.client.get_peer_id(username)}

    async def dialogs(self):
        return [
            {"chat": d.id, "unread": d.unread_count, "text": d.message.message or ""}
            async for d in self.client.iter_dialogs()
        ]

    async def history(self, chat, limit):
        return [item(m) async for m in self.client.iter_messages(chat, limit)]

    async def search(self, chat, text):
        return [item(m) async for m in self.client.iter_messages(chat, search=text)]

    async def send(self, chat, text):
        return item(await self.client.send_message(chat, text))

    async def edit(self, chat, id, text):
        await self.client.edit_message(chat, id, text)

    async def delete(self, chat, ids):
        await self.client.delete_messages(chat, ids, revoke=True)

    async def forward(self, **call):
        await self.client.forward_messages(call["chat"], call["ids"], call["from"])

    async def react(self, chat, id, emoji):
        await self.client(functions.messages.SendReactionRequest(chat, id, reaction=emoji))

    async def read(self, chat, id):
        await self.client.send_read_acknowledge(chat, max_id=id)

    async def sendFile(self, chat, path, text, **call):
        return item(await self.client.send_file(
            chat, path, caption=text, force_document=call["as"] == "document"))

    async def download(self, chat, id, path):
        message = await self.client.get_messages(chat, ids=id)
        with open(path, "wb") as file:
            await self.client.download_media(message, file)

    async def createChannel(self, title):
        made = await self.client(functions.channels.CreateChannelRequest(title, "", broadcast=True))
        return {"id": utils.get_peer_id(made.chats[0])}

    async def setChannelUsername(self, chat, username):
        await self.client(functions.channels.UpdateUsernameRequest(chat, username))

    async def join(self, username):
        joined = await self.client(functions.channels.JoinChannelRequest(username))
        return {"id": utils.get_peer_id(joined.chats[0])}

    async def report(self, chat, ids, comment, **_):
        """Gives a reason: there was no menu."""
        done = await self.client(functions.messages.ReportRequest(
            chat, ids, types.InputReportReasonViolence(), comment))
        return {"reported": done}

    async def catchUp(self):
        await self.client.catch_up()

    async def logout(self):
        if not await self.client.log_out():
            raise RuntimeError("log_out failed")


async def answer(person, call):
    try:
        result = await getattr(person, call["do"])(**(call["with"] or {}))
        write({"id": call["id"], "ok": result})
    except Exception:
        write({"id": call["id"], "error": traceback.format_exc()})


async def main():
    logging.basicConfig(level=logging.INFO)
    person = Person()
    lines = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        await answer(person, json.loads(line))
    if person.client:
        await person.client.disconnect()


asyncio.run(main())
