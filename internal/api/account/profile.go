package account

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/desk"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/chat/contact"
	"parley/internal/chat/presence"
	"parley/internal/chat/search/terms"
	"parley/internal/chat/username"
	"parley/internal/ids"
	"parley/internal/store"
)

// Profile answers the account.* methods about what others see of the caller.
type Profile struct {
	desk.Desk
	Presence *presence.Tracker
	// Names are the usernames that people may have.
	Names username.Rules
	// Changed tells those who may see it that something about a person changed.
	Changed func(ctx context.Context, user ids.UserID) error
}

// Methods are the rows of this part of the namespace.
func (h *Profile) Methods() []api.Method {
	return []api.Method{
		api.On(api.User, api.Write, h.updateProfile),
		api.On(api.User, api.Costly, h.checkUsername),
		api.On(api.User, api.Write, h.updateUsername),
		api.On(api.User, api.Read, h.updateStatus),
		api.On(api.User, api.Read, h.getPrivacy),
		api.On(api.User, api.Write, h.setPrivacy),
		api.On(api.User, api.Read, h.getGlobalPrivacySettings),
		api.On(api.User, api.Read, h.getContentSettings),
		api.On(api.User, api.Write, h.setContentSettings),
		api.On(api.User, api.Read, h.getNotifySettings),
		api.On(api.User, api.Write, h.updateNotifySettings),
		api.On(api.User, api.Write, h.resetNotifySettings),
		api.On(api.User, api.Read, h.getNotifyExceptions),
		api.On(api.User, api.Read, h.getContactSignUpNotification),
	}
}

// aboutRunes is the longest description of a person, in characters.
const aboutRunes = 70

// updateProfile changes the caller's name and description.
//
// https://core.telegram.org/method/account.updateProfile
func (h *Profile) updateProfile(
	c *api.Call, req *tg.AccountUpdateProfileRequest,
) (out tg.UserClass, err error) {
	if about, ok := req.GetAbout(); ok && utf8.RuneCountInString(about) > aboutRunes {
		return nil, chat.Invalid("ABOUT_TOO_LONG")
	}
	var before, after store.User
	err = h.Store.Update(c.Context, c.Self.Peer(), func(tx *store.Tx) error {
		u, err := tx.User(c.Self)
		if err != nil {
			return err
		}
		before = u
		if first, ok := req.GetFirstName(); ok {
			u.FirstName = first
		}
		if last, ok := req.GetLastName(); ok {
			u.LastName = last
		}
		if about, ok := req.GetAbout(); ok {
			u.About = strings.TrimSpace(about)
		}
		if u.FirstName, u.LastName, err = contact.Name(u.FirstName, u.LastName); err != nil {
			return err
		}
		after = u
		return h.keep(c, tx, u)
	})
	if err != nil {
		return nil, err
	}
	if err := h.retermed(c, before, after); err != nil {
		return nil, err
	}
	if err := h.Changed(c.Context, c.Self); err != nil {
		return nil, err
	}
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		out = v.User(c.Self)
		return nil
	})
	return out, err
}

// keep writes the caller's row and tells his devices.
func (h *Profile) keep(c *api.Call, tx *store.Tx, u store.User) error {
	if err := tx.PutUser(u); err != nil {
		return err
	}
	_, err := box.Note(tx, c.Self.Peer(), box.UserName, c.Unix(), box.Entry{User: c.Self})
	return err
}

// retermed lets people with a username be found by their new name, and no longer by the old one.
func (h *Profile) retermed(c *api.Call, before, after store.User) error {
	words := func(u store.User) []string {
		if u.Username == "" {
			return nil
		}
		return terms.Index(u.FirstName + " " + u.LastName)
	}
	for _, t := range words(before) {
		if err := h.Store.Update(c.Context, 0, func(tx *store.Tx) error {
			return tx.DropNameTerm(t, c.Self.Peer())
		}); err != nil {
			return err
		}
	}
	for _, t := range words(after) {
		if err := h.Store.Update(c.Context, 0, func(tx *store.Tx) error {
			return tx.AddNameTerm(t, c.Self.Peer())
		}); err != nil {
			return err
		}
	}
	return nil
}

