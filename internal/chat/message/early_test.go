package message_test

import (
	"context"
	"testing"

	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/store"
)

// held is a world whose outbox rows are carried out when a test says so.
type held struct {
	*world
	rows []store.Outbox
}

func newHeld(t *testing.T) *held {
	w := &held{world: newWorld(t)}
	w.Store.OnCommit(func(c store.Commit) { w.rows = append(w.rows, c.Outbox...) })
	return w
}

// carry carries out the rows from one box to another, and then all that they made.
func (w *held) carry(from, to ids.UserID) {
	w.t.Helper()
	rows := w.rows
	w.rows = nil
	for _, o := range rows {
		if o.Box != from.Peer() || o.Target != to.Peer() {
			w.rows = append(w.rows, o)
			continue
		}
		w.update(o.Target, func(tx *store.Tx) error { return w.Appliers()[o.Kind](tx, o) })
	}
}

// newest returns the newest messages that a user has of the group, newest first.
func (w *held) newest(user ids.UserID) (out []store.Message) {
	w.t.Helper()
	w.view(func(r *store.Reader) (err error) {
		out, err = message.History(r, user, group, 0, message.Page{Limit: 10})
		return err
	})
	return out
}

// write sends a text into the group without waiting for anybody to have it.
func (w *held) write(from ids.UserID, text string, replyTo int64) int64 {
	w.t.Helper()
	sent, err := w.Send(context.Background(), message.Outgoing{
		From: from, To: group, Random: w.next(), ReplyTo: replyTo,
		Content: message.Content{Text: text},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return sent.Message.ID
}

// respond makes Bob react to, pin and answer the newest message that he has.
func (w *held) respond() {
	w.t.Helper()
	id := w.newest(bob)[0].ID
	ctx := context.Background()
	for _, list := range [][]string{{"👎"}, {"👍"}} { // the last one counts
		if _, err := w.React(ctx, bob, group, id, list); err != nil {
			w.t.Fatal(err)
		}
	}
	if _, err := w.Pin(ctx, bob, group, id, true, false); err != nil {
		w.t.Fatal(err)
	}
	w.write(bob, "an answer", id)
}

// TestOvertaking lets what Bob does about a message of Alice's reach Carol before the message.
func TestOvertaking(t *testing.T) {
	w := newHeld(t)
	w.write(alice, "the message", 0)
	w.carry(alice, bob)
	w.respond()
	w.carry(bob, carol)
	early := w.newest(carol)
	if len(early) != 1 || early[0].ReplyTo != 0 {
		t.Fatalf("before the message came there is %+v", early)
	}
	w.carry(alice, carol)
	got := w.newest(carol)
	if len(got) != 2 {
		t.Fatalf("%d messages", len(got))
	}
	answer, m := got[1], got[0] // in the order in which they came
	if answer.ID != early[0].ID || answer.ReplyTo != m.ID {
		t.Errorf("the answer %+v is not one to %d", answer, m.ID)
	}
	if !m.Flags.Has(store.Pinned) || !m.Flags.Has(store.Reacted) {
		t.Errorf("the message came with %b", m.Flags)
	}
	w.view(func(r *store.Reader) error {
		list, err := r.Reactions(m.Box, m.ID)
		if len(list) != 1 || list[0].User != bob || list[0].Reaction != "👍" {
			t.Errorf("reactions %+v", list)
		}
		return err
	})
	if n := w.waiting(m.Nonce); n != 0 {
		t.Errorf("%d rows still wait", n)
	}
}

// waiting counts, and takes, the rows that wait in Carol's box for a message of Alice's.
func (w *held) waiting(nonce int64) (n int) {
	w.t.Helper()
	w.update(carol.Peer(), func(tx *store.Tx) error {
		rows, err := tx.TakeEarly(carol.Peer(), alice.Peer(), nonce)
		n = len(rows)
		return err
	})
	return n
}

// TestNothingWaitsForDeleted carries out what is about a message that Carol has deleted, and about
// one that overtook its own deletion.
func TestNothingWaitsForDeleted(t *testing.T) {
	w := newHeld(t)
	id := w.write(alice, "the message", 0)
	w.carry(alice, bob)
	w.carry(alice, carol)
	ctx := context.Background()
	if _, err := w.Delete(ctx, carol, []int64{w.newest(carol)[0].ID}, false); err != nil {
		t.Fatal(err)
	}
	w.respond()
	w.carry(bob, carol)
	if n := w.waiting(id); n != 0 {
		t.Errorf("%d rows wait for a message that was deleted", n)
	}
	id = w.write(alice, "another", 0)
	w.carry(alice, bob)
	w.respond()
	w.carry(bob, carol)
	if _, err := w.Delete(ctx, alice, []int64{id}, true); err != nil {
		t.Fatal(err)
	}
	w.carry(alice, carol)
	for _, m := range w.newest(carol) {
		if m.Origin == alice.Peer() {
			t.Errorf("deleted, and there: %+v", m)
		}
	}
}
