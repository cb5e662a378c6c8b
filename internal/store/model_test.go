package store_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"pgregory.net/rapid"

	"parley/internal/ids"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// action is something a client asks of a box, outcome what it is answered.
type action struct {
	kind  string
	box   ids.Peer
	nonce int64
}

type outcome struct {
	pts, id, messages int64
	conflict          bool
}

// boxState is what a box is, in the model: how far it has come, and the id of each message.
type boxState struct {
	pts, top int64
	ids      map[int64]int64
}

// boxModel says what a box may answer when one thing happens after the other.
var boxModel = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		boxes := make(map[ids.Peer][]porcupine.Operation)
		for _, op := range history {
			box := op.Input.(action).box
			boxes[box] = append(boxes[box], op)
		}
		var out [][]porcupine.Operation
		for _, ops := range boxes {
			out = append(out, ops)
		}
		return out
	},
	Init: func() any { return boxState{pts: store.FirstPts} },
	Step: func(state, input, output any) (bool, any) {
		before, ask, got := state.(boxState), input.(action), output.(outcome)
		after, want := before.step(ask)
		return got == want, after
	},
	Equal: func(a, b any) bool {
		x, y := a.(boxState), b.(boxState)
		return x.pts == y.pts && x.top == y.top && maps.Equal(x.ids, y.ids)
	},
}

func (s boxState) step(a action) (boxState, outcome) {
	id, there := s.ids[a.nonce]
	switch {
	case a.kind == "state":
		return s, outcome{pts: s.pts, id: s.top, messages: int64(len(s.ids))}
	case a.kind == "find":
		return s, outcome{id: id}
	case a.kind == "send" && there:
		return s, outcome{conflict: true}
	case a.kind == "delete" && !there:
		return s, outcome{}
	}
	next := boxState{pts: s.pts + 1, top: s.top, ids: maps.Clone(s.ids)}
	if a.kind == "delete" {
		delete(next.ids, a.nonce)
		return next, outcome{pts: next.pts, id: id}
	}
	next.top++
	if next.ids == nil {
		next.ids = make(map[int64]int64)
	}
	next.ids[a.nonce] = next.top
	return next, outcome{pts: next.pts, id: next.top}
}

// do carries an action out on a store.
func (a action) do(t *testing.T, s *store.Store) (out outcome) {
	t.Helper()
	var err error
	switch a.kind {
	case "state":
		err = s.View(t.Context(), func(r *store.Reader) error {
			b, err := r.Box(a.box)
			out = outcome{pts: b.Pts, id: b.TopID, messages: b.Messages}
			return err
		})
	case "find":
		err = s.View(t.Context(), func(r *store.Reader) error {
			m, err := r.MessageByOrigin(a.box, 7, a.nonce)
			out = outcome{id: m.ID}
			return err
		})
	case "send":
		m := store.Message{Box: a.box, Peer: 7, From: 7, Origin: 7, Nonce: a.nonce, Body: []byte{}}
		err = s.Update(t.Context(), a.box, func(tx *store.Tx) error {
			e, err := tx.AddMessage(&m, 1, noBody)
			out = outcome{pts: e.Pts, id: m.ID}
			return err
		})
	case "delete":
		err = s.Update(t.Context(), a.box, func(tx *store.Tx) error {
			m, err := tx.MessageByOrigin(a.box, 7, a.nonce)
			if err != nil {
				return err
			}
			if _, err := tx.DeleteMessage(a.box, m.ID); err != nil {
				return err
			}
			e, err := tx.Append(store.Event{Box: a.box, Count: 1})
			out = outcome{pts: e.Pts, id: m.ID}
			return err
		})
	}
	switch {
	case errors.Is(err, store.ErrConflict):
		return outcome{conflict: true}
	case errors.Is(err, store.ErrNotFound):
		return outcome{}
	case err != nil:
		t.Errorf("%s: %v", a.kind, err)
	}
	return out
}

