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
		`select pts, pipeline from search_marks where box_id = $1`)
	searchMarkPut = define("search_mark.put", "search_marks", "box_id",
		`insert into search_marks (box_id, pts, pipeline) values ($1, $2, $3)
		on conflict (box_id) do update set pts = excluded.pts, pipeline = excluded.pipeline`)
)

// SearchMark returns up to which pts a channel is indexed and by which version of the terms; FirstPts
// and "" when it is not.
func (r *Reader) SearchMark(channel ids.Peer) (pts int64, pipeline string, err error) {
	err = r.one(searchMarkGet, []any{channel}, &pts, &pipeline)
	if errors.Is(err, ErrNotFound) {
		return FirstPts, "", nil
	}
	return pts, pipeline, err
}

// SetSearchMark writes up to which pts a channel is indexed.
func (t *Tx) SetSearchMark(channel ids.Peer, pts int64, pipeline string) error {
	return t.exec(searchMarkPut, channel, pts, pipeline)
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
