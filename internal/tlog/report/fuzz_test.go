package report

import (
	"bytes"
	"testing"
)

// FuzzParse reads reports as a witness or a reader gets them from elsewhere.
func FuzzParse(f *testing.F) {
	b, err := Report{Day: "2026-11-28"}.JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"day":""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Parse(b)
		if err != nil {
			return
		}
		if _, err := r.CSV(); err != nil {
			t.Fatalf("as a table: %v", err)
		}
		one, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(one)
		if err != nil {
			t.Fatalf("%s: %v", one, err)
		}
		if two, err := again.JSON(); err != nil || !bytes.Equal(one, two) {
			t.Fatalf("%s became %s: %v", one, two, err)
		}
	})
}
