package authority

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"parley/internal/safety/agency"
	"parley/internal/safety/disclosure"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/safety/recipient"
	"parley/internal/safety/safetytest"
	"parley/internal/web/officer/officertest"
)

// keyed lets a court in that has a key to which data is encrypted.
func (w *world) keyed() (agency.Agency, *age.X25519Identity) {
	t := w.World.TB
	t.Helper()
	court := w.Onboard("Court", "FR", agency.Court)
	secret, err := age.GenerateX25519Identity()
	w.ok(err)
	key, err := recipient.Parse(secret.Recipient().String())
	w.ok(err)
	ctx := t.Context()
	w.ok(w.Rekey(ctx, officertest.Proposer, court.ID, secret.Recipient().String()))
	w.ok(w.Verify(ctx, officertest.Proposer, court.ID, agency.Check{
		Number: "+49 30 5559 999", Source: agency.Register, Where: "register, page 3",
		Spoke: "B, desk", Confirmed: true, Fingerprint: key.Fingerprint,
	}))
	w.ok(w.Approve(ctx, officertest.Approver, court.ID))
	return court, secret
}

// certificate are the fields of a production order, complete.
func (w *world) certificate(number string) url.Values {
	now := w.clock.Now().UTC()
	return url.Values{
		"number": {number}, "law0": {"Code"}, "provision0": {"Art. 5"},
		"accounts": {itoa(int64(safetytest.Author))}, "data": {"subscriber"},
		"necessity": {"Nothing milder does."}, "offence": {"fraud"}, "penalty": {"5"},
		"reasons": {"Who runs the shop has to be known."}, "redress": {"Tribunal."},
		"issued": {now.Add(-time.Minute).Format(moment)}, "signed": {"C, desk"},
		"validated": {"Court"}, "language": {"fr"}, "do": {"send"},
		"from": {now.Add(-time.Hour).Format(moment)}, "to": {now.Format(moment)},
	}
}

// TestFieldsOfACertificate: what cannot be read in a form stands at its field, and is named also
// where it is sent all the same; an offence of a directive's list needs no three years.
func TestFieldsOfACertificate(t *testing.T) {
	w := start(t)
	court := w.Onboard("Court", "FR", agency.Court)
	b := w.officer(court, "Judge", agency.Member)
	at := newPath + "/epoc"
	bad := w.certificate("1")
	bad.Del("necessity")
	for field, text := range map[string]string{
		"penalty": "five", "from": "yesterday", "directives": "2099/1",
	} {
		bad.Set(field, text)
	}
	got := w.send(b, at, bad)
	for _, want := range []string{`href="#penalty"`, `href="#from"`, `href="#directives-0"`} {
		if got.Status != http.StatusUnprocessableEntity || !strings.Contains(got.Body, want) {
			t.Errorf("%d, no %s", got.Status, want)
		}
	}
	if strings.Contains(got.Body, "necessity") {
		t.Error("the form asks for what a certificate does not say")
	}
	bad.Set("anyway", "yes")
	if o := w.order(court, w.send(b, at, bad)); o.State != order.Incomplete ||
		len(o.Problems) != 4 {
		t.Errorf("%v %v", o.State, o.Problems)
	}
	good := w.certificate("2")
	good.Set("penalty", "1")
	good.Set("data", "messages")
	good.Set("directives", "2017/541")
	if o := w.order(court, w.send(b, at, good)); o.State != order.Received ||
		!slices.Contains(o.Verdict.Most.Data, policy.Messages) {
		t.Errorf("%v %v %s", o.State, o.Problems, o.Why)
	}
}

