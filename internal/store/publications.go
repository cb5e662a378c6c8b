package store

// OrderPublication is what becomes of an order's text for the public. What its states mean is told
// by safety/order. Times are Unix seconds.
type OrderPublication struct {
	Agency, Order, State int64
	// Due is from when on somebody or the next step is waited for.
	Due int64
	// Staff is who decided last, At when.
	Staff, At int64
	// Text is what is published, Why the reason of who decided that nothing is.
	Text, Why string
}

const publicationColumns = `agency_id, order_id, state, due, staff, at, text, why`

var (
	publicationPut = define("order_publication.put", "order_publications", "agency_id",
		`insert into order_publications (`+publicationColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (agency_id, order_id) do update set state = excluded.state, due = excluded.due,
		staff = excluded.staff, at = excluded.at, text = excluded.text, why = excluded.why`)
	publicationGet = define("order_publication.get", "order_publications", "agency_id",
		`select `+publicationColumns+` from order_publications
		where agency_id = $1 and order_id = $2`)
	publicationDue = define("order_publication.due", "order_publications", acrossShards,
		`select `+publicationColumns+` from order_publications where state = $1 and due <= $2
		and (due, order_id) > ($3, $4) order by due, order_id limit $5`)
)

// PutOrderPublication writes what becomes of an order's text.
func (t *Tx) PutOrderPublication(x OrderPublication) error {
	return t.exec(publicationPut, x.Agency, x.Order, x.State, x.Due, x.Staff, x.At, x.Text, x.Why)
}

// OrderPublication returns what becomes of an order's text. ErrNotFound.
func (r *Reader) OrderPublication(agency, order int64) (x OrderPublication, err error) {
	err = r.one(publicationGet, []any{agency, order}, x.fields()...)
	return x, err
}

// OrderPublications returns up to limit of those in a state that are due by a time, after the due
// time and order of the last one seen.
func (r *Reader) OrderPublications(
	state, by, due, order int64, limit int,
) (out []OrderPublication, err error) {
	err = r.each(publicationDue, []any{state, by, due, order, limit}, func(row rows) error {
		var x OrderPublication
		err := row.Scan(x.fields()...)
		out = append(out, x)
		return err
	})
	return out, err
}

func (x *OrderPublication) fields() []any {
	return []any{&x.Agency, &x.Order, &x.State, &x.Due, &x.Staff, &x.At, &x.Text, &x.Why}
}
