// Package safetytest is a small world for the tests of moderation: a store with people, a channel
// and its posts, the rooms that report, decide, enforce and tell, all as the server ties them
// together.
package safetytest

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"log/slog"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/chat/account"
	"parley/internal/chat/fanout"
	"parley/internal/chat/message"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/keyring/keyringtest"
	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/decide"
	"parley/internal/safety/enforce"
	"parley/internal/safety/intake"
	"parley/internal/safety/location"
	"parley/internal/safety/statement"
	"parley/internal/store"
)

// The people, and the channel of one of them.
const (
	Author   = ids.UserID(1001)
	Reporter = ids.UserID(1002)
	Reader   = ids.UserID(1003)
	Members  = 3
)

// Channel is the channel that Author made, with Members members.
const Channel = ids.Peer(-1000000000007)

// World is the rooms of moderation on a store.
type World struct {
	testing.TB
	Store      *store.Store
	Clock      *clock.Fake
	Message    *message.Service
	Courier    *fanout.Courier
	Intake     *intake.Service
	Decisions  *decide.Service
	Appeals    *appeal.Service
	Statements *statement.Service
	References safety.References

	random atomic.Int64
}

// New makes a world on an empty store, whose courier ends with the test.
func New(t testing.TB, s *store.Store) *World {
	t.Helper()
	return NewKept(t, s, t.TempDir())
}

// NewKept is New with the keys in a directory, for another process to Attach with.
func NewKept(t testing.TB, s *store.Store, keys string) *World {
	t.Helper()
	w := Attach(t, s, keys)
	w.people()
	return w
}

// Attach makes the rooms of a world that another process has made, with the keys in a directory.
func Attach(t testing.TB, s *store.Store, keys string) *World {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &World{
		TB: t, Store: s, Clock: clock.NewFake(time.Unix(1_800_000_000, 0)),
		References: safety.References{Key: [32]byte{1}},
	}
	w.Message = &message.Service{Store: s, Clock: w.Clock, Random: w.next}
	does := &enforce.Service{Store: s, Clock: w.Clock}
	appliers := make(map[int64]fanout.Applier)
	for _, of := range []map[int64]func(*store.Tx, store.Outbox) error{
		w.Message.Appliers(), does.Appliers(),
	} {
		for kind, apply := range of {
			appliers[kind] = apply
		}
	}
	w.Courier = fanout.NewCourier(ctx, s, appliers, slog.New(slog.DiscardHandler))
	s.OnCommit(w.Courier.Committed)
	t.Cleanup(func() {
		cancel()
		w.Courier.Wait()
	})
	w.rooms(does, keys)
	if err := w.Courier.Recover(ctx); err != nil {
		t.Fatal(err)
	}
	return w
}

