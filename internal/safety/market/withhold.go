package market

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"parley/internal/chat/account"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/safety/country"
	"parley/internal/safety/decide"
	"parley/internal/store"
)

// ErrCategory is a category that decisions do not have.
var ErrCategory = errors.New("market: no such category of decisions")

// ErrNothing says that nothing public was decided under the categories that is not withheld there.
var ErrNothing = errors.New("market: there is nothing to withhold under these categories")

// rule is who lifts what was withheld in a country that is open again.
const rule = "market"

// withheldPage is how many decisions are read at once.
const withheldPage = 500

// Withholding is what is withheld in a restricted country: what is public and was decided on under
// a category, with a milder outcome or for other countries. Each withholding is a decision of its
// own, with reasons and a complaint.
type Withholding struct {
	Categories []safety.Category
	// Law is the provision by which the country forbids it, Staff who proposes it, and Why the
	// reason that the people concerned read.
	Law   string
	Staff int64
	Why   string
}

// Restrict gives a country the state Restricted and proposes to disable in it what Withholding
// names, as one batch that it returns: nothing is withheld before people approve it in the
// console. The change is written first, and what a process that ends leaves undone Complete does:
// who calls again finishes that first. ErrCategory, ErrNothing, and those of Set and of
// decide.ProposeBatchAs.
func (s *Service) Restrict(
	ctx context.Context, of country.Code, c Change, w Withholding,
) (b decide.Batch, err error) {
	for _, x := range w.Categories {
		if !x.Valid() || x == safety.NotSpecified {
			return b, ErrCategory
		}
	}
	if c.State != Restricted {
		return b, ErrState
	}
	if err := s.check(of, c); err != nil {
		return b, err
	}
	if _, err := s.Complete(ctx); err != nil {
		return b, err
	}
	w.Why = c.Why
	drafts, err := s.drafts(ctx, of, w, 0)
	if err != nil {
		return b, err
	}
	if len(drafts) == 0 {
		return b, ErrNothing
	}
	by := safety.Actor{Staff: w.Staff}
	if _, err := s.Decisions.CheckBatch(drafts, by, c.Why); err != nil {
		return b, err
	}
	if c.Batch, err = s.Decisions.NewBatch(); err != nil {
		return b, err
	}
	c.Withheld, c.Law, c.Staff = w.Categories, w.Law, w.Staff
	if err := s.Set(ctx, of, c); err != nil {
		return b, err
	}
	s.crash("recorded")
	return s.Decisions.ProposeBatchAs(ctx, c.Batch, drafts, by, c.Why)
}

// Complete proposes what is missing of the withholdings that a process ended in the middle of, and
// returns how many it went on with.
func (s *Service) Complete(ctx context.Context) (n int, err error) {
	all, err := s.all(ctx)
	for _, m := range all {
		_, kept := m.kept()
		for _, c := range kept {
			whole, err := s.whole(ctx, c.Batch)
			if err == nil && !whole {
				n++
				err = s.complete(ctx, m.Country, c)
			}
			if err != nil {
				return n, fmt.Errorf("market: %s: %w", m.Country, err)
			}
		}
	}
	return n, err
}

// whole tells whether nothing of a batch waits to be proposed.
func (s *Service) whole(ctx context.Context, id int64) (bool, error) {
	if id == 0 {
		return true, nil
	}
	b, err := s.batch(ctx, id)
	return b.State != decide.BatchProposed || b.Whole(), err
}

// batch is a batch; one that was written down and never proposed is proposed, and has no size.
func (s *Service) batch(ctx context.Context, id int64) (b decide.Batch, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		b, err = decide.BatchOf(r, id)
		if store.IsNotFound(err) {
			b, err = decide.Batch{ID: id, State: decide.BatchProposed}, nil
		}
		return err
	})
	return b, err
}

