// Package figures counts what moderation did in a time: per rule and language, per queue, and as
// the report forms of Implementing Regulation (EU) 2024/2835 define their medians. It reads
// decisions, cases and complaints, and keeps nothing of its own.
//
// A median is in hours. Its clock starts when a notice or a complaint was received as a whole, and
// ends with the decision about it. What is not decided yet has no time and is in no median.
//
// https://eur-lex.europa.eu/eli/reg_impl/2024/2835/oj
package figures

import (
	"cmp"
	"slices"
	"time"

	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/store"
)

// Rule is what was decided under one rule in one language.
type Rule struct {
	// Reference is the rule, Lang the language of the content by ISO 639-1, empty for none.
	Reference, Lang string
	// Hits are the decisions that came into force, Lifted those that were undone before their time.
	Hits, Lifted int64
	// Right and Wrong are how reviews of samples ended.
	Right, Wrong int64
}

// Precision is which part of the reviewed hits was right; false when none was reviewed.
func (r Rule) Precision() (float64, bool) { return part(r.Right, r.Right+r.Wrong) }

// ReversalRate is which part of the hits was undone; false when there was none.
func (r Rule) ReversalRate() (float64, bool) { return part(r.Lifted, r.Hits) }

func part(n, of int64) (float64, bool) {
	if of == 0 {
		return 0, false
	}
	return float64(n) / float64(of), true
}

// Rules counts the decisions made from one time to before another, by rule and language.
func Rules(r *store.Reader, from, to time.Time) ([]Rule, error) {
	hits, err := r.DecisionHits(safety.FirstID(from), safety.FirstID(to))
	out := make([]Rule, len(hits))
	for i, h := range hits {
		out[i] = Rule{h.Reference, h.Lang, h.Count, h.Lifted, h.Right, h.Wrong}
	}
	return out, err
}

// ByHits sorts rules, those with the most hits first.
func ByHits(list []Rule) {
	slices.SortStableFunc(list, func(a, b Rule) int {
		return cmp.Or(cmp.Compare(b.Hits, a.Hits), cmp.Compare(a.Reference, b.Reference),
			cmp.Compare(a.Lang, b.Lang))
	})
}

// Times are how long something took.
type Times struct {
	// Count is of how many, Median their median in hours, 0 when there were none.
	Count  int64
	Median float64
}

// sample collects how long things took, in seconds.
type sample []int64

func (s *sample) add(from, to int64) { *s = append(*s, max(to-from, 0)) }

// times is the exact median of a sample: the mean of the two in the middle of an even one.
func (s sample) times() Times {
	if len(s) == 0 {
		return Times{}
	}
	slices.Sort(s)
	low, high := s[(len(s)-1)/2], s[len(s)/2]
	return Times{int64(len(s)), float64(low+high) / 2 / time.Hour.Seconds()}
}

// Queue is how one lane does.
type Queue struct {
	Lane safety.Lane
	// Waiting and InReview are how many cases are open, each up to the bound that was asked for.
	Waiting, InReview int64
	// Oldest is the age of the case that is next, in seconds.
	Oldest int64
	// Decided is how long the cases took that were decided in the time, from their opening.
	Decided Times
}

