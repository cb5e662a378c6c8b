package tdlib

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/internal/config"
	"parley/internal/keyring/proxy"
	"parley/internal/node/nodetest"
)

// TestMain lets the test program also be the one that runs another without a network.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == aloneArg {
		os.Exit(runAlone(os.Args[2], os.Args[3], os.Args[4:]))
	}
	nodetest.Main(m)
}

// proxySecret is one of the plain form.
const proxySecret = "00112233445566778899aabbccddeeff"

// open makes a client, or opens its database again, and connects it.
func (b *bridge) open(s *nodetest.Server, name string) *client {
	b.t.Helper()
	c := &client{
		bridge: b, name: name, dir: filepath.Join(s.Dir, "tdlib", name),
		news: make(chan struct{}, 1),
	}
	b.mu.Lock()
	b.clients[name] = c
	b.mu.Unlock()
	_, err := b.call(name, "open", object{
		"database_directory": c.dir, "files_directory": c.dir, "use_file_database": true,
		"use_chat_info_database": true, "use_message_database": true, "use_secret_chats": true,
		"api_id": 1, "api_hash": "parley", "system_language_code": "en", "device_model": name,
		"application_version": "1",
	})
	if err != nil {
		b.t.Fatal(err)
	}
	c.do("addProxy", object{"enable": true, "proxy": c.way(b.link)})
	return c
}

// way is what TDLib reads out of a link.
func (c *client) way(link proxy.Link) object {
	c.t.Helper()
	is := c.do("getInternalLinkType", object{"link": link.App})
	if text(is, "_") != "internalLinkTypeProxy" || text(is, "proxy", "type", "_") !=
		"proxyTypeMtproto" {
		c.t.Fatalf("%s is %v", link.App, is)
	}
	return is["proxy"].(object)
}

// waits waits until TDLib is at a step of logging in.
func (c *client) waits(step string) {
	c.t.Helper()
	c.expect(step, "updateAuthorizationState", func(u object) bool {
		return text(u, "authorization_state", "_") == "authorizationState"+step
	})
}

// login logs the nth person in, as a new account or a further device.
func (c *client) login(n int, fresh bool) {
	c.t.Helper()
	c.waits("WaitPhoneNumber")
	c.do("setAuthenticationPhoneNumber", object{"phone_number": "+" + nodetest.Phone(n)})
	c.waits("WaitCode")
	c.do("checkAuthenticationCode", object{"code": nodetest.Code})
	if fresh {
		c.waits("WaitRegistration")
		c.do("registerUser", object{"first_name": c.name})
	}
	c.waits("Ready")
}

// secretIs waits until a secret chat is in a state, and returns its chat and its id.
func (c *client) secretIs(state string) (chat, id int64) {
	c.t.Helper()
	u := c.expect("a secret chat that is "+state, "updateSecretChat", func(u object) bool {
		return text(u, "secret_chat", "state", "_") == "secretChatState"+state
	})
	id = number(u, "secret_chat", "id")
	return number(c.do("createSecretChat", object{"secret_chat_id": id}), "id"), id
}

// say sends a text and waits until the server has it.
func (c *client) say(chat int64, words string) object {
	c.t.Helper()
	return c.post(chat, object{
		"_": "inputMessageText", "text": object{"_": "formattedText", "text": words},
	})
}

func (c *client) post(chat int64, content object) object {
	c.t.Helper()
	id := number(c.do("sendMessage", object{
		"chat_id": chat, "input_message_content": content,
	}), "id")
	return c.expect("its message on the server", "updateMessageSendSucceeded", func(u object) bool {
		return number(u, "old_message_id") == id
	})["message"].(object)
}

// hears waits for a text.
func (c *client) hears(chat int64, words string) object {
	c.t.Helper()
	return c.expect("the text "+words, "updateNewMessage", func(u object) bool {
		return number(u, "message", "chat_id") == chat &&
			text(u, "message", "content", "text", "text") == words
	})["message"].(object)
}

