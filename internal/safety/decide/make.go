package decide

import (
	"context"
	"fmt"
	"slices"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/safety/enforce"
	"parley/internal/safety/evidence"
	"parley/internal/store"
)

// Hits is how many accounts, messages and members a decision would change something for: what the
// threshold is about. The members who lose sight of one message do not count, those of a chat that
// is measured as a whole do.
func Hits(of safety.Kind, reach enforce.Reach) int64 {
	n := reach.Accounts + reach.Messages + reach.Photos + reach.Reactions
	if of == safety.Chat {
		n += reach.Members
	}
	return n
}

// Preview says what drafts would hit together, and whether they take two people.
func (s *Service) Preview(
	ctx context.Context, drafts []Draft,
) (reach enforce.Reach, second bool, err error) {
	var total int64
	err = s.Store.View(ctx, func(r *store.Reader) error {
		reach, second, total = enforce.Reach{}, false, 0
		for _, d := range drafts {
			one, err := s.Enforce.Preview(r, enforce.Order{
				Subject: d.Subject, Measures: d.Measures,
			})
			if err != nil {
				return err
			}
			reach.Add(one)
			total += Hits(d.Subject.Kind, one)
			second = second || ending(d)
		}
		return nil
	})
	return reach, second || total >= s.threshold(), err
}

// ending tells whether a draft ends an account or a chat, which always takes two people.
func ending(d Draft) bool {
	return slices.ContainsFunc(d.Measures, func(m safety.MeasureSpec) bool {
		return m.Measure == safety.Terminate
	})
}

// prepared is what is found out before a decision's transaction, which reads its own key only.
type prepared struct {
	now     int64
	reached int64
	second  bool
	batch   int64
	// capture is what the subject looks like, kept where no case has it yet.
	capture *evidence.Capture
	// of and piece are the ids of a case and a piece of evidence that have to be made.
	of, piece int64
	lane      safety.Lane
	date      int64
}

// prepare fills in what a draft leaves open.
func (s *Service) prepare(ctx context.Context, d *Draft) (p prepared, err error) {
	if d.Subject.Kind == safety.Account {
		d.Subject.Author = d.Subject.Peer.User()
	}
	if d.Outcome == 0 {
		d.Outcome = casefile.Upheld
	}
	slices.Sort(d.Keywords)
	slices.Sort(d.ContentType)
	now := s.Clock.Now()
	p.now, p.second = now.Unix(), ending(*d)
	for _, id := range []*int64{&p.of, &p.piece} {
		if *id, err = safety.NewID(now, s.Random); err != nil {
			return p, fmt.Errorf("decide: %w", err)
		}
	}
	types := d.ContentType
	err = s.Store.View(ctx, func(r *store.Reader) error {
		reach, err := s.Enforce.Preview(r, enforce.Order{Subject: d.Subject, Measures: d.Measures})
		if err != nil {
			return err
		}
		p.reached = Hits(d.Subject.Kind, reach)
		p.second = p.second || p.reached >= s.threshold()
		d.ContentType = types
		return p.look(r, d)
	})
	if err == nil && p.second && d.By.Staff == 0 {
		err = ErrNeedsPeople
	}
	return p, err
}

// look finds the kind and the date of the content: in the case's evidence, else in what is there. A
// message that is there tells its date, for which no evidence has to be read.
func (p *prepared) look(r *store.Reader, d *Draft) error {
	if d.Case != 0 && len(d.ContentType) > 0 {
		if d.Subject.Kind != safety.Message {
			return nil
		}
		m, err := r.Message(d.Subject.Peer, d.Subject.Item)
		if !store.IsNotFound(err) {
			p.date = m.Date
			return err
		}
	}
	var seen evidence.Capture
	var list []evidence.Capture
	var err error
	if d.Case != 0 {
		list, err = evidence.Of(r, d.Subject.Peer, d.Case)
	}
	if err != nil {
		return err
	}
	if len(list) > 0 {
		seen = list[len(list)-1]
	} else {
		if seen, err = evidence.Look(r, d.Subject, 0, p.now); err != nil {
			return err
		}
		p.capture = &seen
	}
	if k := d.Subject.Kind; len(d.ContentType) == 0 && k != safety.Account && k != safety.Chat {
		d.ContentType = []safety.ContentType{seen.Content()}
	}
	if seen.Item != nil {
		p.date = seen.Item.Date
	}
	return nil
}

// Decide makes a decision. It is in force when Decide returns, or proposed where it takes two
// people. A Refusal says what the draft lacks; casefile.ErrClosed that the case was closed
// otherwise; ErrProposed that another proposal about it waits. The same draft again returns the
// same decision.
func (s *Service) Decide(ctx context.Context, d Draft) (Decision, error) {
	return s.decide(ctx, d, 0, false)
}

