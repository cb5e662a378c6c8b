// Package desk is what the handlers of all namespaces work with: the store, the environment of
// renderings, and the check of addresses. It answers nothing itself.
package desk

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/resolve"
	"parley/internal/api/view"
	"parley/internal/ids"
	"parley/internal/store"
)

// Desk gives handlers a snapshot, a view and resolved addresses.
type Desk struct {
	Store *store.Store
	Env   *view.Env
}

// Resolver checks the addresses that a client sends with a call.
func (d *Desk) Resolver(c *api.Call) resolve.Resolver {
	return resolve.Resolver{Hash: d.Env.Hash, Now: c.Unix()}
}

// View runs fn on a snapshot with a view for the caller, and returns the first error of either.
func (d *Desk) View(c *api.Call, fn func(r *store.Reader, v *view.View) error) error {
	return d.Store.View(c.Context, func(r *store.Reader) error {
		v := view.New(r, d.Env, c.Self, c.Unix())
		if err := fn(r, v); err != nil {
			return err
		}
		return v.Err()
	})
}

// Peer resolves an InputPeer of the caller.
func (d *Desk) Peer(c *api.Call, in tg.InputPeerClass) (peer ids.Peer, err error) {
	switch in.(type) {
	case *tg.InputPeerSelf:
		return c.Self.Peer(), nil
	case *tg.InputPeerUser, *tg.InputPeerChannel:
		return d.Resolver(c).Peer(nil, c.Self, in)
	}
	err = d.Store.View(c.Context, func(r *store.Reader) (err error) {
		peer, err = d.Resolver(c).Peer(r, c.Self, in)
		return err
	})
	return peer, err
}

// User resolves an InputUser of the caller.
func (d *Desk) User(c *api.Call, in tg.InputUserClass) (user ids.UserID, err error) {
	err = d.Store.View(c.Context, func(r *store.Reader) (err error) {
		user, err = d.Resolver(c).User(r, c.Self, in)
		return err
	})
	return user, err
}

// Users resolves InputUsers of the caller.
func (d *Desk) Users(c *api.Call, in []tg.InputUserClass) (out []ids.UserID, err error) {
	err = d.Store.View(c.Context, func(r *store.Reader) error {
		out = out[:0]
		for _, u := range in {
			id, err := d.Resolver(c).User(r, c.Self, u)
			if err != nil {
				return err
			}
			out = append(out, id)
		}
		return nil
	})
	return out, err
}

// Channel resolves an InputChannel of the caller.
func (d *Desk) Channel(c *api.Call, in tg.InputChannelClass) (peer ids.Peer, err error) {
	err = d.Store.View(c.Context, func(r *store.Reader) (err error) {
		peer, err = d.Resolver(c).Channel(r, c.Self, in)
		return err
	})
	return peer, err
}

// Updates renders committed entries, after other updates, as the answer to the request that made
// them. Nothing else pushes them to the caller's session.
func (d *Desk) Updates(
	c *api.Call, first []tg.UpdateClass, events ...store.Event,
) (out *tg.Updates, err error) {
	err = d.View(c, func(_ *store.Reader, v *view.View) error {
		out = v.Updates(first, events...)
		return nil
	})
	return out, err
}

// Refresh is an answer that makes the caller's client look at chats anew.
func (d *Desk) Refresh(c *api.Call, peers ...ids.Peer) (out *tg.Updates, err error) {
	err = d.View(c, func(_ *store.Reader, v *view.View) error {
		var list []tg.UpdateClass
		for _, p := range peers {
			v.Chat(p)
			if p.Kind() == ids.Channel {
				list = append(list, &tg.UpdateChannel{ChannelID: int64(p.Channel())})
			} else {
				list = append(list, &tg.UpdateChat{ChatID: int64(p.Chat())})
			}
		}
		out = v.Updates(list)
		return nil
	})
	return out, err
}
