// Package rights says who may do what in a chat: bits of admin rights and banned rights, and pure
// predicates over a chat and a member. It reads nothing and changes nothing.
//
// https://core.telegram.org/api/rights
package rights

import "parley/internal/store"

// Admin are rights of an administrator, in the bits of chatAdminRights.
//
// https://core.telegram.org/constructor/chatAdminRights
type Admin int64

// The bits of Admin.
const (
	ChangeInfo     Admin = 1 << 0
	PostMessages   Admin = 1 << 1
	EditMessages   Admin = 1 << 2
	DeleteMessages Admin = 1 << 3
	BanUsers       Admin = 1 << 4
	InviteUsers    Admin = 1 << 5
	PinMessages    Admin = 1 << 7
	AddAdmins      Admin = 1 << 9
	Anonymous      Admin = 1 << 10
	ManageCall     Admin = 1 << 11
	Other          Admin = 1 << 12
	ManageTopics   Admin = 1 << 13
	PostStories    Admin = 1 << 14
	EditStories    Admin = 1 << 15
	DeleteStories  Admin = 1 << 16
	// AllAdmin is what a creator has.
	AllAdmin = ChangeInfo | PostMessages | EditMessages | DeleteMessages | BanUsers | InviteUsers |
		PinMessages | AddAdmins | ManageCall | Other | ManageTopics | PostStories | EditStories |
		DeleteStories
)

// Banned are rights that somebody does not have, in the bits of chatBannedRights.
//
// https://core.telegram.org/constructor/chatBannedRights
type Banned int64

// The bits of Banned.
const (
	NoView        Banned = 1 << 0
	NoSend        Banned = 1 << 1
	NoMedia       Banned = 1 << 2
	NoStickers    Banned = 1 << 3
	NoGIFs        Banned = 1 << 4
	NoGames       Banned = 1 << 5
	NoInline      Banned = 1 << 6
	NoLinks       Banned = 1 << 7
	NoPolls       Banned = 1 << 8
	NoChangeInfo  Banned = 1 << 10
	NoInvite      Banned = 1 << 15
	NoPin         Banned = 1 << 17
	NoTopics      Banned = 1 << 18
	NoPhotos      Banned = 1 << 19
	NoVideos      Banned = 1 << 20
	NoRoundVideos Banned = 1 << 21
	NoAudios      Banned = 1 << 22
	NoVoices      Banned = 1 << 23
	NoDocs        Banned = 1 << 24
	NoPlain       Banned = 1 << 25
	// DefaultGroup is what members of a new supergroup may not do.
	DefaultGroup = NoChangeInfo | NoPin
)

// Has tells whether the member is an admin of the chat with a right. A creator has them all.
func Has(m store.Member, right Admin) bool {
	switch m.Role {
	case store.Creator:
		return true
	case store.Admin:
		return Admin(m.Rights)&right == right
	default:
		return false
	}
}

// IsAdmin tells whether the member is an admin or the creator.
func IsAdmin(m store.Member) bool { return m.Role >= store.Admin }

// Lacks tells whether somebody may not do what ordinary members may: by a restriction of his own
// that has not run out at now (Unix seconds), or by the chat's default.
func Lacks(c store.Chat, m store.Member, what Banned, now int64) bool {
	if IsAdmin(m) {
		return false
	}
	return (BannedNow(m, now)|Banned(c.Banned))&what != 0
}

// BannedNow returns a member's own restrictions in force.
func BannedNow(m store.Member, now int64) Banned {
	switch m.Role {
	case store.Kicked, store.Restricted, store.RestrictedOut:
		if m.Until == 0 || m.Until > now {
			return Banned(m.Rights)
		}
	}
	return 0
}

// KickedNow tells whether somebody may not see the chat at all.
func KickedNow(m store.Member, now int64) bool { return BannedNow(m, now)&NoView != 0 }

// Closed tells whether a chat is no more: it was deleted, moved on, or ended by the service.
func Closed(c store.Chat) bool {
	return c.Flags.Has(store.Deactivated) || c.Flags.Has(store.ChatTerminated)
}

// CanSee tells whether somebody may read a chat: its members, and anybody if it has a username.
func CanSee(c store.Chat, m store.Member, now int64) bool {
	if Closed(c) || KickedNow(m, now) {
		return false
	}
	return m.Role.In() || c.Username != ""
}

// CanPost tells whether somebody may write into the chat, as far as the kind of content does not
// matter.
func CanPost(c store.Chat, m store.Member, now int64) bool {
	switch {
	case Closed(c), KickedNow(m, now):
		return false
	case c.Flags.Has(store.Broadcast):
		return Has(m, PostMessages)
	case !m.Role.In():
		return c.Flags.Has(store.Megagroup) && c.Username != "" && !c.Flags.Has(store.JoinToSend)
	default:
		return !Lacks(c, m, NoSend, now)
	}
}

// Can tells whether somebody may do what either an admin right allows or, to ordinary members, the
// chat's default: change its info, pin, invite. In a broadcast channel the right is needed.
func Can(c store.Chat, m store.Member, right Admin, unless Banned, now int64) bool {
	if Has(m, right) {
		return true
	}
	if !m.Role.In() || c.Flags.Has(store.Broadcast) || IsAdmin(m) {
		return false
	}
	return !Lacks(c, m, unless, now)
}
