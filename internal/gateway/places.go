package gateway

import (
	"net/netip"
	"time"
)

// A key that was copied is used by two clients at once, from two places. One client that moves from
// one network to another is heard from the old one no more; so a key is in use from two places when
// both sites have gone on for placesTime since there were two. Sites of IPv4 and of IPv6 are not
// compared: one client may well use both.

const (
	// placesStep is how often keys are looked at.
	placesStep = time.Minute
	// placesTime is for how long two sites must both go on, and how old the last word of a client
	// may be that still counts. Clients ping at least once a minute.
	placesTime = 5 * time.Minute
	// placesNoted ends the watch over a key that was told about, until one site falls silent.
	placesNoted = -1
)

// sites are the sites from which a key is used, with when each was last heard of, in Unix seconds.
type sites map[netip.Prefix]int64

// places watches over keys that are used from more than one site. It is the housekeeper's.
type places struct {
	looked time.Time
	since  map[int64]int64 // permanent key -> since when, in Unix seconds, or placesNoted
}

// watch looks from where keys are used, and tells of those that are used from two places at once.
func (s *Server) watch(now time.Time) {
	p := &s.places
	if now.Sub(p.looked) < placesStep {
		return
	}
	p.looked = now
	several := make(map[int64]sites)
	for _, k := range s.keys.all() {
		perm := k.perm.Load()
		for _, sess := range k.list() {
			site, heard, online := sess.place()
			if perm == 0 || !online || now.Unix()-heard > int64(placesTime/time.Second) {
				continue
			}
			if several[perm] == nil {
				several[perm] = make(sites)
			}
			several[perm][site] = max(several[perm][site], heard)
		}
	}
	since := make(map[int64]int64)
	for perm, at := range several {
		began, watched := p.since[perm]
		switch {
		case at.going(0) < 2:
			continue
		case !watched:
			began = now.Unix()
		case began != placesNoted && now.Unix()-began >= int64(placesTime/time.Second) &&
			at.going(began+int64(placesTime/time.Second)/2) >= 2:
			began = placesNoted
			s.metrics.copied.Inc()
			s.o.Log.Warn("an auth key is in use from two places at once")
			if s.o.Copied != nil {
				s.o.Copied(perm)
			}
		}
		since[perm] = began
	}
	p.since = since
}

// going is how many sites of one address family were heard of after a time.
func (x sites) going(after int64) int {
	var four, six int
	for site, heard := range x {
		switch {
		case heard <= after:
		case site.Addr().Is4():
			four++
		default:
			six++
		}
	}
	return max(four, six)
}

// place returns where a session's client is, when it was last heard of, and whether it is there.
func (s *Session) place() (site netip.Prefix, heard int64, online bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return budgetOf(s.addr.Addr()), s.active, len(s.conns) > 0
}
