package agency

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"parley/internal/safety/recipient"
	"parley/internal/store"
)

// Source is where a telephone number was found. Values are stored.
type Source int64

// The sources. OwnWord is what the agency itself said, which no check may rest on.
const (
	OwnWord Source = 1
	// Directory is a state's directory of its authorities, Register an official register of courts,
	// of the authorities that a regulation names, of trusted flaggers.
	Directory Source = 2
	Register  Source = 3
	// Embassy is another authority of the same state.
	Embassy Source = 4
	// Switchboard is the published number of a ministry or headquarters that put the call through.
	Switchboard Source = 5
)

// Check is how somebody made sure, outside of what the agency says itself, that it is what it says.
type Check struct {
	// Staff is who called, At when, in Unix seconds; both are filled in.
	Staff int64 `cbor:"1,keyasint,omitempty"`
	At    int64 `cbor:"2,keyasint,omitempty"`
	// Number is what was called, Source and Where where it was found.
	Number string `cbor:"3,keyasint,omitempty"`
	Source Source `cbor:"4,keyasint,omitempty"`
	Where  string `cbor:"5,keyasint,omitempty"`
	// Spoke is with whom, by name and office.
	Spoke string `cbor:"6,keyasint,omitempty"`
	// Confirmed is whether they said that the agency and its officials are what they say.
	Confirmed bool `cbor:"7,keyasint,omitempty"`
	// Fingerprint is that of the agency's key as they read it out: data is encrypted to no other.
	Fingerprint string `cbor:"8,keyasint,omitempty"`
}

// digits is a telephone number without what people write between its digits.
func digits(number string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, number)
}

// minDigits is what a telephone number has at least.
const minDigits = 5

// verify says what a check lacks, before it is recorded.
func (c Check) verify(of Record) error {
	number := digits(c.Number)
	switch {
	case len(number) < minDigits:
		return Refusal{"number", "missing"}
	case c.Source == OwnWord:
		return Refusal{"source", "own"}
	case c.Source < Directory || c.Source > Switchboard:
		return Refusal{"source", "unknown"}
	case strings.TrimSpace(c.Where) == "":
		return Refusal{"source", "missing"}
	case strings.TrimSpace(c.Spoke) == "":
		return Refusal{"spoke", "missing"}
	}
	for _, own := range of.Numbers {
		// A country's code may stand before one and not before the other.
		if own := digits(own); own != "" &&
			(strings.HasSuffix(own, tail(number)) || strings.HasSuffix(number, tail(own))) {
			return Refusal{"number", "own"}
		}
	}
	if c.Confirmed && of.Key != "" && !recipient.Same(c.Fingerprint, of.Fingerprint()) {
		return Refusal{"fingerprint", "unconfirmed"}
	}
	where := strings.ToLower(c.Where)
	if slices.ContainsFunc(of.Domains, func(d string) bool {
		return d != "" && strings.Contains(where, strings.ToLower(d))
	}) {
		return Refusal{"source", "own"}
	}
	return nil
}

// tailDigits is how many digits from the end tell two numbers apart.
const tailDigits = 8

func tail(number string) string { return number[max(0, len(number)-tailDigits):] }

// Verify records a check of an agency that was proposed or suspended. One that confirmed nothing is
// recorded as well and leads nowhere. A Refusal is for a number or source that is the agency's own.
func (s *Service) Verify(ctx context.Context, staff, id int64, c Check) error {
	return s.change(ctx, id, func(_ *store.Tx, a *Agency, now int64) (Event, error) {
		if a.State == Active {
			return Event{}, ErrState
		}
		if err := c.verify(a.Record); err != nil {
			return Event{}, err
		}
		text := c.Number + "; " + c.Where + "; " + c.Spoke
		if old := a.Check.Number; old != "" && !sameNumber(old, c.Number) {
			a.Changed, text = now, text+" ("+old+")"
		}
		if a.State == Suspended { // it begins anew
			a.ProposedBy, a.ApprovedBy, a.Approved = staff, 0, 0
		}
		c.Staff, c.At = staff, now
		a.Check, a.State = c, Proposed
		if c.Confirmed {
			a.State = Checked
		}
		return Event{Staff: staff, Kind: WasChecked, Text: text}, nil
	})
}

// Approve gives an agency its standing. ErrSamePerson is for who proposed it or called it, ErrState
// for one that was not checked.
func (s *Service) Approve(ctx context.Context, staff, id int64) error {
	return s.change(ctx, id, func(_ *store.Tx, a *Agency, now int64) (Event, error) {
		switch {
		case a.State != Checked || !a.Check.Confirmed:
			return Event{}, ErrState
		case staff <= 0 || staff == a.ProposedBy || staff == a.Check.Staff:
			return Event{}, ErrSamePerson
		}
		a.State, a.ApprovedBy, a.Approved = Active, staff, now
		a.Attest = now + seconds(attestation)
		return Event{Staff: staff, Kind: WasApproved}, nil
	})
}

