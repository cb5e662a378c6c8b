package authority

import (
	"math"
	"net/http"
	"slices"
	"strconv"

	"parley/internal/safety/agency"
	"parley/internal/safety/country"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/web/officer"
	"parley/internal/web/page"
)

// listPage is how many orders are shown on one page.
const listPage = 50

// line is an order in a list.
type line struct {
	order.Order
	// Late is set when it should have been answered by now.
	Late bool
	// Lacks is what is missing or wrong, in the language of the page.
	Lacks []string
}

// listed is what the page of all orders shows.
type listed struct {
	Orders []line
	Older  string
}

// list shows the agency's orders, the newest first.
func (p *Pages) list(_ http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	below := int64(math.MaxInt64)
	if text := r.FormValue("below"); text != "" {
		var err error
		if below, err = strconv.ParseInt(text, 10, 64); err != nil {
			return page.ErrNotFound
		}
	}
	var list []order.Order
	err := p.Store.View(r.Context(), func(rd *store.Reader) (err error) {
		list, err = p.Orders.OfAgency(rd, v.Agency().ID, below, listPage+1)
		return err
	})
	if err != nil {
		return err
	}
	var out listed
	if len(list) > listPage {
		list = list[:listPage]
		out.Older = strconv.FormatInt(list[listPage-1].ID, 10)
	}
	now := p.Clock.Now().Unix()
	l, _ := page.LanguageOf(r)
	for _, o := range list {
		x := line{Order: o, Late: o.State.Open() && o.Due != 0 && o.Due < now}
		for _, problem := range o.Problems {
			x.Lacks = append(x.Lacks, p.lacks(l.Code, problem))
		}
		out.Orders = append(out.Orders, x)
	}
	return v.Show(p.set, http.StatusOK, "orders", out)
}

// chosen is what the page on which an instrument is chosen shows.
type chosen struct {
	Instruments []instrument.Instrument
	Purposes    []instrument.Purpose
	// Asked is the purpose that was asked for, Elsewhere what is said when it belongs to another
	// door.
	Asked     instrument.Purpose
	Elsewhere string
	Door      instrument.Door
}

// here tells whether requests of a door come in at the portal.
func here(d instrument.Door) bool {
	return d == instrument.AuthorityDoor || d == instrument.EmergencyDoor ||
		d == instrument.RegulatorDoor
}

// choose lets an officer choose by which instrument he asks: from all that are his, or by what he
// wants.
func (p *Pages) choose(_ http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	a := v.Agency()
	out := chosen{
		Instruments: p.instruments(a), Purposes: instrument.Purposes(),
		Asked: instrument.Purpose(r.FormValue("purpose")),
	}
	l, _ := page.LanguageOf(r)
	for i, in := range out.Instruments { // a list of its own, for this page
		out.Instruments[i].Law = p.Orders.Sign.Law(l.Code, in.Law)
	}
	if out.Asked == "" {
		return v.Show(p.set, http.StatusOK, "choose", out)
	}
	if !slices.Contains(out.Purposes, out.Asked) {
		return page.ErrNotFound
	}
	d := p.Guide.Direct(instrument.AuthorityDoor, country.Code(a.Country),
		order.Requester(a.Kind), out.Asked)
	if here(d.To) {
		return v.Leave(newPath + "/" + string(d.Route.Instrument.ID))
	}
	out.Elsewhere, out.Door = p.Guide.Say(l.Code, d), d.To
	return v.Show(p.set, http.StatusOK, "choose", out)
}

// instruments are those of the portal by which an agency may ask.
func (p *Pages) instruments(a agency.Agency) (out []instrument.Instrument) {
	facts := p.Countries.Facts(country.Code(a.Country))
	for _, in := range p.Law.All() {
		if here(in.Door) && in.Issued(facts) && in.For(order.Requester(a.Kind)) {
			out = append(out, in)
		}
	}
	return out
}

// actions are what can be asked for by an instrument, as whom it serves says.
func actions(in instrument.Instrument) (out []policy.Action) {
	add := func(list ...policy.Action) {
		for _, a := range list {
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	for _, s := range in.Serves {
		for _, what := range s.For {
			switch what {
			case instrument.Illegal, instrument.Terrorist, instrument.ChildAbuse:
				add(policy.Restricting()...)
			case instrument.UserData, instrument.Danger:
				add(policy.Disclose)
			case instrument.KeepData:
				add(policy.Preserve)
			case instrument.Supervise:
				add(policy.Explain)
			case instrument.Intercept:
				add(policy.Refusing()...)
			}
		}
	}
	return out
}
