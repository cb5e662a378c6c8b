// Package door says where a request belongs: for every country, kind of requester and purpose
// exactly one instrument, one door and one period. And it says what is done with a request that
// came in at another door: it is passed on, and the sender is told, in his language; never is it
// dropped.
//
// It takes nothing in and judges nothing. Its data are the instruments of safety/instrument.
package door

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"parley/internal/safety/country"
	"parley/internal/safety/instrument"
	"parley/internal/safety/words"
)

// texts are the words for doors, requesters, purposes, instruments, fields and lengths.
//
//go:embed texts
var texts embed.FS

// Texts are the files of the words, for pages.
func Texts() fs.FS { return texts }

// Guide knows the way for everybody. It is safe for concurrent use.
type Guide struct {
	countries   *country.Table
	instruments *instrument.Set
	words       map[string]map[string]string
}

// New makes a guide. An error is one of the embedded texts, and so of the program.
func New(countries *country.Table, instruments *instrument.Set) (*Guide, error) {
	w, err := words.Read(texts, words.Authorities())
	if err != nil {
		return nil, err
	}
	return &Guide{countries, instruments, w}, nil
}

// Route is where a request belongs.
type Route struct {
	Door       instrument.Door
	Instrument instrument.Instrument
	// Period is the one in which the requester has an answer.
	Period instrument.Period
}

// The errors of Route.
var (
	// ErrUnknown: there is no such country, requester or purpose.
	ErrUnknown = errors.New("door: there is no such country, requester or purpose")
	// ErrAmbiguous: the instruments name no way, or more than one.
	ErrAmbiguous = errors.New("door: the instruments do not name exactly one way")
)

// Route is the way for a requester of a country with a purpose. An instrument of the country in
// which the service is established comes before one of some countries, and that before one of all.
func (g *Guide) Route(
	from country.Code, by instrument.Requester, what instrument.Purpose,
) (Route, error) {
	if !from.Valid() || !slices.Contains(instrument.Requesters(), by) ||
		!slices.Contains(instrument.Purposes(), what) {
		return Route{}, ErrUnknown
	}
	facts := g.countries.Facts(from)
	var found []instrument.Instrument
	best := 0
	for _, in := range g.instruments.All() {
		rank := precedence(in, facts)
		if rank == 0 || rank < best || !in.Serving(by, what) {
			continue
		}
		if rank > best {
			best, found = rank, nil
		}
		found = append(found, in)
	}
	if len(found) != 1 {
		return Route{}, fmt.Errorf("%w: %s, %s, %s: %d", ErrAmbiguous, from, by, what, len(found))
	}
	urgency := instrument.Routine
	if what == instrument.Danger {
		urgency = instrument.Life
	}
	period, ok := found[0].Answer(urgency)
	if !ok {
		return Route{}, fmt.Errorf("%w: %s has no answer", ErrAmbiguous, found[0].ID)
	}
	return Route{Door: found[0].Door, Instrument: found[0], Period: period}, nil
}

// precedence is how closely an instrument is bound to a country; 0 is not at all.
func precedence(in instrument.Instrument, f country.Facts) (rank int) {
	for _, group := range in.Issuers {
		switch {
		case !f.In(group):
		case group == country.Home:
			rank = max(rank, 3)
		case group == country.Any:
			rank = max(rank, 1)
		default:
			rank = max(rank, 2)
		}
	}
	return rank
}

// Direction is what happens to a request that has come in somewhere.
type Direction struct {
	// From is the door at which it came in, To is the right one.
	From, To instrument.Door
	Route    Route
}

// Wrong tells whether it came in at the wrong door.
func (d Direction) Wrong() bool { return d.From != d.To }

// Direct says where a request belongs that has come in at a door. What no instrument serves,
// because what its sender wants or who he is could not be made out, goes to the people's door,
// where somebody reads it.
func (g *Guide) Direct(
	at instrument.Door, from country.Code, by instrument.Requester, what instrument.Purpose,
) Direction {
	r, err := g.Route(from, by, what)
	if err != nil {
		return Direction{From: at, To: instrument.PeopleDoor}
	}
	return Direction{From: at, To: r.Door, Route: r}
}

// Say is what the sender of a misdirected request is told, in a language or else in English. It is
// empty for one that came in at the right door.
func (g *Guide) Say(lang string, d Direction) string {
	if !d.Wrong() {
		return ""
	}
	if d.Route.Instrument.ID == "" {
		return fmt.Sprintf(g.word(lang, "redirect.unknown"), g.word(lang, "door."+string(d.From)))
	}
	name := g.Instrument(lang, d.Route.Instrument.ID)
	return fmt.Sprintf(g.word(lang, "redirect.passed"), g.word(lang, "door."+string(d.From)),
		g.word(lang, "door."+string(d.To)), name, g.Within(lang, d.Route.Period))
}

// With says which door a request lies at that came by no wrong one, as what, and how long it takes.
func (g *Guide) With(lang string, r Route) string {
	return fmt.Sprintf(g.word(lang, "redirect.with"), g.Door(lang, r.Door),
		g.Instrument(lang, r.Instrument.ID), g.Within(lang, r.Period))
}

// Door is what a door is called in a language, or else in English.
func (g *Guide) Door(lang string, d instrument.Door) string {
	return g.word(lang, "door."+string(d))
}

// Instrument is what an instrument is called in a language, or else in English.
func (g *Guide) Instrument(lang string, id instrument.ID) string {
	return g.word(lang, "instrument."+string(id))
}

// Within says how long a period is.
func (g *Guide) Within(lang string, p instrument.Period) string {
	key := "within.own"
	if !p.Length.IsZero() {
		key = "within.law"
	}
	return fmt.Sprintf(g.word(lang, key), g.word(lang, "length."+p.Limit().String()))
}

// word is a text in a language, in English where there is none.
func (g *Guide) word(lang, key string) string {
	if text, ok := g.words[lang][key]; ok {
		return text
	}
	return g.words[words.Fallback][key]
}
