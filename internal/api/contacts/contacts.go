// Package contacts answers the contacts.* methods: address books, blocks, and finding people and
// public chats by name, number or words.
//
// https://core.telegram.org/methods#working-with-contacts
package contacts

import (
	"errors"
	"slices"
	"strings"

	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/desk"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/contact"
	"parley/internal/chat/search/terms"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// Handlers answer contacts.*.
type Handlers struct {
	desk.Desk
	Contact *contact.Service
}

// Methods are the rows of the namespace.
func (h *Handlers) Methods() []api.Method {
	return []api.Method{
		api.On(api.User, api.Read, h.getContacts),
		api.On(api.User, api.Read, h.getContactIDs),
		api.On(api.User, api.Read, h.getStatuses),
		api.On(api.User, api.Costly, h.importContacts),
		api.On(api.User, api.Write, h.addContact),
		api.On(api.User, api.Write, h.acceptContact),
		api.On(api.User, api.Write, h.deleteContacts),
		api.On(api.User, api.Write, h.deleteByPhones),
		api.On(api.User, api.Write, h.editCloseFriends),
		api.On(api.User, api.Write, h.block),
		api.On(api.User, api.Write, h.unblock),
		api.On(api.User, api.Read, h.getBlocked),
		api.On(api.User, api.Costly, h.search).WhenFrozen(true),
		api.On(api.User, api.Costly, h.resolveUsername).WhenFrozen(true),
		api.On(api.User, api.Costly, h.resolvePhone).WhenFrozen(true),
		api.On(api.User, api.Read, h.getTopPeers),
	}
}

// listHash is the hash by which clients tell whether a list has changed.
//
// https://core.telegram.org/api/offsets#hash-generation
func listHash(list []int64) int64 {
	var hash uint64
	for _, n := range list {
		hash ^= hash >> 21
		hash ^= hash << 35
		hash ^= hash >> 4
		hash += uint64(n)
	}
	return int64(hash)
}

// getContacts returns the caller's address book.
//
// https://core.telegram.org/method/contacts.getContacts
func (h *Handlers) getContacts(
	c *api.Call, req *tg.ContactsGetContactsRequest,
) (out tg.ContactsContactsClass, err error) {
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		book, err := r.Contacts(c.Self)
		if err != nil {
			return err
		}
		hashed := []int64{int64(len(book))}
		list := &tg.ContactsContacts{SavedCount: len(book)}
		for _, x := range book {
			u, _ := v.User(x.Contact).(*tg.User)
			hashed = append(hashed, int64(x.Contact))
			list.Contacts = append(list.Contacts, tg.Contact{
				UserID: int64(x.Contact), Mutual: u != nil && u.MutualContact,
			})
		}
		list.Users = v.Users()
		out = list
		if req.Hash != 0 && req.Hash == listHash(hashed) {
			out = &tg.ContactsContactsNotModified{}
		}
		return nil
	})
	return out, err
}

// getContactIDs returns who is in the caller's address book.
//
// https://core.telegram.org/method/contacts.getContactIDs
func (h *Handlers) getContactIDs(
	c *api.Call, _ *tg.ContactsGetContactIDsRequest,
) (*tg.IntVector, error) {
	out := &tg.IntVector{}
	err := h.View(c, func(r *store.Reader, _ *view.View) error {
		book, err := r.Contacts(c.Self)
		for _, x := range book {
			out.Elems = append(out.Elems, int(x.Contact))
		}
		return err
	})
	return out, err
}

// getStatuses returns when the people in the caller's address book were last online.
//
// https://core.telegram.org/method/contacts.getStatuses
func (h *Handlers) getStatuses(
	c *api.Call, _ *tg.ContactsGetStatusesRequest,
) (*tg.ContactStatusVector, error) {
	out := &tg.ContactStatusVector{}
	err := h.View(c, func(r *store.Reader, v *view.View) error {
		book, err := r.Contacts(c.Self)
		for _, x := range book {
			out.Elems = append(out.Elems, tg.ContactStatus{
				UserID: int64(x.Contact), Status: v.Status(x.Contact),
			})
		}
		return err
	})
	return out, err
}

