package instrument

import "time"

// Event is something that happens to a request. Periods start, pause, resume and end with events.
type Event string

// The events.
const (
	// Received is when the request was stored, Complete when nothing was missing any more.
	Received Event = "received"
	Complete Event = "complete"
	// Incomplete is when the requester was told what is missing or manifestly wrong, Impossible
	// when he was told why it cannot be done now; Possible when that ended.
	Incomplete Event = "incomplete"
	Impossible Event = "impossible"
	Possible   Event = "possible"
	// Receipted is when the receipt was sent, Informed when the requester was told of the outcome.
	Receipted Event = "receipted"
	Informed  Event = "informed"
	// Decided is when a person decided; Effected when the measure took effect, or the data went
	// out; Kept when the data was set aside.
	Decided  Event = "decided"
	Effected Event = "effected"
	Kept     Event = "kept"
	// Scrutinised is when the scrutiny of a removal order was asked for, Answered when it was done.
	Scrutinised Event = "scrutinised"
	Answered    Event = "answered"
	// Cleared is when an authority that was notified has said that it raises no ground for refusal,
	// or its time to raise one was over.
	Cleared Event = "cleared"
	// Extended is when the requester had a period of keeping lengthened.
	Extended Event = "extended"
	// Ordered is when the paper followed that an emergency did not wait for.
	Ordered Event = "ordered"
	// Told is when the person concerned was told.
	Told Event = "told"
)

// Events are all events.
func Events() []Event {
	return []Event{
		Received, Complete, Incomplete, Impossible, Possible, Receipted, Informed, Decided,
		Effected, Kept, Scrutinised, Answered, Cleared, Extended, Ordered, Told,
	}
}

// Happened is an event and its time.
type Happened struct {
	Event Event     `json:"event"`
	At    time.Time `json:"at"`
}

// Urgency is how soon.
type Urgency string

// The urgencies.
const (
	Routine Urgency = "routine"
	Urgent  Urgency = "urgent"
	// Life is an imminent threat to somebody's life or body.
	Life Urgency = "life"
)

// Period is a time that an instrument starts.
type Period struct {
	// ID is its name within the instrument, Duty what is owed, in English.
	ID   string `toml:"id"`
	Duty string `toml:"duty"`
	// Owner is who owes it.
	Owner Owner `toml:"owner"`
	// Urgency restricts it to requests that are so urgent, where it is set.
	Urgency []Urgency `toml:"urgency"`
	// Notified restricts it to requests of which another authority was notified that may object,
	// or to all others.
	Notified Notified `toml:"notified"`
	// Abroad restricts it to requests from other countries than that in which the service is
	// established.
	Abroad bool `toml:"abroad"`
	// Starts begins it, Ends fulfils it. A period that keeps something has no end but its time.
	Starts Event `toml:"starts"`
	Ends   Event `toml:"ends"`
	// Length is how long the law gives; zero where it says no more than "without undue delay". Then
	// Target is what the service promises itself.
	Length Length `toml:"length"`
	Target Length `toml:"target"`
	// Pauses and Resumes stop and continue it. Anew is set where it begins from the start when it
	// continues.
	Pauses  []Event `toml:"pauses"`
	Resumes []Event `toml:"resumes"`
	Anew    bool    `toml:"anew"`
	// Longer is by how much each Extended lengthens it.
	Longer Length `toml:"longer"`
	// Civil counts days as Regulation 1182/71 does: the first is left out, the last one is whole,
	// and if that is no working day the next one is the last. Otherwise time counts as it passes.
	Civil bool `toml:"civil"`
	// Alarms are how long before its end somebody is woken.
	Alarms []Length `toml:"alarms"`
	// Article is where the law says so.
	Article string `toml:"article"`
}

// Notified is whether another authority was notified of a request, which it may object to.
type Notified string

// The values: no matter, yes, no.
const (
	AnyNotified Notified = ""
	WasNotified Notified = "yes"
	NotNotified Notified = "no"
)

// Owner is who owes what a period is about.
type Owner string

// The owners: the service, or who asked.
const (
	Ours   Owner = ""
	Theirs Owner = "requester"
)

// Length is a length of time in one unit.
type Length struct {
	N    int
	Unit Unit
}

// Unit is a unit of time as laws use them.
type Unit string

// The units, as they are written after the number.
const (
	Minutes     Unit = "min"
	Hours       Unit = "h"
	Days        Unit = "d"
	WorkingDays Unit = "wd"
	Months      Unit = "mo"
)

// State is where a period stands.
type State string

// The states.
const (
	Waiting  State = "waiting"  // it has not started
	Running  State = "running"  // it is being counted
	Paused   State = "paused"   // it stands still
	Met      State = "met"      // what was owed was done in time
	Late     State = "late"     // it was done, after the end
	Breached State = "breached" // the end has come, and it was not done
	Over     State = "over"     // a time of keeping has passed
)

// Status is a period at a moment.
type Status struct {
	State State
	// Started is when it began, Due when it ends; zero before it starts, Due also while it stands
	// still. Own is set when Due is the service's promise and not the law's.
	Started, Due time.Time
	Own          bool
	// Left is what is left of it; it does not pass while the period stands still.
	Left time.Duration
	// Alarms is how many of the period's alarms have gone off, Next when the next one does.
	Alarms int
	Next   time.Time
}
