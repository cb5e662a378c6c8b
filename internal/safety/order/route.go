package order

import (
	"slices"

	"parley/internal/safety/agency"
	"parley/internal/safety/country"
	"parley/internal/safety/door"
	"parley/internal/safety/instrument"
	"parley/internal/safety/policy"
)

// Router says of an order that came by an instrument which is not its agency's by which one it is
// treated instead, as the guide has it, and what the agency is told of that. It is what
// Service.Route is made of.
func Router(
	guide *door.Guide, law *instrument.Set, countries *country.Table,
) func(Document, agency.Agency) (to instrument.ID, why string) {
	return func(d Document, a agency.Agency) (instrument.ID, string) {
		by, from := Requester(a.Kind), country.Code(a.Country)
		in, known := law.Get(d.Instrument)
		if known && in.Issued(countries.Facts(from)) && in.For(by) {
			return "", ""
		}
		at := instrument.AuthorityDoor
		if known {
			at = in.Door
		}
		to := guide.Direct(at, from, by, d.purpose())
		id := to.Route.Instrument.ID
		if id == "" || id == d.Instrument {
			return "", ""
		}
		why := guide.Say(a.Lang, to)
		if why == "" {
			why = "This is the instrument that your agency has for what it asks."
		}
		return id, why
	}
}

// purpose is what somebody wants who asks for the document's action, as the guide calls it.
func (d Document) purpose() instrument.Purpose {
	switch {
	case slices.Contains(policy.Refusing(), d.Action):
		return instrument.Intercept
	case d.Action == policy.Disclose && d.Urgency == instrument.Life:
		return instrument.Danger
	case d.Action == policy.Disclose:
		return instrument.UserData
	case d.Action == policy.Preserve:
		return instrument.KeepData
	case d.Action == policy.Explain:
		return instrument.Supervise
	default:
		return instrument.Illegal
	}
}

// route treats an order that came by an instrument which is not its agency's by the one that is.
// Nobody but a known agency is told where else to go: who has no standing is refused for that.
func (w *work) route() error {
	if w.Route == nil || w.o.Standing != "" && w.o.Standing != agency.Unsigned {
		return nil
	}
	to, why := w.Route(w.o.Document, w.of)
	if to == "" {
		return nil
	}
	if _, known := w.Instrument(to); !known {
		return nil
	}
	return w.move(By{}, to, why)
}
