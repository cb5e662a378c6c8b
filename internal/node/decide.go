package node

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/chat/account"
	"parley/internal/safety/appeal"
	"parley/internal/safety/decide"
	"parley/internal/safety/statement"
	"parley/internal/store"
)

// openDecide builds what decides, hears complaints, and tells people of both.
func (n *Node) openDecide() (err error) {
	made := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_safety_decisions_total",
		Help: "How many decisions came into force, by state, ground and automation.",
	}, []string{"state", "ground", "automation"})
	delivered := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_safety_letters_total",
		Help: "How many statements, outcomes and answers were delivered, by kind.",
	}, []string{"kind"})
	n.registry.MustRegister(made, delivered)
	n.Decisions = &decide.Service{
		Store: n.Store, Clock: n.clock, Random: rand.Reader, Enforce: n.Enforce,
		References: n.safetyReferences(), Threshold: int64(n.Config.Console.TwoPeople),
		Made: func(d decide.Decision) {
			made.WithLabelValues(
				d.State.String(), string(d.Ground), string(d.Means.Decided)).Inc()
		},
		Owed: func() {
			n.Statements.Owed()
			n.DSA.Owed()
		},
	}
	n.Appeals = &appeal.Service{
		Store: n.Store, Clock: n.clock, Random: rand.Reader, References: n.safetyReferences(),
		Decisions: n.Decisions,
	}
	n.Statements, err = statement.New(statement.Options{
		Store: n.Store, Clock: n.clock, References: n.safetyReferences(), Message: n.Message,
		Intake: n.Intake, Appeals: n.Appeals, URL: n.Config.Web.PublicURL, Log: n.log,
		Proxies: n.proxyLinks, Export: n.export,
		Asked: n.exports.Wake,
		Delivered: func(k decide.LetterKind) {
			delivered.WithLabelValues(k.String()).Inc()
			n.mailOwed()
		},
	})
	return err
}

// hearServiceChat wakes who reads what people write to the service account.
func (n *Node) hearServiceChat(c store.Commit) {
	if n.Statements == nil {
		return
	}
	for _, e := range c.Events {
		if e.Box == account.ServiceUser.Peer() {
			n.Statements.Owed()
			return
		}
	}
}

// decisionsSweep is how often decisions are looked for whose measures have run out.
const decisionsSweep = time.Minute

// carryOutDecisions delivers letters, notes what has run out, and goes on with mass measures that
// an earlier process began.
func (n *Node) carryOutDecisions() {
	n.start(func() { n.Statements.Run(n.ctx) })
	n.start(func() {
		if err := n.Decisions.Resume(n.ctx); err != nil && n.ctx.Err() == nil {
			n.log.Error("going on with mass measures", "error", err)
		}
	})
	n.start(func() {
		n.every(decisionsSweep, func(ctx context.Context) error {
			_, err := n.Decisions.Expire(ctx)
			return err
		})
	})
}
