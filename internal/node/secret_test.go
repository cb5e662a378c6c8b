package node

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/tg"

	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/mtproto/crypt"
	"parley/internal/safety"
	"parley/internal/store"
)

// dhGroup is the group of the key exchange, made once because its table of powers takes a while.
var dhGroup = sync.OnceValue(crypt.NewGroup)

// element is a public number of the key exchange that may be accepted.
func element(t *testing.T) []byte {
	t.Helper()
	var secret [crypt.KeySize]byte
	if _, err := rand.Read(secret[:]); err != nil {
		t.Fatal(err)
	}
	x := dhGroup().ExpGenerator(&secret)
	return x[:]
}

// cipher is something that looks like ciphertext.
func cipher(n byte) []byte { return bytes.Repeat([]byte{n}, 24+32) }

// talk is a secret chat between the first devices of two people.
type talk struct {
	*testing.T
	w          *world
	alice, bob *person
	id         int
	// a and b are the addresses that the two have of it.
	a, b tg.InputEncryptedChat
}

func number() int {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return int(binary.LittleEndian.Uint32(b[:])>>1 | 1)
}

// requesting is a talk that was asked for.
func requesting(t *testing.T) *talk {
	t.Helper()
	w := newWorld(t)
	return w.ask(t, w.join("Alice"), w.join("Bob"))
}

func (w *world) ask(t *testing.T, alice, bob *person) *talk {
	t.Helper()
	x := &talk{T: t, w: w, alice: alice, bob: bob, id: number()}
	in := &tg.MessagesRequestEncryptionRequest{
		UserID: x.alice.inputUser(x.bob), RandomID: x.id, GA: element(t),
	}
	got := must(x.alice.MessagesRequestEncryption(ctx(), in))(t).(*tg.EncryptedChatWaiting)
	if got.ID != x.id || got.ParticipantID != int64(x.bob.self) {
		t.Fatalf("asked: %v", got)
	}
	x.a = tg.InputEncryptedChat{ChatID: x.id, AccessHash: got.AccessHash}
	u := hears(x.bob.client, func(u *tg.UpdateEncryption) bool { return u.Chat.GetID() == x.id })
	r := u.Chat.(*tg.EncryptedChatRequested)
	if !bytes.Equal(r.GA, in.GA) || r.AdminID != int64(x.alice.self) {
		t.Fatalf("requested: %v", r)
	}
	x.b = tg.InputEncryptedChat{ChatID: x.id, AccessHash: r.AccessHash}
	return x
}

// accept lets a device of Bob's take the request.
func (x *talk) accept(d *client) {
	x.Helper()
	gb := element(x.T)
	got := must(d.MessagesAcceptEncryption(ctx(), &tg.MessagesAcceptEncryptionRequest{
		Peer: x.b, GB: gb, KeyFingerprint: 77,
	}))(x.T).(*tg.EncryptedChat)
	u := hears(x.alice.client, func(u *tg.UpdateEncryption) bool { return u.Chat.GetID() == x.id })
	ready, ok := u.Chat.(*tg.EncryptedChat)
	if !ok || !bytes.Equal(ready.GAOrB, gb) || ready.KeyFingerprint != 77 ||
		got.KeyFingerprint != 77 {
		x.Fatalf("accepted: %v", u)
	}
}

// talking is a talk that Bob's first device took.
func talking(t *testing.T) *talk {
	t.Helper()
	x := requesting(t)
	x.accept(x.bob.client)
	return x
}

// encrypted sends ciphertext.
func encrypted(d *client, to tg.InputEncryptedChat, random int64, data []byte) error {
	_, err := d.MessagesSendEncrypted(ctx(), &tg.MessagesSendEncryptedRequest{
		Peer: to, RandomID: random, Data: data,
	})
	d.w.settle()
	return err
}

