package store

import "parley/internal/ids"

// HotlineSubmission is what an agency reported at once. What its numbers mean is told by
// safety/hotline. Times are Unix seconds.
type HotlineSubmission struct {
	Agency, ID int64
	// Reference is the agency's own, Digest that of what it sent.
	Reference, Digest  string
	Officer, At, Items int64
}

// HotlineItem is one thing that an agency reported.
type HotlineItem struct {
	Agency, ID, Submission int64
	// PartOf is the item whose digest led here, 0 for what was named.
	PartOf      int64
	Kind, State int64
	Category    string
	// Subject and Report are what the item became, 0 for nothing yet.
	Subject          ids.Peer
	Report           int64
	Created, Decided int64
	// Outcome is how it ended, First how it ended at first; 0 while it has not.
	Outcome, First int64
	Decision       int64
	// Notified is when the agency was told of the outcome, 0 while it was not, negative when a mail
	// was begun that tells it, -1 when nobody is told.
	Notified int64
	Body     []byte
}

// HotlineMeasure is a warning or a suspension of an agency for misuse.
type HotlineMeasure struct {
	Agency, ID, Kind, At, Until, Staff int64
	// Appeal is how far a complaint about it is, Reviewer who decided that.
	Appeal, Reviewer int64
	// Tell is when to try next to mail the agency of it, 0 when nothing is owed; Tries is how often
	// that failed.
	Tell, Tries int64
	Body        []byte
}

const (
	submissionColumns = `agency_id, submission_id, reference, digest, officer, at, items`
	hotItemColumns    = `agency_id, item_id, submission_id, part_of, kind, state, category,
		subject_id, report_id, created, decided, outcome, first_outcome, decision_id, notified,
		body`
	hotMeasureColumns = `agency_id, measure_id, kind, at, until, staff, appeal, reviewer, tell,
		tries, body`
)

