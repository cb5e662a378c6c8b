package schema

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ErrCorrupt reports bytes that are no packed table of this form.
var ErrCorrupt = errors.New("schema: corrupt table")

// form is the version of the packed form; it changes with every change of pack and Unpack.
const form = "PTL1"

// maxPacked bounds what Unpack inflates, in bytes; the real table is about a third of it.
const maxPacked = 1 << 20

// Pack is the table as bytes: a name list with shared prefixes, then one record a definition,
// compressed. The same table always gives the same bytes.
func (t *Table) Pack() ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(t.appendPlain(nil)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (t *Table) appendPlain(b []byte) []byte {
	names, types := t.inventory()
	b = append(b, form...)
	b = append(b, t.Digest[:]...)
	b = binary.AppendUvarint(b, uint64(len(names)))
	last := ""
	for _, n := range names {
		shared := 0
		for shared < min(len(n), len(last)) && n[shared] == last[shared] {
			shared++
		}
		b = binary.AppendUvarint(b, uint64(shared))
		b = binary.AppendUvarint(b, uint64(len(n)-shared))
		b = append(b, n[shared:]...)
		last = n
	}
	index := func(list []string, s string) uint64 {
		i, _ := slices.BinarySearch(list, s)
		return uint64(i)
	}
	b = binary.AppendUvarint(b, uint64(len(types)))
	for _, text := range types {
		b = binary.AppendUvarint(b, index(names, text))
	}
	b = binary.AppendUvarint(b, uint64(len(t.Sources)))
	for _, s := range t.Sources {
		b = binary.AppendUvarint(b, uint64(s.Layer))
	}
	b = binary.AppendUvarint(b, uint64(len(t.Defs)))
	for _, d := range t.Defs {
		b = binary.LittleEndian.AppendUint32(b, d.ID)
		b = binary.AppendUvarint(b, index(names, d.Name))
		b = binary.AppendUvarint(b, index(types, d.Result.String())<<1|bit(d.Method))
		b = binary.AppendUvarint(b, uint64(len(d.Spans)))
		for _, s := range d.Spans {
			b = binary.AppendUvarint(b, uint64(s.First))
			b = binary.AppendUvarint(b, uint64(s.Last-s.First))
		}
		b = binary.AppendUvarint(b, uint64(len(d.Fields)))
		for _, f := range d.Fields {
			b = binary.AppendUvarint(b, index(names, f.Name))
			b = binary.AppendUvarint(b, index(types, f.Type.String())<<1|bit(f.Optional()))
			if f.Optional() {
				b = append(b, byte(f.Word), f.Bit)
			}
		}
	}
	return b
}

func bit(v bool) uint64 {
	if v {
		return 1
	}
	return 0
}

// inventory is every name and every type text in use, sorted. Type texts are also names.
func (t *Table) inventory() (names, types []string) {
	for _, d := range t.Defs {
		names = append(names, d.Name)
		types = append(types, d.Result.String())
		for _, f := range d.Fields {
			names = append(names, f.Name)
			types = append(types, f.Type.String())
		}
	}
	names = append(names, types...)
	slices.Sort(names)
	slices.Sort(types)
	return slices.Compact(names), slices.Compact(types)
}

// Unpack reads what Pack wrote.
func Unpack(packed []byte) (*Table, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	plain, err := io.ReadAll(io.LimitReader(z, maxPacked+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	r := &reader{rest: plain}
	if len(plain) > maxPacked || string(r.take(len(form))) != form {
		return nil, ErrCorrupt
	}
	t := &Table{}
	copy(t.Digest[:], r.take(len(t.Digest)))
	if err := r.table(t); err != nil {
		return nil, err
	}
	if r.bad || len(r.rest) != 0 {
		return nil, ErrCorrupt
	}
	return t, nil
}

// reader takes values off the front of rest; after a value that is not there bad is set and all
// further values are zero.
type reader struct {
	rest  []byte
	bad   bool
	names []string
	types []*Type
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.bad, r.rest = true, nil
		return make([]byte, max(0, min(n, 64)))
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) number() int {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > maxPacked {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return int(v)
}

// count is a number of things that take at least one byte each.
func (r *reader) count() int {
	n := r.number()
	if n > len(r.rest) {
		r.bad, r.rest = true, nil
		return 0
	}
	return n
}

func (r *reader) name() string { return pick(r, r.names, r.number()) }

func pick[T any](r *reader, list []T, i int) (v T) {
	if i >= len(list) {
		r.bad, r.rest = true, nil
		return v
	}
	return list[i]
}

func (r *reader) table(t *Table) error {
	last := ""
	for range r.count() {
		shared, more := r.number(), r.number()
		if shared > len(last) {
			return ErrCorrupt
		}
		last = last[:shared] + string(r.take(more))
		r.names = append(r.names, strings.Clone(last))
	}
	for range r.count() {
		typ, err := t.Type(r.name())
		if err != nil {
			return fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		r.types = append(r.types, typ)
	}
	for range r.count() {
		t.Sources = append(t.Sources, Source{Layer: r.number()})
	}
	for range r.count() {
		d := r.def()
		if r.bad {
			return ErrCorrupt
		}
		t.Defs = append(t.Defs, d)
	}
	return nil
}

func (r *reader) def() *Def {
	d := &Def{ID: binary.LittleEndian.Uint32(r.take(4)), Name: r.name()}
	n := r.number()
	d.Method, d.Result = n&1 == 1, pick(r, r.types, n>>1)
	for range r.count() {
		first, more := r.number(), r.number()
		d.Spans = append(d.Spans, Span{first, first + more})
	}
	d.Fields = make([]Field, 0, 8)
	for range r.count() {
		f := Field{Name: r.name(), Word: -1}
		n := r.number()
		f.Type = pick(r, r.types, n>>1)
		if n&1 == 1 {
			cond := r.take(2)
			f.Word, f.Bit = int(cond[0]), cond[1]
			if f.Word >= len(d.Fields) || f.Bit > 31 {
				r.bad = true
			}
		}
		d.Fields = append(d.Fields, f)
	}
	return d
}
