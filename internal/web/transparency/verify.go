package transparency

import (
	"net/http"

	"parley/internal/tlog/entry"
	"parley/internal/web/page"
)

// verifyView is what the script that checks receipts needs: whom to trust, unless the visitor knows
// better, and what it says.
type verifyView struct {
	checkView
	Words []string
	Kinds []entry.Kind
}

// words are the keys of what the script says.
func words() []string {
	return []string{
		"good", "bad", "unchecked", "able", "key", "line", "entry", "seen", "opened", "sealed",
		"checkpoint", "witness", "file", "origin", "index", "proof", "form", "record",
	}
}

// verify is the page on which a browser checks a receipt by itself.
func (p *Pages) verify(w http.ResponseWriter, r *http.Request) error {
	p.public(w)
	set := p.set.With(page.Policy{Scripts: true})
	return set.Render(w, r, http.StatusOK, "verify", verifyView{
		checkView: p.trust(), Words: words(), Kinds: entry.Kinds(),
	})
}
