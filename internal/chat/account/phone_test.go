package account

import (
	"errors"
	"strings"
	"testing"
)

func TestPhone(t *testing.T) {
	for written, want := range map[string]string{
		"+49 151 12345678":      "4915112345678",
		"49 (151) 1234-5678":    "4915112345678",
		"+49 (0)151 12345678":   "4915112345678",
		"004915112345678":       "4915112345678",
		"+390612345678":         "390612345678",
		"+15551234567":          "15551234567",
		"9996621234":            "9996621234",
		"+999 66 2 1234":        "9996621234",
		"+888 0421 7730":        "88804217730",
		"1234567":               "1234567",
		"123456789012345":       "123456789012345",
		"+7\u00a0912 345-67-89": "79123456789",
	} {
		got, err := Phone(written)
		if err != nil || got != want {
			t.Errorf("Phone(%q) = %q, %v, want %q", written, got, err, want)
		}
	}
	for _, written := range []string{
		"", "+", "123456", "1234567890123456", "+0123456789", "call me", "1234567x", "12345+67",
		"+49 151 1234567\n", strings.Repeat("1", 1000), "00",
	} {
		if got, err := Phone(written); !errors.Is(err, ErrPhone) {
			t.Errorf("Phone(%q) = %q, %v", written, got, err)
		}
	}
}

func FuzzPhone(f *testing.F) {
	for _, seed := range []string{"+49 (0)151 12345678", "004915112345678", "9996621234", "+", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, written string) {
		phone, err := Phone(written)
		if err != nil {
			return
		}
		if len(phone) < phoneLeast || len(phone) > phoneMost || phone[0] == '0' ||
			strings.Trim(phone, "0123456789") != "" {
			t.Errorf("Phone(%q) = %q", written, phone)
		}
		again, err := Phone("+" + phone)
		if err != nil || again != phone {
			t.Errorf("Phone(%q) = %q, but Phone(%q) = %q, %v", written, phone, phone, again, err)
		}
	})
}

func TestAnonymous(t *testing.T) {
	for number, want := range map[string]bool{
		"88812345678": true, "8881234567": false, "888123456789": false, "4915112345678": false,
	} {
		if anonymous(number) != want {
			t.Errorf("anonymous(%s) = %v", number, !want)
		}
	}
	if code, ok := demoCode("9996621234"); !ok || code != "22222" {
		t.Errorf("code %s, %v", code, ok)
	}
	if _, ok := demoCode("99966212345"); ok {
		t.Error("a demo number of eleven digits")
	}
}

func TestMailPattern(t *testing.T) {
	for address, want := range map[string]string{
		"alice@example.org": "a***e@example.org",
		"a@example.org":     "a***@example.org",
		"ümit@example.org":  "ü***t@example.org",
	} {
		if got := mailPattern(address); got != want {
			t.Errorf("mailPattern(%s) = %s, want %s", address, got, want)
		}
	}
}

func TestDigitsIn(t *testing.T) {
	for text, want := range map[string]string{
		"code: 1 2-3.4\u200b5": "12345",
		"١٢٣٤٥":                "12345",
		"０９":                   "09",
		"𝟎𝟏 and ೫":             "015",
		"none":                 "",
	} {
		if got := digitsIn(text); got != want {
			t.Errorf("digitsIn(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzDigitsIn(f *testing.F) {
	f.Add("code: 1 2 3 4 5")
	f.Add("١٢٣")
	f.Fuzz(func(t *testing.T, text string) {
		if digits := digitsIn(text); strings.Trim(digits, "0123456789") != "" {
			t.Errorf("digitsIn(%q) = %q", text, digits)
		}
	})
}

func TestTextsFitTheirArguments(t *testing.T) {
	for _, c := range []struct {
		t    text
		args []any
	}{
		{textCode, []any{"12345"}}, {textLogin, []any{"Pixel", "now"}},
		{textAttempt, []any{"Pixel", "now"}}, {textNumber, []any{"88812345678"}},
		{textPasswordOn, nil}, {textPasswordOff, nil}, {textReset, nil},
	} {
		if len(c.t.by) != len(textCode.by) {
			t.Errorf("%s is there in %d languages, not in %d", c.t.name, len(c.t.by),
				len(textCode.by))
		}
		for lang := range c.t.by {
			text := c.t.in(lang, c.args...)
			if strings.Contains(text, "%!") {
				t.Errorf("%s in %s: %s", c.t.name, lang, text)
			}
			for _, a := range c.args {
				if !strings.Contains(text, a.(string)) {
					t.Errorf("%s in %s lacks %s", c.t.name, lang, a)
				}
			}
		}
	}
	if textCode.in("xx", "1") != textCode.in("en", "1") ||
		textCode.in("de-AT", "1") == textCode.in("en", "1") {
		t.Error("languages are not told apart")
	}
}
