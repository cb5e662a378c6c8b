package account

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/auth"
	"parley/internal/api/view"
	"parley/internal/chat/account"
	"parley/internal/store"
)

func (h *Security) getAuthorizations(
	c *api.Call, _ *tg.AccountGetAuthorizationsRequest,
) (*tg.AccountAuthorizations, error) {
	list, days, err := h.Account.List(c.Context, auth.Caller(c))
	if err != nil {
		return nil, err
	}
	out := &tg.AccountAuthorizations{AuthorizationTTLDays: days}
	for _, d := range list {
		out.Authorizations = append(out.Authorizations, auth.Device(d, c.Unix()))
	}
	return out, nil
}

func (h *Security) resetAuthorization(
	c *api.Call, req *tg.AccountResetAuthorizationRequest,
) (*tg.BoolBox, error) {
	return view.True, h.Account.ResetDevice(c.Context, auth.Caller(c), req.Hash)
}

func (h *Security) setAuthorizationTTL(
	c *api.Call, req *tg.AccountSetAuthorizationTTLRequest,
) (*tg.BoolBox, error) {
	return view.True, h.Account.SetDeviceTTL(
		c.Context, auth.Caller(c), req.AuthorizationTTLDays)
}

func (h *Security) changeAuthorizationSettings(
	c *api.Call, req *tg.AccountChangeAuthorizationSettingsRequest,
) (*tg.BoolBox, error) {
	change := account.DeviceChange{Confirmed: req.Confirmed}
	if v, ok := req.GetEncryptedRequestsDisabled(); ok {
		change.RefusesSecretChats = &v
	}
	if v, ok := req.GetCallRequestsDisabled(); ok {
		change.RefusesCalls = &v
	}
	return view.True, h.Account.ChangeDevice(c.Context, auth.Caller(c), req.Hash, change)
}

func (h *Security) getAccountTTL(
	c *api.Call, _ *tg.AccountGetAccountTTLRequest,
) (*tg.AccountDaysTTL, error) {
	days, err := h.Account.AccountTTL(c.Context, auth.Caller(c))
	if err != nil {
		return nil, err
	}
	return &tg.AccountDaysTTL{Days: days}, nil
}

func (h *Security) setAccountTTL(
	c *api.Call, req *tg.AccountSetAccountTTLRequest,
) (*tg.BoolBox, error) {
	return view.True, h.Account.SetAccountTTL(c.Context, auth.Caller(c), req.TTL.Days)
}

func (h *Security) sendChangePhoneCode(
	c *api.Call, req *tg.AccountSendChangePhoneCodeRequest,
) (tg.AuthSentCodeClass, error) {
	sent, err := h.Account.SendChangeCode(c.Context, auth.Caller(c), req.PhoneNumber)
	if err != nil {
		return nil, err
	}
	return auth.SentCode(sent), nil
}

func (h *Security) changePhone(
	c *api.Call, req *tg.AccountChangePhoneRequest,
) (out tg.UserClass, err error) {
	err = h.Account.ChangePhone(
		c.Context, auth.Caller(c), req.PhoneNumber, req.PhoneCodeHash, req.PhoneCode)
	if err != nil {
		return nil, err
	}
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		out = v.User(c.Self)
		return nil
	})
	return out, err
}

// registerDevice notes where the caller's device wants to be woken. Other accounts in the same
// application (other_uids) register for themselves.
func (h *Security) registerDevice(
	c *api.Call, req *tg.AccountRegisterDeviceRequest,
) (*tg.BoolBox, error) {
	return view.True, h.Account.RegisterPush(c.Context, auth.Caller(c), account.PushToken{
		Type: req.TokenType, Token: req.Token, Sandbox: req.AppSandbox, Secret: req.Secret,
		NoMuted: req.NoMuted,
	})
}

func (h *Security) unregisterDevice(
	c *api.Call, req *tg.AccountUnregisterDeviceRequest,
) (*tg.BoolBox, error) {
	return view.True, h.Account.UnregisterPush(
		c.Context, auth.Caller(c), req.TokenType, req.Token)
}
