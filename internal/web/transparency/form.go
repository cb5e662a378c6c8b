package transparency

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"parley/internal/tlog/archive"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/verify"
	"parley/internal/web/page"
)

// laws are the forms' laws by the names that docs/forms.md gives them.
var laws = map[string]string{
	"eu-2024-2835": "Regulation (EU) 2024/2835",
	"tco-7":        "Regulation (EU) 2021/784, Art. 7",
	"evidence-28":  "Regulation (EU) 2023/1543, Art. 28",
}

// form is a form that a law prescribes, as it was published for a period.
type form struct {
	Index int64  `json:"index"`
	Name  string `json:"name"`
	// Law is the law that wants it, empty for a form of another name.
	Law    string `json:"law,omitempty"`
	From   string `json:"from"`
	To     string `json:"to"`
	Kind   string `json:"kind"`
	Digest string `json:"digest"`
	// File is where it lies.
	File string `json:"file"`
	// Corrected is set when a later document of the same name and period took its place, and
	// Correction when it took the place of an earlier one.
	Corrected  bool `json:"corrected,omitempty"`
	Correction bool `json:"correction,omitempty"`
}

// formPlace is what is corrected as one: a form and the kind of its file, and the period.
type formPlace struct{ name, from, to string }

// formOf is the form that an entry is about; false for one about something else.
func formOf(h archive.Hit) (f form, place formPlace, ok bool) {
	named, ok := strings.CutPrefix(h.Entry.Subject, verify.FormPrefix)
	at := strings.LastIndexByte(named, '-')
	if h.Entry.Kind != entry.Publication || !ok || at < 0 {
		return f, place, false
	}
	f = form{
		Index: h.Index, Name: named[:at], Law: laws[named[:at]], Kind: named[at+1:],
		From: h.Entry.Day, To: h.Entry.Ends, Digest: h.Entry.Commitment,
	}
	return f, formPlace{named, f.From, f.To}, true
}

// file is the name of the form's file.
func (f form) file() string {
	return strings.Join([]string{f.Name, f.From, f.To, f.Kind}, ".")
}

// list are all versions of all forms, the newest first.
func (p *Pages) list() []form {
	out := []form{}
	first := map[formPlace]int{}
	for _, h := range slices.Backward(p.Archive.Documents()) {
		f, place, ok := formOf(h)
		if !ok {
			continue
		}
		f.File = p.Site.Path(fmt.Sprintf("/transparency/forms/%d/%s", f.Index, f.file()))
		if at, later := first[place]; later {
			f.Corrected, out[at].Correction = true, true
		}
		first[place] = len(out)
		out = append(out, f)
	}
	return out
}

// forms is the page of all forms.
func (p *Pages) forms(w http.ResponseWriter, r *http.Request) error {
	return p.show(w, r, "forms", p.list())
}

func (p *Pages) formsJSON(w http.ResponseWriter, r *http.Request) error {
	return p.json(w, r, http.StatusOK, p.list())
}

// kinds are the content types of forms by the ends of their files' names.
var kinds = map[string]string{
	"csv": "text/csv; charset=utf-8", "json": "application/json; charset=utf-8",
	"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"zip":  "application/zip",
}

// form serves a form's file, which is the one that its entry commits to.
func (p *Pages) form(w http.ResponseWriter, r *http.Request) error {
	hit, _, err := p.place(r, r.PathValue("index"))
	if err != nil {
		return err
	}
	f, _, ok := formOf(hit)
	if !ok || f.file() != r.PathValue("file") || kinds[f.Kind] == "" {
		return page.ErrNotFound
	}
	b, err := verify.Document(r.Context(), verify.Dir(p.Log.Dir), hit.Entry)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="`+f.file()+`"`)
	p.public(w)
	p.Site.Bytes(w, r, http.StatusOK, kinds[f.Kind], b)
	return nil
}
