package console

import (
	"net/http"
	"slices"
	"strings"
)

// again answers a form that could not be done with the page on which it stands, as that is now: it
// says above all what was wrong, and what was typed is still in it. What has no such page, and who
// may not see it, gets the page of the problem.
func (v *visit) again(p problem) error {
	at, ok := v.pageOf()
	if !ok || at.power != signedIn && !v.may(at.power) {
		return p.show(v)
	}
	if at.action != "" {
		if err := v.Staff.Record(v.r.Context(), v.act(at.action, "")); err != nil {
			return err
		}
	}
	x := *v
	x.row, x.wrong = at, &p
	if err := at.serve(&x); err != nil {
		return p.show(v) // the page is gone, or is his no more
	}
	return nil
}

// pageOf is the page on which the form of the visit stands: the nearest one above its path.
func (v *visit) pageOf() (row, bool) {
	if v.r.Method != http.MethodPost || v.wrong != nil || v.row.power == anybody {
		return row{}, false
	}
	table := v.table()
	for at := v.row.path; ; {
		cut := strings.LastIndexByte(at, '/')
		if cut <= 0 {
			return row{}, false
		}
		at = at[:cut]
		i := slices.IndexFunc(table, func(x row) bool {
			return x.method == http.MethodGet && x.path == at
		})
		if i >= 0 {
			return table[i], true
		}
	}
}

// Problem is the key of what was wrong with the form that was sent, empty when nothing was.
func (f frame) Problem() string {
	if f.v.wrong == nil {
		return ""
	}
	return f.v.wrong.key
}

// Typed is what stood in a field of the form that posts to a path, when it could not be done.
func (f frame) Typed(at, field string) string {
	if !f.Tried(at) {
		return ""
	}
	return f.v.r.PostFormValue(field)
}

// Tried tells whether the form that posts to a path was just sent, and could not be done.
func (f frame) Tried(at string) bool { return f.v.wrong != nil && f.v.r.URL.Path == at }

// keptRunes is from which length on a field is somebody's own words, which are shown to him when
// they were not taken.
const keptRunes = 10

// Kept are the words that the visitor typed into the form that could not be done. He can copy them
// even where the form itself is not on the page any more.
func (f frame) Kept() (out []string) {
	if f.v.r.Method != http.MethodPost || f.v.row.power == anybody {
		return nil
	}
	own := []string{"why", "text", "note", "spoke", "purpose", "manifest", "facts", "explanation"}
	for _, name := range own {
		if s := strings.TrimSpace(f.v.r.PostFormValue(name)); len(s) >= keptRunes {
			out = append(out, s)
		}
	}
	return out
}
