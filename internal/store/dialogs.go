package store

import (
	"errors"

	"parley/internal/ids"
)

// DialogFlags are the bits of a dialog row.
type DialogFlags int64

// The bits of DialogFlags.
const (
	// UnreadMark is the user's own mark, without an unread message.
	UnreadMark DialogFlags = 1 << iota
	// Hidden is a dialog that is kept for its state but not listed: deleted, or left.
	Hidden
	// Removed is a dialog with a chat that the user was removed from.
	Removed
)

// Has tells whether all bits of f are set.
func (d DialogFlags) Has(f DialogFlags) bool { return d&f == f }

// Dialog is one line of a user's chat list.
//
// For a channel TopID, TopDate, Unread and Messages are not kept here: ReadIn and ReadOut are
// watermarks in the channel's numbering, and the rest is computed from the channel's box.
type Dialog struct {
	User      ids.UserID
	Peer      ids.Peer
	TopID     int64
	TopDate   int64
	ReadIn    int64
	ReadOut   int64
	Unread    int64
	Messages  int64
	Mentions  int64
	Reactions int64
	// MinID hides the messages up to it: history that the user deleted or may not see.
	MinID  int64
	Pin    int64
	Folder int64
	Flags  DialogFlags
	// Draft is opaque to the store; empty when there is none.
	Draft []byte
}

const dialogColumns = `peer_id, top_id, top_date, read_in, read_out, unread, messages, mentions,
	reactions, min_id, pin, folder, flags, draft`

