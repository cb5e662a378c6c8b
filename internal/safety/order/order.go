// Package order keeps what authorities order: from the paper as it came to the signed answer. An
// order is received whoever sends it, and its receipt is signed once it is stored. Then each field
// is checked, the sender's standing looked up, policy asked for the bounds, and people sign what
// would be carried out, item by item, with the narrowest measure within those bounds. Every item's
// effect is confirmed, every refusal says why.
//
// Invariants: nothing is carried out that different people of the roles which policy names have not
// signed, and a signature is under the digest of exactly that; whatever changes afterwards voids
// it. One thing comes before: what a certificate for data names is set aside, and handed to nobody.
// The same paper again is the same order. What is another agency's does not exist for an agency. An
// order's line for the public log is written with the order, its outcome's line with the outcome.
// Actions without a handler (keys, back doors, bulk or continuous access) end as a logged refusal,
// whatever policy says.
//
// The package takes no measure: safety/decide does. It hands out no data: safety/disclosure does,
// in the transaction that Handover opens, and cannot before the line for the public log is written.
package order

import (
	"context"
	"errors"
	"io"
	"time"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/answer"
	"parley/internal/safety/decide"
	"parley/internal/safety/evidence"
	"parley/internal/safety/instrument"
	"parley/internal/safety/location"
	"parley/internal/safety/owed"
	"parley/internal/safety/policy"
	"parley/internal/store"
)

// State is how far an order is, and so whose move it is. Values are stored.
type State int64

// The states. Those before Answered are of open orders.
const (
	// Received waits for checks that people make: a call-back, the document, the law.
	Received State = 1
	// Incomplete waits for the authority, which was told what is missing.
	Incomplete State = 2
	// Held waits for a named person: is it protected speech, may the emergency be believed.
	Held State = 3
	// Assessed waits for signatures, Approved is being carried out.
	Assessed State = 4
	Approved State = 5
	// Ending is being taken back.
	Ending State = 6
	// Answered was carried out, as a whole or in part, Refused was not. Both were answered.
	Answered State = 7
	Refused  State = 8
	// Withdrawn was taken back by the authority, Annulled by a court or the scrutinising authority.
	Withdrawn State = 9
	Annulled  State = 10
	// Attached came from nobody known and was put to an agency, where it is another order.
	Attached State = 11
)

// String is the state's name in pages, files and commands.
func (s State) String() string {
	names := [...]string{
		Received: "received", Incomplete: "incomplete", Held: "held", Assessed: "assessed",
		Approved: "approved", Ending: "ending", Answered: "answered", Refused: "refused",
		Withdrawn: "withdrawn",
		Annulled:  "annulled",
		Attached:  "attached",
	}
	if s < Received || int(s) >= len(names) || names[s] == "" {
		return "unknown"
	}
	return names[s]
}

// Open tells whether somebody has to do something next.
func (s State) Open() bool { return s < Answered }

// OpenStates are those of open orders, in the order of the work.
func OpenStates() []State { return []State{Received, Incomplete, Held, Assessed, Approved, Ending} }

// Order is an order as it is kept.
type Order struct {
	Agency, ID int64
	// Reference is ours, by which the authority asks for it.
	Reference string
	// Digest is that of the document, in hexadecimal digits.
	Digest        string
	State         State
	Country       string
	Officer       int64
	Received, Due int64
	Paused        int64
	Alarmed       int64
	Breached      int64
	Items         int64
	Closed        int64
	events        int64
	next          int64
	lapses        int64
	Kept
}

