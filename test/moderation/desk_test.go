package moderation

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/web/officer/officertest"
	"parley/internal/web/staff"
)

// desk is the console of the staff, which they use over HTTP.
type desk struct {
	s     *scene
	at    string
	seats map[policy.Role][]*seat
}

// seat is a member of staff at the console, with his browser and security key.
type seat struct {
	*officertest.Browser
	id int64
	in bool
}

// seat is the nth member of staff of a role, who is signed in. Who is not there yet is added.
func (d *desk) seat(role policy.Role, n int) *seat {
	d.s.Helper()
	if d.seats == nil {
		d.seats = make(map[policy.Role][]*seat)
	}
	for len(d.seats[role]) <= n {
		d.seats[role] = append(d.seats[role], d.hire(role, len(d.seats[role])))
	}
	x := d.seats[role][n]
	if !x.in {
		begun := x.Post("/signin/key", nil)
		got := x.Post("/signin/key/answer", url.Values{"answer": {x.Key.Get([]byte(begun.Body))}})
		if got.Status != http.StatusOK {
			d.s.Fatalf("%s %d cannot sign in: %d %s", role, n, got.Status, got.Body)
		}
		x.in = true
	}
	return x
}

// hire adds somebody to the staff.
func (d *desk) hire(role policy.Role, n int) *seat {
	d.s.Helper()
	people, err := d.s.server.Node.Staff()
	d.s.check(err)
	as, err := staff.ParseRole(string(role))
	d.s.check(err)
	x := &seat{Browser: officertest.NewBrowser(d.s, &httptest.Server{URL: d.at})}
	var token string
	name := fmt.Sprintf("%s %d", role, n+1)
	x.id, token, err = people.Add(d.s.Context(), staff.Operator, name, as)
	d.s.check(err)
	begun := x.Post("/enrol/key", url.Values{"token": {token}})
	got := x.Post("/enrol/key/answer", url.Values{
		"token": {token}, "answer": {x.Create([]byte(begun.Body))},
	})
	if got.Status != http.StatusOK {
		d.s.Fatalf("%s %d has no key: %d %s", role, n, got.Status, got.Body)
	}
	return x
}

// away signs everybody out.
func (d *desk) away() {
	for _, list := range d.seats {
		for _, x := range list {
			x.in = false
		}
	}
}

// fill fills in the form of a page that posts to a path, and wants it to be taken.
func (s *scene) fill(b *officertest.Browser, on, at string, values url.Values) officertest.Answer {
	s.Helper()
	got := s.try(b, on, at, values)
	if got.Status != http.StatusSeeOther {
		s.Fatalf("%s: %d %s", at, got.Status, alerts(got.Body))
	}
	return got
}

// try is fill of a form that may be refused. A page without the form is a failure all the same.
func (s *scene) try(b *officertest.Browser, on, at string, values url.Values) officertest.Answer {
	s.Helper()
	page := b.Get(on)
	form := page.Hidden(at)
	if len(form) == 0 {
		s.Fatalf("%s has no form for %s: %d", on, at, page.Status)
	}
	for name, list := range values {
		form[name] = list
	}
	return b.Post(at, form)
}

// alerts is what a page says that is wrong.
func alerts(body string) string {
	found := regexp.MustCompile(`(?s)role="alert".*?</(p|section)>`).FindAllString(body, -1)
	return strings.Join(found, "\n")
}

// orderPath is the page of an order in the console.
func (g *given) path() string { return fmt.Sprintf("/order/%d/%d", g.office.ID, g.id) }

