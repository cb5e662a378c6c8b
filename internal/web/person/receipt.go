package person

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/decide"
	"parley/internal/safety/ledger"
	"parley/internal/safety/statement"
	"parley/internal/store"
	"parley/internal/web/page"
)

// waitSeconds is after how long it is worth asking again for a receipt that is not there yet.
const waitSeconds = 60

// The lines of the public log of which a concern has receipts, as they stand in addresses.
const (
	ofDecision  = "decision"
	ofEnd       = "end"
	ofComplaint = "complaint"
)

// line is a line of the public log about a concern.
type line struct {
	// Of is which of the concern's lines it is.
	Of      string
	subject ids.Peer
	id      int64
	kind    ledger.Kind
	// sealed says that the receipt must not open what the line commits to: the record of a decision
	// names whom it hit, which is not the notifier's to know.
	sealed bool
}

// Lines are the lines of the public log that whoever holds the reference may have receipts of.
func (c concern) Lines() (out []line) {
	d := c.Decision
	if d.ID == 0 {
		return nil // a report that is not decided
	}
	first := line{Of: ofDecision, subject: d.Subject.Peer, id: d.ID, kind: ledger.Decision,
		sealed: c.Report}
	end := first
	end.Of = ofEnd
	switch d.State {
	case decide.NoAction:
		first.kind = ledger.NoAction
	case decide.Lifted, decide.Superseded:
		end.kind = ledger.Lift
	case decide.Expired:
		end.kind = ledger.Expiry
	}
	out = append(out, first)
	if end.kind != ledger.Decision {
		out = append(out, end)
	}
	if a := c.Appeal; a != nil && a.Decided != 0 && a.State != appeal.Withdrawn {
		out = append(out, line{Of: ofComplaint, subject: a.Subject, id: a.ID, kind: ledger.Appeal})
	}
	return out
}

// Sealed tells whether the receipt of the decision does not say whom it concerns.
func (c concern) Sealed() bool { return c.Report }

// receipt hands out the proof that a line about a concern is in the public log.
func (p *Pages) receipt(
	w http.ResponseWriter, r *http.Request, path string, kind safety.RefKind,
) error {
	ref, err := p.read(r, kind)
	if err != nil {
		return err
	}
	c, err := p.look(r, ref)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, safety.ErrReference) ||
		errors.Is(err, statement.ErrBarred) {
		return p.Site.Miss(r)
	}
	if err != nil {
		return err
	}
	c.Path = path + ref
	of := cmp.Or(r.PathValue("of"), ofDecision)
	for _, l := range c.Lines() {
		if l.Of == of {
			return p.prove(w, r, c, l)
		}
	}
	return page.ErrNotFound
}

// prove answers with the receipt of a line, or says that it is not there yet.
func (p *Pages) prove(w http.ResponseWriter, r *http.Request, c concern, l line) error {
	proof, err := p.Receipt(r.Context(), l.subject, l.id, l.kind)
	switch {
	case errors.Is(err, ledger.ErrWaiting):
		return p.waiting(w, r, c)
	case errors.Is(err, store.ErrNotFound):
		return page.ErrNotFound
	case err != nil:
		return err
	}
	if l.sealed {
		proof.Salt, proof.Record = nil, nil
	}
	body, err := json.MarshalIndent(proof, "", "  ")
	if err != nil {
		return fmt.Errorf("person: receipt: %w", err)
	}
	name := fmt.Sprintf("receipt-%s-%d.json", l.Of, proof.Index)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	p.Site.JSON(w, r, http.StatusOK, append(body, '\n'))
	return nil
}

// waiting says that a line is not published yet: to people on a page, to programs in JSON.
func (p *Pages) waiting(w http.ResponseWriter, r *http.Request, c concern) error {
	w.Header().Set("Retry-After", fmt.Sprint(waitSeconds))
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		body := fmt.Appendf(nil, `{"error":"not published yet","retry_after":%d}`+"\n", waitSeconds)
		p.Site.JSON(w, r, http.StatusServiceUnavailable, body)
		return nil
	}
	return p.set.Render(w, r, http.StatusServiceUnavailable, "waiting", c)
}
