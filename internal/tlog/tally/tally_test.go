package tally_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"parley/internal/tlog/entry"
	"parley/internal/tlog/tally"
)

// TestKeptCountsAreTheSame counts with and without what was kept, and in parts.
func TestKeptCountsAreTheSame(t *testing.T) {
	const size = 1<<16 + 512
	src := newBundles(t, size)
	all := tally.Span{From: "2026-01-01", To: "2026-12-31"}
	half := tally.Span{From: "2026-01-01", To: "2026-06-30"}
	rest := tally.Span{From: "2026-07-01", To: "2026-12-31"}
	count := func(c tally.Counter, s tally.Span) *tally.Tally {
		t.Helper()
		out, err := c.Count(t.Context(), size, s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	want := count(tally.Counter{Source: src}, all)
	dir := t.TempDir()
	if err := (&tally.Counter{Source: src, Dir: dir}).Keep(t.Context(), size); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := count(tally.Counter{Source: src, Dir: dir}, all); !reflect.DeepEqual(got, want) {
			t.Error("counts that were kept differ")
		}
	}
	kept, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(kept) != 1 {
		t.Errorf("kept %v, want the full chunk alone; %v", kept, err)
	}
	sum := count(tally.Counter{Source: src, Dir: dir}, half)
	sum.Merge(count(tally.Counter{Source: src, Dir: dir}, rest))
	if !reflect.DeepEqual(sum, want) {
		t.Error("two halves are not the whole")
	}
	if err := os.WriteFile(kept[0], []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := tally.Counter{Source: src, Dir: dir}
	if _, err := c.Count(t.Context(), size, all); err == nil {
		t.Error("half a file is taken for counts")
	}
}

func TestMedians(t *testing.T) {
	for _, x := range []struct {
		times tally.Times
		want  float64
		known bool
	}{
		{nil, 0, false},
		{tally.Times{60: 1}, 1, true},
		{tally.Times{60: 1, 120: 1}, 1.5, true},
		{tally.Times{0: 1, 60: 1, 600: 1}, 1, true},
		{tally.Times{0: 2, 60: 2}, 0.5, true},
		{tally.Times{0: 3, 60: 1}, 0, true},
	} {
		if got, known := x.times.Hours(); got != x.want || known != x.known {
			t.Errorf("%v: %v, %v", x.times, got, known)
		}
	}
}

// TestATallySurvivesBeingWritten has every kind of entry.
func TestATallySurvivesBeingWritten(t *testing.T) {
	want := tally.New()
	for _, kind := range entry.Kinds() {
		want.Add(&entry.Entry{
			Kind: kind, Ground: "G", Category: "C", Decided: tally.Fully, Outcome: "reversed",
			Was: "upheld", Country: "DE", Instrument: entry.Production, Reason: "why",
			Content: []string{entry.TrafficData}, Items: 5, Measures: []string{"M"},
		})
	}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got := tally.New()
	if err := json.Unmarshal(b, got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s\n%+v\n%+v", b, got, want)
	}
}
