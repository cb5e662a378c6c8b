package decide_test

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// What the process that dies is told by.
const (
	crashPoint = "PARLEY_CRASH_POINT"
	crashStore = "PARLEY_CRASH_STORE"
	crashKeys  = "PARLEY_CRASH_KEYS"
	crashPost  = "PARLEY_CRASH_POST"
	crashCase  = "PARLEY_CRASH_CASE"
)

// points are the steps between which the process dies, and whether the decision is made by then.
var points = []struct {
	name string
	made bool
}{
	{"measures", false}, {"decision", false}, {"letters", false}, {"case", false},
	{"ledger", false}, {"committed", true}, {"sent", true}, {"restored", true},
}

// TestCrash stops a process that decides, delivers and lifts between any two of its steps, and
// finds either all that belongs to a decision or nothing. What is then done again is done once.
func TestCrash(t *testing.T) {
	for engine, url := range map[string]func(testing.TB) string{
		"sqlite": storetest.SQLiteURL, "postgres": storetest.PostgresURL,
	} {
		for _, point := range points {
			t.Run(engine+"/"+point.name, func(t *testing.T) {
				crash(t, url(t), point.name, point.made)
			})
		}
	}
}

// open opens a store until the returned function is called.
func open(t *testing.T, url string) (*store.Store, func()) {
	t.Helper()
	s, err := store.Open(ctx(), store.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	return s, func() { _ = s.Close() }
}

func crash(t *testing.T, url, point string, made bool) {
	keys := t.TempDir()
	s, end := open(t, url)
	w := safetytest.NewKept(t, s, keys)
	post := w.Post("send me money")
	report := w.Report(post)
	if err := w.Courier.Settled(ctx(), post.Peer); err != nil {
		t.Fatal(err)
	}
	end()

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self, "-test.run=^TestCrashingProcess$", "-test.v")
	child.Env = append(os.Environ(), crashPoint+"="+point, crashStore+"="+url,
		crashKeys+"="+keys, fmt.Sprintf("%s=%d", crashPost, post.Item),
		fmt.Sprintf("%s=%d", crashCase, report.Case))
	out, _ := child.CombinedOutput()
	if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Fatalf("the process did not die at %q: %s", point, out)
	}

	s, end = open(t, url)
	defer end()
	w = safetytest.Attach(t, s, keys)
	if got := whole(w, post, report.Case); got != made {
		t.Errorf("died at %q: made %v, want %v", point, got, made)
	}
	d := w.Decide(safetytest.Draft(report.Case, post))
	w.Deliver()
	if !whole(w, post, report.Case) || d.State != decide.Effective {
		t.Errorf("decided after the crash: %+v", d)
	}
	for _, who := range []ids.UserID{safetytest.Author, safetytest.Reporter} {
		if n := len(w.Letters(who)); n != 1 {
			t.Errorf("%d letters to %d", n, who)
		}
	}
}

// whole tells whether there is a decision about a post with all that belongs to it. Anything less
// fails the test, unless there is nothing at all.
func whole(w *safetytest.World, post safety.Subject, of int64) bool {
	w.Helper()
	var has []bool
	w.View(func(r *store.Reader) error {
		decisions, err := decide.OfSubject(r, post.Peer, math.MaxInt64, 9)
		if err != nil {
			return err
		}
		measures, err := r.Restrictions(store.Restricts{
			Peer: post.Peer, Kind: int64(safety.Message), Item: post.Item,
		})
		if err != nil {
			return err
		}
		lines, err := r.LedgerRowsOf(post.Peer)
		if err != nil {
			return err
		}
		c, err := r.Case(post.Peer, of)
		if err != nil {
			return err
		}
		var letters []store.Letter
		if c.Decision != 0 {
			if letters, err = r.LettersOf(post.Peer, c.Decision); err != nil {
				return err
			}
		}
		has = []bool{
			len(decisions) == 1, len(measures) == 1, len(lines) == 1, len(letters) == 2,
			casefile.State(c.State) == casefile.Decided,
		}
		return nil
	})
	has = append(has, !w.There(post))
	if slices.Contains(has, true) && slices.Contains(has, false) {
		w.Errorf("decision, measure, line, letters, case, gone: %v", has)
	}
	return has[0]
}

// TestCrashingProcess is the process that dies.
func TestCrashingProcess(t *testing.T) {
	point := os.Getenv(crashPoint)
	if point == "" {
		t.Skip("only as a process of TestCrash")
	}
	s, end := open(t, os.Getenv(crashStore))
	defer end()
	w := safetytest.Attach(t, s, os.Getenv(crashKeys))
	die := func(at string) {
		if at == point {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	w.Decisions.Crash = die
	w.Statements.Crash = func(point string) error {
		die(point)
		return nil
	}
	item, err := strconv.ParseInt(os.Getenv(crashPost), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	of, err := strconv.ParseInt(os.Getenv(crashCase), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	post := safety.Subject{
		Peer: safetytest.Channel, Kind: safety.Message, Item: item, Author: safetytest.Author,
	}
	d := w.Decide(safetytest.Draft(of, post))
	w.Deliver()
	_, err = w.Decisions.Lift(ctx(), d.Subject.Peer, d.ID, safety.Actor{Staff: 9}, "wrong")
	t.Fatalf("nobody died: %v", err)
}
