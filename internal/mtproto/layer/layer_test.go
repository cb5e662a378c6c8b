package layer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley/internal/mtproto/layer/layertest"
)

func TestNearest(t *testing.T) {
	s := newSet(t)
	for layer, want := range map[int]int{
		229: 229, 230: 229, 1000: 229, 226: 225, 227: 227, 198: 198, 197: 196, 149: 148,
		145: 144, 144: 144, 143: 144, 0: 144, -1: 144,
	} {
		if got := s.Nearest(layer); got != want {
			t.Errorf("Nearest(%d) = %d, want %d", layer, got, want)
		}
	}
	known := s.Known()
	if !slices.IsSorted(known) || len(slices.Compact(slices.Clone(known))) != len(known) {
		t.Errorf("Known is not ascending: %v", known)
	}
	for _, layer := range []int{144, 152, 198, 223, 224, 225, 227, 228, 229} {
		if !slices.Contains(known, layer) {
			t.Errorf("layer %d is not known", layer)
		}
	}
	known[0] = 0
	if s.Nearest(144) != 144 {
		t.Error("Known gave away the list of the set")
	}
}

// TestNothingToDo: what needs no change is handed back, not copied.
func TestNothingToDo(t *testing.T) {
	b := newBench(t)
	for _, v := range []m{
		{"_": "help.getConfig"},
		{"_": "messages.sendMessage", "peer": m{"_": "inputPeerSelf"}, "message": "hi",
			"random_id": 1},
		{"_": "invokeWithLayer", "layer": 229, "query": m{"_": "help.getConfig"}},
	} {
		body := b.book(Current).Pack(v)
		out, err := b.Up(body)
		if err != nil {
			t.Fatal(err)
		}
		if &out[0] != &body[0] || len(out) != len(body) {
			t.Errorf("%v was copied", v)
		}
	}
	body := b.book(Current).Pack(m{"_": "updatesTooLong"})
	for _, layer := range []int{229, 300, 144} {
		out, err := b.Down([]byte("head"), layer, body)
		if err != nil || string(out) != "head"+string(body) {
			t.Errorf("layer %d: %q, %v", layer, out, err)
		}
	}
}

// TestHostileRequests: each is refused with the error that says why.
func TestHostileRequests(t *testing.T) {
	b := newBench(t)
	now := b.book(Current)
	good := now.Pack(m{"_": "messages.sendMessage", "peer": m{"_": "inputPeerSelf"},
		"message": "hi", "random_id": 1})
	query := now.Pack(m{"_": "help.getConfig"})
	wrap := now.Pack(m{"_": "invokeWithoutUpdates", "query": m{"_": "help.getConfig"}})[:4]
	vector := now.Pack(m{"_": "messages.sendMultiMedia", "peer": m{"_": "inputPeerSelf"},
		"multi_media": []any{}})
	binary.LittleEndian.PutUint32(vector[len(vector)-4:], 1<<31-1)
	peer := now.Pack(m{"_": "peerUser", "user_id": 1})
	for name, c := range map[string]struct {
		body []byte
		want error
	}{
		"empty":        {nil, ErrMalformed},
		"truncated":    {good[:len(good)-4], ErrMalformed},
		"too long":     {append(slices.Clone(good), 0, 0, 0, 0), ErrMalformed},
		"no method":    {peer, ErrMalformed},
		"wraps a peer": {slices.Concat(wrap, peer), ErrMalformed},
		"deep":         {slices.Concat(bytes.Repeat(wrap, 2*maxDepth), query), ErrLimit},
		"vector count": {vector, ErrMalformed},
	} {
		if out, err := b.Up(c.body); !errors.Is(err, c.want) {
			t.Errorf("%s: %x, %v", name, out, err)
		}
	}
	var unknown *UnknownError
	if _, err := b.Up([]byte{1, 2, 3, 4}); !errors.As(err, &unknown) || unknown.ID != 0x04030201 {
		t.Errorf("unknown method: %v", err)
	}
	gone := b.book(144).Pack(m{"_": "messages.getAllChats", "except_ids": []any{}})
	for what, id := range map[string]uint32{"a constructor": binary.LittleEndian.Uint32(peer),
		"a removed method": binary.LittleEndian.Uint32(gone), "nothing": 1} {
		if method, ok := b.Method(id); ok {
			t.Errorf("%s is said to be method %#x", what, method)
		}
	}
	for _, body := range [][]byte{gone, slices.Concat(wrap, gone)} {
		if _, err := b.Up(body); !errors.Is(err, ErrRemoved) {
			t.Errorf("removed method: %v", err)
		}
	}
}

