package messages

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/dialog"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// farFuture is a date that clients send as the offset of a first page.
const farFuture = 2_000_000_000

// getDialogs returns a page of the chat list.
//
// https://core.telegram.org/method/messages.getDialogs
func (h *Handlers) getDialogs(
	c *api.Call, req *tg.MessagesGetDialogsRequest,
) (out tg.MessagesDialogsClass, err error) {
	most := min(max(req.Limit, 1), limit.HistoryPage)
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		all, err := dialog.List(r, c.Self, int64(req.FolderID))
		if err != nil {
			return err
		}
		// An offset_peer that names nobody is the beginning.
		after, _ := h.Resolver(c).Peer(r, c.Self, req.OffsetPeer)
		total := len(listed(all, req.ExcludePinned))
		rest := afterOffset(all, int64(req.OffsetDate), int64(req.OffsetID), after)
		lines := listed(rest, req.ExcludePinned)
		complete := len(lines) <= most && total == len(lines)
		if len(lines) > most {
			lines = lines[:most]
		}
		dialogs, messages, err := h.lines(r, v, c.Self, lines)
		if err != nil {
			return err
		}
		if complete {
			out = &tg.MessagesDialogs{
				Dialogs: dialogs, Messages: messages, Chats: v.Chats(), Users: v.Users(),
			}
		} else {
			out = &tg.MessagesDialogsSlice{
				Count: total, Dialogs: dialogs, Messages: messages, Chats: v.Chats(),
				Users: v.Users(),
			}
		}
		return nil
	})
	return out, err
}

// listed are the lines that are shown: not those of people with whom nothing was said or begun.
func listed(all []dialog.Line, excludePinned bool) []dialog.Line {
	out := make([]dialog.Line, 0, len(all))
	for _, l := range all {
		empty := l.TopID == 0 && l.Peer.Kind() == ids.User && len(l.Draft) == 0
		if !empty && !(excludePinned && l.Pin > 0) {
			out = append(out, l)
		}
	}
	return out
}

// afterOffset leaves out the lines up to the last one of the page before. When that one has moved
// meanwhile, its place is found by the date and id of its message.
func afterOffset(lines []dialog.Line, date, id int64, peer ids.Peer) []dialog.Line {
	for i, l := range lines {
		if l.Peer == peer && l.TopID == id {
			return lines[i+1:]
		}
	}
	if date <= 0 || date >= farFuture {
		return lines
	}
	for i, l := range lines {
		if l.Pin == 0 && (l.TopDate < date || l.TopDate == date && l.TopID < id) {
			return lines[i:]
		}
	}
	return nil
}

// lines renders lines of the chat list with their newest messages.
func (h *Handlers) lines(
	r *store.Reader, v *view.View, self ids.UserID, lines []dialog.Line,
) ([]tg.DialogClass, []tg.MessageClass, error) {
	dialogs := make([]tg.DialogClass, 0, len(lines))
	var messages []tg.MessageClass
	for _, l := range lines {
		if l.Peer.Kind() != ids.User {
			row, err := v.ChatRow(l.Peer)
			if err != nil && !store.IsNotFound(err) {
				return nil, nil, err
			}
			if row.Flags.Has(store.ChatTerminated) {
				continue
			}
		}
		dialogs = append(dialogs, v.Dialog(l))
		if l.TopID == 0 {
			continue
		}
		m, err := r.Message(message.BoxOf(self, l.Peer), l.TopID)
		if store.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		messages = append(messages, v.Message(m))
	}
	return dialogs, messages, nil
}

// peerDialogs renders chosen dialogs with the state of the caller's box.
func (h *Handlers) peerDialogs(
	c *api.Call, choose func(r *store.Reader) ([]dialog.Line, error),
) (out *tg.MessagesPeerDialogs, err error) {
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		lines, err := choose(r)
		if err != nil {
			return err
		}
		dialogs, messages, err := h.lines(r, v, c.Self, lines)
		if err != nil {
			return err
		}
		b, err := r.Box(c.Self.Peer())
		out = &tg.MessagesPeerDialogs{
			Dialogs: dialogs, Messages: messages, Chats: v.Chats(), Users: v.Users(),
			State: tg.UpdatesState{Pts: int(b.Pts), Date: int(c.Unix())},
		}
		return err
	})
	return out, err
}

// getPeerDialogs returns chosen lines of the chat list.
//
// https://core.telegram.org/method/messages.getPeerDialogs
func (h *Handlers) getPeerDialogs(
	c *api.Call, req *tg.MessagesGetPeerDialogsRequest,
) (*tg.MessagesPeerDialogs, error) {
	if len(req.Peers) > limit.HistoryPage {
		return nil, chat.Invalid("LIMIT_INVALID")
	}
	var peers []ids.Peer
	for _, in := range req.Peers {
		peer, err := h.dialogPeer(c, in)
		if err != nil {
			return nil, err
		}
		peers = append(peers, peer)
	}
	return h.peerDialogs(c, func(r *store.Reader) ([]dialog.Line, error) {
		var out []dialog.Line
		for _, peer := range peers {
			if _, err := message.See(r, c.Self, peer, c.Unix()); err != nil {
				return nil, err
			}
			d, err := r.DialogOrNew(c.Self, peer)
			if err != nil {
				return nil, err
			}
			l, err := dialog.Complete(r, d)
			if err != nil {
				return nil, err
			}
			out = append(out, l)
		}
		return out, nil
	})
}

