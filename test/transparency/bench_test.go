package transparency

import (
	"context"
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/internal/clock"
	"parley/internal/safety/disclose"
	"parley/internal/tlog"
	"parley/internal/tlog/entry"
)

// BenchmarkLog is the log of a month, as it is written and as a stranger recomputes it: entries a
// second and a second of processor time that are on disk and integrated, bytes of an entry in all files, and of the verifier, a
// process of its own, entries a second of its processor time and the most memory that it had. The
// figures at the three sizes are its curve of growth.
func BenchmarkLog(b *testing.B) {
	program := filepath.Join(b.TempDir(), "parley-verify")
	build := exec.Command("go", "build", "-o", program, "parley/cmd/parley-verify")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	for _, size := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			m := newMonth(b)
			m.write(size)
			var used time.Duration
			var most int64
			for b.Loop() {
				cmd := exec.Command(program, "check", m.dir, "--origin="+origin, "--key="+m.key)
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatalf("%v: %s", err, out)
				}
				used += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
				if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
					most = max(most, u.Maxrss)
				}
			}
			b.ReportMetric(float64(size)/m.appending.Seconds(), "appended/s")
			b.ReportMetric(float64(size)/m.busy.Seconds(), "appended/cpu-s")
			b.ReportMetric(float64(m.bytes())/float64(size), "bytes/entry")
			b.ReportMetric(float64(size)*float64(b.N)/used.Seconds(), "checked/cpu-s")
			b.ReportMetric(float64(most)/1024, "MiB")
		})
	}
}

// month is a log of 28 days with their reports.
type month struct {
	testing.TB
	dir, key string
	log      *tlog.Log
	clock    *clock.Fake
	daily    *disclose.Service
	n        int
	// appending is how long that took, busy how much of that the processor worked.
	appending, busy time.Duration
}

// days is how many days the month has.
const days = 28

func newMonth(b testing.TB) *month {
	b.Helper()
	keys, err := tlog.OpenKeys(b.TempDir(), origin, rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	m := &month{TB: b, dir: b.TempDir(), key: strings.TrimSpace(keys.Public())}
	m.clock = clock.NewFake(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	m.log, err = tlog.Open(b.Context(), tlog.Options{
		Dir: m.dir, Signed: filepath.Join(b.TempDir(), "signed"), Keys: keys,
		Interval: 100 * time.Millisecond,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = m.log.Close(context.Background()) })
	m.daily = disclose.New(disclose.Options{
		Log: m.log, Clock: m.clock, Drain: func(context.Context) (int, error) { return 0, nil },
	})
	return m
}

// batch is how many lines the publisher carries into the log together.
const batch = 2048

// write writes decisions over the days, and the reports.
func (m *month) write(size int) {
	m.Helper()
	for day := range days {
		for m.n < size*(day+1)/days {
			began, used := time.Now(), m.used()
			err := m.log.Append(m.Context(), func(int64) (list [][]byte, err error) {
				for len(list) < batch && m.n < size*(day+1)/days {
					list = append(list, m.decision())
				}
				return list, nil
			})
			m.appending += time.Since(began)
			m.busy += m.used() - used
			if err != nil {
				m.Fatal(err)
			}
		}
		m.clock.Advance(24 * time.Hour)
		if err := m.daily.Publish(m.Context()); err != nil {
			m.Fatal(err)
		}
	}
}

// used is how much processor time this process has had.
func (m *month) used() time.Duration {
	m.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		m.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// decision is the entry of a usual decision.
func (m *month) decision() []byte {
	m.Helper()
	m.n++
	var record [16]byte
	_, _ = rand.Read(record[:])
	b, err := entry.Entry{
		V: entry.Version, Kind: entry.Decision, ID: fmt.Sprintf("%x", record),
		Day: entry.Day(m.clock.Now()), Subject: "message",
		Measures: []string{"DECISION_VISIBILITY_CONTENT_REMOVED"},
		Ground:   "DECISION_GROUND_INCOMPATIBLE_CONTENT",
		Category: "STATEMENT_CATEGORY_SCAMS_AND_FRAUD", Keywords: []string{"KEYWORD_PHISHING"},
		Source: "SOURCE_TYPE_OTHER_NOTIFICATION", Decided: "AUTOMATED_DECISION_NOT_AUTOMATED",
		Content: []string{"CONTENT_TYPE_TEXT"}, Lang: "EN", Items: 1, Accounts: 1, Told: 1,
		Minutes: int64(m.n % 600), Persons: 1,
		Commitment: entry.Commit([entry.SaltSize]byte{}, record[:]),
	}.Encode()
	if err != nil {
		m.Fatal(err)
	}
	return b
}

// bytes is how many bytes all public files have.
func (m *month) bytes() (n int64) {
	m.Helper()
	err := fs.WalkDir(os.DirFS(m.dir), ".", func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	if err != nil {
		m.Fatal(err)
	}
	return n
}
