package store

import "parley/internal/ids"

// Letter is something owed to a person until it is delivered: a statement of reasons, an outcome,
// an answer. What its kind means is decided in safety/decide.
type Letter struct {
	Subject  ids.Peer
	ID       int64
	Kind     int64
	Decision int64
	Appeal   int64
	// Recipient is the account that it is for, 0 for all who reported the case.
	Recipient ids.UserID
	// Place is the last report whose notifier was told, or the message of an appeal.
	Place   int64
	Created int64
	// Due is when delivery is tried next.
	Due int64
	// Delivered is when it was, 0 while it is owed; Message is the message in the service account's
	// box, 0 when it could not be sent.
	Delivered int64
	Message   int64
}

const letterColumns = `subject_id, id, kind, decision_id, appeal_id, recipient, place, created,
	due, delivered, message_id`

var (
	letterAdd = define("letter.add", "letters", "subject_id",
		`insert into letters (`+letterColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`)
	letterGet = define("letter.get", "letters", "subject_id",
		`select `+letterColumns+` from letters where subject_id = $1 and id = $2`)
	letterOf = define("letter.of", "letters", "subject_id",
		`select `+letterColumns+` from letters where subject_id = $1 and decision_id = $2
		order by id`)
	letterChange = define("letter.change", "letters", "subject_id",
		`update letters set place = $3, due = $4, delivered = $5, message_id = $6
		where subject_id = $1 and id = $2`)
	letterOwed = define("letter.owed", "letters", acrossShards,
		`select `+letterColumns+` from letters where delivered = 0 and due <= $1
		order by due, id limit $2`)
)

func (l *Letter) fields() []any {
	return []any{
		&l.Subject, &l.ID, &l.Kind, &l.Decision, &l.Appeal, &l.Recipient, &l.Place, &l.Created,
		&l.Due, &l.Delivered, &l.Message,
	}
}

// AddLetter stores what is owed; ErrConflict when the subject has one of that id.
func (t *Tx) AddLetter(s Letter) error {
	return t.exec(letterAdd, s.Subject, s.ID, s.Kind, s.Decision, s.Appeal, s.Recipient, s.Place,
		s.Created, s.Due, s.Delivered, s.Message)
}

// ChangeLetter writes how far the delivery is. ErrNotFound.
func (t *Tx) ChangeLetter(s Letter) error {
	return t.execOne(letterChange, s.Subject, s.ID, s.Place, s.Due, s.Delivered, s.Message)
}

// Letter returns what is or was owed.
func (r *Reader) Letter(subject ids.Peer, id int64) (s Letter, err error) {
	err = r.one(letterGet, []any{subject, id}, s.fields()...)
	return s, err
}

// LettersOf returns what a decision made owed, oldest first.
func (r *Reader) LettersOf(subject ids.Peer, decision int64) ([]Letter, error) {
	return r.letters(letterOf, subject, decision)
}

// OwedLetters returns up to limit that are to be delivered at a time, those due first first.
func (r *Reader) OwedLetters(at int64, limit int) ([]Letter, error) {
	return r.letters(letterOwed, at, limit)
}

func (r *Reader) letters(st *statement, args ...any) (out []Letter, err error) {
	err = r.each(st, args, func(row rows) error {
		var s Letter
		if err := row.Scan(s.fields()...); err != nil {
			return err
		}
		out = append(out, s)
		return nil
	})
	return out, err
}
