package disclose_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sys/unix"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety/disclose"
	"parley/internal/safety/ledger"
	"parley/internal/store"
	"parley/internal/store/storetest"
	"parley/internal/tlog"
	"parley/internal/tlog/verify"
	"parley/internal/tlog/witness"
)

// What the process that dies is told by.
const (
	crashPoint = "PARLEY_CRASH_POINT"
	crashPlant = "PARLEY_CRASH_PLANT"
)

// points are the steps between which the process dies, from the decision's commit to the copy of
// its published line. Those that name a folder are inside the library that writes the log: the
// process dies as soon as anything is made in that folder.
var points = []string{
	"committed",
	"in tile/entries/000.p", "in tile/0/000.p", "in .state",
	"appended", "marked one", "marked",
	"signing", "signed", "asked", "cosigned",
	"report written", "report appended", "report published", "report told",
	"copied", "copy published",
}

// plant is what is left of a server when it dies.
type plant struct {
	Store, Dir, Policy string
	Now                time.Time
	// ID is the last decision.
	ID int64
}

// TestCrash stops a process that publishes between any two of its steps. At every moment what a
// stranger sees is in order and continues what he saw before; afterwards each line is in the log
// once, in the order of the decisions, and receipts of before still hold.
func TestCrash(t *testing.T) {
	engines := map[string]func(testing.TB) string{"sqlite": storetest.SQLiteURL}
	for _, point := range points {
		if strings.HasPrefix(point, "appended") || strings.HasPrefix(point, "marked") {
			engines["postgres"] = storetest.PostgresURL
		} else {
			delete(engines, "postgres")
		}
		for engine, url := range engines {
			t.Run(engine+"/"+point, func(t *testing.T) { crash(t, url(t), point) })
		}
	}
}

func crash(t *testing.T, url, point string) {
	w := newWorks(t, plant{
		Store: url, Dir: t.TempDir(), Now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC),
	})
	w.decide(5)
	w.publish()
	receipts := w.receipts()
	w.stop()
	seen := w.stranger(verify.Seen{})

	child := exec.Command(os.Args[0], "-test.run=^TestCrashingProcess$", "-test.v")
	planted, err := json.Marshal(w.plant)
	if err != nil {
		t.Fatal(err)
	}
	child.Env = append(os.Environ(), crashPoint+"="+point, crashPlant+"="+string(planted))
	out, _ := child.CombinedOutput()
	if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Fatalf("the process did not die at %q: %s", point, out)
	}

	seen = w.stranger(seen)
	w.ID += added
	w.Now = w.Now.Add(24 * time.Hour)
	w.start()
	w.publish()
	w.decide(1)
	w.publish()
	w.eachOnce()
	w.stop()
	w.stranger(seen)
	for _, r := range receipts {
		if p, err := w.trust.Receipt(r); err != nil || !p.Opened {
			t.Errorf("a receipt of before: %v", err)
		}
	}
}

// added is how many decisions the process makes that dies.
const added = 7

// TestCrashingProcess is the process that dies.
func TestCrashingProcess(t *testing.T) {
	point := os.Getenv(crashPoint)
	if point == "" {
		t.Skip("only as a process of TestCrash")
	}
	w := &works{T: t}
	if err := json.Unmarshal([]byte(os.Getenv(crashPlant)), &w.plant); err != nil {
		t.Fatal(err)
	}
	w.crash = func(at string) {
		if at == point {
			die()
		}
	}
	w.start()
	w.decide(added)
	w.crash("committed")
	if dir, ok := strings.CutPrefix(point, "in "); ok {
		dieIn(t, filepath.Join(w.Dir, "log", filepath.FromSlash(dir)))
	}
	w.clock.Advance(24 * time.Hour)
	w.publish()
	t.Fatal("nobody died")
}

func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// dieIn ends the process when something is made in a folder.
func dieIn(t *testing.T, dir string) {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err == nil {
		_, err = unix.InotifyAddWatch(fd, dir, unix.IN_CREATE|unix.IN_MOVED_TO)
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		var event [4096]byte
		if _, err := unix.Read(fd, event[:]); err == nil {
			die()
		}
	}()
}

// works are all that publishes: store, log, witness, reports and a copy.
type works struct {
	*testing.T
	plant
	trust verify.Keys
	crash func(point string)

	clock  *clock.Fake
	store  *store.Store
	log    *tlog.Log
	lines  *ledger.Publisher
	daily  *disclose.Service
	mirror *tlog.Mirror
}