// Attest confirms the standing of an active agency by another call to the number that is kept of
// it, for 90 days more. Another number is a Refusal: that takes Renumber and a second person.
// ErrState for an agency that is not active.
func (s *Service) Attest(ctx context.Context, staff, id int64, c Check) error {
	return s.change(ctx, id, func(_ *store.Tx, a *Agency, now int64) (Event, error) {
		if a.State != Active {
			return Event{}, ErrState
		}
		if err := c.verify(a.Record); err != nil {
			return Event{}, err
		}
		switch {
		case !sameNumber(c.Number, a.Check.Number):
			return Event{}, Refusal{"number", "changed"}
		case !c.Confirmed:
			return Event{}, Refusal{"spoke", "unconfirmed"}
		}
		c.Staff, c.At = staff, now
		a.Check, a.Attest = c, now+seconds(attestation)
		return Event{Staff: staff, Kind: WasAttested, Text: c.Number + "; " + c.Where}, nil
	})
}

// Rekey gives an agency another key, or none for an empty one. With that it loses its standing
// until it has been called again, has read out the key's fingerprint, and another person has
// approved it.
func (s *Service) Rekey(ctx context.Context, staff, id int64, text string) error {
	if err := keyed(text, s.Clock.Now()); err != nil {
		return err
	}
	return s.change(ctx, id, func(_ *store.Tx, a *Agency, now int64) (Event, error) {
		if a.State == Suspended || staff <= 0 {
			return Event{}, ErrState
		}
		a.Key, a.Change, a.Changed = text, nil, now
		a.State, a.ProposedBy, a.ApprovedBy, a.Approved = Proposed, staff, 0, 0
		return Event{Staff: staff, Kind: Rekeyed, Text: a.Fingerprint()}, nil
	})
}

// keyed says what is wrong with a key; an empty one is none, and nothing is.
func keyed(text string, now time.Time) error {
	if text == "" {
		return nil
	}
	k, err := recipient.Parse(text)
	if err == nil {
		err = k.Good(now)
	}
	switch {
	case errors.Is(err, recipient.ErrPrivate):
		return Refusal{"key", "private"}
	case err != nil:
		return Refusal{"key", "unknown"}
	}
	return nil
}

// Fingerprint is that of the record's key, whether that is still good or not; empty without a key.
func (r Record) Fingerprint() string {
	k, err := recipient.Parse(r.Key)
	if err != nil {
		return ""
	}
	return k.Fingerprint
}

// Suspend takes an agency's standing. One person is enough; it comes back by a check and two
// people.
func (s *Service) Suspend(ctx context.Context, staff, id int64, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return Refusal{"reason", "missing"}
	}
	err := s.change(ctx, id, func(_ *store.Tx, a *Agency, _ int64) (Event, error) {
		if a.State == Suspended {
			return Event{}, ErrState
		}
		a.State, a.Change = Suspended, nil
		return Event{Staff: staff, Kind: WasSuspended, Text: reason}, nil
	})
	if err == nil {
		s.halted(ctx, id, 0)
	}
	return err
}

// Owe marks an agency whose emergency, by the id of its order, was never followed by the order that
// it did not wait for, in the transaction of the agency.
func (s *Service) Owe(tx *store.Tx, id, emergency int64, text string) error {
	a, err := Of(&tx.Reader, id)
	if err != nil || slices.Contains(a.Owes, emergency) {
		return err
	}
	a.Owes = append(a.Owes, emergency)
	return put(tx, a, Event{At: s.Clock.Now().Unix(), Kind: OwesPaper, Text: text})
}

// Settle takes the mark of Owe away, because the order has come or a member of staff says so.
func (s *Service) Settle(tx *store.Tx, staff, id, emergency int64, text string) error {
	a, err := Of(&tx.Reader, id)
	if err != nil || !slices.Contains(a.Owes, emergency) {
		return err
	}
	a.Owes = slices.DeleteFunc(a.Owes, func(x int64) bool { return x == emergency })
	return put(tx, a, Event{
		At: s.Clock.Now().Unix(), Staff: staff, Kind: PaperCame, Text: text,
	})
}

// Lapsing returns up to limit active agencies whose standing has run out or will by a time.
func Lapsing(r *store.Reader, by int64, limit int) (out []Agency, err error) {
	rows, err := r.LapsingAgencies(by, limit)
	if err != nil {
		return nil, err
	}
	out = make([]Agency, len(rows))
	for i, x := range rows {
		if out[i], err = read(x); err != nil {
			return nil, err
		}
	}
	return out, nil
}
