package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"strings"
	"testing"

	"parley/internal/mtproto/layer/schema"
)

func generated(t *testing.T) (packed, sum []byte) {
	t.Helper()
	packed, err := os.ReadFile("../table.bin")
	if err != nil {
		t.Fatal(err)
	}
	if sum, err = os.ReadFile("../table.sum"); err != nil {
		t.Fatal(err)
	}
	return packed, sum
}

// TestTableIsFresh needs no network: the table carries the hash of table.sum, and table.sum lists
// the hash of every text that sources.txt pins, in its order.
func TestTableIsFresh(t *testing.T) {
	packed, sum := generated(t)
	table, err := schema.Unpack(packed)
	if err != nil {
		t.Fatal(err)
	}
	if table.Digest != sha256.Sum256(sum) {
		t.Error("table.bin was made from other texts than table.sum lists")
	}
	list, err := parseSources(pinned)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(sum)), "\n")[1:]
	if len(lines) != len(list) || len(table.Sources) != len(list) {
		t.Fatalf("%d sources are pinned, table.sum has %d and table.bin %d",
			len(list), len(lines), len(table.Sources))
	}
	for i, s := range list {
		if !strings.HasPrefix(lines[i], s.String()+" ") {
			t.Errorf("sources.txt says %q where table.sum says %q", s, lines[i])
		}
		if table.Sources[i].Layer != s.layer {
			t.Errorf("sources.txt says %q where the table has layer %d", s, table.Sources[i].Layer)
		}
	}
}

// TestTableIsReproducible makes the table again, if all texts are in the module cache.
func TestTableIsReproducible(t *testing.T) {
	packed, sum := generated(t)
	table, again, err := generate(true)
	if errors.Is(err, errNotCached) {
		t.Skip("not checked: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, sum) {
		t.Error("the texts are not those that table.sum lists")
	}
	repacked, err := table.Pack()
	if err != nil || !bytes.Equal(repacked, packed) {
		t.Errorf("the texts give another table: %v", err)
	}
}

func TestSources(t *testing.T) {
	list, err := parseSources([]byte("# why\n\n 7 v0.1.0 a.tl\n"))
	if err != nil || len(list) != 1 || list[0] != (source{7, "v0.1.0", "a.tl"}) {
		t.Errorf("%v, %v", list, err)
	}
	for _, text := range []string{"7 v0.1.0", "x v0.1.0 a.tl"} {
		if _, err := parseSources([]byte(text)); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func TestTextIsChecked(t *testing.T) {
	s := source{7, "v0.1.0", "a.tl"}
	if _, err := parse(s, []byte("a#1 = A;\n// LAYER 7\n")); err != nil {
		t.Error(err)
	}
	if _, err := parse(s, []byte("// LAYER 8\n")); err == nil {
		t.Error("a text of another layer was accepted")
	}
	wrong := strings.Repeat("a#1 = A;\n", maxForeign+1) + "// LAYER 7\n"
	if _, err := parse(s, []byte(wrong)); err == nil {
		t.Error("identifiers that are no checksums were accepted")
	}
}

func TestReport(t *testing.T) {
	build := func(layer int, text string) schema.Revision {
		lines, _, err := schema.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Revision{Layer: layer, Lines: lines}
	}
	table, err := schema.Build([32]byte{}, []schema.Revision{
		build(1, "a#1 x:int y:int = A;\nb#2 = A;"),
		build(2, "a#3 flags:# x:long z:flags.1?int = A;\n---functions---\nc#4 = A;"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	report(&b, table, false)
	want := `layer 1 -> 2: 1 added, 1 removed, 1 changed
  + method c = A
  - b
  * a, +flags:#, x:long was int, +z:flags.1?int, -y
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}
