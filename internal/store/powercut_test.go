package store_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/store"
	"parley/test/powercut"
)

const (
	// cutsEnv says how many power cuts the long run makes; unset, a short one is made.
	cutsEnv = "PARLEY_POWERCUTS"
	// cyclesEnv is what make crash sets for all tests of its kind.
	cyclesEnv = "PARLEY_TEST_CYCLES"
	// shortCuts is how many power cuts the short run makes.
	shortCuts = 600
	// cutsEach is how many power cuts one database lives through.
	cutsEach = 12
	// dbPath is where the database is on its disk.
	dbPath = "/parley.db"
)

// machine is a computer whose power fails, with the store on it.
type machine struct {
	vfs    *powercut.VFS
	disk   *powercut.Disk
	rnd    *mathrand.Rand
	ledger *ledger
	seams  store.Seams
	lies   bool
	fatal  chan error
	cuts   int
}

// newMachine starts with an empty disk; the seed decides all that goes wrong.
func newMachine(vfs *powercut.VFS, seed uint64) *machine {
	m := &machine{
		vfs: vfs, disk: powercut.New(), rnd: mathrand.New(mathrand.NewPCG(seed, 0)),
		ledger: newLedger(5), fatal: make(chan error, 10),
	}
	m.seams = store.Seams{VFS: vfs.Name(), Checkpoint: 40 + m.rnd.Int64N(400)}
	vfs.Mount(m.disk)
	return m
}

func (m *machine) open() (*store.Store, error) {
	s, err := store.Open(context.Background(), store.Options{
		URL: "sqlite:" + dbPath, Readers: 2, Fatal: func(err error) { m.fatal <- err },
	}.With(m.seams))
	if err == nil {
		s.OnCommit(m.ledger.hear)
	}
	return s, err
}

// plan makes the power go at some change, which may be one of the next few or far away.
func (m *machine) plan() {
	m.disk.Plan(powercut.Plan{CutAt: 1 + m.rnd.IntN(2<<m.rnd.IntN(13)), Lies: m.lies})
}

// powerUp takes the power away, if it is still there, and gives it back.
func (m *machine) powerUp() {
	m.disk.Cut()
	m.disk = m.disk.Survivor(m.rnd)
	m.disk.Plan(powercut.Plan{Lies: m.lies})
	m.vfs.Mount(m.disk)
	m.cuts++
}

// life is one database through several power cuts. It returns what went wrong.
func (m *machine) life(cuts int) error {
	if m.rnd.IntN(2) == 0 {
		m.plan() // the first start may be cut too
	}
	s, err := m.open()
	for m.cuts < cuts {
		if err != nil && !m.disk.Off() {
			return fmt.Errorf("open: %w", err)
		}
		if err == nil {
			m.strike(s)
		}
		m.powerUp()
		for m.rnd.IntN(4) == 0 { // recovery is cut
			m.disk.Plan(powercut.Plan{CutAt: 1 + m.rnd.IntN(40), Lies: m.lies})
			if s, err = m.open(); err == nil {
				_ = s.Close()
			} else if !m.disk.Off() {
				return fmt.Errorf("recovery: %w", err)
			}
			m.powerUp()
		}
		if s, err = m.open(); err != nil {
			return fmt.Errorf("after a power cut: %w", err)
		}
		if err := m.audit(s); err != nil {
			return errors.Join(err, s.Close())
		}
		if m.rnd.IntN(3) == 0 { // a restart without a power cut, or with one during it
			m.plan()
			if err := s.Close(); err != nil && !m.disk.Off() {
				return fmt.Errorf("close: %w", err)
			}
			s, err = m.open()
		}
	}
	if err == nil {
		err = s.Close()
	}
	if m.disk.Off() {
		return nil
	}
	return err
}

// strike works on the store until the power goes.
func (m *machine) strike(s *store.Store) {
	m.plan()
	var group sync.WaitGroup
	for range 1 + m.rnd.IntN(4) {
		rnd, actions := mathrand.New(mathrand.NewPCG(m.rnd.Uint64(), 0)), 1+m.rnd.IntN(30)
		group.Go(func() { m.ledger.work(s, rnd, actions) })
	}
	group.Wait()
	if m.rnd.IntN(2) == 0 {
		m.disk.Cut()
	}
	_ = s.Close()
}

