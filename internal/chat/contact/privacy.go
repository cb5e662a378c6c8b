package contact

import (
	"slices"

	"github.com/fxamacker/cbor/v2"

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
var defaults = map[string]Rule{
	"phone":       {At: Contacts},
	"added_phone": {At: All},
	"birthday":    {At: Contacts},
}

// settingPrefix begins the names of settings that hold rules.
const settingPrefix = "privacy:"

// RuleOf returns a user's rule of a name.
func RuleOf(r *store.Reader, user ids.UserID, name string) (Rule, error) {
	b, err := r.Setting(user, settingPrefix+name)
	if err != nil || b == nil {
		if rule, ok := defaults[name]; ok {
			return rule, err
		}
		return Rule{At: All}, err
	}
	var rule Rule
	return rule, cbor.Unmarshal(b, &rule)
}

// SetRule writes a user's rule.
func SetRule(tx *store.Tx, user ids.UserID, name string, rule Rule) error {
	b, err := cbor.Marshal(rule)
	if err != nil {
		return err
	}
	return tx.PutSetting(user, settingPrefix+name, b)
}

// Allows tells whether a user's rule of a name lets a viewer. Somebody who is blocked is let
// nowhere.
func Allows(r *store.Reader, viewer, user ids.UserID, name string) (bool, error) {
	if viewer == user {
		return true, nil
	}
	blocked, err := r.Blocked(user, viewer.Peer())
	if err != nil || blocked {
		return false, err
	}
	rule, err := RuleOf(r, user, name)
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
