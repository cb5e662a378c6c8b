package store

import "parley/internal/ids"

// Report is somebody's allegation about a subject. Who made it is in the reporters' table, sealed.
// What its numbers mean is told by safety/intake and safety/casefile.
type Report struct {
	Subject ids.Peer
	ID      int64
	Case    int64
	// Reporter stands for the account or address that reported; 0 for somebody without either.
	Reporter int64
	Source   string
	Category string
	Keyword  string
	Note     string
	// Places are the locations that a notice named, one a line.
	Places  string
	Lang    string
	Flagger int64
	At      int64
	Weight  int64
	// Net, Device and Joined stand for what a reporter may have in common with others, 0 for
	// nothing known.
	Net, Device, Joined int64
	// Outcome is 0 until the case is decided, at Decided.
	Outcome int64
	Decided int64
	// Told is when the reporter was told of the outcome, Counted when it entered his record; -1
	// while what entered it does not hold any more.
	Told    int64
	Counted int64
}

// ReporterStanding is what followed for an account from how its reports ended.
type ReporterStanding struct {
	User    ids.UserID
	Stage   int64
	Since   int64
	Until   int64
	Upheld  int64
	Refuted int64
	// Told is when the account was told of the stage, 0 when it has yet to be.
	Told int64
}

// Finding is what a rule found.
type Finding struct {
	Subject ids.Peer
	ID      int64
	Case    int64
	Rule    string
	Score   int64
	Verdict int64
	At      int64
	Note    string
}

const reportColumns = `subject_id, report_id, case_id, reporter, source, category, keyword, note,
	places, lang, flagger, at, weight, net, device, joined, outcome, decided, told, counted`

// reportUncount has what entered a reporter's record looked at again.
const reportUncount = `counted = case when counted = 0 then 0 else -1 end`

