package store

// ArrivedMail is a mail that came in at one of the service's addresses. What its words mean is told
// by safety/mailroom. Times are Unix seconds.
type ArrivedMail struct {
	// Agency is the one about whose order it is, 0 for nobody known.
	Agency, ID int64
	// Message stands for its Message-ID.
	Message int64
	At      int64
	// Door is where it came in, Outcome what became of it.
	Door, Outcome string
	// Digest is the SHA-256 of the mail as it came, in hexadecimal digits, Size its bytes.
	Digest string
	Size   int64
	// Due is when its sender is told next, 0 for never, Tries how often that failed.
	Due, Tries int64
	// Sealed is who sent it, Body what else is known of it.
	Sealed, Body []byte
}

const arrivedColumns = `agency_id, mail_id, message, at, door, outcome, digest, size, due, tries,
		sealed, body`

var (
	arrivedAdd = define("arrived.add", "arrived_mails", "agency_id",
		`insert into arrived_mails (`+arrivedColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		on conflict (agency_id, mail_id) do nothing`)
	arrivedChange = define("arrived.change", "arrived_mails", "agency_id",
		`update arrived_mails set due = $3, tries = $4, body = $5, door = $6, outcome = $7
		where agency_id = $1 and mail_id = $2`)
	arrivedGet = define("arrived.get", "arrived_mails", "agency_id",
		`select `+arrivedColumns+` from arrived_mails where agency_id = $1 and mail_id = $2`)
	arrivedMessage = define("arrived.message", "arrived_mails", "agency_id",
		`select `+arrivedColumns+` from arrived_mails where agency_id = $1 and message = $2
		order by at limit $3`)
	arrivedOwed = define("arrived.owed", "arrived_mails", acrossShards,
		`select `+arrivedColumns+` from arrived_mails where due > 0 and due <= $1
		order by due, mail_id limit $2`)
	arrivedLast = define("arrived.last", "arrived_mails", acrossShards,
		`select `+arrivedColumns+` from arrived_mails where (at, mail_id) < ($1, $2)
		and ($3 = '' or door = $3) order by at desc, mail_id desc limit $4`)
	arrivedLastOf = define("arrived.last.of", "arrived_mails", acrossShards,
		`select `+arrivedColumns+` from arrived_mails where (at, mail_id) < ($1, $2)
		and ($3 = '' or door = $3) and outcome = $5 order by at desc, mail_id desc limit $4`)
	arrivedCount = define("arrived.count", "arrived_mails", acrossShards,
		`select door, count(*), min(at) from arrived_mails where outcome = $1
		group by door order by door`)
)

// AddArrivedMail stores a mail; nothing happens when it is there already.
func (t *Tx) AddArrivedMail(m ArrivedMail) error {
	return t.exec(arrivedAdd, m.Agency, m.ID, m.Message, m.At, m.Door, m.Outcome, m.Digest, m.Size,
		m.Due, m.Tries, m.Sealed, m.Body)
}

// ChangeArrivedMail writes how far the answers to it are, at which door it is, and what became of
// it. ErrNotFound.
func (t *Tx) ChangeArrivedMail(m ArrivedMail) error {
	return t.execOne(arrivedChange, m.Agency, m.ID, m.Due, m.Tries, m.Body, m.Door, m.Outcome)
}

// ArrivedMail returns a mail. ErrNotFound.
func (r *Reader) ArrivedMail(agency, id int64) (ArrivedMail, error) {
	list, err := r.arrived(arrivedGet, agency, id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return ArrivedMail{}, err
	}
	return list[0], nil
}

// ArrivedMailsOf returns up to limit mails with one Message-ID, the oldest first.
func (r *Reader) ArrivedMailsOf(agency, message int64, limit int) ([]ArrivedMail, error) {
	return r.arrived(arrivedMessage, agency, message, limit)
}

// OwedAnswers returns up to limit mails whose senders are to be told something at a time.
func (r *Reader) OwedAnswers(at int64, limit int) ([]ArrivedMail, error) {
	return r.arrived(arrivedOwed, at, limit)
}

// ArrivedFilter chooses mails. The zero filter chooses all.
type ArrivedFilter struct{ Door, Outcome string }

// ArrivedMails returns up to limit mails that came before a place, the last ones first. The place
// is time and id of the last one seen.
func (r *Reader) ArrivedMails(f ArrivedFilter, at, id int64, limit int) ([]ArrivedMail, error) {
	if f.Outcome == "" {
		return r.arrived(arrivedLast, at, id, f.Door, limit)
	}
	return r.arrived(arrivedLastOf, at, id, f.Door, limit, f.Outcome)
}

// ArrivedCount is how many mails of an outcome are at a door, and when the oldest of them came.
type ArrivedCount struct {
	Door          string
	Mails, Oldest int64
}

// ArrivedCounts counts the mails of an outcome by their doors.
func (r *Reader) ArrivedCounts(outcome string) (out []ArrivedCount, err error) {
	err = r.each(arrivedCount, []any{outcome}, func(row rows) error {
		var c ArrivedCount
		err := row.Scan(&c.Door, &c.Mails, &c.Oldest)
		out = append(out, c)
		return err
	})
	return out, err
}

func (r *Reader) arrived(st *statement, args ...any) (out []ArrivedMail, err error) {
	err = r.each(st, args, func(row rows) error {
		var m ArrivedMail
		err := row.Scan(&m.Agency, &m.ID, &m.Message, &m.At, &m.Door, &m.Outcome, &m.Digest,
			&m.Size, &m.Due, &m.Tries, &m.Sealed, &m.Body)
		out = append(out, m)
		return err
	})
	return out, err
}
