// Package owed is the worker of what is owed to others: letters, mails, statements, reports. What
// is owed is a row that somebody wrote together with what it tells of; this package has the loop
// that looks for such rows, the time between two tries, and the rest that a peer gets which fails.
// It knows no rows, no peers and no clocks.
//
// Invariants: a wake is never lost, also one that comes while the loop works; an error ends a round
// and never the loop; waits grow to a bound.
package owed

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// doublings bounds by how many doublings a wait grows, so that no shift overflows.
const doublings = 16

// Worker repeats work until its context ends: at once when somebody wakes it, and from time to time
// for what falls due by itself. Its zero value is ready.
type Worker struct {
	once sync.Once
	wake chan struct{}
}

func (w *Worker) ready() chan struct{} {
	w.once.Do(func() { w.wake = make(chan struct{}, 1) })
	return w.wake
}

// Wake has the work done soon. It does not block.
func (w *Worker) Wake() {
	select {
	case w.ready() <- struct{}{}:
	default: // it is woken already
	}
}

// Run works now, whenever woken and at least once in each period, until ctx ends. failed hears of
// the errors of rounds, none of a round that the end of ctx broke off.
func (w *Worker) Run(
	ctx context.Context, every time.Duration, failed func(error),
	work func(context.Context) error,
) {
	wake := w.ready()
	t := time.NewTicker(every)
	defer t.Stop()
	for ctx.Err() == nil {
		if err := work(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-ctx.Done():
		case <-wake:
		case <-t.C:
		}
	}
}

// Drain takes page after page of what is due and sends it, until a page is empty, and returns how
// much was sent. send must see to it that what it was given is not due any more, or fail.
func Drain[T any](
	ctx context.Context, due func(context.Context) ([]T, error),
	send func(context.Context, []T) (int, error),
) (n int, err error) {
	for {
		page, err := due(ctx)
		if err != nil || len(page) == 0 {
			return n, err
		}
		sent, err := send(ctx, page)
		if n += sent; err != nil {
			return n, err
		}
	}
}

// mostFailed is how many things may fail in a round before it ends: then it is not the things that
// fail.
const mostFailed = 100

// Each sends what is due, one after the other and page after page, and returns how much was sent.
// What fails holds up nothing else and is left to another round; all errors are returned. due
// returns up to limit of what is due, in whatever order, and key names one of them. send must see
// to it that what it was given is not due any more, or fail.
func Each[T any, K comparable](
	ctx context.Context, page int, due func(ctx context.Context, limit int) ([]T, error),
	key func(T) K, send func(context.Context, T) (sent bool, err error),
) (n int, err error) {
	failed := make(map[K]bool)
	var errs []error
	for {
		list, err := due(ctx, page+len(failed))
		list = slices.DeleteFunc(list, func(x T) bool { return failed[key(x)] })
		if err != nil || len(list) == 0 {
			return n, errors.Join(append(errs, err)...)
		}
		for _, x := range list {
			sent, err := send(ctx, x)
			if sent {
				n++
			}
			if err == nil {
				continue
			}
			failed[key(x)] = true
			errs = append(errs, err)
			if ctx.Err() != nil || len(failed) >= mostFailed {
				return n, errors.Join(errs...)
			}
		}
	}
}

// Backoff is between which times something is tried again: each wait is twice as long as the one
// before.
type Backoff struct{ First, Last time.Duration }

// After is how long is waited after so many tries.
func (b Backoff) After(tries int64) time.Duration {
	return min(b.First<<min(max(tries-1, 0), doublings), b.Last)
}

// Waited is how long is waited by something that has waited so long already: as long again.
func (b Backoff) Waited(already time.Duration) time.Duration {
	return min(max(already, b.First), b.Last)
}

// Rest leaves a peer alone for a while after it failed. It belongs to one worker.
type Rest struct {
	Backoff
	until time.Time
	fails int
}

// Over tells whether the peer may be used again.
func (r *Rest) Over(now time.Time) bool { return r.until.IsZero() || now.After(r.until) }

// Fails is how often the peer failed since it last worked.
func (r *Rest) Fails() int { return r.fails }

// Worked ends the rest.
func (r *Rest) Worked() { r.fails, r.until = 0, time.Time{} }

// Failed begins a rest of at least a time; one that the peer asked for (0 for none) goes before all
// others.
func (r *Rest) Failed(now time.Time, least, asked time.Duration) {
	r.fails++
	pause := max(least, r.After(int64(r.fails)))
	if asked > 0 {
		pause = asked
	}
	r.until = now.Add(pause)
}

// longestPause bounds how long a peer may ask to be left alone.
const longestPause = 24 * time.Hour

// RetryAfter is how long the header of an answer asks to wait, in seconds or until a time; 0 when
// it does not.
//
// https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
func RetryAfter(h http.Header, now time.Time) time.Duration {
	said := h.Get("Retry-After")
	wait := time.Duration(0)
	if n, err := strconv.ParseInt(strings.TrimSpace(said), 10, 32); err == nil {
		wait = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(said); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), longestPause)
}
