package view

import (
	"github.com/gotd/td/tg"

	"parley/internal/chat/box"
)

// settingUpdate renders changes of settings that the client keeps.
func (v *View) settingUpdate(kind box.Kind, entry box.Entry) tg.UpdateClass {
	switch kind {
	case box.JoinRequests:
		return &tg.UpdatePendingJoinRequests{
			Peer: v.Peer(entry.Peer), RequestsPending: int(entry.N),
		}
	case box.NotifySettings:
		return v.notifyUpdate(entry)
	}
	return nil
}

// notifyUpdate renders the settings for a peer; those for a class of peers are asked for by
// clients.
func (v *View) notifyUpdate(entry box.Entry) tg.UpdateClass {
	if entry.Peer == 0 {
		return nil
	}
	settings, err := v.env.Notify(v.r, v.viewer, entry.Peer)
	if v.fail(err) {
		return nil
	}
	return &tg.UpdateNotifySettings{
		Peer: &tg.NotifyPeer{Peer: v.Peer(entry.Peer)}, NotifySettings: settings,
	}
}
