package statement

import (
	"embed"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"

	"parley/internal/chat/message"
	"parley/internal/safety"
	"parley/internal/safety/country"
	"parley/internal/safety/decide"
	"parley/internal/safety/words"
)

// files has the words of all letters, one file for each language.
//
//go:embed texts/*.toml
var files embed.FS

// texts are the words: language, key, text.
type texts map[string]map[string]string

// in is the language of a tag such as "de-AT", the fallback where there are no texts in it.
func (t texts) in(tag string) string {
	base, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(tag, "_", "-")), "-")
	if _, ok := t[base]; ok {
		return base
	}
	return words.Fallback
}

// Marks around what is put into a text, so that its direction changes nothing around it.
//
// https://www.unicode.org/reports/tr9/#Explicit_Directional_Isolates
const (
	isolate = "\u2068"
	popped  = "\u2069"
)

// get is a text with what is put into it, each part with its own direction.
func (t texts) get(lang, key string, args ...string) string {
	form := t[lang][key]
	if len(args) == 0 {
		return form
	}
	parts := make([]any, len(args))
	for i, a := range args {
		parts[i] = isolate + a + popped
	}
	return fmt.Sprintf(form, parts...)
}

// Part is a paragraph of a letter: what it is about, and what it says.
type Part struct {
	// Name is the key of Label, by which pages tell the parts apart.
	Name        string
	Label, Text string
}

// part is a paragraph made of the texts.
func (t texts) part(lang, name, text string) Part {
	return Part{Name: name, Label: t.get(lang, "name."+name), Text: text}
}

// moment is a time as all languages write it here: digits that cannot be mistaken.
func moment(unix int64) string { return time.Unix(unix, 0).UTC().Format("2006-01-02 15:04 UTC") }

// day is the day of a time.
func day(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.DateOnly) }

// Text is the statement of reasons for a decision in a language: a title, and all that DSA Art.
// 17(3) wants said, in its order.
//
// https://eur-lex.europa.eu/eli/reg/2022/2065/oj
func (s *Service) Text(d decide.Decision, lang string) (title string, parts []Part) {
	t := s.texts
	lang = t.in(lang)
	rule := "terms"
	if d.Ground == safety.Illegal {
		rule = "law"
	}
	found := "means.found"
	if d.Means.Detected {
		found = "means.detected"
	}
	parts = []Part{
		t.part(lang, "subject", s.subject(d, lang)),
		t.part(lang, "measures", s.measures(d, lang)),
		t.part(lang, "territory", s.territory(d, lang)),
		t.part(lang, "duration", s.duration(d, lang)),
		t.part(lang, "facts", isolate+d.Found(s.References)+popped),
		t.part(lang, "source", t.get(lang, source(d))),
		t.part(lang, "means", t.get(lang, found)+" "+
			t.get(lang, "decided."+string(d.Means.Decided))),
		t.part(lang, rule, isolate+d.Reference+popped),
		t.part(lang, "explanation", isolate+d.Explanation+popped),
		t.part(lang, "redress", t.get(lang, "redress")),
		t.part(lang, "reference", isolate+s.Reference(d)+popped),
	}
	return t.get(lang, "title."+d.Subject.Kind.String()), parts
}

// source is the key of the text that says how a decision came about. The word of the EU's database
// knows no orders, but whom one concerns is told (DSA Art. 9(5)).
func source(d decide.Decision) string {
	if d.Ordered {
		return "source.order"
	}
	return "source." + string(d.Source)
}

// Reference is what the person concerned finds a decision by.
func (s *Service) Reference(d decide.Decision) string {
	return s.References.Make(safety.StatementRef, d.Subject.Peer, d.ID)
}

func (s *Service) subject(d decide.Decision, lang string) string {
	key := "subject." + d.Subject.Kind.String()
	if d.Subject.Kind == safety.Message && d.ContentDate > 0 {
		return s.texts.get(lang, key+".dated", moment(d.ContentDate))
	}
	return s.texts.get(lang, key)
}

// measures says what was decided, a line for each measure.
func (s *Service) measures(d decide.Decision, lang string) string {
	t := s.texts
	lines := make([]string, len(d.Measures))
	for i, m := range d.Measures {
		key := "measure." + m.Measure.String() + "." + d.Subject.Kind.String()
		switch {
		case m.Measure != safety.Label:
			lines[i] = t.get(lang, key)
		case d.Subject.Kind == safety.Message:
			lines[i] = t.get(lang, key, m.Detail)
		default:
			lines[i] = t.get(lang, key, t.get(lang, "word."+m.Detail))
		}
	}
	return strings.Join(lines, "\n")
}

// scoped joins what is said of each measure: once where all are alike, else measure by measure.
func (s *Service) scoped(
	d decide.Decision, lang string, say func(safety.MeasureSpec) string,
) string {
	var lines []string
	alike := true
	for _, m := range d.Measures {
		one := d
		one.Measures = []safety.MeasureSpec{m}
		lines = append(lines, s.measures(one, lang)+" "+say(m))
		alike = alike && say(m) == say(d.Measures[0])
	}
	if alike && len(d.Measures) > 0 {
		return say(d.Measures[0])
	}
	return strings.Join(lines, "\n")
}

func (s *Service) territory(d decide.Decision, lang string) string {
	return s.scoped(d, lang, func(m safety.MeasureSpec) string {
		if len(m.Territory) == 0 {
			return s.texts.get(lang, "territory.all")
		}
		list := make([]string, len(m.Territory))
		for i, code := range m.Territory {
			list[i] = country.Code(code).Name(lang)
		}
		all := strings.Join(list, s.texts.get(lang, "list"))
		return s.texts.get(lang, "territory.some", all)
	})
}

func (s *Service) duration(d decide.Decision, lang string) string {
	return s.scoped(d, lang, func(m safety.MeasureSpec) string {
		if m.Ends == 0 {
			return s.texts.get(lang, "duration.open")
		}
		return s.texts.get(lang, "duration.until", moment(m.Ends))
	})
}

// content is a letter as a message: the title and the labels are bold.
func content(title string, parts []Part) message.Content {
	var b strings.Builder
	var c message.Content
	units := 0
	write := func(text string, bold bool) {
		n := len(utf16.Encode([]rune(text)))
		if bold && n > 0 {
			c.Entities = append(c.Entities, message.Entity{
				Kind: message.Bold, Offset: units, Length: n,
			})
		}
		b.WriteString(text)
		units += n
	}
	write(title, true)
	for _, p := range parts {
		write("\n\n", false)
		if p.Label != "" {
			write(p.Label, true)
			write("\n", false)
		}
		write(p.Text, false)
	}
	c.Text = b.String()
	return c
}
