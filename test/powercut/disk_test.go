package powercut

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

func random(a, b uint64) *rand.Rand { return rand.New(rand.NewPCG(a, b)) }

// written opens a file and writes to it, synced.
func written(t *testing.T, d *Disk, name string, p []byte) *file {
	t.Helper()
	f, err := d.open(name, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.write(f, p, 0), d.sync(f, true)); err != nil {
		t.Fatal(err)
	}
	return f
}

// survivors returns each content that a file has after a power cut, with how often; nil is a file
// that is not there.
func survivors(t *testing.T, d *Disk, name string) map[string]int {
	t.Helper()
	out := make(map[string]int)
	for seed := range uint64(2000) {
		s := d.Survivor(random(seed, 1))
		f := s.shown[name]
		if f == nil {
			out["absent"]++
			continue
		}
		if !bytes.Equal(f.shown, f.kept) || len(f.pending) > 0 {
			t.Fatal("a survivor that is not as it shows itself")
		}
		out["="+string(f.shown)]++
	}
	return out
}

// possible checks that just these contents come up.
func possible(t *testing.T, got map[string]int, want ...string) {
	t.Helper()
	for _, w := range want {
		if got[w] == 0 {
			t.Errorf("never %.20q", w)
		}
		delete(got, w)
	}
	for g, n := range got {
		t.Errorf("%d times %.20q", n, g)
	}
}

func TestSyncedStays(t *testing.T) {
	d := New()
	written(t, d, "a", []byte("synced"))
	possible(t, survivors(t, d, "a"), "=synced")
}

func TestUnsyncedMayStayOrGo(t *testing.T) {
	d := New()
	f := written(t, d, "a", []byte("old"))
	if err := d.write(f, []byte("new"), 0); err != nil {
		t.Fatal(err)
	}
	possible(t, survivors(t, d, "a"), "=old", "=new")
}

func TestOrderIsNotKept(t *testing.T) {
	d := New()
	f := written(t, d, "a", []byte("--"))
	if err := errors.Join(d.write(f, []byte("1"), 0), d.write(f, []byte("2"), 1)); err != nil {
		t.Fatal(err)
	}
	possible(t, survivors(t, d, "a"), "=--", "=1-", "=-2", "=12")
}

func TestWritesTearAtSectors(t *testing.T) {
	d := New()
	old, fresh := bytes.Repeat([]byte{'-'}, 2*SectorSize), bytes.Repeat([]byte{'+'}, SectorSize)
	f := written(t, d, "a", old)
	if err := d.write(f, fresh, SectorSize/2); err != nil {
		t.Fatal(err)
	}
	first, second := bytes.Clone(old), bytes.Clone(old)
	copy(first[SectorSize/2:SectorSize], fresh)
	copy(second[SectorSize:SectorSize*3/2], fresh)
	both := bytes.Clone(first)
	copy(both[SectorSize:SectorSize*3/2], fresh)
	possible(t, survivors(t, d, "a"), "="+string(old), "="+string(first), "="+string(second),
		"="+string(both))
}

func TestLengthMayComeWithoutContent(t *testing.T) {
	d := New()
	f := written(t, d, "a", []byte("a"))
	if err := d.write(f, []byte("b"), 1); err != nil {
		t.Fatal(err)
	}
	possible(t, survivors(t, d, "a"), "=a", "=ab", "=a\x00")
}

func TestTruncationMayBeUndone(t *testing.T) {
	d := New()
	f := written(t, d, "a", []byte("abc"))
	if err := d.truncate(f, 1); err != nil {
		t.Fatal(err)
	}
	possible(t, survivors(t, d, "a"), "=a", "=abc")
	if err := d.write(f, []byte("z"), 2); err != nil {
		t.Fatal(err)
	}
	if got := f.shown; string(got) != "a\x00z" {
		t.Errorf("old content comes up again: %q", got)
	}
}

func TestDirectoryNeedsASync(t *testing.T) {
	d := New()
	written(t, d, "other", nil)
	f, err := d.open("a", true)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.write(f, []byte("x"), 0), d.sync(f, false)); err != nil {
		t.Fatal(err)
	}
	possible(t, survivors(t, d, "a"), "absent", "=x")
	if err := d.sync(f, true); err != nil {
		t.Fatal(err)
	}
	possible(t, survivors(t, d, "a"), "=x")
	if err := d.remove("a", false); err != nil {
		t.Fatal(err)
	}
	possible(t, survivors(t, d, "a"), "absent", "=x")
	if err := d.remove("other", true); err != nil {
		t.Fatal(err)
	}
	possible(t, survivors(t, d, "a"), "absent")
}

func TestNoPower(t *testing.T) {
	d := New()
	f := written(t, d, "a", []byte("a"))
	d.Plan(Plan{CutAt: 2})
	if err := d.write(f, []byte("b"), 0); err != nil {
		t.Fatal(err)
	}
	if err := d.sync(f, false); !errors.Is(err, ErrPower) || !d.Off() {
		t.Errorf("the sync that is cut: %v", err)
	}
	_, openErr := d.open("a", false)
	_, readErr := d.read(f, make([]byte, 1), 0)
	for _, err := range []error{openErr, readErr, d.write(f, nil, 0), d.remove("a", true)} {
		if !errors.Is(err, ErrPower) {
			t.Errorf("without power: %v", err)
		}
	}
	possible(t, survivors(t, d, "a"), "=a", "=b")
}

// TestFailedSyncLosesQuietly checks the trap of failed syncs: the next one succeeds, and what the
// first should have kept is gone all the same.
func TestFailedSyncLosesQuietly(t *testing.T) {
	d := New()
	f := written(t, d, "a", []byte("a"))
	d.Plan(Plan{FailSyncAt: 1})
	if err := d.write(f, []byte("b"), 0); err != nil {
		t.Fatal(err)
	}
	if err := d.sync(f, false); !errors.Is(err, ErrIO) || d.Failed() != 1 {
		t.Errorf("the failing sync: %v", err)
	}
	if err := d.sync(f, false); err != nil {
		t.Errorf("the next sync: %v", err)
	}
	if string(f.shown) != "b" {
		t.Errorf("programs see %q", f.shown)
	}
	possible(t, survivors(t, d, "a"), "=a")
}

func TestLiesLose(t *testing.T) {
	d := New()
	f := written(t, d, "a", []byte("a"))
	d.Plan(Plan{Lies: true})
	if err := errors.Join(d.write(f, []byte("b"), 0), d.sync(f, true)); err != nil {
		t.Fatal(err)
	}
	possible(t, survivors(t, d, "a"), "=a", "=b")
}

func TestFull(t *testing.T) {
	d := New()
	f := written(t, d, "a", []byte("a"))
	d.Plan(Plan{FullAt: 1})
	if err := d.write(f, []byte("b"), 0); err != nil {
		t.Errorf("in place: %v", err)
	}
	if err := d.write(f, []byte("c"), 1); !errors.Is(err, ErrFull) {
		t.Errorf("beyond the end: %v", err)
	}
	if string(f.shown) != "b" {
		t.Errorf("content is %q", f.shown)
	}
}

func TestFailedWrite(t *testing.T) {
	d := New()
	f := written(t, d, "a", []byte("a"))
	d.Plan(Plan{FailWriteAt: 1})
	if err := d.write(f, []byte("b"), 0); !errors.Is(err, ErrIO) {
		t.Errorf("the failing write: %v", err)
	}
	if err := d.write(f, []byte("c"), 0); err != nil {
		t.Errorf("the next one: %v", err)
	}
}
