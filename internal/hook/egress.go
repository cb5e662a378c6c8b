package hook

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// ErrPrivate says that a name led to an address that is not on the public internet.
var ErrPrivate = errors.New("address is not public")

// publicDialer returns a dialer that refuses every address that is not public, after names were
// resolved and just before the connection is made: a name that changes its address between a check
// and its use gains nothing.
func publicDialer(timeout time.Duration) *net.Dialer {
	return &net.Dialer{
		Timeout: timeout,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil || !isPublic(at.Addr()) {
				return ErrPrivate
			}
			return nil
		},
	}
}

// isPublic says whether an address belongs to a host on the public internet. Of IPv6 only the
// global unicast block is let through, without the blocks in it that carry other protocols'
// addresses or none: NAT64, Teredo, 6to4 and mapped addresses would otherwise lead anywhere.
//
// https://www.iana.org/assignments/iana-ipv4-special-registry
// https://www.iana.org/assignments/iana-ipv6-special-registry
func isPublic(addr netip.Addr) bool {
	if addr.Zone() != "" {
		return false
	}
	addr = addr.Unmap()
	denied := []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
		"172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
		"192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
	}
	if addr.Is6() {
		if !netip.MustParsePrefix("2000::/3").Contains(addr) {
			return false
		}
		denied = []string{
			"2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
		}
	}
	for _, prefix := range denied {
		if netip.MustParsePrefix(prefix).Contains(addr) {
			return false
		}
	}
	return addr.IsValid()
}
