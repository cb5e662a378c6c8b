// Package langpack answers the langpack.* methods. This server has no translations: every
// application comes with its own texts, and these answers leave them in force. A language is never
// claimed to exist.
//
// https://core.telegram.org/api/translations
package langpack

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/chat"
)

// version is the version of a pack in which nothing is replaced. Clients take 0 for one that they
// have yet to load.
const version = 1

var errLanguage = chat.Invalid("LANG_CODE_NOT_SUPPORTED")

// Handlers answers langpack.*.
type Handlers struct{}

// Methods returns the rows of langpack.*.
func (h *Handlers) Methods() []api.Method {
	return []api.Method{
		api.On(api.Anyone, api.Read, h.pack),
		api.On(api.Anyone, api.Read, h.strings),
		api.On(api.Anyone, api.Read, h.difference),
		api.On(api.Anyone, api.Read, h.languages),
		api.On(api.Anyone, api.Read, h.language),
	}
}

func (h *Handlers) pack(
	_ *api.Call, req *tg.LangpackGetLangPackRequest,
) (*tg.LangPackDifference, error) {
	return &tg.LangPackDifference{LangCode: req.LangCode, Version: version}, nil
}

func (h *Handlers) difference(
	_ *api.Call, req *tg.LangpackGetDifferenceRequest,
) (*tg.LangPackDifference, error) {
	return &tg.LangPackDifference{
		LangCode: req.LangCode, FromVersion: req.FromVersion, Version: version,
	}, nil
}

func (h *Handlers) strings(
	*api.Call, *tg.LangpackGetStringsRequest,
) (*tg.LangPackStringClassVector, error) {
	return &tg.LangPackStringClassVector{}, nil
}

func (h *Handlers) languages(
	*api.Call, *tg.LangpackGetLanguagesRequest,
) (*tg.LangPackLanguageVector, error) {
	return &tg.LangPackLanguageVector{}, nil
}

func (h *Handlers) language(
	*api.Call, *tg.LangpackGetLanguageRequest,
) (*tg.LangPackLanguage, error) {
	return nil, errLanguage
}
