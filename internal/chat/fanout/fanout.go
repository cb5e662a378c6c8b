// Package fanout carries what was committed to whoever waits for it: outbox rows into the boxes of
// others (Courier), and entries of boxes to the live sessions of their readers (Hub). It makes no
// rules and renders nothing: appliers and renderings are given to it. It is fast, not
// authoritative: whatever it loses, getDifference still tells.
//
// Invariants: the outbox rows of one box reach each target in their order, at least once; the live
// entries of one box are pushed in the order of their pts, without a gap; a channel's entry is
// rendered once for all its subscribers, or once per audience when what the service withholds
// depends on it, and encoded once per layer in use.
package fanout

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"parley/internal/chat/box"
	"parley/internal/chat/restrict"
	"parley/internal/ids"
	"parley/internal/mtproto/crypt"
	"parley/internal/mtproto/session"
	"parley/internal/store"
)

// Receiver is a live session.
type Receiver interface {
	// KeyID is the permanent key of its device.
	KeyID() int64
	// Layer is the layer that its client speaks.
	Layer() int
	// Push queues an update; it must not block.
	Push(session.Body)
}

// Place is where a viewer's access hash of a peer belongs in an encoding.
type Place struct {
	Off  int
	Peer ids.Peer
}

// Shared is a rendering that serves all subscribers of a channel.
type Shared struct {
	// Body is the encoding in the current layer; nil when there is nothing to tell.
	Body []byte
	// Places finds in an encoding, in whatever layer, where access hashes belong.
	Places func(encoded []byte) []Place
	// Apart are subscribers who see it otherwise: the author, those who are mentioned, admins.
	Apart []ids.UserID
	// Varies says that it serves the subscribers of its audience alone.
	Varies bool
	// Each says that every subscriber sees it otherwise.
	Each bool
}

// Render makes updates of entries. All bodies are in the current layer; nil says nothing.
type Render struct {
	// User renders entries of a user's box for him.
	User func(ctx context.Context, user ids.UserID, events []store.Event) ([]byte, error)
	// Device renders entries of a user's box that each concern one of his devices, for this one.
	Device func(
		ctx context.Context, user ids.UserID, key int64, events []store.Event,
	) ([]byte, error)
	// Shared renders entries of a channel's box for all of an audience.
	Shared func(
		ctx context.Context, channel ids.Peer, events []store.Event, a restrict.Audience,
	) (Shared, error)
	// Audiences tells the audiences of subscribers, in their order.
	Audiences func(ctx context.Context, users []ids.UserID) ([]restrict.Audience, error)
	// Apart renders entries of a channel's box for one subscriber.
	Apart func(
		ctx context.Context, user ids.UserID, channel ids.Peer, events []store.Event,
	) ([]byte, error)
	// TooLong says that a box has more to tell than is pushed.
	TooLong func(box ids.Peer) []byte
	// Down rewrites a body for a layer; nil is a body that the layer does not have.
	Down func(layer int, body []byte) ([]byte, error)
	// Hash is a viewer's access hash of a peer.
	Hash func(viewer, peer int64) int64
}

// pendingMost is how many entries of one box may wait to be pushed; beyond it the readers are told
// to ask for the difference.
const pendingMost = 500

// Hub knows the live sessions and pushes to them. It is safe for concurrent use.
type Hub struct {
	store  *store.Store
	render Render
	log    *slog.Logger
	shards []*shard

	mu       sync.RWMutex
	users    map[ids.UserID]*user
	channels map[ids.Peer]map[*subscription]struct{}
}

// user is an account with live sessions.
type user struct {
	sessions []*subscription
	channels map[ids.Peer]bool
	// changes counts changes of membership, so that a list read meanwhile is not believed.
	changes int
}

type subscription struct {
	user ids.UserID
	to   Receiver
}

// NewHub returns a hub whose workers run until ctx ends.
func NewHub(
	ctx context.Context, s *store.Store, render Render, log *slog.Logger, workers int,
) *Hub {
	h := &Hub{
		store: s, render: render, log: log,
		users:    make(map[ids.UserID]*user),
		channels: make(map[ids.Peer]map[*subscription]struct{}),
	}
	for range workers {
		sh := &shard{
			hub:     h,
			wake:    make(chan struct{}, 1),
			pending: make(map[ids.Peer]*pending),
			last:    make(map[ids.Peer]int64),
		}
		h.shards = append(h.shards, sh)
		go sh.run(ctx)
	}
	return h
}

