package moderation

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"parley/internal/chat/account"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/country"
	"parley/internal/safety/hotline"
	"parley/internal/safety/inquiry"
	"parley/internal/safety/market"
	"parley/internal/store"
)

// reported is a thing that a hotline reported.
type reported struct{ ID, Reference, State, Outcome string }

// hotlineAPI is where programs of hotlines come in.
const hotlineAPI = "/hotline/api/v1"

// report has a hotline report things at once, by its program, and get a receipt for each: "line
// reports NAME" with the fields items, category and reasons.
func (s *scene) report(o *office, w []string, _ string, f fields) {
	s.Helper()
	d := hotline.Document{
		Reference: w[0], GoodFaith: true, Lang: o.Lang, Explanation: f.get("reasons"),
		Category: safety.Category("STATEMENT_CATEGORY_" + f.get("category")),
	}
	for _, x := range f {
		if x.name != "items" {
			continue
		}
		for _, at := range x.list() {
			d.Items = append(d.Items, hotline.Named{
				ID: at, Location: "https://t.me/the_news/" + strconv.Itoa(s.posts[at]),
			})
		}
	}
	status, body := o.call(http.MethodPost, hotlineAPI+"/submissions", d)
	var said struct{ Items []reported }
	s.check(json.Unmarshal(body, &said))
	if status != http.StatusCreated || len(said.Items) != len(d.Items) {
		s.Fatalf("%d %s", status, body)
	}
	for _, i := range said.Items {
		if i.Reference == "" || i.State != "received" {
			s.Errorf("%+v", i)
		}
	}
	o.reported = append(o.reported, said.Items...)
	s.settle()
}

// sees has a hotline look at what became of a thing that it reported ("sees one: OUTCOME"), or of
// its own standing ("sees measure: KIND, COMPLAINT").
func (s *scene) sees(o *office, w []string, text string, _ fields) {
	s.Helper()
	s.settle()
	if w[0] == "measure" {
		if _, body := o.call(http.MethodGet, hotlineAPI+"/measures", nil); !strings.Contains(
			string(body), text) {
			s.Errorf("%s", body)
		}
		return
	}
	for _, i := range o.reported {
		if i.ID != w[0] {
			continue
		}
		status, body := o.call(http.MethodGet, hotlineAPI+"/items/"+i.Reference, nil)
		s.check(json.Unmarshal(body, &i))
		if got := strings.TrimSpace(i.State + " " + i.Outcome); status != http.StatusOK ||
			got != text {
			s.Errorf("%d: %s", status, got)
		}
		return
	}
	s.Errorf("it did not report %s", w[0])
}

// contests complains about the newest measure against a hotline.
func (s *scene) contests(o *office, _ []string, text string, _ fields) {
	s.Helper()
	status, body := o.call(http.MethodGet, hotlineAPI+"/measures", nil)
	var said struct{ Measures []struct{ ID json.Number } }
	s.check(json.Unmarshal(body, &said))
	if status != http.StatusOK || len(said.Measures) == 0 {
		s.Fatalf("%d %s", status, body)
	}
	id := said.Measures[len(said.Measures)-1].ID
	status, body = o.call(http.MethodPost, fmt.Sprint(hotlineAPI, "/measures/", id, "/complaint"),
		map[string]string{"text": text})
	if status >= http.StatusBadRequest {
		s.Errorf("%d %s", status, body)
	}
}

// asks has a regulator ask something: "asks: TITLE" with the field text.
func (s *scene) asks(o *office, _ []string, title string, f fields) {
	s.Helper()
	got := s.fill(o.browser(o.member), "/regulator", "/regulator", url.Values{
		"title": {title}, "text": {f.get("text")},
	})
	to, err := url.Parse(got.Header.Get("Location"))
	s.check(err)
	o.asked = to.Path
}

// readAnswer has a regulator read what was said in the dialogue.
func (s *scene) readAnswer(o *office, text string) {
	s.Helper()
	page := o.browser(o.member).Get(o.asked + "?lang=" + o.Lang)
	if !strings.Contains(plain(page.Body), text) {
		s.Errorf("%d: %s", page.Status, plain(page.Body))
	}
}

// answers has the staff answer the regulator who waits.
func (s *scene) answers(by *seat, text string) {
	s.Helper()
	var list []inquiry.Inquiry
	s.view(func(r *store.Reader) (err error) {
		list, err = inquiry.Waiting(r, 0, 0, 2)
		return err
	})
	if len(list) != 1 {
		s.Fatalf("%d wait for an answer", len(list))
	}
	at := fmt.Sprintf("/inquiries/%d/%d", list[0].Agency, list[0].ID)
	s.fill(by.Browser, at, at+"/say", url.Values{"text": {text}})
}

// review has the staff warn a hotline ("warns line: MISUSE, why"), or rule on its complaint about
// that ("reviews line: reversed, why").
func (s *scene) review(by *seat, verb string, o *office, text string) {
	s.Helper()
	at := fmt.Sprintf("/hotlines/%d", o.ID)
	if verb == "warns" {
		how, why, _ := strings.Cut(text, ", ")
		s.fill(by.Browser, at, at+"/warn", url.Values{"misuse": {how}, "why": {why}})
		return
	}
	var list []hotline.Measure
	s.view(func(r *store.Reader) (err error) {
		list, err = hotline.Measures(r, o.ID)
		return err
	})
	outcome, why, _ := strings.Cut(text, ", ")
	s.fill(by.Browser, at, fmt.Sprint(at, "/review/", list[len(list)-1].ID), url.Values{
		"outcome": {outcome}, "why": {why},
	})
}

// market has the operator change in which countries the service is offered: "market CC STATE: why".
// "restricted" with the fields law and categories proposes to withhold there what was decided on;
// "leaving" has the people there told.
func (s *scene) market(w []string, why string, f fields) {
	s.Helper()
	ctx, m := s.Context(), s.server.Node.Markets
	c := market.Change{State: market.State(w[1]), Why: why, By: "board"}
	if f.get("law") == "" {
		s.check(m.Set(ctx, country.Code(w[0]), c))
		_, err := m.TellAll(ctx)
		s.check(err)
		_, err = m.LiftAll(ctx)
		s.check(err)
		return
	}
	b, err := m.Restrict(ctx, country.Code(w[0]), c, market.Withholding{
		Categories: []safety.Category{safety.Category("STATEMENT_CATEGORY_" + f.get("category"))},
		Law:        f.get("law"), Staff: s.desk.seat("lead", 0).id,
	})
	s.check(err)
	s.batch = b.ID
}

// approve has somebody approve what was proposed to be withheld.
func (s *scene) approve(by *seat) {
	s.Helper()
	at := fmt.Sprint("/batch/", s.batch)
	s.fill(by.Browser, at, at+"/approve", nil)
	s.settle()
}

// put gives somebody a number.
func (s *scene) put(id ids.UserID, phone string) error {
	ctx, st := s.Context(), s.server.Node.Store
	err := st.Update(ctx, account.ServiceUser.Peer(), func(tx *store.Tx) error {
		return tx.TakePhone(phone, id)
	})
	if err != nil {
		return err
	}
	return st.Update(ctx, id.Peer(), func(tx *store.Tx) error {
		u, err := tx.User(id)
		if err != nil {
			return err
		}
		u.Phone = phone
		return tx.PutUser(u)
	})
}
