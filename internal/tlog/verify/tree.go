package verify

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	// height is how many levels of the tree a tile has, width how many hashes in its lowest.
	height = 8
	width  = 1 << height
	// bundleMost bounds a bundle of entries in bytes.
	bundleMost = width * (2 + 1<<16)
)

// path is the path of a tile, or with level -1 of a bundle of entries; the last may have fewer than
// 256.
//
// https://c2sp.org/tlog-tiles
func path(level int, n int64, w int) string {
	s := ""
	for first := true; first || n > 0; first = false {
		part := fmt.Sprintf("%03d", n%1000)
		if first {
			s = part
		} else {
			s = "x" + part + "/" + s
		}
		n /= 1000
	}
	kind := "entries"
	if level >= 0 {
		kind = fmt.Sprint(level)
	}
	s = "tile/" + kind + "/" + s
	if w < width {
		s += fmt.Sprintf(".p/%d", w)
	}
	return s
}

// read returns a tile or bundle; where there is no partial one, the whole one may be there, because
// the log grew.
func read(
	ctx context.Context, src Source, level int, n int64, w int, most int64,
) ([]byte, string, error) {
	at := path(level, n, w)
	b, err := src.Get(ctx, at, most)
	if w < width && errors.Is(err, ErrMissing) {
		whole := path(level, n, width)
		if b, err2 := src.Get(ctx, whole, most); err2 == nil {
			return b, whole, nil
		}
	}
	return b, at, err
}

// File is a tile or bundle of a log.
type File struct {
	// Path is where it lies, Whole that it will never change.
	Path  string
	Whole bool

	level, w int
	n        int64
}

// Files lists the tiles and bundles that a log of some size has and a log of a smaller size, its
// beginning, has not, each after those that it is made of.
func Files(from, size int64) iter.Seq[File] {
	return func(yield func(File) bool) {
		for level := -1; ; level++ {
			shift := height * max(level, 0)
			was, is := from>>shift, size>>shift
			if is == 0 {
				return
			}
			for n := was / width; n*width < is; n++ {
				w := int(min(is-n*width, width))
				if n*width+int64(w) <= was {
					continue
				}
				f := File{Path: path(level, n, w), Whole: w == width, level: level, n: n, w: w}
				if !yield(f) {
					return
				}
			}
		}
	}
}

// Read returns the bytes of a file, also where a longer one has taken its place.
func (f File) Read(ctx context.Context, src Source) ([]byte, error) {
	most := int64(width * tlog.HashSize)
	if f.level < 0 {
		most = bundleMost
	}
	b, at, err := read(ctx, src, f.level, f.n, f.w, most)
	if err != nil {
		return nil, err
	}
	end := f.w * tlog.HashSize
	if f.level < 0 {
		list, err := Bundle(b, f.w)
		if err != nil {
			return nil, fmt.Errorf("verify: %s: %w", at, err)
		}
		end = 0
		for _, e := range list {
			end += 2 + len(e)
		}
	}
	if len(b) < end {
		return nil, fmt.Errorf("verify: %s has %d bytes", at, len(b))
	}
	return b[:end], nil
}

// Parts is the prefix of the names of the files whose place a whole one has taken.
func (f File) Parts() string { return f.Path + ".p/" }

// Bundle reads w entries of a bundle. The rest of a whole bundle that is longer is left.
func Bundle(b []byte, w int) (list [][]byte, err error) {
	for len(list) < w {
		if len(b) < 2 {
			return list, fmt.Errorf("it ends in entry %d", len(list))
		}
		n := int(binary.BigEndian.Uint16(b))
		if len(b) < 2+n {
			return list, fmt.Errorf("it ends in entry %d", len(list))
		}
		list = append(list, b[2:2+n])
		b = b[2+n:]
	}
	return list, nil
}

// tiles makes a source the tile reader of golang.org/x/mod/sumdb/tlog.
type tiles struct {
	ctx context.Context
	src Source
}

// Height is that of the tiles.
func (t tiles) Height() int { return height }

// ReadTiles reads tiles.
func (t tiles) ReadTiles(list []tlog.Tile) (out [][]byte, err error) {
	for _, x := range list {
		b, at, err := read(t.ctx, t.src, x.L, x.N, x.W, width*tlog.HashSize)
		if err != nil {
			return nil, err
		}
		if len(b) < x.W*tlog.HashSize {
			return nil, finding(BadTile, at, "it has %d bytes", len(b))
		}
		out = append(out, b[:x.W*tlog.HashSize])
	}
	return out, nil
}

// SaveTiles does nothing: what was read once is not read again.
func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// Hashes reads the hashes of a tree from tiles, and checks each tile against the tree's root.
func Hashes(ctx context.Context, src Source, size int64, root tlog.Hash) tlog.HashReader {
	return tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, tiles{ctx, src})
}

// builder computes a tree and its tiles from the hashes of its leaves, in memory that grows with
// the tree's height alone.
type builder struct {
	size int64
	// levels has the lowest hashes of the tile of each level that is not full yet.
	levels [][]tlog.Hash
	// full is called with each tile as it becomes full.
	full func(level int, n int64, hashes []tlog.Hash) error
}

func (b *builder) add(leaf tlog.Hash) error {
	b.size++
	h := leaf
	for level := 0; ; level++ {
		if level == len(b.levels) {
			b.levels = append(b.levels, make([]tlog.Hash, 0, width))
		}
		b.levels[level] = append(b.levels[level], h)
		if len(b.levels[level]) < width {
			return nil
		}
		n := (b.size >> (height * (level + 1))) - 1
		if err := b.full(level, n, b.levels[level]); err != nil {
			return err
		}
		h = fold(b.levels[level])
		b.levels[level] = b.levels[level][:0]
	}
}

// rest calls fn with the tiles that are not full.
func (b *builder) rest(fn func(level int, n int64, hashes []tlog.Hash) error) error {
	for level, hashes := range b.levels {
		if len(hashes) == 0 {
			continue
		}
		if err := fn(level, b.size>>(height*(level+1)), hashes); err != nil {
			return err
		}
	}
	return nil
}

// root is the tree's root (RFC 6962, section 2.1).
func (b *builder) root() tlog.Hash {
	var right *tlog.Hash
	for _, hashes := range b.levels {
		for len(hashes) > 0 {
			// The largest perfect trees stand to the left.
			w := 1
			for len(hashes)&w == 0 {
				w <<= 1
			}
			h := fold(hashes[len(hashes)-w:])
			if right != nil {
				h = tlog.NodeHash(h, *right)
			}
			right = &h
			hashes = hashes[:len(hashes)-w]
		}
	}
	if right == nil {
		h, _ := tlog.TreeHash(0, nil)
		return h
	}
	return *right
}

// fold is the root of a perfect tree.
func fold(hashes []tlog.Hash) tlog.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	half := len(hashes) / 2
	return tlog.NodeHash(fold(hashes[:half]), fold(hashes[half:]))
}

// differs returns the first hash in which a tile is not as it was computed, -1 for none.
func differs(tile []byte, hashes []tlog.Hash) int {
	for i, h := range hashes {
		from := i * tlog.HashSize
		if len(tile) < from+tlog.HashSize || !bytes.Equal(tile[from:from+tlog.HashSize], h[:]) {
			return i
		}
	}
	return -1
}
