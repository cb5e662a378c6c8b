package markup

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"parley/internal/chat/message"
)

// finder is a kind of markup with the shape that gives it away.
type finder struct {
	kind message.EntityKind
	// needs tells whether a text can have any; the expression is not tried on others.
	needs func(text string) bool
	shape *regexp.Regexp
	// sure looks at a candidate once more.
	sure func(found string) bool
}

// finders are tried in this order; what one takes the later ones leave. Go's expressions take
// linear time, so no text can make them slow. They do not count classes of letters, whose copies
// would take longest at the start of the process: sure counts.
var finders = []finder{
	{message.URL, has("://"), regexp.MustCompile(
		`(?i)\b(?:https?|ftp|tg|ton)://[^\s<>"«»\x{200b}]+`), webAddress},
	{message.Email, has("@"), regexp.MustCompile(
		`(?i)[a-z0-9._%+-]{1,64}@(?:[a-z0-9-]{1,63}\.)+[a-z]{2,24}\b`), nil},
	{message.URL, dotted, regexp.MustCompile(
		`(?i)(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+\p{L}{2,}` +
			`(?::\d{1,5})?(?:[/?#][^\s<>"«»\x{200b}]*)?`), bareAddress},
	{message.Mention, has("@"), regexp.MustCompile(`@[A-Za-z0-9_]{3,32}`), nil},
	{message.Hashtag, has("#"), regexp.MustCompile(`#[\p{L}\p{N}\p{M}_·]+`), hashtag},
	{message.Cashtag, has("$"), regexp.MustCompile(`\$[A-Z]{1,8}`), nil},
	{message.BotCommand, has("/"), regexp.MustCompile(
		`/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?`), nil},
}

// has is the need of a part that every match contains.
func has(part string) func(string) bool {
	return func(text string) bool { return strings.Contains(text, part) }
}

// dotted tells whether a full stop stands within a word, not only at the end of sentences.
func dotted(text string) bool {
	for {
		_, after, ok := strings.Cut(text, ".")
		if !ok {
			return false
		}
		if r, _ := utf8.DecodeRuneInString(after); unicode.IsLetter(r) {
			return true
		}
		text = after
	}
}

// Find returns the markup that a text has by itself.
func Find(text string) []message.Entity {
	if !strings.ContainsAny(text, "@#$/.:") {
		return nil
	}
	var spans [][2]int
	var out []message.Entity
	for _, f := range finders {
		if !f.needs(text) {
			continue
		}
		for _, m := range f.shape.FindAllStringIndex(text, -1) {
			from, to := m[0], m[0]+len(shorten(f.kind, text[m[0]:m[1]]))
			if to <= from || taken(spans, from, to) || !alone(f.kind, text, from, to) {
				continue
			}
			if f.sure != nil && !f.sure(text[from:to]) {
				continue
			}
			spans = append(spans, [2]int{from, to})
			out = append(out, message.Entity{
				Kind: f.kind, Offset: Length(text[:from]), Length: Length(text[from:to]),
			})
		}
	}
	return out
}

func taken(spans [][2]int, from, to int) bool {
	for _, s := range spans {
		if from < s[1] && s[0] < to {
			return true
		}
	}
	return false
}

// shorten takes off punctuation that ends a sentence rather than an address, and a bracket that was
// opened before it.
func shorten(kind message.EntityKind, found string) string {
	if kind != message.URL {
		return found
	}
	for {
		cut := strings.TrimRight(found, ".,;:!?'\"…")
		for _, pair := range []string{"()", "[]", "{}"} {
			if strings.HasSuffix(cut, pair[1:]) &&
				strings.Count(cut, pair[:1]) < strings.Count(cut, pair[1:]) {
				cut = cut[:len(cut)-1]
			}
		}
		if cut == found {
			return cut
		}
		found = cut
	}
}

// alone tells whether a candidate is a word of its own.
func alone(kind message.EntityKind, text string, from, to int) bool {
	before, ok := last(text, from)
	if ok && (wordy(before) || kind != message.URL && before == '/' || before == '@') {
		return false
	}
	if kind == message.URL || kind == message.Email {
		return true
	}
	if ok && before == rune(text[from]) {
		return false
	}
	for _, after := range text[to:] {
		return !wordy(after)
	}
	return true
}

func wordy(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }

func webAddress(found string) bool {
	u, err := url.Parse(found)
	return err == nil && u.Host != ""
}

// bareAddress tells a host name without a scheme from words that a full stop joins: its ending must
// be one that is registered.
func bareAddress(found string) bool {
	u, err := url.Parse("http://" + found)
	if err != nil {
		return false
	}
	host, err := idna.ToASCII(strings.ToLower(u.Hostname()))
	if err != nil || slices.ContainsFunc(strings.Split(host, "."), overlong) {
		return false
	}
	suffix, managed := publicsuffix.PublicSuffix(host)
	return managed && suffix != host
}

// hashtagMost is how many characters may follow a number sign.
const hashtagMost = 255

// labelMost is how many bytes a part of a host name has at most (RFC 1035, section 2.3.4).
const labelMost = 63

func overlong(label string) bool { return len(label) > labelMost }

func hashtag(found string) bool {
	return strings.ContainsFunc(found, unicode.IsLetter) &&
		utf8.RuneCountInString(found) <= 1+hashtagMost
}
