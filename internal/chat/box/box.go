// Package box names what can happen in a message box and how it is written down. A box is a user's
// common box or a channel's own; its log is what getDifference and getChannelDifference answer
// from, and live updates are read from the same entries, so that both tell the same story. The
// package only writes and reads entries: rendering them for a viewer is api/view's, pushing
// fanout's.
//
// https://core.telegram.org/api/updates
package box

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/ids"
	"parley/internal/store"
)

// Kind is what happened. Values are stored and never change their meaning.
type Kind int64

// Kinds that move the pts.
const (
	NewMessage     Kind = 1
	EditMessage    Kind = 2
	DeleteMessages Kind = 3
	ReadInbox      Kind = 4
	ReadOutbox     Kind = 5
	ReadContents   Kind = 6
	PinMessages    Kind = 7
	FolderPeer     Kind = 8
)

// Kinds without a pts: changes of a state that the client may also ask for.
const (
	Draft             Kind = 20
	NotifySettings    Kind = 21
	DialogPinned      Kind = 22
	PinnedDialogs     Kind = 23
	DialogUnreadMark  Kind = 24
	ChatChanged       Kind = 25
	ChatParticipants  Kind = 26
	DefaultRights     Kind = 27
	UserName          Kind = 28
	UserChanged       Kind = 29
	Privacy           Kind = 30
	PeerBlocked       Kind = 31
	NewAuthorization  Kind = 32
	ReadChannelInbox  Kind = 33
	ReadChannelOutbox Kind = 34
	ChannelAvailable  Kind = 35
	ContactsReset     Kind = 36
	Participant       Kind = 39
	PeerSettings      Kind = 41
	UserPhone         Kind = 43
	JoinRequests      Kind = 45
	// Restricted is a change of what the service lets an account do, or shows of a channel; On says
	// that a channel is back that it had ended.
	Restricted Kind = 46
	// SecretChat, SecretMessage and SecretRead are told to the one device that they concern, and
	// stand in no log: what they say of a secret chat is read from the chat itself.
	SecretChat    Kind = 48
	SecretMessage Kind = 49
	SecretRead    Kind = 50
	// ReadChannelContents is that mentions in a channel were looked at.
	ReadChannelContents Kind = 47
)

// Entry is the content of a log entry. Which fields matter depends on the kind.
type Entry struct {
	// Peer is the dialog concerned.
	Peer ids.Peer `cbor:"1,keyasint,omitempty"`
	// ID is a message, or the highest one that was read.
	ID int64 `cbor:"2,keyasint,omitempty"`
	// IDs are messages.
	IDs []int64 `cbor:"3,keyasint,omitempty"`
	// User is an account concerned.
	User ids.UserID `cbor:"4,keyasint,omitempty"`
	// N is a count: still unread, a folder, a version.
	N int64 `cbor:"5,keyasint,omitempty"`
	// On says whether something was set (true) or taken back.
	On bool `cbor:"6,keyasint,omitempty"`
	// Text names a key: of a privacy rule, of a setting.
	Text string `cbor:"7,keyasint,omitempty"`
}

// Encode returns the entry as it is stored.
func (e Entry) Encode() []byte {
	b, err := cbor.Marshal(e)
	if err != nil {
		panic(fmt.Sprintf("box: an entry of plain fields cannot fail to encode: %v", err))
	}
	return b
}

// Decode reads a stored entry.
func Decode(e store.Event) (Entry, error) {
	var out Entry
	if err := cbor.Unmarshal(e.Body, &out); err != nil {
		return out, fmt.Errorf("box: entry %d of %d: %w", e.Pts, e.Box, err)
	}
	return out, nil
}

// Append adds an entry that moves the pts by count.
func Append(
	tx *store.Tx, box ids.Peer, kind Kind, count, date int64, e Entry,
) (store.Event, error) {
	return tx.Append(store.Event{
		Box: box, Count: count, Date: date, Kind: int64(kind), Body: e.Encode(),
	})
}

// Apart tells whether a kind of entry is told to one device of a user only.
func (k Kind) Apart() bool { return k == SecretChat || k == SecretMessage || k == SecretRead }

// Announce tells live sessions of something that stands in no log.
func Announce(tx *store.Tx, box ids.Peer, kind Kind, date int64, e Entry) {
	tx.Announce(store.Event{Box: box, Date: date, Kind: int64(kind), Body: e.Encode()})
}

// Note adds an entry without a pts.
func Note(tx *store.Tx, box ids.Peer, kind Kind, date int64, e Entry) (store.Event, error) {
	return Append(tx, box, kind, 0, date, e)
}
