package appeal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/safety/evidence"
	"parley/internal/safety/ledger"
	"parley/internal/store"
)

// Say adds a line to the dialogue: of a member of staff, who is 0 for the maker of the complaint.
// What staff say is owed to the maker as a letter. An origin that came before is not said again.
func (s *Service) Say(
	ctx context.Context, subject ids.Peer, id, staff, origin int64, text string,
) error {
	if strings.TrimSpace(text) == "" || len(text) > textBytes {
		return ErrText
	}
	now := s.Clock.Now()
	line, err := safety.NewID(now, s.Random)
	if err != nil {
		return fmt.Errorf("appeal: %w", err)
	}
	err = s.Store.Update(ctx, subject, func(tx *store.Tx) error {
		return s.say(tx, store.AppealMessage{
			Subject: subject, Appeal: id, ID: line, Staff: staff, Origin: origin,
			Date: now.Unix(), Body: text,
		})
	})
	if errors.Is(err, store.ErrConflict) && origin != 0 {
		return nil
	}
	if err == nil && staff != 0 && s.Decisions.Owed != nil {
		s.Decisions.Owed()
	}
	return err
}

func (s *Service) say(tx *store.Tx, m store.AppealMessage) error {
	x, err := tx.Appeal(m.Subject, m.Appeal)
	if err != nil {
		return err
	}
	if State(x.State) != Open {
		return ErrDecided
	}
	if err := tx.SayInAppeal(m); err != nil {
		return err
	}
	c, err := caseOf(tx, x)
	if err != nil {
		return err
	}
	if m.Staff == 0 {
		if casefile.State(c.State) != casefile.AwaitsOther {
			return nil
		}
		// The answer has come: the next move is the reviewer's.
		c.State = int64(casefile.InReview)
		if c.Staff == 0 {
			c.State = int64(casefile.Open)
		}
		return casefile.Write(tx, &c, m.Date, casefile.Event{Kind: casefile.Released})
	}
	return s.Decisions.Owe(tx, store.Letter{
		Subject: m.Subject, Kind: int64(decide.AppealMessage), Decision: x.Decision,
		Appeal: x.ID, Recipient: x.Person, Place: m.ID,
	}, m.Date)
}

// caseOf is the open case of the complaints against a decision.
func caseOf(tx *store.Tx, x store.Appeal) (store.Case, error) {
	d, err := tx.Decision(x.Subject, x.Decision)
	if err != nil {
		return store.Case{}, err
	}
	return tx.OpenCase(casefile.About(allegation(d, x).Subject, x.Decision))
}

// Assign gives a complaint and its case to a member of staff. decide.ErrSamePerson is for who
// decided what is complained about.
func (s *Service) Assign(ctx context.Context, subject ids.Peer, id, staff int64) error {
	now := s.Clock.Now().Unix()
	return s.Store.Update(ctx, subject, func(tx *store.Tx) error {
		x, err := tx.Appeal(subject, id)
		if err != nil {
			return err
		}
		switch {
		case State(x.State) != Open:
			return ErrDecided
		case staff <= 0, staff == x.First, staff == x.Second:
			return decide.ErrSamePerson
		}
		x.Assignee = staff
		if err := tx.ChangeAppeal(x); err != nil {
			return err
		}
		c, err := caseOf(tx, x)
		if err != nil {
			return err
		}
		c.Staff, c.Lease, c.State = staff, 0, int64(casefile.InReview)
		return casefile.Write(tx, &c, now, casefile.Event{
			Kind: casefile.Assigned, By: safety.Actor{Staff: staff}, N: staff,
		})
	})
}

// Withdraw ends a complaint that its maker gives up.
func (s *Service) Withdraw(ctx context.Context, subject ids.Peer, id int64) error {
	now := s.Clock.Now().Unix()
	return s.Store.Update(ctx, subject, func(tx *store.Tx) error {
		x, err := tx.Appeal(subject, id)
		if err != nil {
			return err
		}
		if State(x.State) == Withdrawn {
			return nil
		}
		if State(x.State) != Open {
			return ErrDecided
		}
		x.State, x.Decided = int64(Withdrawn), now
		if err := tx.ChangeAppeal(x); err != nil {
			return err
		}
		return s.closeCase(tx, x, safety.Actor{Rule: "withdrawn"}, now)
	})
}

// Ruling is how a complaint is decided.
type Ruling struct {
	Staff   int64
	Outcome State
	// Reason is what the maker of the complaint is told.
	Reason string
	// Instead is the milder decision that takes the place of the one complained about, for Partly.
	// Its subject, case and by are filled in.
	Instead *decide.Draft
}

