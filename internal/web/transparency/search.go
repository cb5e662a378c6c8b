package transparency

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"golang.org/x/text/language"

	"parley/internal/safety"
	"parley/internal/tlog/archive"
	"parley/internal/tlog/entry"
	"parley/internal/web/page"
)

// searchPage is how many lines one page of a search has.
const searchPage = 20

// field is one field of the form of the search.
type field struct {
	Name, Value string
	// Options are the words that it may have, none for a text.
	Options []string
	// Wrong is the key of what is wrong with it.
	Wrong string
}

// searchView is what the page of the search shows.
type searchView struct {
	Fields []field
	// Found is nil where Problem says that a field is wrong.
	Found   *archive.Result
	Problem bool
}

// fields are those of the form with what was typed into them.
func fields(typed url.Values) []field {
	kinds := []string{}
	for _, k := range entry.Kinds() {
		kinds = append(kinds, string(k))
	}
	categories := []string{}
	for _, c := range safety.Categories() {
		categories = append(categories, string(c))
	}
	list := []field{
		{Name: "kind", Options: kinds},
		{Name: "subject", Options: subjects()},
		{Name: "measure", Options: measures()},
		{Name: "ground", Options: []string{string(safety.Illegal), string(safety.Incompatible)}},
		{Name: "category", Options: categories},
		{Name: "decided", Options: []string{byMachine, byPeople}},
		{Name: "country"}, {Name: "from"}, {Name: "to"},
	}
	for i := range list {
		list[i].Value = typed.Get(list[i].Name)
	}
	return list
}

// Words of the field "decided".
const (
	byMachine = "machine"
	byPeople  = "people"
)

// subjects are the words for what a line can be about.
func subjects() (out []string) {
	for k := safety.Account; k <= safety.Reaction; k++ {
		out = append(out, k.String())
	}
	return out
}

// measures are the words for measures in entries.
func measures() (out []string) {
	for _, m := range safety.Measures() {
		for k := safety.Account; k <= safety.Reaction; k++ {
			word := m.Restriction(k).Value
			if m.Fits(k) && !slices.Contains(out, word) {
				out = append(out, word)
			}
		}
	}
	return out
}

// check tells what is wrong with a field, the key of a text.
func (f field) check() string {
	switch {
	case f.Value == "":
		return ""
	case f.Options != nil && !slices.Contains(f.Options, f.Value):
		return "wrong.value"
	case f.Name == "country" && !isCountry(f.Value):
		return "wrong.country"
	case f.Name == "from" || f.Name == "to":
		if _, err := time.Parse(time.DateOnly, f.Value); err != nil {
			return "wrong.day"
		}
	}
	return ""
}

// isCountry tells whether a text is the ISO 3166-1 code of a country.
func isCountry(code string) bool {
	r, err := language.ParseRegion(code)
	return err == nil && r.String() == code && r.IsCountry() && len(code) == 2
}

// errBelow says that a link of a search was changed.
var errBelow = errors.New("transparency: no such place in the log")

// query reads what is looked for. What is wrong stands in the fields.
func query(typed url.Values) (q archive.Query, list []field, err error) {
	list = fields(typed)
	ok := true
	for i := range list {
		list[i].Wrong = list[i].check()
		ok = ok && list[i].Wrong == ""
	}
	value := func(name string) string { return typed.Get(name) }
	if from, to := value("from"), value("to"); ok && from != "" && to != "" && from > to {
		list[len(list)-1].Wrong, ok = "wrong.order", false
	}
	q = archive.Query{
		Kind: entry.Kind(value("kind")), Subject: value("subject"), Measure: value("measure"),
		Ground: value("ground"), Category: value("category"), Country: value("country"),
		From: value("from"), To: value("to"), Limit: searchPage,
		Automated: value("decided") == byMachine, People: value("decided") == byPeople,
	}
	if below := value("below"); below != "" {
		q.Below, err = strconv.ParseInt(below, 10, 64)
		if err != nil || q.Below <= 0 {
			return q, list, errBelow
		}
	}
	if !ok {
		err = errFields
	}
	return q, list, err
}

