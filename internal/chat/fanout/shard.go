package fanout

import (
	"context"
	"slices"
	"sync"

	"parley/internal/chat/box"
	"parley/internal/chat/restrict"
	"parley/internal/ids"
	"parley/internal/store"
)

// shard pushes the entries of some boxes, one box after the other.
type shard struct {
	hub  *Hub
	wake chan struct{}

	mu      sync.Mutex
	pending map[ids.Peer]*pending
	order   []ids.Peer

	// last is the pts up to which a box with readers was pushed. Only run touches it.
	last map[ids.Peer]int64
}

// pending are entries of one box that wait. When there are too many, only those are kept that say
// who may hear of what.
type pending struct {
	items   []item
	tooLong bool
}

// item is an entry with the session whose request made it: that one has it in its answer.
type item struct {
	event  store.Event
	source any
}

func (s *shard) add(e store.Event, source any) {
	s.mu.Lock()
	p := s.pending[e.Box]
	if p == nil {
		p = &pending{}
		s.pending[e.Box] = p
		s.order = append(s.order, e.Box)
	}
	if len(p.items) < pendingMost || aboutMembers(e) {
		p.items = append(p.items, item{e, source})
	} else {
		p.tooLong = true
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *shard) run(ctx context.Context) {
	for {
		select {
		case <-s.wake:
		case <-ctx.Done():
			return
		}
		for {
			in, p := s.next()
			if p == nil {
				break
			}
			s.push(ctx, in, p)
		}
	}
}

func (s *shard) next() (ids.Peer, *pending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.order) == 0 {
		return 0, nil
	}
	in := s.order[0]
	s.order = s.order[1:]
	p := s.pending[in]
	delete(s.pending, in)
	return in, p
}

// push tells the readers of one box what waits for them.
func (s *shard) push(ctx context.Context, in ids.Peer, p *pending) {
	for _, it := range p.items {
		s.hub.follow(ctx, it.event)
	}
	to := s.hub.sessions(in)
	if len(to) == 0 {
		delete(s.last, in)
		return
	}
	if p.tooLong {
		delete(s.last, in)
		s.hub.push(s.hub.render.TooLong(in), to, nil, nil)
		return
	}
	items, announced := parted(p.items)
	defer s.announce(ctx, in, announced, to)
	items, err := s.whole(ctx, in, items)
	if err != nil {
		s.hub.log.Error("reading entries to push", "error", err)
		delete(s.last, in)
		return
	}
	changed := changes(items) || s.changing(in)
	for len(items) > 0 {
		n := 1
		for n < len(items) && items[n].source == items[0].source {
			n++
		}
		events := make([]store.Event, n)
		for i := range events {
			events[i] = items[i].event
			if changed {
				// It may be gone or withheld meanwhile, and must be read as it is now.
				events[i].Message = nil
			}
		}
		s.tell(ctx, in, events, to, items[0].source)
		items = items[n:]
	}
}

// parted tells the entries of a log from those that stand in none.
func parted(items []item) (logged, announced []item) {
	for _, it := range items {
		if it.event.Announced {
			announced = append(announced, it)
		} else {
			logged = append(logged, it)
		}
	}
	return logged, announced
}

// announce tells devices of a user what concerns them alone.
func (s *shard) announce(ctx context.Context, in ids.Peer, items []item, to []*subscription) {
	for len(items) > 0 && len(to) > 0 {
		key := to[0].to.KeyID()
		var rest []*subscription
		for _, sub := range to {
			if sub.to.KeyID() != key {
				rest = append(rest, sub)
			}
		}
		s.announceTo(ctx, in, items, key, ofDevice(to, key))
		to = rest
	}
}

// announceTo tells one device. The session whose request made an entry has it in its answer.
func (s *shard) announceTo(
	ctx context.Context, in ids.Peer, items []item, key int64, to []*subscription,
) {
	for len(items) > 0 {
		n := 1
		for n < len(items) && items[n].source == items[0].source {
			n++
		}
		events := make([]store.Event, n)
		for i := range events {
			events[i] = items[i].event
		}
		body, err := s.hub.render.Device(ctx, in.User(), key, events)
		if err != nil {
			s.hub.log.Error("rendering what concerns a device", "error", err)
			return
		}
		s.hub.push(body, to, items[0].source, nil)
		items = items[n:]
	}
}

// changes tells whether entries are about messages that were there before.
func changes(items []item) bool {
	return slices.ContainsFunc(items, func(it item) bool {
		kind := box.Kind(it.event.Kind)
		return kind == box.EditMessage || kind == box.DeleteMessages || kind == box.Restricted
	})
}

