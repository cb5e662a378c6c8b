package policy

import (
	"parley/internal/safety"
	"parley/internal/safety/instrument"
)

// Verdict is what policy says of a request. It does nothing: people decide within it.
type Verdict struct {
	// Policy is the digest of the rules that were asked, so that a verdict can be found again.
	Policy  string  `json:"policy"`
	Outcome Outcome `json:"outcome"`
	// Refusals are why not, or why not all; never empty when the outcome is Refused.
	Refusals []Refusal `json:"refusals,omitempty"`
	// Missing are fields that the instrument wants and the request lacks.
	Missing []instrument.Field `json:"missing,omitempty"`
	// Unverified are checks that are wanted and not made yet, Verify all that are wanted.
	Unverified []Check `json:"unverified,omitempty"`
	Verify     []Check `json:"verify,omitempty"`
	// Holds are what a named person has to decide before anything happens.
	Holds []Hold `json:"holds,omitempty"`
	// Most is the most that may be done; empty unless the outcome allows something.
	Most Most `json:"most"`
	// Sign is who must sign before it is done: different people, for different roles.
	Sign []Signature `json:"sign,omitempty"`
	// Depth is how closely to look.
	Depth   Depth   `json:"depth"`
	Tell    Tell    `json:"tell"`
	Publish Publish `json:"publish"`
	// Duties are what the service does besides, in this order.
	Duties []Duty `json:"duties,omitempty"`
	// Periods are the instrument's, as far as they hold for this request.
	Periods []instrument.Period `json:"periods,omitempty"`
	// Fired are the rules that spoke, in the order of their files.
	Fired []Firing `json:"fired"`
}

// Outcome is what may come of a request.
type Outcome string

// The outcomes.
const (
	// Allowed: what Most says may be done, once the checks are made and it is signed.
	Allowed Outcome = "allowed"
	// Partly: as Allowed, but something that was asked is refused.
	Partly Outcome = "partly"
	// Incomplete: the requester is told what is missing; nothing is done until it is there.
	Incomplete Outcome = "incomplete"
	// Held: nothing is done until a named person has decided.
	Held Outcome = "held"
	// Refused: nothing is done, and the requester is told why.
	Refused Outcome = "refused"
)

// Code names a reason of refusal. Codes are stored and published.
type Code string

// Refusal is a reason why something is not done.
type Refusal struct {
	Code Code   `json:"code"`
	Rule string `json:"rule"`
	// Text is the reason in English, In the same in other languages by their codes of ISO 639-1, as
	// far as there are words. What is not English is for the answer alone and is not kept.
	Text string            `json:"text"`
	In   map[string]string `json:"-"`
	// Data are the classes of data that it is about; none means all that was asked.
	Data []Data `json:"data,omitempty"`
	// Part is set when it is about a part of what was asked: too wide, too long, too much.
	Part bool `json:"part,omitempty"`
}

// Say is the reason in a language, or in English where there are no words in that.
func (r Refusal) Say(lang string) string {
	if text := r.In[lang]; text != "" {
		return text
	}
	return r.Text
}

// Whole tells whether nothing at all is done for this reason.
func (r Refusal) Whole() bool { return len(r.Data) == 0 && !r.Part }

// Hold is a question that a named person has to answer.
type Hold string

// The holds.
const (
	// SpeechHold: is it protected speech?
	SpeechHold Hold = "protected-speech"
	// QuarantineHold: the officer is too new to have an emergency believed.
	QuarantineHold Hold = "quarantine"
	// PaperHold: the agency never sent the order to an earlier emergency.
	PaperHold Hold = "owed-paper"
)

// Most is the most that may be done.
type Most struct {
	// Measures are those that may be taken, the mildest first; Target is the widest subject.
	Measures []safety.Measure `toml:"measures" json:"measures,omitempty"`
	Target   Target           `toml:"target" json:"target,omitempty"`
	// Territory is where.
	Territory Territory `toml:"territory" json:"territory,omitempty"`
	// Days is for how long at most, in days; 0 is as long as the order holds.
	Days int `toml:"days" json:"days,omitempty"`
	// Reversible is set where nothing may be done that cannot be undone.
	Reversible bool `toml:"reversible" json:"reversible,omitempty"`
	// Data are the classes that may be handed out or kept.
	Data []Data `toml:"data" json:"data,omitempty"`
}

