package answer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"parley/internal/safety"
	"parley/internal/safety/policy"
	"parley/internal/tlog/paper"
)

// Letter is a signed paper in words: what a page or a printed letter says of it. Every part is
// plain text.
type Letter struct {
	// Lang is the language, RTL whether it is written from right to left.
	Lang string
	RTL  bool
	// Title and Text say what the paper is about, Reasons what people wrote in it.
	Title, Text, Reasons string
	Fields               []Field
	// Missing are the fields that are missing or wrong, Items what became of each thing.
	Missing []string
	Items   []Line
	// Foot names the signed paper by its digest.
	Foot string
}

// Field is a name and a value.
type Field struct{ Name, Value string }

// Line is what became of one thing that an order names.
type Line struct {
	N        int64
	Location string
	State    string
}

// Letter says a signed paper in words, in a language or the nearest that there is. It is an error
// if this service did not sign it.
func (s *Signer) Letter(signed []byte, lang string) (Letter, error) {
	p, err := s.Read(signed)
	if err != nil {
		return Letter{}, err
	}
	lang = s.Lang(lang)
	say := func(key string) string { return s.text(lang, key) }
	sum := sha256.Sum256(signed)
	out := Letter{
		Lang: lang, RTL: rtl(lang),
		Title: say(string(p.Kind) + ".title"), Text: say(string(p.Kind) + ".text"),
		Reasons: p.Text, Foot: say("foot") + " " + hex.EncodeToString(sum[:]),
	}
	document := "document"
	if p.Instrument == paper.Question {
		out.Text, document = say("question.text"), "message"
	}
	for _, f := range []struct{ name, value string }{
		{"reference", p.Reference}, {"number", p.Number}, {"agency", p.Agency},
		{"law", s.Law(lang, p.Law)},
		{"received", p.Received}, {"due", p.Due}, {document, p.Document},
		{"given", say("given." + p.Given)}, {"reason", s.reason(lang, p.Reason)},
	} {
		if f.value != "" {
			out.Fields = append(out.Fields, Field{say("field." + f.name), f.value})
		}
	}
	if g := p.Package; g != nil {
		out.Fields = append(out.Fields, Field{say("field.package"), g.Digest},
			Field{say("field.manifest"), g.Manifest}, Field{say("field.key"), g.Key},
			Field{say("field.until"), g.Until})
	}
	for _, m := range p.Missing {
		out.Missing = append(out.Missing, s.Missing(lang, m))
	}
	for _, i := range p.Items {
		out.Items = append(out.Items, Line{i.N, i.Location, s.state(lang, i)})
	}
	return out, nil
}

// Marks around what is put into a line, so that its direction changes nothing around it: a date
// must not be turned about in a line that is written from right to left.
//
// https://www.unicode.org/reports/tr9/#Explicit_Directional_Isolates
const isolate, popped = "\u2068", "\u2069"

// apart is a text that is put into a line of a language.
func apart(lang, text string) string {
	if !rtl(lang) || text == "" {
		return text
	}
	return isolate + text + popped
}

// rtl tells whether a language is written from right to left.
func rtl(lang string) bool { return lang == "ar" || lang == "fa" }

