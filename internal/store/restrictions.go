package store

import (
	"errors"
	"strings"

	"parley/internal/ids"
)

// Restricts is what a restriction is about. Item and Author are 0 where the kind needs none.
type Restricts struct {
	Peer   ids.Peer
	Kind   int64
	Item   int64
	Author ids.UserID
}

// Restriction is one measure of one decision on one subject.
type Restriction struct {
	Restricts
	Decision int64
	Measure  int64
	// Territory are countries; none is everywhere.
	Territory []string
	Starts    int64
	// Ends is when it ends by itself, 0 for never; Ended when it did, 0 while it is in force.
	Ends, Ended int64
	Detail      string
}

const restrictionColumns = `peer_id, kind, item_id, author_id, decision_id, measure, territory,
	starts, ends, ended, detail`

var (
	restrictionPut = define("restriction.put", "restrictions", "peer_id",
		`insert into restrictions (`+restrictionColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		on conflict (peer_id, kind, item_id, author_id, decision_id, measure) do nothing`)
	restrictionForce = define("restriction.in_force", "restrictions", "peer_id",
		`select `+restrictionColumns+` from restrictions
		where peer_id = $1 and kind = $2 and item_id = $3 and author_id = $4 and ended = 0
		order by decision_id, measure`)
	restrictionDecided = define("restriction.decided", "restrictions", "peer_id",
		`select `+restrictionColumns+` from restrictions
		where peer_id = $1 and kind = $2 and item_id = $3 and author_id = $4
		and decision_id = $5 order by measure`)
	restrictionEnd = define("restriction.end", "restrictions", "peer_id",
		`update restrictions set ended = $7 where peer_id = $1 and kind = $2 and item_id = $3
		and author_id = $4 and decision_id = $5 and measure = $6 and ended = 0`)
	restrictionDue = define("restriction.due", "restrictions", acrossShards,
		`select `+restrictionColumns+` from restrictions
		where ended = 0 and ends > 0 and ends <= $1
		order by ends, peer_id, decision_id limit $2`)
	restrictionNext = define("restriction.next", "restrictions", acrossShards,
		`select ends from restrictions where ended = 0 and ends > 0 order by ends limit 1`)
	restrictionAll = define("restriction.accounts", "restrictions", acrossShards,
		`select distinct peer_id from restrictions where kind = $1 and ended = 0`)
	removedPut = define("removed.put", "removed_messages", "box_id",
		`insert into removed_messages (box_id, `+messageColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`)
	removedGet = define("removed.get", "removed_messages", "box_id",
		`select `+messageColumns+` from removed_messages where box_id = $1 and id = $2`)
	removedByOrigin = define("removed.by_origin", "removed_messages", "box_id",
		`select `+messageColumns+` from removed_messages
		where box_id = $1 and origin = $2 and nonce = $3`)
	messageCopies = define("message.copies", "messages", acrossShards,
		`select box_id from messages where origin = $1 and nonce = $2 and box_id > 0
		and box_id <> $1 order by box_id`)
	removedCopies = define("removed.copies", "removed_messages", acrossShards,
		`select box_id from removed_messages where origin = $1 and nonce = $2 and box_id > 0
		and box_id <> $1 order by box_id`)
	removedDrop = define("removed.drop", "removed_messages", "box_id",
		`delete from removed_messages where box_id = $1 and id = $2`)
	removedDropPeer = define("removed.drop_peer", "removed_messages", "box_id",
		`delete from removed_messages where box_id = $1 and peer_id = $2 and id <= $3`)
	messageTake = define("message.take", "messages", "box_id",
		`delete from messages where box_id = $1 and id = $2`)
	erasedDrop = define("erased.drop", "erased_messages", "box_id",
		`delete from erased_messages where box_id = $1 and origin = $2 and nonce = $3`)
	removedReactionPut = define("removed_reaction.put", "removed_reactions", "box_id",
		`insert into removed_reactions (box_id, id, user_id, reaction, date)
		values ($1, $2, $3, $4, $5) on conflict (box_id, id, user_id, reaction) do nothing`)
	removedReactionList = define("removed_reaction.list", "removed_reactions", "box_id",
		`select user_id, reaction, date from removed_reactions
		where box_id = $1 and id = $2 and user_id = $3 order by date, reaction`)
	removedReactionDrop = define("removed_reaction.drop", "removed_reactions", "box_id",
		`delete from removed_reactions where box_id = $1 and id = $2 and user_id = $3`)
	removedPhotoPut = define("removed_photo.put", "removed_photos", "peer_id",
		`insert into removed_photos (peer_id, media_id, date, used) values ($1, $2, $3, $4)
		on conflict (peer_id, media_id) do nothing`)
	removedPhotoGet = define("removed_photo.get", "removed_photos", "peer_id",
		`select date, used from removed_photos where peer_id = $1 and media_id = $2`)
	removedPhotoDrop = define("removed_photo.drop", "removed_photos", "peer_id",
		`delete from removed_photos where peer_id = $1 and media_id = $2`)
	removedMentionPut = define("removed_mention.put", "removed_mentions", "user_id",
		`insert into removed_mentions (user_id, peer_id, id) values ($1, $2, $3)
		on conflict (user_id, peer_id, id) do nothing`)
	removedMentionDrop = define("removed_mention.drop", "removed_mentions", "user_id",
		`delete from removed_mentions where user_id = $1 and peer_id = $2 and id = $3`)
	photoDate = define("profile_photo.date", "profile_photos", "peer_id",
		`select date from profile_photos where peer_id = $1 and media_id = $2`)
)

func (s Restricts) args(more ...any) []any {
	return append([]any{s.Peer, s.Kind, s.Item, s.Author}, more...)
}

func (r *Reader) restrictions(st *statement, args ...any) ([]Restriction, error) {
	var out []Restriction
	err := r.each(st, args, func(row rows) error {
		var x Restriction
		var territory string
		err := row.Scan(&x.Peer, &x.Kind, &x.Item, &x.Author, &x.Decision, &x.Measure, &territory,
			&x.Starts, &x.Ends, &x.Ended, &x.Detail)
		if territory != "" {
			x.Territory = strings.Split(territory, " ")
		}
		out = append(out, x)
		return err
	})
	return out, err
}

// Restrictions returns what is in force on a subject, by decision.
func (r *Reader) Restrictions(s Restricts) ([]Restriction, error) {
	return r.restrictions(restrictionForce, s.args()...)
}

// RestrictionsOf returns what one decision put on a subject, in force or not.
func (r *Reader) RestrictionsOf(s Restricts, decision int64) ([]Restriction, error) {
	return r.restrictions(restrictionDecided, s.args(decision)...)
}

// RestrictionsDue returns up to limit restrictions in force that end by a time, of all subjects.
func (r *Reader) RestrictionsDue(by int64, limit int) ([]Restriction, error) {
	return r.restrictions(restrictionDue, by, limit)
}

// NextRestrictionEnd returns when the next restriction ends by itself, 0 when none does.
func (r *Reader) NextRestrictionEnd() (at int64, err error) {
	err = r.one(restrictionNext, nil, &at)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	return at, err
}

// Restricted returns the peers on which themselves a restriction of a kind is in force.
func (r *Reader) Restricted(kind int64) ([]ids.Peer, error) { return r.peers(restrictionAll, kind) }

// PutRestriction writes a restriction; false when the decision had put it there before.
func (t *Tx) PutRestriction(x Restriction) (bool, error) {
	n, err := t.q.exec(t.ctx, restrictionPut, x.args(x.Decision, x.Measure,
		strings.Join(x.Territory, " "), x.Starts, x.Ends, x.Ended, x.Detail)...)
	return n > 0, err
}

// EndRestriction ends a restriction at a time; false when it was not in force.
func (t *Tx) EndRestriction(x Restriction, at int64) (bool, error) {
	n, err := t.q.exec(t.ctx, restrictionEnd, x.args(x.Decision, x.Measure, at)...)
	return n > 0, err
}

// RemoveMessage takes a message out of its box, so that it can be put back with its reactions.
func (t *Tx) RemoveMessage(m Message) error {
	err := t.exec(removedPut, m.Box, m.ID, m.Peer, m.From, m.Date, m.Edited, m.Flags, m.Origin,
		m.Nonce, m.Grouped, m.ReplyTo, m.Media, m.Body)
	if err != nil {
		return err
	}
	if err := t.exec(messageTake, m.Box, m.ID); err != nil {
		return err
	}
	if m.Box.Kind() == ids.User && m.Origin != m.Box {
		// Its delivery may be carried out again.
		if err := t.exec(erasedPut, m.Box, m.Origin, m.Nonce, m.Date); err != nil {
			return err
		}
	}
	return t.exec(boxRemoved, m.Box, 1)
}

// ReturnMessage puts a message that was taken away back into its box.
func (t *Tx) ReturnMessage(m Message) error {
	if err := t.exec(removedDrop, m.Box, m.ID); err != nil {
		return err
	}
	err := t.exec(messageInsert, m.Box, m.ID, m.Peer, m.From, m.Date, m.Edited, m.Flags, m.Origin,
		m.Nonce, m.Grouped, m.ReplyTo, m.Media, m.Body)
	if err != nil {
		return err
	}
	if m.Box.Kind() == ids.User && m.Origin != m.Box {
		if err := t.exec(erasedDrop, m.Box, m.Origin, m.Nonce); err != nil {
			return err
		}
	}
	return t.exec(boxRemoved, m.Box, -1)
}

// Removed returns a message that was taken out of a box.
func (r *Reader) Removed(box ids.Peer, id int64) (Message, error) {
	return r.message(box, removedGet, box, id)
}

// RemovedByOrigin is MessageByOrigin for messages that were taken away.
func (r *Reader) RemovedByOrigin(box, origin ids.Peer, nonce int64) (Message, error) {
	return r.message(box, removedByOrigin, box, origin, nonce)
}

// CopyHolders returns the accounts' boxes, besides its own, that have a copy of the message which
// was sent from a box under an id, shown or taken away.
func (r *Reader) CopyHolders(origin ids.Peer, id int64) (out []ids.Peer, err error) {
	for _, st := range []*statement{messageCopies, removedCopies} {
		err = r.each(st, []any{origin, id}, func(row rows) error {
			var box ids.Peer
			err := row.Scan(&box)
			out = append(out, box)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ForgetRemoved makes sure that a message that was taken away cannot be put back; false when there
// was none.
func (t *Tx) ForgetRemoved(box ids.Peer, id int64) (bool, error) {
	n, err := t.q.exec(t.ctx, removedDrop, box, id)
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.exec(reactionDrop, box, id)
}

// ForgetRemovedWith is ForgetRemoved for all messages with a peer up to an id.
func (t *Tx) ForgetRemovedWith(box, peer ids.Peer, upTo int64) error {
	return t.exec(removedDropPeer, box, peer, upTo)
}

// RemoveReactions keeps what a user chose for a message, so that it can be put back. Taking it away
// is SetReactions.
func (t *Tx) RemoveReactions(box ids.Peer, id int64, list []Reaction) error {
	for _, x := range list {
		if err := t.exec(removedReactionPut, box, id, x.User, x.Reaction, x.Date); err != nil {
			return err
		}
	}
	return nil
}

// RemovedReactions returns what RemoveReactions kept, oldest first.
func (r *Reader) RemovedReactions(box ids.Peer, id int64, user ids.UserID) ([]Reaction, error) {
	return r.reactions(removedReactionList, box, id, user)
}

// ForgetRemovedReactions forgets what RemoveReactions kept.
func (t *Tx) ForgetRemovedReactions(box ids.Peer, id int64, user ids.UserID) error {
	return t.exec(removedReactionDrop, box, id, user)
}

// RemoveMention keeps that a message that is taken away mentions somebody who had not looked at it.
// Taking the mention off is DropMention.
func (t *Tx) RemoveMention(user ids.UserID, peer ids.Peer, id int64) error {
	return t.exec(removedMentionPut, user, peer, id)
}

// ForgetRemovedMention forgets what RemoveMention kept; false when that is nothing.
func (t *Tx) ForgetRemovedMention(user ids.UserID, peer ids.Peer, id int64) (bool, error) {
	n, err := t.q.exec(t.ctx, removedMentionDrop, user, peer, id)
	return n > 0, err
}

// RemovePhoto takes a photo off those of a peer, so that it can be put back; used says that it was
// the one shown. False when the peer does not have it.
func (t *Tx) RemovePhoto(peer ids.Peer, id int64, used bool) (bool, error) {
	var date int64
	err := t.one(photoDate, []any{peer, id}, &date)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var bit int64
	if used {
		bit = 1
	}
	if err := t.exec(removedPhotoPut, peer, id, date, bit); err != nil {
		return false, err
	}
	return true, t.exec(photoDelete, peer, id)
}

// PhotoRemoved tells whether a photo was taken off those of a peer and can be put back.
func (r *Reader) PhotoRemoved(peer ids.Peer, id int64) (bool, error) {
	var date, bit int64
	err := r.one(removedPhotoGet, []any{peer, id}, &date, &bit)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// ReturnPhoto puts a photo back that RemovePhoto took and says whether it was the one shown;
// ErrNotFound when there is none.
func (t *Tx) ReturnPhoto(peer ids.Peer, id int64) (used bool, err error) {
	var date, bit int64
	if err := t.one(removedPhotoGet, []any{peer, id}, &date, &bit); err != nil {
		return false, err
	}
	if err := t.exec(photoPut, peer, id, date); err != nil {
		return false, err
	}
	return bit == 1, t.exec(removedPhotoDrop, peer, id)
}
