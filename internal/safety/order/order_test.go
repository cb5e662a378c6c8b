package order_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/decide"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/tlog/paper"
)

// kinds are the kinds of an order's papers.
func kinds(list []paper.Paper) (out []paper.Kind) {
	for _, p := range list {
		out = append(out, p.Kind)
	}
	return out
}

// TestOneHourOrder goes through a removal order from the paper to the answer, and takes it back.
func TestOneHourOrder(t *testing.T) {
	w := start(t)
	post, other := w.Post("join the fight"), w.Post("good morning")
	d := w.removal(post)
	d.Items = append(d.Items, order.Target{URL: "https://t.me/the_news_of_nobody/5"})
	r := w.submit(sender(w.officer), d)
	if got := w.papers(r.Order); len(got) != 1 || got[0].Kind != paper.Receipt ||
		got[0].Document != r.Order.Digest || got[0].Due != paper.Time(w.now()+3600) {
		t.Errorf("receipt: %+v", got)
	}
	if r.Order.State != order.Received || r.Order.Due != w.now()+3600 {
		t.Errorf("received: %v due %d", r.Order.State, r.Order.Due-w.now())
	}
	o := w.check(r.Order)
	if o.State != order.Assessed {
		t.Fatalf("checked: %v", o.State)
	}
	if w.withheld(post, "DE") {
		t.Fatal("withheld before anybody signed")
	}
	w.World.Clock.Advance(20 * time.Minute)
	o = w.approve(o)
	w.ok(w.CarryOut(w.ctx()))
	o = w.order(o.Agency, o.ID)
	if o.State != order.Answered || o.Closed == 0 {
		t.Fatalf("carried out: %v", o.State)
	}
	for country, want := range map[string]bool{"DE": true, "FR": true, "US": false, "NO": false} {
		if got := w.withheld(post, country); got != want {
			t.Errorf("withheld in %s: %v", country, got)
		}
	}
	if !w.There(post) || w.withheld(other, "DE") {
		t.Error("more was done than was ordered")
	}
	papers := w.papers(o)
	last := papers[len(papers)-1]
	if last.Kind != paper.Effect || last.Given != "partly" || last.Items[0].State != "done" ||
		last.Items[0].Measure != "disable" || len(last.Items[0].Territory) != 27 ||
		last.Items[1].State != "not-here" || !strings.Contains(last.Text, "Member States") {
		t.Errorf("effect: %+v", last)
	}
	lines := w.lines(o)
	if len(lines) != 2 || lines[0].Kind != "order" || lines[1].Kind != "effect" ||
		lines[1].Outcome != "partial" || lines[1].Of != lines[0].ID || lines[1].Minutes != 20 ||
		lines[1].Country != "DE" || lines[1].Persons != 1 {
		t.Errorf("lines: %+v", lines)
	}
	w.Deliver()
	letters := w.Letters(safetytest.Author)
	if len(letters) != 1 || !strings.Contains(w.Content(letters[0]).Text, "7 Js 1/26") {
		t.Errorf("the author has %d letters", len(letters))
	}
	if o, err := w.Execute(w.ctx(), o.Agency, o.ID); err != nil || o.ID != 0 {
		t.Errorf("again: %v", err)
	}
	w.scrutinised(o, post)
}

// scrutinised has the order examined and annulled: everything comes back.
func (w *world) scrutinised(o order.Order, post safety.Subject) {
	w.Helper()
	o, err := w.AskScrutiny(w.ctx(), boris, o.Agency, o.ID, "The post is a news report.")
	w.ok(err)
	if _, err := w.AskScrutiny(w.ctx(), boris, o.Agency, o.ID, "Again."); !errors.Is(err,
		order.ErrState) {
		w.Errorf("asked twice: %v", err)
	}
	o, err = w.Annul(w.ctx(), boris, o.Agency, o.ID, "Annulled by the scrutinising authority.")
	w.ok(err)
	if o.State != order.Annulled || w.withheld(post, "DE") {
		w.Errorf("annulled: %v, withheld %v", o.State, w.withheld(post, "DE"))
	}
	papers := w.papers(o)
	want := []paper.Kind{paper.Receipt, paper.Effect, paper.Scrutiny, paper.Restored}
	if got := kinds(papers); !slices.Equal(got, want) {
		w.Errorf("papers: %v, want %v", got, want)
	}
	if last := papers[len(papers)-1]; last.Items[0].State != "restored" {
		w.Errorf("restored: %+v", last)
	}
	if lines := w.lines(o); len(lines) != 2 {
		w.Errorf("%d lines", len(lines))
	}
	w.Deliver()
	if n := len(w.Letters(safetytest.Author)); n != 2 {
		w.Errorf("the author has %d letters", n)
	}
}