// audit checks the store against the ledger, and the database file.
func (m *machine) audit(s *store.Store) error {
	if wrong := m.ledger.audit(s); len(wrong) > 0 {
		return fmt.Errorf("%d promises broken, such as: %s", len(wrong), wrong[0])
	}
	db, err := sql.Open("sqlite", "file:"+dbPath+"?vfs="+m.vfs.Name())
	if err != nil {
		return err
	}
	var verdict string
	err = db.QueryRowContext(context.Background(), "pragma integrity_check").Scan(&verdict)
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("integrity check: %w", err)
	}
	if verdict != "ok" {
		return fmt.Errorf("integrity check: %s", verdict)
	}
	return nil
}

// register returns a file layer for the time of the test.
func register(t *testing.T) *powercut.VFS {
	t.Helper()
	v, err := powercut.Register()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

// randomSeed is a seed that no run had before.
func randomSeed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return binary.BigEndian.Uint64(b[:])
}

// wanted is how many cycles a test makes that makes some by itself: fewer in short mode, and more,
// in proportion, where the environment asks for a number of power cuts.
func wanted(t *testing.T, some int) int {
	t.Helper()
	n := cmp.Or(os.Getenv(cutsEnv), os.Getenv(cyclesEnv))
	if n == "" && testing.Short() {
		return some / 10
	}
	if n == "" {
		return some
	}
	cuts, err := strconv.Atoi(n)
	if err != nil {
		t.Fatalf("%s: %v", cutsEnv, err)
	}
	return cuts * some / shortCuts
}

// TestPowerCut cuts the power of a working store again and again: whatever was acknowledged is
// there afterwards, whatever was refused is not, and no box has a gap. The seeds are 1, 2, 3 and
// so on, and in the end one that is new each time.
func TestPowerCut(t *testing.T) {
	cuts := wanted(t, shortCuts)
	start := time.Now()
	var next, done, acked atomic.Int64
	lives := int64((cuts + cutsEach - 1) / cutsEach)
	fresh := randomSeed()
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		vfs := register(t)
		group.Go(func() {
			for n := next.Add(1); n <= lives; n = next.Add(1) {
				seed := uint64(n)
				if n == lives {
					seed = fresh
				}
				m := newMachine(vfs, seed)
				if err := m.life(cutsEach); err != nil {
					t.Errorf("seed %d, cut %d: %v", seed, m.cuts, err)
				}
				done.Add(int64(m.cuts))
				acked.Add(int64(m.ledger.acked))
			}
		})
	}
	group.Wait()
	t.Logf("%d power cuts, %.0f a minute; %d transactions acknowledged; the last seed was %d",
		done.Load(), float64(done.Load())/time.Since(start).Minutes(), acked.Load(), fresh)
}

// caughtWithin runs lives of machines that something is wrong with until a check notices.
func caughtWithin(t *testing.T, cuts int, spoil func(*machine)) {
	t.Helper()
	vfs := register(t)
	done := 0
	for seed := uint64(1); done < cuts; seed++ {
		m := newMachine(vfs, seed)
		spoil(m)
		err := m.life(cutsEach)
		done += m.cuts
		if err != nil {
			t.Logf("caught after %d power cuts: %v", done, err)
			return
		}
	}
	t.Errorf("not caught in %d power cuts", done)
}

// TestPowerCutCatchesLazySync is a positive control: a store that does not wait for the disk.
func TestPowerCutCatchesLazySync(t *testing.T) {
	caughtWithin(t, shortCuts, func(m *machine) { m.seams.Synchronous = "normal" })
}

// TestPowerCutCatchesLyingDisk is a positive control: a disk that only says that it has synced.
func TestPowerCutCatchesLyingDisk(t *testing.T) {
	caughtWithin(t, shortCuts, func(m *machine) { m.lies = true })
}
