// Package auth answers the auth.* methods: getting in and out. It translates between the API and
// chat/account, where the rules are, and renders the account that a login ends in. The binding of
// temporary keys (auth.bindTempAuthKey) is the gateway's, because it is about a session.
//
// https://core.telegram.org/api/auth
package auth

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/desk"
	"parley/internal/api/view"
	"parley/internal/chat/account"
	"parley/internal/chat/account/srp"
	"parley/internal/ids"
	"parley/internal/store"
)

// Handlers answers auth.*.
type Handlers struct {
	desk.Desk
	Account *account.Service
	// Terms are the terms of service that somebody accepts who signs up, nil when there are none.
	Terms *tg.HelpTermsOfService
	// DropTemps ends the use of the temporary keys that stand for a permanent one, except some. It
	// must not block. Without it there is no auth.dropTempAuthKeys.
	DropTemps func(permKeyID int64, except []int64)
	// Refused is told who got an error with which telephone number, nil for nobody.
	Refused func(c *api.Call, phone string, err error)
}

// refuse tells of an error.
func (h *Handlers) refuse(c *api.Call, phone string, err error) {
	if err != nil && h.Refused != nil {
		h.Refused(c, phone, err)
	}
}

// Methods are the rows of this namespace.
func (h *Handlers) Methods() []api.Method {
	rows := []api.Method{
		api.On(api.Anyone, api.Login, h.sendCode),
		api.On(api.Anyone, api.Login, h.resendCode),
		api.On(api.Anyone, api.Login, h.cancelCode),
		api.On(api.Anyone, api.Login, h.signIn),
		api.On(api.Anyone, api.Login, h.signUp),
		api.On(api.Password, api.Login, h.checkPassword),
		api.On(api.Password, api.Login, h.requestPasswordRecovery),
		api.On(api.Password, api.Login, h.checkRecoveryPassword),
		api.On(api.Password, api.Login, h.recoverPassword),
		api.On(api.Password, api.Login, h.logOut),
		api.On(api.User, api.Login, h.resetAuthorizations),
		api.On(api.User, api.Login, h.exportAuthorization),
		api.On(api.Anyone, api.Login, h.importAuthorization),
		api.On(api.Anyone, api.Login, h.exportLoginToken),
		api.On(api.Anyone, api.Login, h.importLoginToken),
		api.On(api.User, api.Login, h.acceptLoginToken),
	}
	if h.DropTemps != nil {
		rows = append(rows, api.On(api.Anyone, api.Write, h.dropTempAuthKeys))
	}
	return rows
}

// Caller is the device that makes a call.
func Caller(c *api.Call) account.Caller { return account.Caller{Key: c.Key, IP: c.IP} }

// SentCode renders a code on its way.
//
// https://core.telegram.org/constructor/auth.sentCode
func SentCode(s account.Sent) *tg.AuthSentCode {
	out := &tg.AuthSentCode{PhoneCodeHash: s.Hash}
	switch s.Medium {
	case account.ByApp:
		out.Type = &tg.AuthSentCodeTypeApp{Length: s.Length}
	default:
		out.Type = &tg.AuthSentCodeTypeSMS{Length: s.Length}
	}
	if s.Again {
		out.SetNextType(&tg.AuthCodeTypeSMS{})
		out.SetTimeout(s.Timeout)
	}
	out.SetFlags()
	return out
}

func (h *Handlers) sendCode(
	c *api.Call, req *tg.AuthSendCodeRequest,
) (tg.AuthSentCodeClass, error) {
	sent, err := h.Account.SendCode(c.Context, Caller(c), account.App{
		ID: req.APIID, Hash: req.APIHash,
	}, req.PhoneNumber)
	h.refuse(c, req.PhoneNumber, err)
	if err != nil {
		return nil, err
	}
	return SentCode(sent), nil
}

func (h *Handlers) resendCode(
	c *api.Call, req *tg.AuthResendCodeRequest,
) (tg.AuthSentCodeClass, error) {
	sent, err := h.Account.ResendCode(c.Context, Caller(c), req.PhoneNumber, req.PhoneCodeHash)
	if err != nil {
		return nil, err
	}
	return SentCode(sent), nil
}

