package store

import "parley/internal/ids"

// Case is what is to be decided about a subject, or was. What its numbers mean is told by
// safety/casefile. Times are Unix seconds.
type Case struct {
	Subject ids.Peer
	ID      int64
	Kind    int64
	Item    int64
	// Who tells apart cases about the same item: whose reaction it is, 0 where that plays no part.
	Who    ids.UserID
	Author ids.UserID
	// Appeal is the decision that is complained about, 0 for a case of reports.
	Appeal   int64
	Lane     int64
	State    int64
	Source   string
	Category string
	Keyword  string
	Opened   int64
	Due      int64
	// Rank is by what cases of a lane are taken, the lowest first.
	Rank    int64
	Reach   int64
	Reports int64
	Weight  int64
	// Staff has the case until Lease, or without end when Lease is 0.
	Staff int64
	Lease int64
	// Reviewer is who is asked for a second opinion.
	Reviewer int64
	Alarmed  int64
	Events   int64
	Outcome  int64
	Decision int64
	// Closed is when the case was closed, 0 while it is open.
	Closed int64
}

// CaseEvent is something that happened to a case.
type CaseEvent struct {
	Subject ids.Peer
	Case    int64
	N       int64
	At      int64
	Staff   int64
	Rule    string
	Kind    int64
	// Public tells whether the person concerned and the notifiers may read it.
	Public bool
	Body   []byte
}

const (
	caseColumns = `subject_id, case_id, kind, item, who, author, appeal, lane, state, source,
		category, keyword, opened, due, rank, reach, reports, weight, staff, lease, reviewer,
		alarmed, events, outcome, decision, closed`
	eventColumns = `subject_id, case_id, n, at, staff, rule, kind, public, body`
)

var (
	caseGet = define("case.get", "cases", "subject_id",
		`select `+caseColumns+` from cases where subject_id = $1 and case_id = $2`)
	caseOpen = define("case.open", "cases", "subject_id",
		`select `+caseColumns+` from cases where subject_id = $1 and kind = $2 and item = $3
		and who = $4 and appeal = $5 and closed = 0`)
	caseLast = define("case.last", "cases", "subject_id",
		`select `+caseColumns+` from cases where subject_id = $1 and kind = $2 and item = $3
		and who = $4 and appeal = $5 order by case_id desc limit 1`)
	caseOf = define("case.of", "cases", "subject_id",
		`select `+caseColumns+` from cases where subject_id = $1 order by case_id desc limit $2`)
	casePut = define("case.put", "cases", "subject_id",
		`insert into cases (subject_id, case_id, kind, item, who, author, appeal, lane, state,
		source, category, keyword, opened, due, rank, reach, reports, weight, staff, lease,
		reviewer, alarmed, events, outcome, decision, closed)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
		$19, $20, $21, $22, $23, $24, $25, $26)
		on conflict (subject_id, case_id) do update set lane = excluded.lane,
		state = excluded.state, source = excluded.source, category = excluded.category,
		keyword = excluded.keyword, due = excluded.due, rank = excluded.rank,
		reach = excluded.reach, reports = excluded.reports, weight = excluded.weight,
		staff = excluded.staff, lease = excluded.lease, reviewer = excluded.reviewer,
		alarmed = excluded.alarmed, events = excluded.events, outcome = excluded.outcome,
		decision = excluded.decision, closed = excluded.closed`)
	caseQueue = define("case.queue", "cases", acrossShards,
		`select `+caseColumns+` from cases where lane = $1 and state = $2
		and (rank, case_id) > ($3, $4) order by rank, case_id limit $5`)
	caseStaff = define("case.staff", "cases", acrossShards,
		`select `+caseColumns+` from cases where staff = $1 and closed = 0
		order by rank, case_id limit $2`)
	caseAuthor = define("case.author", "cases", acrossShards,
		`select `+caseColumns+` from cases where author = $1 and case_id < $2
		order by case_id desc limit $3`)
	caseOverdue = define("case.overdue", "cases", acrossShards,
		`select `+caseColumns+` from cases where closed = 0 and alarmed = 0 and due < $1
		order by due, case_id limit $2`)
	caseLapsed = define("case.lapsed", "cases", acrossShards,
		`select `+caseColumns+` from cases where lease > 0 and lease < $1
		order by lease, case_id limit $2`)
	caseCount = define("case.count", "cases", acrossShards,
		`select count(*) from (select 1 from cases where lane = $1 and state = $2 limit $3)
		as taken`)
	caseEventAdd = define("case_event.add", "case_events", "subject_id",
		`insert into case_events (subject_id, case_id, n, at, staff, rule, kind, public, body)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`)
	caseEventList = define("case_event.list", "case_events", "subject_id",
		`select `+eventColumns+` from case_events where subject_id = $1 and case_id = $2 and n > $3
		order by n limit $4`)
	caseEventStaff = define("case_event.staff", "case_events", acrossShards,
		`select kind, count(*) from case_events where staff > 0 and staff = $1 and at >= $2
		group by kind`)
)

