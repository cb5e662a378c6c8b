package store

// InquiryAsker is who asked something without being an officer of an agency. Times are Unix
// seconds.
type InquiryAsker struct {
	Agency, Inquiry int64
	// Sealed is what he said of himself.
	Sealed []byte
	// Tell is when to try next to mail him that there is an answer, 0 when that is not owed; Tries
	// is how often it failed.
	Tell, Tries int64
}

const inquiryAskerColumns = `agency_id, inquiry_id, sealed, tell, tries`

var (
	inquiryAskerPut = define("inquiry_asker.put", "inquiry_askers", "agency_id",
		`insert into inquiry_askers (`+inquiryAskerColumns+`) values ($1, $2, $3, $4, $5)
		on conflict (agency_id, inquiry_id) do update set tell = excluded.tell,
		tries = excluded.tries`)
	inquiryAskerGet = define("inquiry_asker.get", "inquiry_askers", "agency_id",
		`select `+inquiryAskerColumns+` from inquiry_askers where agency_id = $1
		and inquiry_id = $2`)
	inquiryAskerOwed = define("inquiry_asker.owed", "inquiry_askers", acrossShards,
		`select `+inquiryAskerColumns+` from inquiry_askers where tell > 0 and tell <= $1
		order by tell, inquiry_id limit $2`)
)

func (a *InquiryAsker) fields() []any {
	return []any{&a.Agency, &a.Inquiry, &a.Sealed, &a.Tell, &a.Tries}
}

// PutInquiryAsker writes who asked, or what he is owed. What he said of himself never changes.
func (t *Tx) PutInquiryAsker(a InquiryAsker) error {
	return t.exec(inquiryAskerPut, a.Agency, a.Inquiry, a.Sealed, a.Tell, a.Tries)
}

// InquiryAsker returns who asked something.
func (r *Reader) InquiryAsker(agency, inquiry int64) (a InquiryAsker, err error) {
	err = r.one(inquiryAskerGet, []any{agency, inquiry}, a.fields()...)
	return a, err
}

// OwedInquiryAskers returns up to limit of those who are to be mailed by a time that there is an
// answer.
func (r *Reader) OwedInquiryAskers(by int64, limit int) (out []InquiryAsker, err error) {
	err = r.each(inquiryAskerOwed, []any{by, limit}, func(row rows) error {
		var a InquiryAsker
		err := row.Scan(a.fields()...)
		out = append(out, a)
		return err
	})
	return out, err
}
