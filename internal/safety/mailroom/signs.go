package mailroom

import (
	"bytes"
	"context"
	"strings"

	"github.com/emersion/go-msgauth/dkim"

	"parley/internal/safety/agency"
	"parley/internal/store"
)

// signatures is how many signatures of domains are checked.
const signatures = 3

// signs are what was noticed of how a mail came. They are for people to look at: a domain's own
// signature says which domain sent a mail, not that a person of an authority wrote it.
func (s *Service) signs(in Arrived, m content) (out []string) {
	if !in.Secret {
		out = append(out, "not-secret")
	}
	domain := domainOf(m.from.Address)
	if domainOf(in.From) != domain {
		out = append(out, "other-sender")
	}
	if s.Lookup == nil {
		return out
	}
	found, _ := dkim.VerifyWithOptions(bytes.NewReader(in.Body), &dkim.VerifyOptions{
		LookupTXT: s.Lookup, MaxVerifications: signatures,
	})
	said := "unsigned"
	for _, v := range found {
		own := strings.EqualFold(v.Domain, domain) ||
			strings.HasSuffix(domain, "."+strings.ToLower(v.Domain))
		switch {
		case v.Err != nil && said == "unsigned":
			said = "signature-false"
		case v.Err == nil && own:
			said = "signed"
		case v.Err == nil && said != "signed":
			said = "signed-by-another"
		}
	}
	return append(out, said)
}

// resembles notes when the sender's domain is made to be taken for an agency's.
func (a *arrival) resembles(ctx context.Context) error {
	err := a.Store.View(ctx, func(r *store.Reader) (err error) {
		a.known, err = agency.NamesOf(r)
		return err
	})
	if err != nil {
		return err
	}
	if a.alike = agency.Alike(domainOf(a.m.from.Address), a.known.Domains) != ""; a.alike {
		a.Signs = append(a.Signs, "look-alike-domain")
	}
	return nil
}

// domainOf is the domain of an address, in lower case.
func domainOf(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}
