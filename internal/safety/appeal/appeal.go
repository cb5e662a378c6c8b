// Package appeal hears complaints against decisions: of whom a decision concerns, and of those
// whose notice led to nothing. A complaint has a case in the lane of appeals, a dialogue in both
// directions, and another reviewer than who decided before, which the database enforces. What the
// reviewer finds wrong is undone or replaced by package decide in the same transaction.
//
// Invariants: a complaint is heard if it comes within six months of the day on which its maker was
// told; nobody reviews what he decided; a decided complaint has a reason, a letter and a line in
// the log; the evidence of a decision that is complained about stays until the complaint is
// decided.
//
// https://eur-lex.europa.eu/eli/reg/2022/2065/oj
package appeal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/store"
)

// Window is how long after its maker was told a decision can be complained about: six months (DSA
// Art. 20(1)), the longest six that a calendar has.
const Window = 184 * 24 * time.Hour

// State is how far a complaint is. Values are stored.
type State int64

// The states; what is upheld, partly reversed or reversed is the decision complained about.
const (
	Open      State = 1
	Upheld    State = 2
	Partly    State = 3
	Reversed  State = 4
	Withdrawn State = 5
)

// String is the state's name in pages, files and the public log.
func (s State) String() string {
	names := [...]string{
		Open: "open", Upheld: "upheld", Partly: "partly", Reversed: "reversed",
		Withdrawn: "withdrawn",
	}
	if s < Open || int(s) >= len(names) {
		return "unknown"
	}
	return names[s]
}

// Errors of complaints.
var (
	// ErrLate says that the six months are over.
	ErrLate = errors.New("appeal: the time for complaints is over")
	// ErrTwice says that the same complaint was made before; it is returned with that complaint.
	ErrTwice = errors.New("appeal: complained about already")
	// ErrNotYours says that the decision does not concern who complains.
	ErrNotYours = errors.New("appeal: the decision concerns somebody else")
	// ErrNothing says that there is nothing to complain about: the decision is not in force any
	// more, or did what the notifier asked for, or is not made yet.
	ErrNothing = errors.New("appeal: there is nothing to complain about")
	// ErrDecided says that the complaint was decided.
	ErrDecided = errors.New("appeal: decided already")
	// ErrText says that a text is empty or too long.
	ErrText = errors.New("appeal: a text is empty or too long")
	// ErrInstead says that the outcome needs a draft of a decision, or allows none.
	ErrInstead = errors.New("appeal: this outcome needs a decision in the place of the other")
)

// Person is who complains: an account that a decision concerns, or the maker of a report. With a
// reference of a statement or a report, whoever holds it is that person.
type Person struct {
	User   ids.UserID
	Report int64
}

// Appeal is a complaint.
type Appeal struct {
	Subject  ids.Peer
	ID       int64
	Decision int64
	Person
	State State
	Lang  string
	// First and Second decided before; Assignee is who reviews, Reviewer who did.
	First, Second, Assignee, Reviewer int64
	// Replaced is the decision that took the place of the one complained about, 0 for none.
	Replaced         int64
	Created, Decided int64
	// Reason is what the reviewer says.
	Reason string
}

// Line is something said about a complaint; Staff is 0 when its maker said it.
type Line struct {
	ID    int64
	Staff int64
	Date  int64
	Text  string
	// Origin tells messages of the service chat apart, so that none comes in twice; 0 for others.
	Origin int64
}

// Service hears complaints.
type Service struct {
	Store      *store.Store
	Clock      clock.Clock
	Random     io.Reader
	References safety.References
	Decisions  *decide.Service
}

// textBytes bounds what is said about a complaint at once.
const textBytes = 20_000

func read(x store.Appeal) Appeal {
	return Appeal{
		Subject: x.Subject, ID: x.ID, Decision: x.Decision,
		Person: Person{User: x.Person, Report: x.Report}, State: State(x.State), Lang: x.Lang,
		First: x.First, Second: x.Second, Assignee: x.Assignee, Reviewer: x.Reviewer,
		Replaced: x.Replaced, Created: x.Created, Decided: x.Decided, Reason: x.Reason,
	}
}

