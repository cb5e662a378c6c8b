package store

import "parley/internal/ids"

// Order is an authority's order. What its numbers and words mean is told by safety/order. Times are
// Unix seconds.
type Order struct {
	Agency, ID int64
	Instrument string
	// Number is the authority's own, Digest that of the document as it came, in hexadecimal digits.
	Number, Digest string
	State          int64
	Country        string
	Officer        int64
	Received, Due  int64
	// Paused is since when its clock stands, 0 while it runs; Next is when the clock has to be
	// looked at again, 0 for never.
	Paused, Next      int64
	Alarmed, Breached int64
	Items, Events     int64
	// Closed is when it was answered or ended otherwise, 0 while it is open.
	Closed int64
	Body   []byte
}

// OrderItem is one thing that an order names.
type OrderItem struct {
	Agency, Order, N int64
	// Peer, Kind, Item and Author are the subject; Peer is 0 where nothing was found.
	Peer   ids.Peer
	Kind   int64
	Item   int64
	Author ids.UserID
	State  int64
	// Decision is what was decided about it, Hold what keeps its evidence; 0 for none.
	Decision, Hold int64
	At             int64
	Body           []byte
}

// OrderEvent is something that happened to an order.
type OrderEvent struct {
	Agency, Order, N int64
	At               int64
	Staff, Officer   int64
	Kind             int64
	Body             []byte
}

// OrderApproval is a signature under what would be carried out, whose digest it names.
type OrderApproval struct {
	Agency, Order int64
	Digest        string
	Staff         int64
	Role          string
	At            int64
}

// OrderPaper is a signed paper to an agency.
type OrderPaper struct {
	Agency, Order, N int64
	Kind             string
	At               int64
	// Fetched is when the agency first fetched it, 0 while it has not.
	Fetched int64
	Body    []byte
}

// OrderDocument is a document that came with an order, by its SHA-256 in hexadecimal digits.
type OrderDocument struct {
	Agency, Order int64
	Digest        string
	Name, Mime    string
	Size, At      int64
}

const (
	orderColumns = `agency_id, order_id, instrument, number, digest, state, country, officer,
		received, due, paused, next_at, alarmed, breached, items, events, closed, body`
	orderItemColumns = `agency_id, order_id, n, peer, kind, item, author, state, decision, hold,
		at, body`
)

var (
	orderAdd = define("order.add", "orders", "agency_id",
		`insert into orders (`+orderColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
		$11, $12, $13, $14, $15, $16, $17, $18)`)
	orderChange = define("order.change", "orders", "agency_id",
		`update orders set digest = $3, state = $4, due = $5, paused = $6, next_at = $7,
		alarmed = $8, breached = $9, items = $10, events = $11, closed = $12, body = $13,
		officer = $14, instrument = $15
		where agency_id = $1 and order_id = $2`)
	orderGet = define("order.get", "orders", "agency_id",
		`select `+orderColumns+` from orders where agency_id = $1 and order_id = $2`)
	orderNumber = define("order.number", "orders", "agency_id",
		`select `+orderColumns+` from orders where agency_id = $1 and number = $2
		order by order_id limit $3`)
	orderSame = define("order.same", "orders", "agency_id",
		`select `+orderColumns+` from orders where agency_id = $1 and number = $2 and digest = $3`)
	orderOf = define("order.of", "orders", "agency_id",
		`select `+orderColumns+` from orders where agency_id = $1 and order_id < $2
		order by order_id desc limit $3`)
	orderQueue = define("order.queue", "orders", acrossShards,
		`select `+orderColumns+` from orders where state = $1 and closed = 0
		and (due, order_id) > ($2, $3) order by due, order_id limit $4`)
	orderOpenOf = define("order.open_of", "orders", "agency_id",
		`select `+orderColumns+` from orders where agency_id = $1 and closed = 0
		and (due, order_id) > ($2, $3) order by due, order_id limit $4`)
	orderCount = define("order.count", "orders", acrossShards,
		`select count(*) from (select 1 from orders where state = $1 and closed = 0
		and due >= $2 and due < $3 limit $4) as found`)
	orderNext = define("order.next", "orders", acrossShards,
		`select `+orderColumns+` from orders where next_at > 0 and next_at <= $1
		order by next_at, order_id limit $2`)
	orderItemPut = define("order_item.put", "order_items", "agency_id",
		`insert into order_items (`+orderItemColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		on conflict (agency_id, order_id, n) do update set peer = excluded.peer,
		kind = excluded.kind, item = excluded.item, author = excluded.author,
		state = excluded.state, decision = excluded.decision, hold = excluded.hold,
		at = excluded.at, body = excluded.body`)
	orderItemList = define("order_item.list", "order_items", "agency_id",
		`select `+orderItemColumns+` from order_items where agency_id = $1 and order_id = $2
		order by n limit $3`)
	orderItemDecision = define("order_item.decision", "order_items", acrossShards,
		`select `+orderItemColumns+` from order_items where decision > 0 and decision = $1
		order by agency_id, order_id, n limit $2`)
	orderEventAdd = define("order_event.add", "order_events", "agency_id",
		`insert into order_events (agency_id, order_id, n, at, staff, officer, kind, body)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`)
	orderEventList = define("order_event.list", "order_events", "agency_id",
		`select agency_id, order_id, n, at, staff, officer, kind, body from order_events
		where agency_id = $1 and order_id = $2 and n > $3 order by n limit $4`)
	orderApprovalAdd = define("order_approval.add", "order_approvals", "agency_id",
		`insert into order_approvals (agency_id, order_id, digest, staff, role, at)
		values ($1, $2, $3, $4, $5, $6)`)
	orderApprovalList = define("order_approval.list", "order_approvals", "agency_id",
		`select agency_id, order_id, digest, staff, role, at from order_approvals
		where agency_id = $1 and order_id = $2 order by at, staff`)
	orderPaperAdd = define("order_paper.add", "order_papers", "agency_id",
		`insert into order_papers (agency_id, order_id, n, kind, at, fetched, body)
		values ($1, $2, $3, $4, $5, $6, $7)`)
	orderPaperFetched = define("order_paper.fetched", "order_papers", "agency_id",
		`update order_papers set fetched = $4
		where agency_id = $1 and order_id = $2 and n = $3 and fetched = 0`)
	orderPaperList = define("order_paper.list", "order_papers", "agency_id",
		`select agency_id, order_id, n, kind, at, fetched, body from order_papers
		where agency_id = $1 and order_id = $2 order by n`)
	orderDocumentAdd = define("order_document.add", "order_documents", "agency_id",
		`insert into order_documents (agency_id, order_id, digest, name, mime, size, at)
		values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (agency_id, order_id, digest) do nothing`)
	orderDocumentList = define("order_document.list", "order_documents", "agency_id",
		`select agency_id, order_id, digest, name, mime, size, at from order_documents
		where agency_id = $1 and order_id = $2 order by at, digest`)
)

