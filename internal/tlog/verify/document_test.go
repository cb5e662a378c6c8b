package verify_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"parley/internal/tlog/entry"
	"parley/internal/tlog/verify"
)

// class is what a finding is of, empty for none.
func class(t *testing.T, err error) verify.What {
	t.Helper()
	var bad *verify.Finding
	if err != nil && !errors.As(err, &bad) {
		t.Fatal(err)
	}
	if bad == nil {
		return ""
	}
	return bad.What
}

// TestDocumentsAreChecked: a published document that is missing, or another than was published, is
// named.
func TestDocumentsAreChecked(t *testing.T) {
	a := newAuthor(t)
	terms := []byte("Be kind.\n")
	at := verify.DocumentFile(entry.Digest(terms))
	a.add(entry.Entry{
		Kind: entry.Publication, Day: "2026-11-01", Subject: "terms", Lang: "EN",
		Commitment: entry.Digest(terms),
	})
	a.report("2026-11-01")
	f := a.publish()
	for _, x := range []struct {
		body []byte
		want verify.What
	}{{nil, verify.BadDocument}, {[]byte("Be rude.\n"), verify.BadDocument}, {terms, ""}} {
		if x.body != nil {
			f[at] = x.body
		}
		r, err := a.check(f, verify.Seen{})
		if got := class(t, err); got != x.want {
			t.Errorf("%q: %q, not %q: %v", x.body, got, x.want, err)
		}
		if err == nil && r.Newest["terms"].Day != "2026-11-01" {
			t.Errorf("the newest documents: %+v", r.Newest)
		}
	}
}

// person is the key of somebody who signs statements.
func person(t *testing.T, name string) (note.Signer, note.Verifier) {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	list, err := verify.Persons([]string{public})
	if err != nil {
		t.Fatal(err)
	}
	return signer, list[0]
}

// TestCanary: a statement is good until it expires, and only when a person signed it who may, about
// this log, and when the log of then is the beginning of the log of now.
func TestCanary(t *testing.T) {
	signer, known := person(t, "signer.example")
	stranger, _ := person(t, "signer.example")
	now := time.Date(2026, 11, 20, 23, 0, 0, 0, time.UTC)
	for name, x := range map[string]struct {
		change func(c *verify.Canary)
		by     note.Signer
		now    time.Time
		want   verify.What
	}{
		"good":            {},
		"on its last day": {now: time.Date(2026, 11, 30, 23, 59, 0, 0, time.UTC)},
		"expired": {
			now: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), want: verify.BadCanary,
		},
		"by a stranger": {by: stranger, want: verify.BadCanary},
		"about another log": {
			change: func(c *verify.Canary) { c.Origin = "other.example/log" }, want: verify.BadCanary,
		},
		"with another day than its entry": {
			change: func(c *verify.Canary) { c.Until = "2027-11-30" }, want: verify.BadCanary,
		},
		"with a tree that never was": {
			change: func(c *verify.Canary) { c.Root[0] ^= 1 }, want: verify.Fork,
		},
		"with a tree that is not yet": {
			change: func(c *verify.Canary) { c.Size = 1000 }, want: verify.Rollback,
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuthor(t)
			for range 3 {
				a.add(entry.Entry{Kind: entry.Decision, Day: "2026-11-19"})
			}
			root, err := tlog.TreeHash(3, a.reader())
			if err != nil {
				t.Fatal(err)
			}
			c := verify.Canary{
				Origin: origin, Day: "2026-11-19", Until: "2026-11-30", Size: 3, Root: root,
				Text: "No authority has asked us for keys.\n\nNor for silence.",
			}
			if x.change != nil {
				x.change(&c)
			}
			by := signer
			if x.by != nil {
				by = x.by
			}
			raw, err := c.Sign(by)
			if err != nil {
				t.Fatal(err)
			}
			a.add(entry.Entry{
				Kind: entry.Publication, Day: "2026-11-19", Subject: verify.CanaryName,
				Ends: "2026-11-30", Commitment: entry.Digest(raw),
			})
			f := a.publish()
			f[verify.DocumentFile(entry.Digest(raw))] = raw
			r, err := a.check(f, verify.Seen{})
			if err != nil {
				t.Fatal(err)
			}
			when := now
			if !x.now.IsZero() {
				when = x.now
			}
			got, err := r.Canary(context.Background(), f, []note.Verifier{known}, when)
			if class(t, err) != x.want {
				t.Errorf("%v", err)
			}
			if err == nil && (got.Text != c.Text || got.Signer != "signer.example") {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestNoCanary: a log without a statement has no good one, and what is not in the form of one is not
// signed.
func TestNoCanary(t *testing.T) {
	a := newAuthor(t)
	a.add(entry.Entry{Kind: entry.Decision, Day: "2026-11-19"})
	f := a.publish()
	r, err := a.check(f, verify.Seen{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Canary(context.Background(), f, nil, time.Now()); class(t, err) != verify.BadCanary {
		t.Errorf("%v", err)
	}
	signer, _ := person(t, "signer.example")
	good := verify.Canary{Origin: origin, Day: "2026-11-19", Until: "2026-11-30", Size: 1, Text: "x"}
	for name, change := range map[string]func(c *verify.Canary){
		"no text": func(c *verify.Canary) { c.Text = " \n" },
		"no day":  func(c *verify.Canary) { c.Until = "soon" },
		"no tree": func(c *verify.Canary) { c.Size = 0 },
		"lines":   func(c *verify.Canary) { c.Origin = strings.Repeat("x\n", 3) },
	} {
		c := good
		change(&c)
		if _, err := c.Sign(signer); class(t, err) != verify.BadCanary {
			t.Errorf("%s: %v", name, err)
		}
	}
}
