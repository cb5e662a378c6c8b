package blob

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/clock"
	"parley/internal/limit"
)

// partUnit divides the size of every part but the last.
//
// https://core.telegram.org/api/files#uploading-files
const partUnit = 1 << 10

// tempPart begins the names of parts that are not finished.
const tempPart = "t"

var (
	// ErrPartNumber says that a part's number, or the number of parts, is out of range.
	ErrPartNumber = errors.New("blob: part number out of range")
	// ErrPartLength says that a part is empty or longer than limit.UploadPart.
	ErrPartLength = errors.New("blob: length of a part out of range")
	// ErrPartSizes says that the parts of a file do not have one common, allowed size, or that a
	// part other than the last is shorter.
	ErrPartSizes = errors.New("blob: sizes of parts do not agree")
)

// MissingPartError says that a part of a file was never uploaded.
type MissingPartError struct {
	// Part is the number of the first missing part, from 0.
	Part int
}

// Error names the part.
func (e *MissingPartError) Error() string {
	return "blob: part " + strconv.Itoa(e.Part) + " is missing"
}

// Upload names an unfinished upload: the file id that a client chose, within the scope (an auth
// key or a user) that it belongs to.
type Upload struct {
	Scope  int64
	FileID int64
}

// folder is the upload's folder: two numbers, whatever the client chose.
func (u Upload) folder() string {
	return fmt.Sprintf("%016x-%016x", uint64(u.Scope), uint64(u.FileID))
}

// Usage counts the parts that are kept, those just being written included.
type Usage struct {
	Uploads int
	Parts   int
	Bytes   int64
}

// Assembled is a file made of its parts.
type Assembled struct {
	Digest Digest
	// Size is the length in bytes.
	Size int64
	// MD5 is the MD5 digest in hexadecimal digits, which clients send to check small files.
	MD5 string
}

// Parts keeps the parts of unfinished uploads in a directory of its own. Quotas and the age at
// which an upload is given up are the caller's: see Usage and Expire. A Parts must be the only one
// on its directory. It is safe for concurrent use.
//
// https://core.telegram.org/api/files#uploading-files
type Parts struct {
	root  *os.Root
	store Store
	clock clock.Clock
	temps atomic.Uint64

	mu      sync.Mutex
	uploads map[Upload]*upload
	usage   map[int64]Usage
}

// upload is what is known of one upload. Whoever writes or reads its files holds mu for reading,
// whoever removes them for writing; the other fields belong to Parts.mu.
type upload struct {
	mu sync.RWMutex
	// gone is set when the upload was removed while somebody waited for mu.
	gone    bool
	sizes   map[int]int
	touched time.Time
}

// OpenParts opens a directory of unfinished uploads, creating it when it is not there, and finds
// the parts that an earlier process acknowledged. Assembled files go to the store.
func OpenParts(name string, store Store, clk clock.Clock) (*Parts, error) {
	root, err := openRoot(name)
	if err != nil {
		return nil, err
	}
	p := &Parts{
		root: root, store: store, clock: clk,
		uploads: make(map[Upload]*upload), usage: make(map[int64]Usage),
	}
	if err := p.load(); err != nil {
		_ = root.Close()
		return nil, &StorageError{Op: "read uploads", Err: err}
	}
	return p, nil
}

// Close releases the directory.
func (p *Parts) Close() error { return p.root.Close() }

