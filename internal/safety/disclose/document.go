package disclose

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"

	"parley/internal/tlog/entry"
	"parley/internal/tlog/verify"
)

// ErrDocument says that a file of the operator's is not as it must be to be published.
var ErrDocument = errors.New("disclose: the document cannot be published")

// Document is a file that the operator publishes. The log gets its digest, and the file lies beside
// the log for good: a version that was published once cannot be changed or taken back unnoticed.
type Document struct {
	// Name is what it is, such as terms, Lang its language as ISO 639-1 in capitals, or empty.
	Name, Lang string
	// Day is from when on it holds, Ends its last day, empty for none.
	Day, Ends string
	Body      []byte
}

// ruleFile is the name of a version of the rules in their directory: DAY.LANG.txt.
var ruleFile = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})\.([a-z]{2})\.txt$`)

// ruleName is the name of a text of rules, which is that of its directory.
var ruleName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// textMost bounds a text of rules in bytes: pages compare its versions.
const textMost = 1 << 20

// Rules reads the texts of the operator's rules: NAME/DAY.LANG.txt below a directory.
func Rules(dir string) (out []Document, err error) {
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("disclose: rules: %w", err)
	}
	for _, name := range names {
		if !name.IsDir() || !ruleName.MatchString(name.Name()) ||
			name.Name() == verify.CanaryName || strings.HasPrefix(name.Name(), verify.FormPrefix) ||
			strings.HasPrefix(name.Name(), verify.OrderPrefix) {
			return nil, fmt.Errorf("%w: %s is no directory of a text", ErrDocument, name.Name())
		}
		files, err := os.ReadDir(filepath.Join(dir, name.Name()))
		if err != nil {
			return nil, fmt.Errorf("disclose: rules: %w", err)
		}
		for _, f := range files {
			d, err := rule(dir, name.Name(), f.Name())
			if err != nil {
				return nil, err
			}
			out = append(out, d)
		}
	}
	return out, nil
}

// rule reads one version of a text.
func rule(dir, name, file string) (d Document, err error) {
	m := ruleFile.FindStringSubmatch(file)
	if m == nil {
		return d, fmt.Errorf("%w: %s/%s is not named DAY.LANG.txt", ErrDocument, name, file)
	}
	if _, err := time.Parse(time.DateOnly, m[1]); err != nil {
		return d, fmt.Errorf("%w: %s/%s: there is no such day", ErrDocument, name, file)
	}
	d = Document{Name: name, Day: m[1], Lang: strings.ToUpper(m[2])}
	if d.Body, err = os.ReadFile(filepath.Join(dir, name, file)); err != nil {
		return d, fmt.Errorf("disclose: rules: %w", err)
	}
	if len(d.Body) > textMost || !utf8.Valid(d.Body) {
		return d, fmt.Errorf("%w: %s/%s is too large or not in UTF-8", ErrDocument, name, file)
	}
	return d, nil
}

// Canary reads a canary statement about the log that one of some persons signed.
func (s *Service) Canary(
	ctx context.Context, file string, by []note.Verifier,
) (d Document, err error) {
	if d.Body, err = os.ReadFile(file); err != nil {
		return d, fmt.Errorf("disclose: canary: %w", err)
	}
	c, err := verify.OpenCanary(d.Body, by)
	if err != nil {
		return d, err
	}
	if c.Origin != s.Log.Origin() {
		return d, fmt.Errorf("%w: the canary is about the log %s", ErrDocument, c.Origin)
	}
	d.Name, d.Day, d.Ends = verify.CanaryName, c.Day, c.Until
	now, err := s.Log.Checkpoint(ctx)
	if err != nil {
		return d, err
	}
	return d, verify.Began(ctx, s.Log.Source(), now, c.Size, c.Root)
}

// entry is the entry of a document, but for its name.
func (d Document) entry() entry.Entry {
	return entry.Entry{
		V: entry.Version, Kind: entry.Publication, Day: d.Day, Subject: d.Name, Lang: d.Lang,
		Ends: d.Ends, Commitment: entry.Digest(d.Body),
	}
}

// documentKey is by what a document is published once.
type documentKey struct{ name, lang, day, ends, digest string }

func keyOf(e entry.Entry) documentKey {
	return documentKey{e.Subject, e.Lang, e.Day, e.Ends, e.Commitment}
}

// Put publishes documents that were not published before, in their order. It returns when they are
// in the log, which may be before that is published.
func (s *Service) Put(ctx context.Context, list []Document) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Log.Append(ctx, func(n int64) (lines [][]byte, err error) {
		if err := s.read(ctx, n); err != nil {
			return nil, err
		}
		for _, d := range list {
			e := d.entry()
			if s.documents[keyOf(e)] {
				continue
			}
			if err := replace(s.Log.File(verify.DocumentFile(e.Commitment)), d.Body); err != nil {
				return nil, fmt.Errorf("disclose: %w", err)
			}
			var name [16]byte
			if _, err := io.ReadFull(s.Random, name[:]); err != nil {
				return nil, fmt.Errorf("disclose: %w", err)
			}
			e.ID = hex.EncodeToString(name[:])
			line, err := e.Encode()
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrDocument, err)
			}
			lines = append(lines, line)
		}
		return lines, nil
	})
}
