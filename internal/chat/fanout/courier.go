package fanout

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"parley/internal/ids"
	"parley/internal/store"
)

// Applier carries out an outbox row in the target's box. It may run more than once.
type Applier func(*store.Tx, store.Outbox) error

const (
	// batchMost is how many rows of one box are carried out before they are ticked off.
	batchMost = 512
	// inFlight is how many targets are served at once.
	inFlight = 256
	// tickDelay is how long rows that were carried out wait to be ticked off together. A process
	// that dies meanwhile carries them out again at its next start.
	tickDelay = 250 * time.Millisecond
	// applyTries is how often a row that fails is tried before it is left for the next start.
	applyTries = 3
)

// Courier carries outbox rows to their targets. It is safe for concurrent use.
type Courier struct {
	store    *store.Store
	appliers map[int64]Applier
	log      *slog.Logger
	slots    chan struct{}

	mu    sync.Mutex
	boxes map[ids.Peer]*outbox
	// done are the rows that were carried out and are to be ticked off, by ticking when it is set.
	done    map[ids.Peer][]int64
	ticking *time.Timer
	idle    sync.WaitGroup
	ctx     context.Context
}

// outbox are the rows of one box that wait, how many are under way and were carried out before
// them, and who waits until so many are.
type outbox struct {
	rows    []store.Outbox
	under   int
	carried int
	waiters []waiter
}

type waiter struct {
	until int
	done  chan struct{}
}

// settle lets those go whose rows are carried out.
func (b *outbox) settle() {
	for len(b.waiters) > 0 && b.waiters[0].until <= b.carried {
		close(b.waiters[0].done)
		b.waiters = b.waiters[1:]
	}
}

// NewCourier returns a courier that works until ctx ends. The appliers are told apart by kind.
func NewCourier(
	ctx context.Context, s *store.Store, appliers map[int64]Applier, log *slog.Logger,
) *Courier {
	return &Courier{
		store: s, appliers: appliers, log: log, ctx: ctx,
		slots: make(chan struct{}, inFlight),
		boxes: make(map[ids.Peer]*outbox),
		done:  make(map[ids.Peer][]int64),
	}
}

// Recover queues what an earlier process left behind. It runs before the first commit.
func (c *Courier) Recover(ctx context.Context) error {
	var rows []store.Outbox
	err := c.store.View(ctx, func(r *store.Reader) (err error) {
		rows, err = r.Outbox(recoverMost)
		return err
	})
	c.Committed(store.Commit{Outbox: rows})
	return err
}

// recoverMost bounds how many rows an earlier process can have left that are carried out at start.
const recoverMost = 1_000_000

// Committed takes the rows of a commit; it does not block.
func (c *Courier) Committed(commit store.Commit) {
	if len(commit.Outbox) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, row := range commit.Outbox {
		b := c.boxes[row.Box]
		if b == nil {
			b = &outbox{}
			c.boxes[row.Box] = b
			c.idle.Add(1)
			go c.serve(row.Box, b)
		}
		b.rows = append(b.rows, row)
	}
}

// Settled waits until all rows of a box that were committed before are carried out, but for those
// that cannot be.
func (c *Courier) Settled(ctx context.Context, in ids.Peer) error {
	c.mu.Lock()
	b := c.boxes[in]
	if b == nil {
		c.mu.Unlock()
		return nil
	}
	done := make(chan struct{})
	b.waiters = append(b.waiters, waiter{b.carried + b.under + len(b.rows), done})
	c.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.ctx.Done():
		return store.ErrStopped
	}
}

// Wait waits until nothing is under way any more, after ctx of the courier has ended.
func (c *Courier) Wait() {
	c.mu.Lock()
	early := c.ticking != nil && c.ticking.Stop()
	c.mu.Unlock()
	if early {
		c.tickOff()
	}
	c.idle.Wait()
}

// serve carries out the rows of one box until none waits.
func (c *Courier) serve(in ids.Peer, b *outbox) {
	defer c.idle.Done()
	for {
		c.mu.Lock()
		b.carried += b.under
		b.settle()
		rows := b.rows[:min(len(b.rows), batchMost)]
		b.rows, b.under = b.rows[len(rows):], len(rows)
		if len(rows) == 0 {
			delete(c.boxes, in)
		}
		c.mu.Unlock()
		if len(rows) == 0 {
			return
		}
		c.carry(in, rows)
	}
}

// carry carries out rows of one box, the targets side by side, and ticks off what succeeded.
func (c *Courier) carry(in ids.Peer, rows []store.Outbox) {
	byTarget := make(map[ids.Peer][]store.Outbox)
	for _, row := range rows {
		byTarget[row.Target] = append(byTarget[row.Target], row)
	}
	var mu sync.Mutex
	var done []int64
	var wg sync.WaitGroup
	for target, list := range byTarget {
		c.slots <- struct{}{}
		wg.Add(1)
		go func() {
			defer func() { <-c.slots; wg.Done() }()
			carried := c.apply(target, list)
			mu.Lock()
			defer mu.Unlock()
			done = append(done, carried...)
		}()
	}
	wg.Wait()
	if len(done) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done[in] = append(c.done[in], done...)
	if c.ticking == nil {
		c.idle.Add(1)
		c.ticking = time.AfterFunc(tickDelay, c.tickOff)
	}
}

// tickOff deletes the rows that were carried out.
func (c *Courier) tickOff() {
	defer c.idle.Done()
	c.mu.Lock()
	all := c.done
	c.done = make(map[ids.Peer][]int64)
	c.ticking = nil
	c.mu.Unlock()
	var wg sync.WaitGroup
	for in, rows := range all {
		c.slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-c.slots }()
			c.told(in, rows)
		})
	}
	wg.Wait()
}

// told deletes rows of one box, also when the courier is at its end.
func (c *Courier) told(in ids.Peer, rows []int64) {
	slices.Sort(rows)
	err := c.store.Update(context.WithoutCancel(c.ctx), in, func(tx *store.Tx) error {
		for i := 0; i < len(rows); {
			n := 1
			for i+n < len(rows) && rows[i+n] == rows[i]+int64(n) {
				n++
			}
			if err := tx.Told(in, rows[i], rows[i+n-1]); err != nil {
				return err
			}
			i += n
		}
		return nil
	})
	if err != nil && !errors.Is(err, store.ErrStopped) {
		c.log.Error("ticking off outbox rows", "error", err)
	}
}

// apply carries out rows for one target in one transaction and says which it did.
func (c *Courier) apply(target ids.Peer, rows []store.Outbox) (done []int64) {
	if c.attempt(target, rows) == nil {
		for _, row := range rows {
			done = append(done, row.N)
		}
		return done
	}
	// One of them fails: find out which, so that the others are not held up by it.
	for i, row := range rows {
		err := c.attempt(target, rows[i:i+1])
		switch {
		case err == nil:
			done = append(done, row.N)
		case c.ctx.Err() != nil, errors.Is(err, store.ErrStopped):
			return done
		default:
			c.log.Error("outbox row left for the next start",
				"kind", row.Kind, "n", row.N, "error", err)
		}
	}
	return done
}

func (c *Courier) attempt(target ids.Peer, rows []store.Outbox) error {
	var err error
	for range applyTries {
		err = c.store.Update(c.ctx, target, func(tx *store.Tx) error {
			for _, row := range rows {
				apply := c.appliers[row.Kind]
				if apply == nil {
					return errors.New("fanout: no applier for this kind")
				}
				if err := apply(tx, row); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil || c.ctx.Err() != nil || errors.Is(err, store.ErrStopped) {
			return err
		}
	}
	return err
}
