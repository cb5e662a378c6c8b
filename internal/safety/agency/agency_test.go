package agency_test

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/clock"
	"parley/internal/safety/agency"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// The staff of the tests.
const (
	anna  = int64(7)
	boris = int64(8)
	clara = int64(9)
)

type world struct {
	*testing.T
	*agency.Service
	now *clock.Fake
}

func start(t *testing.T) *world {
	t.Helper()
	now := clock.NewFake(time.Unix(1_800_000_000, 0))
	return &world{T: t, now: now, Service: &agency.Service{
		Store: storetest.SQLite(t), Clock: now, Random: rand.Reader,
	}}
}

func (w *world) ctx() context.Context { return w.T.Context() }

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func office() agency.New {
	return agency.New{
		Name: "Federal Office", Country: "DE", Lang: "de", Kind: agency.TerroristContent,
		Officials: []agency.Official{{Name: "A", Office: "Head"}, {Name: "B", Office: "Desk"}},
		Domains:   []string{"office.example"}, Numbers: []string{"+49 30 5550 100"},
		Agreement: strings.Repeat("a", 64),
	}
}

func call() agency.Check {
	return agency.Check{
		Number: "+49 30 5559 999", Source: agency.Register,
		Where: "register of authorities, page 3", Spoke: "B, desk", Confirmed: true,
	}
}

// active onboards an agency and an officer with a key.
func (w *world) active() (agency.Agency, agency.Officer) {
	w.Helper()
	a, err := w.Propose(w.ctx(), anna, office())
	w.ok(err)
	w.ok(w.Verify(w.ctx(), anna, a.ID, call()))
	w.ok(w.Approve(w.ctx(), boris, a.ID))
	o, link, err := w.ProposeOfficer(w.ctx(), anna, a.ID, "Officer One", agency.Member)
	w.ok(err)
	code, err := w.ApproveOfficer(w.ctx(), boris, a.ID, o.ID)
	w.ok(err)
	o, err = w.Bind(w.ctx(), agency.Both(link, code), agency.Credential{ID: "key", Body: []byte("body")})
	w.ok(err)
	return a, o
}

func (w *world) standing(a, o int64) (s agency.Standing) {
	w.Helper()
	w.ok(w.Store.View(w.ctx(), func(r *store.Reader) (err error) {
		s, err = agency.StandingOf(r, a, o, w.now.Now().Unix())
		return err
	}))
	return s
}

