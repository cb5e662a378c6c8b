package dsadb

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Directory returns a Show that appends statements to a file a day in a directory, one JSON object
// a line, for the operator to look at.
func Directory(dir string, now func() time.Time) func(context.Context, []Statement) error {
	return func(_ context.Context, list []Statement) error {
		var lines bytes.Buffer
		for _, x := range list {
			b, err := json.Marshal(x)
			if err != nil {
				return fmt.Errorf("dsadb: encode: %w", err)
			}
			lines.Write(append(b, '\n'))
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("dsadb: dry run: %w", err)
		}
		at := filepath.Join(dir, now().UTC().Format(time.DateOnly)+".jsonl")
		f, err := os.OpenFile(at, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("dsadb: dry run: %w", err)
		}
		_, err = f.Write(lines.Bytes())
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return fmt.Errorf("dsadb: dry run: %w", err)
		}
		return nil
	}
}
