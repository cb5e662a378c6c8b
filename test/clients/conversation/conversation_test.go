// Package conversation drives the real server with client libraries that others wrote, unmodified,
// each in a process of its own: mtcute and GramJS under ../js, mtcute also in a browser, Telethon
// under ../telethon, two releases of gotd under ../gotd/driver. All of them hold the conversation
// that package fleet lists, in pairs, so that an old layer also reads what a new one wrote. The
// drivers decide nothing: what is said and what must come of it stands here.
package conversation

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"parley/internal/config"
	"parley/internal/ids"
	"parley/internal/node/nodetest"
	"parley/internal/store"
	"parley/test/clients/fleet"
)

func TestMain(m *testing.M) { nodetest.Main(m) }

// dc is the data centre that the clients are told to be on.
const dc = 2

// proxySecret is the server's, for transports that are proxies: it hides the lengths of packets.
const proxySecret = "dd0123456789abcdef0123456789abcdef"

// conversation is between a, who has the channel, and b, whose network can be cut.
type conversation struct {
	t      *testing.T
	server *nodetest.Server
	link   *link
	a, b   *person

	fromA   event // a's first message as b received it
	firstID int   // and as a sent it
	channel int64
	post    int // the id of the first post
}

// person is somebody with a driver.
type person struct {
	*driver
	port     int
	pem      string
	kind     kind
	phone    string
	username string
	id       int64
	peer     int64 // the other one
}

type identity struct {
	ID    int64  `json:"id"`
	Phone string `json:"phone"`
}

// item is a message in a list.
type item struct {
	ID        int    `json:"id"`
	Text      string `json:"text"`
	Forwarded bool   `json:"forwarded"`
}

func newConversation(t *testing.T, first, second kind) *conversation {
	t.Helper()
	s := nodetest.Start(t, func(cfg *config.Config) {
		cfg.MTProxy.Secrets = []config.Secret{proxySecret}
	})
	l := newLink(t, s.Addr)
	pem := filepath.Join(s.Dir, "keys", "public.pem")
	return &conversation{
		t: t, server: s, link: l,
		a: &person{
			driver: start(t, first, "a"), kind: first, port: s.Addr.Port, pem: pem,
			phone: nodetest.Phone(1), username: "conversation_a",
		},
		b: &person{
			driver: start(t, second, "b"), kind: second, port: l.addr.Port, pem: pem,
			phone: nodetest.Phone(2), username: "conversation_b",
		},
	}
}

// deeds are what is done in the steps that package fleet names.
func (c *conversation) deeds() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"connect": c.connect, "log in": c.login, "self": c.self, "no dialogs yet": c.noDialogs,
		"find each other": c.find, "send to self": c.sendToSelf, "send and receive": c.send,
		"read receipts": c.read, "dialogs": c.dialogs, "edit": c.edit, "react": c.react,
		"forward": c.forward, "delete": c.remove, "create a channel": c.createChannel,
		"join and receive": c.join, "document": c.document, "photo": c.photo,
		"search": c.search, "report": c.report, "reconnect": c.reconnect, "log out": c.logout,
	}
}

// run goes through the steps and ends at the first that fails, whose name is that of the test.
func (c *conversation) run() {
	steps, err := fleet.Steps()
	if err != nil {
		c.t.Fatal(err)
	}
	deeds := c.deeds()
	if len(deeds) != len(steps) {
		c.t.Fatalf("%d steps are listed, %d are known", len(steps), len(deeds))
	}
	for i, step := range steps {
		do := deeds[step.Name]
		if do == nil {
			c.t.Fatalf("step %q is listed and not known", step.Name)
		}
		if !c.t.Run(fmt.Sprintf("%02d %s", i+1, step.Name), do) {
			c.t.FailNow()
		}
	}
}

func (c *conversation) both() []*person { return []*person{c.a, c.b} }

func (p *person) connect(t *testing.T) {
	t.Helper()
	var is struct{ DC int }
	// -1: it tries until it gets through.
	p.do(t, "connect", p.route(proxySecret, -1), &is)
	if is.DC != dc {
		t.Errorf("%s is on data centre %d, want %d", p.name, is.DC, dc)
	}
}

// route is what a driver is told of where to connect and how often to try again.
func (p *person) route(secret string, retries int) map[string]any {
	return map[string]any{
		"host": "127.0.0.1", "port": p.port, "dc": dc, "key": p.pem, "transport": p.kind.transport,
		"secret": secret, "retries": retries,
	}
}

func (p *person) login(t *testing.T) identity {
	t.Helper()
	var is identity
	p.do(t, "login", map[string]any{
		"phone": "+" + p.phone, "code": nodetest.Code, "name": "Person " + p.username,
	}, &is)
	return is
}

// say sends a text and returns the id that the library says it has.
func (p *person) say(t *testing.T, chat any, text string) int {
	t.Helper()
	var sent item
	p.do(t, "send", map[string]any{"chat": chat, "text": text}, &sent)
	if sent.ID <= 0 {
		t.Fatalf("%s sent a message with the id %d", p.name, sent.ID)
	}
	return sent.ID
}

