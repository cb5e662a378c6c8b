package console

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/web/staff"
)

// TestOrderPage shows an order with all that policy says of it.
func TestOrderPage(t *testing.T) {
	w := open(t)
	w.named()
	_, officer := w.office("Federal Office", "DE", agency.Regulator)
	o := w.give(officer, w.act("7 Js 1", w.post("the mark")))
	legal := w.sit(w.member(staff.Legal))
	at := orderPath(o.Agency, o.ID)
	status, body := legal.get(at)
	if status != http.StatusOK {
		t.Fatalf("%d: %s", status, body)
	}
	for _, want := range []string{
		"7 Js 1", "Criminal Code", "§ 86a", "https://t.me/the_news/1", o.Digest, o.Verdict.Policy,
		"Federal Office", "Officer One", "Rules that spoke", "Withhold it",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// checkedOrder makes the checks that policy wants in the order's page.
func (s *seat) checkedOrder(o order.Order) order.Order {
	s.t.Helper()
	at := orderPath(o.Agency, o.ID)
	for _, c := range o.Verdict.Unverified {
		form, values := "/check", url.Values{"check": {string(c)}, "why": {"looked at it"}}
		if c == policy.CallBack {
			form, values = "/call", url.Values{
				"number": {keptNumber}, "spoke": {"B, desk"}, "said": {"confirmed"},
			}
		}
		if status, to := s.fill(at, at+form, values); status != http.StatusSeeOther {
			s.t.Fatalf("check %s: %d %s", c, status, to)
		}
	}
	return s.orderNow(o)
}

// TestOrderToAnswer checks an order, has each role that policy wants sign it, and sees it answered.
func TestOrderToAnswer(t *testing.T) {
	w := open(t)
	w.named()
	_, officer := w.office("Federal Office", "DE", agency.Regulator)
	post := w.post("the mark")
	o := w.give(officer, w.act("7 Js 1", post))
	at := orderPath(o.Agency, o.ID)
	legal, lead := w.sit(w.member(staff.Legal)), w.sit(w.member(staff.Lead))
	moderator := w.sit(w.member(staff.Moderator))
	if status, _ := moderator.get(at); status != http.StatusForbidden {
		t.Errorf("a moderator sees an order that waits for checks: %d", status)
	}
	o = legal.checkedOrder(o)
	if o.State != order.Assessed {
		t.Fatalf("after the checks the order is %s: %v", o.State, o.Problems)
	}
	digest := regexp.MustCompile(`id="plan">(\w{64})<`).FindStringSubmatch(func() string {
		_, body := legal.get(at)
		return body
	}())[1]
	seats := map[policy.Role]*seat{
		policy.Legal: legal, policy.Lead: lead, policy.Moderator: moderator,
	}
	first := true
	for _, g := range o.Verdict.Sign {
		s := seats[g.Role]
		if first {
			status, body := s.fill(at, at+"/sign", url.Values{"digest": {strings.Repeat("0", 64)}})
			if status != http.StatusConflict || !strings.Contains(body, "changed meanwhile") {
				t.Errorf("another digest was signed: %d", status)
			}
			first = false
		}
		status, _ := s.fill(at, at+"/sign", url.Values{"digest": {digest}})
		if status != http.StatusSeeOther {
			t.Errorf("%s cannot sign: %d", g.Role, status)
		}
		if _, body := s.get(at); strings.Contains(body, at+"/sign") && len(o.Verdict.Sign) > 1 {
			t.Errorf("%s is asked to sign twice", g.Role)
		}
	}
	w.ok(w.console.Orders.CarryOut(context.Background()))
	if o = w.orderNow(o); o.State != order.Answered || !w.withheld(post, "DE") ||
		w.withheld(post, "FR") {
		t.Fatalf("the order is %s", o.State)
	}
	_, body := legal.get(at)
	for _, want := range []string{
		"answered", "Receipt", "Effect", "its decision", "<p>The content is what the order says",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	status, _ := legal.fill(at, at+"/annul", url.Values{"why": {"the court annulled it"}})
	if status != http.StatusSeeOther || w.withheld(post, "DE") {
		t.Errorf("annulled, and still withheld: %d", status)
	}
}

// TestOrderText has a lawyer read an order that was refused for the public: what looks like personal
// data is out of it before, nothing is published that still has some, or that nobody has read.
func TestOrderText(t *testing.T) {
	w := open(t)
	a, officer := w.office("Federal Office", "DE", agency.Regulator)
	d := w.act("K 1")
	d.Action, d.Reasons = "keys", "We want the key of +49 30 5559 123.\nAnd soon."
	o := w.give(officer, d)
	legal := w.sit(w.member(staff.Legal))
	at := textPath(a.ID, o.ID)
	if status, _ := w.sit(w.member(staff.Moderator)).get(at); status != http.StatusForbidden {
		t.Errorf("a moderator reads it: %d", status)
	}
	if _, body := legal.get(textsPath); !strings.Contains(body, at) {
		t.Errorf("it waits nowhere: %s", body)
	}
	_, body := legal.get(at)
	if !strings.Contains(body, "We want the key of […].\nAnd soon.") {
		t.Errorf("the draft: %s", body)
	}
	for typed, want := range map[string]string{
		"": "Something is missing", "Of @some_body.": "something about a person",
	} {
		status, body := legal.fill(at, at+"/publish", url.Values{"text": {typed}, "read": {"yes"}})
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, want) ||
			!strings.Contains(body, typed+"</textarea>") {
			t.Errorf("%q: %d %s", typed, status, body)
		}
	}
	status, body := legal.fill(at, at+"/publish", url.Values{"text": {"We want it."}})
	if status != http.StatusUnprocessableEntity || !strings.Contains(body, "We want it.</textarea>") {
		t.Errorf("unread: %d %s", status, body)
	}
	status, _ = legal.fill(at, at+"/keep", url.Values{"why": {"It leads to somebody."}})
	if _, body = legal.get(at); status != http.StatusSeeOther ||
		!strings.Contains(body, "It leads to somebody.") {
		t.Errorf("kept back: %d %s", status, body)
	}
	status, _ = legal.fill(at, at+"/publish", url.Values{
		"text": {"We want it."}, "read": {"yes"},
	})
	if _, body = legal.get(at); status != http.StatusSeeOther ||
		!strings.Contains(body, "is being published") || strings.Contains(body, at+"/publish") {
		t.Errorf("published: %d %s", status, body)
	}
	if _, body := legal.get(textsPath); strings.Contains(body, at) {
		t.Errorf("it waits still: %s", body)
	}
}

// TestOrdersQueue lists what is due first first, what wants a moderator's signature to him, and the
// refused in the register.
func TestOrdersQueue(t *testing.T) {
	w := open(t)
	w.named()
	a, officer := w.office("Federal Office", "DE", agency.Regulator)
	first := w.give(officer, w.act("first", w.post("one")))
	w.clock.Advance(time.Hour)
	second := w.give(officer, w.act("second", w.post("two")))
	keys := w.act("third", w.post("three"))
	keys.Action = "keys"
	w.give(officer, keys)
	legal, moderator := w.sit(w.member(staff.Legal)), w.sit(w.member(staff.Moderator))
	_, body := legal.get("/orders")
	if i, j := strings.Index(body, ">first<"), strings.Index(body, ">second<"); i < 0 || j < i {
		t.Errorf("the queue is not by what is due: %s", body)
	}
	if strings.Contains(body, ">third<") {
		t.Error("a refused order waits")
	}
	if _, body := legal.get("/orders?state=held"); strings.Contains(body, ">first<") {
		t.Error("a state has orders of another")
	}
	at := fmt.Sprintf("/orders?agency=%d", a.ID)
	if _, body := legal.get(at); !strings.Contains(body, ">second<") {
		t.Error("an agency's queue lacks its order")
	}
	if _, body := legal.get("/orders/counts"); !strings.Contains(body, `"received":["2","0"]`) {
		t.Errorf("counts: %s", body)
	}
	if _, body := legal.get("/queue"); !strings.Contains(body, `data-counts="/orders/counts"`) {
		t.Error("the first page has no counts of orders")
	}
	if _, body := moderator.get("/orders"); strings.Contains(body, ">first<") {
		t.Error("a moderator is shown what does not want his signature")
	}
	w.clock.Advance(200 * time.Hour)
	legal = w.sit(w.member(staff.Legal))
	if _, body := legal.get("/orders"); strings.Count(body, "overdue") != 2 {
		t.Errorf("%s and %s are not late", first.Reference, second.Reference)
	}
	auditor := w.sit(w.member(staff.Auditor))
	for query, want := range map[string]bool{
		"": true, "?class=no-handler": true, "?class=too-wide": false, "?country=de": true,
		"?country=FR": false, "?words=FEDERAL+office": true, "?words=nothing": false,
		"?instrument=dsa-9": true, "?instrument=epoc": false, "?days=1": false,
	} {
		status, body := auditor.get("/refusals" + query)
		if got := strings.Contains(body, ">third<"); status != 200 || got != want {
			t.Errorf("register %s: %d %v", query, status, got)
		}
	}
}

// TestOrderLooks writes down who looked at which order, and at what it is about, and why.
func TestOrderLooks(t *testing.T) {
	w := open(t)
	w.named()
	_, officer := w.office("Federal Office", "DE", agency.Regulator)
	post := w.post("burn it all")
	o := w.give(officer, w.act("7 Js 1", post))
	m := w.member(staff.Legal)
	legal, at := w.sit(m), orderPath(o.Agency, o.ID)
	status, body := legal.fill(at, at+"/look", url.Values{"purpose": {"short"}})
	if status != http.StatusUnprocessableEntity || strings.Contains(body, "burn it all") {
		t.Errorf("looked without a purpose: %d", status)
	}
	_, body = legal.fill(at, at+"/look", url.Values{"purpose": {"is it what it says"}})
	if !strings.Contains(body, "burn it all") {
		t.Error("the item is not shown")
	}
	seen := map[string]bool{}
	list, _, err := w.staff.Audit(t.Context(), staff.Filter{Of: m.ID}, 100)
	w.ok(err)
	for _, e := range list {
		seen[fmt.Sprintf("%s %d %d", e.Action, e.Subject, e.Case)] = true
		seen[e.Detail] = true
	}
	for _, want := range []string{
		fmt.Sprintf("order %d %d", o.Agency, o.ID), fmt.Sprintf("look %d 0", w.channel),
		o.Reference + ": is it what it says",
	} {
		if !seen[want] {
			t.Errorf("the audit lacks %q: %v", want, seen)
		}
	}
}

// TestStaleForms: whoever types while an order changes under him is told so on the order's page, in
// its words, and what he typed is still there, even where its form is not.
func TestStaleForms(t *testing.T) {
	w := open(t)
	w.named()
	_, officer := w.office("Federal Office", "DE", agency.Regulator)
	o := w.give(officer, w.act("7 Js 1", w.post("the mark")))
	at := orderPath(o.Agency, o.ID)
	legal, lead := w.sit(w.member(staff.Legal)), w.sit(w.member(staff.Lead))
	status, body := lead.fill(at, at+"/call", url.Values{
		"number": {keptNumber}, "spoke": {"B at the desk, room 12"},
	})
	if status != http.StatusUnprocessableEntity ||
		!strings.Contains(body, `value="B at the desk, room 12"`) ||
		!strings.Contains(body, `<section class="panel problem" role="alert" id="problem"`) {
		t.Errorf("a call without an answer: %d %s", status, body)
	}
	const typed = "What the order says is not against the law that it names."
	if status, _ := legal.fill(at, at+"/refuse", url.Values{
		"class": {"not-illegal"}, "why": {"It is no offence."},
	}); status != http.StatusSeeOther {
		t.Fatalf("refused: %d", status)
	}
	status, body = lead.post(at+"/refuse", url.Values{
		"token": {lead.token(at + "/refuse")}, "class": {"too-wide"}, "why": {typed},
	})
	if status != http.StatusConflict || !strings.Contains(body, `id="problem"`) ||
		!strings.Contains(body, typed) || !strings.Contains(body, "It is no offence.") {
		t.Errorf("refused a second time: %d %s", status, body)
	}
}

// TestEveryInstrumentHasAPage opens an order of each instrument, on which instrument and duties are
// named in the reader's language, and sends each of its forms with
// nothing in it: all that cannot be done is said in the page's own words, on the order's page.
func TestEveryInstrumentHasAPage(t *testing.T) {
	w := open(t)
	w.named()
	_, officer := w.office("Federal Office", "DE", agency.Regulator)
	post := w.post("the mark")
	legal := w.sit(w.member(staff.Legal))
	for _, in := range w.console.Law.All() {
		if in.Door == instrument.HotlineDoor {
			continue
		}
		d := w.act("7 Js "+string(in.ID), post)
		d.Instrument = in.ID
		o := w.give(officer, d)
		at := orderPath(o.Agency, o.ID)
		for _, lang := range []string{"en", "fa"} {
			status, body := legal.get(at + "?lang=" + lang)
			names := []string{w.console.Guide.Instrument(lang, in.ID)}
			for _, p := range o.Periods(w.clock.Now().Unix()) {
				names = append(names, w.console.Orders.Sign.Duty(lang, p.Duty))
			}
			for _, name := range names {
				if !strings.Contains(body, html.EscapeString(name)) {
					t.Errorf("%s: the page does not say %q", in.ID, name)
				}
			}
			if status != http.StatusOK || !strings.Contains(body, `href="/orders?lang=`) ||
				lang == "fa" && strings.Contains(body, in.Name) {
				t.Errorf("%s: %d", in.ID, status)
			}
		}
		for _, r := range w.console.orderRows() {
			act, ok := strings.CutPrefix(r.path, "/order/{subject}/{id}/")
			if r.method != "POST" || !ok || act == "sign" {
				continue
			}
			status, body := legal.post(at+"/"+act, url.Values{
				"token": {legal.token(at + "/" + act)}, "note": {"words that are not lost"},
			})
			if status < 400 || status >= 500 {
				t.Errorf("%s, %s with nothing in it: %d", in.ID, act, status)
			} else if !strings.Contains(body, `id="problem"`) ||
				!strings.Contains(body, "words that are not lost") {
				t.Errorf("%s, %s: %d, but the page does not say what is wrong", in.ID, act, status)
			}
		}
	}
}

// TestRekeyTellsOfOpenOrders: who replaces an agency's key is told first how many orders would wait.
func TestRekeyTellsOfOpenOrders(t *testing.T) {
	w := open(t)
	w.named()
	a, officer := w.office("Federal Office", "DE", agency.Regulator)
	at, lead := agencyPath(a.ID), w.sit(w.member(staff.Lead))
	if _, body := lead.get(at); strings.Contains(body, `id="open-orders"`) {
		t.Error("orders are open before there was one")
	}
	for _, number := range []string{"7 Js 1", "7 Js 2"} {
		w.give(officer, w.act(number, w.post("the mark of "+number)))
	}
	_, body := lead.get(at)
	if _, told, _ := strings.Cut(body, `id="open-orders"`); !strings.Contains(told, "<strong>2</strong>") {
		t.Error("the page does not say that two orders are open")
	}
	status, _ := lead.fill(at, at+"/rekey", url.Values{"key": {""}})
	if status != http.StatusUnprocessableEntity || w.found("DE", "Federal Office").State != agency.Active {
		t.Errorf("the key was replaced unseen: %d", status)
	}
	status, _ = lead.fill(at, at+"/rekey", url.Values{"key": {""}, "seen": {"yes"}})
	if status != http.StatusSeeOther || w.found("DE", "Federal Office").State != agency.Proposed {
		t.Errorf("the key was not replaced: %d", status)
	}
}
