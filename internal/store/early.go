package store

import "parley/internal/ids"

var (
	earlyPut = define("early.put", "early_tells", "box_id",
		`insert into early_tells (box_id, origin, nonce, tell_box, tell_n, kind, body, date)
		values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (box_id, origin, nonce, tell_box, tell_n) do nothing`)
	earlyOf = define("early.of", "early_tells", "box_id",
		`select tell_box, tell_n, kind, body from early_tells
		where box_id = $1 and origin = $2 and nonce = $3 order by tell_box, tell_n`)
	earlyDelete = define("early.delete", "early_tells", "box_id",
		`delete from early_tells where box_id = $1 and origin = $2 and nonce = $3`)
	earlyExpire = define("early.expire", "early_tells", acrossShards,
		`delete from early_tells where date < $1`)
)

// PutEarly keeps an outbox row that is about a message whose copy has not come yet.
func (t *Tx) PutEarly(origin ids.Peer, nonce, date int64, o Outbox) error {
	return t.exec(earlyPut, o.Target, origin, nonce, o.Box, o.N, o.Kind, o.Body, date)
}

// TakeEarly returns the outbox rows that waited for a message's copy in a box, those of one box in
// their order, and forgets them.
func (t *Tx) TakeEarly(box, origin ids.Peer, nonce int64) ([]Outbox, error) {
	var out []Outbox
	err := t.each(earlyOf, []any{box, origin, nonce}, func(row rows) error {
		o := Outbox{Target: box}
		err := row.Scan(&o.Box, &o.N, &o.Kind, &o.Body)
		out = append(out, o)
		return err
	})
	if err != nil || len(out) == 0 {
		return nil, err
	}
	return out, t.exec(earlyDelete, box, origin, nonce)
}

// ForgetEarly forgets the rows from before a time whose message has never come. It is for
// housekeeping.
func (t *Tx) ForgetEarly(before int64) error { return t.exec(earlyExpire, before) }
