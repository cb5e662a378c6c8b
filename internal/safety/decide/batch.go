package decide

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/enforce"
	"parley/internal/store"
)

// BatchState is how far a batch is. Values are stored.
type BatchState int64

// The states of batches.
const (
	BatchProposed  BatchState = 1
	BatchApproved  BatchState = 2
	BatchDone      BatchState = 3
	BatchLifting   BatchState = 4
	BatchLifted    BatchState = 5
	BatchWithdrawn BatchState = 6
)

// String is the state's name in pages and files.
func (s BatchState) String() string {
	names := [...]string{
		BatchProposed: "proposed", BatchApproved: "approved", BatchDone: "done",
		BatchLifting: "lifting", BatchLifted: "lifted", BatchWithdrawn: "withdrawn",
	}
	if s < BatchProposed || int(s) >= len(names) {
		return "unknown"
	}
	return names[s]
}

// Batch is a mass measure: decisions that are proposed, approved and lifted together.
type Batch struct {
	ID    int64
	State BatchState
	// NeedsSecond is set when it takes another than By to approve it.
	NeedsSecond                       bool
	By, Second, LiftedBy              int64
	Size, Accounts, Messages, Members int64
	Created                           int64
	Reason                            string
	// Count is how many of its decisions are in which state; Applied and Restored are how many
	// things they changed and how many of them were put back.
	Count             map[State]int64
	Applied, Restored int64
}

// Whole tells whether all of the batch was proposed, whatever became of its proposals since.
func (b Batch) Whole() bool {
	var n int64
	for _, count := range b.Count {
		n += count
	}
	return b.Size > 0 && n >= b.Size
}

// BatchOf returns a batch with the count of its decisions.
func BatchOf(r *store.Reader, id int64) (Batch, error) {
	x, err := r.Batch(id)
	if err != nil {
		return Batch{}, err
	}
	b := Batch{
		ID: x.ID, State: BatchState(x.State), NeedsSecond: x.Flags&needsSecond != 0, By: x.By,
		Second: x.Second, LiftedBy: x.LiftedBy, Size: x.Size, Accounts: x.Accounts,
		Messages: x.Messages, Members: x.Members, Created: x.Created, Reason: x.Reason,
		Count: make(map[State]int64),
	}
	tally, err := r.BatchTally(id)
	for _, t := range tally {
		b.Count[State(t.State)] = t.Count
		b.Applied += t.Applied
		b.Restored += t.Restored
	}
	return b, err
}

// batchKey is the shard key of a batch's own row.
func batchKey(id int64) ids.Peer { return ids.Peer(id) }

// NewBatch is an id that no batch has, to write down before ProposeBatchAs.
func (s *Service) NewBatch() (int64, error) {
	id, err := safety.NewID(s.Clock.Now(), s.Random)
	if err != nil {
		return 0, fmt.Errorf("decide: %w", err)
	}
	return id, nil
}

// ProposeBatch proposes decisions as one mass measure, each with a case of its own, and does
// nothing yet. A draft that is not complete refuses them all.
func (s *Service) ProposeBatch(
	ctx context.Context, drafts []Draft, by safety.Actor, reason string,
) (Batch, error) {
	id, err := s.NewBatch()
	if err != nil {
		return Batch{}, err
	}
	return s.ProposeBatchAs(ctx, id, drafts, by, reason)
}

// ProposeBatchAs proposes a batch under an id of NewBatch that the caller has written down before,
// so that a process which ends leaves nothing that nobody knows of: the same again, also by several
// at once, proposes what is missing. What was proposed in the batch is not proposed again,
// whatever its draft says now. ErrState is for a batch that was approved or withdrawn.
func (s *Service) ProposeBatchAs(
	ctx context.Context, id int64, drafts []Draft, by safety.Actor, reason string,
) (b Batch, err error) {
	drafts, err = s.CheckBatch(drafts, by, reason)
	if err != nil {
		return b, err
	}
	reach, second, err := s.Preview(ctx, drafts)
	if err != nil {
		return b, err
	}
	row := store.Batch{
		ID: id, State: int64(BatchProposed), By: by.Staff, Size: int64(len(drafts)),
		Accounts: reach.Accounts, Messages: reach.Messages + reach.Photos + reach.Reactions,
		Members: reach.Members, Created: s.Clock.Now().Unix(), Reason: reason,
	}
	if second {
		row.Flags = needsSecond
	}
	drafts, there, err := s.missing(ctx, id, drafts)
	if err != nil {
		return b, err
	}
	row.Size = there + int64(len(drafts))
	err = s.Store.Update(ctx, batchKey(id), func(tx *store.Tx) error {
		old, err := tx.Batch(id)
		switch {
		case store.IsNotFound(err):
		case err != nil:
			return err
		case BatchState(old.State) != BatchProposed:
			return ErrState
		default:
			row.Flags |= old.Flags
		}
		return tx.PutBatch(row)
	})
	if err != nil {
		return b, err
	}
	s.crash("batch")
	err = each(drafts, func(d Draft) error {
		_, err := s.decide(ctx, d, id, row.Flags&needsSecond != 0)
		return err
	})
	if err != nil {
		return b, err
	}
	return s.batch(ctx, id)
}

