package store

// Inquiry is a question of a regulator. What its numbers mean is told by safety/inquiry. Times are
// Unix seconds.
type Inquiry struct {
	Agency, ID int64
	Title      string
	State      int64
	// Due is until when the service has to answer, Alarmed when that was missed; 0 for neither.
	Opened, Due, Alarmed int64
	// Lines is how many there are.
	Lines int64
}

// InquiryLine is something said about an inquiry, by staff or by an officer.
type InquiryLine struct {
	Agency, Inquiry, N, At int64
	Staff, Officer         int64
	Body                   []byte
}

const (
	inquiryColumns     = `agency_id, inquiry_id, title, state, opened, due, alarmed, lines`
	inquiryLineColumns = `agency_id, inquiry_id, n, at, staff, officer, body`
)

var (
	inquiryPut = define("inquiry.put", "inquiries", "agency_id",
		`insert into inquiries (`+inquiryColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (agency_id, inquiry_id) do update set state = excluded.state,
		due = excluded.due, alarmed = excluded.alarmed, lines = excluded.lines`)
	inquiryGet = define("inquiry.get", "inquiries", "agency_id",
		`select `+inquiryColumns+` from inquiries where agency_id = $1 and inquiry_id = $2`)
	inquiryList = define("inquiry.list", "inquiries", "agency_id",
		`select `+inquiryColumns+` from inquiries where agency_id = $1 and inquiry_id < $2
		order by inquiry_id desc limit $3`)
	inquiryWaiting = define("inquiry.waiting", "inquiries", acrossShards,
		`select `+inquiryColumns+` from inquiries where state = 1
		and (due > $1 or due = $1 and inquiry_id > $2) order by due, inquiry_id limit $3`)
	inquiryOverdue = define("inquiry.overdue", "inquiries", acrossShards,
		`select `+inquiryColumns+` from inquiries where state = 1 and due <= $1 and alarmed = 0
		order by due, inquiry_id limit $2`)
	inquiryLineAdd = define("inquiry_line.add", "inquiry_lines", "agency_id",
		`insert into inquiry_lines (`+inquiryLineColumns+`) values ($1, $2, $3, $4, $5, $6, $7)`)
	inquiryLineList = define("inquiry_line.list", "inquiry_lines", "agency_id",
		`select `+inquiryLineColumns+` from inquiry_lines where agency_id = $1
		and inquiry_id = $2 order by n`)
	inquiryLineGet = define("inquiry_line.get", "inquiry_lines", "agency_id",
		`select `+inquiryLineColumns+` from inquiry_lines where agency_id = $1
		and inquiry_id = $2 and n = $3`)
)

func (i *Inquiry) fields() []any {
	return []any{
		&i.Agency, &i.ID, &i.Title, &i.State, &i.Opened, &i.Due, &i.Alarmed, &i.Lines,
	}
}

// PutInquiry writes an inquiry, or how far it is.
func (t *Tx) PutInquiry(i Inquiry) error {
	return t.exec(inquiryPut, i.Agency, i.ID, i.Title, i.State, i.Opened, i.Due, i.Alarmed, i.Lines)
}

// Inquiry returns an inquiry of an agency.
func (r *Reader) Inquiry(agency, id int64) (i Inquiry, err error) {
	err = r.one(inquiryGet, []any{agency, id}, i.fields()...)
	return i, err
}

// Inquiries returns up to limit inquiries of an agency with ids below one, the newest first.
func (r *Reader) Inquiries(agency, below int64, limit int) ([]Inquiry, error) {
	return r.inquiries(inquiryList, agency, below, limit)
}

// WaitingInquiries returns up to limit inquiries that wait for the service behind a place, those
// due first first. The place is when the last one seen is due, and its id.
func (r *Reader) WaitingInquiries(due, id int64, limit int) ([]Inquiry, error) {
	return r.inquiries(inquiryWaiting, due, id, limit)
}

// OverdueInquiries returns up to limit inquiries that were due by a time, and of which nobody was
// told.
func (r *Reader) OverdueInquiries(by int64, limit int) ([]Inquiry, error) {
	return r.inquiries(inquiryOverdue, by, limit)
}

func (r *Reader) inquiries(st *statement, args ...any) (out []Inquiry, err error) {
	err = r.each(st, args, func(row rows) error {
		var i Inquiry
		err := row.Scan(i.fields()...)
		out = append(out, i)
		return err
	})
	return out, err
}

// AddInquiryLine writes what was said; ErrConflict when somebody else said something as that line.
func (t *Tx) AddInquiryLine(l InquiryLine) error {
	return t.exec(inquiryLineAdd, l.Agency, l.Inquiry, l.N, l.At, l.Staff, l.Officer, l.Body)
}

func (l *InquiryLine) fields() []any {
	return []any{&l.Agency, &l.Inquiry, &l.N, &l.At, &l.Staff, &l.Officer, &l.Body}
}

// InquiryLine returns what was said as one line of an inquiry.
func (r *Reader) InquiryLine(agency, inquiry, n int64) (l InquiryLine, err error) {
	err = r.one(inquiryLineGet, []any{agency, inquiry, n}, l.fields()...)
	return l, err
}

// InquiryLines returns what was said about an inquiry, in order.
func (r *Reader) InquiryLines(agency, inquiry int64) (out []InquiryLine, err error) {
	err = r.each(inquiryLineList, []any{agency, inquiry}, func(row rows) error {
		l := InquiryLine{}
		err := row.Scan(l.fields()...)
		out = append(out, l)
		return err
	})
	return out, err
}
