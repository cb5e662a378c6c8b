package message_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/store"
)

var super = ids.PeerChannel(5)

// addSuper makes a supergroup of alice, who made it, and bob.
func (w *world) addSuper(change func(*store.Chat)) {
	w.t.Helper()
	w.update(super, func(tx *store.Tx) error {
		c := store.Chat{Peer: super, Title: "Super", Flags: store.Megagroup, Members: 2}
		if change != nil {
			change(&c)
		}
		if err := tx.PutChat(c); err != nil {
			return err
		}
		for id, role := range map[ids.UserID]store.Role{
			alice: store.Creator, bob: store.Participant,
		} {
			m := store.Member{Peer: super, User: id, Role: role, Date: 1}
			if err := tx.PutMember(m); err != nil {
				return err
			}
		}
		return nil
	})
	for _, id := range []ids.UserID{alice, bob} {
		w.update(id.Peer(), func(tx *store.Tx) error {
			return tx.PutDialog(store.Dialog{User: id, Peer: super})
		})
	}
}

// setRole gives somebody another standing.
func (w *world) setRole(peer ids.Peer, user ids.UserID, role store.Role) {
	w.t.Helper()
	w.update(peer, func(tx *store.Tx) error {
		return tx.PutMember(store.Member{Peer: peer, User: user, Role: role, Date: 1})
	})
}

// entries returns what the log of a box says of a kind.
func (w *world) entries(in ids.Peer, kind box.Kind) (out []box.Entry) {
	w.t.Helper()
	w.view(func(r *store.Reader) error {
		events, err := r.Events(in, 0, 0, 10_000)
		if err != nil {
			return err
		}
		for _, e := range events {
			if box.Kind(e.Kind) != kind {
				continue
			}
			entry, err := box.Decode(e)
			if err != nil {
				return err
			}
			out = append(out, entry)
		}
		return nil
	})
	return out
}