// Attach makes a session hear of everything that concerns an account. Attaching twice is once.
func (h *Hub) Attach(ctx context.Context, id ids.UserID, to Receiver) error {
	h.mu.Lock()
	u := h.users[id]
	if u == nil {
		u = &user{channels: make(map[ids.Peer]bool)}
		h.users[id] = u
	}
	for _, s := range u.sessions {
		if s.to == to {
			h.mu.Unlock()
			return nil
		}
	}
	sub := &subscription{user: id, to: to}
	u.sessions = append(u.sessions, sub)
	for channel := range u.channels {
		h.subscribe(channel, sub)
	}
	h.mu.Unlock()
	return h.load(ctx, id, u)
}

// load reads which channels a user is in; a change of membership meanwhile makes it read again.
func (h *Hub) load(ctx context.Context, id ids.UserID, u *user) error {
	for {
		h.mu.RLock()
		changes := u.changes
		h.mu.RUnlock()
		var list []ids.Peer
		err := h.store.View(ctx, func(r *store.Reader) (err error) {
			list, err = r.ChannelsOf(id)
			return err
		})
		if err != nil {
			return err
		}
		h.mu.Lock()
		if u.changes == changes {
			h.setChannels(u, list)
			h.mu.Unlock()
			return nil
		}
		h.mu.Unlock()
	}
}

func (h *Hub) setChannels(u *user, list []ids.Peer) {
	for channel := range u.channels {
		if !slices.Contains(list, channel) {
			h.leave(u, channel)
		}
	}
	for _, channel := range list {
		h.join(u, channel)
	}
}

func (h *Hub) join(u *user, channel ids.Peer) {
	u.channels[channel] = true
	for _, s := range u.sessions {
		h.subscribe(channel, s)
	}
}

func (h *Hub) leave(u *user, channel ids.Peer) {
	delete(u.channels, channel)
	for _, s := range u.sessions {
		h.unsubscribe(channel, s)
	}
}

func (h *Hub) subscribe(channel ids.Peer, s *subscription) {
	set := h.channels[channel]
	if set == nil {
		set = make(map[*subscription]struct{})
		h.channels[channel] = set
	}
	set[s] = struct{}{}
}

func (h *Hub) unsubscribe(channel ids.Peer, s *subscription) {
	delete(h.channels[channel], s)
	if len(h.channels[channel]) == 0 {
		delete(h.channels, channel)
	}
}

// Detach makes a session hear of nothing more. It says whether the account still has another.
func (h *Hub) Detach(id ids.UserID, to Receiver) (others bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.users[id]
	if u == nil {
		return false
	}
	for i, s := range u.sessions {
		if s.to != to {
			continue
		}
		for channel := range u.channels {
			h.unsubscribe(channel, s)
		}
		u.sessions = slices.Delete(u.sessions, i, i+1)
		break
	}
	if len(u.sessions) == 0 {
		delete(h.users, id)
		return false
	}
	return true
}

// Expel makes all sessions of an account hear of nothing more: the service has ended it.
func (h *Hub) Expel(id ids.UserID) {
	h.mu.RLock()
	var list []Receiver
	if u := h.users[id]; u != nil {
		for _, s := range u.sessions {
			list = append(list, s.to)
		}
	}
	h.mu.RUnlock()
	for _, to := range list {
		h.Detach(id, to)
	}
}

// Live tells whether an account has a live session.
func (h *Hub) Live(id ids.UserID) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.users[id] != nil
}

// membership reads anew whether a live user is in a channel.
func (h *Hub) membership(ctx context.Context, id ids.UserID, channel ids.Peer) {
	if channel.Kind() != ids.Channel {
		return
	}
	for done := false; !done; {
		h.mu.RLock()
		u, changes := h.users[id], 0
		if u != nil {
			changes = u.changes
		}
		h.mu.RUnlock()
		if u == nil {
			return
		}
		var in bool
		err := h.store.View(ctx, func(r *store.Reader) error {
			m, err := r.Member(channel, id)
			in = m.Role.In()
			return err
		})
		if err != nil {
			h.log.Error("reading a membership", "error", err)
			return
		}
		done = h.follows(id, u, changes, channel, in)
	}
}

