package config

import (
	"net"
	"net/netip"
	"path/filepath"
)

// demoListen is where a demo listens unless it is told otherwise.
const demoListen = "127.0.0.1:4430"

// derive fills the fields that were left empty and follow from others.
func (l *loader) derive(addresses []netip.Addr) {
	c := l.config
	if c.Demo && l.where["listen"] == "" {
		c.Listen = []string{demoListen}
	}
	if len(c.Advertise) == 0 {
		c.Advertise = advertised(c.Listen, addresses)
	}
	if c.Web.PublicURL == "" {
		c.Web.PublicURL = "http://" + c.Web.Listen
	}
	if _, port, err := net.SplitHostPort(c.Console.Listen); err == nil {
		if c.Console.PublicURL == "" {
			c.Console.PublicURL = "http://localhost:" + port
		}
		if c.Console.MediaURL == "" {
			c.Console.MediaURL = "http://127.0.0.1:" + port
		}
	}
	if c.Store.URL == "" {
		c.Store.URL = Secret(schemeSQLite + filepath.Join(c.Data, "parley.db"))
	}
	if c.Policy.Indices == "" {
		c.Policy.Indices = filepath.Join(c.Data, "countries.toml")
	}
	if c.Blob.URL == "" {
		c.Blob.URL = Secret(schemeDir + filepath.Join(c.Data, "blobs"))
	}
	if c.CyberTip.Directory == "" {
		c.CyberTip.Directory = filepath.Join(c.Data, "cybertip")
	}
	if c.DSA.Directory == "" {
		c.DSA.Directory = filepath.Join(c.Data, "dsa")
	}
	if c.Keyring.Dir == "" {
		c.Keyring.Dir = c.Data
	}
	if c.Codes.File == "" {
		c.Codes.File = filepath.Join(c.Data, "login-codes.jsonl")
	}
	if c.Registration.Mode == "" && (c.Codes.Sender == Console || c.Codes.Sender == JSONLines) {
		c.Registration.Mode = Open
	}
}

// advertised returns where clients can reach the listening addresses. What cannot be known, such
// as the address behind a host name, is left out.
func advertised(listen []string, addresses []netip.Addr) []string {
	var reachable []string
	for _, address := range listen {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			continue
		}
		if host == "localhost" {
			host = "127.0.0.1"
		}
		ip, err := netip.ParseAddr(host)
		switch {
		case host == "" || err == nil && ip.IsUnspecified():
			ip = bestAddress(addresses, ip.Is4())
		case err != nil:
			continue
		}
		reachable = append(reachable, net.JoinHostPort(ip.String(), port))
	}
	return reachable
}

// bestAddress returns the address under which others most likely reach this machine: public before
// private, IPv4 before IPv6, and loopback when there is no other.
func bestAddress(addresses []netip.Addr, only4 bool) netip.Addr {
	best, bestRank := netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0
	for _, address := range addresses {
		address = address.Unmap()
		if !address.IsGlobalUnicast() || only4 && !address.Is4() {
			continue
		}
		rank := 1
		if !address.IsPrivate() {
			rank += 2
		}
		if address.Is4() {
			rank++
		}
		if rank > bestRank {
			best, bestRank = address.WithZone(""), rank
		}
	}
	return best
}
