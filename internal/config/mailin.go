package config

import (
	"net"
	"net/mail"
	"slices"

	"parley/internal/limit"
)

// MailIn is section [mailin].
type MailIn struct {
	// Listen is the HOST:PORT at which other mail servers deliver mails, usually ":25". Empty means
	// that none come in. docs/mail.md says which records the domain needs.
	Listen string `toml:"listen"`

	// Doors are those lines of [contact] whose mail addresses are taken in: "authorities",
	// "emergency", "regulators", "flaggers", "people". A mail to the first three is an order. What
	// comes to the others waits in the console for a person, who answers it there, and its sender
	// is told so; leave out the addresses that people read elsewhere.
	Doors []string `toml:"doors"`

	// Domain is the name of this mail server, as its MX record has it. Empty means the host of
	// web.public_url.
	Domain string `toml:"domain"`

	// Certificate is the file of the certificate for STARTTLS, with those that lead to its root. It
	// is read again for each connection. Empty means that mails come in the clear.
	Certificate string `toml:"certificate"`

	// CertificateKey is the file of the certificate's key.
	CertificateKey string `toml:"certificate_key"`

	// MaxSize is the largest mail, in bytes.
	MaxSize int `toml:"max_size"`

	// Rate is how many mails one address may deliver.
	Rate limit.Rate `toml:"rate"`

	// Resolver is the HOST:PORT of the DNS server that is asked for the keys with which domains
	// sign mails. What is found is shown to those who look at an order, and proves nobody. Empty
	// means that none is asked.
	Resolver string `toml:"resolver"`
}

// ContactAddress is the mail address of a door of [contact], "" where there is none.
func (c Config) ContactAddress(door string) string {
	of := map[string]string{
		"authorities": c.Contact.Authorities, "emergency": c.Contact.Emergency,
		"regulators": c.Contact.Regulators, "flaggers": c.Contact.Flaggers,
		"people": c.Contact.People,
	}[door]
	a, err := mail.ParseAddress(of)
	if err != nil {
		return ""
	}
	return a.Address
}

// The bounds of mailin.max_size: what an order has to be, and what a paper of one may be.
const (
	leastMail = 1 << 20
	mostMail  = 25 << 20
)

func (l *loader) checkMailIn() {
	m := l.config.MailIn
	if m.Listen == "" {
		return
	}
	if _, port, err := net.SplitHostPort(m.Listen); err != nil || !isPort(port) && port != "0" {
		l.problem("mailin.listen", "%q is not HOST:PORT", m.Listen)
	}
	if l.config.SMTP.Server == "" {
		l.problem("smtp.server", "must be set, because mails that come in are answered")
	}
	if l.config.Console.Listen == "" {
		l.problem("console.listen", "must be set, because mails that come in are read there")
	}
	if (m.Certificate == "") != (m.CertificateKey == "") {
		l.problem("mailin.certificate_key",
			"goes together with mailin.certificate: set both or neither")
	}
	if m.MaxSize < leastMail || m.MaxSize > mostMail {
		l.problem("mailin.max_size", "%d is not from %d to %d", m.MaxSize, leastMail, mostMail)
	}
	host, port, err := net.SplitHostPort(m.Resolver)
	if m.Resolver != "" && (err != nil || host == "" || !isPort(port)) {
		l.problem("mailin.resolver", "%q is not HOST:PORT", m.Resolver)
	}
	known := []string{"authorities", "emergency", "regulators", "flaggers", "people"}
	some := false
	for _, d := range m.Doors {
		if !slices.Contains(known, d) {
			l.problem("mailin.doors", "%q is none of %v", d, known)
		}
		some = some || l.config.ContactAddress(d) != ""
	}
	if !some {
		l.problem("mailin.doors", "none of them has a mail address in [contact]")
	}
}
