package market

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"parley/internal/ids"
	"parley/internal/safety"
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
	// Law is the provision by which the country forbids it, Staff who proposes it.
	Law   string
	Staff int64
}

// Restrict gives a country the state Restricted and proposes to disable in it what Withholding
// names, as one batch that it returns: nothing is withheld before people approve it in the
// console. ErrCategory, ErrNothing, and those of Set.
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
	drafts, err := s.drafts(ctx, of, c, w)
	if err != nil {
		return b, err
	}
	if len(drafts) == 0 {
		return b, ErrNothing
	}
	b, err = s.Decisions.ProposeBatch(ctx, drafts, safety.Actor{Staff: w.Staff}, c.Why)
	if err != nil {
		return b, err
	}
	c.Batch, c.Withheld = b.ID, w.Categories
	if err := s.Set(ctx, of, c); err != nil {
		undone := s.Decisions.WithdrawBatch(ctx, b.ID, w.Staff, "The market was not restricted.")
		return b, errors.Join(err, undone)
	}
	return b, nil
}

// drafts are the decisions of a withholding, one for each subject.
func (s *Service) drafts(
	ctx context.Context, of country.Code, c Change, w Withholding,
) (out []decide.Draft, err error) {
	seen, gone := map[safety.Subject]bool{}, map[safety.Subject]bool{}
	for from := int64(1); ; {
		var page []store.Decision
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			page, err = r.DecisionsBetween(from, math.MaxInt64, withheldPage)
			for i := 0; err == nil && i < len(page); i++ {
				err = s.draft(r, page[i], of, w, gone, func(d decide.Draft) {
					if !seen[d.Subject] {
						seen[d.Subject] = true
						d.Explanation, d.By = c.Why, safety.Actor{Staff: w.Staff}
						out = append(out, d)
					}
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
	add func(decide.Draft),
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
	d, err := decide.Of(r, x.Subject, x.ID)
	if err != nil {
		return err
	}
	if away(d.Measures, string(of)) {
		gone[d.Subject] = true
		return nil
	}
	reference := s.Decisions.References.Make(safety.StatementRef, x.Subject, x.ID)
	add(decide.Draft{
		Subject: d.Subject, Ground: safety.Illegal, Reference: w.Law, Category: d.Category,
		Keywords: d.Keywords, Lang: d.Lang, ContentType: d.ContentType, Source: safety.Voluntary,
		Facts: "Decided on before under this category: " + reference + ".",
		Means: safety.Means{Detected: true, Decided: safety.PartiallyAutomated},
		Measures: []safety.MeasureSpec{
			{Measure: safety.Disable, Territory: []string{string(of)}},
		},
	})
	return nil
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
	var all []Market
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		all, err = All(r)
		return err
	})
	for _, m := range all {
		if m.State() != Open {
			continue
		}
		for _, c := range m.Changes {
			if c.Batch == 0 {
				continue
			}
			ended, err := s.lift(ctx, m, c.Batch)
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

// lift ends a batch of a country that is open.
func (s *Service) lift(ctx context.Context, m Market, id int64) (bool, error) {
	var b decide.Batch
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		b, err = decide.BatchOf(r, id)
		return err
	})
	if err != nil {
		return false, err
	}
	why := strings.TrimSpace(m.Changes[len(m.Changes)-1].Why)
	switch b.State {
	case decide.BatchProposed:
		return true, s.Decisions.WithdrawBatch(ctx, id, 0, why)
	case decide.BatchDone, decide.BatchLifting:
		_, err := s.Decisions.LiftBatch(ctx, id, safety.Actor{Rule: rule}, why)
		return true, err
	default:
		return false, nil
	}
}
