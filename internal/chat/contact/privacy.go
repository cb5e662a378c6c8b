package contact

import (
	"slices"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/chat/box"
	"parley/internal/ids"
	"parley/internal/store"
)

// Everybody is what a privacy rule lets at large.
type Everybody uint8

// The values of Everybody. They are stored.
const (
	// Contacts lets those in the user's address book.
	Contacts Everybody = iota
	// All lets anybody.
	All
	// Nobody lets none.
	Nobody
	// CloseFriends lets contacts whom the user calls close.
	CloseFriends
)

// Topic is what a rule is about. Values are stored.
//
// https://core.telegram.org/type/PrivacyKey
type Topic string

// The topics of rules: what of somebody others see, and how they may reach him.
const (
	Status    Topic = "status"
	Phone     Topic = "phone"
	Photo     Topic = "photo"
	Forwards  Topic = "forwards"
	About     Topic = "about"
	Birthday  Topic = "birthday"
	Invite    Topic = "invite"
	Call      Topic = "call"
	PeerCall  Topic = "p2p"
	FindPhone Topic = "added_phone"
	Voice     Topic = "voice"
)

// Rule says who may see or do something. Exceptions come before the rest.
//
// https://core.telegram.org/api/privacy
type Rule struct {
	At       Everybody    `cbor:"1,keyasint,omitempty"`
	Allow    []ids.UserID `cbor:"2,keyasint,omitempty"`
	Deny     []ids.UserID `cbor:"3,keyasint,omitempty"`
	AllowIn  []ids.Peer   `cbor:"4,keyasint,omitempty"`
	DenyIn   []ids.Peer   `cbor:"5,keyasint,omitempty"`
	Contacts bool         `cbor:"6,keyasint,omitempty"`
}

// defaults are the rules that hold until a user sets others: what shows the number, or lets
// strangers reach into somebody's day, begins closed.
var defaults = map[Topic]Rule{
	Phone:    {At: Contacts},
	Birthday: {At: Contacts},
}

// settingPrefix begins the names of settings that hold rules.
const settingPrefix = "privacy:"

// Open tells whether a rule lets everybody.
func (r Rule) Open() bool { return r.At == All && len(r.Deny)+len(r.DenyIn) == 0 }

// RuleOf returns a user's rule about a topic.
func RuleOf(r *store.Reader, user ids.UserID, about Topic) (Rule, error) {
	b, err := r.Setting(user, settingPrefix+string(about))
	if err != nil || b == nil {
		if rule, ok := defaults[about]; ok {
			return rule, err
		}
		return Rule{At: All}, err
	}
	var rule Rule
	return rule, cbor.Unmarshal(b, &rule)
}

// SetRule writes a user's rule and tells his devices.
func SetRule(tx *store.Tx, user ids.UserID, about Topic, rule Rule, now int64) error {
	b, err := cbor.Marshal(rule)
	if err != nil {
		return err
	}
	if err := tx.PutSetting(user, settingPrefix+string(about), b); err != nil {
		return err
	}
	_, err = box.Note(tx, user.Peer(), box.Privacy, now, box.Entry{Text: string(about)})
	return err
}

// Allows tells whether a user's rule about a topic lets a viewer. Somebody who is blocked is let
// nowhere.
//
// https://core.telegram.org/api/privacy
func Allows(r *store.Reader, viewer, user ids.UserID, about Topic) (bool, error) {
	if viewer == user {
		return true, nil
	}
	blocked, err := r.Blocked(user, viewer.Peer())
	if err != nil || blocked {
		return false, err
	}
	return Permits(r, viewer, user, about)
}

// Permits is Allows by the rule alone, for what must not show somebody that he is blocked.
func Permits(r *store.Reader, viewer, user ids.UserID, about Topic) (bool, error) {
	if viewer == user {
		return true, nil
	}
	rule, err := RuleOf(r, user, about)
	if err != nil {
		return false, err
	}
	switch {
	case slices.Contains(rule.Deny, viewer):
		return false, nil
	case slices.Contains(rule.Allow, viewer):
		return true, nil
	}
	if in, err := member(r, viewer, rule.DenyIn); err != nil || in {
		return false, err
	}
	if in, err := member(r, viewer, rule.AllowIn); err != nil || in {
		return in, err
	}
	return atLarge(r, viewer, user, rule)
}

func atLarge(r *store.Reader, viewer, user ids.UserID, rule Rule) (bool, error) {
	switch {
	case rule.At == All:
		return true, nil
	case rule.At == Nobody && !rule.Contacts:
		return false, nil
	}
	c, err := r.Contact(user, viewer)
	if store.IsNotFound(err) {
		return false, nil
	}
	return rule.At != CloseFriends || c.Flags&CloseFriend != 0 || rule.Contacts, err
}

// member tells whether somebody is in one of some chats.
func member(r *store.Reader, viewer ids.UserID, chats []ids.Peer) (bool, error) {
	for _, peer := range chats {
		m, err := r.Member(peer, viewer)
		if err != nil || m.Role.In() {
			return err == nil, err
		}
	}
	return false, nil
}
