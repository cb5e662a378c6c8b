// Package verify is all that a stranger needs to check a transparency log and what is computed from
// it: checkpoints and their cosignatures, the tree, every entry, the daily reports, and receipts.
// It reads a log in the form of C2SP tlog-tiles from a web address or from a directory, trusts the
// keys that it is given and nothing else, and imports nothing of the server.
//
// What does not fit is a Finding: it names the first file, entry or figure that is wrong. A log
// that could not be read is an error and no finding.
//
// https://c2sp.org/tlog-tiles
package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// What is the class of what does not fit.
type What string

// The classes of findings.
const (
	// BadCheckpoint is one that is not signed by the log's key, or not in the form of one.
	BadCheckpoint What = "checkpoint"
	// NoWitness is a checkpoint that too few witnesses cosigned.
	NoWitness What = "witness"
	// Rollback is a log that is smaller than it was, Fork one that has another history.
	Rollback What = "rollback"
	Fork     What = "fork"
	// BadTree are entries that make another tree than the one that was signed.
	BadTree What = "tree"
	// BadTile is a file of hashes that does not fit the entries.
	BadTile What = "tile"
	// BadEntry is an entry that is not the one that was signed, or not in the published format.
	BadEntry What = "entry"
	// BadReport is a report that is not what the entries add up to.
	BadReport What = "report"
	// BadDocument is a published document that is not the one that its entry commits to.
	BadDocument What = "document"
	// BadCanary is a canary statement that is missing, expired, or not signed as it must be.
	BadCanary What = "canary"
	// BadReceipt is a receipt that does not prove what it says.
	BadReceipt What = "receipt"
)

// Finding is what does not fit, and the first place where.
type Finding struct {
	What What
	// Where is a file, an entry's number, or a figure's name.
	Where string
	// Why says what was expected.
	Why string
}

// Error names what does not fit, where and why.
func (f *Finding) Error() string {
	return fmt.Sprintf("verify: %s %s: %s", f.What, f.Where, f.Why)
}

func finding(what What, where, why string, args ...any) error {
	return &Finding{What: what, Where: where, Why: fmt.Sprintf(why, args...)}
}

// ErrMissing says that a log has no such file.
var ErrMissing = errors.New("verify: no such file")

// Source is where the files of a log are read: a web server or a directory.
type Source interface {
	// Get returns a file of at most most bytes; ErrMissing when there is none.
	Get(ctx context.Context, path string, most int64) ([]byte, error)
}

// Dir is a log in a directory.
type Dir string

// Get reads a file.
func (d Dir) Get(_ context.Context, path string, most int64) ([]byte, error) {
	f, err := os.Open(filepath.Join(string(d), filepath.FromSlash(path)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrMissing, path)
	}
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	defer f.Close()
	return bounded(f, path, most)
}

// Web is a log on a web server.
type Web struct {
	// URL is the address below which its files lie.
	URL string
	// Client makes the requests; http.DefaultClient when nil.
	Client *http.Client
}

// Get fetches a file.
func (w Web) Get(ctx context.Context, path string, most int64) ([]byte, error) {
	url := strings.TrimSuffix(w.URL, "/") + "/" + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	client := w.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return bounded(resp.Body, path, most)
	case http.StatusNotFound, http.StatusGone:
		return nil, fmt.Errorf("%w: %s", ErrMissing, path)
	default:
		return nil, fmt.Errorf("verify: %s: %s", url, resp.Status)
	}
}

// Open returns the source that an address names: a web address, or else a directory.
func Open(address string) Source {
	if strings.HasPrefix(address, "http://") || strings.HasPrefix(address, "https://") {
		return Web{URL: address}
	}
	return Dir(address)
}

func bounded(r io.Reader, path string, most int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, fmt.Errorf("verify: %s: %w", path, err)
	}
	if int64(len(b)) > most {
		return nil, finding(BadTile, path, "it has more than %d bytes", most)
	}
	return b, nil
}
