package disclosure_test

import (
	"slices"
	"testing"

	"parley/internal/safety/disclosure"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/tlog/entry"
)

// TestRefusedClasses: a class of data that was refused of an order that was answered otherwise is in
// the public log and in the register with its reason, whoever refused it; what was only not there is
// not.
func TestRefusedClasses(t *testing.T) {
	for name, c := range map[string]struct {
		data    []policy.Data
		penalty int
		strike  []disclosure.Strike
		outcome string
		reason  string
	}{
		"by policy": {
			[]policy.Data{policy.Subscriber, policy.Messages}, 1, nil, "partial", "not-covered",
		},
		"struck out": {
			[]policy.Data{policy.Subscriber, policy.LastLogin}, 5, []disclosure.Strike{{
				Item: 1, Class: policy.LastLogin, Reason: "of somebody else",
			}}, "partial", "struck-out",
		},
		"not there": {[]policy.Data{policy.Subscriber, policy.Files}, 5, nil, "full", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			x := w.certificate(c.data...)
			x.Penalty = c.penalty
			o := w.approved(w.officer, x)
			d := w.layOut(o)
			if c.strike != nil {
				var err error
				d, err = w.Strike(w.ctx(), anna, o.Agency, o.ID, d.Row.Content, c.strike)
				w.ok(err)
			}
			o = w.release(o, d)
			for _, l := range w.lines(o) {
				if l.Kind == entry.Effect && (l.Outcome != c.outcome || l.Reason != c.reason) {
					t.Errorf("in the public log: %s %q", l.Outcome, l.Reason)
				}
			}
			var classes, want []string
			if c.reason != "" {
				want = []string{c.reason}
			}
			w.View(func(r *store.Reader) error {
				list, err := order.Refusals(r, store.RefusalFilter{At: 1 << 60}, "", 10)
				classes = nil
				for _, x := range list {
					classes = append(classes, x.Class)
				}
				return err
			})
			if !slices.Equal(classes, want) {
				t.Errorf("in the register: %v, want %v", classes, want)
			}
		})
	}
}
