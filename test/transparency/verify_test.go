// Package transparency runs a whole server, a witness and the verifier as their users do: as
// programs that know nothing of each other but addresses and public keys.
package transparency

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/config"
	"parley/internal/ids"
	"parley/internal/node/nodetest"
	"parley/internal/safety"
	"parley/internal/safety/decide"
	"parley/internal/safety/ledger"
	"parley/internal/store"
	"parley/internal/tlog"
)

const origin = "parley.example/log"

// programs are parley-verify, built, and what its user knows.
type programs struct {
	*testing.T
	file    string
	dir     string
	key     string
	witness string
}

func build(t *testing.T) *programs {
	t.Helper()
	p := &programs{T: t, dir: t.TempDir()}
	p.file = filepath.Join(p.dir, "parley-verify")
	out, err := exec.Command("go", "build", "-o", p.file, "parley/cmd/parley-verify").
		CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return p
}

// run runs parley-verify and returns what it says and its exit state.
func (p *programs) run(args ...string) (string, int) {
	p.Helper()
	cmd := exec.Command(p.file, args...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		p.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// startWitness runs a witness until the test ends and returns its address.
func (p *programs) startWitness() string {
	p.Helper()
	secret := filepath.Join(p.dir, "witness.key")
	out, code := p.run("key", "witness.example", secret)
	if code != 0 {
		p.Fatal(out)
	}
	p.witness = strings.TrimSpace(out)
	cmd := exec.Command(p.file, "witness", "--listen=127.0.0.1:0", "--secret="+secret,
		"--dir="+filepath.Join(p.dir, "seen"), "--key="+p.key)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		p.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(pipe).ReadString('\n')
	if err != nil {
		p.Fatal(err)
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "witness on "))
}

// trust are the flags of a user who asks for the witness.
func (p *programs) trust() []string {
	return []string{"--origin=" + origin, "--key=" + p.key, "--witness=" + p.witness}
}

// prepare makes a server's log keys and its witness before it starts.
func (p *programs) prepare(cfg *config.Config) {
	p.Helper()
	keys := filepath.Join(cfg.Data, "keys")
	if err := os.MkdirAll(keys, 0o700); err != nil {
		p.Fatal(err)
	}
	k, err := tlog.OpenKeys(keys, origin, rand.Reader)
	if err != nil {
		p.Fatal(err)
	}
	p.key = strings.TrimSpace(k.Public())
	address := p.startWitness()
	cfg.Transparency.Origin = origin
	cfg.Transparency.Interval = config.Duration(200 * time.Millisecond)
	cfg.Transparency.Witnesses = filepath.Join(p.dir, "policy")
	policy := fmt.Sprintf("witness w %s %s\nquorum w\n", p.witness, address)
	if err := os.WriteFile(cfg.Transparency.Witnesses, []byte(policy), 0o600); err != nil {
		p.Fatal(err)
	}
}

// limitSending decides something about a member.
func limitSending(t *testing.T, s *nodetest.Server, user ids.UserID) decide.Decision {
	t.Helper()
	d, err := s.Node.Decisions.Decide(t.Context(), decide.Draft{
		Subject: safety.Subject{Peer: user.Peer(), Kind: safety.Account, Author: user},
		Ground:  safety.Incompatible, Reference: "Terms, section 2: no spam",
		Explanation: "Sending the same text to many strangers is what the section forbids.",
		Facts:       "The account sent one text to 40 people who do not know it.",
		Category:    safety.ScamsAndFraud, Source: safety.Voluntary,
		Measures: []safety.MeasureSpec{{Measure: safety.LimitSending}},
		Means:    safety.Means{Decided: safety.NotAutomated}, By: safety.Actor{Staff: 7},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// member makes an account.
func member(t *testing.T, s *nodetest.Server, user ids.UserID) ids.UserID {
	t.Helper()
	err := s.Node.Store.Update(t.Context(), user.Peer(), func(tx *store.Tx) error {
		return tx.PutUser(store.User{ID: user, Phone: fmt.Sprint(user), FirstName: "Member"})
	})
	if err != nil {
		t.Fatal(err)
	}
	return user
}

// receipt waits until a decision is published and writes its receipt to a file.
func (p *programs) receipt(s *nodetest.Server, d decide.Decision) string {
	p.Helper()
	if err := s.Node.Disclose(p.Context()); err != nil {
		p.Fatal(err)
	}
	r, err := s.Node.Receipt(p.Context(), d.Subject.Peer, d.ID, ledger.Decision)
	if err != nil {
		p.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		p.Fatal(err)
	}
	file := filepath.Join(p.dir, "receipt.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		p.Fatal(err)
	}
	return file
}

// TestStranger: who has the address and the keys checks the log, its reports and a receipt, and
// notices what was changed in a mirror.
func TestStranger(t *testing.T) {
	p := build(t)
	s := nodetest.Start(t, p.prepare)
	d := limitSending(t, s, member(t, s, 777001))
	file := p.receipt(s, d)
	out, code := p.run(append([]string{"receipt", file}, p.trust()...)...)
	if code != 0 || !strings.Contains(out, "the entry is about this record") ||
		!strings.Contains(out, "witness.example") {
		t.Errorf("%d: %s", code, out)
	}
	state := filepath.Join(p.dir, "state")
	check := append([]string{"check", s.Web + "/log", "--state=" + state}, p.trust()...)
	if out, code := p.run(check...); code != 0 || !strings.Contains(out, "in order") {
		t.Errorf("%d: %s", code, out)
	}
	s.Restart()
	limitSending(t, s, member(t, s, 777002))
	if err := s.Node.Disclose(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out, code := p.run(check...); code != 0 {
		t.Errorf("after a restart, %d: %s", code, out)
	}
	mirror := filepath.Join(p.dir, "mirror")
	if err := os.CopyFS(mirror, os.DirFS(filepath.Join(s.Dir, "log"))); err != nil {
		t.Fatal(err)
	}
	check[1] = mirror
	if out, code := p.run(check...); code != 0 {
		t.Errorf("the mirror, %d: %s", code, out)
	}
	p.forge(mirror)
	if out, code := p.run(check...); code != 1 || !strings.Contains(out, "DOES NOT FIT") {
		t.Errorf("the forged mirror, %d: %s", code, out)
	}
}

// forge changes a decision in a mirror.
func (p *programs) forge(mirror string) {
	p.Helper()
	list, err := filepath.Glob(filepath.Join(mirror, "tile/entries/000.p/*"))
	if err != nil || len(list) == 0 {
		p.Fatal(err)
	}
	for _, at := range list {
		b, err := os.ReadFile(at)
		if err != nil {
			p.Fatal(err)
		}
		forged := bytes.Replace(b, []byte(`"accounts":1`), []byte(`"accounts":2`), 1)
		if err := os.WriteFile(at, forged, 0o600); err != nil {
			p.Fatal(err)
		}
	}
}

// TestKeysArePublished: where people look for them.
func TestKeysArePublished(t *testing.T) {
	s := nodetest.Start(t, nil)
	resp, err := http.Get(s.Web + "/log/keys")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	line, err := bufio.NewReader(resp.Body).ReadString('\n')
	if err != nil || !strings.Contains(line, "/log+") {
		t.Errorf("%q: %v", line, err)
	}
}

func TestMain(m *testing.M) { nodetest.Main(m) }
