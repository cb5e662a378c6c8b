package disclose_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety/disclose"
	"parley/internal/safety/ledger"
	"parley/internal/store"
	"parley/internal/store/storetest"
	"parley/internal/tlog"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/report"
	"parley/internal/tlog/verify"
)

const origin = "parley.example/log"

// room is a store, a log, and what carries the one into the other.
type room struct {
	*testing.T
	store *store.Store
	clock *clock.Fake
	dir   string
	keys  *tlog.Keys
	log   *tlog.Log
	lines *ledger.Publisher
	daily *disclose.Service
	told  []string
	id    int64
}

func newRoom(t *testing.T, s *store.Store) *room {
	keys, err := tlog.OpenKeys(t.TempDir(), origin, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r := &room{
		T: t, store: s, dir: t.TempDir(), keys: keys,
		clock: clock.NewFake(time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)),
	}
	r.start()
	t.Cleanup(r.stop)
	return r
}

// start opens what a process has.
func (r *room) start() {
	r.Helper()
	var err error
	r.log, err = tlog.Open(r.Context(), tlog.Options{
		Dir: filepath.Join(r.dir, "log"), Signed: filepath.Join(r.dir, "signed"), Keys: r.keys,
		Interval: 100 * time.Millisecond,
	})
	if err != nil {
		r.Fatal(err)
	}
	r.lines = &ledger.Publisher{Store: r.store, Log: r.log}
	r.daily = disclose.New(disclose.Options{
		Log: r.log, Clock: r.clock, Drain: r.lines.Drain,
		Published: func(_ context.Context, p report.Report) error {
			r.told = append(r.told, p.Day)
			return nil
		},
	})
}

func (r *room) stop() {
	r.Helper()
	if err := r.log.Close(context.Background()); err != nil {
		r.Error(err)
	}
}

// decide writes the lines of so many decisions, each of a subject of its own.
func (r *room) decide(n int) {
	r.Helper()
	for range n {
		r.id++
		writeLine(r.T, r.store, r.clock, r.id)
	}
}

