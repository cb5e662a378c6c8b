package store_test

import (
	"parley/internal/ids"
	"parley/internal/store"
)

func testChats(d *desk) {
	c := store.Chat{Peer: d.channel(1), Title: "T", About: "A", Username: "u", Creator: d.user(1),
		Created: 5, PhotoID: 6, Flags: store.Broadcast | store.Signatures, Banned: 7, Members: 1,
		Version: 1, Linked: d.channel(2), Slow: 10, Settings: []byte{}}
	get := func(r *store.Reader) (store.Chat, error) { return r.Chat(c.Peer) }
	absent(d, get)
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { return tx.CountMembers(c.Peer, 1) })
	d.update(func(tx *store.Tx) error { return tx.PutChat(c) })
	equal(d, "chat", read(d, get), c)
	c.Title, c.Flags, c.Settings = "", store.Megagroup, []byte{1}
	d.update(func(tx *store.Tx) error { return tx.PutChat(c) })
	c.Members, c.Version = 3, 2
	d.update(func(tx *store.Tx) error { return tx.CountMembers(c.Peer, 2) })
	equal(d, "changed chat", read(d, get), c)
}

func testMembers(d *desk) {
	in := d.channel(1)
	put := func(n int64, role store.Role, date int64) store.Member {
		m := store.Member{Peer: in, User: d.user(n), Role: role, Rights: n, Until: -n,
			Actor: d.user(1), Date: date, Rank: "r", Invite: "link"}
		d.update(func(tx *store.Tx) error { return tx.PutMember(m) })
		return m
	}
	boss, admin := put(1, store.Creator, 1), put(2, store.Admin, 5)
	plain, gone := put(3, store.Participant, 9), put(4, store.Kicked, 7)
	get := func(user ids.UserID) store.Member {
		return read(d, func(r *store.Reader) (store.Member, error) { return r.Member(in, user) })
	}
	equal(d, "member", get(d.user(4)), gone)
	equal(d, "stranger", get(d.user(5)), store.Member{Peer: in, User: d.user(5)})
	list := func(low, high store.Role, limit, offset int) []store.Member {
		return read(d, func(r *store.Reader) ([]store.Member, error) {
			return r.Members(in, low, high, limit, offset)
		})
	}
	equal(d, "highest first", list(store.Participant, store.Creator, 9, 0),
		[]store.Member{boss, admin, plain})
	equal(d, "a page", list(store.Participant, store.Creator, 1, 1), []store.Member{admin})
	equal(d, "newest first", read(d, func(r *store.Reader) ([]store.Member, error) {
		return r.RecentMembers(in, 2, 0)
	}), []store.Member{plain, admin})
	equal(d, "count", read(d, func(r *store.Reader) (int64, error) {
		return r.MemberCount(in, store.Admin, store.Creator)
	}), int64(2))
	equal(d, "by link", read(d, func(r *store.Reader) ([]store.Member, error) {
		return r.InvitedMembers(in, "link", 8, 9)
	}), []store.Member{admin, boss})
	gone = put(4, store.Participant, 8)
	equal(d, "back again", get(d.user(4)), gone)
	d.update(func(tx *store.Tx) error { return tx.DeleteMember(in, gone.User) })
	equal(d, "forgotten", get(d.user(4)), store.Member{Peer: in, User: d.user(4)})
}

func testInvites(d *desk) {
	a := store.Invite{Peer: d.channel(1), Hash: "invite a", Creator: d.user(1), Date: 5, Expires: 6,
		Uses: 7, Flags: store.InvitePermanent, Title: "t"}
	b := store.Invite{Peer: d.channel(1), Hash: "invite b", Creator: d.user(1), Date: 9}
	get := func(r *store.Reader) (store.Invite, error) { return r.Invite(a.Peer, a.Hash) }
	list := func(r *store.Reader) ([]store.Invite, error) { return r.Invites(a.Peer) }
	absent(d, get)
	d.update(func(tx *store.Tx) error {
		if err := tx.PutInvite(a); err != nil {
			return err
		}
		return tx.PutInvite(b)
	})
	a.Used, a.Flags, a.Title = 1, store.InviteRevoked, ""
	d.update(func(tx *store.Tx) error { return tx.PutInvite(a) })
	equal(d, "invite", read(d, get), a)
	equal(d, "newest first", read(d, list), []store.Invite{b, a})
	d.update(func(tx *store.Tx) error { return tx.DeleteInvite(a.Peer, a.Hash) })
	equal(d, "one left", read(d, list), []store.Invite{b})

	find := func(r *store.Reader) (ids.Peer, error) { return r.ChatByInvite("invite b") }
	absent(d, find)
	d.update(func(tx *store.Tx) error { return tx.TakeInviteHash("invite b", b.Peer) })
	equal(d, "chat of a hash", read(d, find), b.Peer)
	d.refused(store.ErrConflict, func(tx *store.Tx) error { return tx.TakeInviteHash("invite b", 1) })
}