// errFields says that a field of the search has what it may not have.
var errFields = errors.New("transparency: a field is wrong")

// search is the page on which lines of the log are looked for.
func (p *Pages) search(w http.ResponseWriter, r *http.Request) error {
	q, list, err := query(r.URL.Query())
	body := searchView{Fields: list}
	switch {
	case errors.Is(err, errBelow):
		return page.ErrNotFound
	case errors.Is(err, errFields):
		body.Problem = true
		return p.set.Render(w, r, http.StatusBadRequest, "search", body)
	}
	found, err := p.Archive.Search(r.Context(), q)
	if err != nil {
		return err
	}
	body.Found = &found
	return p.show(w, r, "search", body)
}

// Same are the parameters of this search, as name, value.
func (v searchView) Same() (out []string) {
	for _, f := range v.Fields {
		if f.Value != "" {
			out = append(out, f.Name, f.Value)
		}
	}
	return out
}

// Older are the parameters of its next page.
func (v searchView) Older() []string {
	return append(v.Same(), "below", strconv.FormatInt(v.Found.Next, 10))
}

// foundJSON is a search for programs.
type foundJSON struct {
	Log     string        `json:"log"`
	Entries int64         `json:"entries"`
	Hits    []archive.Hit `json:"hits"`
	// Next is the address of the rest, empty at the end.
	Next string `json:"next,omitempty"`
}

// searchJSON is the search for programs.
func (p *Pages) searchJSON(w http.ResponseWriter, r *http.Request) error {
	q, list, err := query(r.URL.Query())
	if err != nil {
		problem := map[string]string{"error": "no such place in the log"}
		for _, f := range list {
			if f.Wrong != "" {
				problem = map[string]string{
					"error": p.set.Texts().Get(page.Fallback, f.Wrong), "field": f.Name,
				}
			}
		}
		return p.json(w, r, http.StatusBadRequest, problem)
	}
	found, err := p.Archive.Search(r.Context(), q)
	if err != nil {
		return err
	}
	out := foundJSON{Log: p.Log.Origin, Entries: p.Archive.Size(), Hits: found.Hits}
	if out.Hits == nil {
		out.Hits = []archive.Hit{}
	}
	if found.Next != 0 {
		more := url.Values{}
		params := searchView{Fields: list, Found: &found}.Older()
		for i := 0; i < len(params); i += 2 {
			more.Set(params[i], params[i+1])
		}
		out.Next = p.Site.URL("/transparency/search.json?" + more.Encode())
	}
	return p.json(w, r, http.StatusOK, out)
}

// entryView is what the page of one line shows.
type entryView struct {
	archive.Hit
	Raw string
}

// place is the number of a line in an address.
func (p *Pages) place(r *http.Request, text string) (archive.Hit, []byte, error) {
	index, err := strconv.ParseInt(text, 10, 64)
	if err != nil || strconv.FormatInt(index, 10) != text {
		return archive.Hit{}, nil, page.ErrNotFound
	}
	e, raw, err := p.Archive.Entry(r.Context(), index)
	if errors.Is(err, archive.ErrNoEntry) {
		err = page.ErrNotFound
	}
	return archive.Hit{Index: index, Entry: e}, raw, err
}

// entry is the page of one line.
func (p *Pages) entry(w http.ResponseWriter, r *http.Request) error {
	name, asJSON := cutJSON(r.PathValue("index"))
	hit, raw, err := p.place(r, name)
	if err != nil {
		return err
	}
	if asJSON {
		return p.json(w, r, http.StatusOK, hit)
	}
	return p.show(w, r, "entry", entryView{hit, string(raw)})
}

// proof is the receipt of a line, for everybody: it opens nothing.
func (p *Pages) proof(w http.ResponseWriter, r *http.Request) error {
	hit, _, err := p.place(r, r.PathValue("index"))
	if err != nil {
		return err
	}
	receipt, err := p.Log.Receipt(r.Context(), hit.Index)
	if err != nil {
		return err
	}
	name := "receipt-" + strconv.FormatInt(hit.Index, 10) + ".json"
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	return p.json(w, r, http.StatusOK, receipt)
}
