package order_test

import (
	"testing"

	"parley/internal/ids"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/personal"
	"parley/internal/safety/policy"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
)

// TestTooMuchToKeep: where more is stored of an account than one order can have kept, the authority
// is answered so, instead of the order being tried for ever.
func TestTooMuchToKeep(t *testing.T) {
	w := start(t)
	who := safetytest.Author
	w.Update(who.Peer(), func(tx *store.Tx) error {
		for n := range personal.MaxRecords + 1 {
			err := tx.PutContact(store.Contact{
				User: who, Contact: who + 1 + ids.UserID(n), Created: w.now() - 60,
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	d := w.certificate(instrument.Preservation)
	d.Data = []policy.Data{policy.Contacts}
	o := w.approve(w.check(w.submit(sender(w.prosecutor), d).Order))
	w.ok(w.CarryOut(w.ctx()))
	o = w.order(o.Agency, o.ID)
	item := w.items(o)[0]
	if o.State != order.Answered || item.State != order.Declined || item.Reason != "too-wide" {
		t.Fatalf("%v %+v", o.State, item)
	}
}
