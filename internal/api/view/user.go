package view

import (
	"github.com/gotd/td/tg"

	"parley/internal/chat/contact"
	"parley/internal/ids"
	"parley/internal/store"
)

// User notes that an answer refers to a person and returns him as the viewer sees him.
func (v *View) User(id ids.UserID) tg.UserClass {
	if u, ok := v.users[id]; ok {
		return u
	}
	row, err := v.r.User(id)
	if v.fail(err) {
		return &tg.UserEmpty{ID: int64(id)}
	}
	row, verdict := v.shownUser(row)
	var u *tg.User
	if v.shared() {
		u = v.minUser(row)
	} else {
		u = v.fullUser(row)
	}
	u.Scam, u.Fake, u.Restricted = verdict.Scam, verdict.Fake, verdict.Hidden()
	u.RestrictionReason = reasons(verdict)
	u.SetFlags()
	v.users[id] = u
	v.userOrder = append(v.userOrder, id)
	return u
}

// minUser is what everybody sees alike.
func (v *View) minUser(row store.User) *tg.User {
	u := v.bareUser(row)
	u.Min = true
	return u
}

// bareUser is what does not depend on who looks, but for the access hash.
func (v *View) bareUser(row store.User) *tg.User {
	u := &tg.User{
		ID:        int64(row.ID),
		Deleted:   row.Flags.Has(store.UserDeleted),
		Bot:       row.Flags.Has(store.UserBot),
		Verified:  row.Flags.Has(store.UserService),
		FirstName: row.FirstName,
		LastName:  row.LastName,
		Username:  row.Username,
	}
	u.SetAccessHash(v.hash(row.ID.Peer()))
	if u.Bot {
		u.BotInfoVersion = 1
	}
	return u
}

func (v *View) fullUser(row store.User) *tg.User {
	u := v.bareUser(row)
	if u.Deleted {
		return u
	}
	if row.ID == v.viewer {
		u.Self, u.Contact, u.MutualContact = true, true, true
		u.Phone = row.Phone
		u.Status = v.statusOf(row)
		u.Photo = v.userPhoto(row)
		return u
	}
	v.relate(u, row)
	if row.Phone != "" && v.sees(row.ID, contact.Phone) {
		u.Phone = row.Phone
	}
	if row.Flags.Has(store.UserService) || u.Bot {
		u.Photo = v.userPhoto(row)
		return u
	}
	u.Status = v.statusOf(row)
	if row.PhotoID != 0 && v.sees(row.ID, contact.Photo) {
		u.Photo = v.userPhoto(row)
	}
	return u
}

// relate sets what follows from the viewer's address book: the name under which he keeps a contact
// and whether it is mutual.
func (v *View) relate(u *tg.User, row store.User) {
	c, err := v.r.Contact(v.viewer, row.ID)
	if v.fail(err) {
		return
	}
	u.Contact = true
	u.CloseFriend = c.Flags&1 != 0
	u.FirstName, u.LastName = c.FirstName, c.LastName
	if c.Phone != "" {
		u.Phone = c.Phone
	}
	if _, err := v.r.Contact(row.ID, v.viewer); !v.fail(err) {
		u.MutualContact = true
	}
}

func (v *View) sees(user ids.UserID, what contact.Topic) bool {
	ok, err := contact.Allows(v.r, v.viewer, user, what)
	return !v.fail(err) && ok
}

// tells tells whether the viewer lets somebody see when he was online himself: who does not, does
// not see it of that person.
//
// https://core.telegram.org/constructor/inputPrivacyKeyStatusTimestamp
func (v *View) tells(user ids.UserID) bool {
	if v.status == nil {
		rule, err := contact.RuleOf(v.r, v.viewer, contact.Status)
		if v.fail(err) {
			return false
		}
		v.status = &rule
	}
	if v.status.Open() {
		return true
	}
	ok, err := contact.Allows(v.r, user, v.viewer, contact.Status)
	return !v.fail(err) && ok
}

// Seconds after which somebody was not here recently any more.
//
// https://core.telegram.org/constructor/userStatusRecently
const (
	recently  = 3 * 86400
	lastWeek  = 7 * 86400
	lastMonth = 30 * 86400
)

// statusOf is when somebody was last online: the time for those who may see it, else a rough class.
func (v *View) statusOf(row store.User) tg.UserStatusClass {
	exact := row.ID == v.viewer || v.sees(row.ID, contact.Status)
	mine := exact && row.ID != v.viewer && !v.tells(row.ID)
	exact = exact && !mine
	if until := v.env.Online(row.ID); exact && until > v.now {
		return &tg.UserStatusOnline{Expires: int(until)}
	}
	if exact && row.Seen != 0 {
		return &tg.UserStatusOffline{WasOnline: int(row.Seen)}
	}
	switch ago := v.now - row.Seen; {
	case row.Seen == 0:
		return &tg.UserStatusEmpty{}
	case ago < recently:
		return &tg.UserStatusRecently{ByMe: mine}
	case ago < lastWeek:
		return &tg.UserStatusLastWeek{ByMe: mine}
	case ago < lastMonth:
		return &tg.UserStatusLastMonth{ByMe: mine}
	default:
		return &tg.UserStatusEmpty{}
	}
}

// Status is the status of a person for the viewer.
func (v *View) Status(id ids.UserID) tg.UserStatusClass {
	row, err := v.r.User(id)
	if v.fail(err) {
		return &tg.UserStatusEmpty{}
	}
	return v.statusOf(row)
}

func (v *View) userPhoto(row store.User) tg.UserProfilePhotoClass {
	if row.PhotoID == 0 {
		return nil
	}
	return &tg.UserProfilePhoto{
		PhotoID:       row.PhotoID,
		StrippedThumb: v.stripped(row.PhotoID),
		DCID:          v.env.DC,
	}
}
