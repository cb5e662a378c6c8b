package node

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/safety/evidence"
	"parley/internal/safety/inquiry"
	"parley/internal/safety/intake"
	"parley/internal/safety/location"
	"parley/internal/safety/mailroom"
	"parley/internal/safety/order"
	"parley/internal/store"
)

// openSafety builds the rooms of moderation.
func (n *Node) openSafety() error {
	arrived := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_safety_reports_total",
		Help: "How many reports and findings were stored, by lane and source.",
	}, []string{"lane", "source"})
	overdue := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_safety_overdue_total",
		Help: "How many cases became overdue, by lane.",
	}, []string{"lane"})
	n.registry.MustRegister(arrived, overdue)
	n.Cases = &casefile.Service{
		Store: n.Store, Clock: n.clock, Random: rand.Reader,
		Alarm: func(c store.Case) {
			lane := safety.Lane(c.Lane).String()
			overdue.WithLabelValues(lane).Inc()
			n.log.Warn("a case is overdue", "lane", lane, "case", c.ID)
		},
	}
	n.Evidence = &evidence.Service{Store: n.Store, Clock: n.clock, Random: rand.Reader}
	var err error
	n.Intake, err = intake.New(intake.Options{
		Store: n.Store, Clock: n.clock, Random: rand.Reader, References: n.safetyReferences(),
		Box: n.Keys.Box(), Secret: n.Keys.Derive("reporters"),
		Places: n.places(),
		Alarm: func(rule string, found int64) {
			n.log.Warn("a rule was braked", "rule", rule, "found", found)
		},
		Arrived: func(l safety.Lane, s safety.Source) {
			arrived.WithLabelValues(l.String(), string(s)).Inc()
			n.mailOwed()
		},
	})
	return err
}

// places finds what links lead to, under Telegram's names and this server's own.
func (n *Node) places() *location.Resolver {
	x := new(location.Resolver)
	if u, err := url.Parse(n.Config.Web.PublicURL); err == nil && u.Host != "" {
		x.Hosts = append(x.Hosts, u.Host)
	}
	return x
}

// safetyReferences make the references that people are given.
func (n *Node) safetyReferences() safety.References {
	return safety.References{Key: n.Keys.Derive("safety references")}
}

// Reference is what staff and operators call a decision, a report or a complaint by.
func (n *Node) Reference(kind safety.RefKind, subject ids.Peer, id int64) string {
	return n.safetyReferences().Make(kind, subject, id)
}

// ReadReference is what a reference leads to; safety.ErrReference for one that is not ours.
func (n *Node) ReadReference(ref string) (safety.RefKind, ids.Peer, int64, error) {
	return n.safetyReferences().Read(ref)
}

// sweepSafety alarms for overdue cases, counts how reports ended, and forgets evidence whose time
// is over.
func (n *Node) sweepSafety(ctx context.Context) error {
	_, cases := n.Cases.Sweep(ctx)
	counted := n.Intake.Count(ctx)
	_, evidence := n.Evidence.Sweep(ctx)
	return errors.Join(cases, counted, evidence)
}

// sweepLetters forgets mails and letters whose time is over.
func (n *Node) sweepLetters(ctx context.Context) error {
	kept := n.Config.Retention
	_, mails := mailroom.Keeping{
		Store: n.Store, Clock: n.clock, Orders: n.Orders,
		Acted: time.Duration(kept.Correspondence), Aside: time.Duration(kept.Asides),
	}.Sweep(ctx)
	_, letters := n.Inquiries.Forget(ctx, time.Duration(kept.Correspondence))
	return errors.Join(mails, letters)
}

// papersSweep is how often papers are looked through: each time costs a look at all of them.
const papersSweep = 24 * time.Hour

// sweepPapers removes papers that nothing names any more.
func (n *Node) sweepPapers(ctx context.Context) error {
	now := n.clock.Now()
	if now.Before(n.papersNext) {
		return nil
	}
	done, err := n.Papers.Sweep(ctx, order.Named, mailroom.Named, inquiry.Named)
	if done.Blobs > 0 {
		n.log.Info("papers that nothing names are removed", "papers", done.Blobs,
			"bytes", done.Bytes)
	}
	if err == nil {
		n.papersNext = now.Add(papersSweep)
	}
	return err
}