// TestReasonsAreWithheld: an order to provide information need not say why, where its form says so.
func TestReasonsAreWithheld(t *testing.T) {
	w := start(t)
	court := w.Onboard("Court", "FR", agency.Court)
	b := w.officer(court, "Judge", agency.Member)
	at := newPath + "/dsa-10"
	fields := w.certificate("1")
	fields.Del("necessity")
	fields.Del("reasons")
	if got := w.send(b, at, fields); got.Status != http.StatusUnprocessableEntity ||
		!strings.Contains(got.Body, `href="#reasons"`) {
		t.Errorf("without reasons: %d", got.Status)
	}
	fields.Set("withheld", "yes")
	o := w.order(court, w.send(b, at, fields))
	if o.State != order.Received || !o.Document.Withheld {
		t.Errorf("%v %v %s", o.State, o.Problems, o.Why)
	}
}

// released has two people hand the data of an order over.
func (w *world) released(o order.Order) {
	w.World.TB.Helper()
	ctx, d := w.World.TB.Context(), w.pages.Disclosures
	draft, err := d.LayOut(ctx, staffOf(policy.Legal, 0), o.Agency, o.ID)
	w.ok(err)
	_, err = d.Release(ctx, o.Agency, o.ID, disclosure.Act{
		Staff: staffOf(policy.Lead, 0), Digest: draft.Row.Content, Proven: w.clock.Now(),
	})
	w.ok(err)
}

// TestDataIsFetchedOnce: the package of an order is offered once it was let go, to officers of that
// agency with a fresh proof; it is handed out once, however long its line takes, and only the
// agency's key opens it.
func TestDataIsFetchedOnce(t *testing.T) {
	w := start(t)
	court, secret := w.keyed()
	b := w.officer(court, "Judge", agency.Member)
	o := w.signed(w.order(court, w.send(b, newPath+"/epoc", w.certificate("9 UJs 2/26"))))
	at := path(o) + "/data"
	if page := b.Get(path(o)); len(page.Hidden(at)) > 0 {
		t.Error("data is offered that nobody has let go")
	}
	early := b.Post(at, b.Get(path(o)).Hidden(path(o)+"/withdraw"))
	if early.Status != http.StatusForbidden && early.Status != http.StatusConflict {
		t.Errorf("fetched before it was let go: %d", early.Status)
	}
	w.released(o)
	other := w.officer(w.office, "Officer", agency.Member)
	first := other.Post(at, nil)
	if got := other.Post(at, first.Hidden(at)); got.Status != http.StatusNotFound {
		t.Errorf("another agency: %d", got.Status)
	}
	form := b.Get(path(o)).Hidden(at)
	w.clock.Advance(11 * time.Minute)
	stale := b.Post(at, form)
	if stale.Status != http.StatusForbidden || strings.Contains(stale.Body, "age-encryption") {
		t.Fatalf("without a fresh proof: %d", stale.Status)
	}
	form = stale.Hidden(at)
	form.Set("prove_key", b.Proof())
	w.slow = true
	got := b.Post(at, form) // what is handed out once has as long as its line takes
	w.slow = false
	if got.Status != http.StatusOK || !strings.HasPrefix(got.Header.Get("Content-Disposition"),
		"attachment") || got.Header.Get("Content-Type") != "application/octet-stream" {
		t.Fatalf("%d %v", got.Status, got.Header)
	}
	clear, err := age.Decrypt(strings.NewReader(got.Body), secret)
	w.ok(err)
	whole, err := io.ReadAll(clear)
	if err != nil || !strings.HasPrefix(string(whole), "PK") {
		t.Errorf("the package: %v", err)
	}
	page := b.Get(path(o))
	if len(page.Hidden(at)) > 0 || !strings.Contains(page.Body, "/receipt/disclosure") {
		t.Error("after it was fetched the page offers it, or has no proof of the disclosure")
	}
	form.Del("prove_key")
	if got := b.Post(at, form); got.Status != http.StatusConflict {
		t.Errorf("fetched twice: %d", got.Status)
	}
	if got := b.Get(path(o) + "/receipt/disclosure"); got.Status !=
		http.StatusServiceUnavailable {
		t.Errorf("the proof before it is published: %d", got.Status)
	}
	w.published = true
	if got := b.Get(path(o) + "/receipt/disclosure"); got.Status != http.StatusOK {
		t.Errorf("the proof: %d %s", got.Status, got.Body)
	}
}
