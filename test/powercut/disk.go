// Package powercut is a disk in memory that can lose its power, and a file layer that puts SQLite
// on it: the engine under test is the real one, only the ground under it is not.
//
// The disk shows what was written, but keeps apart what is synced. When the power goes, each write,
// truncation, creation and deletion since the last sync may have happened, or not, or in part, in
// any order; what decides is a seed. The smallest piece that is written as a whole is a sector. The
// disk can also fail a sync, losing what it should have kept, be full, fail a write, or lie about
// having synced.
//
// It simulates one directory, and the promises of a POSIX file system and no more. It does not
// simulate bits that flip, nor a disk that forgets what it has synced.
package powercut

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
)

// SectorSize is the size in bytes of what is written as a whole or not at all.
const SectorSize = 512

// Errors of a disk.
var (
	// ErrPower says that the power is gone.
	ErrPower = errors.New("powercut: no power")
	// ErrIO says that a write or a sync failed.
	ErrIO = errors.New("powercut: input/output error")
	// ErrFull says that no space is left.
	ErrFull = errors.New("powercut: no space left")
	// ErrAbsent says that there is no such file.
	ErrAbsent = errors.New("powercut: no such file")
)

// Plan is what will go wrong. Changes (writes, truncations, syncs, creations and deletions) are
// counted from one since the plan was made; zero is never.
type Plan struct {
	// CutAt is the change during which the power goes.
	CutAt int
	// FailSyncAt is the change from which on the next sync fails. As on Linux, what it should have
	// synced then counts as synced, although it is not.
	FailSyncAt int
	// FailWriteAt is the change from which on the next write fails.
	FailWriteAt int
	// FullAt is the change from which on no write succeeds that lengthens a file.
	FullAt int
	// Lies makes syncs succeed without doing anything.
	Lies bool
}

// Disk is a disk with one directory of files. It is safe for concurrent use.
type Disk struct {
	mu      sync.Mutex
	plan    Plan
	changes int
	off     bool
	// shown is the directory as programs see it, kept the one that a power cut leaves.
	shown, kept map[string]*file
	failed      int
}

// file is what a directory entry leads to.
type file struct {
	// shown is the content as programs see it, kept the one that was synced.
	shown, kept []byte
	pending     []change
}

// change is a write, or a truncation to a size.
type change struct {
	at       int64
	data     []byte
	truncate bool
}

// New returns an empty disk.
func New() *Disk {
	return &Disk{shown: make(map[string]*file), kept: make(map[string]*file)}
}

// Plan says what will go wrong from now on.
func (d *Disk) Plan(p Plan) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.plan, d.changes, d.failed = p, 0, 0
}

// Cut takes the power away.
func (d *Disk) Cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = true
}

// Off tells whether the power is gone.
func (d *Disk) Off() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.off
}

// Changes is how many changes there were since the plan was made.
func (d *Disk) Changes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changes
}

// Failed is how many changes have failed since the plan was made while there was power.
func (d *Disk) Failed() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failed
}

// Unsynced is how many changes of a file a power cut might undo.
func (d *Disk) Unsynced(name string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.shown[name]; f != nil {
		return len(f.pending)
	}
	return 0
}

// count notes a change and tells whether the power goes during it.
func (d *Disk) count() (cut bool, err error) {
	if d.off {
		return false, ErrPower
	}
	d.changes++
	if d.changes == d.plan.CutAt {
		d.off = true
	}
	return d.off, nil
}

// due tells whether a failure that was planned for a change happens now. It happens once.
func (d *Disk) due(at *int) bool {
	if *at == 0 || d.changes < *at {
		return false
	}
	*at = 0
	d.failed++
	return true
}

// open returns a file, and makes it when asked to.
func (d *Disk) open(name string, create bool) (*file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return nil, ErrPower
	}
	f := d.shown[name]
	if f != nil {
		return f, nil
	}
	if !create {
		return nil, ErrAbsent
	}
	cut, err := d.count()
	if err != nil {
		return nil, err
	}
	f = &file{}
	d.shown[name] = f
	if cut {
		return nil, ErrPower
	}
	return f, nil
}

// exists tells whether there is a file that is not empty.
func (d *Disk) exists(name string) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return false, ErrPower
	}
	f := d.shown[name]
	return f != nil && len(f.shown) > 0, nil
}

// remove deletes a file, and syncs the directory when asked to.
func (d *Disk) remove(name string, sync bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	cut, err := d.count()
	if err != nil {
		return err
	}
	if d.shown[name] == nil {
		return ErrAbsent
	}
	delete(d.shown, name)
	if cut {
		return ErrPower
	}
	if sync {
		d.syncDirectory()
	}
	return nil
}

func (d *Disk) syncDirectory() {
	if d.plan.Lies {
		return
	}
	clear(d.kept)
	for name, f := range d.shown {
		d.kept[name] = f
	}
}

