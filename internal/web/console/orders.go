package console

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/web/page"
	"parley/internal/web/staff"
)

// orderCountsPath is what a page asks for again and again, as countsPath.
const orderCountsPath = "/orders/counts"

// ordersRows are about orders as a whole.
func (c *Console) ordersRows() []row {
	return []row{
		{"GET", "/orders", staff.Sign, false, "orders", c.orders},
		{"GET", orderCountsPath, staff.Sign, false, "", c.orderCounts},
		{"GET", "/refusals", staff.Refusals, false, "refusals", c.refusals},
	}
}

// orderLane is a state of open orders with how many there are.
type orderLane struct {
	Name, Open, Late, Soon, Still string
	// Urgent is set where something is late.
	Urgent bool
}

// orderListLine is an order in a list.
type orderListLine struct {
	order.Order
	Path, Titled, State string
	// Late and Soon tell that its time is over, or will be within a day.
	Late, Soon bool
}

// ordersView is a page of the queue of orders.
type ordersView struct {
	Lanes  []orderLane
	Orders []orderListLine
	// State, Agency and Still are what the queue is narrowed to.
	State  string
	Agency int64
	Still  bool
	// Unknown is set for those of senders whom nobody knows.
	Unknown bool
	States  []order.State
	// More are the parameters of the next page, nil for none.
	More []string
	// Mine tells that these are those alone that want the visitor's signature.
	Mine bool
}

// orderLanes are the counts of open orders.
func (c *Console) orderLanes(r *store.Reader) ([]orderLane, error) {
	counts, err := order.Counts(r, c.Clock.Now().Unix(), mostCounted)
	out := make([]orderLane, len(counts))
	for i, n := range counts {
		out[i] = orderLane{
			Name: n.State.String(), Open: bounded(n.Open), Late: bounded(n.Late),
			Soon: bounded(n.Soon), Still: bounded(n.Still), Urgent: n.Late > 0,
		}
	}
	return out, err
}

// orderCounts are the counts for the page that shows them: how many there are, and how many late.
func (c *Console) orderCounts(v *visit) error {
	var list []orderLane
	err := v.view(func(r *store.Reader) (err error) {
		list, err = c.orderLanes(r)
		return err
	})
	if err != nil {
		return err
	}
	out := make(map[string][2]string, len(list))
	for _, l := range list {
		out[l.Name] = [2]string{l.Open, l.Late}
	}
	return v.sendJSON(http.StatusOK, out)
}

// wantedOrders reads how the queue is narrowed down, and where the page begins.
func (v *visit) wantedOrders() (f order.Wanted, at order.Place, err error) {
	if name := v.r.FormValue("state"); name != "" {
		i := slices.IndexFunc(order.OpenStates(), func(s order.State) bool {
			return s.String() == name
		})
		if i < 0 {
			return f, at, page.ErrNotFound
		}
		f.State = order.OpenStates()[i]
	}
	if text := v.r.FormValue("agency"); text != "" {
		if f.Agency, err = strconv.ParseInt(text, 10, 64); err != nil {
			return f, at, page.ErrNotFound
		}
	}
	f.Unknown = v.r.FormValue("unknown") == "yes"
	// The clocks of those from nobody known stand, all of them.
	f.Still = f.Unknown || v.r.FormValue("still") == "yes"
	if text := v.r.FormValue("after"); text != "" {
		if _, err := fmt.Sscanf(text, "%d.%d", &at.Due, &at.ID); err != nil {
			return f, at, page.ErrNotFound
		}
	}
	return f, at, nil
}

// orders shows the open orders, those that are due first first. Who only signs is shown those that
// want his signature.
func (c *Console) orders(v *visit) error {
	f, at, err := v.wantedOrders()
	if err != nil {
		return err
	}
	body := ordersView{
		Agency: f.Agency, Still: f.Still, Unknown: f.Unknown, States: order.OpenStates(),
	}
	if body.Mine = !v.may(staff.Orders); body.Mine {
		f.State = order.Assessed
	}
	if f.State != 0 {
		body.State = f.State.String()
	}
	err = v.view(func(r *store.Reader) (err error) {
		if body.Lanes, err = c.orderLanes(r); err != nil {
			return err
		}
		list, err := c.Orders.Open(r, f, at, mostListed)
		body.Orders, body.More = nil, nil
		for _, o := range list {
			if !body.Mine || wantsRole(o, v.session.Member.Role) {
				body.Orders = append(body.Orders, c.orderListLine(o))
			}
		}
		if len(list) == mostListed {
			last := list[len(list)-1]
			body.More = following(body, fmt.Sprintf("%d.%d", last.Due, last.ID))
		}
		return err
	})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "orders", body)
}

