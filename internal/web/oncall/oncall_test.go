package oncall

import (
	"testing"

	"parley/internal/safety/oncall"
	"parley/internal/web/page"
)

// TestTextsExist: whatever somebody is woken for, the page says it in his language.
func TestTextsExist(t *testing.T) {
	texts, err := page.ReadTexts(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range oncall.Kinds() {
		for _, lang := range page.Languages() {
			if texts[lang.Code]["kind."+string(kind)] == "" {
				t.Errorf("%s: no text of the kind %q", lang.Code, kind)
			}
		}
	}
}