// TestEachMissingFieldIsNamed leaves out what each instrument wants, one at a time.
func TestEachMissingFieldIsNamed(t *testing.T) {
	w := start(t)
	post := w.Post("join the fight")
	empty := map[string]func(*order.Document){
		"reference number":              func(d *order.Document) { d.Number = "" },
		"issuing authority":             func(d *order.Document) { d.Authority = "" },
		"legal basis":                   func(d *order.Document) { d.Basis = nil },
		"statement of reasons":          func(d *order.Document) { d.Reasons = " " },
		"exact URL":                     func(d *order.Document) { d.Items = nil },
		"account identifiers":           func(d *order.Document) { d.Accounts = nil },
		"data sought":                   func(d *order.Document) { d.Data = nil },
		"necessity and proportionality": func(d *order.Document) { d.Necessity = "" },
		"redress":                       func(d *order.Document) { d.Redress = "" },
		"date and time of issue":        func(d *order.Document) { d.Issued = 0 },
		"signature":                     func(d *order.Document) { d.Signed = "" },
	}
	n := 0
	for _, c := range []struct {
		doc  order.Document
		from agency.Officer
	}{{w.removal(post), w.officer}, {w.information(), w.abroad}} {
		in, _ := w.law.Get(c.doc.Instrument)
		for field, clear := range empty {
			d := c.doc
			n++
			d.Number += " " + decimal(int64(n))
			clear(&d)
			if (field == "date and time of issue" || field == "signature" ||
				field == "exact URL") && d.Instrument == instrument.Inform ||
				(field == "account identifiers" || field == "data sought" ||
					strings.HasPrefix(field, "necessity")) && d.Instrument == instrument.Removal {
				continue
			}
			o := w.submit(sender(c.from), d).Order
			want := in.Law + ": " + field + ": missing"
			if o.State != order.Incomplete || len(o.Problems) == 0 ||
				o.Problems[0].Error() != want {
				t.Errorf("want %q, got %v %v", want, o.State, o.Problems)
			}
			papers := w.papers(o)
			if last := papers[len(papers)-1]; last.Kind != paper.Incomplete ||
				last.Missing[0].Field != field {
				t.Errorf("%s: %+v", field, last)
			}
		}
	}
}

// TestClockStandsStill pauses the hour while something is missing, and resumes it.
func TestClockStandsStill(t *testing.T) {
	w := start(t)
	d := w.removal(w.Post("join the fight"))
	good := d
	d.Redress = ""
	o := w.submit(sender(w.officer), d).Order
	if o.State != order.Incomplete || o.Paused != w.now() || o.Due != 0 {
		t.Fatalf("%v, paused %d, due %d", o.State, o.Paused, o.Due)
	}
	w.World.Clock.Advance(5 * time.Hour)
	n, err := w.Sweep(w.ctx())
	if err != nil || n != 0 {
		t.Errorf("rang %d times for an order that stands still: %v", n, err)
	}
	o, err = w.Supplement(w.ctx(), sender(w.officer), o.ID, good)
	w.ok(err)
	if o.State != order.Received || o.Paused != 0 || o.Due != w.now()+3600 {
		t.Fatalf("%v, paused %d, due in %d", o.State, o.Paused, o.Due-w.now())
	}
	w.World.Clock.Advance(30 * time.Minute)
	if n, err = w.Sweep(w.ctx()); err != nil || n != 1 {
		t.Errorf("rang %d times: %v", n, err)
	}
	if n, err = w.Sweep(w.ctx()); err != nil || n != 0 {
		t.Errorf("rang again: %d %v", n, err)
	}
	w.World.Clock.Advance(31 * time.Minute)
	if n, err = w.Sweep(w.ctx()); err != nil || n != 1 {
		t.Errorf("missed %d: %v", n, err)
	}
	if o = w.order(o.Agency, o.ID); o.Breached == 0 || o.Alarmed == 0 {
		t.Errorf("breached %d, alarmed %d", o.Breached, o.Alarmed)
	}
	if !strings.HasPrefix(w.alarms[len(w.alarms)-1], "answer: over since") {
		t.Errorf("alarms: %q", w.alarms)
	}
}

