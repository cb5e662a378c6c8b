// Package disclose publishes the daily report: computed from the transparency log alone, put down
// in it by its digest, and written to files beside it, with which anybody can compare. It reads no
// database, so that what it says cannot differ from the log.
//
// Invariants: the reports of all days follow each other without a gap; a report's file is what the
// entries before its own add up to, whichever process writes it; a published file is never changed.
package disclose

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"parley/internal/clock"
	"parley/internal/tlog"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/report"
	"parley/internal/tlog/verify"
)

// Options are what a service is made of.
type Options struct {
	Log    *tlog.Log
	Clock  clock.Clock
	Random io.Reader
	// Drain carries what waits into the log; a report is made after it.
	Drain func(context.Context) (int, error)
	// Published is told of each report once its files are there, and again after a start.
	Published func(context.Context, report.Report) error
}

// Service makes daily reports. It is safe for concurrent use.
type Service struct {
	Options

	// first is the day on which this process began.
	first string

	mu   sync.Mutex
	book *report.Book
}

// New returns a service.
func New(o Options) *Service {
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return &Service{
		Options: o, book: report.NewBook(o.Log.Origin()), first: entry.Day(o.Clock.Now()),
	}
}

// Publish makes the reports of all days that are over and have none.
func (s *Service) Publish(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.Drain(ctx); err != nil {
		return err
	}
	size, err := s.Log.Size(ctx)
	if err != nil {
		return err
	}
	if err := s.read(ctx, size); err != nil {
		return err
	}
	for {
		day, err := s.next()
		if err != nil || day >= entry.Day(s.Clock.Now()) {
			return err
		}
		if err := s.close(ctx, day); err != nil {
			return err
		}
	}
}

// next is the day of which the next report is: the one after the last, or the first of which there
// is an entry, or the one on which this process began.
func (s *Service) next() (string, error) {
	if last := s.book.Last(); last != "" {
		return report.Next(last)
	}
	if days := s.book.Days(); len(days) > 0 {
		return min(days[0], s.first), nil
	}
	return s.first, nil
}

// read feeds the book what is in the log up to a size, and writes files that are missing.
func (s *Service) read(ctx context.Context, size int64) error {
	from := s.book.Entries()
	return verify.Each(ctx, s.Log.Source(), from, size, func(i int64, raw []byte) error {
		e, err := entry.Parse(raw)
		if err != nil {
			return fmt.Errorf("disclose: entry %d: %w", i, err)
		}
		if e.Kind == entry.Report {
			if err := s.files(ctx, e); err != nil {
				return err
			}
		}
		return s.book.Add(e)
	})
}

// close appends the entry of a day's report. Its files are written when it is read back, as a start
// after a crash does.
func (s *Service) close(ctx context.Context, day string) error {
	var name [16]byte
	if _, err := io.ReadFull(s.Random, name[:]); err != nil {
		return fmt.Errorf("disclose: %w", err)
	}
	var size int64
	err := s.Log.Append(ctx, func(n int64) ([][]byte, error) {
		size = n
		if err := s.read(ctx, n); err != nil {
			return nil, err
		}
		r, err := s.book.Report(day)
		if err != nil {
			return nil, err
		}
		b, err := r.JSON()
		if err != nil {
			return nil, err
		}
		line, err := entry.Entry{
			V: entry.Version, Kind: entry.Report, ID: hex.EncodeToString(name[:]), Day: day,
			Items: n, Commitment: entry.Digest(b),
		}.Encode()
		return [][]byte{line}, err
	})
	if err != nil {
		return err
	}
	if err := s.Log.Published(ctx, size); err != nil {
		return err
	}
	return s.read(ctx, size+1)
}

// files writes the files of a report that its entry commits to, unless they are there.
func (s *Service) files(ctx context.Context, e entry.Entry) error {
	r, err := s.book.Report(e.Day)
	if err != nil {
		return err
	}
	object, err := r.JSON()
	if err != nil {
		return err
	}
	if entry.Digest(object) != e.Commitment {
		return fmt.Errorf("disclose: the report of %s is not what the log adds up to", e.Day)
	}
	table, err := r.CSV()
	if err != nil {
		return err
	}
	for suffix, b := range map[string][]byte{"json": object, "csv": table} {
		if err := write(s.Log.File(verify.ReportFile(e.Day, suffix)), b); err != nil {
			return err
		}
	}
	if s.Published == nil {
		return nil
	}
	return s.Published(ctx, r)
}

// write writes a file whole or not at all, unless it is there.
func write(at string, b []byte) error {
	if _, err := os.Stat(at); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dir := filepath.Dir(at)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("disclose: %w", err)
	}
	f, err := os.CreateTemp(dir, ".report-*")
	if err != nil {
		return fmt.Errorf("disclose: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), at)
	}
	if err != nil {
		return fmt.Errorf("disclose: %w", err)
	}
	return nil
}

// Run publishes after each midnight, UTC, until ctx ends. Failed tells of what went wrong; it is
// tried again.
func (s *Service) Run(ctx context.Context, failed func(error)) {
	for {
		wait := time.Minute
		if err := s.Publish(ctx); err == nil {
			now := s.Clock.Now().UTC()
			wait = now.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(now)
		} else if ctx.Err() == nil {
			failed(err)
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}
