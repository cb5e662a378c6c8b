package console

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"parley/internal/safety"
	"parley/internal/safety/country"
	"parley/internal/safety/crime"
	"parley/internal/safety/cybertip"
	"parley/internal/safety/duty"
	"parley/internal/store"
	"parley/internal/web/staff"
)

// others builds what tells authorities of crimes and of the abuse of children, in a dry run.
func (w *world) others() (*crime.Service, *cybertip.Service) {
	w.t.Helper()
	countries, err := country.Builtin()
	if err != nil {
		w.t.Fatal(err)
	}
	service := func(kind duty.Kind) *duty.Service {
		return duty.New(duty.Options{
			Store: w.store, Clock: w.clock, Random: rand.Reader, Kind: kind,
			Log: slog.New(slog.DiscardHandler),
		})
	}
	crimes := &crime.Service{
		Service: service(duty.Crime), Countries: countries,
		Authorities: []crime.Authority{{Code: crime.Europol}},
	}
	return crimes, &cybertip.Service{
		Service: service(duty.ChildAbuse), Subject: true,
		Reporter: cybertip.Reporter{Email: "desk@example.org", Service: "Parley"},
	}
}

// taken reports a post and has a member of staff take the case.
func (w *world) taken(s *seat, text string) store.Case {
	w.t.Helper()
	c := w.report(w.post(text), safety.ChildSafety, "")
	if status, to := s.fill("/queue", "/next", url.Values{}); status != http.StatusSeeOther {
		w.t.Fatalf("taking a case: %d %s", status, to)
	}
	return c
}

// state is the state of the newest report about a case.
func (w *world) told(c store.Case) (d store.Duty) {
	w.t.Helper()
	err := w.store.View(context.Background(), func(r *store.Reader) error {
		list, err := r.DutiesOf(c.Subject, c.ID)
		if len(list) > 0 {
			d = list[len(list)-1]
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// TestTellAuthorities proposes a suspicion, and has another approve it.
func TestTellAuthorities(t *testing.T) {
	w := open(t)
	s := w.sit(w.member(staff.Moderator))
	c := w.taken(s, "I will do it tonight")
	at := casePath(c)
	form := url.Values{"facts": {"He names a school."}, "threat": {"An attack."}, "ground": {" "}}
	status, body := s.fill(at+"/tell", at+"/crime", form)
	if status != http.StatusUnprocessableEntity || !strings.Contains(body, "how the state") ||
		!strings.Contains(body, "He names a school.") {
		t.Fatalf("without a ground: %d", status)
	}
	form.Set("ground", "The school is named.")
	status, to := s.fill(at+"/tell", at+"/crime", form)
	if status != http.StatusSeeOther {
		t.Fatalf("proposing: %d %s", status, to)
	}
	one, _, _ := strings.Cut(to, "?")
	if status, _ := s.get(at + "/tell"); status != http.StatusOK {
		t.Errorf("the page with a report: %d", status)
	}
	other := w.sit(w.member(staff.Lead))
	if _, body := other.get("/told"); !strings.Contains(body, one) {
		t.Error("it is not listed")
	}
	d := w.told(c)
	if _, body := other.get(one); !strings.Contains(body, "I will do it tonight") {
		t.Error("its page does not show what is sent")
	}
	digest := url.Values{"digest": {duty.Digest(d)}}
	if status, to := other.fill(one, one+"/approve", digest); status != http.StatusSeeOther {
		t.Errorf("approving: %d %s", status, to)
	}
	if got := w.told(c); duty.State(got.State) != duty.Owed || got.Second == 0 {
		t.Errorf("it is %s", duty.State(got.State))
	}
}

// TestAbuseIsReportedFirst decides no case of the abuse of a child before it is reported, or before
// somebody says why it need not be.
func TestAbuseIsReportedFirst(t *testing.T) {
	w := open(t)
	s := w.sit(w.member(staff.Moderator))
	abuse := complete(url.Values{"measure": {"remove"}, "step": {"confirm"}})
	abuse.Set("kind", string(safety.ProtectionMinors)+"/KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL")
	c := w.taken(s, "abuse")
	at := casePath(c)
	status, body := s.fill(at+"/decide", at+"/decide", abuse)
	if status != http.StatusConflict || !strings.Contains(body, "Report the case first") {
		t.Fatalf("deciding: %d", status)
	}
	status, body = s.fill(at+"/tell", at+"/tip", url.Values{"type": {"nothing"}})
	if status != http.StatusUnprocessableEntity || !strings.Contains(body, "incidentType") {
		t.Fatalf("an incomplete report: %d", status)
	}
	tip := url.Values{"type": {string(cybertip.Material)}, "annotation": {"viral"}}
	if status, _ = s.fill(at+"/tell", at+"/tip", tip); status != http.StatusUnprocessableEntity {
		t.Fatalf("an annotation that there is none of: %d", status)
	}
	tip.Set("annotation", "informational")
	if status, to := s.fill(at+"/tell", at+"/tip", tip); status != http.StatusSeeOther {
		t.Fatalf("reporting: %d %s", status, to)
	}
	if got := w.told(c); duty.State(got.State) != duty.Owed {
		t.Errorf("it is %s", duty.State(got.State))
	}
	if status, to := s.fill(at+"/decide", at+"/decide", abuse); status != http.StatusSeeOther {
		t.Errorf("deciding what is reported: %d %s", status, to)
	}
	c = w.taken(s, "drawn")
	at = casePath(c)
	why := url.Values{"why": {"It is a painting of 1510."}}
	if status, to := s.fill(at+"/tell", at+"/decline", why); status != http.StatusSeeOther {
		t.Fatalf("declining: %d %s", status, to)
	}
	if status, to := s.fill(at+"/decide", at+"/decide", abuse); status != http.StatusSeeOther {
		t.Errorf("deciding what need not be reported: %d %s", status, to)
	}
}
