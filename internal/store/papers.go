package store

// What rows name papers is told by the packages whose rows they are; safety/enclosure removes the
// others. Digests are SHA-256 in hexadecimal digits, times Unix seconds.
var (
	orderDocumentDigests = define("order_document.digests", "order_documents", acrossShards,
		`select digest from order_documents`)
	arrivedNames = define("arrived.names", "arrived_mails", acrossShards,
		`select digest, body from arrived_mails`)
	inquiryLineBodies = define("inquiry_line.bodies", "inquiry_lines", acrossShards,
		`select body from inquiry_lines`)
	paperBarPut = define("paper_bar.put", "paper_bars", "digest",
		`insert into paper_bars (digest, until) values ($1, $2)
		on conflict (digest) do update set until = excluded.until
		where paper_bars.until <= $3`)
	paperBarLift = define("paper_bar.lift", "paper_bars", "digest",
		`delete from paper_bars where digest = $1 and until = $2`)
	paperBarGet = define("paper_bar.get", "paper_bars", "digest",
		`select until from paper_bars where digest = $1`)
)

// EachOrderDocument visits the digests of all documents of orders, some more than once.
func (r *Reader) EachOrderDocument(visit func(digest string) error) error {
	return r.each(orderDocumentDigests, nil, func(row rows) error {
		var digest string
		if err := row.Scan(&digest); err != nil {
			return err
		}
		return visit(digest)
	})
}

// EachArrivedMail visits all mails that arrived, by their digests and bodies.
func (r *Reader) EachArrivedMail(visit func(digest string, body []byte) error) error {
	return r.each(arrivedNames, nil, func(row rows) error {
		var digest string
		var body []byte
		if err := row.Scan(&digest, &body); err != nil {
			return err
		}
		return visit(digest, body)
	})
}

// EachInquiryLine visits the bodies of all that was said about inquiries.
func (r *Reader) EachInquiryLine(visit func(body []byte) error) error {
	return r.each(inquiryLineBodies, nil, func(row rows) error {
		var body []byte
		if err := row.Scan(&body); err != nil {
			return err
		}
		return visit(body)
	})
}

// BarPaper bars a paper until a time, and tells whether it did: not while another bar stands.
func (t *Tx) BarPaper(digest string, until, now int64) (bool, error) {
	n, err := t.q.exec(t.ctx, paperBarPut, digest, until, now)
	return n > 0, err
}

// LiftPaperBar ends the bar of a paper that was to stand until a time.
func (t *Tx) LiftPaperBar(digest string, until int64) error {
	return t.exec(paperBarLift, digest, until)
}

// PaperBar returns until when a paper is barred. ErrNotFound.
func (r *Reader) PaperBar(digest string) (until int64, err error) {
	err = r.one(paperBarGet, []any{digest}, &until)
	return until, err
}
