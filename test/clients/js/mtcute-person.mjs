// mtcute as one person of a conversation, in Node or in a browser.

// people returns what a test can call. create makes a client that trusts a key and connects to an
// address; files reads and writes the test's files; emit tells the test of something.
export function people({ create, files, emit }) {
  let client;

  function item(message) {
    return { id: message.id, text: message.text, forwarded: message.forward !== null };
  }

  function listen() {
    client.onNewMessage.add((m) => {
      if (!m.isOutgoing) emit({ kind: "message", chat: m.chat.id, id: m.id, text: m.text });
    });
    client.onEditMessage.add((m) => emit({
      kind: "edited", chat: m.chat.id, id: m.id, text: m.text,
      reactions: m.reactions?.reactions.map((r) => r.emoji) ?? [],
    }));
    client.onDeleteMessage.add((u) => emit({ kind: "deleted", ids: u.messageIds }));
    client.onHistoryRead.add((u) => {
      if (u.isOutbox) emit({ kind: "read", chat: u.chatId, id: u.maxReadId });
    });
    client.onError.add((error) => console.error(error));
  }

  return {
    async connect(call) {
      await client?.destroy();
      client = await create(call);
      listen();
      return { dc: (await client.call({ _: "help.getConfig" })).thisDc };
    },

    async login({ phone, code, name }) {
      const sent = await client.sendCode({ phone });
      const login = { phoneNumber: phone.slice(1), phoneCodeHash: sent.phoneCodeHash };
      let answer = await client.call({ _: "auth.signIn", ...login, phoneCode: code });
      if (answer._ === "auth.authorizationSignUpRequired") {
        answer = await client.call({ _: "auth.signUp", ...login, firstName: name, lastName: "" });
      }
      await client.notifyLoggedIn(answer);
      return this.self();
    },

    async self() {
      const me = await client.getMe();
      return { id: me.id, phone: me.phoneNumber };
    },

    async setUsername({ username }) {
      await client.setMyUsername(username);
    },

    async find({ username }) {
      return { id: (await client.getPeer(username)).id };
    },

    async dialogs() {
      const list = [];
      for await (const d of client.iterDialogs()) {
        list.push({ chat: d.peer.id, unread: d.unreadCount, text: d.lastMessage?.text ?? "" });
      }
      return list;
    },

    async history({ chat, limit }) {
      return (await client.getHistory(chat, { limit })).map(item);
    },

    async search({ chat, text }) {
      return (await client.searchMessages({ chatId: chat, query: text })).map(item);
    },

    async send({ chat, text }) {
      return item(await client.sendText(chat, text));
    },

    async edit({ chat, id, text }) {
      await client.editMessage({ chatId: chat, message: id, text });
    },

    async delete({ chat, ids }) {
      await client.deleteMessagesById(chat, ids, { revoke: true });
    },

    async forward({ from, ids, chat }) {
      await client.forwardMessagesById({ fromChatId: from, messages: ids, toChatId: chat });
    },

    async react({ chat, id, emoji }) {
      await client.sendReaction({ chatId: chat, message: id, emoji });
    },

    async read({ chat, id }) {
      await client.readHistory(chat, { maxId: id });
    },

    async sendFile({ chat, path, as, text }) {
      const file = await files.read(path);
      const fileName = path.slice(path.lastIndexOf("/") + 1);
      return item(await client.sendMedia(chat, { type: as, file, fileName, caption: text }));
    },

    async download({ chat, id, path }) {
      const [message] = await client.getMessages(chat, id);
      // downloadToFile returns before it has written everything.
      await files.write(path, await client.downloadAsBuffer(message.media));
    },

    async createChannel({ title }) {
      return { id: (await client.createChannel({ title })).id };
    },

    async setChannelUsername({ chat, username }) {
      await client.setChatUsername(chat, username);
    },

    async join({ username }) {
      const joined = await client.joinChat(username);
      // Releases before 0.30 answer with the chat itself.
      return { id: (joined.chat ?? joined).id };
    },

    async report({ chat, ids, option, comment }) {
      const answer = await client.call({
        _: "messages.report", peer: await client.resolvePeer(chat), id: ids,
        option: Uint8Array.from(atob(option), (c) => c.charCodeAt(0)), message: comment,
      });
      const text = (bytes) => btoa(String.fromCharCode(...bytes));
      switch (answer._) {
        case "reportResultReported":
          return { reported: true };
        case "reportResultAddComment":
          return { comment: text(answer.option) };
        case "reportResultChooseOption":
          return { options: answer.options.map((o) => text(o.option)) };
      }
      throw new Error(`reporting is answered by ${answer._}`);
    },

    // mtcute catches up by itself, with the next update after it has connected again.
    async catchUp() {
      await client.call({ _: "updates.getState" });
    },

    async logout() {
      await client.logOut();
    },
  };
}
