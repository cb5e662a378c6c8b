package store

import "strings"

// OrderRefusal is a line of the register of orders that were refused.
type OrderRefusal struct {
	Agency, Order int64
	// At is when it was refused, in Unix seconds.
	At int64
	// Class is why, in one word; the others are the order's.
	Class, Country, Instrument string
	Number, Authority          string
	// Words are what the line is found by, in their folded form.
	Words string
}

// RefusalFilter names lines of the register.
type RefusalFilter struct {
	// Class, Country and Instrument are those of the lines, empty for any; Words have to be in it.
	Class, Country, Instrument, Words string
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
		and (instrument = $6 or $6 = '') and words like $7 escape '!'
		order by at desc, order_id desc limit $8`)
	refusalCount = define("order_refusal.count", "order_refusals", acrossShards,
		`select class, country, instrument, count(*) from order_refusals where at >= $1
		group by class, country, instrument order by class, country, instrument`)
)

// AddOrderRefusal enters a refused order in the register. One that is in it stays as it is.
func (t *Tx) AddOrderRefusal(x OrderRefusal) error {
	return t.exec(refusalAdd, x.Agency, x.Order, x.At, x.Class, x.Country, x.Instrument, x.Number,
		x.Authority, x.Words)
}

// OrderRefusals returns up to limit lines of the register that a filter names, the last first.
func (r *Reader) OrderRefusals(f RefusalFilter, limit int) (out []OrderRefusal, err error) {
	like := "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(f.Words) + "%"
	args := []any{f.Since, f.At, f.Order, f.Class, f.Country, f.Instrument, like, limit}
	err = r.each(refusalList, args, func(row rows) error {
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