// newWorks makes the keys, runs a witness until the test ends, and starts.
func newWorks(t *testing.T, p plant) *works {
	w := &works{T: t, plant: p, crash: func(string) {}}
	keys, err := tlog.OpenKeys(p.Dir, origin, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret, public, err := note.GenerateKey(rand.Reader, "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := fnote.NewSignerForCosignatureV1(secret)
	if err != nil {
		t.Fatal(err)
	}
	cosigner, err := fnote.VKeyToCosignatureV1(public)
	if err != nil {
		t.Fatal(err)
	}
	list := strings.Fields(keys.Public())
	if w.trust, err = verify.NewKeys(origin, list, []string{cosigner}, 1); err != nil {
		t.Fatal(err)
	}
	handler, err := witness.New(t.TempDir(), signer, witness.Log{Origin: origin, Keys: w.trust.Log})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	w.Policy = fmt.Sprintf("witness w %s %s\nquorum w\n", cosigner, server.URL)
	w.start()
	return w
}

// RoundTrip asks the witness.
func (w *works) RoundTrip(r *http.Request) (*http.Response, error) {
	w.crash("asked")
	resp, err := http.DefaultTransport.RoundTrip(r)
	w.crash("cosigned")
	return resp, err
}

func (w *works) start() {
	w.Helper()
	keys, err := tlog.OpenKeys(w.Dir, origin, rand.Reader)
	if err != nil {
		w.Fatal(err)
	}
	w.clock = clock.NewFake(w.Now)
	w.store, err = store.Open(w.Context(), store.Options{URL: w.Store})
	if err != nil {
		w.Fatal(err)
	}
	w.log, err = tlog.Open(w.Context(), tlog.Options{
		Dir: filepath.Join(w.Dir, "log"), Signed: filepath.Join(w.Dir, "signed"), Keys: keys,
		Interval: 100 * time.Millisecond, Witnesses: w.Policy, Client: &http.Client{Transport: w},
		Crash: w.crash,
	})
	if err != nil {
		w.Fatal(err)
	}
	w.lines = &ledger.Publisher{Store: w.store, Log: w.log, Crash: w.crash}
	w.daily = disclose.New(disclose.Options{
		Log: w.log, Clock: w.clock, Drain: w.lines.Drain, Crash: w.crash,
	})
	w.mirror = &tlog.Mirror{Log: w.log, To: tlog.Folder(w.copy())}
}

func (w *works) copy() string { return filepath.Join(w.Dir, "copy") }

func (w *works) stop() {
	w.Helper()
	err := errors.Join(w.log.Close(context.Background()), w.store.Close())
	if err != nil {
		w.Error(err)
	}
}

// decide writes the lines of so many decisions, one after the other.
func (w *works) decide(n int) {
	w.Helper()
	for range n {
		w.ID++
		w.clock.Advance(time.Second)
		writeLine(w.T, w.store, w.clock, w.ID)
	}
}

// publish does all that a server does with what waits.
func (w *works) publish() {
	w.Helper()
	if err := w.daily.Publish(w.Context()); err != nil {
		w.Fatal(err)
	}
	size, err := w.log.Size(w.Context())
	if err == nil {
		err = w.log.Published(w.Context(), size-1)
	}
	if err == nil {
		err = w.mirror.Update(w.Context())
	}
	if err != nil {
		w.Fatal(err)
	}
}

// receipts are those of all lines so far.
func (w *works) receipts() (out []verify.Receipt) {
	w.Helper()
	for id := int64(1); id <= w.ID; id++ {
		r, err := w.lines.Receipt(w.Context(), ids.UserID(id).Peer(), id, ledger.Decision)
		if err != nil {
			w.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// stranger checks the log and its copy, and that both continue what he saw before. He returns what
// he saw of the copy, which may be behind.
func (w *works) stranger(seen verify.Seen) (last verify.Seen) {
	w.Helper()
	for _, dir := range []string{filepath.Join(w.Dir, "log"), w.copy()} {
		got, err := verify.Check{
			Source: verify.Dir(dir), Keys: w.trust, Since: seen, Reports: true,
		}.Run(context.Background())
		if err != nil {
			w.Fatalf("%s: %v", dir, err)
		}
		last = got.Checkpoint.Seen()
	}
	return last
}

// eachOnce checks that all lines are in the log, each once and in their order, and where their rows
// say.
func (w *works) eachOnce() {
	w.Helper()
	size, err := w.log.Size(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	var list [][]byte
	err = verify.Each(w.Context(), w.log.Source(), 0, size, func(_ int64, b []byte) error {
		list = append(list, b)
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	reports, last := 0, int64(0)
	for _, b := range list {
		if strings.Contains(string(b), `"kind":"report"`) {
			reports++
		}
	}
	if len(list) != int(w.ID)+reports || reports != 1 {
		w.Errorf("%d entries of %d decisions and %d reports", len(list), w.ID, reports)
	}
	for id := int64(1); id <= w.ID; id++ {
		var row store.LedgerRow
		err := w.store.View(w.Context(), func(r *store.Reader) (err error) {
			row, err = r.LedgerRow(ids.UserID(id).Peer(), id, int64(ledger.Decision))
			return err
		})
		switch {
		case err != nil:
			w.Fatal(err)
		case row.Logged <= last:
			w.Errorf("line %d is at %d, the one before it at %d", id, row.Logged, last)
		case string(list[row.Logged-1]) != string(row.Entry):
			w.Errorf("line %d is not at %d", id, row.Logged)
		}
		last = row.Logged
	}
}
