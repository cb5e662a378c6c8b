package help

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/ids"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

const (
	self    = ids.UserID(1000)
	service = ids.UserID(777000)
)

func newHandlers(t *testing.T) *Handlers {
	t.Helper()
	s := storetest.SQLite(t)
	for _, u := range []store.User{
		{ID: self, FirstName: "A", Phone: "4915100000001"},
		{ID: service, FirstName: "Parley", Phone: "42777", Flags: store.UserService},
	} {
		err := s.Update(t.Context(), u.ID.Peer(), func(tx *store.Tx) error { return tx.PutUser(u) })
		if err != nil {
			t.Fatal(err)
		}
	}
	env := &view.Env{
		DC: 2, Prefix: "https://chat.example/",
		Hash:   func(viewer, peer int64) int64 { return viewer*31 + peer },
		Online: func(ids.UserID) int64 { return 0 },
	}
	return &Handlers{
		Store: s, Env: env,
		Addresses: []netip.AddrPort{
			netip.MustParseAddrPort("127.0.0.1:4430"), netip.MustParseAddrPort("[::1]:4430"),
		},
		Name:    "Parley",
		Support: service,
	}
}

func call() *api.Call {
	return &api.Call{
		Context: context.Background(), Self: self, DC: 4,
		Now: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC),
	}
}

// encodes holds an answer against the wire: what a handler returns must survive it.
func encodes[T bin.Encoder](t *testing.T, answer T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var b bin.Buffer
	if err := answer.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestConfigNamesTheClientsOwnDataCentre(t *testing.T) {
	h := newHandlers(t)
	answer, err := h.config(call(), &tg.HelpGetConfigRequest{})
	config := encodes(t, answer, err)
	if config.ThisDC != 4 {
		t.Errorf("this_dc = %d, want the client's 4", config.ThisDC)
	}
	seen := map[int]int{}
	for _, o := range config.DCOptions {
		seen[o.ID]++
		if !o.ThisPortOnly || !o.Static || o.Port != 4430 {
			t.Errorf("option %+v is not bound to its port", o)
		}
		if want := o.IPAddress == "::1"; o.Ipv6 != want {
			t.Errorf("option %s: ipv6 = %v", o.IPAddress, o.Ipv6)
		}
	}
	for id := 1; id <= 5; id++ {
		if seen[id] != 2 {
			t.Errorf("data centre %d has %d addresses, want 2", id, seen[id])
		}
	}
	if config.Expires-config.Date < 60 {
		t.Error("the configuration expires at once")
	}
	if _, ok := config.GetReactionsDefault(); !ok {
		t.Error("no default reaction")
	}
}

func TestListsAreNotSentTwice(t *testing.T) {
	h := newHandlers(t)
	app, err := h.appConfig(call(), &tg.HelpGetAppConfigRequest{})
	config, ok := encodes(t, app, err).(*tg.HelpAppConfig)
	if !ok || config.Hash == 0 {
		t.Fatalf("app config = %v", app)
	}
	app, err = h.appConfig(call(), &tg.HelpGetAppConfigRequest{Hash: config.Hash})
	if _, ok := encodes(t, app, err).(*tg.HelpAppConfigNotModified); !ok {
		t.Errorf("app config again = %T", app)
	}
	zones, err := h.timezones(call(), &tg.HelpGetTimezonesListRequest{})
	list := encodes(t, zones, err).(*tg.HelpTimezonesList)
	zones, err = h.timezones(call(), &tg.HelpGetTimezonesListRequest{Hash: list.Hash})
	if _, ok := encodes(t, zones, err).(*tg.HelpTimezonesListNotModified); !ok {
		t.Errorf("time zones again = %T", zones)
	}
	berlin := slices.IndexFunc(list.Timezones, func(z tg.Timezone) bool { return z.Name == "Berlin" })
	if berlin < 0 || list.Timezones[berlin].UtcOffset != 7200 {
		t.Error("Berlin has no summer time in July")
	}
	colors, err := h.colors(call(), &tg.HelpGetPeerColorsRequest{})
	palette := encodes(t, colors, err).(*tg.HelpPeerColors)
	colors, err = h.colors(call(), &tg.HelpGetPeerColorsRequest{Hash: palette.Hash})
	if _, ok := encodes(t, colors, err).(*tg.HelpPeerColorsNotModified); !ok {
		t.Errorf("colours again = %T", colors)
	}
}

func TestCountries(t *testing.T) {
	h := newHandlers(t)
	answer, err := h.countries(call(), &tg.HelpGetCountriesListRequest{LangCode: "de"})
	list := encodes(t, answer, err).(*tg.HelpCountriesList)
	find := func(iso string) tg.HelpCountry {
		t.Helper()
		i := slices.IndexFunc(list.Countries, func(c tg.HelpCountry) bool { return c.ISO2 == iso })
		if i < 0 {
			t.Fatalf("%s is missing among %d", iso, len(list.Countries))
		}
		return list.Countries[i]
	}
	de := find("DE")
	if de.DefaultName != "Germany" || de.Name != "Deutschland" ||
		de.CountryCodes[0].CountryCode != "49" || len(de.CountryCodes[0].Patterns) == 0 {
		t.Errorf("Germany = %+v", de)
	}
	if jm := find("JM"); !slices.Equal(jm.CountryCodes[0].Prefixes, []string{"658", "876"}) {
		t.Errorf("prefixes of Jamaica = %v", jm.CountryCodes[0].Prefixes)
	}
	if ft := find("FT"); ft.CountryCodes[0].CountryCode != "888" {
		t.Errorf("anonymous numbers = %+v", ft)
	}
	if len(list.Countries) < 200 {
		t.Errorf("only %d countries", len(list.Countries))
	}
	answer, err = h.countries(call(), &tg.HelpGetCountriesListRequest{
		LangCode: "de", Hash: list.Hash,
	})
	if _, ok := encodes(t, answer, err).(*tg.HelpCountriesListNotModified); !ok {
		t.Errorf("again = %T", answer)
	}
	if _, err := h.countries(call(), &tg.HelpGetCountriesListRequest{LangCode: "???"}); err == nil {
		t.Error("a language that is none was accepted")
	}
}

func FuzzExpand(f *testing.F) {
	for _, seed := range []string{
		"", "246", "658|876", "8001|8[024]9", "33|7", "[0-9]{9}", "(", "a*",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		if n := len(expand(expression)); n > prefixesMost {
			t.Errorf("%q expands to %d prefixes", expression, n)
		}
	})
}

