package view

import (
	"github.com/gotd/td/tg"

	"parley/internal/chat/box"
	"parley/internal/chat/dialog"
	"parley/internal/ids"
)

// NotifySettings renders the viewer's settings for a peer's key or a class of peers.
//
// https://core.telegram.org/constructor/peerNotifySettings
func (v *View) NotifySettings(key string) tg.PeerNotifySettings {
	var out tg.PeerNotifySettings
	n, err := dialog.NotifyOf(v.r, v.viewer, key)
	if v.fail(err) {
		return out
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
	if n.Sound != nil {
		sound := sound(*n.Sound)
		out.SetIosSound(sound)
		out.SetAndroidSound(sound)
		out.SetOtherSound(sound)
	}
	out.SetFlags()
	return out
}

func sound(s dialog.Sound) tg.NotificationSoundClass {
	switch s.Kind {
	case dialog.NoSound:
		return &tg.NotificationSoundNone{}
	case dialog.LocalSound:
		return &tg.NotificationSoundLocal{Title: s.Title, Data: s.Body}
	case dialog.Ringtone:
		return &tg.NotificationSoundRingtone{ID: s.ID}
	default:
		return &tg.NotificationSoundDefault{}
	}
}

// notifyFor renders the viewer's settings for one peer.
func (v *View) notifyFor(peer ids.Peer) tg.PeerNotifySettings {
	return v.NotifySettings(dialog.NotifyKey(peer))
}

// NotifyException renders a peer that has settings of its own.
func (v *View) NotifyException(peer ids.Peer) *tg.UpdateNotifySettings {
	return &tg.UpdateNotifySettings{
		Peer: &tg.NotifyPeer{Peer: v.Peer(peer)}, NotifySettings: v.notifyFor(peer),
	}
}

// notifyUpdate renders the settings for a peer or a class of peers.
func (v *View) notifyUpdate(entry box.Entry) tg.UpdateClass {
	if entry.Peer != 0 {
		return v.NotifyException(entry.Peer)
	}
	out := &tg.UpdateNotifySettings{NotifySettings: v.NotifySettings(entry.Text)}
	switch entry.Text {
	case dialog.NotifyUsers:
		out.Peer = &tg.NotifyUsers{}
	case dialog.NotifyChats:
		out.Peer = &tg.NotifyChats{}
	case dialog.NotifyBroadcasts:
		out.Peer = &tg.NotifyBroadcasts{}
	default:
		return nil
	}
	return out
}
