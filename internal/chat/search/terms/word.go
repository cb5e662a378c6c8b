package terms

import (
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// minPart is the shortest part of a word with a joiner or apostrophe that Index takes as a word
	// of its own, in characters.
	minPart = 2
	// minAskedPart is the shortest that Query takes as an alternative to the whole.
	minAskedPart = 3
)

// index adds the terms of a word. Of dense runs the single characters are added too: a word of one
// character is common in Chinese and Korean, and could not be found among pairs.
func (w word) index(set *termSet) {
	switch w.kind {
	case hashtag, mention:
		set.add(w.name())
		visitParts(w.text, func(part word) bool {
			part.index(set)
			return !set.full()
		})
	case dense:
		single := strings.Split(w.text, "")
		addAll(set, pairs(single))
		addAll(set, single)
	default:
		addAll(set, stems(joined(w.text)))
		if parts := split(w.text); len(parts) > 1 {
			for _, part := range parts {
				if utf8.RuneCountInString(part) >= minPart {
					addAll(set, stems(part))
				}
			}
		}
	}
}

// query returns the groups of alternatives for a word.
func (w word) query() [][]string {
	switch w.kind {
	case hashtag, mention:
		return [][]string{{cut(w.name())}}
	case dense:
		var groups [][]string
		for _, pair := range pairs(withoutParticle(strings.Split(w.text, ""))) {
			groups = append(groups, []string{cut(pair)})
		}
		return groups
	default:
		set := newTermSet(MaxTerms)
		addAll(set, stems(joined(w.text)))
		for _, part := range askedParts(w.text) {
			addAll(set, stems(part))
		}
		return [][]string{set.list}
	}
}

// askedParts returns the parts of a word that may stand for all of it: of a Persian word those
// around a joiner, which others write with a space, of another what follows an apostrophe, as in
// French after a shortened article.
func askedParts(text string) []string {
	parts := split(text)
	if len(parts) == 1 {
		return nil
	}
	if !strings.ContainsRune(text, joiner) {
		parts = parts[len(parts)-1:]
	}
	return slices.DeleteFunc(parts, func(part string) bool {
		return utf8.RuneCountInString(part) < minAskedPart
	})
}

// split returns the parts of a word between joiners and apostrophes.
func split(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == joiner || r == apostrophe })
}

// addAll adds several terms.
func addAll(set *termSet, list []string) {
	for _, term := range list {
		set.add(term)
	}
}

// name returns the term of a hashtag or mention.
func (w word) name() string {
	mark := string(hashtagMark)
	if w.kind == mention {
		mark = string(mentionMark)
	}
	return mark + strings.ReplaceAll(joined(w.text), "_", "")
}

// pairs returns the overlapping pairs of a run of characters; a single one is returned alone.
func pairs(run []string) []string {
	if len(run) < 2 {
		return run
	}
	list := make([]string, len(run)-1)
	for i := range list {
		list[i] = run[i] + run[i+1]
	}
	return list
}