func (x *talk) send(d *client, to tg.InputEncryptedChat, random int64, data []byte) {
	x.Helper()
	if err := encrypted(d, to, random, data); err != nil {
		x.Fatal(err)
	}
}

// waiting is what the store keeps for a device.
func (x *talk) waiting(d *client) []store.SecretMessage {
	x.Helper()
	var out []store.SecretMessage
	err := x.w.n.Store.View(ctx(), func(r *store.Reader) (err error) {
		out, err = r.SecretMessages(d.self, d.key, 0, 1000)
		return err
	})
	if err != nil {
		x.Fatal(err)
	}
	return out
}

// over waits until a device is told that the chat is over.
func (x *talk) over(d *client) *tg.EncryptedChatDiscarded {
	x.Helper()
	return hears(d, func(u *tg.UpdateEncryption) bool {
		_, ok := u.Chat.(*tg.EncryptedChatDiscarded)
		return ok && u.Chat.GetID() == x.id
	}).Chat.(*tg.EncryptedChatDiscarded)
}

func isSecret(*tg.UpdateNewEncryptedMessage) bool { return true }

// TestSecretBegins: a request reaches every device but those that refuse; one takes it, and the
// others are told that it is over.
func TestSecretBegins(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join("Alice"), w.join("Bob")
	tablet, deaf := bob.another(), bob.another()
	change := &tg.AccountChangeAuthorizationSettingsRequest{}
	change.SetEncryptedRequestsDisabled(true)
	must(deaf.AccountChangeAuthorizationSettings(ctx(), change))(t)
	x := w.ask(t, alice, bob)
	hears(tablet, func(u *tg.UpdateEncryption) bool { return u.Chat.GetID() == x.id })
	silent[*tg.UpdateEncryption](deaf, nil)
	x.accept(tablet)
	if got := x.over(bob.client); got.HistoryDeleted {
		t.Error("nobody wanted a history to be deleted")
	}
	silent[*tg.UpdateEncryption](tablet, nil)
	x.send(alice.client, x.a, 5, cipher(1))
	got := hears(tablet, isSecret)
	m := got.Message.(*tg.EncryptedMessage)
	if got.Qts != 2 || m.RandomID != 5 || !bytes.Equal(m.Bytes, cipher(1)) || m.ChatID != x.id {
		t.Errorf("got %v", got)
	}
	silent(bob.client, isSecret)
	silent(deaf, isSecret)
	silent(alice.client, isSecret)
}

