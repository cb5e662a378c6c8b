package node

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/safety/order"
	"parley/internal/web/officer/officertest"
)

// call is a call of an agency's program to the portal.
func (v *visitor) call(key, method, at, body string) (int, string) {
	v.w.t.Helper()
	r := httptest.NewRequest(method, v.w.cfg.Web.PublicURL+"/authority/api/v1/"+at,
		strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+key)
	return v.send(r)
}

// TestReceiptOfAnOrder: an authority whose order was refused gets, over HTTP, the proofs that order
// and refusal are in the public log, and the program for strangers accepts them; another authority
// gets nothing.
func TestReceiptOfAnOrder(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	office := officertest.NewOffice(t, w.n.Store, w.clock)
	key := func(name, country string) string {
		a := office.Onboard(name, country, agency.Police)
		secret, err := office.IssueKey(t.Context(), 1, a.ID, "system",
			w.clock.Now().Add(24*time.Hour).Unix())
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	one, other := key("Office", "DE"), key("Bureau", "FR")
	document, err := json.Marshal(order.Document{
		Instrument: "no-handler", Number: "1", Country: "DE", Authority: "Office", Action: "keys",
		Lang: "de", Reasons: "We want them.",
	})
	if err != nil {
		t.Fatal(err)
	}
	status, body := v.call(one, http.MethodPost, "orders", string(document))
	var said struct{ Reference, State string }
	if err := json.Unmarshal([]byte(body), &said); err != nil || status != http.StatusCreated ||
		said.State != "refused" {
		t.Fatalf("%d %s", status, body)
	}
	at := "orders/" + said.Reference + "/receipt/"
	if status, body = v.call(one, http.MethodGet, at+"order", ""); status !=
		http.StatusServiceUnavailable {
		t.Errorf("before it is published: %d %s", status, body)
	}
	w.publish()
	check := w.verifier()
	for _, of := range []string{"order", "refusal"} {
		status, body := v.call(one, http.MethodGet, at+of, "")
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", of, status, body)
		}
		if text, ok := check(body); !ok || !strings.Contains(text, of) {
			t.Errorf("%s is not accepted: %s", of, text)
		}
		bad := strings.Replace(body, `"index": `, `"index": 1`, 1)
		if text, ok := check(bad); ok {
			t.Errorf("an altered receipt is accepted: %s", text)
		}
		if status, _ := v.call(other, http.MethodGet, at+of, ""); status != http.StatusNotFound {
			t.Errorf("another authority gets the receipt of the %s: %d", of, status)
		}
	}
	if status, _ := v.call(one, http.MethodGet, at+"effect", ""); status != http.StatusNotFound {
		t.Errorf("a receipt of an effect that there was not: %d", status)
	}
}