// decide makes a decision, on its own or as one of a batch.
func (s *Service) decide(
	ctx context.Context, d Draft, batch int64, second bool,
) (out Decision, err error) {
	if err := s.Check(d); err != nil {
		return out, err
	}
	d.Keywords, d.ContentType = slices.Clone(d.Keywords), slices.Clone(d.ContentType)
	p, err := s.prepare(ctx, &d)
	if err != nil {
		return out, err
	}
	p.batch, p.second = batch, p.second || second
	err = store.Repeat(func() error {
		id, err := safety.NewID(s.Clock.Now(), s.Random)
		if err != nil {
			return fmt.Errorf("decide: %w", err)
		}
		return s.Store.Update(ctx, d.Subject.Peer, func(tx *store.Tx) (err error) {
			out, err = s.write(tx, d, p, id)
			return err
		})
	})
	if err != nil {
		return Decision{}, err
	}
	s.crash("committed")
	s.told(out)
	return out, nil
}

// write stores a decision with all that belongs to it, in the transaction of the subject's peer.
func (s *Service) write(tx *store.Tx, d Draft, p prepared, id int64) (Decision, error) {
	if d.Unless != nil {
		if err := d.Unless(tx); err != nil {
			return Decision{}, err
		}
	}
	x, err := row(d, id, p.now)
	if err != nil {
		return Decision{}, err
	}
	c, old, err := find(tx, &d, x, p)
	if err != nil {
		return Decision{}, err
	}
	if old.ID != 0 && old.Batch != p.batch {
		return Decision{}, ErrProposed
	}
	if old.ID != 0 {
		out, err := read(old)
		out.Again = true
		return out, err
	}
	if s.Owes != nil {
		if err := s.Owes(tx, d, c.ID, p.batch == 0); err != nil {
			return Decision{}, err
		}
	}
	x.Case, x.Author = c.ID, d.Subject.Author
	x.Batch, x.Reached, x.ContentDate, x.State = p.batch, p.reached, p.date, int64(Proposed)
	if p.second {
		x.Flags |= needsSecond
	}
	if p.second || p.batch != 0 {
		err = s.propose(tx, &c, x, d, p.now)
	} else {
		err = s.take(tx, &c, &x, d, p.now)
	}
	if err != nil {
		return Decision{}, err
	}
	out, err := read(x)
	out.Bar = d.Bar
	return out, err
}

// find returns the case that a decision closes, opening it where there is none, or the decision
// that said the same before.
func find(
	tx *store.Tx, d *Draft, x store.Decision, p prepared,
) (c store.Case, old store.Decision, err error) {
	switch {
	case d.Case != 0:
		c, err = tx.Case(d.Subject.Peer, d.Case)
	default:
		c, err = tx.LastCase(casefile.About(d.Subject, 0))
		if store.IsNotFound(err) {
			c, err = open(tx, *d, p)
			return c, old, err
		}
	}
	if err != nil {
		return c, old, err
	}
	if about := casefile.Subject(c); !about.Same(d.Subject) {
		return c, old, Refusal{"case", "unfit"}
	} else if about.Author != 0 {
		d.Subject.Author = about.Author
	}
	if c.Decision != 0 {
		old, err = tx.Decision(c.Subject, c.Decision)
		if err != nil {
			return c, old, err
		}
		inForce := State(old.State) == Effective || State(old.State) == Proposed
		if inForce && same(old, x) {
			return c, old, nil
		}
	}
	switch {
	case c.Closed != 0 && d.Case != 0:
		return c, store.Decision{}, casefile.ErrClosed
	case c.Closed != 0:
		c, err = open(tx, *d, p)
		return c, store.Decision{}, err
	case State(old.State) == Proposed:
		return c, store.Decision{}, ErrProposed
	}
	return c, store.Decision{}, nil
}

// open makes a case of the service's own, with what was seen.
func open(tx *store.Tx, d Draft, p prepared) (store.Case, error) {
	a := casefile.Allegation{
		Subject: d.Subject, Lane: safety.Terms, Source: safety.Voluntary, Category: d.Category,
		At: p.now, By: d.By, Reach: p.reached,
	}
	if d.Ground == safety.Illegal {
		a.Lane = safety.IllegalContent
	}
	if d.NoStatement {
		a.Lane = safety.Spam
	}
	if len(d.Keywords) > 0 {
		a.Keyword = d.Keywords[0]
	}
	c, _, err := casefile.Join(tx, a, p.of)
	if err != nil || p.capture == nil {
		return c, err
	}
	return c, evidence.Keep(tx, c.ID, *p.capture, p.piece)
}

// propose stores a decision that waits for a second person, whose move the case now is.
func (s *Service) propose(
	tx *store.Tx, c *store.Case, x store.Decision, d Draft, now int64,
) error {
	if err := tx.AddDecision(x); err != nil {
		return err
	}
	c.State, c.Decision, c.Reviewer, c.Lease = int64(casefile.AwaitsSecond), x.ID, 0, 0
	c.Outcome = int64(d.Outcome)
	if err := s.noteBar(tx, c, d, now); err != nil {
		return err
	}
	return casefile.Write(tx, c, now, casefile.Event{
		Kind: casefile.AskedSecond, By: d.By, N: x.ID, Text: d.Explanation,
	})
}

