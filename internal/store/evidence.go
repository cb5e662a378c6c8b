package store

import "parley/internal/ids"

// Evidence is something that was seen, as safety/evidence wrote it down.
type Evidence struct {
	Subject ids.Peer
	ID      int64
	Case    int64
	Kind    int64
	At      int64
	// Keep is until when it is kept at least, 0 while its case is open.
	Keep int64
	// Digest tells captures of a case apart.
	Digest []byte
	Body   []byte
}

// Hold is a reason to keep the evidence of a case longer than its own time.
type Hold struct {
	Subject ids.Peer
	ID      int64
	Case    int64
	Staff   int64
	Reason  string
	Set     int64
	// Ends is 0 for no end; Lifted is 0 until somebody lifts the hold.
	Ends   int64
	Lifted int64
}

const evidenceColumns = `subject_id, evidence_id, case_id, kind, at, keep, digest, body`

var (
	evidenceAdd = define("evidence.add", "evidence", "subject_id",
		`insert into evidence (subject_id, evidence_id, case_id, kind, at, keep, digest, body)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`)
	evidenceHas = define("evidence.has", "evidence", "subject_id",
		`select evidence_id from evidence where subject_id = $1 and case_id = $2 and digest = $3`)
	evidenceList = define("evidence.list", "evidence", "subject_id",
		`select `+evidenceColumns+` from evidence where subject_id = $1 and case_id = $2
		order by evidence_id limit $3`)
	evidenceKeep = define("evidence.keep", "evidence", "subject_id",
		`update evidence set keep = $3 where subject_id = $1 and case_id = $2`)
	evidenceDrop = define("evidence.drop", "evidence", "subject_id",
		`delete from evidence where subject_id = $1 and case_id = $2 and keep > 0 and keep < $3`)
	evidenceOver = define("evidence.over", "evidence", acrossShards,
		`select distinct subject_id, case_id from evidence where keep > 0 and keep < $1 limit $2`)
	holdPut = define("hold.put", "holds", "subject_id",
		`insert into holds (subject_id, hold_id, case_id, staff, reason, set_at, ends, lifted)
		values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (subject_id, hold_id) do update set ends = excluded.ends,
		lifted = excluded.lifted
		where holds.case_id = excluded.case_id and holds.reason = excluded.reason`)
	holdList = define("hold.list", "holds", "subject_id",
		`select subject_id, hold_id, case_id, staff, reason, set_at, ends, lifted from holds
		where subject_id = $1 and case_id = $2 order by hold_id`)
)

// AddEvidence writes a piece of evidence.
func (t *Tx) AddEvidence(e Evidence) error {
	return t.exec(evidenceAdd, e.Subject, e.ID, e.Case, e.Kind, e.At, e.Keep, e.Digest, e.Body)
}

// HasEvidence tells whether a case has a capture with a digest.
func (r *Reader) HasEvidence(subject ids.Peer, in int64, digest []byte) (found bool, err error) {
	err = r.each(evidenceHas, []any{subject, in, digest}, func(rows) error {
		found = true
		return nil
	})
	return found, err
}

// Evidence returns up to limit pieces of evidence of a case, the oldest first.
func (r *Reader) Evidence(subject ids.Peer, in int64, limit int) ([]Evidence, error) {
	var out []Evidence
	err := r.each(evidenceList, []any{subject, in, limit}, func(row rows) error {
		var e Evidence
		err := row.Scan(&e.Subject, &e.ID, &e.Case, &e.Kind, &e.At, &e.Keep, &e.Digest, &e.Body)
		out = append(out, e)
		return err
	})
	return out, err
}

// KeepEvidence sets until when the evidence of a case is kept at least.
func (t *Tx) KeepEvidence(subject ids.Peer, in, until int64) error {
	return t.exec(evidenceKeep, subject, in, until)
}

// DropEvidence forgets the evidence of a case that was to be kept until before a time, and tells
// how many pieces that were.
func (t *Tx) DropEvidence(subject ids.Peer, in, before int64) (int64, error) {
	return t.q.exec(t.ctx, evidenceDrop, subject, in, before)
}

// CaseRef names a case.
type CaseRef struct {
	Subject ids.Peer
	Case    int64
}

// EvidenceOver returns up to limit cases with evidence that was to be kept until before a time.
func (r *Reader) EvidenceOver(before int64, limit int) ([]CaseRef, error) {
	var out []CaseRef
	err := r.each(evidenceOver, []any{before, limit}, func(row rows) error {
		var c CaseRef
		err := row.Scan(&c.Subject, &c.Case)
		out = append(out, c)
		return err
	})
	return out, err
}

// PutHold writes a hold; of one that is there only its end and lifting change. ErrConflict says
// that the number is that of a hold of another case, or for another reason, which stays as it is.
func (t *Tx) PutHold(h Hold) error {
	err := t.execOne(
		holdPut, h.Subject, h.ID, h.Case, h.Staff, h.Reason, h.Set, h.Ends, h.Lifted)
	if IsNotFound(err) {
		return ErrConflict
	}
	return err
}

// Holds returns the holds of a case, the oldest first.
func (r *Reader) Holds(subject ids.Peer, in int64) ([]Hold, error) {
	var out []Hold
	err := r.each(holdList, []any{subject, in}, func(row rows) error {
		var h Hold
		err := row.Scan(&h.Subject, &h.ID, &h.Case, &h.Staff, &h.Reason, &h.Set, &h.Ends, &h.Lifted)
		out = append(out, h)
		return err
	})
	return out, err
}
