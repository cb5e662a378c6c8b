package store

import "parley/internal/ids"

// Decision is a decision about a subject, a proposal of one, or the decision to do nothing. What
// its numbers and names mean is decided in safety/decide.
type Decision struct {
	Subject     ids.Peer
	ID          int64
	Case        int64
	Kind        int64
	Item        int64
	Author      ids.UserID
	State       int64
	Flags       int64
	Ground      string
	Reference   string
	Explanation string
	Facts       string
	Category    string
	Keywords    string
	Measures    []byte
	Automation  string
	Source      string
	Lang        string
	ContentType string
	ContentDate int64
	By          int64
	Rule        string
	Second      int64
	Batch       int64
	// Reached is how many accounts, messages and members the preview counted together.
	Reached   int64
	Created   int64
	Effective int64
	// Ends is when the last of the measures ends by itself, 0 for never.
	Ends      int64
	Ended     int64
	EndedBy   int64
	EndReason string
	// Applied and Restored are how many things a measure changed, and how many were put back.
	Applied  int64
	Restored int64
	Review   int64
	Reviewer int64
}

// Batch is a mass measure: many decisions that are approved and lifted together.
type Batch struct {
	ID       int64
	State    int64
	Flags    int64
	By       int64
	Second   int64
	LiftedBy int64
	Size     int64
	Accounts int64
	Messages int64
	Members  int64
	Created  int64
	Reason   string
}

// Tally counts the decisions of one state in a batch, and what they changed and put back.
type Tally struct{ State, Count, Applied, Restored int64 }

// Hit counts the decisions under one rule in one language.
type Hit struct {
	Reference, Lang string
	// Count is of all, Lifted of those lifted for any reason, Right and Wrong of those reviewed.
	Count, Lifted, Right, Wrong int64
}

const decisionColumns = `subject_id, id, case_id, kind, item, author, state, flags, ground,
	reference, explanation, facts, category, keywords, measures, automation, source, lang,
	content_type, content_date, by_staff, by_rule, second_staff, batch_id, reached, created,
	effective, ends, ended, ended_by, end_reason, applied, restored, review, reviewer`

