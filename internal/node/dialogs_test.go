package node

import (
	"slices"
	"testing"

	"github.com/gotd/td/tg"

	"parley/internal/ids"
	"parley/internal/limit"
)

// line is a dialog as clients address it.
func (d *client) line(peer ids.Peer) *tg.InputDialogPeer {
	return &tg.InputDialogPeer{Peer: d.input(peer)}
}

// peerOf is the peer that an answer names.
func peerOf(t *testing.T, p tg.PeerClass) ids.Peer {
	t.Helper()
	switch p := p.(type) {
	case *tg.PeerUser:
		return ids.UserID(p.UserID).Peer()
	case *tg.PeerChat:
		return ids.PeerChat(ids.ChatID(p.ChatID))
	case *tg.PeerChannel:
		return ids.PeerChannel(ids.ChannelID(p.ChannelID))
	}
	t.Fatalf("no peer: %T", p)
	return 0
}

// peersOf are the peers of a list of dialogs.
func peersOf(t *testing.T, list []tg.DialogClass) (out []ids.Peer) {
	t.Helper()
	for _, d := range list {
		out = append(out, peerOf(t, d.(*tg.Dialog).Peer))
	}
	return out
}

// pinned are the pinned dialogs of a folder.
func (d *client) pinned(t *testing.T, folder int) []ids.Peer {
	t.Helper()
	out := must(d.MessagesGetPinnedDialogs(ctx(), folder))(t)
	for _, x := range out.Dialogs {
		if !x.(*tg.Dialog).Pinned {
			t.Errorf("%v is among the pinned and is not", x)
		}
	}
	return peersOf(t, out.Dialogs)
}

// listed are the dialogs of a folder.
func (d *client) listed(t *testing.T, folder int) []ids.Peer {
	t.Helper()
	in := &tg.MessagesGetDialogsRequest{OffsetPeer: &tg.InputPeerEmpty{}, Limit: 100}
	in.SetFolderID(folder)
	out, _ := must(d.MessagesGetDialogs(ctx(), in))(t).AsModified()
	return peersOf(t, out.GetDialogs())
}

func TestPinnedDialogs(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.join("Member 1"), w.join("Member 2"), w.join("Member 3")
	tablet := a.another()
	room := a.channel(t, "Room", false, b)
	a.say(b.self.Peer(), "first")
	a.say(c.self.Peer(), "second")
	forget(a.client, b.client, tablet)
	pin := func(peer ids.Peer, on bool) error {
		_, err := a.MessagesToggleDialogPin(ctx(), &tg.MessagesToggleDialogPinRequest{
			Peer: a.line(peer), Pinned: on,
		})
		return err
	}
	order := []ids.Peer{room, c.self.Peer(), b.self.Peer()} // the last one pinned is on top
	for _, peer := range slices.Backward(order) {
		if err := pin(peer, true); err != nil {
			t.Fatal(err)
		}
		hears(tablet, func(u *tg.UpdateDialogPinned) bool {
			at, _ := u.Peer.(*tg.DialogPeer)
			return u.Pinned && peerOf(t, at.Peer) == peer
		})
	}
	if got := tablet.pinned(t, 0); !slices.Equal(got, order) {
		t.Errorf("pinned %v, want %v", got, order)
	}
	if got := tablet.listed(t, 0); !slices.Equal(got[:3], order) {
		t.Errorf("the list begins with %v, want %v", got, order)
	}
	silent(b.client, func(*tg.UpdateDialogPinned) bool { return true })
	if got := b.pinned(t, 0); len(got) != 0 {
		t.Errorf("somebody else has pinned %v", got)
	}
	// A new order names some, and unpins the others only by force.
	reorder := func(d *client, force bool, order ...ids.Peer) error {
		in := &tg.MessagesReorderPinnedDialogsRequest{Force: force}
		for _, p := range order {
			in.Order = append(in.Order, d.line(p))
		}
		_, err := d.MessagesReorderPinnedDialogs(ctx(), in)
		return err
	}
	if err := reorder(tablet, false, b.self.Peer(), room, c.self.Peer()); err != nil {
		t.Fatal(err)
	}
	hears(a.client, func(*tg.UpdatePinnedDialogs) bool { return true })
	want := []ids.Peer{b.self.Peer(), room, c.self.Peer()}
	if got := a.pinned(t, 0); !slices.Equal(got, want) {
		t.Errorf("reordered to %v, want %v", got, want)
	}
	if err := reorder(tablet, true, room); err != nil {
		t.Fatal(err)
	}
	if got := a.pinned(t, 0); !slices.Equal(got, []ids.Peer{room}) {
		t.Errorf("by force pinned are %v", got)
	}
	if err := pin(room, false); err != nil {
		t.Fatal(err)
	}
	if got := a.pinned(t, 0); len(got) != 0 {
		t.Errorf("after unpinning %v", got)
	}
	refused(t, "a made up address", failure(a.MessagesToggleDialogPin(ctx(),
		&tg.MessagesToggleDialogPinRequest{Pinned: true, Peer: &tg.InputDialogPeer{
			Peer: &tg.InputPeerUser{UserID: int64(b.self), AccessHash: 1},
		}})), "PEER_ID_INVALID")
	refused(t, "a chat that is not on the list", pin(w.join("Member 4").self.Peer(), true),
		"PEER_ID_INVALID")
	many := slices.Repeat([]ids.Peer{room}, limit.PinnedDialogs+1)
	refused(t, "too many", reorder(a.client, true, many...), "PINNED_DIALOGS_TOO_MUCH")
}

