package node

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/config"
	"parley/internal/hook"
	"parley/internal/safety/country"
	"parley/internal/safety/crime"
	"parley/internal/safety/cybertip"
	"parley/internal/safety/duty"
	"parley/internal/safety/oncall"
	"parley/internal/safety/recipient"
	"parley/internal/store"
)

// dutyTimeout is how long an answer of a receiver of reports is waited for: files go there.
const dutyTimeout = 5 * time.Minute

// openDuties builds what tells authorities of crimes against life and the abuse of children.
func (n *Node) openDuties() error {
	settled := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_duties_total",
		Help: "How many reports that the law wants were settled, by kind and state.",
	}, []string{"kind", "state"})
	alarms := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_duties_alarms_total",
		Help: "How often a report that the law wants needed somebody, by kind.",
	}, []string{"kind"})
	n.registry.MustRegister(settled, alarms)
	o := duty.Options{
		Store: n.Store, Clock: n.clock, Random: rand.Reader, Log: n.log,
		Settled: func(d store.Duty) {
			settled.WithLabelValues(duty.Kind(d.Kind).String(), duty.State(d.State).String()).Inc()
		},
		Alarm: func(d store.Duty, why string) {
			alarms.WithLabelValues(duty.Kind(d.Kind).String()).Inc()
			n.log.Warn("a report that the law wants needs somebody", "report", d.ID,
				"kind", duty.Kind(d.Kind).String(), "why", why)
			if duty.Kind(d.Kind) != duty.Crime {
				return
			}
			err := n.wake(context.WithoutCancel(n.ctx), crimeEmergency(d, why))
			if err != nil && n.ctx.Err() == nil {
				n.log.Error("the emergency line could not be rung", "report", d.ID, "error", err)
			}
		},
	}
	if err := n.openCrimes(o); err != nil {
		return err
	}
	n.openTips(o)
	return nil
}

// openCrimes builds what tells of suspicions of crimes.
func (n *Node) openCrimes(o duty.Options) error {
	countries, err := country.Builtin()
	if err != nil {
		return err
	}
	list, err := n.authorities()
	if err != nil {
		return err
	}
	carrier := &crime.Carrier{Authorities: list, Sign: n.Orders.Sign, Now: n.clock.Now}
	server, err := n.mailServer()
	if err != nil {
		return err
	}
	if server != nil {
		carrier.Mail = server.Send
	}
	o.Kind, o.Send, o.Public = duty.Crime, carrier.Send, crime.Public
	n.Crimes = &crime.Service{
		Service: duty.New(o), Authorities: list, Countries: countries,
		Established: country.Code(n.Config.Contact.Established),
		Wake: func(ctx context.Context, d store.Duty) error {
			return n.wake(ctx, crimeEmergency(d, "proposed"))
		},
	}
	return nil
}

// crimeEmergency is what is rung for about a suspicion of a crime against life.
func crimeEmergency(d store.Duty, why string) oncall.Emergency {
	return oncall.Emergency{
		Key:  fmt.Sprintf("crime %d %d %s", d.Subject, d.ID, why),
		Kind: oncall.Crime,
		About: oncall.About{
			Reference: crime.Reference(d), Path: fmt.Sprintf("/told/%d/%d", d.Subject, d.ID),
		},
	}
}

// authorities are who can be told of suspicions.
func (n *Node) authorities() (out []crime.Authority, err error) {
	for _, a := range n.Config.Crime.Authorities {
		to := crime.Authority{Code: country.Code(a.Code), Mail: a.Mail}
		if a.Hook != "" {
			to.Hook, err = hook.New(hook.Options{
				URL: a.Hook, Secret: []byte(n.Config.Crime.Secret.Reveal()), AllowPrivate: true,
			})
		} else {
			var text []byte
			if text, err = os.ReadFile(a.Key); err == nil {
				to.Key, err = recipient.Parse(string(text))
			}
		}
		if err != nil {
			return nil, fmt.Errorf("node: crime.authorities: %s: %w", a.Code, err)
		}
		out = append(out, to)
	}
	return out, nil
}

// openTips builds what reports the abuse of children; there is none when that is off.
func (n *Node) openTips(o duty.Options) {
	c := n.Config.CyberTip
	if c.Mode == config.DSAOff {
		return
	}
	o.Kind, o.Public = duty.ChildAbuse, cybertip.Public
	if c.Mode == config.DSASend {
		o.Send = cybertip.NewClient(cybertip.Client{
			URL: c.URL, User: c.User, Password: c.Password.Reveal(), Blobs: n.Blobs,
			Now: n.clock.Now,
		}, dutyTimeout).Send
	} else {
		o.Show = cybertip.Directory(c.Directory)
	}
	n.Tips = &cybertip.Service{
		Service: duty.New(o), URL: n.Config.Web.PublicURL, Subject: c.Required,
		Reporter: cybertip.Reporter{
			First: c.First, Last: c.Last, Email: c.Mail, Service: serviceName,
			Terms: n.Config.Contact.Terms, Legal: c.Legal,
		},
	}
	n.Decisions.Owes = n.Tips.Owes
}

// tellOthers hands over what is owed to authorities.
func (n *Node) tellOthers() {
	n.start(func() { n.Crimes.Run(n.ctx) })
	if n.Tips != nil {
		n.start(func() { n.Tips.Run(n.ctx) })
	}
}