// TestSecretRequest: asking twice is asking once; what would be a weak key, or is not the caller's
// to ask for, is refused.
func TestSecretRequest(t *testing.T) {
	x := requesting(t)
	carol := x.w.join("Carol")
	try := func(d *client, who *person, id int, ga []byte) error {
		_, err := d.MessagesRequestEncryption(ctx(), &tg.MessagesRequestEncryptionRequest{
			UserID: d.inputUser(who), RandomID: id, GA: ga,
		})
		return err
	}
	var row store.SecretChat
	err := x.w.n.Store.View(ctx(), func(r *store.Reader) (err error) {
		row, err = r.SecretChat(x.alice.self, int64(x.id))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := try(x.alice.client, x.bob, x.id, row.GA); err != nil {
		t.Errorf("again: %v", err)
	}
	silent[*tg.UpdateEncryption](x.bob.client, nil)
	prime := dhGroup().Prime()
	one, low := make([]byte, 256), make([]byte, 256)
	one[255], low[8] = 1, 1
	high := bytes.Clone(prime[:])
	high[255]--
	for name, ga := range map[string][]byte{
		"nothing": nil, "0": make([]byte, 256), "1": one, "2^1976": low, "p-1": high, "p": prime[:],
		"long": append([]byte{0}, element(t)...),
	} {
		refused(t, name, try(x.alice.client, x.bob, number(), ga), "DH_G_A_INVALID")
	}
	const taken = "RANDOM_ID_DUPLICATE"
	refused(t, "another number", try(x.alice.client, x.bob, x.id, element(t)), taken)
	refused(t, "his number", try(carol.client, x.bob, x.id, element(t)), taken)
	refused(t, "no number", try(x.alice.client, x.bob, 0, element(t)), "RANDOM_ID_EMPTY")
	refused(t, "oneself", try(x.alice.client, x.alice, 9, element(t)), "USER_ID_INVALID")
	must(x.bob.ContactsBlock(ctx(), &tg.ContactsBlockRequest{
		ID: x.bob.input(carol.self.Peer()),
	}))(t)
	refused(t, "blocked", try(carol.client, x.bob, number(), element(t)), "USER_IS_BLOCKED")
	refused(t, "blocking", try(x.bob.client, carol, number(), element(t)), "YOU_BLOCKED_USER")
	for range limit.SecretRequests - 1 {
		if err := try(x.alice.client, x.bob, number(), element(t)); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, "too many", try(x.alice.client, x.bob, number(), element(t)), "FLOOD_WAIT")
}

// TestSecretParameters: the group is that of the protocol, and the random bytes are of the length
// that was asked for.
func TestSecretParameters(t *testing.T) {
	w := newWorld(t)
	alice := w.join("Alice")
	get := func(version, length int) tg.MessagesDhConfigClass {
		return must(alice.MessagesGetDhConfig(ctx(), &tg.MessagesGetDhConfigRequest{
			Version: version, RandomLength: length,
		}))(t)
	}
	c := get(0, 256).(*tg.MessagesDhConfig)
	prime := dhGroup().Prime()
	if !bytes.Equal(c.P, prime[:]) || c.G != crypt.Generator || len(c.Random) != 256 {
		t.Errorf("got %v", c)
	}
	same := get(c.Version, 16).(*tg.MessagesDhConfigNotModified)
	if len(same.Random) != 16 || bytes.Equal(same.Random, c.Random[:16]) {
		t.Errorf("got %v", same)
	}
	_, err := alice.MessagesGetDhConfig(ctx(), &tg.MessagesGetDhConfigRequest{RandomLength: -1})
	refused(t, "less than nothing", err, "RANDOM_LENGTH_INVALID")
}

// TestSecretStrangers: nobody but the two devices takes part, not even others of the same people.
func TestSecretStrangers(t *testing.T) {
	x := talking(t)
	carol, tablet, laptop := x.w.join("Carol"), x.alice.another(), x.bob.another()
	hash := x.w.n.env().SecretHash
	forged := tg.InputEncryptedChat{ChatID: x.id, AccessHash: hash(int64(carol.self), int64(x.id))}
	refused(t, "a stranger", encrypted(carol.client, forged, 1, cipher(1)), "CHAT_ID_INVALID")
	refused(t, "with her hash", encrypted(carol.client, x.a, 1, cipher(1)), "CHAT_ID_INVALID")
	refused(t, "without hash", encrypted(x.alice.client, tg.InputEncryptedChat{ChatID: x.id}, 1,
		cipher(1)), "CHAT_ID_INVALID")
	x.send(x.alice.client, x.a, 1, cipher(1))
	for name, d := range map[string]*client{"hers": tablet, "his": laptop} {
		to := x.a
		if d == laptop {
			to = x.b
		}
		refused(t, name+" sends", encrypted(d, to, 2, cipher(2)), "ENCRYPTION_ID_INVALID")
		_, err := d.MessagesReadEncryptedHistory(ctx(), &tg.MessagesReadEncryptedHistoryRequest{
			Peer: to, MaxDate: int(x.w.clock.Now().Unix()),
		})
		refused(t, name+" reads", err, "ENCRYPTION_ID_INVALID")
		_, err = d.MessagesSetEncryptedTyping(ctx(), &tg.MessagesSetEncryptedTypingRequest{
			Peer: to, Typing: true,
		})
		refused(t, name+" types", err, "ENCRYPTION_ID_INVALID")
		_, err = d.MessagesDiscardEncryption(ctx(), &tg.MessagesDiscardEncryptionRequest{
			ChatID: x.id,
		})
		refused(t, name+" ends", err, "ENCRYPTION_ALREADY_ACCEPTED")
		if got := d.difference(t, 0).messages; len(got) != 0 {
			t.Errorf("%s gets %v", name, got)
		}
	}
	_, err := laptop.MessagesAcceptEncryption(ctx(), &tg.MessagesAcceptEncryptionRequest{
		Peer: x.b, GB: element(t), KeyFingerprint: 1,
	})
	refused(t, "accepted twice", err, "ENCRYPTION_ALREADY_ACCEPTED")
	_, err = x.bob.MessagesAcceptEncryption(ctx(), &tg.MessagesAcceptEncryptionRequest{
		Peer: x.b, GB: []byte{1}, KeyFingerprint: 1,
	})
	refused(t, "a weak number", err, "DH_G_B_INVALID")
	_, err = x.alice.MessagesAcceptEncryption(ctx(), &tg.MessagesAcceptEncryptionRequest{
		Peer: x.a, GB: element(t), KeyFingerprint: 1,
	})
	refused(t, "one's own request", err, "CHAT_ID_INVALID")
	if got := len(x.waiting(x.bob.client)); got != 1 {
		t.Errorf("%d messages wait", got)
	}
}

// diff is a difference, with those that it came in pieces put together.
type diff struct {
	messages []tg.EncryptedMessageClass
	others   []tg.UpdateClass
	qts      int
	pieces   int
}

// difference asks for what came after a qts, from the last hour.
func (d *client) difference(t *testing.T, qts int) (out diff) {
	t.Helper()
	pts := must(d.UpdatesGetState(ctx()))(t).Pts
	out.qts = qts
	for {
		out.pieces++
		got := must(d.UpdatesGetDifference(ctx(), &tg.UpdatesGetDifferenceRequest{
			Pts: pts, Qts: out.qts, Date: int(d.w.clock.Now().Add(-time.Hour).Unix()),
		}))(t)
		switch got := got.(type) {
		case *tg.UpdatesDifferenceEmpty:
			return out
		case *tg.UpdatesDifference:
			out.messages = append(out.messages, got.NewEncryptedMessages...)
			out.others = append(out.others, got.OtherUpdates...)
			out.qts = got.State.Qts
			return out
		case *tg.UpdatesDifferenceSlice:
			out.messages = append(out.messages, got.NewEncryptedMessages...)
			out.others = append(out.others, got.OtherUpdates...)
			out.qts, pts = got.IntermediateState.Qts, got.IntermediateState.Pts
		default:
			t.Fatalf("got %T", got)
		}
	}
}

// TestSecretQueue: what a device does not say to have waits for it, once each and in order, and is
// erased when it says so, by messages.receivedQueue or by asking for what came after.
func TestSecretQueue(t *testing.T) {
	x := talking(t)
	bob := x.bob.client
	if got := must(bob.UpdatesGetState(ctx()))(t).Qts; got != store.FirstQts {
		t.Errorf("it begins with qts %d", got)
	}
	for n := byte(1); n <= 3; n++ {
		x.send(x.alice.client, x.a, int64(n), cipher(n))
		x.send(x.alice.client, x.a, int64(n), cipher(9)) // sent once all the same
		hears(bob, isSecret)
	}
	silent(bob, isSecret)
	got := bob.difference(t, store.FirstQts)
	if len(got.messages) != 3 || got.qts != 4 {
		t.Fatalf("got %v", got)
	}
	for i, m := range got.messages {
		if m := m.(*tg.EncryptedMessage); m.RandomID != int64(i+1) ||
			!bytes.Equal(m.Bytes, cipher(byte(i+1))) {
			t.Errorf("message %d: %v", i, m)
		}
	}
	again := bob.difference(t, store.FirstQts)
	if len(again.messages) != 3 {
		t.Errorf("what is not acknowledged comes again: %v", again)
	}
	_, err := bob.MessagesReceivedQueue(ctx(), 5)
	refused(t, "beyond what came", err, "MAX_QTS_INVALID")
	if list := must(bob.MessagesReceivedQueue(ctx(), 3))(t); len(list) != 2 || list[1] != 2 {
		t.Errorf("acknowledged %v", list)
	}
	if list := x.waiting(bob); len(list) != 1 || list[0].Random != 3 {
		t.Errorf("left: %v", list)
	}
	if list := must(bob.MessagesReceivedQueue(ctx(), 2))(t); len(list) != 0 {
		t.Errorf("acknowledged twice: %v", list)
	}
	if got := bob.difference(t, 4); len(got.messages) != 0 || len(x.waiting(bob)) != 0 {
		t.Errorf("asking for more is acknowledging: %v, %v", got, x.waiting(bob))
	}
	x.send(x.alice.client, x.a, 3, cipher(3))
	if list := x.waiting(bob); len(list) != 0 {
		t.Errorf("sent again after it was fetched: %v", list)
	}
}

// TestSecretShape: what cannot be ciphertext is refused.
func TestSecretShape(t *testing.T) {
	x := talking(t)
	for name, c := range map[string]struct {
		random int64
		data   []byte
		reason string
	}{
		"nothing":   {1, nil, "DATA_INVALID"},
		"short":     {1, make([]byte, 24), "DATA_INVALID"},
		"unaligned": {1, make([]byte, 24+17), "DATA_INVALID"},
		"long":      {1, make([]byte, 24+limit.SecretBytes), "DATA_TOO_LONG"},
		"no number": {0, cipher(1), "RANDOM_ID_EMPTY"},
	} {
		refused(t, name, encrypted(x.alice.client, x.a, c.random, c.data), c.reason)
	}
}

// TestSecretSlices: a difference carries so many bytes, and the rest comes with the next.
func TestSecretSlices(t *testing.T) {
	x := talking(t)
	data := make([]byte, 24+limit.SecretBytes-32)
	for n := range int64(6) {
		x.send(x.alice.client, x.a, n+1, data)
	}
	got := x.bob.difference(t, store.FirstQts)
	if len(got.messages) != 6 || got.pieces < 2 || got.qts != 7 {
		t.Errorf("%d messages in %d pieces up to %d", len(got.messages), got.pieces, got.qts)
	}
}

// TestSecretFull: when too much waits for a device, who writes to it is asked to wait.
func TestSecretFull(t *testing.T) {
	x := talking(t)
	full := func(n, size int64) {
		err := x.w.n.Store.Update(ctx(), x.bob.self.Peer(), func(tx *store.Tx) error {
			for i := range n {
				if _, err := tx.QueueSecret(store.SecretMessage{
					User: x.bob.self, KeyID: x.bob.key, Chat: int64(x.id), Random: 1000 + i,
					Date: x.w.clock.Now().Unix(), Body: make([]byte, size),
				}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	full(limit.SecretWaiting-1, 1)
	x.send(x.alice.client, x.a, 1, cipher(1))
	refused(t, "too many", encrypted(x.alice.client, x.a, 2, cipher(2)), "FLOOD_WAIT")
	state := must(x.bob.UpdatesGetState(ctx()))(t)
	list := must(x.bob.MessagesReceivedQueue(ctx(), state.Qts))(t)
	if len(list) != limit.SecretWaiting {
		t.Errorf("%d messages waited", len(list))
	}
	x.send(x.alice.client, x.a, 2, cipher(2))
	full(1, limit.SecretWaitingBytes)
	refused(t, "too much", encrypted(x.alice.client, x.a, 3, cipher(3)), "FLOOD_WAIT")
}

// TestSecretSigns: typing and reading are told to the other device.
func TestSecretSigns(t *testing.T) {
	x := talking(t)
	tablet := x.alice.another()
	must(x.bob.MessagesSetEncryptedTyping(ctx(), &tg.MessagesSetEncryptedTypingRequest{
		Peer: x.b, Typing: true,
	}))(t)
	hears(x.alice.client, func(u *tg.UpdateEncryptedChatTyping) bool { return u.ChatID == x.id })
	date := int(x.w.clock.Now().Unix())
	read := func(date int) error {
		_, err := x.bob.MessagesReadEncryptedHistory(ctx(), &tg.MessagesReadEncryptedHistoryRequest{
			Peer: x.b, MaxDate: date,
		})
		return err
	}
	if err := read(date); err != nil {
		t.Fatal(err)
	}
	hears(x.alice.client, func(u *tg.UpdateEncryptedMessagesRead) bool {
		return u.ChatID == x.id && u.MaxDate == date
	})
	if err := read(date - 1); err != nil {
		t.Fatal(err)
	}
	silent[*tg.UpdateEncryptedMessagesRead](x.alice.client, nil)
	silent[*tg.UpdateEncryptedMessagesRead](tablet, nil)
	silent[*tg.UpdateEncryptedChatTyping](tablet, nil)
	_, found := among(x.alice.difference(t, 1).others,
		func(u *tg.UpdateEncryptedMessagesRead) bool { return u.MaxDate == date })
	if !found {
		t.Error("the difference does not say what was read")
	}
	refused(t, "the future", read(date+3600), "MAX_DATE_INVALID")
}

// TestSecretEnds: each way in which a chat ends on one side ends it on the other.
func TestSecretEnds(t *testing.T) {
	discard := func(d *client, id int, forget bool) error {
		_, err := d.MessagesDiscardEncryption(ctx(), &tg.MessagesDiscardEncryptionRequest{
			ChatID: id, DeleteHistory: forget,
		})
		return err
	}
	by := func(forget bool) func(*talk) error {
		return func(x *talk) error { return discard(x.bob.client, x.id, forget) }
	}
	for name, c := range map[string]struct {
		begin  func(*testing.T) *talk
		end    func(x *talk) error
		forget bool
	}{
		"discarded": {talking, by(false), false},
		"forgotten": {talking, by(true), true},
		"declined":  {requesting, by(false), false},
		"logged out": {talking, func(x *talk) error {
			_, err := x.bob.AuthLogOut(ctx())
			return err
		}, false},
		"key destroyed": {talking, func(x *talk) error {
			return keys{x.w.n.devices, x.w.n.Account}.Destroy(ctx(), x.bob.key)
		}, false},
		"session ended": {func(t *testing.T) *talk {
			x := requesting(t)
			x.accept(x.bob.client)
			return x
		}, func(x *talk) error {
			tablet := x.bob.another()
			x.w.clock.Advance(25 * time.Hour)
			_, err := tablet.AuthResetAuthorizations(ctx())
			return err
		}, false},
		"account deleted": {talking, func(x *talk) error {
			_, err := x.bob.AccountDeleteAccount(ctx(), &tg.AccountDeleteAccountRequest{})
			return err
		}, false},
		"account deleted that was asked": {requesting, func(x *talk) error {
			_, err := x.bob.AccountDeleteAccount(ctx(), &tg.AccountDeleteAccountRequest{})
			return err
		}, false},
		"never answered": {requesting, func(x *talk) error {
			x.w.clock.Advance(limit.SecretRequestKept + time.Hour)
			return x.w.n.Secret.Sweep(ctx(), 0)
		}, false},
		"never fetched": {talking, func(x *talk) error {
			x.send(x.alice.client, x.a, 1, cipher(1))
			x.w.clock.Advance(limit.SecretMessageKept + time.Hour)
			return x.w.n.Secret.Sweep(ctx(), 0)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := c.begin(t)
			if err := c.end(x); err != nil {
				t.Fatal(err)
			}
			if got := x.over(x.alice.client); got.HistoryDeleted != c.forget {
				t.Errorf("history deleted: %v", got.HistoryDeleted)
			}
			refused(t, "sent after the end", encrypted(x.alice.client, x.a, 99, cipher(9)),
				"ENCRYPTION_DECLINED")
			refused(t, "ended twice", discard(x.alice.client, x.id, false),
				"ENCRYPTION_ALREADY_DECLINED")
			if list := x.waiting(x.bob.client); len(list) != 0 {
				t.Errorf("what nobody will fetch is kept: %v", list)
			}
			for _, user := range []ids.UserID{x.alice.self, x.bob.self} {
				err := x.w.n.Store.View(ctx(), func(r *store.Reader) error {
					row, err := r.SecretChat(user, int64(x.id))
					if err == nil && (len(row.GA)+len(row.GB) > 0 || row.Fingerprint != 0) {
						t.Errorf("numbers of a chat that is over are kept: %v", row)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestSecretMissed: a device that was away is told by the difference of what there is, of a chat
// that another device was faster to take that it is over.
func TestSecretMissed(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join("Alice"), w.join("Bob")
	tablet := bob.another()
	x := w.ask(t, alice, bob)
	requested := tablet.difference(t, 1).others
	if _, ok := among(requested, func(u *tg.UpdateEncryption) bool {
		_, ok := u.Chat.(*tg.EncryptedChatRequested)
		return ok
	}); !ok {
		t.Errorf("the request: %v", requested)
	}
	x.accept(bob.client)
	for d, want := range map[*client]tg.EncryptedChatClass{
		tablet: &tg.EncryptedChatDiscarded{}, alice.client: &tg.EncryptedChat{},
		bob.client: &tg.EncryptedChat{},
	} {
		u, ok := among[*tg.UpdateEncryption](d.difference(t, 1).others, nil)
		if !ok || u.Chat.TypeID() != want.TypeID() {
			t.Errorf("got %v, want %T", u, want)
		}
	}
	w.close()
	w.open()
	x.send(alice.client, x.a, 1, cipher(1))
	if got := bob.difference(t, 1); len(got.messages) != 1 || got.qts != 2 {
		t.Errorf("after a restart: %v", got)
	}
}

// TestSecretMeasures: an account that may not write to strangers may not ask them either; one that
// is suspended says nothing, and one that is terminated has no chats any more.
func TestSecretMeasures(t *testing.T) {
	s := newScene(t)
	reader, other := s.join("Reader"), s.join("Other")
	x := s.ask(t, s.author, reader)
	x.accept(reader.client)
	ask := func() error {
		_, err := s.author.MessagesRequestEncryption(ctx(), &tg.MessagesRequestEncryptionRequest{
			UserID: s.author.inputUser(other), RandomID: number(), GA: element(t),
		})
		return err
	}
	lift := s.take(s.authorSubject(), safety.MeasureSpec{Measure: safety.LimitSending})
	refused(t, "asking while limited", ask(), "PEER_FLOOD")
	lift()
	lift = s.take(s.authorSubject(), safety.MeasureSpec{Measure: safety.Suspend})
	refused(t, "sending while suspended", encrypted(s.author.client, x.a, 1, cipher(1)),
		"FROZEN_METHOD_INVALID")
	refused(t, "asking while suspended", ask(), "FROZEN_METHOD_INVALID")
	x.send(reader.client, x.b, 1, cipher(1))
	if got := s.author.difference(t, 1); len(got.messages) != 1 {
		t.Errorf("a suspended account reads: %v", got)
	}
	lift()
	x.send(s.author.client, x.a, 2, cipher(2))
	s.take(s.authorSubject(), safety.MeasureSpec{Measure: safety.Terminate})
	x.over(reader.client)
}
