package moderation

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"filippo.io/age"

	"parley/internal/safety/words"
	"parley/internal/tlog/paper"
)

// build makes the verifier that strangers use.
func build(t *testing.T) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "parley-verify")
	out, err := exec.Command("go", "build", "-o", program, "parley/cmd/parley-verify").
		CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// fetched is a signed paper as an authority has it.
type fetched struct {
	N      int64
	Signed string
	paper.Paper
}

// papers are all papers of an order, each of which the verifier has found in order.
func (s *scene) papers(g *given) (out []fetched) {
	s.Helper()
	status, body := g.office.call(http.MethodGet, program+"/"+g.reference+"/papers", nil)
	if status != http.StatusOK {
		s.Fatalf("papers: %d %s", status, body)
	}
	var list struct {
		Papers []struct {
			N      int64
			Signed string
		}
	}
	s.check(json.Unmarshal(body, &list))
	for _, x := range list.Papers {
		p := s.verified(x.Signed)
		if p.Reference != g.reference {
			s.Errorf("paper %d is about %s", x.N, p.Reference)
		}
		out = append(out, fetched{x.N, x.Signed, p})
	}
	return out
}

// newest is the paper of an order that came last.
func (s *scene) newest(g *given) fetched {
	s.Helper()
	list := s.papers(g)
	if len(list) == 0 {
		s.Fatal("there is no paper")
	}
	return list[len(list)-1]
}

// contact is what /.well-known/authority-contact.json says of how papers are checked.
func (s *scene) contact() (key string) {
	s.Helper()
	if s.papersKey == "" {
		var said struct {
			Papers struct {
				Key       string
				Languages []string
			}
		}
		s.read("/.well-known/authority-contact.json", &said)
		if !slices.Equal(said.Papers.Languages, words.Authorities()) {
			s.Errorf("authorities are told that they are answered in %v", said.Papers.Languages)
		}
		s.papersKey = said.Papers.Key
	}
	return s.papersKey
}

// read reads a public JSON document.
func (s *scene) read(at string, into any) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.web+at, nil)
	s.check(err)
	got, err := http.DefaultClient.Do(r)
	s.check(err)
	defer func() { _ = got.Body.Close() }()
	s.check(json.NewDecoder(got.Body).Decode(into))
}

// verified has the verifier check a paper with nothing but the published key, and reads it.
func (s *scene) verified(signed string) (p paper.Paper) {
	s.Helper()
	if p, known := s.seen[signed]; known {
		return p
	}
	said := s.verifies("answer", signed, "--key", s.contact())
	body, _, _ := strings.Cut(signed, "\n")
	s.check(json.Unmarshal([]byte(body), &p))
	if !strings.Contains(said, p.Reference) {
		s.Errorf("the verifier says %s", said)
	}
	altered := strings.Replace(signed, p.Reference, "X"+p.Reference[1:], 1)
	if out, err := s.verifier("answer", altered, "--key", s.contact()); err == nil {
		s.Errorf("an altered paper is in order: %s", out)
	}
	s.seen[signed] = p
	return p
}

// verifies has the verifier check something that must be in order.
func (s *scene) verifies(what, body string, args ...string) string {
	s.Helper()
	out, err := s.verifier(what, body, args...)
	if err != nil {
		s.Fatalf("%s: %v: %s", what, err, out)
	}
	return out
}

func (s *scene) verifier(what, body string, args ...string) (string, error) {
	s.Helper()
	at := filepath.Join(s.TempDir(), "paper")
	s.check(os.WriteFile(at, []byte(body), 0o600))
	args = append([]string{what, at}, args...)
	out, err := exec.Command(s.program, args...).CombinedOutput()
	return string(out), err
}

// isTold is what an authority finds in its newest paper: "is told of A: KIND GIVEN REASON"; "is
// told of A on 2: STATE REASON" of a thing that the order names; "is told of A missing: FIELD";
// "is told of A data CLASS: GIVEN REASON"; or, of what came by mail, "is mailed: KIND ...".
func (s *scene) isTold(o *office, w []string, text string, _ fields) {
	s.Helper()
	if w[0] == "mailed" {
		s.isMailed(o, text)
		return
	}
	s.settle()
	p := s.newest(s.given(w[2]))
	if len(w) == 3 {
		if got := short(p.Paper); got != text {
			s.Errorf("was told %q: %s", got, p.Text)
		}
		return
	}
	var said []string
	switch w[3] {
	case "on":
		n, err := strconv.Atoi(w[4])
		s.check(err)
		for _, i := range p.Items {
			if i.N == int64(n) {
				said = append(said, strings.TrimSpace(string(i.State)+" "+i.Reason))
			}
		}
	case "missing":
		for _, m := range p.Missing {
			said = append(said, m.Field)
		}
	case "data":
		for _, i := range p.Items {
			for _, d := range i.Data {
				if d.Class == w[4] {
					said = append(said, strings.TrimSpace(d.Given+" "+d.Reason))
				}
			}
		}
	default:
		s.Fatalf("nobody is told %q", w)
	}
	if !slices.Contains(said, text) {
		s.Errorf("was told %q", said)
	}
}

