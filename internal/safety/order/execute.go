package order

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/decide"
	"parley/internal/safety/instrument"
	"parley/internal/safety/ledger"
	"parley/internal/safety/personal"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/paper"
)

// Wake makes Run look for approved orders at once.
func (s *Service) Wake() {
	s.worker.Wake()
}

// runEvery is how often orders are looked for whose clock rings, or that nobody woke Run for.
const runEvery = 5 * time.Second

// Run carries out what is approved, takes back what is ending and rings for what is late, until
// ctx ends. It goes on with what an earlier process began, and has the register of refusals hold
// what was refused before it was kept. failed hears of errors.
func (s *Service) Run(ctx context.Context, failed func(error)) {
	s.worker.Run(ctx, runEvery, failed, func(ctx context.Context) error {
		_, err := s.Sweep(ctx)
		return errors.Join(err, s.halts(ctx), s.CarryOut(ctx), s.EnterRefused(ctx))
	})
}

// CarryOut carries out all orders that are approved and takes back those that are ending. An order
// that fails does not hold the others up.
func (s *Service) CarryOut(ctx context.Context) (err error) {
	for _, state := range []State{Approved, Ending} {
		var due, after int64
		for {
			var list []Order
			verr := s.Store.View(ctx, func(r *store.Reader) (err error) {
				list, err = s.Queue(r, state, due, after, sweepPage)
				return err
			})
			if verr != nil {
				return verr
			}
			for _, o := range list {
				due, after = o.Due, o.ID
				if state == Ending {
					_, oerr := s.TakeBack(ctx, o.Agency, o.ID)
					err = errors.Join(err, oerr)
					continue
				}
				if !executed(o.Document.Action) && o.Document.Extends == "" {
					continue
				}
				_, oerr := s.Execute(ctx, o.Agency, o.ID)
				err = errors.Join(err, oerr)
			}
			if len(list) < sweepPage {
				break
			}
		}
	}
	return err
}

// Execute carries out an approved order, item by item, and answers it. What an earlier process left
// half done is found and not done again, and an item that fails does not hold the others up.
// Disclosure is no matter of this package: such an order stays approved until Conclude.
func (s *Service) Execute(ctx context.Context, of, id int64) (Order, error) {
	plan, signed, err := s.begin(ctx, of, id)
	if err != nil || plan.Digest == "" {
		return Order{}, err
	}
	if plan.Extends != "" {
		return s.extend(ctx, of, id)
	}
	for _, step := range plan.Steps {
		if ctx.Err() != nil {
			return Order{}, ctx.Err()
		}
		if ierr := s.carry(ctx, of, id, step, signed); ierr != nil {
			err = errors.Join(err, fmt.Errorf("order: item %d of %d: %w", step.N, id, ierr))
		}
		s.crash("item")
	}
	if err != nil {
		return Order{}, err
	}
	return s.Conclude(ctx, of, id)
}

// begin holds the signatures to the plan as it is now, and notes that carrying out begins. It
// returns who signed that plan. A plan without a digest is one that is not to be carried out here.
func (s *Service) begin(
	ctx context.Context, of, id int64,
) (plan Plan, signed []store.OrderApproval, err error) {
	var o Order
	o, err = s.change(ctx, of, id, func(w *work) error {
		plan = Plan{}
		if w.o.State != Approved {
			return nil
		}
		halted, err := w.halted()
		if err != nil {
			return err
		}
		if halted {
			return errors.Join(w.question(), w.stop())
		}
		p, err := w.plan()
		if err != nil {
			return err
		}
		if signed, err = w.signatures(p.Digest); err != nil {
			return err
		}
		if len(lacking(w.o.Signs(), signed)) > 0 {
			w.o.State = Assessed
			return w.void(p.Digest)
		}
		if !executed(p.Action) && p.Extends == "" {
			return nil
		}
		plan = p
		for _, i := range w.items {
			if i.State == Waiting && i.Began == 0 {
				i.Began = w.now
				if err := w.put(i); err != nil {
					return err
				}
			}
		}
		return nil
	})
	switch {
	case err == nil && o.State == Assessed:
		s.alarm(o, "signatures are under another plan")
	case err == nil && o.Stopped != nil:
		s.alarm(o, haltedText)
	}
	return plan, signed, err
}

// executed tells whether an action is carried out here: what hands data out or explains is not.
func executed(a policy.Action) bool { return restricts(a) || a == policy.Preserve }

