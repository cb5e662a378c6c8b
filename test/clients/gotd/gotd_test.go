// Package gotd drives the real server with the client of github.com/gotd/td.
package gotd

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/crypto"
	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/auth"
	"github.com/gotd/td/telegram/dcs"
	"github.com/gotd/td/telegram/downloader"
	"github.com/gotd/td/telegram/uploader"
	"github.com/gotd/td/tg"

	"parley/internal/config"
	"parley/internal/ids"
	"parley/internal/node/nodetest"
	"parley/internal/store/storetest"
)

func TestMain(m *testing.M) { nodetest.Main(m) }

// patience is how long a test waits for what must come.
const patience = 60 * time.Second

// person is somebody with a client.
type person struct {
	*tg.Client
	client  *telegram.Client
	t       *testing.T
	self    *tg.User
	ctx     context.Context
	updates chan tg.UpdateClass
	stop    func()
	storage *session.StorageMemory
}

// login logs the nth person in; the first time he signs up.
func login(t *testing.T, s *nodetest.Server, n int) *person {
	return connect(t, s, n, new(session.StorageMemory), nil)
}

// connect logs a person in on the device whose session storage holds.
func connect(
	t *testing.T, s *nodetest.Server, n int, storage *session.StorageMemory,
	change func(*telegram.Options),
) *person {
	t.Helper()
	p := dial(t, s, storage, change)
	p.enter(newcomer{number: nodetest.Phone(n)})
	return p
}

// dial connects a device.
func dial(
	t *testing.T, s *nodetest.Server, storage *session.StorageMemory,
	change func(*telegram.Options),
) *person {
	t.Helper()
	keys, err := crypto.ParseRSAPublicKeys(s.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	var public []telegram.PublicKey
	for _, k := range keys {
		public = append(public, telegram.PublicKey{RSA: k})
	}
	p := &person{t: t, updates: make(chan tg.UpdateClass, 1000), storage: storage}
	options := telegram.Options{
		DC: 2, PublicKeys: public, SessionStorage: storage,
		DCList: dcs.List{Options: []tg.DCOption{
			{ID: 2, IPAddress: s.Addr.IP.String(), Port: s.Addr.Port},
		}},
		UpdateHandler: telegram.UpdateHandlerFunc(p.take),
		Device:        telegram.DeviceConfig{DeviceModel: "test", LangCode: "en"},
		DialTimeout:   patience, ExchangeTimeout: patience,
	}
	if change != nil {
		change(&options)
	}
	p.client = telegram.NewClient(1, "parley", options)
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- p.client.Run(ctx, func(ctx context.Context) error {
			p.ctx, p.Client = ctx, p.client.API()
			close(ready)
			<-ctx.Done()
			return nil
		})
	}()
	var once sync.Once
	p.stop = func() { once.Do(func() { cancel(); <-ended }) }
	t.Cleanup(p.stop)
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		t.Fatalf("the client ended: %v", err)
	}
	return p
}

// enter logs in, if the device is not logged in already.
func (p *person) enter(as auth.UserAuthenticator) {
	p.t.Helper()
	flow := auth.NewFlow(as, auth.SendCodeOptions{})
	p.must(p.client.Auth().IfNecessary(p.ctx, flow))
	self, err := p.client.Self(p.ctx)
	p.must(err)
	p.self = self
}

// newcomer answers what a login asks.
type newcomer struct{ number, password string }

func (n newcomer) Phone(context.Context) (string, error) { return n.number, nil }
func (n newcomer) Password(context.Context) (string, error) {
	if n.password == "" {
		return "", auth.ErrPasswordNotProvided
	}
	return n.password, nil
}
func (newcomer) Code(context.Context, *tg.AuthSentCode) (string, error) {
	return nodetest.Code, nil
}
func (newcomer) AcceptTermsOfService(context.Context, tg.HelpTermsOfService) error { return nil }
func (n newcomer) SignUp(context.Context) (auth.UserInfo, error) {
	return auth.UserInfo{FirstName: "Person " + n.number[6:]}, nil
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
func expect[T tg.UpdateClass](p *person, what string, match func(T) bool) T {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case u := <-p.updates:
			if x, ok := u.(T); ok && match(x) {
				return x
			}
		case <-deadline:
			p.t.Fatalf("%s did not come", what)
		}
	}
}