// short is what a paper says in a line.
func short(p paper.Paper) string {
	return strings.Join(strings.Fields(string(p.Kind)+" "+p.Given+" "+p.Reason), " ")
}

// readLetter reads the newest paper at the portal in the authority's language, and has the verifier
// check its PDF.
func (s *scene) readLetter(o *office, g *given, text string) {
	s.Helper()
	s.settle()
	p := s.newest(g)
	// The first PDF of a process reads the fonts, which on a busy machine takes longer than a
	// request may.
	_, err := s.server.Node.Orders.Sign.PDF([]byte(p.Signed), o.Lang)
	s.check(err)
	b := o.browser(o.member)
	at := fmt.Sprint(portal, g.reference, "/papers/", p.N)
	page := b.Get(at + "?lang=" + o.Lang)
	said := plain(page.Body)
	if !strings.Contains(said, text) {
		_, said, _ = strings.Cut(page.Body, "<main")
		s.Errorf("%d reads %s", page.Status, plain("<main"+said))
	}
	pdf := b.Get(at + "/pdf")
	if out := s.verifies("answer", pdf.Body, "--key", s.contact()); !strings.Contains(out,
		g.reference) {
		s.Errorf("the PDF: %s", out)
	}
}

// plain is the text of a page.
func plain(page string) string {
	page = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " ")
	return strings.Join(strings.Fields(unmarked(html.UnescapeString(page))), " ")
}

// proves gets the proofs that lines about an order are in the public log, once they are published.
func (s *scene) proves(o *office, g *given, lines []string) {
	s.Helper()
	s.check(s.server.Node.Disclose(s.Context()))
	var log struct {
		Origin string
		Keys   []string
	}
	s.read("/transparency/check.json", &log)
	for _, of := range lines {
		status, body := o.call(http.MethodGet, program+"/"+g.reference+"/receipt/"+of, nil)
		if status != http.StatusOK {
			s.Fatalf("%s: %d %s", of, status, body)
		}
		out := s.verifies("receipt", string(body), "--origin", log.Origin, "--key", log.Keys[0])
		if !strings.Contains(out, of) {
			s.Errorf("the proof of the %s is of %s", of, out)
		}
	}
}

// fetches fetches the data of an order, which only the authority's own key opens: each file is as
// the list of digests says, that list and the package are as the signed answer says.
func (s *scene) fetches(o *office, g *given, text string) {
	s.Helper()
	b := o.browser(o.member)
	at := portal + g.reference
	g.fetching = b.Get(at).Hidden(at + "/data")
	got := b.Post(at+"/data", g.fetching)
	if got.Status != http.StatusOK || len(g.fetching) == 0 {
		s.Fatalf("%d %s", got.Status, alerts(got.Body))
	}
	answer := s.newest(g)
	dir := s.TempDir()
	sealed, opened := filepath.Join(dir, "package.age"), filepath.Join(dir, "package.zip")
	s.check(os.WriteFile(sealed, []byte(got.Body), 0o600))
	clear, err := age.Decrypt(strings.NewReader(got.Body), o.secret)
	s.check(err)
	whole, err := io.ReadAll(clear)
	s.check(err)
	s.check(os.WriteFile(opened, whole, 0o600))
	s.verifies("answer", answer.Signed, "--key", s.contact(), "--package", sealed, "--opened", opened)
	files := s.unpack(whole)
	if !strings.Contains(string(files["data.txt"]), s.filled(text)) {
		s.Errorf("the data: %s", files["data.txt"])
	}
}

// unpack is the files of a package.
func (s *scene) unpack(b []byte) map[string][]byte {
	s.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	s.check(err)
	files := make(map[string][]byte)
	for _, f := range z.File {
		r, err := f.Open()
		s.check(err)
		files[f.Name], err = io.ReadAll(r)
		s.check(err)
		s.check(r.Close())
	}
	return files
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
