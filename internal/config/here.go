package config

import (
	"net"
	"net/netip"
	"slices"
	"strings"
)

// LeadsHere returns the setting by which this server is reached at a host and a port, on a machine
// that has these addresses; empty when none is known. Nothing is looked up: of a name it is known
// only whether a setting has it.
func (c *Config) LeadsHere(host, port string, addresses []netip.Addr) string {
	here := isLoopback(host)
	if ip, err := netip.ParseAddr(host); err == nil {
		here = here || ip.IsUnspecified() || slices.Contains(addresses, ip.Unmap())
	}
	leads := func(at string) bool {
		to, its, err := net.SplitHostPort(at)
		return err == nil && its == port && (sameHost(to, host) || here && covers(to, host))
	}
	for _, s := range []struct {
		key string
		at  []string
	}{
		{"listen", c.Listen}, {"mtproxy.listen", c.MTProxy.Listen},
		{"web.listen", []string{c.Web.Listen}}, {"inner.listen", []string{c.Inner.Listen}},
		{"console.listen", []string{c.Console.Listen}}, {"advertise", c.Advertise},
	} {
		if slices.ContainsFunc(s.at, leads) {
			return s.key
		}
	}
	hidden := func(at string) bool {
		_, its, err := net.SplitHostPort(at)
		return err == nil && its == port
	}
	if sameHost(c.MTProxy.Host, host) && slices.ContainsFunc(c.MTProxy.Listen, hidden) {
		return "mtproxy.host"
	}
	return ""
}

// sameHost reports whether two hosts are the same as far as can be told without asking anybody.
func sameHost(a, b string) bool {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	switch {
	case errX == nil && errY == nil:
		return x.Unmap() == y.Unmap()
	case isLoopback(a) && isLoopback(b): // one of them is localhost
		return true
	}
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}
