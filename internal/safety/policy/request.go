package policy

import (
	"time"

	"parley/internal/safety"
	"parley/internal/safety/country"
	"parley/internal/safety/instrument"
)

// Request is what somebody asks of the service, as far as policy needs to know it: no names, no
// addresses, no content. An order that asks for several things is several requests.
type Request struct {
	// Reference is the requester's own; it is repeated in explanations and judged by no rule.
	Reference string    `json:"reference,omitempty"`
	Received  time.Time `json:"received"`
	// Country is where the requester comes from. Rules are not given it, only what follows from it.
	Country country.Code       `json:"country,omitempty"`
	Urgency instrument.Urgency `json:"urgency,omitempty"`
	Asked   Asked              `json:"asked"`
	By      By                 `json:"by"`
	Ground  Ground             `json:"ground"`
	Content Content            `json:"content"`
}

// Asked is what is to be done.
type Asked struct {
	Action Action `json:"action"`
	// Target is against what, Items how many of it.
	Target Target `json:"target,omitempty"`
	Items  int    `json:"items,omitempty"`
	// Exact is set when each item is named by its exact address or identifier.
	Exact bool `json:"exact,omitempty"`
	// Territory are the countries in which it is to hold; none means everywhere.
	Territory []country.Code `json:"territory,omitempty"`
	// Until is when it is to end; zero is without an end.
	Until time.Time `json:"until,omitzero"`
	// Data is which data is asked for, From and To of which time.
	Data []Data    `json:"data,omitempty"`
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
}

// Action is a kind of thing to do.
type Action string

// The actions. Those from Keys on have no handler: whoever asks for them is refused.
const (
	// Remove takes content away, Withhold hides it in some countries, Close ends an account or a
	// chat, Restrict limits what an account may do.
	Remove   Action = "remove"
	Withhold Action = "withhold"
	Restrict Action = "restrict"
	Close    Action = "close"
	// Disclose hands data out, Preserve keeps it until it may be.
	Disclose Action = "disclose"
	Preserve Action = "preserve"
	// Explain asks how the service does its duties.
	Explain Action = "explain"

	Keys       Action = "keys"       // keys of the service or of people
	Decrypt    Action = "decrypt"    // what the service cannot read
	BackDoor   Action = "back-door"  // a weakening of protection
	Bulk       Action = "bulk"       // data of people who are not named
	Continuous Action = "continuous" // data as it comes
	Scan       Action = "scan"       // general monitoring
	Silence    Action = "silence"    // secrecy about the service's own conduct
)

// Actions are all actions.
func Actions() []Action {
	return []Action{
		Remove, Withhold, Restrict, Close, Disclose, Preserve, Explain,
		Keys, Decrypt, BackDoor, Bulk, Continuous, Scan, Silence,
	}
}

// Refusing are the actions that have no handler.
func Refusing() []Action {
	return []Action{Keys, Decrypt, BackDoor, Bulk, Continuous, Scan, Silence}
}

// Restricting are the actions that take something from people's speech.
func Restricting() []Action { return []Action{Remove, Withhold, Restrict, Close} }

// Target is a kind of thing that an action is against, from the narrowest on.
type Target string

// The targets.
const (
	Item    Target = "item"    // messages, photos
	Account Target = "account" // a person's account
	Chat    Target = "chat"    // a group or a channel
	Whole   Target = "service" // everybody
)

// Data is a class of data. The order is from what touches a person least.
type Data string

// The classes of data. Those of Regulation (EU) 2023/1543, Art. 3 are in brackets.
const (
	Subscriber Data = "subscriber" // number, names, when the account was made (subscriber)
	LastLogin  Data = "last-login" // time and address of the last login (identifying)
	Logins     Data = "logins"     // times and addresses of logins, devices (traffic)
	Contacts   Data = "contacts"   // address book, memberships (traffic)
	Messages   Data = "messages"   // content that the server holds (content)
	Files      Data = "files"      // content
	Secret     Data = "secret"     // secret chats: the server has no key to them
	Password   Data = "password"   // passwords, codes
	Location   Data = "location"   // where somebody is now
)

// AllData are all classes of data, in their order.
func AllData() []Data {
	return []Data{
		Subscriber, LastLogin, Logins, Contacts, Messages, Files, Secret, Password, Location,
	}
}

