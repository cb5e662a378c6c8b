//go:build linux

package store_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"parley/internal/ids"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// benchBody is the length of a message body in the benchmarks, in bytes.
const benchBody = 300

// benchBoxes is over how many boxes the benchmarks spread what they write.
const benchBoxes = 1000

// parallel runs op b.N times, shared by n goroutines that each have one call under way. It returns
// how many were done per second.
func parallel(b *testing.B, n int, op func(i int64) error) float64 {
	b.Helper()
	var next atomic.Int64
	var group sync.WaitGroup
	before := cpuTime()
	b.ResetTimer()
	for range n {
		group.Go(func() {
			for {
				i := next.Add(1)
				if i > int64(b.N) {
					return
				}
				if err := op(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64((cpuTime()-before).Nanoseconds())/1000/float64(b.N), "cpu-us/row")
	rate := float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate, "rows/s")
	return rate
}

// cpuTime is what the process has used of the processors.
func cpuTime() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAppend stores messages, each in a transaction of its own and durable when it returns,
// next to the least that this takes on the same disk at the same time.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 8, 64, 256} {
		floor := 0.0
		b.Run(fmt.Sprintf("bare/writers=%d", n), func(b *testing.B) { floor = benchBare(b, n) })
		b.Run(fmt.Sprintf("sqlite/writers=%d", n), func(b *testing.B) {
			b.ReportMetric(benchAppend(b, storetest.SQLite(b), n)/floor, "of-bare")
		})
		b.Run(fmt.Sprintf("postgres/writers=%d", n), func(b *testing.B) {
			benchAppend(b, storetest.Postgres(b), n)
		})
	}
}

func benchAppend(b *testing.B, s *store.Store, writers int) float64 {
	body := bytes.Repeat([]byte{'x'}, benchBody)
	b.ReportAllocs()
	return parallel(b, writers, func(i int64) error {
		box := ids.Peer(1 + i%benchBoxes)
		return s.Update(context.Background(), box, func(tx *store.Tx) error {
			m := store.Message{Box: box, Peer: 7, From: 7, Date: i, Origin: 7, Nonce: i, Body: body}
			_, err := tx.AddMessage(&m, 1, noBody)
			return err
		})
	})
}

// benchBare is the floor: the same bytes appended to a file by one goroutine that answers all who
// wait after one fdatasync.
func benchBare(b *testing.B, writers int) float64 {
	f, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	ops := make(chan chan error, 4*store.GroupLimit)
	defer close(ops)
	go appendSync(f, ops)
	b.ReportAllocs()
	return parallel(b, writers, func(int64) error {
		done := make(chan error, 1)
		ops <- done
		return <-done
	})
}

func appendSync(f *os.File, ops <-chan chan error) {
	body := bytes.Repeat([]byte{'x'}, benchBody)
	var out []byte
	var wait []chan error
	for first := range ops {
		out, wait = append(out[:0], body...), append(wait[:0], first)
		for more := true; more && len(wait) < store.GroupLimit; {
			select {
			case op, ok := <-ops:
				if more = ok; ok {
					out, wait = append(out, body...), append(wait, op)
				}
			default:
				more = false
			}
		}
		_, err := f.Write(out)
		if err == nil {
			err = unix.Fdatasync(int(f.Fd()))
		}
		for _, done := range wait {
			done <- err
		}
	}
}

// BenchmarkHistory reads the newest 50 of one of 10,000 chats among a million messages.
func BenchmarkHistory(b *testing.B) {
	const rows, chats, batch = 1_000_000, 10_000, 2000
	s := storetest.SQLite(b)
	body := bytes.Repeat([]byte{'x'}, benchBody)
	ctx := context.Background()
	for at := int64(0); at < rows; at += batch {
		err := s.Update(ctx, 1, func(tx *store.Tx) error {
			for i := at; i < at+batch; i++ {
				m := store.Message{Box: 1 + ids.Peer(i%chats), Peer: 7, From: 7, Date: i, Origin: 7,
					Nonce: i, Body: body}
				if _, err := tx.AddMessage(&m, 1, noBody); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.Run("page=50", func(b *testing.B) {
		b.ReportAllocs()
		parallel(b, 2, func(i int64) error {
			return s.View(ctx, func(r *store.Reader) error {
				box := 1 + ids.Peer(i*7919%chats)
				page, err := r.Older(box, 7, 1<<62, 0, 50, 0)
				if err == nil && len(page) != 50 {
					err = fmt.Errorf("%d messages", len(page))
				}
				return err
			})
		})
	})
}
