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
	case box.Privacy:
		return v.privacyUpdate(entry)
	}
	return nil
}
