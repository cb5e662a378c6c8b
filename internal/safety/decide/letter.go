package decide

import (
	"context"
	"fmt"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/store"
)

// LetterKind is what is owed to somebody. Values are stored; safety/statement writes and delivers.
type LetterKind int64

// The kinds of letters.
const (
	// Statement is a statement of reasons to the person concerned.
	Statement LetterKind = 1
	// Outcome tells all who reported a case how it ended.
	Outcome LetterKind = 2
	// EndedEarly tells the person concerned that a decision was lifted.
	EndedEarly LetterKind = 3
	// AppealFiled confirms a complaint to who made it, AppealAnswer tells him the result.
	AppealFiled  LetterKind = 4
	AppealAnswer LetterKind = 5
	// AppealMessage has a line of the reviewer in the dialogue about a complaint.
	AppealMessage LetterKind = 6
	// Changed tells all who reported a case that its outcome is another now.
	Changed LetterKind = 7
	// DataAsked tells a person that an authority will be given data about him, DataLeft that it
	// was. Their Decision is an order, their Place its agency; safety/disclosure writes them.
	DataAsked LetterKind = 8
	DataLeft  LetterKind = 9
	// ToAuthority tells an authority that a measure which its order led to has ended early. Its
	// Place is the agency, its Appeal the order; safety/order signs it.
	ToAuthority LetterKind = 10
)

// String is the kind's name in metrics.
func (k LetterKind) String() string {
	names := [...]string{
		Statement: "statement", Outcome: "outcome", EndedEarly: "ended", AppealFiled: "filed",
		AppealAnswer: "answer", AppealMessage: "message", Changed: "changed",
		DataAsked: "data-asked", DataLeft: "data-left",
		ToAuthority: "authority",
	}
	if k < Statement || int(k) >= len(names) {
		return "unknown"
	}
	return names[k]
}

// never is the due time of what may not be delivered until somebody says so.
const never = 1 << 62

// barUntil is when what a bar withholds becomes due, 0 for at once.
func barUntil(b *Bar) int64 {
	switch {
	case b == nil:
		return 0
	case b.Until == 0:
		return never
	default:
		return b.Until
	}
}

// Owe writes down that something is owed to a person, in the transaction of the subject's peer.
func (s *Service) Owe(tx *store.Tx, l store.Letter, now int64) error {
	id, err := safety.NewID(s.Clock.Now(), s.Random)
	if err != nil {
		return fmt.Errorf("decide: letter: %w", err)
	}
	l.ID, l.Created, l.Due = id, now, max(l.Due, now)
	return tx.AddLetter(l)
}

// owe writes down the letters of a decision, about which there are so many reports, and returns how
// many people are told of it.
func (s *Service) owe(
	tx *store.Tx, x store.Decision, reports, due int64,
) (told int64, err error) {
	if State(x.State) == Effective && x.Author != 0 && x.Flags&noStatement == 0 {
		if due == 0 {
			told++
		}
		err := s.Owe(tx, store.Letter{
			Subject: x.Subject, Kind: int64(Statement), Decision: x.ID, Recipient: x.Author,
			Due: due,
		}, x.Effective)
		if err != nil {
			return 0, err
		}
	}
	if reports == 0 {
		return told, nil
	}
	return told, s.Owe(tx, store.Letter{
		Subject: x.Subject, Kind: int64(Outcome), Decision: x.ID,
	}, x.Effective)
}

// StatementOwed is the state of a statement that safety/dsadb has yet to send. Values are stored.
const StatementOwed = 1

// oweDatabase writes down that a decision's statement of reasons is owed to the EU's database (DSA
// Art. 24(5)), which gets it no earlier than the person concerned may be told.
func oweDatabase(tx *store.Tx, x store.Decision, due int64) error {
	if State(x.State) != Effective || x.Flags&(noStatement|article9) != 0 {
		return nil
	}
	return tx.OweDSAStatement(store.DSAStatement{
		Subject: x.Subject, Decision: x.ID, State: StatementOwed, Created: x.Effective,
		Due: max(due, x.Effective),
	})
}

