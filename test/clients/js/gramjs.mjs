// GramJS as one person of a conversation. Transports: full, obfuscated, websocket.
import { readFile, writeFile } from "node:fs/promises";
import { createHash, createPublicKey } from "node:crypto";
import telegram from "telegram";
import extensions from "telegram/extensions/index.js";
import connections from "telegram/network/connection/index.js";
import rsa from "telegram/crypto/RSA.js";
import sessions from "telegram/sessions/index.js";
import events from "telegram/events/index.js";
import { emit, serve } from "./serve.mjs";

const { Api, TelegramClient, helpers, utils } = telegram;

let client;
// GramJS keeps no state of updates: the application does.
let state;

// trust adds the server's public key, by its fingerprint as a signed number.
async function trust(path) {
  const { n, e } = createPublicKey(await readFile(path)).export({ format: "jwk" });
  const modulus = Buffer.from(n, "base64url");
  const exponent = Buffer.from(e, "base64url");
  const digest = createHash("sha1").update(string(modulus)).update(string(exponent)).digest();
  rsa._serverKeys.set(digest.readBigInt64LE(12).toString(), {
    n: helpers.readBigIntFromBuffer(modulus, false), e: exponent.readUIntBE(0, exponent.length),
  });
}

// string encodes bytes as TL does.
function string(bytes) {
  const head = bytes.length < 254
    ? Buffer.from([bytes.length])
    : Buffer.from([254, bytes.length & 255, bytes.length >> 8, 0]);
  const padding = (4 - (head.length + bytes.length) % 4) % 4;
  return Buffer.concat([head, bytes, Buffer.alloc(padding)]);
}

// at returns a connection that dials port: GramJS dials 80 or 443 whatever it is told.
function at(port, transport) {
  const base = transport === "full"
    ? connections.ConnectionTCPFull
    : connections.ConnectionTCPObfuscated;
  return class extends base {
    constructor(options) {
      super({ ...options, port });
    }
  };
}

function item(message) {
  return { id: message.id, text: message.message ?? "", forwarded: message.fwdFrom != null };
}

function chatOf(message) {
  return Number(utils.getPeerId(message.peerId));
}

function learn(message) {
  if (!message.out) {
    emit({ kind: "message", chat: chatOf(message), id: message.id, text: message.message ?? "" });
  }
}

function update(u) {
  if (state && u.pts > state.pts && !isOfChannel(u)) state.pts = u.pts;
  switch (u.className) {
    case "UpdateNewMessage":
    case "UpdateNewChannelMessage":
      return learn(u.message);
    case "UpdateEditMessage":
    case "UpdateEditChannelMessage":
      return emit({
        kind: "edited", chat: chatOf(u.message), id: u.message.id, text: u.message.message,
        reactions: u.message.reactions?.results.map((r) => r.reaction.emoticon) ?? [],
      });
    case "UpdateDeleteMessages":
      return emit({ kind: "deleted", ids: u.messages });
    case "UpdateReadHistoryOutbox":
      return emit({ kind: "read", chat: Number(utils.getPeerId(u.peer)), id: u.maxId });
  }
}

function isOfChannel(u) {
  return u.className.includes("Channel");
}

// channelDifference learns what was posted in a channel since it was made.
async function channelDifference(channel) {
  const d = await client.invoke(new Api.updates.GetChannelDifference({
    channel, filter: new Api.ChannelMessagesFilterEmpty(), pts: 1, limit: 100,
  }));
  (d.newMessages ?? d.messages ?? []).forEach(learn);
}

