package view

import (
	"github.com/fxamacker/cbor/v2"
	"github.com/gotd/td/tg"

	"parley/internal/chat/dialog"
	"parley/internal/store"
)

// Draft renders the draft of a dialog.
func (v *View) Draft(d store.Dialog) tg.DraftMessageClass {
	if len(d.Draft) == 0 {
		return &tg.DraftMessageEmpty{}
	}
	var draft dialog.Draft
	if v.fail(cbor.Unmarshal(d.Draft, &draft)) {
		return &tg.DraftMessageEmpty{}
	}
	out := &tg.DraftMessage{
		Message:   draft.Text,
		Entities:  v.entities(draft.Entities),
		Date:      int(draft.Date),
		NoWebpage: draft.NoWebpage,
	}
	if draft.ReplyTo != 0 {
		r := &tg.InputReplyToMessage{ReplyToMsgID: int(draft.ReplyTo)}
		r.SetFlags()
		out.SetReplyTo(r)
	}
	out.SetFlags()
	return out
}

// Dialog renders a line of the chat list.
func (v *View) Dialog(l dialog.Line) tg.DialogClass {
	out := &tg.Dialog{
		Pinned:               l.Pin > 0,
		UnreadMark:           l.Flags.Has(store.UnreadMark),
		Peer:                 v.Peer(l.Peer),
		TopMessage:           int(l.TopID),
		ReadInboxMaxID:       int(l.ReadIn),
		ReadOutboxMaxID:      int(l.ReadOut),
		UnreadCount:          int(l.Unread),
		UnreadMentionsCount:  int(l.Mentions),
		UnreadReactionsCount: int(l.Reactions),
		NotifySettings:       v.notifyFor(l.Peer),
	}
	if l.Pts != 0 {
		out.SetPts(int(l.Pts))
	}
	if len(l.Draft) > 0 {
		out.SetDraft(v.Draft(l.Dialog))
	}
	if l.Folder != 0 {
		out.SetFolderID(int(l.Folder))
	}
	out.SetFlags()
	return out
}