// noteBar writes down that telling the person concerned is forbidden, and by what.
func (s *Service) noteBar(tx *store.Tx, c *store.Case, d Draft, now int64) error {
	if d.Bar == nil {
		return nil
	}
	return casefile.Write(tx, c, now, casefile.Event{
		Kind: casefile.Barred, By: d.By, N: d.Bar.Until, Text: d.Bar.Basis,
	})
}

// take stores a decision that is in force from now on.
func (s *Service) take(
	tx *store.Tx, c *store.Case, x *store.Decision, d Draft, now int64,
) error {
	if err := s.noteBar(tx, c, d, now); err != nil {
		return err
	}
	if err := s.force(tx, x, d.Measures, now); err != nil {
		return err
	}
	if err := tx.AddDecision(*x); err != nil {
		return err
	}
	s.crash("decision")
	return s.conclude(tx, *c, *x, d, now)
}

// force carries the measures of a decision out and makes it effective.
func (s *Service) force(
	tx *store.Tx, x *store.Decision, measures []safety.MeasureSpec, now int64,
) error {
	done, err := s.Enforce.Apply(tx, enforce.Order{
		Decision: x.ID, Subject: subjectOf(*x), Measures: measures, Now: now,
	})
	if err != nil {
		return err
	}
	s.crash("measures")
	x.State, x.Effective = int64(Effective), now
	x.Applied = int64(done.Messages + done.Photos + done.Reactions)
	for _, m := range measures {
		if m.Measure != safety.Remove {
			x.Applied++
		}
	}
	return nil
}

// conclude closes the case of a decision in force, owes its letters and writes its line for the
// log.
func (s *Service) conclude(
	tx *store.Tx, c store.Case, x store.Decision, d Draft, now int64,
) error {
	reports, err := casefile.Close(tx, c, now, casefile.Verdict{
		Outcome: d.Outcome, Decision: x.ID, By: d.By,
	})
	if err != nil {
		return err
	}
	s.crash("case")
	told, err := s.owe(tx, x, reports, barUntil(d.Bar))
	if err != nil {
		return err
	}
	s.crash("letters")
	if err := s.log(tx, c, x, told, now); err != nil {
		return err
	}
	s.crash("ledger")
	return oweDatabase(tx, x, barUntil(d.Bar))
}

// subjectOf is what a stored decision is about.
func subjectOf(x store.Decision) safety.Subject {
	return safety.Subject{
		Peer: x.Subject, Kind: safety.Kind(x.Kind), Item: x.Item, Author: x.Author,
	}
}

// Dismiss closes a case without a measure: those who reported are told, and may complain. By may be
// a rule. The same again returns the same decision.
func (s *Service) Dismiss(
	ctx context.Context, subject ids.Peer, of int64, by safety.Actor, o casefile.Outcome,
	explanation string,
) (out Decision, err error) {
	switch {
	case explanation == "":
		return out, Refusal{"explanation", "missing"}
	case by == safety.Actor{}:
		return out, Refusal{"by", "missing"}
	case o != casefile.Refuted && o != casefile.Unfounded:
		return out, Refusal{"outcome", "unfit"}
	}
	now := s.Clock.Now()
	err = store.Repeat(func() error {
		id, err := safety.NewID(now, s.Random)
		if err != nil {
			return fmt.Errorf("decide: %w", err)
		}
		return s.Store.Update(ctx, subject, func(tx *store.Tx) (err error) {
			out, err = s.dismiss(tx, store.Decision{
				Subject: subject, ID: id, Case: of, By: by.Staff, Rule: by.Rule,
				Explanation: explanation, State: int64(NoAction), Created: now.Unix(),
				Effective: now.Unix(),
			}, o)
			return err
		})
	})
	if err == nil {
		s.told(out)
	}
	return out, err
}

func (s *Service) dismiss(
	tx *store.Tx, x store.Decision, o casefile.Outcome,
) (out Decision, err error) {
	c, err := tx.Case(x.Subject, x.Case)
	if err != nil {
		return out, err
	}
	if c.Decision != 0 {
		old, err := tx.Decision(c.Subject, c.Decision)
		if err != nil {
			return out, err
		}
		if State(old.State) == NoAction && old.By == x.By && old.Rule == x.Rule &&
			old.Explanation == x.Explanation {
			out, err = read(old)
			out.Again = true
			return out, err
		}
		if State(old.State) == Proposed {
			return out, ErrProposed
		}
	}
	if c.Closed != 0 {
		return out, casefile.ErrClosed
	}
	x.Kind, x.Item, x.Author = c.Kind, c.Item, c.Author
	x.Category, x.Source, x.Automation = c.Category, c.Source, string(safety.NotAutomated)
	if x.By == 0 {
		x.Automation = string(safety.FullyAutomated)
	}
	if err := tx.AddDecision(x); err != nil {
		return out, err
	}
	err = s.conclude(tx, c, x, Draft{
		Outcome: o, By: safety.Actor{Staff: x.By, Rule: x.Rule},
	}, x.Created)
	if err != nil {
		return out, err
	}
	return read(x)
}
