package decide

import (
	"context"
	"strings"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/safety/enforce"
	"parley/internal/safety/ledger"
	"parley/internal/store"
)

// Lift undoes a decision before its time and returns what was put back. Lifting again undoes
// nothing more and is no error; ErrState is for what was never in force or has ended otherwise.
func (s *Service) Lift(
	ctx context.Context, subject ids.Peer, id int64, by safety.Actor, reason string,
) (out enforce.Restored, err error) {
	if reason == "" {
		return out, Refusal{"reason", "missing"}
	}
	now := s.Clock.Now().Unix()
	err = s.Store.Update(ctx, subject, func(tx *store.Tx) (err error) {
		out, err = s.LiftIn(tx, subject, id, End{By: by, Reason: reason, At: now})
		return err
	})
	if err == nil && s.Owed != nil {
		s.Owed()
	}
	return out, err
}

// End is how a decision ends before its time.
type End struct {
	By     safety.Actor
	Reason string
	// At is when, in Unix seconds.
	At int64
	// Answered is set when another letter tells the person concerned.
	Answered bool
}

// LiftIn is Lift in a transaction of the subject's peer.
func (s *Service) LiftIn(
	tx *store.Tx, subject ids.Peer, id int64, e End,
) (out enforce.Restored, err error) {
	x, err := tx.Decision(subject, id)
	if err != nil {
		return out, err
	}
	switch State(x.State) {
	case Lifted:
		return out, nil
	case Effective:
	default:
		return out, ErrState
	}
	if out, err = s.end(tx, &x, Lifted, e); err != nil {
		return out, err
	}
	told := int64(1)
	if !e.Answered {
		if told, err = s.oweEnd(tx, x, e.At); err != nil {
			return out, err
		}
	}
	// What they reported stands again: to their records that is a report in good faith.
	if err := s.reconsider(tx, x, casefile.Refuted, x.ID, e); err != nil {
		return out, err
	}
	if err := s.oweAuthority(tx, x, e.At); err != nil {
		return out, err
	}
	return out, s.logEnd(tx, x, ledger.Lift, told, e.At)
}

// ordered is the order that a decision carries out, whose reference stands before its facts; an
// empty ref says that nobody ordered it.
func (s *Service) ordered(facts string) (ref string, agency ids.Peer, order int64) {
	ref, _, _ = strings.Cut(facts, " ")
	kind, agency, order, err := s.References.Read(ref)
	if err != nil || kind != safety.OrderRef {
		return "", 0, 0
	}
	return ref, agency, order
}

// Found is what was found, without the reference of the order and the number of its item that stand
// before it in the decision about what was ordered: those say nothing to the person concerned.
func (d Decision) Found(refs safety.References) string {
	ref, found, _ := strings.Cut(d.Facts, " ")
	if kind, _, _, err := refs.Read(ref); err != nil || kind != safety.OrderRef || found == "" {
		return d.Facts
	}
	if item, address, ok := strings.Cut(found, ": "); ok && strings.HasPrefix(item, "#") {
		return address
	}
	return found
}

// oweAuthority owes the news that a decision ended, or that another took its place, to the
// authority whose order it carried out.
func (s *Service) oweAuthority(tx *store.Tx, x store.Decision, now int64) error {
	ref, agency, order := s.ordered(x.Facts)
	if ref == "" {
		return nil
	}
	return s.Owe(tx, store.Letter{
		Subject: x.Subject, Kind: int64(ToAuthority), Decision: x.ID, Place: int64(agency),
		Appeal: order,
	}, now)
}

// end undoes what a decision did, gives it its last state and counts what came back.
func (s *Service) end(
	tx *store.Tx, x *store.Decision, as State, e End,
) (out enforce.Restored, err error) {
	if out, err = s.Enforce.Lift(tx, subjectOf(*x), x.ID, e.At); err != nil {
		return out, err
	}
	s.crash("restored")
	x.State, x.Ended, x.EndedBy, x.EndReason = int64(as), e.At, e.By.Staff, e.Reason
	x.Restored = counted(out, *x)
	return out, tx.ChangeDecision(*x)
}

// counted is how many of the things that a decision changed were put back: what was taken away by
// its pieces, every other measure as one.
func counted(out enforce.Restored, x store.Decision) int64 {
	n := int64(out.Messages + out.Photos + out.Reactions + out.Measures)
	d, err := read(x)
	if err != nil {
		return n
	}
	for _, m := range d.Measures {
		if m.Measure == safety.Remove && out.Measures > 0 {
			n--
		}
	}
	return n
}

// oweEnd owes the person concerned the news that a decision was lifted, if he was told of it.
func (s *Service) oweEnd(tx *store.Tx, x store.Decision, now int64) (told int64, err error) {
	if x.Author == 0 || x.Flags&noStatement != 0 {
		return 0, nil
	}
	list, err := tx.LettersOf(x.Subject, x.ID)
	if err != nil {
		return 0, err
	}
	due := now
	for _, l := range list {
		if LetterKind(l.Kind) == Statement && l.Delivered == 0 {
			due = l.Due // a bar forbids this as well
		}
	}
	if due <= now {
		told = 1
	}
	return told, s.Owe(tx, store.Letter{
		Subject: x.Subject, Kind: int64(EndedEarly), Decision: x.ID, Recipient: x.Author, Due: due,
	}, now)
}

