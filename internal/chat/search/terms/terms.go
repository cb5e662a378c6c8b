// Package terms turns text into the terms that search compares. Both storage engines keep the very
// same terms, so that what is found does not change when an operator moves to a larger one; and the
// rules go by script, not by a guess of the language, because messages are short and mixed.
//
// Text is folded: compatibility forms, case, diacritics, Arabic vowel signs and the Persian and
// Arabic twins of one letter disappear. A Latin word gives itself and its English, German, French
// and Indonesian stems, a Cyrillic one its Russian stem, an Arabic one what is left without article
// and endings. Scripts whose words stand unseparated, and Korean, whose particles cling to words,
// give overlapping pairs of characters.
//
// Every text finds itself: of each group of Query(t) Index(t) holds an alternative, unless a limit
// was reached. Parts of German compounds, misspelled words and synonyms are not found. The package
// keeps nothing and ranks nothing.
package terms

// Pipeline names the rules in this package. It changes whenever Index gives other terms for the
// same text: stored terms of another pipeline must be made anew.
const Pipeline = "parley-1"

const (
	// MaxTerms is the largest number of terms of one text; what comes later is not found.
	MaxTerms = 4096
	// MaxGroups is the largest number of groups of one query; later words are not asked for.
	MaxGroups = 32
	// MaxTerm is the longest term, in characters; longer words are cut.
	MaxTerm = 64
)

// Marks that begin the terms of hashtags and mentions. They are letters, so that no engine's own
// tokenizer splits them off, and folding turns them into plain ones, so that no word has them.
const (
	hashtagMark = 'ʰ'
	mentionMark = 'ᵐ'
)

// Index returns the terms under which a text is to be found, each once, in the order of their first
// appearance. They consist of letters and numbers alone, so that no engine splits them.
func Index(text string) []string {
	set := newTermSet(MaxTerms)
	scan(text, func(w word) bool {
		w.index(set)
		return !set.full()
	})
	return set.list
}

// Query returns what to look for: one group for each word of the text, holding alternatives. A
// document matches when its terms have at least one of every group. Text without words gives none.
func Query(text string) [][]string {
	var groups [][]string
	seen := make(map[string]bool)
	scan(text, func(w word) bool {
		for _, group := range w.query() {
			if len(groups) == MaxGroups {
				break
			}
			// A group's first alternative tells it apart: all others follow from it.
			if len(group) > 0 && !seen[group[0]] {
				seen[group[0]] = true
				groups = append(groups, group)
			}
		}
		return len(groups) < MaxGroups
	})
	return groups
}

// Words returns the folded words of a text as they are, without stems or pairs, each once: for
// lists of names, which are searched by their beginnings.
func Words(text string) []string {
	set := newTermSet(MaxTerms)
	take := func(w word) bool {
		set.add(joined(w.text))
		return !set.full()
	}
	scan(text, func(w word) bool {
		if w.kind == hashtag || w.kind == mention {
			return visitParts(w.text, take)
		}
		return take(w)
	})
	return set.list
}

// termSet collects distinct terms up to a limit.
type termSet struct {
	limit int
	list  []string
	seen  map[string]struct{}
}

func newTermSet(limit int) *termSet {
	return &termSet{limit: limit, seen: make(map[string]struct{})}
}

// full says whether the limit is reached.
func (s *termSet) full() bool { return len(s.list) >= s.limit }

// add takes a term, cut to the longest allowed.
func (s *termSet) add(term string) {
	term = cut(term)
	if _, there := s.seen[term]; there || term == "" || s.full() {
		return
	}
	s.seen[term] = struct{}{}
	s.list = append(s.list, term)
}

// cut shortens a term to MaxTerm characters.
func cut(term string) string {
	if len(term) <= MaxTerm {
		return term
	}
	count := 0
	for i := range term {
		if count == MaxTerm {
			return term[:i]
		}
		count++
	}
	return term
}
