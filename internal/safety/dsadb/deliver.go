package dsadb

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"parley/internal/safety/owed"
	"parley/internal/store"
)

const (
	// deniedPause is how long the database is left alone that does not take the token.
	deniedPause = 15 * time.Minute
	// longest is the longest that the worker sleeps.
	longest = 30 * time.Second
)

// backoff is when a statement is tried again, and the database after it failed.
func backoff() owed.Backoff { return owed.Backoff{First: 30 * time.Second, Last: 6 * time.Hour} }

// Owed wakes the worker. It does not block.
func (s *Service) Owed() { s.worker.Wake() }

// Run sends what is owed until ctx ends.
func (s *Service) Run(ctx context.Context) {
	failed := func(err error) {
		s.Log.Error("sending statements to the DSA database", "error", err)
	}
	s.worker.Run(ctx, longest, failed, func(ctx context.Context) error {
		_, err := s.Deliver(ctx)
		return err
	})
}

// Deliver sends all statements that are due, or shows them in a dry run, and returns how many the
// database took. While the database asks to be left alone it does nothing.
func (s *Service) Deliver(ctx context.Context) (n int, err error) {
	return owed.Drain(ctx, s.due, s.deliver)
}

// due writes the next statements, none while the database rests.
func (s *Service) due(ctx context.Context) (rows []Row, err error) {
	if !s.rest.Over(s.Clock.Now()) {
		return nil, nil
	}
	shown := int64(anyTime)
	if s.Send == nil {
		shown = 0
	}
	// One statement that makes the database fail is found by asking for fewer at once.
	most := max(Batch>>min(s.rest.Fails(), 16), 1)
	err = s.Store.View(ctx, func(r *store.Reader) error {
		rows = rows[:0]
		list, err := r.DueDSAStatements(int64(Owed), s.Clock.Now().Unix(), shown, most)
		if err != nil {
			return err
		}
		for _, x := range list {
			row, err := s.compose(r, x)
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return nil
	})
	return rows, err
}

// deliver checks statements and sends those that may be sent.
func (s *Service) deliver(ctx context.Context, rows []Row) (sent int, err error) {
	var good []Row
	var list []Statement
	for _, row := range rows {
		state, problem := judge(row.StatementOfReason)
		if state == Owed {
			good, list = append(good, row), append(list, row.StatementOfReason)
			continue
		}
		if err := s.settle(ctx, row, Result{State: state, Problem: problem}); err != nil {
			return 0, err
		}
	}
	if len(list) == 0 {
		return 0, nil
	}
	if s.Send == nil {
		return 0, s.show(ctx, good, list)
	}
	results, err := s.Send(ctx, list)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	for i, row := range good {
		if results[i].State == Owed && err != nil && len(good) > 1 {
			continue // the database is what failed
		}
		if err := s.settle(ctx, row, results[i]); err != nil {
			return sent, err
		}
		if results[i].State == Delivered {
			sent++
		}
	}
	s.leave(err)
	return sent, err
}

// judge says whether a statement may be sent: Owed, or the state that it gets instead, and why.
func judge(x Statement) (State, string) {
	if len(x.Territory) == 0 {
		return Exempt, "territorial_scope: nothing in the Union is restricted"
	}
	if found := x.personal(); len(found) > 0 {
		return Held, "looks like personal data: " + strings.Join(found, ", ")
	}
	var all []string
	for _, p := range Validate(x) {
		all = append(all, p.String())
	}
	if len(all) > 0 {
		return Rejected, strings.Join(all, "; ")
	}
	return Owed, ""
}

// show writes statements down that would be sent, each once.
func (s *Service) show(ctx context.Context, rows []Row, list []Statement) error {
	if err := s.Show(ctx, list); err != nil {
		return err
	}
	for _, row := range rows {
		err := s.change(ctx, row, func(x *store.DSAStatement) {
			x.Shown = s.Clock.Now().Unix()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// settle writes down what became of a statement.
func (s *Service) settle(ctx context.Context, row Row, got Result) error {
	now := s.Clock.Now()
	err := s.change(ctx, row, func(x *store.DSAStatement) {
		x.State, x.Receipt, x.Problem = int64(got.State), got.Receipt, got.Problem
		if got.State == Owed {
			x.Tries++
			x.Due = now.Add(backoff().After(x.Tries)).Unix()
			return
		}
		x.Settled = now.Unix()
	})
	if err == nil && got.State != Owed {
		s.Settled(got.State)
	}
	return err
}

// change changes a row unless somebody changed it meanwhile.
func (s *Service) change(ctx context.Context, row Row, fn func(*store.DSAStatement)) error {
	return s.Store.Update(ctx, row.Subject, func(tx *store.Tx) error {
		x, err := tx.DSAStatement(row.Subject, row.Decision)
		if err != nil || x != row.store {
			return err
		}
		fn(&x)
		return tx.ChangeDSAStatement(x)
	})
}

// leave leaves the database alone for a while after it failed.
func (s *Service) leave(err error) {
	var failed *PauseError
	if !errors.As(err, &failed) {
		s.rest.Worked()
		return
	}
	least := time.Duration(0)
	if failed.Status == http.StatusUnauthorized || failed.Status == http.StatusForbidden {
		least = deniedPause
	}
	s.rest.Failed(s.Clock.Now(), max(least, failed.After), failed.After)
}
