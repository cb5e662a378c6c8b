package node

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/config"
	"parley/internal/safety/dsadb"
)

// dsaTimeout is how long an answer of the EU's database is waited for.
const dsaTimeout = time.Minute

// openDSA builds what sends statements of reasons to the EU's database, or shows them.
func (n *Node) openDSA() error {
	settled := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_dsa_statements_total",
		Help: "How many statements of reasons for the EU's database were settled, by state.",
	}, []string{"state"})
	n.registry.MustRegister(settled)
	c := n.Config.DSA
	o := dsadb.Options{
		Store: n.Store, Clock: n.clock, Log: n.log, Terms: n.Config.Contact.Terms,
		Settled: func(s dsadb.State) { settled.WithLabelValues(s.String()).Inc() },
	}
	if c.Mode == config.DSASend {
		o.Send = dsadb.NewClient(c.URL, c.Token.Reveal(), dsaTimeout, n.clock.Now).Send
	} else {
		o.Show = dsadb.Directory(c.Directory, n.clock.Now)
	}
	n.DSA = dsadb.New(o)
	return nil
}
