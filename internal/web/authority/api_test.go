package authority

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"parley/internal/safety/agency"
	"parley/internal/safety/order"
	signedpaper "parley/internal/tlog/paper"
	"parley/internal/web/officer/officertest"
)

// call calls the API as a program with a key.
func (w *world) call(key, method, at, body string) officertest.Answer {
	w.World.TB.Helper()
	return w.callWith(key, method, at, "application/json", []byte(body))
}

func (w *world) callWith(key, method, at, kind string, body []byte) officertest.Answer {
	w.World.TB.Helper()
	r, err := http.NewRequest(method, w.server.URL+at, bytes.NewReader(body))
	w.ok(err)
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", kind)
	return officertest.NewBrowser(w.World.TB, w.server).Do(r)
}

// document is a removal order as a program sends it.
func (w *world) document(number string) order.Document {
	post := w.World.Post("by a program " + number)
	return order.Document{
		Instrument: "tco-3", Number: number, Issued: w.clock.Now().Unix() - 60, Country: "DE",
		Authority: "Federal Office", Signed: "B, desk", Lang: "de", Action: "withhold",
		Basis:   []order.Basis{{Law: "Regulation (EU) 2021/784", Provision: "Art. 3(1)"}},
		Reasons: "It incites.", Redress: "Court.",
		Items:    []order.Target{{URL: "https://t.me/the_news/" + itoa(post.Item)}},
		Category: "STATEMENT_CATEGORY_RISK_FOR_PUBLIC_SECURITY",
	}
}