// TestSignaturesAreUnderThePlan changes an order after it was signed.
func TestSignaturesAreUnderThePlan(t *testing.T) {
	w := start(t)
	rules := w.Judge
	w.Judge = func(q policy.Request) (policy.Verdict, error) {
		v, err := rules(q)
		v.Sign = []policy.Signature{{Role: policy.Moderator}, {Role: policy.Legal}}
		return v, err
	}
	w.roles[anna], w.roles[boris], w.roles[clara] = policy.Moderator, policy.Legal, policy.Moderator
	one, two := w.Post("one"), w.Post("two")
	d := w.removal(one)
	d.Instrument, d.Territory = instrument.Act, []string{"DE"}
	o := w.check(w.submit(sender(w.officer), d).Order)
	first := w.plan(o)
	o, err := w.Approve(w.ctx(), o.Agency, o.ID, order.Signature{
		Staff: anna, Digest: first.Digest,
	})
	w.ok(err)
	for want, g := range map[error]order.Signature{
		order.ErrSamePerson: {Staff: anna, Digest: first.Digest},
		order.ErrRole:       {Staff: clara, Digest: first.Digest},
		order.ErrChanged:    {Staff: boris, Digest: strings.Repeat("0", 64)},
	} {
		if _, err := w.Approve(w.ctx(), o.Agency, o.ID, g); !errors.Is(err, want) {
			t.Errorf("want %v, got %v", want, err)
		}
	}
	d.Items[0].URL = link(two) // one digit
	o, err = w.Supplement(w.ctx(), sender(w.officer), o.ID, d)
	w.ok(err)
	o = w.check(o)
	if _, err := w.Approve(w.ctx(), o.Agency, o.ID, order.Signature{
		Staff: boris, Digest: first.Digest,
	}); !errors.Is(err, order.ErrChanged) {
		t.Errorf("signed what is no more: %v", err)
	}
	second := w.plan(o)
	o, err = w.Approve(w.ctx(), o.Agency, o.ID, order.Signature{
		Staff: boris, Digest: second.Digest,
	})
	w.ok(err)
	w.ok(w.CarryOut(w.ctx()))
	if o = w.order(o.Agency, o.ID); o.State != order.Assessed || w.withheld(two, "DE") {
		t.Fatalf("carried out by one: %v", o.State)
	}
	o, err = w.Approve(w.ctx(), o.Agency, o.ID, order.Signature{
		Staff: anna, Digest: second.Digest,
	})
	w.ok(err)
	w.ok(w.CarryOut(w.ctx()))
	if !w.withheld(two, "DE") || w.withheld(one, "DE") || w.withheld(two, "FR") {
		t.Error("not what was signed")
	}
}

// TestRolesAreLookedUp has nobody sign in a role that the staff's records do not give him.
func TestRolesAreLookedUp(t *testing.T) {
	w := start(t)
	rules := w.Judge
	w.Judge = func(q policy.Request) (policy.Verdict, error) {
		v, err := rules(q)
		v.Sign = []policy.Signature{{Role: policy.Legal}}
		return v, err
	}
	o := w.check(w.submit(sender(w.officer), w.removal(w.Post("one"))).Order)
	sign := func(staff int64) error {
		_, err := w.Approve(w.ctx(), o.Agency, o.ID, order.Signature{
			Staff: staff, Digest: w.plan(o).Digest,
		})
		return err
	}
	w.roles[anna], w.roles[boris] = policy.Lead, policy.Legal
	for who, staff := range map[string]int64{
		"a lead": anna, "somebody whom nobody knows": clara, "nobody": 0,
	} {
		if err := sign(staff); !errors.Is(err, order.ErrRole) {
			t.Errorf("%s signed for legal: %v", who, err)
		}
	}
	look := w.Service.Role
	w.Service.Role = nil
	if err := sign(boris); !errors.Is(err, order.ErrRole) {
		t.Errorf("signed where nobody can say who has which role: %v", err)
	}
	w.Service.Role = look
	w.ok(sign(boris))
}

