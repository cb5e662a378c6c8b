package store

import (
	"errors"

	"parley/internal/ids"
)

// ChatFlags are the bits of a chat row.
type ChatFlags int64

// The bits of ChatFlags.
const (
	// Broadcast is a channel in which only admins post.
	Broadcast ChatFlags = 1 << iota
	// Megagroup is a supergroup.
	Megagroup
	// Deactivated is a chat that was deleted, or moved on to a supergroup.
	Deactivated
	// Signatures shows the author's name under posts.
	Signatures
	// SignatureProfiles shows the author's profile with posts.
	SignatureProfiles
	// ChatNoForwards protects the content of the chat.
	ChatNoForwards
	// HistoryHidden hides what was before a member joined.
	HistoryHidden
	// JoinToSend lets only members write in a public supergroup.
	JoinToSend
	// JoinRequest makes newcomers ask.
	JoinRequest
	// MembersHidden shows the list of members to admins only.
	MembersHidden
	// ChatMeasured says that the service has restricted the chat.
	ChatMeasured
	// ChatTerminated is a chat that the service ended; it can be brought back.
	ChatTerminated
)

// Has tells whether all bits of f are set.
func (c ChatFlags) Has(f ChatFlags) bool { return c&f == f }

// Chat is a basic group or a channel.
type Chat struct {
	Peer     ids.Peer
	Title    string
	About    string
	Username string
	Creator  ids.UserID
	Created  int64
	PhotoID  int64
	Flags    ChatFlags
	// Banned are the rights that ordinary members do not have, as bits of chat/group.Rights.
	Banned  int64
	Members int64
	Version int64
	// Linked is the supergroup that a basic group became, the basic group that a supergroup was,
	// or the discussion group of a channel.
	Linked ids.Peer
	Slow   int64
	// Settings is opaque to the store.
	Settings []byte
}

// Role is a member's standing in a chat.
type Role int64

// The roles. Those from Participant on are in the chat.
const (
	// Left was a member once.
	Left Role = iota
	// Kicked may not come back until unbanned.
	Kicked
	// RestrictedOut has left and is restricted should he return.
	RestrictedOut
	// Participant is an ordinary member.
	Participant
	// Restricted is a member with fewer rights.
	Restricted
	// Admin is a member with admin rights.
	Admin
	// Creator owns the chat.
	Creator
)

// In tells whether the role is a member's.
func (r Role) In() bool { return r >= Participant }

// Member is somebody's standing in a chat.
type Member struct {
	Peer ids.Peer
	User ids.UserID
	Role Role
	// Rights are admin rights of an admin, and banned rights of one restricted or kicked.
	Rights int64
	// Until is when a restriction ends, 0 for never.
	Until int64
	// Actor invited, promoted or banned the member.
	Actor ids.UserID
	Date  int64
	Rank  string
	// Invite is the hash of the link that the member came by, "" for none.
	Invite string
}

// Invite is an invite link of a chat.
type Invite struct {
	Peer    ids.Peer
	Hash    string
	Creator ids.UserID
	Date    int64
	Expires int64
	Uses    int64
	Used    int64
	Flags   InviteFlags
	Title   string
}

// InviteFlags are the bits of an invite row.
type InviteFlags int64

// The bits of InviteFlags.
const (
	// InvitePermanent is an admin's own standing link.
	InvitePermanent InviteFlags = 1 << iota
	// InviteRevoked no longer works.
	InviteRevoked
	// InviteRequest makes newcomers ask.
	InviteRequest
)

// Has tells whether all bits of f are set.
func (i InviteFlags) Has(f InviteFlags) bool { return i&f == f }

// JoinAsk is somebody who asked to join a chat.
type JoinAsk struct {
	Peer ids.Peer
	User ids.UserID
	Hash string
	Date int64
}

// AdminEvent is an entry of a channel's recent actions.
type AdminEvent struct {
	Peer ids.Peer
	ID   int64
	User ids.UserID
	Date int64
	Kind int64
	Body []byte
}