func encoded(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// TestProgramsOrder: a program brings an order once, an officer vouches for it at the portal, and
// then only officers change it.
func TestProgramsOrder(t *testing.T) {
	w := start(t)
	key := w.key(w.office)
	d := w.document("P 1")
	got := w.call(key, http.MethodPost, apiPath+"orders", encoded(d))
	var said receivedSaid
	w.ok(json.Unmarshal([]byte(got.Body), &said))
	if got.Status != http.StatusCreated || said.Waits != "officer" || said.State != "received" {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if p, err := w.orders.Sign.Read([]byte(said.Receipt)); err != nil || p.Reference != said.Reference {
		t.Errorf("the receipt: %v", err)
	}
	again := w.call(key, http.MethodPost, apiPath+"orders", encoded(d))
	if again.Status != http.StatusOK || !strings.Contains(again.Body, said.Reference) {
		t.Errorf("again: %d %s", again.Status, again.Body)
	}
	at := apiPath + "orders/" + said.Reference
	d.Reasons = "It incites, and says when."
	if got := w.call(key, http.MethodPost, at+"/supplement", encoded(d)); got.Status != http.StatusOK {
		t.Errorf("supplement: %d %s", got.Status, got.Body)
	}
	list := w.call(key, http.MethodGet, apiPath+"orders", "")
	if list.Status != http.StatusOK || !strings.Contains(list.Body, said.Reference) {
		t.Errorf("list: %d %s", list.Status, list.Body)
	}
	papers := w.call(key, http.MethodGet, at+"/papers", "")
	if papers.Status != http.StatusOK || !strings.Contains(papers.Body, `"signed":"`) {
		t.Errorf("papers: %d %s", papers.Status, papers.Body)
	}
	pages := w.call(key, http.MethodGet, at+"/papers/1/pdf", "")
	if inside, err := signedpaper.FromPDF([]byte(pages.Body)); err != nil ||
		string(inside) != said.Receipt {
		t.Errorf("a paper as pages: %d, %v", pages.Status, err)
	}
	if got := w.call(key, http.MethodGet, at+"/papers/1", ""); got.Body != said.Receipt {
		t.Errorf("the paper is not the receipt: %d", got.Status)
	}
	if got := w.call(key, http.MethodGet, at+"/receipt/order", ""); got.Status !=
		http.StatusServiceUnavailable || !strings.Contains(got.Body, "waiting") {
		t.Errorf("receipt: %d %s", got.Status, got.Body)
	}
	b := w.officer(w.office, "Officer", agency.Member)
	form := b.Get(orderPath + said.Reference)
	vouch := orderPath + said.Reference + "/vouch"
	if got := b.Post(vouch, form.Hidden(vouch)); got.Status != http.StatusSeeOther {
		t.Fatalf("vouching: %d %s", got.Status, got.Body)
	}
	shown := w.call(key, http.MethodGet, at, "")
	if strings.Contains(shown.Body, `"waits"`) {
		t.Errorf("it waits for an officer still: %s", shown.Body)
	}
	d.Reasons = "Other."
	for at, body := range map[string]string{
		at + "/supplement": encoded(d), at + "/withdraw": `{"reason":"x"}`,
	} {
		if got := w.call(key, http.MethodPost, at, body); got.Status != http.StatusForbidden ||
			!strings.Contains(got.Body, `"code":"officer"`) {
			t.Errorf("%s: %d %s", at, got.Status, got.Body)
		}
	}
}

// TestProgramsWithdraw withdraws what no officer has vouched for.
func TestProgramsWithdraw(t *testing.T) {
	w := start(t)
	key := w.key(w.office)
	var said receivedSaid
	got := w.call(key, http.MethodPost, apiPath+"orders", encoded(w.document("P 2")))
	w.ok(json.Unmarshal([]byte(got.Body), &said))
	at := apiPath + "orders/" + said.Reference + "/withdraw"
	for body, want := range map[string]int{
		`{"reason":""}`: http.StatusUnprocessableEntity, `{`: http.StatusBadRequest,
		`{"why":"x"}`: http.StatusBadRequest, `{"reason":"x"} {}`: http.StatusBadRequest,
	} {
		if got := w.call(key, http.MethodPost, at, body); got.Status != want {
			t.Errorf("%s: %d %s", body, got.Status, got.Body)
		}
	}
	if got := w.call(key, http.MethodPost, at, `{"reason":"a mistake"}`); got.Status !=
		http.StatusOK || !strings.Contains(got.Body, `"withdrawn"`) {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := w.call(key, http.MethodPost, at, `{"reason":"a mistake"}`); got.Status !=
		http.StatusConflict {
		t.Errorf("twice: %d %s", got.Status, got.Body)
	}
}

// TestBadCalls: what cannot be read is said to be so, and what is missing is named with its law.
func TestBadCalls(t *testing.T) {
	w := start(t)
	key := w.key(w.office)
	at := apiPath + "orders"
	attached := w.document("P 3")
	attached.Attached = []order.Attachment{{Name: "a", Digest: strings.Repeat("a", 64), Size: 1}}
	for body, want := range map[string]int{
		"": http.StatusBadRequest, "[]": http.StatusBadRequest,
		`{"colour":1}`: http.StatusBadRequest, `{"number":1}`: http.StatusBadRequest,
		encoded(attached): http.StatusUnprocessableEntity,
	} {
		if got := w.call(key, http.MethodPost, at, body); got.Status != want ||
			!strings.Contains(got.Body, `"error"`) {
			t.Errorf("%.40s: %d %s", body, got.Status, got.Body)
		}
	}
	if got := w.callWith(key, http.MethodPost, at, "text/plain", []byte("{}")); got.Status !=
		http.StatusUnsupportedMediaType {
		t.Errorf("%d", got.Status)
	}
	if got := w.call(key, http.MethodGet, at+"?below=x", ""); got.Status != http.StatusBadRequest {
		t.Errorf("%d", got.Status)
	}
	d := w.document("P 4")
	d.Reasons = ""
	got := w.call(key, http.MethodPost, at, encoded(d))
	if got.Status != http.StatusCreated || !strings.Contains(got.Body,
		`"field":"statement of reasons","what":"missing","said":"Regulation (EU) 2021/784`) {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := w.call("nothing", http.MethodPost, at, encoded(d)); got.Status !=
		http.StatusUnauthorized {
		t.Errorf("%d", got.Status)
	}
}

// TestPapersOfPrograms: papers come behind the order they belong to, and nothing else does.
func TestPapersOfPrograms(t *testing.T) {
	w := start(t)
	key := w.key(w.office)
	send := func(parts ...string) officertest.Answer {
		t.Helper()
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		for i := 0; i < len(parts); i += 2 {
			make := func(name string) (io.Writer, error) { return m.CreateFormFile(name, "a.pdf") }
			if parts[i] == "order" {
				make = m.CreateFormField
			}
			part, err := make(parts[i])
			w.ok(err)
			_, err = part.Write([]byte(parts[i+1]))
			w.ok(err)
		}
		w.ok(m.Close())
		return w.callWith(key, http.MethodPost, apiPath+"orders", m.FormDataContentType(), b.Bytes())
	}
	d := encoded(w.document("P 5"))
	got := send("order", d, "paper", "one", "paper", "two")
	if got.Status != http.StatusCreated {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	again := send("order", d, "paper", "one", "paper", "two")
	if again.Status != http.StatusOK {
		t.Errorf("again: %d %s", again.Status, again.Body)
	}
	for _, bad := range [][]string{
		{"paper", "one"}, {"paper", "one", "order", d}, {"order", d, "other", "x"}, {},
		{"order", d, "order", encoded(w.document("P 5b"))},
	} {
		if got := send(bad...); got.Status != http.StatusBadRequest {
			t.Errorf("%q: %d %s", bad, got.Status, got.Body)
		}
	}
}
