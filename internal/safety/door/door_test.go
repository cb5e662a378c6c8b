package door

import (
	"errors"
	"strings"
	"testing"

	"parley/internal/safety/country"
	"parley/internal/safety/instrument"
	"parley/internal/safety/words"
)

// guide is the guide of a service that is established in a country.
func guide(t *testing.T, home country.Code) *Guide {
	t.Helper()
	countries, err := country.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	instruments, err := instrument.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(countries.At(home), instruments)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestEverybodyHasOneWay walks all countries, requesters and purposes: each has exactly one way,
// with a period, and every word of it exists in every language. So it is wherever the service is.
func TestEverybodyHasOneWay(t *testing.T) {
	for _, home := range []country.Code{"", "DE", "US", "IS", "VU"} {
		g := guide(t, home)
		ways := 0
		for _, from := range country.All() {
			for _, by := range instrument.Requesters() {
				for _, what := range instrument.Purposes() {
					ways++
					g.walk(t, from, by, what)
				}
			}
		}
		if want := 250 * 12 * 12; ways != want || len(g.words) != len(words.Authorities()) {
			t.Errorf("%d ways in %d languages, not %d", ways, len(g.words), want)
		}
	}
	g := guide(t, "")
	for lang := range g.words {
		for _, by := range instrument.Requesters() {
			g.spoken(t, lang, "requester."+string(by))
		}
		for _, what := range instrument.Purposes() {
			g.spoken(t, lang, "purpose."+string(what))
		}
		for _, field := range instrument.Fields() {
			g.spoken(t, lang, "field."+string(field))
		}
	}
}

// walk wants a requester to have one way, and words for it.
func (g *Guide) walk(
	t *testing.T, from country.Code, by instrument.Requester, what instrument.Purpose,
) {
	t.Helper()
	r, err := g.Route(from, by, what)
	if err != nil {
		t.Fatal(err)
	}
	limit := r.Period.Limit()
	if limit.IsZero() || r.Door == "" || r.Period.Owner != instrument.Ours {
		t.Fatalf("%s %s %s: %+v", from, by, what, r)
	}
	for lang := range g.words {
		g.spoken(t, lang, "door."+string(r.Door))
		g.spoken(t, lang, "instrument."+string(r.Instrument.ID))
		g.spoken(t, lang, "length."+limit.String())
	}
}

// spoken wants a word to exist in a language.
func (g *Guide) spoken(t *testing.T, lang, key string) {
	t.Helper()
	if g.words[lang][key] == "" {
		t.Errorf("%s lacks %s", lang, key)
	}
}

// TestWays are some ways, by their letter.
func TestWays(t *testing.T) {
	for _, c := range []struct {
		home, from country.Code
		by         instrument.Requester
		what       instrument.Purpose
		id         instrument.ID
		door       instrument.Door
		within     string
	}{
		{"", "FR", "authority", "terrorist", "tco-3", "emergency", "1h"},
		{"", "GB", "authority", "terrorist", "order", "authorities", "72h"},
		{"", "KR", "regulator", "illegal", "regulator-list", "authorities", "24h"},
		{"", "DE", "court", "user-data", "epoc", "authorities", "10d"},
		{"DE", "DE", "court", "user-data", "home-order", "authorities", "10d"},
		{"", "DK", "court", "user-data", "order", "authorities", "72h"},
		{"", "DK", "authority", "user-data", "dsa-10", "authorities", "10d"},
		{"", "US", "police", "keep-data", "us-2703f", "authorities", "24h"},
		{"", "IN", "police", "danger", "emergency", "emergency", "1h"},
		{"", "BR", "person", "illegal", "dsa-16", "notice", "72h"},
		{"", "CA", "hotline", "child-abuse", "hotline", "flaggers", "24h"},
		{"", "CN", "security-service", "intercept", "no-handler", "authorities", "10d"},
		{"", "NO", "person", "own-data", "gdpr-15", "people", "1mo"},
	} {
		r, err := guide(t, c.home).Route(c.from, c.by, c.what)
		got := r.Period.Limit().String()
		if err != nil || r.Instrument.ID != c.id || r.Door != c.door || got != c.within {
			t.Errorf("%s %s %s: %s at %s in %s, %v; want %+v", c.from, c.by, c.what,
				r.Instrument.ID, r.Door, got, err, c)
		}
	}
	for _, c := range [][3]string{
		{"QQ", "court", "illegal"}, {"FR", "king", "illegal"}, {"FR", "court", "gossip"},
	} {
		_, err := guide(t, "").Route(country.Code(c[0]), instrument.Requester(c[1]),
			instrument.Purpose(c[2]))
		if !errors.Is(err, ErrUnknown) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// TestWrongDoor: what came in at the wrong door is passed on, and its sender told in his language
// where it is now and how long that takes.
func TestWrongDoor(t *testing.T) {
	g := guide(t, "")
	d := g.Direct(instrument.PeopleDoor, "FR", instrument.Authority, instrument.Terrorist)
	if !d.Wrong() || d.To != instrument.EmergencyDoor {
		t.Fatalf("%+v", d)
	}
	for lang := range g.words {
		said := g.Say(lang, d)
		if !strings.Contains(said, g.words[lang]["length.1h"]) || strings.Contains(said, "%!") ||
			!strings.Contains(said, g.words[lang]["door.emergency"]) {
			t.Errorf("%s: %s", lang, said)
		}
	}
	right := g.Direct(instrument.EmergencyDoor, "FR", instrument.Authority, instrument.Terrorist)
	if right.Wrong() || g.Say("en", right) != "" {
		t.Errorf("the right door: %+v", right)
	}
	lost := g.Direct(instrument.AuthorityDoor, "", instrument.Authority, "")
	if lost.To != instrument.PeopleDoor || g.Say("tlh", lost) == "" {
		t.Errorf("what nobody can make out is dropped: %+v", lost)
	}
}
