package agency

import (
	"context"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/store"
)

// EventKind is what happened. Values are stored.
type EventKind int64

// The kinds of events.
const (
	WasProposed      EventKind = 1
	WasChecked       EventKind = 2
	WasApproved      EventKind = 3
	WasAttested      EventKind = 4
	WasSuspended     EventKind = 5
	OfficerProposed  EventKind = 6
	OfficerApproved  EventKind = 7
	OfficerBound     EventKind = 8
	OfficerReset     EventKind = 9
	OfficerSuspended EventKind = 10
	OfficerAttested  EventKind = 11
	KeyIssued        EventKind = 12
	KeyRevoked       EventKind = 13
	// Foreign is an attempt to see what is another agency's, or is nowhere.
	Foreign EventKind = 14
	// Refused is anything else that somebody of the agency was refused.
	Refused EventKind = 15
	// Scored is what fraud signals came to.
	Scored EventKind = 16
	// SignedIn is an officer at the door.
	SignedIn EventKind = 17
	// Rekeyed is another key to which its data is to be encrypted.
	Rekeyed EventKind = 18
	// Misuse is a warning or a suspension of a hotline's lane, or what was answered about one.
	Misuse EventKind = 19
	// Resembled is that the name or a domain of an agency could be taken for another's.
	Resembled EventKind = 20
	// OwesPaper is that the order never came which an emergency did not wait for, PaperCame that it
	// did after all.
	OwesPaper EventKind = 21
	PaperCame EventKind = 22
	// The number at which an agency is called back: another one was proposed and approved or
	// dropped, or was denied at the one that was kept.
	NumberProposed EventKind = 23
	NumberApproved EventKind = 24
	NumberDropped  EventKind = 25
	NumberDenied   EventKind = 26
)

// String is the kind's name in pages and commands.
func (k EventKind) String() string {
	names := [...]string{
		WasProposed: "proposed", WasChecked: "checked", WasApproved: "approved",
		WasAttested: "attested", WasSuspended: "suspended", OfficerProposed: "officer-proposed",
		OfficerApproved: "officer-approved", OfficerBound: "officer-bound",
		OfficerReset: "officer-reset", OfficerSuspended: "officer-suspended",
		OfficerAttested: "officer-attested", KeyIssued: "key-issued", KeyRevoked: "key-revoked",
		Foreign: "foreign", Refused: "refused", Scored: "scored", SignedIn: "signed-in",
		Rekeyed: "rekeyed", Misuse: "misuse", Resembled: "look-alike",
		OwesPaper: "paper-owed", PaperCame: "paper-came",
		NumberProposed: "number-proposed", NumberApproved: "number-approved",
		NumberDropped: "number-dropped", NumberDenied: "number-denied",
	}
	if k < WasProposed || int(k) >= len(names) {
		return "unknown"
	}
	return names[k]
}

// Event is something that happened to an agency, or that one of its people did or was refused.
type Event struct {
	N, At int64
	// Staff or Officer is who did it.
	Staff, Officer int64
	Kind           EventKind
	Text           string
}

// add appends an event, in the transaction of the agency.
func add(tx *store.Tx, agency int64, e Event) error {
	last, err := tx.LastAgencyEvent(agency)
	if err != nil {
		return err
	}
	body, err := cbor.Marshal(e.Text)
	if err != nil {
		return fmt.Errorf("agency: event: %w", err)
	}
	return tx.AddAgencyEvent(store.AgencyEvent{
		Agency: agency, N: last + 1, At: e.At, Staff: e.Staff, Officer: e.Officer,
		Kind: int64(e.Kind), Body: body,
	})
}

// NoteIn appends an event of an agency in a transaction of it, together with what it tells of.
func (s *Service) NoteIn(tx *store.Tx, agency int64, e Event) error {
	e.At = s.Clock.Now().Unix()
	return add(tx, agency, e)
}

// Note appends what somebody of an agency did or was refused. Agency 0 is who is unknown.
func (s *Service) Note(ctx context.Context, agency int64, e Event) error {
	err := s.Store.Update(ctx, key(agency), func(tx *store.Tx) error {
		return s.NoteIn(tx, agency, e)
	})
	if err == nil && e.Kind == Foreign && s.Alarm != nil {
		s.Alarm(e.Kind.String(), agency, e.Text)
	}
	return err
}

// Events returns up to limit events of an agency below a number, the last first.
func Events(r *store.Reader, agency, below int64, limit int) ([]Event, error) {
	rows, err := r.AgencyEvents(agency, below, limit)
	if err != nil {
		return nil, err
	}
	out := make([]Event, len(rows))
	for i, x := range rows {
		out[i] = Event{
			N: x.N, At: x.At, Staff: x.Staff, Officer: x.Officer, Kind: EventKind(x.Kind),
		}
		if err := cbor.Unmarshal(x.Body, &out[i].Text); err != nil {
			return nil, fmt.Errorf("agency: event %d of %d: %w", x.N, agency, err)
		}
	}
	return out, nil
}