// reconsider gives those who reported what a decision was about another outcome, and owes them the
// news. now is the decision that holds.
func (s *Service) reconsider(
	tx *store.Tx, x store.Decision, o casefile.Outcome, now int64, e End,
) error {
	c, err := tx.Case(x.Subject, x.Case)
	if err != nil || c.Decision != x.ID {
		return err // another decision has told them since
	}
	told, err := casefile.Reconsider(tx, x.Subject, x.Case, e.At, casefile.Verdict{
		Outcome: o, Decision: now, By: e.By,
	})
	if err != nil || !told {
		return err
	}
	return s.Owe(tx, store.Letter{
		Subject: x.Subject, Kind: int64(Changed), Decision: now,
	}, e.At)
}

// Replace puts a milder decision in the place of another in the transaction of the subject's peer:
// the old one's measures end, the new one's begin, and nothing is in force twice. The new one
// closes the case that its draft names.
func (s *Service) Replace(
	tx *store.Tx, old Decision, d Draft, id, now int64,
) (out Decision, err error) {
	x, err := tx.Decision(old.Subject.Peer, old.ID)
	if err != nil {
		return out, err
	}
	if State(x.State) != Effective {
		return out, ErrState
	}
	d.Subject, d.Case = subjectOf(x), x.Case
	if ref, _, _ := s.ordered(x.Facts); ref != "" {
		d.Facts, d.Ordered = ref+" "+d.Facts, true
	}
	if err := s.check(d, now); err != nil {
		return out, err
	}
	if !milder(d.Measures, old.Measures) {
		return out, Refusal{"measures", "harsher"}
	}
	ended := End{d.By, d.Explanation, now, true}
	if _, err := s.end(tx, &x, Superseded, ended); err != nil {
		return out, err
	}
	y, err := row(d, id, now)
	if err != nil {
		return out, err
	}
	y.ContentDate, y.Reached = x.ContentDate, x.Reached
	if err := s.force(tx, &y, d.Measures, now); err != nil {
		return out, err
	}
	if err := tx.AddDecision(y); err != nil {
		return out, err
	}
	c, err := tx.Case(x.Subject, x.Case)
	if err != nil {
		return out, err
	}
	told, err := s.owe(tx, y, 0, 0)
	if err != nil {
		return out, err
	}
	if err := s.log(tx, c, y, told, now); err != nil {
		return out, err
	}
	if err := s.reconsider(tx, x, casefile.Partly, y.ID, ended); err != nil {
		return out, err
	}
	if err := oweDatabase(tx, y, 0); err != nil {
		return out, err
	}
	if err := s.oweAuthority(tx, x, now); err != nil {
		return out, err
	}
	return read(y)
}

// milder tells whether no measure of a list is harsher than the harshest of another, and none ends
// an account or a chat.
func milder(list, than []safety.MeasureSpec) bool {
	most := safety.Measure(0)
	for _, m := range than {
		most = max(most, m.Measure)
	}
	for _, m := range list {
		if m.Measure > most || m.Measure == safety.Terminate {
			return false
		}
	}
	return true
}

// sweepPage is how many decisions a step of a sweep looks at.
const sweepPage = 200

// Expire gives the decisions whose measures have all run out their last state and their line in the
// log, and returns how many. It may run twice.
func (s *Service) Expire(ctx context.Context) (n int, err error) {
	for {
		now := s.Clock.Now().Unix()
		var due []store.Decision
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			due, err = r.DueDecisions(now, sweepPage)
			return err
		})
		if err != nil || len(due) == 0 {
			return n, err
		}
		for _, x := range due {
			err := s.Store.Update(ctx, x.Subject, func(tx *store.Tx) error {
				return s.expire(tx, x.Subject, x.ID, now)
			})
			if err != nil {
				return n, err
			}
			n++
		}
	}
}

func (s *Service) expire(tx *store.Tx, subject ids.Peer, id, now int64) error {
	x, err := tx.Decision(subject, id)
	if err != nil || State(x.State) != Effective {
		return err
	}
	if _, err := s.end(tx, &x, Expired, End{Reason: "in time", At: now}); err != nil {
		return err
	}
	return s.logEnd(tx, x, ledger.Expiry, 0, now)
}

// Review notes what a second look at a sampled decision found. What was wrong is lifted. ErrState
// is for what was not sampled or was reviewed; the database keeps who decided from reviewing.
func (s *Service) Review(
	ctx context.Context, subject ids.Peer, id, staff int64, v Verdict, note string,
) error {
	now := s.Clock.Now().Unix()
	if v != Right && v != Wrong {
		return Refusal{"review", "unknown"}
	}
	return s.Store.Update(ctx, subject, func(tx *store.Tx) error {
		x, err := tx.Decision(subject, id)
		if err != nil {
			return err
		}
		switch {
		case x.Flags&sampled == 0, x.Review != 0:
			return ErrState
		case staff <= 0, staff == x.By, staff == x.Second:
			return ErrSamePerson
		}
		x.Review, x.Reviewer = int64(v), staff
		if err := tx.ChangeDecision(x); err != nil {
			return err
		}
		if err := s.logReview(tx, x, now); err != nil {
			return err
		}
		if v == Right || State(x.State) != Effective {
			return nil
		}
		by := safety.Actor{Staff: staff}
		_, err = s.LiftIn(tx, subject, id, End{By: by, Reason: note, At: now})
		return err
	})
}
