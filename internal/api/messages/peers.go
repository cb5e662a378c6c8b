package messages

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/chat/dialog"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// getPeerSettings returns what the caller may do about somebody who writes to him.
//
// https://core.telegram.org/method/messages.getPeerSettings
func (h *Handlers) getPeerSettings(
	c *api.Call, req *tg.MessagesGetPeerSettingsRequest,
) (*tg.MessagesPeerSettings, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	out := &tg.MessagesPeerSettings{}
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		v.Peer(peer)
		if peer.Kind() == ids.User {
			out.Settings = v.PeerSettings(peer.User())
		}
		out.Users, out.Chats = v.Users(), v.Chats()
		return nil
	})
	return out, err
}

// hidePeerSettingsBar hides the action bar of a chat for good.
//
// https://core.telegram.org/method/messages.hidePeerSettingsBar
func (h *Handlers) hidePeerSettingsBar(
	c *api.Call, req *tg.MessagesHidePeerSettingsBarRequest,
) (*tg.BoolBox, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	return view.True, h.Store.Update(c.Context, c.Self.Peer(), func(tx *store.Tx) error {
		if err := tx.PutSetting(c.Self, view.BarSetting(peer), []byte{1}); err != nil {
			return err
		}
		_, err := box.Note(tx, c.Self.Peer(), box.PeerSettings, c.Unix(), box.Entry{Peer: peer})
		return err
	})
}

// getCommonChats returns the groups that the caller shares with somebody.
//
// https://core.telegram.org/method/messages.getCommonChats
func (h *Handlers) getCommonChats(
	c *api.Call, req *tg.MessagesGetCommonChatsRequest,
) (out tg.MessagesChatsClass, err error) {
	user, err := h.User(c, req.UserID)
	if err != nil {
		return nil, err
	}
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		list := &tg.MessagesChats{}
		for _, peer := range v.CommonChats(user) {
			if len(list.Chats) < min(max(req.Limit, 1), limit.HistoryPage) {
				list.Chats = append(list.Chats, v.Chat(peer))
			}
		}
		out = list
		return nil
	})
	return out, err
}

// editPeerFolders moves chats into the archive or out of it.
//
// https://core.telegram.org/method/folders.editPeerFolders
func (h *Handlers) editPeerFolders(
	c *api.Call, req *tg.FoldersEditPeerFoldersRequest,
) (tg.UpdatesClass, error) {
	if len(req.FolderPeers) > limit.HistoryPage {
		return nil, chat.Invalid("LIMIT_INVALID")
	}
	folders := make(map[ids.Peer]int64, len(req.FolderPeers))
	for _, f := range req.FolderPeers {
		peer, err := h.Peer(c, f.Peer)
		if err != nil {
			return nil, err
		}
		folders[peer] = int64(f.FolderID)
	}
	events, err := dialog.Move(c.Context, h.Store, c.Self, folders, c.Unix())
	if err != nil {
		return nil, err
	}
	return h.Updates(c, nil, events...)
}