// carry carries out one step of a plan that people have signed. What was done while somebody took
// the order back is taken back as well.
func (s *Service) carry(
	ctx context.Context, of, id int64, step Step, signed []store.OrderApproval,
) error {
	var o Order
	var item Item
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		if o, err = s.Of(r, of, id); err != nil {
			return err
		}
		items, err := Items(r, of, id)
		if err != nil {
			return err
		}
		item = items[step.N-1]
		return nil
	})
	if err != nil || o.State != Approved || item.State != Waiting && item.State != Proposed {
		return err
	}
	s.crash("looked")
	signer := signed[0].Staff
	item.Measure = step.Measure
	waited := item.State == Proposed
	switch {
	case step.Declined != "":
		item.State, item.Reason = Declined, step.Declined
	case step.Measure != nil:
		err = s.measure(ctx, o, &item, signed)
	default:
		item.Hold, err = s.preserve(ctx, o, item, signer)
		item.State = Done
		if errors.Is(err, personal.ErrMuch) { // the authority has to name a shorter time
			item.State, item.Reason, err = Declined, "too-wide", nil
		}
	}
	if errors.Is(err, errFenced) {
		return nil // it was taken back while this stood still
	}
	if err != nil || waited && item.State == Proposed {
		return err
	}
	s.crash("decided")
	o, err = s.change(ctx, of, id, func(w *work) error {
		now := w.items[step.N-1]
		if w.o.State != Approved || now.State != Waiting && now.State != Proposed {
			return nil
		}
		item.At = w.now
		if err := w.put(item); err != nil {
			return err
		}
		text := fmt.Sprintf("%d %s %s", item.N, item.State, item.Reason)
		return w.event(ItemChanged, By{Staff: signer}, strings.TrimSpace(text))
	})
	if err == nil && o.End != nil {
		err = s.restore(ctx, o, item)
	}
	return err
}

// measure takes the measure of an item by a decision, or finds the one that was made before.
func (s *Service) measure(
	ctx context.Context, o Order, i *Item, signed []store.OrderApproval,
) error {
	signer := signed[0].Staff
	draft := o.draft(*i, signer, s.Clock.Now().Unix())
	draft.Unless = func(tx *store.Tx) error { return o.unfenced(tx, *i) }
	d, err := s.left(ctx, o, *i)
	if err == nil && d.ID == 0 {
		d, err = s.Decisions.Decide(ctx, draft)
	}
	refusal := decide.Refusal{}
	switch {
	case errors.As(err, &refusal):
		i.State, i.Reason = Declined, "not-"+refusal.Field
		i.Measure = nil
		return nil
	case err != nil:
		return err
	}
	i.Decision, i.State = d.ID, Done
	i.Told = draft.Bar == nil && d.Subject.Author != 0
	switch d.State {
	case decide.Effective:
	case decide.Proposed:
		if i.State, err = s.second(ctx, d, signed); err != nil || i.State == Proposed {
			return err
		}
	default: // its second person said no, or it has ended meanwhile
		i.State, i.Reason, i.Measure, i.Told = Declined, "decision-"+d.State.String(), nil, false
		return nil
	}
	i.Hold, err = s.hold(ctx, o, d, signer)
	return err
}

// second puts a decision that takes two people into force in the name of another who signed the
// plan, if there is one: he has seen the very measure. Else it waits for somebody in the console.
func (s *Service) second(
	ctx context.Context, d decide.Decision, signed []store.OrderApproval,
) (ItemState, error) {
	for _, a := range signed {
		if a.Staff == d.By.Staff {
			continue
		}
		_, err := s.Decisions.Second(ctx, d.Subject.Peer, d.ID, a.Staff)
		return Done, err
	}
	return Proposed, nil
}

// clip bounds a text in characters.
func clip(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	r := []rune(s)
	return string(r[:most-1]) + "…"
}

// draftFacts names order and item in the decision about an item, and so tells it from all others.
func (o Order) draftFacts(i Item) string {
	return clip(fmt.Sprintf("%s #%d: %s", o.Reference, i.N, i.Location), decide.FactsRunes)
}