// state says what became of an item, where, and until when.
func (s *Signer) state(lang string, i paper.Item) string {
	say := func(key string) string { return s.text(lang, key) }
	parts := []string{say("state." + i.State)}
	put := func(text string) { parts = append(parts, apart(lang, text)) }
	if i.Measure != "" {
		where := say("item.everywhere")
		if len(i.Territory) > 0 {
			where = say("item.where") + " " + apart(lang, strings.Join(i.Territory, ", "))
		}
		if word := say("measure." + i.Measure); word != "" {
			parts = append(parts, word)
		} else {
			put(i.Measure)
		}
		parts = append(parts, where)
	}
	if i.Until != "" {
		parts = append(parts, say("item.until")+" "+apart(lang, i.Until))
	}
	if i.Reason != "" && i.State != i.Reason {
		put(s.reason(lang, i.Reason))
	}
	if i.At != "" {
		put(i.At)
	}
	for _, d := range i.Data {
		text := say("data."+d.Class) + ": " + say("datum."+d.Given)
		if d.Reason != "" {
			text += " (" + apart(lang, s.reason(lang, d.Reason)) + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// reason is what a reason is called in a language, with the word that the signed paper has for it,
// which alone stands there where it has no name.
func (s *Signer) reason(lang, code string) string {
	if name := s.text(lang, "class."+code); code != "" && name != "" {
		return name + " [" + code + "]"
	}
	return code
}

// Missing says in a language what is missing or wrong with a field, behind the law that wants it.
// What somebody has found and written stands there as he wrote it.
func (s *Signer) Missing(lang string, m paper.Missing) string {
	lang = s.Lang(lang)
	field := s.text(lang, "want."+m.Field)
	if field == "" {
		field = m.Field
	}
	what, rest := s.text(lang, "what."+m.What), ""
	if kind, places, ok := strings.Cut(m.What, ": "); ok && what == "" {
		what, rest = s.text(lang, "what."+kind), ": "+apart(lang, places)
	}
	if what == "" {
		what, rest = apart(lang, m.What), ""
	}
	return apart(lang, s.Law(lang, m.Law)) + ": " + field + ": " + what + rest
}

// citation finds in a provision what has a name in every language: the act, article or form.
var citation = regexp.MustCompile(
	`Regulation \(EU\) (?P<regulation>\d+/\d+)|` +
		`Art\. (?P<article>\d+(?:\(\w+\))*)|Form (?P<form>\d+)`)

// Law is a provision as a language cites it. One that has no name in it, such as that of another
// country, stands there as it is.
func (s *Signer) Law(lang, provision string) string {
	lang = s.Lang(lang)
	if text := s.text(lang, "law."+provision); text != "" {
		return text
	}
	names := citation.SubexpNames()
	return citation.ReplaceAllStringFunc(provision, func(part string) string {
		for i, number := range citation.FindStringSubmatch(part)[1:] {
			if number != "" {
				return fmt.Sprintf(s.text(lang, "law."+names[i+1]), number)
			}
		}
		return part
	})
}

// Why is a reason of the service's own in a language, by its name; see the texts.
func (s *Signer) Why(lang, name string) string { return s.text(s.Lang(lang), "why."+name) }

// Duty is in a language what has to be done within a period, whose English words an instrument has.
// Those of an instrument that the program does not come with stand there as they are.
func (s *Signer) Duty(lang, duty string) string {
	if text := s.text(s.Lang(lang), "duty."+duty); text != "" {
		return text
	}
	return duty
}

// Reason is what a class of reasons is called in a language, with the class itself.
func (s *Signer) Reason(lang, class string) string { return s.reason(s.Lang(lang), class) }

// Measure is what a measure does, in a language; empty for one that no order leads to.
func (s *Signer) Measure(lang string, m safety.Measure) string {
	return s.text(s.Lang(lang), "measure."+m.String())
}

// Class is the name of a class of data in a language.
func (s *Signer) Class(lang string, class policy.Data) string {
	return s.text(s.Lang(lang), "data."+string(class))
}

// String is the letter as plain text.
func (l Letter) String() string {
	var b strings.Builder
	b.WriteString(l.Title + "\n\n" + l.Text + "\n\n")
	for _, f := range l.Fields {
		b.WriteString(f.Name + ": " + apart(l.Lang, f.Value) + "\n")
	}
	for _, m := range l.Missing {
		b.WriteString("- " + m + "\n")
	}
	for _, i := range l.Items {
		b.WriteString("- " + i.Location + "\n  " + i.State + "\n")
	}
	if l.Reasons != "" {
		b.WriteString("\n" + l.Reasons + "\n")
	}
	b.WriteString("\n" + l.Foot + "\n")
	return b.String()
}