// TestDownRefuses what is no value of the current layer, and leaves dst as it was.
func TestDownRefuses(t *testing.T) {
	b := newBench(t)
	now := b.book(Current)
	tones := now.Pack(m{"_": "updateShort", "date": 1, "update": m{"_": "updateAiComposeTones"}})
	typing := now.Pack(m{"_": "updateShort", "date": 1, "update": m{"_": "updateUserTyping",
		"user_id": 1, "action": m{"_": "sendMessageTypingAction"}}})
	for name, c := range map[string]struct {
		body []byte
		want error
	}{
		"empty":     {nil, ErrMalformed},
		"truncated": {typing[:len(typing)-4], ErrMalformed},
		"too long":  {append(slices.Clone(typing), 0, 0, 0, 0), ErrMalformed},
		"dropped":   {tones, ErrDrop},
	} {
		out, err := b.Down([]byte("head"), 144, c.body)
		if string(out) != "head" || !errors.Is(err, c.want) {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
	out, err := b.Down(nil, 144, []byte{1, 2, 3, 4})
	if unknown := new(UnknownError); !errors.As(err, &unknown) || len(out) != 0 {
		t.Errorf("unknown: %x, %v", out, err)
	}
	if !strings.Contains(err.Error(), "0x4030201") {
		t.Errorf("error does not name the constructor: %v", err)
	}
}

// TestNoGap: no layer ever drops a message, or an update that moves a pts, because a client that
// misses one has a gap.
func TestNoGap(t *testing.T) {
	s := newSet(t)
	for _, layer := range s.layers {
		w := &layertest.Writer{Book: newBook(s, Current), Deep: 4,
			Rand: rand.New(rand.NewPCG(3, uint64(layer)))}
		rounds := 4
		if claimed[layer] {
			rounds = 20
		}
		for _, d := range downSource(s.table).defs {
			moves := d.Result.Name == "Update" && d.Field("pts") >= 0
			if !moves && d.Result.Name != "Message" {
				continue
			}
			for round := range rounds {
				w.Full = round%4 == 0
				if _, err := s.Down(nil, layer, w.Object(d)); err != nil {
					t.Errorf("layer %d: %s: %v", layer, d.Name, err)
					break
				}
			}
		}
	}
}

// randomPage is messages of all kinds with their users and chats.
func randomPage(s *Set) []byte {
	w := &layertest.Writer{Book: newBook(s, Current), Deep: 4, Rand: rand.New(rand.NewPCG(7, 7))}
	page := m{"_": "messages.messages", "messages": []any{}, "topics": []any{}, "chats": []any{},
		"users": []any{}}
	for name, field := range map[string]string{"message": "messages",
		"messageService": "messages", "user": "users", "channel": "chats"} {
		d := w.Find(name)
		for range 10 {
			v, err := w.Read(w.Object(d), d.Result)
			if err != nil {
				panic(err)
			}
			page[field] = append(page[field].([]any), layertest.Unpack(v, d.Result))
		}
	}
	return w.Pack(page)
}

// TestConcurrentUse has its meaning under the race detector.
func TestConcurrentUse(t *testing.T) {
	s := newSet(t)
	body := randomPage(s)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			var first []byte
			layer := []int{144, 198, 227, 144}[i%4]
			for range 5 {
				out, err := s.Down(nil, layer, body)
				if err != nil || first != nil && !bytes.Equal(first, out) {
					t.Errorf("layer %d: %v", layer, err)
				}
				first = out
			}
		})
	}
	wg.Wait()
}

// TestNoAllocation: a whole page is rewritten without an allocation.
func TestNoAllocation(t *testing.T) {
	s := newSet(t)
	body := randomPage(s)
	for _, layer := range []int{144, 152, 198, 223, 225, 227, 228} {
		var out []byte
		n := testing.AllocsPerRun(50, func() {
			var err error
			if out, err = s.Down(out[:0], layer, body); err != nil {
				t.Fatal(err)
			}
		})
		// A few may be the coder, if the pool lost it to the garbage collector.
		if n > 3 {
			t.Errorf("layer %d: %v allocations for a page", layer, n)
		}
	}
}
