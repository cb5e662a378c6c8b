package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// line runs a command line in a folder of its own.
func line(t *testing.T, args ...string) (status int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	status = run(args, &o, &e)
	return status, o.String(), e.String()
}

// write makes a file.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	at := filepath.Join(dir, name)
	if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return at
}

// TestPolicy is what an operator does with rules: test, explain, import an index and see that it
// counts, simulate a change, and be told on which line of it something is wrong.
func TestPolicy(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	order := `{"reference":"7/26","received":"2026-03-02T09:00:00Z","country":"FR",` +
		`"asked":{"action":"withhold","target":"item","items":1,"exact":true,"territory":["FR"]},` +
		`"by":{"kind":"authority","verified":["sender"]},"ground":{"instrument":"dsa-9","has":[` +
		`"reference","identity","legal-basis","reasons","location","redress","territory",` +
		`"language"]},"content":{}}`
	file := write(t, dir, "order.json", order)
	says := func(want string, args ...string) {
		t.Helper()
		status, out, errs := line(t, args...)
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("%v: %d %s %s", args, status, out, errs)
		}
	}
	says("tests passed", "policy", "test", "--data", data)
	says("depth:      2", "policy", "explain", "--data", data, file)
	says(`"outcome": "allowed"`, "policy", "explain", "--json", file)
	for i, of := range []string{"rule-of-law", "press-freedom"} {
		table := write(t, dir, of+".csv", "country_text_id,year,x\nFRA,2024,0.9\n")
		says("1 countries", "policy", "import", "--data", data, "--of", of, "--name", "N",
			"--source", "https://example.org", "--licence", "CC-BY-4.0", "--value", "x", table)
		says([]string{"depth:      2", "depth:      1"}[i], "policy", "explain", "--data", data, file)
	}
	other := filepath.Join(dir, "rules")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	head := "name = \"n\"\nversion = 1\nauthor = \"a\"\nreason = \"r\"\n[[rule]]\nid = \"i\"\n" +
		"because = \"b\"\nrefuse = { code = \"c\" }\n"
	write(t, other, "a.toml", head+"when = 'asked.restricting'\n")
	orders := write(t, dir, "orders.jsonl", order+"\n")
	status, out, errs := line(t, "policy", "simulate", "--than", other, orders)
	if status != 0 || !strings.Contains(errs, "1 of 1 orders differ") ||
		!strings.Contains(out, `"reference":"7/26"`) {
		t.Errorf("%d %s %s", status, out, errs)
	}
	write(t, other, "a.toml", head+"when = 'asked.gently'\n")
	status, _, errs = line(t, "policy", "test", "--rules", other)
	if status != 1 || !strings.Contains(errs, "a.toml:9: ") {
		t.Errorf("%d %s", status, errs)
	}
	status, _, errs = line(t, "policy", "explain", write(t, dir, "bad.json", `{"asked":1}`))
	if status != 1 || !strings.Contains(errs, "cannot be judged") {
		t.Errorf("%d %s", status, errs)
	}
}

// TestConfigCheck: what the configuration leaves open is said, and does not fail it.
func TestConfigCheck(t *testing.T) {
	status, out, errs := line(t, "config", "check")
	if status != 0 || !strings.Contains(out, "Art. 11") || !strings.Contains(out, "is valid") {
		t.Errorf("%d %s %s", status, out, errs)
	}
	bad := write(t, t.TempDir(), "bad.toml", "[contact]\nestablished = \"Atlantis\"\n")
	if status, _, errs := line(t, "--config", bad, "config", "check"); status != 1 ||
		!strings.Contains(errs, `bad.toml:2`) {
		t.Errorf("%d %s", status, errs)
	}
}