func hasText(m tg.MessageClass, text string) bool {
	x, ok := m.(*tg.Message)
	return ok && x.Message == text
}

var random int64

func next() int64 { random++; return random }

func (p *person) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// say sends a text and returns its id.
func (p *person) say(to tg.InputPeerClass, text string) int {
	p.t.Helper()
	u, err := p.MessagesSendMessage(p.ctx, &tg.MessagesSendMessageRequest{
		Peer: to, Message: text, RandomID: next(),
	})
	p.must(err)
	return sentID(p, u)
}

// delivered waits until what a person sent is with everybody.
func delivered(p *person, s *nodetest.Server) {
	p.t.Helper()
	p.must(s.Node.Courier.Settled(p.ctx, ids.UserID(p.self.ID).Peer()))
}

func sentID(p *person, u tg.UpdatesClass) int {
	p.t.Helper()
	list, ok := u.(*tg.Updates)
	if !ok {
		p.t.Fatalf("answered by %T", u)
	}
	for _, x := range list.Updates {
		if id, ok := x.(*tg.UpdateMessageID); ok {
			return id.ID
		}
	}
	p.t.Fatal("no updateMessageID in the answer")
	return 0
}

// meet makes two people know each other's addresses.
func meet(a, b *person) (toB, toA tg.InputPeerClass) {
	find := func(p, other *person) tg.InputPeerClass {
		p.t.Helper()
		r, err := p.ContactsImportContacts(p.ctx, []tg.InputPhoneContact{{
			ClientID: 1, Phone: other.self.Phone, FirstName: "Friend",
		}})
		p.must(err)
		if len(r.Users) != 1 {
			p.t.Fatalf("importing found %d users", len(r.Users))
		}
		return r.Users[0].(*tg.User).AsInputPeer()
	}
	return find(a, b), find(b, a)
}

func TestPrivateChat(t *testing.T) { privateChat(t, nodetest.Start(t, nil)) }

// TestPrivateChatOnPostgres is the same on a server whose store is PostgreSQL.
func TestPrivateChatOnPostgres(t *testing.T) {
	url := storetest.PostgresURL(t)
	privateChat(t, nodetest.Start(t, func(cfg *config.Config) {
		cfg.Store.URL = config.Secret(url)
	}))
}

