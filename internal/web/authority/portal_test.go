package authority

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/blob"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/safety/words"
	"parley/internal/store"
	signedpaper "parley/internal/tlog/paper"
	"parley/internal/web/officer/officertest"
)

const removalForm = newPath + "/tco-3"

// TestLanguageOfTheOrder: in whichever language somebody reads the form, the order's own language
// is what he says, and that of his agency where he is not asked.
func TestLanguageOfTheOrder(t *testing.T) {
	w := start(t)
	b := w.officer(w.office, "Officer", agency.Member)
	fields := w.removal("7 Js 0/26")
	fields.Del("language")
	for name, values := range b.Get(removalForm + "?lang=fa").Hidden(removalForm) {
		fields[name] = values
	}
	o := w.order(w.office, b.Post(removalForm, fields))
	if o.Document.Lang != w.office.Lang {
		t.Errorf("the order is in %q, the agency writes %q", o.Document.Lang, w.office.Lang)
	}
}

// TestLanguagesOfAnswers: a form offers every language in which authorities are answered, and takes
// others. Who writes a language that no page has reads his papers in it, unless he chose another.
func TestLanguagesOfAnswers(t *testing.T) {
	w := start(t)
	office := w.OnboardIn("it", "Ufficio", "IT", agency.TerroristContent)
	b := w.officer(office, "Officer", agency.Member)
	form := b.Get(newPath + "/dsa-9").Body
	for _, lang := range words.Authorities() {
		if !strings.Contains(form, `<option value="`+lang+`" lang="`+lang+`">`) {
			t.Errorf("the form does not offer %s", lang)
		}
	}
	o := w.order(office, w.send(b, removalForm, w.removal("7 Js 9/26")))
	paper, err := w.orders.Sign.Read([]byte(b.Get(path(o) + "/papers/1/signed").Body))
	if err != nil || paper.Lang != "it" {
		t.Errorf("the paper says %q: %v", paper.Lang, err)
	}
	for query, want := range map[string]string{
		"": `<article lang="it">`, "?lang=en": `<article lang="en">`, "?lang=it": `<article lang="it">`,
	} {
		if page := b.Get(path(o) + "/papers/1" + query).Body; !strings.Contains(page, want) {
			t.Errorf("%q: the letter is not in %s", query, want)
		}
	}
}

