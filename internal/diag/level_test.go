package diag

import (
	"bytes"
	"log/slog"
	"testing"
)

func TestAtLeast(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(AtLeast(NewHandler(&out, Text, slog.LevelInfo), slog.LevelError))
	log = log.With("n", 1).WithGroup("g")
	log.Warn("quiet")
	if out.Len() != 0 {
		t.Errorf("written: %s", out.String())
	}
	log.Error("heard")
	if !bytes.Contains(out.Bytes(), []byte("heard")) {
		t.Errorf("not written: %q", out.String())
	}
}
