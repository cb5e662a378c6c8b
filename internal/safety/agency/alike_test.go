package agency_test

import (
	"strings"
	"testing"

	"parley/internal/safety/agency"
	"parley/internal/store"
)

// TestAlike: what is made to be taken for a known domain is told, what is that domain is not.
func TestAlike(t *testing.T) {
	known := []string{"police.example", "bka.bund.de", "polizei.de", "LKA.polizei.de", "", "ag.fr", "uk"}
	for domain, want := range map[string]string{
		"police.example":           "",
		"POLICE.example.":          "",
		"mail.police.example":      "",
		"bka.bund.de":              "",
		"bmi.bund.de":              "",
		"court.example":            "",
		"af.fr":                    "",
		"":                         "",
		"localhost":                "",
		"p\u043elice.example":      "police.example", // Cyrillic
		"xn--plice-kye.example":    "police.example",
		"polizel.de":               "polizei.de",
		"po1izei.de":               "polizei.de",
		"poliezi.de":               "polizei.de",
		"poliizei.de":              "polizei.de",
		"polizei.com":              "polizei.de",
		"polizei.co.uk":            "polizei.de",
		"mail.polizei.com":         "polizei.de",
		"bka-bund-de.com":          "bka.bund.de",
		"bka.bund.de.mail.example": "bka.bund.de",
		"xbka.bund.dex.example":    "",
	} {
		if got := agency.Alike(domain, known); got != want {
			t.Errorf("%q is taken for %q, want %q", domain, got, want)
		}
	}
}

// TestAlikeNames: names that look the same are told, other names and the name itself are not.
func TestAlikeNames(t *testing.T) {
	known := []string{"Federal Office", "Court 1", "BKA"}
	for name, want := range map[string]string{
		"Federal Office":       "",
		"FEDERAL OFFICE":       "",
		"Federal 0ffice":       "Federal Office",
		"Federal-Office":       "Federal Office",
		"F\u0435deral Office":  "Federal Office",
		"Federal Ofice":        "Federal Office",
		"Federal Police":       "",
		"BKB":                  "",
		"":                     "",
		"Federal Office North": "",
	} {
		if got := agency.AlikeName(name, known); got != want {
			t.Errorf("%q is taken for %q, want %q", name, got, want)
		}
	}
}

// TestLookAlikesAreNoted: who could be taken for another agency is proposed all the same, and those
// who check him read whom he resembles.
func TestLookAlikesAreNoted(t *testing.T) {
	w := start(t)
	_, err := w.Propose(w.ctx(), anna, office())
	w.ok(err)
	for _, x := range []struct {
		name, country, domain, like string
	}{
		{"Federal 0ffice", "DE", "other.example", "Federal Office"},
		{"Ministry", "DE", "0ffice.example", "office.example"},
		{"Federal 0ffice", "FR", "other.example", ""},
		{"Another", "DE", "sub.office.example", ""},
	} {
		n := office()
		n.Name, n.Country, n.Domains = x.name, x.country, []string{x.domain}
		a, err := w.Propose(w.ctx(), anna, n)
		w.ok(err)
		w.ok(w.Store.View(w.ctx(), func(r *store.Reader) error {
			list, err := agency.Events(r, a.ID, 1<<62, 10)
			noted := len(list) == 2 && list[0].Kind == agency.Resembled &&
				strings.Contains(list[0].Text, x.like)
			if noted != (x.like != "") || a.State != agency.Proposed {
				t.Errorf("%s of %s: %+v", x.name, x.country, list)
			}
			return err
		}))
	}
}