// AddOrder stores an order; ErrConflict when the agency sent the same document under the same
// number before.
func (t *Tx) AddOrder(o Order) error {
	return t.exec(orderAdd, o.Agency, o.ID, o.Instrument, o.Number, o.Digest, o.State, o.Country,
		o.Officer, o.Received, o.Due, o.Paused, o.Next, o.Alarmed, o.Breached, o.Items, o.Events,
		o.Closed, o.Body)
}

// ChangeOrder writes how far an order is, and who answers for it. ErrNotFound.
func (t *Tx) ChangeOrder(o Order) error {
	return t.execOne(orderChange, o.Agency, o.ID, o.Digest, o.State, o.Due, o.Paused, o.Next,
		o.Alarmed, o.Breached, o.Items, o.Events, o.Closed, o.Body, o.Officer, o.Instrument)
}

// Order returns an order of an agency.
func (r *Reader) Order(agency, id int64) (Order, error) {
	list, err := r.orders(orderGet, agency, id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Order{}, err
	}
	return list[0], nil
}

// OrdersNumbered returns up to limit orders of an agency under one of its numbers, oldest first.
func (r *Reader) OrdersNumbered(agency int64, number string, limit int) ([]Order, error) {
	return r.orders(orderNumber, agency, number, limit)
}

// OrderSame returns the order of an agency with a number and a document, by the document's digest.
// ErrNotFound.
func (r *Reader) OrderSame(agency int64, number, digest string) (Order, error) {
	list, err := r.orders(orderSame, agency, number, digest)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Order{}, err
	}
	return list[0], nil
}

// OrdersOf returns up to limit orders of an agency with ids below one, the newest first.
func (r *Reader) OrdersOf(agency, below int64, limit int) ([]Order, error) {
	return r.orders(orderOf, agency, below, limit)
}

// OrderQueue returns up to limit open orders in a state behind a place of the queue, those that are
// due first first.
func (r *Reader) OrderQueue(state, due, after int64, limit int) ([]Order, error) {
	return r.orders(orderQueue, state, due, after, limit)
}

// OpenOrdersOf returns up to limit open orders of an agency behind a place of its queue, those that
// are due first first.
func (r *Reader) OpenOrdersOf(agency, due, after int64, limit int) ([]Order, error) {
	return r.orders(orderOpenOf, agency, due, after, limit)
}

// CountOrders counts the open orders in a state that are due from one time to before another, up to
// a number.
func (r *Reader) CountOrders(state, from, before int64, most int) (n int64, err error) {
	err = r.one(orderCount, []any{state, from, before, most}, &n)
	return n, err
}

// OrderClocks returns up to limit orders whose clock has to be looked at by a time.
func (r *Reader) OrderClocks(at int64, limit int) ([]Order, error) {
	return r.orders(orderNext, at, limit)
}