// writeLine writes the line of a decision about an account of the same number.
func writeLine(t *testing.T, s *store.Store, c clock.Clock, id int64) {
	t.Helper()
	subject := ids.UserID(id).Peer()
	err := s.Update(t.Context(), subject, func(tx *store.Tx) error {
		return ledger.Write(tx, rand.Reader, ledger.Line{
			Subject: subject, ID: id, Kind: ledger.Decision, At: c.Now().Unix(),
			Entry:  entry.Entry{Subject: "account", Items: 1, Accounts: 1},
			Record: map[string]int64{"id": id},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (r *room) drain(want int) {
	r.Helper()
	n, err := r.lines.Drain(r.Context())
	if err != nil || n != want {
		r.Fatalf("%d lines, not %d: %v", n, want, err)
	}
}

// check checks the published log as a stranger does.
func (r *room) check() verify.Result {
	r.Helper()
	keys, err := verify.NewKeys(origin, strings.Fields(r.keys.Public()), nil, 0)
	if err != nil {
		r.Fatal(err)
	}
	size, err := r.log.Size(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	if err := r.log.Published(r.Context(), size-1); err != nil {
		r.Fatal(err)
	}
	got, err := verify.Check{Source: r.log.Source(), Keys: keys, Reports: true}.Run(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	return got
}

// TestEachLineOnce: however often the process ends between the log and the mark.
func TestEachLineOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r := newRoom(t, s)
		r.decide(300)
		r.drain(300)
		r.drain(0)
		r.decide(7)
		var rows []store.LedgerRow
		err := s.View(t.Context(), func(rd *store.Reader) (err error) {
			rows, err = rd.PendingLedgerRows(4)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		// A process that ended after it had appended four lines and before it marked one.
		err = r.log.Append(t.Context(), func(int64) (list [][]byte, err error) {
			for _, row := range rows {
				list = append(list, row.Entry)
			}
			return list, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		r.stop()
		r.start()
		r.drain(7)
		if got := r.check(); got.Entries != 307 {
			t.Errorf("%d entries", got.Entries)
		}
		places := map[int64]bool{}
		for id := int64(1); id <= r.id; id++ {
			err := s.View(t.Context(), func(rd *store.Reader) error {
				row, err := rd.LedgerRow(ids.UserID(id).Peer(), id, int64(ledger.Decision))
				places[row.Logged] = true
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if len(places) != 307 || places[0] {
			t.Errorf("%d places", len(places))
		}
	})
}

// TestDaily: a report for each day that is over, also for those on which nothing ran, and the same
// bytes whichever process writes them.
func TestDaily(t *testing.T) {
	r := newRoom(t, storetest.SQLite(t))
	publish := func() {
		t.Helper()
		if err := r.daily.Publish(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	r.decide(3)
	publish()
	r.clock.Advance(72 * time.Hour)
	r.decide(2)
	publish()
	publish()
	if got := fmt.Sprint(r.told); got != "[2026-11-28 2026-11-29 2026-11-30]" {
		t.Errorf("told of %s", got)
	}
	got := r.check()
	if got.Reports != 3 || got.Last != "2026-11-30" {
		t.Errorf("%d reports, the last of %s", got.Reports, got.Last)
	}
	at := r.log.File(verify.ReportFile("2026-11-28", "json"))
	first, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	p, err := report.Parse(first)
	if err != nil || p.Today.Decisions != 3 || p.Month.Decisions != 3 {
		t.Errorf("%s: %v", first, err)
	}
	if err := os.RemoveAll(r.log.File(verify.ReportsDir)); err != nil {
		t.Fatal(err)
	}
	r.stop()
	r.start()
	publish()
	again, err := os.ReadFile(at)
	if err != nil || !bytes.Equal(again, first) {
		t.Errorf("%s: %v", again, err)
	}
	r.check()
}

// TestLate: what is logged of a day whose report is out is a visible correction of the next report.
func TestLate(t *testing.T) {
	r := newRoom(t, storetest.SQLite(t))
	r.decide(1)
	r.clock.Advance(24 * time.Hour)
	if err := r.daily.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(-24 * time.Hour)
	r.decide(2)
	r.clock.Advance(48 * time.Hour)
	if err := r.daily.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.check()
	b, err := os.ReadFile(r.log.File(verify.ReportFile("2026-11-29", "json")))
	if err != nil {
		t.Fatal(err)
	}
	p, err := report.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, c := range p.Corrections {
		found = found || c == report.Correction{
			Day: "2026-11-28", Figure: "decisions", Was: "1", Is: "3",
		}
	}
	if !found || p.Month.Decisions != 3 {
		t.Errorf("%s", b)
	}
}

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// TestText: what the channels say, in the words of the report.
func TestText(t *testing.T) {
	r := report.Report{Day: "2026-11-28"}
	r.Today.Banned = report.Banned{All: 9, ChildSafety: 3, Terrorism: 2}
	r.Month.Banned = report.Banned{All: 90, ChildSafety: 30, Terrorism: 20}
	r.Today.Appeals = report.Outcomes{Upheld: 4, Partly: 1, Reversed: 2}
	for topic, want := range map[disclose.Topic]string{
		disclose.ChildSafety: "3 groups and channels related to child abuse banned on 2026-11-28.\n" +
			"Total this month: 30.\n\nhttps://x.example/2026-11-28",
		disclose.Terrorism: "2 groups and channels related to terrorism banned on 2026-11-28.\n" +
			"Total this month: 20.\n\nhttps://x.example/2026-11-28",
		disclose.All: "2026-11-28: 0 decisions, 0 of them by machines alone; 9 groups and channels " +
			"banned; 7 complaints decided, 3 of them in favour of who complained.\n" +
			"Total this month: 0 decisions.\n\nhttps://x.example/2026-11-28",
	} {
		if got := disclose.Text(topic, r, "https://x.example/"+r.Day); got != want {
			t.Errorf("%s", got)
		}
	}
}
