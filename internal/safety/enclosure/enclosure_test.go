package enclosure_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/internal/blob"
	"parley/internal/blob/blobtest"
	"parley/internal/clock"
	"parley/internal/safety/enclosure"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// inDir runs fn on papers in a directory, with every database.
func inDir(t *testing.T, fn func(t *testing.T, p *enclosure.Papers)) {
	storetest.Each(t, func(t *testing.T, rows *store.Store) {
		d, err := blob.OpenDir(t.TempDir(), clock.System{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = d.Close() }()
		fn(t, papers(d, rows))
	})
}

// each runs fn on papers in every pair of database and blob store.
func each(t *testing.T, fn func(t *testing.T, p *enclosure.Papers)) {
	t.Run("dir", func(t *testing.T) { inDir(t, fn) })
	t.Run("s3", func(t *testing.T) {
		g := blobtest.Start(t)
		storetest.Each(t, func(t *testing.T, rows *store.Store) {
			s, err := blob.OpenS3(t.Context(), g.URL(t, path.Base(t.Name()), ""), t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			fn(t, papers(s.Within("papers"), rows))
		})
	})
}

// papers are a store of papers a day and an hour after what is put into it now.
func papers(s blob.Store, rows *store.Store) *enclosure.Papers {
	return &enclosure.Papers{
		Store: s, Rows: rows, Clock: clock.NewFake(time.Now().Add(25 * time.Hour)),
	}
}

func put(t *testing.T, p *enclosure.Papers, text string) blob.Digest {
	t.Helper()
	d, _, err := p.Put(t.Context(), bytes.NewReader([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// names are rows that name papers.
func names(list ...blob.Digest) enclosure.Names {
	return func(_ *store.Reader, visit func(string)) error {
		for _, d := range list {
			visit(d.String())
		}
		return nil
	}
}

func there(t *testing.T, p *enclosure.Papers) (list []string) {
	t.Helper()
	for info, err := range p.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, info.Digest.String())
	}
	slices.Sort(list)
	return list
}

func sweep(t *testing.T, p *enclosure.Papers, n ...enclosure.Names) int {
	t.Helper()
	done, err := p.Sweep(t.Context(), n...)
	if err != nil {
		t.Fatal(err)
	}
	return done.Blobs
}

// TestSweep: what rows of any package name stays, and so does what is younger than a day.
func TestSweep(t *testing.T) {
	each(t, func(t *testing.T, p *enclosure.Papers) {
		a, b := put(t, p, "named"), put(t, p, "named by others")
		put(t, p, "never sent")
		old := p.Clock
		p.Clock = clock.NewFake(old.Now().Add(-90 * time.Minute))
		if n := sweep(t, p, names(a), names(b)); n != 0 {
			t.Errorf("%d removed within a day", n)
		}
		p.Clock = old
		if n := sweep(t, p, names(a), names(b)); n != 1 {
			t.Errorf("%d removed, want 1", n)
		}
		want := []string{a.String(), b.String()}
		slices.Sort(want)
		if got := there(t, p); !slices.Equal(got, want) {
			t.Errorf("left %v, want %v", got, want)
		}
		if n := sweep(t, p, names(a), names()); n != 1 {
			t.Errorf("%d removed of what was named before, want 1", n)
		}
		put(t, p, "never sent") // what was removed can come again
	})
}

// TestNothingGoesUnread: while it is not known what is named, nothing is removed.
func TestNothingGoesUnread(t *testing.T) {
	inDir(t, func(t *testing.T, p *enclosure.Papers) {
		put(t, p, "of whom nobody knows")
		broken := errors.New("broken row")
		_, err := p.Sweep(t.Context(), names(),
			func(*store.Reader, func(string)) error { return broken })
		if !errors.Is(err, broken) || len(there(t, p)) != 1 {
			t.Errorf("left %v, %v", there(t, p), err)
		}
	})
}

// late removes a blob in two steps, like every bucket: it looks how old it is, and then removes it
// whatever came between.
type late struct {
	blob.Store
	between func()
}

func (l *late) Delete(ctx context.Context, d blob.Digest, before time.Time) (bool, error) {
	info, err := l.Stat(ctx, d)
	if err != nil || !info.Stored.Before(before) {
		return false, nil
	}
	l.between()
	return l.Store.Delete(ctx, d, time.Time{})
}

// TestTwoServers: a paper that one server is about to remove cannot be stored at another without
// that one being told; afterwards it can, and stays.
func TestTwoServers(t *testing.T) {
	each(t, func(t *testing.T, one *enclosure.Papers) {
		two := *one
		looked := &late{Store: one.Store}
		one.Store = looked
		put(t, &two, "again")
		looked.between = func() {
			_, _, err := two.Put(t.Context(), bytes.NewReader([]byte("again")))
			if !errors.Is(err, blob.ErrUnavailable) {
				t.Errorf("stored while it is removed: %v", err)
			}
			if n := sweep(t, &two); n != 0 {
				t.Errorf("removed by two: %d", n)
			}
		}
		if n := sweep(t, one); n != 1 {
			t.Errorf("%d removed, want 1", n)
		}
		d := put(t, &two, "again")
		if err := blob.Verify(t.Context(), one, d); err != nil {
			t.Error(err)
		}
	})
}

// crash ends after some removals, in the middle of one.
type crash struct {
	blob.Store
	left int
	end  func()
}

func (c *crash) Delete(ctx context.Context, d blob.Digest, before time.Time) (bool, error) {
	if c.left--; c.left < 0 {
		c.end()
		return false, ctx.Err()
	}
	return c.Store.Delete(ctx, d, before)
}

// TestCrash: a sweep that ends in the middle has removed nothing that is named, and the next one,
// once the bars that it left are over, goes on.
func TestCrash(t *testing.T) {
	inDir(t, func(t *testing.T, p *enclosure.Papers) {
		var named []blob.Digest
		for i := range 8 {
			named = append(named, put(t, p, fmt.Sprint("named ", i)))
			put(t, p, fmt.Sprint("unnamed ", i))
		}
		for left := range 3 {
			ctx, end := context.WithCancel(t.Context())
			broken := *p
			broken.Store = &crash{p.Store, left, end}
			if _, err := broken.Sweep(ctx, names(named...)); err == nil {
				t.Fatal("it did not end in the middle")
			}
			end()
		}
		for _, d := range named {
			if err := blob.Verify(t.Context(), p, d); err != nil {
				t.Error(err)
			}
		}
		p.Clock.(*clock.Fake).Advance(time.Hour)
		sweep(t, p, names(named...))
		if got := there(t, p); len(got) != len(named) {
			t.Errorf("%d left, want %d", len(got), len(named))
		}
	})
}

// TestTogether has two servers sweep while others store the same papers: whoever was told that his
// paper is stored has it.
func TestTogether(t *testing.T) {
	storetest.Each(t, func(t *testing.T, rows *store.Store) {
		dir := t.TempDir()
		var servers []*enclosure.Papers
		for range 2 { // a directory of each process
			d, err := blob.OpenDir(dir, aged{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = d.Close() }()
			p := papers(&late{d, func() {}}, rows)
			p.Clock = clock.System{}
			servers = append(servers, p)
		}
		const rounds = 30
		var work sync.WaitGroup
		for _, p := range servers {
			work.Go(func() {
				for range rounds {
					if _, err := p.Sweep(t.Context(), names()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		fresh, err := blob.OpenDir(dir, clock.System{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = fresh.Close() }()
		now := papers(fresh, rows)
		now.Clock = clock.System{}
		work.Go(func() {
			for i := range rounds {
				text := fmt.Sprint("paper ", i)
				_, _, err := servers[0].Put(t.Context(), bytes.NewReader([]byte(text)))
				if errors.Is(err, blob.ErrUnavailable) {
					continue
				}
				if err != nil {
					t.Error(err)
				}
				// What was as old as can be is new now.
				d, _, err := now.Put(t.Context(), bytes.NewReader([]byte(text)))
				if errors.Is(err, blob.ErrUnavailable) {
					continue
				}
				if err == nil {
					err = blob.Verify(t.Context(), now, d)
				}
				if err != nil {
					t.Errorf("%s: stored, and %v", text, err)
				}
			}
		})
		work.Wait()
	})
}

// aged is a clock two days ago.
type aged struct{}

func (aged) Now() time.Time { return time.Now().Add(-48 * time.Hour) }
