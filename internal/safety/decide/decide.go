// Package decide turns what people (or a rule that may) made up their minds about into a decision:
// ground, reference, facts, measures with territory and duration, means. The decision, what it does
// to its subject, the letters that are owed because of it, the end of its case and its line for the
// public log are one transaction of the subject's peer. It finds nothing out by itself, writes no
// texts and delivers nothing.
//
// Invariants: no measure without a decision and no decision without all that a statement of reasons
// needs; what hits many, and the end of an account or a chat, takes two people; the same request
// twice decides once; what is undone is counted, so that it can be compared with what was done.
// What was captured decides: that an author deleted something meanwhile changes nothing.
//
// https://eur-lex.europa.eu/eli/reg/2022/2065/oj
package decide

import (
	"errors"
	"io"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/safety/enforce"
	"parley/internal/store"
)

// DefaultThreshold is from how many accounts, messages and members on a decision takes two people,
// where the operator names no other number.
const DefaultThreshold = 1000

// State is how far a decision is. Values are stored.
type State int64

// The states.
const (
	// Proposed waits for a second person and does nothing yet.
	Proposed State = 1
	// Effective is in force.
	Effective State = 2
	// Lifted was undone before its time, Expired ended in time.
	Lifted  State = 3
	Expired State = 4
	// Superseded was replaced by a milder one after a complaint.
	Superseded State = 5
	// Withdrawn was proposed and never came into force.
	Withdrawn State = 6
	// NoAction is the decision to do nothing.
	NoAction State = 7
)

// String is the state's name in pages and files.
func (s State) String() string {
	names := [...]string{
		Proposed: "proposed", Effective: "effective", Lifted: "lifted", Expired: "expired",
		Superseded: "superseded", Withdrawn: "withdrawn", NoAction: "no-action",
	}
	if s < Proposed || int(s) >= len(names) {
		return "unknown"
	}
	return names[s]
}

// Flags of stored decisions.
const (
	needsSecond = 1
	noStatement = 2
	sampled     = 4
	detected    = 8
	barred      = 16
	article9    = 32
	ordered     = 64
)

// Verdict is what the review of a sampled decision found. Values are stored.
type Verdict int64

// The verdicts.
const (
	Unreviewed Verdict = 0
	Right      Verdict = 1
	Wrong      Verdict = 2
)

// Bar is a legal prohibition to tell the person concerned of a decision.
type Bar struct {
	// Basis is the provision or order that forbids it.
	Basis string
	// Until is when it ends, in Unix seconds; 0 lasts until it is lifted. The statement is
	// delivered then.
	Until int64
}

// Draft is what somebody made up his mind about.
type Draft struct {
	// Case is what it closes; 0 joins the open case about the subject or opens one.
	Case    int64
	Subject safety.Subject
	Ground  safety.Ground
	// Reference is the legal provision or the term of the service.
	Reference string
	// Explanation says why the subject falls under Reference, Facts what was found.
	Explanation, Facts string
	Category           safety.Category
	Keywords           []safety.Keyword
	Measures           []safety.MeasureSpec
	Means              safety.Means
	Source             safety.Source
	// Lang is the language of the content by ISO 639-1, empty when it has none.
	Lang string
	// ContentType is found in the evidence when it is empty.
	ContentType []safety.ContentType
	By          safety.Actor
	// NoStatement is for deceptive commercial content in bulk, to which no statement is owed (DSA
	// Art. 17(2)). Such decisions are counted, and some of them sampled for review.
	NoStatement bool
	// Article9 is set when it carries out an order to act under DSA Art. 9: such decisions are no
	// statements of the EU's database. The person concerned is told all the same.
	Article9 bool
	// Ordered is set when it carries out an authority's order: no duty of the service's own holds
	// such a decision up, and the person concerned is told that it was ordered.
	Ordered bool
	// Unless is asked in the decision's transaction whether it may still be made, also where the
	// same was decided before; its error keeps it from being made. Nil lets it. It is not kept.
	Unless func(tx *store.Tx) error
	// Outcome is what those who reported are told: casefile.Upheld when zero.
	Outcome casefile.Outcome
	// Bar forbids to tell the person concerned, nil for nothing.
	Bar *Bar
}