// works are what staff do with an order at the console: "staff legal VERB ORDER: text".
var works = map[string]func(s *scene, by *seat, g *given, text string){
	// checks makes all checks that policy wants of him, the call-back among them.
	"checks": func(s *scene, by *seat, g *given, text string) {
		for _, c := range s.now(g).Verdict.Unverified {
			switch c {
			case policy.SupervisorCheck, policy.SenderCheck:
			case policy.CallBack:
				s.fill(by.Browser, g.path(), g.path()+"/call", url.Values{
					"number": {kept}, "spoke": {"B, desk"}, "said": {"confirmed"},
				})
			default:
				s.fill(by.Browser, g.path(), g.path()+"/check", url.Values{
					"check": {string(c)}, "why": {text},
				})
			}
		}
	},
	"refuses": func(s *scene, by *seat, g *given, text string) {
		class, why, _ := strings.Cut(text, ", ")
		s.fill(by.Browser, g.path(), g.path()+"/refuse", url.Values{
			"class": {class}, "why": {why},
		})
	},
	// suspects notes what kind of protected speech he sees.
	"suspects": func(s *scene, by *seat, g *given, text string) {
		s.fill(by.Browser, g.path(), g.path()+"/suspect", url.Values{"speech": {text}})
	},
	// corrects notes a manifest error.
	"corrects": func(s *scene, by *seat, g *given, text string) {
		s.fill(by.Browser, g.path(), g.path()+"/suspect", url.Values{"manifest": {text}})
	},
	// judges decides whether it is protected speech: "protected, why" or "free, why".
	"judges": func(s *scene, by *seat, g *given, text string) {
		said, why, _ := strings.Cut(text, ", ")
		yes := map[string]string{"protected": "yes", "unprotected": "no"}[said]
		s.fill(by.Browser, g.path(), g.path()+"/judge", url.Values{
			"protected": {yes}, "why": {why},
		})
	},
	"annuls": func(s *scene, by *seat, g *given, text string) {
		s.fill(by.Browser, g.path(), g.path()+"/annul", url.Values{"why": {text}})
	},
	"lays": func(s *scene, by *seat, g *given, _ string) {
		s.fill(by.Browser, g.path()+"/data", g.path()+"/data/layout", nil)
	},
	// strikes strikes a value out that he has laid out: "1|subscriber|1|first_name, why".
	"strikes": func(s *scene, by *seat, g *given, text string) {
		what, why, _ := strings.Cut(text, ", ")
		s.fill(by.Browser, g.path()+"/data", g.path()+"/data/strike", url.Values{
			"strike": {what}, "why": {why},
		})
	},
	"releases": func(s *scene, by *seat, g *given, _ string) {
		s.fill(by.Browser, g.path()+"/data", g.path()+"/data/release", nil)
	},
	// cannot is refused what he tries: "releases", "signs".
	"cannot": func(s *scene, by *seat, g *given, text string) {
		on, at := g.path(), g.path()+"/sign"
		if text == "release" {
			on, at = g.path()+"/data", g.path()+"/data/release"
		}
		page := by.Get(on)
		form := page.Hidden(at)
		if len(form) == 0 {
			return // the page has no such form for him
		}
		if got := by.Post(at, form); got.Status < http.StatusBadRequest {
			s.Errorf("could: %d", got.Status)
		}
	},
}

// sign has as many people sign an order as policy wants, each in his role.
func (s *scene) sign(g *given) {
	s.Helper()
	o := s.now(g)
	if o.State != order.Assessed {
		s.Fatalf("it is %s, waits for %v, lacks %v", o.State, o.Verdict.Unverified, o.Problems)
	}
	for _, want := range o.Signs() {
		for n := range max(want.People, 1) {
			s.fill(s.desk.seat(want.Role, n).Browser, g.path(), g.path()+"/sign", nil)
		}
	}
	s.settle()
}

// staffAt is a line of the staff at the console: "signs ORDER", or a role and what it does.
func (s *scene) staffAt(words []string, text string) {
	s.Helper()
	if words[0] == "signs" {
		s.sign(s.given(words[1]))
		return
	}
	role := policy.Role(words[0])
	if !slices.Contains(policy.Roles(), role) || len(words) < 2 {
		s.Fatalf("staff do not %q", words)
	}
	by := s.desk.seat(role, 0)
	switch verb := words[1]; {
	case verb == "answers":
		s.answers(by, text)
	case verb == "approves":
		s.approve(by)
	case verb == "warns" || verb == "reviews":
		s.review(by, verb, s.offices[words[2]], text)
	case works[verb] != nil && len(words) > 2:
		works[verb](s, by, s.given(words[2]), text)
	default:
		s.Fatalf("staff do not %q", words)
	}
	s.settle()
}