// Territory is where a measure may hold, from the narrowest on.
type Territory string

// The territories.
const (
	Nowhere      Territory = ""
	Issuers      Territory = "issuer"     // the issuer's country
	Instruments  Territory = "instrument" // the countries in which the instrument is law
	AsOrdered    Territory = "ordered"    // the countries that the order names
	OwnRulesOnly Territory = "own-rules"  // everywhere, and then by a decision under the terms
)

// Signature is how many people of a role must sign.
type Signature struct {
	Role   Role `json:"role"`
	People int  `json:"people"`
}

// Role is a role of the staff, as web/staff names them.
type Role string

// The roles that sign.
const (
	Moderator Role = "moderator"
	Lead      Role = "lead"
	Legal     Role = "legal"
)

// Depth is how closely a request is looked at.
type Depth int

// The depths.
const (
	Ordinary Depth = 1
	Careful  Depth = 2
	Full     Depth = 3
)

// Tell is whether and when the person concerned is told.
type Tell struct {
	When When `toml:"when" json:"when"`
	// Days is how long before or after, where When is Before or After.
	Days int `toml:"days" json:"days,omitempty"`
	// Bar is the longest that a bar may last, each time that it is ordered; zero where there is no
	// limit in the law.
	Bar instrument.Length `toml:"bar" json:"bar,omitzero"`
}

// When is a time relative to what is done.
type When string

// The times, from the earliest on.
const (
	// Before: the person can defend himself before it is done.
	Before When = "before"
	// With: at the same time.
	With When = "with"
	// After: some days later.
	After When = "after"
	// BarEnds: as soon as the bar ends, by itself.
	BarEnds When = "bar-ends"
	// NoOne: there is nobody to tell.
	NoOne When = ""
)

// Publish is what the public is told of an order besides its lines in the log, which policy cannot
// keep back: the numbers of people in them are bands.
type Publish struct {
	// Text is set when the order itself is published, without what identifies people, and When says
	// from when on it may be.
	When When `toml:"when" json:"when"`
	Text bool `toml:"text" json:"text,omitempty"`
}

// Duty is something that the service does besides.
type Duty string

// The duties.
const (
	Capture       Duty = "capture"        // preserve the evidence before anything is removed
	PreserveIt    Duty = "preserve"       // keep what is removed, so that it can be put back
	Report        Duty = "report-effect"  // tell the authority the effect for every item
	ReviewBeside  Duty = "review-beside"  // the review of protected speech, at the same time
	Scrutiny      Duty = "scrutiny"       // prepare the request for scrutiny
	Paper         Duty = "paper"          // ask for the order that the emergency did not wait for
	WaitObjection Duty = "wait-objection" // hand out when the time for objections is over
	Encrypt       Duty = "encrypt"        // hand data out only to the key of the agency
	Statement     Duty = "statement"      // give the person a statement of reasons
	Forward       Duty = "forward"        // route it to the right door and tell the sender
	NameTreaty    Duty = "name-treaty"    // name the treaty's way in the answer
	RefuseLogged  Duty = "refuse-logged"  // enter the refusal in the public register
	Counter       Duty = "counter-notice" // invite the person to answer before the decision
	ReviewAgain   Duty = "review-again"   // look again, at the latest when half of the time is over
	OwnRulesCheck Duty = "own-rules"      // examine it under the service's own terms as well
)

// Duties are all duties, in the order in which they are done.
func Duties() []Duty {
	return []Duty{
		Forward, Capture, PreserveIt, Counter, ReviewBeside, Scrutiny, WaitObjection, Encrypt,
		Statement, Report, Paper, ReviewAgain, OwnRulesCheck, NameTreaty, RefuseLogged,
	}
}

// Firing is a rule that spoke.
type Firing struct {
	Rule    string   `json:"rule"`
	At      string   `json:"at"` // file:line
	Because string   `json:"because"`
	Effects []string `json:"effects"`
}
