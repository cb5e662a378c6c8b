package markup_test

import (
	"errors"
	"testing"
	"unicode/utf8"

	"parley/internal/chat/markup"
	"parley/internal/chat/message"
)

func TestFixRefusesMarkupOutsideTheText(t *testing.T) {
	for name, e := range map[string]message.Entity{
		"before":           {Kind: message.Bold, Offset: -1, Length: 2},
		"after":            {Kind: message.Bold, Offset: 7, Length: 1},
		"too long":         {Kind: message.Bold, Offset: 2, Length: 100},
		"negative length":  {Kind: message.Bold, Offset: 2, Length: -1},
		"overflow":         {Kind: message.Bold, Offset: 1, Length: 1<<63 - 1},
		"starts in a pair": {Kind: message.Bold, Offset: 2, Length: 1},
		"ends in a pair":   {Kind: message.Bold, Offset: 0, Length: 2},
	} {
		_, _, err := markup.Fix("a\U0001F600bcd", []message.Entity{e})
		if !errors.Is(err, markup.ErrBounds) {
			t.Errorf("%s: %v, want ENTITY_BOUNDS_INVALID", name, err)
		}
	}
}

func TestFixMovesMarkupWithTheText(t *testing.T) {
	text, list, err := markup.Fix("  \n\U0001F600 bold \t", []message.Entity{
		{Kind: message.Bold, Offset: 6, Length: 6},
		{Kind: message.Italic, Offset: 0, Length: 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	if text != "\U0001F600 bold" {
		t.Errorf("text %q", text)
	}
	if len(list) != 1 || list[0].Offset != 3 || list[0].Length != 4 {
		t.Errorf("markup %+v", list)
	}
}

func TestFind(t *testing.T) {
	for text, want := range map[string][]string{
		"see https://example.org/a_(b)?c=1, please": {"https://example.org/a_(b)?c=1"},
		"(https://example.org/x)":                   {"https://example.org/x"},
		"пример: президент.рф и example.com.":       {"президент.рф", "example.com"},
		"No.This is not.A link":                     nil,
		"mail me@example.org now":                   {"me@example.org"},
		"@alice and @bob_2, not a@b":                {"@alice", "@bob_2"},
		"#سلام and #тег but not #1":                 {"#سلام", "#тег"},
		"$USD or $usd":                              {"$USD"},
		"/start and /help@some_bot, not a/b":        {"/start", "/help@some_bot"},
		"plain":                                     nil,
	} {
		var got []string
		for _, e := range markup.Find(text) {
			got = append(got, markup.Cut(text, e.Offset, e.Length))
		}
		if len(got) != len(want) {
			t.Errorf("%q: found %q, want %q", text, got, want)
			continue
		}
		seen := make(map[string]bool)
		for _, g := range got {
			seen[g] = true
		}
		for _, w := range want {
			if !seen[w] {
				t.Errorf("%q: found %q, want %q", text, got, want)
			}
		}
	}
}

func TestNothingIsFoundInsideCode(t *testing.T) {
	_, list, err := markup.Fix("@alice", []message.Entity{{Kind: message.Code, Length: 6}})
	if err != nil || len(list) != 1 || list[0].Kind != message.Code {
		t.Errorf("markup %+v, %v", list, err)
	}
}

func FuzzFix(f *testing.F) {
	f.Add("a\U0001F600 https://example.org @bob #tag", 1, 2)
	f.Add("\r\n\x00 x", 0, 4)
	f.Fuzz(func(t *testing.T, text string, offset, length int) {
		if !utf8.ValidString(text) {
			return
		}
		out, list, err := markup.Fix(text, []message.Entity{
			{Kind: message.Bold, Offset: offset, Length: length},
		})
		if err != nil {
			return
		}
		n := markup.Length(out)
		for _, e := range list {
			if e.Offset < 0 || e.Length <= 0 || e.Offset+e.Length > n {
				t.Fatalf("%+v in %q of %d", e, out, n)
			}
		}
	})
}