var (
	reportAdd = define("report.add", "reports", "subject_id",
		`insert into reports (subject_id, report_id, case_id, reporter, source, category, keyword,
		note, places, lang, flagger, at, weight, net, device, joined, outcome, decided, told,
		counted) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
		$18, $19, $20)`)
	reportGet = define("report.get", "reports", "subject_id",
		`select `+reportColumns+` from reports where subject_id = $1 and report_id = $2`)
	reportBy = define("report.by", "reports", "subject_id",
		`select `+reportColumns+` from reports where subject_id = $1 and case_id = $2
		and reporter = $3 and reporter <> 0`)
	reportList = define("report.list", "reports", "subject_id",
		`select `+reportColumns+` from reports where subject_id = $1 and case_id = $2
		and report_id > $3 order by report_id limit $4`)
	reportNet = define("report.net", "reports", "subject_id",
		`select count(*) from (select 1 from reports where subject_id = $1 and case_id = $2
		and net = $3 limit $4) as taken`)
	reportDevice = define("report.device", "reports", "subject_id",
		`select count(*) from (select 1 from reports where subject_id = $1 and case_id = $2
		and device = $3 limit $4) as taken`)
	reportJoined = define("report.joined", "reports", "subject_id",
		`select count(*) from (select 1 from reports where subject_id = $1 and case_id = $2
		and joined = $3 limit $4) as taken`)
	reportDecide = define("report.decide", "reports", "subject_id",
		`update reports set outcome = $3, decided = $4 where subject_id = $1 and case_id = $2
		and outcome = 0`)
	reportReopen = define("report.reopen", "reports", "subject_id",
		`update reports set outcome = 0, decided = 0, told = 0, `+reportUncount+`
		where subject_id = $1 and case_id = $2`)
	reportChange = define("report.change", "reports", "subject_id",
		`update reports set outcome = $3, decided = $4, told = 0, `+reportUncount+`
		where subject_id = $1 and case_id = $2 and outcome > 0`)
	reportMove = define("report.move", "reports", "subject_id",
		`update reports set case_id = $3 where subject_id = $1 and case_id = $2 and not exists (
		select 1 from reports as other where other.subject_id = $1 and other.case_id = $3
		and other.reporter = reports.reporter and other.reporter <> 0)`)
	reportTold = define("report.told", "reports", "subject_id",
		`update reports set told = $3 where subject_id = $1 and report_id = $2`)
	reportCounted = define("report.counted", "reports", "subject_id",
		`update reports set counted = $3 where subject_id = $1 and report_id = $2`)
	reportUntold = define("report.untold", "reports", acrossShards,
		`select `+reportColumns+` from reports where outcome > 0 and told = 0 and report_id > $1
		order by report_id limit $2`)
	reportUncounted = define("report.uncounted", "reports", acrossShards,
		`select `+reportColumns+` from reports where (outcome > 0 and counted = 0 or counted < 0)
		and report_id > $1 order by report_id limit $2`)
	reportNotices = define("report.notices", "reports", acrossShards,
		`select r.subject_id, r.report_id, r.category, r.keyword, r.source, r.at, r.decided,
		coalesce(d.ground, ''), coalesce(d.automation, ''), coalesce(d.state, 0)
		from reports r
		left join cases c on c.subject_id = r.subject_id and c.case_id = r.case_id
		left join decisions d on d.subject_id = r.subject_id and d.id = c.decision
		where r.report_id >= $1 and r.report_id < $2 and (r.source = $3 or r.source = $4)
		order by r.report_id, r.subject_id limit $5`)
	reporterPut = define("reporter.put", "reporters", "subject_id",
		`insert into reporters (subject_id, report_id, sealed) values ($1, $2, $3)`)
	reporterGet = define("reporter.get", "reporters", "subject_id",
		`select sealed from reporters where subject_id = $1 and report_id = $2`)
	outcomePut = define("reporter_outcome.put", "reporter_outcomes", "user_id",
		`insert into reporter_outcomes (user_id, report_id, at, outcome) values ($1, $2, $3, $4)
		on conflict (user_id, report_id) do update set at = excluded.at,
		outcome = excluded.outcome`)
	outcomeDelete = define("reporter_outcome.delete", "reporter_outcomes", "user_id",
		`delete from reporter_outcomes where user_id = $1 and report_id = $2`)
	outcomeCount = define("reporter_outcome.count", "reporter_outcomes", "user_id",
		`select outcome, count(*) from reporter_outcomes where user_id = $1 and at >= $2
		group by outcome`)
	standingPut = define("reporter_standing.put", "reporter_standings", "user_id",
		`insert into reporter_standings (user_id, stage, since, until, upheld, refuted, told)
		values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (user_id) do update set stage = excluded.stage, since = excluded.since,
		until = excluded.until, upheld = excluded.upheld, refuted = excluded.refuted,
		told = excluded.told`)
	standingGet = define("reporter_standing.get", "reporter_standings", "user_id",
		`select user_id, stage, since, until, upheld, refuted, told from reporter_standings
		where user_id = $1`)
	standingCount = define("reporter_standing.count", "reporter_standings", acrossShards,
		`select count(*) from reporter_standings where stage = $1 and since >= $2
		and since < $3`)
	standingUntold = define("reporter_standing.untold", "reporter_standings", acrossShards,
		`select user_id, stage, since, until, upheld, refuted, told from reporter_standings
		where told = 0 and user_id > $1 order by user_id limit $2`)
	findingAdd = define("finding.add", "findings", "subject_id",
		`insert into findings (subject_id, finding_id, case_id, rule, score, verdict, at, note)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`)
	findingCount = define("finding.count", "findings", acrossShards,
		`select verdict, count(*) from findings where rule = $1 and at >= $2 group by verdict`)
	findingList = define("finding.list", "findings", acrossShards,
		`select subject_id, finding_id, case_id, rule, score, verdict, at, note from findings
		where rule = $1 and at <= $2 order by at desc, finding_id desc limit $3`)
)

// NoticeRow is a report with what was decided about it.
type NoticeRow struct {
	Subject                   ids.Peer
	Report                    int64
	Category, Keyword, Source string
	At, Decided               int64
	// Ground, Automation and State are those of the decision, empty while there is none.
	Ground, Automation string
	State              int64
}

// Notices returns up to limit reports from one of two sources with ids from one to below another,
// in the order of their ids.
func (r *Reader) Notices(
	from, below int64, source, or string, limit int,
) (out []NoticeRow, err error) {
	args := []any{from, below, source, or, limit}
	err = r.each(reportNotices, args, func(row rows) error {
		var x NoticeRow
		err := row.Scan(&x.Subject, &x.Report, &x.Category, &x.Keyword, &x.Source, &x.At,
			&x.Decided, &x.Ground, &x.Automation, &x.State)
		out = append(out, x)
		return err
	})
	return out, err
}

