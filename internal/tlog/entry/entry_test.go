package entry

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func sample() Entry {
	return Entry{
		V: Version, Kind: Decision, ID: strings.Repeat("0a", 16), Day: "2026-11-28",
		Subject: "message", Measures: []string{"DECISION_VISIBILITY_CONTENT_REMOVED"},
		Ground: "DECISION_GROUND_INCOMPATIBLE_CONTENT", Decided: "AUTOMATED_DECISION_NOT_AUTOMATED",
		Territory: []string{"AT", "DE"}, Items: 1, Persons: 2,
		Commitment: Commit([SaltSize]byte{1}, []byte("record")),
	}
}

// TestFormat: the published bytes. A change here is a new version of the format.
func TestFormat(t *testing.T) {
	const want = `{"v":1,"kind":"decision","id":"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a",` +
		`"day":"2026-11-28","subject":"message","measures":["DECISION_VISIBILITY_CONTENT_REMOVED"],` +
		`"ground":"DECISION_GROUND_INCOMPATIBLE_CONTENT",` +
		`"decided":"AUTOMATED_DECISION_NOT_AUTOMATED","territory":["AT","DE"],"items":1,"persons":2,` +
		`"commitment":"33796ac3b65f02e44d785082cb00497474f1e717620447e0ffe0226197a7406e"}`
	got, err := sample().Encode()
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s", got)
	}
}

func TestParseTakesWhatEncodeWrites(t *testing.T) {
	word := rapid.StringMatching(`[A-Z_]{1,20}`)
	rapid.Check(t, func(t *rapid.T) {
		e := sample()
		e.Kind = rapid.SampledFrom(Kinds()).Draw(t, "kind")
		e.Subject, e.Reason = word.Draw(t, "subject"), word.Draw(t, "reason")
		e.Minutes = rapid.Int64Range(0, 1<<40).Draw(t, "minutes")
		e.Day = Day(time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "time"), 0))
		b, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse(b)
		if err != nil || !reflect.DeepEqual(back, e) {
			t.Fatalf("%s: %v", b, err)
		}
		// One byte changed is another entry or none, but never the same entry written otherwise.
		at := rapid.IntRange(0, len(b)-1).Draw(t, "at")
		other := bytes.Clone(b)
		other[at] ^= 1 << rapid.IntRange(0, 6).Draw(t, "bit")
		if back, err := Parse(other); err == nil && reflect.DeepEqual(back, e) {
			t.Fatalf("%s is read like %s", other, b)
		}
	})
}

func TestRefusesWhatIsNotInTheFormat(t *testing.T) {
	b, err := sample().Encode()
	if err != nil {
		t.Fatal(err)
	}
	good := string(b)
	for name, bad := range map[string]string{
		"white space":    strings.Replace(good, `"v":1,`, `"v": 1,`, 1),
		"unknown member": strings.Replace(good, `"v":1,`, `"v":1,"name":"x",`, 1),
		"other order": strings.Replace(good, `"v":1,"kind":"decision",`,
			`"kind":"decision","v":1,`, 1),
		"repeated":      strings.Replace(good, `"v":1,`, `"v":1,"v":1,`, 1),
		"free text":     strings.Replace(good, `"message"`, `"a message of somebody"`, 1),
		"other version": strings.Replace(good, `"v":1`, `"v":2`, 1),
		"unsorted":      strings.Replace(good, `"AT","DE"`, `"DE","AT"`, 1),
		"no such day":   strings.Replace(good, `2026-11-28`, `2026-02-30`, 1),
		"trailing":      good + " ",
		"second object": good + good,
		"escaped":       strings.Replace(good, `"message"`, `"mess\u0061ge"`, 1),
		"nothing":       "",
	} {
		if _, err := Parse([]byte(bad)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCommit(t *testing.T) {
	a := Commit([SaltSize]byte{1}, []byte("x"))
	if a == Commit([SaltSize]byte{2}, []byte("x")) || a == Commit([SaltSize]byte{1}, []byte("y")) {
		t.Error("two records or two salts have one commitment")
	}
}

func FuzzParse(f *testing.F) {
	b, _ := sample().Encode()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := Parse(b)
		if err != nil {
			return
		}
		again, err := e.Encode()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%q is written as %q: %v", b, again, err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	raw, _ := sample().Encode()
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}
