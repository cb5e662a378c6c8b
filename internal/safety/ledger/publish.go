package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"parley/internal/ids"
	"parley/internal/store"
	"parley/internal/tlog"
	"parley/internal/tlog/verify"
)

const (
	// batch is how many lines are carried into the log together.
	batch = 2048
	// markers is how many of them are marked at the same time: they share commits.
	markers = 32
)

// Publisher carries lines into the log, each once and in their order. Whatever it was doing when
// the process ended, the next one finds out from the log itself.
type Publisher struct {
	Store *store.Store
	Log   *tlog.Log
	// Crash is called between steps by tests that stop the process there; nil in production.
	Crash func(point string)

	mu sync.Mutex
	// tail has the places of entries that are in the log and may not be marked yet; nil before it
	// was read, and again after an error.
	tail map[[sha256.Size]byte]int64
}

// at marks a point between two steps.
func (p *Publisher) at(point string) {
	if p.Crash != nil {
		p.Crash(point)
	}
}

// Drain carries all lines into the log that wait, and returns how many these were.
func (p *Publisher) Drain(ctx context.Context) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tail == nil {
		if err := p.recover(ctx); err != nil {
			return 0, err
		}
	}
	for {
		var rows []store.LedgerRow
		err := p.Store.View(ctx, func(r *store.Reader) (err error) {
			rows, err = r.PendingLedgerRows(batch)
			return err
		})
		if err != nil || len(rows) == 0 {
			return n, err
		}
		if err := p.carry(ctx, rows); err != nil {
			p.tail = nil
			return n, err
		}
		n += len(rows)
	}
}

// recover reads which entries are in the log behind the last one that was marked.
func (p *Publisher) recover(ctx context.Context) error {
	var marked int64
	err := p.Store.View(ctx, func(r *store.Reader) (err error) {
		marked, err = r.LastLedgerRow()
		return err
	})
	if err != nil {
		return err
	}
	size, err := p.Log.Size(ctx)
	if err != nil {
		return err
	}
	if marked > size {
		return fmt.Errorf("ledger: %w: line %d was logged", tlog.ErrRollback, marked)
	}
	tail := make(map[[sha256.Size]byte]int64)
	// Lines of one batch are marked in any order, so some before the last may not be.
	from := max(marked-batch, 0)
	err = verify.Each(ctx, p.Log.Source(), from, size, func(i int64, raw []byte) error {
		tail[sha256.Sum256(raw)] = i
		return nil
	})
	if err == nil {
		p.tail = tail
	}
	return err
}

// carry appends the lines that are not in the log yet, and marks all.
func (p *Publisher) carry(ctx context.Context, rows []store.LedgerRow) error {
	var fresh []int
	for i := range rows {
		if at, known := p.tail[sha256.Sum256(rows[i].Entry)]; known {
			rows[i].Logged = at + 1
		} else {
			fresh = append(fresh, i)
		}
	}
	if len(fresh) > 0 {
		err := p.Log.Append(ctx, func(size int64) ([][]byte, error) {
			list := make([][]byte, len(fresh))
			for k, i := range fresh {
				list[k] = rows[i].Entry
				rows[i].Logged = size + int64(k) + 1
			}
			return list, nil
		})
		if err != nil {
			return err
		}
	}
	p.at("appended")
	var g errgroup.Group
	g.SetLimit(markers)
	for _, row := range rows {
		g.Go(func() error {
			err := p.Store.Update(ctx, row.Subject, func(tx *store.Tx) error {
				return tx.LedgerRowLogged(row)
			})
			p.at("marked one")
			return err
		})
	}
	err := g.Wait()
	p.at("marked")
	return err
}

// ErrWaiting says that a line is not published yet.
var ErrWaiting = errors.New("ledger: the line is not published yet")

// Receipt proves that a line is in the log and, as long as salt and record are kept, what it is
// about. ErrWaiting says that it is too early, store.ErrNotFound that there is no such line.
func (p *Publisher) Receipt(
	ctx context.Context, subject ids.Peer, id int64, kind Kind,
) (verify.Receipt, error) {
	var row store.LedgerRow
	err := p.Store.View(ctx, func(r *store.Reader) (err error) {
		row, err = r.LedgerRow(subject, id, int64(kind))
		return err
	})
	if err != nil {
		return verify.Receipt{}, err
	}
	if row.Logged == 0 {
		return verify.Receipt{}, ErrWaiting
	}
	receipt, err := p.Log.Receipt(ctx, row.Logged-1)
	var bad *verify.Finding
	if errors.As(err, &bad) && bad.What == verify.BadReceipt {
		return receipt, ErrWaiting
	}
	receipt.Salt, receipt.Record = row.Salt, row.Record
	return receipt, err
}
