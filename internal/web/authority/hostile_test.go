package authority

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/internal/ids"
	"parley/internal/safety/agency"
	"parley/internal/safety/ledger"
	"parley/internal/safety/order"
	"parley/internal/store"
	"parley/internal/tlog/entry"
)

// strangers are keys that are good for nobody any more, or for an agency without standing.
func (w *world) strangers() map[string]string {
	ctx := context.Background()
	out := map[string]string{"": "", "no key": "none", "a key cut short": w.key(w.office)[:30]}
	revoked, err := w.IssueKey(ctx, 1, w.office.ID, "old", w.clock.Now().Add(time.Hour).Unix())
	w.ok(err)
	var keys []agency.Key
	w.View(func(r *store.Reader) (err error) {
		keys, err = agency.Keys(r, w.office.ID)
		return err
	})
	for _, k := range keys {
		if k.Label == "old" {
			w.ok(w.RevokeKey(ctx, 1, w.office.ID, k.ID))
		}
	}
	out["revoked"] = revoked
	halted := w.Onboard("Halted", "DE", agency.Police)
	out["of a suspended agency"] = w.key(halted)
	w.ok(w.Suspend(ctx, 1, halted.ID, "answers from nowhere"))
	_, link := w.Link(w.office.ID, "Enrolling", agency.Member)
	out["an enrolment link"] = link
	return out
}

// TestForgedCalls is what comes in at the door of programs and must come to nothing: no order, no
// sight of one, and an answer that says why.
func TestForgedCalls(t *testing.T) {
	w := start(t)
	key, other := w.key(w.office), w.key(w.bureau)
	at := apiPath + "orders"
	d := w.document("F 1")
	var first receivedSaid
	w.ok(json.Unmarshal([]byte(w.call(key, http.MethodPost, at, encoded(d)).Body), &first))
	refuse := func(name string, status int, key, method, at, body string) {
		t.Helper()
		got := w.call(key, method, at, body)
		if got.Status != status || !strings.Contains(got.Body, `"error":{"code":"`) {
			t.Errorf("%s: %d %.200s", name, got.Status, got.Body)
		}
	}
	for name, key := range w.strangers() {
		refuse(name, http.StatusUnauthorized, key, http.MethodPost, at, encoded(d))
	}
	w.clock.Advance(6 * time.Minute) // tries at the door are counted
	good := encoded(w.document("F 2"))
	for name, body := range map[string]string{
		"deep":             strings.Repeat(`{"basis":[`, 20_000),
		"deep lists":       strings.Repeat("[", 200_000),
		"two orders":       good + good,
		"a field too much": strings.Replace(good, "{", `{"approved":true,`, 1),
		"checks":           strings.Replace(good, "{", `{"checks":["sender"],`, 1),
		"an agency":        strings.Replace(good, "{", `{"agency":1,`, 1),
		"text for number":  strings.Replace(good, `"issued":`, `"issued":"x`, 1),
		"huge number":      strings.Replace(good, `"issued":`, `"issued":99999999999999999999`, 1),
		"XML":              `<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>`,
		"cut off":          good[:len(good)/2], "NUL": "\x00" + good, "null list": `[null]`,
	} {
		refuse(name, http.StatusBadRequest, key, http.MethodPost, at, body)
	}
	mine := at + "/" + first.Reference
	for _, x := range []struct{ method, at, body string }{
		{http.MethodGet, mine, ""}, {http.MethodGet, mine + "/papers", ""},
		{http.MethodGet, mine + "/papers/1", ""}, {http.MethodGet, mine + "/papers/1/pdf", ""},
		{http.MethodGet, mine + "/receipt/order", ""},
		{http.MethodPost, mine + "/supplement", encoded(d)},
		{http.MethodPost, mine + "/withdraw", `{"reason":"mine"}`},
	} {
		refuse("another agency's "+x.at, http.StatusNotFound, other, x.method, x.at, x.body)
	}
	for _, ref := range []string{"x", "O" + strings.Repeat("A", 50), first.Reference + "A"} {
		refuse(ref, http.StatusNotFound, key, http.MethodGet, at+"/"+ref, "")
	}
	refuse("no such paper", http.StatusNotFound, key, http.MethodGet, mine+"/papers/99", "")
	refuse("no such line", http.StatusNotFound, key, http.MethodGet, mine+"/receipt/effect", "")
	refuse("another's number", http.StatusUnprocessableEntity, key, http.MethodPost,
		mine+"/supplement", good)
	w.View(func(r *store.Reader) error {
		for _, a := range []agency.Agency{w.office, w.bureau} {
			list, err := r.OrdersOf(a.ID, 1<<62, 100)
			if err != nil {
				return err
			}
			if a.ID == w.office.ID && (len(list) != 1 || order.State(list[0].State) !=
				order.Received) || a.ID == w.bureau.ID && len(list) != 0 {
				t.Errorf("%s has %d orders: %+v", a.Name, len(list), list)
			}
		}
		events, err := agency.Events(r, w.bureau.ID, 1<<62, 100)
		foreign := 0
		for _, e := range events {
			if e.Kind == agency.Foreign {
				foreign++
			}
		}
		if foreign != 7 {
			t.Errorf("%d of 7 looks at another agency's order are kept", foreign)
		}
		return err
	})
}