var (
	submissionAdd = define("submission.add", "hotline_submissions", "agency_id",
		`insert into hotline_submissions (`+submissionColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7)`)
	submissionGet = define("submission.get", "hotline_submissions", "agency_id",
		`select `+submissionColumns+` from hotline_submissions
		where agency_id = $1 and submission_id = $2`)
	submissionBy = define("submission.by_reference", "hotline_submissions", "agency_id",
		`select `+submissionColumns+` from hotline_submissions
		where agency_id = $1 and reference = $2`)
	submissionList = define("submission.list", "hotline_submissions", "agency_id",
		`select `+submissionColumns+` from hotline_submissions
		where agency_id = $1 and submission_id < $2 order by submission_id desc limit $3`)
	hotItemAdd = define("hotline_item.add", "hotline_items", "agency_id",
		`insert into hotline_items (`+hotItemColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`)
	hotItemChange = define("hotline_item.change", "hotline_items", "agency_id",
		`update hotline_items set state = $3, subject_id = $4, report_id = $5, decided = $6,
		outcome = $7, first_outcome = $8, decision_id = $9, notified = $10, body = $11
		where agency_id = $1 and item_id = $2`)
	hotItemGet = define("hotline_item.get", "hotline_items", "agency_id",
		`select `+hotItemColumns+` from hotline_items where agency_id = $1 and item_id = $2`)
	hotItemOf = define("hotline_item.of", "hotline_items", "agency_id",
		`select `+hotItemColumns+` from hotline_items where agency_id = $1 and submission_id = $2
		and item_id > $3 order by item_id limit $4`)
	hotItemReport = define("hotline_item.report", "hotline_items", "agency_id",
		`select `+hotItemColumns+` from hotline_items where agency_id = $1 and report_id = $2
		and report_id > 0 order by item_id`)
	hotItemDecided = define("hotline_item.decided", "hotline_items", "agency_id",
		`select `+hotItemColumns+` from hotline_items where agency_id = $1 and decided >= $2
		and (decided > $2 or item_id > $3) and decided > 0 order by decided, item_id limit $4`)
	hotItemReceived = define("hotline_item.received", "hotline_items", acrossShards,
		`select `+hotItemColumns+` from hotline_items where state = 1 and item_id > $1
		order by item_id limit $2`)
	hotItemNextUntold = define("hotline_item.next_untold", "hotline_items", acrossShards,
		`select `+hotItemColumns+` from hotline_items where state = 3 and notified <= 0
		and notified <> -1 and agency_id > $1 order by agency_id, notified, item_id limit 1`)
	hotItemUntold = define("hotline_item.untold", "hotline_items", "agency_id",
		`select `+hotItemColumns+` from hotline_items where agency_id = $1 and state = 3
		and notified <= 0 and notified <> -1 order by notified, item_id limit $2`)
	hotItemTell = define("hotline_item.tell", "hotline_items", "agency_id",
		`update hotline_items set notified = $4
		where agency_id = $1 and item_id = $2 and notified = $3`)
	hotMeasurePut = define("hotline_measure.put", "hotline_measures", "agency_id",
		`insert into hotline_measures (`+hotMeasureColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		on conflict (agency_id, measure_id) do update set until = excluded.until,
		appeal = excluded.appeal, reviewer = excluded.reviewer, tell = excluded.tell,
		tries = excluded.tries, body = excluded.body`)
	hotMeasureOwed = define("hotline_measure.owed", "hotline_measures", acrossShards,
		`select `+hotMeasureColumns+` from hotline_measures where tell > 0 and tell <= $1
		order by tell, measure_id limit $2`)
	hotItemHeld = define("hotline_item.held", "hotline_items", acrossShards,
		`select distinct submission_id, agency_id from hotline_items where state = 6
		order by submission_id, agency_id limit $1`)
	hotItemDigests = define("hotline_item.digests", "hotline_items", "agency_id",
		`select count(*) from hotline_items where agency_id = $1 and item_id >= $2
		and kind = 2`)
	hotMeasureList = define("hotline_measure.list", "hotline_measures", "agency_id",
		`select `+hotMeasureColumns+` from hotline_measures where agency_id = $1
		order by measure_id`)
	hotMeasureOpen = define("hotline_measure.open", "hotline_measures", acrossShards,
		`select `+hotMeasureColumns+` from hotline_measures where appeal = 1
		order by measure_id limit $1`)
	usernameAfter = define("username.after", "usernames", acrossShards,
		`select name, peer_id from usernames where name > $1 order by name limit $2`)
)

func (s *HotlineSubmission) fields() []any {
	return []any{&s.Agency, &s.ID, &s.Reference, &s.Digest, &s.Officer, &s.At, &s.Items}
}

func (i *HotlineItem) fields() []any {
	return []any{
		&i.Agency, &i.ID, &i.Submission, &i.PartOf, &i.Kind, &i.State, &i.Category, &i.Subject,
		&i.Report, &i.Created, &i.Decided, &i.Outcome, &i.First, &i.Decision, &i.Notified, &i.Body,
	}
}

func (m *HotlineMeasure) fields() []any {
	return []any{
		&m.Agency, &m.ID, &m.Kind, &m.At, &m.Until, &m.Staff, &m.Appeal, &m.Reviewer,
		&m.Tell, &m.Tries, &m.Body,
	}
}

// AddSubmission writes a submission; ErrConflict when the agency has one of that reference.
func (t *Tx) AddSubmission(s HotlineSubmission) error {
	return t.exec(submissionAdd, s.Agency, s.ID, s.Reference, s.Digest, s.Officer, s.At, s.Items)
}

// Submission returns a submission of an agency.
func (r *Reader) Submission(agency, id int64) (s HotlineSubmission, err error) {
	err = r.one(submissionGet, []any{agency, id}, s.fields()...)
	return s, err
}

// SubmissionBy returns the submission that an agency calls so.
func (r *Reader) SubmissionBy(agency int64, reference string) (s HotlineSubmission, err error) {
	err = r.one(submissionBy, []any{agency, reference}, s.fields()...)
	return s, err
}

// Submissions returns up to limit submissions of an agency with ids below one, the newest first.
func (r *Reader) Submissions(
	agency, below int64, limit int,
) (out []HotlineSubmission, err error) {
	err = r.each(submissionList, []any{agency, below, limit}, func(row rows) error {
		var s HotlineSubmission
		err := row.Scan(s.fields()...)
		out = append(out, s)
		return err
	})
	return out, err
}

// ChangeHotlineItem writes how far an item is.
func (t *Tx) ChangeHotlineItem(i HotlineItem) error {
	return t.execOne(hotItemChange, i.Agency, i.ID, i.State, i.Subject, i.Report, i.Decided,
		i.Outcome, i.First, i.Decision, i.Notified, i.Body)
}

// AddHotlineItem writes an item; ErrConflict when the agency has one of that id.
func (t *Tx) AddHotlineItem(i HotlineItem) error {
	return t.exec(hotItemAdd, i.Agency, i.ID, i.Submission, i.PartOf, i.Kind, i.State, i.Category,
		i.Subject, i.Report, i.Created, i.Decided, i.Outcome, i.First, i.Decision, i.Notified,
		i.Body)
}

// HotlineItem returns an item of an agency.
func (r *Reader) HotlineItem(agency, id int64) (i HotlineItem, err error) {
	err = r.one(hotItemGet, []any{agency, id}, i.fields()...)
	return i, err
}

// HotlineItems returns up to limit items of a submission with ids above one, in order.
func (r *Reader) HotlineItems(
	agency, submission, after int64, limit int,
) ([]HotlineItem, error) {
	return r.hotlineItems(hotItemOf, agency, submission, after, limit)
}

// HotlineItemsOfReport returns the items of an agency that became one report.
func (r *Reader) HotlineItemsOfReport(agency, report int64) ([]HotlineItem, error) {
	return r.hotlineItems(hotItemReport, agency, report)
}

// DecidedHotlineItems returns up to limit items of an agency that were decided after a time, or at
// it with ids above one, those decided first first.
func (r *Reader) DecidedHotlineItems(agency, since, above int64, limit int) ([]HotlineItem, error) {
	return r.hotlineItems(hotItemDecided, agency, since, above, limit)
}

// ReceivedHotlineItems returns up to limit items above one that nothing was done with yet.
func (r *Reader) ReceivedHotlineItems(after int64, limit int) ([]HotlineItem, error) {
	return r.hotlineItems(hotItemReceived, after, limit)
}

// NextUntoldHotline returns an item, of the first agency above one, whose outcome is still to be
// told; ErrNotFound for none.
func (r *Reader) NextUntoldHotline(agency int64) (i HotlineItem, err error) {
	err = r.one(hotItemNextUntold, []any{agency}, i.fields()...)
	return i, err
}

// UntoldHotlineItems returns up to limit items of an agency whose outcome is still to be told,
// those whose mail was begun first.
func (r *Reader) UntoldHotlineItems(agency int64, limit int) ([]HotlineItem, error) {
	return r.hotlineItems(hotItemUntold, agency, limit)
}

// TellHotlineItem changes what is noted of telling an item's outcome, unless it is not what it was.
func (t *Tx) TellHotlineItem(agency, id, was, is int64) error {
	return t.exec(hotItemTell, agency, id, was, is)
}

func (r *Reader) hotlineItems(st *statement, args ...any) (out []HotlineItem, err error) {
	err = r.each(st, args, func(row rows) error {
		var i HotlineItem
		err := row.Scan(i.fields()...)
		out = append(out, i)
		return err
	})
	return out, err
}

// PutHotlineMeasure writes a measure, or what became of it.
func (t *Tx) PutHotlineMeasure(m HotlineMeasure) error {
	return t.exec(hotMeasurePut, m.Agency, m.ID, m.Kind, m.At, m.Until, m.Staff, m.Appeal,
		m.Reviewer, m.Tell, m.Tries, m.Body)
}

// OwedHotlineMeasures returns up to limit measures of which agencies are to be mailed by a time.
func (r *Reader) OwedHotlineMeasures(now int64, limit int) ([]HotlineMeasure, error) {
	return r.hotlineMeasures(hotMeasureOwed, now, limit)
}

// HeldSubmissions returns agency and id of up to limit submissions with items that wait for two
// people, the oldest first; nothing else of them.
func (r *Reader) HeldSubmissions(limit int) (out []HotlineSubmission, err error) {
	err = r.each(hotItemHeld, []any{limit}, func(row rows) error {
		var s HotlineSubmission
		err := row.Scan(&s.ID, &s.Agency)
		out = append(out, s)
		return err
	})
	return out, err
}

// CountHotlineDigests returns how many digests an agency has reported under ids from one on.
func (r *Reader) CountHotlineDigests(agency, from int64) (n int64, err error) {
	err = r.one(hotItemDigests, []any{agency, from}, &n)
	return n, err
}

// HotlineMeasures returns the measures against an agency, the oldest first.
func (r *Reader) HotlineMeasures(agency int64) ([]HotlineMeasure, error) {
	return r.hotlineMeasures(hotMeasureList, agency)
}

// ContestedHotlineMeasures returns up to limit measures that an agency complains about.
func (r *Reader) ContestedHotlineMeasures(limit int) ([]HotlineMeasure, error) {
	return r.hotlineMeasures(hotMeasureOpen, limit)
}

func (r *Reader) hotlineMeasures(st *statement, args ...any) (out []HotlineMeasure, err error) {
	err = r.each(st, args, func(row rows) error {
		var m HotlineMeasure
		err := row.Scan(m.fields()...)
		out = append(out, m)
		return err
	})
	return out, err
}

// Username is a public name and whose it is.
type Username struct {
	Name string
	Peer ids.Peer
}

// UsernamesAfter returns up to limit public names after one, in order.
func (r *Reader) UsernamesAfter(name string, limit int) (out []Username, err error) {
	err = r.each(usernameAfter, []any{name, limit}, func(row rows) error {
		var u Username
		err := row.Scan(&u.Name, &u.Peer)
		out = append(out, u)
		return err
	})
	return out, err
}
