package node

import (
	"context"
	"crypto/rand"
	"net/url"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/safety/agency"
	"parley/internal/safety/answer"
	"parley/internal/safety/country"
	doors "parley/internal/safety/door"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/web/staff"
)

// openOrders builds who may ask, what they order, and what signs their answers.
func (n *Node) openOrders() error {
	ended := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_orders_total",
		Help: "How many orders of authorities ended, by how.",
	}, []string{"state"})
	alarms := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "parley_orders_alarms_total",
		Help: "How often an order of an authority needed somebody at once.",
	})
	n.registry.MustRegister(ended, alarms)
	if err := n.openPolicy(); err != nil {
		return err
	}
	law, err := instrument.Builtin()
	if err != nil {
		return err
	}
	n.law = law
	countries, err := country.Builtin()
	if err != nil {
		return err
	}
	n.countries = countries.At(country.Code(n.Config.Contact.Established))
	if n.guide, err = doors.New(n.countries, law); err != nil {
		return err
	}
	host := "localhost"
	if u, err := url.Parse(n.Config.Web.PublicURL); err == nil && u.Host != "" {
		host = u.Host
	}
	sign, err := answer.Open(n.keysDir(), host, rand.Reader)
	if err != nil {
		return err
	}
	n.Agencies = &agency.Service{
		Store: n.Store, Clock: n.clock, Random: rand.Reader,
		Alarm: func(action string, of int64, _ string) {
			n.log.Warn("an agency was refused", "action", action, "agency", of)
		},
	}
	n.Orders = &order.Service{
		Store: n.Store, Clock: n.clock, Random: rand.Reader, References: n.safetyReferences(),
		Places: n.places(), Agencies: n.Agencies, Decisions: n.Decisions, Evidence: n.Evidence,
		Sign: sign, Judge: n.judge,
		Instrument: law.Get, Unknown: law.Unknown(), Word: words(law), Role: n.role,
		Route: order.Router(n.guide, law, n.countries),
		Alarm: func(o order.Order, why string) {
			alarms.Inc()
			n.log.Warn("an order needs somebody", "order", o.ID, "agency", o.Agency,
				"instrument", o.Document.Instrument, "why", why)
			n.ringForOrder(o, why)
		},
		OwePaper: n.owePaper,
		Done:     func(o order.Order) { ended.WithLabelValues(o.State.String()).Inc() },
	}
	n.Agencies.Halted = func(ctx context.Context, of, officer int64) {
		if err := n.Orders.Halt(ctx, of, officer); err != nil { // Run looks for them again
			n.log.Error("orders of a suspended sender", "agency", of, "error", err)
		}
	}
	return nil
}

// openPolicy has the rules for orders read: at once where they are the operator's, who wants to
// know what is wrong with them, and else before the first of them is asked for.
func (n *Node) openPolicy() error {
	n.rules = sync.OnceValues(func() (*policy.Policy, error) {
		return policy.Open(policy.Options{
			Rules: n.Config.Policy.Rules, Indices: n.Config.Policy.Indices,
			Home: country.Code(n.Config.Contact.Established),
		})
	})
	if n.Config.Policy.Rules == "" {
		return nil
	}
	_, err := n.rules()
	return err
}

// judge says within which bounds people may decide about an order.
func (n *Node) judge(r policy.Request) (policy.Verdict, error) {
	rules, err := n.rules()
	if err != nil {
		return policy.Verdict{}, err
	}
	return rules.Judge(r)
}

// role is in which role a member of staff signs.
func (n *Node) role(ctx context.Context, id int64) (policy.Role, error) {
	var m staff.Member
	err := n.Store.View(ctx, func(r *store.Reader) (err error) {
		m, err = staff.Of(r, id)
		return err
	})
	if store.IsNotFound(err) || err == nil && (m.Disabled || !m.Role.Valid()) {
		err = order.ErrRole
	}
	return policy.Role(m.Role.String()), err
}

// words are the instruments' words in the public log.
func words(law *instrument.Set) func(instrument.ID, instrument.Urgency) string {
	return func(id instrument.ID, u instrument.Urgency) string {
		in, _ := law.Get(id)
		if u == instrument.Life && in.LogLife != "" {
			return in.LogLife
		}
		return in.Log
	}
}

// carryOutOrders carries out what is approved and rings for what is late.
func (n *Node) carryOutOrders() {
	n.start(func() {
		n.Orders.Run(n.ctx, func(err error) { n.log.Error("orders", "error", err) })
	})
}
