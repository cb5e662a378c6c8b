package console

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/attachment"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/safety/duty"
	"parley/internal/safety/mailroom"
	"parley/internal/safety/oncall"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/store/storetest"
	"parley/internal/web/page"
	"parley/internal/web/page/pagetest"
	"parley/internal/web/signin"
	"parley/internal/web/staff"
)

func TestMain(m *testing.M) {
	if code, is := attachment.Worker(os.Args[1:], os.Stdin, os.Stdout); is {
		os.Exit(code)
	}
	os.Exit(storetest.Main(m))
}

// Addresses of a console that does not listen.
const (
	pagesAt = "https://staff.example.org"
	mediaAt = "https://media.example.net"
)

func open(t *testing.T) *world { return newWorld(t, pagesAt, mediaAt, staff.Limits{}) }

// TestTexts checks that all languages say what English says.
func TestTexts(t *testing.T) { pagetest.Texts(t, files, page.Files(), signin.Files()) }

// TestTextsExist checks that every text that a page or the code asks for was written.
func TestTextsExist(t *testing.T) {
	texts, err := page.ReadTexts(files)
	if err != nil {
		t.Fatal(err)
	}
	layout, err := page.ReadTexts(page.Files())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	used := regexp.MustCompile(`T "([^"]+)"`)
	names, _ := os.ReadDir("pages")
	for _, n := range names {
		b, err := os.ReadFile("pages/" + n.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range used.FindAllStringSubmatch(string(b), -1) {
			want[m[1]] = n.Name()
		}
	}
	for _, p := range problems() {
		want["problem."+p.key+".title"], want["problem."+p.key+".text"] = "code", "code"
	}
	for _, m := range safety.Measures() {
		want["measure."+m.String()] = "code"
	}
	for _, l := range safety.Lanes() {
		want["lane."+l.String()] = "code"
	}
	for _, k := range oncall.Kinds() {
		want["alert."+string(k)] = "code"
	}
	for s := decide.Proposed; s <= decide.NoAction; s++ {
		want["decided."+s.String()] = "code"
	}
	for _, s := range duty.States() {
		want["told.state."+s.String()] = "code"
	}
	for k := casefile.Opened; k <= casefile.ToldOthers; k++ {
		past := []casefile.Past{{Event: casefile.Event{Kind: k}}}
		want[happenings(past, nil)[0].What] = "code"
	}
	for _, key := range orderWords() {
		want[key] = "code"
	}
	for key, where := range want {
		if !texts.Has(key) && !layout.Has(key) && !strings.HasSuffix(key, ".") {
			t.Errorf("%s asks for %s, which nobody wrote", where, key)
		}
	}
}

// orderWords are the keys of all words that the page of an order may have to say.
func orderWords() (out []string) {
	for k := order.Arrived; k.String() != "unknown"; k++ {
		out = append(out, "orderevent."+k.String())
	}
	for _, d := range policy.Duties() {
		out = append(out, "duty."+string(d))
	}
	for _, c := range policy.Checks() {
		out = append(out, "check."+string(c))
	}
	for _, a := range policy.Actions() {
		out = append(out, "action."+string(a))
	}
	_, odd := agency.Score(agency.Signals{
		Emergency: true, NewOfficer: true, FirstOrder: true, Early: true, OwesPaper: true,
		NewPlace: true, NightThere: true, MailOnly: true, LookAlike: true, AlteredTwin: true,
		Broad: true, NoSupervisor: true, OwnCallBack: true, ForeignLaw: true, Failed: 1000,
		Burst: 1000,
	})
	for _, s := range odd {
		out = append(out, "signal."+s)
	}
	for _, o := range mailroom.Outcomes() {
		out = append(out, "mailstate."+string(o))
	}
	return out
}

// TestRoles walks the table: each role asks for each row, with a good token.
func TestRoles(t *testing.T) {
	w := open(t)
	w.lines()
	holder := strings.NewReplacer("{subject}", "1", "{id}", "2", "{lane}", "harm",
		"{change}", "3", "{$}", "")
	roles := append(staff.Roles(), staff.NoRole)
	for _, role := range roles {
		var m member
		if role == staff.NoRole {
			m = w.enrolled("Nobody", staff.Moderator)
			w.update(ids.Peer(m.ID), func(tx *store.Tx) error {
				row, err := tx.Staff(m.ID)
				row.Role = 0
				if err != nil {
					return err
				}
				return tx.PutStaff(row)
			})
		} else {
			m = w.member(role)
		}
		s := w.sit(m)
		for _, at := range w.console.table() {
			if at.power == anybody || at.path == "/signout" {
				continue
			}
			path := holder.Replace(at.path)
			status, body := 0, ""
			if at.method == "GET" {
				status, body = s.get(path)
			} else {
				status, body = s.post(path, url.Values{"token": {s.token(path)}})
			}
			refused := status == http.StatusForbidden && strings.Contains(body, "Not for your role")
			may := at.power == signedIn || role.May(at.power)
			if refused == may {
				t.Errorf("%s, %s %s: %d, but may is %v", role, at.method, path, status, may)
			}
			if status >= http.StatusInternalServerError {
				t.Errorf("%s, %s %s: %d", role, at.method, path, status)
			}
		}
	}
	// Who has not signed in gets nothing.
	s := &seat{world: w}
	for _, at := range w.console.table() {
		if at.power == anybody {
			continue
		}
		path := holder.Replace(at.path)
		status, to := s.get(path)
		if at.method == "POST" {
			status, to = s.post(path, url.Values{})
		}
		in := status == http.StatusSeeOther && strings.HasPrefix(to, "/signin")
		if !in && status != http.StatusUnauthorized && status != http.StatusNotFound {
			t.Errorf("%s %s without a session: %d", at.method, path, status)
		}
	}
}

// token is the token of a form that a browser would have been given.
func (s *seat) token(path string) string {
	s.t.Helper()
	session, err := s.staff.Session(s.t.Context(), s.cookie.Value, "test")
	if err != nil {
		s.t.Fatal(err)
	}
	return s.staff.Token(session, path)
}

// audited is the audit of a member of staff, the last first.
func (w *world) audited(of int64) []staff.Entry {
	w.t.Helper()
	list, _, err := w.staff.Audit(
		w.t.Context(), staff.Filter{Of: of, Since: time.Unix(0, 0)}, 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// refusals are the refused acts of a member of staff.
func (w *world) refusals(of int64) (out []string) {
	w.t.Helper()
	for _, e := range w.audited(of) {
		if e.Refused {
			out = append(out, e.Action)
		}
	}
	return out
}

// done are the acts of a member of staff that were not refused, the last first.
func (w *world) done(of int64) (out []string) {
	w.t.Helper()
	for _, e := range w.audited(of) {
		if !e.Refused {
			out = append(out, e.Action)
		}
	}
	return out
}

func TestForgedForms(t *testing.T) {
	w := open(t)
	m := w.member(staff.Moderator)
	s := w.sit(m)
	if status, _ := s.post("/next", url.Values{}); status != http.StatusForbidden {
		t.Errorf("a form without a token: %d", status)
	}
	other := s.token("/shift/rest")
	if status, _ := s.post("/next", url.Values{"token": {other}}); status != http.StatusForbidden {
		t.Errorf("a form with another form's token: %d", status)
	}
	r := httptest.NewRequest("POST", pagesAt+"/next",
		strings.NewReader(url.Values{"token": {s.token("/next")}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-site")
	if status, _ := s.send(r); status != http.StatusForbidden {
		t.Errorf("a form of another site: %d", status)
	}
	want := []string{"foreign form", "POST /next", "POST /next"}
	if got := w.refusals(m.ID); !slices.Equal(got, want) {
		t.Errorf("the audit has %v", got)
	}
	r = httptest.NewRequest("GET", pagesAt+"/queue", nil)
	r.AddCookie(s.cookie)
	r.Header.Set("User-Agent", "another browser")
	rec := httptest.NewRecorder()
	w.console.ServeHTTP(rec, r)
	if rec.Code != http.StatusSeeOther {
		t.Errorf("a stolen cookie in another browser: %d", rec.Code)
	}
	r = httptest.NewRequest("GET", "https://rebound.example.com/queue", nil)
	r.AddCookie(s.cookie)
	rec = httptest.NewRecorder()
	w.console.ServeHTTP(rec, r)
	if rec.Code != http.StatusMisdirectedRequest {
		t.Errorf("a host that is not ours: %d", rec.Code)
	}
}

func TestCookie(t *testing.T) {
	w := open(t)
	s := w.sit(w.member(staff.Moderator))
	c := s.cookie
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Domain != "" ||
		!strings.HasPrefix(c.Name, "__Host-") || c.Path != "/" {
		t.Errorf("the cookie is %v", c)
	}
}

// TestOnlyAssigned: content is shown to whom the case is assigned, and to who says why; each look
// is in the audit.
func TestOnlyAssigned(t *testing.T) {
	w := open(t)
	const words = "words that were reported"
	c := w.report(w.post(words), safety.Harm, "a comment of who reported")
	at := casePath(c)
	m := w.member(staff.Moderator)
	first, second := w.sit(m), w.sit(w.enrolled("Other", staff.Moderator))
	_, body := first.get(at)
	if strings.Contains(body, words) || strings.Contains(body, "comment") {
		t.Error("a case that nobody has shows what it is about")
	}
	if status, to := first.fill("/queue", "/next", url.Values{}); status != 303 || to != at {
		t.Fatalf("next: %d %s", status, to)
	}
	_, body = first.get(at)
	if !strings.Contains(body, words) || !strings.Contains(body, "comment of who reported") {
		t.Error("the holder of a case does not see it")
	}
	if got := w.done(m.ID); got[0] != staff.OpenCase {
		t.Errorf("the look is not in the audit: %v", got)
	}
	if _, body := second.get(at); strings.Contains(body, words) {
		t.Error("a case is shown to somebody else")
	}
	if status, _ := second.post(at+"/note", url.Values{
		"token": {second.token(at + "/note")}, "note": {"x"}}); status != http.StatusForbidden {
		t.Errorf("a note by somebody else: %d", status)
	}
	if _, body := second.get("/search?words=reported"); !strings.Contains(body, "0 found") {
		t.Error("search finds what is another's")
	}
	if _, body := first.get("/search?words=WORDS+that"); !strings.Contains(body, "1 found") {
		t.Error("search does not find what is one's own")
	}
	lead := w.member(staff.Lead)
	third := w.sit(lead)
	status, body := third.fill(at, at+"/look", url.Values{"purpose": {"short"}})
	if status != http.StatusUnprocessableEntity || strings.Contains(body, words) {
		t.Errorf("a look without a purpose: %d", status)
	}
	status, body = third.fill(at, at+"/look", url.Values{"purpose": {"quality review of week 3"}})
	if status != http.StatusOK || !strings.Contains(body, words) {
		t.Errorf("a look with a purpose: %d", status)
	}
	if got := w.done(lead.ID); got[0] != staff.OpenCase || got[1] != "look" {
		t.Errorf("the audit of the lead has %v", got)
	}
}

// TestAuditPages: an auditor finds what was done long before the newest rows, page by page.
func TestAuditPages(t *testing.T) {
	w := open(t)
	auditor := w.sit(w.member(staff.Auditor))
	other := w.member(staff.Moderator)
	act := func(who int64, action, detail string) {
		err := w.staff.Record(t.Context(), staff.Act{Staff: who, Action: action, Detail: detail})
		if err != nil {
			t.Fatal(err)
		}
	}
	act(other.ID, "rare", "the oldest")
	for n := range 2*auditLines + 5 {
		act(other.ID, "often", strconv.Itoa(n))
	}
	older := regexp.MustCompile(`href="([^"]+)" rel="next"`)
	walk := func(at string) (pages int, all string) {
		for ; at != ""; pages++ {
			status, body := auditor.get(at)
			if status != http.StatusOK {
				t.Fatalf("%s: %d", at, status)
			}
			all += body
			m := older.FindStringSubmatch(body)
			if at = ""; m != nil {
				at = html.UnescapeString(m[1])
			}
		}
		return pages, all
	}
	for at, want := range map[string]int{
		"/audit": 3, "/audit?of=" + strconv.FormatInt(other.ID, 10): 3, "/audit?action=often": 3,
		"/audit?action=rare": 1,
	} {
		pages, all := walk(at)
		if found := strings.Contains(all, "the oldest"); pages != want ||
			found != (at != "/audit?action=often") {
			t.Errorf("%s has %d pages, with the oldest: %v", at, pages, found)
		}
		for n := range 2 * auditLines {
			if strings.Contains(at, "rare") {
				break
			}
			if c := strings.Count(all, "<bdi>"+strconv.Itoa(n)+"</bdi>"); c != 1 {
				t.Fatalf("%s has row %d %d times", at, n, c)
			}
		}
	}
	if status, _ := auditor.get("/audit?before=yesterday"); status != http.StatusNotFound {
		t.Errorf("a place that is none: %d", status)
	}
}
