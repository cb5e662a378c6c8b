// Package users answers the users.* methods: what the caller may know of people.
//
// https://core.telegram.org/methods#working-with-users
package users

import (
	"errors"

	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/desk"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/limit"
	"parley/internal/store"
)

// Handlers answer users.*.
type Handlers struct {
	desk.Desk
}

// Methods are the rows of the namespace.
func (h *Handlers) Methods() []api.Method {
	return []api.Method{
		api.On(api.User, api.Read, h.getUsers),
		api.On(api.User, api.Read, h.getFullUser),
		api.On(api.User, api.Read, h.getRequirementsToContact),
	}
}

// getUsers returns people; those that the caller has not met come back empty.
//
// https://core.telegram.org/method/users.getUsers
func (h *Handlers) getUsers(
	c *api.Call, req *tg.UsersGetUsersRequest,
) (*tg.UserClassVector, error) {
	if len(req.ID) > limit.HistoryPage {
		return nil, chat.Invalid("LIMIT_INVALID")
	}
	out := &tg.UserClassVector{Elems: make([]tg.UserClass, 0, len(req.ID))}
	err := h.View(c, func(r *store.Reader, v *view.View) error {
		for _, in := range req.ID {
			id, err := h.Resolver(c).User(r, c.Self, in)
			var refusal chat.Refusal
			switch {
			case errors.As(err, &refusal):
				out.Elems = append(out.Elems, &tg.UserEmpty{ID: named(in)})
			case err != nil:
				return err
			default:
				out.Elems = append(out.Elems, v.User(id))
			}
		}
		return nil
	})
	return out, err
}

// named is the id that an address has in it.
func named(in tg.InputUserClass) int64 {
	switch u := in.(type) {
	case *tg.InputUser:
		return u.UserID
	case *tg.InputUserFromMessage:
		return u.UserID
	default:
		return 0
	}
}

// getFullUser returns all that the caller may know of a person.
//
// https://core.telegram.org/method/users.getFullUser
func (h *Handlers) getFullUser(
	c *api.Call, req *tg.UsersGetFullUserRequest,
) (*tg.UsersUserFull, error) {
	user, err := h.User(c, req.ID)
	if err != nil {
		return nil, err
	}
	out := &tg.UsersUserFull{}
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		out.FullUser = v.FullUser(user)
		v.User(c.Self)
		out.Users, out.Chats = v.Users(), v.Chats()
		return nil
	})
	return out, err
}

// getRequirementsToContact tells what it takes to write to people: nothing, here.
//
// https://core.telegram.org/method/users.getRequirementsToContact
func (h *Handlers) getRequirementsToContact(
	c *api.Call, req *tg.UsersGetRequirementsToContactRequest,
) (*tg.RequirementToContactClassVector, error) {
	list, err := h.Users(c, req.ID)
	if err != nil {
		return nil, err
	}
	out := &tg.RequirementToContactClassVector{}
	for range list {
		out.Elems = append(out.Elems, &tg.RequirementToContactEmpty{})
	}
	return out, nil
}