// importContacts looks numbers up and adds those who have accounts.
//
// https://core.telegram.org/method/contacts.importContacts
func (h *Handlers) importContacts(
	c *api.Call, req *tg.ContactsImportContactsRequest,
) (*tg.ContactsImportedContacts, error) {
	list := make([]contact.Entry, 0, len(req.Contacts))
	for _, x := range req.Contacts {
		list = append(list, contact.Entry{
			ClientID: x.ClientID, Phone: x.Phone, First: x.FirstName, Last: x.LastName,
		})
	}
	found, err := h.Contact.Import(c.Context, c.Self, list)
	if err != nil {
		return nil, err
	}
	out := &tg.ContactsImportedContacts{}
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		for _, f := range found {
			v.User(f.User)
			out.Imported = append(out.Imported, tg.ImportedContact{
				UserID: int64(f.User), ClientID: f.ClientID,
			})
		}
		out.Users = v.Users()
		return nil
	})
	return out, err
}

// changed answers that the caller sees people otherwise now.
func (h *Handlers) changed(c *api.Call, list ...ids.UserID) (out tg.UpdatesClass, err error) {
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		var updates []tg.UpdateClass
		for _, id := range list {
			updates = append(updates, &tg.UpdatePeerSettings{
				Peer: v.Peer(id.Peer()), Settings: v.PeerSettings(id),
			})
		}
		out = v.Updates(updates)
		return nil
	})
	return out, err
}

// addContact puts somebody into the caller's address book.
//
// https://core.telegram.org/method/contacts.addContact
func (h *Handlers) addContact(
	c *api.Call, req *tg.ContactsAddContactRequest,
) (tg.UpdatesClass, error) {
	user, err := h.User(c, req.ID)
	if err != nil {
		return nil, err
	}
	err = h.Contact.Add(c.Context, c.Self, user, req.FirstName, req.LastName, req.Phone)
	if err != nil {
		return nil, err
	}
	if req.AddPhonePrivacyException {
		if err := h.showPhone(c, user); err != nil {
			return nil, err
		}
	}
	return h.changed(c, user)
}

// showPhone lets somebody see the caller's number.
func (h *Handlers) showPhone(c *api.Call, to ids.UserID) error {
	return h.Store.Update(c.Context, c.Self.Peer(), func(tx *store.Tx) error {
		rule, err := contact.RuleOf(&tx.Reader, c.Self, contact.Phone)
		if err != nil || slices.Contains(rule.Allow, to) {
			return err
		}
		rule.Allow = append(rule.Allow, to)
		return contact.SetRule(tx, c.Self, contact.Phone, rule, c.Unix())
	})
}

// acceptContact adds somebody who wrote to the caller, and lets him see the caller's number.
//
// https://core.telegram.org/method/contacts.acceptContact
func (h *Handlers) acceptContact(
	c *api.Call, req *tg.ContactsAcceptContactRequest,
) (tg.UpdatesClass, error) {
	user, err := h.User(c, req.ID)
	if err != nil {
		return nil, err
	}
	if err := h.showPhone(c, user); err != nil {
		return nil, err
	}
	return h.changed(c, user)
}

// deleteMost is how many people may be taken out of an address book in one call.
const deleteMost = 1000

// deleteContacts takes people out of the caller's address book.
//
// https://core.telegram.org/method/contacts.deleteContacts
func (h *Handlers) deleteContacts(
	c *api.Call, req *tg.ContactsDeleteContactsRequest,
) (tg.UpdatesClass, error) {
	if len(req.ID) > deleteMost {
		return nil, chat.Invalid("LIMIT_INVALID")
	}
	list, err := h.Users(c, req.ID)
	if err != nil {
		return nil, err
	}
	if err := h.Contact.Delete(c.Context, c.Self, list); err != nil {
		return nil, err
	}
	return h.changed(c, list...)
}

