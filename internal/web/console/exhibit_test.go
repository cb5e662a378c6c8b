package console

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"parley/internal/blob"
	"parley/internal/chat/media/imaging"
	"parley/internal/safety/agency"
	"parley/internal/safety/attachment"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/web/staff"
)

// viewer shows papers of a test's orders; it makes no pictures of photos.
func viewer(t testing.TB, blobs blob.Store) *attachment.Viewer {
	t.Helper()
	v, err := attachment.New(attachment.Options{
		Papers: blobs,
		Images: func() (*imaging.Worker, error) {
			return nil, errors.New("no photos here")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestExhibits shows papers that came with an order: a web page as the text in it, an old office
// file by the reason why not.
func TestExhibits(t *testing.T) {
	w := open(t)
	w.named()
	_, officer := w.office("Federal Office", "DE", agency.Regulator)
	d := w.act("7 Js 1", w.post("the mark"))
	for name, body := range map[string]string{
		"locked.doc": "\xd0\xcf\x11\xe0 macros",
		"note.html":  "<html><body onload=x()><p>The <b>order</b></p><script>x()</script>",
	} {
		digest, n, err := w.console.Papers.Put(context.Background(), strings.NewReader(body))
		w.ok(err)
		d.Attached = append(d.Attached, order.Attachment{
			Name: name, Mime: "application/octet-stream", Digest: digest.String(), Size: n,
		})
	}
	o := w.give(officer, d)
	legal := w.sit(w.member(staff.Legal))
	_, body := legal.get(orderPath(o.Agency, o.ID))
	for i, a := range d.Attached {
		at := orderPath(o.Agency, o.ID) + "/exhibit/" + string(rune('0'+i))
		if !strings.Contains(body, at) {
			t.Errorf("the order's page does not lead to %s", a.Name)
		}
		status, body := legal.get(at)
		if status != http.StatusOK {
			t.Fatalf("%s: %d", a.Name, status)
		}
		if a.Name == "note.html" {
			if !strings.Contains(body, "The order") || strings.Contains(body, "x()") {
				t.Errorf("%s: %s", a.Name, body)
			}
			continue
		}
		if !strings.Contains(body, "No paper of this kind is shown.") {
			t.Errorf("%s: %s", a.Name, body)
		}
	}
	if status, _ := legal.get(orderPath(o.Agency, o.ID) + "/exhibit/2"); status != 404 {
		t.Errorf("a paper that is not there: %d", status)
	}
}

// TestSignersReadExhibits: whose signature an order wants reads the papers that came with it and
// the papers that were answered, from when it is wanted; before, and of another order, he does not.
func TestSignersReadExhibits(t *testing.T) {
	w := open(t)
	w.named()
	_, officer := w.office("Federal Office", "DE", agency.Regulator)
	rules := w.console.Orders.Judge
	w.console.Orders.Judge = func(q policy.Request) (policy.Verdict, error) {
		v, err := rules(q)
		v.Sign = []policy.Signature{{Role: policy.Moderator, People: 1}}
		return v, err
	}
	d := w.act("7 Js 1", w.post("the mark"))
	digest, n, err := w.console.Papers.Put(t.Context(), strings.NewReader("<p>The order</p>"))
	w.ok(err)
	d.Attached = []order.Attachment{{Name: "note.html", Digest: digest.String(), Size: n}}
	o := w.give(officer, d)
	legal, moderator := w.sit(w.member(staff.Legal)), w.sit(w.member(staff.Moderator))
	at := orderPath(o.Agency, o.ID)
	under := []string{at + "/exhibit/0", at + "/paper/1", at + "/paper/1/pdf"}
	for _, path := range under {
		if status, _ := moderator.get(path); status != http.StatusForbidden {
			t.Errorf("%s before his signature is wanted: %d", path, status)
		}
	}
	if o = legal.checkedOrder(o); o.State != order.Assessed {
		t.Fatalf("after the checks it is %s", o.State)
	}
	_, body := moderator.get(at)
	for _, path := range under {
		if !strings.HasSuffix(path, "/pdf") && !strings.Contains(body, `href="`+path) {
			t.Errorf("the page of who signs does not lead to %s", path)
		}
		if status, _ := moderator.get(path); status != http.StatusOK {
			t.Errorf("%s of an order that he is to sign: %d", path, status)
		}
	}
}
