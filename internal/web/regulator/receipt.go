package regulator

import (
	"fmt"
	"net/http"
	"strconv"

	"parley/internal/safety/inquiry"
	"parley/internal/web/officer"
	"parley/internal/web/page"
)

// handed is a file that is handed out.
type handed struct {
	name, kind string
	body       []byte
}

// hand hands out a file about a line of a dialogue that has a receipt.
func (p *Pages) hand(
	what func(dialogue, inquiry.Line, *officer.Visit) (handed, error),
) officer.Handler {
	return func(w http.ResponseWriter, r *http.Request, v *officer.Visit) error {
		d, err := p.find(r, v)
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
		if err != nil {
			return page.ErrNotFound
		}
		for _, l := range d.Said {
			if l.N != n || l.Receipt == nil {
				continue
			}
			f, err := what(d, l, v)
			if err != nil {
				return fmt.Errorf("regulator: %w", err)
			}
			w.Header().Set("Content-Disposition", `attachment; filename="`+f.name+`"`)
			p.Site.Bytes(w, r, http.StatusOK, f.kind, f.body)
			return nil
		}
		return page.ErrNotFound
	}
}

// named is the name of a file about a line.
func (p *Pages) named(what string, d dialogue, l inquiry.Line, ending string) string {
	return fmt.Sprintf("%s-%s-%d.%s", what, p.Inquiries.Reference(d.Inquiry), l.N, ending)
}

// receipt is the signed receipt, message the file that it is about, printed its pages.
func (p *Pages) receipt(d dialogue, l inquiry.Line, _ *officer.Visit) (handed, error) {
	return handed{p.named("receipt", d, l, "txt"), "text/plain; charset=utf-8", l.Receipt}, nil
}

func (p *Pages) message(d dialogue, l inquiry.Line, _ *officer.Visit) (handed, error) {
	b, err := p.Inquiries.Document(d.Inquiry, l)
	return handed{p.named("message", d, l, "json"), "application/json", b}, err
}

func (p *Pages) printed(d dialogue, l inquiry.Line, v *officer.Visit) (handed, error) {
	b, err := p.Print(l.Receipt, v.Agency().Lang)
	return handed{p.named("receipt", d, l, "pdf"), "application/pdf", b}, err
}