func readAll(rows []store.Appeal, err error) ([]Appeal, error) {
	out := make([]Appeal, len(rows))
	for i, x := range rows {
		out[i] = read(x)
	}
	return out, err
}

// Get returns a complaint.
func Get(r *store.Reader, subject ids.Peer, id int64) (Appeal, error) {
	x, err := r.Appeal(subject, id)
	return read(x), err
}

// Waiting returns up to limit undecided complaints with ids above one, the oldest first.
func Waiting(r *store.Reader, after int64, limit int) ([]Appeal, error) {
	return readAll(r.OpenAppeals(after, limit))
}

// Of returns the complaints against a decision, the oldest first.
func Of(r *store.Reader, subject ids.Peer, decision int64) ([]Appeal, error) {
	return readAll(r.AppealsOf(subject, decision))
}

// By returns up to limit complaints of an account with ids below one, the newest first.
func By(r *store.Reader, user ids.UserID, below int64, limit int) ([]Appeal, error) {
	return readAll(r.AppealsBy(user, below, limit))
}

// Dialogue returns what was said about a complaint, in order.
func Dialogue(r *store.Reader, subject ids.Peer, id int64) ([]Line, error) {
	rows, err := r.AppealMessages(subject, id)
	out := make([]Line, len(rows))
	for i, m := range rows {
		out[i] = Line{ID: m.ID, Staff: m.Staff, Date: m.Date, Text: m.Body, Origin: m.Origin}
	}
	return out, err
}

// About returns the decision that a reference of a statement or a report leads to, and whom it
// makes its holder. ErrNothing says that nothing was decided yet.
func (s *Service) About(
	r *store.Reader, ref string,
) (subject ids.Peer, decision int64, who Person, err error) {
	kind, subject, id, err := s.References.Read(ref)
	if err != nil {
		return 0, 0, who, err
	}
	switch kind {
	case safety.StatementRef:
		d, err := r.Decision(subject, id)
		return subject, id, Person{User: d.Author}, err
	case safety.ReportRef:
		x, err := r.Report(subject, id)
		if err != nil {
			return 0, 0, who, err
		}
		c, err := r.Case(subject, x.Case)
		if err == nil && (c.Closed == 0 || c.Decision == 0) {
			err = ErrNothing
		}
		return subject, c.Decision, Person{Report: id}, err
	default:
		return 0, 0, who, safety.ErrReference
	}
}

// File makes a complaint of the holder of a reference, and returns it once it is stored. reason may
// be empty: more can be said later. ErrTwice comes with the complaint that was made before.
func (s *Service) File(ctx context.Context, ref, lang, reason string) (Appeal, error) {
	var subject ids.Peer
	var decision int64
	var who Person
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		subject, decision, who, err = s.About(r, ref)
		return err
	})
	if err != nil {
		return Appeal{}, err
	}
	return s.FileAgainst(ctx, subject, decision, who, lang, reason)
}

// FileAgainst makes a complaint of a person against a decision: see File. ErrNotYours is for an
// account that the decision does not concern.
func (s *Service) FileAgainst(
	ctx context.Context, subject ids.Peer, decision int64, who Person, lang, reason string,
) (out Appeal, err error) {
	if len(reason) > textBytes {
		return out, ErrText
	}
	now := s.Clock.Now()
	x := store.Appeal{
		Subject: subject, Decision: decision, Report: who.Report, Person: who.User,
		State: int64(Open), Lang: lang, Created: now.Unix(),
	}
	twice := false
	err = store.Repeat(func() error {
		var line, of int64
		for _, id := range []*int64{&x.ID, &line, &of} {
			if *id, err = safety.NewID(now, s.Random); err != nil {
				return fmt.Errorf("appeal: %w", err)
			}
		}
		return s.Store.Update(ctx, subject, func(tx *store.Tx) (err error) {
			out, twice, err = s.file(tx, x, of, line, reason)
			return err
		})
	})
	if err == nil && twice {
		err = ErrTwice
	}
	if err == nil && s.Decisions.Owed != nil {
		s.Decisions.Owed()
	}
	return out, err
}

