package username_test

import (
	"errors"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/chat/username"
)

func TestCheck(t *testing.T) {
	rules := username.Rules{Page: func(name string) bool { return name == "opening_hours" }}
	for name, want := range map[string]error{
		"":                      chat.ErrUsernameInvalid,
		"four":                  chat.ErrUsernameInvalid,
		"1member":               chat.ErrUsernameInvalid,
		"member_":               chat.ErrUsernameInvalid,
		"member-one":            chat.ErrUsernameInvalid,
		strings.Repeat("x", 33): chat.ErrUsernameInvalid,
		strings.Repeat("x", 32): nil,
		"Member_1":              nil,
		"status_of_things":      nil,
		"Status":                chat.ErrUsernameOccupied,
		"JoinChat":              chat.ErrUsernameOccupied,
		"Opening_Hours":         chat.ErrUsernameOccupied,
	} {
		if err := rules.Check(name); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", name, err, want)
		}
	}
	if err := (username.Rules{}).Check("opening_hours"); err != nil {
		t.Errorf("a page that is not there: %v", err)
	}
}
