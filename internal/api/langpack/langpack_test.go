package langpack

import (
	"errors"
	"testing"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"parley/internal/api"
)

func TestNothingIsReplaced(t *testing.T) {
	var h Handlers
	c := &api.Call{}
	for name, answer := range map[string]func() (bin.Encoder, error){
		"pack": func() (bin.Encoder, error) {
			return h.pack(c, &tg.LangpackGetLangPackRequest{LangCode: "en"})
		},
		"difference": func() (bin.Encoder, error) {
			return h.difference(c, &tg.LangpackGetDifferenceRequest{LangCode: "en", FromVersion: 1})
		},
		"strings": func() (bin.Encoder, error) {
			return h.strings(c, &tg.LangpackGetStringsRequest{Keys: []string{"lng_ok"}})
		},
		"languages": func() (bin.Encoder, error) {
			return h.languages(c, &tg.LangpackGetLanguagesRequest{})
		},
	} {
		object, err := answer()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var b bin.Buffer
		if err := object.Encode(&b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := h.language(c, &tg.LangpackGetLanguageRequest{LangCode: "en"})
	if !errors.Is(err, errLanguage) {
		t.Errorf("a language that is not there: %v", err)
	}
	if n := len(h.Methods()); n != 5 {
		t.Errorf("%d rows, want 5", n)
	}
}