await serve({
  async connect({ host, port, dc, key, transport }) {
    await trust(key);
    await client?.destroy();
    const session = new sessions.StringSession("");
    session.setDC(dc, host, 443);
    client = new TelegramClient(session, 1, "parley", {
      connection: at(port, transport),
      networkSocket: transport === "websocket"
        ? extensions.PromisedWebSockets
        : extensions.PromisedNetSockets,
    });
    client.setLogLevel("debug");
    client.addEventHandler(update, new events.Raw({}));
    await client.connect();
    return { dc: (await client.invoke(new Api.help.GetConfig())).thisDc };
  },

  async login({ phone, code, name }) {
    await client.start({
      phoneNumber: phone,
      phoneCode: async () => code,
      firstAndLastNames: async () => [name, ""],
      onError: (error) => { throw error; },
    });
    state = await client.invoke(new Api.updates.GetState());
    return this.self();
  },

  async self() {
    const me = await client.getMe();
    return { id: Number(me.id), phone: me.phone };
  },

  async setUsername({ username }) {
    await client.invoke(new Api.account.UpdateUsername({ username }));
  },

  async find({ username }) {
    return { id: Number(await client.getPeerId(username)) };
  },

  async dialogs() {
    const list = await client.getDialogs({});
    return list.map((d) => ({
      chat: Number(d.id), unread: d.unreadCount, text: d.message?.message ?? "",
    }));
  },

  async history({ chat, limit }) {
    return (await client.getMessages(chat, { limit })).map(item);
  },

  async search({ chat, text }) {
    return (await client.getMessages(chat, { search: text, limit: 30 })).map(item);
  },

  async send({ chat, text }) {
    return item(await client.sendMessage(chat, { message: text }));
  },

  async edit({ chat, id, text }) {
    await client.editMessage(chat, { message: id, text });
  },

  async delete({ chat, ids }) {
    await client.deleteMessages(chat, ids, { revoke: true });
  },

  async forward({ from, ids, chat }) {
    await client.forwardMessages(chat, { messages: ids, fromPeer: from });
  },

  async react({ chat, id, emoji }) {
    await client.invoke(new Api.messages.SendReaction({
      peer: chat, msgId: id, reaction: [new Api.ReactionEmoji({ emoticon: emoji })],
    }));
  },

  async read({ chat, id }) {
    await client.markAsRead(chat, id);
  },

  async sendFile({ chat, path, as, text }) {
    return item(await client.sendFile(chat, {
      file: path, caption: text, forceDocument: as === "document",
    }));
  },

  async download({ chat, id, path }) {
    const [message] = await client.getMessages(chat, { ids: [id] });
    // Given a path, downloadMedia returns before it has written everything.
    await writeFile(path, await client.downloadMedia(message, {}));
  },

  async createChannel({ title }) {
    const made = await client.invoke(new Api.channels.CreateChannel({
      title, about: "", broadcast: true,
    }));
    return { id: Number(utils.getPeerId(made.chats[0])) };
  },

  async setChannelUsername({ chat, username }) {
    await client.invoke(new Api.channels.UpdateUsername({ channel: chat, username }));
  },

  async join({ username }) {
    const joined = await client.invoke(new Api.channels.JoinChannel({ channel: username }));
    return { id: Number(utils.getPeerId(joined.chats[0])) };
  },

  async report({ chat, ids, option, comment }) {
    const answer = await client.invoke(new Api.messages.Report({
      peer: chat, id: ids, option: Buffer.from(option, "base64"), message: comment,
    }));
    switch (answer.className) {
      case "ReportResultReported":
        return { reported: true };
      case "ReportResultAddComment":
        return { comment: answer.option.toString("base64") };
      case "ReportResultChooseOption":
        return { options: answer.options.map((o) => o.option.toString("base64")) };
    }
    throw new Error(`reporting is answered by ${answer.className}`);
  },

  async catchUp() {
    const d = await client.invoke(new Api.updates.GetDifference({
      pts: state.pts, date: state.date, qts: state.qts,
    }));
    (d.newMessages ?? []).forEach(learn);
    for (const u of d.otherUpdates ?? []) {
      if (u.className === "UpdateChannelTooLong") await channelDifference(u.channelId);
      else update(u);
    }
    state = d.state ?? d.intermediateState ?? state;
  },

  async logout() {
    await client.invoke(new Api.auth.LogOut());
  },
});
