package store

import "parley/internal/ids"

// Duty is something that the law wants told to somebody else about a case. What its kind, state and
// flags mean is decided in safety/duty.
type Duty struct {
	Subject ids.Peer
	ID      int64
	Kind    int64
	Case    int64
	State   int64
	Flags   int64
	// By drew it up, Second approved it.
	By, Second int64
	Created    int64
	// Due is when sending is tried next, or by when somebody has to act; Tries is how often it was
	// tried.
	Due, Tries int64
	// Settled is when nothing more was to be done, 0 before.
	Settled int64
	// Place is what the receiver calls it while it is being handed over, Receipt what proves that
	// he has it, Problem why he has not.
	Place, Receipt, Problem string
	Body                    []byte
}

// DutyCount is how many duties of a kind are in a state.
type DutyCount struct{ State, Count, Oldest int64 }

const dutyColumns = `subject_id, duty_id, kind, case_id, state, flags, by_staff, second, created,
	due, tries, settled, place, receipt, problem, body`

var (
	dutyPut = define("duty.put", "duties", "subject_id",
		`insert into duties (`+dutyColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		on conflict (subject_id, duty_id) do update set state = excluded.state,
		flags = excluded.flags, by_staff = excluded.by_staff, second = excluded.second,
		due = excluded.due, tries = excluded.tries, settled = excluded.settled,
		place = excluded.place, receipt = excluded.receipt, problem = excluded.problem,
		body = excluded.body`)
	dutyGet = define("duty.get", "duties", "subject_id",
		`select `+dutyColumns+` from duties where subject_id = $1 and duty_id = $2`)
	dutyOfCase = define("duty.of_case", "duties", "subject_id",
		`select `+dutyColumns+` from duties where subject_id = $1 and case_id = $2
		order by duty_id`)
	dutyDue = define("duty.due", "duties", acrossShards,
		`select `+dutyColumns+` from duties where kind = $1 and state = $2 and due <= $3
		order by due, duty_id limit $4`)
	dutyIn = define("duty.in", "duties", acrossShards,
		`select `+dutyColumns+` from duties where kind = $1 and state = $2 and duty_id > $3
		order by duty_id limit $4`)
	dutyCount = define("duty.count", "duties", acrossShards,
		`select state, count(*), min(created) from duties
		where kind = $1 and duty_id >= $2 and duty_id < $3 group by state order by state`)
)

func (d *Duty) fields() []any {
	return []any{
		&d.Subject, &d.ID, &d.Kind, &d.Case, &d.State, &d.Flags, &d.By, &d.Second, &d.Created,
		&d.Due, &d.Tries, &d.Settled, &d.Place, &d.Receipt, &d.Problem, &d.Body,
	}
}

// PutDuty writes a duty. Of one that is there, what it is about stays.
func (t *Tx) PutDuty(d Duty) error {
	return t.exec(dutyPut, d.Subject, d.ID, d.Kind, d.Case, d.State, d.Flags, d.By, d.Second,
		d.Created, d.Due, d.Tries, d.Settled, d.Place, d.Receipt, d.Problem, d.Body)
}

// Duty returns a duty. ErrNotFound.
func (r *Reader) Duty(subject ids.Peer, id int64) (d Duty, err error) {
	err = r.one(dutyGet, []any{subject, id}, d.fields()...)
	return d, err
}

// DutiesOf returns the duties about a case, the oldest first.
func (r *Reader) DutiesOf(subject ids.Peer, of int64) ([]Duty, error) {
	return r.duties(dutyOfCase, subject, of)
}

// DueDuties returns up to limit duties of a kind in a state that are due at a time, those due first
// first.
func (r *Reader) DueDuties(kind, state, at int64, limit int) ([]Duty, error) {
	return r.duties(dutyDue, kind, state, at, limit)
}

// DutiesIn returns up to limit duties of a kind in a state with ids above one.
func (r *Reader) DutiesIn(kind, state, after int64, limit int) ([]Duty, error) {
	return r.duties(dutyIn, kind, state, after, limit)
}

// CountDuties counts the duties of a kind with ids from one to below another.
func (r *Reader) CountDuties(kind, from, below int64) (out []DutyCount, err error) {
	err = r.each(dutyCount, []any{kind, from, below}, func(row rows) error {
		var c DutyCount
		err := row.Scan(&c.State, &c.Count, &c.Oldest)
		out = append(out, c)
		return err
	})
	return out, err
}

func (r *Reader) duties(st *statement, args ...any) (out []Duty, err error) {
	err = r.each(st, args, func(row rows) error {
		var d Duty
		err := row.Scan(d.fields()...)
		out = append(out, d)
		return err
	})
	return out, err
}
