package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"parley/internal/safety/agency"
	"parley/internal/safety/order"
	"parley/internal/web/staff"
)

// TestUnknownSenderAtTheDesk: an order of somebody unknown stands in a list of its own; a form puts
// it to the agency that it turned out to be of, where it goes on as that agency's, and nothing is
// done before; without an agency or a reason it stays, and what was typed is still there.
func TestUnknownSenderAtTheDesk(t *testing.T) {
	w := open(t)
	w.named()
	of, _ := w.office("Federal Office", "DE", agency.Regulator)
	post := w.post("the mark")
	o := w.give(agency.Officer{}, w.act("7 Js 1", post))
	legal := w.sit(w.member(staff.Legal))
	if _, body := legal.get("/orders?unknown=yes"); !strings.Contains(body, "7 Js 1") {
		t.Errorf("it is not in the list: %s", body)
	}
	at := orderPath(0, o.ID)
	const why = "The court was called and confirmed it."
	status, body := legal.fill(at, at+"/attach", url.Values{"agency": {""}, "why": {why}})
	if status != http.StatusUnprocessableEntity || !strings.Contains(body, why) {
		t.Errorf("to no agency: %d %s", status, body)
	}
	status, body = legal.fill(at, at+"/attach", url.Values{
		"agency": {strconv.FormatInt(of.ID, 10)}, "why": {why},
	})
	if status != http.StatusSeeOther {
		t.Fatalf("put to its agency: %d %s", status, body)
	}
	if got := w.orderNow(o); got.State != order.Attached || got.To == "" {
		t.Errorf("the first one: %v %q", got.State, got.To)
	}
	if _, body := legal.get(at); strings.Contains(body, at+"/attach") {
		t.Error("it can be put to an agency again")
	}
	_, body = legal.get("/orders?agency=" + strconv.FormatInt(of.ID, 10))
	if !strings.Contains(body, "7 Js 1") || w.withheld(post, "DE") {
		t.Errorf("at its agency: %s", body)
	}
}