// getPinnedDialogs returns the pinned lines of a folder.
//
// https://core.telegram.org/method/messages.getPinnedDialogs
func (h *Handlers) getPinnedDialogs(
	c *api.Call, req *tg.MessagesGetPinnedDialogsRequest,
) (*tg.MessagesPeerDialogs, error) {
	return h.peerDialogs(c, func(r *store.Reader) ([]dialog.Line, error) {
		lines, err := dialog.List(r, c.Self, int64(req.FolderID))
		if err != nil {
			return nil, err
		}
		n := 0
		for n < len(lines) && lines[n].Pin > 0 {
			n++
		}
		return lines[:n], nil
	})
}

// dialogPeer resolves the peer of a line.
func (h *Handlers) dialogPeer(c *api.Call, in tg.InputDialogPeerClass) (ids.Peer, error) {
	p, ok := in.(*tg.InputDialogPeer)
	if !ok {
		return 0, chat.ErrPeerInvalid
	}
	return h.Peer(c, p.Peer)
}

// toggleDialogPin pins or unpins a line.
//
// https://core.telegram.org/method/messages.toggleDialogPin
func (h *Handlers) toggleDialogPin(
	c *api.Call, req *tg.MessagesToggleDialogPinRequest,
) (*tg.BoolBox, error) {
	peer, err := h.dialogPeer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	err = dialog.Pin(c.Context, h.Store, c.Self, peer, req.Pinned, c.Unix())
	return view.True, err
}

// reorderPinnedDialogs sets the order of the pinned lines.
//
// https://core.telegram.org/method/messages.reorderPinnedDialogs
func (h *Handlers) reorderPinnedDialogs(
	c *api.Call, req *tg.MessagesReorderPinnedDialogsRequest,
) (*tg.BoolBox, error) {
	if len(req.Order) > limit.PinnedDialogs {
		return nil, chat.Invalid("PINNED_DIALOGS_TOO_MUCH")
	}
	order := make([]ids.Peer, 0, len(req.Order))
	for _, in := range req.Order {
		peer, err := h.dialogPeer(c, in)
		if err != nil {
			return nil, err
		}
		order = append(order, peer)
	}
	err := dialog.Reorder(c.Context, h.Store, c.Self, int64(req.FolderID), order, req.Force,
		c.Unix())
	return view.True, err
}

// markDialogUnread sets or takes off the caller's own unread mark.
//
// https://core.telegram.org/method/messages.markDialogUnread
func (h *Handlers) markDialogUnread(
	c *api.Call, req *tg.MessagesMarkDialogUnreadRequest,
) (*tg.BoolBox, error) {
	peer, err := h.dialogPeer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	err = dialog.Mark(c.Context, h.Store, c.Self, peer, req.Unread, c.Unix())
	return view.True, err
}

// getDialogUnreadMarks returns the lines with the caller's own unread mark.
//
// https://core.telegram.org/method/messages.getDialogUnreadMarks
func (h *Handlers) getDialogUnreadMarks(
	c *api.Call, _ *tg.MessagesGetDialogUnreadMarksRequest,
) (*tg.DialogPeerClassVector, error) {
	out := &tg.DialogPeerClassVector{}
	err := h.View(c, func(r *store.Reader, v *view.View) error {
		rows, err := r.Dialogs(c.Self)
		for _, d := range rows {
			if d.Flags.Has(store.UnreadMark) {
				out.Elems = append(out.Elems, &tg.DialogPeer{Peer: v.Peer(d.Peer)})
			}
		}
		return err
	})
	return out, err
}

// saveDraft keeps what the caller has begun to write.
//
// https://core.telegram.org/method/messages.saveDraft
func (h *Handlers) saveDraft(
	c *api.Call, req *tg.MessagesSaveDraftRequest,
) (*tg.BoolBox, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	err = h.View(c, func(r *store.Reader, _ *view.View) error {
		_, err := message.See(r, c.Self, peer, c.Unix())
		return err
	})
	if err != nil {
		return nil, err
	}
	entities, err := h.entities(c, req.Entities)
	if err != nil {
		return nil, err
	}
	if len(req.Message) > 4*limit.MessageRunes {
		return nil, chat.Invalid("MESSAGE_TOO_LONG")
	}
	d := dialog.Draft{
		Text: req.Message, Entities: entities, Date: c.Unix(), NoWebpage: req.NoWebpage,
	}
	if r, ok := req.ReplyTo.(*tg.InputReplyToMessage); ok {
		d.ReplyTo = int64(r.ReplyToMsgID)
	}
	err = dialog.SaveDraft(c.Context, h.Store, c.Self, peer, d, c.Unix())
	return view.True, err
}

// getAllDrafts returns all drafts as updates.
//
// https://core.telegram.org/method/messages.getAllDrafts
func (h *Handlers) getAllDrafts(
	c *api.Call, _ *tg.MessagesGetAllDraftsRequest,
) (out tg.UpdatesClass, err error) {
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		rows, err := r.Dialogs(c.Self)
		var list []tg.UpdateClass
		for _, d := range rows {
			if len(d.Draft) > 0 {
				list = append(list, &tg.UpdateDraftMessage{
					Peer: v.Peer(d.Peer), Draft: v.Draft(d),
				})
			}
		}
		out = v.Updates(list)
		return err
	})
	return out, err
}

// clearAllDrafts forgets all drafts.
//
// https://core.telegram.org/method/messages.clearAllDrafts
func (h *Handlers) clearAllDrafts(
	c *api.Call, _ *tg.MessagesClearAllDraftsRequest,
) (*tg.BoolBox, error) {
	return view.True, dialog.ClearDrafts(c.Context, h.Store, c.Self, c.Unix())
}