func (r *Reader) orders(st *statement, args ...any) (out []Order, err error) {
	err = r.each(st, args, func(row rows) error {
		var o Order
		err := row.Scan(&o.Agency, &o.ID, &o.Instrument, &o.Number, &o.Digest, &o.State, &o.Country,
			&o.Officer, &o.Received, &o.Due, &o.Paused, &o.Next, &o.Alarmed, &o.Breached, &o.Items,
			&o.Events, &o.Closed, &o.Body)
		out = append(out, o)
		return err
	})
	return out, err
}

// PutOrderItem writes one thing that an order names.
func (t *Tx) PutOrderItem(i OrderItem) error {
	return t.exec(orderItemPut, i.Agency, i.Order, i.N, i.Peer, i.Kind, i.Item, i.Author, i.State,
		i.Decision, i.Hold, i.At, i.Body)
}

// OrderItems returns up to limit things that an order names, in order.
func (r *Reader) OrderItems(agency, order int64, limit int) ([]OrderItem, error) {
	return r.orderItems(orderItemList, agency, order, limit)
}

// OrderItemsOfDecision returns up to limit things of orders that a decision was made about.
func (r *Reader) OrderItemsOfDecision(decision int64, limit int) ([]OrderItem, error) {
	return r.orderItems(orderItemDecision, decision, limit)
}

func (r *Reader) orderItems(st *statement, args ...any) (out []OrderItem, err error) {
	err = r.each(st, args, func(row rows) error {
		var i OrderItem
		err := row.Scan(&i.Agency, &i.Order, &i.N, &i.Peer, &i.Kind, &i.Item, &i.Author, &i.State,
			&i.Decision, &i.Hold, &i.At, &i.Body)
		out = append(out, i)
		return err
	})
	return out, err
}

// AddOrderEvent appends to what happened to an order.
func (t *Tx) AddOrderEvent(e OrderEvent) error {
	return t.exec(orderEventAdd, e.Agency, e.Order, e.N, e.At, e.Staff, e.Officer, e.Kind, e.Body)
}

// OrderEvents returns up to limit events of an order after a number, in order.
func (r *Reader) OrderEvents(agency, order, after int64, limit int) (out []OrderEvent, err error) {
	err = r.each(orderEventList, []any{agency, order, after, limit}, func(row rows) error {
		var e OrderEvent
		err := row.Scan(&e.Agency, &e.Order, &e.N, &e.At, &e.Staff, &e.Officer, &e.Kind, &e.Body)
		out = append(out, e)
		return err
	})
	return out, err
}

// AddOrderApproval stores a signature; ErrConflict when the same person signed the same before.
func (t *Tx) AddOrderApproval(a OrderApproval) error {
	return t.exec(orderApprovalAdd, a.Agency, a.Order, a.Digest, a.Staff, a.Role, a.At)
}

// OrderApprovals returns all signatures under an order, the oldest first.
func (r *Reader) OrderApprovals(agency, order int64) (out []OrderApproval, err error) {
	err = r.each(orderApprovalList, []any{agency, order}, func(row rows) error {
		var a OrderApproval
		err := row.Scan(&a.Agency, &a.Order, &a.Digest, &a.Staff, &a.Role, &a.At)
		out = append(out, a)
		return err
	})
	return out, err
}

// AddOrderPaper stores a paper to an agency; ErrConflict when there is one of that number.
func (t *Tx) AddOrderPaper(p OrderPaper) error {
	return t.exec(orderPaperAdd, p.Agency, p.Order, p.N, p.Kind, p.At, p.Fetched, p.Body)
}

// OrderPaperFetched notes when an agency fetched a paper first.
func (t *Tx) OrderPaperFetched(agency, order, n, at int64) error {
	return t.exec(orderPaperFetched, agency, order, n, at)
}

// OrderPapers returns the papers about an order, in order.
func (r *Reader) OrderPapers(agency, order int64) (out []OrderPaper, err error) {
	err = r.each(orderPaperList, []any{agency, order}, func(row rows) error {
		var p OrderPaper
		err := row.Scan(&p.Agency, &p.Order, &p.N, &p.Kind, &p.At, &p.Fetched, &p.Body)
		out = append(out, p)
		return err
	})
	return out, err
}

// AddOrderDocument stores which document came with an order.
func (t *Tx) AddOrderDocument(d OrderDocument) error {
	return t.exec(orderDocumentAdd, d.Agency, d.Order, d.Digest, d.Name, d.Mime, d.Size, d.At)
}

// OrderDocuments returns which documents came with an order, the oldest first.
func (r *Reader) OrderDocuments(agency, order int64) (out []OrderDocument, err error) {
	err = r.each(orderDocumentList, []any{agency, order}, func(row rows) error {
		var d OrderDocument
		err := row.Scan(&d.Agency, &d.Order, &d.Digest, &d.Name, &d.Mime, &d.Size, &d.At)
		out = append(out, d)
		return err
	})
	return out, err
}
