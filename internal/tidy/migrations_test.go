package tidy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMigrationsAreNumbered: each has a number of its own, and none is left out, so that two that
// were written side by side cannot both be the next.
func TestMigrationsAreNumbered(t *testing.T) {
	files, err := os.ReadDir(filepath.Join(root, "internal", "store", "migrations"))
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		if want := fmt.Sprintf("%05d_", i+1); !strings.HasPrefix(f.Name(), want) {
			t.Fatalf("%s should begin with %s", f.Name(), want)
		}
	}
}
