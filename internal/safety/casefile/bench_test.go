package casefile

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// BenchmarkQueue measures what a reviewer waits for while few and while a million cases are open:
// the counts of all queues, a page of one, and the next case, taken and given back. times-few is
// how many times longer it takes than with a thousand open cases, in the same run.
func BenchmarkQueue(b *testing.B) {
	s := &Service{
		Store: storetest.SQLite(b), Clock: clock.NewFake(time.Unix(1_800_000_000, 0)),
		Random: rand.Reader,
	}
	steps := map[string]func(context.Context) error{
		"counts": func(ctx context.Context) error {
			return s.Store.View(ctx, func(r *store.Reader) error {
				_, err := Counts(r, 1000)
				return err
			})
		},
		"page": func(ctx context.Context) error {
			return s.Store.View(ctx, func(r *store.Reader) error {
				_, err := Queue(r, safety.Harm, Place{}, 100)
				return err
			})
		},
		"next": func(ctx context.Context) error {
			c, err := s.Next(ctx, 1, safety.Lanes())
			if err != nil {
				return err
			}
			_, err = s.Release(ctx, c.Subject, c.ID, 1)
			return err
		},
	}
	few := make(map[string]float64)
	filled := int64(0)
	for _, open := range []int64{1000, 1_000_000} {
		fill(b, s.Store, filled, open)
		filled = open
		for _, name := range []string{"counts", "page", "next"} {
			b.Run(fmt.Sprintf("%s/open=%d", name, open), func(b *testing.B) {
				for b.Loop() {
					if err := steps[name](b.Context()); err != nil {
						b.Fatal(err)
					}
				}
				each := float64(b.Elapsed()) / float64(b.N)
				if open == 1000 {
					few[name] = each
				} else if few[name] > 0 {
					b.ReportMetric(each/few[name], "times-few")
				}
			})
		}
	}
}

// fill opens cases up to a number, spread over the lanes and over many subjects.
func fill(b *testing.B, s *store.Store, from, to int64) {
	b.Helper()
	const batch = 10_000
	lanes := safety.Lanes()
	for from < to {
		end := min(from+batch, to)
		peer := ids.ChannelID(from/batch + 1).Peer()
		err := s.Update(context.Background(), peer, func(tx *store.Tx) error {
			for n := from; n < end; n++ {
				c := store.Case{
					Subject: peer, ID: n + 1, Kind: int64(safety.Message), Item: n + 1, Author: 1,
					Lane: int64(lanes[n%int64(len(lanes))]), State: int64(Open), Opened: 1, Due: n,
					Rank: n * 7919 % 1_000_003,
				}
				if err := tx.PutCase(c); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, context.Canceled) {
			b.Fatal(err)
		}
		from = end
	}
}
