package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"parley/internal/node"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
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

// TestPolicyOfPastOrders: rules are explained by an order that came here, and other rules compared
// by all that did; one that says nothing which policy knows is passed over.
func TestPolicyOfPastOrders(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	var refs []string
	p := &process{ctx: t.Context(), out: io.Discard, err: io.Discard}
	err := p.tool(data, func(n *node.Node) error {
		for i, action := range []policy.Action{policy.Keys, "destroy", policy.Remove} {
			r, err := n.Orders.Submit(p.ctx, order.Sender{}, order.Document{
				Instrument: instrument.Order, Country: "FR", Authority: "An authority",
				Number: strconv.Itoa(i), Action: action,
			})
			if err != nil {
				return err
			}
			refs = append(refs, r.Order.Reference)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	status, out, errs := line(t, "policy", "explain", "--data", data, refs[0])
	if status != 0 || !strings.Contains(out, "refused/keys") {
		t.Errorf("%d %s %s", status, out, errs)
	}
	for of, want := range map[string]string{
		refs[1]: "policy is not asked", "O": "neither a file nor a reference",
	} {
		status, _, errs = line(t, "policy", "explain", "--data", data, of)
		if status != 1 || !strings.Contains(errs, want) {
			t.Errorf("%s: %d %s", of, status, errs)
		}
	}
	other := filepath.Join(dir, "rules")
	if err := os.CopyFS(other, policy.Rules()); err != nil {
		t.Fatal(err)
	}
	write(t, other, "90-own.toml", `name = "n"
version = 1
author = "a"
reason = "r"
[[rule]]
id = "own/none"
when = 'asked.action == "keys"'
because = "b"
refuse = { code = "general" }
`)
	status, out, errs = line(t, "policy", "simulate", "--data", data, "--than", other)
	if status != 0 || !strings.Contains(errs, "1 of 2 orders differ") ||
		!strings.Contains(out, refs[0]) {
		t.Errorf("%d %s %s", status, out, errs)
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
