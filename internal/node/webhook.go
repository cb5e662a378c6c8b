package node

import (
	"context"
	"crypto/rand"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/safety/hotline"
	"parley/internal/safety/order"
	"parley/internal/safety/webhook"
	"parley/internal/store"
)

// openWebhooks builds what tells the programs of agencies.
func (n *Node) openWebhooks() error {
	calls := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_webhook_calls_total",
		Help: "How many calls to programs of agencies were made or given up, by event.",
	}, []string{"event", "outcome"})
	n.registry.MustRegister(calls)
	n.Webhooks = webhook.New(webhook.Options{
		Store: n.Store, Clock: n.clock, Random: rand.Reader, Key: n.Keys.Derive("webhooks"),
		Log: n.log,
		Called: func(k webhook.Kind, made bool) {
			outcome := "given-up"
			if made {
				outcome = "made"
			}
			calls.WithLabelValues(string(k), outcome).Inc()
		},
	})
	return nil
}

// owePaper has an agency's programs told of a paper about its order.
func (n *Node) owePaper(tx *store.Tx, o order.Order, kind string) error {
	return n.Webhooks.Owe(tx, o.Agency, webhook.Event{
		Event: webhook.Paper, Reference: o.Reference, State: kind,
		Path: "/authority/api/v1/orders/" + o.Reference,
	})
}

// tellMeasure has a hotline's programs told of a warning, a suspension, or what was decided about
// its complaint. That it could not be written down is logged: the measure stands with the agency
// all the same.
func (n *Node) tellMeasure(ctx context.Context, m hotline.Measure) {
	e := webhook.Event{
		Event: webhook.Warning, Reference: strconv.FormatInt(m.ID, 10),
		State: string(m.Misuse), Path: "/hotline/api/v1/measures",
	}
	switch {
	case m.Appeal != hotline.NoAppeal:
		e.Event, e.State = webhook.Complaint, m.Appeal.String()
	case m.Step == hotline.Suspension:
		e.Event = webhook.Suspension
	}
	if err := n.Webhooks.Tell(context.WithoutCancel(ctx), m.Agency, e); err != nil {
		n.log.Error("a measure was not told to a program", "agency", m.Agency, "error", err)
	}
}

// callPrograms tells programs of agencies until the node ends.
func (n *Node) callPrograms() {
	n.start(func() {
		n.Webhooks.Run(n.ctx, func(err error) { n.log.Error("webhooks", "error", err) })
	})
}
