package console

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/answer"
	"parley/internal/safety/country"
	"parley/internal/safety/decide"
	"parley/internal/safety/evidence"
	"parley/internal/safety/instrument"
	"parley/internal/safety/location"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/web/staff"
)

// authorities are who may ask, what they order, and the law.
func (w *world) authorities(
	decisions *decide.Service, refs safety.References,
) (*instrument.Set, *agency.Service, *order.Service) {
	w.t.Helper()
	sign, err := answer.Open(w.t.TempDir(), "chat.example.org", rand.Reader)
	w.ok(err)
	countries, err := country.Builtin()
	w.ok(err)
	rules, err := policy.Builtin(countries)
	w.ok(err)
	law, err := instrument.Builtin()
	w.ok(err)
	agencies := &agency.Service{Store: w.store, Clock: w.clock, Random: rand.Reader}
	return law, agencies, &order.Service{
		Store: w.store, Clock: w.clock, Random: rand.Reader, References: refs,
		Places: &location.Resolver{}, Agencies: agencies, Decisions: decisions,
		Evidence: &evidence.Service{Store: w.store, Clock: w.clock, Random: rand.Reader},
		Sign:     sign, Judge: rules.Judge, Instrument: law.Get, Unknown: law.Unknown(),
		Word: func(id instrument.ID, _ instrument.Urgency) string {
			return strings.ToUpper(strings.ReplaceAll(string(id), "-", "_"))
		},
		Role: func(ctx context.Context, id int64) (policy.Role, error) {
			m, err := w.staff.Member(ctx, id)
			return policy.Role(m.Role.String()), err
		},
	}
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// The numbers of agencies' tests.
const keptNumber = "+49 30 5559 999"

// office onboards an authority and one officer, by a lead and a lawyer.
func (w *world) office(name, country string, kind agency.Kind) (agency.Agency, agency.Officer) {
	w.t.Helper()
	ctx, s := context.Background(), w.console.Agencies
	first, second := w.member(staff.Lead).ID, w.member(staff.Legal).ID
	a, err := s.Propose(ctx, first, agency.New{
		Name: name, Country: country, Lang: strings.ToLower(country), Kind: kind,
		Officials: []agency.Official{{Name: "A", Office: "Head"}, {Name: "B", Office: "Desk"}},
		Agreement: strings.Repeat("a", 64),
	})
	w.ok(err)
	w.ok(s.Verify(ctx, first, a.ID, agency.Check{
		Number: keptNumber, Source: agency.Register, Where: "register, page 3", Spoke: "B, desk",
		Confirmed: true,
	}))
	w.ok(s.Approve(ctx, second, a.ID))
	o, link, err := s.ProposeOfficer(ctx, first, a.ID, "Officer One", agency.Member)
	w.ok(err)
	code, err := s.ApproveOfficer(ctx, second, a.ID, o.ID)
	w.ok(err)
	o, err = s.Bind(ctx, agency.Both(link, code), agency.Credential{ID: name, Body: []byte{1}})
	w.ok(err)
	return a, o
}

// named gives the channel its public name.
func (w *world) named() {
	w.t.Helper()
	w.update(w.channel, func(tx *store.Tx) error { return tx.TakeUsername("the_news", w.channel) })
}

// act is an order to act against posts of the channel, complete in every field.
func (w *world) act(number string, posts ...int64) order.Document {
	d := order.Document{
		Instrument: instrument.Act, Number: number, Issued: w.clock.Now().Unix() - 60, Country: "DE",
		Authority: "Federal Office", Signed: "B, desk", Lang: "de",
		Basis:   []order.Basis{{Law: "Criminal Code", Provision: "§ 86a"}},
		Reasons: "The post shows the mark of a forbidden organisation.",
		Redress: "Administrative court, one month.", Territory: []string{"DE"},
		Action: policy.Withhold, Category: safety.PublicSecurity,
	}
	for _, p := range posts {
		d.Items = append(d.Items, order.Target{URL: fmt.Sprintf("https://t.me/the_news/%d", p)})
	}
	return d
}

// give takes an order in.
func (w *world) give(o agency.Officer, d order.Document) order.Order {
	w.t.Helper()
	r, err := w.console.Orders.Submit(context.Background(),
		order.Sender{Agency: o.Agency, Officer: o.ID}, d)
	w.ok(err)
	return r.Order
}

// orderNow is an order as it is.
func (w *world) orderNow(o order.Order) (out order.Order) {
	w.t.Helper()
	w.ok(w.store.View(context.Background(), func(r *store.Reader) (err error) {
		out, err = w.console.Orders.Of(r, o.Agency, o.ID)
		return err
	}))
	return out
}

// withheld tells whether a post is withheld in a country.
func (w *world) withheld(post int64, in string) (yes bool) {
	w.t.Helper()
	w.ok(w.store.View(context.Background(), func(r *store.Reader) error {
		list, err := r.Restrictions(store.Restricts{
			Peer: w.channel, Kind: int64(safety.Message), Item: post,
		})
		yes = false
		for _, x := range list {
			yes = yes || safety.Measure(x.Measure) == safety.Disable &&
				safety.Covers(x.Territory, in)
		}
		return err
	}))
	return yes
}
