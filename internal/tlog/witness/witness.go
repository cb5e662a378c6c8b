// Package witness is a witness of transparency logs: it cosigns a checkpoint only if the log has
// grown from the last one that it cosigned without changing what stood there before. So nobody can
// be shown another history, unless all witnesses that he trusts lie with the log. It speaks the
// protocol of C2SP tlog-witness and imports nothing of the server, so that anybody can run one.
//
// Invariant: what was cosigned is on disk before the cosignature leaves.
//
// https://c2sp.org/tlog-witness
package witness

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"parley/internal/tlog/verify"
)

// Log is a log that a witness follows.
type Log struct {
	Origin string
	Keys   []note.Verifier
}

// Witness cosigns the checkpoints of the logs that it follows. It is an http.Handler, safe for
// concurrent use.
type Witness struct {
	signer note.Signer
	logs   map[string]Log
	dir    string

	// mu holds what was cosigned still while it is compared and replaced.
	mu sync.Mutex
}

// New returns a witness that signs with a cosignature/v1 key and remembers in a directory.
func New(dir string, signer note.Signer, logs ...Log) (*Witness, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("witness: %w", err)
	}
	w := &Witness{signer: signer, dir: dir, logs: make(map[string]Log, len(logs))}
	for _, l := range logs {
		w.logs[l.Origin] = l
	}
	return w, nil
}

const (
	// requestMost bounds a request in bytes, linesMost the hashes of a proof.
	requestMost = 64 << 10
	linesMost   = 63
	// sizeType is the media type of the size that a witness has seen.
	sizeType = "text/x.tlog.size"
)

// ServeHTTP answers POST /add-checkpoint.
func (w *Witness) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/add-checkpoint") {
		http.NotFound(out, r)
		return
	}
	b, err := io.ReadAll(http.MaxBytesReader(out, r.Body, requestMost))
	if err != nil {
		http.Error(out, "the request is too large", http.StatusRequestEntityTooLarge)
		return
	}
	signature, err := w.Add(b)
	var no *Refusal
	switch {
	case err == nil:
		out.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = out.Write(signature)
	case errors.As(err, &no) && no.Status == http.StatusConflict:
		out.Header().Set("Content-Type", sizeType)
		out.WriteHeader(no.Status)
		_, _ = fmt.Fprintf(out, "%d\n", no.Size)
	case errors.As(err, &no):
		http.Error(out, no.Reason, no.Status)
	default:
		http.Error(out, "the witness cannot work now", http.StatusInternalServerError)
	}
}

// Refusal is why a checkpoint is not cosigned.
type Refusal struct {
	// Status is the protocol's HTTP status.
	Status int
	Reason string
	// Size is what was cosigned last, with StatusConflict.
	Size int64
}

// Error is the reason.
func (r *Refusal) Error() string { return "witness: " + r.Reason }

// request is a parsed request.
type request struct {
	old        int64
	proof      tlog.TreeProof
	checkpoint []byte
}

// parse reads a request: "old N", hashes in base64, an empty line, the checkpoint.
func parse(b []byte) (q request, err error) {
	malformed := &Refusal{Status: http.StatusBadRequest, Reason: "the request is malformed"}
	head, rest, ok := bytes.Cut(b, []byte("\n\n"))
	if !ok {
		return q, malformed
	}
	lines := bufio.NewScanner(bytes.NewReader(head))
	if !lines.Scan() {
		return q, malformed
	}
	size, ok := strings.CutPrefix(lines.Text(), "old ")
	q.old, err = strconv.ParseInt(size, 10, 64)
	if !ok || err != nil || q.old < 0 || strconv.FormatInt(q.old, 10) != size {
		return q, malformed
	}
	for lines.Scan() {
		h, err := base64.StdEncoding.Strict().DecodeString(lines.Text())
		if err != nil || len(h) != tlog.HashSize || len(q.proof) == linesMost {
			return q, malformed
		}
		q.proof = append(q.proof, tlog.Hash(h))
	}
	q.checkpoint = rest
	return q, nil
}

// Add checks a request and returns the lines of the cosignature; a *Refusal says why not.
func (w *Witness) Add(b []byte) ([]byte, error) {
	q, err := parse(b)
	if err != nil {
		return nil, err
	}
	origin, _, _ := strings.Cut(string(q.checkpoint), "\n")
	log, known := w.logs[origin]
	if !known {
		return nil, &Refusal{Status: http.StatusNotFound, Reason: "the log is not known"}
	}
	n, err := note.Open(q.checkpoint, note.VerifierList(log.Keys...))
	if err != nil {
		return nil, &Refusal{Status: http.StatusForbidden, Reason: "the log did not sign this"}
	}
	size, root, err := verify.Body(origin, n.Text)
	if err != nil {
		return nil, &Refusal{Status: http.StatusBadRequest, Reason: "it is no checkpoint"}
	}
	if q.old > size {
		return nil, &Refusal{Status: http.StatusBadRequest, Reason: "the log became smaller"}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	last, err := w.Last(origin)
	if err != nil {
		return nil, err
	}
	if err := follows(last, q, size, root); err != nil {
		return nil, err
	}
	seen := verify.Seen{Size: size, Root: root.String()}
	if err := seen.Save(w.file(origin)); err != nil {
		return nil, err
	}
	signed, err := note.Sign(&note.Note{Text: n.Text}, w.signer)
	if err != nil {
		return nil, fmt.Errorf("witness: sign: %w", err)
	}
	return signed[len(n.Text)+1:], nil
}

// follows tells whether a checkpoint is a later state of what was cosigned.
func follows(last verify.Seen, q request, size int64, root tlog.Hash) error {
	if q.old != last.Size {
		return &Refusal{
			Status: http.StatusConflict, Size: last.Size,
			Reason: fmt.Sprintf("%d entries were cosigned", last.Size),
		}
	}
	if last.Size == 0 {
		if len(q.proof) > 0 {
			return &Refusal{Status: http.StatusUnprocessableEntity, Reason: "nothing is to prove"}
		}
		return nil
	}
	before, err := tlog.ParseHash(last.Root)
	if err != nil {
		return fmt.Errorf("witness: what was cosigned: %w", err)
	}
	if size == last.Size {
		if root != before {
			return &Refusal{
				Status: http.StatusConflict, Size: last.Size,
				Reason: "another tree of this size was cosigned",
			}
		}
		if len(q.proof) > 0 {
			return &Refusal{Status: http.StatusUnprocessableEntity, Reason: "nothing is to prove"}
		}
		return nil
	}
	if err := tlog.CheckTree(q.proof, size, root, last.Size, before); err != nil {
		return &Refusal{Status: http.StatusUnprocessableEntity, Reason: "the proof does not hold"}
	}
	return nil
}

// file is where the last cosigned state of a log is kept.
func (w *Witness) file(origin string) string {
	return filepath.Join(w.dir, base64.RawURLEncoding.EncodeToString([]byte(origin))+".json")
}

// Last is what was cosigned last of a log; the zero Seen for nothing.
func (w *Witness) Last(origin string) (verify.Seen, error) {
	return verify.LoadSeen(w.file(origin))
}
