package store

// InquiryAsker is who asked something without being an officer of an agency. Times are Unix
// seconds.
type InquiryAsker struct {
	Agency, Inquiry int64
	// Once tells his sending from all others.
	Once []byte
	// Sealed is what he said of himself.
	Sealed []byte
	// Ring is when somebody is to be woken for it, 0 when that is not owed.
	Ring int64
	// Tell is when to try next to mail him that there is an answer, 0 when that is not owed; Tries
	// is how often it failed.
	Tell, Tries int64
}

const inquiryAskerColumns = `agency_id, inquiry_id, once, sealed, ring, tell, tries`

var (
	inquiryAskerPut = define("inquiry_asker.put", "inquiry_askers", "agency_id",
		`insert into inquiry_askers (`+inquiryAskerColumns+`) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (agency_id, inquiry_id) do update set ring = excluded.ring,
		tell = excluded.tell, tries = excluded.tries`)
	inquiryAskerGet = define("inquiry_asker.get", "inquiry_askers", "agency_id",
		`select `+inquiryAskerColumns+` from inquiry_askers where agency_id = $1
		and inquiry_id = $2`)
	inquiryAskerOnce = define("inquiry_asker.once", "inquiry_askers", "agency_id",
		`select `+inquiryAskerColumns+` from inquiry_askers where agency_id = $1 and once = $2`)
	inquiryAskerRing = define("inquiry_asker.ring", "inquiry_askers", acrossShards,
		`select `+inquiryAskerColumns+` from inquiry_askers where ring > 0 and ring <= $1
		order by ring, inquiry_id limit $2`)
	inquiryAskerOwed = define("inquiry_asker.owed", "inquiry_askers", acrossShards,
		`select `+inquiryAskerColumns+` from inquiry_askers where tell > 0 and tell <= $1
		order by tell, inquiry_id limit $2`)
)

func (a *InquiryAsker) fields() []any {
	return []any{&a.Agency, &a.Inquiry, &a.Once, &a.Sealed, &a.Ring, &a.Tell, &a.Tries}
}

// PutInquiryAsker writes who asked, or what is owed to him. What he said of himself never changes.
// ErrConflict for a second question of one sending.
func (t *Tx) PutInquiryAsker(a InquiryAsker) error {
	return t.exec(inquiryAskerPut, a.Agency, a.Inquiry, a.Once, a.Sealed, a.Ring, a.Tell, a.Tries)
}

// InquiryAsker returns who asked something.
func (r *Reader) InquiryAsker(agency, inquiry int64) (a InquiryAsker, err error) {
	err = r.one(inquiryAskerGet, []any{agency, inquiry}, a.fields()...)
	return a, err
}

// InquiryAskerOnce returns who sent a question, by what tells the sending from others.
func (r *Reader) InquiryAskerOnce(agency int64, once []byte) (a InquiryAsker, err error) {
	err = r.one(inquiryAskerOnce, []any{agency, once}, a.fields()...)
	return a, err
}

// RingingInquiryAskers returns up to limit of those for whom somebody is to be woken by a time.
func (r *Reader) RingingInquiryAskers(by int64, limit int) ([]InquiryAsker, error) {
	return r.inquiryAskers(inquiryAskerRing, by, limit)
}

// OwedInquiryAskers returns up to limit of those who are to be mailed by a time that there is an
// answer.
func (r *Reader) OwedInquiryAskers(by int64, limit int) ([]InquiryAsker, error) {
	return r.inquiryAskers(inquiryAskerOwed, by, limit)
}

func (r *Reader) inquiryAskers(st *statement, by int64, limit int) (
	out []InquiryAsker, err error,
) {
	err = r.each(st, []any{by, limit}, func(row rows) error {
		var a InquiryAsker
		err := row.Scan(a.fields()...)
		out = append(out, a)
		return err
	})
	return out, err
}