// draft is the decision about an item that is made at a time, in Unix seconds. A bar on telling
// counts for no longer than policy has it.
func (o Order) draft(i Item, signer, now int64) decide.Draft {
	d := o.Document
	law := make([]string, 0, len(d.Basis))
	for _, b := range d.Basis {
		law = append(law, b.Law+", "+b.Provision)
	}
	reference := clip(strings.Join(law, "; "), decide.ReferenceRunes-160) + " – " +
		clip(d.Number, numberRunes) + " (" + d.Country + ")"
	out := decide.Draft{
		Subject: i.Subject, Ground: safety.Illegal, Reference: reference,
		Explanation: clip(d.Authority+" ("+d.Country+"), "+d.Number+": "+d.Reasons,
			decide.ExplanationRunes),
		Facts:    o.draftFacts(i),
		Category: d.Category, Keywords: d.Keywords, Measures: []safety.MeasureSpec{*i.Measure},
		Means:  safety.Means{Decided: safety.NotAutomated},
		Source: safety.OtherNotification, By: safety.Actor{Staff: signer},
		Article9: d.Instrument == instrument.Act, Ordered: true,
	}
	if out.Category == "" {
		out.Category = safety.HarmfulSpeech
	}
	if d.Instrument == instrument.Removal && len(out.Keywords) == 0 {
		out.Category = safety.PublicSecurity
		out.Keywords = []safety.Keyword{"KEYWORD_TERRORIST_CONTENT"}
	}
	until := o.TellAt(now)
	if d.Bar != nil && o.Verdict.Tell.When == policy.BarEnds && until > now {
		out.Bar = &decide.Bar{Basis: d.Bar.Basis, Until: until}
	}
	return out
}

// Conclude answers an order whose items have all been dealt with: a signed confirmation for each of
// them, and its line for the public log. It does nothing while one waits.
func (s *Service) Conclude(ctx context.Context, of, id int64) (Order, error) {
	return s.change(ctx, of, id, func(w *work) error {
		if w.o.State != Approved {
			return nil
		}
		var done, told, all int64
		people := make(map[ids.UserID]bool)
		for _, i := range w.items {
			switch {
			case i.Reason == "not-named":
				continue
			case i.State == Waiting || i.State == Proposed:
				return nil
			case i.State == Done:
				done++
				people[i.Subject.Author] = people[i.Subject.Author] || i.Told
			}
			all++
		}
		for _, t := range people {
			if t {
				told++
			}
		}
		return w.answered(outcome(done, all), int64(len(people)), told)
	})
}

// outcome is how far effect was given, in the words of the public log.
func outcome(done, all int64) string {
	switch {
	case done == 0:
		return "none"
	case done < all:
		return "partial"
	default:
		return "full"
	}
}

// given is an outcome in the words of papers.
func given(outcome string) string {
	return map[string]string{"full": "yes", "partial": "partly", "none": "no"}[outcome]
}

// answered ends an order that was carried out, with all that it owes.
func (w *work) answered(outcome string, accounts, told int64) error {
	w.close(Answered)
	w.happened(instrument.Effected)
	if w.o.Document.Action == policy.Preserve {
		w.happened(instrument.Kept)
	}
	w.happened(instrument.Informed)
	if err := w.event(WasAnswered, By{}, outcome); err != nil {
		return err
	}
	reason := ""
	if outcome == "none" {
		reason = w.noneBecause()
	}
	err := w.sign(paper.Paper{
		Kind: paper.Effect, Given: given(outcome), Reason: reason, Text: narrowed(w.o.Verdict),
		Items: w.paperItems(),
	})
	if err != nil {
		return err
	}
	class := partly(w.items)
	if err := w.declined(class); err != nil {
		return err
	}
	if err := w.prepareScrutiny(); err != nil {
		return err
	}
	p, err := w.plan()
	if err != nil {
		return err
	}
	signed, err := w.signatures(p.Digest)
	if err != nil {
		return err
	}
	e := entry.Entry{
		Outcome: outcome, Reason: cmp.Or(reason, class), Persons: int64(len(signed)),
	}
	e.People(accounts, told)
	if err := w.line(ledger.Effect, e); err != nil {
		return err
	}
	w.crash("answered")
	return nil
}

// narrowed is why less is done than was asked: the reasons of policy that are about a part of it.
func narrowed(v policy.Verdict) string {
	var texts []string
	for _, r := range v.Refusals {
		if r.Part {
			texts = append(texts, r.Text)
		}
	}
	return strings.Join(texts, "\n")
}

// noneBecause is why nothing was done: the reason of the first item.
func (w *work) noneBecause() string {
	for _, i := range w.items {
		if i.Reason != "" {
			return i.Reason
		}
	}
	return "nothing-named"
}
