package contact

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"

	"parley/internal/clock"
	"parley/internal/config"
	"parley/internal/safety/country"
	"parley/internal/safety/door"
	"parley/internal/safety/instrument"
	"parley/internal/web/about"
	"parley/internal/web/page"
	"parley/internal/web/page/pagetest"
	"parley/test/browser/browsertest"
)

func TestTexts(t *testing.T) {
	pagetest.Texts(t, files, page.Files(), about.Shell(), door.Texts())
	pagetest.Texts(t, door.Texts())
}

// now is the day of the tests.
func now() time.Time { return time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC) }

// full is a configuration that says everything.
func full() (config.Contact, config.Representative) {
	c := config.Contact{
		Provider: "Example <b>e.V.</b>, Street 1", Established: "IS", People: "help@example.org",
		Authorities: "https://example.org/orders", Emergency: "now@example.org",
		Regulators: "duty@example.org", Flaggers: "flags@example.org",
		Security: "holes@example.org", Languages: []string{"en", "fa"}, Hours: "Always",
		Key: "https://example.org/key.asc", Terms: "https://example.org/terms",
		Disputes: []string{"https://disputes.example.org/"},
	}
	return c, config.Representative{
		Name: "Somebody in Brussels", Address: "Street 2", Mail: "rep@example.org", Phone: "0032 0",
	}
}