func privateChat(t *testing.T, s *nodetest.Server) {
	t.Helper()
	a, b := login(t, s, 1), login(t, s, 2)
	toB, toA := meet(a, b)

	id := a.say(toB, "hello")
	got := expect(b, "the message", func(u *tg.UpdateNewMessage) bool { return hasText(u.Message, "hello") })
	b.say(toA, "hello back")
	expect(a, "the answer", func(u *tg.UpdateNewMessage) bool { return hasText(u.Message, "hello back") })

	_, err := b.MessagesReadHistory(b.ctx, &tg.MessagesReadHistoryRequest{
		Peer: toA, MaxID: got.Message.GetID(),
	})
	b.must(err)
	read := expect(a, "the read mark", func(*tg.UpdateReadHistoryOutbox) bool { return true })
	if read.MaxID != id {
		t.Errorf("read up to %d, want %d", read.MaxID, id)
	}

	_, err = a.MessagesEditMessage(a.ctx, &tg.MessagesEditMessageRequest{
		Peer: toB, ID: id, Message: "hello, edited",
	})
	a.must(err)
	expect(b, "the edit", func(u *tg.UpdateEditMessage) bool { return hasText(u.Message, "hello, edited") })

	_, err = b.MessagesSendReaction(b.ctx, &tg.MessagesSendReactionRequest{
		Peer: toA, MsgID: got.Message.GetID(),
		Reaction: []tg.ReactionClass{&tg.ReactionEmoji{Emoticon: "👍"}},
	})
	b.must(err)
	expect(a, "the reaction", func(u *tg.UpdateEditMessage) bool {
		m, ok := u.Message.(*tg.Message)
		return ok && len(m.Reactions.Results) == 1
	})

	_, err = a.MessagesDeleteMessages(a.ctx, &tg.MessagesDeleteMessagesRequest{
		Revoke: true, ID: []int{id},
	})
	a.must(err)
	expect(b, "the deletion", func(u *tg.UpdateDeleteMessages) bool {
		return len(u.Messages) == 1 && u.Messages[0] == got.Message.GetID()
	})
	h, err := b.MessagesGetHistory(b.ctx, &tg.MessagesGetHistoryRequest{Peer: toA, Limit: 10})
	b.must(err)
	list := h.(*tg.MessagesMessages).Messages
	if len(list) != 1 || !hasText(list[0], "hello back") {
		t.Errorf("b's history after the deletion: %+v", list)
	}
}

func TestRepeatedSendAndDifference(t *testing.T) {
	s := nodetest.Start(t, nil)
	a, b := login(t, s, 1), login(t, s, 2)
	toB, toA := meet(a, b)
	state, err := b.UpdatesGetState(b.ctx)
	b.must(err)
	b.stop()

	req := &tg.MessagesSendMessageRequest{Peer: toB, Message: "once", RandomID: next()}
	first, err := a.MessagesSendMessage(a.ctx, req)
	a.must(err)
	again, err := a.MessagesSendMessage(a.ctx, req)
	a.must(err)
	if x, y := sentID(a, first), sentID(a, again); x != y {
		t.Errorf("one random_id became messages %d and %d", x, y)
	}
	a.say(toB, "twice")
	delivered(a, s)

	b = connect(t, s, 2, b.storage, nil)
	d, err := b.UpdatesGetDifference(b.ctx, &tg.UpdatesGetDifferenceRequest{
		Pts: state.Pts, Date: state.Date, Qts: state.Qts,
	})
	b.must(err)
	diff, ok := d.(*tg.UpdatesDifference)
	if !ok {
		t.Fatalf("the difference is %T", d)
	}
	if len(diff.NewMessages) != 2 || !hasText(diff.NewMessages[0], "once") ||
		!hasText(diff.NewMessages[1], "twice") {
		t.Errorf("the difference has %d messages", len(diff.NewMessages))
	}
	if want := state.Pts + 2; diff.State.Pts != want {
		t.Errorf("the difference ends at pts %d, want %d", diff.State.Pts, want)
	}
	_ = toA
}

