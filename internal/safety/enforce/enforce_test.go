package enforce_test

import (
	"context"
	"errors"
	"os"
	"reflect"
	"testing"
	"time"

	"parley/internal/chat/message"
	"parley/internal/chat/restrict"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/enforce"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

func ctx() context.Context { return context.Background() }

// photos of the author and of the channel; the newer one is shown.
const (
	older = 501
	newer = 502
)

// world is a small world with something of every kind to restrict.
type world struct {
	*safetytest.World
	post, private safety.Subject
	decisions     int64
}

// each runs a test in a new world on each engine.
func each(t *testing.T, fn func(w *world)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := &world{World: safetytest.New(t, s)}
		w.post = w.Post("free money")
		w.private = w.say("free money for you")
		w.react(w.post, safetytest.Reader, "👍")
		for _, peer := range []ids.Peer{safetytest.Author.Peer(), safetytest.Channel} {
			w.Update(peer, func(tx *store.Tx) error {
				for i, id := range []int64{older, newer} {
					if err := tx.AddProfilePhoto(peer, id, int64(i)); err != nil {
						return err
					}
				}
				return show(tx, peer, newer)
			})
		}
		fn(w)
	})
}

// show makes a photo the one that a peer shows.
func show(tx *store.Tx, peer ids.Peer, id int64) error {
	if peer.Kind() == ids.User {
		u, err := tx.User(peer.User())
		if err != nil {
			return err
		}
		u.PhotoID = id
		return tx.PutUser(u)
	}
	c, err := tx.Chat(peer)
	if err != nil {
		return err
	}
	c.PhotoID = id
	return tx.PutChat(c)
}

// say has the author write to the reader.
func (w *world) say(text string) safety.Subject {
	w.Helper()
	sent, err := w.Message.Send(ctx(), message.Outgoing{
		From: safetytest.Author, To: safetytest.Reader.Peer(), Random: 1 << 40,
		Content: message.Content{Text: text},
	})
	if err != nil {
		w.Fatal(err)
	}
	w.settle(safetytest.Author.Peer())
	return safety.Subject{
		Peer: safetytest.Author.Peer(), Kind: safety.Message, Item: sent.Message.ID,
		Author: safetytest.Author,
	}
}

func (w *world) react(on safety.Subject, by ids.UserID, emoji string) {
	w.Helper()
	_, err := w.Message.React(ctx(), by, on.Peer, on.Item, []string{emoji})
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) settle(in ids.Peer) {
	w.Helper()
	if err := w.Courier.Settled(ctx(), in); err != nil {
		w.Fatal(err)
	}
}

// apply carries out measures by a new decision and returns its number.
func (w *world) apply(on safety.Subject, list ...safety.MeasureSpec) (int64, enforce.Applied) {
	w.Helper()
	w.decisions++
	return w.decisions, w.again(w.decisions, on, list...)
}

func (w *world) again(
	decision int64, on safety.Subject, list ...safety.MeasureSpec,
) (out enforce.Applied) {
	w.Helper()
	w.Update(on.Peer, func(tx *store.Tx) (err error) {
		out, err = w.Decisions.Enforce.Apply(tx, enforce.Order{
			Decision: decision, Subject: on, Measures: list, Now: w.Clock.Now().Unix(),
		})
		return err
	})
	w.settle(on.Peer)
	return out
}

func (w *world) lift(on safety.Subject, decision int64) (out enforce.Restored) {
	w.Helper()
	w.Update(on.Peer, func(tx *store.Tx) (err error) {
		out, err = w.Decisions.Enforce.Lift(tx, on, decision, w.Clock.Now().Unix())
		return err
	})
	w.settle(on.Peer)
	return out
}

// state is all that measures touch. What says that clients must look again does not count.
type state struct {
	Messages  map[ids.Peer][]store.Message
	Reactions []store.Reaction
	Photos    map[ids.Peer][]int64
	Users     map[ids.UserID]store.User
	Channel   store.Chat
	Standing  restrict.Standing
}

