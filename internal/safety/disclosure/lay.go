package disclosure

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/order"
	"parley/internal/safety/personal"
	"parley/internal/safety/policy"
	"parley/internal/safety/recipient"
	"parley/internal/store"
)

// LayOut reads what an approved order's plan names and seals it, for the one who lays it out to
// strike out of and for somebody in another role to let go. What was laid out before is dropped.
// Errors are order.ErrState, order.ErrRole, order.ErrChanged, ErrAgency, ErrKey, personal.ErrMuch.
func (s *Service) LayOut(ctx context.Context, staff, of, id int64) (Draft, error) {
	role, err := s.role(ctx, staff)
	if err != nil {
		return Draft{}, err
	}
	// Who may not be given anything is not read for. The transaction below looks again.
	var plan order.Plan
	var items []order.Item
	_, err = s.Orders.Handover(ctx, of, id, func(h *order.Handover) error {
		if _, err := s.fit(h); err != nil {
			return err
		}
		plan, items = h.Plan, h.Items
		return s.announce(h)
	})
	if err != nil {
		return Draft{}, err
	}
	content, err := s.collect(ctx, of, plan, items)
	if err != nil {
		return Draft{}, err
	}
	s.crash("collected")
	return s.lay(ctx, of, id, plan.Digest, content, staff, role)
}

// Strike takes fields out of what somebody has laid out, each with a reason. Only he can.
func (s *Service) Strike(
	ctx context.Context, staff, of, id int64, digest string, strikes []Strike,
) (Draft, error) {
	role, err := s.role(ctx, staff)
	if err != nil {
		return Draft{}, err
	}
	d, err := s.laidOut(ctx, of, id)
	if err != nil {
		return Draft{}, err
	}
	switch {
	case d.Row.PreparedBy != staff:
		return Draft{}, order.ErrSamePerson
	case d.Row.Content != digest:
		return Draft{}, order.ErrChanged
	}
	for _, x := range strikes {
		if strings.TrimSpace(x.Reason) == "" {
			return Draft{}, order.ErrReason
		}
	}
	if err := d.Content.strike(strikes); err != nil {
		return Draft{}, err
	}
	return s.lay(ctx, of, id, d.Row.Plan, d.Content, staff, role)
}

// lay seals a content as what would leave of an order.
func (s *Service) lay(
	ctx context.Context, of, id int64, plan string, c Content, staff int64, role policy.Role,
) (out Draft, err error) {
	number, err := s.newID()
	if err != nil {
		return out, err
	}
	body, digest, err := c.digest()
	if err != nil {
		return out, err
	}
	_, err = s.Orders.Handover(ctx, of, id, func(h *order.Handover) error {
		k, err := s.fit(h)
		if err != nil {
			return err
		}
		if h.Plan.Digest != plan {
			return order.ErrChanged
		}
		if err := s.drop(h, "laid out anew"); err != nil {
			return err
		}
		x := store.Disclosure{
			Agency: of, Order: id, ID: number, State: int64(LaidOut), Plan: plan, Content: digest,
			Fingerprint: k.Fingerprint, PreparedBy: staff, PreparedRole: string(role),
			Prepared: h.Now, Ends: h.Now + layDays*day, People: c.people(),
			Sealed: s.Box.Seal(nil, body, sealPurpose, number), Package: []byte{},
		}
		if err := h.Tx.PutDisclosure(x); err != nil {
			return err
		}
		out = Draft{Row: x, Content: c}
		text := fmt.Sprintf("%s as %s; struck out: %d", digest, role, len(c.Struck))
		return h.Note(order.LaidOut, order.By{Staff: staff}, text)
	})
	return out, err
}

// drop ends what is laid out of an order, or was released before it was decided anew.
func (s *Service) drop(h *order.Handover, why string) error {
	rows, err := h.Tx.Disclosures(h.Order.Agency, h.Order.ID)
	if err != nil {
		return err
	}
	for _, x := range rows {
		if State(x.State) != LaidOut && State(x.State) != Released {
			continue
		}
		x.State, x.Sealed, x.Package = int64(Dropped), []byte{}, []byte{}
		if err := h.Tx.PutDisclosure(x); err != nil {
			return err
		}
		if err := h.Note(order.Dropped, order.By{}, x.Content+" "+why); err != nil {
			return err
		}
	}
	return nil
}