func (p *person) history(t *testing.T, chat any) []item {
	t.Helper()
	var list []item
	p.do(t, "history", map[string]any{"chat": chat, "limit": 30}, &list)
	return list
}

// texts returns the texts of messages that were written by people.
func texts(list []item) (out []string) {
	for _, m := range list {
		if m.Text != "" {
			out = append(out, m.Text)
		}
	}
	return out
}

func (c *conversation) connect(t *testing.T) {
	for _, p := range c.both() {
		p.connect(t)
	}
}

func (c *conversation) login(t *testing.T) {
	for _, p := range c.both() {
		p.id = p.login(t).ID
		if p.id <= 0 {
			t.Fatalf("%s is user %d", p.name, p.id)
		}
	}
}

func (c *conversation) self(t *testing.T) {
	for _, p := range c.both() {
		var is identity
		p.do(t, "self", nil, &is)
		if is.ID != p.id || is.Phone != p.phone {
			t.Errorf("%s is %+v, want %d with %s", p.name, is, p.id, p.phone)
		}
		c.speaks(t, p)
	}
}

// speaks checks that what the server keeps as the layer of a client is that of the list.
func (c *conversation) speaks(t *testing.T, p *person) {
	t.Helper()
	err := c.server.Node.Store.View(t.Context(), func(r *store.Reader) error {
		list, err := r.Authorizations(ids.UserID(p.id))
		if err != nil || len(list) == 0 {
			t.Fatalf("%s has %d devices, %v", p.name, len(list), err)
		}
		for _, a := range list {
			k, err := r.AuthKey(a.KeyID)
			if err != nil {
				return err
			}
			if want := int64(p.kind.client.Layer); k.Layer != want {
				t.Errorf("%s speaks layer %d, listed is %d", p.name, k.Layer, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

type dialog struct {
	Chat   int64  `json:"chat"`
	Unread int    `json:"unread"`
	Text   string `json:"text"`
}

func (c *conversation) noDialogs(t *testing.T) {
	var list []dialog
	c.a.do(t, "dialogs", nil, &list)
	for _, d := range list {
		if d.Chat == c.b.id {
			t.Errorf("%s has a dialog with somebody whom it never met", c.a.name)
		}
	}
}

func (c *conversation) find(t *testing.T) {
	for _, p := range c.both() {
		p.do(t, "setUsername", map[string]any{"username": p.username}, nil)
	}
	for _, pair := range [][2]*person{{c.a, c.b}, {c.b, c.a}} {
		var found identity
		pair[0].do(t, "find", map[string]any{"username": pair[1].username}, &found)
		if found.ID != pair[1].id {
			t.Fatalf("%s found %d, want %d", pair[0].name, found.ID, pair[1].id)
		}
		pair[0].peer = found.ID
	}
}

func (c *conversation) sendToSelf(t *testing.T) {
	for _, p := range c.both() {
		id := p.say(t, "me", "a note")
		list := p.history(t, "me")
		if len(list) != 1 || list[0].ID != id || list[0].Text != "a note" {
			t.Errorf("%s has saved %+v", p.name, list)
		}
	}
}

func (c *conversation) send(t *testing.T) {
	c.firstID = c.a.say(t, c.a.peer, "good day")
	c.fromA = c.b.expectText(t, "good day")
	if c.fromA.Chat != c.b.peer {
		t.Errorf("%s received it in chat %d, want %d", c.b.name, c.fromA.Chat, c.b.peer)
	}
	c.b.say(t, c.b.peer, "good evening")
	c.a.expectText(t, "good evening")
}

func (c *conversation) read(t *testing.T) {
	c.b.do(t, "read", map[string]any{"chat": c.b.peer, "id": c.fromA.ID}, nil)
	got := c.a.expect(t, "the read mark", func(e event) bool { return e.Kind == "read" })
	if got.ID != c.firstID || got.Chat != c.a.peer {
		t.Errorf("%s learned that %d read up to %d, want %d to %d", c.a.name, got.Chat, got.ID,
			c.a.peer, c.firstID)
	}
}

func (c *conversation) edit(t *testing.T) {
	c.a.do(t, "edit", map[string]any{
		"chat": c.a.peer, "id": c.firstID, "text": "good day, edited",
	}, nil)
	c.b.expect(t, "the edit", func(e event) bool {
		return e.Kind == "edited" && e.ID == c.fromA.ID && e.Text == "good day, edited"
	})
}

func (c *conversation) react(t *testing.T) {
	c.b.do(t, "react", map[string]any{"chat": c.b.peer, "id": c.fromA.ID, "emoji": "👍"}, nil)
	c.a.expect(t, "the reaction", func(e event) bool {
		return e.ID == c.firstID && slices.Contains(e.Reactions, "👍")
	})
}

// dialogs sends a message first. Reading moves b's pts, which Telethon does not notice until the
// next update; then it asks for the difference, from which it reports messages but no edits.
func (c *conversation) dialogs(t *testing.T) {
	c.a.say(t, c.a.peer, "are you there?")
	c.b.expectText(t, "are you there?")
	var list []dialog
	c.b.do(t, "dialogs", nil, &list)
	i := slices.IndexFunc(list, func(d dialog) bool { return d.Chat == c.b.peer })
	if i < 0 {
		t.Fatalf("%s has no dialog with %d: %+v", c.b.name, c.b.peer, list)
	}
	if d := list[i]; d.Text != "are you there?" || d.Unread != 1 {
		t.Errorf("%s has the dialog %+v", c.b.name, d)
	}
}

func (c *conversation) forward(t *testing.T) {
	c.b.do(t, "forward", map[string]any{
		"from": c.b.peer, "ids": []int{c.fromA.ID}, "chat": "me",
	}, nil)
	list := c.b.history(t, "me")
	if len(list) != 2 || list[0].Text != "good day, edited" || !list[0].Forwarded {
		t.Errorf("%s forwarded to itself %+v", c.b.name, list)
	}
}

func (c *conversation) remove(t *testing.T) {
	c.a.do(t, "delete", map[string]any{"chat": c.a.peer, "ids": []int{c.firstID}}, nil)
	c.b.expect(t, "the deletion", func(e event) bool {
		return e.Kind == "deleted" && slices.Equal(e.IDs, []int{c.fromA.ID})
	})
	want := []string{"are you there?", "good evening"}
	for _, p := range c.both() {
		if got := texts(p.history(t, p.peer)); !slices.Equal(got, want) {
			t.Errorf("%s has %q, want %q", p.name, got, want)
		}
	}
}

func (c *conversation) createChannel(t *testing.T) {
	var created identity
	c.a.do(t, "createChannel", map[string]any{"title": "The channel"}, &created)
	if created.ID > -1_000_000_000_000 {
		t.Fatalf("%s created %d", c.a.name, created.ID)
	}
	c.channel = created.ID
	c.a.do(t, "setChannelUsername", map[string]any{
		"chat": c.channel, "username": "conversation_channel",
	}, nil)
}

func (c *conversation) join(t *testing.T) {
	var joined identity
	c.b.do(t, "join", map[string]any{"username": "conversation_channel"}, &joined)
	if joined.ID != c.channel {
		t.Fatalf("%s joined %d, want %d", c.b.name, joined.ID, c.channel)
	}
	c.post = c.a.say(t, c.channel, "the first post")
	got := c.b.expectText(t, "the first post")
	if got.Chat != c.channel || got.ID != c.post {
		t.Errorf("%s received post %d in %d, want %d in %d", c.b.name, got.ID, got.Chat, c.post,
			c.channel)
	}
	if err := c.b.try("send", map[string]any{"chat": c.channel, "text": "no"}, nil); err == nil {
		t.Errorf("%s posted in a channel of another", c.b.name)
	}
	if got := texts(c.b.history(t, c.channel)); !slices.Equal(got, []string{"the first post"}) {
		t.Errorf("%s sees the posts %q", c.b.name, got)
	}
}

func (c *conversation) search(t *testing.T) {
	for _, q := range []struct {
		chat int64
		text string
		want []string
	}{
		{c.b.peer, "evening", []string{"good evening"}},
		{c.b.peer, "absent", nil},
		{c.channel, "first", []string{"the first post"}},
	} {
		var list []item
		c.b.do(t, "search", map[string]any{"chat": q.chat, "text": q.text}, &list)
		if got := texts(list); !slices.Equal(got, q.want) {
			t.Errorf("%s finds %q by %q, want %q", c.b.name, got, q.text, q.want)
		}
	}
}

// reconnect restarts the server under a, while b has no network, and lets b catch up. Some clients
// do so only when the next message shows them that they missed others.
func (c *conversation) reconnect(t *testing.T) {
	c.link.set(true)
	c.server.Restart()
	var want []string
	for i := range 5 {
		want = append(want, fmt.Sprintf("missed %d", i))
		c.a.say(t, c.a.peer, want[i])
	}
	posts := []string{"a missed post", "another"}
	for _, text := range posts {
		c.a.say(t, c.channel, text)
	}
	c.link.set(false)
	c.b.do(t, "catchUp", nil, nil)
	want = append(want, "welcome back")
	c.a.say(t, c.a.peer, "welcome back")
	for _, text := range append(slices.Clone(want), posts...) {
		c.b.expectText(t, text)
	}
	slices.Reverse(want)
	if got := texts(c.b.history(t, c.b.peer)); !slices.Equal(got[:min(len(got), len(want))], want) {
		t.Errorf("%s has %q, want first %q", c.b.name, got, want)
	}
	c.b.say(t, c.b.peer, "back again")
	c.a.expectText(t, "back again")
}

func (c *conversation) logout(t *testing.T) {
	for _, p := range c.both() {
		p.do(t, "logout", nil, nil)
		p.connect(t)
		if err := p.try("self", nil, nil); err == nil {
			t.Errorf("%s still knows itself after logging out", p.name)
		}
		if again := p.login(t); again.ID != p.id {
			t.Errorf("%s logs in as %d, want %d", p.name, again.ID, p.id)
		}
	}
}
