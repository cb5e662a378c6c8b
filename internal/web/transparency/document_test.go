package transparency

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"parley/internal/tlog/entry"
	"parley/internal/tlog/verify"
)

// TestChangesAreBothTexts: what is not new is the text before, and what is not old the text now.
func TestChangesAreBothTexts(t *testing.T) {
	text := rapid.StringMatching(`([ab]{1,2}[ \n]{0,2}|<i>|é\t){0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		was, is := text.Draw(t, "was"), text.Draw(t, "is")
		var before, after string
		for _, c := range changes(was, is) {
			if !c.New {
				before += c.Text
			}
			if !c.Old {
				after += c.Text
			}
		}
		if before != was || after != is {
			t.Fatalf("%q and %q are told as %q and %q", was, is, before, after)
		}
	})
}

// documents are texts with their entries.
func documents(t *testing.T, bodies map[string][]byte, list ...entry.Entry) Rooms {
	t.Helper()
	for i := range list {
		list[i].Kind = entry.Publication
		body := bodies[list[i].Commitment]
		list[i].Commitment = entry.Digest(body)
	}
	r := written(t, list)
	for _, body := range bodies {
		put(t, r, body)
	}
	return r
}

// put writes a document where the log has it.
func put(t *testing.T, r Rooms, body []byte) {
	t.Helper()
	at := filepath.Join(r.Log.Dir, verify.DocumentFile(entry.Digest(body)))
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, body, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRulePages: every version is listed, shown with what changed, and is what the log has the
// digest of, or the page says that it is not.
func TestRulePages(t *testing.T) {
	r := documents(t, map[string][]byte{
		"1": []byte("Be kind.\nDo no <b>harm</b>.\n"), "2": []byte("Be very kind.\nDo no <b>harm</b>.\n"),
		"3": []byte("Seid nett.\n"),
	},
		entry.Entry{Day: "2026-01-01", Subject: "terms", Lang: "EN", Commitment: "1"},
		entry.Entry{Day: "2026-01-01", Subject: "terms", Lang: "DE", Commitment: "3"},
		entry.Entry{Day: "2026-02-01", Subject: "terms", Lang: "EN", Commitment: "2"},
	)
	h := served(t, r)
	_, body := get(t, h, "/transparency/rules")
	for _, want := range []string{"rules/0", "rules/1", "rules/2", "2026-02-01"} {
		if !strings.Contains(body, want) {
			t.Errorf("the list lacks %s: %s", want, body)
		}
	}
	_, body = get(t, h, "/transparency/rules/2")
	if !strings.Contains(body, "<ins>very </ins>") || strings.Contains(body, "<b>") ||
		!strings.Contains(body, "Changes since 2026-01-01") {
		t.Errorf("the second version: %s", body)
	}
	if _, body = get(t, h, "/transparency/rules/0"); strings.Contains(body, "<ins>") ||
		!strings.Contains(body, "The first version") {
		t.Errorf("the first version: %s", body)
	}
	if _, body = get(t, h, "/transparency/rules.json"); strings.Count(body, `"digest"`) != 3 {
		t.Errorf("in JSON: %s", body)
	}
	for _, at := range []string{"3", "-1", "x"} {
		if code, _ := get(t, h, "/transparency/rules/"+at); code != http.StatusNotFound {
			t.Errorf("version %s: %d", at, code)
		}
	}
	digest := entry.Digest([]byte("Seid nett.\n"))
	at := filepath.Join(r.Log.Dir, verify.DocumentFile(digest))
	if err := os.WriteFile(at, []byte("Seid böse.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, body := get(t, h, "/transparency/rules/1"); code == http.StatusOK ||
		strings.Contains(body, "böse") {
		t.Errorf("a text that was changed is shown: %s", body)
	}
}

// TestCanaryPage: the page says until when the newest statement holds, warns once it has expired,
// and shows no statement that nobody signed who may.
func TestCanaryPage(t *testing.T) {
	s := newScribe(t)
	secret, public := s.key("signer.example")
	signed := func(day, until string) []byte {
		b, err := verify.Canary{
			Origin: origin, Day: day, Until: until, Size: 1, Root: tlog.Hash{},
			Text: "No authority has asked us for keys.",
		}.Sign(s.signer(secret))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := func(until string) entry.Entry {
		return entry.Entry{
			Day: "2026-11-01", Ends: until, Subject: verify.CanaryName, Commitment: until,
		}
	}
	for name, x := range map[string]struct {
		list []entry.Entry
		keys []string
		want string
	}{
		"none":    {nil, []string{public}, "No statement is published"},
		"holds":   {[]entry.Entry{good("2026-11-30")}, []string{public}, "holds until 2026-11-30"},
		"expired": {[]entry.Entry{good("2026-11-29")}, []string{public}, "expired on 2026-11-29"},
		"newest": {
			[]entry.Entry{good("2026-11-29"), good("2026-11-30")}, []string{public}, "holds until",
		},
		"stranger": {[]entry.Entry{good("2026-11-30")}, s.public[:1], "does not fit the keys"},
	} {
		t.Run(name, func(t *testing.T) {
			r := documents(t, map[string][]byte{
				"2026-11-29": signed("2026-11-01", "2026-11-29"),
				"2026-11-30": signed("2026-11-01", "2026-11-30"),
			}, x.list...)
			r.Log.Persons = x.keys
			h := served(t, r)
			_, body := get(t, h, "/transparency/canary")
			shown := strings.Contains(body, "No authority has asked")
			if !strings.Contains(body, x.want) || shown == (name == "none" || name == "stranger") {
				t.Errorf("%s", body)
			}
			if code, body := get(t, h, "/transparency/canary.json"); code != http.StatusOK ||
				!strings.Contains(body, `"state"`) {
				t.Errorf("in JSON: %d %s", code, body)
			}
		})
	}
}

// TestFormPages: every version of a form is listed and served as the log has its digest; what was
// corrected says so; the file of another name or line is none.
func TestFormPages(t *testing.T) {
	r := documents(t, map[string][]byte{
		"1": []byte("PK1"), "2": []byte("PK2"), "3": []byte("a,b\n"), "4": []byte("Be kind.\n"),
	},
		entry.Entry{Day: "2026-01-01", Ends: "2026-12-31", Subject: "form-eu-2024-2835-zip",
			Commitment: "1"},
		entry.Entry{Day: "2026-01-01", Ends: "2026-12-31", Subject: "form-eu-2024-2835-zip",
			Commitment: "2"},
		entry.Entry{Day: "2026-01-01", Ends: "2026-06-30", Subject: "form-other-csv",
			Commitment: "3"},
		entry.Entry{Day: "2026-01-01", Subject: "terms", Lang: "EN", Commitment: "4"},
	)
	h := served(t, r)
	_, body := get(t, h, "/transparency/forms")
	const first, second = "/transparency/forms/0/eu-2024-2835.2026-01-01.2026-12-31.zip",
		"/transparency/forms/1/eu-2024-2835.2026-01-01.2026-12-31.zip"
	for _, want := range []string{
		first, second, "/transparency/forms/2/other.2026-01-01.2026-06-30.csv",
		"Regulation (EU) 2024/2835", "Corrected later", "A correction",
	} {
		if strings.Count(body, want) == 0 {
			t.Errorf("the list lacks %s: %s", want, body)
		}
	}
	if _, body = get(t, h, "/transparency/rules.json"); strings.Count(body, `"digest"`) != 1 {
		t.Errorf("the rules: %s", body)
	}
	_, body = get(t, h, "/transparency/forms.json")
	if strings.Count(body, `"corrected": true`) != 1 || strings.Count(body, `"correction": true`) != 1 {
		t.Errorf("in JSON: %s", body)
	}
	for at, want := range map[string]string{first: "PK1", second: "PK2"} {
		if code, body := get(t, h, at); code != http.StatusOK || body != want {
			t.Errorf("%s: %d %q", at, code, body)
		}
	}
	for _, at := range []string{
		"1/other.2026-01-01.2026-06-30.csv", "3/terms", "9/x", "x/x", "0/eu-2024-2835.zip",
	} {
		if code, _ := get(t, h, "/transparency/forms/"+at); code != http.StatusNotFound {
			t.Errorf("%s: %d", at, code)
		}
	}
}