const (
	chatColumns = `title, about, username, creator, created, photo_id, flags, banned_rights,
		members, version, linked_id, slow_seconds, settings`
	memberColumns = `user_id, role, rights, until, actor, date, rank, invite`
	inviteColumns = `hash, creator, date, expires, uses, used, flags, title`
)

var (
	chatGet = define("chat.get", "chats", "peer_id",
		`select `+chatColumns+` from chats where peer_id = $1`)
	chatPut = define("chat.put", "chats", "peer_id",
		`insert into chats (peer_id, `+chatColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		on conflict (peer_id) do update set title = excluded.title, about = excluded.about,
		username = excluded.username, creator = excluded.creator, created = excluded.created,
		photo_id = excluded.photo_id, flags = excluded.flags,
		banned_rights = excluded.banned_rights, members = excluded.members,
		version = excluded.version, linked_id = excluded.linked_id,
		slow_seconds = excluded.slow_seconds, settings = excluded.settings`)
	chatCount = define("chat.count", "chats", "peer_id",
		`update chats set members = members + $2, version = version + 1 where peer_id = $1`)
	memberGet = define("member.get", "members", "peer_id",
		`select `+memberColumns+` from members where peer_id = $1 and user_id = $2`)
	memberPut = define("member.put", "members", "peer_id",
		`insert into members (peer_id, `+memberColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		on conflict (peer_id, user_id) do update set role = excluded.role,
		rights = excluded.rights, until = excluded.until, actor = excluded.actor,
		date = excluded.date, rank = excluded.rank, invite = excluded.invite`)
	memberDelete = define("member.delete", "members", "peer_id",
		`delete from members where peer_id = $1 and user_id = $2`)
	memberRange = define("member.range", "members", "peer_id",
		`select `+memberColumns+` from members
		where peer_id = $1 and role >= $2 and role <= $3
		order by role desc, user_id limit $4 offset $5`)
	memberRecent = define("member.recent", "members", "peer_id",
		`select `+memberColumns+` from members where peer_id = $1 and role >= 3
		order by date desc, user_id limit $2 offset $3`)
	memberInvited = define("member.invited", "members", "peer_id",
		`select `+memberColumns+` from members where peer_id = $1 and invite = $2 and invite <> ''
		and role >= 3 and date <= $3 order by date desc, user_id limit $4`)
	memberCount = define("member.count", "members", "peer_id",
		`select count(*) from members where peer_id = $1 and role >= $2 and role <= $3`)
	invitePut = define("invite.put", "invites", "peer_id",
		`insert into invites (peer_id, `+inviteColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		on conflict (peer_id, hash) do update set expires = excluded.expires,
		uses = excluded.uses, used = excluded.used, flags = excluded.flags,
		title = excluded.title`)
	inviteGet = define("invite.get", "invites", "peer_id",
		`select `+inviteColumns+` from invites where peer_id = $1 and hash = $2`)
	inviteList = define("invite.list", "invites", "peer_id",
		`select `+inviteColumns+` from invites where peer_id = $1 order by date desc, hash`)
	inviteDelete = define("invite.delete", "invites", "peer_id",
		`delete from invites where peer_id = $1 and hash = $2`)
	hashPut = define("invite_hash.put", "invite_hashes", "hash",
		`insert into invite_hashes (hash, peer_id) values ($1, $2)`)
	hashGet = define("invite_hash.get", "invite_hashes", "hash",
		`select peer_id from invite_hashes where hash = $1`)
	askPut = define("join_request.put", "join_requests", "peer_id",
		`insert into join_requests (peer_id, user_id, hash, date) values ($1, $2, $3, $4)
		on conflict (peer_id, user_id) do nothing`)
	askDelete = define("join_request.delete", "join_requests", "peer_id",
		`delete from join_requests where peer_id = $1 and user_id = $2`)
	askList = define("join_request.list", "join_requests", "peer_id",
		`select user_id, hash, date from join_requests where peer_id = $1
		order by date desc, user_id limit $2`)
	askCount = define("join_request.count", "join_requests", "peer_id",
		`select count(*) from join_requests where peer_id = $1`)
	adminEventPut = define("admin_event.put", "admin_events", "peer_id",
		`insert into admin_events (peer_id, id, user_id, date, kind, body)
		values ($1, (select coalesce(max(id), 0) + 1 from admin_events where peer_id = $1),
		$2, $3, $4, $5)`)
	adminEventList = define("admin_event.list", "admin_events", "peer_id",
		`select id, user_id, date, kind, body from admin_events
		where peer_id = $1 and id < $2 and id > $3 order by id desc limit $4`)
)

// Chat returns a basic group or channel.
func (r *Reader) Chat(peer ids.Peer) (Chat, error) {
	c := Chat{Peer: peer}
	err := r.one(chatGet, []any{peer}, &c.Title, &c.About, &c.Username, &c.Creator, &c.Created,
		&c.PhotoID, &c.Flags, &c.Banned, &c.Members, &c.Version, &c.Linked, &c.Slow, &c.Settings)
	return c, err
}

// PutChat writes a basic group or channel as a whole.
func (t *Tx) PutChat(c Chat) error {
	if c.Settings == nil {
		c.Settings = []byte{}
	}
	return t.exec(chatPut, c.Peer, c.Title, c.About, c.Username, c.Creator, c.Created, c.PhotoID,
		c.Flags, c.Banned, c.Members, c.Version, c.Linked, c.Slow, c.Settings)
}

// CountMembers adds to a chat's number of members and counts its version up.
func (t *Tx) CountMembers(peer ids.Peer, n int64) error { return t.execOne(chatCount, peer, n) }

func scanMember(row rows, m *Member) error {
	return row.Scan(&m.User, &m.Role, &m.Rights, &m.Until, &m.Actor, &m.Date, &m.Rank, &m.Invite)
}

// Member returns somebody's standing in a chat; a stranger has the role Left and no date.
func (r *Reader) Member(peer ids.Peer, user ids.UserID) (Member, error) {
	m := Member{Peer: peer, User: user}
	err := r.each(memberGet, []any{peer, user}, func(row rows) error { return scanMember(row, &m) })
	return m, err
}

// Members returns those with a role from low to high, the highest first.
func (r *Reader) Members(peer ids.Peer, low, high Role, limit, offset int) ([]Member, error) {
	return r.members(peer, memberRange, peer, low, high, limit, offset)
}

// RecentMembers returns those who are in the chat, the newest first.
func (r *Reader) RecentMembers(peer ids.Peer, limit, offset int) ([]Member, error) {
	return r.members(peer, memberRecent, peer, limit, offset)
}

func (r *Reader) members(peer ids.Peer, st *statement, args ...any) ([]Member, error) {
	var out []Member
	err := r.each(st, args, func(row rows) error {
		out = append(out, Member{Peer: peer})
		return scanMember(row, &out[len(out)-1])
	})
	return out, err
}

// InvitedMembers returns those who are in the chat and came by an invite link up to a time, the newest
// first.
func (r *Reader) InvitedMembers(peer ids.Peer, hash string, until int64, limit int) ([]Member, error) {
	return r.members(peer, memberInvited, peer, hash, until, limit)
}

// MemberCount counts those with a role from low to high.
func (r *Reader) MemberCount(peer ids.Peer, low, high Role) (n int64, err error) {
	err = r.one(memberCount, []any{peer, low, high}, &n)
	return n, err
}

// PutMember writes somebody's standing in a chat.
func (t *Tx) PutMember(m Member) error {
	return t.exec(memberPut, m.Peer, m.User, m.Role, m.Rights, m.Until, m.Actor, m.Date, m.Rank,
		m.Invite)
}

// DeleteMember forgets somebody's standing in a chat.
func (t *Tx) DeleteMember(peer ids.Peer, user ids.UserID) error {
	return t.exec(memberDelete, peer, user)
}

func scanInvite(row rows, i *Invite) error {
	return row.Scan(&i.Hash, &i.Creator, &i.Date, &i.Expires, &i.Uses, &i.Used, &i.Flags, &i.Title)
}

// PutInvite writes an invite link.
func (t *Tx) PutInvite(i Invite) error {
	return t.exec(invitePut, i.Peer, i.Hash, i.Creator, i.Date, i.Expires, i.Uses, i.Used, i.Flags,
		i.Title)
}

// Invite returns an invite link of a chat.
func (r *Reader) Invite(peer ids.Peer, hash string) (Invite, error) {
	i := Invite{Peer: peer}
	found := false
	err := r.each(inviteGet, []any{peer, hash}, func(row rows) error {
		found = true
		return scanInvite(row, &i)
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	return i, err
}

// Invites returns the invite links of a chat, the newest first.
func (r *Reader) Invites(peer ids.Peer) ([]Invite, error) {
	var out []Invite
	err := r.each(inviteList, []any{peer}, func(row rows) error {
		out = append(out, Invite{Peer: peer})
		return scanInvite(row, &out[len(out)-1])
	})
	return out, err
}

// DeleteInvite forgets an invite link.
func (t *Tx) DeleteInvite(peer ids.Peer, hash string) error {
	return t.exec(inviteDelete, peer, hash)
}

// TakeInviteHash makes a hash lead to a chat; ErrConflict when it leads somewhere already.
func (t *Tx) TakeInviteHash(hash string, peer ids.Peer) error { return t.exec(hashPut, hash, peer) }

// ChatByInvite returns the chat of an invite hash.
func (r *Reader) ChatByInvite(hash string) (peer ids.Peer, err error) {
	err = r.one(hashGet, []any{hash}, &peer)
	return peer, err
}

// PutJoinAsk notes that somebody asked to join.
func (t *Tx) PutJoinAsk(a JoinAsk) error { return t.exec(askPut, a.Peer, a.User, a.Hash, a.Date) }

// DeleteJoinAsk removes a request to join; false when there was none.
func (t *Tx) DeleteJoinAsk(peer ids.Peer, user ids.UserID) (bool, error) {
	n, err := t.q.exec(t.ctx, askDelete, peer, user)
	return n > 0, err
}

// JoinAsks returns who asked to join, the newest first, and how many there are.
func (r *Reader) JoinAsks(peer ids.Peer, limit int) (list []JoinAsk, total int64, err error) {
	if err := r.one(askCount, []any{peer}, &total); err != nil {
		return nil, 0, err
	}
	err = r.each(askList, []any{peer, limit}, func(row rows) error {
		a := JoinAsk{Peer: peer}
		if err := row.Scan(&a.User, &a.Hash, &a.Date); err != nil {
			return err
		}
		list = append(list, a)
		return nil
	})
	return list, total, err
}

// AddAdminEvent appends to a channel's recent actions.
func (t *Tx) AddAdminEvent(e AdminEvent) error {
	return t.exec(adminEventPut, e.Peer, e.User, e.Date, e.Kind, e.Body)
}

// AdminEvents returns recent actions with above < id < below, the newest first.
func (r *Reader) AdminEvents(peer ids.Peer, below, above int64, limit int) ([]AdminEvent, error) {
	var out []AdminEvent
	err := r.each(adminEventList, []any{peer, below, above, limit}, func(row rows) error {
		e := AdminEvent{Peer: peer}
		err := row.Scan(&e.ID, &e.User, &e.Date, &e.Kind, &e.Body)
		out = append(out, e)
		return err
	})
	return out, err
}

// IsNotFound tells whether an error says that a row does not exist.
func IsNotFound(err error) bool { return errors.Is(err, ErrNotFound) }
