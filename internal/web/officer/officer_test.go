package officer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/clock"
	"parley/internal/limit"
	"parley/internal/safety/agency"
	"parley/internal/store"
	"parley/internal/store/storetest"
	"parley/internal/web/about"
	"parley/internal/web/officer/officertest"
	"parley/internal/web/page"
	"parley/internal/web/page/pagetest"
	"parley/internal/web/signin"
)

// TestTexts: all texts are there in all languages, also those whose keys are made of problems.
func TestTexts(t *testing.T) {
	pagetest.Texts(t, files, page.Files(), about.Shell(), signin.Files())
	pagetest.Texts(t, signin.Files(), page.Files())
	texts, err := page.ReadTexts(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []agency.Problem{
		agency.Unknown, agency.Unapproved, agency.Unbound, agency.Halted, agency.Lapsed,
	} {
		if !texts.Has("officer.problem." + string(p)) {
			t.Errorf("%s has no text", p)
		}
	}
}

// world is a door with one page behind it.
type world struct {
	*testing.T
	officertest.Office
	door   *Door
	clock  *clock.Fake
	server *httptest.Server
	agency agency.Agency
	// seen is the last visit that came through, sent what its form said, kept the files.
	seen *Visit
	sent url.Values
	kept []string
}

// at is the page behind the door.
const at = "/desk/act"

func start(t *testing.T) *world {
	t.Helper()
	s, clk := storetest.SQLite(t), clock.NewFake(time.Unix(1_800_000_000, 0))
	w := &world{T: t, Office: officertest.NewOffice(t, s, clk), clock: clk}
	mux := http.NewServeMux()
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	here := strings.Replace(w.server.URL, "127.0.0.1", "localhost", 1)
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	often := limit.Rate{Burst: 10_000, Per: time.Second}
	site, err := page.New(page.Options{
		URL: here, Name: "Parley", Clock: clk, Pages: often, Forms: often, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.door, err = New(Rooms{
		Site: site, Store: s, Clock: clk, Agencies: w.Service, URL: here, Log: log,
		Home:  func(agency.Kind) string { return at },
		Night: func(string, time.Time) bool { return true },
	})
	if err != nil {
		t.Fatal(err)
	}
	site.Mount(mux)
	w.door.Mount(mux)
	page := w.door.Handle(Access{
		Strong: true, Bytes: 1 << 20, File: w.file,
		May: func(a agency.Agency) bool { return a.Kind.Official() },
	}, w.act)
	mux.Handle("GET "+at, page)
	mux.Handle("POST "+at, page)
	mux.Handle("POST /desk/api", w.door.Program(100, w.program))
	w.agency = w.Onboard("Office", "DE", agency.Police)
	return w
}

func (w *world) file(_ *Visit, f File) (string, string, error) {
	b, err := io.ReadAll(f.Body)
	w.kept = append(w.kept, string(b))
	return "kept", f.Name, err
}

// act is the page behind the door.
func (w *world) act(rw http.ResponseWriter, r *http.Request, v *Visit) error {
	w.seen, w.sent = v, r.PostForm
	f := v.Form(at)
	_, err := io.WriteString(rw, `<form action="`+f.Action+`"><input type="hidden" name="token" value="`+
		f.Token+`"></form>`)
	return err
}

func (w *world) program(rw http.ResponseWriter, r *http.Request, of agency.Agency) error {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if string(b) == "panic" {
		panic("a test")
	}
	_, err = rw.Write([]byte(of.Name))
	return err
}

// enrolled is a browser whose officer bound his key.
func (w *world) enrolled() (*officertest.Browser, agency.Officer) {
	w.T.Helper()
	b := officertest.NewBrowser(w.T, w.server)
	o, token := w.Link(w.agency.ID, "Officer", agency.Member)
	if got := b.Enrol(token); got.Status != http.StatusOK || got.Next() != at {
		w.T.Fatalf("enrolling: %d %s", got.Status, got.Body)
	}
	return b, o
}

// token is the token of the page's form.
func (w *world) token(b *officertest.Browser) url.Values {
	w.T.Helper()
	got := b.Get(at)
	if got.Status != http.StatusOK {
		w.T.Fatalf("%d %s", got.Status, got.Header.Get("Location"))
	}
	return got.Hidden(at)
}

func with(v url.Values, name, value string) url.Values {
	out := url.Values{name: {value}}
	for k, x := range v {
		out[k] = append(out[k], x...)
	}
	return out
}

// events are the words of an agency's events of a kind.
func (w *world) events(of int64, kind agency.EventKind) (out []string) {
	w.T.Helper()
	err := w.Store.View(context.Background(), func(r *store.Reader) error {
		list, err := agency.Events(r, of, latest, 100)
		for _, e := range list {
			if e.Kind == kind {
				out = append(out, e.Text)
			}
		}
		return err
	})
	if err != nil {
		w.T.Fatal(err)
	}
	return out
}

// TestEnrolment binds a key by a link once, and by nothing else.
func TestEnrolment(t *testing.T) {
	w := start(t)
	b, _ := w.enrolled()
	if got := b.Get(at); got.Status != http.StatusOK || w.seen.Agency().ID != w.agency.ID {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	c := officertest.NewBrowser(t, w.server)
	_, token := w.Link(w.agency.ID, "Other", agency.Member)
	link, code, _ := strings.Cut(token, ".")
	if got := c.Get("/officer/enrol?token=" + link); got.Status != http.StatusOK ||
		!strings.Contains(got.Body, `name="code"`) || strings.Contains(got.Body, "Other") {
		t.Errorf("a link alone: %d %s", got.Status, got.Body)
	}
	if got := c.Enrol(link); got.Status != http.StatusForbidden {
		t.Errorf("a link alone enrols: %d %s", got.Status, got.Body)
	}
	typed := url.Values{"token": {link}, "code": {strings.ToLower(code)}}
	if got := c.Post("/officer/enrol", typed); !strings.Contains(got.Body, "Other") ||
		!strings.Contains(got.Body, "Office") {
		t.Errorf("the page does not say for whom the link is: %s", got.Body)
	}
	slip := url.Values{"token": {"https://s.example/officer/enrol?token=" + link}, "code": {"AAA"}}
	if got := c.Post("/officer/enrol", slip); got.Status != http.StatusForbidden ||
		!strings.Contains(got.Body, `value="`+link+`"`) {
		t.Errorf("a slip in the code loses the link: %d %s", got.Status, got.Body)
	}
	if got := c.Enrol(token); got.Status != http.StatusOK {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	d := officertest.NewBrowser(t, w.server)
	for name, bad := range map[string]string{
		"used": token, "nobody's": strings.Repeat("A", 54) + ".ABC",
	} {
		if got := d.Enrol(bad); got.Status != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
		if got := d.Get("/officer/enrol?token=" + bad); got.Status != http.StatusForbidden {
			t.Errorf("%s: page %d", name, got.Status)
		}
	}
	if got := d.Get(at); got.Status != http.StatusSeeOther {
		t.Errorf("a stranger got %d", got.Status)
	}
}

// TestSignIn signs in, out, and is refused with what proves nobody.
func TestSignIn(t *testing.T) {
	w := start(t)
	b, o := w.enrolled()
	thief := *b
	thief.Key = b.Twin()
	b.Get(at)
	sign := w.seen.Form(signOutPath)
	if got := b.Post(signOutPath, url.Values{"token": {sign.Token}}); got.Status != http.StatusSeeOther {
		t.Fatalf("signing out: %d", got.Status)
	}
	got := b.Get(at)
	if to := got.Header.Get("Location"); got.Status != http.StatusSeeOther ||
		to != "/officer/signin?next=%2Fdesk%2Fact" {
		t.Fatalf("after signing out: %d %s", got.Status, to)
	}
	for next, want := range map[string]string{
		"/desk/act?a=1": "/desk/act?a=1", "//evil.example": at, "https://evil.example": at,
	} {
		if got := b.SignIn(next); got.Status != http.StatusOK || got.Next() != want {
			t.Errorf("%s leads to %q: %d %s", next, got.Next(), got.Status, got.Body)
		}
	}
	before := len(w.events(w.agency.ID, agency.Refused))
	if got := thief.SignIn(""); got.Status != http.StatusForbidden { // its counter is behind
		t.Errorf("a copied key: %d %s", got.Status, got.Body)
	}
	if n := len(w.events(w.agency.ID, agency.Refused)); n != before+1 {
		t.Errorf("the refusal is not in the events: %d", n)
	}
	w.clock.Advance(5 * time.Minute)
	answer := url.Values{"answer": {b.Proof()}}
	if got := b.Post("/officer/signin/answer", answer); got.Status != http.StatusOK {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if got := b.Post("/officer/signin/answer", answer); got.Status != http.StatusForbidden {
		t.Errorf("an answer was good twice: %d", got.Status)
	}
	if got := b.Post("/officer/signin/answer", nil); got.Status != http.StatusForbidden {
		t.Errorf("no answer: %d", got.Status)
	}
	w.ok(w.SuspendOfficer(t.Context(), 1, w.agency.ID, o.ID, "lost"))
	if got := b.Get(at); got.Status != http.StatusSeeOther {
		t.Errorf("a suspended officer got %d", got.Status)
	}
	if got := b.SignIn(""); got.Status != http.StatusForbidden ||
		!strings.Contains(got.Body, "suspended") {
		t.Errorf("a suspended officer: %d %s", got.Status, got.Body)
	}
}

func (w *world) ok(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

// TestSessionsEnd: by time, in another browser, with a lapsed attestation, with a new key.
func TestSessionsEnd(t *testing.T) {
	w := start(t)
	b, o := w.enrolled()
	in := func() bool { return b.Get(at).Status == http.StatusOK }
	again := func(what string, end func()) {
		t.Helper()
		b.SignIn("")
		if !in() {
			t.Fatalf("%s: not signed in", what)
		}
		end()
		if in() {
			t.Errorf("%s: the session goes on", what)
		}
	}
	again("idle", func() { w.clock.Advance(idleTime + time.Second) })
	again("whole", func() {
		for range 21 {
			w.clock.Advance(idleTime - time.Minute)
			in()
		}
	})
	again("browser", func() { b.Agent = "another" })
	b.Agent = "browser"
	w.clock.Advance(91 * 24 * time.Hour)
	if got := b.SignIn(""); got.Status != http.StatusForbidden ||
		!strings.Contains(got.Body, "confirmed in time") {
		t.Errorf("a lapsed attestation: %d %s", got.Status, got.Body)
	}
	w.ok(w.AttestOfficer(t.Context(), 1, w.agency.ID, o.ID, "B"))
	w.ok(w.Attest(t.Context(), 1, w.agency.ID, agency.Check{
		Number: "+49 30 5559 999", Source: agency.Register, Where: "x", Spoke: "B", Confirmed: true,
	}))
	again("reset", func() {
		link, err := w.ResetOfficer(t.Context(), 1, w.agency.ID, o.ID, "lost")
		w.ok(err)
		code, err := w.ApproveOfficer(t.Context(), 2, w.agency.ID, o.ID)
		w.ok(err)
		w.clock.Advance(time.Second)
		if got := officertest.NewBrowser(t, w.server).Enrol(agency.Both(link, code)); got.Status !=
			http.StatusOK {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
	})
	w.clock.Advance(maxTime + time.Hour)
	w.ok(w.door.Sweep(t.Context()))
}

// TestForms: a form does nothing without its token and a fresh proof, and loses nothing.
func TestForms(t *testing.T) {
	w := start(t)
	b, _ := w.enrolled()
	mine := w.token(b)
	if got := b.Post(at, with(mine, "said", "a")); got.Status != http.StatusOK || w.sent.Get("said") != "a" {
		t.Fatalf("a form just after signing in: %d %s", got.Status, got.Body)
	}
	w.sent = nil
	for what, token := range map[string]string{
		"none": "", "another path's": w.seen.Form("/desk/other").Token,
		"nobody's": strings.Repeat("0", 32),
	} {
		got := b.Post(at, url.Values{"token": {token}, "said": {"<b>"}})
		if got.Status != http.StatusForbidden || w.sent != nil {
			t.Errorf("%s: %d", what, got.Status)
		}
		again := got.Hidden(at)
		if again.Get("said") != "<b>" {
			t.Errorf("%s: what was typed is lost: %s", what, got.Body)
		}
		if got := b.Post(at, again); got.Status != http.StatusOK || w.sent.Get("said") != "<b>" {
			t.Errorf("%s: sent again: %d", what, got.Status)
		}
		w.sent = nil
	}
	w.clock.Advance(freshTime + time.Second)
	got := b.Post(at, with(mine, "said", "late"))
	if got.Status != http.StatusForbidden || w.sent != nil {
		t.Fatalf("without a fresh proof: %d", got.Status)
	}
	again := got.Hidden(at)
	again.Set("prove_key", "{}")
	if got := b.Post(at, again); got.Status != http.StatusForbidden || w.sent != nil {
		t.Fatalf("a bad proof: %d", got.Status)
	}
	other, _ := w.enrolled()
	again.Set("prove_key", other.Proof())
	if got := b.Post(at, again); got.Status != http.StatusForbidden || w.sent != nil {
		t.Fatalf("somebody else's proof: %d", got.Status)
	}
	again.Set("prove_key", b.Proof())
	if got := b.Post(at, again); got.Status != http.StatusOK || w.sent.Get("said") != "late" {
		t.Fatalf("with a fresh proof: %d %s", got.Status, got.Body)
	}
}

// TestEndedForm: a form of who is not signed in any more is asked for again, twice: for a proof, and
// because its token was another session's.
func TestEndedForm(t *testing.T) {
	w := start(t)
	b, _ := w.enrolled()
	mine := w.token(b)
	w.clock.Advance(idleTime + time.Minute)
	got := b.Post(at, with(mine, "said", "kept"))
	if got.Status != http.StatusUnauthorized {
		t.Fatalf("%d", got.Status)
	}
	again := got.Hidden(at)
	again.Set("prove_key", b.Proof())
	w.sent = nil
	got = b.Post(at, again)
	if got.Status != http.StatusForbidden || w.sent != nil {
		t.Fatalf("the token of another session: %d", got.Status)
	}
	if got := b.Post(at, got.Hidden(at)); got.Status != http.StatusOK || w.sent.Get("said") != "kept" {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
}

// TestForeignForm: a form that comes from another site does nothing.
func TestForeignForm(t *testing.T) {
	w := start(t)
	b, _ := w.enrolled()
	mine := w.token(b)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		strings.Replace(w.server.URL, "127.0.0.1", "localhost", 1)+at,
		strings.NewReader(mine.Encode()))
	w.ok(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w.sent = nil
	if got := b.Do(r); got.Status != http.StatusForbidden || w.sent != nil {
		t.Errorf("%d", got.Status)
	}
}

// TestFiles: files of officers are taken in and stand in the form from then on; those of strangers
// and of forms without a token are not read.
func TestFiles(t *testing.T) {
	w := start(t)
	b, _ := w.enrolled()
	mine := w.token(b)
	paper := map[string]officertest.Upload{"file": {Name: "a.pdf", Body: []byte("paper")}}
	got := b.Upload(at, with(mine, "said", "x"), paper)
	if got.Status != http.StatusOK || !slices.Equal(w.kept, []string{"paper"}) ||
		w.sent.Get("kept") != "a.pdf" || w.sent.Get("said") != "x" {
		t.Fatalf("%d %q %v", got.Status, w.kept, w.sent)
	}
	w.kept, w.sent = nil, nil
	got = b.Upload(at, url.Values{"said": {"x"}}, paper)
	if got.Status != http.StatusForbidden || w.kept != nil || w.sent != nil ||
		!strings.Contains(got.Body, "could not be kept") {
		t.Errorf("without a token: %d %q", got.Status, w.kept)
	}
	got = officertest.NewBrowser(t, w.server).Upload(at, mine, paper)
	if got.Status != http.StatusUnauthorized || w.kept != nil || w.sent != nil {
		t.Errorf("a stranger's: %d %q", got.Status, w.kept)
	}
	w.clock.Advance(freshTime + time.Second)
	got = b.Upload(at, with(mine, "said", "x"), paper)
	if got.Status != http.StatusForbidden || got.Hidden(at).Get("kept") != "a.pdf" {
		t.Errorf("a file before the proof is lost: %d %v", got.Status, got.Hidden(at))
	}
	large := map[string]officertest.Upload{
		"file": {Name: "b", Body: bytes.Repeat([]byte{1}, 2<<20)},
	}
	if got := b.Upload(at, mine, large); got.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large form: %d", got.Status)
	}
}

// TestOfOtherDoors: what is not for an agency does not exist for it.
func TestOfOtherDoors(t *testing.T) {
	w := start(t)
	w.agency = w.Onboard("Hotline", "DE", agency.TrustedFlagger)
	b := officertest.NewBrowser(t, w.server)
	_, token := w.Link(w.agency.ID, "Officer", agency.Member)
	b.Enrol(token)
	if got := b.Get(at); got.Status != http.StatusNotFound {
		t.Errorf("%d", got.Status)
	}
	if got := b.Post(at, nil); got.Status != http.StatusNotFound {
		t.Errorf("%d", got.Status)
	}
}

// TestSignals: the door notices new places, the night and refusals.
func TestSignals(t *testing.T) {
	w := start(t)
	b, _ := w.enrolled()
	b.Get(at)
	if g := w.seen.Signals; g.NewPlace || !g.NightThere || g.Failed != 0 {
		t.Errorf("where he bound his key: %+v", g)
	}
	for range 3 {
		w.note(w.agency.ID)
	}
	b.Get(at)
	if w.seen.Signals.Failed != 3 {
		t.Errorf("refusals: %d", w.seen.Signals.Failed)
	}
}

func (w *world) note(of int64) {
	w.T.Helper()
	w.ok(w.Note(context.Background(), of, agency.Event{Kind: agency.Refused, Text: "x"}))
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// TestPlaces: a network is new for a week, and those that are too many are new for ever.
func TestPlaces(t *testing.T) {
	w := start(t)
	_, o := w.enrolled()
	now := w.clock.Now()
	came := func(place string, at time.Time) {
		t.Helper()
		row := store.OfficerSession{
			Agency: o.Agency, Officer: o.ID, Place: place, Created: at.Unix(),
		}
		w.ok(w.Store.Update(t.Context(), 1, func(tx *store.Tx) error { return w.door.came(tx, row) }))
	}
	is := func(place string, at time.Time) (fresh bool) {
		t.Helper()
		w.ok(w.Store.View(t.Context(), func(r *store.Reader) error {
			row := store.OfficerSession{Agency: o.Agency, Officer: o.ID, Place: place}
			g, err := w.door.signals(r, row, at)
			fresh = g.NewPlace
			return err
		}))
		return fresh
	}
	came("b", now)
	came("b", now.Add(time.Hour))
	if !is("b", now.Add(newTime-time.Second)) || is("b", now.Add(newTime)) || !is("c", now) {
		t.Error("a place is not new for a week")
	}
	if w.door.place(addr("10.1.2.3")) != w.door.place(addr("10.1.200.9")) ||
		w.door.place(addr("10.1.2.3")) == w.door.place(addr("10.2.2.3")) ||
		w.door.place(addr("2001:db8::1")) != w.door.place(addr("2001:db8:1::1")) {
		t.Error("networks are told apart otherwise")
	}
}

// TestTries: one address tries as often as a person would.
func TestTries(t *testing.T) {
	w := start(t)
	b := officertest.NewBrowser(t, w.server)
	for range triesRate.Burst {
		b.Proof()
	}
	if got := b.Post("/officer/signin/key", nil); got.Status != http.StatusTooManyRequests {
		t.Errorf("%d", got.Status)
	}
	if got := b.Get("/officer/enrol?token=x.y"); got.Status != http.StatusTooManyRequests {
		t.Errorf("%d", got.Status)
	}
}

// TestNobodysAnswersAreNotKept: what answers no challenge fills nothing, however often it comes.
func TestNobodysAnswersAreNotKept(t *testing.T) {
	w := start(t)
	b := officertest.NewBrowser(t, w.server)
	for _, answer := range []string{`{}`, `{"name":"x","answer":{}}`, `[`} {
		b.Post("/officer/signin/answer", url.Values{"answer": {answer}})
		b.Post(HookPath, url.Values{"prove_key": {answer}})
	}
	err := w.door.Store.View(t.Context(), func(r *store.Reader) error {
		list, err := agency.Events(r, 0, latest, 10)
		if len(list) != 0 {
			t.Errorf("kept: %+v", list)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestTriesOfNetworks: whoever has a network of IPv6 has no more tries than others.
func TestTriesOfNetworks(t *testing.T) {
	w := start(t)
	from := func(address string) bool {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.RemoteAddr = address
		return w.door.tooOften(r)
	}
	for n := range triesRate.Burst {
		if from(fmt.Sprintf("[2001:db8::%d]:5", n)) {
			t.Fatalf("try %d", n)
		}
	}
	if !from("[2001:db8::ffff]:5") || from("[2001:db8:0:1::1]:5") {
		t.Error("another address of the network tries on, or another network does not")
	}
}

// TestPrograms: programs come with a key of an agency, or with nothing done.
func TestPrograms(t *testing.T) {
	w := start(t)
	key, err := w.IssueKey(t.Context(), 1, w.agency.ID, "system", w.clock.Now().Unix()+1000)
	w.ok(err)
	call := func(auth, body string) officertest.Answer {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			w.server.URL+"/desk/api", strings.NewReader(body))
		w.ok(err)
		if auth != "" {
			r.Header.Set("Authorization", auth)
		}
		return officertest.NewBrowser(t, w.server).Do(r)
	}
	if got := call("Bearer "+key, "{}"); got.Status != http.StatusOK || got.Body != "Office" {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	for _, bad := range []string{"", "Basic " + key, "Bearer x", "Bearer " + key[1:]} {
		got := call(bad, "{}")
		if got.Status != http.StatusUnauthorized || !strings.Contains(got.Body, `"code":"key"`) ||
			got.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%q: %d %s", bad, got.Status, got.Body)
		}
	}
	got := call("Bearer "+key, strings.Repeat("x", 101))
	if got.Status != http.StatusRequestEntityTooLarge || !strings.Contains(got.Body, "large") {
		t.Errorf("large: %d %s", got.Status, got.Body)
	}
	if got := call("Bearer "+key, "panic"); got.Status != http.StatusInternalServerError ||
		!strings.Contains(got.Body, "broken") || strings.Contains(got.Body, "a test") {
		t.Errorf("panic: %d %s", got.Status, got.Body)
	}
	for range callsRate.Burst {
		got = call("Bearer "+key, "{}")
	}
	if got.Status != http.StatusTooManyRequests || got.Header.Get("Retry-After") == "" {
		t.Errorf("often: %d", got.Status)
	}
	w.clock.Advance(time.Hour)
	if got := call("Bearer "+key, "{}"); got.Status != http.StatusUnauthorized {
		t.Errorf("an expired key: %d", got.Status)
	}
}