// CheckBatch refuses what ProposeBatch would refuse, and returns the drafts as they would be
// proposed.
func (s *Service) CheckBatch(drafts []Draft, by safety.Actor, reason string) ([]Draft, error) {
	switch {
	case by.Staff <= 0:
		return nil, ErrNeedsPeople
	case reason == "":
		return nil, Refusal{"reason", "missing"}
	case len(drafts) == 0:
		return nil, Refusal{"subject", "missing"}
	}
	drafts = slices.Clone(drafts)
	for i := range drafts {
		drafts[i].By = by
		if err := s.Check(drafts[i]); err != nil {
			return nil, fmt.Errorf("draft %d: %w", i, err)
		}
	}
	return drafts, nil
}

// missing are the drafts about what a batch has never had a proposal for, and about how many things
// it has had one.
func (s *Service) missing(
	ctx context.Context, id int64, drafts []Draft,
) (out []Draft, there int64, err error) {
	about := func(s safety.Subject) safety.Subject {
		if s.Kind != safety.Reaction {
			s.Author = 0 // which two looks at one thing may know differently
		}
		return s
	}
	known := map[safety.Subject]bool{}
	err = s.Store.View(ctx, func(r *store.Reader) error {
		tally, err := r.BatchTally(id)
		for _, t := range tally {
			more := err == nil
			for from := int64(0); more; {
				var page []store.Decision
				page, err = r.BatchDecisions(id, t.State, from, batchPage)
				for _, x := range page {
					known[about(subjectOf(x))] = true
					from = x.ID
				}
				more = err == nil && len(page) == batchPage
			}
		}
		return err
	})
	for _, d := range drafts {
		if !known[about(d.Subject)] {
			out = append(out, d)
		}
	}
	return out, int64(len(known)), err
}

func (s *Service) batch(ctx context.Context, id int64) (b Batch, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		b, err = BatchOf(r, id)
		return err
	})
	return b, err
}

// batchWorkers is how many decisions of a batch are carried out at once: the store writes them to
// its disk together.
const batchWorkers = 64

