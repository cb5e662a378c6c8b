package store

import (
	"errors"

	"parley/internal/ids"
)

var (
	messageTermPut = define("message_term.put", "message_terms", "box_id",
		`insert into message_terms (box_id, term, id) values ($1, $2, $3)
		on conflict (box_id, term, id) do nothing`)
	messageTermIDs = define("message_term.ids", "message_terms", "box_id",
		`select id from message_terms where box_id = $1 and term = $2 and id < $3
		order by id desc limit $4`)
	messageTermClear = define("message_term.clear", "message_terms", "box_id",
		`delete from message_terms where box_id = $1`)
	searchMarkGet = define("search_mark.get", "search_marks", "box_id",
		`select id, pts, pipeline from search_marks where box_id = $1`)
	searchMarkPut = define("search_mark.put", "search_marks", "box_id",
		`insert into search_marks (box_id, id, pts, pipeline) values ($1, $2, $3, $4)
		on conflict (box_id) do update set id = excluded.id, pts = excluded.pts,
		pipeline = excluded.pipeline`)
)

// SearchMark says how far a channel is indexed: up to message ID, with the edits up to Pts, by a
// version of the terms.
type SearchMark struct {
	ID       int64
	Pts      int64
	Pipeline string
}

// SearchMark returns how far a channel is indexed; the zero mark when it is not.
func (r *Reader) SearchMark(channel ids.Peer) (m SearchMark, err error) {
	err = r.one(searchMarkGet, []any{channel}, &m.ID, &m.Pts, &m.Pipeline)
	if errors.Is(err, ErrNotFound) {
		return SearchMark{}, nil
	}
	return m, err
}

// SetSearchMark writes how far a channel is indexed.
func (t *Tx) SetSearchMark(channel ids.Peer, m SearchMark) error {
	return t.exec(searchMarkPut, channel, m.ID, m.Pts, m.Pipeline)
}

// AddMessageTerm lets a message be found by a term.
func (t *Tx) AddMessageTerm(channel ids.Peer, term string, id int64) error {
	return t.exec(messageTermPut, channel, term, id)
}

// ClearMessageTerms empties the index of a channel.
func (t *Tx) ClearMessageTerms(channel ids.Peer) error { return t.exec(messageTermClear, channel) }

// MessagesByTerm returns up to limit ids of messages with a term, below an id, newest first.
func (r *Reader) MessagesByTerm(channel ids.Peer, term string, below int64, limit int) ([]int64, error) {
	var out []int64
	err := r.each(messageTermIDs, []any{channel, term, below, limit}, func(row rows) error {
		var id int64
		if err := row.Scan(&id); err != nil {
			return err
		}
		out = append(out, id)
		return nil
	})
	return out, err
}
