package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/safety/evidence"
	"parley/internal/store"
)

// Rule is what a rule that finds things may do.
type Rule struct {
	// Shadow rules are recorded and counted, and nothing follows.
	Shadow bool
	// PerHour is how many of its findings may be acted on in an hour without a person; 0 for none.
	PerHour int64
}

// Verdict is what a finding leads to. Values are stored.
type Verdict int64

// The verdicts.
const (
	// InShadow leads to nothing.
	InShadow Verdict = 1
	// ToPeople opens a case for people.
	ToPeople Verdict = 2
	// MayAct lets the rule decide alone. Until its lease ends, the case waits for that.
	MayAct Verdict = 3
	// Braked opens a case for people, because the rule has acted too often in this hour.
	Braked Verdict = 4
)

// Signal is what a rule found.
type Signal struct {
	Rule    string
	Subject safety.Subject
	// Score is how sure the rule is, in thousandths. It is told to no user.
	Score    int64
	Category safety.Category
	Keyword  safety.Keyword
	Lane     safety.Lane
	// Note says why the rule found it.
	Note string
}

// Finding is what became of a signal.
type Finding struct {
	ID      int64
	Verdict Verdict
	// Case is 0 in shadow.
	Case int64
}

// ErrRule says that a signal names no rule.
var ErrRule = errors.New("intake: the signal names no rule")

// ruleLease is how long a rule that may act has for it before people get the case, in seconds.
const ruleLease = 60

// Signal records what a rule found and says what may follow. A rule that is not known is in shadow.
// The brake counts before anything is written, so a crash only brakes earlier.
func (s *Service) Signal(ctx context.Context, in Signal) (Finding, error) {
	if in.Rule == "" {
		return Finding{}, ErrRule
	}
	if !in.Category.Valid() {
		return Finding{}, ErrCategory
	}
	if in.Lane == 0 {
		in.Lane = LaneOf(in.Category, in.Keyword, safety.Voluntary)
	}
	now := s.Clock.Now()
	verdict, err := s.brake(ctx, in.Rule, now)
	if err != nil {
		return Finding{}, err
	}
	var seen seen
	report := Report{Subject: in.Subject, Source: safety.Voluntary, Category: in.Category}
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		seen, err = s.look(r, report, now.Unix())
		return err
	})
	if err != nil {
		return Finding{}, err
	}
	var out Finding
	err = s.update(ctx, in.Subject.Peer, now, func(tx *store.Tx, n numbers) error {
		out = Finding{ID: n.report, Verdict: verdict}
		if verdict != InShadow {
			c, err := s.found(tx, in, seen, n, verdict, now.Unix())
			if err != nil {
				return err
			}
			out.Case = c.ID
		}
		return tx.AddFinding(store.Finding{Subject: in.Subject.Peer, ID: n.report, Case: out.Case,
			Rule: in.Rule, Score: in.Score, Verdict: int64(verdict), At: now.Unix(),
			Note: in.Note})
	})
	if err != nil {
		return Finding{}, fmt.Errorf("intake: signal of %s: %w", in.Rule, err)
	}
	if verdict != InShadow {
		s.Arrived(in.Lane, safety.Voluntary)
	}
	return out, nil
}

// found opens or joins the case of a finding.
func (s *Service) found(
	tx *store.Tx, in Signal, seen seen, n numbers, verdict Verdict, now int64,
) (store.Case, error) {
	a := casefile.Allegation{
		Subject: in.Subject, Lane: in.Lane, Source: safety.Voluntary, Category: in.Category,
		Keyword: in.Keyword, At: now, Reach: seen.reach, By: safety.Actor{Rule: in.Rule},
	}
	if verdict == MayAct {
		a.State, a.Lease = casefile.WithRule, now+ruleLease
	}
	c, _, err := casefile.Join(tx, a, n.of)
	if err != nil {
		return c, err
	}
	return c, evidence.Keep(tx, c.ID, seen.capture, n.evidence)
}

// brake says what a rule may do with what it found now.
func (s *Service) brake(ctx context.Context, name string, now time.Time) (Verdict, error) {
	rule, known := s.Rules[name]
	switch {
	case !known || rule.Shadow:
		return InShadow, nil
	case rule.PerHour <= 0:
		return ToPeople, nil
	}
	var n int64
	slot := now.Truncate(time.Hour).Unix()
	err := s.Store.Update(ctx, 0, func(tx *store.Tx) (err error) {
		n, err = tx.Count("rule/"+name, slot, 1)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("intake: brake of %s: %w", name, err)
	}
	if n > rule.PerHour {
		if n == rule.PerHour+1 {
			s.Alarm(name, n)
		}
		return Braked, nil
	}
	return MayAct, nil
}