func TestTermsAreAcceptedOncePerVersion(t *testing.T) {
	h := newHandlers(t)
	answer, err := h.termsUpdate(call(), &tg.HelpGetTermsOfServiceUpdateRequest{})
	if _, ok := encodes(t, answer, err).(*tg.HelpTermsOfServiceUpdateEmpty); !ok {
		t.Fatalf("terms of a server without terms = %T", answer)
	}
	for _, text := range []string{"Be kind.", "Be kind and brief."} {
		h.Terms = text
		answer, err = h.termsUpdate(call(), &tg.HelpGetTermsOfServiceUpdateRequest{})
		update, ok := encodes(t, answer, err).(*tg.HelpTermsOfServiceUpdate)
		if !ok {
			t.Fatalf("new terms = %T", answer)
		}
		wrong := &tg.HelpAcceptTermsOfServiceRequest{ID: tg.DataJSON{Data: "1"}}
		if _, err := h.acceptTerms(call(), wrong); !errors.Is(err, errTerms) {
			t.Errorf("accepting other terms: %v", err)
		}
		ok2, err := h.acceptTerms(call(), &tg.HelpAcceptTermsOfServiceRequest{
			ID: update.TermsOfService.ID,
		})
		encodes(t, ok2, err)
		answer, err = h.termsUpdate(call(), &tg.HelpGetTermsOfServiceUpdateRequest{})
		if _, ok := encodes(t, answer, err).(*tg.HelpTermsOfServiceUpdateEmpty); !ok {
			t.Errorf("accepted terms are shown again: %T", answer)
		}
	}
}

func TestSupportIsTheServiceAccount(t *testing.T) {
	h := newHandlers(t)
	answer, err := h.support(call(), &tg.HelpGetSupportRequest{})
	support := encodes(t, answer, err)
	if user, ok := support.User.(*tg.User); !ok || user.ID != int64(service) || !user.Verified {
		t.Errorf("support = %v", support.User)
	}
}

func TestEmptyAnswersHoldForAWhile(t *testing.T) {
	h := newHandlers(t)
	promo, err := h.promo(call(), &tg.HelpGetPromoDataRequest{})
	empty := encodes(t, promo, err).(*tg.HelpPromoDataEmpty)
	if empty.Expires < int(call().Unix())+3600 {
		t.Error("clients ask for promoted chats again at once")
	}
	saved, err := h.saveAppLog(call(), &tg.HelpSaveAppLogRequest{})
	if _, ok := encodes(t, saved, err).Bool.(*tg.BoolFalse); !ok {
		t.Error("the log of an application is said to be kept")
	}
}

func TestEveryMethodHasARow(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range newHandlers(t).Methods() {
		if seen[m.Name] {
			t.Errorf("%s is there twice", m.Name)
		}
		seen[m.Name] = true
	}
	for _, name := range []string{
		"help.getConfig", "help.getNearestDc", "help.getAppConfig", "help.getCountriesList",
		"help.getCdnConfig", "help.getAppUpdate", "help.getPromoData",
		"help.getTermsOfServiceUpdate", "help.acceptTermsOfService", "help.getPeerColors",
		"help.getPeerProfileColors", "help.getTimezonesList", "help.dismissSuggestion",
		"help.getInviteText", "help.getSupport", "help.getDeepLinkInfo", "help.saveAppLog",
	} {
		if !seen[name] {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestNearestDataCentreIsTheClientsOwn(t *testing.T) {
	h := newHandlers(t)
	h.Country = "DE"
	answer, err := h.nearestDC(call(), &tg.HelpGetNearestDCRequest{})
	near := encodes(t, answer, err)
	if near.ThisDC != 4 || near.NearestDC != 4 || near.Country != "DE" {
		t.Errorf("%+v: a client would move to another data centre", near)
	}
}

func TestInviteTextLeadsHere(t *testing.T) {
	h := newHandlers(t)
	answer, err := h.inviteText(call(), &tg.HelpGetInviteTextRequest{})
	text := encodes(t, answer, err).Message
	if !strings.Contains(text, h.Name) || !strings.Contains(text, h.Env.Prefix) {
		t.Errorf("%q names neither the server nor its address", text)
	}
}
