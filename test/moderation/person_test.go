package moderation

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/crypto"
	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/auth"
	"github.com/gotd/td/telegram/dcs"
	"github.com/gotd/td/tg"

	"parley/internal/chat/account"
	"parley/internal/node/nodetest"
)

// patience is how long a conversation waits for what must come.
const patience = 60 * time.Second

// person is somebody with a client of github.com/gotd/td.
type person struct {
	*tg.Client
	t       *testing.T
	ctx     context.Context
	self    *tg.User
	updates chan tg.UpdateClass
	// channel is the channel of the conversation as he addresses it.
	channel *tg.InputChannel
}

// newcomer answers what a login asks.
type newcomer struct{ number string }

func (n newcomer) Phone(context.Context) (string, error) { return n.number, nil }
func (newcomer) Password(context.Context) (string, error) {
	return "", auth.ErrPasswordNotProvided
}
func (newcomer) Code(context.Context, *tg.AuthSentCode) (string, error) {
	return nodetest.Code, nil
}
func (newcomer) AcceptTermsOfService(context.Context, tg.HelpTermsOfService) error { return nil }
func (newcomer) SignUp(context.Context) (auth.UserInfo, error) {
	return auth.UserInfo{FirstName: "Person"}, nil
}

// enter signs the nth person up, on a device in a language.
func enter(sc *scene, n int, lang string) *person {
	t, s := sc.T, sc.server
	t.Helper()
	keys, err := crypto.ParseRSAPublicKeys(s.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	var public []telegram.PublicKey
	for _, k := range keys {
		public = append(public, telegram.PublicKey{RSA: k})
	}
	p := &person{t: t, updates: make(chan tg.UpdateClass, 1000)}
	client := telegram.NewClient(1, "parley", telegram.Options{
		DC: 2, PublicKeys: public, SessionStorage: new(session.StorageMemory),
		DCList: dcs.List{Options: []tg.DCOption{
			{ID: 2, IPAddress: s.Addr.IP.String(), Port: s.Addr.Port},
		}},
		UpdateHandler: telegram.UpdateHandlerFunc(p.take),
		Device: telegram.DeviceConfig{
			DeviceModel: "test", LangCode: lang, SystemLangCode: lang,
		},
		Clock: sc.hours, DialTimeout: patience, ExchangeTimeout: patience,
	})
	ctx, cancel := context.WithTimeout(context.Background(), 5*patience)
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- client.Run(ctx, func(ctx context.Context) error {
			p.ctx, p.Client = ctx, client.API()
			close(ready)
			<-ctx.Done()
			return nil
		})
	}()
	var once sync.Once
	t.Cleanup(func() { once.Do(func() { cancel(); <-ended }) })
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		t.Fatalf("the client ended: %v", err)
	}
	flow := auth.NewFlow(newcomer{nodetest.Phone(n)}, auth.SendCodeOptions{})
	p.must(client.Auth().IfNecessary(p.ctx, flow))
	p.self, err = client.Self(p.ctx)
	p.must(err)
	return p
}

func (p *person) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// take keeps updates for expect.
func (p *person) take(_ context.Context, u tg.UpdatesClass) error {
	switch u := u.(type) {
	case *tg.Updates:
		for _, x := range u.Updates {
			p.updates <- x
		}
	case *tg.UpdateShort:
		p.updates <- u.Update
	}
	return nil
}

// expect waits for an update that matches.
func (p *person) expect(what string, match func(tg.UpdateClass) bool) {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case u := <-p.updates:
			if match(u) {
				return
			}
		case <-deadline:
			p.t.Fatalf("%s did not come", what)
		}
	}
}

// service is the service account as he addresses it.
func (p *person) service() tg.InputPeerClass {
	p.t.Helper()
	d, err := p.MessagesGetDialogs(p.ctx, &tg.MessagesGetDialogsRequest{
		OffsetPeer: &tg.InputPeerEmpty{}, Limit: 50,
	})
	p.must(err)
	m, _ := d.AsModified()
	for _, u := range m.GetUsers() {
		if x, ok := u.(*tg.User); ok && x.ID == int64(account.ServiceUser) {
			return x.AsInputPeer()
		}
	}
	return nil
}

// letters are the messages of the service account to him, the oldest first. Those about his login
// are none.
func (p *person) letters() (out []*tg.Message) {
	p.t.Helper()
	from := p.service()
	if from == nil {
		return nil
	}
	h, err := p.MessagesGetHistory(p.ctx, &tg.MessagesGetHistoryRequest{Peer: from, Limit: 100})
	p.must(err)
	m, _ := h.AsModified()
	list := m.GetMessages()
	for i := len(list) - 1; i >= 0; i-- {
		x, ok := list[i].(*tg.Message)
		if ok && !x.Out && !strings.Contains(x.Message, "22222") {
			out = append(out, x)
		}
	}
	return out
}

// awaits waits until the service account has written something.
func (p *person) awaits(text string) {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		for _, m := range p.letters() {
			if strings.Contains(unmarked(m.Message), text) {
				return
			}
		}
		select {
		case <-p.updates: // something is new
		case <-deadline:
			for _, m := range p.letters() {
				p.t.Logf("letter: %q", m.Message)
			}
			p.t.Fatalf("the service account did not write %q", text)
		}
	}
}

// unmarked is a text without what directs its writing.
func unmarked(text string) string {
	return strings.NewReplacer("\u2068", "", "\u2069", "").Replace(text)
}

// press presses the first button of the newest letter that sends something back.
func (p *person) press() (answer string, pressed bool) {
	p.t.Helper()
	for i := len(p.letters()) - 1; i >= 0; i-- {
		m := p.letters()[i]
		for _, data := range callbacks(m) {
			req := &tg.MessagesGetBotCallbackAnswerRequest{Peer: p.service(), MsgID: m.ID}
			req.SetData(data)
			got, err := p.MessagesGetBotCallbackAnswer(p.ctx, req)
			p.must(err)
			return got.Message, true
		}
	}
	return "", false
}

// callbacks are the data of a message's buttons.
func callbacks(m *tg.Message) (out [][]byte) {
	markup, _ := m.ReplyMarkup.(*tg.ReplyInlineMarkup)
	if markup == nil {
		return nil
	}
	for _, row := range markup.Rows {
		for _, b := range row.Buttons {
			if c, ok := b.Type.(*tg.InlineButtonTypeCallback); ok {
				out = append(out, c.Data)
			}
		}
	}
	return out
}

// history tells whether he finds a post in the channel, in its history and by its id.
func (p *person) history(id int) bool {
	p.t.Helper()
	peer := &tg.InputPeerChannel{ChannelID: p.channel.ChannelID, AccessHash: p.channel.AccessHash}
	h, err := p.MessagesGetHistory(p.ctx, &tg.MessagesGetHistoryRequest{Peer: peer, Limit: 100})
	p.must(err)
	m, _ := h.AsModified()
	in := false
	for _, x := range m.GetMessages() {
		_, is := x.(*tg.Message)
		in = in || is && x.GetID() == id
	}
	one, err := p.ChannelsGetMessages(p.ctx, &tg.ChannelsGetMessagesRequest{
		Channel: p.channel, ID: []tg.InputMessageClass{&tg.InputMessageID{ID: id}},
	})
	p.must(err)
	m, _ = one.AsModified()
	byID := false
	for _, x := range m.GetMessages() {
		_, is := x.(*tg.Message)
		byID = byID || is
	}
	if in != byID {
		p.t.Errorf("post %d is in the history: %v; by its id: %v", id, in, byID)
	}
	return in
}