// By is who asks, and how that is known.
type By struct {
	Kind instrument.Requester `json:"kind"`
	// Verified is how the service knows that it is who it says.
	Verified []Check `json:"verified,omitempty"`
	// New is set while an officer is too new to have an emergency believed.
	New bool `json:"new,omitempty"`
	// Early is set for the first removal order of an agency that was admitted less than twelve
	// hours before (Regulation (EU) 2021/784, Art. 3(2)).
	Early bool `json:"early,omitempty"`
	// Owes is set while the order is missing that an earlier emergency of the agency did not wait
	// for.
	Owes bool `json:"owes,omitempty"`
	// Mail is set for an order that came by mail before its sender was known, and was put to the
	// agency since.
	Mail bool `json:"mail,omitempty"`
	// Suspended is set while the agency or flagger has lost its access.
	Suspended bool `json:"suspended,omitempty"`
}

// Check is something to be verified, or that was.
type Check string

// The checks.
const (
	// SenderCheck: it came over the requester's own registered key or a system of the law.
	SenderCheck Check = "sender"
	// CallBack: the agency was called under the number that the service has of it.
	CallBack Check = "call-back"
	// SupervisorCheck: an officer's superior confirmed it separately.
	SupervisorCheck Check = "supervisor"
	// DocumentCheck: document and signature are whole and belong to the issuer.
	DocumentCheck Check = "document"
	// LawCheck: the provision exists, covers this, and the issuer may use it.
	LawCheck Check = "law"
	// OffenceCheck: the act is an offence also where the service is established, or is on the list
	// of the instrument.
	OffenceCheck Check = "offence"
	// ManifestCheck: no manifest error stands in it.
	ManifestCheck Check = "manifest"
	// ContentCheck: somebody looked at the content, and it is what the order says.
	ContentCheck Check = "content"
	// NecessityCheck: no milder means does it.
	NecessityCheck Check = "necessity"
)

// Checks are all checks.
func Checks() []Check {
	return []Check{
		SenderCheck, CallBack, SupervisorCheck, DocumentCheck, LawCheck, OffenceCheck,
		ManifestCheck, ContentCheck, NecessityCheck,
	}
}

// Ground is on what the request rests.
type Ground struct {
	Instrument instrument.ID `json:"instrument"`
	// Has is which of the instrument's fields are there.
	Has []instrument.Field `json:"has,omitempty"`
	// Manifest are the manifest errors that somebody found, in words of the law.
	Manifest []string `json:"manifest,omitempty"`
	// Penalty is the greatest term of imprisonment for the offence, in years; zero is not said.
	Penalty int `json:"penalty,omitempty"`
	// Listed is set when the offence is one of Regulation (EU) 2023/1543, Art. 5(4)(b), (c).
	Listed bool `json:"listed,omitempty"`
	// Notified is set when the enforcing authority was told of a certificate, which it may object
	// to (Regulation (EU) 2023/1543, Art. 8).
	Notified bool `json:"notified,omitempty"`
	// Bar is set when the person must not be told, BarEnds until when.
	Bar     bool      `json:"bar,omitempty"`
	BarEnds time.Time `json:"bar_ends,omitzero"`
}

// Content is what the request is about.
type Content struct {
	Category safety.Category `json:"category,omitempty"`
	// Protected are the kinds of protected speech that somebody or something has seen in it.
	Protected []Speech `json:"protected,omitempty"`
	// Judged is what a named person decided about that; nil while nobody has.
	Judged *Judgement `json:"judged,omitempty"`
	// Private is set for private chats and basic groups, Secret for secret chats.
	Private bool `json:"private,omitempty"`
	Secret  bool `json:"secret,omitempty"`
}

// Speech is a kind of speech that is protected more than others.
type Speech string

// The kinds of protected speech.
const (
	Protest    Speech = "protest"
	Journalism Speech = "journalism"
	Election   Speech = "election"
	Art        Speech = "art"
	Research   Speech = "research"
)

// Speeches are all kinds of protected speech.
func Speeches() []Speech { return []Speech{Protest, Journalism, Election, Art, Research} }

// Judgement is a named person's decision about protected speech.
type Judgement struct {
	// Staff is who decided.
	Staff int64     `json:"staff"`
	At    time.Time `json:"at"`
	// Protected is set when the speech is protected, so that the restriction is refused.
	Protected bool   `json:"protected"`
	Reason    string `json:"reason"`
}