func (w *world) state() (out state) {
	w.Helper()
	w.View(func(r *store.Reader) error {
		out = state{
			Messages: make(map[ids.Peer][]store.Message), Photos: make(map[ids.Peer][]int64),
			Users: make(map[ids.UserID]store.User),
		}
		author, reader := safetytest.Author.Peer(), safetytest.Reader.Peer()
		for box, peer := range map[ids.Peer]ids.Peer{
			safetytest.Channel: safetytest.Channel, author: reader, reader: author,
		} {
			list, err := r.Older(box, peer, 1<<31-1, 0, 100, 0)
			if err != nil {
				return err
			}
			for _, m := range list {
				m.Edited = 0
				m.Flags &^= store.HideEdit
				out.Messages[box] = append(out.Messages[box], m)
			}
		}
		var err error
		if out.Reactions, err = r.Reactions(w.post.Peer, w.post.Item); err != nil {
			return err
		}
		for _, peer := range []ids.Peer{author, safetytest.Channel} {
			if out.Photos[peer], _, err = r.ProfilePhotos(peer, 10, 0); err != nil {
				return err
			}
		}
		for _, id := range []ids.UserID{safetytest.Author, safetytest.Reader} {
			if out.Users[id], err = r.User(id); err != nil {
				return err
			}
		}
		if out.Channel, err = r.Chat(safetytest.Channel); err != nil {
			return err
		}
		out.Channel.Version = 0
		out.Standing, err = restrict.StandingOf(r, safetytest.Author)
		return err
	})
	return out
}

// subjects are one of each kind.
func (w *world) subjects() []safety.Subject {
	author := safetytest.Author.Peer()
	return []safety.Subject{
		{Peer: author, Kind: safety.Account, Author: safetytest.Author},
		{Peer: safetytest.Channel, Kind: safety.Chat, Author: safetytest.Author},
		w.post, w.private,
		{Peer: author, Kind: safety.Photo, Item: newer, Author: safetytest.Author},
		{Peer: author, Kind: safety.Photo, Item: older, Author: safetytest.Author},
		{Peer: safetytest.Channel, Kind: safety.Photo, Item: newer},
		{Peer: w.post.Peer, Kind: safety.Reaction, Item: w.post.Item, Author: safetytest.Reader},
	}
}

// TestUndo takes every measure against everything that it fits, and lifts it: then all is as it was.
func TestUndo(t *testing.T) {
	each(t, func(w *world) {
		before := w.state()
		for _, on := range w.subjects() {
			for _, m := range safety.Measures() {
				spec := safety.MeasureSpec{Measure: m, Detail: "text"}
				if !m.Fits(on.Kind) {
					w.refused(on, spec)
					continue
				}
				id, did := w.apply(on, spec)
				if did.Measures != 1 || did.Again != 0 {
					w.Errorf("%s of a %s: %+v", m, on.Kind, did)
				}
				during := w.state()
				if m == safety.Remove && reflect.DeepEqual(before, during) {
					w.Errorf("%s of a %s took nothing away", m, on.Kind)
				}
				if did := w.again(id, on, spec); did.Measures != 0 || did.Again != 1 {
					w.Errorf("%s of a %s again: %+v", m, on.Kind, did)
				}
				if again := w.state(); !reflect.DeepEqual(again, during) {
					w.Errorf("%s of a %s again changed %+v to %+v", m, on.Kind, during, again)
				}
				if got := w.lift(on, id); got.Measures != 1 {
					w.Errorf("%s of a %s was lifted: %+v", m, on.Kind, got)
				}
				if after := w.state(); !reflect.DeepEqual(after, before) {
					w.Errorf("%s of a %s left %+v, want %+v", m, on.Kind, after, before)
				}
				if got := w.lift(on, id); got != (enforce.Restored{}) {
					w.Errorf("%s of a %s was lifted twice: %+v", m, on.Kind, got)
				}
			}
		}
	})
}

