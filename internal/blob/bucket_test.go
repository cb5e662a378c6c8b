package blob

import (
	"errors"
	"slices"
	"testing"

	"parley/internal/blob/blobtest"
)

// TestBucket: objects are what was put last under their names, and nothing else of the bucket.
func TestBucket(t *testing.T) {
	g := blobtest.Start(t)
	b, err := OpenBucket(t.Context(), g.URL(t, "named", "&prefix=log/"))
	if err != nil {
		t.Fatal(err)
	}
	put := func(name, content string) {
		t.Helper()
		if err := b.Put(t.Context(), name, []byte(content), "text/plain", "no-cache"); err != nil {
			t.Fatal(err)
		}
	}
	put("checkpoint", "one")
	put("checkpoint", "two")
	put("reports/a.json", "{}")
	put("reports/b.json", "{ }")
	if got, err := b.Get(t.Context(), "checkpoint", 3); err != nil || string(got) != "two" {
		t.Errorf("%q: %v", got, err)
	}
	if _, err := b.Get(t.Context(), "checkpoint", 2); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a longer object: %v", err)
	}
	if _, err := b.Get(t.Context(), "other", 9); !errors.Is(err, ErrNotFound) {
		t.Errorf("no object: %v", err)
	}
	for range 2 {
		if err := b.Delete(t.Context(), "reports/a.json"); err != nil {
			t.Error(err)
		}
	}
	var list []Object
	for o, err := range b.List(t.Context(), "reports/") {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, o)
	}
	if !slices.Equal(list, []Object{{Name: "reports/b.json", Size: 3}}) {
		t.Errorf("%+v", list)
	}
}
