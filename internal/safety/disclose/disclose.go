// Package disclose publishes the daily report: computed from the transparency log alone, put down
// in it by its digest, and written to files beside it, with which anybody can compare. It reads no
// database, so that what it says cannot differ from the log.
//
// Invariants: the reports of all days follow each other without a gap; a report's files are what
// the entries before its own add up to, whichever process writes them, and are there and signed
// before its entry is published; what is published is never changed, but for signatures by newer
// keys.
package disclose

import (
	"bytes"
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
	// Published is told of each report once it is published, and again after a start.
	Published func(context.Context, report.Report) error
	// Crash is called between steps by tests that stop the process there; nil in production.
	Crash func(point string)
}

// at marks a point between two steps.
func (o Options) at(point string) {
	if o.Crash != nil {
		o.Crash(point)
	}
}

// Service makes daily reports. It is safe for concurrent use.
type Service struct {
	Options

	// first is the day on which this process began.
	first string

	mu   sync.Mutex
	book *report.Book
	// documents are those that are in the log.
	documents map[documentKey]bool
	// untold are the reports in the log that Published was not told of yet, the oldest first.
	untold []closed
}

// closed is a report and the index of its entry.
type closed struct {
	index  int64
	report report.Report
}

// New returns a service.
func New(o Options) *Service {
	if o.Random == nil {
		o.Random = rand.Reader
	}
	return &Service{
		Options: o, book: report.NewBook(o.Log.Origin()), first: entry.Day(o.Clock.Now()),
		documents: map[documentKey]bool{},
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
		if err := s.tell(ctx); err != nil {
			return err
		}
		day, err := s.next()
		if err != nil || day >= entry.Day(s.Clock.Now()) {
			return err
		}
		if err := s.close(ctx, day); err != nil {
			return err
		}
	}
}

// tell tells of the reports that are in the log, once they are published.
func (s *Service) tell(ctx context.Context) error {
	for len(s.untold) > 0 {
		next := s.untold[0]
		if err := s.Log.Published(ctx, next.index); err != nil {
			return err
		}
		s.at("report published")
		if s.Published != nil {
			if err := s.Published(ctx, next.report); err != nil {
				return err
			}
		}
		s.at("report told")
		s.untold = s.untold[1:]
	}
	return nil
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
			if err := s.again(i, e); err != nil {
				return err
			}
		}
		if e.Kind == entry.Publication {
			s.documents[keyOf(e)] = true
		}
		return s.book.Add(e)
	})
}

// close writes the files of a day's report and appends its entry. When the process ends in between,
// the next one writes them anew: they may be others then, but nobody was promised these.
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
		b, err := s.write(r)
		if err != nil {
			return nil, err
		}
		s.at("report written")
		line, err := entry.Entry{
			V: entry.Version, Kind: entry.Report, ID: hex.EncodeToString(name[:]), Day: day,
			Items: n, Commitment: entry.Digest(b),
		}.Encode()
		return [][]byte{line}, err
	})
	if err != nil {
		return err
	}
	s.at("report appended")
	return s.read(ctx, size+1)
}

// again makes the report of an entry that is in the log, and what is missing of its files.
func (s *Service) again(index int64, e entry.Entry) error {
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
	if _, err := s.write(r); err != nil {
		return err
	}
	s.untold = append(s.untold, closed{index, r})
	return nil
}

// write writes the files of a report, those that are not there or not as they must be, and returns
// the one that its entry commits to.
func (s *Service) write(r report.Report) ([]byte, error) {
	object, err := r.JSON()
	if err != nil {
		return nil, err
	}
	table, err := r.CSV()
	if err != nil {
		return nil, err
	}
	text, err := r.Note()
	if err != nil {
		return nil, err
	}
	at := s.Log.File(verify.ReportFile(r.Day, "note"))
	earlier, err := os.ReadFile(at)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("disclose: %w", err)
	}
	signed, err := s.Log.Note(text, earlier)
	if err != nil {
		return nil, err
	}
	for _, f := range []struct {
		suffix string
		b      []byte
	}{{"json", object}, {"csv", table}, {"note", signed}} {
		if err := replace(s.Log.File(verify.ReportFile(r.Day, f.suffix)), f.b); err != nil {
			return nil, fmt.Errorf("disclose: %w", err)
		}
	}
	return object, nil
}

// replace makes a file have some bytes, whole or not at all.
func replace(at string, b []byte) error {
	is, err := os.ReadFile(at)
	if err == nil && bytes.Equal(is, b) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	return verify.Replace(at, b, 0o644)
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
