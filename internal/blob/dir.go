package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/clock"
)

// The layout of a blob directory: unfinished Puts in one folder, finished blobs in folders named
// by the first digits of their digests.
const (
	tempFolder = "tmp"
	blobFolder = "sha256"
	// withinFolder begins the names of the folders of stores within.
	withinFolder = "within-"
	shardDigits  = 3
	folderMode   = 0o700
	fileMode     = 0o600
	// staleTemp is the age at which an unfinished Put cannot belong to a running process.
	staleTemp = 24 * time.Hour
	// walkStep is how many entries of a folder are read at a time.
	walkStep = 1024
)

// Dir is a Store in a directory of this machine. After the first error of a write it refuses every
// later write with that same error, because a file system that failed once may lie afterwards.
type Dir struct {
	root  *os.Root
	clock clock.Clock
	// max is the largest blob, in bytes.
	max int64
	// temps numbers the temporary files of this process.
	temps atomic.Uint64
	// failed is the first error of a write.
	failed atomic.Pointer[StorageError]
	// shards tells which shard folders are known to be durable; one that is merely there may be
	// the unsynced work of a process that crashed.
	shards [1 << (4 * shardDigits)]atomic.Bool
	// mu makes "look at the age, then remove" one step against the renames of Put.
	mu sync.Mutex
}

// OpenDir opens a blob directory, creating it when it is not there. The clock dates the blobs.
func OpenDir(name string, clk clock.Clock) (*Dir, error) {
	root, err := openRoot(name)
	if err != nil {
		return nil, err
	}
	d := &Dir{root: root, clock: clk, max: MaxSize}
	for _, folder := range []string{tempFolder, blobFolder} {
		if err := makeFolder(root, folder); err != nil {
			_ = root.Close()
			return nil, &StorageError{Op: "create folder", Err: err}
		}
	}
	if err := d.dropStale(); err != nil {
		_ = root.Close()
		return nil, &StorageError{Op: "remove stale files", Err: err}
	}
	return d, nil
}

// Within opens the store of a name, of small letters alone, that lies in this one's directory and
// shares no blob with it: equal bytes that are put into both are there twice. It is to be closed on
// its own.
func (d *Dir) Within(name string) (*Dir, error) {
	return OpenDir(filepath.Join(d.root.Name(), withinFolder+name), d.clock)
}

// Close releases the directory. Operations that run, or come later, fail.
func (d *Dir) Close() error { return d.root.Close() }

// Put stores what r holds. See Store.
func (d *Dir) Put(ctx context.Context, r io.Reader) (Digest, int64, error) {
	if err := d.failed.Load(); err != nil {
		return Digest{}, 0, err
	}
	temp, file, err := d.create()
	if err != nil {
		return Digest{}, 0, d.fail("create file", err)
	}
	digest, size, err := spool(ctx, file, r, d.max)
	if err == nil {
		if serr := file.Sync(); serr != nil {
			err = &StorageError{Op: "sync file", Err: serr}
		}
	}
	if cerr := file.Close(); err == nil && cerr != nil {
		err = &StorageError{Op: "close file", Err: cerr}
	}
	if err == nil {
		err = d.publish(temp, digest)
	}
	if err != nil {
		_ = d.root.Remove(temp)
		return Digest{}, 0, d.note(err)
	}
	return digest, size, nil
}

// publish gives a finished file its digest as name, durably. A blob of that name is replaced by
// its equal: that renews its date and mends a damaged copy.
func (d *Dir) publish(temp string, digest Digest) error {
	name := blobName(digest)
	shard := &d.shards[int(digest[0])<<4|int(digest[1])>>4]
	if !shard.Load() {
		if err := makeFolder(d.root, path.Dir(name)); err != nil {
			return &StorageError{Op: "create folder", Err: err}
		}
		shard.Store(true)
	}
	now := d.clock.Now()
	if err := d.root.Chtimes(temp, now, now); err != nil {
		return &StorageError{Op: "date file", Err: err}
	}
	d.mu.Lock()
	err := d.root.Rename(temp, name)
	d.mu.Unlock()
	if err != nil {
		return &StorageError{Op: "rename file", Err: err}
	}
	if err := syncFolder(d.root, path.Dir(name)); err != nil {
		return &StorageError{Op: "sync folder", Err: err}
	}
	return nil
}

// ReadAt reads a range. See Store.
func (d *Dir) ReadAt(ctx context.Context, digest Digest, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, ErrRange
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	file, err := d.root.Open(blobName(digest))
	if err != nil {
		return 0, readError("open blob", err)
	}
	defer func() { _ = file.Close() }()
	n, err := file.ReadAt(p, off)
	if err != nil && err != io.EOF {
		return n, readError("read blob", err)
	}
	return n, err
}

