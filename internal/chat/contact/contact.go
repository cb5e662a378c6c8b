// Package contact makes the rules between people: who is in whose address book, who has blocked
// whom, what each lets others see. It knows nobody's chats beyond whether somebody is in them, and
// renders nothing.
//
// https://core.telegram.org/api/contacts
package contact

import (
	"context"
	"strings"
	"unicode"

	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/store"
)

// CloseFriend is the bit of a contact whom the user calls close.
const CloseFriend = 1

const (
	// importMost is how many numbers one import may hold.
	importMost = 500
	// bookMost is how many people an address book may hold.
	bookMost = 10_000
	// nameRunes is the longest first or last name, in characters.
	nameRunes = 64
)

// Service applies the rules between people.
type Service struct {
	Store *store.Store
	Clock clock.Clock
}

// Digits returns the digits of a phone number.
func Digits(phone string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, phone)
}

// Name checks and trims a name.
func Name(first, last string) (string, string, error) {
	clean := func(s string) string {
		s = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, s)
		return strings.TrimSpace(s)
	}
	first, last = clean(first), clean(last)
	if first == "" || len([]rune(first)) > nameRunes {
		return "", "", chat.Invalid("FIRSTNAME_INVALID")
	}
	if len([]rune(last)) > nameRunes {
		return "", "", chat.Invalid("LASTNAME_INVALID")
	}
	return first, last, nil
}

// Entry is a line of an address book that a user imports.
type Entry struct {
	ClientID int64
	Phone    string
	First    string
	Last     string
}

// Found is an imported line whose number has an account.
type Found struct {
	ClientID int64
	User     ids.UserID
}

// Import adds the people whose numbers have accounts, and lets themselves be found, to a user's
// address book.
//
// https://core.telegram.org/method/contacts.importContacts
func (s *Service) Import(ctx context.Context, user ids.UserID, list []Entry) ([]Found, error) {
	if len(list) > importMost {
		return nil, chat.Invalid("CONTACT_ADD_MISSING")
	}
	var found []Found
	var add []store.Contact
	now := s.Clock.Now().Unix()
	err := s.Store.View(ctx, func(r *store.Reader) error {
		found, add = nil, nil
		for _, e := range list {
			phone := Digits(e.Phone)
			id, err := r.UserByPhone(phone)
			if store.IsNotFound(err) || id == user {
				continue
			}
			if err != nil {
				return err
			}
			ok, err := Allows(r, user, id, FindPhone)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			first, last, err := Name(e.First, e.Last)
			if err != nil {
				continue
			}
			found = append(found, Found{e.ClientID, id})
			add = append(add, store.Contact{
				User: user, Contact: id, Phone: phone, FirstName: first, LastName: last,
				Created: now,
			})
		}
		return nil
	})
	if err != nil || len(add) == 0 {
		return found, err
	}
	return found, s.put(ctx, user, add)
}

func (s *Service) put(ctx context.Context, user ids.UserID, add []store.Contact) error {
	return s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		book, err := tx.Contacts(user)
		if err != nil {
			return err
		}
		if len(book)+len(add) > bookMost {
			return chat.Invalid("CONTACTS_TOO_MUCH")
		}
		for _, c := range add {
			if old, err := tx.Contact(user, c.Contact); err == nil {
				c.Flags = old.Flags
			}
			if err := tx.PutContact(c); err != nil {
				return err
			}
			if err := s.noted(tx, user, c.Contact); err != nil {
				return err
			}
		}
		return nil
	})
}

// noted tells the user's other devices that they see somebody otherwise now.
func (s *Service) noted(tx *store.Tx, user, about ids.UserID) error {
	_, err := box.Note(tx, user.Peer(), box.PeerSettings, s.Clock.Now().Unix(),
		box.Entry{Peer: about.Peer()})
	return err
}

// Add puts somebody whom the user has met into his address book.
//
// https://core.telegram.org/method/contacts.addContact
func (s *Service) Add(
	ctx context.Context, user, other ids.UserID, first, last, phone string,
) error {
	if user == other {
		return chat.Invalid("CONTACT_ID_INVALID")
	}
	first, last, err := Name(first, last)
	if err != nil {
		return chat.Invalid("CONTACT_NAME_EMPTY")
	}
	return s.put(ctx, user, []store.Contact{{
		User: user, Contact: other, Phone: Digits(phone), FirstName: first, LastName: last,
		Created: s.Clock.Now().Unix(),
	}})
}

// Delete takes people out of a user's address book.
//
// https://core.telegram.org/method/contacts.deleteContacts
func (s *Service) Delete(ctx context.Context, user ids.UserID, list []ids.UserID) error {
	return s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		for _, other := range list {
			gone, err := tx.DeleteContact(user, other)
			if err != nil {
				return err
			}
			if !gone {
				continue
			}
			if err := s.noted(tx, user, other); err != nil {
				return err
			}
		}
		return nil
	})
}

// SetBlocked blocks or unblocks a peer, and tells the user's devices.
//
// https://core.telegram.org/api/block
func (s *Service) SetBlocked(ctx context.Context, user ids.UserID, peer ids.Peer, on bool) error {
	if peer == user.Peer() {
		return chat.Invalid("CONTACT_ID_INVALID")
	}
	now := s.Clock.Now().Unix()
	return s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		var changed bool
		var err error
		if on {
			changed, err = tx.PutBlock(user, peer, now)
		} else {
			changed, err = tx.DeleteBlock(user, peer)
		}
		if err != nil || !changed {
			return err
		}
		_, err = box.Note(tx, user.Peer(), box.PeerBlocked, now, box.Entry{Peer: peer, On: on})
		return err
	})
}

// SetCloseFriends makes exactly the given contacts close friends.
//
// https://core.telegram.org/method/contacts.editCloseFriends
func (s *Service) SetCloseFriends(ctx context.Context, user ids.UserID, list []ids.UserID) error {
	close := make(map[ids.UserID]bool, len(list))
	for _, id := range list {
		close[id] = true
	}
	return s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		book, err := tx.Contacts(user)
		if err != nil {
			return err
		}
		for _, c := range book {
			if close[c.Contact] == (c.Flags&CloseFriend != 0) {
				continue
			}
			c.Flags ^= CloseFriend
			if err := tx.PutContact(c); err != nil {
				return err
			}
		}
		return nil
	})
}

// Audience returns who should learn that something about a person changed: those in his address
// book and those with whom he has a private chat.
func Audience(r *store.Reader, user ids.UserID) ([]ids.UserID, error) {
	seen := make(map[ids.UserID]bool)
	var out []ids.UserID
	add := func(id ids.UserID) {
		if id != 0 && id != user && !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	book, err := r.Contacts(user)
	if err != nil {
		return nil, err
	}
	for _, c := range book {
		add(c.Contact)
	}
	lines, err := r.Dialogs(user)
	for _, d := range lines {
		add(d.Peer.User())
	}
	return out, err
}
