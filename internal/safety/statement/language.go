package statement

import (
	"parley/internal/chat/restrict"
	"parley/internal/ids"
	"parley/internal/safety/words"
	"parley/internal/store"
)

// Language is the language in which to write to an account: that of the device it used last, else
// the one of its phone number's country.
func (s *Service) Language(r *store.Reader, user ids.UserID) (string, error) {
	devices, err := r.Authorizations(user)
	if err != nil {
		return "", err
	}
	for _, d := range devices {
		key, err := r.AuthKey(d.KeyID)
		if store.IsNotFound(err) {
			continue
		}
		if err != nil {
			return "", err
		}
		for _, tag := range []string{key.Lang, key.SystemLang} {
			if tag != "" {
				return s.texts.in(tag), nil
			}
		}
	}
	u, err := r.User(user)
	if store.IsNotFound(err) {
		return words.Fallback, nil
	}
	return languageOf(restrict.Country(u.Phone)), err
}

// languageOf is the language of a country, among those that there are texts in.
func languageOf(country string) string {
	switch country {
	case "RU", "BY", "KZ", "KG":
		return "ru"
	case "IR", "AF":
		return "fa"
	case "AE", "BH", "DZ", "EG", "IQ", "JO", "KW", "LB", "LY", "MA", "OM", "PS", "QA", "SA", "SD",
		"SY", "TN", "YE":
		return "ar"
	case "ID":
		return "id"
	case "DE", "AT", "CH", "LI":
		return "de"
	case "FR", "BF", "BJ", "CD", "CG", "CI", "GA", "GN", "MC", "ML", "NE", "SN", "TG":
		return "fr"
	case "CN", "HK", "MO", "TW":
		return "zh"
	case "KR":
		return "ko"
	default:
		return words.Fallback
	}
}