func testJoinAsks(d *desk) {
	in := d.channel(1)
	first := store.JoinAsk{Peer: in, User: d.user(1), Hash: "h", Date: 1}
	second := store.JoinAsk{Peer: in, User: d.user(2), Date: 2}
	list := func(limit int, total int64) []store.JoinAsk {
		d.Helper()
		return read(d, func(r *store.Reader) ([]store.JoinAsk, error) {
			asks, n, err := r.JoinAsks(in, limit)
			equal(d, "total", n, total)
			return asks, err
		})
	}
	d.update(func(tx *store.Tx) error {
		for _, a := range []store.JoinAsk{first, second, {Peer: in, User: d.user(1), Date: 9}} {
			if err := tx.PutJoinAsk(a); err != nil {
				return err
			}
		}
		return nil
	})
	equal(d, "newest first, asked once", list(9, 2), []store.JoinAsk{second, first})
	equal(d, "a page", list(1, 2), []store.JoinAsk{second})
	for _, want := range []bool{true, false} {
		var found bool
		d.update(func(tx *store.Tx) (err error) {
			found, err = tx.DeleteJoinAsk(in, d.user(1))
			return err
		})
		equal(d, "was there", found, want)
	}
	equal(d, "one left", list(9, 1), []store.JoinAsk{second})
}

func testAdminEvents(d *desk) {
	in := d.channel(1)
	var want []store.AdminEvent
	for n := range int64(3) {
		e := store.AdminEvent{Peer: in, User: d.user(n), Date: n, Kind: n, Body: []byte{byte(n)}}
		d.update(func(tx *store.Tx) error { return tx.AddAdminEvent(e) })
		e.ID = n + 1
		want = append([]store.AdminEvent{e}, want...)
	}
	list := func(below, above int64, limit int) []store.AdminEvent {
		return read(d, func(r *store.Reader) ([]store.AdminEvent, error) {
			return r.AdminEvents(in, below, above, limit)
		})
	}
	equal(d, "newest first", list(9, 0, 9), want)
	equal(d, "between", list(3, 1, 9), want[1:2])
	equal(d, "limit", list(9, 0, 1), want[:1])
	equal(d, "of another chat", read(d, func(r *store.Reader) ([]store.AdminEvent, error) {
		return r.AdminEvents(d.channel(2), 9, 0, 9)
	}), []store.AdminEvent{})
}

func testDialogs(d *desk) {
	me := d.user(1)
	full := store.Dialog{User: me, Peer: d.peer(2), TopID: 1, TopDate: 50, ReadIn: 3, ReadOut: 4,
		Unread: 5, Messages: 6, Mentions: 7, Reactions: 8, MinID: 9, Pin: 10, Folder: 1,
		Flags: store.UnreadMark, Draft: []byte{1}}
	get := func(peer ids.Peer) store.Dialog {
		return read(d, func(r *store.Reader) (store.Dialog, error) { return r.Dialog(me, peer) })
	}
	list := func(r *store.Reader) ([]store.Dialog, error) { return r.Dialogs(me) }
	absent(d, func(r *store.Reader) (store.Dialog, error) { return r.Dialog(me, full.Peer) })
	equal(d, "the empty one", read(d, func(r *store.Reader) (store.Dialog, error) {
		return r.DialogOrNew(me, full.Peer)
	}), store.Dialog{User: me, Peer: full.Peer})
	d.update(func(tx *store.Tx) error { return tx.PutDialog(full) })
	equal(d, "dialog", get(full.Peer), full)

	d.update(func(tx *store.Tx) error { return tx.BumpDialog(me, full.Peer, 11, 60, 1, 1) })
	full.TopID, full.TopDate, full.Unread, full.Messages, full.Mentions = 11, 60, 6, 7, 8
	equal(d, "bumped", get(full.Peer), full)
	full.Flags, full.Draft = store.Hidden|store.Removed|store.UnreadMark, []byte{}
	d.update(func(tx *store.Tx) error { return tx.PutDialog(full) })
	equal(d, "none shown", read(d, list), []store.Dialog{})
	d.update(func(tx *store.Tx) error { return tx.BumpDialog(me, full.Peer, 12, 61, 0, 0) })
	full.TopID, full.TopDate, full.Messages, full.Flags = 12, 61, 8, store.UnreadMark
	equal(d, "hidden comes back", get(full.Peer), full)

	d.update(func(tx *store.Tx) error { return tx.BumpDialog(me, d.peer(3), 1, 99, 1, 0) })
	fresh := store.Dialog{User: me, Peer: d.peer(3), TopID: 1, TopDate: 99, Unread: 1, Messages: 1,
		Draft: []byte{}}
	channel := store.Dialog{User: me, Peer: d.channel(4), Draft: []byte{}}
	left := store.Dialog{User: me, Peer: d.channel(5), Flags: store.Hidden, Draft: []byte{}}
	d.update(func(tx *store.Tx) error {
		if err := tx.PutDialog(left); err != nil {
			return err
		}
		return tx.PutDialog(channel)
	})
	equal(d, "newest first", read(d, list), []store.Dialog{fresh, full, channel})
	equal(d, "channels", read(d, func(r *store.Reader) ([]ids.Peer, error) {
		return r.ChannelsOf(me)
	}), []ids.Peer{channel.Peer})
	d.update(func(tx *store.Tx) error { return tx.DeleteDialog(me, fresh.Peer) })
	equal(d, "one less", read(d, list), []store.Dialog{full, channel})
}