// read fills p from the file and returns how much of it there was.
func (d *Disk) read(f *file, p []byte, at int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return 0, ErrPower
	}
	if at >= int64(len(f.shown)) {
		return 0, nil
	}
	return copy(p, f.shown[at:]), nil
}

func (d *Disk) size(f *file) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return 0, ErrPower
	}
	return int64(len(f.shown)), nil
}

func (d *Disk) write(f *file, p []byte, at int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	cut, err := d.count()
	if err != nil {
		return err
	}
	if d.due(&d.plan.FailWriteAt) {
		return ErrIO
	}
	longer := at+int64(len(p)) > int64(len(f.shown))
	if d.plan.FullAt > 0 && d.changes >= d.plan.FullAt && longer {
		d.failed++
		return ErrFull
	}
	d.change(f, change{at: at, data: slices.Clone(p)})
	if cut {
		return ErrPower
	}
	return nil
}

func (d *Disk) truncate(f *file, size int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	cut, err := d.count()
	if err != nil {
		return err
	}
	d.change(f, change{at: size, truncate: true})
	if cut {
		return ErrPower
	}
	return nil
}

func (d *Disk) change(f *file, c change) {
	f.shown = c.apply(f.shown)
	f.pending = append(f.pending, c)
}

// sync makes the changes of a file last, and those of the directory when asked to.
func (d *Disk) sync(f *file, directory bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	cut, err := d.count()
	switch {
	case err != nil:
		return err
	case cut:
		return ErrPower
	case d.due(&d.plan.FailSyncAt):
		f.pending = nil
		return ErrIO
	case d.plan.Lies:
		return nil
	}
	for _, c := range f.pending {
		f.kept = c.apply(f.kept)
	}
	f.pending = nil
	if directory {
		d.syncDirectory()
	}
	return nil
}

// apply returns the content with the change.
func (c change) apply(to []byte) []byte {
	if c.truncate {
		return resize(to, c.at)
	}
	if end := c.at + int64(len(c.data)); end > int64(len(to)) {
		to = resize(to, end)
	}
	copy(to[c.at:], c.data)
	return to
}

// resize cuts the content or fills it up with zeros.
func resize(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		return b[:size]
	}
	grown := slices.Grow(b, int(size)-len(b))[:size]
	clear(grown[len(b):])
	return grown
}

// Survivor returns a disk with what is found when the power is back; the seed decides what became
// of that which was not synced. The disk itself stays as it is.
func (d *Disk) Survivor(rnd *rand.Rand) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := New()
	for _, name := range d.names() {
		f := d.kept[name]
		if d.shown[name] != f && rnd.IntN(2) == 0 {
			f = d.shown[name]
		}
		if f == nil {
			continue
		}
		content := f.survive(rnd)
		survivor := &file{shown: content, kept: slices.Clone(content)}
		out.shown[name], out.kept[name] = survivor, survivor
	}
	return out
}

// names lists the files of both directories in order, so that a seed decides all.
func (d *Disk) names() []string {
	var out []string
	for name := range d.shown {
		out = append(out, name)
	}
	for name := range d.kept {
		if d.shown[name] == nil {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// survive returns the content of the file after a power cut.
func (f *file) survive(rnd *rand.Rand) []byte {
	out := slices.Clone(f.kept)
	upTo := len(f.pending)
	some, torn, tornLast := false, false, false
	switch rnd.IntN(6) {
	case 0: // nothing
		upTo = 0
	case 1: // everything
	case 2: // the first changes
		upTo = rnd.IntN(len(f.pending) + 1)
	case 3: // some of the changes
		some = true
	case 4: // some sectors of the changes
		torn = true
	case 5: // the first changes, and some sectors of the last of them
		upTo, tornLast = rnd.IntN(len(f.pending)+1), true
	}
	for i, c := range f.pending[:upTo] {
		switch {
		case some && rnd.IntN(2) == 0:
		case torn || tornLast && i == upTo-1:
			out = c.tear(out, rnd)
		default:
			out = c.apply(out)
		}
	}
	if len(out) < len(f.shown) && rnd.IntN(4) == 0 { // the size, but not the content
		out = resize(out, int64(len(f.shown)))
	}
	return out
}

// tear applies some of the sectors of a change.
func (c change) tear(to []byte, rnd *rand.Rand) []byte {
	if c.truncate {
		if rnd.IntN(2) == 0 {
			return to
		}
		return c.apply(to)
	}
	for at := c.at; at < c.at+int64(len(c.data)); {
		end := min((at/SectorSize+1)*SectorSize, c.at+int64(len(c.data)))
		if rnd.IntN(2) == 0 {
			to = change{at: at, data: c.data[at-c.at : end-c.at]}.apply(to)
		}
		at = end
	}
	return to
}
