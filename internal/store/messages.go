package store

import (
	"errors"

	"parley/internal/ids"
)

// MessageFlags are the bits of a message row.
type MessageFlags int64

// The bits of MessageFlags. Pinned is part of an index and keeps its value.
const (
	Out MessageFlags = 1 << iota
	Mentioned
	MediaUnread
	Silent
	Post
	Service
	Pinned
	NoForwards
	Reacted
	HideEdit
	// Measured says that the service has restricted the message.
	Measured
)

// Has tells whether all bits of f are set.
func (m MessageFlags) Has(f MessageFlags) bool { return m&f == f }

// Message is one message in one box. In a private chat or a basic group every participant has a row
// of his own in his own numbering; in a channel there is one row for all.
type Message struct {
	Box   ids.Peer
	ID    int64
	Peer  ids.Peer
	From  ids.Peer
	Date  int64
	Flags MessageFlags
	// Edited is the time of the last edit, 0 when there was none.
	Edited int64
	// Origin and Nonce are the sender and its random_id where the message was sent, and the
	// sender's box and message id in a copy.
	Origin  ids.Peer
	Nonce   int64
	Grouped int64
	ReplyTo int64
	Media   int64
	Body    []byte
	// Stored is when a message is written here, if that is later than its Date: imports. It is the
	// date of its event and not kept with the message.
	Stored int64
}

// MediaAny in a Page asks for messages of whatever medium, or none.
const MediaAny = -1

const messageColumns = `id, peer_id, from_id, date, edited, flags, origin, nonce, grouped_id,
	reply_to, media_kind, body`

