package channel

import (
	"parley/internal/chat"
	"parley/internal/chat/group"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
)

// ListKind says which members of a channel are asked for.
type ListKind int

// The kinds of lists.
//
// https://core.telegram.org/type/ChannelParticipantsFilter
const (
	Recent ListKind = iota
	Admins
	Kicked
	Restricted
	Bots
	Search
	Contacts
)

// Query asks for members of a channel.
type Query struct {
	Kind   ListKind
	Text   string
	Offset int
	Limit  int
}

// scanMost is how many members a search by name looks at, the newest, besides the searcher's
// contacts and those whose username begins like what he looks for.
const scanMost = 2000

// Members returns members of a channel as one with the standing self may see them, and how many
// there are in all.
//
// https://core.telegram.org/method/channels.getParticipants
func Members(
	r *store.Reader, c store.Chat, self store.Member, q Query, now int64,
) ([]store.Member, int64, error) {
	if q.Kind == Kicked || q.Kind == Restricted {
		if !rights.IsAdmin(self) {
			return nil, 0, chat.ErrAdminRequired
		}
	} else if q.Kind != Admins || c.Flags.Has(store.Broadcast) {
		if err := group.MayList(c, self); err != nil {
			return nil, 0, err
		}
	}
	switch q.Kind {
	case Recent:
		list, err := r.RecentMembers(c.Peer, q.Limit, q.Offset)
		return list, c.Members, err
	case Admins:
		list, err := r.Members(c.Peer, store.Admin, store.Creator, q.Limit, q.Offset)
		if err != nil {
			return nil, 0, err
		}
		n, err := r.MemberCount(c.Peer, store.Admin, store.Creator)
		return list, n, err
	case Kicked:
		return sifted(r, c.Peer, q, now, store.Kicked)
	case Restricted:
		return sifted(r, c.Peer, q, now, store.Restricted, store.RestrictedOut)
	case Contacts:
		return among(r, c.Peer, self.User, q)
	default:
		return scan(r, c.Peer, self.User, q)
	}
}

// sifted returns those with one of some roles whose restriction is still in force.
func sifted(
	r *store.Reader, peer ids.Peer, q Query, now int64, roles ...store.Role,
) ([]store.Member, int64, error) {
	var all []store.Member
	for _, role := range roles {
		list, err := r.Members(peer, role, role, scanMost, 0)
		if err != nil {
			return nil, 0, err
		}
		for _, m := range list {
			if rights.BannedNow(m, now) != 0 {
				all = append(all, m)
			}
		}
	}
	return page(r, all, q)
}

// page keeps of a list those whose names fit, and of them a stretch.
func page(r *store.Reader, all []store.Member, q Query) ([]store.Member, int64, error) {
	kept := all[:0]
	for _, m := range all {
		if q.Text != "" || q.Kind == Bots {
			u, err := r.User(m.User)
			if store.IsNotFound(err) {
				continue
			}
			if err != nil {
				return nil, 0, err
			}
			if q.Text != "" && !group.Named(u, q.Text) ||
				q.Kind == Bots && !u.Flags.Has(store.UserBot) {
				continue
			}
		}
		kept = append(kept, m)
	}
	from := min(q.Offset, len(kept))
	return kept[from:min(from+q.Limit, len(kept))], int64(len(kept)), nil
}

// among returns those members who are in a user's address book.
func among(
	r *store.Reader, peer ids.Peer, user ids.UserID, q Query,
) ([]store.Member, int64, error) {
	book, err := r.Contacts(user)
	if err != nil {
		return nil, 0, err
	}
	var all []store.Member
	for _, entry := range book {
		m, err := r.Member(peer, entry.Contact)
		if err != nil {
			return nil, 0, err
		}
		if m.Role.In() {
			all = append(all, m)
		}
	}
	return page(r, all, q)
}

// scan returns members by name, or bots: among the newest members, the user's contacts, and those
// whose username begins so.
func scan(
	r *store.Reader, peer ids.Peer, user ids.UserID, q Query,
) ([]store.Member, int64, error) {
	all, err := r.RecentMembers(peer, scanMost, 0)
	if err != nil || q.Text == "" || len(all) < scanMost {
		if err != nil {
			return nil, 0, err
		}
		return page(r, all, q)
	}
	seen := make(map[ids.UserID]bool, len(all))
	for _, m := range all {
		seen[m.User] = true
	}
	more, err := named(r, user, q.Text)
	if err != nil {
		return nil, 0, err
	}
	for _, id := range more {
		m, err := r.Member(peer, id)
		if err != nil {
			return nil, 0, err
		}
		if m.Role.In() && !seen[id] {
			seen[id] = true
			all = append(all, m)
		}
	}
	return page(r, all, q)
}

// named returns people that a user knows, or whose username begins like a text.
func named(r *store.Reader, user ids.UserID, text string) ([]ids.UserID, error) {
	var out []ids.UserID
	book, err := r.Contacts(user)
	if err != nil {
		return nil, err
	}
	for _, entry := range book {
		out = append(out, entry.Contact)
	}
	peers, err := r.PeersByUsernamePrefix(foldName(text), 50)
	for _, p := range peers {
		if p.Kind() == ids.User {
			out = append(out, p.User())
		}
	}
	return out, err
}
