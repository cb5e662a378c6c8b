package intake

import (
	"embed"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"parley/internal/safety"
)

//go:embed menu.tsv
var menuFile string

// menuTexts has the words of the menu, one file for each language.
//
//go:embed texts/*.tsv
var menuTexts embed.FS

// defaultLang is the language of people whose own is not among the texts.
const defaultLang = "en"

// ErrOption says that the menu has no such option.
var ErrOption = errors.New("intake: no such option")

// Comment says whether an option wants a comment.
type Comment int

// What an option wants.
const (
	NoComment Comment = iota
	OptionalComment
	RequiredComment
)

// Option is a way through the menu of what can be reported.
type Option struct {
	ID       string
	Lane     safety.Lane
	Category safety.Category
	Keyword  safety.Keyword
	Comment  Comment
	// Leaf is what can be reported; other options lead to further ones.
	Leaf bool
	// Hidden options are in no menu: what clients say that have none.
	Hidden bool
}

// Menu is what a reporter is asked, in his language.
type Menu struct {
	options []Option
	texts   map[string]map[string]string
}

// LoadMenu reads the menu and its texts, and checks that every language has them all.
func LoadMenu() (*Menu, error) {
	m := &Menu{texts: make(map[string]map[string]string)}
	for line := range strings.Lines(menuFile) {
		if line = strings.TrimSuffix(line, "\n"); line == "" || line[0] == '#' {
			continue
		}
		o, err := parseOption(line)
		if err != nil {
			return nil, err
		}
		m.options = append(m.options, o)
	}
	files, err := menuTexts.ReadDir("texts")
	if err != nil {
		return nil, fmt.Errorf("intake: menu: %w", err)
	}
	for _, f := range files {
		if err := m.loadTexts(strings.TrimSuffix(f.Name(), ".tsv")); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func parseOption(line string) (Option, error) {
	f := strings.Split(line, "\t")
	o := Option{ID: f[0]}
	if len(f) == 1 {
		return o, nil
	}
	if len(f) != 5 {
		return o, fmt.Errorf("intake: menu: %q has %d fields", f[0], len(f))
	}
	o.Leaf, o.Category, o.Keyword = true, safety.Category(f[2]), safety.Keyword(f[3])
	for _, l := range safety.Lanes() {
		if l.String() == f[1] {
			o.Lane = l
		}
	}
	switch f[4] {
	case "optional":
		o.Comment = OptionalComment
	case "required":
		o.Comment = RequiredComment
	case "hidden":
		o.Hidden = true
	}
	known := o.Keyword == "" || slices.Contains(o.Category.Keywords(), o.Keyword)
	if o.Lane == 0 || !o.Category.Valid() || !known {
		return o, fmt.Errorf("intake: menu: %q has no such lane, category or keyword", f[0])
	}
	return o, nil
}

func (m *Menu) loadTexts(lang string) error {
	b, err := menuTexts.ReadFile(path.Join("texts", lang+".tsv"))
	if err != nil {
		return fmt.Errorf("intake: menu: %w", err)
	}
	texts := make(map[string]string)
	for line := range strings.Lines(string(b)) {
		key, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		texts[key] = text
	}
	for _, o := range m.options {
		if !o.Hidden && texts[o.ID] == "" || texts["title"] == "" {
			return fmt.Errorf("intake: menu: %s has no text for %q", lang, o.ID)
		}
	}
	m.texts[lang] = texts
	return nil
}

// Find returns the option of an id; ErrOption when there is none.
func (m *Menu) Find(id string) (Option, error) {
	i := slices.IndexFunc(m.options, func(o Option) bool { return o.ID == id })
	if i < 0 || id == "" {
		return Option{}, ErrOption
	}
	return m.options[i], nil
}

// Below returns the options that one leads to; the first ones for "".
func (m *Menu) Below(id string) (out []Option) {
	for _, o := range m.options {
		parent := ""
		if dot := strings.LastIndexByte(o.ID, '.'); dot >= 0 {
			parent = o.ID[:dot]
		}
		if parent == id && !o.Hidden {
			out = append(out, o)
		}
	}
	return out
}

// Langs are the languages that the menu has.
func (m *Menu) Langs() (out []string) {
	for lang := range m.texts {
		out = append(out, lang)
	}
	slices.Sort(out)
	return out
}

// Text is an option's text in a language, by the first part of its tag; the menu's title for "".
func (m *Menu) Text(lang, id string) string {
	if id == "" {
		id = "title"
	}
	lang, _, _ = strings.Cut(strings.ToLower(strings.ReplaceAll(lang, "_", "-")), "-")
	if t := m.texts[lang][id]; t != "" {
		return t
	}
	return m.texts[defaultLang][id]
}

// asked ends the bytes of an option after which a comment has been asked for.
const asked = "?"

// maxOption is the longest option that clients send, in bytes.
const maxOption = 64

// Step is what comes next for a reporter.
type Step struct {
	// Title and Options are a menu to choose from.
	Title   string
	Options []Choice
	// Ask wants a comment, which may be left out when Optional; the reporter comes back with Token.
	Ask, Optional bool
	Token         []byte
	// Done is a choice that can be reported.
	Done *Option
}

// Choice is a line of the menu.
type Choice struct {
	Text  string
	Token []byte
}

// Walk takes a reporter one step further from what his client sent. ErrOption says that it is none
// of ours.
//
// https://core.telegram.org/method/messages.report
func (m *Menu) Walk(lang string, token []byte, comment string) (Step, error) {
	if len(token) > maxOption {
		return Step{}, ErrOption
	}
	id, again := strings.CutSuffix(string(token), asked)
	o, err := m.Find(id)
	if id != "" && err != nil || id == "" && again {
		return Step{}, ErrOption
	}
	if id == "" || !o.Leaf {
		if again {
			return Step{}, ErrOption
		}
		s := Step{Title: m.Text(lang, id)}
		for _, next := range m.Below(id) {
			s.Options = append(s.Options, Choice{m.Text(lang, next.ID), []byte(next.ID)})
		}
		return s, nil
	}
	missing := strings.TrimSpace(comment) == ""
	if missing && (o.Comment == RequiredComment || o.Comment == OptionalComment && !again) {
		return Step{
			Ask: true, Optional: o.Comment == OptionalComment, Token: []byte(id + asked),
		}, nil
	}
	return Step{Done: &o}, nil
}