func (r *Reader) cases(st *statement, args ...any) ([]Case, error) {
	var out []Case
	err := r.each(st, args, func(row rows) error {
		var c Case
		err := row.Scan(&c.Subject, &c.ID, &c.Kind, &c.Item, &c.Who, &c.Author, &c.Appeal, &c.Lane,
			&c.State, &c.Source, &c.Category, &c.Keyword, &c.Opened, &c.Due, &c.Rank, &c.Reach,
			&c.Reports, &c.Weight, &c.Staff, &c.Lease, &c.Reviewer, &c.Alarmed, &c.Events,
			&c.Outcome, &c.Decision, &c.Closed)
		out = append(out, c)
		return err
	})
	return out, err
}

func (r *Reader) oneCase(st *statement, args ...any) (Case, error) {
	list, err := r.cases(st, args...)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Case{}, err
	}
	return list[0], nil
}

// Case returns a case.
func (r *Reader) Case(subject ids.Peer, id int64) (Case, error) {
	return r.oneCase(caseGet, subject, id)
}

// OpenCase returns the open case about what c is about: its Subject, Kind, Item, Who and Appeal.
func (r *Reader) OpenCase(c Case) (Case, error) {
	return r.oneCase(caseOpen, c.Subject, c.Kind, c.Item, c.Who, c.Appeal)
}

// LastCase returns the newest case, open or closed, about what c is about.
func (r *Reader) LastCase(c Case) (Case, error) {
	return r.oneCase(caseLast, c.Subject, c.Kind, c.Item, c.Who, c.Appeal)
}

// CasesOf returns up to limit cases of a subject's peer, the newest first.
func (r *Reader) CasesOf(subject ids.Peer, limit int) ([]Case, error) {
	return r.cases(caseOf, subject, limit)
}

// PutCase writes a case. What it is about and when it was opened never change.
func (t *Tx) PutCase(c Case) error {
	return t.exec(casePut, c.Subject, c.ID, c.Kind, c.Item, c.Who, c.Author, c.Appeal, c.Lane,
		c.State, c.Source, c.Category, c.Keyword, c.Opened, c.Due, c.Rank, c.Reach, c.Reports,
		c.Weight, c.Staff, c.Lease, c.Reviewer, c.Alarmed, c.Events, c.Outcome, c.Decision,
		c.Closed)
}

// QueuedCases returns up to limit cases of a lane in a state that come after a rank and an id, in
// the order in which they are to be taken.
func (r *Reader) QueuedCases(lane, state, rank, id int64, limit int) ([]Case, error) {
	return r.cases(caseQueue, lane, state, rank, id, limit)
}

// CasesWith returns up to limit open cases that a member of staff has, by rank.
func (r *Reader) CasesWith(staff int64, limit int) ([]Case, error) {
	return r.cases(caseStaff, staff, limit)
}

// CasesAbout returns up to limit cases about what somebody wrote or is, with ids below one, the
// newest first.
func (r *Reader) CasesAbout(author ids.UserID, below int64, limit int) ([]Case, error) {
	return r.cases(caseAuthor, author, below, limit)
}

// OverdueCases returns up to limit open cases that were due before a time and have not alarmed.
func (r *Reader) OverdueCases(before int64, limit int) ([]Case, error) {
	return r.cases(caseOverdue, before, limit)
}

// LapsedCases returns up to limit cases whose lease ended before a time.
func (r *Reader) LapsedCases(before int64, limit int) ([]Case, error) {
	return r.cases(caseLapsed, before, limit)
}

// CountCases counts the cases of a lane in a state, up to most.
func (r *Reader) CountCases(lane, state int64, most int) (n int64, err error) {
	err = r.one(caseCount, []any{lane, state, most}, &n)
	return n, err
}

// AddCaseEvent writes what happened to a case. ErrConflict says that its number is taken.
func (t *Tx) AddCaseEvent(e CaseEvent) error {
	public := 0
	if e.Public {
		public = 1
	}
	return t.exec(caseEventAdd, e.Subject, e.Case, e.N, e.At, e.Staff, e.Rule, e.Kind, public,
		e.Body)
}

// CaseEvents returns up to limit events of a case after a number, in order.
func (r *Reader) CaseEvents(subject ids.Peer, id, after int64, limit int) ([]CaseEvent, error) {
	var out []CaseEvent
	err := r.each(caseEventList, []any{subject, id, after, limit}, func(row rows) error {
		var e CaseEvent
		var public int64
		err := row.Scan(&e.Subject, &e.Case, &e.N, &e.At, &e.Staff, &e.Rule, &e.Kind, &public,
			&e.Body)
		e.Public = public != 0
		out = append(out, e)
		return err
	})
	return out, err
}

// StaffEvents counts what a member of staff has done since a time, by kind.
func (r *Reader) StaffEvents(staff, since int64) (map[int64]int64, error) {
	return r.counts(caseEventStaff, staff, since)
}
