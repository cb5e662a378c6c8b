package view

import (
	"github.com/gotd/td/tg"

	"parley/internal/chat/group"
	"parley/internal/store"
)

// Invite renders an invite link.
//
// https://core.telegram.org/constructor/chatInviteExported
func (v *View) Invite(i store.Invite) tg.ExportedChatInviteClass {
	v.User(i.Creator)
	out := &tg.ChatInviteExported{
		Revoked:       i.Flags.Has(store.InviteRevoked),
		Permanent:     i.Flags.Has(store.InvitePermanent),
		RequestNeeded: i.Flags.Has(store.InviteRequest),
		Link:          v.env.Prefix + "+" + i.Hash,
		AdminID:       int64(i.Creator),
		Date:          int(i.Date),
		ExpireDate:    int(i.Expires),
		UsageLimit:    int(i.Uses),
		Usage:         int(i.Used),
		Title:         i.Title,
	}
	out.SetFlags()
	return out
}

// facesMost is how many members an invitation shows.
const facesMost = 5

// Invited renders what a link leads to, for somebody who is in already or not yet.
//
// https://core.telegram.org/type/ChatInvite
func (v *View) Invited(to group.Invited) tg.ChatInviteClass {
	c := v.shownChat(to.Chat)
	if to.Member.Role.In() {
		return &tg.ChatInviteAlready{Chat: v.Chat(c.Peer)}
	}
	out := &tg.ChatInvite{
		Channel:           c.Flags&(store.Broadcast|store.Megagroup) != 0,
		Broadcast:         c.Flags.Has(store.Broadcast),
		Megagroup:         c.Flags.Has(store.Megagroup),
		Public:            c.Username != "",
		RequestNeeded:     to.Invite.Flags.Has(store.InviteRequest),
		Title:             c.Title,
		About:             c.About,
		Photo:             v.fullPhoto(c),
		ParticipantsCount: int(c.Members),
	}
	if !out.Broadcast && !out.RequestNeeded && !c.Flags.Has(store.MembersHidden) {
		out.Participants = v.faces(c)
	}
	out.SetFlags()
	return out
}

// faces are members whom the viewer has in his address book.
func (v *View) faces(c store.Chat) []tg.UserClass {
	book, err := v.r.Contacts(v.viewer)
	if v.fail(err) {
		return nil
	}
	var out []tg.UserClass
	for _, entry := range book {
		if len(out) == facesMost {
			break
		}
		m, err := v.r.Member(c.Peer, entry.Contact)
		if !v.fail(err) && m.Role.In() {
			out = append(out, v.User(entry.Contact))
		}
	}
	return out
}

// fullPhoto renders a chat's photo in all its sizes.
func (v *View) fullPhoto(c store.Chat) tg.PhotoClass {
	if c.PhotoID == 0 {
		return &tg.PhotoEmpty{}
	}
	return v.Photo(c.PhotoID, Origin{Peer: c.Peer})
}
