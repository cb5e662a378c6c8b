package decide_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/decide"
	"parley/internal/safety/safetytest"
	"parley/internal/store/storetest"
)

// deciders is how many decide at the same time.
const deciders = 128

// reportsEach is how many reports of one account are less than it may make.
const reportsEach = 100

// floorBytes is about how many bytes a decision with all that belongs to it adds to the database.
const floorBytes = 4096

// at runs fn n times, by as many workers, and returns how long that took.
func at(n, workers int, fn func(i int)) time.Duration {
	next := make(chan int, n)
	for i := range n {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	start := time.Now()
	for range workers {
		wg.Go(func() {
			for i := range next {
				fn(i)
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// floor appends to a file what a decision writes, and waits until it is on the disk, together with
// all others that wait at the time: the least that makes a decision durable.
type floor struct {
	mu      sync.Mutex
	file    *os.File
	pending []chan struct{}
	wake    chan struct{}
}

func (f *floor) write(body []byte) {
	done := make(chan struct{})
	f.mu.Lock()
	_, err := f.file.Write(body)
	f.pending = append(f.pending, done)
	f.mu.Unlock()
	if err != nil {
		panic(err)
	}
	select {
	case f.wake <- struct{}{}:
	default:
	}
	<-done
}

func (f *floor) sync() {
	for range f.wake {
		f.mu.Lock()
		list := f.pending
		f.pending = nil
		f.mu.Unlock()
		if err := f.file.Sync(); err != nil {
			panic(err)
		}
		for _, done := range list {
			close(done)
		}
	}
}

// cpu is the time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkBatch approves a mass measure against the posts of one channel: what BenchmarkDecide
// does for each, by one call. The proposals are made before.
func BenchmarkBatch(b *testing.B) {
	w := safetytest.New(b, storetest.SQLite(b))
	w.Decisions.Clock = clock.System{}
	drafts := make([]decide.Draft, b.N)
	at(b.N, deciders, func(i int) {
		w.Clock.Advance(time.Millisecond)
		post := w.Post(fmt.Sprint("send me money ", i))
		report := w.ReportBy(ids.UserID(2000+i/reportsEach), post)
		drafts[i] = safetytest.Draft(report.Case, post)
	})
	ctx := b.Context()
	batch, err := w.Decisions.ProposeBatch(ctx, drafts, safety.Actor{Staff: 7}, "a raid")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	used := cpu()
	if batch, err = w.Decisions.ApproveBatch(ctx, batch.ID, 8); err != nil {
		b.Fatal(err)
	}
	used = cpu() - used
	b.StopTimer()
	if n := batch.Count[decide.Effective]; n != int64(b.N) {
		b.Fatalf("%d of %d decisions are in force", n, b.N)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
	b.ReportMetric(float64(used.Microseconds())/float64(b.N), "cpu-us/op")
}

// BenchmarkDecide decides reported posts: the decision, its measure, the letters that it owes, the
// end of its case and its line for the log, durable, by many at a time; against the floor of the
// machine in the same run. xfloor is how many times the floor a decision takes.
func BenchmarkDecide(b *testing.B) {
	for _, kind := range []string{"statement", "spam"} {
		b.Run(kind, func(b *testing.B) {
			w := safetytest.New(b, storetest.SQLite(b))
			drafts := make([]decide.Draft, b.N)
			posts := make([]safety.Subject, b.N)
			at(b.N, deciders, func(i int) {
				w.Clock.Advance(time.Millisecond) // ids are by time
				posts[i] = w.Post(fmt.Sprint("send me money ", i))
				report := w.ReportBy(ids.UserID(2000+i/reportsEach), posts[i])
				drafts[i] = safetytest.Draft(report.Case, posts[i])
				drafts[i].NoStatement = kind == "spam"
			})
			w.Decisions.Clock = clock.System{}
			body := make([]byte, floorBytes)
			file, err := os.Create(filepath.Join(b.TempDir(), "floor"))
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = file.Close() }()
			f := &floor{file: file, wake: make(chan struct{}, 1)}
			go f.sync()
			least := at(b.N, deciders, func(int) { f.write(body) })
			close(f.wake)
			b.ReportAllocs()
			b.ResetTimer()
			used := cpu()
			took := at(b.N, deciders, func(i int) {
				w.Decide(drafts[i])
			})
			used = cpu() - used
			b.StopTimer()
			b.ReportMetric(float64(b.N)/took.Seconds(), "decisions/s")
			b.ReportMetric(float64(used.Microseconds())/float64(b.N), "cpu-us/op")
			b.ReportMetric(float64(b.N)/least.Seconds(), "floor/s")
			b.ReportMetric(took.Seconds()/least.Seconds(), "xfloor")
		})
	}
}