// complete proposes what is missing of one withholding. Where nothing is there to withhold any more
// it is over.
func (s *Service) complete(ctx context.Context, of country.Code, c Change) error {
	w := Withholding{Categories: c.Withheld, Law: c.Law, Staff: c.Staff, Why: c.Why}
	drafts, err := s.drafts(ctx, of, w, c.Batch)
	if err != nil {
		return err
	}
	if len(drafts) == 0 {
		return s.forget(ctx, of, c)
	}
	_, err = s.Decisions.ProposeBatchAs(ctx, c.Batch, drafts, safety.Actor{Staff: c.Staff}, c.Why)
	return err
}

// forget withdraws what was proposed of a withholding and takes its batch off the change.
func (s *Service) forget(ctx context.Context, of country.Code, c Change) error {
	why := "Nothing that it was about is there any more."
	err := s.Decisions.WithdrawBatch(ctx, c.Batch, c.Staff, why)
	if err != nil && !store.IsNotFound(err) {
		return err
	}
	return s.Store.Update(ctx, account.ServiceUser.Peer(), func(tx *store.Tx) error {
		all, err := read(&tx.Reader)
		if err != nil {
			return err
		}
		for i := range all {
			for j, x := range all[i].Changes {
				if all[i].Country == of && x.Batch == c.Batch {
					all[i].Changes[j].Batch = 0
				}
			}
		}
		return write(tx, all)
	})
}

// Status is what is done and what is left of a country's market.
type Status struct {
	Market
	// Batches are the withholdings since the country was open last, and those before of which not
	// all is lifted.
	Batches []decide.Batch
	// Telling is set while not all people of the country are told of its state.
	Telling bool
}

// Status is how far a country's market is; that of one which was always open is empty.
func (s *Service) Status(ctx context.Context, of country.Code) (out Status, err error) {
	if !of.Valid() {
		return out, ErrCountry
	}
	all, err := s.stored(ctx)
	if err != nil {
		return out, err
	}
	out.Country = of
	for _, m := range all {
		if m.Country != of {
			continue
		}
		out.Market, out.Telling = m.Market, m.Place != done
		past, _ := m.kept()
		for i, c := range m.Changes {
			if c.Batch == 0 {
				continue
			}
			b, err := s.batch(ctx, c.Batch)
			if err != nil {
				return out, err
			}
			if i >= len(past) || pending(b) {
				out.Batches = append(out.Batches, b)
			}
		}
	}
	return out, nil
}

// pending tells whether a batch of a country that is open again is not ended yet.
func pending(b decide.Batch) bool {
	switch b.State {
	case decide.BatchLifted:
		return false
	case decide.BatchProposed:
		return b.Size > 0
	default:
		return b.Count[decide.Proposed]+b.Count[decide.Effective] > 0
	}
}

// drafts are the decisions of a withholding, one for each subject. What another proposal than one
// of the batch waits for is left to that.
func (s *Service) drafts(
	ctx context.Context, of country.Code, w Withholding, batch int64,
) (out []decide.Draft, err error) {
	seen, gone := map[safety.Subject]bool{}, map[safety.Subject]bool{}
	for from := int64(1); ; {
		var page []store.Decision
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			page, err = r.DecisionsBetween(from, math.MaxInt64, withheldPage)
			for i := 0; err == nil && i < len(page); i++ {
				err = s.draft(r, page[i], of, w, gone, func(d decide.Draft) error {
					if seen[d.Subject] {
						return nil
					}
					seen[d.Subject] = true
					busy, err := awaited(r, d.Subject, batch)
					if err == nil && !busy {
						d.Explanation, d.By = w.Why, safety.Actor{Staff: w.Staff}
						out = append(out, d)
					}
					return err
				})
				from = page[i].ID + 1
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("market: %w", err)
		}
		if len(page) < withheldPage {
			return slices.DeleteFunc(out, func(d decide.Draft) bool { return gone[d.Subject] }), nil
		}
	}
}

