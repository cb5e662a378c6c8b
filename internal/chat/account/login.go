package account

import (
	"context"
	"errors"
	"fmt"

	"parley/internal/chat/box"
	"parley/internal/chat/contact"
	"parley/internal/ids"
	"parley/internal/store"
)

// Login is how far a login has come.
type Login struct {
	// User is whom the device now acts for, 0 when SignUp is set.
	User ids.UserID
	// SignUp says that the number has no account and that one may be made with SignUp.
	SignUp bool
}

// SignIn logs the caller's device in with a code that was sent or printed. It answers
// ErrPasswordNeeded when the account has a cloud password too.
//
// https://core.telegram.org/method/auth.signIn
func (s *Service) SignIn(
	ctx context.Context, c Caller, written, hash, code string,
) (Login, error) {
	phone, err := Phone(written)
	if err != nil {
		return Login{}, err
	}
	if c.user() != 0 {
		return s.again(ctx, c, phone)
	}
	switch {
	case code == "":
		return Login{}, ErrCodeEmpty
	case hash == "":
		return Login{}, ErrHashEmpty
	}
	if err := s.takes(ctx, phone, false); err != nil {
		return Login{}, err
	}
	row, err := s.guess(ctx, hash, c.Key.ID, phone, forLogin, code)
	invitation := false
	if errors.Is(err, ErrCodeInvalid) {
		invitation, err = s.printed(ctx, phone, code)
	}
	if err != nil {
		return Login{}, err
	}
	to, err := s.owner(ctx, phone)
	if err != nil {
		return Login{}, err
	}
	if to.user != 0 {
		if err := s.forget(ctx, hash); err != nil {
			return Login{}, err
		}
		return s.enter(ctx, c, to.user)
	}
	if !s.mayJoin(phone, invitation) {
		if err := s.forget(ctx, hash); err != nil {
			return Login{}, err
		}
		return Login{}, ErrUnoccupied
	}
	if err := s.takes(ctx, phone, true); err != nil {
		return Login{}, errors.Join(err, s.forget(ctx, hash))
	}
	row.Code, row.Created = code, s.now()
	row.Flags |= codeRight
	err = s.counter(ctx, func(tx *store.Tx) error { return tx.PutLoginCode(row) })
	if err != nil {
		return Login{}, fmt.Errorf("account: code: %w", err)
	}
	return Login{SignUp: true}, nil
}

// again answers a device that is logged in already: a repeated request whose first answer was lost.
func (s *Service) again(ctx context.Context, c Caller, phone string) (Login, error) {
	to, err := s.owner(ctx, phone)
	if err != nil {
		return Login{}, err
	}
	if to.user != c.user() {
		return Login{}, errRestart
	}
	return Login{User: to.user}, nil
}

// printed tells whether a code was not sent but handed over, by an invitation or by the operator.
// It answers ErrCodeInvalid when it was not.
func (s *Service) printed(ctx context.Context, phone, code string) (invitation bool, err error) {
	if anonymous(phone) {
		if ok, err := s.invited(ctx, phone, code); ok || err != nil {
			return ok, err
		}
	}
	if ok, err := s.takeIssued(ctx, phone, code); ok || err != nil {
		return false, err
	}
	return false, ErrCodeInvalid
}

// mayJoin tells whether an account may be made for a number.
func (s *Service) mayJoin(phone string, invitation bool) bool {
	switch {
	case s.Mode == Closed:
		return false
	case anonymous(phone):
		return invitation
	default:
		return s.Mode == Open
	}
}

// SignUp makes an account for a number whose code was right, and logs the caller's device in.
//
// https://core.telegram.org/method/auth.signUp
func (s *Service) SignUp(
	ctx context.Context, c Caller, written, hash, first, last string,
) (Login, error) {
	phone, err := Phone(written)
	if err != nil {
		return Login{}, err
	}
	if c.user() != 0 {
		return s.again(ctx, c, phone)
	}
	if first, last, err = contact.Name(first, last); err != nil {
		return Login{}, err
	}
	row, err := s.codeOf(ctx, c, phone, hash)
	if err != nil {
		return Login{}, err
	}
	if row.Flags&codeRight == 0 || purposeOf(row) != forLogin {
		return Login{}, ErrCodeInvalid
	}
	if err := s.takes(ctx, phone, true); err != nil {
		return Login{}, err
	}
	number := phone
	if anonymous(phone) {
		if number, err = s.redeem(ctx, phone, row.Code); err != nil {
			return Login{}, err
		}
	}
	user, err := s.create(ctx, number, first, last, c.lang())
	if err != nil {
		return Login{}, err
	}
	if err := s.forget(ctx, hash); err != nil {
		return Login{}, err
	}
	login, err := s.enter(ctx, c, user)
	if err == nil && anonymous(number) {
		s.notify(ctx, user, textNumber, number)
	}
	return login, err
}

