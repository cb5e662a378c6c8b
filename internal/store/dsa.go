package store

import "parley/internal/ids"

// DSAStatement is a statement of reasons that is owed to the EU's DSA Transparency Database. What
// it says follows from its decision; what states and flags mean is decided in safety/dsadb.
type DSAStatement struct {
	Subject  ids.Peer
	Decision int64
	State    int64
	Flags    int64
	Created  int64
	// Due is when sending is tried next, Tries how often it was.
	Due, Tries int64
	// Shown is when a dry run wrote it down, Settled when nothing more was to be done about it.
	Shown, Settled int64
	// Receipt is the database's name for it, Problem why it was not taken.
	Receipt, Problem string
}

// DSACount is how many statements are in a state, and when the oldest of them was owed.
type DSACount struct{ State, Count, Oldest int64 }

const dsaColumns = `subject_id, decision_id, state, flags, created, due, tries, shown, settled,
	receipt, problem`

var (
	dsaOwe = define("dsa.owe", "dsa_statements", "subject_id",
		`insert into dsa_statements (`+dsaColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		on conflict (subject_id, decision_id) do nothing`)
	dsaChange = define("dsa.change", "dsa_statements", "subject_id",
		`update dsa_statements set state = $3, flags = $4, due = $5, tries = $6, shown = $7,
		settled = $8, receipt = $9, problem = $10 where subject_id = $1 and decision_id = $2`)
	dsaGet = define("dsa.get", "dsa_statements", "subject_id",
		`select `+dsaColumns+` from dsa_statements where subject_id = $1 and decision_id = $2`)
	dsaOwed = define("dsa.owed", "dsa_statements", acrossShards,
		`select `+dsaColumns+` from dsa_statements where state = $1 and due <= $2
		and shown <= $3 order by due, decision_id limit $4`)
	dsaIn = define("dsa.in", "dsa_statements", acrossShards,
		`select `+dsaColumns+` from dsa_statements where state = $1 and decision_id > $2
		order by decision_id limit $3`)
	dsaCount = define("dsa.count", "dsa_statements", acrossShards,
		`select state, count(*), min(created) from dsa_statements
		where decision_id >= $1 and decision_id < $2 group by state order by state`)
)

func (s *DSAStatement) fields() []any {
	return []any{
		&s.Subject, &s.Decision, &s.State, &s.Flags, &s.Created, &s.Due, &s.Tries, &s.Shown,
		&s.Settled, &s.Receipt, &s.Problem,
	}
}

// OweDSAStatement writes down that a statement is owed; nothing happens when it was already.
func (t *Tx) OweDSAStatement(s DSAStatement) error {
	return t.exec(dsaOwe, s.Subject, s.Decision, s.State, s.Flags, s.Created, s.Due,
		s.Tries, s.Shown, s.Settled, s.Receipt, s.Problem)
}

// ChangeDSAStatement writes how far a statement is. ErrNotFound.
func (t *Tx) ChangeDSAStatement(s DSAStatement) error {
	return t.execOne(dsaChange, s.Subject, s.Decision, s.State, s.Flags, s.Due, s.Tries,
		s.Shown, s.Settled, s.Receipt, s.Problem)
}

// DSAStatement returns what is known of the statement about a decision.
func (r *Reader) DSAStatement(subject ids.Peer, decision int64) (s DSAStatement, err error) {
	err = r.one(dsaGet, []any{subject, decision}, s.fields()...)
	return s, err
}

// DueDSAStatements returns up to limit statements in a state that are due at a time and were shown
// no later than another, those due first first.
func (r *Reader) DueDSAStatements(state, at, shown int64, limit int) ([]DSAStatement, error) {
	return r.dsaStatements(dsaOwed, state, at, shown, limit)
}

// DSAStatementsIn returns up to limit statements in a state about decisions with ids above one.
func (r *Reader) DSAStatementsIn(state, after int64, limit int) ([]DSAStatement, error) {
	return r.dsaStatements(dsaIn, state, after, limit)
}

// CountDSAStatements counts the statements about decisions with ids from one to below another.
func (r *Reader) CountDSAStatements(from, below int64) (out []DSACount, err error) {
	err = r.each(dsaCount, []any{from, below}, func(row rows) error {
		var c DSACount
		err := row.Scan(&c.State, &c.Count, &c.Oldest)
		out = append(out, c)
		return err
	})
	return out, err
}

func (r *Reader) dsaStatements(st *statement, args ...any) (out []DSAStatement, err error) {
	err = r.each(st, args, func(row rows) error {
		var s DSAStatement
		err := row.Scan(s.fields()...)
		out = append(out, s)
		return err
	})
	return out, err
}
