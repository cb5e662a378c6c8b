package node

import (
	"errors"
	"net"
	"testing"

	"parley/internal/config"
)

// TestFrontGoesNoCircle connects with a website on the same machine, and not with this server, which
// a name may lead to whose meaning the check of the configuration cannot know.
func TestFrontGoesNoCircle(t *testing.T) {
	open := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l.Addr().String()
	}
	ordinary, hidden, website := open(), open(), open()
	for at, want := range map[string]error{
		ordinary: errCircle, hidden: errCircle, website: nil,
	} {
		n := &Node{Config: config.Config{
			Listen:  []string{ordinary},
			MTProxy: config.MTProxy{Front: at, Listen: []string{hidden}},
		}}
		nc, err := n.front()(t.Context())
		if !errors.Is(err, want) || (nc == nil) != (want != nil) {
			t.Errorf("%s: %v, want %v", at, err, want)
		}
		if nc != nil {
			_ = nc.Close()
		}
	}
}
