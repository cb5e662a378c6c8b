// Package safety holds the nouns of accountable moderation: what a case is about, who said so, what
// may be done and why. The rooms below this folder carry them out. The package decides nothing,
// stores nothing and knows no API types.
//
// What the EU's DSA Transparency Database enumerates has its names here, so that a decision, its
// statement of reasons and the public reports cannot call one thing by two names.
package safety

import (
	"encoding/binary"
	"io"
	"time"

	"parley/internal/ids"
)

// Kind is what a case is about. Values are stored.
type Kind int64

// The kinds of subjects.
const (
	Account  Kind = 1
	Chat     Kind = 2
	Message  Kind = 3
	Photo    Kind = 4
	Reaction Kind = 5
)

// String is the kind's name in pages and files.
func (k Kind) String() string {
	switch k {
	case Account:
		return "account"
	case Chat:
		return "chat"
	case Message:
		return "message"
	case Photo:
		return "photo"
	case Reaction:
		return "reaction"
	default:
		return "unknown"
	}
}

// Subject is what or whom a case is about.
type Subject struct {
	// Peer is the account, or the chat in whose box the content is. A message of a private chat or
	// a basic group belongs to its sender's box. Everything about a subject is sharded by Peer;
	// zero stands for a place that could not be found.
	Peer ids.Peer
	Kind Kind
	// Item is the message's id in that box, or the photo's id; zero for an account or a chat.
	Item int64
	// Author is whom a decision concerns: the account itself, the sender, a chat's creator; who
	// reacted, for a reaction.
	Author ids.UserID
}

// Same tells whether two subjects are one and the same thing: their reports join one case.
func (s Subject) Same(o Subject) bool {
	return s.Peer == o.Peer && s.Kind == o.Kind && s.Item == o.Item &&
		(s.Kind != Reaction || s.Author == o.Author)
}

// Actor is who did something: a member of staff, a rule, or neither for the service itself.
type Actor struct {
	Staff int64  `cbor:"1,keyasint,omitempty"`
	Rule  string `cbor:"2,keyasint,omitempty"`
}

// Source is where an allegation came from.
//
// https://transparency.dsa.ec.europa.eu/page/api-documentation
type Source string

// The sources of the database, and how they differ.
const (
	// Article16 is a substantiated notice of illegal content.
	Article16 Source = "SOURCE_ARTICLE_16"
	// TrustedFlagger is a notice of a certified notifier (DSA Art. 22).
	TrustedFlagger Source = "SOURCE_TRUSTED_FLAGGER"
	// OtherNotification is a user's report in the client, or an authority's request.
	OtherNotification Source = "SOURCE_TYPE_OTHER_NOTIFICATION"
	// Voluntary is the service's own initiative: staff or a rule.
	Voluntary Source = "SOURCE_VOLUNTARY"
)

// Ground is why something is decided.
type Ground string

// The grounds: against the law, or against the terms alone.
const (
	Illegal      Ground = "DECISION_GROUND_ILLEGAL_CONTENT"
	Incompatible Ground = "DECISION_GROUND_INCOMPATIBLE_CONTENT"
)

// Automation is how far machines decided.
type Automation string

// The degrees of automation.
const (
	FullyAutomated     Automation = "AUTOMATED_DECISION_FULLY"
	PartiallyAutomated Automation = "AUTOMATED_DECISION_PARTIALLY"
	NotAutomated       Automation = "AUTOMATED_DECISION_NOT_AUTOMATED"
)

// Means is by what means something was found and decided (DSA Art. 17(3)(c)).
type Means struct {
	// Detected is set when a machine found it.
	Detected bool       `cbor:"1,keyasint,omitempty"`
	Decided  Automation `cbor:"2,keyasint"`
}

// Lane is a queue of cases of one class of harm. Each has its own capacity, so that a flood in one
// does not displace another. Values are stored; a lower one is more urgent.
type Lane int64

// The lanes.
const (
	// ChildSafety and ThreatToLife are the emergency lanes.
	ChildSafety  Lane = 1
	ThreatToLife Lane = 2
	Terrorism    Lane = 3
	// IllegalContent has notices of anything else against the law.
	IllegalContent Lane = 4
	// Harm has violence, harassment, drugs, personal details.
	Harm Lane = 5
	// Terms has what only the terms forbid.
	Terms Lane = 6
	Spam  Lane = 7
	// Appeals has complaints against decisions.
	Appeals Lane = 8
)

// Lanes are all lanes, the most urgent first.
func Lanes() []Lane {
	return []Lane{
		ChildSafety, ThreatToLife, Terrorism, IllegalContent, Harm, Terms, Spam, Appeals,
	}
}

// Emergency tells whether the lane keeps reserved capacity.
func (l Lane) Emergency() bool { return l == ChildSafety || l == ThreatToLife }

// String is the lane's name in pages, files and metrics.
func (l Lane) String() string {
	names := [...]string{
		ChildSafety: "child-safety", ThreatToLife: "threat-to-life", Terrorism: "terrorism",
		IllegalContent: "illegal", Harm: "harm", Terms: "terms", Spam: "spam",
		Appeals: "appeals",
	}
	if l < ChildSafety || int(l) >= len(names) {
		return "unknown"
	}
	return names[l]
}

// ContentType is what kind of content a decision is about.
type ContentType string

// The content types that a messenger has.
const (
	TextContent  ContentType = "CONTENT_TYPE_TEXT"
	ImageContent ContentType = "CONTENT_TYPE_IMAGE"
	VideoContent ContentType = "CONTENT_TYPE_VIDEO"
	AudioContent ContentType = "CONTENT_TYPE_AUDIO"
	AppContent   ContentType = "CONTENT_TYPE_APP"
	OtherContent ContentType = "CONTENT_TYPE_OTHER"
)

// randomBits is how many bits of an id are random; the others are its time in milliseconds.
const randomBits = 20

// proofTime is how long after somebody proved who he is strong actions are taken from him.
const proofTime = 10 * time.Minute

// FreshProof tells whether somebody who proved who he is at a time may do something strong now.
func FreshProof(proven, now time.Time) bool {
	age := now.Sub(proven)
	return age >= -time.Minute && age <= proofTime // a minute for clocks that differ
}

// NewID makes the id of a case, report, decision, appeal or piece of evidence: positive, by time,
// and different from others of the same millisecond but for a chance of one in a million.
func NewID(now time.Time, random io.Reader) (int64, error) {
	var b [4]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return 0, err
	}
	low := int64(binary.LittleEndian.Uint32(b[:]) & (1<<randomBits - 1))
	return now.UnixMilli()<<randomBits | low, nil
}

// FirstID is below the id of everything that is made from a time on, and above all before it.
func FirstID(t time.Time) int64 { return t.UnixMilli() << randomBits }

// IDTime is when an id of NewID was made.
func IDTime(id int64) time.Time { return time.UnixMilli(id >> randomBits) }
