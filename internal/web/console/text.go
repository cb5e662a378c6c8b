package console

import (
	"context"
	"net/http"

	"parley/internal/safety/order"
	"parley/internal/store"
	"parley/internal/web/staff"
)

// textRows are about what the public reads of orders.
func (c *Console) textRows() []row {
	const at = "/order/{subject}/{id}/text"
	return []row{
		{"GET", at, staff.Orders, false, "order text", c.textPage},
		{"POST", at + "/publish", staff.Orders, true, "order text publish", c.publishText},
		{"POST", at + "/keep", staff.Orders, true, "order text keep", c.keepText},
	}
}

// textPath is where the text of an order is read for the public.
func textPath(agency, id int64) string { return orderPath(agency, id) + "/text" }

// textView is the page on which an order's text is read for the public.
type textView struct {
	order.Order
	Titled, At string
	Text       order.Text
	// Waits tells that somebody may not be told yet.
	Waits bool
	// Body is what would be published, as far as it was changed.
	Body string
}

// textPage shows an order beside what the public would read of it.
func (c *Console) textPage(v *visit) error {
	o, err := v.theOrder()
	if err != nil {
		return err
	}
	body := textView{Order: o, Titled: titled(o), At: textPath(o.Agency, o.ID), Body: o.Redacted()}
	err = v.view(func(r *store.Reader) (err error) {
		body.Text, err = order.TextOf(r, o.Agency, o.ID)
		return err
	})
	if err != nil {
		return err
	}
	if body.Text.Body != "" {
		body.Body = body.Text.Body
	}
	body.Waits = body.Text.Due > c.Clock.Now().Unix()
	return v.show(http.StatusOK, "text", body)
}

// publishText has the text published as the form has it.
func (c *Console) publishText(v *visit) error {
	return v.onText("published", func(ctx context.Context, of, id int64) error {
		if v.field("read") != "yes" {
			return problem{http.StatusUnprocessableEntity, "textread"}
		}
		_, err := c.Orders.PublishText(ctx, v.me(), of, id, v.r.PostForm.Get("text"))
		return err
	})
}

// keepText has the text published by nobody.
func (c *Console) keepText(v *visit) error {
	return v.onText("noted", func(ctx context.Context, of, id int64) error {
		why, err := v.text("why")
		if err == nil {
			_, err = c.Orders.KeepTextBack(ctx, v.me(), of, id, why)
		}
		return err
	})
}

// onText runs fn on the order that the path names, and returns to its text.
func (v *visit) onText(done string, fn func(ctx context.Context, of, id int64) error) error {
	of, id, err := v.ref()
	if err != nil {
		return err
	}
	if err := fn(v.r.Context(), int64(of), id); err != nil {
		return err
	}
	return v.leave(textPath(int64(of), id), done)
}
