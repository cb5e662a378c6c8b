package store

// Mails that arrived and inquiries are looked at again and again until their keeping is over. When
// it is, is told by safety/mailroom and safety/inquiry. Times are Unix seconds.
var (
	arrivedLook = define("arrived.look", "arrived_mails", acrossShards,
		`select `+arrivedColumns+` from arrived_mails where look <= $1
		order by look, mail_id limit $2`)
	arrivedPutOff = define("arrived.put_off", "arrived_mails", "agency_id",
		`update arrived_mails set look = $3 where agency_id = $1 and mail_id = $2`)
	arrivedDrop = define("arrived.drop", "arrived_mails", "agency_id",
		`delete from arrived_mails where agency_id = $1 and mail_id = $2`)
	inquiryLook = define("inquiry.look", "inquiries", "agency_id",
		`select `+inquiryColumns+` from inquiries where agency_id = $1 and look <= $2
		order by look, inquiry_id limit $3`)
	inquiryPutOff = define("inquiry.put_off", "inquiries", "agency_id",
		`update inquiries set look = $3 where agency_id = $1 and inquiry_id = $2`)
	inquiryDrop = define("inquiry.drop", "inquiries", "agency_id",
		`delete from inquiries where agency_id = $1 and inquiry_id = $2`)
	inquiryLineDrop = define("inquiry_line.drop", "inquiry_lines", "agency_id",
		`delete from inquiry_lines where agency_id = $1 and inquiry_id = $2`)
	inquiryAskerDrop = define("inquiry_asker.drop", "inquiry_askers", "agency_id",
		`delete from inquiry_askers where agency_id = $1 and inquiry_id = $2`)
)

// ArrivedMailsToLookAt returns up to limit mails that are to be looked at by a time.
func (r *Reader) ArrivedMailsToLookAt(by int64, limit int) ([]ArrivedMail, error) {
	return r.arrived(arrivedLook, by, limit)
}

// PutOffArrivedMail has a mail looked at again at a time. ErrNotFound.
func (t *Tx) PutOffArrivedMail(agency, id, until int64) error {
	return t.execOne(arrivedPutOff, agency, id, until)
}

// DropArrivedMail forgets a mail; its bytes are kept elsewhere.
func (t *Tx) DropArrivedMail(agency, id int64) error { return t.exec(arrivedDrop, agency, id) }

// InquiriesToLookAt returns up to limit inquiries of an agency that are to be looked at by a time.
func (r *Reader) InquiriesToLookAt(agency, by int64, limit int) ([]Inquiry, error) {
	return r.inquiries(inquiryLook, agency, by, limit)
}

// PutOffInquiry has an inquiry looked at again at a time. ErrNotFound.
func (t *Tx) PutOffInquiry(agency, id, until int64) error {
	return t.execOne(inquiryPutOff, agency, id, until)
}

// DropInquiry forgets an inquiry with all that was said, and who asked.
func (t *Tx) DropInquiry(agency, id int64) error {
	for _, st := range []*statement{inquiryLineDrop, inquiryAskerDrop, inquiryDrop} {
		if err := t.exec(st, agency, id); err != nil {
			return err
		}
	}
	return nil
}
