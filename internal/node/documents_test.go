package node

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"parley/internal/safety"
	"parley/internal/tlog/verify"
)

// TestDocumentsArePublished: the operator's rules and forms, and a statement that a person signed with the
// program for strangers appear on their pages, each once, and the program finds log, documents and
// statement in order.
func TestDocumentsArePublished(t *testing.T) {
	w := newWorld(t)
	owner := w.join("Member 1")
	peer := w.publicChannel(owner, "some_news", "one")
	w.decided(removal(safety.Subject{Peer: peer, Kind: safety.Message, Item: 2, Author: owner.self}))
	w.publish()
	dir := t.TempDir()
	program := filepath.Join(dir, "parley-verify")
	out, err := exec.Command("go", "build", "-o", program, "parley/cmd/parley-verify").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	log := w.n.transparency.log
	run := func(args ...string) (string, error) {
		out, err := exec.Command(program, args...).CombinedOutput()
		return string(out), err
	}
	trusting := func(args ...string) []string {
		return append(args, "--origin", log.Origin(), "--key",
			strings.Fields(w.n.transparency.keys.Public())[0])
	}
	secret, text := filepath.Join(dir, "person.key"), filepath.Join(dir, "text.txt")
	public, err := run("canary", "key", "signer.example", secret)
	if err != nil {
		t.Fatal(public)
	}
	public = strings.TrimSpace(public)
	for at, said := range map[string]string{
		text: "No authority has asked us for keys.\n", filepath.Join(dir, "2026-03-01.en.txt"): "Be kind.\n",
	} {
		if err := os.WriteFile(at, []byte(said), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	signed, err := run(trusting("canary", "sign", log.File(""), text, "--secret", secret,
		"--until", "2999-12-31")...)
	if err != nil {
		t.Fatal(signed)
	}
	at := &w.n.Config.Transparency
	at.Rules, at.Canary = filepath.Join(dir, "rules"), filepath.Join(dir, "canary.txt")
	at.CanaryKeys = []string{public}
	if w.n.transparency.persons, err = verify.Persons(at.CanaryKeys); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at.Canary, []byte(signed), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(at.Rules, "terms"), 0o700); err != nil {
		t.Fatal(err)
	}
	err = os.Rename(filepath.Join(dir, "2026-03-01.en.txt"),
		filepath.Join(at.Rules, "terms", "2026-03-01.en.txt"))
	if err != nil {
		t.Fatal(err)
	}
	at.Forms = filepath.Join(dir, "forms")
	form := filepath.Join(at.Forms, "tco-7", "2026-01-01.2026-12-31.json")
	if err := os.MkdirAll(filepath.Dir(form), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(form, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.n.publishDocuments(ctx()); err != nil {
			t.Fatal(err)
		}
	}
	w.publish()
	v := w.visitor()
	if _, body := v.get("/transparency/canary"); !strings.Contains(body, "holds until 2999-12-31") ||
		!strings.Contains(body, "No authority has asked") {
		t.Errorf("the statement: %s", body)
	}
	_, body := v.get("/transparency/rules.json")
	if strings.Count(body, `"digest"`) != 1 {
		t.Errorf("the rules: %s", body)
	}
	if status, body := v.get("/transparency/rules/1"); status != http.StatusOK ||
		!strings.Contains(body, "Be kind.") {
		t.Errorf("a version: %d %s", status, body)
	}
	_, body = v.get("/transparency/forms")
	if !strings.Contains(body, "tco-7.2026-01-01.2026-12-31.json") {
		t.Errorf("the forms: %s", body)
	}
	said, err := run(trusting("canary", "check", log.File(""), "--person", public)...)
	if err != nil || !strings.Contains(said, "signer.example signed on") ||
		!strings.Contains(said, "No authority has asked") {
		t.Errorf("%v: %s", err, said)
	}
}