// rooms ties the rooms together.
func (w *World) rooms(does *enforce.Service, dir string) {
	w.Helper()
	keys := keyringtest.Open(w, dir)
	var err error
	w.Intake, err = intake.New(intake.Options{
		Store: w.Store, Clock: w.Clock, Random: rand.Reader, References: w.References,
		Box: keys.Box(), Secret: [32]byte{2}, Places: &location.Resolver{},
	})
	if err != nil {
		w.Fatal(err)
	}
	w.Decisions = &decide.Service{
		Store: w.Store, Clock: w.Clock, Random: rand.Reader, Enforce: does,
		References: w.References,
	}
	w.Appeals = &appeal.Service{
		Store: w.Store, Clock: w.Clock, Random: rand.Reader, References: w.References,
		Decisions: w.Decisions,
	}
	w.Statements, err = statement.New(statement.Options{
		Store: w.Store, Clock: w.Clock, References: w.References, Message: w.Message,
		Intake: w.Intake, Appeals: w.Appeals, URL: "https://chat.example.org",
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		w.Fatal(err)
	}
}

// people fills an empty store.
func (w *World) people() {
	w.Helper()
	service := store.User{ID: account.ServiceUser, FirstName: "Parley", Flags: store.UserService}
	w.Update(account.ServiceUser.Peer(), func(tx *store.Tx) error { return tx.PutUser(service) })
	for _, id := range []ids.UserID{Author, Reporter, Reader} {
		w.Update(id.Peer(), func(tx *store.Tx) error {
			return tx.PutUser(store.User{ID: id, FirstName: "Person", Phone: "4930901820"})
		})
	}
	w.Update(Channel, func(tx *store.Tx) error {
		err := tx.PutChat(store.Chat{
			Peer: Channel, Title: "News", Creator: Author, Members: Members,
			Flags: store.Broadcast,
		})
		if err != nil {
			return err
		}
		for _, id := range []ids.UserID{Author, Reporter, Reader} {
			m := store.Member{Peer: Channel, User: id, Role: store.Participant, Date: 1}
			if id == Author {
				m.Role = store.Creator
			}
			if err := tx.PutMember(m); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *World) next() int64 { return w.random.Add(1) }

// Update runs fn in a transaction that must succeed.
func (w *World) Update(key ids.Peer, fn func(*store.Tx) error) {
	w.Helper()
	if err := w.Store.Update(context.Background(), key, fn); err != nil {
		w.Fatal(err)
	}
}

// View runs fn on a snapshot, which must succeed.
func (w *World) View(fn func(*store.Reader) error) {
	w.Helper()
	if err := w.Store.View(context.Background(), fn); err != nil {
		w.Fatal(err)
	}
}

// Post publishes in the channel and returns the post as a subject.
func (w *World) Post(text string) safety.Subject {
	w.Helper()
	sent, err := w.Message.Send(context.Background(), message.Outgoing{
		From: Author, To: Channel, Random: w.next(), Content: message.Content{Text: text},
	})
	if err != nil {
		w.Fatal(err)
	}
	return safety.Subject{
		Peer: Channel, Kind: safety.Message, Item: sent.Message.ID, Author: Author,
	}
}

// Report reports a subject in the client of Reporter and returns the receipt.
func (w *World) Report(s safety.Subject) intake.Receipt {
	w.Helper()
	return w.ReportBy(Reporter, s)
}

// ReportBy is Report by another account.
func (w *World) ReportBy(reporter ids.UserID, s safety.Subject) intake.Receipt {
	w.Helper()
	got, err := w.Intake.Report(context.Background(), intake.Report{
		Subject: s, Source: safety.OtherNotification, Reporter: reporter,
		Category: safety.OtherViolation, Keyword: safety.OtherKeyword, Lang: "en",
		GoodFaith: true,
	})
	if err != nil {
		w.Fatal(err)
	}
	return got
}

// Draft is a complete draft that removes a message.
func Draft(of int64, s safety.Subject) decide.Draft {
	return decide.Draft{
		Case: of, Subject: s, Ground: safety.Incompatible, Reference: "Terms, rule 3",
		Explanation: "The post asks for money under false pretences.",
		Facts:       "The post promises to double what is sent to an address.",
		Category:    safety.ScamsAndFraud, Keywords: []safety.Keyword{"KEYWORD_PHISHING"},
		Measures: []safety.MeasureSpec{{Measure: safety.Remove}},
		Means:    safety.Means{Decided: safety.NotAutomated}, Source: safety.OtherNotification,
		Lang: "en", ContentType: []safety.ContentType{safety.TextContent},
		By: safety.Actor{Staff: 7},
	}
}

// Decide decides, which must succeed.
func (w *World) Decide(d decide.Draft) decide.Decision {
	w.Helper()
	got, err := w.Decisions.Decide(context.Background(), d)
	if err != nil {
		w.Fatal(err)
	}
	return got
}

// Decision is a decision as it is stored.
func (w *World) Decision(subject ids.Peer, id int64) (d decide.Decision) {
	w.Helper()
	w.View(func(r *store.Reader) (err error) {
		d, err = decide.Of(r, subject, id)
		return err
	})
	return d
}

// There tells whether a message is in its box.
func (w *World) There(s safety.Subject) (there bool) {
	w.Helper()
	w.View(func(r *store.Reader) error {
		_, err := r.Message(s.Peer, s.Item)
		there = err == nil
		if store.IsNotFound(err) {
			err = nil
		}
		return err
	})
	return there
}

// Deliver delivers what is owed and lets the courier carry it.
func (w *World) Deliver() int {
	w.Helper()
	n, err := w.Statements.Deliver(context.Background())
	if err == nil {
		err = w.Courier.Settled(context.Background(), account.ServiceUser.Peer())
	}
	if err != nil {
		w.Fatal(err)
	}
	return n
}

// Letters are the messages of the service account to somebody as he has them, the oldest first.
func (w *World) Letters(to ids.UserID) (out []store.Message) {
	w.Helper()
	w.View(func(r *store.Reader) (err error) {
		out, err = r.Newer(to.Peer(), account.ServiceUser.Peer(), 0, math.MaxInt32, 100)
		return err
	})
	return out
}

// Content is what a message says.
func (w *World) Content(m store.Message) message.Content {
	w.Helper()
	c, err := message.DecodeContent(m.Body)
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// Seed is a source of bytes that repeats: tests that need to know ids.
type Seed struct{ N uint32 }

// Read fills b with the next number.
func (s *Seed) Read(b []byte) (int, error) {
	s.N++
	for i := range b {
		b[i] = 0
	}
	binary.LittleEndian.PutUint32(b[:4], s.N)
	return len(b), nil
}