// checkUsername tells whether the caller could take a username.
//
// https://core.telegram.org/method/account.checkUsername
func (h *Profile) checkUsername(
	c *api.Call, req *tg.AccountCheckUsernameRequest,
) (*tg.BoolBox, error) {
	switch err := h.Names.Check(req.Username); {
	case errors.Is(err, chat.ErrUsernameOccupied):
		return view.False, nil
	case err != nil:
		return nil, err
	}
	out := view.True
	err := h.View(c, func(r *store.Reader, _ *view.View) error {
		peer, err := r.PeerByUsername(strings.ToLower(req.Username))
		if store.IsNotFound(err) {
			return nil
		}
		if err == nil && peer != c.Self.Peer() {
			out = view.False
		}
		return err
	})
	return out, err
}

// updateUsername gives the caller another username, or none. The name is taken first: whatever
// happens after that, no two peers have it.
//
// https://core.telegram.org/method/account.updateUsername
func (h *Profile) updateUsername(
	c *api.Call, req *tg.AccountUpdateUsernameRequest,
) (out tg.UserClass, err error) {
	if req.Username != "" {
		if err := h.Names.Check(req.Username); err != nil {
			return nil, err
		}
	}
	self := c.Self.Peer()
	if err := h.take(c, req.Username); err != nil {
		return nil, err
	}
	var before, after store.User
	err = h.Store.Update(c.Context, self, func(tx *store.Tx) error {
		u, err := tx.User(c.Self)
		if err != nil {
			return err
		}
		if u.Username == req.Username {
			return chat.Invalid("USERNAME_NOT_MODIFIED")
		}
		before = u
		u.Username = req.Username
		after = u
		return h.keep(c, tx, u)
	})
	if err != nil {
		return nil, err
	}
	old := strings.ToLower(before.Username)
	if old != "" && old != strings.ToLower(after.Username) {
		if err := h.Store.Update(c.Context, 0, func(tx *store.Tx) error {
			return tx.FreeUsername(old, self)
		}); err != nil {
			return nil, err
		}
	}
	if err := h.retermed(c, before, after); err != nil {
		return nil, err
	}
	if err := h.Changed(c.Context, c.Self); err != nil {
		return nil, err
	}
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		out = v.User(c.Self)
		return nil
	})
	return out, err
}

// take reserves a username for the caller.
func (h *Profile) take(c *api.Call, name string) error {
	if name == "" {
		return nil
	}
	folded := strings.ToLower(name)
	return h.Store.Update(c.Context, 0, func(tx *store.Tx) error {
		peer, err := tx.PeerByUsername(folded)
		switch {
		case store.IsNotFound(err):
			return tx.TakeUsername(folded, c.Self.Peer())
		case err != nil:
			return err
		case peer != c.Self.Peer():
			return chat.ErrUsernameOccupied
		}
		return nil
	})
}

// updateStatus says whether the caller is online.
//
// https://core.telegram.org/method/account.updateStatus
func (h *Profile) updateStatus(
	c *api.Call, req *tg.AccountUpdateStatusRequest,
) (*tg.BoolBox, error) {
	return view.True, h.Presence.Set(c.Context, c.Self, !req.Offline)
}

// getContactSignUpNotification tells that the caller does not hear of contacts who join: numbers
// that have no account are kept in nobody's address book.
//
// https://core.telegram.org/method/account.getContactSignUpNotification
func (h *Profile) getContactSignUpNotification(
	*api.Call, *tg.AccountGetContactSignUpNotificationRequest,
) (*tg.BoolBox, error) {
	return view.True, nil
}
