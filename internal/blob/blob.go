// Package blob keeps files by their content: a blob's name is the SHA-256 digest of its bytes, so
// equal files are stored once and no name given by a user ever reaches a file system. It has two
// forms, a directory and an S3 bucket, that pass one conformance suite, and it keeps the parts of
// unfinished uploads. It does not know who may read what, what refers to a blob or when one is to
// be removed: that is decided by the callers. Because equal bytes are one blob, things that are
// kept for different reasons belong in stores of their own: see Within.
//
// Invariants: Put returns only when the bytes would survive a power cut; nothing unfinished is
// visible under a digest; a sweep never removes a blob that was put again after the sweep's border;
// nothing done to a store reaches one within it, nor the other way.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"parley/internal/limit"
)

// MaxSize is the largest blob, in bytes: the longest upload that the parts of a file can make.
const MaxSize = limit.UploadPart * limit.UploadParts

// readStep is how many bytes are carried at a time.
const readStep = 128 << 10

var (
	// ErrNotFound says that no blob has this digest.
	ErrNotFound = errors.New("blob: not found")
	// ErrTooLarge says that a blob would be longer than MaxSize; nothing is stored.
	ErrTooLarge = errors.New("blob: too large")
	// ErrCorrupt says that the stored bytes do not have the digest they are stored under.
	ErrCorrupt = errors.New("blob: content does not match its digest")
	// ErrRange says that a range begins before the first byte.
	ErrRange = errors.New("blob: negative offset")
	// ErrDigest says that a text is no digest.
	ErrDigest = errors.New("blob: not a digest")
	// ErrUnavailable says that a remote store could not be reached or is overloaded. Whether a
	// write took place is unknown; repeating it is safe, because equal bytes have equal names.
	ErrUnavailable = errors.New("blob: store is unavailable")
)

// Digest is the SHA-256 digest of a blob's bytes, and its name.
type Digest [sha256.Size]byte

// String returns the digest as 64 lower-case hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// ParseDigest reads what String writes, and nothing else; other text is ErrDigest.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	if len(s) != hex.EncodedLen(len(d)) {
		return Digest{}, ErrDigest
	}
	if _, err := hex.Decode(d[:], []byte(s)); err != nil || d.String() != s {
		return Digest{}, ErrDigest
	}
	return d, nil
}

// Info describes a stored blob.
type Info struct {
	Digest Digest
	// Size is the length in bytes.
	Size int64
	// Stored is when the blob was last put.
	Stored time.Time
}

// Store keeps blobs. Its forms are Dir and S3; both are safe for concurrent use. Errors are the
// sentinels of this package, *StorageError, or the context's.
type Store interface {
	// Put stores what r holds, at most MaxSize bytes, and returns its digest and length once it is
	// durable. Putting bytes that are there already renews their Info.Stored. An error of r is
	// returned wrapped and stores nothing.
	Put(ctx context.Context, r io.Reader) (Digest, int64, error)
	// ReadAt fills p from the blob's bytes at off, like io.ReaderAt: io.EOF with n < len(p) when
	// the blob ends first.
	ReadAt(ctx context.Context, d Digest, p []byte, off int64) (n int, err error)
	// Stat describes one blob.
	Stat(ctx context.Context, d Digest) (Info, error)
	// Delete removes a blob that was last put before the given time and says whether it did. The
	// zero time removes it whenever it was put. A blob that is not there is no error.
	Delete(ctx context.Context, d Digest, before time.Time) (bool, error)
	// All visits every blob, in no promised order; the walk ends at the first error.
	All(ctx context.Context) iter.Seq2[Info, error]
}

// StorageError is a failure of the storage itself: a full or broken disk, a bucket that refuses
// us. What a later operation would find is no longer certain, so the process should stop.
type StorageError struct {
	// Op names the operation that failed.
	Op string
	// Err is the cause.
	Err error
}

// Error describes the failure.
func (e *StorageError) Error() string {
	return "blob: storage failed: " + e.Op + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *StorageError) Unwrap() error { return e.Err }

// Swept counts what a sweep removed.
type Swept struct {
	Blobs int
	Bytes int64
}

// Sweep removes every blob that was last put before the given time and that keep does not want.
// The border must lie further back than the longest time between Put and the commit of the first
// reference. Where several nodes share a bucket keep must, before it answers false, also bar new
// references to the digest until the sweep has moved on: a bucket cannot remove conditionally.
func Sweep(
	ctx context.Context, s Store, before time.Time,
	keep func(context.Context, Digest) (bool, error),
) (Swept, error) {
	var done Swept
	for info, err := range s.All(ctx) {
		if err != nil {
			return done, err
		}
		if !info.Stored.Before(before) {
			continue
		}
		wanted, err := keep(ctx, info.Digest)
		if err != nil {
			return done, fmt.Errorf("blob: sweep asks for references: %w", err)
		}
		if wanted {
			continue
		}
		removed, err := s.Delete(ctx, info.Digest, before)
		if err != nil {
			return done, err
		}
		if removed {
			done.Blobs++
			done.Bytes += info.Size
		}
	}
	return done, nil
}

// Verify reads a whole blob and returns ErrCorrupt when its bytes do not have its digest.
func Verify(ctx context.Context, s Store, d Digest) error {
	hash := sha256.New()
	buf := make([]byte, limit.DownloadPart)
	for off := int64(0); ; {
		n, err := s.ReadAt(ctx, d, buf, off)
		hash.Write(buf[:n])
		off += int64(n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if Digest(hash.Sum(nil)) != d {
		return ErrCorrupt
	}
	return nil
}

// spool copies r to w while hashing it, and keeps the size, at most max, and the context in check.
// Errors of w come back as *StorageError, those of r wrapped.
func spool(ctx context.Context, w io.Writer, r io.Reader, max int64) (Digest, int64, error) {
	hash := sha256.New()
	buf := make([]byte, readStep)
	var size int64
	for {
		if err := ctx.Err(); err != nil {
			return Digest{}, 0, err
		}
		n, err := r.Read(buf)
		if size += int64(n); size > max {
			return Digest{}, 0, ErrTooLarge
		}
		hash.Write(buf[:n])
		if _, werr := w.Write(buf[:n]); werr != nil {
			return Digest{}, 0, &StorageError{Op: "write file", Err: werr}
		}
		if err == io.EOF {
			return Digest(hash.Sum(nil)), size, nil
		}
		if err != nil {
			return Digest{}, 0, fmt.Errorf("blob: read what is to be stored: %w", err)
		}
	}
}