func TestPhotoBothWays(t *testing.T) {
	s := nodetest.Start(t, nil)
	a, b := login(t, s, 1), login(t, s, 2)
	toB, _ := meet(a, b)
	img := image.NewRGBA(image.Rect(0, 0, 900, 600))
	for x := range 900 {
		for y := range 600 {
			img.Set(x, y, color.RGBA{uint8(x), uint8(y), 100, 255})
		}
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, nil); err != nil {
		t.Fatal(err)
	}
	file, err := uploader.NewUploader(a.Client).FromBytes(a.ctx, "picture.jpg", buf.Bytes())
	a.must(err)
	_, err = a.MessagesSendMedia(a.ctx, &tg.MessagesSendMediaRequest{
		Peer: toB, Media: &tg.InputMediaUploadedPhoto{File: file}, Message: "look",
		RandomID: next(),
	})
	a.must(err)
	u := expect(b, "the photo", func(u *tg.UpdateNewMessage) bool { return hasText(u.Message, "look") })
	media, ok := u.Message.(*tg.Message).Media.(*tg.MessageMediaPhoto)
	if !ok {
		t.Fatalf("the message carries %T", u.Message.(*tg.Message).Media)
	}
	photo := media.Photo.(*tg.Photo)
	var biggest *tg.PhotoSize
	for _, size := range photo.Sizes {
		if x, ok := size.(*tg.PhotoSize); ok {
			biggest = x
		}
	}
	if biggest == nil {
		t.Fatal("the photo has no sizes")
	}
	var out bytes.Buffer
	_, err = downloader.NewDownloader().Download(b.Client, &tg.InputPhotoFileLocation{
		ID: photo.ID, AccessHash: photo.AccessHash, FileReference: photo.FileReference,
		ThumbSize: biggest.Type,
	}).Stream(b.ctx, &out)
	b.must(err)
	got, err := jpeg.DecodeConfig(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if got.Width != biggest.W || got.Height != biggest.H || out.Len() != biggest.Size {
		t.Errorf("got %dx%d in %d bytes, announced %dx%d in %d", got.Width, got.Height, out.Len(),
			biggest.W, biggest.H, biggest.Size)
	}
}

func TestServerRestartKeepsEverybodyLoggedIn(t *testing.T) {
	s := nodetest.Start(t, nil)
	a, b := login(t, s, 1), login(t, s, 2)
	toB, _ := meet(a, b)
	a.say(toB, "before")
	expect(b, "the message before", func(u *tg.UpdateNewMessage) bool { return hasText(u.Message, "before") })
	s.Restart()
	a.say(toB, "after")
	delivered(a, s)
	h, err := b.MessagesGetHistory(b.ctx, &tg.MessagesGetHistoryRequest{
		Peer: &tg.InputPeerUser{UserID: a.self.ID, AccessHash: friendHash(b, a)}, Limit: 10,
	})
	b.must(err)
	if list := h.(*tg.MessagesMessages).Messages; len(list) != 2 {
		t.Errorf("%d messages after the restart, want 2", len(list))
	}
}

// friendHash returns the access hash under which p knows other.
func friendHash(p, other *person) int64 {
	p.t.Helper()
	list, err := p.ContactsGetContacts(p.ctx, 0)
	p.must(err)
	for _, u := range list.(*tg.ContactsContacts).Users {
		if x, ok := u.(*tg.User); ok && x.ID == other.self.ID {
			return x.AccessHash
		}
	}
	p.t.Fatal(errors.New("not a contact"))
	return 0
}

func TestForwardSecrecy(t *testing.T) {
	s := nodetest.Start(t, nil)
	a := connect(t, s, 1, new(session.StorageMemory), func(o *telegram.Options) { o.EnablePFS = true })
	a.say(&tg.InputPeerSelf{}, "to myself")
	h, err := a.MessagesGetHistory(a.ctx, &tg.MessagesGetHistoryRequest{
		Peer: &tg.InputPeerSelf{}, Limit: 10,
	})
	a.must(err)
	if list := h.(*tg.MessagesMessages).Messages; len(list) != 1 || !hasText(list[0], "to myself") {
		t.Errorf("saved messages: %+v", list)
	}
	// The client makes a new temporary key when the server has dropped the one that it uses.
	_, err = a.AuthDropTempAuthKeys(a.ctx, nil)
	a.must(err)
	a.say(&tg.InputPeerSelf{}, "with another key")
}

// TestWithoutUpdates is a client that wants no updates, as the program that client-config prints.
func TestWithoutUpdates(t *testing.T) {
	s := nodetest.Start(t, nil)
	a := connect(t, s, 1, new(session.StorageMemory), func(o *telegram.Options) {
		o.UpdateHandler, o.NoUpdates = nil, true
	})
	a.say(&tg.InputPeerSelf{}, "unheard")
	select {
	case u := <-a.updates:
		t.Errorf("was told %v", u)
	default:
	}
}
