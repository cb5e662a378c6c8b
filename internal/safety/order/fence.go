package order

import (
	"context"
	"errors"

	"parley/internal/store"
)

// errFenced says that nothing is done about an item any more: its order is over.
var errFenced = errors.New("order: the item is fenced off")

// fenceOf is the fence of an item. An order lies with its agency and what is done about an item
// with the item's subject, so no transaction sees both. Whoever ends an order fences its items off
// and then undoes what he finds. Whoever carries it out asks for the fence in the transaction in
// which he acts. So what is done is found, or is not done: also by a process that stood still, or
// that ended before it could say what it had done.
func (o Order) fenceOf(i Item) store.OrderFence {
	return store.OrderFence{
		Subject: i.Subject.Peer, Agency: o.Agency, Order: o.ID, Item: i.N, Round: o.Again,
	}
}

// unfenced is errFenced for an item that is fenced off, in the transaction of its subject.
func (o Order) unfenced(tx *store.Tx, i Item) error {
	at, err := tx.ClaimOrderItem(o.fenceOf(i))
	if err == nil && at != 0 {
		return errFenced
	}
	return err
}

// fence has nothing be done about an item any more.
func (s *Service) fence(ctx context.Context, o Order, i Item) error {
	f := o.fenceOf(i)
	f.At = s.Clock.Now().Unix()
	return s.Store.Update(ctx, f.Subject, func(tx *store.Tx) error { return tx.PutOrderFence(f) })
}