// record has clients do random things to a few boxes at once and writes down what happened when.
// They draw their nonces from so small a set that most are sent again by somebody.
func record(t *testing.T, s *store.Store, seed uint64) []porcupine.Operation {
	t.Helper()
	const clients, each, boxes, nonces = 8, 60, 5, 6
	kinds := []string{"send", "send", "send", "find", "state", "delete"}
	var mu sync.Mutex
	var history []porcupine.Operation
	start := time.Now()
	var group sync.WaitGroup
	for client := range clients {
		rnd := rand.New(rand.NewPCG(seed, uint64(client)))
		group.Go(func() {
			for range each {
				a := action{kinds[rnd.IntN(len(kinds))], ids.Peer(1 + rnd.Int64N(boxes)),
					rnd.Int64N(nonces)}
				op := porcupine.Operation{ClientId: client, Input: a}
				op.Call = time.Since(start).Nanoseconds()
				op.Output = a.do(t, s)
				op.Return = time.Since(start).Nanoseconds()
				mu.Lock()
				history = append(history, op)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return history
}

// TestBoxesAreLinearizable checks that what concurrent clients are told of boxes fits an order in
// which one thing happened after the other: each pts and each message id is given once and without
// a gap, a random_id sends once however often and by however many it is repeated, and a reading
// shows what was done before it.
func TestBoxesAreLinearizable(t *testing.T) {
	const patience = 30 * time.Second
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seed := randomSeed()
		history := record(t, s, seed)
		result := porcupine.CheckOperationsTimeout(boxModel, history, patience)
		if result != porcupine.Ok {
			t.Errorf("seed %d: the history of %d operations is %s", seed, len(history), result)
		}
		for name, spoil := range spoilers {
			if porcupine.CheckOperationsTimeout(boxModel, spoil(history), patience) == porcupine.Ok {
				t.Errorf("control: a history with %s passed", name)
			}
		}
	})
}

// spoilers make histories that must not pass.
var spoilers = map[string]func([]porcupine.Operation) []porcupine.Operation{
	"a gap in pts": func(h []porcupine.Operation) []porcupine.Operation {
		return spoiled(h, func(a action, o *outcome) bool {
			ok := a.kind == "send" && !o.conflict
			o.pts++
			return ok
		})
	},
	"a message sent twice": func(h []porcupine.Operation) []porcupine.Operation {
		return spoiled(h, func(a action, o *outcome) bool {
			ok := o.conflict
			*o = outcome{pts: 1000, id: 1000}
			return ok
		})
	},
	"a reading of the past": func(h []porcupine.Operation) []porcupine.Operation {
		return spoiled(h, func(a action, o *outcome) bool {
			ok := a.kind == "state" && o.pts > 20
			*o = outcome{pts: store.FirstPts}
			return ok
		})
	},
}

// spoiled changes the outcome of the first operation that fits.
func spoiled(
	history []porcupine.Operation, change func(action, *outcome) bool,
) []porcupine.Operation {
	out := append([]porcupine.Operation{}, history...)
	for i, op := range out {
		o := op.Output.(outcome)
		if change(op.Input.(action), &o) {
			out[i].Output = o
			return out
		}
	}
	return out
}

// logModel is the log of a box as a list.
type logModel struct {
	box    ids.Peer
	pts    int64
	events []store.Event
}

// after is what the log must answer.
func (m *logModel) after(pts, since int64, limit int) []store.Event {
	var out []store.Event
	for _, e := range m.events {
		fresh := e.Pts > pts || e.Pts == pts && e.Sub > 0
		if fresh && (e.Count > 0 || e.Date >= since) && len(out) < limit {
			out = append(out, e)
		}
	}
	return out
}

// TestLogIsAList runs random operations on the log of a box and on a list, and compares the answers
// from any past state on.
func TestLogIsAList(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		boxes := ids.Peer(0)
		rapid.Check(t, func(rt *rapid.T) {
			boxes++
			m := &logModel{box: boxes, pts: store.FirstPts}
			m.run(t, rt, s)
		})
	})
}

func (m *logModel) run(t *testing.T, rt *rapid.T, s *store.Store) {
	update := func(fn func(*store.Tx) error) {
		if err := s.Update(t.Context(), m.box, fn); err != nil {
			rt.Fatal(err)
		}
	}
	rt.Repeat(map[string]func(*rapid.T){
		"append": func(rt *rapid.T) {
			e := store.Event{Box: m.box, Count: rapid.Int64Range(0, 3).Draw(rt, "count"),
				Date: rapid.Int64Range(0, 9).Draw(rt, "date"), Body: []byte{1}}
			update(func(tx *store.Tx) (err error) {
				e, err = tx.Append(e)
				return err
			})
			if m.pts += e.Count; e.Pts != m.pts {
				rt.Fatalf("pts %d, want %d", e.Pts, m.pts)
			}
			m.events = append(m.events, e)
		},
		"send": func(rt *rapid.T) {
			sent := store.Message{Box: m.box, Peer: 7, Origin: 7, Nonce: m.pts, Body: []byte{}}
			var e store.Event
			update(func(tx *store.Tx) (err error) {
				e, err = tx.AddMessage(&sent, 1, func(id int64) []byte { return []byte{byte(id)} })
				return err
			})
			if m.pts++; e.Pts != m.pts {
				rt.Fatalf("pts %d, want %d", e.Pts, m.pts)
			}
			e.Message = nil
			m.events = append(m.events, e)
		},
		"trim": func(rt *rapid.T) {
			upTo := rapid.Int64Range(0, m.pts).Draw(rt, "up to")
			update(func(tx *store.Tx) error { return tx.TrimEvents(m.box, upTo) })
			var kept []store.Event
			for _, e := range m.events {
				if e.Pts > upTo {
					kept = append(kept, e)
				}
			}
			m.events = kept
		},
		"": func(rt *rapid.T) {
			pts := rapid.Int64Range(0, m.pts).Draw(rt, "after")
			since := rapid.Int64Range(0, 9).Draw(rt, "since")
			limit := rapid.IntRange(1, 9).Draw(rt, "limit")
			var got []store.Event
			if err := s.View(t.Context(), func(r *store.Reader) (err error) {
				got, err = r.Events(m.box, pts, since, limit)
				return err
			}); err != nil {
				rt.Fatal(err)
			}
			if g, w := fmt.Sprint(got), fmt.Sprint(m.after(pts, since, limit)); g != w {
				rt.Fatalf("after %d, since %d, at most %d:\n got %s\nwant %s", pts, since, limit, g, w)
			}
		},
	})
}
