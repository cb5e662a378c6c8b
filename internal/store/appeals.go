package store

import "parley/internal/ids"

// Appeal is a complaint against a decision.
type Appeal struct {
	Subject  ids.Peer
	ID       int64
	Decision int64
	// Report is that of a notifier whose notice led to nothing, 0 for whom the decision concerns.
	Report int64
	Person ids.UserID
	State  int64
	Lang   string
	// First and Second decided before and may neither be Assignee nor Reviewer.
	First, Second      int64
	Assignee, Reviewer int64
	// Replaced is the decision that took the first one's place.
	Replaced         int64
	Created, Decided int64
	Reason           string
}

// AppealMessage is a line of the dialogue about an appeal. Staff is 0 for the person.
type AppealMessage struct {
	Subject ids.Peer
	Appeal  int64
	ID      int64
	Staff   int64
	Origin  int64
	Date    int64
	Body    string
}

// Settlement is an out-of-court settlement of a dispute about a decision.
type Settlement struct {
	Subject     ids.Peer
	ID          int64
	Decision    int64
	Body        string
	Opened      int64
	Decided     int64
	Result      int64
	Implemented int64
	Note        string
	By          int64
}

const (
	appealColumns = `subject_id, id, decision_id, report_id, person, state, lang, first_by,
		second_by, assignee, reviewer, replaced_by, created, decided, reason`
	settlementColumns = `subject_id, id, decision_id, body, opened, decided, result, implemented,
		note, recorded_by`
)

