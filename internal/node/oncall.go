package node

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/config"
	"parley/internal/safety/instrument"
	"parley/internal/safety/oncall"
	"parley/internal/safety/order"
	"parley/internal/smtp"
)

// openOnCall builds the emergency line.
func (n *Node) openOnCall() error {
	calls := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_oncall_calls_total",
		Help: "How many calls of the emergency line were made or given up, by way.",
	}, []string{"way", "outcome"})
	unanswered := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "parley_oncall_unanswered_total",
		Help: "How often all levels were called because nobody had confirmed an emergency.",
	})
	n.registry.MustRegister(calls, unanswered)
	c := n.Config.OnCall
	o := oncall.Options{
		Store: n.Store, Clock: n.clock, Levels: levels(c.People), Wait: time.Duration(c.Wait),
		Lang: c.Lang, Message: n.Message, Secret: []byte(c.Secret.Reveal()),
		Key: n.Keys.Derive("on call"), URL: n.Config.Web.PublicURL,
		Console: n.Config.Console.PublicURL, Name: serviceName, Log: n.log,
		Called: func(way string, made bool) {
			outcome := "given-up"
			if made {
				outcome = "made"
			}
			calls.WithLabelValues(way, outcome).Inc()
		},
		Unanswered: func(oncall.Alert) { unanswered.Inc() },
	}
	server, err := n.mailServer()
	if err != nil {
		return err
	}
	if server != nil {
		o.Mail = server.Send
	}
	if n.OnCall, err = oncall.New(o); err != nil {
		return err
	}
	n.Statements.Pressed = n.OnCall.Press
	return nil
}

// levels are the people on call, those who are called first first.
func levels(list []config.Callee) (out [][]oncall.Person) {
	for _, c := range list {
		for len(out) < c.Level {
			out = append(out, nil)
		}
		out[c.Level-1] = append(out[c.Level-1], oncall.Person{
			Name: c.Name, Mail: c.Mail, Account: c.Chat, Hook: c.Hook,
		})
	}
	return out
}

// mailServer is the way to the mail server, nil where none is configured.
func (n *Node) mailServer() (*smtp.Server, error) {
	c := n.Config.SMTP
	if c.Server == "" {
		return nil, nil
	}
	return smtp.New(smtp.Options{
		Address: c.Server, TLS: smtp.TLSMode(c.TLS), Username: c.Username,
		Password: c.Password.Reveal(), From: c.From,
	})
}

// ringForOrder wakes somebody for an order that gives an hour, or is about a life.
func (n *Node) ringForOrder(o order.Order, why string) {
	d := o.Document
	if d.Urgency != instrument.Life && d.Instrument != instrument.Removal &&
		d.Instrument != instrument.Emergency {
		return
	}
	_, _, err := n.OnCall.Raise(context.WithoutCancel(n.ctx), oncall.Emergency{
		Key: strings.Join([]string{
			"order", strconv.FormatInt(o.Agency, 10), strconv.FormatInt(o.ID, 10), why,
		}, " "),
		Kind: oncall.Order,
		About: oncall.About{
			Reference: o.Reference, Country: o.Country,
			Path: "/order/" + strconv.FormatInt(o.Agency, 10) + "/" +
				strconv.FormatInt(o.ID, 10),
		},
	})
	if err != nil && n.ctx.Err() == nil {
		n.log.Error("the emergency line could not be rung", "order", o.ID, "error", err)
	}
}

// ring calls whoever is to be called, until the node ends.
func (n *Node) ring() {
	if !n.OnCall.Awake() {
		n.log.Warn("nobody is on call: no emergency wakes anybody (configure [oncall])")
	}
	n.start(func() {
		n.OnCall.Ring(n.ctx, func(err error) { n.log.Error("emergency line", "error", err) })
	})
}