// TestAnotherAgencysOrder does not exist for an agency, which is written down.
func TestAnotherAgencysOrder(t *testing.T) {
	w := start(t)
	r := w.submit(sender(w.officer), w.removal(w.Post("join the fight")))
	if got, err := w.Find(w.ctx(), sender(w.officer), r.Order.Reference); err != nil ||
		got.ID != r.Order.ID {
		t.Errorf("its own: %v", err)
	}
	bad := []string{r.Order.Reference, "O", "", strings.Repeat("O", 5000),
		r.Order.Reference[:len(r.Order.Reference)-1] + "2"}
	for _, ref := range bad {
		if _, err := w.Find(w.ctx(), sender(w.abroad), ref); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%.40q: %v", ref, err)
		}
	}
	if _, err := w.Find(w.ctx(), order.Sender{}, r.Order.Reference); !errors.Is(err,
		store.ErrNotFound) {
		t.Errorf("nobody found it: %v", err)
	}
	w.View(func(r *store.Reader) error {
		list, err := agency.Events(r, w.bureau.ID, 1<<62, 100)
		n := 0
		for _, e := range list {
			if e.Kind == agency.Foreign && e.Officer == w.abroad.ID {
				n++
			}
		}
		if n != len(bad) {
			t.Errorf("%d of %d tries are written down", n, len(bad))
		}
		return err
	})
	for what, try := range map[string]func() error{
		"supplement": func() error {
			_, err := w.Supplement(w.ctx(), sender(w.abroad), r.Order.ID, r.Order.Document)
			return err
		},
		"withdraw": func() error {
			_, err := w.Withdraw(w.ctx(), sender(w.abroad), r.Order.ID, "no")
			return err
		},
	} {
		if err := try(); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestPreservation keeps what is there and does nothing to it; withdrawn, it is let go.
func TestPreservation(t *testing.T) {
	w := start(t)
	d := w.certificate(instrument.Preservation)
	o := w.approve(w.check(w.submit(sender(w.prosecutor), d).Order))
	w.ok(w.CarryOut(w.ctx()))
	o = w.order(o.Agency, o.ID)
	item := w.items(o)[0]
	if o.State != order.Answered || item.State != order.Done || item.Hold == 0 {
		t.Fatalf("%v %+v", o.State, item)
	}
	w.World.Clock.Advance(59 * 24 * time.Hour)
	held := func() (n int) {
		_, err := w.Evidence.Sweep(w.ctx())
		w.ok(err)
		w.View(func(r *store.Reader) error {
			list, err := r.Evidence(item.Subject.Peer, item.Hold, 10)
			n = len(list)
			return err
		})
		return n
	}
	if held() != 1 {
		t.Error("it is gone within the 60 days")
	}
	o, err := w.Withdraw(w.ctx(), sender(w.prosecutor), o.ID, "not needed any more")
	w.ok(err)
	w.World.Clock.Advance(31 * 24 * time.Hour)
	if o.State != order.Withdrawn || held() != 0 {
		t.Errorf("%v, kept %d", o.State, held())
	}
}

// TestDisclosureIsNotHere leaves an approved order for data alone: nothing here hands any out.
func TestDisclosureIsNotHere(t *testing.T) {
	w := start(t)
	o := w.approve(w.check(w.submit(sender(w.abroad), w.information()).Order))
	w.ok(w.CarryOut(w.ctx()))
	if o = w.order(o.Agency, o.ID); o.State != order.Approved || len(w.lines(o)) != 1 {
		t.Errorf("%v, %d lines", o.State, len(w.lines(o)))
	}
}

// TestProtectedSpeech stops an order until somebody has decided, and refuses it.
func TestProtectedSpeech(t *testing.T) {
	w := start(t)
	post := w.Post("a report from the demonstration")
	d := w.removal(post)
	d.Instrument, d.Territory = instrument.Act, []string{"DE"}
	o := w.submit(sender(w.officer), d).Order
	o, err := w.Suspect(w.ctx(), order.By{Staff: anna}, o.Agency, o.ID,
		[]policy.Speech{policy.Protest}, "")
	w.ok(err)
	if o.State != order.Held {
		t.Fatalf("suspected: %v", o.State)
	}
	o, err = w.Service.Decide(w.ctx(), boris, o.Agency, o.ID, true, "It reports on a demonstration.")
	w.ok(err)
	if o.State != order.Refused || o.Refused != "protected-speech" || w.withheld(post, "DE") {
		t.Errorf("%v %s", o.State, o.Refused)
	}
	lines := w.lines(o)
	if len(lines) != 2 || lines[1].Kind != "refusal" || lines[1].Reason != "protected-speech" {
		t.Errorf("lines: %+v", lines)
	}
}

// TestReviewBeside finds protected speech after the hour's measure: it is taken back.
func TestReviewBeside(t *testing.T) {
	w := start(t)
	post := w.Post("a report from the front")
	o := w.approve(w.check(w.submit(sender(w.officer), w.removal(post)).Order))
	w.ok(w.CarryOut(w.ctx()))
	if !w.withheld(post, "FR") {
		t.Fatal("not withheld")
	}
	_, err := w.Service.Decide(w.ctx(), boris, o.Agency, o.ID, true, "It is journalism.")
	w.ok(err)
	w.ok(w.CarryOut(w.ctx()))
	if o = w.order(o.Agency, o.ID); o.State != order.Annulled || w.withheld(post, "FR") {
		t.Errorf("%v", o.State)
	}
}

// TestDecisionsAreMadeOnce has what an order hits decided about otherwise as well.
func TestDecisionsAreMadeOnce(t *testing.T) {
	w := start(t)
	post := w.Post("join the fight")
	w.approve(w.check(w.submit(sender(w.officer), w.removal(post)).Order))
	w.ok(w.CarryOut(w.ctx()))
	w.World.Decide(safetytest.Draft(0, post))
	w.View(func(r *store.Reader) error {
		list, err := decide.OfSubject(r, post.Peer, 1<<62, 10)
		if len(list) != 2 {
			t.Errorf("%d decisions", len(list))
		}
		return err
	})

}

// TestDecisionsThatTakeTwo waits for the second person of a decision, whatever he says.
func TestDecisionsThatTakeTwo(t *testing.T) {
	for _, yes := range []bool{true, false} {
		w := start(t)
		w.Service.Decisions.Threshold = 1
		post := w.Post("join the fight")
		o := w.approve(w.check(w.submit(sender(w.officer), w.removal(post)).Order))
		for range 3 { // waiting says nothing anew
			w.ok(w.CarryOut(w.ctx()))
		}
		o = w.order(o.Agency, o.ID)
		item := w.items(o)[0]
		if o.State != order.Approved || item.State != order.Proposed || w.withheld(post, "DE") {
			t.Fatalf("%v %v", o.State, item.State)
		}
		w.View(func(r *store.Reader) error {
			n := 0
			list, err := order.Events(r, o.Agency, o.ID, 0, 100)
			for _, e := range list {
				if e.Kind == order.ItemChanged {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%d events of one item", n)
			}
			return err
		})
		want, given := order.Done, "yes"
		if yes {
			_, err := w.Service.Decisions.Second(w.ctx(), post.Peer, item.Decision, boris)
			w.ok(err)
		} else {
			want, given = order.Declined, "no"
			w.ok(w.Service.Decisions.Withdraw(w.ctx(), post.Peer, item.Decision, boris, "no"))
		}
		w.ok(w.CarryOut(w.ctx()))
		o = w.order(o.Agency, o.ID)
		papers := w.papers(o)
		if got := w.items(o)[0].State; o.State != order.Answered || got != want ||
			papers[len(papers)-1].Given != given || w.withheld(post, "DE") != yes {
			t.Errorf("%v %v %s", o.State, got, papers[len(papers)-1].Given)
		}
	}
}