var (
	messageInsert = define("message.insert", "messages", "box_id",
		`insert into messages (box_id, `+messageColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`)
	messageGet = define("message.get", "messages", "box_id",
		`select `+messageColumns+` from messages where box_id = $1 and id = $2`)
	messageByOrigin = define("message.by_origin", "messages", "box_id",
		`select `+messageColumns+` from messages
		where box_id = $1 and origin = $2 and nonce = $3`)
	messageUpdate = define("message.update", "messages", "box_id",
		`update messages set edited = $3, flags = $4, reply_to = $5, media_kind = $6, body = $7
		where box_id = $1 and id = $2`)
	messageDelete = define("message.delete", "messages", "box_id",
		`delete from messages where box_id = $1 and id = $2 returning origin, nonce, date`)
	erasedPut = define("erased.put", "erased_messages", "box_id",
		`insert into erased_messages (box_id, origin, nonce, date) values ($1, $2, $3, $4)
		on conflict (box_id, origin, nonce) do nothing`)
	erasedGet = define("erased.get", "erased_messages", "box_id",
		`select date from erased_messages where box_id = $1 and origin = $2 and nonce = $3`)
	erasedExpire = define("erased.expire", "erased_messages", acrossShards,
		`delete from erased_messages where date < $1`)
	messageOlder = define("message.older", "messages", "box_id",
		`select `+messageColumns+` from messages
		where box_id = $1 and peer_id = $2 and box_id > 0 and id < $3 and id > $4
		order by id desc limit $5 offset $6`)
	messageNewer = define("message.newer", "messages", "box_id",
		`select `+messageColumns+` from messages
		where box_id = $1 and peer_id = $2 and box_id > 0 and id >= $3 and id < $4
		order by id limit $5`)
	postOlder = define("message.post_older", "messages", "box_id",
		`select `+messageColumns+` from messages
		where box_id = $1 and id < $2 and id > $3 order by id desc limit $4 offset $5`)
	postNewer = define("message.post_newer", "messages", "box_id",
		`select `+messageColumns+` from messages
		where box_id = $1 and id >= $2 and id < $3 order by id limit $4`)
	messageUnread = define("message.unread", "messages", "box_id",
		`select count(*) from messages
		where box_id = $1 and peer_id = $2 and box_id > 0 and id > $3 and flags & 1 = 0`)
	postUnread = define("message.post_unread", "messages", "box_id",
		`select count(*) from (select 1 from messages
		where box_id = $1 and id > $2 and from_id <> $3 limit $4) as unread`)
	messageCount = define("message.count", "messages", "box_id",
		`select count(*) from messages where box_id = $1 and peer_id = $2 and box_id > 0`)
	messageSenders = define("message.senders", "messages", "box_id",
		`select origin, max(nonce) from messages
		where box_id = $1 and peer_id = $2 and box_id > 0 and id > $3 and id <= $4
		and flags & 1 = 0 group by origin`)
	messageByDate = define("message.by_date", "messages", "box_id",
		`select id from messages where box_id = $1 and peer_id = $2 and box_id > 0 and date < $3
		order by id desc limit 1`)
	postByDate = define("message.post_by_date", "messages", "box_id",
		`select id from messages where box_id = $1 and date < $2 order by id desc limit 1`)
	messagePinned = define("message.pinned", "messages", "box_id",
		`select `+messageColumns+` from messages
		where box_id = $1 and peer_id = $2 and flags & 64 <> 0 and id < $3
		order by id desc limit $4`)
	messageOf = define("message.of_sender", "messages", "box_id",
		`select id from messages where box_id = $1 and from_id = $2 and id < $3
		order by id desc limit $4`)
	messageOfTime = define("message.of_sender_in_time", "messages", "box_id",
		`select `+messageColumns+` from messages
		where box_id = $1 and from_id = $2 and date between $3 and $4 and id < $5
		order by id desc limit $6`)
	messageOfNewer = define("message.of_sender_newer", "messages", "box_id",
		`select id from messages where box_id = $1 and from_id = $2 and id >= $3
		order by id limit $4`)
	viewsAdd = define("views.add", "message_views", "box_id",
		`insert into message_views (box_id, id, views, forwards) values ($1, $2, $3, $4)
		on conflict (box_id, id) do update set views = message_views.views + excluded.views,
		forwards = message_views.forwards + excluded.forwards`)
	viewsGet = define("views.get", "message_views", "box_id",
		`select views, forwards from message_views where box_id = $1 and id = $2`)
	viewsRange = define("views.range", "message_views", "box_id",
		`select id, views, forwards from message_views
		where box_id = $1 and id >= $2 and id <= $3`)
	reactionPut = define("reaction.put", "reactions", "box_id",
		`insert into reactions (box_id, id, user_id, reaction, date) values ($1, $2, $3, $4, $5)
		on conflict (box_id, id, user_id, reaction) do nothing`)
	reactionClear = define("reaction.clear", "reactions", "box_id",
		`delete from reactions where box_id = $1 and id = $2 and user_id = $3`)
	reactionDrop = define("reaction.drop", "reactions", "box_id",
		`delete from reactions where box_id = $1 and id = $2`)
	reactionList = define("reaction.list", "reactions", "box_id",
		`select user_id, reaction, date from reactions where box_id = $1 and id = $2
		order by date desc, user_id`)
	reactionCounts = define("reaction.counts", "reactions", "box_id",
		`select reaction, count(*) from reactions where box_id = $1 and id = $2
		group by reaction order by count(*) desc, reaction`)
	reactionRecent = define("reaction.recent", "reactions", "box_id",
		`select user_id, reaction, date from reactions where box_id = $1 and id = $2
		order by date desc, user_id limit $3`)
	reactionOf = define("reaction.of", "reactions", "box_id",
		`select reaction, date from reactions where box_id = $1 and id = $2 and user_id = $3
		order by date, reaction`)
)

func scanMessage(row rows, m *Message) error {
	return row.Scan(&m.ID, &m.Peer, &m.From, &m.Date, &m.Edited, &m.Flags, &m.Origin, &m.Nonce,
		&m.Grouped, &m.ReplyTo, &m.Media, &m.Body)
}

// messagesAtOnce is for how many messages room is made before they are read.
const messagesAtOnce = 100

// messages reads messages, most of them at most.
func (r *Reader) messages(
	box ids.Peer, most int, st *statement, args ...any,
) ([]Message, error) {
	out := make([]Message, 0, min(max(most, 0), messagesAtOnce))
	err := r.each(st, args, func(row rows) error {
		out = append(out, Message{Box: box})
		return scanMessage(row, &out[len(out)-1])
	})
	return out, err
}

func (r *Reader) message(box ids.Peer, st *statement, args ...any) (Message, error) {
	list, err := r.messages(box, 1, st, args...)
	if err != nil {
		return Message{}, err
	}
	if len(list) == 0 {
		return Message{}, ErrNotFound
	}
	return list[0], nil
}

// Message returns one message of a box.
func (r *Reader) Message(box ids.Peer, id int64) (Message, error) {
	return r.message(box, messageGet, box, id)
}

// MessageByOrigin returns the message that a sender sent with a random_id, or the copy of a message
// of another box.
func (r *Reader) MessageByOrigin(box, origin ids.Peer, nonce int64) (Message, error) {
	return r.message(box, messageByOrigin, box, origin, nonce)
}

// Older returns up to limit messages with peer in box with Above < id < below, newest first, after
// skipping some. In a channel's box the peer is the channel.
func (r *Reader) Older(box, peer ids.Peer, below, above int64, limit, skip int) ([]Message, error) {
	if box.Kind() == ids.Channel {
		return r.messages(box, limit, postOlder, box, below, above, limit, skip)
	}
	return r.messages(box, limit, messageOlder, box, peer, below, above, limit, skip)
}

// Newer returns up to limit messages with from <= id < below, oldest first.
func (r *Reader) Newer(box, peer ids.Peer, from, below int64, limit int) ([]Message, error) {
	if box.Kind() == ids.Channel {
		return r.messages(box, limit, postNewer, box, from, below, limit)
	}
	return r.messages(box, limit, messageNewer, box, peer, from, below, limit)
}

// IDByDate returns the id of the newest message before a time, 0 when there is none.
func (r *Reader) IDByDate(box, peer ids.Peer, date int64) (id int64, err error) {
	if box.Kind() == ids.Channel {
		err = r.one(postByDate, []any{box, date}, &id)
	} else {
		err = r.one(messageByDate, []any{box, peer, date}, &id)
	}
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	return id, err
}

// Unread counts the incoming messages with peer after an id.
func (r *Reader) Unread(user ids.UserID, peer ids.Peer, after int64) (n int64, err error) {
	err = r.one(messageUnread, []any{user, peer, after}, &n)
	return n, err
}

// UnreadPosts counts the messages of a channel after an id that user did not send, up to most.
func (r *Reader) UnreadPosts(channel ids.Peer, after int64, user ids.UserID, most int) (n int64, err error) {
	err = r.one(postUnread, []any{channel, after, user, most}, &n)
	return n, err
}

// CountMessages counts the messages with a peer in a user's box.
func (r *Reader) CountMessages(user ids.UserID, peer ids.Peer) (n int64, err error) {
	err = r.one(messageCount, []any{user, peer}, &n)
	return n, err
}

// Senders returns, for the incoming messages with peer of which after < id <= upTo, each sender's
// box with the highest message id there.
func (r *Reader) Senders(user ids.UserID, peer ids.Peer, after, upTo int64) (map[ids.Peer]int64, error) {
	out := make(map[ids.Peer]int64)
	err := r.each(messageSenders, []any{user, peer, after, upTo}, func(row rows) error {
		var origin ids.Peer
		var top int64
		if err := row.Scan(&origin, &top); err != nil {
			return err
		}
		out[origin] = top
		return nil
	})
	return out, err
}

// Pinned returns up to limit pinned messages with an id below the given one, newest first.
func (r *Reader) Pinned(box, peer ids.Peer, below int64, limit int) ([]Message, error) {
	return r.messages(box, limit, messagePinned, box, peer, below, limit)
}

// MessagesOf returns up to limit ids of messages that a sender has in a box, newest first.
func (r *Reader) MessagesOf(box, from ids.Peer, below int64, limit int) ([]int64, error) {
	return r.messageIDs(messageOf, box, from, below, limit)
}

// MessagesIn returns up to limit messages that a sender has in a box from one time to another, in
// Unix seconds and both included, with an id below the given one, newest first.
func (r *Reader) MessagesIn(
	box, from ids.Peer, since, until, below int64, limit int,
) ([]Message, error) {
	return r.messages(box, limit, messageOfTime, box, from, since, until, below, limit)
}

// NewerOf returns up to limit ids of messages that a sender has in a box from one on, oldest first.
func (r *Reader) NewerOf(box, from ids.Peer, least int64, limit int) ([]int64, error) {
	return r.messageIDs(messageOfNewer, box, from, least, limit)
}

func (r *Reader) messageIDs(st *statement, args ...any) (out []int64, err error) {
	err = r.each(st, args, func(row rows) error {
		var id int64
		if err := row.Scan(&id); err != nil {
			return err
		}
		out = append(out, id)
		return nil
	})
	return out, err
}

// AddMessage stores a new message under the box's next id and records the event of the given kind,
// whose body depends on the id, with its pts. ErrConflict says that (origin, nonce) is there already.
func (t *Tx) AddMessage(m *Message, kind int64, body func(id int64) []byte) (Event, error) {
	e := Event{Box: m.Box, Count: 1, Date: max(m.Date, m.Stored), Kind: kind}
	t.tells.box = m.Box
	err := t.one(boxNextMessage, []any{m.Box, m.Date, t.tells.left}, &e.Pts, &m.ID, &t.tells.last)
	if err != nil {
		return e, err
	}
	e.Body = body(m.ID)
	kept := *m
	e.Message = &kept
	err = t.exec(messageInsert, m.Box, m.ID, m.Peer, m.From, m.Date, m.Edited, m.Flags, m.Origin,
		m.Nonce, m.Grouped, m.ReplyTo, m.Media, m.Body)
	if err != nil {
		return e, err
	}
	return e, t.record(e)
}

// SetMessage writes what may change of a message: edit time, flags, reply, medium and body.
func (t *Tx) SetMessage(m *Message) error {
	return t.execOne(messageUpdate, m.Box, m.ID, m.Edited, m.Flags, m.ReplyTo, m.Media, m.Body)
}

// DeleteMessage removes a message with its reactions; false when it was not there.
func (t *Tx) DeleteMessage(box ids.Peer, id int64) (bool, error) {
	var origin ids.Peer
	var nonce, date int64
	err := t.one(messageDelete, []any{box, id}, &origin, &nonce, &date)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err == nil && box.Kind() == ids.User && origin != box {
		err = t.exec(erasedPut, box, origin, nonce, date)
	}
	if err != nil {
		return false, err
	}
	if err := t.exec(reactionDrop, box, id); err != nil {
		return false, err
	}
	return true, t.exec(boxRemoved, box, 1)
}

// Erase notes that the copy of a message of another box is not to come, because the message was
// deleted at a time.
func (t *Tx) Erase(box, origin ids.Peer, nonce, date int64) error {
	return t.exec(erasedPut, box, origin, nonce, date)
}

// Erased tells whether the copy of a message of another box was deleted.
func (r *Reader) Erased(box, origin ids.Peer, nonce int64) (bool, error) {
	var date int64
	err := r.one(erasedGet, []any{box, origin, nonce}, &date)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// ForgetErased forgets which copies of messages from before a time were deleted. It is for
// housekeeping.
func (t *Tx) ForgetErased(before int64) error { return t.exec(erasedExpire, before) }

// SkipIDs leaves out n message ids of a box, so that an import may keep its own numbering.
func (t *Tx) SkipIDs(box ids.Peer, n int64) error { return t.exec(boxReserve, box, n) }

// AddViews adds to the counters of a channel post.
func (t *Tx) AddViews(channel ids.Peer, id, views, forwards int64) error {
	return t.exec(viewsAdd, channel, id, views, forwards)
}

// Views returns the counters of a channel post.
func (r *Reader) Views(channel ids.Peer, id int64) (views, forwards int64, err error) {
	err = r.one(viewsGet, []any{channel, id}, &views, &forwards)
	if errors.Is(err, ErrNotFound) {
		return 0, 0, nil
	}
	return views, forwards, err
}

// ViewCount is how often a channel post was seen and forwarded.
type ViewCount struct{ Views, Forwards int64 }

// ViewCounts returns the counters of the posts of a channel from first to last that have any.
func (r *Reader) ViewCounts(channel ids.Peer, first, last int64) (map[int64]ViewCount, error) {
	out := make(map[int64]ViewCount)
	err := r.each(viewsRange, []any{channel, first, last}, func(row rows) error {
		var id int64
		var c ViewCount
		if err := row.Scan(&id, &c.Views, &c.Forwards); err != nil {
			return err
		}
		out[id] = c
		return nil
	})
	return out, err
}

// Reaction is one user's reaction to one message: an emoji, or custom:ID.
type Reaction struct {
	User     ids.UserID
	Reaction string
	Date     int64
}

// ReactionCount is how many users chose a reaction.
type ReactionCount struct {
	Reaction string
	Count    int64
}

// SetReactions replaces a user's reactions to a message.
func (t *Tx) SetReactions(box ids.Peer, id int64, user ids.UserID, date int64, list []string) error {
	if err := t.exec(reactionClear, box, id, user); err != nil {
		return err
	}
	for i, reaction := range list {
		if err := t.exec(reactionPut, box, id, user, reaction, date+int64(i)); err != nil {
			return err
		}
	}
	return nil
}

// Reactions returns a message's reactions, newest first.
func (r *Reader) Reactions(box ids.Peer, id int64) ([]Reaction, error) {
	return r.reactions(reactionList, box, id)
}

// RecentReactions returns the newest reactions of a message.
func (r *Reader) RecentReactions(box ids.Peer, id int64, limit int) ([]Reaction, error) {
	return r.reactions(reactionRecent, box, id, limit)
}

func (r *Reader) reactions(st *statement, args ...any) ([]Reaction, error) {
	var out []Reaction
	err := r.each(st, args, func(row rows) error {
		var x Reaction
		if err := row.Scan(&x.User, &x.Reaction, &x.Date); err != nil {
			return err
		}
		out = append(out, x)
		return nil
	})
	return out, err
}

// ReactionCounts returns how often each reaction was chosen, most frequent first.
func (r *Reader) ReactionCounts(box ids.Peer, id int64) ([]ReactionCount, error) {
	var out []ReactionCount
	err := r.each(reactionCounts, []any{box, id}, func(row rows) error {
		var x ReactionCount
		if err := row.Scan(&x.Reaction, &x.Count); err != nil {
			return err
		}
		out = append(out, x)
		return nil
	})
	return out, err
}

// ReactionsOf returns what a user chose for a message, oldest first.
func (r *Reader) ReactionsOf(box ids.Peer, id int64, user ids.UserID) ([]string, error) {
	var out []string
	err := r.each(reactionOf, []any{box, id, user}, func(row rows) error {
		var s string
		var date int64
		if err := row.Scan(&s, &date); err != nil {
			return err
		}
		out = append(out, s)
		return nil
	})
	return out, err
}
