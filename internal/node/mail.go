package node

import (
	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/safety/mail"
)

// openMail builds what mails receipts, outcomes and answers to people without an account, if a mail
// server is configured.
func (n *Node) openMail() error {
	server, err := n.mailServer()
	if err != nil || server == nil {
		return err
	}
	mails := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_safety_mails_total",
		Help: "How many receipts, outcomes and answers were mailed or given up.",
	}, []string{"outcome"})
	n.registry.MustRegister(mails)
	n.Mail, err = mail.New(mail.Options{
		Store: n.Store, Clock: n.clock, References: n.safetyReferences(), Intake: n.Intake,
		Statements: n.Statements, Send: server.Send, URL: n.Config.Web.PublicURL,
		Name: serviceName, Log: n.log,
		Done: func(sent bool) {
			outcome := "given-up"
			if sent {
				outcome = "sent"
			}
			mails.WithLabelValues(outcome).Inc()
		},
	})
	if err == nil {
		n.Statements.Mail = n.Mail.Owe
	}
	return err
}

// mailOwed wakes who mails.
func (n *Node) mailOwed() {
	if n.Mail != nil {
		n.Mail.Owed()
	}
}