// TestOrderByForm gives an order and sees it with its papers; the same again is the same.
func TestOrderByForm(t *testing.T) {
	w := start(t)
	b := w.officer(w.office, "Officer", agency.Member)
	fields := w.removal("7 Js 1/26")
	got := w.send(b, removalForm, fields)
	if got.Status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	o := w.order(w.office, got)
	d := o.Document
	if o.State == order.Incomplete || o.State == order.Refused || d.Country != "DE" ||
		d.Authority != "Federal Office" || len(d.Items) != 1 || len(d.Basis) != 1 ||
		d.Action != policy.Withhold || len(d.Keywords) != 1 {
		t.Fatalf("%s, %+v, %v", o.State, d, o.Problems)
	}
	again := w.send(b, removalForm, fields)
	if w.order(w.office, again).ID != o.ID || !strings.Contains(again.Header.Get("Location"), "again") {
		t.Error("the same order is another one")
	}
	shown := b.Get(path(o))
	for _, want := range []string{o.Reference, "7 Js 1/26", "the_news", o.Digest, "papers/1"} {
		if !strings.Contains(shown.Body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	paper := b.Get(path(o) + "/papers/1/signed")
	p, err := w.orders.Sign.Read([]byte(paper.Body))
	if err != nil || p.Reference != o.Reference || p.Document != o.Digest {
		t.Errorf("the signed receipt: %v %+v", err, p)
	}
	pages := b.Get(path(o) + "/papers/1/pdf")
	inside, err := signedpaper.FromPDF([]byte(pages.Body))
	if err != nil || string(inside) != paper.Body {
		t.Errorf("the receipt as pages: %d, %v, with %q in them", pages.Status, err, inside)
	}
	if letter := b.Get(path(o) + "/papers/1"); letter.Status != http.StatusOK ||
		!strings.Contains(letter.Body, o.Digest) {
		t.Errorf("the letter: %d", letter.Status)
	}
	if got := b.Get(path(o) + "/papers/9"); got.Status != http.StatusNotFound {
		t.Errorf("no such paper: %d", got.Status)
	}
	if got := b.Get(path(o) + "/receipt/order"); got.Status != http.StatusServiceUnavailable ||
		got.Header.Get("Retry-After") == "" {
		t.Errorf("a receipt too early: %d", got.Status)
	}
	if got := b.Get(path(o) + "/receipt/other"); got.Status != http.StatusNotFound {
		t.Errorf("no such receipt: %d", got.Status)
	}
	if list := b.Get(homePath); !strings.Contains(list.Body, o.Reference) {
		t.Error("the list lacks the order")
	}
}

// TestFormKeepsEverything: every field that is wrong is named, and nothing typed is lost.
func TestFormKeepsEverything(t *testing.T) {
	w := start(t)
	b := w.officer(w.office, "Officer", agency.Member)
	for field, bad := range map[string]struct{ value, at string }{
		"number": {"", "number"}, "law0": {"", "law0"}, "items": {"https://t.me/*", "items"},
		"reasons": {"", "reasons"}, "redress": {"", "redress"}, "issued": {"yesterday", "issued"},
		"signed": {"", "signed"}, "action": {"", "action"}, "until": {"2001-01-01T00:00", "until"},
		"bar_until": {"2001-01-01T00:00", "bar"},
	} {
		fields := w.removal("7 Js " + field)
		fields.Set(field, bad.value)
		got := w.send(b, removalForm, fields)
		if got.Status != http.StatusUnprocessableEntity ||
			!strings.Contains(got.Body, `href="#`+bad.at+`"`) {
			t.Errorf("%s: %d", field, got.Status)
		}
		for name, values := range fields {
			if name == "do" || name == "kind" || name == "action" || name == field {
				continue
			}
			if !strings.Contains(got.Body, values[0]) {
				t.Errorf("%s is wrong, and %s is lost", field, name)
			}
		}
	}
	fields := w.removal("8 Js 1")
	fields.Set("reasons", "")
	fields.Set("anyway", "yes")
	o := w.order(w.office, w.send(b, removalForm, fields))
	if o.State != order.Incomplete || len(o.Problems) != 1 {
		t.Fatalf("%s %v", o.State, o.Problems)
	}
	at := path(o) + "/supplement"
	old := b.Get(at)
	if !strings.Contains(old.Body, "8 Js 1") || !strings.Contains(old.Body, `href="#reasons"`) {
		t.Errorf("the form to complete lacks what was said: %s", old.Body)
	}
	fields.Set("reasons", "It incites.")
	fields.Del("anyway")
	o = w.order(w.office, w.send(b, at, fields))
	if o.State == order.Incomplete || o.Document.Reasons != "It incites." {
		t.Errorf("%s %v", o.State, o.Problems)
	}
	fields.Set("number", "9")
	if got := w.send(b, at, fields); got.Status != http.StatusUnprocessableEntity {
		t.Errorf("another number: %d", got.Status)
	}
}

// TestPapers: files are kept under their digest, bound to their agency, and stand in the order.
func TestPapers(t *testing.T) {
	w := start(t)
	b := w.officer(w.office, "Officer", agency.Member)
	fields := w.removal("7 Js 2/26")
	fields.Set("do", "look")
	fields["token"] = b.Get(removalForm).Hidden(removalForm)["token"]
	bomb := []byte("%PDF-1.7 <!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>")
	got := b.Upload(removalForm, fields, map[string]officertest.Upload{
		"paper": {Name: "order\r\n<b>.pdf", Body: bomb},
	})
	sealed := between(got.Body, `name="papers" value="`, `"`)
	if got.Status != http.StatusOK || sealed == "" || strings.Contains(got.Body, "<b>.pdf") {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	fields.Set("do", "send")
	fields.Set("papers", sealed)
	o := w.order(w.office, b.Post(removalForm, fields))
	if len(o.Document.Attached) != 1 {
		t.Fatalf("%+v", o.Document)
	}
	digest, err := blob.ParseDigest(o.Document.Attached[0].Digest)
	w.ok(err)
	if info, err := w.blobs.Stat(t.Context(), digest); err != nil || info.Size != int64(len(bomb)) {
		t.Errorf("the paper: %v %+v", err, info)
	}
	other := w.officer(w.bureau, "Officer Two", agency.Member)
	at := newPath + "/dsa-9"
	stolen := w.send(other, at, url.Values{"papers": {sealed}, "do": {"send"}})
	if stolen.Status != http.StatusUnprocessableEntity || !strings.Contains(stolen.Body, `#paper"`) {
		t.Errorf("a paper of another agency: %d", stolen.Status)
	}
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

// TestCertificates: a European certificate fills the form in and what was passed over is named; what
// is none is said to be none.
func TestCertificates(t *testing.T) {
	w := start(t)
	court := w.Onboard("Court", "FR", agency.Court)
	b := w.officer(court, "Judge", agency.Member)
	at := newPath + "/epoc"
	xml := `<?xml version="1.0"?><EPOC xmlns="http://data.europa.eu/edm/1/ns/epoc">` +
		`<EmergencyCase>true</EmergencyCase><Evidence><Identifier><Type>USER_ID</Type>` +
		`<Value>somebody</Value></Identifier><DataCategories><Subscriber/></DataCategories>` +
		`</Evidence><Colour>red</Colour></EPOC>`
	fields := url.Values{
		"token": b.Get(at).Hidden(at)["token"], "number": {"kept"}, "do": {"look"},
	}
	got := b.Upload(at, fields, map[string]officertest.Upload{
		"xml": {Name: "a.xml", Body: []byte(xml)},
	})
	for _, want := range []string{
		"@somebody", "Colour", `value="kept"`, `value="subscriber" checked`,
		`<option value="life" selected>`,
	} {
		if !strings.Contains(got.Body, want) {
			t.Errorf("the form lacks %q", want)
		}
	}
	for _, bad := range []string{
		"%PDF-1.7", `<!DOCTYPE a [<!ENTITY b "c">]><EPOC>&b;</EPOC>`, "<a/>",
		`<x xmlns="http://data.europa.eu/edm/1/ns/forms/EPOC-PR-FORM-2#"/>`,
	} {
		got := b.Upload(at, fields, map[string]officertest.Upload{
			"xml": {Name: "a.xml", Body: []byte(bad)},
		})
		if got.Status != http.StatusUnprocessableEntity || !strings.Contains(got.Body, "no certificate") ||
			!strings.Contains(got.Body, `value="kept"`) {
			t.Errorf("%q: %d", bad, got.Status)
		}
	}
}

// TestTenancy: an order of another agency does not exist, whatever is done to it, and who asked is
// kept.
func TestTenancy(t *testing.T) {
	w := start(t)
	mine := w.officer(w.office, "Officer", agency.Member)
	o := w.order(w.office, w.send(mine, removalForm, w.removal("7 Js 3/26")))
	other := w.officer(w.bureau, "Officer Two", agency.Member)
	for of, asks := range map[*officertest.Browser]bool{mine: false, other: true} {
		if body := of.Get(homePath).Body; strings.Contains(body, `href="/regulator"`) != asks {
			t.Errorf("the way to the dialogue is there for a regulator alone: %v", asks)
		}
	}
	key := w.key(w.bureau)
	before := w.events(w.bureau.ID, agency.Foreign)
	for i, at := range []string{"", "/supplement", "/papers/1", "/papers/1/signed",
		"/papers/1/pdf", "/receipt/order"} {
		if got := other.Get(path(o) + at); got.Status != http.StatusNotFound {
			t.Errorf("%s: %d", at, got.Status)
		}
		if n := w.events(w.bureau.ID, agency.Foreign); n != before+i+1 {
			t.Errorf("%s: %d events", at, n-before)
		}
	}
	api := apiPath + "orders/" + o.Reference
	for _, at := range []string{
		"", "/papers", "/papers/1", "/papers/1/pdf", "/receipt/order",
	} {
		if got := w.call(key, http.MethodGet, api+at, ""); got.Status != http.StatusNotFound {
			t.Errorf("API%s: %d", at, got.Status)
		}
	}
	for _, at := range []string{"/supplement", "/withdraw"} {
		got := w.call(key, http.MethodPost, api+at, `{"reason":"x"}`)
		if got.Status != http.StatusNotFound {
			t.Errorf("API%s: %d %s", at, got.Status, got.Body)
		}
	}
	for _, act := range []string{"withdraw", "confirm", "vouch", "supplement"} {
		at := path(o) + "/" + act
		first := other.Post(at, url.Values{"reason": {"x"}, "do": {"send"}})
		if got := other.Post(at, first.Hidden(at)); got.Status != http.StatusNotFound {
			t.Errorf("%s: %d", act, got.Status)
		}
	}
	after, err := w.orders.Find(t.Context(), order.Sender{Agency: w.office.ID}, o.Reference)
	if err != nil || after.State != o.State {
		t.Errorf("%v, %s", err, after.State)
	}
}

// TestEmergency: a supervisor confirms what another officer sent; nobody confirms his own, and a
// member confirms nothing.
func TestEmergency(t *testing.T) {
	w := start(t)
	b := w.officer(w.office, "Officer", agency.Member)
	boss := w.officer(w.office, "Supervisor", agency.Supervisor)
	w.clock.Advance(8 * 24 * time.Hour)
	b.SignIn("")
	boss.SignIn("")
	fields := url.Values{
		"number": {"E 1"}, "accounts": {itoa(int64(1)) + "\n@nobody_here"}, "data": {"last-login"},
		"reasons": {"Somebody is about to die."}, "supervisor": {"Supervisor"},
		"urgency": {"life"}, "do": {"send"}, "language": {"de"},
		"from": {w.clock.Now().UTC().Add(-time.Hour).Format(moment)},
		"to":   {w.clock.Now().UTC().Format(moment)},
	}
	o := w.order(w.office, w.send(b, newPath+"/emergency", fields))
	if o.Document.Urgency != instrument.Life || !o.State.Open() {
		t.Fatalf("%s %v", o.State, o.Problems)
	}
	if strings.Contains(b.Get(path(o)).Body, "/confirm") {
		t.Error("a member is offered to confirm")
	}
	at := path(o) + "/confirm"
	bad := b.Post(at, nil)
	if got := b.Post(at, bad.Hidden(at)); got.Status != http.StatusForbidden {
		t.Errorf("a member confirms: %d", got.Status)
	}
	page := boss.Get(path(o))
	got := boss.Post(at, page.Hidden(at))
	if got.Status != http.StatusSeeOther || !strings.Contains(got.Header.Get("Location"), "confirmed") {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	after := w.order(w.office, got)
	confirmed := false
	for _, c := range after.Checks {
		confirmed = confirmed || c.Check == policy.SupervisorCheck
	}
	if !confirmed {
		t.Error("it is not confirmed")
	}
}

// TestWithdrawal withdraws an order, with a reason and once.
func TestWithdrawal(t *testing.T) {
	w := start(t)
	b := w.officer(w.office, "Officer", agency.Member)
	o := w.order(w.office, w.send(b, removalForm, w.removal("7 Js 4/26")))
	at := path(o) + "/withdraw"
	form := b.Get(path(o)).Hidden(at)
	if got := b.Post(at, form); got.Status != http.StatusUnprocessableEntity {
		t.Errorf("without a reason: %d", got.Status)
	}
	w.clock.Advance(11 * time.Minute)
	form.Set("reason", "a mistake")
	got := b.Post(at, form)
	if got.Status != http.StatusForbidden || got.Hidden(at).Get("reason") != "a mistake" {
		t.Fatalf("without a fresh proof: %d", got.Status)
	}
	form = got.Hidden(at)
	form.Set("prove_key", b.Proof())
	if got = b.Post(at, form); w.order(w.office, got).State != order.Withdrawn {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := b.Post(at, form); got.Status != http.StatusForbidden {
		t.Errorf("the same proof again: %d", got.Status)
	}
	form.Del("prove_key")
	if got := b.Post(at, form); got.Status != http.StatusConflict {
		t.Errorf("withdrawn twice: %d", got.Status)
	}
}

// TestWrongDoors: what does not come in here is told where it belongs; an instrument that is not an
// agency's is treated as what it can be, and the agency told.
func TestWrongDoors(t *testing.T) {
	w := start(t)
	b := w.officer(w.office, "Officer", agency.Member)
	got := b.Get(newPath + "?purpose=terrorist")
	if got.Header.Get("Location") != removalForm {
		t.Errorf("%d %s", got.Status, got.Header.Get("Location"))
	}
	if got := b.Get(newPath + "?purpose=security"); !strings.Contains(got.Body, `id="elsewhere"`) {
		t.Errorf("%d", got.Status)
	}
	if got := b.Get(newPath + "?purpose=nothing"); got.Status != http.StatusNotFound {
		t.Errorf("%d", got.Status)
	}
	for _, other := range []string{"dsa-16", "dsa-22", "us-2703", "x"} {
		if got := b.Get(newPath + "/" + other); got.Status != http.StatusNotFound {
			t.Errorf("%s: %d", other, got.Status)
		}
	}
	abroad := w.Onboard("Ministry", "BR", agency.Police)
	key := w.key(abroad)
	sent := w.call(key, http.MethodPost, apiPath+"orders", `{"instrument":"dsa-9","number":"1",
		"country":"BR","authority":"Ministry","action":"remove",
		"items":[{"url":"https://t.me/the_news/1"}],"reasons":"x","signed":"A","issued":1,
		"basis":[{"law":"L","provision":"1"}],"lang":"pt"}`)
	if sent.Status != http.StatusCreated || !strings.Contains(sent.Body, `"instrument":"order"`) ||
		!strings.Contains(sent.Body, `"kind":"moved"`) {
		t.Errorf("%d %s", sent.Status, sent.Body)
	}
	for _, at := range []string{verifyPath, firstPath} {
		if got := officertest.NewBrowser(t, w.server).Get(at); got.Status != http.StatusOK {
			t.Errorf("%s: %d", at, got.Status)
		}
	}
}

// TestNothingForOthers: whoever is no authority has no portal.
func TestNothingForOthers(t *testing.T) {
	w := start(t)
	flagger := w.Onboard("Flagger", "DE", agency.TrustedFlagger)
	b := w.officer(flagger, "Member", agency.Member)
	if got := b.Get(homePath); got.Status != http.StatusNotFound {
		t.Errorf("%d", got.Status)
	}
	if got := w.call(w.key(flagger), http.MethodGet, apiPath+"orders", ""); got.Status !=
		http.StatusForbidden {
		t.Errorf("%d", got.Status)
	}
	var n int
	w.World.View(func(r *store.Reader) error {
		list, err := w.orders.OfAgency(r, flagger.ID, 1<<62, 5)
		n = len(list)
		return err
	})
	if n != 0 {
		t.Error("it gave orders")
	}
}

// TestLists: a regulator's list comes as a file, with a head or without one; each wrong line is
// named.
func TestLists(t *testing.T) {
	for text, want := range map[string]string{
		"url,reason\nhttps://t.me/a/1,spam\nhttps://t.me/a/2,\"fraud, twice\"\n": "https://t.me/a/1 spam\n" +
			"https://t.me/a/2 fraud, twice",
		"Grund;Adresse\nx;https://t.me/a/1\n": "https://t.me/a/1 x",
		"https://t.me/a/1\nnowhere\n":         "https://t.me/a/1\nnowhere",
		"\ufeffhttps://t.me/a/1":              "https://t.me/a/1",
		"":                                    "",
	} {
		if got, err := addresses(strings.NewReader(text)); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	w := start(t)
	b := w.officer(w.bureau, "Officer", agency.Member)
	at := newPath + "/regulator-list"
	fields := url.Values{
		"token": b.Get(at).Hidden(at)["token"], "items": {"https://t.me/the_news/1"}, "do": {"look"},
	}
	got := b.Upload(at, fields, map[string]officertest.Upload{"list": {
		Name: "list.csv", Body: []byte("url\nhttps://t.me/the_news/2\nhttps://t.me/*\nhttps://t.me/the_news/1\n"),
	}})
	for _, want := range []string{
		"https://t.me/the_news/1\nhttps://t.me/the_news/2\nhttps://t.me/*",
		"not an exact address: 3", "named twice: 4",
	} {
		if !strings.Contains(got.Body, want) {
			t.Errorf("the form lacks %q", want)
		}
	}
	many := "https://t.me/the_news/1\n" + strings.Repeat("https://t.me/the_news/x\n", order.MaxItems)
	got = b.Upload(at, fields, map[string]officertest.Upload{"list": {Name: "l", Body: []byte(many)}})
	if got.Status != http.StatusUnprocessableEntity || !strings.Contains(got.Body, "more than one order") {
		t.Errorf("too many: %d", got.Status)
	}
}

// TestWhatPolicyNeeds: the forms have room for each field without which policy gives no data.
func TestWhatPolicyNeeds(t *testing.T) {
	w := start(t)
	for at, agencyOf := range map[string]agency.Agency{
		"/us-2703": w.Onboard("District Court", "US", agency.Court),
		"/order":   w.Onboard("Police", "BR", agency.Police),
		"/epoc":    w.Onboard("Court", "FR", agency.Court),
	} {
		body := w.officer(agencyOf, "Officer", agency.Member).Get(newPath + at).Body
		for _, field := range []string{"offence", "penalty", "validated", "reasons"} {
			if has := strings.Contains(body, `name="`+field+`"`); !has &&
				(field != "reasons" || at != "/us-2703") {
				t.Errorf("%s has no %s", at, field)
			}
		}
	}
}

// TestKeywords: an order takes several keywords of one category, in the officer's language, and none
// of another category.
func TestKeywords(t *testing.T) {
	w := start(t)
	b := w.officer(w.office, "Officer", agency.Member)
	of := string(safety.PublicSecurity) + "/"
	fields := w.removal("9 Js 1")
	fields["keyword"] = []string{of + "KEYWORD_ILLEGAL_ORGANIZATIONS", of + "KEYWORD_TERRORIST_CONTENT"}
	fields.Set("reasons", "")
	fields.Set("anyway", "yes")
	o := w.order(w.office, w.send(b, removalForm, fields))
	want := []safety.Keyword{"KEYWORD_ILLEGAL_ORGANIZATIONS", "KEYWORD_TERRORIST_CONTENT"}
	if !slices.Equal(o.Document.Keywords, want) || o.Document.Category != safety.PublicSecurity {
		t.Errorf("the order is about %s %v", o.Document.Category, o.Document.Keywords)
	}
	old := b.Get(path(o) + "/supplement").Body
	for _, k := range fields["keyword"] {
		if !strings.Contains(old, `value="`+k+`" checked`) {
			t.Errorf("%s is not ticked any more", k)
		}
	}
	fields.Set("number", "9 Js 2")
	fields["keyword"] = []string{string(safety.Violence) + "/" + string(safety.OtherKeyword)}
	fields.Del("anyway")
	got := w.send(b, removalForm, fields)
	if got.Status != http.StatusUnprocessableEntity || !strings.Contains(got.Body, `href="#kind"`) {
		t.Errorf("a keyword of another category: %d", got.Status)
	}
	for lang, text := range map[string]string{
		"de": "Terroristische Inhalte", "fa": "محتوای تروریستی", "en": "Terrorist content",
	} {
		body := b.Get(removalForm + "?lang=" + lang).Body
		if !strings.Contains(body, text) || lang != "en" && strings.Contains(body, "Terrorist content") {
			t.Errorf("the form in %s does not say %q", lang, text)
		}
	}
}