// file stores a complaint, in the transaction of the subject's peer.
func (s *Service) file(
	tx *store.Tx, x store.Appeal, of, line int64, reason string,
) (out Appeal, twice bool, err error) {
	d, err := tx.Decision(x.Subject, x.Decision)
	if err != nil {
		return out, false, err
	}
	before, err := tx.AppealsOf(x.Subject, x.Decision)
	if err != nil {
		return out, false, err
	}
	for _, old := range before {
		if old.Report == x.Report && old.Person == x.Person {
			return read(old), true, nil
		}
	}
	if err := admit(&tx.Reader, d, x); err != nil {
		return out, false, err
	}
	x.First, x.Second = d.By, d.Second
	if decide.State(d.State) == decide.Lifted {
		// A notifier complains about the reversal.
		x.First, x.Second = d.EndedBy, d.By
	}
	if err := tx.AddAppeal(x); err != nil {
		return out, false, err
	}
	if reason != "" {
		err := tx.SayInAppeal(store.AppealMessage{
			Subject: x.Subject, Appeal: x.ID, ID: line, Date: x.Created, Body: reason,
		})
		if err != nil {
			return out, false, err
		}
	}
	if _, _, err = casefile.Join(tx, allegation(d, x), of); err != nil {
		return out, false, err
	}
	if err := tx.KeepEvidence(x.Subject, d.Case, 0); err != nil {
		return out, false, err
	}
	return read(x), false, s.Decisions.Owe(tx, store.Letter{
		Subject: x.Subject, Kind: int64(decide.AppealFiled), Decision: x.Decision, Appeal: x.ID,
		Recipient: x.Person,
	}, x.Created)
}

// allegation opens or joins the case of the complaints against a decision.
func allegation(d store.Decision, x store.Appeal) casefile.Allegation {
	return casefile.Allegation{
		Subject: safety.Subject{
			Peer: d.Subject, Kind: safety.Kind(d.Kind), Item: d.Item, Author: d.Author,
		},
		Appeal: x.Decision, Lane: safety.Appeals, Source: safety.OtherNotification,
		Category: safety.Category(d.Category), At: x.Created, Reach: d.Reached,
	}
}

// MayFile tells why a complaint of a person would not be heard now; nil when it would.
func (s *Service) MayFile(r *store.Reader, subject ids.Peer, decision int64, who Person) error {
	d, err := r.Decision(subject, decision)
	if err != nil {
		return err
	}
	return admit(r, d, store.Appeal{
		Subject: subject, Decision: decision, Report: who.Report, Person: who.User,
		Created: s.Clock.Now().Unix(),
	})
}

// admit tells whether a decision can be complained about by somebody now.
func admit(r *store.Reader, d store.Decision, x store.Appeal) error {
	state := decide.State(d.State)
	told := d.Effective
	if x.Report != 0 {
		report, err := r.Report(x.Subject, x.Report)
		if err != nil {
			return err
		}
		partly := casefile.Outcome(report.Outcome) == casefile.Partly
		switch {
		case report.Case != d.Case:
			return ErrNotYours
		case state != decide.NoAction && state != decide.Lifted && !partly:
			return ErrNothing
		}
		told = max(told, report.Told)
	} else {
		switch {
		case x.Person == 0 || x.Person != d.Author:
			return ErrNotYours
		case state != decide.Effective && state != decide.Expired:
			return ErrNothing
		}
		letters, err := r.LettersOf(x.Subject, x.Decision)
		if err != nil {
			return err
		}
		for _, l := range letters {
			if decide.LetterKind(l.Kind) == decide.Statement {
				told = max(told, l.Delivered)
			}
		}
	}
	if x.Created > told+int64(Window.Seconds()) {
		return ErrLate
	}
	return nil
}
