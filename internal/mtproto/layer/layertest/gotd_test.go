package layertest

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"parley/internal/mtproto/layer"
	"parley/internal/mtproto/layer/schema"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
)

// This folder also holds the tests that need the server's own types: their package is so large
// that it would make the fuzzing of package layer crawl.

func newSet(t testing.TB) (*layer.Set, *schema.Table) {
	t.Helper()
	packed, err := os.ReadFile("../table.bin")
	if err != nil {
		t.Fatal(err)
	}
	table, err := schema.Unpack(packed)
	if err != nil {
		t.Fatal(err)
	}
	set, err := layer.New()
	if err != nil {
		t.Fatal(err)
	}
	return set, table
}

// TestCurrentIsGotd: the newest layer of the table is the one of the types that the server uses,
// constructor by constructor.
func TestCurrentIsGotd(t *testing.T) {
	set, table := newSet(t)
	if layer.Current != tg.Layer {
		t.Errorf("Current is %d, the types are of layer %d", layer.Current, tg.Layer)
	}
	if known := set.Known(); known[len(known)-1] != layer.Current {
		t.Errorf("the newest layer of the table is %d", known[len(known)-1])
	}
	gotd := tg.TypesConstructorMap()
	ours := NewBook(layer.Current, table.At(layer.Current))
	// Built-in types, and the one constructor with bare vectors and what it holds.
	apart := []uint32{tg.IntTypeID, tg.LongTypeID, tg.DoubleTypeID, tg.StringTypeID,
		tg.BytesTypeID, tg.AccessPointRuleTypeID, tg.HelpConfigSimpleTypeID}
	for id := range gotd {
		if ours.ByID(id) == nil && !slices.Contains(apart, id) {
			t.Errorf("%#x is not in the table", id)
		}
	}
	for _, d := range table.At(layer.Current) {
		// Wrappers are not in the map of types, as their results are of any type.
		if gotd[d.ID] == nil && d.Field("query") < 0 {
			t.Errorf("%s is not among the types", d)
		}
	}
}

// TestGotdReadsUp: the decoder of the server's types reads the requests of all layers and encodes
// them to as many bytes.
func TestGotdReadsUp(t *testing.T) {
	set, table := newSet(t)
	types := tg.TypesConstructorMap()
	read := 0
	for _, l := range set.Known() {
		defs := table.At(l)
		w := &Writer{Book: NewBook(l, defs), Deep: 3, Rand: rand.New(rand.NewPCG(4, uint64(l)))}
		for _, d := range defs {
			// gotd cannot read a wrapper without being told what it wraps.
			if !d.Method || d.Field("query") >= 0 {
				continue
			}
			for round := range 2 {
				w.Full = round == 0
				out, err := set.Up(w.Object(d))
				if err != nil {
					continue
				}
				v := types[binary.LittleEndian.Uint32(out)]()
				buf := &bin.Buffer{Buf: slices.Clone(out)}
				if err := v.Decode(buf); err != nil || buf.Len() != 0 {
					t.Errorf("layer %d, %s: %v, %d bytes left", l, d.Name, err, buf.Len())
					break
				}
				if again := encode(t, v); len(again) != len(out) {
					t.Errorf("layer %d, %s: %d bytes became %d", l, d.Name, len(out), len(again))
					break
				}
				read++
			}
		}
	}
	t.Logf("%d requests", read)
}

func encode(t testing.TB, v bin.Encoder) []byte {
	t.Helper()
	var b bin.Buffer
	if err := v.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Buf
}