// following are the parameters of the page that follows.
func following(b ordersView, after string) []string {
	out := []string{"state", b.State, "after", after}
	if b.Agency != 0 {
		out = append(out, "agency", strconv.FormatInt(b.Agency, 10))
	}
	if b.Unknown {
		out = append(out, "unknown", "yes")
	}
	if b.Still {
		out = append(out, "still", "yes")
	}
	return out
}

// wantsRole tells whether policy wants a signature of a role under an order.
func wantsRole(o order.Order, r staff.Role) bool {
	return slices.ContainsFunc(o.Signs(), func(g policy.Signature) bool {
		return string(g.Role) == r.String()
	})
}

func (c *Console) orderListLine(o order.Order) orderListLine {
	now := c.Clock.Now()
	return orderListLine{
		Order: o, Path: orderPath(o.Agency, o.ID), Titled: titled(o),
		State: o.State.String(),
		Late:  o.Due != 0 && o.Due < now.Unix(),
		Soon:  o.Due >= now.Unix() && o.Due < now.Add(day).Unix(),
	}
}

// refusalsView is a part of the register of refusals.
type refusalsView struct {
	store.RefusalFilter
	Words string
	Days  int
	Lines []refusalLine
	// Counts are how many orders were refused in these days, by why and by country.
	Classes, Countries []tally
	Total              int64
	More               []string
	Laws               []instrument.Instrument
}

// refusalLine is an order that was refused.
type refusalLine struct {
	store.OrderRefusal
	Path string
}

// Bounds of the register's page, in days: all that the law lets anybody ask about.
const (
	refusalDays = 366
	refusalMost = 366 * 50
)

// refusals shows the register of orders that were refused.
func (c *Console) refusals(v *visit) error {
	body := refusalsView{Days: refusalDays, Laws: c.Law.All()}
	if n, err := strconv.Atoi(v.r.FormValue("days")); err == nil && n > 0 {
		body.Days = min(n, refusalMost)
	}
	body.Words = v.r.FormValue("words")
	body.RefusalFilter = store.RefusalFilter{
		Class: v.r.FormValue("class"), Instrument: v.r.FormValue("instrument"),
		Country: strings.ToUpper(strings.TrimSpace(v.r.FormValue("country"))),
		At:      newest,
		Since:   c.Clock.Now().AddDate(0, 0, -body.Days).Unix(),
	}
	if text := v.r.FormValue("before"); text != "" {
		f := &body.RefusalFilter
		if _, err := fmt.Sscanf(text, "%d.%d", &f.At, &f.Order); err != nil {
			return page.ErrNotFound
		}
	}
	err := v.view(func(r *store.Reader) error {
		list, err := order.Refusals(r, body.RefusalFilter, body.Words, mostListed)
		body.Lines, body.More = nil, nil
		for _, x := range list {
			body.Lines = append(body.Lines, refusalLine{x, orderPath(x.Agency, x.Order)})
		}
		if err != nil {
			return err
		}
		if len(list) == mostListed {
			last := list[len(list)-1]
			body.More = []string{
				"class", body.Class, "instrument", body.Instrument, "country", body.Country,
				"words", body.Words, "days", strconv.Itoa(body.Days),
				"before", fmt.Sprintf("%d.%d", last.At, last.Order),
			}
		}
		counts, err := r.CountOrderRefusals(body.Since)
		body.sum(counts)
		return err
	})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "refusals", body)
}

// sum adds the counts up, the highest first.
func (b *refusalsView) sum(counts []store.RefusalCount) {
	classes, countries := make(map[string]int64), make(map[string]int64)
	b.Total = 0
	for _, n := range counts {
		classes[n.Class] += n.Count
		countries[n.Country] += n.Count
		b.Total += n.Count
	}
	b.Classes, b.Countries = tallied(classes), tallied(countries)
}

// tallied are counts by name, the highest first.
func tallied(of map[string]int64) (out []tally) {
	for name, n := range of {
		out = append(out, tally{name, n})
	}
	slices.SortFunc(out, func(a, b tally) int {
		if a.Count != b.Count {
			return int(b.Count - a.Count)
		}
		return strings.Compare(a.What, b.What)
	})
	return out
}