// CreateAccount makes an account for the operator: for a number, or for an anonymous one when
// written is empty. It returns the number. Whoever it is for logs in with a code from IssueCode.
func (s *Service) CreateAccount(
	ctx context.Context, written, first, last string,
) (user ids.UserID, phone string, err error) {
	if written == "" {
		phone, err = s.anonymousNumber(ctx)
	} else {
		phone, err = Phone(written)
	}
	if err != nil {
		return 0, "", err
	}
	if first, last, err = contact.Name(first, last); err != nil {
		return 0, "", err
	}
	user, err = s.create(ctx, phone, first, last, "")
	return user, phone, err
}

// enter lets a device with a right code in, or on to the cloud password.
func (s *Service) enter(ctx context.Context, c Caller, user ids.UserID) (Login, error) {
	var locked bool
	err := s.Store.View(ctx, func(r *store.Reader) error {
		p, err := passwordOf(r, user)
		locked = p.set()
		return err
	})
	if err != nil {
		return Login{}, fmt.Errorf("account: log in: %w", err)
	}
	if !locked {
		return Login{User: user}, s.authorize(ctx, c, user, unconfirmed)
	}
	if err := s.authorize(ctx, c, user, owesPassword); err != nil {
		return Login{}, err
	}
	return Login{}, ErrPasswordNeeded
}

// authorize puts a device on the account's list and then lets its key act for the account; with
// owesPassword the key may do no more than prove the password. The account's other devices hear of
// it.
func (s *Service) authorize(ctx context.Context, c Caller, user ids.UserID, flags int64) error {
	hash, err := s.number()
	if err != nil {
		return err
	}
	now := s.now()
	a := store.Authorization{
		User: user, KeyID: c.Key.ID, Hash: hash, Created: now, Active: now, APIID: c.Key.APIID,
		Device: c.Key.Device, System: c.Key.System, App: c.Key.App, IP: c.IP, Flags: flags,
	}
	var others []store.Authorization
	err = s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) (err error) {
		others, err = s.enlist(tx, a, c.lang())
		return err
	})
	if err != nil {
		return fmt.Errorf("account: log in: %w", err)
	}
	state := store.KeyAuthorized
	if flags&owesPassword != 0 {
		state = store.KeyPassword
	}
	if err := s.grant(ctx, user, c.Key.ID, state); err != nil {
		return err
	}
	if len(others) > 0 {
		t := textLogin
		if flags&owesPassword != 0 {
			t = textAttempt
		}
		s.notify(ctx, user, t, label(a), s.Clock.Now().UTC().Format(timeLayout))
	}
	return s.thin(ctx, others)
}

// timeLayout is how messages of the service account write a time.
const timeLayout = "2006-01-02 15:04 MST"

// label names a device for its owner.
func label(a store.Authorization) string {
	name := a.Device
	if a.App != "" {
		name += ", " + a.App
	}
	if a.IP != "" {
		name += " (" + a.IP + ")"
	}
	return name
}

// enlist puts a device on the list and tells the account's other devices, which it returns: those
// that do not owe the password, the one that was used last first.
func (s *Service) enlist(
	tx *store.Tx, a store.Authorization, lang string,
) ([]store.Authorization, error) {
	u, err := tx.User(a.User)
	if errors.Is(err, store.ErrNotFound) || err == nil && u.Flags.Has(store.UserDeleted) {
		return nil, ErrUnoccupied
	}
	if err != nil {
		return nil, err
	}
	if u.Flags.Has(store.UserTerminated) {
		return nil, ErrBanned
	}
	list, err := tx.Authorizations(a.User)
	if err != nil {
		return nil, err
	}
	var others []store.Authorization
	for _, o := range list {
		if o.KeyID != a.KeyID && proven(o) && o.Parent == 0 {
			others = append(others, o)
		}
	}
	if len(others) == 0 {
		a.Flags &^= unconfirmed
	}
	if err := tx.DeleteAuthorization(a.User, a.KeyID); err != nil {
		return nil, err
	}
	if err := tx.PutAuthorization(a); err != nil {
		return nil, err
	}
	if u.Lang == "" && lang != "" {
		u.Lang = lang
		if err := tx.PutUser(u); err != nil {
			return nil, err
		}
	}
	if len(others) == 0 || a.Flags&owesPassword != 0 {
		return others, nil
	}
	_, err = box.Note(tx, a.User.Peer(), box.NewAuthorization, s.now(), box.Entry{
		User: a.User, ID: a.Hash, N: s.now(), On: a.Flags&unconfirmed != 0, Text: a.Device,
	})
	return others, err
}
