package console

import (
	"context"
	"net/http"
	"strconv"

	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/web/staff"
)

// orderRows are about what authorities order.
func (c *Console) orderRows() []row {
	const at = "/order/{subject}/{id}"
	return []row{
		{"GET", at, staff.Sign, false, "order", c.orderPage},
		{"POST", at + "/look", staff.Sign, false, "order look", c.lookAtItems},
		{"GET", at + "/paper/{n}", staff.Sign, false, "order paper", c.orderPaper},
		{"GET", at + "/paper/{n}/pdf", staff.Sign, false, "order paper", c.orderPDF},
		{"POST", at + "/check", staff.Orders, false, "order check", c.checkOrder},
		{"POST", at + "/call", staff.Orders, false, "order call", c.callBack},
		{"POST", at + "/suspect", staff.Orders, false, "order suspect", c.suspect},
		{"POST", at + "/judge", staff.Orders, true, "order judge", c.judgeSpeech},
		{"POST", at + "/believe", staff.Orders, true, "order believe", c.believe},
		{"POST", at + "/sign", staff.Sign, true, "order sign", c.signOrder},
		{"POST", at + "/refuse", staff.Orders, true, "order refuse", c.refuseOrder},
		{"POST", at + "/annul", staff.Orders, true, "order annul", c.annulOrder},
		{"POST", at + "/move", staff.Orders, false, "order move", c.moveOrder},
		{"POST", at + "/scrutiny", staff.Orders, true, "order scrutiny", c.askScrutiny},
		{"POST", at + "/reviewed", staff.Orders, true, "order reviewed", c.reviewedOrder},
		{"POST", at + "/reply", staff.Orders, true, "order reply", c.replyToOrder},
		{"POST", at + "/clear", staff.Orders, true, "order clear", c.clearOrder},
		{"POST", at + "/object", staff.Orders, true, "order object", c.objectToOrder},
		{"POST", at + "/papered", staff.Orders, true, "order papered", c.paperedOrder},
		{"POST", at + "/attach", staff.Orders, true, "order attach", c.attachOrder},
	}
}

// onOrder runs fn on the order that the path names, and returns to it.
func (v *visit) onOrder(
	done string, fn func(ctx context.Context, of, id int64) (order.Order, error),
) error {
	of, id, err := v.ref()
	if err != nil {
		return err
	}
	if _, err := fn(v.r.Context(), int64(of), id); err != nil {
		return err
	}
	return v.leave(orderPath(int64(of), id), done)
}

// onOrderBecause is onOrder with the reason that the form asks for.
func (v *visit) onOrderBecause(
	done string, fn func(ctx context.Context, of, id int64, why string) (order.Order, error),
) error {
	return v.onOrder(done, func(ctx context.Context, of, id int64) (order.Order, error) {
		why, err := v.text("why")
		if err != nil {
			return order.Order{}, err
		}
		return fn(ctx, of, id, why)
	})
}

// checkOrder records a check that the visitor made.
func (c *Console) checkOrder(v *visit) error {
	return v.onOrderBecause("checked", func(
		ctx context.Context, of, id int64, why string,
	) (order.Order, error) {
		return c.Orders.Check(ctx, v.me(), of, id, policy.Check(v.field("check")), why)
	})
}

// callBack records a call to the number that is kept of the agency, as the form showed it.
func (c *Console) callBack(v *visit) error {
	return v.onOrder("called", func(ctx context.Context, of, id int64) (order.Order, error) {
		said := v.field("said")
		if said != "confirmed" && said != "denied" {
			return order.Order{}, problem{http.StatusUnprocessableEntity, "choose"}
		}
		return c.Orders.CallBack(ctx, v.me(), of, id, order.Call{
			Number: v.field("number"), Spoke: v.field("spoke"), Confirmed: said == "confirmed",
		})
	})
}

// reviewedOrder lets stay what was done, though the order's sender was suspended.
func (c *Console) reviewedOrder(v *visit) error {
	return v.onOrderBecause("noted", func(
		ctx context.Context, of, id int64, why string,
	) (order.Order, error) {
		return c.Orders.Reviewed(ctx, v.me(), of, id, why)
	})
}

// suspect notes protected speech, or a manifest error.
func (c *Console) suspect(v *visit) error {
	return v.onOrder("noted", func(ctx context.Context, of, id int64) (order.Order, error) {
		var kinds []policy.Speech
		for _, s := range v.r.PostForm["speech"] {
			kinds = append(kinds, policy.Speech(s))
		}
		manifest := v.field("manifest")
		if len(kinds) == 0 && manifest == "" {
			return order.Order{}, problem{http.StatusUnprocessableEntity, "choose"}
		}
		return c.Orders.Suspect(ctx, order.By{Staff: v.me()}, of, id, kinds, manifest)
	})
}

