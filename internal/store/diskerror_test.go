package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"parley/internal/store"
	"parley/test/powercut"
)

// errorCycles is how often each kind of disk error is tried.
const errorCycles = 60

// TestPowerCutAfterDiskError has the disk fail at some point of the work: a sync that loses what it
// should keep, a write, or a disk that is full. The store stops with the first error and says so
// once. Afterwards, with a power cut at once, or with a restart that finds the memory of the system
// as it was, more work and then a power cut, everything that was acknowledged is there.
func TestPowerCutAfterDiskError(t *testing.T) {
	vfs := register(t)
	for name, plan := range map[string]func(at int) powercut.Plan{
		"sync":  func(at int) powercut.Plan { return powercut.Plan{FailSyncAt: at} },
		"write": func(at int) powercut.Plan { return powercut.Plan{FailWriteAt: at} },
		"full":  func(at int) powercut.Plan { return powercut.Plan{FullAt: at} },
	} {
		t.Run(name, func(t *testing.T) {
			cycles, hit, acked := wanted(t, errorCycles), 0, 0
			for seed := range uint64(cycles) {
				m := newMachine(vfs, seed)
				failed, err := m.diskError(plan)
				if err != nil {
					t.Errorf("seed %d: %v", seed, err)
				}
				if failed {
					hit++
				}
				acked += m.ledger.acked
			}
			if hit < cycles/3 {
				t.Errorf("only %d of %d cycles met the error", hit, cycles)
			}
			t.Logf("%d errors in %d cycles; %d transactions acknowledged", hit, cycles, acked)
		})
	}
}

// diskError lets a store meet an error of the disk. It returns whether it did, and what went wrong.
func (m *machine) diskError(plan func(at int) powercut.Plan) (met bool, err error) {
	s, err := m.open()
	if err != nil {
		return false, fmt.Errorf("open: %w", err)
	}
	m.disk.Plan(plan(1 + m.rnd.IntN(600)))
	m.ledger.work(s, m.rnd, 100)
	if met = m.disk.Failed() > 0; met {
		err = m.expectStopped(s)
	}
	_ = s.Close()
	select {
	case <-m.fatal:
		err = errors.Join(err, errors.New("fatal was called once too often"))
	default:
	}
	if err != nil {
		return met, err
	}
	if m.rnd.IntN(2) == 0 {
		if err := m.restart(plan); err != nil {
			return met, fmt.Errorf("restart: %w", err)
		}
	}
	m.powerUp()
	if s, err = m.open(); err != nil {
		return met, fmt.Errorf("after a power cut: %w", err)
	}
	return met, errors.Join(m.audit(s), s.Close())
}

// restart goes on without a power cut after an error of the disk, which may come again while the
// store opens, and then takes the power away.
func (m *machine) restart(plan func(at int) powercut.Plan) error {
	m.disk.Plan(powercut.Plan{})
	if m.rnd.IntN(2) == 0 {
		m.disk.Plan(plan(1 + m.rnd.IntN(60)))
	}
	s, err := m.open()
	if err != nil && m.disk.Failed() > 0 {
		m.disk.Plan(powercut.Plan{})
		s, err = m.open()
	}
	if err != nil {
		return err
	}
	if err := m.audit(s); err != nil {
		return errors.Join(err, s.Close())
	}
	if m.rnd.IntN(2) == 0 { // perhaps before the log is begun anew
		m.disk.Plan(powercut.Plan{CutAt: 1 + m.rnd.IntN(2<<m.rnd.IntN(7))})
	}
	m.ledger.work(s, m.rnd, 20)
	m.disk.Cut()
	_ = s.Close()
	return nil
}

// expectStopped checks that a store has stopped for good and has said so, once.
func (m *machine) expectStopped(s *store.Store) error {
	select {
	case <-m.fatal:
	case <-time.After(10 * time.Second):
		return errors.New("fatal was not called")
	}
	ctx := context.Background()
	err := s.Update(ctx, 1, func(*store.Tx) error { return nil })
	if !errors.Is(err, store.ErrStopped) {
		return fmt.Errorf("update: %w, want %w", err, store.ErrStopped)
	}
	err = s.View(ctx, func(*store.Reader) error { return nil })
	if !errors.Is(err, store.ErrStopped) {
		return fmt.Errorf("view: %w, want %w", err, store.ErrStopped)
	}
	return nil
}

// TestPowerCutAfterBelievedLog has a sync of the log fail, after which a restart finds in memory
// what the disk does not have. What the restarted store then shows must stay, whatever power cut
// comes next: the store may not move to the database what a power cut takes from the log.
func TestPowerCutAfterBelievedLog(t *testing.T) {
	vfs := register(t)
	for at := 1; at <= 6; at++ {
		m := newMachine(vfs, uint64(at))
		s, err := m.open()
		if err != nil {
			t.Fatal(err)
		}
		m.ledger.work(s, m.rnd, 30)
		m.disk.Plan(powercut.Plan{FailSyncAt: 1})
		if m.ledger.send(s, m.rnd) != nil {
			t.Fatal("acknowledged what was not synced")
		}
		_ = s.Close()
		m.disk.Plan(powercut.Plan{})
		if s, err = m.open(); err != nil {
			t.Fatal(err)
		}
		if err := m.audit(s); err != nil {
			t.Fatal(err)
		}
		if p := m.ledger.sent[len(m.ledger.sent)-1]; !p.there {
			t.Fatal("the restart does not see what was not synced: the test shows nothing")
		}
		m.disk.Plan(powercut.Plan{CutAt: at})
		m.ledger.work(s, m.rnd, 1)
		m.disk.Cut()
		_ = s.Close()
		cut, sent := m.disk, len(m.ledger.sent)
		for range 20 {
			m.disk = cut
			m.powerUp()
			if s, err = m.open(); err != nil {
				t.Fatal(err)
			}
			last := *m.ledger.sent[sent-1]
			if err := m.audit(s); err != nil {
				t.Errorf("cut at %d: %v", at, err)
			}
			*m.ledger.sent[sent-1] = last // unknown again for the next outcome
			_ = s.Close()
		}
	}
}
