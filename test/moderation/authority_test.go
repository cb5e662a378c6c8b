package moderation

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"filippo.io/age"

	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/recipient"
	"parley/internal/store"
	"parley/internal/web/officer/officertest"
)

// kept is the number at which the staff reach every authority.
const kept = "+49 30 5559 999"

// Where authorities come in.
const (
	portal  = "/authority/orders/"
	program = "/authority/api/v1/orders"
)

// office is an agency with two officers, a program and a key to which data is encrypted.
type office struct {
	agency.Agency
	s      *scene
	key    string
	secret *age.X25519Identity
	member *official
	// boss answers for emergencies.
	boss *official
	// asked is the inquiry of a regulator, reported the submission of a hotline.
	asked    string
	reported []reported
}

// official is an officer with his browser and security key.
type official struct {
	*officertest.Browser
	in bool
}

// given is an order as its authority knows it.
type given struct {
	office    *office
	id        int64
	reference string
	document  order.Document
	door      string
	receipt   string
	// fetching is the form by which data was fetched.
	fetching url.Values
}

// away signs both officers out.
func (o *office) away() { o.member.in, o.boss.in = false, false }

// browser is an officer's browser, signed in.
func (o *office) browser(x *official) *officertest.Browser {
	o.s.Helper()
	if !x.in {
		if got := x.SignIn(""); got.Status != http.StatusOK {
			o.s.Fatalf("%s cannot sign in: %d %s", o.Name, got.Status, got.Body)
		}
		x.in = true
	}
	return x.Browser
}

// open lets an agency in, as two of the staff do: "agency NAME KIND COUNTRY LANG: Full name".
func (s *scene) open(words []string, name string) {
	s.Helper()
	ctx, a := s.Context(), s.server.Node.Agencies
	first, second := s.desk.seat("lead", 0).id, s.desk.seat("legal", 0).id
	o := &office{s: s}
	var err error
	o.secret, err = age.GenerateX25519Identity()
	s.check(err)
	text := o.secret.Recipient().String()
	key, err := recipient.Parse(text)
	s.check(err)
	kind := agency.ParseKind(words[2])
	o.Agency, err = a.Propose(ctx, first, agency.New{
		Name: name, Country: words[3], Lang: words[4], Kind: kind,
		Officials: []agency.Official{{Name: "A", Office: "Head"}, {Name: "B", Office: "Desk"}},
		Agreement: strings.Repeat("a", 64), Key: text,
	})
	s.check(err)
	s.check(a.Verify(ctx, first, o.ID, agency.Check{
		Number: kept, Source: agency.Register, Where: "register, page 3", Spoke: "B, desk",
		Confirmed: true, Fingerprint: key.Fingerprint,
	}))
	s.check(a.Approve(ctx, second, o.ID))
	o.member = o.enrol("Officer", agency.Member)
	o.boss = o.enrol("Supervisor", agency.Supervisor)
	o.key, err = a.IssueKey(ctx, first, o.ID, "program", s.hours.Now().Add(80*24*time.Hour).Unix())
	s.check(err)
	s.offices[words[1]] = o
}

// enrol lets an officer in, who binds his key by the link and the code that he gets
// from one of the staff each.
func (o *office) enrol(name string, role agency.Role) *official {
	s, a := o.s, o.s.server.Node.Agencies
	s.Helper()
	first, second := s.desk.seat("lead", 0).id, s.desk.seat("legal", 0).id
	x, link, err := a.ProposeOfficer(s.Context(), first, o.ID, name, role)
	s.check(err)
	code, err := a.ApproveOfficer(s.Context(), second, o.ID, x.ID)
	s.check(err)
	b := officertest.NewBrowser(s, &httptest.Server{URL: s.web})
	if got := b.Enrol(agency.Both(link, code)); got.Status != http.StatusOK {
		s.Fatalf("enrolling: %d %s", got.Status, got.Body)
	}
	return &official{b, true}
}

