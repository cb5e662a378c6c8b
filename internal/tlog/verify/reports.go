package verify

import (
	"errors"

	"golang.org/x/mod/sumdb/note"

	"parley/internal/tlog/entry"
	"parley/internal/tlog/report"
)

// Paths of the published files of a day's report.
const (
	ReportsDir = "reports"
	reportMost = 8 << 20
)

// ReportFile is the path of a report's file; suffix is json, csv or note.
func ReportFile(day, suffix string) string { return ReportsDir + "/" + day + "." + suffix }

// report recomputes the report that an entry is of.
func (p *pass) report(e entry.Entry) error {
	r, err := p.out.Book.Report(e.Day)
	if err != nil {
		return err
	}
	want, err := r.JSON()
	if err != nil {
		return err
	}
	if entry.Digest(want) != e.Commitment {
		return p.figure(e.Day, r, "the log commits to a report that its entries do not add up to")
	}
	if !p.check.Reports {
		return nil
	}
	table, err := r.CSV()
	if err != nil {
		return err
	}
	for _, f := range []struct {
		suffix string
		want   []byte
	}{{"json", want}, {"csv", table}} {
		got, err := p.file(ReportFile(e.Day, f.suffix))
		if err != nil {
			return err
		}
		if string(got) != string(f.want) {
			return p.figure(e.Day, r, "the published file is not what the entries add up to")
		}
	}
	return p.signed(r)
}

// file reads a file of a report, which has to be there.
func (p *pass) file(at string) ([]byte, error) {
	b, err := p.check.Source.Get(p.ctx, at, reportMost)
	var bad *Finding
	switch {
	case errors.Is(err, ErrMissing):
		return nil, finding(BadReport, at, "it is missing")
	case errors.As(err, &bad):
		return nil, finding(BadReport, at, "%s", bad.Why)
	}
	return b, err
}

// signed checks that the log's key signed a report.
func (p *pass) signed(r report.Report) error {
	at := ReportFile(r.Day, "note")
	b, err := p.file(at)
	if err != nil {
		return err
	}
	n, err := note.Open(b, note.VerifierList(p.check.Keys.Log...))
	if err != nil {
		return finding(BadReport, at, "no signature by the log's key: %v", err)
	}
	if !strict(b[len(n.Text):]) {
		return finding(BadReport, at, "a signature is not in its only form")
	}
	want, err := r.Note()
	if err != nil {
		return err
	}
	if n.Text != want {
		return finding(BadReport, at, "it signs something else than the report of that day")
	}
	return nil
}

// figure names the first figure of a published report that is not as it was recomputed.
func (p *pass) figure(day string, want report.Report, why string) error {
	at := ReportFile(day, "json")
	b, err := p.check.Source.Get(p.ctx, at, reportMost)
	if err != nil {
		return finding(BadReport, day, "%s", why)
	}
	got, err := report.Parse(b)
	if err != nil {
		return finding(BadReport, at, "%v", err)
	}
	list, err := report.Differences(want, got)
	if err != nil || len(list) == 0 {
		return finding(BadReport, at, "%s", why)
	}
	return finding(BadReport, at, "%s is %s, and the entries add up to %s",
		list[0].Figure, list[0].Is, list[0].Was)
}
