package contact

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"parley/internal/safety/country"
	"parley/internal/safety/door"
	"parley/internal/safety/instrument"
	"parley/internal/web/page"
)

// choice is a line of a menu.
type choice struct {
	Value, Text string
	Chosen      bool
}

// guided is what the page of the guide shows.
type guided struct {
	Countries, Requesters, Purposes []choice
	// Asked is set when all three were chosen, Wrong are those that do not exist.
	Asked     bool
	Wrong     []string
	Route     door.Route
	At        Place
	Entry     entry
	Within    string
	Country   string
	Languages []page.Language
	// Question is what was asked.
	Question question
}

// question is what somebody asks the guide.
type question struct {
	Country   country.Code
	Requester instrument.Requester
	Purpose   instrument.Purpose
}

// letter is the form for a letter about it, a path of the site.
func (q question) letter() string {
	known := url.Values{}
	for name, value := range map[string]string{
		"country": string(q.Country), "requester": string(q.Requester),
		"purpose": string(q.Purpose),
	} {
		if value != "" {
			known.Set(name, value)
		}
	}
	return writePath + "?" + known.Encode()
}

// asked reads a question from a request.
func asked(r *http.Request) question {
	return question{
		country.Code(r.FormValue("country")), instrument.Requester(r.FormValue("requester")),
		instrument.Purpose(r.FormValue("purpose")),
	}
}

// wrong are the parts of a question that do not exist, by their names.
func (q question) wrong() (out []string) {
	for _, x := range []struct {
		name string
		ok   bool
	}{
		{"country", q.Country.Valid()},
		{"requester", slices.Contains(instrument.Requesters(), q.Requester)},
		{"purpose", slices.Contains(instrument.Purposes(), q.Purpose)},
	} {
		if !x.ok {
			out = append(out, x.name)
		}
	}
	return out
}

// where answers with the page of the guide.
func (p *Pages) where(w http.ResponseWriter, r *http.Request) error {
	q := asked(r)
	lang, _ := page.LanguageOf(r)
	out := guided{
		Countries: countries(lang.Code, q.Country), Languages: p.said.Languages,
		Requesters: menu(p, r, "requester.", instrument.Requesters(), q.Requester),
		Purposes:   menu(p, r, "purpose.", instrument.Purposes(), q.Purpose),
	}
	status := http.StatusOK
	if q != (question{}) {
		route, err := p.r.Guide.Route(q.Country, q.Requester, q.Purpose)
		switch {
		case errors.Is(err, door.ErrUnknown):
			out.Wrong, status = q.wrong(), http.StatusUnprocessableEntity
		case err != nil:
			return err
		default:
			out.Asked, out.Route, out.At = true, route, p.address(route.Door)
			if out.At.Text == p.r.Site.URL(writePath) {
				out.At = Place{} // the page leads there anyway, with what is known filled in
			}
			out.Entry = p.entry(route.Door)
			out.Within = p.r.Guide.Within(lang.Code, route.Period)
			out.Country = q.Country.Name(lang.Code)
			out.Question = q
		}
	}
	return p.set.Render(w, r, status, "where", out)
}

// menu is a menu of words that have texts.
func menu[T ~string](p *Pages, r *http.Request, key string, words []T, chosen T) (out []choice) {
	for _, w := range words {
		out = append(out, choice{string(w), p.set.Text(r, key+string(w)), w == chosen})
	}
	return out
}

// countries is the menu of all countries, by name as the language sorts.
func countries(lang string, chosen country.Code) []choice {
	list := byName{order: collate.New(language.Make(lang))}
	for _, c := range country.All() {
		list.choices = append(list.choices, choice{string(c), c.Name(lang), c == chosen})
	}
	list.order.Sort(list)
	return list.choices
}

// byName are choices that are sorted by their text.
type byName struct {
	choices []choice
	order   *collate.Collator
}

// Len, Swap and Bytes make a list that a collator sorts.
func (b byName) Len() int           { return len(b.choices) }
func (b byName) Swap(i, j int)      { b.choices[i], b.choices[j] = b.choices[j], b.choices[i] }
func (b byName) Bytes(i int) []byte { return []byte(b.choices[i].Text) }

// way is the guide's answer for machines.
type way struct {
	Country   country.Code         `json:"country"`
	Requester instrument.Requester `json:"requester"`
	Purpose   instrument.Purpose   `json:"purpose"`
	Door      instrument.Door      `json:"door"`
	Address   string               `json:"address,omitempty"`
	// Portal is where officers with a key come in, Write where those without one write.
	Portal     string         `json:"portal,omitempty"`
	Write      string         `json:"write"`
	Instrument instrumentSaid `json:"instrument"`
	// Answer is the period in which there is an answer.
	Answer periodSaid `json:"answer"`
}

// whereJSON answers a question to the guide for machines.
func (p *Pages) whereJSON(w http.ResponseWriter, r *http.Request) error {
	q := asked(r)
	route, err := p.r.Guide.Route(q.Country, q.Requester, q.Purpose)
	if errors.Is(err, door.ErrUnknown) {
		return p.unknown(w, r, q)
	}
	if err != nil {
		return err
	}
	portal := ""
	if at := p.entry(route.Door).Path; at != "" {
		portal = p.r.Site.URL(at)
	}
	return p.answer(w, r, http.StatusOK, way{
		Portal: portal, Write: p.r.Site.URL(q.letter()),
		Country: q.Country, Requester: q.Requester, Purpose: q.Purpose, Door: route.Door,
		Address: p.address(route.Door).Text, Instrument: sayInstrument(route.Instrument),
		Answer: sayPeriod(route.Period),
	})
}

// problem says what is wrong with a question, with all that could be asked.
//
// https://www.rfc-editor.org/rfc/rfc9457
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	// Invalid are the parts of the question that are missing or none of those listed.
	Invalid    []invalid              `json:"invalid-params"`
	Countries  []country.Code         `json:"countries"`
	Requesters []instrument.Requester `json:"requesters"`
	Purposes   []instrument.Purpose   `json:"purposes"`
}

// invalid is a part of a question: missing, or unknown.
type invalid struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// unknown answers a question to which there is no answer.
func (p *Pages) unknown(w http.ResponseWriter, r *http.Request, q question) error {
	out := problem{
		Title: "There is no such way", Status: http.StatusUnprocessableEntity,
		Countries: country.All(), Requesters: instrument.Requesters(),
		Purposes: instrument.Purposes(),
	}
	wrong := q.wrong()
	for _, name := range wrong {
		reason := "unknown"
		if r.FormValue(name) == "" {
			reason = "missing"
		}
		out.Invalid = append(out.Invalid, invalid{name, reason})
	}
	out.Detail = "not one of those listed: " + strings.Join(wrong, ", ")
	w.Header().Set("Content-Type", "application/problem+json")
	return p.answer(w, r, out.Status, out)
}

// answer answers with JSON that any page may read.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request, status int, what any) error {
	b, err := json.MarshalIndent(what, "", "  ")
	if err != nil {
		return err
	}
	h := w.Header()
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cache-Control", "public, max-age=3600")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(append(b, '\n'))
	}
	return nil
}