// fit tells whether an agency may be given data now, and returns the key that it is encrypted to:
// the one that is under the signatures and whose fingerprint the agency read out.
func (s *Service) fit(h *order.Handover) (k recipient.Key, err error) {
	a := h.Agency
	switch {
	case h.Order.Document.Extends != "":
		return k, order.ErrState
	case a.ID == 0 || a.State != agency.Active || !a.Kind.Official() || a.Attest <= h.Now:
		return k, ErrAgency
	case a.Key == "":
		return k, ErrKey
	}
	if k, err = recipient.Parse(a.Key); err != nil {
		return k, ErrKey
	}
	same := recipient.Same(k.Fingerprint, a.Check.Fingerprint) && k.Fingerprint == h.Plan.Key
	if !same || k.Good(s.Clock.Now()) != nil {
		return k, ErrKey
	}
	return k, nil
}

// collect reads what a plan names.
func (s *Service) collect(
	ctx context.Context, agency int64, plan order.Plan, items []order.Item,
) (out Content, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		out = Content{Accounts: []Account{}}
		for _, step := range plan.Steps {
			i := items[step.N-1]
			if step.Declined != "" || step.Subject.Kind != safety.Account ||
				i.State != order.Waiting || i.Subject != step.Subject {
				continue
			}
			a := Account{Item: i.N, Location: i.Location, Person: step.Subject.Peer.User()}
			found, err := personal.Collect(r, personal.Query{
				Person: a.Person, Classes: plan.Data, From: plan.From, To: plan.To,
			})
			switch {
			case store.IsNotFound(err):
				found.Lacks = make(map[policy.Data]personal.Lack)
				for _, class := range plan.Data {
					found.Lacks[class] = personal.NoneHeld
				}
			case err != nil:
				return err
			}
			if err := s.addKept(r, agency, plan, a.Person, &found); err != nil {
				return err
			}
			a.Records, a.Lacks = found.Records, found.Lacks
			out.Accounts = append(out.Accounts, a)
		}
		return nil
	})
	return out, err
}

// addKept adds what an earlier order of the agency had kept of an account and is not stored any
// more, within the classes and the time of the plan.
func (s *Service) addKept(
	r *store.Reader, agency int64, plan order.Plan, person ids.UserID, found *personal.Found,
) error {
	list, err := s.Orders.Kept(r, agency, person)
	if err != nil {
		return err
	}
	for _, x := range list {
		asked := slices.Contains(plan.Data, x.Class) &&
			(x.At == 0 || x.At >= plan.From && (plan.To == 0 || x.At <= plan.To))
		if !asked || slices.ContainsFunc(found.Records, x.Same) {
			continue
		}
		found.Records = append(found.Records, x)
		delete(found.Lacks, x.Class)
	}
	return nil
}

// strike takes fields out. What is named is looked up before anything is taken, so that numbers
// mean what was seen.
func (c *Content) strike(list []Strike) error {
	for _, x := range list {
		if !slices.ContainsFunc(c.Accounts, func(a Account) bool { return a.has(x) }) {
			return fmt.Errorf("%w: %d %s %d %s", ErrNoPath, x.Item, x.Class, x.Record, x.Field)
		}
	}
	for k := range c.Accounts {
		a := &c.Accounts[k]
		var left []personal.Record
		nth := make(map[policy.Data]int)
		for _, r := range a.Records {
			nth[r.Class]++
			if r = without(r, a.Item, nth[r.Class], list); len(r.Fields) > 0 {
				left = append(left, r)
			}
		}
		a.Records = left
	}
	c.Struck = append(c.Struck, list...)
	return nil
}

// has tells whether there is what is to be struck out.
func (a Account) has(x Strike) bool {
	n := 0
	for _, r := range a.Records {
		if r.Class != x.Class {
			continue
		}
		n++
		if (x.Record == 0 || x.Record == n) && (x.Field == "" || r.Value(x.Field) != "") {
			return a.Item == x.Item
		}
	}
	return false
}

// without is a record without the fields that are struck out of it; n is its number in its class.
func without(r personal.Record, item int64, n int, list []Strike) personal.Record {
	var left []personal.Field
	for _, f := range r.Fields {
		if !slices.ContainsFunc(list, func(x Strike) bool {
			return x.Item == item && x.Class == r.Class && (x.Record == 0 || x.Record == n) &&
				(x.Field == "" || x.Field == f.Name)
		}) {
			left = append(left, f)
		}
	}
	r.Fields = left
	return r
}
