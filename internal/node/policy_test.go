package node

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/internal/safety/instrument"
	"parley/internal/safety/policy"
)

// TestOrdersAreJudgedByTheOperatorsRules: the rules that the configuration names hold for orders,
// and a server whose rules are wrong does not start and says where.
func TestOrdersAreJudgedByTheOperatorsRules(t *testing.T) {
	w := newWorld(t)
	fired := func() []string {
		t.Helper()
		v, err := w.n.Orders.Judge(policy.Request{
			Country: "DE", Asked: policy.Asked{Action: policy.Keys, Target: policy.Account},
			By:     policy.By{Kind: instrument.Police},
			Ground: policy.Ground{Instrument: instrument.Order},
		})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, f := range v.Fired {
			ids = append(ids, f.Rule)
		}
		return ids
	}
	if rules := fired(); !slices.Contains(rules, "refused/keys") ||
		slices.Contains(rules, "own/keys") {
		t.Errorf("the rules that the program comes with: %q", rules)
	}

	w.close()
	w.cfg.Policy.Rules = filepath.Join(w.dir, "rules")
	if err := os.CopyFS(w.cfg.Policy.Rules, policy.Rules()); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(w.cfg.Policy.Rules, "90-own.toml")
	write := func(when string) {
		text := `name = "Our own"
version = 1
author = "legal lead"
reason = "We say it once more."

[[rule]]
id = "own/keys"
when = '` + when + `'
because = "We have none to give."
refuse = { code = "no-handler" }

[[test]]
name = "keys"
request = { asked = { action = "keys" } }
want = { outcome = "refused" }
`
		if err := os.WriteFile(own, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`asked.action = "keys"`)
	_, err := Open(context.Background(), w.cfg, Options{
		Log: slog.New(slog.DiscardHandler), Out: io.Discard, Clock: w.clock,
	})
	var wrong policy.Problems
	if !errors.As(err, &wrong) || !strings.Contains(err.Error(), "90-own.toml") {
		t.Errorf("with a wrong rule: %v", err)
	}
	write(`asked.action == "keys"`)
	w.open()
	if rules := fired(); !slices.Contains(rules, "own/keys") {
		t.Errorf("the operator's rules: %q", rules)
	}
}
