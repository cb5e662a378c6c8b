// Package live renders entries of boxes as live updates, for chat/fanout to push: for one user, for
// all subscribers of a channel alike, and for those who see a post otherwise than the rest. It
// pushes nothing itself.
package live

import (
	"context"
	"slices"

	"github.com/gotd/td/tg"

	"parley/internal/api/view"
	"parley/internal/chat/box"
	"parley/internal/chat/fanout"
	"parley/internal/chat/group"
	"parley/internal/chat/message"
	"parley/internal/chat/restrict"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/store"
)

// Renderer renders live updates.
type Renderer struct {
	Store *store.Store
	Env   *view.Env
	Clock clock.Clock
}

// Render returns what a hub needs. down rewrites a body for a client's layer.
func (x *Renderer) Render(down func(layer int, body []byte) ([]byte, error)) fanout.Render {
	return fanout.Render{
		User: x.user, Device: x.device, Shared: x.shared, Audiences: x.audiences, Apart: x.apart,
		TooLong: x.tooLong, Down: down, Hash: x.Env.Hash,
	}
}

// updates renders entries for the viewer of a view; nil when they tell him nothing.
func updates(v *view.View, events []store.Event) ([]byte, error) {
	out := v.Updates(nil, events...)
	if err := v.Err(); err != nil || len(out.Updates) == 0 {
		return nil, err
	}
	return view.Encode(out)
}

// audiences reads the audiences of users.
func (x *Renderer) audiences(
	ctx context.Context, users []ids.UserID,
) (out []restrict.Audience, err error) {
	err = x.Store.View(ctx, func(r *store.Reader) error {
		out = out[:0]
		for _, user := range users {
			a, err := restrict.Of(r, user)
			if err != nil {
				return err
			}
			out = append(out, a)
		}
		return nil
	})
	return out, err
}

func (x *Renderer) user(
	ctx context.Context, user ids.UserID, events []store.Event,
) (body []byte, err error) {
	err = x.Store.View(ctx, func(r *store.Reader) (err error) {
		body, err = updates(view.New(r, x.Env, user, x.Clock.Now().Unix()), events)
		return err
	})
	return body, err
}

func (x *Renderer) device(
	ctx context.Context, user ids.UserID, key int64, events []store.Event,
) (body []byte, err error) {
	err = x.Store.View(ctx, func(r *store.Reader) (err error) {
		body, err = updates(view.New(r, x.Env, user, x.Clock.Now().Unix()).On(key), events)
		return err
	})
	return body, err
}

// apart leaves out what is about messages that are hidden from the user.
func (x *Renderer) apart(
	ctx context.Context, user ids.UserID, channel ids.Peer, events []store.Event,
) (body []byte, err error) {
	err = x.Store.View(ctx, func(r *store.Reader) error {
		above, err := message.Horizon(r, user, channel)
		if err != nil {
			return err
		}
		var seen []store.Event
		for _, e := range events {
			entry, err := box.Decode(e)
			if err != nil {
				return err
			}
			if entry.ID == 0 || entry.ID > above {
				seen = append(seen, e)
			}
		}
		body, err = updates(view.New(r, x.Env, user, x.Clock.Now().Unix()), seen)
		return err
	})
	return body, err
}

func (x *Renderer) shared(
	ctx context.Context, channel ids.Peer, events []store.Event, a restrict.Audience,
) (out fanout.Shared, err error) {
	if back, err := returns(events); err != nil || back {
		// Clients take no membership from the form that all see alike.
		return fanout.Shared{Each: true}, err
	}
	err = x.Store.View(ctx, func(r *store.Reader) error {
		v := view.NewShared(r, x.Env, a, x.Clock.Now().Unix())
		body, err := updates(v, events)
		if err != nil {
			return err
		}
		out = fanout.Shared{Body: body, Varies: v.Varies()}
		out.Places = func(encoded []byte) []fanout.Place { return places(v, encoded) }
		var oldest int64
		if out.Apart, oldest, err = apart(r, events); err != nil || oldest == 0 {
			return err
		}
		later, all, err := newcomers(r, channel, oldest)
		out.Apart = append(out.Apart, later...)
		if !all {
			out = fanout.Shared{Body: x.tooLong(channel)}
		}
		return err
	})
	return out, err
}

// returns tells whether entries say that a channel is back that the service had ended.
func returns(events []store.Event) (bool, error) {
	for _, e := range events {
		if box.Kind(e.Kind) != box.Restricted {
			continue
		}
		entry, err := box.Decode(e)
		if err != nil || entry.On {
			return entry.On, err
		}
	}
	return false, nil
}

// newcomersMost is how many people who joined after a message are told of its change one by one;
// when there are more, all are made to ask.
const newcomersMost = 200

// newcomers returns who joined a group that hides its history since a message was written, and so
// may not see it, and whether that are all.
func newcomers(
	r *store.Reader, channel ids.Peer, written int64,
) (out []ids.UserID, all bool, err error) {
	c, err := r.Chat(channel)
	if err != nil || !group.Veiled(c) {
		return nil, true, err
	}
	members, err := r.RecentMembers(channel, newcomersMost, 0)
	for _, m := range members {
		if m.Date < written {
			return out, true, err
		}
		out = append(out, m.User)
	}
	return out, len(members) < newcomersMost, err
}

func places(v *view.View, encoded []byte) []fanout.Place {
	found := v.Patches(encoded)
	out := make([]fanout.Place, len(found))
	for i, p := range found {
		out[i] = fanout.Place{Off: p.Off, Peer: p.Peer}
	}
	return out
}

// apart finds who sees posts otherwise than the rest: their authors and whom they mention. oldest
// is when the oldest was written that changed, 0 when all are new.
func apart(r *store.Reader, events []store.Event) (out []ids.UserID, oldest int64, err error) {
	add := func(id ids.UserID) {
		if id != 0 && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	for _, e := range events {
		switch box.Kind(e.Kind) {
		case box.NewMessage, box.EditMessage:
		default:
			continue
		}
		entry, err := box.Decode(e)
		if err != nil {
			return nil, 0, err
		}
		m, err := messageOf(r, e, entry.ID)
		if store.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		if box.Kind(e.Kind) != box.NewMessage && (oldest == 0 || m.Date < oldest) {
			oldest = m.Date
		}
		add(m.Origin.User())
		c, err := message.DecodeContent(m.Body)
		if err != nil {
			return nil, 0, err
		}
		for _, id := range c.Mentioned {
			add(id)
		}
	}
	return out, oldest, nil
}

// messageOf is the message that an entry is about.
func messageOf(r *store.Reader, e store.Event, id int64) (store.Message, error) {
	if e.Message != nil {
		return *e.Message, nil
	}
	return r.Message(e.Box, id)
}

// tooLong makes clients ask for what they missed.
func (x *Renderer) tooLong(in ids.Peer) []byte {
	var u tg.UpdatesClass = &tg.UpdatesTooLong{}
	if in.Kind() == ids.Channel {
		u = &tg.UpdateShort{
			Update: &tg.UpdateChannelTooLong{ChannelID: int64(in.Channel())},
			Date:   int(x.Clock.Now().Unix()),
		}
	}
	body, err := view.Encode(u)
	if err != nil {
		return nil
	}
	return body
}
