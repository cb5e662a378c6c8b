package page

import (
	"net/http"
	"net/netip"
	"strings"
)

// Address is where a request comes from: the nearest address on its way that is no trusted proxy.
// What an untrusted peer says of other addresses is ignored.
func (s *Site) Address(r *http.Request) netip.Addr {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := from.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusted(addr); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = next.Unmap().WithZone("")
	}
	return addr
}

func (s *Site) trusted(addr netip.Addr) bool {
	for _, p := range s.o.Trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// Network is what counts as one address of those that requests come from.
func (s *Site) Network(r *http.Request) netip.Prefix { return prefix(s.Address(r)) }

// ownedBits is how much of an IPv6 address its owner has not chosen.
const ownedBits = 64

// prefix is what counts as one address: a person has a whole /64 of IPv6.
func prefix(addr netip.Addr) netip.Prefix {
	bits := addr.BitLen()
	if addr.Is6() {
		bits = ownedBits
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
