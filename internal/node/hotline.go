package node

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/safety/agency"
	"parley/internal/safety/hotline"
	"parley/internal/safety/inquiry"
	"parley/internal/safety/oncall"
	hotlines "parley/internal/web/hotline"
	"parley/internal/web/officer"
	"parley/internal/web/page"
	"parley/internal/web/regulator"
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
		Intake: n.Intake, Agencies: n.Agencies, Log: n.log,
		Files: int64(n.Config.Hotline.Files), Digests: int64(n.Config.Hotline.Digests),
		Wake: n.wake, Owe: n.Webhooks.Owe,
		Arrived: func(of agency.Kind, items int) {
			arrived.WithLabelValues(of.String()).Add(float64(items))
		},
	})
	n.Statements.Flagged = n.Hotlines.Flagged
	n.Inquiries = &inquiry.Service{
		Store: n.Store, Clock: n.clock, Random: rand.Reader, Agencies: n.Agencies,
		Within: time.Duration(n.Config.Hotline.Regulators), Wake: n.wake,
		References: n.safetyReferences(), Sign: n.Orders.Sign.Sign,
	}
	server, err := n.mailServer()
	if err != nil {
		return err
	}
	letters := inquiry.Letters{
		References: n.safetyReferences(), Guide: n.guide, Box: n.Keys.Box(),
		URL: n.Config.Web.PublicURL, Name: serviceName,
	}
	if server != nil {
		letters.Send = server.Send
	}
	if err := n.Inquiries.Open(letters); err != nil {
		return err
	}
	told := hotline.TellerOptions{
		Store: n.Store, Clock: n.clock, References: n.safetyReferences(),
		URL: n.Config.Web.PublicURL, Name: serviceName, Log: n.log,
	}
	if server != nil {
		told.Send = server.Send
	}
	n.Flaggers, err = hotline.NewTeller(told)
	return err
}

// wake rings the emergency line.
func (n *Node) wake(ctx context.Context, e oncall.Emergency) error {
	_, _, err := n.OnCall.Raise(ctx, e)
	return err
}

// regulatorPages are the regulators' side of the dialogue.
func (n *Node) regulatorPages(
	site *page.Site, door *officer.Door,
) (*regulator.Pages, error) {
	return regulator.New(regulator.Rooms{
		Site: site, Store: n.Store, Door: door, Inquiries: n.Inquiries, Papers: n.Papers,
		Print: n.Orders.Sign.PDF,
		Key:   n.Keys.Derive("regulators' files"),
	})
}

// hotlinePages are the door of hotlines.
func (n *Node) hotlinePages(site *page.Site, door *officer.Door) (*hotlines.Pages, error) {
	return hotlines.New(hotlines.Rooms{
		Site: site, Store: n.Store, Clock: n.clock, Door: door, Hotlines: n.Hotlines,
		Statements: n.Statements, References: n.safetyReferences(), Receipt: n.Receipt,
	})
}

// takeUpHotlines takes up what hotlines reported, tells them how it ended, and wakes somebody for
// what regulators wait for, until the node ends.
func (n *Node) takeUpHotlines() {
	n.start(func() {
		n.Hotlines.Run(n.ctx, func(err error) { n.log.Error("hotlines", "error", err) })
	})
	n.start(func() {
		n.Flaggers.Run(n.ctx, func(err error) { n.log.Error("telling hotlines", "error", err) })
	})
	n.start(func() {
		n.Inquiries.Run(n.ctx, func(err error) { n.log.Error("inquiries", "error", err) })
	})
}
