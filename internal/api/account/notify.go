package account

import (
	"fmt"
	"strings"

	"github.com/fxamacker/cbor/v2"
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/ids"
	"parley/internal/store"
)

// notify is what a user has set about notifications; nil is the default.
//
// https://core.telegram.org/constructor/peerNotifySettings
type notify struct {
	ShowPreviews *bool  `cbor:"1,keyasint,omitempty"`
	Silent       *bool  `cbor:"2,keyasint,omitempty"`
	MuteUntil    *int64 `cbor:"3,keyasint,omitempty"`
}

// notifyPrefix begins the names of settings about notifications.
const notifyPrefix = "notify:"

// signUpSetting names the setting that keeps quiet that a contact has joined.
const signUpSetting = "quiet-signup"

// Notify returns a user's notify settings for a peer.
func Notify(r *store.Reader, user ids.UserID, peer ids.Peer) (tg.PeerNotifySettings, error) {
	return notifyOf(r, user, peer.String())
}

func notifyOf(r *store.Reader, user ids.UserID, key string) (tg.PeerNotifySettings, error) {
	var out tg.PeerNotifySettings
	b, err := r.Setting(user, notifyPrefix+key)
	if err != nil || b == nil {
		return out, err
	}
	var n notify
	if err := cbor.Unmarshal(b, &n); err != nil {
		return out, fmt.Errorf("account: notify settings: %w", err)
	}
	if n.ShowPreviews != nil {
		out.SetShowPreviews(*n.ShowPreviews)
	}
	if n.Silent != nil {
		out.SetSilent(*n.Silent)
	}
	if n.MuteUntil != nil {
		out.SetMuteUntil(int(*n.MuteUntil))
	}
	out.SetFlags()
	return out, nil
}

// notifyKey names what notify settings are about: a peer or a class of peers.
func (h *Profile) notifyKey(c *api.Call, in tg.InputNotifyPeerClass) (string, ids.Peer, error) {
	switch p := in.(type) {
	case *tg.InputNotifyUsers:
		return "users", 0, nil
	case *tg.InputNotifyChats:
		return "chats", 0, nil
	case *tg.InputNotifyBroadcasts:
		return "broadcasts", 0, nil
	case *tg.InputNotifyPeer:
		peer, err := h.Peer(c, p.Peer)
		return peer.String(), peer, err
	default:
		return "", 0, chat.ErrPeerInvalid
	}
}

// getNotifySettings returns the caller's settings for a peer or a class of peers.
//
// https://core.telegram.org/method/account.getNotifySettings
func (h *Profile) getNotifySettings(
	c *api.Call, req *tg.AccountGetNotifySettingsRequest,
) (*tg.PeerNotifySettings, error) {
	key, _, err := h.notifyKey(c, req.Peer)
	if err != nil {
		return nil, err
	}
	var out tg.PeerNotifySettings
	err = h.View(c, func(r *store.Reader, _ *view.View) (err error) {
		out, err = notifyOf(r, c.Self, key)
		return err
	})
	return &out, err
}

// updateNotifySettings changes the caller's settings for a peer or a class of peers.
//
// https://core.telegram.org/method/account.updateNotifySettings
func (h *Profile) updateNotifySettings(
	c *api.Call, req *tg.AccountUpdateNotifySettingsRequest,
) (*tg.BoolBox, error) {
	key, peer, err := h.notifyKey(c, req.Peer)
	if err != nil {
		return nil, err
	}
	var n notify
	if v, ok := req.Settings.GetShowPreviews(); ok {
		n.ShowPreviews = &v
	}
	if v, ok := req.Settings.GetSilent(); ok {
		n.Silent = &v
	}
	if v, ok := req.Settings.GetMuteUntil(); ok {
		until := int64(v)
		n.MuteUntil = &until
	}
	body, err := cbor.Marshal(n)
	if err != nil {
		return nil, err
	}
	err = h.Store.Update(c.Context, c.Self.Peer(), func(tx *store.Tx) error {
		if err := tx.PutSetting(c.Self, notifyPrefix+key, body); err != nil {
			return err
		}
		_, err := box.Note(tx, c.Self.Peer(), box.NotifySettings, c.Unix(),
			box.Entry{Peer: peer, Text: key})
		return err
	})
	return view.True, err
}

// resetNotifySettings forgets all of the caller's settings about notifications.
//
// https://core.telegram.org/method/account.resetNotifySettings
func (h *Profile) resetNotifySettings(
	c *api.Call, _ *tg.AccountResetNotifySettingsRequest,
) (*tg.BoolBox, error) {
	err := h.Store.Update(c.Context, c.Self.Peer(), func(tx *store.Tx) error {
		all, err := tx.Settings(c.Self, notifyPrefix)
		if err != nil {
			return err
		}
		for name := range all {
			if err := tx.PutSetting(c.Self, name, nil); err != nil {
				return err
			}
		}
		return nil
	})
	return view.True, err
}

// getNotifyExceptions returns the peers with settings of their own.
//
// https://core.telegram.org/method/account.getNotifyExceptions
func (h *Profile) getNotifyExceptions(
	c *api.Call, _ *tg.AccountGetNotifyExceptionsRequest,
) (out tg.UpdatesClass, err error) {
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		all, err := r.Settings(c.Self, notifyPrefix)
		if err != nil {
			return err
		}
		var list []tg.UpdateClass
		for name := range all {
			var peer ids.Peer
			if _, err := fmt.Sscan(strings.TrimPrefix(name, notifyPrefix), &peer); err != nil {
				continue
			}
			settings, err := Notify(r, c.Self, peer)
			if err != nil {
				return err
			}
			list = append(list, &tg.UpdateNotifySettings{
				Peer: &tg.NotifyPeer{Peer: v.Peer(peer)}, NotifySettings: settings,
			})
		}
		out = v.Updates(list)
		return nil
	})
	return out, err
}

// getContactSignUpNotification tells whether the caller hears of contacts who join.
//
// https://core.telegram.org/method/account.getContactSignUpNotification
func (h *Profile) getContactSignUpNotification(
	c *api.Call, _ *tg.AccountGetContactSignUpNotificationRequest,
) (*tg.BoolBox, error) {
	out := view.False
	err := h.View(c, func(r *store.Reader, _ *view.View) error {
		b, err := r.Setting(c.Self, signUpSetting)
		if b != nil {
			out = view.True
		}
		return err
	})
	return out, err
}

// setContactSignUpNotification sets whether the caller hears of contacts who join.
//
// https://core.telegram.org/method/account.setContactSignUpNotification
func (h *Profile) setContactSignUpNotification(
	c *api.Call, req *tg.AccountSetContactSignUpNotificationRequest,
) (*tg.BoolBox, error) {
	var value []byte
	if req.Silent {
		value = []byte{1}
	}
	return view.True, h.Store.Update(c.Context, c.Self.Peer(), func(tx *store.Tx) error {
		return tx.PutSetting(c.Self, signUpSetting, value)
	})
}
