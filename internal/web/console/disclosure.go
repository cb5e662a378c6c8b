package console

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"parley/internal/safety/disclosure"
	"parley/internal/safety/order"
	"parley/internal/safety/personal"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/web/staff"
)

// disclosureRows are about data that authorities get. All are strong: whoever looks at what would
// leave, or lets it go, has just proved who he is. A proof comes by a form, so the page is one's as
// well.
func (c *Console) disclosureRows() []row {
	const at = "/order/{subject}/{id}/data"
	return []row{
		{"GET", at, staff.Orders, true, "order data", c.dataPage},
		{"POST", at, staff.Orders, true, "order data", c.dataPage},
		{"POST", at + "/layout", staff.Orders, true, "order data lay out", c.layOut},
		{"POST", at + "/strike", staff.Orders, true, "order data strike out", c.strikeOut},
		{"POST", at + "/release", staff.Orders, true, "order data release", c.letGo},
		{"POST", at + "/again", staff.Orders, true, "order data again", c.handOverAgain},
	}
}

// dataView is the page of an order's data.
type dataView struct {
	order.Order
	Path, Back string
	Plan       order.Plan
	// Draft is what would leave, nil while nothing is laid out; Past is what was before.
	Draft *draftOut
	Past  []pastOut
	// LayOut, Strike, Release and Again say what the visitor can do.
	LayOut, Strike, Release, Again bool
}

// pastOut is something that was laid out and is over, or waits to be fetched.
type pastOut struct {
	store.Disclosure
	State, By, Releaser string
}

// draftOut is what would leave.
type draftOut struct {
	store.Disclosure
	By       string
	Accounts []accountOut
	Struck   []disclosure.Strike
}

// accountOut is an account's data.
type accountOut struct {
	disclosure.Account
	Rows []rowOut
}

// rowOut is one value that would leave, and the name by which it is struck out.
type rowOut struct {
	Class, Of, Name, Value, Path string
	// First is set for the first value of a record, Kept is since when that was set aside.
	First bool
	Kept  int64
}

// dataPath is where an order's data lies.
func dataPath(agency, id int64) string { return orderPath(agency, id) + "/data" }

// dataPage shows what would leave of an order, field by field.
func (c *Console) dataPage(v *visit) error {
	o, err := v.theOrder()
	if err != nil {
		return err
	}
	body := dataView{
		Order: o, Path: dataPath(o.Agency, o.ID), Back: orderPath(o.Agency, o.ID),
	}
	ctx := v.r.Context()
	if body.Plan, err = c.Orders.PlanOf(ctx, o.Agency, o.ID); err != nil {
		return err
	}
	list, err := c.Disclosures.Drafts(ctx, v.me(), o.Agency, o.ID)
	if err != nil {
		return err
	}
	names, err := c.names(v)
	if err != nil {
		return err
	}
	for _, d := range list {
		if d.State() == disclosure.LaidOut {
			body.Draft = shown(d, names)
			continue
		}
		body.Past = append(body.Past, pastOut{
			d.Row, d.State().String(), names[d.Row.PreparedBy], names[d.Row.ReleasedBy],
		})
	}
	open := o.State == order.Approved && o.Document.Action == policy.Disclose &&
		o.Document.Extends == ""
	body.LayOut = open
	body.Strike = open && body.Draft != nil && body.Draft.PreparedBy == v.me()
	body.Release = open && body.Draft != nil && body.Draft.PreparedBy != v.me() &&
		body.Draft.PreparedRole != v.session.Member.Role.String()
	body.Again = o.State == order.Answered && o.Document.Action == policy.Disclose &&
		o.Objected == nil
	return v.show(http.StatusOK, "data", body)
}

// shown is a draft with a name for each of its values.
func shown(d disclosure.Draft, names map[int64]string) *draftOut {
	out := &draftOut{
		Disclosure: d.Row, By: names[d.Row.PreparedBy], Struck: d.Content.Struck,
	}
	for _, a := range d.Content.Accounts {
		x := accountOut{Account: a}
		nth := make(map[policy.Data]int)
		for _, r := range a.Records {
			nth[r.Class]++
			x.Rows = append(x.Rows, rowsOf(a.Item, nth[r.Class], r)...)
		}
		out.Accounts = append(out.Accounts, x)
	}
	return out
}

func rowsOf(item int64, n int, r personal.Record) (out []rowOut) {
	for k, f := range r.Fields {
		out = append(out, rowOut{
			Class: string(r.Class), Of: r.Of, Name: f.Name, Value: f.Value, First: k == 0,
			Kept: r.Kept, Path: fmt.Sprintf("%d|%s|%d|%s", item, r.Class, n, f.Name),
		})
	}
	return out
}

// onData runs fn on the order that the path names, and returns to its data.
func (v *visit) onData(done string, fn func(ctx context.Context, of, id int64) error) error {
	of, id, err := v.ref()
	if err != nil {
		return err
	}
	if err := fn(v.r.Context(), int64(of), id); err != nil {
		return err
	}
	return v.leave(dataPath(int64(of), id), done)
}

// layOut reads what an approved order names.
func (c *Console) layOut(v *visit) error {
	return v.onData("laidout", func(ctx context.Context, of, id int64) error {
		_, err := c.Disclosures.LayOut(ctx, v.me(), of, id)
		return err
	})
}

// strikeOut takes the values that are ticked out of what the visitor has laid out.
func (c *Console) strikeOut(v *visit) error {
	return v.onData("struck", func(ctx context.Context, of, id int64) error {
		why, err := v.text("why")
		if err != nil {
			return err
		}
		var list []disclosure.Strike
		for _, path := range v.r.PostForm["strike"] {
			x, ok := struck(path)
			if !ok {
				return disclosure.ErrNoPath
			}
			x.Reason = why
			list = append(list, x)
		}
		if len(list) == 0 {
			return problem{http.StatusUnprocessableEntity, "choose"}
		}
		_, err = c.Disclosures.Strike(ctx, v.me(), of, id, v.field("digest"), list)
		return err
	})
}

// struck reads the name of a value.
func struck(path string) (x disclosure.Strike, ok bool) {
	parts := strings.SplitN(path, "|", 4)
	if len(parts) != 4 {
		return x, false
	}
	item, err1 := strconv.ParseInt(parts[0], 10, 64)
	record, err2 := strconv.Atoi(parts[2])
	x = disclosure.Strike{
		Item: item, Class: policy.Data(parts[1]), Record: record, Field: parts[3],
	}
	return x, err1 == nil && err2 == nil && record > 0 && x.Field != ""
}

// letGo lets go what another person has laid out.
func (c *Console) letGo(v *visit) error {
	return v.onData("letgo", func(ctx context.Context, of, id int64) error {
		_, err := c.Disclosures.Release(ctx, of, id, disclosure.Act{
			Staff: v.me(), Digest: v.field("digest"), Proven: v.session.Proven,
		})
		return err
	})
}

// handOverAgain has an answered order decided anew.
func (c *Console) handOverAgain(v *visit) error {
	return v.onOrderBecause("reopened", func(
		ctx context.Context, of, id int64, why string,
	) (order.Order, error) {
		return c.Orders.Reopen(ctx, v.me(), of, id, why)
	})
}
