// Package restrict answers what the service has restricted for whom: the reading half of measures.
// What may be served, sent or done is asked here by chat and api; only safety/enforce writes the
// rows that it reads. It knows measures, not decisions or reasons.
//
// Rows are read only where a flag of a message, an account or a chat says that there are some, so
// that what nobody restricts costs nothing. A restriction holds until its row says that it ended.
//
// Invariants: what is withheld from a viewer is withheld from him by every Verdict, whoever he is
// to the content: its author too gets the reason and not the content. A verdict that could not
// be read is an error and never a permission.
package restrict

import (
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"parley/internal/ids"
	"parley/internal/store"
)

// Kinds of subjects, as stored.
const (
	Account  = 1
	Chat     = 2
	Message  = 3
	Photo    = 4
	Reaction = 5
)

// Measures, as stored. Their meaning is told where they are decided.
const (
	Label               = 1
	AgeRestrict         = 2
	InteractionRestrict = 3
	Demote              = 4
	Disable             = 5
	Remove              = 6
	LimitSending        = 7
	LimitJoining        = 8
	Suspend             = 9
	Terminate           = 10
)

// SensitiveSetting is the name of the setting of a user who wants to see sensitive content.
const SensitiveSetting = "content:sensitive"

// Audience is what of a viewer decides what is withheld from him, and how he is told.
type Audience struct {
	// Country is the region of his phone number, empty when it is not known.
	Country string
	// Sensitive says that he wants to see sensitive content.
	Sensitive bool
	// Lang is the Language in which he is told why.
	Lang string
	// Stranger is somebody of whom nothing is known, not even the country: what is withheld
	// anywhere is withheld from him.
	Stranger bool
}

// Of returns the audience that a user belongs to; nobody in particular for 0.
func Of(r *store.Reader, user ids.UserID) (a Audience, err error) {
	if user == 0 {
		return a, nil
	}
	u, err := r.User(user)
	if store.IsNotFound(err) {
		return a, nil
	}
	if err != nil {
		return a, err
	}
	a.Country, a.Lang = Country(u.Phone), Language(u.Lang)
	a.Sensitive, err = WantsSensitive(r, user)
	return a, err
}

// Country is the region of a phone number in digits, by ISO 3166-1 alpha-2, empty when it is of
// none.
func Country(phone string) string {
	n, err := phonenumbers.Parse("+"+phone, "ZZ")
	if err != nil {
		return ""
	}
	region := phonenumbers.GetRegionCodeForNumber(n)
	if region == "" {
		region = phonenumbers.GetRegionCodeForCountryCode(int(n.GetCountryCode()))
	}
	if len(region) != 2 || region == "ZZ" {
		return ""
	}
	return region
}

// WantsSensitive tells whether a user has asked to see sensitive content.
func WantsSensitive(r *store.Reader, user ids.UserID) (bool, error) {
	b, err := r.Setting(user, SensitiveSetting)
	return err == nil && len(b) > 0, err
}

// SetSensitive writes whether a user wants to see sensitive content.
func SetSensitive(tx *store.Tx, user ids.UserID, on bool) error {
	var value []byte
	if on {
		value = []byte{1}
	}
	return tx.PutSetting(user, SensitiveSetting, value)
}

// Reason is why something is withheld: a word for clients, and a sentence for people.
//
// https://core.telegram.org/constructor/restrictionReason
type Reason struct{ Word, Text string }

// Verdict is what the restrictions on a subject mean for one audience.
type Verdict struct {
	// Withheld says why the content is not served; empty when it is.
	Withheld []Reason
	// Labels are what readers are told of it.
	Labels []string
	// Scam and Fake mark an account or a chat.
	Scam, Fake bool
	// Still forbids forwards and replies.
	Still bool
	// Demoted hides it from searches.
	Demoted bool
	// Varies says that another audience may get another verdict.
	Varies bool
}

// Hidden tells whether the content is withheld.
func (v Verdict) Hidden() bool { return len(v.Withheld) > 0 }

// And is what two verdicts mean together: on a message, and on the chat that it is in.
func (v Verdict) And(o Verdict) Verdict {
	for _, why := range o.Withheld {
		v.withhold(why)
	}
	v.Still = v.Still || o.Still
	v.Demoted = v.Demoted || o.Demoted
	v.Varies = v.Varies || o.Varies
	return v
}

// OfMessage is the verdict on a message, named by its home.
func OfMessage(r *store.Reader, a Audience, home ids.Peer, id int64) (Verdict, error) {
	return read(r, a, store.Restricts{Peer: home, Kind: Message, Item: id})
}

// OfPeer is the verdict on an account or a chat.
func OfPeer(r *store.Reader, a Audience, peer ids.Peer) (Verdict, error) {
	kind := int64(Chat)
	if peer.Kind() == ids.User {
		kind = Account
	}
	return read(r, a, store.Restricts{Peer: peer, Kind: kind})
}

func read(r *store.Reader, a Audience, s store.Restricts) (v Verdict, err error) {
	list, err := r.Restrictions(s)
	for _, x := range list {
		v.add(a, x)
	}
	return v, err
}

// add takes one restriction into a verdict.
func (v *Verdict) add(a Audience, x store.Restriction) {
	if len(x.Territory) > 0 {
		v.Varies = true
		if !a.Stranger && !slices.Contains(x.Territory, a.Country) {
			return
		}
	}
	switch x.Measure {
	case Label:
		v.label(x.Detail)
	case AgeRestrict:
		v.Varies = true
		if !a.Sensitive {
			v.withhold(Reason{sensitive, sentence(a.Lang, sensitive)})
		}
	case InteractionRestrict:
		v.Still = true
	case Demote:
		v.Demoted = true
	case Disable:
		v.Varies = true // in the language
		word := terms
		if len(x.Territory) > 0 {
			word = legal
		}
		v.withhold(Reason{word, sentence(a.Lang, word)})
	}
}

func (v *Verdict) withhold(why Reason) {
	if !slices.Contains(v.Withheld, why) {
		v.Withheld = append(slices.Clip(v.Withheld), why)
	}
}

func (v *Verdict) label(text string) {
	switch strings.ToLower(text) {
	case "scam":
		v.Scam = true
	case "fake":
		v.Fake = true
	default:
		v.Labels = append(v.Labels, text)
	}
}
