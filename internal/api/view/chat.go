package view

import (
	"github.com/gotd/td/tg"

	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
)

// Chat notes that an answer refers to a basic group or channel and returns it as the viewer sees
// it.
func (v *View) Chat(peer ids.Peer) tg.ChatClass {
	if c, ok := v.chats[peer]; ok {
		return c
	}
	row, err := v.ChatRow(peer)
	if v.fail(err) {
		return v.keep(peer, v.noChat(peer))
	}
	if v.shared() && peer.Kind() == ids.Chat {
		// A basic group has no form that all may see: who is in it knows it.
		return v.noChat(peer)
	}
	if v.shared() {
		return v.keep(peer, v.minChannel(row))
	}
	member, err := v.r.Member(peer, v.viewer)
	if v.fail(err) {
		return v.keep(peer, v.noChat(peer))
	}
	if peer.Kind() == ids.Chat {
		return v.keep(peer, v.group(row, member))
	}
	return v.keep(peer, v.channel(row, member))
}

func (v *View) keep(peer ids.Peer, c tg.ChatClass) tg.ChatClass {
	v.chats[peer] = c
	v.chatOrder = append(v.chatOrder, peer)
	return c
}

// ChatRow returns what the viewer may be shown of a chat's row, read once per view.
func (v *View) ChatRow(peer ids.Peer) (store.Chat, error) {
	if row, ok := v.rows[peer]; ok {
		return row, nil
	}
	row, err := v.r.Chat(peer)
	if err == nil {
		row = v.shownChat(row)
		v.rows[peer] = row
	}
	return row, err
}

func (v *View) noChat(peer ids.Peer) tg.ChatClass {
	if peer.Kind() == ids.Chat {
		return &tg.ChatEmpty{ID: int64(peer.Chat())}
	}
	return &tg.ChannelForbidden{
		ID: int64(peer.Channel()), AccessHash: v.hash(peer), Broadcast: true,
	}
}

func (v *View) group(row store.Chat, m store.Member) tg.ChatClass {
	id := int64(row.Peer.Chat())
	if rights.KickedNow(m, v.now) || row.Flags.Has(store.ChatTerminated) {
		return &tg.ChatForbidden{ID: id, Title: row.Title}
	}
	c := &tg.Chat{
		ID:                id,
		Title:             row.Title,
		Creator:           m.Role == store.Creator,
		Left:              !m.Role.In(),
		Deactivated:       row.Flags.Has(store.Deactivated),
		Noforwards:        row.Flags.Has(store.ChatNoForwards),
		Photo:             v.chatPhoto(row),
		ParticipantsCount: int(row.Members),
		Date:              int(row.Created),
		Version:           int(row.Version),
	}
	if row.Linked.Kind() == ids.Channel {
		c.SetMigratedTo(&tg.InputChannel{
			ChannelID: int64(row.Linked.Channel()), AccessHash: v.hash(row.Linked),
		})
	}
	if rights.IsAdmin(m) {
		c.SetAdminRights(AdminRights(adminRights(m)))
	}
	c.SetDefaultBannedRights(BannedRights(rights.Banned(row.Banned), 0))
	c.SetFlags()
	return c
}

func (v *View) channel(row store.Chat, m store.Member) tg.ChatClass {
	if !rights.CanSee(row, m, v.now) {
		return v.forbidden(row)
	}
	c := v.bareChannel(row)
	c.Creator = m.Role == store.Creator
	c.Left = !m.Role.In()
	if rights.IsAdmin(m) {
		c.SetAdminRights(AdminRights(adminRights(m)))
	}
	if banned := rights.BannedNow(m, v.now); banned != 0 {
		c.SetBannedRights(BannedRights(banned, m.Until))
	}
	if m.Role.In() {
		c.Date = int(m.Date)
	}
	c.SetParticipantsCount(int(row.Members))
	c.SetFlags()
	return c
}

// forbidden is what is left of a channel for who may not see it.
func (v *View) forbidden(row store.Chat) tg.ChatClass {
	c := &tg.ChannelForbidden{
		ID:         int64(row.Peer.Channel()),
		Title:      row.Title,
		AccessHash: v.hash(row.Peer),
		Broadcast:  row.Flags.Has(store.Broadcast),
		Megagroup:  row.Flags.Has(store.Megagroup),
	}
	c.SetFlags()
	return c
}

