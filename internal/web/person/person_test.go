package person

import (
	"testing"

	"parley/internal/safety/appeal"
	"parley/internal/safety/decide"
	"parley/internal/web/about"
	"parley/internal/web/page"
	"parley/internal/web/page/pagetest"
)

// TestTexts: all texts are there in all languages, also those whose keys are made of states.
func TestTexts(t *testing.T) {
	pagetest.Texts(t, files, page.Files(), about.Shell())
	texts, err := page.ReadTexts(files)
	if err != nil {
		t.Fatal(err)
	}
	for s := appeal.Open; s <= appeal.Withdrawn; s++ {
		if !texts.Has("complaint." + s.String()) {
			t.Errorf("a complaint that is %s has no text", s)
		}
	}
	for s := decide.Effective; s <= decide.Superseded; s++ {
		if !texts.Has("state." + s.String()) {
			t.Errorf("a decision that is %s has no text", s)
		}
	}
}
