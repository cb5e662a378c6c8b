package group

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/ids"
	"parley/internal/store"
)

// LogKind is what an admin did. Values are stored.
type LogKind int64

// The kinds of entries in a channel's recent actions.
//
// https://core.telegram.org/type/ChannelAdminLogEventAction
const (
	LogTitle LogKind = iota + 1
	LogAbout
	LogUsername
	LogPhoto
	LogSignatures
	LogProfiles
	LogHistoryHidden
	LogSlowMode
	LogDefaultRights
	LogNoForwards
	LogInvite
	LogBan
	LogAdmin
	LogRank
	LogDelete
	LogInviteEdit
	LogInviteRevoke
	LogInviteDelete
	LogJoinByRequest
)

// Log is an entry of a channel's recent actions. Which fields matter depends on the kind.
type Log struct {
	Kind LogKind `cbor:"-"`
	Old  string  `cbor:"1,keyasint,omitempty"`
	New  string  `cbor:"2,keyasint,omitempty"`
	OldN int64   `cbor:"3,keyasint,omitempty"`
	NewN int64   `cbor:"4,keyasint,omitempty"`
	// Before and After are somebody's standing.
	Before *Standing `cbor:"5,keyasint,omitempty"`
	After  *Standing `cbor:"6,keyasint,omitempty"`
	// Invite and Edited are an invite link before and after.
	Invite *Link `cbor:"7,keyasint,omitempty"`
	Edited *Link `cbor:"8,keyasint,omitempty"`
	// Actor approved a request.
	Actor ids.UserID `cbor:"9,keyasint,omitempty"`
}

// Standing is a member as he was, for the log.
type Standing struct {
	User   ids.UserID `cbor:"1,keyasint"`
	Role   store.Role `cbor:"2,keyasint,omitempty"`
	Rights int64      `cbor:"3,keyasint,omitempty"`
	Until  int64      `cbor:"4,keyasint,omitempty"`
	Actor  ids.UserID `cbor:"5,keyasint,omitempty"`
	Date   int64      `cbor:"6,keyasint,omitempty"`
	Rank   string     `cbor:"7,keyasint,omitempty"`
}

// StandingOf makes a Standing of a member's row.
func StandingOf(m store.Member) *Standing {
	return &Standing{m.User, m.Role, m.Rights, m.Until, m.Actor, m.Date, m.Rank}
}

// Member is the row that the standing was made of.
func (s Standing) Member(peer ids.Peer) store.Member {
	return store.Member{
		Peer: peer, User: s.User, Role: s.Role, Rights: s.Rights, Until: s.Until, Actor: s.Actor,
		Date: s.Date, Rank: s.Rank,
	}
}

// Link is an invite link as it was, for the log.
type Link struct {
	Hash    string            `cbor:"1,keyasint"`
	Creator ids.UserID        `cbor:"2,keyasint,omitempty"`
	Date    int64             `cbor:"3,keyasint,omitempty"`
	Expires int64             `cbor:"4,keyasint,omitempty"`
	Uses    int64             `cbor:"5,keyasint,omitempty"`
	Used    int64             `cbor:"6,keyasint,omitempty"`
	Flags   store.InviteFlags `cbor:"7,keyasint,omitempty"`
	Title   string            `cbor:"8,keyasint,omitempty"`
}

// LinkOf makes a Link of an invite's row.
func LinkOf(i store.Invite) *Link {
	return &Link{i.Hash, i.Creator, i.Date, i.Expires, i.Uses, i.Used, i.Flags, i.Title}
}

// Invite is the row that the link was made of.
func (l Link) Invite(peer ids.Peer) store.Invite {
	return store.Invite{
		Peer: peer, Hash: l.Hash, Creator: l.Creator, Date: l.Date, Expires: l.Expires, Uses: l.Uses,
		Used: l.Used, Flags: l.Flags, Title: l.Title,
	}
}

// AddLog writes down what an admin of a channel did. Basic groups keep no such log.
func AddLog(tx *store.Tx, peer ids.Peer, user ids.UserID, now int64, l Log) error {
	if peer.Kind() != ids.Channel || l.Kind == 0 {
		return nil
	}
	body, err := cbor.Marshal(l)
	if err != nil {
		return fmt.Errorf("group: encode log entry: %w", err)
	}
	return tx.AddAdminEvent(store.AdminEvent{
		Peer: peer, User: user, Date: now, Kind: int64(l.Kind), Body: body,
	})
}

// DecodeLog reads an entry of a channel's recent actions.
func DecodeLog(e store.AdminEvent) (Log, error) {
	l := Log{Kind: LogKind(e.Kind)}
	if err := cbor.Unmarshal(e.Body, &l); err != nil {
		return l, fmt.Errorf("group: log entry %d of %d: %w", e.ID, e.Peer, err)
	}
	l.Kind = LogKind(e.Kind)
	return l, nil
}