// TestSecretChat is a secret chat between TDLib and TDLib: asked for, taken by one of two devices,
// texts and files both ways, a restart of the server, messages that waited, reading, typing, and its
// end.
func TestSecretChat(t *testing.T) {
	s := nodetest.Start(t, func(cfg *config.Config) {
		cfg.MTProxy.Secrets = []config.Secret{proxySecret}
	})
	b := start(t, proxy.LinkTo("127.0.0.1", s.Addr.Port, proxySecret), trusting(t, s))
	alice, bob := b.open(s, "Alice"), b.open(s, "Bob")
	alice.login(1, true)
	bob.login(2, true)
	bob.do("setUsername", object{"username": "bob_of_tdlib"})
	tablet := b.open(s, "Tablet")
	tablet.login(2, false)

	who := number(alice.do("searchPublicChat", object{"username": "bob_of_tdlib"}), "type", "user_id")
	alice.do("createNewSecretChat", object{"user_id": who})
	chat, id := alice.secretIs("Ready")
	// Both of his devices want it; one gets it.
	won, lost := bob, tablet
	if state := text(bob.do("getSecretChat", object{"secret_chat_id": id}), "state", "_"); state !=
		"secretChatStateReady" {
		won, lost = tablet, bob
	}
	lost.secretIs("Closed")
	his := number(won.do("createSecretChat", object{"secret_chat_id": id}), "id")
	hers := alice.do("getSecretChat", object{"secret_chat_id": id})
	theirs := won.do("getSecretChat", object{"secret_chat_id": id})
	if k := text(hers, "key_hash"); k == "" || k != text(theirs, "key_hash") {
		t.Errorf("keys %q and %q", k, text(theirs, "key_hash"))
	}

	alice.say(chat, "for one device")
	seen := won.hears(his, "for one device")
	won.say(his, "and back")
	alice.hears(chat, "and back")

	won.do("openChat", object{"chat_id": his})
	won.do("viewMessages", object{
		"chat_id": his, "message_ids": []any{seen["id"]}, "force_read": true,
	})
	alice.expect("that it was read", "updateChatReadOutbox", func(u object) bool {
		return number(u, "chat_id") == chat
	})
	won.do("sendChatAction", object{
		"chat_id": his, "action": object{"_": "chatActionTyping"},
	})
	alice.expect("typing", "updateChatAction", func(u object) bool {
		return number(u, "chat_id") == chat
	})
	alice.file(chat, won, his, bytes.Repeat([]byte("from her "), 20_000))
	won.file(his, alice, chat, bytes.Repeat([]byte("from him "), 30))

	if _, err := b.call(won.name, "close", nil); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"while away, one", "while away, two", "while away, three"} {
		alice.say(chat, words)
	}
	s.Restart()
	won = b.open(s, won.name)
	for _, words := range []string{"while away, one", "while away, two", "while away, three"} {
		won.hears(his, words)
	}
	won.say(his, "after the restart")
	alice.hears(chat, "after the restart")

	alice.do("closeSecretChat", object{"secret_chat_id": id})
	won.secretIs("Closed")
}

// file sends a document and fetches it on the other side.
func (c *client) file(chat int64, to *client, his int64, content []byte) {
	c.t.Helper()
	name := strings.ToLower(c.name) + ".bin"
	path := filepath.Join(c.t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		c.t.Fatal(err)
	}
	c.post(chat, object{"_": "inputMessageDocument", "document": object{
		"_": "inputDocument", "document": object{"_": "inputFileLocal", "path": path},
	}})
	m := to.expect("the file "+name, "updateNewMessage", func(u object) bool {
		return number(u, "message", "chat_id") == his &&
			text(u, "message", "content", "document", "file_name") == name
	})
	got := to.do("downloadFile", object{
		"file_id":  number(m, "message", "content", "document", "document", "id"),
		"priority": 1, "synchronous": true,
	})
	back, err := os.ReadFile(text(got, "local", "path"))
	if err != nil || !bytes.Equal(back, content) {
		c.t.Errorf("%s: %d of %d bytes arrived, %v", name, len(back), len(content), err)
	}
}