func testMentions(d *desk) {
	me, with := d.user(1), d.chat(2)
	list := func(below int64, limit int) []int64 {
		return read(d, func(r *store.Reader) ([]int64, error) {
			return r.Mentions(me, with, below, limit)
		})
	}
	d.update(func(tx *store.Tx) error {
		for _, id := range []int64{5, 3, 9, 9, 7} {
			if err := tx.AddMention(me, with, id); err != nil {
				return err
			}
		}
		return tx.AddMention(me, d.chat(3), 1)
	})
	equal(d, "newest first", list(100, 9), []int64{9, 7, 5, 3})
	equal(d, "below", list(7, 1), []int64{5})
	for _, want := range []bool{true, false} {
		var found bool
		d.update(func(tx *store.Tx) (err error) {
			found, err = tx.DropMention(me, with, 7)
			return err
		})
		equal(d, "was there", found, want)
	}
	var n int64
	d.update(func(tx *store.Tx) (err error) {
		n, err = tx.ClearMentions(me, with, 5)
		return err
	})
	equal(d, "cleared", n, int64(2))
	equal(d, "left", list(100, 9), []int64{9})
}

func testMedia(d *desk) {
	m := store.Media{ID: d.id(1), Kind: 2, Owner: d.user(1), Date: 3, Size: 1 << 40,
		Digest: []byte{1, 2}, Mime: "image/jpeg", Body: []byte{3}}
	get := func(r *store.Reader) (store.Media, error) { return r.Media(m.ID) }
	absent(d, get)
	d.update(func(tx *store.Tx) error { return tx.PutMedia(m) })
	changed := m
	changed.Body, changed.Mime = []byte{4}, "image/png"
	d.update(func(tx *store.Tx) error { return tx.PutMedia(changed) })
	m.Body = []byte{4}
	equal(d, "only the body changes", read(d, get), m)

	of := d.peer(1)
	d.update(func(tx *store.Tx) error {
		for n := range int64(3) {
			if err := tx.AddProfilePhoto(of, n, 10-n); err != nil {
				return err
			}
		}
		return tx.AddProfilePhoto(of, 2, 11)
	})
	page := func(limit, offset int, total int64) []int64 {
		d.Helper()
		return read(d, func(r *store.Reader) ([]int64, error) {
			list, n, err := r.ProfilePhotos(of, limit, offset)
			equal(d, "total", n, total)
			return list, err
		})
	}
	equal(d, "newest first", page(9, 0, 3), []int64{2, 0, 1})
	equal(d, "a page", page(1, 1, 3), []int64{0})
	for _, want := range []bool{true, false} {
		has := read(d, func(r *store.Reader) (bool, error) { return r.HasProfilePhoto(of, 0) })
		equal(d, "has", has, want)
		var found bool
		d.update(func(tx *store.Tx) (err error) {
			found, err = tx.DropProfilePhoto(of, 0)
			return err
		})
		equal(d, "was there", found, want)
	}
	equal(d, "two left", page(9, 0, 2), []int64{2, 1})
}

func testImports(d *desk) {
	get := func(source string) int64 {
		return read(d, func(r *store.Reader) (int64, error) {
			return r.Imported(d.channel(1), source, 5)
		})
	}
	equal(d, "not imported", get("a"), int64(0))
	d.update(func(tx *store.Tx) error { return tx.MarkImported(d.channel(1), "a", 5, 77) })
	d.update(func(tx *store.Tx) error { return tx.MarkImported(d.channel(1), "a", 5, 78) })
	equal(d, "the first stays", get("a"), int64(77))
	equal(d, "of another source", get("b"), int64(0))
}

func testSearch(d *desk) {
	in := d.channel(1)
	mark := func(r *store.Reader) (store.SearchMark, error) { return r.SearchMark(in) }
	equal(d, "not indexed", read(d, mark), store.SearchMark{})
	for n := range int64(2) {
		want := store.SearchMark{ID: n, Pts: 5 + n, Pipeline: "v1"}
		d.update(func(tx *store.Tx) error { return tx.SetSearchMark(in, want) })
		equal(d, "indexed", read(d, mark), want)
	}
	find := func(term string, below int64, limit int) []int64 {
		return read(d, func(r *store.Reader) ([]int64, error) {
			return r.MessagesByTerm(in, term, below, limit)
		})
	}
	d.update(func(tx *store.Tx) error {
		for _, id := range []int64{1, 4, 4, 2} {
			if err := tx.AddMessageTerm(in, "слово", id); err != nil {
				return err
			}
		}
		return tx.AddMessageTerm(in, "словом", 9)
	})
	equal(d, "newest first", find("слово", 100, 9), []int64{4, 2, 1})
	equal(d, "below", find("слово", 4, 1), []int64{2})
	d.update(func(tx *store.Tx) error { return tx.ClearMessageTerms(in) })
	equal(d, "cleared", find("слово", 100, 9), []int64{})
}
