// Package account answers the account.* methods: Security those about who may act for the caller's
// account, Profile those about what others see of him and what he is told. The rules are made in
// chat/account and chat/contact.
//
// https://core.telegram.org/api/account
package account

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/auth"
	"parley/internal/api/desk"
	"parley/internal/api/view"
	"parley/internal/chat/account"
	"parley/internal/chat/account/srp"
)

// Security answers the account.* methods about who may act for the caller's account: password,
// devices, number, and its end.
type Security struct {
	desk.Desk
	Account *account.Service
}

// Methods are the rows of this part of the namespace.
func (h *Security) Methods() []api.Method {
	return []api.Method{
		api.On(api.Password, api.Login, h.getPassword),
		api.On(api.User, api.Login, h.getPasswordSettings),
		api.On(api.User, api.Login, h.updatePasswordSettings),
		api.On(api.User, api.Login, h.confirmPasswordEmail),
		api.On(api.User, api.Login, h.resendPasswordEmail),
		api.On(api.User, api.Login, h.cancelPasswordEmail),
		api.On(api.User, api.Login, h.resetPassword),
		api.On(api.User, api.Login, h.declinePasswordReset),
		api.On(api.User, api.Read, h.getAuthorizations),
		api.On(api.User, api.Login, h.resetAuthorization),
		api.On(api.User, api.Write, h.setAuthorizationTTL),
		api.On(api.User, api.Write, h.changeAuthorizationSettings).WhenFrozen(true),
		api.On(api.User, api.Read, h.getAccountTTL),
		api.On(api.User, api.Write, h.setAccountTTL),
		api.On(api.Password, api.Login, h.deleteAccount),
		api.On(api.User, api.Login, h.sendChangePhoneCode).WhenFrozen(false),
		api.On(api.User, api.Login, h.changePhone).WhenFrozen(false),
		api.On(api.User, api.Write, h.registerDevice).WhenFrozen(true),
		api.On(api.User, api.Write, h.unregisterDevice).WhenFrozen(true),
	}
}

// algorithm is how clients hash a password with some salts.
//
// https://core.telegram.org/api/srp
func algorithm(s account.PasswordState, salts srp.Algo) tg.PasswordKdfAlgoClass {
	return &tg.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow{
		Salt1: salts.Salt1, Salt2: salts.Salt2, G: s.Generator, P: s.Prime[:],
	}
}

// getPassword says what a client must know to prove or set a password. Its second part is about
// documents of the owner, which are not kept here; clients want it all the same.
func (h *Security) getPassword(
	c *api.Call, _ *tg.AccountGetPasswordRequest,
) (*tg.AccountPassword, error) {
	s, err := h.Account.PasswordState(c.Context, auth.Caller(c))
	if err != nil {
		return nil, err
	}
	out := &tg.AccountPassword{
		HasRecovery:   s.Recovery,
		HasPassword:   s.Set,
		NewAlgo:       algorithm(s, s.Next),
		NewSecureAlgo: &tg.SecurePasswordKdfAlgoUnknown{},
		SecureRandom:  s.SecureRandom,
	}
	if s.Set {
		out.SetCurrentAlgo(algorithm(s, s.Current))
		out.SetSRPB(s.Challenge.B[:])
		out.SetSRPID(s.Challenge.ID)
		if s.Hint != "" {
			out.SetHint(s.Hint)
		}
	}
	if s.Unconfirmed != "" {
		out.SetEmailUnconfirmedPattern(s.Unconfirmed)
	}
	if s.ResetAt != 0 {
		out.SetPendingResetDate(int(s.ResetAt))
	}
	out.SetFlags()
	return out, nil
}

func (h *Security) getPasswordSettings(
	c *api.Call, req *tg.AccountGetPasswordSettingsRequest,
) (*tg.AccountPasswordSettings, error) {
	email, err := h.Account.RecoveryAddress(c.Context, auth.Caller(c), auth.Proof(req.Password))
	if err != nil {
		return nil, err
	}
	out := &tg.AccountPasswordSettings{}
	if email != "" {
		out.SetEmail(email)
	}
	out.SetFlags()
	return out, nil
}

func (h *Security) updatePasswordSettings(
	c *api.Call, req *tg.AccountUpdatePasswordSettingsRequest,
) (*tg.BoolBox, error) {
	next, err := auth.NewPassword(&req.NewSettings)
	if err != nil {
		return nil, err
	}
	change := account.PasswordChange{Password: next}
	if email, ok := req.NewSettings.GetEmail(); ok {
		change.Email = &email
	}
	proof := auth.Proof(req.Password)
	return view.True, h.Account.UpdatePassword(c.Context, auth.Caller(c), proof, change)
}

func (h *Security) confirmPasswordEmail(
	c *api.Call, req *tg.AccountConfirmPasswordEmailRequest,
) (*tg.BoolBox, error) {
	return view.True, h.Account.ConfirmEmail(c.Context, auth.Caller(c), req.Code)
}

func (h *Security) resendPasswordEmail(
	c *api.Call, _ *tg.AccountResendPasswordEmailRequest,
) (*tg.BoolBox, error) {
	return view.True, h.Account.ResendEmail(c.Context, auth.Caller(c))
}

func (h *Security) cancelPasswordEmail(
	c *api.Call, _ *tg.AccountCancelPasswordEmailRequest,
) (*tg.BoolBox, error) {
	return view.True, h.Account.CancelEmail(c.Context, auth.Caller(c))
}

func (h *Security) resetPassword(
	c *api.Call, _ *tg.AccountResetPasswordRequest,
) (tg.AccountResetPasswordResultClass, error) {
	r, err := h.Account.ResetPassword(c.Context, auth.Caller(c))
	switch {
	case err != nil:
		return nil, err
	case r.Done:
		return &tg.AccountResetPasswordOk{}, nil
	case r.Declined:
		return &tg.AccountResetPasswordFailedWait{RetryDate: int(r.Until)}, nil
	default:
		return &tg.AccountResetPasswordRequestedWait{UntilDate: int(r.Until)}, nil
	}
}

func (h *Security) declinePasswordReset(
	c *api.Call, _ *tg.AccountDeclinePasswordResetRequest,
) (*tg.BoolBox, error) {
	return view.True, h.Account.DeclineReset(c.Context, auth.Caller(c))
}

func (h *Security) deleteAccount(
	c *api.Call, req *tg.AccountDeleteAccountRequest,
) (*tg.BoolBox, error) {
	proof, _ := req.GetPassword()
	return view.True, h.Account.Delete(c.Context, auth.Caller(c), auth.Proof(proof))
}
