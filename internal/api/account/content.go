package account

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/chat/restrict"
	"parley/internal/store"
)

// getContentSettings tells whether the caller wants to see what is unsuitable for minors.
//
// https://core.telegram.org/method/account.getContentSettings
func (h *Profile) getContentSettings(
	c *api.Call, _ *tg.AccountGetContentSettingsRequest,
) (*tg.AccountContentSettings, error) {
	out := &tg.AccountContentSettings{SensitiveCanChange: true}
	err := h.View(c, func(r *store.Reader, _ *view.View) (err error) {
		out.SensitiveEnabled, err = restrict.WantsSensitive(r, c.Self)
		return err
	})
	out.SetFlags()
	return out, err
}

// setContentSettings says whether the caller wants to see what is unsuitable for minors.
//
// https://core.telegram.org/method/account.setContentSettings
func (h *Profile) setContentSettings(
	c *api.Call, req *tg.AccountSetContentSettingsRequest,
) (*tg.BoolBox, error) {
	return view.True, h.Store.Update(c.Context, c.Self.Peer(), func(tx *store.Tx) error {
		return restrict.SetSensitive(tx, c.Self, req.SensitiveEnabled)
	})
}
