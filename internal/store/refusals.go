package store

// OrderRefusal is a line of the register of orders that were refused.
type OrderRefusal struct {
	Agency, Order int64
	// At is when it was refused, in Unix seconds.
	At int64
	// Class is why, in one word; the others are the order's.
	Class, Country, Instrument string
	Number, Authority          string
	// Words are what the line is found by.
	Words string
}

// RefusalFilter names lines of the register.
type RefusalFilter struct {
	// Class, Country and Instrument are those of the lines, empty for any.
	Class, Country, Instrument string
	// Since is the earliest time; lines are older than At and Order, those of the last one seen.
	Since     int64
	At, Order int64
}

// RefusalCount is how many orders were refused, by why, whose and on which ground.
type RefusalCount struct {
	Class, Country, Instrument string
	Count                      int64
}

const refusalColumns = `agency_id, order_id, at, class, country, instrument, number, authority,
	words`

var (
	refusalAdd = define("order_refusal.add", "order_refusals", "agency_id",
		`insert into order_refusals (`+refusalColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		on conflict (agency_id, order_id) do nothing`)
	refusalList = define("order_refusal.list", "order_refusals", acrossShards,
		`select `+refusalColumns+` from order_refusals where at >= $1 and (at, order_id) < ($2, $3)
		and (class = $4 or $4 = '') and (country = $5 or $5 = '')
		and (instrument = $6 or $6 = '')
		order by at desc, order_id desc limit $7`)
	refusalTermAdd = define("order_refusal_term.add", "order_refusal_terms", "agency_id",
		`insert into order_refusal_terms (agency_id, order_id, term, at) values ($1, $2, $3, $4)
		on conflict (agency_id, order_id, term) do nothing`)
	refusalTermCount = define("order_refusal_term.count", "order_refusal_terms", acrossShards,
		`select count(*) from (select 1 from order_refusal_terms where term = $1 and at >= $2
		limit $3) as found`)
	refusalTermList = define("order_refusal_term.list", "order_refusal_terms", acrossShards,
		`select r.agency_id, r.order_id, r.at, r.class, r.country, r.instrument, r.number,
		r.authority, r.words from order_refusal_terms as t join order_refusals as r
		on r.agency_id = t.agency_id and r.order_id = t.order_id
		where t.term = $8 and t.at >= $1 and (t.at, t.order_id) < ($2, $3)
		and (r.class = $4 or $4 = '') and (r.country = $5 or $5 = '')
		and (r.instrument = $6 or $6 = '')
		order by t.at desc, t.order_id desc limit $7`)
	refusalCount = define("order_refusal.count", "order_refusals", acrossShards,
		`select class, country, instrument, count(*) from order_refusals where at >= $1
		group by class, country, instrument order by class, country, instrument`)
)

// AddOrderRefusal enters a refused order in the register, with the terms by which it is found. One
// that is in it stays as it is.
func (t *Tx) AddOrderRefusal(x OrderRefusal, terms []string) error {
	err := t.exec(refusalAdd, x.Agency, x.Order, x.At, x.Class, x.Country, x.Instrument, x.Number,
		x.Authority, x.Words)
	for _, term := range terms {
		if err == nil {
			err = t.exec(refusalTermAdd, x.Agency, x.Order, term, x.At)
		}
	}
	return err
}

// OrderRefusals returns up to limit lines of the register that a filter names, the last first.
func (r *Reader) OrderRefusals(f RefusalFilter, limit int) ([]OrderRefusal, error) {
	return r.refusals(refusalList, f.Since, f.At, f.Order, f.Class, f.Country, f.Instrument, limit)
}

// OrderRefusalsByTerm returns up to limit lines that a filter names and that have a term, the last
// first.
func (r *Reader) OrderRefusalsByTerm(
	f RefusalFilter, term string, limit int,
) ([]OrderRefusal, error) {
	return r.refusals(refusalTermList, f.Since, f.At, f.Order, f.Class, f.Country, f.Instrument,
		limit, term)
}

// CountOrderRefusalTerm counts the lines since a time that have a term, up to most.
func (r *Reader) CountOrderRefusalTerm(term string, since int64, most int) (n int64, err error) {
	err = r.one(refusalTermCount, []any{term, since, most}, &n)
	return n, err
}

func (r *Reader) refusals(st *statement, args ...any) (out []OrderRefusal, err error) {
	err = r.each(st, args, func(row rows) error {
		var x OrderRefusal
		err := row.Scan(&x.Agency, &x.Order, &x.At, &x.Class, &x.Country, &x.Instrument, &x.Number,
			&x.Authority, &x.Words)
		out = append(out, x)
		return err
	})
	return out, err
}

// CountOrderRefusals counts the lines of the register since a time.
func (r *Reader) CountOrderRefusals(since int64) (out []RefusalCount, err error) {
	err = r.each(refusalCount, []any{since}, func(row rows) error {
		var x RefusalCount
		err := row.Scan(&x.Class, &x.Country, &x.Instrument, &x.Count)
		out = append(out, x)
		return err
	})
	return out, err
}
