package figures

import (
	"time"

	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/decide"
	"parley/internal/safety/intake"
	"parley/internal/store"
	"parley/internal/tlog/tally"
)

// Form is what the report forms of Implementing Regulation (EU) 2024/2835 ask and only the database
// has: notices and complaints as they were made. What was decided is counted from the log; see
// tlog/tally.
type Form struct {
	Notices     map[NoticeClass]*NoticeCount
	Complaints  map[tally.Complaint]*Complaints
	Settlements Complaints
	// NewlyImposed are the measures taken because a notifier complained.
	NewlyImposed int64
	// SuspendedNotifiers are the accounts whose unfounded reports are no longer looked at.
	SuspendedNotifiers int64
}

// NoticeClass is what a notice is counted under: what the notifier said that it is about.
type NoticeClass struct {
	Category, Keyword string
	// Flagged is set for trusted flaggers.
	Flagged bool
}

// NoticeCount counts notices under Article 16 that were received in a time.
type NoticeCount struct {
	// Items are the places that they named.
	Notices, Items int64
	// Decided were decided, Automated of them by machines alone.
	Decided, Automated int64
	// Illegal and Terms led to measures on the ground of the law and of the terms.
	Illegal, Terms int64
	Took           tally.Times
}

// Merge adds others to these.
func (n *NoticeCount) Merge(o NoticeCount) {
	n.Notices += o.Notices
	n.Items += o.Items
	n.Decided += o.Decided
	n.Automated += o.Automated
	n.Illegal += o.Illegal
	n.Terms += o.Terms
	n.Took.Merge(o.Took)
}

// Complaints count complaints or disputes that were made in a time.
type Complaints struct {
	// Omitted ended without a decision; Implemented are settlements that were carried out.
	Total, Upheld, Partly, Reversed, Omitted, Implemented int64
	Took                                                  tally.Times
}

// Merge adds others to these.
func (c *Complaints) Merge(o Complaints) {
	c.Total += o.Total
	c.Upheld += o.Upheld
	c.Partly += o.Partly
	c.Reversed += o.Reversed
	c.Omitted += o.Omitted
	c.Implemented += o.Implemented
	c.Took.Merge(o.Took)
}

func (c *Complaints) add(s appeal.State, from, to int64) {
	c.Total++
	switch s {
	case appeal.Upheld:
		c.Upheld++
	case appeal.Partly:
		c.Partly++
	case appeal.Reversed:
		c.Reversed++
	case appeal.Withdrawn:
		c.Omitted++
	}
	if ruled(s) {
		c.Took.Add(to - from)
	}
}

// OfForm counts for the report forms what was received from one time to before another.
func OfForm(r *store.Reader, from, to time.Time) (out Form, err error) {
	out = Form{
		Notices:    map[NoticeClass]*NoticeCount{},
		Complaints: map[tally.Complaint]*Complaints{},
	}
	for _, count := range []func(*store.Reader, time.Time, time.Time) error{
		out.notices, out.complaints, out.settlements,
	} {
		if err := count(r, from, to); err != nil {
			return out, err
		}
	}
	out.SuspendedNotifiers, err = r.CountStandings(int64(intake.Suspended), from.Unix(),
		to.Unix())
	return out, err
}

// notices counts notices. One that named several places is one, with as many items, which may be
// decided differently.
func (f *Form) notices(r *store.Reader, from, to time.Time) error {
	more, err := further(r, from, to)
	if err != nil {
		return err
	}
	end := safety.FirstID(to)
	for next := safety.FirstID(from); ; {
		list, err := r.Notices(next, end, string(safety.Article16),
			string(safety.TrustedFlagger), page)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, x := range list {
			next = max(next, x.Report+1)
			f.notice(x, !more[x.Report])
		}
	}
}

// further are the reports that are not the first of their notice.
func further(r *store.Reader, from, to time.Time) (map[int64]bool, error) {
	out := map[int64]bool{}
	end := safety.FirstID(to)
	for next := safety.FirstID(from); ; {
		n, err := r.NoticesSince(next, end, page, func(report int64, b []byte) error {
			next = max(next, report+1)
			parts, err := intake.ReadParts(b)
			for _, p := range parts {
				if p.Report != report {
					out[p.Report] = true
				}
			}
			return err
		})
		if err != nil || n == 0 {
			return out, err
		}
	}
}

func (f *Form) notice(x store.NoticeRow, first bool) {
	class := NoticeClass{x.Category, x.Keyword, x.Source == string(safety.TrustedFlagger)}
	n := f.Notices[class]
	if n == nil {
		n = &NoticeCount{}
		f.Notices[class] = n
	}
	n.Items++
	if first {
		n.Notices++
	}
	if x.Decided == 0 {
		return
	}
	n.Decided++
	n.Took.Add(x.Decided - x.At)
	if x.Automation == string(safety.FullyAutomated) {
		n.Automated++
	}
	switch {
	case decide.State(x.State) == decide.NoAction:
	case safety.Ground(x.Ground) == safety.Illegal:
		n.Illegal++
	case safety.Ground(x.Ground) == safety.Incompatible:
		n.Terms++
	}
}

// complaints counts complaints by what they are about.
func (f *Form) complaints(r *store.Reader, from, to time.Time) error {
	var failed error
	err := complaints(r, from, to, func(a store.Appeal) {
		if failed == nil {
			failed = f.complaint(r, a)
		}
	})
	if err == nil {
		err = failed
	}
	return err
}

func (f *Form) complaint(r *store.Reader, a store.Appeal) error {
	d, err := decide.Of(r, a.Subject, a.Decision)
	if err != nil {
		return err
	}
	about := tally.About(decide.Public(d).Measures, string(d.Source))
	c := f.Complaints[about]
	if c == nil {
		c = &Complaints{}
		f.Complaints[about] = c
	}
	state := appeal.State(a.State)
	c.add(state, a.Created, a.Decided)
	if a.Report == 0 || state != appeal.Partly && state != appeal.Reversed {
		return nil
	}
	of, err := r.Case(a.Subject, d.Case)
	if err != nil || of.Decision == 0 || of.Decision == a.Decision {
		return err
	}
	anew, err := decide.Of(r, a.Subject, of.Decision)
	if err == nil && anew.Effective > 0 && anew.State != decide.NoAction {
		f.NewlyImposed++
	}
	return err
}

// settlements counts settlements out of court that were recorded.
func (f *Form) settlements(r *store.Reader, from, to time.Time) error {
	end := safety.FirstID(to)
	for next := safety.FirstID(from); ; {
		list, err := r.SettlementsBetween(next, end, page)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, x := range list {
			next = max(next, x.ID+1)
			f.Settlements.add(appeal.State(x.Result), x.Opened, x.Decided)
			if x.Implemented > 0 {
				f.Settlements.Implemented++
			}
		}
	}
}
