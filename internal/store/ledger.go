package store

import "parley/internal/ids"

// LedgerRow is a line for the public log: its entry is public, salt and record are not. What its
// kind means is decided in safety/ledger.
type LedgerRow struct {
	Subject ids.Peer
	ID      int64
	Kind    int64
	Date    int64
	Entry   []byte
	Salt    []byte
	Record  []byte
	// Logged is the row's place in the log plus one, 0 while it waits.
	Logged int64
}

const ledgerColumns = `subject_id, id, kind, date, entry, salt, record, logged`

var (
	ledgerAdd = define("ledger.add", "ledger", "subject_id",
		`insert into ledger (`+ledgerColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8)`)
	ledgerOf = define("ledger.of", "ledger", "subject_id",
		`select `+ledgerColumns+` from ledger where subject_id = $1 order by id, kind`)
	ledgerGet = define("ledger.get", "ledger", "subject_id",
		`select `+ledgerColumns+` from ledger where subject_id = $1 and id = $2 and kind = $3`)
	ledgerPending = define("ledger.pending", "ledger", acrossShards,
		`select `+ledgerColumns+` from ledger where logged = 0 order by id, kind limit $1`)
	ledgerLast = define("ledger.last", "ledger", acrossShards,
		`select coalesce(max(logged), 0) from ledger where logged > 0`)
	ledgerLogged = define("ledger.logged", "ledger", "subject_id",
		`update ledger set logged = $4 where subject_id = $1 and id = $2 and kind = $3`)
)

// AddLedgerRow stores a line for the log; ErrConflict when there is one of that id and kind.
func (t *Tx) AddLedgerRow(l LedgerRow) error {
	return t.exec(ledgerAdd, l.Subject, l.ID, l.Kind, l.Date, l.Entry, l.Salt, l.Record, l.Logged)
}

// LedgerRowLogged notes a line's place in the log plus one. ErrNotFound.
func (t *Tx) LedgerRowLogged(l LedgerRow) error {
	return t.execOne(ledgerLogged, l.Subject, l.ID, l.Kind, l.Logged)
}

// LedgerRow returns a line.
func (r *Reader) LedgerRow(subject ids.Peer, id, kind int64) (LedgerRow, error) {
	list, err := r.ledgerRows(ledgerGet, subject, id, kind)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return LedgerRow{}, err
	}
	return list[0], nil
}

// LedgerRowsOf returns the lines about a subject, oldest first.
func (r *Reader) LedgerRowsOf(subject ids.Peer) ([]LedgerRow, error) {
	return r.ledgerRows(ledgerOf, subject)
}

// PendingLedgerRows returns up to limit lines that are not in the log yet, oldest first.
func (r *Reader) PendingLedgerRows(limit int) ([]LedgerRow, error) {
	return r.ledgerRows(ledgerPending, limit)
}

// LastLedgerRow returns the highest place in the log of any line, plus one; 0 when none is in it.
func (r *Reader) LastLedgerRow() (n int64, err error) {
	err = r.one(ledgerLast, nil, &n)
	return n, err
}

func (r *Reader) ledgerRows(st *statement, args ...any) (out []LedgerRow, err error) {
	err = r.each(st, args, func(row rows) error {
		var l LedgerRow
		err := row.Scan(&l.Subject, &l.ID, &l.Kind, &l.Date, &l.Entry, &l.Salt, &l.Record,
			&l.Logged)
		if err != nil {
			return err
		}
		out = append(out, l)
		return nil
	})
	return out, err
}