// Kept is what else is known of an order.
type Kept struct {
	Document Document `json:"document"`
	// Problems are what is missing or wrong, Refused why it was not carried out.
	Problems []Problem `json:"problems,omitempty"`
	Refused  string    `json:"refused,omitempty"`
	Why      string    `json:"why,omitempty"`
	// Said is Why as the authority was told it, in its own language.
	Said string `json:"said,omitempty"`
	// Verdict is what policy said last.
	Verdict policy.Verdict `json:"verdict"`
	// Checks are those that were made, and by whom.
	Checks []Made `json:"checks,omitempty"`
	// Happened is what the periods are computed from.
	Happened []instrument.Happened `json:"happened,omitempty"`
	// Protected is what somebody has seen in it, Judged what a named person decided about that.
	Protected []policy.Speech   `json:"protected,omitempty"`
	Judged    *policy.Judgement `json:"judged,omitempty"`
	// Manifest are the manifest errors that somebody found.
	Manifest []string `json:"manifest,omitempty"`
	// Score and Signals are what looked odd; they decide nothing.
	Score   int      `json:"score,omitempty"`
	Signals []string `json:"signals,omitempty"`
	// New is set when the officer's emergencies waited as the order came.
	New bool `json:"new,omitempty"`
	// Unlogged is set for an order of nobody known, of which the public log has no line yet. Mail
	// is set for one that came so and was put to its agency; To is the reference that it has there.
	Unlogged bool   `json:"unlogged,omitempty"`
	Mail     bool   `json:"mail,omitempty"`
	To       string `json:"to,omitempty"`
	// Early is set for the first removal order of an agency that came too soon: see early.
	Early bool `json:"early,omitempty"`
	// Owes is set for an emergency that came while its agency owed the order to an earlier one.
	Owes bool `json:"owes,omitempty"`
	// Unpapered is since when the order to this emergency is missing, in Unix seconds. Paper is the
	// id of the order that it is, or ByHand where a member of staff has it.
	Unpapered int64 `json:"unpapered,omitempty"`
	Paper     int64 `json:"paper,omitempty"`
	// Aside is the digest of the document for which what it names was set aside.
	Aside string `json:"aside,omitempty"`
	// Free is set once nothing is kept on its account that was set aside before it was over.
	Free bool `json:"free,omitempty"`
	// Objected is the ground for refusal that a notified authority has raised.
	Objected *Objection `json:"objected,omitempty"`
	// End is how an order that is being taken back will have ended.
	End *End `json:"end,omitempty"`
	// Standing is why the sender had none, empty when he had.
	Standing agency.Problem `json:"standing,omitempty"`
	// Again is how often it was opened anew after its data had been handed over.
	Again int64 `json:"again,omitempty"`
	// Voids is how often what people had signed came to count no more.
	Voids int64 `json:"voids,omitempty"`
	// BarUntil is until when a later order has made the bar last; 0 for as long as its own says.
	BarUntil int64 `json:"bar_until,omitempty"`
	// LongerBy are the orders that made its bar or its keeping longer.
	LongerBy []int64 `json:"longer_by,omitempty"`
	// Stopped is set while it stands still because its sender was suspended, Stood when the agency
	// confirmed it after that. Review is set while what was done is to be looked at because of it.
	Stopped *Stop `json:"stopped,omitempty"`
	Stood   int64 `json:"stood,omitempty"`
	Review  bool  `json:"review,omitempty"`
}

// Made is a check that was made.
type Made struct {
	Check policy.Check `json:"check"`
	// Staff or Officer is who made it; neither for what the machine sees by itself.
	Staff   int64  `json:"staff,omitempty"`
	Officer int64  `json:"officer,omitempty"`
	At      int64  `json:"at"`
	Note    string `json:"note,omitempty"`
}

// ItemState is how far an item is. Values are stored.
type ItemState int64

// The states of items.
const (
	// Waiting is not carried out yet.
	Waiting ItemState = 1
	// Done was carried out; Proposed waits for the second person of its decision.
	Done     ItemState = 2
	Proposed ItemState = 3
	// Absent is nowhere on this service, Declined was refused, each with its reason.
	Absent   ItemState = 4
	Declined ItemState = 5
	// Restored was carried out and taken back.
	Restored ItemState = 6
)

// String is the state's name in pages and papers.
func (s ItemState) String() string {
	names := [...]string{
		Waiting: "waiting", Done: "done", Proposed: "proposed", Absent: "not-here",
		Declined: "declined", Restored: "restored",
	}
	if s < Waiting || int(s) >= len(names) {
		return "unknown"
	}
	return names[s]
}