// Put stores one part, from 0, and returns when it is durable. A part may be sent again and
// replaces the former one. Errors: ErrPartNumber, ErrPartLength, *StorageError, the context's.
func (p *Parts) Put(ctx context.Context, u Upload, part int, data []byte) error {
	if part < 0 || part >= limit.UploadParts {
		return ErrPartNumber
	}
	if len(data) == 0 || len(data) > limit.UploadPart {
		return ErrPartLength
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	state := p.hold(u)
	defer state.mu.RUnlock()
	former := p.count(u, state, part, len(data))
	if err := p.write(u, part, data); err != nil {
		p.count(u, state, part, former)
		return err
	}
	return nil
}

// Usage counts what is kept for one scope.
func (p *Parts) Usage(scope int64) Usage {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.usage[scope]
}

// Total counts what is kept for all scopes.
func (p *Parts) Total() Usage {
	p.mu.Lock()
	defer p.mu.Unlock()
	var total Usage
	for _, u := range p.usage {
		total.Uploads += u.Uploads
		total.Parts += u.Parts
		total.Bytes += u.Bytes
	}
	return total
}

// Assemble stores a file made of parts 0 to parts-1. The parts stay until Discard or Expire, so
// that a request repeated after a crash finds them. Errors: ErrPartNumber, *MissingPartError,
// ErrPartSizes, and those of Store.Put.
func (p *Parts) Assemble(ctx context.Context, u Upload, parts int) (Assembled, error) {
	return p.assemble(ctx, u, parts, nil)
}

// AssembleApart is Assemble with a tail behind the file's bytes in its blob, so that no other file
// has the same digest and the blob may be removed with the file. Size and MD5 are the file's.
func (p *Parts) AssembleApart(
	ctx context.Context, u Upload, parts int, tail []byte,
) (Assembled, error) {
	return p.assemble(ctx, u, parts, tail)
}

func (p *Parts) assemble(
	ctx context.Context, u Upload, parts int, tail []byte,
) (Assembled, error) {
	if parts <= 0 || parts > limit.UploadParts {
		return Assembled{}, ErrPartNumber
	}
	state, found := p.find(u)
	if !found {
		return Assembled{}, &MissingPartError{Part: 0}
	}
	defer state.mu.RUnlock()
	p.mu.Lock()
	err := checkSizes(state.sizes, parts)
	p.mu.Unlock()
	if err != nil {
		return Assembled{}, err
	}
	source := &partReader{parts: p, upload: u, count: parts, md5: md5.New()}
	defer source.close()
	digest, size, err := p.store.Put(ctx, io.MultiReader(source, bytes.NewReader(tail)))
	if err != nil {
		return Assembled{}, err
	}
	size -= int64(len(tail))
	return Assembled{Digest: digest, Size: size, MD5: hex.EncodeToString(source.md5.Sum(nil))}, nil
}

// Discard removes the parts of an upload. One that is not there is no error.
func (p *Parts) Discard(u Upload) error {
	p.mu.Lock()
	state := p.uploads[u]
	p.mu.Unlock()
	if state == nil {
		return nil
	}
	state.mu.Lock()
	defer state.mu.Unlock()
	if state.gone {
		return nil
	}
	return p.drop(u, state)
}

// Expire removes the uploads that got no part since before, and returns how many. One that is being
// written or assembled is in use and stays.
func (p *Parts) Expire(before time.Time) (int, error) {
	stale := make(map[Upload]*upload)
	p.mu.Lock()
	for u, state := range p.uploads {
		if state.touched.Before(before) {
			stale[u] = state
		}
	}
	p.mu.Unlock()
	removed := 0
	for u, state := range stale {
		dropped, err := p.expireOne(u, state, before)
		if err != nil {
			return removed, err
		}
		if dropped {
			removed++
		}
	}
	return removed, nil
}

// expireOne removes an upload unless it is in use, gone, or got a part since before.
func (p *Parts) expireOne(u Upload, state *upload, before time.Time) (bool, error) {
	if !state.mu.TryLock() {
		return false, nil
	}
	defer state.mu.Unlock()
	p.mu.Lock()
	stale := state.touched.Before(before)
	p.mu.Unlock()
	if state.gone || !stale {
		return false, nil
	}
	return true, p.drop(u, state)
}

// checkSizes says whether parts 0 to count-1 are there and of allowed sizes.
func checkSizes(sizes map[int]int, count int) error {
	for i := range count {
		if sizes[i] == 0 {
			return &MissingPartError{Part: i}
		}
	}
	if count == 1 {
		return nil
	}
	size := sizes[0]
	if size%partUnit != 0 || limit.UploadPart%size != 0 || sizes[count-1] > size {
		return ErrPartSizes
	}
	for i := range count - 1 {
		if sizes[i] != size {
			return ErrPartSizes
		}
	}
	return nil
}

// hold returns the upload, made when it is not there, locked for reading.
func (p *Parts) hold(u Upload) *upload {
	for {
		p.mu.Lock()
		state := p.uploads[u]
		if state == nil {
			state = p.add(u)
		}
		p.mu.Unlock()
		state.mu.RLock()
		if !state.gone {
			return state
		}
		state.mu.RUnlock()
	}
}

// find returns an upload that is there, locked for reading.
func (p *Parts) find(u Upload) (*upload, bool) {
	p.mu.Lock()
	state := p.uploads[u]
	p.mu.Unlock()
	if state == nil {
		return nil, false
	}
	state.mu.RLock()
	if state.gone {
		state.mu.RUnlock()
		return nil, false
	}
	return state, true
}

// add makes an upload. The caller holds p.mu.
func (p *Parts) add(u Upload) *upload {
	state := &upload{sizes: make(map[int]int), touched: p.clock.Now()}
	p.uploads[u] = state
	usage := p.usage[u.Scope]
	usage.Uploads++
	p.usage[u.Scope] = usage
	return state
}

// count notes that a part has size bytes, none when it is 0, and returns its former size.
func (p *Parts) count(u Upload, state *upload, part, size int) (former int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	former = state.sizes[part]
	usage := p.usage[u.Scope]
	usage.Bytes += int64(size - former)
	switch {
	case size == 0 && former > 0:
		delete(state.sizes, part)
		usage.Parts--
	case size > 0:
		state.sizes[part] = size
		if former == 0 {
			usage.Parts++
		}
	}
	state.touched = p.clock.Now()
	p.usage[u.Scope] = usage
	return former
}

// write makes one part durable under its name.
func (p *Parts) write(u Upload, part int, data []byte) error {
	folder := u.folder()
	if err := makeFolder(p.root, folder); err != nil {
		return &StorageError{Op: "create upload", Err: err}
	}
	temp := path.Join(folder, tempPart+strconv.FormatUint(p.temps.Add(1), 10))
	if err := p.writeTemp(temp, data); err != nil {
		_ = p.root.Remove(temp)
		return &StorageError{Op: "write part", Err: err}
	}
	if err := p.root.Rename(temp, partName(u, part)); err != nil {
		_ = p.root.Remove(temp)
		return &StorageError{Op: "rename part", Err: err}
	}
	if err := syncFolder(p.root, folder); err != nil {
		return &StorageError{Op: "sync upload", Err: err}
	}
	return nil
}

// writeTemp writes and syncs a file, dated by the injected clock.
func (p *Parts) writeTemp(name string, data []byte) error {
	file, err := p.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		now := p.clock.Now()
		err = p.root.Chtimes(name, now, now)
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// drop removes an upload's files. The caller holds state.mu.
func (p *Parts) drop(u Upload, state *upload) error {
	if err := p.root.RemoveAll(u.folder()); err != nil {
		return &StorageError{Op: "remove upload", Err: err}
	}
	if err := syncFolder(p.root, "."); err != nil {
		return &StorageError{Op: "sync uploads", Err: err}
	}
	state.gone = true
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.uploads, u)
	usage := p.usage[u.Scope]
	usage.Uploads--
	usage.Parts -= len(state.sizes)
	for _, size := range state.sizes {
		usage.Bytes -= int64(size)
	}
	if usage == (Usage{}) {
		delete(p.usage, u.Scope)
	} else {
		p.usage[u.Scope] = usage
	}
	return nil
}

// load finds the uploads on disk. Folders and files that are none are left alone, but parts that
// a crash left unfinished are removed.
func (p *Parts) load() error {
	folders, err := readNames(p.root, ".")
	if err != nil {
		return err
	}
	for _, folder := range folders {
		u, ok := parseFolder(folder)
		if !ok {
			continue
		}
		if err := p.loadUpload(u); err != nil {
			return err
		}
	}
	return nil
}

// loadUpload finds the parts of one upload.
func (p *Parts) loadUpload(u Upload) error {
	names, err := readNames(p.root, u.folder())
	if err != nil {
		return err
	}
	stat, err := p.root.Stat(u.folder())
	if err != nil {
		return err
	}
	state := p.add(u)
	var touched time.Time
	for _, name := range names {
		full := path.Join(u.folder(), name)
		if strings.HasPrefix(name, tempPart) {
			if err := p.root.Remove(full); err != nil {
				return err
			}
			continue
		}
		part, err := strconv.Atoi(name)
		if err != nil || part < 0 || part >= limit.UploadParts {
			continue
		}
		file, err := p.root.Lstat(full)
		if err != nil {
			return err
		}
		p.count(u, state, part, int(file.Size()))
		if file.ModTime().After(touched) {
			touched = file.ModTime()
		}
	}
	if touched.IsZero() {
		touched = stat.ModTime()
	}
	state.touched = touched
	return nil
}

// parseFolder reads the name of an upload's folder.
func parseFolder(name string) (Upload, bool) {
	scope, file, found := strings.Cut(name, "-")
	if !found {
		return Upload{}, false
	}
	s, err1 := strconv.ParseUint(scope, 16, 64)
	f, err2 := strconv.ParseUint(file, 16, 64)
	u := Upload{Scope: int64(s), FileID: int64(f)}
	return u, err1 == nil && err2 == nil && u.folder() == name
}

// partName is where a part lies.
func partName(u Upload, part int) string { return path.Join(u.folder(), strconv.Itoa(part)) }

// partReader reads the parts of an upload one after the other.
type partReader struct {
	parts  *Parts
	upload Upload
	count  int
	next   int
	file   *os.File
	md5    hash.Hash
}

// Read reads on, and opens the next part where one ends.
func (r *partReader) Read(b []byte) (int, error) {
	for {
		if r.file == nil {
			if r.next == r.count {
				return 0, io.EOF
			}
			file, err := r.parts.root.Open(partName(r.upload, r.next))
			if errors.Is(err, fs.ErrNotExist) {
				return 0, &MissingPartError{Part: r.next}
			}
			if err != nil {
				return 0, &StorageError{Op: "open part", Err: err}
			}
			r.file = file
			r.next++
		}
		n, err := r.file.Read(b)
		r.md5.Write(b[:n])
		if err == io.EOF {
			r.close()
			err = nil
		}
		if err != nil {
			return n, &StorageError{Op: "read part", Err: err}
		}
		if n > 0 {
			return n, nil
		}
	}
}

// close closes the part that is open.
func (r *partReader) close() {
	if r.file != nil {
		_ = r.file.Close()
		r.file = nil
	}
}
