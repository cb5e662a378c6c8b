package officertest

import (
	"crypto/rand"
	"strings"
	"testing"

	"parley/internal/clock"
	"parley/internal/safety/agency"
	"parley/internal/store"
)

// Members of the staff who let agencies in.
const (
	Proposer = int64(7)
	Approver = int64(8)
)

// Office lets agencies and officers in as the staff does.
type Office struct {
	*agency.Service
	t testing.TB
}

// NewOffice keeps agencies in a store.
func NewOffice(t testing.TB, s *store.Store, c clock.Clock) Office {
	return Office{&agency.Service{Store: s, Clock: c, Random: rand.Reader}, t}
}

func (o Office) ok(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// Onboard lets an agency in that is answered in English, OnboardIn one of another language.
func (o Office) Onboard(name, country string, kind agency.Kind) agency.Agency {
	o.t.Helper()
	return o.OnboardIn("en", name, country, kind)
}

// OnboardIn lets an agency of a language in.
func (o Office) OnboardIn(lang, name, country string, kind agency.Kind) agency.Agency {
	o.t.Helper()
	a, err := o.Propose(o.t.Context(), Proposer, agency.New{
		Name: name, Country: country, Lang: lang, Kind: kind,
		Officials: []agency.Official{{Name: "A", Office: "Head"}, {Name: "B", Office: "Desk"}},
		Agreement: strings.Repeat("a", 64),
	})
	o.ok(err)
	o.ok(o.Verify(o.t.Context(), Proposer, a.ID, agency.Check{
		Number: "+49 30 5559 999", Source: agency.Register, Where: "register, page 3",
		Spoke: "B, desk", Confirmed: true,
	}))
	o.ok(o.Approve(o.t.Context(), Approver, a.ID))
	err = o.Store.View(o.t.Context(), func(r *store.Reader) (err error) {
		a, err = agency.Of(r, a.ID)
		return err
	})
	o.ok(err)
	return a
}

// Link lets an officer of an agency in and returns his link and code, as agency.Both has them.
func (o Office) Link(of int64, name string, role agency.Role) (agency.Officer, string) {
	o.t.Helper()
	x, link, err := o.ProposeOfficer(o.t.Context(), Proposer, of, name, role)
	o.ok(err)
	code, err := o.ApproveOfficer(o.t.Context(), Approver, of, x.ID)
	o.ok(err)
	return x, agency.Both(link, code)
}
