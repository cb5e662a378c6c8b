package node

import (
	"context"
	"crypto/rand"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/safety/agency"
	"parley/internal/safety/hotline"
	"parley/internal/safety/oncall"
	hotlines "parley/internal/web/hotline"
	"parley/internal/web/officer"
	"parley/internal/web/page"
)

// openHotline builds the lane of trusted flaggers and hotlines.
func (n *Node) openHotline() error {
	arrived := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_hotline_items_total",
		Help: "How many items hotlines reported, by kind of organisation.",
	}, []string{"kind"})
	n.registry.MustRegister(arrived)
	n.Hotlines = hotline.New(hotline.Options{
		Store: n.Store, Clock: n.clock, Random: rand.Reader, References: n.safetyReferences(),
		Intake: n.Intake, Agencies: n.Agencies, Files: int64(n.Config.Hotline.Files), Log: n.log,
		Wake: func(ctx context.Context, e oncall.Emergency) error {
			_, _, err := n.OnCall.Raise(ctx, e)
			return err
		},
		Arrived: func(of agency.Kind, items int) {
			arrived.WithLabelValues(of.String()).Add(float64(items))
		},
	})
	n.Statements.Flagged = n.Hotlines.Flagged
	return nil
}

// hotlinePages are the door of hotlines.
func (n *Node) hotlinePages(site *page.Site, door *officer.Door) (*hotlines.Pages, error) {
	return hotlines.New(hotlines.Rooms{
		Site: site, Store: n.Store, Clock: n.clock, Door: door, Hotlines: n.Hotlines,
		Statements: n.Statements, References: n.safetyReferences(), Receipt: n.Receipt,
	})
}

// takeUpHotlines takes up what hotlines reported, until the node ends.
func (n *Node) takeUpHotlines() {
	n.start(func() {
		n.Hotlines.Run(n.ctx, func(err error) { n.log.Error("hotlines", "error", err) })
	})
}