var (
	appealAdd = define("appeal.add", "appeals", "subject_id",
		`insert into appeals (`+appealColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`)
	appealChange = define("appeal.change", "appeals", "subject_id",
		`update appeals set state = $3, assignee = $4, reviewer = $5, replaced_by = $6,
		decided = $7, reason = $8 where subject_id = $1 and id = $2`)
	appealGet = define("appeal.get", "appeals", "subject_id",
		`select `+appealColumns+` from appeals where subject_id = $1 and id = $2`)
	appealOf = define("appeal.of", "appeals", "subject_id",
		`select `+appealColumns+` from appeals where subject_id = $1 and decision_id = $2
		order by id`)
	appealOpen = define("appeal.open", "appeals", acrossShards,
		`select `+appealColumns+` from appeals where state = 1 and id > $1 order by id limit $2`)
	appealPerson = define("appeal.person", "appeals", acrossShards,
		`select `+appealColumns+` from appeals where person > 0 and person = $1 and id < $2
		order by id desc limit $3`)
	appealSince = define("appeal.since", "appeals", acrossShards,
		`select `+appealColumns+` from appeals where id >= $1 and id < $2
		order by id, subject_id limit $3`)
	appealSay = define("appeal_message.add", "appeal_messages", "subject_id",
		`insert into appeal_messages (subject_id, appeal_id, id, staff, origin, date, body)
		values ($1, $2, $3, $4, $5, $6, $7)`)
	appealSaid = define("appeal_message.list", "appeal_messages", "subject_id",
		`select id, staff, origin, date, body from appeal_messages
		where subject_id = $1 and appeal_id = $2 order by id`)
	settlementPut = define("settlement.put", "settlements", "subject_id",
		`insert into settlements (`+settlementColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		on conflict (subject_id, id) do update set decided = excluded.decided,
		result = excluded.result, implemented = excluded.implemented, note = excluded.note,
		recorded_by = excluded.recorded_by`)
	settlementOf = define("settlement.of", "settlements", "subject_id",
		`select `+settlementColumns+` from settlements
		where subject_id = $1 and decision_id = $2 order by id`)
	settlementSince = define("settlement.since", "settlements", acrossShards,
		`select `+settlementColumns+` from settlements where id >= $1 and id < $2
		order by id limit $3`)
)

func (a *Appeal) fields() []any {
	return []any{
		&a.Subject, &a.ID, &a.Decision, &a.Report, &a.Person, &a.State, &a.Lang, &a.First,
		&a.Second, &a.Assignee, &a.Reviewer, &a.Replaced, &a.Created, &a.Decided, &a.Reason,
	}
}

// AddAppeal stores a new appeal; ErrConflict when the same complaint was made before.
func (t *Tx) AddAppeal(a Appeal) error {
	return t.exec(appealAdd, a.Subject, a.ID, a.Decision, a.Report, a.Person, a.State, a.Lang,
		a.First, a.Second, a.Assignee, a.Reviewer, a.Replaced, a.Created, a.Decided, a.Reason)
}

// ChangeAppeal writes who has an appeal and how it was decided. ErrNotFound.
func (t *Tx) ChangeAppeal(a Appeal) error {
	return t.execOne(appealChange, a.Subject, a.ID, a.State, a.Assignee, a.Reviewer, a.Replaced,
		a.Decided, a.Reason)
}

// Appeal returns an appeal.
func (r *Reader) Appeal(subject ids.Peer, id int64) (a Appeal, err error) {
	err = r.one(appealGet, []any{subject, id}, a.fields()...)
	return a, err
}

// AppealsOf returns the appeals against a decision, oldest first.
func (r *Reader) AppealsOf(subject ids.Peer, decision int64) ([]Appeal, error) {
	return r.appeals(appealOf, subject, decision)
}

// AppealsBy returns up to limit appeals of a person with ids below one, newest first.
func (r *Reader) AppealsBy(person ids.UserID, below int64, limit int) ([]Appeal, error) {
	return r.appeals(appealPerson, person, below, limit)
}

// OpenAppeals returns up to limit undecided appeals with ids above one, oldest first.
func (r *Reader) OpenAppeals(after int64, limit int) ([]Appeal, error) {
	return r.appeals(appealOpen, after, limit)
}

// AppealsBetween returns up to limit appeals with ids from one up to before another.
func (r *Reader) AppealsBetween(from, to int64, limit int) ([]Appeal, error) {
	return r.appeals(appealSince, from, to, limit)
}

func (r *Reader) appeals(st *statement, args ...any) (out []Appeal, err error) {
	err = r.each(st, args, func(row rows) error {
		var a Appeal
		if err := row.Scan(a.fields()...); err != nil {
			return err
		}
		out = append(out, a)
		return nil
	})
	return out, err
}

// SayInAppeal adds a line to the dialogue about an appeal; ErrConflict for an origin that came
// before.
func (t *Tx) SayInAppeal(m AppealMessage) error {
	return t.exec(appealSay, m.Subject, m.Appeal, m.ID, m.Staff, m.Origin, m.Date, m.Body)
}

// AppealMessages returns the dialogue about an appeal, oldest first.
func (r *Reader) AppealMessages(subject ids.Peer, appeal int64) (out []AppealMessage, err error) {
	err = r.each(appealSaid, []any{subject, appeal}, func(row rows) error {
		m := AppealMessage{Subject: subject, Appeal: appeal}
		if err := row.Scan(&m.ID, &m.Staff, &m.Origin, &m.Date, &m.Body); err != nil {
			return err
		}
		out = append(out, m)
		return nil
	})
	return out, err
}

// PutSettlement writes an out-of-court settlement.
func (t *Tx) PutSettlement(s Settlement) error {
	return t.exec(settlementPut, s.Subject, s.ID, s.Decision, s.Body, s.Opened, s.Decided, s.Result,
		s.Implemented, s.Note, s.By)
}

// SettlementsOf returns the settlements about a decision, oldest first.
func (r *Reader) SettlementsOf(subject ids.Peer, decision int64) ([]Settlement, error) {
	return r.settlements(settlementOf, subject, decision)
}

// SettlementsBetween returns up to limit settlements with ids from one up to before another.
func (r *Reader) SettlementsBetween(from, to int64, limit int) ([]Settlement, error) {
	return r.settlements(settlementSince, from, to, limit)
}

func (r *Reader) settlements(st *statement, args ...any) (out []Settlement, err error) {
	err = r.each(st, args, func(row rows) error {
		var s Settlement
		err := row.Scan(&s.Subject, &s.ID, &s.Decision, &s.Body, &s.Opened, &s.Decided, &s.Result,
			&s.Implemented, &s.Note, &s.By)
		if err != nil {
			return err
		}
		out = append(out, s)
		return nil
	})
	return out, err
}