// Item is one thing that an order names.
type Item struct {
	N       int64
	State   ItemState
	Subject safety.Subject
	// Decision is what was decided about it, Hold what keeps its evidence.
	Decision, Hold int64
	// At is when its state changed last, in Unix seconds.
	At int64
	Detail
}

// Detail is what else is known of an item.
type Detail struct {
	// Location is the item as the order names it.
	Location string `json:"location"`
	// Measure is what was taken, where and until when.
	Measure *safety.MeasureSpec `json:"measure,omitempty"`
	// Reason is the class of a refusal.
	Reason string `json:"reason,omitempty"`
	// Told is set when the person concerned was told with the measure.
	Told bool `json:"told,omitempty"`
	// Began is when carrying it out began: what a process left behind is looked for from here on.
	Began int64 `json:"began,omitempty"`
}

// Errors of the package.
var (
	// ErrState says that the order is not in the state that this needs.
	ErrState = errors.New("order: the order's state does not allow it")
	// ErrChanged says that what was to be signed is not what would be carried out any more.
	ErrChanged = errors.New("order: it was changed since; look at it again")
	// ErrSamePerson says that it takes another person.
	ErrSamePerson = errors.New("order: it takes another person")
	// ErrRole says that policy wants no signature of that role, or has it, or that somebody has no
	// role.
	ErrRole = errors.New("order: no signature of that role is wanted")
	// ErrNumber says that a number was called that is not the one kept of the agency.
	ErrNumber = errors.New("order: not the number that is kept of the agency")
	// ErrReason says that a reason is missing.
	ErrReason = errors.New("order: a reason is missing")
	// ErrTooLarge says that a document is larger than any order has to be.
	ErrTooLarge = errors.New("order: the document is too large")
	// ErrStanding says that somebody may not do this in the agency's name.
	ErrStanding = errors.New("order: no standing")
)

// Service keeps orders. It is safe for concurrent use.
type Service struct {
	Store      *store.Store
	Clock      clock.Clock
	Random     io.Reader
	References safety.References
	Places     *location.Resolver
	Agencies   *agency.Service
	Decisions  *decide.Service
	Evidence   *evidence.Service
	// Sign signs papers.
	Sign *answer.Signer
	// Judge says within which bounds people may decide.
	Judge func(policy.Request) (policy.Verdict, error)
	// Instrument is an instrument of law by its name.
	Instrument func(instrument.ID) (instrument.Instrument, bool)
	// Role is the role of a member of staff by the staff's own records, and ErrRole for somebody
	// who has none or may not work here. Without it nobody can sign.
	Role func(ctx context.Context, staff int64) (policy.Role, error)
	// Unknown is for how long an order waits whose sender is nobody known; zero refuses it at once.
	Unknown instrument.Length
	// Route says by which instrument an order is treated that came by one which is not its
	// agency's, and what the agency is told; nil leaves every order as it came.
	Route func(Document, agency.Agency) (to instrument.ID, why string)
	// Word is an instrument's word in the public log.
	Word func(instrument.ID, instrument.Urgency) string
	// Alarm hears of every order that needs somebody now, and why; nil hears nothing.
	Alarm func(o Order, why string)
	// OwePaper is called in the transaction in which a paper to an agency is signed, so that its
	// programs are told that one waits; nil tells none.
	OwePaper func(tx *store.Tx, o Order, kind string) error
	// Done hears of every order that was answered, refused or ended otherwise, once that is
	// durable; nil hears nothing.
	Done func(Order)
	// Crash is called between the steps of the work by tests that stop the process there; nil in
	// production.
	Crash func(point string)

	worker owed.Worker
	// entered is set once all orders were held to the register of refusals.
	entered bool
	// looked is when Run looked for orders of suspended senders last.
	looked time.Time
}

func (s *Service) crash(point string) {
	if s.Crash != nil {
		s.Crash(point)
	}
}

func (s *Service) alarm(o Order, why string) {
	if s.Alarm != nil {
		s.Alarm(o, why)
	}
}

// key is the shard of an agency.
func key(agency int64) ids.Peer { return ids.Peer(agency) }

// most bounds how many items of an order are read.
const most = MaxItems + 1
