package node

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/chat/media/imaging"
	"parley/internal/clock"
	"parley/internal/config"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/mtproto/crypt"
	"parley/internal/mtproto/layer"
	"parley/internal/mtproto/session"
	"parley/internal/safety/attachment"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// TestMain lets the test program be the process that makes photo sizes as well.
func TestMain(m *testing.M) {
	if code, is := attachment.Worker(os.Args[1:], os.Stdin, os.Stdout); is {
		os.Exit(code)
	}
	if len(os.Args) > 1 && os.Args[1] == imaging.WorkerArg {
		os.Exit(imaging.WorkerMain(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// secrets are the key files of all servers of these tests: they take long to make.
var secrets = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "parley-keys")
	if err != nil {
		return "", err
	}
	cfg, err := config.Load(config.Sources{Flags: map[string]string{"data": dir, "demo": "true"}})
	if err != nil {
		return "", err
	}
	n, err := Open(context.Background(), cfg, Options{
		Log: slog.New(slog.DiscardHandler), Out: io.Discard, Tool: true,
	})
	if err != nil {
		return "", err
	}
	return dir, n.Close()
})

// world is a whole server without sockets: requests go through the dispatcher, pushes come from the
// hub, and the time is ours.
type world struct {
	t     *testing.T
	n     *Node
	clock *clock.Fake
	dir   string
	cfg   config.Config
	phone int
	marks int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	from, err := secrets()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, dir: t.TempDir(),
		clock: clock.NewFake(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)),
	}
	if err := os.CopyFS(filepath.Join(w.dir, "keys"), os.DirFS(filepath.Join(from, "keys"))); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(w.dir, "keys", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.Chmod(f, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	storetest.SQLiteFile(t, filepath.Join(w.dir, "parley.db"))
	w.cfg, err = config.Load(config.Sources{Flags: map[string]string{
		"data": w.dir, "demo": "true", "inner.listen": "",
	}})
	if err != nil {
		t.Fatal(err)
	}
	l := &w.cfg.Limits
	for _, r := range []*limit.Rate{
		&l.Requests, &l.Messages, &l.Joins, &l.Contacts, &l.CodesPerAddress, &l.CodesTotal,
	} {
		*r = limit.Rate{}
	}
	w.cfg.Transparency.Interval = config.Duration(100 * time.Millisecond)
	w.open()
	t.Cleanup(w.close)
	return w
}

func (w *world) open() {
	w.t.Helper()
	var err error
	w.n, err = Open(context.Background(), w.cfg, Options{
		Log: slog.New(slog.DiscardHandler), Out: io.Discard, Clock: w.clock,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) close() {
	if err := w.n.Close(); err != nil {
		w.t.Error(err)
	}
}

// person is an account with its first device.
type person struct {
	*client
	phone string
}

// join makes an account.
func (w *world) join(name string) *person {
	w.t.Helper()
	w.phone++
	p := &person{phone: fmt.Sprintf("999662%04d", w.phone)}
	p.client = w.device()
	hash := p.sendCode(p.phone)
	in := &tg.AuthSignInRequest{PhoneNumber: p.phone, PhoneCodeHash: hash}
	in.SetPhoneCode("22222")
	ctx := context.Background()
	if _, err := p.AuthSignIn(ctx, in); err != nil {
		w.t.Fatal(err)
	}
	a, err := p.AuthSignUp(ctx, &tg.AuthSignUpRequest{
		PhoneNumber: p.phone, PhoneCodeHash: hash, FirstName: name,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	p.enter(a)
	return p
}

// another logs a further device in.
func (p *person) another() *client {
	p.w.t.Helper()
	d := p.w.device()
	in := &tg.AuthSignInRequest{PhoneNumber: p.phone, PhoneCodeHash: d.sendCode(p.phone)}
	in.SetPhoneCode("22222")
	a, err := d.AuthSignIn(context.Background(), in)
	if err != nil {
		p.w.t.Fatal(err)
	}
	d.enter(a)
	return d
}

// client is an auth key with one live session, and all that was pushed to it.
type client struct {
	*tg.Client
	w    *world
	key  int64
	self ids.UserID
	st   *api.State

	mu     sync.Mutex
	pushed []tg.UpdateClass
	people map[int64]*tg.User
	heard  chan struct{}
	// read are the answers, and told the pushes, in their encoded form.
	read, told [][]byte
}

func (w *world) device() *client {
	w.t.Helper()
	var value [crypt.KeySize]byte
	if _, err := rand.Read(value[:]); err != nil {
		w.t.Fatal(err)
	}
	key := crypt.NewAuthKey(value)
	if err := w.n.devices.Add(context.Background(), key, 1, 2); err != nil {
		w.t.Fatal(err)
	}
	d := &client{w: w, key: key.ID, people: make(map[int64]*tg.User), heard: make(chan struct{}, 1)}
	d.st = api.NewState(d)
	d.Client = tg.NewClient(d)
	return d
}

func (d *client) ID() int64        { return 1 }
func (d *client) KeyID() int64     { return d.key }
func (d *client) TempKeyID() int64 { return 0 }
func (d *client) IP() string       { return "192.0.2.1" }
func (d *client) DC() int          { return 2 }

// Push takes an update as the session would send it, with this viewer's access hashes in place.
func (d *client) Push(body session.Body) {
	b := slices.Clone(body.Bytes)
	for _, p := range body.Patches {
		binary.LittleEndian.PutUint64(b[p.Off:], uint64(p.Value))
	}
	u, err := tg.DecodeUpdates(&bin.Buffer{Buf: b})
	if err != nil {
		d.w.t.Errorf("a push that is no update: %v", err)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = append(d.told, b)
	switch u := u.(type) {
	case *tg.Updates:
		d.pushed = append(d.pushed, u.Updates...)
		for _, x := range u.Users {
			if x, ok := x.(*tg.User); ok {
				d.people[x.ID] = x
			}
		}
	case *tg.UpdateShort:
		d.pushed = append(d.pushed, u.Update)
	default:
		d.w.t.Errorf("pushed %T", u)
	}
	select {
	case d.heard <- struct{}{}:
	default:
	}
}

// Invoke sends a request through the dispatcher in its encoded form.
func (d *client) Invoke(ctx context.Context, in bin.Encoder, out bin.Decoder) error {
	var b bin.Buffer
	if err := in.Encode(&b); err != nil {
		return err
	}
	body, err := d.w.n.api.Serve(ctx, d.st, session.Query{
		Layer: layer.Current, Body: b.Buf, Init: &session.Init{
			APIID: 4, DeviceModel: "Phone", SystemVersion: "1", AppVersion: "1", LangCode: "en",
			SystemLangCode: "en",
		},
	})
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.read = append(d.read, body)
	d.mu.Unlock()
	return out.Decode(&bin.Buffer{Buf: body})
}

func (d *client) sendCode(phone string) string {
	d.w.t.Helper()
	sent, err := d.AuthSendCode(context.Background(), &tg.AuthSendCodeRequest{
		PhoneNumber: phone, APIID: 4, APIHash: "h",
	})
	if err != nil {
		d.w.t.Fatal(err)
	}
	return sent.(*tg.AuthSentCode).PhoneCodeHash
}

// enter notes who was logged in, and makes the session hear of what concerns him.
func (d *client) enter(a tg.AuthAuthorizationClass) {
	d.w.t.Helper()
	d.self = ids.UserID(a.(*tg.AuthAuthorization).User.GetID())
	if _, err := d.UpdatesGetState(context.Background()); err != nil {
		d.w.t.Fatal(err)
	}
}

// input and inputUser are the address that this device was given of a peer.
func (d *client) input(peer ids.Peer) tg.InputPeerClass {
	hash := d.w.n.env().Hash(int64(d.self), int64(peer))
	switch peer.Kind() {
	case ids.User:
		return &tg.InputPeerUser{UserID: int64(peer), AccessHash: hash}
	case ids.Chat:
		return &tg.InputPeerChat{ChatID: int64(peer.Chat())}
	default:
		return &tg.InputPeerChannel{ChannelID: int64(peer.Channel()), AccessHash: hash}
	}
}

func (d *client) inputUser(who *person) *tg.InputUser {
	return &tg.InputUser{
		UserID:     int64(who.self),
		AccessHash: d.w.n.env().Hash(int64(d.self), int64(who.self)),
	}
}

func (d *client) inputChannel(peer ids.Peer) *tg.InputChannel {
	return &tg.InputChannel{
		ChannelID:  int64(peer.Channel()),
		AccessHash: d.w.n.env().Hash(int64(d.self), int64(peer)),
	}
}

// say sends a text and returns its id for the sender.
func (d *client) say(to ids.Peer, text string) int {
	d.w.t.Helper()
	u, err := d.MessagesSendMessage(context.Background(), &tg.MessagesSendMessageRequest{
		Peer: d.input(to), Message: text, RandomID: random(),
	})
	if err != nil {
		d.w.t.Fatal(err)
	}
	id := idOf(d.w.t, u)
	d.w.settle()
	return id
}

// idOf returns the id of the message that an answer to a send is about.
func idOf(t *testing.T, u tg.UpdatesClass) int {
	t.Helper()
	for _, x := range listOf(t, u) {
		if m, ok := x.(*tg.UpdateMessageID); ok {
			return m.ID
		}
	}
	t.Fatal("the answer names no message")
	return 0
}

// listOf returns the updates of an answer.
func listOf(t *testing.T, u tg.UpdatesClass) []tg.UpdateClass {
	t.Helper()
	all, ok := u.(*tg.Updates)
	if !ok {
		t.Fatalf("answered with %T", u)
	}
	return all.Updates
}

// among finds an update of a type that a check accepts.
func among[U tg.UpdateClass](list []tg.UpdateClass, is func(U) bool) (U, bool) {
	for _, x := range list {
		if u, ok := x.(U); ok && (is == nil || is(u)) {
			return u, true
		}
	}
	var none U
	return none, false
}

// patience is how long a test waits for what must come.
const patience = 5 * time.Second

// hears waits until an update was pushed to a device, and takes it and all before it away.
func hears[U tg.UpdateClass](d *client, is func(U) bool) U {
	d.w.t.Helper()
	late := time.After(patience)
	for {
		d.mu.Lock()
		for i, x := range d.pushed {
			if u, ok := x.(U); ok && (is == nil || is(u)) {
				d.pushed = slices.Delete(d.pushed, 0, i+1)
				d.mu.Unlock()
				return u
			}
		}
		list := fmt.Sprint(d.pushed)
		d.mu.Unlock()
		select {
		case <-d.heard:
		case <-late:
			var none U
			d.w.t.Fatalf("no %T was pushed; only %s", none, list)
		}
	}
}

// silent fails when an update of a type was pushed to a device, after all that was under way in its
// account and in some channels.
func silent[U tg.UpdateClass](d *client, is func(U) bool, channels ...ids.Peer) {
	d.w.t.Helper()
	d.catchUp(channels...)
	d.mu.Lock()
	defer d.mu.Unlock()
	if u, found := among(d.pushed, is); found {
		d.w.t.Errorf("%v was pushed", u)
	}
	d.pushed = nil
}

// catchUp waits until all that happened before, in its account and in some channels, was pushed to
// a device.
func (d *client) catchUp(channels ...ids.Peer) {
	d.w.t.Helper()
	d.w.settle()
	for _, in := range append(channels, d.self.Peer()) {
		d.w.marks++
		n := d.w.marks
		err := d.w.n.Store.Update(context.Background(), in, func(tx *store.Tx) error {
			_, err := box.Note(tx, in, box.ChannelAvailable, d.w.clock.Now().Unix(),
				box.Entry{Peer: ids.PeerChannel(markChannel), ID: int64(n)})
			return err
		})
		if err != nil {
			d.w.t.Fatal(err)
		}
		d.wait(func(list []tg.UpdateClass) bool {
			_, found := among(list, func(u *tg.UpdateChannelAvailableMessages) bool {
				return u.ChannelID == markChannel && u.AvailableMinID == n
			})
			return found
		})
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pushed = slices.DeleteFunc(d.pushed, func(x tg.UpdateClass) bool {
		u, ok := x.(*tg.UpdateChannelAvailableMessages)
		return ok && u.ChannelID == markChannel
	})
}

// wait waits until a check accepts what was pushed.
func (d *client) wait(is func([]tg.UpdateClass) bool) {
	d.w.t.Helper()
	late := time.After(patience)
	for {
		d.mu.Lock()
		found := is(d.pushed)
		d.mu.Unlock()
		if found {
			return
		}
		select {
		case <-d.heard:
		case <-late:
			d.w.t.Fatal("pushes have stopped")
		}
	}
}

// markChannel is a channel that does not exist: its updates mark places in what is pushed.
const markChannel = 999_999_999

// forget drops what was pushed to devices so far.
func forget(list ...*client) {
	for _, d := range list {
		d.catchUp()
		d.mu.Lock()
		d.pushed = nil
		d.mu.Unlock()
	}
}

// settle waits until no box has anything left to tell another. Rows that were carried out are still
// listed for a while: once there is no other, all is told.
func (w *world) settle() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	type row struct {
		box ids.Peer
		n   int64
	}
	carried := make(map[row]bool)
	for {
		var left []store.Outbox
		err := w.n.Store.View(ctx, func(r *store.Reader) (err error) {
			left, err = r.Outbox(100_000)
			return err
		})
		if err != nil {
			w.t.Fatal(err)
		}
		before := len(carried)
		for _, o := range left {
			carried[row{o.Box, o.N}] = true
		}
		if len(carried) == before {
			return
		}
		for _, o := range left {
			if err := w.n.Courier.Settled(ctx, o.Box); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

// refused fails unless a request was refused with a name of the API.
func refused(t *testing.T, what string, err error, reason string) {
	t.Helper()
	var r chat.Refusal
	if !errors.As(err, &r) || r.Reason != reason && !strings.HasPrefix(r.Reason, reason+"_") {
		t.Errorf("%s: %v, want %s", what, err, reason)
	}
}

// must returns what a request answers.
func must[T any](answer T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}

// ctx is the context of requests.
func ctx() context.Context { return context.Background() }

// group makes a basic group with others.
func (d *client) group(t *testing.T, title string, others ...*person) ids.Peer {
	t.Helper()
	in := &tg.MessagesCreateChatRequest{Title: title}
	for _, p := range others {
		in.Users = append(in.Users, d.inputUser(p))
	}
	out := must(d.MessagesCreateChat(ctx(), in))(t)
	d.w.settle()
	return ids.PeerChat(ids.ChatID(out.Updates.(*tg.Updates).Chats[0].GetID()))
}

// channel makes a supergroup, or a broadcast channel, with others.
func (d *client) channel(t *testing.T, title string, broadcast bool, others ...*person) ids.Peer {
	t.Helper()
	u := must(d.ChannelsCreateChannel(ctx(), &tg.ChannelsCreateChannelRequest{
		Title: title, Megagroup: !broadcast, Broadcast: broadcast,
	}))(t).(*tg.Updates)
	peer := ids.PeerChannel(ids.ChannelID(u.Chats[0].GetID()))
	var list []tg.InputUserClass
	for _, p := range others {
		list = append(list, d.inputUser(p))
	}
	if len(list) > 0 {
		must(d.ChannelsInviteToChannel(ctx(), &tg.ChannelsInviteToChannelRequest{
			Channel: d.inputChannel(peer), Users: list,
		}))(t)
	}
	d.w.settle()
	return peer
}
