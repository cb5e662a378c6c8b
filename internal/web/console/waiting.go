package console

import (
	"fmt"
	"net/http"

	"parley/internal/safety/order"
	"parley/internal/store"
	"parley/internal/web/page"
	"parley/internal/web/staff"
)

// Where the lists lie of orders that are over, and of which a person has still to do something.
const (
	textsPath   = "/texts"
	reviewsPath = "/reviews"
)

// waitingRows are lists of orders that are over, and wait for somebody all the same.
func (c *Console) waitingRows() []row {
	return []row{
		{"GET", textsPath, staff.Orders, false, "order texts", c.texts},
		{"GET", reviewsPath, staff.Orders, false, "order reviews", c.reviews},
	}
}

// waitingView is a page of such a list.
type waitingView struct {
	// Kind begins the keys of its texts, At is its path.
	Kind, At string
	Lines    []waitingLine
	// More are the parameters of the next page, nil for none.
	More []string
}

// waitingLine is an order that waits, since a time in Unix seconds.
type waitingLine struct {
	order.Pending
	Path, Titled string
}

// texts lists orders whose text is to be read for the public, those that wait longest first.
func (c *Console) texts(v *visit) error {
	now := c.Clock.Now().Unix()
	list := func(r *store.Reader, after order.Place) (out []order.Pending, err error) {
		list, err := order.Texts(r, order.TextAwaited, now, after, mostListed)
		for _, t := range list {
			o, err := c.Orders.Of(r, t.Agency, t.Order)
			if err != nil {
				return nil, err
			}
			out = append(out, order.Pending{Order: o, Since: t.Due})
		}
		return out, err
	}
	return v.waiting(waitingView{Kind: "texts", At: textsPath}, list, textPath)
}

// reviews lists orders of which something is in force that nobody has looked at yet.
func (c *Console) reviews(v *visit) error {
	list := func(r *store.Reader, after order.Place) ([]order.Pending, error) {
		return c.Orders.ToReview(r, after, mostListed)
	}
	return v.waiting(waitingView{Kind: "reviews", At: reviewsPath}, list, orderPath)
}

// waiting shows a page of a list, whose orders lie at paths.
func (v *visit) waiting(
	body waitingView, list func(*store.Reader, order.Place) ([]order.Pending, error),
	path func(agency, id int64) string,
) error {
	var after order.Place
	if text := v.r.FormValue("after"); text != "" {
		if _, err := fmt.Sscanf(text, "%d.%d", &after.Due, &after.ID); err != nil {
			return page.ErrNotFound
		}
	}
	err := v.view(func(r *store.Reader) error {
		found, err := list(r, after)
		body.Lines, body.More = nil, nil
		for _, o := range found {
			body.Lines = append(body.Lines, waitingLine{o, path(o.Agency, o.ID), titled(o.Order)})
		}
		if len(found) == mostListed {
			last := found[len(found)-1]
			body.More = []string{"after", fmt.Sprintf("%d.%d", last.Since, last.ID)}
		}
		return err
	})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "waiting", body)
}