// failure returns the error of a request.
func failure[T any](_ T, err error) error { return err }

func TestPinsAreBounded(t *testing.T) {
	w := newWorld(t)
	a := w.join("Member 1")
	for i := range limit.PinnedDialogs + 1 {
		room := a.group(t, "Group")
		_, err := a.MessagesToggleDialogPin(ctx(), &tg.MessagesToggleDialogPinRequest{
			Peer: a.line(room), Pinned: true,
		})
		if i < limit.PinnedDialogs {
			if err != nil {
				t.Fatal(err)
			}
			continue
		}
		refused(t, "one more than may be", err, "PINNED_DIALOGS_TOO_MUCH")
	}
}

func TestArchive(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	tablet := a.another()
	room := a.channel(t, "Room", true)
	a.say(b.self.Peer(), "hello")
	must(a.MessagesToggleDialogPin(ctx(), &tg.MessagesToggleDialogPinRequest{
		Peer: a.line(room), Pinned: true,
	}))(t)
	forget(a.client, tablet)
	was := must(tablet.UpdatesGetState(ctx()))(t)
	move := func(folder int, peers ...ids.Peer) (tg.UpdatesClass, error) {
		var list []tg.InputFolderPeer
		for _, p := range peers {
			list = append(list, tg.InputFolderPeer{Peer: a.input(p), FolderID: folder})
		}
		return a.FoldersEditPeerFolders(ctx(), list)
	}
	answer := listOf(t, must(move(1, room, b.self.Peer()))(t))
	if len(answer) != 2 {
		t.Errorf("answered with %v", answer)
	}
	for range 2 {
		u := hears(tablet, func(u *tg.UpdateFolderPeers) bool { return true })
		if len(u.FolderPeers) != 1 || u.FolderPeers[0].FolderID != 1 || u.Pts <= was.Pts {
			t.Errorf("the other device was told %+v", u)
		}
	}
	if got := tablet.listed(t, 1); len(got) != 2 || !slices.Contains(got, room) {
		t.Errorf("archived %v", got)
	}
	if got := tablet.listed(t, 0); slices.Contains(got, room) {
		t.Errorf("what is archived is on the main list: %v", got)
	}
	if got := a.pinned(t, 1); len(got) != 0 {
		t.Errorf("a pin moved along: %v", got)
	}
	// Who was away learns it from the difference.
	diff := must(tablet.UpdatesGetDifference(ctx(), &tg.UpdatesGetDifferenceRequest{
		Pts: was.Pts, Date: was.Date,
	}))(t).(*tg.UpdatesDifference)
	if _, ok := among(diff.OtherUpdates, func(u *tg.UpdateFolderPeers) bool {
		return u.FolderPeers[0].FolderID == 1
	}); !ok {
		t.Errorf("the difference says %v", diff.OtherUpdates)
	}
	if n := len(listOf(t, must(move(1, room))(t))); n != 0 {
		t.Errorf("moving what is there already made %d updates", n)
	}
	must(move(0, room, b.self.Peer()))(t)
	if got := tablet.listed(t, 1); len(got) != 0 {
		t.Errorf("still archived: %v", got)
	}
	refused(t, "a folder that is none", failure(move(7, room)), "FOLDER_ID_INVALID")
	refused(t, "a chat that is not on the list", failure(move(1, w.join("Member 3").self.Peer())),
		"PEER_ID_INVALID")
}

