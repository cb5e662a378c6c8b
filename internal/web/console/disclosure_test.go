package console

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	filippo "filippo.io/age"

	"parley/internal/keyring"
	"parley/internal/mtproto/crypt"
	"parley/internal/safety/agency"
	"parley/internal/safety/disclosure"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/safety/recipient"
	"parley/internal/store"
	"parley/internal/web/staff"
)

// disclosures hands data over in the tests.
func (w *world) disclosures(orders *order.Service) *disclosure.Service {
	w.t.Helper()
	s, err := disclosure.Open(&disclosure.Service{
		Store: w.store, Clock: w.clock, Random: rand.Reader, Orders: orders, Blobs: w.blobs,
		Box: keyring.NewBox([32]byte{5}, crypt.NewRandom(rand.Reader)),
	})
	w.ok(err)
	return s
}

// keyed gives an agency a key that it has read out.
func (w *world) keyed(a agency.Agency) *filippo.X25519Identity {
	w.t.Helper()
	ctx, s := context.Background(), w.console.Agencies
	id, err := filippo.GenerateX25519Identity()
	w.ok(err)
	key, err := recipient.Parse(id.Recipient().String())
	w.ok(err)
	first, second := w.member(staff.Lead).ID, w.member(staff.Legal).ID
	w.ok(s.Rekey(ctx, first, a.ID, id.Recipient().String()))
	w.ok(s.Verify(ctx, first, a.ID, agency.Check{
		Number: keptNumber, Source: agency.Register, Where: "register, page 3", Spoke: "B, desk",
		Confirmed: true, Fingerprint: key.Fingerprint,
	}))
	w.ok(s.Approve(ctx, second, a.ID))
	return id
}

// certificate is a production order for the author's account, checked and signed.
func (w *world) certificate(of agency.Officer, legal, lead *seat) order.Order {
	w.t.Helper()
	now := w.clock.Now().Unix()
	o := w.give(of, order.Document{
		Instrument: instrument.Production, Number: "9 UJs 2/26", Issued: now - 60, Country: "FR",
		Authority: "Prosecution", Signed: "C, desk", Validated: "Court", Lang: "fr",
		Basis:   []order.Basis{{Law: "Code", Provision: "Art. 5"}},
		Reasons: "Who runs the shop has to be known.", Necessity: "Nothing milder does.",
		Redress: "Tribunal within two months.", Action: policy.Disclose,
		Accounts: []order.Identifier{{Type: "id", Value: fmt.Sprint(int64(author))}},
		Data:     []policy.Data{policy.Subscriber}, From: now - 3600, To: now,
		Offence: "fraud", Penalty: 5,
	})
	o = legal.checkedOrder(o)
	p, err := w.console.Orders.PlanOf(context.Background(), o.Agency, o.ID)
	w.ok(err)
	for _, s := range []*seat{legal, lead} {
		at := orderPath(o.Agency, o.ID)
		if status, body := s.fill(at, at+"/sign", url.Values{"digest": {p.Digest}}); status !=
			http.StatusSeeOther {
			w.t.Fatalf("sign: %d %s", status, body)
		}
	}
	return w.orderNow(o)
}

// TestDataForAnAuthority goes through both acts in the pages, by two people.
func TestDataForAnAuthority(t *testing.T) {
	w := open(t)
	a, officer := w.office("Prosecution", "FR", agency.Prosecutor)
	w.keyed(a)
	w.clock.Advance(8 * 24 * time.Hour)
	w.update(author.Peer(), func(tx *store.Tx) error {
		return tx.PutUser(store.User{ID: author, FirstName: "<b>First", Phone: "4930901820"})
	})
	counsel, head := w.member(staff.Legal), w.member(staff.Lead)
	legal, lead := w.sit(counsel), w.sit(head)
	moderator := w.sit(w.member(staff.Moderator))
	o := w.certificate(officer, legal, lead)
	at := dataPath(o.Agency, o.ID)
	if status, _ := moderator.get(at); status != http.StatusForbidden {
		t.Errorf("a moderator sees what would leave: %d", status)
	}
	if _, body := legal.get(orderPath(o.Agency, o.ID)); !strings.Contains(body, at) {
		t.Error("the order's page does not lead to its data")
	}
	if status, body := legal.fill(at, at+"/layout", url.Values{}); status != http.StatusSeeOther {
		t.Fatalf("lay out: %d %s", status, body)
	}
	_, body := legal.get(at)
	for _, want := range []string{"4930901820", "users.phone", "&lt;b&gt;First"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(body, at+"/release") {
		t.Error("who laid it out is asked to let it go")
	}
	w.clock.Advance(12 * time.Minute)
	if status, body := legal.get(at); status != http.StatusForbidden ||
		strings.Contains(body, "4930901820") {
		t.Errorf("what would leave is shown without a fresh proof: %d", status)
	}
	for _, x := range []struct {
		*seat
		member
	}{{legal, counsel}, {lead, head}} {
		status, body := x.fill(at, at, url.Values{
			"prove_password": {password}, "prove_code": {w.code(x.secret)},
		})
		if status != http.StatusOK || !strings.Contains(body, "4930901820") {
			t.Fatalf("with a fresh proof: %d %s", status, body)
		}
	}
	digest := func(s *seat) string {
		t.Helper()
		_, body := s.get(at)
		m := regexp.MustCompile(`id="content">(\w{64})<`).FindStringSubmatch(body)
		if m == nil {
			t.Fatalf("no digest: %s", body)
		}
		return m[1]
	}
	old := digest(legal)
	status, _ := legal.fill(at, at+"/strike", url.Values{
		"digest": {old}, "why": {"not needed"}, "strike": {"1|subscriber|1|first_name"},
	})
	if _, body := legal.get(at); status != http.StatusSeeOther || strings.Contains(body, "First<") {
		t.Errorf("struck out, and still there: %d", status)
	}
	if status, _ := lead.fill(at, at+"/release", url.Values{"digest": {old}}); status !=
		http.StatusConflict {
		t.Errorf("let go what was laid out before: %d", status)
	}
	if status, _ := lead.fill(at, at+"/release", url.Values{"digest": {digest(lead)}}); status !=
		http.StatusSeeOther {
		t.Errorf("let go: %d", status)
	}
	if o = w.orderNow(o); o.State != order.Answered {
		t.Errorf("%v", o.State)
	}
	_, body = legal.get(at)
	if status, pdf := legal.get(orderPath(o.Agency, o.ID) + "/paper/2/pdf"); status !=
		http.StatusOK || !strings.HasPrefix(pdf, "%PDF-") {
		t.Errorf("the answer as a PDF: %d", status)
	}
	if !strings.Contains(body, "waits to be fetched") || strings.Contains(body, "4930901820") {
		t.Errorf("after it was let go: %s", body)
	}
}
