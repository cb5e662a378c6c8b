package node

import (
	"crypto/rand"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/safety/disclosure"
	"parley/internal/safety/order"
	"parley/internal/safety/statement"
	"parley/internal/store"
)

// openDisclosure builds what hands data to authorities, and has the people concerned told.
func (n *Node) openDisclosure() (err error) {
	alarms := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "parley_disclosures_alarms_total",
		Help: "How often data for an authority needed somebody, as it was not fetched in time.",
	})
	n.registry.MustRegister(alarms)
	n.Disclosures, err = disclosure.Open(&disclosure.Service{
		Store: n.Store, Clock: n.clock, Random: rand.Reader, Orders: n.Orders, Box: n.Keys.Box(),
		Blobs: n.Blobs, Owed: n.Statements.Owed,
		Alarm: func(o order.Order, why string) {
			alarms.Inc()
			n.log.Warn("data for an authority needs somebody", "order", o.ID, "agency", o.Agency,
				"why", why)
		},
	})
	if err != nil {
		return err
	}
	n.Statements.Data, n.Statements.Authority = n.dataLetter, n.Orders.Lifted
	return nil
}

// dataLetter writes the letter to a person whose data an authority gets.
func (n *Node) dataLetter(
	r *store.Reader, l store.Letter, lang string,
) (title string, parts []statement.Part, err error) {
	x, err := n.Disclosures.Letter(r, l, lang)
	if err != nil {
		return "", nil, err
	}
	parts = append(parts, statement.Part{Text: x.Text})
	for _, line := range x.Lines {
		parts = append(parts, statement.Part{Label: line[0], Text: line[1]})
	}
	return x.Title, append(parts, statement.Part{Text: x.Rights}), nil
}

// tellOfDisclosures tells people of data that authorities get, and drops what nobody fetched.
func (n *Node) tellOfDisclosures() {
	n.start(func() {
		n.Disclosures.Run(n.ctx, func(err error) { n.log.Error("disclosures", "error", err) })
	})
}
