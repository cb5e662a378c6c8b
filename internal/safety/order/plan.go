package order

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"parley/internal/safety"
	"parley/internal/safety/instrument"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/tlog/paper"
)

// Plan is what would be carried out of an order: what people sign is its digest.
type Plan struct {
	// Document is the digest of the order's document, Policy that of the rules.
	Document string        `json:"document"`
	Policy   string        `json:"policy"`
	Action   policy.Action `json:"action"`
	// Data is which data may be handed out or kept, From and To of which time.
	Data []policy.Data `json:"data,omitempty"`
	From int64         `json:"from,omitempty"`
	To   int64         `json:"to,omitempty"`
	Bar  *Bar          `json:"bar,omitempty"`
	// Voids is how often signatures came to count no more: none of them is under this plan.
	Voids int64 `json:"voids,omitempty"`
	// Key is the fingerprint of the key that data is encrypted to, Again how often the order's data
	// was decided to be handed over again.
	Key   string `json:"key,omitempty"`
	Again int64  `json:"again,omitempty"`
	// Extends is the number of the order that is made to last longer, and nothing else is done.
	Extends string `json:"extends,omitempty"`
	// Steps are what becomes of each item.
	Steps []Step `json:"steps"`
	// Digest is the SHA-256 of all else as JSON, in hexadecimal digits.
	Digest string `json:"-"`
}

// Step is what becomes of an item: a measure, or a reason why not.
type Step struct {
	N        int64               `json:"n"`
	Location string              `json:"location"`
	Subject  safety.Subject      `json:"subject"`
	Measure  *safety.MeasureSpec `json:"measure,omitempty"`
	Declined string              `json:"declined,omitempty"`
}

// PlanOf returns what would be carried out of an order as it is now.
func (s *Service) PlanOf(ctx context.Context, of, id int64) (p Plan, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		w := &work{Service: s}
		if err := w.load(r, of, id); err != nil {
			return err
		}
		p, err = w.plan()
		return err
	})
	return p, err
}

// plan is what would be carried out.
func (w *work) plan() (Plan, error) {
	d, m := w.o.Document, w.o.Verdict.Most
	p := Plan{
		Document: w.o.Digest, Policy: w.o.Verdict.Policy, Action: d.Action, Bar: d.Bar,
		Voids: w.o.Voids,
	}
	if d.Action == policy.Disclose || d.Action == policy.Preserve {
		p.From, p.To = d.From, d.To
		for _, x := range d.Data {
			if slices.Contains(m.Data, x) && !slices.Contains(p.Data, x) {
				p.Data = append(p.Data, x)
			}
		}
	}
	p.Extends = d.Extends
	if d.Action == policy.Disclose {
		p.Key, p.Again = w.of.Fingerprint(), w.o.Again
	}
	territory := countries(m.Territory, d)
	for _, i := range w.items {
		p.Steps = append(p.Steps, w.step(i, territory))
	}
	b, err := json.Marshal(p)
	if err != nil {
		return p, fmt.Errorf("order: plan: %w", err)
	}
	sum := sha256.Sum256(b)
	p.Digest = hex.EncodeToString(sum[:])
	return p, nil
}

// step is what becomes of an item: the narrowest measure that gives effect to the order, within
// what policy allows.
func (w *work) step(i Item, territory []string) Step {
	d, m := w.o.Document, w.o.Verdict.Most
	out := Step{N: i.N, Location: i.Location, Subject: i.Subject}
	switch {
	case i.State == Absent || i.Subject.Peer == 0:
		out.Declined = "not-here"
		return out
	case i.State == Declined && i.Began == 0: // else it was signed, and could not be done
		out.Declined = i.Reason
		return out
	case !restricts(d.Action):
		return out
	case wider(i.Subject.Kind, m.Target):
		out.Declined = "over-broad"
		return out
	}
	spec, ok := narrowest(d.Action, i.Subject.Kind, m, territory)
	if !ok {
		out.Declined = "no-measure"
		return out
	}
	spec.Ends = d.Until
	if m.Days > 0 {
		last := w.o.Received + int64(m.Days)*24*60*60
		if spec.Ends == 0 || spec.Ends > last {
			spec.Ends = last
		}
	}
	out.Measure = &spec
	return out
}

// countries are those in which policy allows an order to hold; none where it names none.
func countries(t policy.Territory, d Document) []string {
	switch t {
	case policy.Issuers:
		return []string{d.Country}
	case policy.Instruments:
		switch d.Instrument {
		case instrument.Act, instrument.Removal:
			return safety.EU()
		default:
			return []string{d.Country}
		}
	case policy.AsOrdered:
		return slices.Clone(d.territory())
	default:
		return nil
	}
}

// restricts tells whether an action takes something from people's speech.
func restricts(a policy.Action) bool { return slices.Contains(policy.Restricting(), a) }

// wider tells whether a kind of subject is more than the widest that policy allows.
func wider(k safety.Kind, most policy.Target) bool {
	switch most {
	case policy.Item:
		return k == safety.Account || k == safety.Chat
	case policy.Account:
		return k == safety.Chat
	case policy.Chat, policy.Whole:
		return false
	default:
		return true
	}
}

// effective are the measures that give effect to an action, the narrowest first: one country before
// all, withholding before taking away.
func effective(a policy.Action) []safety.Measure {
	switch a {
	case policy.Remove, policy.Withhold:
		return []safety.Measure{safety.Disable, safety.Remove}
	case policy.Restrict:
		return []safety.Measure{
			safety.InteractionRestrict, safety.LimitSending, safety.LimitJoining, safety.Suspend,
		}
	case policy.Close:
		return []safety.Measure{safety.Disable, safety.Suspend, safety.Terminate}
	default:
		return nil
	}
}

// narrowest is the first effective measure that policy allows and that fits. What holds everywhere
// is not taken where policy names countries: then it has to be a measure that can be taken in them.
func narrowest(
	a policy.Action, k safety.Kind, m policy.Most, territory []string,
) (safety.MeasureSpec, bool) {
	for _, x := range effective(a) {
		final := x == safety.Remove || x == safety.Terminate
		if !x.Fits(k) || !slices.Contains(m.Measures, x) || final && m.Reversible {
			continue
		}
		if x == safety.Disable && len(territory) > 0 {
			return safety.MeasureSpec{Measure: x, Territory: territory}, true
		}
		if m.Territory == policy.OwnRulesOnly {
			return safety.MeasureSpec{Measure: x}, true
		}
	}
	return safety.MeasureSpec{}, false
}

// paperItems are the items as a paper has them.
func (w *work) paperItems() (out []paper.Item) {
	for _, i := range w.items {
		if i.Reason == "not-named" {
			continue
		}
		p := paper.Item{
			N: i.N, Location: i.Location, State: i.State.String(), Reason: i.Reason,
			At: paper.Time(i.At),
		}
		if i.Measure != nil {
			p.Measure, p.Territory = i.Measure.Measure.String(), i.Measure.Territory
			p.Until = paper.Time(i.Measure.Ends)
		}
		out = append(out, p)
	}
	return out
}
