package mailroom

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/emersion/go-msgauth/dkim"

	"parley/internal/safety/order"
	"parley/internal/safety/words"
)

// TestTextsAreWhole: every language has all texts, with the same places to fill in.
func TestTextsAreWhole(t *testing.T) {
	all, err := words.Read(files, words.Authorities())
	if err != nil {
		t.Fatal(err)
	}
	for lang, said := range all {
		for key, text := range said {
			want, ok := all[words.Fallback][key]
			if !ok || strings.Count(text, "%[") != strings.Count(want, "%[") {
				t.Errorf("%s: %s is not as it is in the fallback", lang, key)
			}
		}
	}
}

// crlf has the ends of lines that mails have.
func crlf(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

// nested is a mail whose parts lie in each other.
func nested(deep int) string {
	var b strings.Builder
	b.WriteString("From: a@b.example\n")
	for n := range deep {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=\"b%d\"\n\n--b%d\n", n, n)
	}
	b.WriteString("\nat the bottom\n")
	return b.String()
}

// hostileMails are mails that somebody means harm with.
func hostileMails() map[string]string {
	return map[string]string{
		"nothing":        "",
		"no head":        "\n\nhello\n",
		"no end of head": "From: a@b.example",
		"a deep one":     nested(1000),
		"many parts": "Content-Type: multipart/mixed; boundary=b\n\n" +
			strings.Repeat("--b\n\nx\n", 5000),
		"no boundary": "Content-Type: multipart/mixed\n\n--\n\nx\n",
		"a long boundary": "Content-Type: multipart/mixed; boundary=" +
			strings.Repeat("b", 50_000) + "\n\nx\n",
		"a long line":     "Subject: " + strings.Repeat("x", 60_000) + "\n\nx\n",
		"many lines":      strings.Repeat("X: y\n", 10_000) + "\nx\n",
		"no such charset": "Content-Type: text/plain; charset=klingon\n\n\xff\xfe\n",
		"a charset lied":  "Content-Type: text/plain; charset=utf-8\n\n\xff\xfe\xfd\n",
		"no such coding":  "Content-Transfer-Encoding: rot13\n\nx\n",
		"bad base64":      "Content-Transfer-Encoding: base64\nContent-Type: a/b\n\n!!!!\n",
		"a way out": "Content-Type: application/pdf; name=\"../../etc/passwd\"\n" +
			"Content-Disposition: attachment; filename=\"..\\\\..\\\\x.pdf\"\n\nx\n",
		"a bad subject": "Subject: =?utf-8?b?////?= =?x?q?=00?=\n" +
			"From: =?utf-8?q?=00?= <a@b.example>\n\nx\n",
		"two senders":         "From: a@b.example, c@d.example\nFrom: e@f.example\n\nx\n",
		"no sender":           "From: <>\n\nx\n",
		"a sender with lines": "From: \"a\\\r\n b\" <a@b.example>\nReply-To: x\n\nx\n",
		"a mail in a mail": "Content-Type: message/rfc822\n\nFrom: x@y.example\n\n" +
			"Instrument: dsa-9\n",
	}
}

// TestHostileMails reads mails that somebody means harm with: within its bounds, and without losing
// one that has a head.
func TestHostileMails(t *testing.T) {
	for name, mail := range hostileMails() {
		m, err := parse(crlf(mail))
		if err != nil && !errors.Is(err, ErrMail) {
			t.Errorf("%s: %v", name, err)
		}
		checkMail(t, name, m)
	}
	m, err := parse(crlf(hostileMails()["a way out"]))
	if err != nil || len(m.parts) != 1 || m.parts[0].name != "x.pdf" {
		t.Errorf("the name of a part: %+v, %v", m.parts, err)
	}
	if m, _ := parse(crlf(nested(1000))); m.lost == 0 || strings.Contains(m.text, "bottom") {
		t.Errorf("a deep mail: %+v", m)
	}
	if m, _ := parse(crlf(hostileMails()["many parts"])); m.lost == 0 {
		t.Errorf("many parts: none was left out")
	}
}

// checkMail checks the bounds of what was read.
func checkMail(t *testing.T, name string, m content) {
	t.Helper()
	if len(m.parts) > mostParts || len(m.text) > textBytes || !utf8.ValidString(m.text) ||
		!utf8.ValidString(m.subject) || utf8.RuneCountInString(m.subject) > lineRunes ||
		strings.ContainsAny(m.from.Address, "\r\n") || !utf8.ValidString(m.from.Name) {
		t.Errorf("%s: %d parts, text of %d bytes, %+v", name, len(m.parts), len(m.text), m.from)
	}
	for _, p := range m.parts {
		if strings.ContainsAny(p.name, "/\\\x00") || p.name == ".." || p.name == "" {
			t.Errorf("%s: a part is called %q", name, p.name)
		}
	}
}

