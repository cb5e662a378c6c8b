package store

import (
	"errors"

	"parley/internal/ids"
)

// FirstPts is the pts of a box in which nothing has happened.
const FirstPts = 1

// Box is the state of a message box: a user's common box, or a channel's.
//
// https://core.telegram.org/api/updates#message-related-event-sequences
type Box struct {
	ID       ids.Peer
	Pts      int64
	TopID    int64
	TopDate  int64
	Messages int64
}

// Event is one entry of a box's log. Pts is the box's pts after it and Count how many events it
// stands for; a Count of 0 is a change without a pts of its own, told apart by Sub.
type Event struct {
	Box   ids.Peer
	Pts   int64
	Sub   int64
	Count int64
	Date  int64
	Kind  int64
	Body  []byte
	// Message is the message that AddMessage stored with the entry. An entry that was read has none.
	Message *Message
	// Announced says that the entry stands in no log and has no place in it.
	Announced bool
}

// Outbox is something that one box has to tell another. (Box, N) identifies it for ever.
type Outbox struct {
	Box    ids.Peer
	N      int64
	Target ids.Peer
	Kind   int64
	Body   []byte
}

var (
	boxGet = define("box.get", "boxes", "box_id",
		`select pts, top_id, top_date, messages from boxes where box_id = $1`)
	boxNextMessage = define("box.next_message", "boxes", "box_id",
		`insert into boxes (box_id, pts, event, top_id, top_date, messages, outbox)
		values ($1, 2, 0, 1, $2, 1, $3)
		on conflict (box_id) do update set pts = boxes.pts + 1, top_id = boxes.top_id + 1,
		top_date = excluded.top_date, messages = boxes.messages + 1,
		outbox = boxes.outbox + excluded.outbox
		returning pts, top_id, outbox`)
	boxAllot = define("box.allot", "boxes", "box_id",
		`insert into boxes (box_id, pts, event, top_id, top_date, messages, outbox)
		values ($1, 1 + $2, $3, 0, 0, 0, 0)
		on conflict (box_id) do update set pts = boxes.pts + $2, event = boxes.event + $3
		returning pts, event`)
	boxNextOutbox = define("box.next_outbox", "boxes", "box_id",
		`insert into boxes (box_id, pts, event, top_id, top_date, messages, outbox)
		values ($1, 1, 0, 0, 0, 0, 1)
		on conflict (box_id) do update set outbox = boxes.outbox + 1
		returning outbox`)
	boxRemoved = define("box.removed", "boxes", "box_id",
		`update boxes set messages = messages - $2 where box_id = $1`)
	boxReserve = define("box.reserve", "boxes", "box_id",
		`update boxes set top_id = top_id + $2 where box_id = $1`)
	eventInsert = define("update.insert", "updates", "box_id",
		`insert into updates (box_id, pts, sub, pts_count, date, kind, body)
		values ($1, $2, $3, $4, $5, $6, $7)`)
	eventRange = define("update.range", "updates", "box_id",
		`select pts, sub, pts_count, date, kind, body from updates
		where box_id = $1 and pts >= $2 and (pts > $2 or sub > 0) and (pts_count > 0 or date >= $3)
		order by pts, sub limit $4`)
	eventTrim = define("update.trim", "updates", "box_id",
		`delete from updates where box_id = $1 and pts <= $2`)
	eventTrimAll = define("update.trim_all", "updates", acrossShards,
		`delete from updates where date < $1 and pts < (select b.pts from boxes b
		where b.box_id = updates.box_id)`)
	eventFirst = define("update.first", "updates", "box_id",
		`select pts - pts_count from updates where box_id = $1 and pts_count > 0
		order by pts limit 1`)
	outboxInsert = define("outbox.insert", "outbox", "box_id",
		`insert into outbox (box_id, n, target, kind, body) values ($1, $2, $3, $4, $5)`)
	outboxDelete = define("outbox.delete", "outbox", "box_id",
		`delete from outbox where box_id = $1 and n >= $2 and n <= $3`)
	outboxAll = define("outbox.all", "outbox", acrossShards,
		`select box_id, n, target, kind, body from outbox order by box_id, n limit $1`)
	outboxOf = define("outbox.of", "outbox", "box_id",
		`select n, target, kind, body from outbox where box_id = $1 order by n limit $2`)
)

// Box returns the state of a box; one in which nothing has happened has FirstPts.
func (r *Reader) Box(id ids.Peer) (Box, error) {
	b := Box{ID: id, Pts: FirstPts}
	err := r.one(boxGet, []any{id}, &b.Pts, &b.TopID, &b.TopDate, &b.Messages)
	if errors.Is(err, ErrNotFound) {
		return b, nil
	}
	return b, err
}