// Stat describes one blob. See Store.
func (d *Dir) Stat(ctx context.Context, digest Digest) (Info, error) {
	if err := ctx.Err(); err != nil {
		return Info{}, err
	}
	stat, err := d.root.Lstat(blobName(digest))
	if err != nil {
		return Info{}, readError("stat blob", err)
	}
	return Info{Digest: digest, Size: stat.Size(), Stored: stat.ModTime()}, nil
}

// Delete removes a blob, durably. See Store.
func (d *Dir) Delete(ctx context.Context, digest Digest, before time.Time) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if err := d.failed.Load(); err != nil {
		return false, err
	}
	removed, err := d.remove(blobName(digest), before)
	if err != nil {
		return false, d.fail("remove blob", err)
	}
	if !removed {
		return false, nil
	}
	if err := syncFolder(d.root, path.Dir(blobName(digest))); err != nil {
		return false, d.fail("sync folder", err)
	}
	return true, nil
}

// remove unlinks a file that is older than before, in one step against publish.
func (d *Dir) remove(name string, before time.Time) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !before.IsZero() {
		stat, err := d.root.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if !stat.ModTime().Before(before) {
			return false, nil
		}
	}
	err := d.root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// All visits every blob, folder by folder. Files that are no blobs are passed over. See Store.
func (d *Dir) All(ctx context.Context) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		folders, err := readNames(d.root, blobFolder)
		if err != nil {
			yield(Info{}, readError("list folders", err))
			return
		}
		for _, folder := range folders {
			names, err := readNames(d.root, path.Join(blobFolder, folder))
			if err != nil {
				yield(Info{}, readError("list blobs", err))
				return
			}
			for _, name := range names {
				digest, err := ParseDigest(name)
				if err != nil {
					continue
				}
				info, err := d.Stat(ctx, digest)
				if errors.Is(err, ErrNotFound) {
					continue
				}
				if !yield(info, err) || err != nil {
					return
				}
			}
		}
	}
}

// create makes a temporary file of a new name.
func (d *Dir) create() (string, *os.File, error) {
	for {
		name := path.Join(tempFolder, strconv.Itoa(os.Getpid())+"-"+
			strconv.FormatUint(d.temps.Add(1), 10))
		file, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		return name, file, err
	}
}

// dropStale removes the unfinished files that a crash left behind.
func (d *Dir) dropStale() error {
	names, err := readNames(d.root, tempFolder)
	if err != nil {
		return err
	}
	for _, name := range names {
		name = path.Join(tempFolder, name)
		stat, err := d.root.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if d.clock.Now().Sub(stat.ModTime()) < staleTemp {
			continue
		}
		if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// fail makes err the store's lasting failure, unless it has one.
func (d *Dir) fail(op string, err error) error { return d.note(&StorageError{Op: op, Err: err}) }

// note remembers the first storage error and returns err as it is. One that err merely wraps came
// from the source of a Put and says nothing of this directory.
func (d *Dir) note(err error) error {
	if storage, ours := err.(*StorageError); ours {
		d.failed.CompareAndSwap(nil, storage)
	}
	return err
}

// blobName is where a blob lies. It is made of hexadecimal digits alone.
func blobName(d Digest) string {
	name := d.String()
	return path.Join(blobFolder, name[:shardDigits], name)
}

// readError sorts the errors of reading.
func readError(op string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	return &StorageError{Op: op, Err: err}
}

// openRoot opens a directory that nothing below it can leave, creating it when it is not there.
func openRoot(name string) (*os.Root, error) {
	if err := os.MkdirAll(name, folderMode); err != nil {
		return nil, &StorageError{Op: "create directory", Err: err}
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, &StorageError{Op: "open directory", Err: err}
	}
	if err := syncParent(name); err != nil {
		_ = root.Close()
		return nil, &StorageError{Op: "sync directory", Err: err}
	}
	return root, nil
}

// syncParent makes the name of a directory durable.
func syncParent(name string) error {
	parent, err := os.Open(filepath.Dir(filepath.Clean(name)))
	if err != nil {
		return err
	}
	defer func() { _ = parent.Close() }()
	return parent.Sync()
}

// makeFolder makes a folder whose parent is there, durably; one that is there is kept.
func makeFolder(root *os.Root, name string) error {
	if err := root.Mkdir(name, folderMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(root, path.Dir(name))
}

// syncFolder makes the names in a folder durable.
func syncFolder(root *os.Root, name string) error {
	folder, err := root.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	return folder.Sync()
}

// readNames lists a folder.
func readNames(root *os.Root, name string) ([]string, error) {
	folder, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = folder.Close() }()
	var names []string
	for {
		some, err := folder.Readdirnames(walkStep)
		names = append(names, some...)
		if err == io.EOF {
			return names, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", name, err)
		}
	}
}
