package agency

import (
	"context"
	"strings"

	"parley/internal/store"
)

// Told is what somebody heard at the number that was kept of an agency, when he told there that it
// is to be called at another. Values are stored.
type Told int64

// What was heard. Denied stops the change.
const (
	Agreed      Told = 1
	Unreachable Told = 2
	Denied      Told = 3
)

// Former is the call to the number that was kept before.
type Former struct {
	// Number is what was called, Heard with what result.
	Number string `cbor:"1,keyasint,omitempty"`
	Heard  Told   `cbor:"2,keyasint,omitempty"`
	// Note is with whom, or how often it was tried.
	Note string `cbor:"3,keyasint,omitempty"`
}

// Change is another number to call an agency at, which waits for a second person.
type Change struct {
	Check  Check  `cbor:"1,keyasint,omitempty"`
	Former Former `cbor:"2,keyasint,omitempty"`
}

// sameNumber tells whether two numbers are one, however they are written.
func sameNumber(a, b string) bool { return digits(a) == digits(b) }

// Renumber proposes that an active agency is called back at another number. Its standing
// and the old number stay until another member of staff has approved the change: whoever could
// change the number by himself could then call it and confirm to himself whatever he likes. The old
// number is called first, and what was heard there is kept; where it denies the change there is
// none, and somebody is alarmed. A Refusal says what is missing, ErrState that the agency is not
// active or has that number.
func (s *Service) Renumber(ctx context.Context, staff, id int64, c Check, old Former) error {
	denied := false
	err := s.change(ctx, id, func(_ *store.Tx, a *Agency, now int64) (Event, error) {
		denied = false
		if a.State != Active || staff <= 0 || sameNumber(c.Number, a.Check.Number) {
			return Event{}, ErrState
		}
		if err := c.verify(a.Record); err != nil {
			return Event{}, err
		}
		switch {
		case !c.Confirmed:
			return Event{}, Refusal{"spoke", "unconfirmed"}
		case strings.TrimSpace(old.Note) == "":
			return Event{}, Refusal{"former", "missing"}
		case old.Heard < Agreed || old.Heard > Denied:
			return Event{}, Refusal{"former", "unknown"}
		}
		old.Number = a.Check.Number
		text := c.Number + "; " + c.Where + "; " + old.Number + ": " + old.Note
		if old.Heard == Denied {
			denied, a.Change = true, nil
			return Event{Staff: staff, Kind: NumberDenied, Text: text}, nil
		}
		c.Staff, c.At = staff, now
		a.Change = &Change{Check: c, Former: old}
		return Event{Staff: staff, Kind: NumberProposed, Text: text}, nil
	})
	if err == nil && denied {
		if s.Alarm != nil {
			s.Alarm(NumberDenied.String(), id, old.Note)
		}
		return Refusal{"former", "denied"}
	}
	return err
}

// Renumbered approves the other number that was proposed, or drops it. From then on the agency is
// called there, and its emergency orders wait for a week as those of a new one do: a number that
// was slipped in is found out before it can confirm what cannot wait. ErrSamePerson is for who
// called it, ErrState for an agency whose number nobody wants to change.
func (s *Service) Renumbered(ctx context.Context, staff, id int64, approved bool) error {
	return s.change(ctx, id, func(_ *store.Tx, a *Agency, now int64) (Event, error) {
		if a.State != Active || a.Change == nil {
			return Event{}, ErrState
		}
		if !approved { // either of the two may
			e := Event{Staff: staff, Kind: NumberDropped, Text: a.Change.Check.Number}
			a.Change = nil
			return e, nil
		}
		if staff <= 0 || staff == a.Change.Check.Staff {
			return Event{}, ErrSamePerson
		}
		e := Event{
			Staff: staff, Kind: NumberApproved,
			Text: a.Check.Number + " → " + a.Change.Check.Number,
		}
		a.Check, a.Change, a.Changed = a.Change.Check, nil, now
		return e, nil
	})
}
