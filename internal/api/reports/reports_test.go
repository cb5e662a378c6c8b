package reports

import (
	"crypto/rand"
	"errors"
	"testing"

	"github.com/gotd/td/tg"

	"parley/internal/api/chats/roomtest"
	"parley/internal/chat"
	"parley/internal/ids"
	"parley/internal/keyring"
	"parley/internal/mtproto/crypt"
	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/safety/evidence"
	"parley/internal/safety/intake"
	"parley/internal/safety/location"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

const (
	alice = roomtest.Alice
	bob   = roomtest.Bob
	carol = roomtest.Carol
)

var channel = ids.PeerChannel(5)

func newWorld(t *testing.T, s *store.Store) (*roomtest.World, *Handlers) {
	t.Helper()
	w := roomtest.New(t, s)
	w.Update(channel, func(tx *store.Tx) error {
		c := store.Chat{Peer: channel, Title: "Super", Flags: store.Megagroup, Creator: alice}
		if err := tx.PutChat(c); err != nil {
			return err
		}
		for _, who := range []ids.UserID{alice, bob} {
			err := tx.PutMember(store.Member{
				Peer: channel, User: who, Role: store.Participant, Date: 1,
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	in, err := intake.New(intake.Options{
		Store: s, Clock: w.Clock, Random: rand.Reader, Places: &location.Resolver{},
		Box: keyring.NewBox([32]byte{1}, crypt.NewRandom(rand.Reader)), Secret: [32]byte{2},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w, &Handlers{Desk: w.Desk, Intake: in}
}

func user(who, of ids.UserID) *tg.InputPeerUser {
	return &tg.InputPeerUser{UserID: int64(of), AccessHash: roomtest.Hash(int64(who), int64(of))}
}

func super(who ids.UserID) *tg.InputPeerChannel {
	return &tg.InputPeerChannel{
		ChannelID: 5, AccessHash: roomtest.Hash(int64(who), int64(channel)),
	}
}

// cases returns the cases of a peer with their evidence.
func cases(w *roomtest.World, peer ids.Peer) (list []store.Case, seen [][]evidence.Capture) {
	w.T.Helper()
	w.View(func(r *store.Reader) (err error) {
		if list, err = r.CasesOf(peer, 9); err != nil {
			return err
		}
		for _, c := range list {
			got, err := evidence.Of(r, peer, c.ID)
			if err != nil {
				return err
			}
			seen = append(seen, got)
		}
		return nil
	})
	return list, seen
}

// TestReportByMenu walks a client through the menu to a stored report, in both engines.
func TestReportByMenu(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w, h := newWorld(t, s)
		id := int(w.Post(alice, channel, "buy this"))
		req := &tg.MessagesReportRequest{Peer: super(bob), ID: []int{id}}
		got, err := h.report(w.Call(bob), req)
		if err != nil {
			t.Fatal(err)
		}
		menu, ok := got.(*tg.ReportResultChooseOption)
		if !ok || menu.Title == "" || len(menu.Options) < 5 {
			t.Fatalf("no menu: %v", got)
		}
		req.Option = []byte("violence")
		got, _ = h.report(w.Call(bob), req)
		if _, ok := got.(*tg.ReportResultChooseOption); !ok {
			t.Fatalf("no further menu: %v", got)
		}
		req.Option = []byte("violence.terror")
		got, _ = h.report(w.Call(bob), req)
		ask, ok := got.(*tg.ReportResultAddComment)
		if !ok || !ask.Optional {
			t.Fatalf("not asked for a comment: %v", got)
		}
		if list, _ := cases(w, channel); len(list) != 0 {
			t.Fatalf("a case before the report: %v", list)
		}
		req.Option = ask.Option
		for range 2 {
			got, err = h.report(w.Call(bob), req)
			if _, ok := got.(*tg.ReportResultReported); !ok || err != nil {
				t.Fatalf("not reported: %v, %v", got, err)
			}
		}
		list, seen := cases(w, channel)
		if len(list) != 1 || list[0].Reports != 1 || list[0].Lane != int64(safety.Terrorism) ||
			list[0].Author != alice {
			t.Fatalf("cases: %+v", list)
		}
		if len(seen[0]) != 1 || seen[0][0].Item.Content.Text != "buy this" {
			t.Fatalf("evidence: %+v", seen)
		}
		w.Refused("unknown option", second(h.report(w.Call(bob), &tg.MessagesReportRequest{
			Peer: super(bob), ID: []int{id}, Option: []byte("nothing"),
		})), chat.Invalid("OPTION_INVALID"))
	})
}

func second[T any](_ T, err error) error { return err }

// TestReportRefusals reports what is not there, not visible, or one's own.
func TestReportRefusals(t *testing.T) {
	w, h := newWorld(t, storetest.SQLite(t))
	id := int(w.Post(alice, channel, "hello"))
	spam := []byte("spam")
	for _, c := range []struct {
		who  ids.UserID
		id   int
		want error
	}{
		{bob, id + 1, chat.ErrMessageIDInvalid}, {alice, id, chat.ErrMessageIDInvalid},
		{carol, id, chat.ErrChannelPrivate}, {bob, -1, chat.ErrMessageIDInvalid},
	} {
		w.Refused("report", second(h.report(w.Call(c.who), &tg.MessagesReportRequest{
			Peer: super(c.who), ID: []int{c.id}, Option: spam,
		})), c.want)
	}
	if list, _ := cases(w, channel); len(list) != 0 {
		t.Errorf("cases of what was refused: %v", list)
	}
	w.Refused("oneself", second(h.reportPeer(w.Call(bob), &tg.AccountReportPeerRequest{
		Peer: &tg.InputPeerSelf{}, Reason: &tg.InputReportReasonSpam{},
	})), chat.ErrPeerInvalid)
}

// TestReportPrivateMessage captures the receiver's copy; the reporter is not in the evidence, and
// it lasts when the author deletes the message.
func TestReportPrivateMessage(t *testing.T) {
	w, h := newWorld(t, storetest.SQLite(t))
	w.Post(bob, alice.Peer(), "before")
	sent := w.Post(alice, bob.Peer(), "threat")
	var id int
	w.View(func(r *store.Reader) error {
		m, err := r.MessageByOrigin(bob.Peer(), alice.Peer(), sent)
		id = int(m.ID)
		return err
	})
	got, err := h.report(w.Call(bob), &tg.MessagesReportRequest{
		Peer: user(bob, alice), ID: []int{id}, Option: []byte("inputReportReasonViolence"),
	})
	if _, ok := got.(*tg.ReportResultReported); !ok || err != nil {
		t.Fatal(got, err)
	}
	w.Update(alice.Peer(), func(tx *store.Tx) error {
		_, err := tx.DeleteMessage(alice.Peer(), sent)
		return err
	})
	list, seen := cases(w, alice.Peer())
	if len(list) != 1 || list[0].Item != sent || seen[0][0].Item.Content.Text != "threat" {
		t.Fatalf("%+v %+v", list, seen)
	}
	context := seen[0][0].Context
	if len(context) != 1 || context[0].Content.Text != "before" || context[0].From != 0 {
		t.Errorf("context: %+v", context)
	}
	w.View(func(r *store.Reader) error {
		reports, err := r.Reports(alice.Peer(), list[0].ID, 0, 9)
		if err != nil {
			return err
		}
		who, err := h.Intake.Identify(r, alice.Peer(), reports[0].ID)
		if who.User != bob || reports[0].Reporter == int64(bob) {
			t.Errorf("identity %+v of %+v", who, reports[0])
		}
		return err
	})
}

// TestOtherReports reports by the methods without a menu.
func TestOtherReports(t *testing.T) {
	w, h := newWorld(t, storetest.SQLite(t))
	id := int(w.Post(alice, channel, "hello"))
	in := roomtest.InputChannel(bob, channel)
	ok := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	ok("peer", second(h.reportPeer(w.Call(bob), &tg.AccountReportPeerRequest{
		Peer: user(bob, alice), Reason: &tg.InputReportReasonChildAbuse{}, Message: "m",
	})))
	ok("spam", second(h.reportSpam(w.Call(bob), &tg.MessagesReportSpamRequest{
		Peer: user(bob, carol),
	})))
	ok("member", second(h.reportParticipant(w.Call(bob), &tg.ChannelsReportSpamRequest{
		Channel: in, Participant: user(bob, alice), ID: []int{id},
	})))
	w.Refused("another's", second(h.reportParticipant(w.Call(bob), &tg.ChannelsReportSpamRequest{
		Channel: in, Participant: user(bob, carol), ID: []int{id},
	})), chat.ErrMessageIDInvalid)
	reaction := &tg.MessagesReportReactionRequest{
		Peer: super(bob), ID: id, ReactionPeer: user(bob, alice),
	}
	w.Refused("no reaction", second(h.reportReaction(w.Call(bob), reaction)), chat.ErrUserInvalid)
	w.Update(channel, func(tx *store.Tx) error {
		return tx.SetReactions(channel, int64(id), alice, 1, []string{"👎"})
	})
	ok("reaction", second(h.reportReaction(w.Call(bob), reaction)))
	photo := &tg.AccountReportProfilePhotoRequest{
		Peer: user(bob, alice), PhotoID: &tg.InputPhoto{ID: 9, AccessHash: 9},
		Reason: &tg.InputReportReasonPornography{},
	}
	w.Refused("no photo", second(h.reportProfilePhoto(w.Call(bob), photo)),
		chat.Invalid("PHOTO_ID_INVALID"))
	w.Update(alice.Peer(), func(tx *store.Tx) error {
		return tx.AddProfilePhoto(alice.Peer(), 9, 1)
	})
	ok("photo", second(h.reportProfilePhoto(w.Call(bob), photo)))
	w.Refused("no false positive", second(h.reportFalsePositive(w.Call(bob),
		&tg.ChannelsReportAntiSpamFalsePositiveRequest{Channel: in, MsgID: id})),
		chat.ErrAdminRequired)
	about, _ := cases(w, alice.Peer())
	inChannel, _ := cases(w, channel)
	if len(about) != 2 || len(inChannel) != 2 {
		t.Errorf("cases: %+v, %+v", about, inChannel)
	}
}

// TestOutcomes closes a case: its report has an outcome to be told.
func TestOutcomes(t *testing.T) {
	w, h := newWorld(t, storetest.SQLite(t))
	id := int(w.Post(alice, channel, "hello"))
	_, err := h.report(w.Call(bob), &tg.MessagesReportRequest{
		Peer: super(bob), ID: []int{id}, Option: []byte("spam"),
	})
	if err != nil {
		t.Fatal(err)
	}
	list, _ := cases(w, channel)
	verdict := casefile.Verdict{Outcome: casefile.Upheld, By: safety.Actor{Staff: 1}}
	w.Update(channel, func(tx *store.Tx) error {
		_, err := casefile.Close(tx, list[0], 5, verdict)
		return err
	})
	err = h.Store.Update(t.Context(), channel, func(tx *store.Tx) error {
		c, err := tx.Case(channel, list[0].ID)
		if err != nil {
			return err
		}
		_, err = casefile.Close(tx, c, 6, verdict)
		return err
	})
	if !errors.Is(err, casefile.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
	w.View(func(r *store.Reader) error {
		pending, err := casefile.PendingOutcomes(r, 0, 9)
		if len(pending) != 1 || pending[0].Outcome != int64(casefile.Upheld) {
			t.Errorf("pending: %+v", pending)
		}
		return err
	})
}