// judgeSpeech is the visitor's decision whether it is protected speech.
func (c *Console) judgeSpeech(v *visit) error {
	return v.onOrderBecause("judged", func(
		ctx context.Context, of, id int64, why string,
	) (order.Order, error) {
		said := v.field("protected")
		if said != "yes" && said != "no" {
			return order.Order{}, problem{http.StatusUnprocessableEntity, "choose"}
		}
		return c.Orders.Decide(ctx, v.me(), of, id, said == "yes", why)
	})
}

// believe lets the emergency of a new officer go on.
func (c *Console) believe(v *visit) error {
	return v.onOrderBecause("believed", func(
		ctx context.Context, of, id int64, why string,
	) (order.Order, error) {
		return c.Orders.Believe(ctx, v.me(), of, id, why)
	})
}

// signOrder signs the plan whose digest the page showed.
func (c *Console) signOrder(v *visit) error {
	return v.onOrder("signed", func(ctx context.Context, of, id int64) (order.Order, error) {
		return c.Orders.Approve(ctx, of, id, order.Signature{
			Staff: v.me(), Digest: v.field("digest"),
		})
	})
}

func (c *Console) refuseOrder(v *visit) error {
	return v.onOrderBecause("refused", func(
		ctx context.Context, of, id int64, why string,
	) (order.Order, error) {
		return c.Orders.Refuse(ctx, v.me(), of, id, v.field("class"), why)
	})
}

// annulOrder takes back all that an order did.
func (c *Console) annulOrder(v *visit) error {
	return v.onOrderBecause("annulled", func(
		ctx context.Context, of, id int64, why string,
	) (order.Order, error) {
		return c.Orders.Annul(ctx, v.me(), of, id, why)
	})
}

// moveOrder treats an order under another instrument.
func (c *Console) moveOrder(v *visit) error {
	return v.onOrderBecause("moved", func(
		ctx context.Context, of, id int64, why string,
	) (order.Order, error) {
		to := instrument.ID(v.field("to"))
		return c.Orders.Move(ctx, order.By{Staff: v.me()}, of, id, to, why)
	})
}

// askScrutiny signs the request that an order be examined.
func (c *Console) askScrutiny(v *visit) error {
	return v.onOrderBecause("scrutiny", func(
		ctx context.Context, of, id int64, why string,
	) (order.Order, error) {
		return c.Orders.AskScrutiny(ctx, v.me(), of, id, why)
	})
}

// replyToOrder answers an order that asks for an explanation.
func (c *Console) replyToOrder(v *visit) error {
	return v.onOrderBecause("replied", func(
		ctx context.Context, of, id int64, why string,
	) (order.Order, error) {
		return c.Orders.Reply(ctx, v.me(), of, id, why)
	})
}

// clearOrder records that the notified authority raises no ground for refusal.
func (c *Console) clearOrder(v *visit) error {
	return v.onOrderBecause("noted", func(
		ctx context.Context, of, id int64, why string,
	) (order.Order, error) {
		return c.Orders.Clear(ctx, v.me(), of, id, why)
	})
}

// objectToOrder records the ground for refusal that the notified authority has raised.
func (c *Console) objectToOrder(v *visit) error {
	return v.onOrderBecause("noted", func(
		ctx context.Context, of, id int64, why string,
	) (order.Order, error) {
		return c.Orders.Object(ctx, v.me(), of, id, order.Ground(v.field("ground")), why)
	})
}

// paperedOrder records that the order to an emergency came on paper.
func (c *Console) paperedOrder(v *visit) error {
	return v.onOrderBecause("noted", func(
		ctx context.Context, of, id int64, why string,
	) (order.Order, error) {
		return c.Orders.Papered(ctx, v.me(), of, id, why)
	})
}

// attachOrder puts an order of somebody unknown to the agency that it turned out to be of, and goes
// on to the order that it is there.
func (c *Console) attachOrder(v *visit) error {
	_, id, err := v.ref()
	if err != nil {
		return err
	}
	why, err := v.text("why")
	if err != nil {
		return err
	}
	to, err := strconv.ParseInt(v.field("agency"), 10, 64)
	if err != nil {
		return problem{http.StatusUnprocessableEntity, "choose"}
	}
	got, err := c.Orders.Attach(v.r.Context(), v.me(), id, to, why)
	if err != nil {
		return err
	}
	return v.leave(orderPath(got.Agency, got.ID), "noted")
}