// CountStandings counts the accounts whose reports have been in a stage since a time that lies
// between two.
func (r *Reader) CountStandings(stage, from, below int64) (n int64, err error) {
	err = r.one(standingCount, []any{stage, from, below}, &n)
	return n, err
}

func (r *Reader) reports(st *statement, args ...any) ([]Report, error) {
	var out []Report
	err := r.each(st, args, func(row rows) error {
		var x Report
		err := row.Scan(&x.Subject, &x.ID, &x.Case, &x.Reporter, &x.Source, &x.Category, &x.Keyword,
			&x.Note, &x.Places, &x.Lang, &x.Flagger, &x.At, &x.Weight, &x.Net, &x.Device, &x.Joined,
			&x.Outcome, &x.Decided, &x.Told, &x.Counted)
		out = append(out, x)
		return err
	})
	return out, err
}

func (r *Reader) oneReport(st *statement, args ...any) (Report, error) {
	list, err := r.reports(st, args...)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Report{}, err
	}
	return list[0], nil
}

// AddReport writes a report. ErrConflict says that its reporter has one in the case.
func (t *Tx) AddReport(x Report) error {
	return t.exec(reportAdd, x.Subject, x.ID, x.Case, x.Reporter, x.Source, x.Category, x.Keyword,
		x.Note, x.Places, x.Lang, x.Flagger, x.At, x.Weight, x.Net, x.Device, x.Joined, x.Outcome,
		x.Decided, x.Told, x.Counted)
}

// Report returns a report.
func (r *Reader) Report(subject ids.Peer, id int64) (Report, error) {
	return r.oneReport(reportGet, subject, id)
}

// ReportBy returns the report that a reporter has in a case.
func (r *Reader) ReportBy(subject ids.Peer, in, reporter int64) (Report, error) {
	return r.oneReport(reportBy, subject, in, reporter)
}

// Reports returns up to limit reports of a case after an id, in order.
func (r *Reader) Reports(subject ids.Peer, in, after int64, limit int) ([]Report, error) {
	return r.reports(reportList, subject, in, after, limit)
}

// ReportsAlike counts, up to most, the reports of x's case that have its network, its device and
// its time of joining. What is not known of x counts as shared by none.
func (r *Reader) ReportsAlike(x Report, most int) (net, device, joined int64, err error) {
	for _, of := range []struct {
		st    *statement
		value int64
		n     *int64
	}{
		{reportNet, x.Net, &net}, {reportDevice, x.Device, &device},
		{reportJoined, x.Joined, &joined},
	} {
		if of.value == 0 {
			continue
		}
		if err := r.one(of.st, []any{x.Subject, x.Case, of.value, most}, of.n); err != nil {
			return 0, 0, 0, err
		}
	}
	return net, device, joined, nil
}

// DecideReports gives all reports of a case that have none an outcome, and returns how many.
func (t *Tx) DecideReports(subject ids.Peer, in, outcome, at int64) (int64, error) {
	return t.q.exec(t.ctx, reportDecide, subject, in, outcome, at)
}

// ReopenReports takes the outcome of all reports of a case back.
func (t *Tx) ReopenReports(subject ids.Peer, in int64) error {
	return t.exec(reportReopen, subject, in)
}

// ChangeReports gives all reports of a case that have an outcome another one.
func (t *Tx) ChangeReports(subject ids.Peer, in, outcome, at int64) error {
	return t.exec(reportChange, subject, in, outcome, at)
}

// MoveReports moves the reports of a case to another one about the same subject. Those whose
// reporters have one there stay.
func (t *Tx) MoveReports(subject ids.Peer, from, to int64) error {
	return t.exec(reportMove, subject, from, to)
}

// SetReportTold notes when a reporter was told of the outcome.
func (t *Tx) SetReportTold(subject ids.Peer, id, at int64) error {
	return t.execOne(reportTold, subject, id, at)
}

// SetReportCounted notes when an outcome entered its reporter's record, 0 for one that left it.
func (t *Tx) SetReportCounted(subject ids.Peer, id, at int64) error {
	return t.execOne(reportCounted, subject, id, at)
}