// Events returns the entries after pts, at most limit, oldest first. Entries without a pts are
// included when they are not older than since.
func (r *Reader) Events(box ids.Peer, pts, since int64, limit int) ([]Event, error) {
	var out []Event
	err := r.each(eventRange, []any{box, pts, since, limit}, func(row rows) error {
		e := Event{Box: box}
		out = append(out, e)
		last := &out[len(out)-1]
		return row.Scan(&last.Pts, &last.Sub, &last.Count, &last.Date, &last.Kind, &last.Body)
	})
	return out, err
}

// FirstEvent returns the pts before the oldest entry that is kept: differences from before it can
// no longer be answered. A box without entries gives its own pts.
func (r *Reader) FirstEvent(box ids.Peer) (int64, error) {
	var pts int64
	err := r.one(eventFirst, []any{box}, &pts)
	if errors.Is(err, ErrNotFound) {
		b, err := r.Box(box)
		return b.Pts, err
	}
	return pts, err
}

// Append adds an entry to a box's log and allots its pts (or, for a Count of 0, its place after the
// current one). It returns the entry as stored; listeners hear of it after the commit.
func (t *Tx) Append(e Event) (Event, error) {
	var event, sub int64
	if e.Count == 0 {
		sub = 1
	}
	if err := t.one(boxAllot, []any{e.Box, e.Count, sub}, &e.Pts, &event); err != nil {
		return e, err
	}
	if e.Count == 0 {
		e.Sub = event
	}
	return e, t.record(e)
}

func (t *Tx) record(e Event) error {
	if e.Body == nil {
		e.Body = []byte{}
	}
	err := t.exec(eventInsert, e.Box, e.Pts, e.Sub, e.Count, e.Date, e.Kind, e.Body)
	if err != nil {
		return err
	}
	t.commit.Events = append(t.commit.Events, e)
	return nil
}

// Announce tells listeners of an entry that stands in no log: what it is about is kept elsewhere,
// and is read from there by whoever was not listening.
func (t *Tx) Announce(e Event) {
	e.Announced = true
	t.commit.Events = append(t.commit.Events, e)
}

// TrimEvents forgets the entries of a box up to pts.
func (t *Tx) TrimEvents(box ids.Peer, pts int64) error { return t.exec(eventTrim, box, pts) }

// TrimOldEvents forgets the entries of all boxes from before a time, but for the last of each box. It
// is for housekeeping.
func (t *Tx) TrimOldEvents(before int64) error { return t.exec(eventTrimAll, before) }

// WillTell says how many outbox rows will be told from the box of the message that is added next;
// AddMessage then allots their numbers along with the message's id, which spares a statement each.
func (t *Tx) WillTell(n int) { t.tells = allotted{left: int64(n)} }

// Tell writes an outbox row: the target will learn of it after the commit, in the order of the
// calls, at least once.
func (t *Tx) Tell(o Outbox) error {
	if t.tells.left > 0 && t.tells.box == o.Box {
		o.N = t.tells.last - t.tells.left + 1
		t.tells.left--
	} else if err := t.one(boxNextOutbox, []any{o.Box}, &o.N); err != nil {
		return err
	}
	if err := t.exec(outboxInsert, o.Box, o.N, o.Target, o.Kind, o.Body); err != nil {
		return err
	}
	t.commit.Outbox = append(t.commit.Outbox, o)
	return nil
}

// Told removes the outbox rows from first to last, which have been carried out.
func (t *Tx) Told(box ids.Peer, first, last int64) error {
	return t.exec(outboxDelete, box, first, last)
}

// Outbox returns up to limit rows that wait, of all boxes, each box's in order. It is for start-up.
func (r *Reader) Outbox(limit int) ([]Outbox, error) {
	var out []Outbox
	err := r.each(outboxAll, []any{limit}, func(row rows) error {
		var o Outbox
		if err := row.Scan(&o.Box, &o.N, &o.Target, &o.Kind, &o.Body); err != nil {
			return err
		}
		out = append(out, o)
		return nil
	})
	return out, err
}

// OutboxOf returns up to limit rows that wait in one box, in order.
func (r *Reader) OutboxOf(box ids.Peer, limit int) ([]Outbox, error) {
	var out []Outbox
	err := r.each(outboxOf, []any{box, limit}, func(row rows) error {
		o := Outbox{Box: box}
		if err := row.Scan(&o.N, &o.Target, &o.Kind, &o.Body); err != nil {
			return err
		}
		out = append(out, o)
		return nil
	})
	return out, err
}