func (h *Handlers) cancelCode(
	c *api.Call, req *tg.AuthCancelCodeRequest,
) (*tg.BoolBox, error) {
	return view.True, h.Account.CancelCode(c.Context, Caller(c), req.PhoneNumber, req.PhoneCodeHash)
}

func (h *Handlers) signIn(
	c *api.Call, req *tg.AuthSignInRequest,
) (tg.AuthAuthorizationClass, error) {
	login, err := h.Account.SignIn(
		c.Context, Caller(c), req.PhoneNumber, req.PhoneCodeHash, req.PhoneCode)
	h.refuse(c, req.PhoneNumber, err)
	return h.login(c, login, err)
}

func (h *Handlers) signUp(
	c *api.Call, req *tg.AuthSignUpRequest,
) (tg.AuthAuthorizationClass, error) {
	login, err := h.Account.SignUp(
		c.Context, Caller(c), req.PhoneNumber, req.PhoneCodeHash, req.FirstName, req.LastName)
	h.refuse(c, req.PhoneNumber, err)
	return h.login(c, login, err)
}

// login renders how a step of a login ended.
//
// https://core.telegram.org/type/auth.Authorization
func (h *Handlers) login(
	c *api.Call, login account.Login, err error,
) (tg.AuthAuthorizationClass, error) {
	if err != nil {
		return nil, err
	}
	if login.SignUp {
		out := &tg.AuthAuthorizationSignUpRequired{}
		if h.Terms != nil {
			out.SetTermsOfService(*h.Terms)
		}
		out.SetFlags()
		return out, nil
	}
	return h.authorization(c, login.User)
}

// authorization renders the account for its own device, which the call did not know yet.
func (h *Handlers) authorization(
	c *api.Call, user ids.UserID,
) (out *tg.AuthAuthorization, err error) {
	err = h.Store.View(c.Context, func(r *store.Reader) error {
		v := view.New(r, h.Env, user, c.Unix())
		out = &tg.AuthAuthorization{User: v.User(user)}
		return v.Err()
	})
	return out, err
}

func (h *Handlers) logOut(
	c *api.Call, _ *tg.AuthLogOutRequest,
) (*tg.AuthLoggedOut, error) {
	if err := h.Account.LogOut(c.Context, Caller(c)); err != nil {
		return nil, err
	}
	return &tg.AuthLoggedOut{}, nil
}

func (h *Handlers) resetAuthorizations(
	c *api.Call, _ *tg.AuthResetAuthorizationsRequest,
) (*tg.BoolBox, error) {
	return view.True, h.Account.ResetOthers(c.Context, Caller(c))
}

func (h *Handlers) dropTempAuthKeys(
	c *api.Call, req *tg.AuthDropTempAuthKeysRequest,
) (*tg.BoolBox, error) {
	h.DropTemps(c.Key.ID, req.ExceptAuthKeys)
	return view.True, nil
}

// Proof is what a client sends to prove its password; nil when it proves nothing.
func Proof(in tg.InputCheckPasswordSRPClass) *account.Proof {
	p, ok := in.(*tg.InputCheckPasswordSRP)
	if !ok {
		return nil
	}
	return &account.Proof{ID: p.SRPID, A: p.A, M1: p.M1}
}

// NewPassword is the password in new settings, nil when they leave it as it is. Settings for
// documents of the owner are refused: there are none here to protect.
//
// https://core.telegram.org/constructor/account.passwordInputSettings
func NewPassword(in *tg.AccountPasswordInputSettings) (*account.NewPassword, error) {
	if _, ok := in.GetNewSecureSettings(); ok {
		return nil, account.ErrNewSettings
	}
	algo, ok := in.GetNewAlgo()
	if !ok {
		return nil, nil
	}
	out := &account.NewPassword{Hash: in.NewPasswordHash, Hint: in.Hint}
	switch a := algo.(type) {
	case *tg.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow:
		out.Algo, out.G, out.P = srp.Algo{Salt1: a.Salt1, Salt2: a.Salt2}, a.G, a.P
	default:
		if len(out.Hash) > 0 {
			return nil, account.ErrNewSettings
		}
	}
	return out, nil
}

