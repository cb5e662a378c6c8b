package storetest

import (
	"os"
	"testing"
)

// TestServerGoesAway checks that a server leaves neither files nor a process behind.
func TestServerGoesAway(t *testing.T) {
	s, err := startServer()
	if err != nil {
		t.Fatal(err)
	}
	if s == nil {
		t.Skip("no PostgreSQL server is installed")
	}
	command(t, s.url, "create database gone")
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.home); !os.IsNotExist(err) {
		t.Errorf("files stay: %v", err)
	}
}