// call calls the API as the agency's program.
func (o *office) call(method, at string, body any) (status int, answer []byte) {
	s := o.s
	s.Helper()
	text, err := json.Marshal(body)
	s.check(err)
	r, err := http.NewRequestWithContext(s.Context(), method, s.web+at,
		strings.NewReader(string(text)))
	s.check(err)
	r.Header.Set("Authorization", "Bearer "+o.key)
	r.Header.Set("Content-Type", "application/json")
	got := o.member.Do(r)
	return got.Status, []byte(got.Body)
}

// given is an order by its name in the conversation.
func (s *scene) given(name string) *given {
	s.Helper()
	g := s.orders[name]
	if g == nil {
		s.Fatalf("there is no order %q", name)
	}
	return g
}

// now is an order as the service keeps it.
func (s *scene) now(g *given) (o order.Order) {
	s.Helper()
	s.view(func(r *store.Reader) (err error) {
		o, err = s.server.Node.Orders.Of(r, g.office.ID, g.id)
		return err
	})
	return o
}

// submit gives an order at the portal ("at the portal") or by a program ("by its program").
func (s *scene) submit(o *office, name string, id instrument.ID, door string, f fields) {
	s.Helper()
	g := &given{office: o, door: door}
	g.document = s.document(o, id, f, order.Document{Number: name + "/26"})
	if door == "by mail" {
		s.mailOrder(o, g.document)
		return
	}
	g.reference = s.bring(g)
	got, err := s.server.Node.Orders.Find(s.Context(), order.Sender{Agency: o.ID}, g.reference)
	s.check(err)
	g.id, s.orders[name] = got.ID, g
	if papers := s.papers(g); len(papers) > 0 {
		g.receipt = papers[0].Signed
	}
}

// bring brings an order to its door and returns its reference. One that came before is known by it.
func (s *scene) bring(g *given) (reference string) {
	s.Helper()
	if g.door != "at the portal" {
		var said struct{ Reference, Receipt string }
		status, body := g.office.call(http.MethodPost, program, g.document)
		if status != http.StatusCreated && (status != http.StatusOK || g.reference == "") {
			s.Fatalf("%d %s", status, body)
		}
		s.check(json.Unmarshal(body, &said))
		if g.receipt != "" && said.Receipt != g.receipt {
			s.Error("it has another receipt")
		}
		return said.Reference
	}
	b := g.office.browser(g.office.member)
	at := "/authority/new/" + string(g.document.Instrument)
	got := s.fill(b, at, at, typed(g.document))
	to, err := url.Parse(got.Header.Get("Location"))
	s.check(err)
	if g.reference != "" && to.Query().Get("done") != "again" {
		s.Errorf("it leads to %s", to)
	}
	return strings.TrimPrefix(to.Path, portal)
}

