package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/confine"
	"parley/internal/safety/attachment"
	"parley/internal/safety/instrument"
	"parley/internal/safety/mailroom"
	"parley/internal/smtp/receiver"
)

// lookupTime is how long the resolver may take to say a domain's key.
const lookupTime = 5 * time.Second

// openMailroom builds what takes mails in, where that is wanted, and what shows papers.
func (n *Node) openMailroom() error {
	if err := n.openAttachments(); err != nil {
		return err
	}
	c := n.Config.MailIn
	if n.Config.SMTP.Server == "" {
		return nil // no mail was ever taken in that could not be answered
	}
	server, err := n.mailServer()
	if err != nil {
		return err
	}
	arrived := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_mails_arrived_total",
		Help: "How many mails came in, by what became of them.",
	}, []string{"outcome"})
	peers := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_mails_offered_total",
		Help: "How many mails other servers offered, by how that ended.",
	}, []string{"outcome"})
	n.registry.MustRegister(arrived, peers)
	o := mailroom.Options{
		Store: n.Store, Clock: n.clock, Papers: n.Papers, References: n.safetyReferences(),
		Orders: n.Orders, Guide: n.guide, Box: n.Keys.Box(), Key: n.Keys.Derive("mail room"),
		Send: server.Send, URL: strings.TrimSuffix(n.Config.Web.PublicURL, "/"),
		Address: func(d instrument.Door) string { return n.Config.ContactAddress(string(d)) },
		Name:    serviceName, Log: n.log, Wake: n.wake,
		Awake: func() bool { return n.OnCall.Awake() },
		Done:  func(o mailroom.Outcome) { arrived.WithLabelValues(string(o)).Inc() },
	}
	if c.Resolver != "" {
		o.Lookup = n.lookup
	}
	if n.Mailroom, err = mailroom.New(o); err != nil {
		return err
	}
	if c.Listen == "" {
		return nil // those that came before are read and answered all the same
	}
	n.receiver = receiver.New(receiver.Options{
		Domain: n.mailDomain(), MaxBytes: int64(c.MaxSize), Rate: c.Rate, Clock: n.clock,
		Takes:       func(address string) bool { return n.doorOf(address) != "" },
		Certificate: n.mailCertificate(), Deliver: n.mailArrived,
		Failed: func(err error) { n.log.Error("taking a mail in", "error", err) },
		Done:   func(outcome string) { peers.WithLabelValues(outcome).Inc() },
	})
	return nil
}

// openAttachments builds what shows papers. It starts no process before one is looked at.
func (n *Node) openAttachments() (err error) {
	papers := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_papers_shown_total",
		Help: "How many papers of orders were opened to be shown, by kind and reason.",
	}, []string{"kind", "reason"})
	n.registry.MustRegister(papers)
	n.Attachments, err = attachment.New(attachment.Options{
		Papers: n.Papers, Clock: n.clock, Images: n.images,
		Cache: filepath.Join(n.Config.Data, "pdfium"),
		Seen: func(v attachment.View, is confine.Isolation) {
			papers.WithLabelValues(string(v.Kind), string(v.Reason)).Inc()
			if is&confine.Syscalls == 0 {
				n.log.Warn("papers are opened with less isolation than there could be",
					"isolation", is.String())
			}
		},
	})
	return err
}

// doorOf is the door whose mails an address takes, "" for none.
func (n *Node) doorOf(address string) instrument.Door {
	for _, d := range n.Config.MailIn.Doors {
		if at := n.Config.ContactAddress(d); at != "" && strings.EqualFold(at, address) {
			return n.lineOf(instrument.Door(d))
		}
	}
	return ""
}

// lineOf is the door at which mails to a door's address come in. Where authorities have no address
// of their own for emergencies, not each of their mails is one.
func (n *Node) lineOf(d instrument.Door) instrument.Door {
	c := n.Config
	if d == instrument.EmergencyDoor && strings.EqualFold(c.ContactAddress(string(d)),
		c.ContactAddress(string(instrument.AuthorityDoor))) {
		return instrument.AuthorityDoor
	}
	return d
}

// firstDoor is where a mail to several addresses counts as having come in: what is for authorities
// as well is an order, whoever else reads it.
func (n *Node) firstDoor(to []string) instrument.Door {
	var at []instrument.Door
	for _, address := range to {
		at = append(at, n.doorOf(address))
	}
	for _, d := range []instrument.Door{
		instrument.EmergencyDoor, instrument.AuthorityDoor, instrument.RegulatorDoor,
	} {
		if slices.Contains(at, d) {
			return d
		}
	}
	return at[0]
}

// mailDomain is what the mail server calls itself.
func (n *Node) mailDomain() string {
	if d := n.Config.MailIn.Domain; d != "" {
		return d
	}
	if u, err := url.Parse(n.Config.Web.PublicURL); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "localhost"
}

// mailCertificate reads the certificate of the mail server for each connection, so that a new one
// counts at once; nil where there is none.
func (n *Node) mailCertificate() func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c := n.Config.MailIn
	if c.Certificate == "" {
		return nil
	}
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(c.Certificate, c.CertificateKey)
		return &pair, err
	}
}

// mailArrived takes a mail in.
func (n *Node) mailArrived(ctx context.Context, m receiver.Mail) error {
	err := n.Mailroom.Receive(ctx, mailroom.Arrived{
		Door: n.firstDoor(m.To), From: m.From, Secret: m.TLS, Body: m.Body,
	})
	if errors.Is(err, mailroom.ErrMail) {
		return fmt.Errorf("%w: %w", receiver.ErrRefused, err)
	}
	return err
}

// lookup asks the resolver of the configuration for TXT records.
func (n *Node) lookup(domain string) ([]string, error) {
	ctx, cancel := context.WithTimeout(n.ctx, lookupTime)
	defer cancel()
	r := net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, n.Config.MailIn.Resolver)
		},
	}
	return r.LookupTXT(ctx, domain)
}

// takeMails listens for mails and answers them until the node stops.
func (n *Node) takeMails() error {
	if n.Mailroom != nil {
		n.start(func() { n.Mailroom.Run(n.ctx) })
	}
	if n.receiver == nil {
		return nil
	}
	l, err := net.Listen("tcp", n.Config.MailIn.Listen)
	if err != nil {
		return fmt.Errorf("node: listen: %w", err)
	}
	n.mailsAt, err = netip.ParseAddrPort(l.Addr().String())
	if err != nil {
		return fmt.Errorf("node: listen: %w", err)
	}
	n.log.Info("mails come in", "listen", l.Addr().String())
	n.start(func() {
		if err := n.receiver.Serve(l); err != nil && n.ctx.Err() == nil {
			n.cancel(err)
		}
	})
	return nil
}