// TestPapersAreCounted: a call brings as many papers as an order has, and no more are kept.
func TestPapersAreCounted(t *testing.T) {
	w := start(t)
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	field, err := m.CreateFormField("order")
	w.ok(err)
	_, err = field.Write([]byte(encoded(w.document("F 3"))))
	w.ok(err)
	for n := range order.MaxPapers + 1 {
		part, err := m.CreateFormFile("paper", "a.txt")
		w.ok(err)
		_, err = fmt.Fprint(part, n)
		w.ok(err)
	}
	w.ok(m.Close())
	got := w.callWith(w.key(w.office), http.MethodPost, apiPath+"orders",
		m.FormDataContentType(), b.Bytes())
	if got.Status != http.StatusRequestEntityTooLarge || !strings.Contains(got.Body, `"large"`) {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

// TestReceiptOfADisclosure: the line of a disclosure has a number of its own, by which its receipt
// is found.
func TestReceiptOfADisclosure(t *testing.T) {
	w := start(t)
	key := w.key(w.office)
	var said receivedSaid
	got := w.call(key, http.MethodPost, apiPath+"orders", encoded(w.document("F 4")))
	w.ok(json.Unmarshal([]byte(got.Body), &said))
	at := apiPath + "orders/" + said.Reference + "/receipt/disclosure"
	if got := w.call(key, http.MethodGet, at, ""); got.Status != http.StatusNotFound {
		t.Errorf("nothing was disclosed: %d %s", got.Status, got.Body)
	}
	o, err := w.orders.Find(context.Background(), order.Sender{Agency: w.office.ID, Program: true},
		said.Reference)
	w.ok(err)
	const number = 77
	w.Update(ids.Peer(o.Agency), func(tx *store.Tx) error {
		err := tx.PutDisclosure(store.Disclosure{
			Agency: o.Agency, Order: o.ID, ID: number, State: 3, Released: 1, People: 1,
			Officer: 1, Fetched: 2, PreparedBy: 1, PreparedRole: "legal", ReleasedBy: 2,
			ReleasedRole: "lead", Sealed: []byte{}, Package: []byte{},
		})
		if err != nil {
			return err
		}
		return ledger.Write(tx, rand.Reader, ledger.Line{
			Subject: ids.Peer(o.Agency), ID: number, Kind: ledger.Disclosure, At: w.clock.Now().Unix(),
			Of:    o.ID,
			Entry: entry.Entry{Country: "DE", Instrument: "TCO_3", Items: entry.Band(1)},
		})
	})
	if got := w.call(key, http.MethodGet, at, ""); got.Status != http.StatusServiceUnavailable ||
		w.proved != number {
		t.Errorf("%d, the line of %d", got.Status, w.proved)
	}
}