// acts are what an agency does and is told: "office VERB WHAT: text".
var acts = map[string]func(s *scene, o *office, words []string, text string, f fields){
	// orders gives an order: "orders NAME by INSTRUMENT at the portal", or "by its program", or
	// "by mail".
	"orders": func(s *scene, o *office, w []string, _ string, f fields) {
		s.submit(o, w[0], instrument.ID(w[2]), strings.Join(w[3:], " "), f)
	},
	// vouches puts an officer's key to what a program brought.
	"vouches": func(s *scene, o *office, w []string, _ string, _ fields) {
		at := portal + s.given(w[1]).reference
		s.fill(o.browser(o.member), at, at+"/vouch", nil)
	},
	// confirms is the supervisor's word for an emergency.
	"confirms": func(s *scene, o *office, w []string, _ string, _ fields) {
		at := portal + s.given(w[0]).reference
		s.fill(o.browser(o.boss), at, at+"/confirm", nil)
	},
	// supplements completes an order at the portal.
	"supplements": func(s *scene, o *office, w []string, _ string, f fields) {
		g := s.given(w[0])
		at := portal + g.reference + "/supplement"
		g.document = s.document(o, g.document.Instrument, f, g.document)
		s.fill(o.browser(o.member), at, at, typed(g.document))
	},
	"withdraws": func(s *scene, o *office, w []string, text string, _ fields) {
		at := portal + s.given(w[0]).reference
		s.fill(o.browser(o.member), at, at+"/withdraw", url.Values{"reason": {text}})
		s.settle()
	},
	// sends sends the same order again, and is given the same receipt.
	"sends": func(s *scene, _ *office, w []string, _ string, _ fields) {
		g := s.given(w[0])
		if again := s.bring(g); again != g.reference {
			s.Errorf("it is another order: %s", again)
		}
	},
	"is": (*scene).isTold,
	// reads reads its newest paper at the portal, in its language.
	"reads": func(s *scene, o *office, w []string, text string, _ fields) {
		if w[0] == "the" {
			s.readAnswer(o, text)
			return
		}
		s.readLetter(o, s.given(w[1]), text)
	},
	// proves gets the proofs that lines about its order are in the public log.
	"proves": func(s *scene, o *office, w []string, text string, _ fields) {
		s.proves(o, s.given(w[0]), strings.Fields(text))
	},
	"fetches": func(s *scene, o *office, w []string, text string, _ fields) {
		s.fetches(o, s.given(w[0]), text)
	},
	// cannot is refused: "cannot fetch A", "cannot find A", "cannot confirm A".
	"cannot": func(s *scene, o *office, w []string, _ string, _ fields) {
		s.cannot(o, w[0], s.given(w[1]))
	},
	// mails writes to the authorities' address: "mails: SUBJECT" with lines of the mail.
	"mails": func(s *scene, o *office, _ []string, text string, f fields) {
		var b strings.Builder
		for _, x := range f {
			b.WriteString(x.name + ": " + x.value + "\r\n")
		}
		s.mails(o, text, b.String())
	},
	"asks":     (*scene).asks,
	"reports":  (*scene).report,
	"sees":     (*scene).sees,
	"contests": (*scene).contests,
}

// cannot tries something that must be refused.
func (s *scene) cannot(o *office, what string, g *given) {
	s.Helper()
	at := portal + g.reference
	b := o.browser(o.member)
	switch what {
	case "find":
		for _, x := range []string{"", "/papers/1", "/papers/1/pdf", "/supplement"} {
			if got := b.Get(at + x); got.Status != http.StatusNotFound {
				s.Errorf("%s: %d", x, got.Status)
			}
		}
		for _, x := range []string{"", "/papers", "/receipt/order"} {
			status, _ := o.call(http.MethodGet, program+"/"+g.reference+x, nil)
			if status != http.StatusNotFound {
				s.Errorf("program%s: %d", x, status)
			}
		}
		status, _ := o.call(http.MethodPost, program+"/"+g.reference+"/withdraw",
			map[string]string{"reason": "It is ours."})
		if status != http.StatusNotFound {
			s.Errorf("withdrawn: %d", status)
		}
	case "confirm":
		if form := b.Get(at).Hidden(at + "/confirm"); len(form) > 0 {
			s.Error("is offered to confirm")
		}
		form := b.Get(at).Hidden(at + "/withdraw")
		if got := b.Post(at+"/confirm", form); got.Status < http.StatusBadRequest {
			s.Errorf("confirmed: %d", got.Status)
		}
	case "fetch":
		if form := b.Get(at).Hidden(at + "/data"); len(form) > 0 {
			s.Error("is offered the data")
		}
		form := g.fetching
		if form == nil {
			form = b.Get(at).Hidden(at + "/withdraw")
		}
		if got := b.Post(at+"/data", form); got.Status < http.StatusBadRequest {
			s.Errorf("fetched: %d", got.Status)
		}
	default:
		s.Fatalf("nobody knows what %q means", what)
	}
}
