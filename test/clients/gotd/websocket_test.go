package gotd

import (
	"bufio"
	"net"
	"net/http"
	"testing"

	"parley/internal/config"
	"parley/internal/node/nodetest"
)

// TestOrigins opens web sockets as pages of several sites would.
func TestOrigins(t *testing.T) {
	s := nodetest.Start(t, func(cfg *config.Config) { cfg.Origins = []string{"web.example.org"} })
	for origin, want := range map[string]int{
		"https://web.example.org":  http.StatusSwitchingProtocols,
		"https://evil.example.org": http.StatusNotFound,
		"":                         http.StatusSwitchingProtocols, // a program that is no browser
	} {
		conn, err := net.Dial("tcp", s.Addr.String())
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
			"http://"+s.Addr.String()+"/apiws", nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
			"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": "binary",
		} {
			r.Header.Set(name, value)
		}
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		if err := r.Write(conn); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), r)
		if err != nil {
			t.Fatalf("%q: %v", origin, err)
		}
		if answer.StatusCode != want {
			t.Errorf("%q is answered with %s", origin, answer.Status)
		}
		_ = answer.Body.Close()
		_ = conn.Close()
	}
}