func TestUnreadMarks(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	tablet := a.another()
	a.say(b.self.Peer(), "hello")
	room := a.channel(t, "Room", false, b)
	forget(a.client, b.client, tablet)
	mark := func(peer ids.Peer, on bool) error {
		_, err := a.MessagesMarkDialogUnread(ctx(), &tg.MessagesMarkDialogUnreadRequest{
			Peer: a.line(peer), Unread: on,
		})
		return err
	}
	marks := func() (out []ids.Peer) {
		t.Helper()
		for _, p := range must(tablet.MessagesGetDialogUnreadMarks(ctx(),
			&tg.MessagesGetDialogUnreadMarksRequest{}))(t) {
			out = append(out, peerOf(t, p.(*tg.DialogPeer).Peer))
		}
		return out
	}
	for _, peer := range []ids.Peer{b.self.Peer(), room} {
		if err := mark(peer, true); err != nil {
			t.Fatal(err)
		}
		hears(tablet, func(u *tg.UpdateDialogUnreadMark) bool { return u.Unread })
		if !tablet.newestDialog(t, peer).UnreadMark {
			t.Errorf("%d is not marked on the list", peer)
		}
		if !slices.Contains(marks(), peer) {
			t.Errorf("%d is not among the marked: %v", peer, marks())
		}
	}
	silent(b.client, func(*tg.UpdateDialogUnreadMark) bool { return true })
	// Reading a chat takes its mark off, and so does the user himself.
	must(a.MessagesReadHistory(ctx(), &tg.MessagesReadHistoryRequest{
		Peer: a.input(b.self.Peer()),
	}))(t)
	hears(tablet, func(u *tg.UpdateDialogUnreadMark) bool { return !u.Unread })
	if got := marks(); !slices.Equal(got, []ids.Peer{room}) {
		t.Errorf("marked after reading: %v", got)
	}
	if err := mark(room, false); err != nil {
		t.Fatal(err)
	}
	hears(tablet, func(u *tg.UpdateDialogUnreadMark) bool { return !u.Unread })
	if got := marks(); len(got) != 0 {
		t.Errorf("still marked: %v", got)
	}
	refused(t, "a chat that is not on the list", mark(w.join("Member 3").self.Peer(), true),
		"PEER_ID_INVALID")
}

func TestDrafts(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	tablet := a.another()
	room := a.channel(t, "Room", true)
	a.say(b.self.Peer(), "hello")
	forget(a.client, b.client, tablet)
	for peer, text := range map[ids.Peer]string{b.self.Peer(): "bold claim", room: "a post"} {
		must(a.MessagesSaveDraft(ctx(), &tg.MessagesSaveDraftRequest{
			Peer: a.input(peer), Message: text,
			Entities: []tg.MessageEntityClass{&tg.MessageEntityBold{Length: 4}},
		}))(t)
		told := hears(tablet, func(u *tg.UpdateDraftMessage) bool {
			return peerOf(t, u.Peer) == peer
		})
		draft, _ := told.Draft.(*tg.DraftMessage)
		if draft == nil || draft.Message != text || len(draft.Entities) != 1 {
			t.Errorf("the other device was told %+v", told.Draft)
		}
	}
	drafts := func(d *client) map[ids.Peer]string {
		t.Helper()
		out := make(map[ids.Peer]string)
		for _, x := range listOf(t, must(d.MessagesGetAllDrafts(ctx()))(t)) {
			u := x.(*tg.UpdateDraftMessage)
			out[peerOf(t, u.Peer)] = u.Draft.(*tg.DraftMessage).Message
		}
		return out
	}
	if got := drafts(tablet); len(got) != 2 || got[room] != "a post" {
		t.Errorf("drafts %v", got)
	}
	if got := drafts(b.client); len(got) != 0 {
		t.Errorf("somebody else sees drafts %v", got)
	}
	silent(b.client, func(*tg.UpdateDraftMessage) bool { return true })
	must(tablet.MessagesClearAllDrafts(ctx()))(t)
	for range 2 {
		hears(a.client, func(u *tg.UpdateDraftMessage) bool {
			_, empty := u.Draft.(*tg.DraftMessageEmpty)
			return empty
		})
	}
	if got := drafts(a.client); len(got) != 0 {
		t.Errorf("drafts after all were cleared: %v", got)
	}
	if d := a.newestDialog(t, room); d.Draft != nil {
		if _, empty := d.Draft.(*tg.DraftMessageEmpty); !empty {
			t.Errorf("the list still shows %v", d.Draft)
		}
	}
}
