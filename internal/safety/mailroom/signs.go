package mailroom

import (
	"bytes"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
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

// domainOf is the domain of an address, in lower case.
func domainOf(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}