// Queues says how the lanes do now, and how long they took for what they decided in a time. Open
// cases are counted up to most in each lane.
func Queues(r *store.Reader, from, to time.Time, now int64, most int) ([]Queue, error) {
	counts, err := casefile.Counts(r, most)
	if err != nil {
		return nil, err
	}
	took := make(map[safety.Lane]*sample)
	err = decisions(r, from, to, func(d store.Decision, c store.Case) error {
		lane := safety.Lane(c.Lane)
		if took[lane] == nil {
			took[lane] = &sample{}
		}
		took[lane].add(c.Opened, d.Effective)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if took[safety.Appeals], err = complaintTimes(r, from, to); err != nil {
		return nil, err
	}
	out := make([]Queue, len(counts))
	for i, c := range counts {
		out[i] = Queue{Lane: c.Lane, Waiting: c.Waiting, InReview: c.InReview}
		if c.Oldest > 0 {
			out[i].Oldest = max(now-c.Oldest, 0)
		}
		if s := took[c.Lane]; s != nil {
			out[i].Decided = s.times()
		}
	}
	return out, nil
}

// page is how many rows are read at once.
const page = 500

// decisions calls fn with every decision of a time that came into force or was to do nothing, and
// its case. What replaced another after a complaint is no decision about the case's reports.
func decisions(
	r *store.Reader, from, to time.Time, fn func(store.Decision, store.Case) error,
) error {
	end := safety.FirstID(to)
	for next := safety.FirstID(from); ; {
		list, err := r.DecisionsBetween(next, end, page)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, d := range list {
			next = max(next, d.ID+1)
			if d.Effective == 0 {
				continue
			}
			c, err := r.Case(d.Subject, d.Case)
			if err != nil {
				return err
			}
			if c.Decision != d.ID {
				continue
			}
			if err := fn(d, c); err != nil {
				return err
			}
		}
	}
}

// Notices are what followed from notices of illegal content (part 4 of the forms).
type Notices struct {
	// All are those decided in the time, Flagged those of trusted flaggers among them.
	All, Flagged Times
	// Illegal and Terms are the notices that led to measures on the ground of law and of terms.
	Illegal, Terms int64
}

// OfNotices counts the notices under Article 16 that were decided in a time.
func OfNotices(r *store.Reader, from, to time.Time) (Notices, error) {
	var all, flagged sample
	var out Notices
	err := decisions(r, from, to, func(d store.Decision, _ store.Case) error {
		for after := int64(0); ; {
			list, err := r.Reports(d.Subject, d.Case, after, page)
			if err != nil || len(list) == 0 {
				return err
			}
			for _, x := range list {
				after = x.ID
				source := safety.Source(x.Source)
				if source != safety.Article16 && source != safety.TrustedFlagger {
					continue
				}
				all.add(x.At, d.Effective)
				if source == safety.TrustedFlagger {
					flagged.add(x.At, d.Effective)
				}
				switch {
				case decide.State(d.State) == decide.NoAction:
				case safety.Ground(d.Ground) == safety.Illegal:
					out.Illegal++
				default:
					out.Terms++
				}
			}
		}
	})
	out.All, out.Flagged = all.times(), flagged.times()
	return out, err
}

// Outcomes are how complaints or settlements ended (part 7 of the forms).
type Outcomes struct {
	// Total were made in the time; Omitted of them ended without a decision.
	Total, Upheld, Partly, Reversed, Omitted int64
	Times                                    Times
	// Implemented are the settlements whose result was carried out.
	Implemented int64
}

func (o *Outcomes) count(s appeal.State) {
	o.Total++
	switch s {
	case appeal.Upheld:
		o.Upheld++
	case appeal.Partly:
		o.Partly++
	case appeal.Reversed:
		o.Reversed++
	case appeal.Withdrawn:
		o.Omitted++
	}
}

// ruled tells whether a complaint was decided.
func ruled(s appeal.State) bool { return s >= appeal.Upheld && s <= appeal.Reversed }

// complaints calls fn with every complaint that was made in a time.
func complaints(r *store.Reader, from, to time.Time, fn func(store.Appeal)) error {
	end := safety.FirstID(to)
	for next := safety.FirstID(from); ; {
		list, err := r.AppealsBetween(next, end, page)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, a := range list {
			next = max(next, a.ID+1)
			fn(a)
		}
	}
}

func complaintTimes(r *store.Reader, from, to time.Time) (*sample, error) {
	s := &sample{}
	err := complaints(r, from, to, func(a store.Appeal) {
		if ruled(appeal.State(a.State)) {
			s.add(a.Created, a.Decided)
		}
	})
	return s, err
}

// OfComplaints counts the complaints that were made in a time: those of people whom a decision
// concerns, and those of notifiers.
func OfComplaints(r *store.Reader, from, to time.Time) (people, notifiers Outcomes, err error) {
	var times [2]sample
	err = complaints(r, from, to, func(a store.Appeal) {
		of, took := &people, &times[0]
		if a.Report != 0 {
			of, took = &notifiers, &times[1]
		}
		of.count(appeal.State(a.State))
		if ruled(appeal.State(a.State)) {
			took.add(a.Created, a.Decided)
		}
	})
	people.Times, notifiers.Times = times[0].times(), times[1].times()
	return people, notifiers, err
}

// OfSettlements counts the out-of-court settlements that were recorded in a time.
func OfSettlements(r *store.Reader, from, to time.Time) (out Outcomes, err error) {
	var took sample
	end := safety.FirstID(to)
	for next := safety.FirstID(from); ; {
		list, err := r.SettlementsBetween(next, end, page)
		if err != nil || len(list) == 0 {
			out.Times = took.times()
			return out, err
		}
		for _, x := range list {
			next = max(next, x.ID+1)
			out.count(appeal.State(x.Result))
			if ruled(appeal.State(x.Result)) {
				took.add(x.Opened, x.Decided)
			}
			if x.Implemented > 0 {
				out.Implemented++
			}
		}
	}
}
