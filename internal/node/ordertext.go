package node

import (
	"context"
	"errors"
	"strings"
	"time"

	"parley/internal/safety/disclose"
	"parley/internal/safety/order"
	"parley/internal/safety/orderform"
	"parley/internal/store"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/verify"
)

// textsAtOnce is how many texts of orders are published together.
const textsAtOnce = 50

// publishOrders has the texts of orders published that a person has approved. When the process ends
// in between, the next one finds that the document is in the log, and notes it. A text that fails
// does not hold the others up.
func (n *Node) publishOrders(ctx context.Context) (failed error) {
	for after := (order.Place{}); ; {
		var list []order.Text
		err := n.Store.View(ctx, func(r *store.Reader) (err error) {
			now := n.clock.Now().Unix()
			list, err = order.Texts(r, order.TextApproved, now, after, textsAtOnce)
			return err
		})
		if err != nil {
			return errors.Join(failed, err)
		}
		for _, t := range list {
			after = order.Place{Due: t.Due, ID: t.Order}
			failed = errors.Join(failed, n.publishOrder(ctx, t))
		}
		if len(list) < textsAtOnce {
			return failed
		}
	}
}

// publishOrder publishes one text.
func (n *Node) publishOrder(ctx context.Context, t order.Text) error {
	var d disclose.Document
	err := n.Store.View(ctx, func(r *store.Reader) (err error) {
		d, err = n.orderDocument(r, t)
		return err
	})
	if err == nil {
		err = n.transparency.daily.Put(ctx, []disclose.Document{d})
	}
	if err == nil {
		err = n.Orders.TextIsOut(ctx, t.Agency, t.Order)
	}
	return err
}

// orderDocument is an order as the public reads it.
func (n *Node) orderDocument(r *store.Reader, t order.Text) (d disclose.Document, err error) {
	o, err := n.Orders.Of(r, t.Agency, t.Order)
	if err != nil {
		return d, err
	}
	lines, err := order.Lines(r, t.Agency, t.Order)
	if err != nil {
		return d, err
	}
	texts := make(map[string]string)
	for _, e := range lines {
		if e.Kind == entry.Order {
			texts[e.ID], d.Name = t.Body, verify.OrderPrefix+e.ID
		}
	}
	p, err := orderform.Publish(n.transparency.log.Origin(), lines, texts)
	if err != nil {
		return d, err
	}
	d.Day, d.Lang = entry.Day(time.Unix(t.At, 0)), strings.ToUpper(o.Document.Lang)
	d.Body, err = p.JSON()
	return d, err
}
