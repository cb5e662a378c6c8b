package store

import "parley/internal/ids"

// Mail is something owed by mail to the maker of a report who has no account. Whom it goes to is
// sealed with the report. What its kind means is decided in safety/mail.
type Mail struct {
	Subject ids.Peer
	Report  int64
	Kind    int64
	// Of is what the mail tells of: a decision, an appeal, a line of its dialogue; 0 for a receipt.
	Of      int64
	Created int64
	// Due is when sending is tried next, Tries how often it was.
	Due, Tries int64
	// Sent is when it was sent or given up, 0 while it is owed.
	Sent int64
}

const mailColumns = `subject_id, report_id, kind, of_id, created, due, tries, sent`

var (
	mailOwe = define("mail.owe", "mails", "subject_id",
		`insert into mails (`+mailColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (subject_id, report_id, kind, of_id) do nothing`)
	mailChange = define("mail.change", "mails", "subject_id",
		`update mails set due = $5, tries = $6, sent = $7
		where subject_id = $1 and report_id = $2 and kind = $3 and of_id = $4`)
	mailOf = define("mail.of", "mails", "subject_id",
		`select `+mailColumns+` from mails where subject_id = $1 and report_id = $2
		order by created, kind, of_id`)
	mailOwed = define("mail.owed", "mails", acrossShards,
		`select `+mailColumns+` from mails where sent = 0 and due <= $1
		order by due, report_id limit $2`)
	noticePut = define("notice.put", "notices", "subject_id",
		`insert into notices (subject_id, report_id, parts) values ($1, $2, $3)
		on conflict (subject_id, report_id) do update set parts = excluded.parts`)
	noticeSince = define("notice.since", "notices", acrossShards,
		`select report_id, parts from notices where report_id >= $1 and report_id < $2
		order by report_id limit $3`)
	noticeGet = define("notice.get", "notices", "subject_id",
		`select parts from notices where subject_id = $1 and report_id = $2`)
)

// OweMail writes down that a mail is owed; nothing happens when it was already.
func (t *Tx) OweMail(m Mail) error {
	return t.exec(mailOwe, m.Subject, m.Report, m.Kind, m.Of, m.Created, m.Due, m.Tries, m.Sent)
}

// ChangeMail writes how far the sending is. ErrNotFound.
func (t *Tx) ChangeMail(m Mail) error {
	return t.execOne(mailChange, m.Subject, m.Report, m.Kind, m.Of, m.Due, m.Tries, m.Sent)
}

// Mails returns what is or was owed by mail to the maker of a report, oldest first.
func (r *Reader) Mails(subject ids.Peer, report int64) ([]Mail, error) {
	return r.mails(mailOf, subject, report)
}

// OwedMails returns up to limit mails that are to be sent at a time, those due first first.
func (r *Reader) OwedMails(at int64, limit int) ([]Mail, error) {
	return r.mails(mailOwed, at, limit)
}

func (r *Reader) mails(st *statement, args ...any) (out []Mail, err error) {
	err = r.each(st, args, func(row rows) error {
		var m Mail
		err := row.Scan(&m.Subject, &m.Report, &m.Kind, &m.Of, &m.Created, &m.Due, &m.Tries,
			&m.Sent)
		if err != nil {
			return err
		}
		out = append(out, m)
		return nil
	})
	return out, err
}

// PutNotice writes the reports of a notice that named several places, under the first of them.
func (t *Tx) PutNotice(subject ids.Peer, report int64, parts []byte) error {
	return t.exec(noticePut, subject, report, parts)
}

// Notice returns the reports of a notice by the first of them. ErrNotFound for one that named one
// place.
func (r *Reader) Notice(subject ids.Peer, report int64) (parts []byte, err error) {
	err = r.one(noticeGet, []any{subject, report}, &parts)
	return parts, err
}

// NoticesSince calls fn with up to limit notices that named several places and whose first report
// has an id from one to below another, and returns how many there were.
func (r *Reader) NoticesSince(
	from, below int64, limit int, fn func(report int64, parts []byte) error,
) (n int, err error) {
	err = r.each(noticeSince, []any{from, below, limit}, func(row rows) error {
		var report int64
		var parts []byte
		if err := row.Scan(&report, &parts); err != nil {
			return err
		}
		n++
		return fn(report, parts)
	})
	return n, err
}