var (
	decisionAdd = define("decision.add", "decisions", "subject_id",
		`insert into decisions (`+decisionColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9,
		$10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27,
		$28, $29, $30, $31, $32, $33, $34, $35)`)
	decisionGet = define("decision.get", "decisions", "subject_id",
		`select `+decisionColumns+` from decisions where subject_id = $1 and id = $2`)
	decisionChange = define("decision.change", "decisions", "subject_id",
		`update decisions set state = $3, flags = $4, second_staff = $5, effective = $6,
		ended = $7, ended_by = $8, end_reason = $9, applied = $10, restored = $11, review = $12,
		reviewer = $13 where subject_id = $1 and id = $2`)
	decisionOf = define("decision.of", "decisions", "subject_id",
		`select `+decisionColumns+` from decisions where subject_id = $1 and id < $2
		order by id desc limit $3`)
	decisionAbout = define("decision.about", "decisions", acrossShards,
		`select `+decisionColumns+` from decisions where author = $1 and id < $2
		order by id desc limit $3`)
	decisionProposed = define("decision.proposed", "decisions", acrossShards,
		`select `+decisionColumns+` from decisions where state = 1 and id > $1
		order by id limit $2`)
	decisionDue = define("decision.due", "decisions", acrossShards,
		`select `+decisionColumns+` from decisions where state = 2 and ends > 0 and ends <= $1
		order by ends limit $2`)
	decisionBatch = define("decision.batch", "decisions", acrossShards,
		`select `+decisionColumns+` from decisions where batch_id > 0 and batch_id = $1
		and state = $2 and id >= $3 order by id, subject_id limit $4`)
	decisionSampled = define("decision.sampled", "decisions", acrossShards,
		`select `+decisionColumns+` from decisions where flags & 4 <> 0 and review = 0 and id > $1
		order by id limit $2`)
	decisionSince = define("decision.since", "decisions", acrossShards,
		`select `+decisionColumns+` from decisions where id >= $1 and id < $2
		order by id, subject_id limit $3`)
	decisionTally = define("decision.tally", "decisions", acrossShards,
		`select state, count(*), sum(applied), sum(restored) from decisions
		where batch_id > 0 and batch_id = $1 group by state order by state`)
	decisionHits = define("decision.hits", "decisions", acrossShards,
		`select reference, lang, count(*), sum(case when state = 3 then 1 else 0 end),
		sum(case when review = 1 then 1 else 0 end), sum(case when review = 2 then 1 else 0 end)
		from decisions where id >= $1 and id < $2 and state <> 1 and state <> 6 and state <> 7
		group by reference, lang order by reference, lang`)
	batchPut = define("batch.put", "batches", "batch_id",
		`insert into batches (batch_id, state, flags, by_staff, second_staff, lifted_by, size,
		accounts, messages, members, created, reason)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		on conflict (batch_id) do update set state = excluded.state, flags = excluded.flags,
		second_staff = excluded.second_staff, lifted_by = excluded.lifted_by,
		size = excluded.size, accounts = excluded.accounts, messages = excluded.messages,
		members = excluded.members, reason = excluded.reason`)
	batchGet = define("batch.get", "batches", "batch_id",
		`select batch_id, state, flags, by_staff, second_staff, lifted_by, size, accounts,
		messages, members, created, reason from batches where batch_id = $1`)
	batchOpen = define("batch.open", "batches", acrossShards,
		`select batch_id, state, flags, by_staff, second_staff, lifted_by, size, accounts,
		messages, members, created, reason from batches where state = 2 or state = 4
		order by batch_id`)
)

// fields are where a row of decisionColumns is read to.
func (d *Decision) fields() []any {
	return []any{
		&d.Subject, &d.ID, &d.Case, &d.Kind, &d.Item, &d.Author, &d.State, &d.Flags, &d.Ground,
		&d.Reference, &d.Explanation, &d.Facts, &d.Category, &d.Keywords, &d.Measures,
		&d.Automation, &d.Source, &d.Lang, &d.ContentType, &d.ContentDate, &d.By, &d.Rule,
		&d.Second, &d.Batch, &d.Reached, &d.Created, &d.Effective, &d.Ends, &d.Ended, &d.EndedBy,
		&d.EndReason, &d.Applied, &d.Restored, &d.Review, &d.Reviewer,
	}
}

// AddDecision stores a new decision; ErrConflict when the subject has one of that id.
func (t *Tx) AddDecision(d Decision) error {
	if d.Measures == nil {
		d.Measures = []byte{}
	}
	return t.exec(decisionAdd, d.Subject, d.ID, d.Case, d.Kind, d.Item, d.Author, d.State, d.Flags,
		d.Ground, d.Reference, d.Explanation, d.Facts, d.Category, d.Keywords, d.Measures,
		d.Automation, d.Source, d.Lang, d.ContentType, d.ContentDate, d.By, d.Rule, d.Second,
		d.Batch, d.Reached, d.Created, d.Effective, d.Ends, d.Ended, d.EndedBy, d.EndReason,
		d.Applied, d.Restored, d.Review, d.Reviewer)
}

// ChangeDecision writes what changes of a decision: its state, who seconded, ended or reviewed it,
// and what it changed and put back. ErrNotFound.
func (t *Tx) ChangeDecision(d Decision) error {
	return t.execOne(decisionChange, d.Subject, d.ID, d.State, d.Flags, d.Second, d.Effective,
		d.Ended, d.EndedBy, d.EndReason, d.Applied, d.Restored, d.Review, d.Reviewer)
}

// Decision returns a decision about a subject.
func (r *Reader) Decision(subject ids.Peer, id int64) (d Decision, err error) {
	err = r.one(decisionGet, []any{subject, id}, d.fields()...)
	return d, err
}

// DecisionsOf returns up to limit decisions about a subject's peer with ids below one, newest
// first.
func (r *Reader) DecisionsOf(subject ids.Peer, below int64, limit int) ([]Decision, error) {
	return r.decisions(decisionOf, subject, below, limit)
}

// DecisionsAbout returns up to limit decisions that concern a person, newest first.
func (r *Reader) DecisionsAbout(person ids.UserID, below int64, limit int) ([]Decision, error) {
	return r.decisions(decisionAbout, person, below, limit)
}

// ProposedDecisions returns up to limit decisions that await a second person, oldest first.
func (r *Reader) ProposedDecisions(after int64, limit int) ([]Decision, error) {
	return r.decisions(decisionProposed, after, limit)
}

// DueDecisions returns up to limit effective decisions whose measures have all run out at a time.
func (r *Reader) DueDecisions(at int64, limit int) ([]Decision, error) {
	return r.decisions(decisionDue, at, limit)
}

// BatchDecisions returns up to limit decisions of a batch in a state, with ids from one on.
func (r *Reader) BatchDecisions(batch, state, from int64, limit int) ([]Decision, error) {
	return r.decisions(decisionBatch, batch, state, from, limit)
}

// SampledDecisions returns up to limit decisions that were sampled and not reviewed yet.
func (r *Reader) SampledDecisions(after int64, limit int) ([]Decision, error) {
	return r.decisions(decisionSampled, after, limit)
}

// DecisionsBetween returns up to limit decisions with ids from one up to before another.
func (r *Reader) DecisionsBetween(from, to int64, limit int) ([]Decision, error) {
	return r.decisions(decisionSince, from, to, limit)
}

func (r *Reader) decisions(st *statement, args ...any) (out []Decision, err error) {
	err = r.each(st, args, func(row rows) error {
		var d Decision
		if err := row.Scan(d.fields()...); err != nil {
			return err
		}
		out = append(out, d)
		return nil
	})
	return out, err
}

// BatchTally counts the decisions of a batch by state.
func (r *Reader) BatchTally(batch int64) (out []Tally, err error) {
	err = r.each(decisionTally, []any{batch}, func(row rows) error {
		var t Tally
		if err := row.Scan(&t.State, &t.Count, &t.Applied, &t.Restored); err != nil {
			return err
		}
		out = append(out, t)
		return nil
	})
	return out, err
}

// DecisionHits counts decisions with ids from one up to before another, by rule and language.
func (r *Reader) DecisionHits(from, to int64) (out []Hit, err error) {
	err = r.each(decisionHits, []any{from, to}, func(row rows) error {
		var h Hit
		err := row.Scan(&h.Reference, &h.Lang, &h.Count, &h.Lifted, &h.Right, &h.Wrong)
		if err != nil {
			return err
		}
		out = append(out, h)
		return nil
	})
	return out, err
}

// PutBatch writes a batch; who proposed it and when stay what they were first.
func (t *Tx) PutBatch(b Batch) error {
	return t.exec(batchPut, b.ID, b.State, b.Flags, b.By, b.Second, b.LiftedBy, b.Size,
		b.Accounts, b.Messages, b.Members, b.Created, b.Reason)
}

func (b *Batch) fields() []any {
	return []any{
		&b.ID, &b.State, &b.Flags, &b.By, &b.Second, &b.LiftedBy, &b.Size, &b.Accounts,
		&b.Messages, &b.Members, &b.Created, &b.Reason,
	}
}

// Batch returns a batch.
func (r *Reader) Batch(id int64) (b Batch, err error) {
	err = r.one(batchGet, []any{id}, b.fields()...)
	return b, err
}

// OpenBatches returns the batches that are being carried out or lifted.
func (r *Reader) OpenBatches() (out []Batch, err error) {
	err = r.each(batchOpen, nil, func(row rows) error {
		var b Batch
		if err := row.Scan(b.fields()...); err != nil {
			return err
		}
		out = append(out, b)
		return nil
	})
	return out, err
}