// deleteByPhones takes people out of the caller's address book by their numbers.
//
// https://core.telegram.org/method/contacts.deleteByPhones
func (h *Handlers) deleteByPhones(
	c *api.Call, req *tg.ContactsDeleteByPhonesRequest,
) (*tg.BoolBox, error) {
	if len(req.Phones) > deleteMost {
		return nil, chat.Invalid("LIMIT_INVALID")
	}
	phones := make(map[string]bool, len(req.Phones))
	for _, phone := range req.Phones {
		phones[contact.Digits(phone)] = true
	}
	var list []ids.UserID
	err := h.View(c, func(r *store.Reader, _ *view.View) error {
		book, err := r.Contacts(c.Self)
		for _, x := range book {
			if x.Phone != "" && phones[x.Phone] {
				list = append(list, x.Contact)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return view.True, h.Contact.Delete(c.Context, c.Self, list)
}

// editCloseFriends sets which contacts are close friends.
//
// https://core.telegram.org/method/contacts.editCloseFriends
func (h *Handlers) editCloseFriends(
	c *api.Call, req *tg.ContactsEditCloseFriendsRequest,
) (*tg.BoolBox, error) {
	list := make([]ids.UserID, len(req.ID))
	for i, id := range req.ID {
		list[i] = ids.UserID(id)
	}
	return view.True, h.Contact.SetCloseFriends(c.Context, c.Self, list)
}

// block blocks a peer.
//
// https://core.telegram.org/method/contacts.block
func (h *Handlers) block(c *api.Call, req *tg.ContactsBlockRequest) (*tg.BoolBox, error) {
	return h.setBlocked(c, req.ID, req.MyStoriesFrom, true)
}

// unblock unblocks a peer.
//
// https://core.telegram.org/method/contacts.unblock
func (h *Handlers) unblock(c *api.Call, req *tg.ContactsUnblockRequest) (*tg.BoolBox, error) {
	return h.setBlocked(c, req.ID, req.MyStoriesFrom, false)
}

// setBlocked blocks or unblocks. There are no stories, so they cannot be hidden from anybody.
func (h *Handlers) setBlocked(
	c *api.Call, in tg.InputPeerClass, stories, on bool,
) (*tg.BoolBox, error) {
	if stories {
		return nil, api.ErrMethod
	}
	peer, err := h.Peer(c, in)
	if err != nil {
		return nil, err
	}
	return view.True, h.Contact.SetBlocked(c.Context, c.Self, peer, on)
}

// getBlocked returns whom the caller has blocked.
//
// https://core.telegram.org/method/contacts.getBlocked
func (h *Handlers) getBlocked(
	c *api.Call, req *tg.ContactsGetBlockedRequest,
) (out tg.ContactsBlockedClass, err error) {
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		if req.MyStoriesFrom {
			out = &tg.ContactsBlocked{}
			return nil
		}
		list, total, err := r.Blocks(c.Self, min(max(req.Limit, 1), limit.HistoryPage),
			max(req.Offset, 0))
		if err != nil {
			return err
		}
		blocked := make([]tg.PeerBlocked, 0, len(list))
		for _, b := range list {
			blocked = append(blocked, tg.PeerBlocked{PeerID: v.Peer(b.Peer), Date: int(b.Date)})
		}
		if int(total) > len(blocked) {
			out = &tg.ContactsBlockedSlice{
				Count: int(total), Blocked: blocked, Users: v.Users(), Chats: v.Chats(),
			}
		} else {
			out = &tg.ContactsBlocked{Blocked: blocked, Users: v.Users(), Chats: v.Chats()}
		}
		return nil
	})
	return out, err
}

// resolveUsername finds who has a username.
//
// https://core.telegram.org/method/contacts.resolveUsername
func (h *Handlers) resolveUsername(
	c *api.Call, req *tg.ContactsResolveUsernameRequest,
) (*tg.ContactsResolvedPeer, error) {
	name := strings.ToLower(strings.TrimPrefix(req.Username, "@"))
	return h.resolved(c, func(r *store.Reader) (ids.Peer, error) {
		peer, err := r.PeerByUsername(name)
		if err == nil {
			peer, err = there(r, peer)
		}
		if store.IsNotFound(err) {
			err = chat.Invalid("USERNAME_NOT_OCCUPIED")
		}
		return peer, err
	})
}

// resolvePhone finds who has a number, if he lets himself be found by it.
//
// https://core.telegram.org/method/contacts.resolvePhone
func (h *Handlers) resolvePhone(
	c *api.Call, req *tg.ContactsResolvePhoneRequest,
) (*tg.ContactsResolvedPeer, error) {
	missing := chat.Invalid("PHONE_NOT_OCCUPIED")
	return h.resolved(c, func(r *store.Reader) (ids.Peer, error) {
		user, err := r.UserByPhone(contact.Digits(req.Phone))
		if err == nil {
			_, err = there(r, user.Peer())
		}
		if store.IsNotFound(err) {
			return 0, missing
		}
		if err != nil {
			return 0, err
		}
		ok, err := contact.Allows(r, c.Self, user, contact.FindPhone)
		if err == nil && !ok {
			err = missing
		}
		return user.Peer(), err
	})
}

func (h *Handlers) resolved(
	c *api.Call, find func(*store.Reader) (ids.Peer, error),
) (*tg.ContactsResolvedPeer, error) {
	out := &tg.ContactsResolvedPeer{}
	err := h.View(c, func(r *store.Reader, v *view.View) error {
		peer, err := find(r)
		if err != nil {
			return err
		}
		out.Peer = v.Peer(peer)
		out.Users, out.Chats = v.Users(), v.Chats()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// searchShortest is the shortest query that is looked for beyond the caller's own chats.
const searchShortest = 3

// search finds people and public chats by words of their names.
//
// https://core.telegram.org/method/contacts.search
func (h *Handlers) search(
	c *api.Call, req *tg.ContactsSearchRequest,
) (*tg.ContactsFound, error) {
	query := strings.TrimPrefix(strings.TrimSpace(req.Q), "@")
	if query == "" {
		return nil, chat.Invalid("QUERY_TOO_SHORT")
	}
	most := min(max(req.Limit, 1), 50)
	out := &tg.ContactsFound{}
	err := h.View(c, func(r *store.Reader, v *view.View) error {
		found, err := candidates(r, query, most)
		if err != nil {
			return err
		}
		for _, peer := range found {
			if _, err := there(r, peer); err != nil {
				if store.IsNotFound(err) || errors.Is(err, chat.ErrChannelPrivate) {
					continue
				}
				return err
			}
			mine, err := h.mine(r, c.Self, peer)
			if err != nil {
				return err
			}
			switch {
			case mine:
				out.MyResults = append(out.MyResults, v.Peer(peer))
			case len([]rune(query)) < searchShortest || len(out.Results) >= most:
			default:
				if v.FindablePeer(peer) {
					out.Results = append(out.Results, v.Peer(peer))
				}
			}
		}
		out.Users, out.Chats = v.Users(), v.Chats()
		return nil
	})
	return out, err
}

// candidates returns peers whose username or name begins with the query's words.
func candidates(r *store.Reader, query string, most int) ([]ids.Peer, error) {
	out, err := r.PeersByUsernamePrefix(strings.ToLower(query), most)
	if err != nil {
		return nil, err
	}
	for _, group := range terms.Query(query) {
		for _, term := range group {
			more, err := r.PeersByNameTerm(term, most)
			if err != nil {
				return nil, err
			}
			for _, p := range more {
				if !slices.Contains(out, p) {
					out = append(out, p)
				}
			}
		}
	}
	return out, nil
}

// mine tells whether a peer is in the caller's address book or chat list.
func (h *Handlers) mine(r *store.Reader, self ids.UserID, peer ids.Peer) (bool, error) {
	if peer.Kind() == ids.User {
		_, err := r.Contact(self, peer.User())
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return false, err
		}
	}
	d, err := r.Dialog(self, peer)
	if store.IsNotFound(err) {
		return false, nil
	}
	return err == nil && !d.Flags.Has(store.Hidden), err
}

// there returns a peer unless the service has ended it: store.ErrNotFound for an account,
// ErrChannelPrivate for a chat.
func there(r *store.Reader, peer ids.Peer) (ids.Peer, error) {
	if peer.Kind() == ids.User {
		u, err := r.User(peer.User())
		if err == nil && u.Flags.Has(store.UserTerminated) {
			err = store.ErrNotFound
		}
		return peer, err
	}
	row, err := r.Chat(peer)
	if err == nil && row.Flags.Has(store.ChatTerminated) {
		err = chat.ErrChannelPrivate
	}
	return peer, err
}

// getTopPeers would return whom the caller writes to most; that is not counted here.
//
// https://core.telegram.org/method/contacts.getTopPeers
func (h *Handlers) getTopPeers(
	*api.Call, *tg.ContactsGetTopPeersRequest,
) (*tg.ContactsTopPeersDisabled, error) {
	return &tg.ContactsTopPeersDisabled{}, nil
}