func refused(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// TestWhoLeftChangesNothing: whoever left a basic group keeps his own copies and reaches nobody
// else's; the same holds for all once the group is closed.
func TestWhoLeftChangesNothing(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	own := w.say(bob, group, "mine").Message
	hers := w.copyOf(bob, w.say(alice, group, "hers").Message)
	try := func(what string, user ids.UserID, own, other int64) {
		t.Helper()
		text := "changed"
		_, err := w.Edit(ctx, user, group, own, message.Change{Text: &text})
		refused(t, what+" edits", err, chat.ErrWriteForbidden)
		_, err = w.React(ctx, user, group, other, []string{"👍"})
		refused(t, what+" reacts", err, chat.ErrWriteForbidden)
		_, err = w.Pin(ctx, user, group, other, true, false)
		if err == nil {
			t.Errorf("%s pins", what)
		}
	}
	w.setRole(group, bob, store.Left)
	try("who left", bob, own.ID, hers.ID)
	w.setRole(group, bob, store.Participant)
	w.update(group, func(tx *store.Tx) error {
		c, err := tx.Chat(group)
		c.Flags |= store.Deactivated
		if err != nil {
			return err
		}
		return tx.PutChat(c)
	})
	try("in a closed group, a member", bob, own.ID, hers.ID)
	w.settled(bob.Peer())
	for _, id := range []ids.UserID{alice, carol} {
		equal(t, "texts", w.texts(id, group), []string{"hers", "mine"})
	}
}

// TestBlockedNeitherReactsNorPins: who is blocked reaches the blocker by no road.
func TestBlockedNeitherReactsNorPins(t *testing.T) {
	w := newWorld(t)
	sent := w.say(bob, alice.Peer(), "hello").Message
	hers := w.copyOf(alice, sent)
	w.update(bob.Peer(), func(tx *store.Tx) error {
		_, err := tx.PutBlock(bob, alice.Peer(), 1)
		return err
	})
	ctx := context.Background()
	if _, err := w.React(ctx, alice, bob.Peer(), hers.ID, []string{"👎"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Pin(ctx, alice, bob.Peer(), hers.ID, true, false); err != nil {
		t.Fatal(err)
	}
	w.settled(alice.Peer())
	w.view(func(r *store.Reader) error {
		m, err := r.Message(bob.Peer(), sent.ID)
		if m.Flags.Has(store.Pinned) || m.Flags.Has(store.Reacted) {
			t.Errorf("the blocker's copy has the flags %b", m.Flags)
		}
		return err
	})
}

// TestHeardVoiceIsToldToItsSender: an outgoing voice message is unheard until its reader says so.
func TestHeardVoiceIsToldToItsSender(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	sent := w.send(message.Outgoing{
		From: alice, To: bob.Peer(), Random: w.next(), Content: message.Content{
			Media: &message.Media{Kind: message.Document, ID: 9, Class: message.Voice},
		},
	}).Message
	if !sent.Flags.Has(store.MediaUnread) {
		t.Error("the sender's copy counts as heard")
	}
	a, err := w.ReadContents(ctx, alice, alice.Peer(), []int64{sent.ID})
	if err != nil || a.Count != 0 {
		t.Errorf("the sender heard it himself: %+v, %v", a, err)
	}
	theirs := w.copyOf(bob, sent)
	a, err = w.ReadContents(ctx, bob, bob.Peer(), []int64{theirs.ID})
	if err != nil || a.Count != 1 {
		t.Errorf("the reader heard %+v, %v", a, err)
	}
	w.settled(bob.Peer())
	if got := w.entries(alice.Peer(), box.ReadContents); len(got) != 1 || got[0].IDs[0] != sent.ID {
		t.Errorf("the sender was told %+v", got)
	}
	w.whole(alice.Peer())
	saved := w.send(message.Outgoing{
		From: alice, To: alice.Peer(), Random: w.next(), Content: message.Content{
			Media: &message.Media{Kind: message.Document, ID: 9, Class: message.Voice},
		},
	}).Message
	if saved.Flags.Has(store.MediaUnread) {
		t.Error("a saved voice message is unheard")
	}
}

// TestDeletedPostCallsNobody: with a post its mentions go.
func TestDeletedPostCallsNobody(t *testing.T) {
	w := newWorld(t)
	w.addSuper(nil)
	sent := w.send(message.Outgoing{
		From: alice, To: super, Random: w.next(), Content: message.Content{Text: "@bob"},
		Mentions: []ids.UserID{bob},
	}).Message
	if d := w.dialog(bob, super); d.Mentions != 1 {
		t.Fatalf("bob has %d mentions, want 1", d.Mentions)
	}
	if _, err := w.DeletePosts(context.Background(), alice, super, []int64{sent.ID}); err != nil {
		t.Fatal(err)
	}
	w.settled(super)
	if d := w.dialog(bob, super); d.Mentions != 0 {
		t.Errorf("bob has %d mentions of what is gone", d.Mentions)
	}
	w.view(func(r *store.Reader) error {
		list, err := r.Mentions(bob, super, 1<<31-1, 10)
		if len(list) != 0 {
			t.Errorf("mentions left: %v", list)
		}
		return err
	})
}

// TestReadPostIsToldWithoutPts: that a message of a supergroup was read moves no pts of its
// author's own box, because clients take it from no such update.
func TestReadPostIsToldWithoutPts(t *testing.T) {
	w := newWorld(t)
	w.addSuper(nil)
	sent := w.say(alice, super, "hello").Message
	if err := w.ReadPosts(context.Background(), bob, super, 0); err != nil {
		t.Fatal(err)
	}
	w.settled(bob.Peer())
	if got := w.entries(alice.Peer(), box.ReadOutbox); len(got) != 0 {
		t.Errorf("the common box says %+v", got)
	}
	got := w.entries(alice.Peer(), box.ReadChannelOutbox)
	if len(got) != 1 || got[0].Peer != super || got[0].ID != sent.ID {
		t.Errorf("the author was told %+v", got)
	}
	if d := w.dialog(alice, super); d.ReadOut != sent.ID {
		t.Errorf("read up to %d, want %d", d.ReadOut, sent.ID)
	}
}

// TestRepeatedSendIsAnsweredWhateverHappened: a repeat is answered with the message, also when it
// would not be allowed any more.
func TestRepeatedSendIsAnsweredWhateverHappened(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.addSuper(func(c *store.Chat) { c.Slow = 60 })
	o := message.Outgoing{
		From: bob, To: super, Random: w.next(), Content: message.Content{Text: "slowly"},
	}
	sent := w.send(o).Message
	again, err := w.Send(ctx, o)
	if err != nil || !again.Again || again.Message.ID != sent.ID {
		t.Errorf("a repeat under slow mode: %+v, %v", again, err)
	}
	other := o
	other.Random = w.next()
	_, err = w.Send(ctx, other)
	refused(t, "another message under slow mode", err, chat.SlowMode(60))
	other.Grouped = other.Random
	_, err = w.Send(ctx, other)
	refused(t, "an album of one under slow mode", err, chat.SlowMode(60))

	w.clock.Advance(2 * time.Minute)
	for i := range 3 {
		item := o
		item.Grouped, item.Random = 900, int64(900+i)
		if _, err := w.Send(ctx, item); err != nil {
			t.Errorf("item %d of an album: %v", i, err)
		}
	}
	private := message.Outgoing{
		From: alice, To: bob.Peer(), Random: 5000, Content: message.Content{Text: "for bob"},
	}
	w.send(private)
	private.To = carol.Peer()
	_, err = w.Send(ctx, private)
	refused(t, "one random_id for two people", err, chat.Invalid("RANDOM_ID_DUPLICATE"))
}

// TestQuotes: a quote is part of the message answered.
func TestQuotes(t *testing.T) {
	w := newWorld(t)
	sent := w.say(bob, alice.Peer(), "the quick brown fox").Message
	hers := w.copyOf(alice, sent)
	for quote, want := range map[string]error{
		"quick brown": nil, "": nil, "lazy dog": chat.Invalid("QUOTE_TEXT_INVALID"),
	} {
		_, err := w.Send(context.Background(), message.Outgoing{
			From: alice, To: bob.Peer(), Random: w.next(), ReplyTo: hers.ID,
			Content: message.Content{Text: "yes", Reply: &message.Reply{Quote: quote}},
		})
		refused(t, "the quote "+quote, err, want)
	}
}

// TestReplyElsewhereKeepsTheAuthorPrivate: who answers a message in another chat names its author
// only if the author lets forwards lead to him.
func TestReplyElsewhereKeepsTheAuthorPrivate(t *testing.T) {
	w := newWorld(t)
	hers := w.copyOf(alice, w.say(bob, alice.Peer(), "between us").Message)
	for _, open := range []bool{true, false} {
		sent := w.send(message.Outgoing{
			From: alice, To: carol.Peer(), Random: w.next(),
			Content: message.Content{Text: "look", Reply: &message.Reply{Quote: "between"}},
			ReplyTo: hers.ID, ReplyPeer: bob.Peer(),
			Visible: func(*store.Reader, ids.UserID, ids.UserID) (bool, error) {
				return open, nil
			},
		})
		c, err := message.DecodeContent(w.copyOf(carol, sent.Message).Body)
		if err != nil {
			t.Fatal(err)
		}
		want := message.Reply{From: bob.Peer()}
		if !open {
			want = message.Reply{Name: "Person"}
		}
		if c.Reply.From != want.From || c.Reply.Name != want.Name || c.Reply.Author != 0 {
			t.Errorf("open %v: the answer names %+v", open, c.Reply)
		}
	}
}

// TestDeletionOvertakesDelivery: rows of different boxes may come in any order; what was deleted
// for all before it was delivered to somebody does not appear at him afterwards.
func TestDeletionOvertakesDelivery(t *testing.T) {
	w := newWorld(t)
	w.setRole(group, carol, store.Creator)
	var rows []store.Outbox
	w.Store.OnCommit(func(c store.Commit) { rows = append(rows, c.Outbox...) })
	ctx := context.Background()
	sent, err := w.Send(ctx, message.Outgoing{
		From: alice, To: group, Random: w.next(), Content: message.Content{Text: "slow"},
	})
	if err != nil {
		t.Fatal(err)
	}
	apply := func(from, to ids.UserID) {
		for _, o := range rows {
			if o.Box == from.Peer() && o.Target == to.Peer() {
				w.update(to.Peer(), func(tx *store.Tx) error { return w.Appliers()[o.Kind](tx, o) })
			}
		}
	}
	apply(alice, carol)
	if _, err := w.Delete(ctx, carol, []int64{w.copyOf(carol, sent.Message).ID}, true); err != nil {
		t.Fatal(err)
	}
	apply(carol, bob)
	apply(alice, bob)
	equal(t, "bob sees", w.texts(bob, group), nil)
	w.whole(bob.Peer())
}
