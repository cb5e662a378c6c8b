package contacts

import (
	"context"
	"testing"

	"github.com/gotd/td/tg"

	"parley/internal/api/chats/roomtest"
	"parley/internal/chat"
	"parley/internal/chat/contact"
	"parley/internal/ids"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

const (
	alice = roomtest.Alice
	bob   = roomtest.Bob
	carol = roomtest.Carol
)

func newWorld(t *testing.T) (*roomtest.World, *Handlers) {
	t.Helper()
	s, err := store.Open(context.Background(), store.Options{
		URL: storetest.SQLiteURL(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w := roomtest.New(t, s)
	for phone, who := range map[string]ids.UserID{"491": alice, "492": bob, "493": carol} {
		w.Update(0, func(tx *store.Tx) error { return tx.TakePhone(phone, who) })
		w.Update(who.Peer(), func(tx *store.Tx) error {
			u, err := tx.User(who)
			u.Phone = phone
			if err != nil {
				return err
			}
			return tx.PutUser(u)
		})
	}
	return w, &Handlers{Desk: w.Desk, Contact: &contact.Service{Store: s, Clock: w.Clock}}
}

// TestImportFindsWhoLetsHimself: numbers lead to those who let themselves be found, and to nobody's
// own account.
func TestImportFindsWhoLetsHimself(t *testing.T) {
	w, h := newWorld(t)
	w.Update(carol.Peer(), func(tx *store.Tx) error {
		return contact.SetRule(tx, carol, contact.FindPhone, contact.Rule{At: contact.Contacts}, 1)
	})
	out, err := h.importContacts(w.Call(alice), &tg.ContactsImportContactsRequest{
		Contacts: []tg.InputPhoneContact{
			{ClientID: 1, Phone: "+491", FirstName: "Me"},
			{ClientID: 2, Phone: "+49 2", FirstName: "B"},
			{ClientID: 3, Phone: "+493", FirstName: "C"},
			{ClientID: 4, Phone: "+494", FirstName: "D"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Imported) != 1 || out.Imported[0].UserID != int64(bob) || len(out.Users) != 1 {
		t.Errorf("found %+v", out.Imported)
	}
	for phone, want := range map[string]error{
		"492": nil,
		"493": chat.Invalid("PHONE_NOT_OCCUPIED"),
		"9":   chat.Invalid("PHONE_NOT_OCCUPIED"),
	} {
		_, err := h.resolvePhone(w.Call(alice), &tg.ContactsResolvePhoneRequest{Phone: phone})
		w.Refused("the number "+phone, err, want)
	}
}

// TestHostileVectors: long lists are refused before any of their work is done.
func TestHostileVectors(t *testing.T) {
	w, h := newWorld(t)
	_, err := h.deleteContacts(w.Call(alice), &tg.ContactsDeleteContactsRequest{
		ID: make([]tg.InputUserClass, 10_000),
	})
	w.Refused("people", err, chat.Invalid("LIMIT_INVALID"))
	_, err = h.deleteByPhones(w.Call(alice), &tg.ContactsDeleteByPhonesRequest{
		Phones: make([]string, 10_000),
	})
	w.Refused("numbers", err, chat.Invalid("LIMIT_INVALID"))
}
