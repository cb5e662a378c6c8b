package auth

import (
	"strings"

	"github.com/gotd/td/tg"

	"parley/internal/chat/account"
)

// applications are the names of clients by the language pack that they ask for, which says more
// than an api_id that anybody may have registered.
var applications = map[string]struct{ name, platform string }{
	"android":   {"Telegram Android", "Android"},
	"android_x": {"Telegram X", "Android"},
	"ios":       {"Telegram iOS", "iOS"},
	"macos":     {"Telegram macOS", "macOS"},
	"tdesktop":  {"Telegram Desktop", ""},
	"weba":      {"Telegram Web", "Web"},
	"webk":      {"Telegram Web", "Web"},
}

// anyApplication is the name of a client that asks for no known language pack.
const anyApplication = "MTProto client"

// Device renders one of an account's devices at a time in Unix seconds.
//
// https://core.telegram.org/constructor/authorization
func Device(d account.Device, now int64) tg.Authorization {
	app, ok := applications[d.LangPack]
	if !ok {
		app.name = anyApplication
	}
	if app.platform == "" {
		app.platform, _, _ = strings.Cut(d.System, " ")
	}
	out := tg.Authorization{
		Current:                   d.Current,
		PasswordPending:           d.PasswordPending(),
		EncryptedRequestsDisabled: d.RefusesSecretChats(),
		CallRequestsDisabled:      d.RefusesCalls(),
		Unconfirmed:               d.Unconfirmed(now),
		Hash:                      d.Hash,
		DeviceModel:               d.Authorization.Device,
		Platform:                  app.platform,
		SystemVersion:             d.System,
		APIID:                     int(d.APIID),
		AppName:                   app.name,
		AppVersion:                d.App,
		DateCreated:               int(d.Created),
		DateActive:                int(d.Active),
		IP:                        d.IP,
	}
	if d.Current {
		out.Hash = 0
	}
	out.SetFlags()
	return out
}