// StatementBarred tells whether the person concerned may not be told of a decision at a time.
func StatementBarred(r *store.Reader, d Decision, now int64) (bool, error) {
	if d.Bar == nil {
		return false, nil
	}
	list, err := r.LettersOf(d.Subject.Peer, d.ID)
	if err != nil {
		return true, err
	}
	for _, l := range list {
		if LetterKind(l.Kind) == Statement {
			return l.Delivered == 0 && l.Due > now, nil
		}
	}
	return true, nil
}

// LiftBar ends a legal bar: what it withheld is owed from now on. It is written down in the case.
// ErrState is for a decision without one.
func (s *Service) LiftBar(
	ctx context.Context, subject ids.Peer, id int64, by safety.Actor, reason string,
) error {
	now := s.Clock.Now().Unix()
	err := s.Store.Update(ctx, subject, func(tx *store.Tx) error {
		moved, err := moveBar(tx, subject, id, now, func(int64) int64 { return now })
		if err != nil {
			return err
		}
		return moved.note(tx, now, casefile.Event{
			Kind: casefile.BarLifted, By: by, Text: reason,
		})
	})
	if err == nil && s.Owed != nil {
		s.Owed()
	}
	return err
}

// ExtendBar makes a legal bar that still holds last until a later time, by what orders that; what
// it withholds is owed then. It may run twice. ErrState is for a decision without a bar, or whose
// bar is over: whom it concerns is told of it.
func (s *Service) ExtendBar(
	ctx context.Context, subject ids.Peer, id, until int64, by safety.Actor, basis string,
) error {
	now := s.Clock.Now().Unix()
	return s.Store.Update(ctx, subject, func(tx *store.Tx) error {
		moved, err := moveBar(tx, subject, id, now, func(due int64) int64 {
			return max(due, until)
		})
		switch {
		case err != nil:
			return err
		case moved.held == 0:
			return ErrState
		case moved.changed == 0:
			return nil // an earlier run did it
		}
		return moved.note(tx, now, casefile.Event{
			Kind: casefile.Barred, By: by, N: until, Text: basis,
		})
	})
}

// barMoved is the bar of a decision that was moved: how many letters it held back, and of how many
// it was changed until when.
type barMoved struct {
	of            store.Decision
	held, changed int
}

// note writes down in the decision's case what became of its bar.
func (m barMoved) note(tx *store.Tx, now int64, e casefile.Event) error {
	c, err := tx.Case(m.of.Subject, m.of.Case)
	if err != nil {
		return err
	}
	return casefile.Write(tx, &c, now, e)
}

// moveBar has what the bar of a decision withholds be owed at another time, which to makes of the
// time at which it is owed now.
func moveBar(
	tx *store.Tx, subject ids.Peer, id, now int64, to func(due int64) int64,
) (out barMoved, err error) {
	if out.of, err = tx.Decision(subject, id); err != nil {
		return out, err
	}
	if out.of.Flags&barred == 0 {
		return out, ErrState
	}
	list, err := tx.LettersOf(subject, id)
	if err != nil {
		return out, err
	}
	for _, l := range list {
		if l.Delivered != 0 || l.Due <= now || LetterKind(l.Kind) == Outcome {
			continue
		}
		out.held++
		if due := to(l.Due); due != l.Due {
			l.Due = due
			out.changed++
			if err := tx.ChangeLetter(l); err != nil {
				return out, err
			}
		}
	}
	return out, moveStatement(tx, subject, id, now, to)
}

// moveStatement has the statement that a bar withholds from the EU's database be sent at another
// time.
func moveStatement(
	tx *store.Tx, subject ids.Peer, id, now int64, to func(due int64) int64,
) error {
	x, err := tx.DSAStatement(subject, id)
	if store.IsNotFound(err) {
		return nil
	}
	if err != nil || x.State != StatementOwed || x.Due <= now {
		return err
	}
	x.Due = to(x.Due)
	return tx.ChangeDSAStatement(x)
}