func TestProposalsAreChecked(t *testing.T) {
	w := start(t)
	for field, spoil := range map[string]func(*agency.New){
		"name":      func(n *agency.New) { n.Name = " " },
		"country":   func(n *agency.New) { n.Country = "de" },
		"kind":      func(n *agency.New) { n.Kind = 99 },
		"lang":      func(n *agency.New) { n.Lang = "" },
		"officials": func(n *agency.New) { n.Officials = n.Officials[:1] },
		"agreement": func(n *agency.New) { n.Agreement = "none" },
	} {
		n := office()
		spoil(&n)
		_, err := w.Propose(w.ctx(), anna, n)
		if refusal := (agency.Refusal{}); !errors.As(err, &refusal) || refusal.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for lang, good := range map[string]bool{"pl": true, "hu": false, "eng": false} {
		n := office()
		n.Name, n.Lang = "Office "+lang, lang
		if _, err := w.Propose(w.ctx(), anna, n); (err == nil) != good {
			t.Errorf("answered in %q: %v", lang, err)
		}
	}
	_, err := w.Propose(w.ctx(), anna, office())
	w.ok(err)
	twin := office()
	twin.Name = " federal  OFFICE "
	if _, err := w.Propose(w.ctx(), boris, twin); !errors.Is(err, agency.ErrTaken) {
		t.Errorf("a second one of that name: %v", err)
	}
}

func TestChecksRestOnNothingOfTheAgency(t *testing.T) {
	w := start(t)
	a, err := w.Propose(w.ctx(), anna, office())
	w.ok(err)
	for want, spoil := range map[agency.Refusal]func(*agency.Check){
		{Field: "number", Reason: "missing"}: func(c *agency.Check) { c.Number = "none" },
		{Field: "number", Reason: "own"}:     func(c *agency.Check) { c.Number = "030 5550100" },
		{Field: "source", Reason: "own"}: func(c *agency.Check) {
			c.Where = "https://www.Office.example/contact"
		},
		{Field: "source", Reason: "unknown"}: func(c *agency.Check) { c.Source = 0 },
		{Field: "source", Reason: "missing"}: func(c *agency.Check) { c.Where = "" },
		{Field: "spoke", Reason: "missing"}:  func(c *agency.Check) { c.Spoke = "" },
	} {
		c := call()
		spoil(&c)
		if err := w.Verify(w.ctx(), anna, a.ID, c); !errors.Is(err, want) {
			t.Errorf("%v: %v", want, err)
		}
	}
	own := call()
	own.Source = agency.OwnWord
	want := agency.Refusal{Field: "source", Reason: "own"}
	if err := w.Verify(w.ctx(), anna, a.ID, own); !errors.Is(err, want) {
		t.Errorf("the agency's own word: %v", err)
	}
	denied := call()
	denied.Confirmed = false
	w.ok(w.Verify(w.ctx(), anna, a.ID, denied))
	if err := w.Approve(w.ctx(), boris, a.ID); !errors.Is(err, agency.ErrState) {
		t.Errorf("approved what nobody confirmed: %v", err)
	}
}

func TestOnboardingTakesTwo(t *testing.T) {
	w := start(t)
	a, err := w.Propose(w.ctx(), anna, office())
	w.ok(err)
	if err := w.Approve(w.ctx(), boris, a.ID); !errors.Is(err, agency.ErrState) {
		t.Errorf("approved without a check: %v", err)
	}
	w.ok(w.Verify(w.ctx(), clara, a.ID, call()))
	for _, who := range []int64{anna, clara, 0} {
		if err := w.Approve(w.ctx(), who, a.ID); !errors.Is(err, agency.ErrSamePerson) {
			t.Errorf("%d approved: %v", who, err)
		}
	}
	if _, _, err := w.ProposeOfficer(w.ctx(), anna, a.ID, "Early", agency.Member); !errors.Is(err,
		agency.ErrState) {
		t.Errorf("an officer of what is not approved: %v", err)
	}
	w.ok(w.Approve(w.ctx(), boris, a.ID))
	o, link, err := w.ProposeOfficer(w.ctx(), anna, a.ID, "Officer", agency.Member)
	w.ok(err)
	if got := w.standing(a.ID, o.ID).Problem; got != agency.Unapproved {
		t.Errorf("one approval: %q", got)
	}
	if _, err := w.ApproveOfficer(w.ctx(), anna, a.ID, o.ID); !errors.Is(err,
		agency.ErrSamePerson) {
		t.Errorf("approved his own: %v", err)
	}
	code, err := w.ApproveOfficer(w.ctx(), clara, a.ID, o.ID)
	w.ok(err)
	token := agency.Both(" "+link+"\n", strings.ToLower(strings.ReplaceAll(code, "-", " ")))
	if got := w.standing(a.ID, o.ID).Problem; got != agency.Unbound {
		t.Errorf("no key: %q", got)
	}
	for _, bad := range []string{
		"", token[:len(token)-1], "x" + token[1:], link, code, agency.Both(link, ""),
		agency.Both("", code), agency.Both(link, "0000-0000-0000"),
	} {
		if _, err := w.Bind(w.ctx(), bad, agency.Credential{ID: "k", Body: []byte{1}}); !errors.Is(
			err, agency.ErrProof) {
			t.Errorf("bound by %q: %v", bad, err)
		}
	}
	_, err = w.Bind(w.ctx(), token, agency.Credential{ID: "k", Body: []byte{1}})
	w.ok(err)
	if _, err := w.Bind(w.ctx(), token, agency.Credential{ID: "l", Body: []byte{1}}); !errors.Is(
		err, agency.ErrProof) {
		t.Errorf("a link was good twice: %v", err)
	}
	if got := w.standing(a.ID, o.ID); got.Problem != "" || !got.Quarantined {
		t.Errorf("standing: %+v", got)
	}
}

func TestStandingEnds(t *testing.T) {
	w := start(t)
	a, o := w.active()
	if got := w.standing(a.ID, o.ID+1).Problem; got != agency.Unknown {
		t.Errorf("nobody's: %q", got)
	}
	w.now.Advance(7*24*time.Hour - time.Second)
	if !w.standing(a.ID, o.ID).Quarantined {
		t.Error("the week is over early")
	}
	w.now.Advance(time.Second)
	if w.standing(a.ID, o.ID).Quarantined {
		t.Error("the week has no end")
	}
	w.now.Advance(83 * 24 * time.Hour)
	if got := w.standing(a.ID, o.ID).Problem; got != agency.Lapsed {
		t.Errorf("after 90 days: %q", got)
	}
	w.ok(w.Attest(w.ctx(), anna, a.ID, call()))
	w.ok(w.AttestOfficer(w.ctx(), anna, a.ID, o.ID, "B, desk"))
	if got := w.standing(a.ID, o.ID).Problem; got != "" {
		t.Errorf("attested: %q", got)
	}
	w.ok(w.SuspendOfficer(w.ctx(), anna, a.ID, o.ID, "key stolen"))
	if got := w.standing(a.ID, o.ID).Problem; got != agency.Halted {
		t.Errorf("suspended officer: %q", got)
	}
	link, err := w.ResetOfficer(w.ctx(), anna, a.ID, o.ID, "key stolen")
	w.ok(err)
	code, err := w.ApproveOfficer(w.ctx(), boris, a.ID, o.ID)
	w.ok(err)
	w.ok(w.Store.View(w.ctx(), func(r *store.Reader) error {
		keys, err := agency.Credentials(r, a.ID, o.ID)
		if len(keys) != 0 {
			t.Errorf("the stolen key is still there: %v", keys)
		}
		return err
	}))
	_, err = w.Bind(w.ctx(), agency.Both(link, code), agency.Credential{ID: "new", Body: []byte{1}})
	w.ok(err)
	if !w.standing(a.ID, o.ID).Quarantined {
		t.Error("a new key has no week")
	}
	w.ok(w.Suspend(w.ctx(), anna, a.ID, "answers from nowhere"))
	if got := w.standing(a.ID, o.ID).Problem; got != agency.Halted {
		t.Errorf("suspended agency: %q", got)
	}
	w.ok(w.Verify(w.ctx(), boris, a.ID, call()))
	if err := w.Approve(w.ctx(), boris, a.ID); !errors.Is(err, agency.ErrSamePerson) {
		t.Errorf("came back by one person: %v", err)
	}
	w.ok(w.Approve(w.ctx(), clara, a.ID))
	if got := w.standing(a.ID, o.ID).Problem; got != "" {
		t.Errorf("back: %q", got)
	}
}

func TestKeysOfPrograms(t *testing.T) {
	w := start(t)
	a, _ := w.active()
	secret, err := w.IssueKey(w.ctx(), anna, a.ID, "hotline", w.now.Now().Unix()+3600)
	w.ok(err)
	got, err := w.ByKey(w.ctx(), secret)
	w.ok(err)
	if got.ID != a.ID {
		t.Errorf("the key of %d is %d's", a.ID, got.ID)
	}
	refused := func(what string) {
		t.Helper()
		if _, err := w.ByKey(w.ctx(), secret); !errors.Is(err, agency.ErrProof) {
			t.Errorf("%s: %v", what, err)
		}
	}
	w.now.Advance(time.Hour)
	refused("run out")
	secret, err = w.IssueKey(w.ctx(), anna, a.ID, "hotline", w.now.Now().Unix()+3600)
	w.ok(err)
	var keys []agency.Key
	w.ok(w.Store.View(w.ctx(), func(r *store.Reader) (err error) {
		keys, err = agency.Keys(r, a.ID)
		return err
	}))
	w.ok(w.RevokeKey(w.ctx(), anna, a.ID, keys[1].ID))
	refused("revoked")
	secret, err = w.IssueKey(w.ctx(), anna, a.ID, "hotline", w.now.Now().Unix()+3600)
	w.ok(err)
	w.ok(w.Suspend(w.ctx(), anna, a.ID, "misuse"))
	refused("of a suspended agency")
}

func TestWhatHappenedIsKept(t *testing.T) {
	w := start(t)
	a, o := w.active()
	var alarmed string
	w.Alarm = func(action string, _ int64, _ string) { alarmed = action }
	w.ok(w.Note(w.ctx(), a.ID, agency.Event{Officer: o.ID, Kind: agency.Foreign, Text: "O1"}))
	if alarmed != "foreign" {
		t.Errorf("alarmed %q", alarmed)
	}
	w.ok(w.Store.View(w.ctx(), func(r *store.Reader) error {
		list, err := agency.Events(r, a.ID, math.MaxInt64, 100)
		var kinds []agency.EventKind
		for _, e := range slices.Backward(list) {
			kinds = append(kinds, e.Kind)
		}
		want := []agency.EventKind{
			agency.WasProposed, agency.WasChecked, agency.WasApproved, agency.OfficerProposed,
			agency.OfficerApproved, agency.OfficerBound, agency.Foreign,
		}
		if !slices.Equal(kinds, want) {
			t.Errorf("events %v, want %v", kinds, want)
		}
		return err
	}))
}

func TestScore(t *testing.T) {
	if n, why := agency.Score(agency.Signals{}); n != 0 || why != nil {
		t.Errorf("nothing scores %d: %v", n, why)
	}
	forged := agency.Signals{Emergency: true, NewOfficer: true, NoSupervisor: true, MailOnly: true}
	n, why := agency.Score(forged)
	if n < agency.Suspicious || why[0] != "emergency-without-supervisor" {
		t.Errorf("scores %d: %v", n, why)
	}
	// More signals never score less.
	forged.LookAlike, forged.AlteredTwin = true, true
	if more, _ := agency.Score(forged); more < n || more > 100 {
		t.Errorf("scores %d after %d", more, n)
	}
}