// Decide decides a complaint. Reversed lifts the decision; Partly puts a milder one in its place. A
// notifier's complaint that is not upheld opens the case again, for somebody to decide anew. The
// same ruling again returns the same. decide.ErrSamePerson is for who decided before.
func (s *Service) Decide(
	ctx context.Context, subject ids.Peer, id int64, r Ruling,
) (out Appeal, err error) {
	if strings.TrimSpace(r.Reason) == "" || len(r.Reason) > textBytes {
		return out, ErrText
	}
	if r.Outcome < Upheld || r.Outcome > Reversed {
		return out, ErrInstead
	}
	now := s.Clock.Now()
	var next int64
	if next, err = safety.NewID(now, s.Random); err != nil {
		return out, fmt.Errorf("appeal: %w", err)
	}
	err = s.Store.Update(ctx, subject, func(tx *store.Tx) error {
		x, err := tx.Appeal(subject, id)
		if err != nil {
			return err
		}
		if State(x.State) == r.Outcome && x.Reviewer == r.Staff && x.Reason == r.Reason {
			out = read(x)
			return nil
		}
		switch {
		case State(x.State) != Open:
			return ErrDecided
		case r.Staff <= 0, r.Staff == x.First, r.Staff == x.Second:
			return decide.ErrSamePerson
		}
		out, err = s.rule(tx, x, r, next, now.Unix())
		return err
	})
	if err == nil && s.Decisions.Owed != nil {
		s.Decisions.Owed()
	}
	return out, err
}

// rule carries a ruling out in the transaction of the subject's peer.
func (s *Service) rule(
	tx *store.Tx, x store.Appeal, r Ruling, next, now int64,
) (out Appeal, err error) {
	d, err := decide.Of(&tx.Reader, x.Subject, x.Decision)
	if err != nil {
		return out, err
	}
	switch {
	case r.Outcome == Upheld:
	case x.Report != 0:
		err = reopen(tx, d, now, r.Staff)
	case r.Outcome == Partly:
		x.Replaced, err = s.replace(tx, d, r, next, now)
	case d.State == decide.Effective:
		_, err = s.Decisions.LiftIn(tx, x.Subject, d.ID, decide.End{
			By: safety.Actor{Staff: r.Staff}, Reason: r.Reason, At: now, Answered: true,
		})
	}
	if err != nil {
		return out, err
	}
	x.State, x.Reviewer, x.Decided, x.Reason = int64(r.Outcome), r.Staff, now, r.Reason
	x.Assignee = r.Staff
	if err := tx.ChangeAppeal(x); err != nil {
		return out, err
	}
	if err := s.closeCase(tx, x, safety.Actor{Staff: r.Staff}, now); err != nil {
		return out, err
	}
	err = s.Decisions.Owe(tx, store.Letter{
		Subject: x.Subject, Kind: int64(decide.AppealAnswer), Decision: x.Decision, Appeal: x.ID,
		Recipient: x.Person,
	}, now)
	if err != nil {
		return out, err
	}
	return read(x), s.log(tx, d, x, now)
}

// replace puts a milder decision in the place of one that is partly reversed.
func (s *Service) replace(
	tx *store.Tx, d decide.Decision, r Ruling, next, now int64,
) (int64, error) {
	if r.Instead == nil {
		return 0, ErrInstead
	}
	draft := *r.Instead
	draft.By = safety.Actor{Staff: r.Staff}
	got, err := s.Decisions.Replace(tx, d, draft, next, now)
	return got.ID, err
}

// reopen opens the case of a notice again that had led to nothing. If another about the subject is
// open, its reports wait for that one's decision.
func reopen(tx *store.Tx, d decide.Decision, now, staff int64) error {
	other, err := tx.OpenCase(casefile.About(d.Subject, 0))
	if err == nil {
		if err = tx.ReopenReports(d.Subject.Peer, d.Case); err == nil {
			err = tx.MoveReports(d.Subject.Peer, d.Case, other.ID)
		}
		return err
	}
	if !store.IsNotFound(err) {
		return err
	}
	c, err := tx.Case(d.Subject.Peer, d.Case)
	if err != nil {
		return err
	}
	return casefile.Reopen(tx, &c, now, safety.Actor{Staff: staff})
}

// closeCase closes the case of the complaints against a decision with the last of them, and lets
// the evidence go its way again.
func (s *Service) closeCase(
	tx *store.Tx, x store.Appeal, by safety.Actor, now int64,
) error {
	list, err := tx.AppealsOf(x.Subject, x.Decision)
	if err != nil {
		return err
	}
	for _, other := range list {
		if State(other.State) == Open {
			return nil
		}
	}
	c, err := caseOf(tx, x)
	if err != nil {
		return err
	}
	// The complaint succeeded where the decision did not.
	outcome := map[State]casefile.Outcome{
		Upheld: casefile.Refuted, Withdrawn: casefile.Refuted, Partly: casefile.Partly,
		Reversed: casefile.Upheld,
	}[State(x.State)]
	_, err = casefile.Close(tx, c, now, casefile.Verdict{
		Outcome: outcome, Decision: x.Replaced, By: by, Text: x.Reason,
	})
	if err != nil {
		return err
	}
	d, err := tx.Decision(x.Subject, x.Decision)
	if err != nil {
		return err
	}
	of, err := tx.Case(x.Subject, d.Case)
	if err != nil || of.Closed == 0 {
		return err
	}
	return evidence.Release(tx, of, now)
}

