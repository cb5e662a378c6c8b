package help

import (
	"cmp"
	"fmt"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"parley/internal/api"
	"parley/internal/chat"
)

// Numbers of accounts without a phone begin with 888, a calling code that no network uses. Clients
// know its "country" by the code FT.
const (
	anonymousCode    = "888"
	anonymousISO     = "FT"
	anonymousName    = "Anonymous Numbers"
	anonymousPattern = "XXXX XXXX"
)

// region is a country with its calling code, as the numbering plans have it.
type region struct {
	iso      string
	code     string
	prefixes []string
	pattern  string
	english  string
}

// regions reads the numbering plans once.
var regions = sync.OnceValues(func() ([]region, error) {
	plans, err := phonenumbers.MetadataCollection()
	if err != nil {
		return nil, fmt.Errorf("help: numbering plans: %w", err)
	}
	leading := make(map[string]string)
	for _, m := range plans.GetMetadata() {
		leading[m.GetId()] = m.GetLeadingDigits()
	}
	english := display.English.Regions()
	out := []region{{
		iso: anonymousISO, code: anonymousCode, pattern: anonymousPattern, english: anonymousName,
	}}
	for iso := range phonenumbers.GetSupportedRegions() {
		tag, err := language.ParseRegion(iso)
		if err != nil {
			continue
		}
		out = append(out, region{
			iso:      iso,
			code:     strconv.Itoa(phonenumbers.GetCountryCodeForRegion(iso)),
			prefixes: expand(leading[iso]),
			pattern:  pattern(iso),
			english:  english.Name(tag),
		})
	}
	slices.SortFunc(out, func(a, b region) int { return cmp.Compare(a.english, b.english) })
	return out, nil
})

// pattern shows how a mobile number of a country is written, with X for a digit.
func pattern(iso string) string {
	example := phonenumbers.GetExampleNumberForType(iso, phonenumbers.MOBILE)
	if example == nil {
		return ""
	}
	text := phonenumbers.Format(example, phonenumbers.INTERNATIONAL)
	_, national, ok := strings.Cut(text, " ")
	if !ok {
		return ""
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			return 'X'
		case r == '-':
			return ' '
		}
		return r
	}, national)
}

// prefixesMost bounds how many prefixes tell a country from others with its calling code.
const prefixesMost = 64

// expand lists what a plain expression of leading digits, such as "658|876" or "8[02]9", stands
// for; nil when it is none or stands for too many.
func expand(expression string) []string {
	if expression == "" {
		return nil
	}
	re, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil
	}
	list, ok := expandNode(re.Simplify())
	if !ok {
		return nil
	}
	return list
}

func expandNode(re *syntax.Regexp) ([]string, bool) {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}, true
	case syntax.OpEmptyMatch:
		return []string{""}, true
	case syntax.OpCapture:
		return expandNode(re.Sub[0])
	case syntax.OpCharClass:
		var out []string
		for i := 0; i < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1] && len(out) <= prefixesMost; r++ {
				out = append(out, string(r))
			}
		}
		return out, len(out) <= prefixesMost
	case syntax.OpAlternate:
		var out []string
		for _, sub := range re.Sub {
			list, ok := expandNode(sub)
			if out = append(out, list...); !ok || len(out) > prefixesMost {
				return nil, false
			}
		}
		return out, true
	case syntax.OpConcat:
		return expandConcat(re.Sub)
	default:
		return nil, false
	}
}

func expandConcat(parts []*syntax.Regexp) ([]string, bool) {
	out := []string{""}
	for _, part := range parts {
		list, ok := expandNode(part)
		if !ok || len(out)*len(list) > prefixesMost {
			return nil, false
		}
		next := make([]string, 0, len(out)*len(list))
		for _, head := range out {
			for _, tail := range list {
				next = append(next, head+tail)
			}
		}
		out = next
	}
	return out, true
}

// countries lists calling codes with the countries' names in the client's language.
//
// https://core.telegram.org/method/help.getCountriesList
func (h *Handlers) countries(
	_ *api.Call, req *tg.HelpGetCountriesListRequest,
) (tg.HelpCountriesListClass, error) {
	all, err := regions()
	if err != nil {
		return nil, err
	}
	names, err := regionNames(req.LangCode)
	if err != nil {
		return nil, err
	}
	out := &tg.HelpCountriesList{Countries: make([]tg.HelpCountry, 0, len(all))}
	for _, r := range all {
		out.Countries = append(out.Countries, r.country(names))
	}
	var b bin.Buffer
	if err := out.Encode(&b); err != nil {
		return nil, err
	}
	out.Hash = digest(b.Buf)
	if req.Hash == out.Hash {
		return &tg.HelpCountriesListNotModified{}, nil
	}
	return out, nil
}

// regionNames returns the names of countries in a language; nil when only English is known.
func regionNames(lang string) (display.Namer, error) {
	if lang == "" {
		return nil, nil
	}
	tag, err := language.Parse(lang)
	if err != nil {
		return nil, chat.Invalid("LANG_CODE_INVALID")
	}
	return display.Regions(tag), nil
}

func (r region) country(names display.Namer) tg.HelpCountry {
	code := tg.HelpCountryCode{CountryCode: r.code}
	if len(r.prefixes) > 0 {
		code.SetPrefixes(r.prefixes)
	}
	if r.pattern != "" {
		code.SetPatterns([]string{r.pattern})
	}
	code.SetFlags()
	out := tg.HelpCountry{
		ISO2: r.iso, DefaultName: r.english, CountryCodes: []tg.HelpCountryCode{code},
	}
	if names != nil && r.iso != anonymousISO {
		if tag, err := language.ParseRegion(r.iso); err == nil {
			if name := names.Name(tag); name != "" && name != r.english {
				out.SetName(name)
			}
		}
	}
	out.SetFlags()
	return out
}