var (
	dialogGet = define("dialog.get", "dialogs", "user_id",
		`select `+dialogColumns+` from dialogs where user_id = $1 and peer_id = $2`)
	dialogPut = define("dialog.put", "dialogs", "user_id",
		`insert into dialogs (user_id, `+dialogColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		on conflict (user_id, peer_id) do update set top_id = excluded.top_id,
		top_date = excluded.top_date, read_in = excluded.read_in, read_out = excluded.read_out,
		unread = excluded.unread, messages = excluded.messages, mentions = excluded.mentions,
		reactions = excluded.reactions, min_id = excluded.min_id, pin = excluded.pin,
		folder = excluded.folder, flags = excluded.flags, draft = excluded.draft`)
	dialogBump = define("dialog.bump", "dialogs", "user_id",
		`insert into dialogs (user_id, `+dialogColumns+`)
		values ($1, $2, $3, $4, 0, 0, $5, 1, $6, 0, 0, 0, 0, 0, $7)
		on conflict (user_id, peer_id) do update set top_id = excluded.top_id,
		top_date = excluded.top_date, unread = dialogs.unread + excluded.unread,
		messages = dialogs.messages + 1, mentions = dialogs.mentions + excluded.mentions,
		flags = dialogs.flags & ~6`)
	dialogList = define("dialog.list", "dialogs", "user_id",
		`select `+dialogColumns+` from dialogs where user_id = $1 and flags & 2 = 0
		order by top_date desc, peer_id`)
	dialogDelete = define("dialog.delete", "dialogs", "user_id",
		`delete from dialogs where user_id = $1 and peer_id = $2`)
	dialogChannels = define("dialog.channels", "dialogs", "user_id",
		`select peer_id from dialogs where user_id = $1 and peer_id < -1000000000000
		and flags & 6 = 0`)
	mentionPut = define("mention.put", "mentions", "user_id",
		`insert into mentions (user_id, peer_id, id) values ($1, $2, $3)
		on conflict (user_id, peer_id, id) do nothing`)
	mentionDelete = define("mention.delete", "mentions", "user_id",
		`delete from mentions where user_id = $1 and peer_id = $2 and id = $3`)
	mentionClear = define("mention.clear", "mentions", "user_id",
		`delete from mentions where user_id = $1 and peer_id = $2 and id <= $3`)
	mentionList = define("mention.list", "mentions", "user_id",
		`select id from mentions where user_id = $1 and peer_id = $2 and id < $3
		order by id desc limit $4`)
)

func scanDialog(row rows, d *Dialog) error {
	return row.Scan(&d.Peer, &d.TopID, &d.TopDate, &d.ReadIn, &d.ReadOut, &d.Unread, &d.Messages,
		&d.Mentions, &d.Reactions, &d.MinID, &d.Pin, &d.Folder, &d.Flags, &d.Draft)
}

// Dialog returns a user's dialog with a peer.
func (r *Reader) Dialog(user ids.UserID, peer ids.Peer) (Dialog, error) {
	d := Dialog{User: user}
	found := false
	err := r.each(dialogGet, []any{user, peer}, func(row rows) error {
		found = true
		return scanDialog(row, &d)
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	return d, err
}

// DialogOrNew returns a user's dialog with a peer, or the empty one.
func (r *Reader) DialogOrNew(user ids.UserID, peer ids.Peer) (Dialog, error) {
	d, err := r.Dialog(user, peer)
	if errors.Is(err, ErrNotFound) {
		return Dialog{User: user, Peer: peer}, nil
	}
	return d, err
}

// Dialogs returns the dialogs of a user that are not hidden, those with the newest kept top date
// first. Channels keep no top date and come last.
func (r *Reader) Dialogs(user ids.UserID) ([]Dialog, error) {
	var out []Dialog
	err := r.each(dialogList, []any{user}, func(row rows) error {
		out = append(out, Dialog{User: user})
		return scanDialog(row, &out[len(out)-1])
	})
	return out, err
}

// ChannelsOf returns the channels that a user is in.
func (r *Reader) ChannelsOf(user ids.UserID) ([]ids.Peer, error) {
	var out []ids.Peer
	err := r.each(dialogChannels, []any{user}, func(row rows) error {
		var p ids.Peer
		if err := row.Scan(&p); err != nil {
			return err
		}
		out = append(out, p)
		return nil
	})
	return out, err
}

// PutDialog writes a dialog as a whole.
func (t *Tx) PutDialog(d Dialog) error {
	if d.Draft == nil {
		d.Draft = []byte{}
	}
	return t.exec(dialogPut, d.User, d.Peer, d.TopID, d.TopDate, d.ReadIn, d.ReadOut, d.Unread,
		d.Messages, d.Mentions, d.Reactions, d.MinID, d.Pin, d.Folder, d.Flags, d.Draft)
}

// BumpDialog puts a new message on top of a dialog of the common box and counts it; unread and
// mentions are 0 or 1. A hidden dialog comes back.
func (t *Tx) BumpDialog(user ids.UserID, peer ids.Peer, id, date, unread, mentions int64) error {
	return t.exec(dialogBump, user, peer, id, date, unread, mentions, []byte{})
}

// DeleteDialog forgets a dialog with all its state.
func (t *Tx) DeleteDialog(user ids.UserID, peer ids.Peer) error {
	return t.exec(dialogDelete, user, peer)
}

// AddMention notes that a message mentions the user and was not yet looked at.
func (t *Tx) AddMention(user ids.UserID, peer ids.Peer, id int64) error {
	return t.exec(mentionPut, user, peer, id)
}

// DropMention takes a mention off; false when there was none.
func (t *Tx) DropMention(user ids.UserID, peer ids.Peer, id int64) (bool, error) {
	n, err := t.q.exec(t.ctx, mentionDelete, user, peer, id)
	return n > 0, err
}

// ClearMentions takes off the mentions of a dialog up to an id and says how many there were.
func (t *Tx) ClearMentions(user ids.UserID, peer ids.Peer, upTo int64) (int64, error) {
	return t.q.exec(t.ctx, mentionClear, user, peer, upTo)
}

// Mentions returns ids of messages that mention the user, newest first.
func (r *Reader) Mentions(user ids.UserID, peer ids.Peer, below int64, limit int) ([]int64, error) {
	var out []int64
	err := r.each(mentionList, []any{user, peer, below, limit}, func(row rows) error {
		var id int64
		if err := row.Scan(&id); err != nil {
			return err
		}
		out = append(out, id)
		return nil
	})
	return out, err
}
