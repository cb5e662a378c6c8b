package diag

import (
	"encoding"
	"io"
	"log/slog"
	"math/big"
	"net"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// Redacted stands in log lines for what must not be there.
const Redacted = "[redacted]"

// secretWords name values that are secret whatever their type.
var secretWords = wordSet("phone phones tel msisdn code codes token tokens secret secrets " +
	"password passwords passphrase pin key keys authkey keypair salt salts nonce nonces seed srp " +
	"hash hashes cookie cookies credential credentials email otp")

// contentWords name what people write. Numbers and truth values under such a name are harmless.
var contentWords = wordSet("text texts message messages caption captions body content contents " +
	"draft drafts query payload title about bio quote note comment")

// harmlessTails as the last word of a name say that the value is about the secret, not the secret.
var harmlessTails = wordSet("id ids count len length size bytes kind type version layer age")

// publicCodes before "code" make it a protocol's result instead of a login code.
var publicCodes = wordSet("error status exit close http rpc country lang language")

func wordSet(words string) map[string]bool {
	set := make(map[string]bool)
	for _, word := range strings.Fields(words) {
		set[word] = true
	}
	return set
}

// secrecy grades a name.
type secrecy int

const (
	harmless secrecy = iota
	content
	secret
)

// grade returns how secret a value of that name is, judged by the words of the name.
func grade(name string) secrecy {
	words := splitName(name)
	if len(words) == 0 || harmlessTails[words[len(words)-1]] {
		return harmless
	}
	worst := harmless
	for i, word := range words {
		switch {
		case word == "code" && i > 0 && publicCodes[words[i-1]]:
		case secretWords[word]:
			return secret
		case contentWords[word]:
			worst = content
		}
	}
	return worst
}

// splitName cuts snake_case, kebab-case, dotted and camelCase names into lower-case words.
func splitName(name string) []string {
	var words []string
	start := 0
	cut := func(end int) {
		if end > start {
			words = append(words, strings.ToLower(name[start:end]))
		}
	}
	previous := ' '
	for i, r := range name {
		switch {
		case !unicode.IsLetter(r):
			cut(i)
			start = i + len(string(r))
		case unicode.IsUpper(r) && unicode.IsLower(previous):
			cut(i)
			start = i
		}
		previous = r
	}
	cut(len(name))
	return words
}

// redact is the ReplaceAttr of every handler made here.
func redact(groups []string, attr slog.Attr) slog.Attr {
	worst := grade(attr.Key)
	for _, group := range groups {
		worst = max(worst, grade(group))
	}
	switch attr.Value.Kind() {
	case slog.KindString:
		if worst != harmless {
			attr.Value = slog.StringValue(Redacted)
		}
	case slog.KindAny:
		attr.Value = redactAny(attr.Value.Any(), worst)
	default:
		if worst == secret {
			attr.Value = slog.StringValue(Redacted)
		}
	}
	return attr
}

// redactAny lets through only what is known to be harmless. Values that choose their own form by
// slog.LogValuer have been resolved before and do not come here.
func redactAny(value any, worst secrecy) slog.Value {
	switch v := value.(type) {
	case nil, *slog.Source:
		return slog.AnyValue(v)
	case *big.Int, big.Int:
		return slog.StringValue(Redacted)
	}
	typ := reflect.TypeOf(value)
	if typ.Kind() == reflect.Pointer && reflect.ValueOf(value).IsNil() {
		return slog.AnyValue(nil)
	}
	err, isError := value.(error)
	if !isError {
		worst = max(worst, grade(typeName(typ)))
	}
	if worst == secret || worst == content && !isNumber(typ.Kind()) {
		return slog.StringValue(Redacted)
	}
	if isError {
		return slog.StringValue(err.Error())
	}
	switch v := value.(type) {
	case net.Addr:
		return slog.StringValue(v.String())
	case encoding.TextMarshaler:
		if text, err := v.MarshalText(); err == nil {
			return slog.StringValue(string(text))
		}
	}
	if isPlain(typ) {
		return slog.AnyValue(value)
	}
	return slog.StringValue(Redacted)
}

// typeName returns the name of a type, or of what it points to or lists.
func typeName(typ reflect.Type) string {
	for typ.Name() == "" {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array:
			typ = typ.Elem()
		default:
			return ""
		}
	}
	return typ.Name()
}

// isPlain reports whether a type is a number, truth value or string, or a list of those. Lists of
// bytes are not: raw bytes are keys or content.
func isPlain(typ reflect.Type) bool {
	switch typ.Kind() {
	case reflect.String:
		return true
	case reflect.Slice, reflect.Array:
		elem := typ.Elem().Kind()
		return elem != reflect.Uint8 && (elem == reflect.String || isNumber(elem))
	default:
		return isNumber(typ.Kind())
	}
}

func isNumber(kind reflect.Kind) bool {
	return kind >= reflect.Bool && kind <= reflect.Complex128
}

// phoneDigits is the fewest digits after a plus sign that count as a phone number. E.164 has no
// lower bound; the shortest international numbers in use have seven.
//
// https://www.itu.int/rec/T-REC-E.164
const phoneDigits = 7

// pluses are the spellings of the plus sign, plain and as escaped in URLs.
var pluses = []string{"+", "%2B", "%2b"}

// gaps may stand between the digits of a phone number, the last two as a text handler escapes them.
var gaps = []string{" ", "-", ".", "(", ")", "/", "\u00a0", "\u2011", `\u00a0`, `\u2011`}

// scrubber replaces phone numbers in all that is written to w.
type scrubber struct {
	w io.Writer
}

// Write implements io.Writer. It reports all of line as written unless w failed.
func (s scrubber) Write(line []byte) (int, error) {
	if _, err := s.w.Write(scrub(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// scrub returns line with every phone number in international notation replaced. Without one it
// returns line itself.
func scrub(line []byte) []byte {
	var clean []byte
	done := 0
	for i := 0; i < len(line); i++ {
		if n := phoneLen(line[i:]); n > 0 {
			clean = append(append(clean, line[done:i]...), Redacted...)
			i += n - 1
			done = i + 1
		}
	}
	if done == 0 {
		return line
	}
	return append(clean, line[done:]...)
}

// phoneLen returns the length of the phone number that text starts with, or 0.
func phoneLen(text []byte) int {
	if text[0] != '+' && text[0] != '%' {
		return 0
	}
	at := prefixLen(text, pluses)
	if at == 0 {
		return 0
	}
	digits, end := 0, 0
	for at < len(text) {
		if text[at] >= '0' && text[at] <= '9' {
			digits++
			at++
			end = at
			continue
		}
		gap := prefixLen(text[at:], gaps)
		if gap == 0 {
			break
		}
		at += gap
	}
	if digits < phoneDigits {
		return 0
	}
	return end
}

// prefixLen returns the length of the first of prefixes that text starts with, or 0.
func prefixLen(text []byte, prefixes []string) int {
	i := slices.IndexFunc(prefixes, func(prefix string) bool {
		return len(text) >= len(prefix) && string(text[:len(prefix)]) == prefix
	})
	if i < 0 {
		return 0
	}
	return len(prefixes[i])
}