// minChannel is what everybody sees alike.
func (v *View) minChannel(row store.Chat) tg.ChatClass {
	if rights.Closed(row) {
		return v.forbidden(row)
	}
	c := v.bareChannel(row)
	c.Min = true
	c.SetFlags()
	return c
}

func (v *View) bareChannel(row store.Chat) *tg.Channel {
	c := &tg.Channel{
		ID:                int64(row.Peer.Channel()),
		Title:             row.Title,
		Username:          row.Username,
		Broadcast:         row.Flags.Has(store.Broadcast),
		Megagroup:         row.Flags.Has(store.Megagroup),
		Signatures:        row.Flags.Has(store.Signatures),
		SignatureProfiles: row.Flags.Has(store.SignatureProfiles),
		Noforwards:        row.Flags.Has(store.ChatNoForwards),
		JoinToSend:        row.Flags.Has(store.JoinToSend),
		JoinRequest:       row.Flags.Has(store.JoinRequest),
		SlowmodeEnabled:   row.Slow > 0,
		HasLink:           row.Linked.Kind() == ids.Channel,
		Photo:             v.chatPhoto(row),
		Date:              int(row.Created),
	}
	verdict := v.verdicts[row.Peer]
	c.Scam, c.Fake, c.Restricted = verdict.Scam, verdict.Fake, verdict.Hidden()
	c.RestrictionReason = reasons(verdict)
	c.SetAccessHash(v.hash(row.Peer))
	if c.Megagroup {
		c.SetDefaultBannedRights(BannedRights(rights.Banned(row.Banned), 0))
	}
	return c
}

func (v *View) chatPhoto(row store.Chat) tg.ChatPhotoClass {
	if row.PhotoID == 0 {
		return &tg.ChatPhotoEmpty{}
	}
	p := &tg.ChatPhoto{PhotoID: row.PhotoID, DCID: v.env.DC, StrippedThumb: v.stripped(row.PhotoID)}
	p.SetFlags()
	return p
}

func adminRights(m store.Member) rights.Admin {
	if m.Role == store.Creator {
		return rights.AllAdmin | rights.Admin(m.Rights)&rights.Anonymous
	}
	return rights.Admin(m.Rights)
}

// AdminRights is the API form of admin rights.
func AdminRights(a rights.Admin) tg.ChatAdminRights {
	has := func(bit rights.Admin) bool { return a&bit != 0 }
	out := tg.ChatAdminRights{
		ChangeInfo: has(rights.ChangeInfo), PostMessages: has(rights.PostMessages),
		EditMessages: has(rights.EditMessages), DeleteMessages: has(rights.DeleteMessages),
		BanUsers: has(rights.BanUsers), InviteUsers: has(rights.InviteUsers),
		PinMessages: has(rights.PinMessages), AddAdmins: has(rights.AddAdmins),
		Anonymous: has(rights.Anonymous), ManageCall: has(rights.ManageCall),
		Other: has(rights.Other), ManageTopics: has(rights.ManageTopics),
		PostStories: has(rights.PostStories), EditStories: has(rights.EditStories),
		DeleteStories: has(rights.DeleteStories),
	}
	out.SetFlags()
	return out
}

// BannedRights is the API form of banned rights until a time in Unix seconds, 0 for ever.
func BannedRights(b rights.Banned, until int64) tg.ChatBannedRights {
	has := func(bit rights.Banned) bool { return b&bit != 0 }
	out := tg.ChatBannedRights{
		ViewMessages: has(rights.NoView), SendMessages: has(rights.NoSend),
		SendMedia: has(rights.NoMedia), SendStickers: has(rights.NoStickers),
		SendGifs: has(rights.NoGIFs), SendGames: has(rights.NoGames),
		SendInline: has(rights.NoInline), EmbedLinks: has(rights.NoLinks),
		SendPolls: has(rights.NoPolls), ChangeInfo: has(rights.NoChangeInfo),
		InviteUsers: has(rights.NoInvite), PinMessages: has(rights.NoPin),
		ManageTopics: has(rights.NoTopics), SendPhotos: has(rights.NoPhotos),
		SendVideos: has(rights.NoVideos), SendRoundvideos: has(rights.NoRoundVideos),
		SendAudios: has(rights.NoAudios), SendVoices: has(rights.NoVoices),
		SendDocs: has(rights.NoDocs), SendPlain: has(rights.NoPlain),
		UntilDate: int(until),
	}
	out.SetFlags()
	return out
}
