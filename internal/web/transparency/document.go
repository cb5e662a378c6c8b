package transparency

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sergi/go-diff/diffmatchpatch"

	"parley/internal/tlog/archive"
	"parley/internal/tlog/verify"
	"parley/internal/web/page"
)

// version is one version of a text of the operator's rules.
type version struct {
	Index  int64  `json:"index"`
	Name   string `json:"name"`
	Lang   string `json:"lang"`
	Day    string `json:"day"`
	Digest string `json:"digest"`
	// File is where the text lies.
	File string `json:"file"`
}

// versions are all versions of all texts, the newest first.
func (p *Pages) versions() (out []version) {
	for _, h := range slices.Backward(p.Archive.Documents()) {
		e := h.Entry
		if e.Subject == verify.CanaryName || strings.HasPrefix(e.Subject, verify.FormPrefix) ||
			isOrder(h) {
			continue
		}
		out = append(out, version{
			Index: h.Index, Name: e.Subject, Lang: strings.ToLower(e.Lang), Day: e.Day,
			Digest: e.Commitment, File: p.Site.Path("/log/" + verify.DocumentFile(e.Commitment)),
		})
	}
	return out
}

// rules is the page of all texts with their versions.
func (p *Pages) rules(w http.ResponseWriter, r *http.Request) error {
	byName := map[string][]version{}
	names := []string{}
	for _, v := range p.versions() {
		if byName[v.Name] == nil {
			names = append(names, v.Name)
		}
		byName[v.Name] = append(byName[v.Name], v)
	}
	slices.Sort(names)
	list := make([][]version, len(names))
	for i, name := range names {
		list[i] = byName[name]
	}
	return p.show(w, r, "rules", list)
}

func (p *Pages) rulesJSON(w http.ResponseWriter, r *http.Request) error {
	list := p.versions()
	if list == nil {
		list = []version{}
	}
	return p.json(w, r, http.StatusOK, list)
}

// change is a piece of a text: of both versions, or Old of the one before, or New of this one.
type change struct {
	Text     string
	Old, New bool
}

// ruleView is what the page of one version shows.
type ruleView struct {
	version
	// Before is the version before this one in the same language, nil for the first.
	Before  *version
	Changes []change
	// Missing is set when a file is not where it must be.
	Missing bool
}

// rule is the page of one version, with what changed since the one before.
func (p *Pages) rule(w http.ResponseWriter, r *http.Request) error {
	hit, _, err := p.place(r, r.PathValue("index"))
	if err != nil {
		return err
	}
	list := p.versions()
	at := slices.IndexFunc(list, func(v version) bool { return v.Index == hit.Index })
	if at < 0 {
		return page.ErrNotFound
	}
	body := ruleView{version: list[at]}
	is, err := p.document(r, hit)
	was := ""
	for _, v := range list[at+1:] {
		if err == nil && v.Name == body.Name && v.Lang == body.Lang {
			body.Before = &v
			var before archive.Hit
			if before.Entry, _, err = p.Archive.Entry(r.Context(), v.Index); err == nil {
				was, err = p.document(r, before)
			}
			break
		}
	}
	if err != nil {
		body.Missing = true
		return p.set.Render(w, r, http.StatusInternalServerError, "rule", body)
	}
	if body.Before == nil {
		was = is
	}
	body.Changes = changes(was, is)
	return p.show(w, r, "rule", body)
}

// document reads a published document, which is the one that its entry commits to.
func (p *Pages) document(r *http.Request, h archive.Hit) (string, error) {
	b, err := verify.Document(r.Context(), verify.Dir(p.Log.Dir), h.Entry)
	return string(b), err
}

// word is what changes are told in: a word with the space behind it, or a line's end.
var wordOf = regexp.MustCompile(`[^\s]+[^\S\n]*|\n|[^\S\n]+`)

// changes compares two texts word by word.
func changes(was, is string) (out []change) {
	if was == is {
		return []change{{Text: is}}
	}
	known := map[string]rune{}
	all := map[rune]string{}
	coded := func(text string) (out []rune) {
		for _, w := range wordOf.FindAllString(text, -1) {
			if known[w] == 0 {
				code := rune(len(known) + 1)
				if code >= 0xD800 {
					code += 0x800 // no surrogates: they are no characters
				}
				known[w], all[code] = code, w
			}
			out = append(out, known[w])
		}
		return out
	}
	compare := diffmatchpatch.New()
	a, b := coded(was), coded(is)
	for _, d := range compare.DiffMainRunes(a, b, false) {
		var text strings.Builder
		for _, code := range d.Text {
			if code != utf8.RuneError {
				text.WriteString(all[code])
			}
		}
		out = append(out, change{
			Text: text.String(), Old: d.Type == diffmatchpatch.DiffDelete,
			New: d.Type == diffmatchpatch.DiffInsert,
		})
	}
	return out
}

// The states of a canary statement.
const (
	noCanary      = "none"
	canaryHolds   = "holds"
	canaryExpired = "expired"
	canaryBad     = "bad"
)

// canaryView is what the page of the canary statement shows.
type canaryView struct {
	State  string `json:"state"`
	Day    string `json:"signed,omitempty"`
	Until  string `json:"until,omitempty"`
	Signer string `json:"signer,omitempty"`
	Size   int64  `json:"size,omitempty"`
	Root   string `json:"root,omitempty"`
	Text   string `json:"text,omitempty"`
	Index  int64  `json:"index,omitempty"`
	File   string `json:"file,omitempty"`
	// Persons are the keys of those who may sign.
	Persons []string `json:"persons"`

	trust checkView
}

// Trust is whom to check the statement with.
func (v canaryView) Trust() checkView { return v.trust }

// newestCanary is the newest canary statement, and whether it holds.
func (p *Pages) newestCanary(r *http.Request) (out canaryView) {
	out = canaryView{State: noCanary, Persons: p.Log.Persons, trust: p.trust()}
	for _, h := range slices.Backward(p.Archive.Documents()) {
		if h.Entry.Subject != verify.CanaryName {
			continue
		}
		out.State, out.Index = canaryBad, h.Index
		out.Day, out.Until = h.Entry.Day, h.Entry.Ends
		out.File = p.Site.Path("/log/" + verify.DocumentFile(h.Entry.Commitment))
		raw, err := p.document(r, h)
		if err != nil {
			return out
		}
		c, err := verify.OpenCanary([]byte(raw), p.persons)
		if err != nil || c.Until != h.Entry.Ends || c.Origin != p.Log.Origin {
			return out
		}
		out.State, out.Signer, out.Text = canaryHolds, c.Signer, c.Text
		out.Size, out.Root = c.Size, c.Root.String()
		if c.Expired(p.Clock.Now()) {
			out.State = canaryExpired
		}
		return out
	}
	return out
}

// canary is the page of the canary statement.
func (p *Pages) canary(w http.ResponseWriter, r *http.Request) error {
	return p.show(w, r, "canary", p.newestCanary(r))
}

func (p *Pages) canaryJSON(w http.ResponseWriter, r *http.Request) error {
	return p.json(w, r, http.StatusOK, p.newestCanary(r))
}