func (h *Handlers) checkPassword(
	c *api.Call, req *tg.AuthCheckPasswordRequest,
) (tg.AuthAuthorizationClass, error) {
	login, err := h.Account.CheckPassword(c.Context, Caller(c), Proof(req.Password))
	return h.login(c, login, err)
}

func (h *Handlers) requestPasswordRecovery(
	c *api.Call, _ *tg.AuthRequestPasswordRecoveryRequest,
) (*tg.AuthPasswordRecovery, error) {
	pattern, err := h.Account.RequestRecovery(c.Context, Caller(c))
	if err != nil {
		return nil, err
	}
	return &tg.AuthPasswordRecovery{EmailPattern: pattern}, nil
}

func (h *Handlers) checkRecoveryPassword(
	c *api.Call, req *tg.AuthCheckRecoveryPasswordRequest,
) (*tg.BoolBox, error) {
	return view.True, h.Account.CheckRecovery(c.Context, Caller(c), req.Code)
}

func (h *Handlers) recoverPassword(
	c *api.Call, req *tg.AuthRecoverPasswordRequest,
) (tg.AuthAuthorizationClass, error) {
	var next *account.NewPassword
	if settings, ok := req.GetNewSettings(); ok {
		var err error
		if next, err = NewPassword(&settings); err != nil {
			return nil, err
		}
	}
	login, err := h.Account.Recover(c.Context, Caller(c), req.Code, next)
	return h.login(c, login, err)
}

func (h *Handlers) exportAuthorization(
	c *api.Call, req *tg.AuthExportAuthorizationRequest,
) (*tg.AuthExportedAuthorization, error) {
	token, err := h.Account.ExportAuthorization(c.Context, Caller(c), req.DCID)
	if err != nil {
		return nil, err
	}
	return &tg.AuthExportedAuthorization{ID: int64(c.Self), Bytes: token}, nil
}

func (h *Handlers) importAuthorization(
	c *api.Call, req *tg.AuthImportAuthorizationRequest,
) (tg.AuthAuthorizationClass, error) {
	login, err := h.Account.ImportAuthorization(
		c.Context, Caller(c), ids.UserID(req.ID), req.Bytes)
	return h.login(c, login, err)
}

func (h *Handlers) exportLoginToken(
	c *api.Call, req *tg.AuthExportLoginTokenRequest,
) (tg.AuthLoginTokenClass, error) {
	token, err := h.Account.ExportLoginToken(c.Context, Caller(c), account.App{
		ID: req.APIID, Hash: req.APIHash,
	}, req.ExceptIDs)
	return h.token(c, token, err)
}

func (h *Handlers) importLoginToken(
	c *api.Call, req *tg.AuthImportLoginTokenRequest,
) (tg.AuthLoginTokenClass, error) {
	token, err := h.Account.ImportLoginToken(c.Context, Caller(c), req.Token)
	return h.token(c, token, err)
}

// token renders what a waiting device shows, or that it is in.
func (h *Handlers) token(
	c *api.Call, token account.LoginToken, err error,
) (tg.AuthLoginTokenClass, error) {
	if err != nil {
		return nil, err
	}
	if token.User == 0 {
		return &tg.AuthLoginToken{Expires: int(token.Expires), Token: token.Token}, nil
	}
	a, err := h.authorization(c, token.User)
	if err != nil {
		return nil, err
	}
	return &tg.AuthLoginTokenSuccess{Authorization: a}, nil
}

func (h *Handlers) acceptLoginToken(
	c *api.Call, req *tg.AuthAcceptLoginTokenRequest,
) (*tg.Authorization, error) {
	device, err := h.Account.AcceptLoginToken(c.Context, Caller(c), req.Token)
	if err != nil {
		return nil, err
	}
	out := Device(device, c.Unix())
	return &out, nil
}
