package country

import "testing"

// TestName: countries have the names of today, in every language of pages.
func TestName(t *testing.T) {
	for _, lang := range []string{"en", "ru", "fa", "ar", "id", "de", "fr", "zh", "ko"} {
		for c, old := range map[Code][]string{
			"MK": {
				"Macedonia", "Македония", "مقدونیه", "مقدونيا", "Makedonia", "Mazedonien", "Macédoine",
				"马其顿", "마케도니아",
			},
			"SZ": {"Swaziland", "Свазиленд", "سوازیلند", "سوازيلاند", "Swasiland", "스와질란드"},
			"TR": {"Turkey"},
			"CV": {"Cape Verde"},
		} {
			name := c.Name(lang)
			for _, x := range old {
				if name == x || name == "" {
					t.Errorf("%s is still called %q in %s", c, name, lang)
				}
			}
		}
	}
	for c, want := range map[Code]string{"DE": "آلمان", "XK": "کوزوو", "QQ": "QQ"} {
		if got := c.Name("fa"); got != want {
			t.Errorf("%s is called %q", c, got)
		}
	}
	if got := Code("DE").Name("qq"); got != "Germany" {
		t.Errorf("a language that nobody speaks calls Germany %q", got)
	}
}
