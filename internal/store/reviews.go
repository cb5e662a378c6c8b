package store

// OrderReview is that a person has still to look at what an order led to, since a time in Unix
// seconds.
type OrderReview struct{ Agency, Order, Since int64 }

var (
	reviewAdd = define("order_review.add", "order_reviews", "agency_id",
		`insert into order_reviews (agency_id, order_id, since) values ($1, $2, $3)
		on conflict (agency_id, order_id) do nothing`)
	reviewEnd = define("order_review.end", "order_reviews", "agency_id",
		`delete from order_reviews where agency_id = $1 and order_id = $2`)
	reviewList = define("order_review.list", "order_reviews", acrossShards,
		`select agency_id, order_id, since from order_reviews where (since, order_id) > ($1, $2)
		order by since, order_id limit $3`)
)

// AddOrderReview has an order wait for a review. One that waits already does so since it began.
func (t *Tx) AddOrderReview(x OrderReview) error {
	return t.exec(reviewAdd, x.Agency, x.Order, x.Since)
}

// EndOrderReview has an order wait for no review, if it did.
func (t *Tx) EndOrderReview(agency, order int64) error { return t.exec(reviewEnd, agency, order) }

// OrderReviews returns up to limit orders that wait for a review, those that wait longest first,
// after the time and order of the last one seen.
func (r *Reader) OrderReviews(since, order int64, limit int) (out []OrderReview, err error) {
	err = r.each(reviewList, []any{since, order, limit}, func(row rows) error {
		var x OrderReview
		err := row.Scan(&x.Agency, &x.Order, &x.Since)
		out = append(out, x)
		return err
	})
	return out, err
}
