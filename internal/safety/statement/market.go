package statement

import (
	"context"

	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/safety/country"
	"parley/internal/store"
)

// Where it is written in which countries the service is not offered, and how to reach it where the
// network blocks it.
const (
	marketsPath = "/markets"
	accessPath  = "/access"
)

// Market is what became of a country.
type Market struct {
	// State is the name of its state, Country its code, Why the reason as it is published.
	State, Country, Why string
}

// Announce tells an account what became of its country and why, how to get at its data, and how to
// reach the service where the network blocks it. The same random number tells once.
func (s *Service) Announce(
	ctx context.Context, user ids.UserID, m Market, random int64,
) error {
	var lang string
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		lang, err = s.Language(r, user)
		return err
	})
	if err != nil {
		return err
	}
	l := letter{
		title: s.texts.get(lang, "market.title"), parts: []Part{
			{Text: s.texts.get(lang, "market."+m.State, country.Code(m.Country).Name(lang))},
			{Text: s.texts.get(lang, "market.why", m.Why)},
			{Text: s.texts.get(lang, "market.export")},
			{Text: s.texts.get(lang, "market.access")},
		},
	}
	for _, b := range []struct{ text, path string }{
		{"button.markets", marketsPath}, {"button.access", accessPath},
	} {
		if s.URL != "" {
			l.buttons = append(l.buttons, message.Button{
				Text: s.texts.get(lang, b.text), URL: s.URL + b.path,
			})
		}
	}
	if s.Proxies != nil {
		l.buttons = append(l.buttons, s.proxyButtons(lang, s.Proxies())...)
	}
	_, err = s.send(ctx, recipient{user: user, lang: lang}, l, random)
	return err
}

// The states of a country that refuse somebody.
const (
	RefusedSignUp = "market.nosignup"
	RefusedSignIn = "market.nosignin"
)

// RefusalText says to who cannot get in because of the country of his number why that is, in the
// language of his device, and where to read more and whom to ask. refused is one of the constants.
func (s *Service) RefusalText(tags []string, refused string, m Market) string {
	lang := languageOf(m.Country)
	for _, tag := range tags {
		if tag != "" {
			lang = s.texts.in(tag)
			break
		}
	}
	text := s.texts.get(lang, refused, country.Code(m.Country).Name(lang)) + "\n\n" +
		s.texts.get(lang, "market.why", m.Why)
	if s.URL != "" {
		text += "\n\n" + s.texts.get(lang, "market.read", s.URL+marketsPath)
	}
	return text
}
