package store_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"parley/internal/ids"
	"parley/internal/store"
)

// ledger remembers what a store has promised, apart from the store, and checks it.
type ledger struct {
	boxes int64
	mu    sync.Mutex
	// sent are the messages by nonce, told the highest pts of each box that a listener heard of.
	sent  []*promise
	told  map[ids.Peer]int64
	acked int
}

// promise is what the store has said of one message.
type promise struct {
	box   ids.Peer
	nonce int64
	id    int64
	// there and gone tell what may be found: both when an outcome is unknown.
	there, gone bool
	// low and high are the versions of the body that may be found.
	low, high int64
}

func newLedger(boxes int64) *ledger {
	return &ledger{boxes: boxes, told: make(map[ids.Peer]int64)}
}

// hear is the listener of commits.
func (l *ledger) hear(c store.Commit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range c.Events {
		l.told[e.Box] = max(l.told[e.Box], e.Pts)
	}
}

// body is the content of a message; its length changes with the version, now and then by much.
func body(nonce, version int64) []byte {
	out := binary.BigEndian.AppendUint64(nil, uint64(nonce))
	out = binary.BigEndian.AppendUint64(out, uint64(version))
	length := (nonce*31 + version*17) % 700
	if (nonce+version)%20 == 0 {
		length += 9000
	}
	return append(out, bytes.Repeat([]byte{byte(nonce), byte(version)}, int(length))...)
}

func noBody(int64) []byte { return nil }

// event is an entry for something that happens to the message.
func (p *promise) event() store.Event {
	return store.Event{Box: p.box, Count: 1, Kind: 2, Body: []byte("changed")}
}

// settle notes the outcome of a transaction and tells whether the store goes on.
func (l *ledger) settle(err error, done, unknown func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		done()
		l.acked++
	case errors.Is(err, store.ErrUnknown):
		unknown()
	}
	return err == nil
}

// send adds a message; nil when the store has stopped.
func (l *ledger) send(s *store.Store, rnd *rand.Rand) *promise {
	l.mu.Lock()
	p := &promise{box: ids.Peer(1 + rnd.Int64N(l.boxes)), nonce: int64(len(l.sent)), gone: true}
	l.sent = append(l.sent, p)
	l.mu.Unlock()
	m := store.Message{Box: p.box, Peer: 77, From: 77, Origin: 77, Nonce: p.nonce,
		Body: body(p.nonce, 0)}
	err := s.Update(context.Background(), p.box, func(tx *store.Tx) error {
		_, err := tx.AddMessage(&m, 1, noBody)
		return err
	})
	if !l.settle(err, func() { p.id, p.there, p.gone = m.ID, true, false },
		func() { p.there = true }) {
		return nil
	}
	return p
}

// edit writes the next version of a message.
func (l *ledger) edit(s *store.Store, p *promise) bool {
	next := p.high + 1
	err := s.Update(context.Background(), p.box, func(tx *store.Tx) error {
		m, err := tx.Message(p.box, p.id)
		if err != nil {
			return err
		}
		m.Body = body(p.nonce, next)
		if err := tx.SetMessage(&m); err != nil {
			return err
		}
		_, err = tx.Append(p.event())
		return err
	})
	return l.settle(err, func() { p.low, p.high = next, next }, func() { p.high = next })
}

// remove deletes a message.
func (l *ledger) remove(s *store.Store, p *promise) bool {
	err := s.Update(context.Background(), p.box, func(tx *store.Tx) error {
		if found, err := tx.DeleteMessage(p.box, p.id); err != nil || !found {
			return fmt.Errorf("found %v: %w", found, err)
		}
		_, err := tx.Append(p.event())
		return err
	})
	return l.settle(err, func() { p.there, p.gone = false, true }, func() { p.gone = true })
}

// work sends, edits and deletes until the store stops or there were enough actions.
func (l *ledger) work(s *store.Store, rnd *rand.Rand, actions int) {
	var own []*promise
	for range actions {
		pick := rnd.IntN(10)
		switch {
		case pick < 7 || len(own) == 0:
			p := l.send(s, rnd)
			if p == nil {
				return
			}
			own = append(own, p)
		case pick < 9:
			if !l.edit(s, own[rnd.IntN(len(own))]) {
				return
			}
		default:
			at := rnd.IntN(len(own))
			if !l.remove(s, own[at]) {
				return
			}
			own = append(own[:at], own[at+1:]...)
		}
	}
}

// audit compares the store with what it promised, and takes what it found for the truth from then
// on. It returns what is wrong.
func (l *ledger) audit(s *store.Store) (wrong []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := make(map[int64]store.Message)
	err := s.View(context.Background(), func(r *store.Reader) error {
		for n := range l.boxes {
			box := ids.Peer(n + 1)
			list, err := r.Older(box, 77, 1<<40, 0, 1<<30, 0)
			if err != nil {
				return err
			}
			for _, m := range list {
				if _, twice := found[m.Nonce]; twice {
					wrong = append(wrong, fmt.Sprintf("message %d is there twice", m.Nonce))
				}
				found[m.Nonce] = m
			}
			problems, err := auditBox(r, box, len(list), l.told[box])
			if err != nil {
				return err
			}
			wrong = append(wrong, problems...)
		}
		return nil
	})
	if err != nil {
		return append(wrong, err.Error())
	}
	for _, p := range l.sent {
		m, there := found[p.nonce]
		delete(found, p.nonce)
		if problem := p.audit(m, there); problem != "" {
			wrong = append(wrong, problem)
		}
	}
	for nonce := range found {
		wrong = append(wrong, fmt.Sprintf("message %d was never sent", nonce))
	}
	return wrong
}

// audit compares what was found of one message.
func (p *promise) audit(m store.Message, there bool) string {
	if there && !p.there || !there && !p.gone {
		return fmt.Sprintf("message %d in box %v: found %v", p.nonce, p.box, there)
	}
	p.there, p.gone = there, !there
	if !there {
		return ""
	}
	p.id = m.ID
	for v := p.low; v <= p.high; v++ {
		if bytes.Equal(m.Body, body(p.nonce, v)) {
			p.low, p.high = v, v
			return ""
		}
	}
	return fmt.Sprintf("message %d in box %v: its body is of no version from %d to %d",
		p.nonce, p.box, p.low, p.high)
}

// auditBox checks that a box counts right and that its log has no gap.
func auditBox(r *store.Reader, box ids.Peer, messages int, told int64) (wrong []string, err error) {
	b, err := r.Box(box)
	if err != nil {
		return nil, err
	}
	if b.Messages != int64(messages) {
		wrong = append(wrong, fmt.Sprintf("box %v counts %d messages, has %d", box, b.Messages, messages))
	}
	if b.Pts < told {
		wrong = append(wrong, fmt.Sprintf("box %v is at pts %d, listeners know %d", box, b.Pts, told))
	}
	events, err := r.Events(box, 0, 0, 1<<30)
	if err != nil {
		return nil, err
	}
	pts := int64(store.FirstPts)
	for _, e := range events {
		if pts += e.Count; e.Pts != pts {
			wrong = append(wrong, fmt.Sprintf("box %v: pts %d where %d is due", box, e.Pts, pts))
		}
	}
	if pts != b.Pts {
		wrong = append(wrong, fmt.Sprintf("box %v: its log ends at pts %d of %d", box, pts, b.Pts))
	}
	return wrong, nil
}