// UntoldReports returns up to limit decided reports after an id whose reporters were not told.
func (r *Reader) UntoldReports(after int64, limit int) ([]Report, error) {
	return r.reports(reportUntold, after, limit)
}

// UncountedReports returns up to limit reports after an id that were decided and are in no record
// yet, or are in one with an outcome that does not hold any more.
func (r *Reader) UncountedReports(after int64, limit int) ([]Report, error) {
	return r.reports(reportUncounted, after, limit)
}

// PutReporter writes who made a report, sealed.
func (t *Tx) PutReporter(subject ids.Peer, report int64, sealed []byte) error {
	return t.exec(reporterPut, subject, report, sealed)
}

// Reporter returns who made a report, sealed.
func (r *Reader) Reporter(subject ids.Peer, report int64) (sealed []byte, err error) {
	err = r.one(reporterGet, []any{subject, report}, &sealed)
	return sealed, err
}

// PutReporterOutcome enters how a report ended into an account's record, in the place of how it
// had ended before.
func (t *Tx) PutReporterOutcome(user ids.UserID, report, at, outcome int64) error {
	return t.exec(outcomePut, user, report, at, outcome)
}

// DeleteReporterOutcome takes a report out of an account's record.
func (t *Tx) DeleteReporterOutcome(user ids.UserID, report int64) error {
	return t.exec(outcomeDelete, user, report)
}

// ReporterOutcomes counts how reports of an account ended since a time, by outcome.
func (r *Reader) ReporterOutcomes(user ids.UserID, since int64) (map[int64]int64, error) {
	return r.counts(outcomeCount, user, since)
}

// counts reads rows of a number and how often it occurs.
func (r *Reader) counts(st *statement, args ...any) (map[int64]int64, error) {
	out := make(map[int64]int64)
	err := r.each(st, args, func(row rows) error {
		var of, n int64
		err := row.Scan(&of, &n)
		out[of] = n
		return err
	})
	return out, err
}

// PutReporterStanding writes what followed for an account from its reports.
func (t *Tx) PutReporterStanding(s ReporterStanding) error {
	return t.exec(standingPut, s.User, s.Stage, s.Since, s.Until, s.Upheld, s.Refuted, s.Told)
}

func (r *Reader) standings(st *statement, args ...any) ([]ReporterStanding, error) {
	var out []ReporterStanding
	err := r.each(st, args, func(row rows) error {
		var s ReporterStanding
		err := row.Scan(&s.User, &s.Stage, &s.Since, &s.Until, &s.Upheld, &s.Refuted, &s.Told)
		out = append(out, s)
		return err
	})
	return out, err
}

// ReporterStanding returns what followed for an account; nothing, told, for most.
func (r *Reader) ReporterStanding(user ids.UserID) (ReporterStanding, error) {
	list, err := r.standings(standingGet, user)
	if err != nil || len(list) == 0 {
		return ReporterStanding{User: user, Told: 1}, err
	}
	return list[0], nil
}

// UntoldStandings returns up to limit standings after an account that it was not told of.
func (r *Reader) UntoldStandings(after ids.UserID, limit int) ([]ReporterStanding, error) {
	return r.standings(standingUntold, after, limit)
}

// AddFinding writes what a rule found.
func (t *Tx) AddFinding(f Finding) error {
	return t.exec(findingAdd, f.Subject, f.ID, f.Case, f.Rule, f.Score, f.Verdict, f.At, f.Note)
}

// CountFindings counts what a rule has found since a time, by verdict.
func (r *Reader) CountFindings(rule string, since int64) (map[int64]int64, error) {
	return r.counts(findingCount, rule, since)
}

// Findings returns up to limit findings of a rule up to a time, the newest first.
func (r *Reader) Findings(rule string, until int64, limit int) ([]Finding, error) {
	var out []Finding
	err := r.each(findingList, []any{rule, until, limit}, func(row rows) error {
		var f Finding
		err := row.Scan(&f.Subject, &f.ID, &f.Case, &f.Rule, &f.Score, &f.Verdict, &f.At, &f.Note)
		out = append(out, f)
		return err
	})
	return out, err
}
