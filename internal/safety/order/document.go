package order

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"parley/internal/safety"
	"parley/internal/safety/instrument"
	"parley/internal/safety/policy"
)

// Document is what an authority wrote, by its fields: what a form, a program or a mail was read
// into. It is kept as it came; its digest is what the receipt names. Times are Unix seconds; what
// stood for a time and could not be read as one is Unreadable, so that it is named and not lost.
type Document struct {
	Instrument instrument.ID `json:"instrument"`
	// Number is the authority's own reference, Issued when it issued the order.
	Number string `json:"number"`
	Issued int64  `json:"issued,omitempty"`
	// Country is the issuing state, Authority who issued it, by its name.
	Country   string `json:"country"`
	Authority string `json:"authority"`
	// Signed is who signed it, Validated by whom it was validated where the issuer needs that.
	Signed    string `json:"signed,omitempty"`
	Validated string `json:"validated,omitempty"`
	// Lang is the language in which it is written, by ISO 639-1.
	Lang  string  `json:"lang,omitempty"`
	Basis []Basis `json:"basis,omitempty"`
	// Reasons say why, Necessity why nothing milder does, Objective what the information is for.
	Reasons   string `json:"reasons,omitempty"`
	Necessity string `json:"necessity,omitempty"`
	Objective string `json:"objective,omitempty"`
	// Withheld is set where the reasons, and with them objective and necessity, cannot be given for
	// reasons of criminal investigations, which the law allows for orders to provide information
	// alone (Regulation (EU) 2022/2065, Art. 10(2)(a)(iv)).
	Withheld bool `json:"withheld,omitempty"`
	// Redress is how the service and the person concerned can have it reviewed.
	Redress string `json:"redress,omitempty"`
	// Action is what is to be done.
	Action policy.Action `json:"action"`
	// Items are the content, Accounts the people that it is about.
	Items    []Target     `json:"items,omitempty"`
	Accounts []Identifier `json:"accounts,omitempty"`
	// Territory is where it is to hold, Until to when; none and 0 leave that open.
	Territory []string `json:"territory,omitempty"`
	Until     int64    `json:"until,omitempty"`
	// Data is which data, From and To of which time.
	Data []policy.Data `json:"data,omitempty"`
	From int64         `json:"from,omitempty"`
	To   int64         `json:"to,omitempty"`
	// Category and Keywords are what it is about, in the words of the DSA Transparency Database.
	Category safety.Category  `json:"category,omitempty"`
	Keywords []safety.Keyword `json:"keywords,omitempty"`
	// Offence is the offence investigated, Penalty its greatest term of imprisonment in years, 0
	// where that is not said, and Directives are those on whose list the offence stands.
	Offence    string      `json:"offence,omitempty"`
	Penalty    int         `json:"penalty,omitempty"`
	Directives []Directive `json:"directives,omitempty"`
	// Urgency is how soon; Supervisor answers for an emergency and confirms it by himself.
	Urgency    instrument.Urgency `json:"urgency,omitempty"`
	Supervisor string             `json:"supervisor,omitempty"`
	// Notified is set when the authority of the state that enforces the order was notified of it,
	// which may object (Regulation (EU) 2023/1543, Art. 8).
	Notified bool `json:"notified,omitempty"`
	// Bar forbids to tell the people concerned.
	Bar *Bar `json:"bar,omitempty"`
	// Extends is the number of an earlier order of the same authority whose bar on telling, or
	// whose keeping of data, this one makes longer. Then it does nothing else.
	Extends string `json:"extends,omitempty"`
	// Follows is the number of an emergency request of the same authority that did not wait for
	// this order.
	Follows string `json:"follows,omitempty"`
	// Attached are the papers that came with it.
	Attached []Attachment `json:"attached,omitempty"`
}

// Unreadable stands in a document for a time or a number that was given and could not be read.
const Unreadable = -1

// Directive is one of the directives of the Union whose offences suffice for a production order for
// traffic data or content, whatever their penalty.
//
// https://eur-lex.europa.eu/eli/reg/2023/1543/oj, Art. 5(4)(b), (c)
type Directive string

// The directives: Art. 3 to 8 on fraud with means of payment that are not cash, Art. 3 to 7 on the
// sexual abuse of children, and Art. 3 to 8 on attacks against information systems, each where the
// offence was committed by means of an information system; Art. 3 to 12 and 14 on terrorism.
const (
	PaymentFraud       Directive = "2019/713"
	ChildAbuse         Directive = "2011/93"
	InformationSystems Directive = "2013/40"
	Terrorism          Directive = "2017/541"
)

// Directives are all directives.
func Directives() []Directive {
	return []Directive{PaymentFraud, ChildAbuse, InformationSystems, Terrorism}
}

// reasoned tells whether a text of the statement of reasons is there, or may be missing.
func (d Document) reasoned(text string) bool {
	return filled(text) || d.Withheld && d.Instrument == instrument.Inform
}

// listed tells whether the offence stands on the list of a directive.
func (d Document) listed() bool {
	return slices.ContainsFunc(d.Directives, func(x Directive) bool {
		return slices.Contains(Directives(), x)
	})
}

// Basis is a provision on which an order rests.
type Basis struct {
	Law       string `json:"law"`
	Provision string `json:"provision"`
}

// Target is content that an order names by its exact address.
type Target struct {
	URL string `json:"url"`
	// Note is further information that identifies it.
	Note string `json:"note,omitempty"`
}

// Identifier names an account.
type Identifier struct {
	// Type is username, phone, id or url.
	Type  string `json:"type"`
	Value string `json:"value"`
}

// Bar is a prohibition to tell the people concerned.
type Bar struct {
	Basis string `json:"basis"`
	// Until is when it ends, in Unix seconds.
	Until int64 `json:"until,omitempty"`
}

// Attachment is a paper that came with an order; its bytes lie in the blob store under the digest.
type Attachment struct {
	Name string `json:"name"`
	Mime string `json:"mime"`
	// Digest is the SHA-256 of the bytes in hexadecimal digits, Size their number.
	Digest string `json:"digest"`
	Size   int64  `json:"size"`
}

// maxDocument bounds a document as JSON, in bytes.
const maxDocument = 4 << 20

// digest is the SHA-256 of the document as JSON, in hexadecimal digits.
func (d Document) digest() (string, error) {
	b, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("order: document: %w", err)
	}
	if len(b) > maxDocument {
		return "", ErrTooLarge
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// named is how many things the document names.
func (d Document) named() int {
	if d.about() == policy.Account {
		return len(d.Accounts)
	}
	return len(d.Items)
}

// about is what the document's action is against: people for data, else content.
func (d Document) about() policy.Target {
	if len(d.Items) == 0 {
		return policy.Account
	}
	return policy.Item
}

// territory are the countries that the document names, of a list that is too long its beginning.
func (d Document) territory() []string { return d.Territory[:min(len(d.Territory), listMost)] }

// handled tells whether there is code that could carry an action out.
func handled(a policy.Action) bool {
	switch a {
	case policy.Remove, policy.Withhold, policy.Restrict, policy.Close, policy.Preserve,
		policy.Disclose, policy.Explain:
		return true
	default:
		return false
	}
}
