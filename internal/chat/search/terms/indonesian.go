package terms

import "strings"

const (
	// minIndonesian is the shortest word that is taken for a derived Indonesian one, in letters.
	minIndonesian = 6
	// minRoot is the shortest root that may be left.
	minRoot = 4
)

// indonesian returns the roots that a word may be derived from in Indonesian, if it looks like one:
// first the endings go, then one prefix, which may have swallowed the root's first consonant. There
// is no dictionary, so there may be two candidates, and some are no words.
func indonesian(text string) []string {
	if len(text) < minIndonesian || !looksIndonesian(text) {
		return nil
	}
	var list []string
	for _, base := range withoutEndings(text) {
		if base != text {
			list = append(list, base)
		}
		list = append(list, withoutPrefix(base)...)
	}
	return list
}

// looksIndonesian refuses spellings that Indonesian does not have: doubled consonants, foreign
// letters, and clusters of English, German and French.
func looksIndonesian(text string) bool {
	for i := range len(text) {
		doubled := i > 0 && text[i] == text[i-1] && !isVowel(text[i])
		if doubled || strings.IndexByte("qxv", text[i]) >= 0 {
			return false
		}
	}
	for _, foreign := range []string{"th", "ph", "ck", "ch", "sh", "ght", "eau", "tz", "ee"} {
		if strings.Contains(text, foreign) {
			return false
		}
	}
	return true
}

// withoutEndings returns a word without particle and possessive, and next without the derivational
// ending; the word itself comes first when neither is there.
func withoutEndings(text string) []string {
	text = trimOne(text, "lah", "kah", "tah", "pun")
	text = trimOne(text, "nya", "ku", "mu")
	list := []string{text}
	for _, suffix := range []string{"kan", "an", "i"} {
		if rest, found := strings.CutSuffix(text, suffix); found && len(rest) >= minRoot {
			list = append(list, rest)
		}
	}
	return list
}

// trimOne takes away the first ending that leaves a root.
func trimOne(text string, endings ...string) string {
	for _, ending := range endings {
		if rest, found := strings.CutSuffix(text, ending); found && len(rest) >= minRoot {
			return rest
		}
	}
	return text
}

// withoutPrefix returns the candidates for a word without its prefix.
func withoutPrefix(text string) []string {
	var list []string
	add := func(swallowed, rest string) {
		if root := swallowed + rest; len(root) >= minRoot {
			list = append(list, root)
		}
	}
	for _, nasal := range []string{"me", "pe"} {
		rest, found := strings.CutPrefix(text, nasal)
		if !found || rest == "" {
			continue
		}
		afterNasal(rest, add)
		return list
	}
	for _, prefix := range []string{"ber", "ter", "di", "ke", "se"} {
		if rest, found := strings.CutPrefix(text, prefix); found {
			add("", rest)
			return list
		}
	}
	return nil
}

// afterNasal handles what follows me- and pe-, whose nasal merges with the first sound of the root.
func afterNasal(rest string, add func(swallowed, rest string)) {
	for _, change := range []struct{ nasal, swallowed string }{
		{"ny", "s"}, {"ng", "k"}, {"m", "p"}, {"n", "t"},
	} {
		root, found := strings.CutPrefix(rest, change.nasal)
		if !found || root == "" {
			continue
		}
		if isVowel(root[0]) {
			add(change.swallowed, root)
			// meng- also stands before a root that begins with a vowel, and me- before one
			// that begins with the nasal itself.
			if change.nasal == "ng" {
				add("", root)
			} else if change.nasal != "ny" {
				add("", rest)
			}
			return
		}
		add("", root)
		return
	}
	if strings.IndexByte("lrwy", rest[0]) >= 0 {
		add("", rest)
	}
}
