package layer

import (
	"testing"

	"parley/internal/mtproto/layer/layertest"
)

// m is an object by the names of its fields; "_" is its constructor.
type m = layertest.M

// bench is what the tests of rules work with.
type bench struct {
	*Set
	t     *testing.T
	books map[int]*layertest.Book
}

func newBench(t *testing.T) *bench {
	return &bench{Set: newSet(t), t: t, books: make(map[int]*layertest.Book)}
}

func (b *bench) book(layer int) *layertest.Book {
	if b.books[layer] == nil {
		b.books[layer] = newBook(b.Set, layer)
	}
	return b.books[layer]
}

func newBook(s *Set, layer int) *layertest.Book {
	return layertest.NewBook(layer, s.table.At(layer))
}

// down is what a client of the layer reads of a value of today.
func (b *bench) down(layer int, v m) m {
	b.t.Helper()
	out, err := b.Down(nil, layer, b.book(Current).Pack(v))
	if err != nil {
		b.t.Fatalf("layer %d: %v: %v", layer, v, err)
	}
	typ := b.book(Current).Find(v["_"].(string)).Result
	n, err := b.book(layer).Read(out, typ)
	if err != nil {
		b.t.Fatalf("layer %d: %v", layer, err)
	}
	return layertest.Unpack(n, typ).(m)
}

// result is what a client of the layer reads of the result of a method of today.
func (b *bench) result(layer int, method, oldMethod string, v any) any {
	b.t.Helper()
	now, old := b.book(Current).Find(method), b.book(layer).Find(oldMethod)
	out, err := b.DownResult(nil, layer, now.ID, b.book(Current).Append(nil, now.Result, v))
	if err != nil {
		b.t.Fatalf("layer %d: %s: %v", layer, method, err)
	}
	n, err := b.book(layer).Read(out, old.Result)
	if err != nil {
		b.t.Fatalf("layer %d: %s: %v", layer, method, err)
	}
	return layertest.Unpack(n, old.Result)
}

// up is the request of a client of the layer as the server reads it.
func (b *bench) up(layer int, v m) m {
	b.t.Helper()
	out, err := b.Up(b.book(layer).Pack(v))
	if err != nil {
		b.t.Fatalf("layer %d: %v: %v", layer, v, err)
	}
	n, err := b.book(Current).Read(out, query)
	if err != nil {
		b.t.Fatalf("layer %d: %v: %v", layer, v["_"], err)
	}
	return layertest.Unpack(n, query).(m)
}

// is compares two values.
func is(t *testing.T, what string, got, want any) {
	t.Helper()
	if !layertest.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func plain(text string) m {
	return m{"_": "textWithEntities", "text": text, "entities": []any{}}
}