func TestCharsets(t *testing.T) {
	for name, x := range map[string]struct{ mail, want string }{
		"Latin 1": {"Content-Type: text/plain; charset=iso-8859-1\n\nVerf\xfcgung", "Verfügung"},
		"Arabic":  {"Content-Type: text/plain; charset=windows-1256\n\n\xc3\xe3\xd1", "أمر"},
		"quoted":  {"Content-Transfer-Encoding: quoted-printable\n\nVerf=C3=BCgung", "Verfügung"},
		"bare":    {"Subject: x\n\nVerfügung", "Verfügung"},
	} {
		if m, err := parse(crlf(x.mail)); err != nil || m.text != x.want {
			t.Errorf("%s: %q, %v", name, m.text, err)
		}
	}
}

// TestSigns: what a domain signed is told, and proves nothing.
func TestSigns(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	mail := crlf("From: a@court.example\nSubject: x\n\nbody\n")
	var signed bytes.Buffer
	err = dkim.Sign(&signed, bytes.NewReader(mail), &dkim.SignOptions{
		Domain: "court.example", Selector: "s", Signer: private,
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &Service{Options: Options{Lookup: func(name string) ([]string, error) {
		if name != "s._domainkey.court.example" {
			return nil, errors.New("no such name")
		}
		return []string{"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)}, nil
	}}}
	for want, in := range map[string][]byte{
		"signed": signed.Bytes(), "unsigned": mail,
		"signature-false": bytes.Replace(signed.Bytes(), []byte("body"), []byte("bodY"), 1),
		"signed-by-another": bytes.Replace(signed.Bytes(), []byte("From: a@court"),
			[]byte("Reply-To: a@evil.example\r\nFrom: a@court"), 1),
	} {
		m, err := parse(in)
		if err != nil {
			t.Fatal(err)
		}
		got := s.signs(Arrived{From: m.from.Address, Secret: true, Body: in}, m)
		if len(got) != 1 || got[0] != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
	s.Lookup = nil
	if got := s.signs(Arrived{From: "x@y.example"}, content{}); len(got) != 2 {
		t.Errorf("without a resolver: %v", got)
	}
}

// TestWhatCannotBeReadIsNotLost: what stands in our form for a time, a number or a language and is
// none is kept for the order's checks to name.
func TestWhatCannotBeReadIsNotLost(t *testing.T) {
	d, ok := form("Instrument: epoc\nIssued: yesterday\nUntil: 31.12.2026\nFrom time: now\n" +
		"To time: 2026-11-31\nBar until: forever\nPenalty: five\nLanguage: Deutsch\n" +
		"Directives: 2017/541, 2013/40\nWithheld: yes\n")
	for name, at := range map[string]int64{
		"issued": d.Issued, "until": d.Until, "from": d.From, "to": d.To,
		"penalty": int64(d.Penalty),
	} {
		if at != order.Unreadable {
			t.Errorf("%s: %d", name, at)
		}
	}
	if !ok || d.Bar == nil || d.Bar.Until != order.Unreadable || d.Lang != "Deutsch" || !d.Withheld ||
		!slices.Equal(d.Directives, []order.Directive{
			order.Terrorism, order.InformationSystems,
		}) {
		t.Errorf("%+v", d)
	}
	if d, _ = form("Instrument: epoc\nPenalty: 5\nIssued: 2026-11-29\n"); d.Penalty != 5 ||
		d.Issued != 1795910400 || d.Until != 0 || d.Bar != nil {
		t.Errorf("%+v", d)
	}
}

func FuzzParse(f *testing.F) {
	for _, mail := range hostileMails() {
		if len(mail) < 1<<14 {
			f.Add(crlf(mail))
		}
	}
	f.Add(crlf("Content-Type: multipart/mixed; boundary=b\n\n--b\n" +
		"Content-Type: application/json\n\n" +
		`{"instrument":"dsa-9"}` + "\n--b\n\nInstrument: x\nURL: y\nz\n--b--\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parse(b)
		if err != nil {
			return
		}
		checkMail(t, "fuzzed", m)
		for _, p := range m.parts {
			_, _ = typed(p)
		}
		_, _ = form(m.text)
		_, _ = asked(m.text)
	})
}
