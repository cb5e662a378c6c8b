package node

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"parley/internal/safety/agency"
	"parley/internal/safety/disclose"
	"parley/internal/safety/order"
	"parley/internal/store"
	"parley/internal/tlog/verify"
	"parley/internal/web/officer/officertest"
)

// TestOrderTextIsPublished: an order for keys is refused, somebody takes out of it what identifies
// people, and the public reads it on a page, in the file that the log commits to, once, also when
// the process ends before that is noted.
func TestOrderTextIsPublished(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	office := officertest.NewOffice(t, w.n.Store, w.clock)
	a := office.Onboard("Office", "DE", agency.Police)
	_, link := office.Link(a.ID, "Officer One", agency.Member)
	officer, err := office.Bind(ctx(), link, agency.Credential{ID: "key", Body: []byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	given, err := w.n.Orders.Submit(ctx(), order.Sender{
		Agency: a.ID, Officer: officer.ID,
	}, order.Document{
		Instrument: "no-handler", Number: "1", Country: "DE", Authority: "Office", Action: "keys",
		Lang: "de", Reasons: "Herr X (+49 30 5559 123) hat Schlüssel.",
	})
	if err != nil || given.Order.State != order.Refused {
		t.Fatalf("%s: %v", given.Order.State, err)
	}
	o := given.Order
	if _, body := v.get("/transparency/orders"); strings.Contains(body, "/transparency/orders/") {
		t.Errorf("it is published by nobody: %s", body)
	}
	const text = "[…] hat Schlüssel."
	if _, err := w.n.Orders.PublishText(ctx(), 7, o.Agency, o.ID, text); err != nil {
		t.Fatal(err)
	}
	// The first process ends before it has noted that the text is out.
	var d disclose.Document
	err = w.n.Store.View(ctx(), func(r *store.Reader) error {
		approved, err := order.TextOf(r, o.Agency, o.ID)
		if err == nil {
			d, err = w.n.orderDocument(r, approved)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.n.transparency.daily.Put(ctx(), []disclose.Document{d}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.n.publishOrders(ctx()); err != nil {
			t.Fatal(err)
		}
	}
	w.publish()
	_, body := v.get("/transparency/orders.json")
	var list struct {
		Orders []struct {
			Index               int64
			Country, Body, Lang string
			Taken               string `json:"action_taken"`
		}
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Orders) != 1 {
		t.Fatalf("%v: %s", err, body)
	}
	x := list.Orders[0]
	if x.Country != "DE" || x.Taken != "No" || x.Body != text || x.Lang != "de" {
		t.Errorf("%+v", x)
	}
	for _, at := range []string{"/transparency/orders", "/transparency/orders?lang=fa"} {
		status, body := v.get(at)
		if status != http.StatusOK || !strings.Contains(body, "/transparency/orders/") {
			t.Errorf("%s: %d %s", at, status, body)
		}
	}
	if _, body := v.get("/transparency/rules.json"); strings.Contains(body, verify.OrderPrefix) {
		t.Errorf("it stands among the rules: %s", body)
	}
	status, body := v.get("/transparency/orders/" + strconv.FormatInt(x.Index, 10))
	if status != http.StatusOK || !strings.Contains(body, text) || strings.Contains(body, "5559") {
		t.Errorf("%d %s", status, body)
	}
	for _, at := range []string{
		"/transparency/orders/" + strconv.FormatInt(x.Index+1, 10), "/transparency/orders/x",
		"/transparency/orders?before=x",
	} {
		if status, _ := v.get(at); status != http.StatusNotFound {
			t.Errorf("%s: %d", at, status)
		}
	}
	for _, e := range w.n.transparency.archive.Documents() {
		if _, err := verify.Document(ctx(), w.n.transparency.log.Source(), e.Entry); err != nil {
			t.Errorf("what strangers check: %v", err)
		}
	}
}