// served are the pages of a server.
func served(
	t *testing.T, c config.Contact, rep config.Representative, key *openpgp.Entity,
) (*http.ServeMux, *clock.Fake) {
	t.Helper()
	fake := clock.NewFake(now())
	site, err := page.New(page.Options{
		URL: "https://chat.example.org", Name: "Chat", Clock: fake,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	countries, err := country.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	instruments, err := instrument.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	guide, err := door.New(countries.At(country.Code(c.Established)), instruments)
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(Rooms{
		Site: site, Guide: guide, Instruments: instruments, Clock: fake, Contact: c,
		Representative: rep, Key: key, Portal: "/authority", Hotline: "/hotline",
		Dialogue: "/regulator",
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	site.Mount(mux)
	p.Mount(mux)
	return mux, fake
}

// get asks for a page.
func get(t *testing.T, mux http.Handler, at string, status int) (string, http.Header) {
	t.Helper()
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", at, nil))
	if w.Code != status {
		t.Fatalf("%s: %d, not %d: %s", at, w.Code, status, w.Body)
	}
	return w.Body.String(), w.Header()
}

// TestContact: what the operator configured is there, in every language, and nothing that he did
// not; search engines may list it.
func TestContact(t *testing.T) {
	c, rep := full()
	mux, _ := served(t, c, rep, nil)
	for _, l := range page.Languages() {
		body, header := get(t, mux, "/contact?lang="+l.Code, 200)
		for _, want := range []string{
			"Example &lt;b&gt;e.V.&lt;/b&gt;", `href="mailto:help@example.org"`,
			`href="https://example.org/orders"`, "English", "فارسی", "Somebody in Brussels",
			`href="https://example.org/terms"`, `href="https://disputes.example.org/"`,
			"now@example.org", "flags@example.org", "holes@example.org", "0032 0",
			`"@type":"ContactPoint"`, `href="/hotline`, `href="/regulator`,
		} {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page lacks %s", l.Code, want)
			}
		}
		if strings.Contains(body, "%!") || !strings.Contains(body, "180") {
			t.Errorf("%s: the rule about misuse is not filled in", l.Code)
		}
		if header.Get("X-Robots-Tag") != "" {
			t.Error("search engines may not list the page")
		}
	}
	mux, _ = served(t, config.Contact{}, config.Representative{}, nil)
	body, _ := get(t, mux, "/contact?lang=en", 200)
	if !strings.Contains(body, `href="/contact/write`) || strings.Contains(body, "Where to write") ||
		strings.Contains(body, "Legal representative") {
		t.Errorf("a server without contacts says %s", body)
	}
}

// TestWhere: the guide answers on a page and for machines, and says what is wrong with a question.
func TestWhere(t *testing.T) {
	c, rep := full()
	mux, _ := served(t, c, rep, nil)
	const q = "country=FR&requester=authority&purpose=terrorist"
	for _, l := range page.Languages() {
		body, _ := get(t, mux, "/contact/where?"+q+"&lang="+l.Code, 200)
		if !strings.Contains(body, "now@example.org") || strings.Contains(body, "%!") ||
			strings.Count(body, "<option") != 250+12+12+3 {
			t.Errorf("%s: %s", l.Code, body)
		}
	}
	body, header := get(t, mux, "/contact/where.json?"+q, 200)
	var got way
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if got.Address != "now@example.org" || got.Instrument.ID != instrument.Removal ||
		got.Answer.Length.String() != "1h" || header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%+v", got)
	}
	for asked, want := range map[string]string{
		"requester=flagger&purpose=illegal": "/hotline",
		q:                                   "/authority",
	} {
		body, _ := get(t, mux, "/contact/where?country=FR&lang=en&"+asked, 200)
		if !strings.Contains(body, `<a id="entry" href="`+want) {
			t.Errorf("%s leads to %s", asked, body)
		}
	}
	get(t, mux, "/contact/where?country=QQ", 422)
	body, _ = get(t, mux, "/contact/where.json?country=QQ", 422)
	if !strings.Contains(body, `"requesters"`) {
		t.Errorf("a wrong question: %s", body)
	}
	body, header = get(t, mux, "/contact/where.json?country=FR&purpose=gossip", 422)
	var bad problem
	if err := json.Unmarshal([]byte(body), &bad); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(bad.Invalid, []invalid{{"requester", "missing"}, {"purpose", "unknown"}}) ||
		bad.Status != 422 || header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: %+v", header.Get("Content-Type"), bad.Invalid)
	}
	body, _ = get(t, mux, "/contact/where?country=FR&purpose=gossip", 422)
	if !strings.Contains(body, `href="#purpose"`) || strings.Contains(body, `href="#country"`) {
		t.Error("the page does not say what is wrong")
	}
	body, _ = get(t, mux, "/contact/where?country=%22%3E%3Cscript%3E", 422)
	if strings.Contains(body, "\"><script>") {
		t.Error("what was asked became markup")
	}
}

// TestDoorsFallBack: a door that the operator did not open has the address of the next one, so that
// nobody is sent nowhere.
func TestDoorsFallBack(t *testing.T) {
	c := config.Contact{People: "help@example.org"}
	for _, d := range instrument.Doors() {
		if got := open(c, d); got != "help@example.org" {
			t.Errorf("%s: %q", d, got)
		}
	}
	c.Authorities = "orders@example.org"
	if open(c, instrument.EmergencyDoor) != c.Authorities ||
		open(c, instrument.SecurityDoor) != c.People {
		t.Error("the wrong door comes next")
	}
}

// TestAuthorityContact: the document has all that the page has.
func TestAuthorityContact(t *testing.T) {
	c, rep := full()
	mux, _ := served(t, c, rep, nil)
	body, _ := get(t, mux, "/.well-known/authority-contact.json", 200)
	var got document
	d := json.NewDecoder(strings.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Version != 1 || len(got.Doors) != len(instrument.Doors()) || len(got.Instruments) < 20 ||
		got.Representative == nil || len(got.Refused) != 7 || len(got.Keys) != 1 ||
		!got.Expires.After(now()) || got.Established != "IS" {
		t.Errorf("%s", body)
	}
	for _, at := range got.Doors {
		if (at.Email == "") == (at.URL == "") {
			t.Errorf("%+v", at)
		}
		const host = "https://chat.example.org"
		flagger, regulator := at.Door == instrument.HotlineDoor, at.Door == instrument.RegulatorDoor
		if (at.API == host+"/hotline/api/v1/") != flagger ||
			(at.Portal == host+"/hotline") != flagger ||
			(at.Dialogue == host+"/regulator") != regulator {
			t.Errorf("%+v", at)
		}
	}
}

// TestSecurityTXT: there is one when somebody can be written to; it expires, is renewed each day,
// and is signed when the operator gave a key.
func TestSecurityTXT(t *testing.T) {
	mux, _ := served(t, config.Contact{}, config.Representative{}, nil)
	body, _ := get(t, mux, "/.well-known/security.txt", 200)
	const page = "Contact: https://chat.example.org/contact/write?purpose=security\n"
	if !strings.HasPrefix(body, page) {
		t.Errorf("without an address: %q", body)
	}
	c, rep := full()
	mux, _ = served(t, c, rep, nil)
	body, _ = get(t, mux, "/.well-known/security.txt", 200)
	const want = "Contact: mailto:holes@example.org\nExpires: 2026-04-01T00:00:00Z\n" +
		"Encryption: https://example.org/key.asc\nPreferred-Languages: en, fa\n" +
		"Canonical: https://chat.example.org/.well-known/security.txt\n"
	if body != want {
		t.Errorf("%q", body)
	}
	key, err := openpgp.NewEntity("Test", "", "test@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	mux, fake := served(t, c, rep, key)
	signed, _ := get(t, mux, "/.well-known/security.txt", 200)
	block, _ := clearsign.Decode([]byte(signed))
	if block == nil {
		t.Fatalf("not signed: %s", signed)
	}
	_, err = block.VerifySignature(openpgp.EntityList{key}, nil)
	if err != nil || strings.TrimSpace(string(block.Plaintext)) != strings.TrimSpace(want) {
		t.Errorf("%v: %s", err, block.Plaintext)
	}
	again, _ := get(t, mux, "/.well-known/security.txt", 200)
	fake.Advance(24 * time.Hour)
	next, _ := get(t, mux, "/.well-known/security.txt", 200)
	if again != signed || next == signed || !strings.Contains(next, "2026-04-02") {
		t.Error("it is not kept for a day, or not renewed after it")
	}
}

// TestReadKey: only a private key without a password signs.
func TestReadKey(t *testing.T) {
	key, err := openpgp.NewEntity("Test", "", "test@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	write := func(kind string, serialize func(io.Writer) error) string {
		var b bytes.Buffer
		w, err := armor.Encode(&b, kind, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := serialize(w); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(t.TempDir(), "key.asc")
		if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	private := write(openpgp.PrivateKeyType, func(w io.Writer) error {
		return key.SerializePrivate(w, nil)
	})
	if _, err := ReadKey(private); err != nil {
		t.Error(err)
	}
	if _, err := ReadKey(write(openpgp.PublicKeyType, key.Serialize)); err == nil {
		t.Error("a public key signs")
	}
	if _, err := ReadKey(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a key that is not there signs")
	}
}

// TestMissing: what the law wants and the configuration lacks is named with its article.
func TestMissing(t *testing.T) {
	countries, err := country.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	c, rep := full()
	if got := Missing(c, rep, countries); len(got) > 0 {
		t.Errorf("a full configuration lacks %q", got)
	}
	all := strings.Join(Missing(config.Contact{}, config.Representative{}, countries), "\n")
	for _, article := range []string{"Art. 11)", "Art. 11(3)", "Art. 12", "Art. 13", "Art. 14"} {
		if !strings.Contains(all, article) {
			t.Errorf("nothing is said of %s: %s", article, all)
		}
	}
	c.Established = "DE"
	if got := Missing(c, config.Representative{}, countries); len(got) > 0 {
		t.Errorf("a service of a Member State needs no representative: %q", got)
	}
}

// TestInABrowser: with a phone and without scripts somebody finds his way, in two directions of
// writing; every page fits and is accessible in every language.
func TestInABrowser(t *testing.T) {
	c, rep := full()
	mux, _ := served(t, c, rep, nil)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	b := browsertest.Start(t)
	for _, l := range page.Languages() {
		look := browsertest.Phone(l.Code)
		look.NoScripts = true
		p := b.Page(t, look)
		p.Open(s.URL + "/contact")
		p.Fits()
		p.Follow(`a.button`)
		p.Fits()
		p.Set("#country", "FR")
		p.Set("#requester", "authority")
		p.Set("#purpose", "terrorist")
		if status := p.Follow(`main button[type="submit"]`); status != 200 || !p.Has("#answer") {
			t.Fatalf("%s: %d", l.Code, status)
		}
		if got := p.Text("#door"); !strings.Contains(got, "now@example.org") {
			t.Errorf("%s: the door is %s", l.Code, got)
		}
		p.Fits()
		got := browsertest.Eval[string](p, `getComputedStyle(document.body).direction`)
		if l.RTL != (got == "rtl") {
			t.Errorf("%s is written %s", l.Code, got)
		}
	}
	for _, lang := range []string{"en", "fa"} {
		p := b.Page(t, browsertest.Phone(lang))
		for _, at := range []string{
			"/contact", "/contact/where",
			"/contact/where?country=DE&requester=court&purpose=user-data",
			"/contact/where?country=QQ",
		} {
			p.Open(s.URL + at)
			p.Accessible()
		}
	}
}
