// Package hotline is the door of trusted flaggers and other hotlines: pages for their officers and
// an interface for their programs, which can do the same. It takes in what they report and shows
// what became of each thing, with what proves it; what time they were promised and what it took;
// how their word has held, and what followed from misuse. It decides nothing.
//
// Everything is the agency's own: what is another's is answered like what does not exist. All pages
// work without scripts.
//
// https://eur-lex.europa.eu/eli/reg/2022/2065/oj
package hotline

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/appeal"
	"parley/internal/safety/decide"
	"parley/internal/safety/hotline"
	"parley/internal/safety/ledger"
	"parley/internal/safety/statement"
	"parley/internal/store"
	"parley/internal/tlog/verify"
	"parley/internal/web/officer"
	"parley/internal/web/page"
)

// files are the pages and their texts.
//
//go:embed all:pages texts
var files embed.FS

// Rooms are what the door stands on.
type Rooms struct {
	Site       *page.Site
	Store      *store.Store
	Clock      clock.Clock
	Door       *officer.Door
	Hotlines   *hotline.Service
	Statements *statement.Service
	References safety.References
	// Receipt proves that a line is in the public log; ledger.ErrWaiting says that it is too early.
	Receipt func(context.Context, ids.Peer, int64, ledger.Kind) (verify.Receipt, error)
}

// Pages serves the pages and the interface.
type Pages struct {
	Rooms
	set *page.Set
}

// New reads the pages.
func New(r Rooms) (*Pages, error) {
	set, err := r.Site.Set(files, officer.Shell(), safety.Texts())
	if err != nil {
		return nil, err
	}
	return &Pages{r, set}, nil
}

// Paths of the pages and of the interface.
const (
	home      = "/hotline"
	submitAt  = home + "/submit"
	figuresAt = home + "/figures"
	measureAt = home + "/measures"
	api       = home + "/api/v1"
)

// mostBytes is the largest submission in bytes: a thousand items with an explanation each.
const mostBytes = 4 << 20

// flags tells whether the door is an agency's: authorities have another.
func flags(a agency.Agency) bool { return !a.Kind.Official() }

// Mount adds the pages and the interface to a mux.
func (p *Pages) Mount(mux *http.ServeMux) {
	access := officer.Access{May: flags, Tabs: []officer.Tab{
		{Path: home, Text: "hotline.tab"}, {Path: figuresAt, Text: "figures.tab"},
		{Path: measureAt, Text: "measures.tab"}, officer.HookTab(),
	}}
	large := access
	large.Bytes = mostBytes
	for route, h := range map[string]officer.Handler{
		"GET " + home:                        p.home,
		"GET " + home + "/item/{ref}":        p.submission,
		"GET " + home + "/item/{ref}/proof":  p.proof,
		"GET " + home + "/item/{ref}/end":    p.proof,
		"GET " + figuresAt:                   p.figures,
		"GET " + measureAt:                   p.measures,
		"POST " + measureAt + "/{id}/appeal": p.complain,
	} {
		mux.Handle(route, p.Door.Handle(access, h))
	}
	mux.Handle("POST "+submitAt, p.Door.Handle(large, p.submit))
	for route, h := range map[string]officer.ProgramHandler{
		"POST " + api + "/submissions":             p.apiSubmit,
		"GET " + api + "/submissions":              p.apiSubmissions,
		"GET " + api + "/submissions/{ref}":        p.apiSubmission,
		"GET " + api + "/items/{ref}":              p.apiItem,
		"GET " + api + "/items/{ref}/receipt":      p.apiProof,
		"GET " + api + "/items/{ref}/receipt/end":  p.apiProof,
		"GET " + api + "/decided":                  p.apiDecided,
		"GET " + api + "/figures":                  p.apiFigures,
		"GET " + api + "/measures":                 p.apiMeasures,
		"POST " + api + "/measures/{id}/complaint": p.apiComplain,
	} {
		mux.Handle(route, p.Door.Program(mostBytes, own(h)))
	}
}

// own keeps authorities out of the interface, which is not theirs.
func own(h officer.ProgramHandler) officer.ProgramHandler {
	return func(w http.ResponseWriter, r *http.Request, of agency.Agency) error {
		if !flags(of) {
			return page.ErrNotFound
		}
		return missing(h(w, r, of))
	}
}

// missing is what is not there, or not the agency's, as the error of a page.
func missing(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return page.ErrNotFound
	}
	return err
}

// receipt is the proof that the decision about an item is in the public log, or its end is.
// ledger.ErrWaiting says that it is too early, store.ErrNotFound that there is none. Whom the
// decision hit is not the notifier's to know: the proof does not open its record.
func (p *Pages) receipt(r *http.Request, i hotline.Item, end bool) (out []byte, err error) {
	if i.Report == 0 || i.Decision == 0 {
		return nil, store.ErrNotFound
	}
	var d decide.Decision
	err = p.Store.View(r.Context(), func(rd *store.Reader) error {
		v, err := p.Statements.Page(rd, p.report(i), "en")
		d = v.Decision
		return err
	})
	if errors.Is(err, statement.ErrBarred) || errors.Is(err, appeal.ErrNothing) {
		return nil, store.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	kind := ledger.Decision
	switch {
	case end && (d.State == decide.Lifted || d.State == decide.Superseded):
		kind = ledger.Lift
	case end && d.State == decide.Expired:
		kind = ledger.Expiry
	case end:
		return nil, store.ErrNotFound
	case d.State == decide.NoAction:
		kind = ledger.NoAction
	}
	proof, err := p.Receipt(r.Context(), d.Subject.Peer, d.ID, kind)
	if err != nil {
		return nil, err
	}
	proof.Salt, proof.Record = nil, nil
	if out, err = json.MarshalIndent(proof, "", "  "); err != nil {
		return nil, fmt.Errorf("hotline: receipt: %w", err)
	}
	return append(out, '\n'), nil
}

// report is the reference of the report that an item became: its page has the reasons, the way to
// complain, and the receipts of that.
func (p *Pages) report(i hotline.Item) string {
	return p.References.Make(safety.ReportRef, i.Subject, i.Report)
}

// sendReceipt answers with a receipt as a file.
func (p *Pages) sendReceipt(
	w http.ResponseWriter, r *http.Request, i hotline.Item, body []byte,
) error {
	name := "receipt-" + p.Hotlines.Reference(i) + ".json"
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	p.Site.JSON(w, r, http.StatusOK, body)
	return nil
}
