package view

import (
	"strings"

	"github.com/gotd/td/tg"

	"parley/internal/chat/contact"
	"parley/internal/chat/dialog"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
)

// FullUser renders all that the viewer may know of a person.
//
// https://core.telegram.org/constructor/userFull
func (v *View) FullUser(id ids.UserID) tg.UserFull {
	out := tg.UserFull{ID: int64(id), PhoneCallsAvailable: false}
	row, err := v.r.User(id)
	if v.fail(err) {
		return out
	}
	v.User(id)
	row, _ = v.shownUser(row)
	out.Settings = v.PeerSettings(id)
	if row.About != "" && v.sees(id, contact.About) {
		out.SetAbout(row.About)
	}
	if row.PhotoID != 0 && (id == v.viewer || v.sees(id, contact.Photo)) {
		out.SetProfilePhoto(v.Photo(row.PhotoID, Origin{Peer: id.Peer()}))
	}
	out.NotifySettings = v.notifyFor(id.Peer())
	takes, err := contact.Permits(v.r, v.viewer, id, contact.Voice)
	out.VoiceMessagesForbidden = !v.fail(err) && !takes
	if !v.sees(id, contact.Forwards) {
		out.SetPrivateForwardName(strings.TrimSpace(row.FirstName + " " + row.LastName))
	}
	out.Blocked, err = v.r.Blocked(v.viewer, id.Peer())
	v.fail(err)
	v.pinnedOf(id, &out)
	out.CommonChatsCount = v.commonChats(id)
	out.SetFlags()
	return out
}

// pinnedOf sets the newest pinned message of the chat with a person, and its folder.
func (v *View) pinnedOf(id ids.UserID, out *tg.UserFull) {
	out.CanPinMessage = true
	rows, err := v.r.Pinned(v.viewer.Peer(), id.Peer(), 1<<31-1, 1)
	if !v.fail(err) && len(rows) > 0 {
		out.SetPinnedMsgID(int(rows[0].ID))
	}
	d, err := v.r.DialogOrNew(v.viewer, id.Peer())
	if !v.fail(err) && d.Folder == dialog.Archive {
		out.SetFolderID(dialog.Archive)
	}
}

// commonChats counts the chats that the viewer shares with a person.
func (v *View) commonChats(id ids.UserID) int {
	if id == v.viewer {
		return 0
	}
	return len(v.CommonChats(id))
}

// CommonChats returns the groups that the viewer shares with a person.
func (v *View) CommonChats(id ids.UserID) []ids.Peer {
	lines, err := v.r.Dialogs(v.viewer)
	if v.fail(err) {
		return nil
	}
	var out []ids.Peer
	for _, d := range lines {
		if d.Peer.Kind() == ids.User || !v.SelfIn(d.Peer).Role.In() {
			continue
		}
		row, err := v.ChatRow(d.Peer)
		if v.fail(err) || row.Flags.Has(store.Broadcast) || rights.Closed(row) {
			continue
		}
		m, err := v.r.Member(d.Peer, id)
		if !v.fail(err) && m.Role.In() {
			out = append(out, d.Peer)
		}
	}
	return out
}

// PeerSettings renders what the viewer may do about a person who writes to him.
//
// https://core.telegram.org/constructor/peerSettings
func (v *View) PeerSettings(id ids.UserID) tg.PeerSettings {
	var out tg.PeerSettings
	if id == v.viewer || id == 0 {
		return out
	}
	_, err := v.r.Contact(v.viewer, id)
	if store.IsNotFound(err) {
		blocked, err := v.r.Blocked(v.viewer, id.Peer())
		if v.fail(err) {
			return out
		}
		hidden, err := v.r.Setting(v.viewer, BarSetting(id.Peer()))
		if v.fail(err) {
			return out
		}
		bar := !blocked && hidden == nil
		out.AddContact, out.BlockContact, out.ReportSpam = bar, bar, bar
	} else {
		v.fail(err)
	}
	out.SetFlags()
	return out
}

// BarSetting names the setting that hides the action bar of a chat.
func BarSetting(peer ids.Peer) string { return "bar:" + peer.String() }