// refused fails unless a measure that does not fit is refused and leaves nothing.
func (w *world) refused(on safety.Subject, spec safety.MeasureSpec) {
	w.Helper()
	err := w.Store.Update(ctx(), on.Peer, func(tx *store.Tx) error {
		_, err := w.Decisions.Enforce.Apply(tx, enforce.Order{
			Decision: 999, Subject: on, Measures: []safety.MeasureSpec{spec}, Now: 1,
		})
		return err
	})
	if !errors.Is(err, enforce.ErrMeasure) {
		w.Errorf("%s of a %s: %v", spec.Measure, on.Kind, err)
	}
}

// TestTwoDecisions: what two decisions keep away comes back with the second.
func TestTwoDecisions(t *testing.T) {
	each(t, func(w *world) {
		remove := safety.MeasureSpec{Measure: safety.Remove}
		before := w.state()
		for _, on := range []safety.Subject{w.post, w.private} {
			first, _ := w.apply(on, remove)
			second, did := w.apply(on, remove)
			if did.Messages != 0 {
				w.Errorf("taken away twice: %+v", did)
			}
			if got := w.lift(on, first); got.Messages != 0 || w.There(on) {
				w.Errorf("came back although another decision keeps it away: %+v", got)
			}
			if got := w.lift(on, second); got.Messages != 1 {
				w.Errorf("put back %+v", got)
			}
		}
		if after := w.state(); !reflect.DeepEqual(after, before) {
			w.Errorf("left %+v, want %+v", after, before)
		}
	})
}

// TestAuthorDeletes: what its author deletes for all while it is away does not come back, and what he
// deletes for himself comes back to the others.
func TestAuthorDeletes(t *testing.T) {
	for _, forAll := range []bool{true, false} {
		each(t, func(w *world) {
			remove := safety.MeasureSpec{Measure: safety.Remove}
			id, _ := w.apply(w.private, remove)
			_, err := w.Message.Delete(ctx(), safetytest.Author, []int64{w.private.Item}, forAll)
			if err != nil {
				w.Fatal(err)
			}
			w.settle(w.private.Peer)
			got := w.lift(w.private, id)
			others := len(w.state().Messages[safetytest.Reader.Peer()])
			switch {
			case w.There(w.private):
				w.Error("its author has it again")
			case forAll && (got.Messages != 0 || others != 0):
				w.Errorf("deleted for all, put back %+v, %d copies", got, others)
			case !forAll && (got.Messages != 1 || others != 1):
				w.Errorf("deleted for himself, put back %+v, %d copies", got, others)
			}
		})
	}
}

// TestCopiesRemain: deleting his own copy beforehand, or the whole chat, does not keep the others'
// copies from being taken away and given back.
func TestCopiesRemain(t *testing.T) {
	for _, whole := range []bool{false, true} {
		each(t, func(w *world) { testCopiesRemain(w, whole) })
	}
}

func testCopiesRemain(w *world, whole bool) {
	var err error
	if whole {
		_, err = w.Message.DeleteHistory(
			ctx(), safetytest.Author, safetytest.Reader.Peer(), 0, false, false)
	} else {
		_, err = w.Message.Delete(ctx(), safetytest.Author, []int64{w.private.Item}, false)
	}
	if err != nil {
		w.Fatal(err)
	}
	copies := func() int { return len(w.state().Messages[safetytest.Reader.Peer()]) }
	mark, _ := w.apply(w.private, safety.MeasureSpec{Measure: safety.Disable})
	if m := w.state().Messages[safetytest.Reader.Peer()]; !m[0].Flags.Has(store.Measured) {
		w.Error("the copy is not marked")
	}
	w.lift(w.private, mark)
	remove := safety.MeasureSpec{Measure: safety.Remove}
	w.View(func(r *store.Reader) error {
		reach, err := w.Decisions.Enforce.Preview(r, enforce.Order{
			Subject: w.private, Measures: []safety.MeasureSpec{remove},
		})
		if reach.Messages != 1 || reach.Copies != 1 {
			w.Errorf("the preview is %+v", reach)
		}
		return err
	})
	id, did := w.apply(w.private, remove)
	if did.Messages != 1 || copies() != 0 {
		w.Errorf("taken away %+v, %d copies remain", did, copies())
	}
	if got := w.lift(w.private, id); got.Messages != 1 || copies() != 1 {
		w.Errorf("put back %+v, %d copies", got, copies())
	}
}

