package group

import (
	"strings"

	"parley/internal/chat"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
)

// Page is a stretch of a list of people with dates, the newest first.
type Page struct {
	// Date and After are of the last one of the page before; 0 begins.
	Date  int64
	After ids.UserID
	Limit int
	// Query is what their names begin with.
	Query string
}

// importersMost is how many people who came by one link are looked at.
const importersMost = 1000

// Importers returns who came by a link, or with asked who asks to, by it or for "" by any.
//
// https://core.telegram.org/method/messages.getChatInviteImporters
func Importers(
	r *store.Reader, user ids.UserID, peer ids.Peer, hash string, asked bool, p Page, now int64,
) (out []store.JoinAsk, total int64, err error) {
	if hash != "" && !asked {
		if _, err := own(r, user, peer, hash, now); err != nil {
			return nil, 0, err
		}
	} else if _, err := inviter(r, user, peer, now); err != nil {
		return nil, 0, err
	}
	var all []store.JoinAsk
	if asked {
		all, _, err = r.JoinAsks(peer, asksMost)
	} else if hash == "" {
		err = chat.Invalid("INVITE_HASH_EMPTY")
	} else {
		all, err = came(r, peer, hash)
	}
	if err != nil {
		return nil, 0, err
	}
	begun := p.Date == 0
	for _, a := range all {
		if asked && hash != "" && a.Hash != hash {
			continue
		}
		if p.Query != "" {
			u, err := r.User(a.User)
			if err != nil || !Named(u, p.Query) {
				continue
			}
		}
		total++
		if begun = begun || a.Date < p.Date; begun && len(out) < p.Limit {
			out = append(out, a)
		}
		begun = begun || a.User == p.After && a.Date == p.Date
	}
	return out, total, nil
}

// came returns who came by a link.
func came(r *store.Reader, peer ids.Peer, hash string) ([]store.JoinAsk, error) {
	members, err := r.InvitedMembers(peer, hash, 1<<62, importersMost)
	out := make([]store.JoinAsk, 0, len(members))
	for _, m := range members {
		out = append(out, store.JoinAsk{Peer: peer, User: m.User, Hash: hash, Date: m.Date})
	}
	return out, err
}

// Named tells whether a word of a person's name or his username begins like a query.
func Named(u store.User, query string) bool {
	query = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(query), "@"))
	full := strings.ToLower(u.FirstName + " " + u.LastName)
	if strings.HasPrefix(full, query) || strings.HasPrefix(strings.ToLower(u.Username), query) {
		return true
	}
	for _, word := range strings.Fields(full) {
		if strings.HasPrefix(word, query) {
			return true
		}
	}
	return false
}

// MayList refuses who may not see the members of a chat.
func MayList(c store.Chat, self store.Member) error {
	hidden := c.Flags&(store.Broadcast|store.MembersHidden) != 0
	if hidden && !rights.IsAdmin(self) {
		return chat.ErrAdminRequired
	}
	return nil
}
