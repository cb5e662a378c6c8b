package order

import (
	"encoding/json"
	"fmt"

	"parley/internal/store"
)

// EventKind is what happened to an order. Values are stored.
type EventKind int64

// The kinds of events.
const (
	Arrived      EventKind = 1
	Replayed     EventKind = 2
	Supplemented EventKind = 3
	LackedFields EventKind = 4
	WasHeld      EventKind = 5
	WasAssessed  EventKind = 6
	CheckMade    EventKind = 7
	CalledBack   EventKind = 8
	SpeechSeen   EventKind = 9
	SpeechJudged EventKind = 10
	Signed       EventKind = 11
	// Voided says that signatures count no more, because what they were under has changed.
	Voided      EventKind = 12
	WasApproved EventKind = 13
	// ItemChanged is an item that was carried out, was not, or was taken back.
	ItemChanged      EventKind = 14
	WasAnswered      EventKind = 15
	WasRefused       EventKind = 16
	WasWithdrawn     EventKind = 17
	WasAnnulled      EventKind = 18
	WasMoved         EventKind = 19
	Rang             EventKind = 20
	Missed           EventKind = 21
	ScrutinyPrepared EventKind = 22
	ScrutinyAsked    EventKind = 23
	Noted            EventKind = 24
	ManifestFound    EventKind = 25
	Waits            EventKind = 26
	// Tried is something that somebody may not do, and did not.
	Tried EventKind = 27
	// The custody of data: what would leave was laid out, was let go by another person, was
	// fetched; what was laid out counts no more; what was let go was not fetched in time.
	LaidOut  EventKind = 28
	Released EventKind = 29
	WasTaken EventKind = 30
	Dropped  EventKind = 31
	RanOut   EventKind = 32
	// Announced is that a person was told before, WasTold that it was told after.
	Announced EventKind = 33
	WasTold   EventKind = 34
	// BarExtended is a bar that another order made longer, KeptLonger a keeping.
	BarExtended EventKind = 35
	KeptLonger  EventKind = 36
	// Reopened is an answered order whose data is to be handed over again, by a new decision.
	Reopened EventKind = 37
	// WasLifted is a measure that ended because somebody complained or looked again.
	WasLifted EventKind = 38
	// Enclosed is what somebody sent with the order's reference and proved nothing by.
	Enclosed EventKind = 39
	// CameEarly is an agency's first removal order less than twelve hours after its admission.
	CameEarly EventKind = 40
	// Stopped is an order whose sender was suspended before it was carried out, StoodBy the
	// agency's word that it is its own all the same. Questioned is what was done already and is to
	// be looked at because of that, LookedAt that somebody has.
	Stopped    EventKind = 41
	Questioned EventKind = 42
	LookedAt   EventKind = 43
	StoodBy    EventKind = 44
	// WasCleared is that no objection of a notified authority can come any more, WasObjected that
	// one came.
	WasCleared  EventKind = 45
	WasObjected EventKind = 46
	// WasSetAside is that what a certificate names is kept until it is decided about.
	WasSetAside EventKind = 47
	// PaperMissing is that the order never came which an emergency did not wait for, PaperCame that
	// it has, PaperVoid that it was refused.
	PaperMissing EventKind = 48
	PaperCame    EventKind = 49
	PaperVoid    EventKind = 50
	// WasEased is a milder measure in the place of one, because somebody complained.
	WasEased EventKind = 51
	// WasAttached is an order of nobody known that was put to an agency.
	WasAttached EventKind = 52
	// TextWasApproved is the order's text as the public may read it, TextWasKeptBack that it may
	// not, TextWasPublished that it can.
	TextWasApproved  EventKind = 53
	TextWasKeptBack  EventKind = 54
	TextWasPublished EventKind = 55
)

// String is the kind's name in pages and commands.
func (k EventKind) String() string {
	names := [...]string{
		Arrived: "arrived", Replayed: "replayed", Supplemented: "supplemented",
		LackedFields: "incomplete", WasHeld: "held", WasAssessed: "assessed",
		CheckMade: "check", CalledBack: "called-back", SpeechSeen: "protected-speech-seen",
		SpeechJudged: "protected-speech-judged", Signed: "signed", Voided: "signatures-void",
		WasApproved: "approved", ItemChanged: "item", WasAnswered: "answered",
		WasRefused: "refused", WasWithdrawn: "withdrawn", WasAnnulled: "annulled",
		WasMoved: "moved", Rang: "alarm", Missed: "missed", ScrutinyPrepared: "scrutiny-prepared",
		ScrutinyAsked: "scrutiny-asked", Noted: "note", ManifestFound: "manifest-error",
		Waits: "waits", Tried: "tried", LaidOut: "data-laid-out", Released: "data-released",
		WasTaken: "data-fetched", Dropped: "data-dropped", RanOut: "data-not-fetched",
		Announced: "person-told-before", WasTold: "person-told", BarExtended: "bar-extended",
		KeptLonger: "kept-longer", Reopened: "reopened", WasLifted: "lifted",
		Enclosed: "enclosed", CameEarly: "early", Stopped: "sender-suspended",
		Questioned: "to-review", LookedAt: "reviewed", StoodBy: "agency-stands-by-it",
		WasCleared: "cleared", WasObjected: "objected",
		WasSetAside:  "set-aside",
		PaperMissing: "paper-missing", PaperCame: "paper-came", PaperVoid: "paper-void",
		WasEased: "eased", WasAttached: "attached",
		TextWasApproved: "text-approved", TextWasKeptBack: "text-kept-back",
		TextWasPublished: "text-published",
	}
	if k < Arrived || int(k) >= len(names) {
		return "unknown"
	}
	return names[k]
}

// By is who did something: a member of staff, an officer of the agency, or neither for the service.
type By struct {
	Staff, Officer int64
}

// Event is something that happened to an order.
type Event struct {
	N, At int64
	By
	Kind EventKind
	// Text says what the kind leaves open, Document is the order as it was before or came.
	Text     string
	Document *Document
}

// told is an event's body as it is stored.
type told struct {
	Text     string    `json:"text,omitempty"`
	Document *Document `json:"document,omitempty"`
}

// Events returns up to limit events of an order after a number, in order.
func Events(r *store.Reader, agency, id, after int64, limit int) ([]Event, error) {
	rows, err := r.OrderEvents(agency, id, after, limit)
	if err != nil {
		return nil, err
	}
	out := make([]Event, len(rows))
	for i, x := range rows {
		var t told
		if err := json.Unmarshal(x.Body, &t); err != nil {
			return nil, fmt.Errorf("order: event %d of %d: %w", x.N, x.Order, err)
		}
		out[i] = Event{
			N: x.N, At: x.At, By: By{Staff: x.Staff, Officer: x.Officer}, Kind: EventKind(x.Kind),
			Text: t.Text, Document: t.Document,
		}
	}
	return out, nil
}
