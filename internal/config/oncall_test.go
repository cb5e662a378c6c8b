package config

import "testing"

func TestCallee(t *testing.T) {
	for text, want := range map[string]Callee{
		"1; Night desk; mail:desk@example.org": {
			Level: 1, Name: "Night desk", Mail: "desk@example.org",
		},
		"2;Lead;chat:@lead;hook:https://pager.example.org/x": {
			Level: 2, Name: "Lead", Chat: "@lead", Hook: "https://pager.example.org/x",
		},
	} {
		var got Callee
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
		var again Callee
		if err := again.UnmarshalText([]byte(got.String())); err != nil || again != want {
			t.Errorf("%s is written as %s: %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "1", "1; Desk", "1; ; mail:a@example.org", "0; Desk; mail:a@example.org",
		"10; Desk; mail:a@example.org", "x; Desk; mail:a@example.org", "1; Desk; mail:",
		"1; Desk; mail:no address", "1; Desk; fax:1", "1; Desk; chat:desk",
		"1; Desk; mail:a@example.org; mail:b@example.org",
	} {
		if err := new(Callee).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
