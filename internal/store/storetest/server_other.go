//go:build !linux

package storetest

// server is a throwaway PostgreSQL server.
type server struct{ url string }

// startServer knows no server on this system: name one in PARLEY_TEST_POSTGRES.
func startServer() (*server, error) { return nil, nil }

func (s *server) stop() error { return nil }