// TestExpire: measures end at their time and not before, in the order of their ends.
func TestExpire(t *testing.T) {
	each(t, func(w *world) {
		before := w.state()
		account := w.subjects()[0]
		at := func(d time.Duration) int64 { return w.Clock.Now().Add(d).Unix() }
		w.apply(w.post, safety.MeasureSpec{Measure: safety.Remove, Ends: at(time.Hour)})
		w.apply(account, safety.MeasureSpec{Measure: safety.Suspend, Ends: at(2 * time.Hour)})
		for _, step := range []struct {
			after         time.Duration
			there, frozen bool
		}{
			{time.Hour - time.Second, false, true}, {time.Second, true, true},
			{time.Hour - time.Second, true, true}, {time.Second, true, false},
		} {
			w.Clock.Advance(step.after)
			if err := w.Decisions.Enforce.Expire(ctx()); err != nil {
				w.Fatal(err)
			}
			if w.There(w.post) != step.there || w.state().Standing.Frozen != step.frozen {
				w.Errorf("%v later: there %v, frozen %v", step.after, w.There(w.post),
					w.state().Standing.Frozen)
			}
		}
		if after := w.state(); !reflect.DeepEqual(after, before) {
			w.Errorf("left %+v, want %+v", after, before)
		}
	})
}

// TestPreview counts what would be hit, and hits nothing.
func TestPreview(t *testing.T) {
	each(t, func(w *world) {
		before := w.state()
		want := []enforce.Reach{
			{Accounts: 1}, {Members: safetytest.Members, Messages: 1},
			{Messages: 1, Members: safetytest.Members}, {Messages: 1, Copies: 1}, {Photos: 1},
			{Photos: 1}, {Photos: 1}, {Reactions: 1},
		}
		for i, on := range w.subjects() {
			w.View(func(r *store.Reader) error {
				got, err := w.Decisions.Enforce.Preview(r, enforce.Order{Subject: on})
				if got != want[i] {
					w.Errorf("a %s: %+v, want %+v", on.Kind, got, want[i])
				}
				return err
			})
		}
		if after := w.state(); !reflect.DeepEqual(after, before) {
			w.Error("looking changed something")
		}
	})
}

// TestNoSubject: what is not there is refused, or nothing is done about it.
func TestNoSubject(t *testing.T) {
	each(t, func(w *world) {
		none := safety.Subject{Peer: safetytest.Channel, Kind: safety.Message, Item: 999}
		if _, did := w.apply(none, safety.MeasureSpec{Measure: safety.Remove}); did.Messages != 0 {
			w.Errorf("took away %+v", did)
		}
		nobody := safety.Subject{Peer: ids.UserID(77).Peer(), Kind: safety.Account}
		err := w.Store.Update(ctx(), nobody.Peer, func(tx *store.Tx) error {
			_, err := w.Decisions.Enforce.Apply(tx, enforce.Order{
				Decision: 1, Subject: nobody, Now: 1,
				Measures: []safety.MeasureSpec{{Measure: safety.Suspend}},
			})
			return err
		})
		if !errors.Is(err, enforce.ErrSubject) {
			w.Errorf("suspending nobody: %v", err)
		}
	})
}