// Decision is a decision as it is kept.
type Decision struct {
	// Draft is what it was made of; Bar.Basis is not kept with it but in its case.
	Draft
	ID    int64
	State State
	// Second is who seconded it, Batch the mass measure that it belongs to.
	Second, Batch        int64
	NeedsSecond, Sampled bool
	// ContentDate is when the content was made, 0 when that is not known.
	ContentDate int64
	// Reached is how many accounts, messages and members the preview counted together.
	Reached int64
	// Created and Effective are when it was made and came into force; Ends is when the last of its
	// measures ends by itself, Ended when it ended.
	Created, Effective, Ends, Ended int64
	EndedBy                         int64
	EndReason                       string
	// Applied and Restored are how many things it changed, and how many were put back.
	Applied, Restored int64
	Review            Verdict
	Reviewer          int64
	// Again is set when the same had been decided before, and this is that decision.
	Again bool
}

// Errors of decisions.
var (
	// ErrSamePerson says that a second person is wanted, or another than who decided.
	ErrSamePerson = errors.New("decide: it takes another person")
	// ErrState says that the decision is not in the state that this needs.
	ErrState = errors.New("decide: the decision's state does not allow it")
	// ErrProposed says that another proposal about the case waits for its second person.
	ErrProposed = errors.New("decide: another proposal waits for a second person")
	// ErrNeedsPeople says that a rule wants what only people may decide.
	ErrNeedsPeople = errors.New("decide: only people may decide this")
	// ErrIncomplete says that a batch lacks some of its proposals and can only be withdrawn.
	ErrIncomplete = errors.New("decide: the batch is incomplete")
)

// Service decides.
type Service struct {
	Store   *store.Store
	Clock   clock.Clock
	Random  io.Reader
	Enforce *enforce.Service
	// References makes the references that people are given.
	References safety.References
	// Threshold is from which reach on a decision takes two people; 0 is DefaultThreshold.
	Threshold int64
	// Made hears of every decision that came into force, once it is durable; nil hears nothing.
	Made func(Decision)
	// Owes is asked within a decision about a case what else the law wants because of it, and may
	// refuse the decision until that is done; alone is set for one that is no part of a batch. Nil
	// wants nothing.
	Owes func(tx *store.Tx, d Draft, of int64, alone bool) error
	// Owed hears that letters are owed; nil hears nothing.
	Owed func()
	// Crash is called between the steps of a decision by tests that stop the process there; nil in
	// production.
	Crash func(point string)
}

func (s *Service) crash(point string) {
	if s.Crash != nil {
		s.Crash(point)
	}
}

func (s *Service) threshold() int64 {
	if s.Threshold > 0 {
		return s.Threshold
	}
	return DefaultThreshold
}

// told lets those know who wait for decisions and letters.
func (s *Service) told(d Decision) {
	if s.Made != nil && !d.Again && (d.State == Effective || d.State == NoAction) {
		s.Made(d)
	}
	if s.Owed != nil {
		s.Owed()
	}
}

// Of returns a decision.
func Of(r *store.Reader, subject ids.Peer, id int64) (Decision, error) {
	row, err := r.Decision(subject, id)
	if err != nil {
		return Decision{}, err
	}
	return read(row)
}

// OfSubject returns up to limit decisions about a subject's peer with ids below one, the newest
// first.
func OfSubject(r *store.Reader, subject ids.Peer, below int64, limit int) ([]Decision, error) {
	rows, err := r.DecisionsOf(subject, below, limit)
	return readAll(rows, err)
}

// About returns up to limit decisions that concern a person with ids below one, the newest first:
// for staff. What the person himself may see is told by safety/statement.
func About(r *store.Reader, person ids.UserID, below int64, limit int) ([]Decision, error) {
	rows, err := r.DecisionsAbout(person, below, limit)
	return readAll(rows, err)
}

// Waiting returns up to limit proposals that await a second person with ids above one, the oldest
// first.
func Waiting(r *store.Reader, after int64, limit int) ([]Decision, error) {
	rows, err := r.ProposedDecisions(after, limit)
	return readAll(rows, err)
}

// Samples returns up to limit decisions that were sampled and not reviewed yet, with ids above one.
func Samples(r *store.Reader, after int64, limit int) ([]Decision, error) {
	rows, err := r.SampledDecisions(after, limit)
	return readAll(rows, err)
}

func readAll(rows []store.Decision, err error) ([]Decision, error) {
	if err != nil {
		return nil, err
	}
	out := make([]Decision, len(rows))
	for i, row := range rows {
		if out[i], err = read(row); err != nil {
			return nil, err
		}
	}
	return out, nil
}
