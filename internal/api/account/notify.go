package account

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/dialog"
	"parley/internal/ids"
	"parley/internal/store"
)

// notifyKey names what notify settings are about: a peer or a class of peers.
func (h *Profile) notifyKey(
	c *api.Call, in tg.InputNotifyPeerClass,
) (key string, peer ids.Peer, err error) {
	switch p := in.(type) {
	case *tg.InputNotifyUsers:
		return dialog.NotifyUsers, 0, nil
	case *tg.InputNotifyChats:
		return dialog.NotifyChats, 0, nil
	case *tg.InputNotifyBroadcasts:
		return dialog.NotifyBroadcasts, 0, nil
	case *tg.InputNotifyPeer:
		peer, err := h.Peer(c, p.Peer)
		return dialog.NotifyKey(peer), peer, err
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
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		out = v.NotifySettings(key)
		return nil
	})
	return &out, err
}

// soundBytes bounds the description of a sound.
const soundBytes = 256

// updateNotifySettings replaces the caller's settings for a peer or a class of peers.
//
// https://core.telegram.org/method/account.updateNotifySettings
func (h *Profile) updateNotifySettings(
	c *api.Call, req *tg.AccountUpdateNotifySettingsRequest,
) (*tg.BoolBox, error) {
	key, peer, err := h.notifyKey(c, req.Peer)
	if err != nil {
		return nil, err
	}
	var n dialog.Notify
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
	if v, ok := req.Settings.GetSound(); ok {
		if n.Sound, err = soundOf(v); err != nil {
			return nil, err
		}
	}
	err = dialog.SetNotify(c.Context, h.Store, c.Self, peer, key, n, c.Unix())
	return view.True, err
}

func soundOf(in tg.NotificationSoundClass) (*dialog.Sound, error) {
	switch s := in.(type) {
	case *tg.NotificationSoundNone:
		return &dialog.Sound{Kind: dialog.NoSound}, nil
	case *tg.NotificationSoundLocal:
		if len(s.Title)+len(s.Data) > soundBytes {
			return nil, chat.Invalid("SETTINGS_INVALID")
		}
		return &dialog.Sound{Kind: dialog.LocalSound, Title: s.Title, Body: s.Data}, nil
	case *tg.NotificationSoundRingtone:
		return &dialog.Sound{Kind: dialog.Ringtone, ID: s.ID}, nil
	default:
		return &dialog.Sound{}, nil
	}
}

// resetNotifySettings forgets all of the caller's settings about notifications.
//
// https://core.telegram.org/method/account.resetNotifySettings
func (h *Profile) resetNotifySettings(
	c *api.Call, _ *tg.AccountResetNotifySettingsRequest,
) (*tg.BoolBox, error) {
	return view.True, dialog.ResetNotify(c.Context, h.Store, c.Self, c.Unix())
}

// getNotifyExceptions returns the peers with settings of their own, all or those of one class.
//
// https://core.telegram.org/method/account.getNotifyExceptions
func (h *Profile) getNotifyExceptions(
	c *api.Call, req *tg.AccountGetNotifyExceptionsRequest,
) (out tg.UpdatesClass, err error) {
	var key string
	var only ids.Peer
	if in, ok := req.GetPeer(); ok {
		if key, only, err = h.notifyKey(c, in); err != nil {
			return nil, err
		}
	}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		peers, err := dialog.Exceptions(r, c.Self)
		if err != nil {
			return err
		}
		var list []tg.UpdateClass
		for _, peer := range peers {
			class, err := classOf(v, peer)
			if err != nil {
				return err
			}
			if key != "" && peer != only && class != key {
				continue
			}
			e := v.NotifyException(peer)
			if _, sounds := e.NotifySettings.GetOtherSound(); req.CompareSound && !sounds {
				continue
			}
			list = append(list, e)
		}
		out = v.Updates(list)
		return nil
	})
	return out, err
}

// classOf returns the class of peers that a peer belongs to.
func classOf(v *view.View, peer ids.Peer) (string, error) {
	if peer.Kind() == ids.User {
		return dialog.NotifyUsers, nil
	}
	row, err := v.ChatRow(peer)
	if store.IsNotFound(err) {
		err = nil
	}
	if row.Flags.Has(store.Broadcast) {
		return dialog.NotifyBroadcasts, err
	}
	return dialog.NotifyChats, err
}
