package layer

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"parley/internal/mtproto/layer/layertest"
)

// FuzzUp: whatever a stranger sends is refused or becomes a request of the current layer of
// bounded size, which has nothing left to rewrite.
func FuzzUp(f *testing.F) {
	s := newSet(f)
	for _, layer := range []int{144, 158, 198, 227} {
		w := &layertest.Writer{Book: newBook(s, layer), Deep: 3,
			Rand: rand.New(rand.NewPCG(5, uint64(layer)))}
		for _, name := range []string{
			"messages.sendMessage", "messages.sendMedia", "messages.saveDraft", "initConnection",
			"messages.report", "channels.editCreator", "messages.updateDialogFilter",
			"messages.setInlineBotResults",
		} {
			for round := range 4 {
				w.Full = round == 0
				if d := w.Find(name); d != nil {
					f.Add(w.Object(d))
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) { checkUp(t, s, body) })
}

func checkUp(t *testing.T, s *Set, body []byte) {
	before := bytes.Clone(body)
	out, err := s.Up(body)
	if !bytes.Equal(body, before) {
		t.Fatal("the request was written to")
	}
	if err != nil {
		return
	}
	if len(out) > 2*maxGrowth*len(body)+growthBase {
		t.Fatalf("%d bytes became %d", len(body), len(out))
	}
	again, err := s.Up(out)
	if err != nil || !bytes.Equal(again, out) {
		t.Fatalf("%x became %x, and that %x, %v", body, out, again, err)
	}
}

// TestMutatedRequests does in a second what a fuzzer that knows nothing of TL needs long for:
// requests of which one word became another, mostly one that means something.
func TestMutatedRequests(t *testing.T) {
	s := newSet(t)
	r := rand.New(rand.NewPCG(8, 8))
	rounds := 12
	for _, layer := range []int{144, 166, 198, 227} {
		defs := s.table.At(layer)
		w := &layertest.Writer{Book: newBook(s, layer), Deep: 4, Rand: r}
		for _, d := range defs {
			if !d.Method {
				continue
			}
			body := w.Object(d)
			for range rounds {
				changed := bytes.Clone(body)
				at := 4 * r.IntN(len(body)/4)
				word := []uint32{0, 1, 1<<31 - 1, ^uint32(0), vectorID, r.Uint32(),
					defs[r.IntN(len(defs))].ID, defs[r.IntN(len(defs))].ID}[r.IntN(8)]
				binary.LittleEndian.PutUint32(changed[at:], word)
				checkUp(t, s, changed)
				checkUp(t, s, changed[:at])
			}
		}
	}
}

// FuzzDown: not even broken answers make the server panic, and what comes out is of the layer.
func FuzzDown(f *testing.F) {
	s := newSet(f)
	layers := []int{144, 152, 198, 223, 227, 228}
	w := &layertest.Writer{Book: newBook(s, Current), Deep: 3,
		Rand: rand.New(rand.NewPCG(6, 6))}
	for i, name := range []string{"message", "messageService", "userFull", "channelFull",
		"replyInlineMarkup", "webPage", "poll", "draftMessage",
		"updates", "messages.channelMessages", "config"} {
		f.Add(i, w.Object(w.Find(name)))
	}
	books := make([]*layertest.Book, len(layers))
	for i, layer := range layers {
		books[i] = newBook(s, layer)
		books[i].Loose = true
	}
	now := newBook(s, Current)
	now.Loose = true
	f.Fuzz(func(t *testing.T, pick int, body []byte) {
		i := int(uint(pick) % uint(len(layers)))
		out, err := s.Down(nil, layers[i], body)
		if err != nil || len(body) > 1<<16 {
			return
		}
		if _, err := now.Read(body, query); err != nil {
			return // a Bool that is none passes through
		}
		if _, err := books[i].Read(out, query); err != nil {
			t.Fatalf("layer %d: %x: %v", layers[i], body, err)
		}
	})
}