// follows applies what was read of a membership, unless something changed since.
func (h *Hub) follows(id ids.UserID, u *user, changes int, channel ids.Peer, in bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.users[id] != u || u.changes != changes {
		return false
	}
	u.changes++
	if in {
		h.join(u, channel)
	} else {
		h.leave(u, channel)
	}
	return true
}

// Committed takes the entries of a commit; it does not block.
func (h *Hub) Committed(c store.Commit) {
	for _, e := range c.Events {
		h.shards[uint64(e.Box)%uint64(len(h.shards))].add(e, c.Source)
	}
}

// Tell pushes an update that is kept nowhere to the live sessions of users: typing, presence. The
// body is in the current layer.
func (h *Hub) Tell(body []byte, users ...ids.UserID) {
	var to []*subscription
	h.mu.RLock()
	for _, id := range users {
		if u := h.users[id]; u != nil {
			to = append(to, u.sessions...)
		}
	}
	h.mu.RUnlock()
	h.push(body, to, nil, nil)
}

// TellDevice is Tell for the live sessions of one device of a user.
func (h *Hub) TellDevice(body []byte, id ids.UserID, key int64) {
	h.push(body, ofDevice(h.sessions(id.Peer()), key), nil, nil)
}

// ofDevice are those of sessions that are a device's.
func ofDevice(list []*subscription, key int64) (out []*subscription) {
	for _, s := range list {
		if s.to.KeyID() == key {
			out = append(out, s)
		}
	}
	return out
}

// Subscribers returns the users with live sessions in a channel, for updates that are kept nowhere.
func (h *Hub) Subscribers(channel ids.Peer) []ids.UserID {
	h.mu.RLock()
	defer h.mu.RUnlock()
	seen := make(map[ids.UserID]bool, len(h.channels[channel]))
	out := make([]ids.UserID, 0, len(h.channels[channel]))
	for s := range h.channels[channel] {
		if !seen[s.user] {
			seen[s.user] = true
			out = append(out, s.user)
		}
	}
	return out
}

// push hands a body to sessions, rewritten once per layer, with each viewer's own access hashes.
func (h *Hub) push(body []byte, to []*subscription, source any, places func([]byte) []Place) {
	if body == nil {
		return
	}
	type encoded struct {
		body   []byte
		places []Place
	}
	layers := make(map[int]encoded)
	for _, s := range to {
		if source != nil && s.to == source {
			continue
		}
		layer := s.to.Layer()
		e, ok := layers[layer]
		if !ok {
			down, err := h.render.Down(layer, body)
			if err != nil {
				h.log.Warn("update left out", "layer", layer, "error", err)
				down = nil
			}
			e.body = down
			if places != nil && down != nil {
				e.places = places(down)
			}
			layers[layer] = e
		}
		if e.body == nil {
			continue
		}
		out := session.Body{Bytes: e.body}
		if len(e.places) > 0 {
			out.Patches = make([]crypt.Patch, len(e.places))
			for i, p := range e.places {
				out.Patches[i] = crypt.Patch{
					Off: p.Off, Value: h.render.Hash(int64(s.user), int64(p.Peer)),
				}
			}
		}
		s.to.Push(out)
	}
}

// sessions returns the live sessions that read a box.
func (h *Hub) sessions(in ids.Peer) []*subscription {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if in.Kind() == ids.Channel {
		out := make([]*subscription, 0, len(h.channels[in]))
		for s := range h.channels[in] {
			out = append(out, s)
		}
		return out
	}
	if u := h.users[in.User()]; u != nil {
		return slices.Clone(u.sessions)
	}
	return nil
}

// aboutMembers tells whether an entry may change who hears of a channel.
func aboutMembers(e store.Event) bool {
	kind := box.Kind(e.Kind)
	return kind == box.ChatChanged || kind == box.Participant
}

// follow keeps the index of subscribers in step with what entries say of memberships.
func (h *Hub) follow(ctx context.Context, e store.Event) {
	if !aboutMembers(e) {
		return
	}
	entry, err := box.Decode(e)
	if err != nil {
		h.log.Error("reading an entry", "error", err)
		return
	}
	if box.Kind(e.Kind) == box.Participant {
		h.membership(ctx, entry.User, e.Box)
		return
	}
	h.membership(ctx, e.Box.User(), entry.Peer)
}
