package node

import (
	"crypto/rand"

	"github.com/prometheus/client_golang/prometheus"

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

// callPrograms tells programs of agencies until the node ends.
func (n *Node) callPrograms() {
	n.start(func() {
		n.Webhooks.Run(n.ctx, func(err error) { n.log.Error("webhooks", "error", err) })
	})
}
