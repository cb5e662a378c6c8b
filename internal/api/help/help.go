// Package help answers the help.* methods of a starting client: where to connect, what the limits
// are, which countries and time zones there are, who speaks for the server. All of it is public and
// the same for everybody; nothing here decides anything.
//
// What this server has nothing of (updates of the application, promoted channels, suggestions, CDN)
// is answered as empty with a far expiry, because clients repeat such calls every few seconds when
// they fail. Nothing is collected: saveAppLog answers that nothing was saved.
//
// https://core.telegram.org/api/config
package help

import (
	"fmt"
	"hash/fnv"
	"net/netip"
	"strconv"

	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/ids"
	"parley/internal/store"
)

// quiet is for how many seconds an empty answer holds: clients ask again after it.
const quiet = 86400

// Handlers answers help.*.
type Handlers struct {
	Store *store.Store
	Env   *view.Env
	// Addresses are where clients are told to connect.
	Addresses []netip.AddrPort
	// Name is what the server calls itself.
	Name string
	// Support is the account that speaks for the server.
	Support ids.UserID
	// Appeal returns the address of the page where somebody sees what was decided about him and can
	// ask to decide anew.
	Appeal func(ids.UserID) string
	// Country is the ISO code of the country that clients propose for phone numbers, or empty.
	Country string
	// Terms are the terms of service that people must accept; empty when there are none.
	Terms string
}

// Methods returns the rows of help.*.
func (h *Handlers) Methods() []api.Method {
	return []api.Method{
		api.On(api.Anyone, api.Read, h.config),
		api.On(api.Anyone, api.Read, h.nearestDC),
		api.On(api.Anyone, api.Read, h.appConfig),
		api.On(api.Anyone, api.Read, h.countries),
		api.On(api.Anyone, api.Read, h.cdn),
		api.On(api.Anyone, api.Read, h.appUpdate),
		api.On(api.Anyone, api.Read, h.saveAppLog),
		api.On(api.Anyone, api.Read, h.deepLink),
		api.On(api.User, api.Read, h.promo),
		api.On(api.User, api.Read, h.dismissSuggestion),
		api.On(api.User, api.Read, h.termsUpdate),
		api.On(api.User, api.Write, h.acceptTerms).WhenFrozen(true),
		api.On(api.User, api.Read, h.colors),
		api.On(api.User, api.Read, h.profileColors),
		api.On(api.User, api.Read, h.timezones),
		api.On(api.User, api.Read, h.inviteText),
		api.On(api.User, api.Read, h.support),
	}
}

// digest makes the hash by which a client says that it has a list already.
func digest(b []byte) int {
	h := fnv.New32a()
	_, _ = h.Write(b)
	return int(int32(h.Sum32() &^ (1 << 31)))
}

func (h *Handlers) nearestDC(c *api.Call, _ *tg.HelpGetNearestDCRequest) (*tg.NearestDC, error) {
	return &tg.NearestDC{Country: h.Country, ThisDC: c.DC, NearestDC: c.DC}, nil
}

// cdn says that there are no content delivery servers.
//
// https://core.telegram.org/cdn
func (h *Handlers) cdn(*api.Call, *tg.HelpGetCDNConfigRequest) (*tg.CDNConfig, error) {
	return &tg.CDNConfig{}, nil
}

func (h *Handlers) appUpdate(
	*api.Call, *tg.HelpGetAppUpdateRequest,
) (tg.HelpAppUpdateClass, error) {
	return &tg.HelpNoAppUpdate{}, nil
}

// saveAppLog keeps nothing of what applications report about their users, and says so.
func (h *Handlers) saveAppLog(*api.Call, *tg.HelpSaveAppLogRequest) (*tg.BoolBox, error) {
	return view.False, nil
}

func (h *Handlers) deepLink(
	*api.Call, *tg.HelpGetDeepLinkInfoRequest,
) (tg.HelpDeepLinkInfoClass, error) {
	return &tg.HelpDeepLinkInfoEmpty{}, nil
}

func (h *Handlers) promo(
	c *api.Call, _ *tg.HelpGetPromoDataRequest,
) (tg.HelpPromoDataClass, error) {
	return &tg.HelpPromoDataEmpty{Expires: int(c.Unix()) + quiet}, nil
}

// dismissSuggestion is true of every suggestion, because this server makes none.
func (h *Handlers) dismissSuggestion(
	*api.Call, *tg.HelpDismissSuggestionRequest,
) (*tg.BoolBox, error) {
	return view.True, nil
}

func (h *Handlers) inviteText(*api.Call, *tg.HelpGetInviteTextRequest) (*tg.HelpInviteText, error) {
	return &tg.HelpInviteText{Message: fmt.Sprintf("Let's talk on %s: %s", h.Name, h.Env.Prefix)}, nil
}

func (h *Handlers) support(c *api.Call, _ *tg.HelpGetSupportRequest) (*tg.HelpSupport, error) {
	var out *tg.HelpSupport
	err := h.Store.View(c.Context, func(r *store.Reader) error {
		row, err := r.User(h.Support)
		if err != nil {
			return fmt.Errorf("help: support account: %w", err)
		}
		v := view.New(r, h.Env, c.Self, c.Unix())
		out = &tg.HelpSupport{PhoneNumber: row.Phone, User: v.User(h.Support)}
		return v.Err()
	})
	return out, err
}

// termsSetting is where it is kept which terms a user has accepted.
const termsSetting = "terms"

// TermsOfService returns the terms as a client shows them, nil when there are none.
//
// https://core.telegram.org/constructor/help.termsOfService
func (h *Handlers) TermsOfService() *tg.HelpTermsOfService {
	if h.Terms == "" {
		return nil
	}
	return &tg.HelpTermsOfService{
		Popup: true,
		ID:    tg.DataJSON{Data: strconv.Itoa(digest([]byte(h.Terms)))},
		Text:  h.Terms,
	}
}

// termsUpdate shows the terms to whom they were never shown, or whom they have changed for.
func (h *Handlers) termsUpdate(
	c *api.Call, _ *tg.HelpGetTermsOfServiceUpdateRequest,
) (tg.HelpTermsOfServiceUpdateClass, error) {
	terms := h.TermsOfService()
	empty := &tg.HelpTermsOfServiceUpdateEmpty{Expires: int(c.Unix()) + quiet}
	if terms == nil {
		return empty, nil
	}
	var accepted []byte
	err := h.Store.View(c.Context, func(r *store.Reader) (err error) {
		accepted, err = r.Setting(c.Self, termsSetting)
		return err
	})
	if err != nil {
		return nil, err
	}
	if string(accepted) == terms.ID.Data {
		return empty, nil
	}
	return &tg.HelpTermsOfServiceUpdate{
		Expires: int(c.Unix()) + quiet, TermsOfService: *terms,
	}, nil
}

var errTerms = chat.Invalid("DATA_JSON_INVALID")

func (h *Handlers) acceptTerms(
	c *api.Call, req *tg.HelpAcceptTermsOfServiceRequest,
) (*tg.BoolBox, error) {
	terms := h.TermsOfService()
	if terms == nil || req.ID.Data != terms.ID.Data {
		return nil, errTerms
	}
	err := h.Store.Update(c.Context, c.Self.Peer(), func(tx *store.Tx) error {
		if _, err := tx.User(c.Self); store.IsNotFound(err) {
			return chat.ErrUserInvalid
		}
		return tx.PutSetting(c.Self, termsSetting, []byte(terms.ID.Data))
	})
	if err != nil {
		return nil, err
	}
	return view.True, nil
}