// each runs fn on all elements, several at once, until one fails.
func each[T any](list []T, fn func(T) error) error {
	var mu sync.Mutex
	var first error
	var wg sync.WaitGroup
	next := 0
	for range min(batchWorkers, len(list)) {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				stop := first != nil || i >= len(list)
				mu.Unlock()
				if stop {
					return
				}
				if err := fn(list[i]); err != nil {
					mu.Lock()
					if first == nil {
						first = err
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return first
}

// ApproveBatch puts a proposed batch into force. ErrSamePerson is for who proposed one that takes
// two people; ErrIncomplete for one that a crash kept from being proposed as a whole. Approving
// again goes on where it ended.
func (s *Service) ApproveBatch(ctx context.Context, id, staff int64) (Batch, error) {
	b, err := s.batch(ctx, id)
	if err != nil {
		return b, err
	}
	switch {
	case b.State == BatchDone && (b.Second == staff || b.By == staff):
		return b, nil
	case b.State != BatchProposed && b.State != BatchApproved:
		return b, ErrState
	case staff <= 0, b.NeedsSecond && b.By == staff:
		return b, ErrSamePerson
	case b.State == BatchProposed && !b.Whole():
		return b, ErrIncomplete
	}
	err = s.moveBatch(ctx, id, func(x *store.Batch) error {
		if BatchState(x.State) == BatchApproved {
			return nil
		}
		if BatchState(x.State) != BatchProposed {
			return ErrState
		}
		x.State = int64(BatchApproved)
		if staff != x.By {
			x.Second = staff
		}
		return nil
	})
	if err != nil {
		return b, err
	}
	return s.carryOut(ctx, id)
}

// moveBatch changes the row of a batch.
func (s *Service) moveBatch(ctx context.Context, id int64, fn func(*store.Batch) error) error {
	return s.Store.Update(ctx, batchKey(id), func(tx *store.Tx) error {
		x, err := tx.Batch(id)
		if err != nil {
			return err
		}
		if err := fn(&x); err != nil {
			return err
		}
		return tx.PutBatch(x)
	})
}

// carryOut makes all proposals of an approved batch effective, and the batch done.
func (s *Service) carryOut(ctx context.Context, id int64) (b Batch, err error) {
	if b, err = s.batch(ctx, id); err != nil {
		return b, err
	}
	staff := b.Second
	if staff == 0 {
		staff = b.By
	}
	err = s.eachOf(ctx, id, Proposed, func(x store.Decision) error {
		now := s.Clock.Now().Unix()
		return store.Repeat(func() error {
			return s.Store.Update(ctx, x.Subject, func(tx *store.Tx) error {
				_, err := s.second(tx, x.Subject, x.ID, staff, now)
				if over := (Refusal{"duration", "past"}); errors.Is(err, over) {
					return withdraw(tx, x.Subject, x.ID, staff, now, over.Error())
				}
				return err
			})
		})
	})
	if err != nil {
		return b, err
	}
	err = s.moveBatch(ctx, id, func(x *store.Batch) error {
		x.State = int64(BatchDone)
		return nil
	})
	if err != nil {
		return b, err
	}
	if s.Owed != nil {
		s.Owed()
	}
	return s.batch(ctx, id)
}

// batchPage is how many decisions of a batch are read at once.
const batchPage = 1000

// eachOf runs fn on the decisions of a batch that are in a state, and which it takes out of it.
func (s *Service) eachOf(
	ctx context.Context, id int64, state State, fn func(store.Decision) error,
) error {
	for {
		var page []store.Decision
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			page, err = r.BatchDecisions(id, int64(state), 0, batchPage)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		if err := each(page, fn); err != nil {
			return err
		}
	}
}

// LiftBatch undoes a batch: what its decisions took away comes back, and is counted. Lifting again
// goes on where it ended, and returns what it put back itself.
func (s *Service) LiftBatch(
	ctx context.Context, id int64, by safety.Actor, reason string,
) (total enforce.Restored, err error) {
	if reason == "" {
		return total, Refusal{"reason", "missing"}
	}
	err = s.moveBatch(ctx, id, func(x *store.Batch) error {
		switch BatchState(x.State) {
		case BatchDone, BatchLifting:
			x.State, x.LiftedBy = int64(BatchLifting), by.Staff
			return nil
		case BatchLifted:
			return nil
		default:
			return ErrState
		}
	})
	if err != nil {
		return total, err
	}
	return s.liftAll(ctx, id, by, reason)
}

func (s *Service) liftAll(
	ctx context.Context, id int64, by safety.Actor, reason string,
) (total enforce.Restored, err error) {
	var mu sync.Mutex
	err = s.eachOf(ctx, id, Effective, func(x store.Decision) error {
		got, err := s.Lift(ctx, x.Subject, x.ID, by, reason)
		mu.Lock()
		total.Add(got)
		mu.Unlock()
		return err
	})
	if err != nil {
		return total, err
	}
	return total, s.moveBatch(ctx, id, func(x *store.Batch) error {
		x.State = int64(BatchLifted)
		return nil
	})
}

// WithdrawBatch takes a proposed batch back, whole or not.
func (s *Service) WithdrawBatch(ctx context.Context, id, staff int64, reason string) error {
	err := s.moveBatch(ctx, id, func(x *store.Batch) error {
		switch BatchState(x.State) {
		case BatchProposed, BatchWithdrawn:
			x.State = int64(BatchWithdrawn)
			return nil
		default:
			return ErrState
		}
	})
	if err != nil {
		return err
	}
	now := s.Clock.Now().Unix()
	return s.eachOf(ctx, id, Proposed, func(x store.Decision) error {
		return s.Store.Update(ctx, x.Subject, func(tx *store.Tx) error {
			return withdraw(tx, x.Subject, x.ID, staff, now, reason)
		})
	})
}

// Resume goes on with the batches that a process which ended was carrying out or lifting.
func (s *Service) Resume(ctx context.Context) error {
	var list []store.Batch
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		list, err = r.OpenBatches()
		return err
	})
	if err != nil {
		return err
	}
	for _, x := range list {
		if BatchState(x.State) == BatchApproved {
			_, err = s.carryOut(ctx, x.ID)
		} else {
			_, err = s.liftAll(ctx, x.ID, safety.Actor{Staff: x.LiftedBy}, x.Reason)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
