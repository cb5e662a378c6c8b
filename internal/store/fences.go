package store

import "parley/internal/ids"

// OrderFence keeps an item of an order from being carried out any more.
type OrderFence struct {
	Subject ids.Peer
	// Agency, Order and Item are whose, Round how often the order had been opened anew.
	Agency, Order, Item, Round int64
	// At is since when, in Unix seconds.
	At int64
}

var (
	orderFenceClaim = define("order_fence.claim", "order_item_fences", "subject_id",
		`insert into order_item_fences (subject_id, agency_id, order_id, item, round, at)
		values ($1, $2, $3, $4, $5, 0)
		on conflict (subject_id, agency_id, order_id, item, round) do nothing`)
	orderFencePut = define("order_fence.put", "order_item_fences", "subject_id",
		`insert into order_item_fences (subject_id, agency_id, order_id, item, round, at)
		values ($1, $2, $3, $4, $5, $6)
		on conflict (subject_id, agency_id, order_id, item, round) do update set at = excluded.at`)
	orderFenceGet = define("order_fence.get", "order_item_fences", "subject_id",
		`select at from order_item_fences where subject_id = $1 and agency_id = $2
		and order_id = $3 and item = $4 and round = $5`)
)

// PutOrderFence fences an item off.
func (t *Tx) PutOrderFence(f OrderFence) error {
	return t.exec(orderFencePut, f.Subject, f.Agency, f.Order, f.Item, f.Round, f.At)
}

// ClaimOrderItem returns since when an item is fenced off, and 0 for one that is not: then nobody
// fences it off before the transaction has ended.
func (t *Tx) ClaimOrderItem(f OrderFence) (at int64, err error) {
	if err := t.exec(orderFenceClaim, f.Subject, f.Agency, f.Order, f.Item, f.Round); err != nil {
		return 0, err
	}
	err = t.one(orderFenceGet, []any{f.Subject, f.Agency, f.Order, f.Item, f.Round}, &at)
	return at, err
}