// changing tells whether such entries wait.
func (s *shard) changing(in ids.Peer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pending[in]
	return p != nil && (p.tooLong || changes(p.items))
}

// whole puts entries in the order of their pts and fills a gap from the store: two commits to one
// box may have been heard of in the wrong order.
func (s *shard) whole(ctx context.Context, in ids.Peer, items []item) ([]item, error) {
	slices.SortStableFunc(items, func(a, b item) int {
		if a.event.Pts != b.event.Pts {
			return int(a.event.Pts - b.event.Pts)
		}
		return int(a.event.Sub - b.event.Sub)
	})
	last, known := s.last[in]
	if known {
		items = slices.DeleteFunc(items, func(it item) bool {
			return it.event.Count > 0 && it.event.Pts <= last
		})
	}
	at := last
	gap := false
	for _, it := range items {
		if it.event.Count == 0 {
			continue
		}
		if at != 0 && it.event.Pts-it.event.Count > at {
			gap = true
		}
		at = max(at, it.event.Pts)
	}
	if at != 0 {
		s.last[in] = at
	}
	if !gap {
		return items, nil
	}
	return s.reread(ctx, in, last, items)
}

func (s *shard) reread(ctx context.Context, in ids.Peer, last int64, items []item) ([]item, error) {
	var events []store.Event
	err := s.hub.store.View(ctx, func(r *store.Reader) (err error) {
		if last == 0 {
			last = items[0].event.Pts - items[0].event.Count
		}
		events, err = r.Events(in, last, items[0].event.Date, pendingMost)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]item, 0, len(events))
	for _, e := range events {
		it := item{event: e}
		for _, known := range items {
			if known.event.Pts == e.Pts && known.event.Sub == e.Sub {
				it.source = known.source
			}
		}
		out = append(out, it)
		s.last[in] = max(s.last[in], e.Pts)
	}
	return out, nil
}

// tell renders entries and pushes them to the sessions of their readers.
func (s *shard) tell(
	ctx context.Context, in ids.Peer, events []store.Event, to []*subscription, source any,
) {
	h := s.hub
	if in.Kind() != ids.Channel {
		if len(to) == 1 && source != nil && to[0].to == source {
			return
		}
		body, err := h.render.User(ctx, in.User(), events)
		if err != nil {
			h.log.Error("rendering a user's updates", "error", err)
			return
		}
		h.push(body, to, source, nil)
		return
	}
	s.share(ctx, in, events, to, source, restrict.Audience{})
}

// share pushes entries of a channel to subscribers: as all of an audience see them, one by one to
// those who see them otherwise, and by audience where that matters.
func (s *shard) share(
	ctx context.Context, in ids.Peer, events []store.Event, to []*subscription, source any,
	audience restrict.Audience,
) {
	h := s.hub
	shared, err := h.render.Shared(ctx, in, events, audience)
	if err != nil {
		h.log.Error("rendering a channel's updates", "error", err)
		return
	}
	apart := make(map[ids.UserID][]*subscription)
	rest := to[:0:0]
	for _, sub := range to {
		if shared.Each || slices.Contains(shared.Apart, sub.user) {
			apart[sub.user] = append(apart[sub.user], sub)
		} else {
			rest = append(rest, sub)
		}
	}
	if shared.Varies {
		rest = s.others(ctx, in, events, rest, source, audience)
	}
	h.push(shared.Body, rest, source, shared.Places)
	for user, subs := range apart {
		if len(subs) == 1 && source != nil && subs[0].to == source {
			continue
		}
		body, err := h.render.Apart(ctx, user, in, events)
		if err != nil {
			h.log.Error("rendering a channel's updates apart", "error", err)
			continue
		}
		h.push(body, subs, source, nil)
	}
}

// others shares entries with all who are of other audiences and returns the rest.
func (s *shard) others(
	ctx context.Context, in ids.Peer, events []store.Event, to []*subscription, source any,
	but restrict.Audience,
) (rest []*subscription) {
	if but != (restrict.Audience{}) {
		return to // they were told apart before
	}
	users := make([]ids.UserID, len(to))
	for i, sub := range to {
		users[i] = sub.user
	}
	audiences, err := s.hub.render.Audiences(ctx, users)
	if err != nil {
		s.hub.log.Error("reading who a channel's subscribers are", "error", err)
		return nil
	}
	by := make(map[restrict.Audience][]*subscription)
	for i, sub := range to {
		by[audiences[i]] = append(by[audiences[i]], sub)
	}
	for audience, list := range by {
		if audience != but {
			s.share(ctx, in, events, list, source, audience)
		}
	}
	return by[but]
}