// ruled is the record of a ruling, to which its entry in the public log commits.
type ruled struct {
	Subject  int64  `json:"subject"`
	Decision int64  `json:"decision"`
	Appeal   int64  `json:"appeal"`
	Notifier bool   `json:"notifier,omitempty"`
	Outcome  string `json:"outcome"`
	Reason   string `json:"reason"`
	Replaced int64  `json:"replaced,omitempty"`
	At       int64  `json:"at"`
}

func (s *Service) log(tx *store.Tx, d decide.Decision, x store.Appeal, now int64) error {
	e := decide.Public(d)
	e.Outcome, e.Told, e.Persons = State(x.State).String(), 1, 1
	e.Minutes = max(now-x.Created, 0) / 60
	return ledger.Write(tx, s.Random, ledger.Line{
		Subject: x.Subject, ID: x.ID, Kind: ledger.Appeal, At: now, Of: x.Decision, Entry: e,
		Record: ruled{
			Subject: int64(x.Subject), Decision: x.Decision, Appeal: x.ID,
			Notifier: x.Report != 0, Outcome: State(x.State).String(), Reason: x.Reason,
			Replaced: x.Replaced, At: now,
		},
	})
}

// Settlement is an out-of-court settlement of a dispute about a decision (DSA Art. 21).
type Settlement struct {
	Subject  ids.Peer
	ID       int64
	Decision int64
	// Body is the certified body that settles it.
	Body string
	// Opened and Decided are when, in Unix seconds; Decided is 0 while it is pending.
	Opened, Decided int64
	// Result is Upheld, Partly or Reversed, or Withdrawn for one that ended without.
	Result State
	// Implemented is when the result was carried out, 0 for not (yet).
	Implemented int64
	Note        string
	By          int64 `json:"-"`
}

// Record writes down how far a settlement is; ID 0 records a new one. A result has a line in the
// public log, and what changes a result that was logged a correction. ErrDecided says that the day
// of the result changed, by which it is counted.
func (s *Service) Record(ctx context.Context, x Settlement) (int64, error) {
	if strings.TrimSpace(x.Body) == "" || len(x.Body)+len(x.Note) > textBytes || x.By <= 0 {
		return 0, ErrText
	}
	if (x.Decided != 0) != (x.Result >= Upheld && x.Result <= Withdrawn) {
		return 0, ErrNothing
	}
	now := s.Clock.Now()
	fresh, err := safety.NewID(now, s.Random)
	if err != nil {
		return 0, fmt.Errorf("appeal: %w", err)
	}
	err = s.Store.Update(ctx, x.Subject, func(tx *store.Tx) error {
		return s.record(tx, &x, fresh, now)
	})
	return x.ID, err
}

func (s *Service) record(tx *store.Tx, x *Settlement, fresh int64, now time.Time) error {
	d, err := decide.Of(&tx.Reader, x.Subject, x.Decision)
	if err != nil {
		return err
	}
	list, err := tx.SettlementsOf(x.Subject, x.Decision)
	if err != nil {
		return err
	}
	line := ledger.Line{Subject: x.Subject, ID: fresh, Kind: ledger.Settlement, At: now.Unix(),
		AsOf: x.Decided, Of: x.Decision}
	logged, was := false, ""
	for _, old := range list {
		if old.ID == x.ID && old.Decided != 0 {
			if old.Decided != x.Decided {
				return ErrDecided
			}
			line.Kind, was = ledger.Correction, State(old.Result).String()
			logged = old.Result == int64(x.Result) && old.Implemented == x.Implemented
		}
	}
	if x.ID == 0 {
		x.ID = fresh
	}
	err = tx.PutSettlement(store.Settlement{
		Subject: x.Subject, ID: x.ID, Decision: x.Decision, Body: x.Body, Opened: x.Opened,
		Decided: x.Decided, Result: int64(x.Result), Implemented: x.Implemented, Note: x.Note,
		By: x.By,
	})
	if err != nil || x.Decided == 0 || logged {
		return err
	}
	line.Entry = decide.Public(d)
	line.Entry.Outcome, line.Entry.Was = x.Result.String(), was
	if x.Opened > 0 {
		line.Entry.Minutes = max(x.Decided-x.Opened, 0) / 60
	}
	line.Record = x
	return ledger.Write(tx, s.Random, line)
}

// Settlements returns the settlements about a decision, the oldest first.
func Settlements(r *store.Reader, subject ids.Peer, decision int64) ([]Settlement, error) {
	rows, err := r.SettlementsOf(subject, decision)
	out := make([]Settlement, len(rows))
	for i, x := range rows {
		out[i] = Settlement{
			Subject: x.Subject, ID: x.ID, Decision: x.Decision, Body: x.Body, Opened: x.Opened,
			Decided: x.Decided, Result: State(x.Result), Implemented: x.Implemented,
			Note: x.Note, By: x.By,
		}
	}
	return out, err
}