// draft makes a draft of an earlier decision that a withholding concerns, and notes what is kept
// from the country already.
func (s *Service) draft(
	r *store.Reader, x store.Decision, of country.Code, w Withholding, gone map[safety.Subject]bool,
	add func(decide.Draft) error,
) error {
	kind := safety.Kind(x.Kind)
	if decide.State(x.State) != decide.Effective || kind != safety.Chat && kind != safety.Message ||
		x.Subject.Kind() != ids.Channel ||
		!slices.Contains(w.Categories, safety.Category(x.Category)) {
		return nil
	}
	chat, err := r.Chat(x.Subject)
	if store.IsNotFound(err) {
		return nil
	}
	if err != nil || chat.Username == "" || chat.Flags.Has(store.ChatTerminated) {
		return err
	}
	if kind == safety.Message {
		switch _, err := r.Message(x.Subject, x.Item); {
		case store.IsNotFound(err):
			return nil // its author has deleted it
		case err != nil:
			return err
		}
	}
	d, err := decide.Of(r, x.Subject, x.ID)
	if err != nil {
		return err
	}
	if away(d.Measures, string(of)) {
		gone[d.Subject] = true
		return nil
	}
	reference := s.Decisions.References.Make(safety.StatementRef, x.Subject, x.ID)
	return add(decide.Draft{
		Subject: d.Subject, Ground: safety.Illegal, Reference: w.Law, Category: d.Category,
		Keywords: d.Keywords, Lang: d.Lang, ContentType: d.ContentType, Source: safety.Voluntary,
		Facts: "Decided on before under this category: " + reference + ".",
		Means: safety.Means{Detected: true, Decided: safety.PartiallyAutomated},
		Measures: []safety.MeasureSpec{
			{Measure: safety.Disable, Territory: []string{string(of)}},
		},
	})
}

// awaited tells whether a proposal about something that is not of a batch waits for somebody.
func awaited(r *store.Reader, s safety.Subject, batch int64) (bool, error) {
	c, err := r.LastCase(casefile.About(s, 0))
	if store.IsNotFound(err) || err == nil && c.Decision == 0 {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	x, err := r.Decision(c.Subject, c.Decision)
	return decide.State(x.State) == decide.Proposed && x.Batch != batch, err
}

// away tells whether measures keep something from a country already.
func away(list []safety.MeasureSpec, of string) bool {
	return slices.ContainsFunc(list, func(m safety.MeasureSpec) bool {
		switch m.Measure {
		case safety.Remove, safety.Terminate:
			return true
		case safety.Disable:
			return len(m.Territory) == 0 || slices.Contains(m.Territory, of)
		default:
			return false
		}
	})
}

// LiftAll lifts what was withheld in countries that are open again, or withdraws what was only
// proposed, and returns how many batches it ended.
func (s *Service) LiftAll(ctx context.Context) (n int, err error) {
	all, err := s.all(ctx)
	for _, m := range all {
		past, _ := m.kept()
		why := ""
		for _, c := range slices.Backward(past) {
			if c.State == Open {
				why = strings.TrimSpace(c.Why)
			}
			if c.Batch == 0 {
				continue
			}
			ended, err := s.lift(ctx, c.Batch, why)
			if err != nil {
				return n, fmt.Errorf("market: %s: %w", m.Country, err)
			}
			if ended {
				n++
			}
		}
	}
	return n, err
}

// lift ends a batch of a country that was opened again, for the reason that it was opened.
func (s *Service) lift(ctx context.Context, id int64, why string) (bool, error) {
	b, err := s.batch(ctx, id)
	if err != nil {
		return false, err
	}
	switch {
	case b.State == decide.BatchProposed && b.Size > 0,
		b.State == decide.BatchWithdrawn && b.Count[decide.Proposed] > 0:
		return true, s.Decisions.WithdrawBatch(ctx, id, 0, why)
	case b.State == decide.BatchDone || b.State == decide.BatchLifting:
		_, err := s.Decisions.LiftBatch(ctx, id, safety.Actor{Rule: rule}, why)
		return true, err
	default:
		return false, nil
	}
}
