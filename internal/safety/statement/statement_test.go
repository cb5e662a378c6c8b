package statement_test

import (
	"context"
	"errors"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/pelletier/go-toml/v2"

	"parley/internal/chat"
	"parley/internal/chat/account"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/safety/intake"
	"parley/internal/safety/safetytest"
	"parley/internal/safety/statement"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

func ctx() context.Context { return context.Background() }

func languages() []string { return []string{"en", "ru", "fa", "ar", "id", "de", "fr", "zh", "ko"} }

// verbs are what a text wants put into it.
var verbs = regexp.MustCompile(`%(\[\d\])?s|%`)

func TestTextsAreWhole(t *testing.T) {
	read := func(lang string) (out map[string]string) {
		b, err := statement.Files().ReadFile("texts/" + lang + ".toml")
		if err == nil {
			err = toml.Unmarshal(b, &out)
		}
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	want := read("en")
	for _, lang := range languages() {
		got := read(lang)
		if len(got) != len(want) {
			t.Errorf("%s has %d texts, not %d", lang, len(got), len(want))
		}
		for key, text := range want {
			a, b := len(verbs.FindAllString(text, -1)), len(verbs.FindAllString(got[key], -1))
			if got[key] == "" || a != b {
				t.Errorf("%s: %s is %q", lang, key, got[key])
			}
			if lang != "en" && len(text) > 20 && got[key] == text {
				t.Errorf("%s: %s is not translated", lang, key)
			}
		}
	}
}

// TestStatementsSayAllThatArticle17Wants makes a statement of every measure on every subject in
// every language, and looks for each of its parts.
func TestStatementsSayAllThatArticle17Wants(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	for _, lang := range languages() {
		for kind := safety.Account; kind <= safety.Reaction; kind++ {
			for _, m := range safety.Measures() {
				if m.Fits(kind) {
					complete(t, w, lang, kind, m)
				}
			}
		}
	}
}

func complete(
	t *testing.T, w *safetytest.World, lang string, kind safety.Kind, m safety.Measure,
) {
	t.Helper()
	d := decide.Decision{Draft: safetytest.Draft(0, safety.Subject{Peer: 5, Kind: kind})}
	spec := safety.MeasureSpec{Measure: m, Ends: 1_900_000_000, Territory: []string{"DE", "IR"}}
	if m == safety.Label {
		spec.Detail = "scam"
	}
	d.Measures, d.ContentDate = []safety.MeasureSpec{spec}, 1_700_000_000
	title, parts := w.Statements.Text(d, lang+"-XX")
	if title == "" {
		t.Errorf("%s: no title for a %s", lang, kind)
	}
	said := make(map[string]string)
	for _, p := range parts {
		said[p.Name] = p.Text
		if p.Label == "" || strings.TrimSpace(p.Text) == "" || strings.Contains(p.Text, "%!") {
			t.Errorf("%s: %s of a %s: %+v", lang, m, kind, p)
		}
		depth := 0
		for _, c := range p.Text {
			switch c {
			case '\u2066', '\u2067', '\u2068':
				depth++
			case '\u2069':
				depth--
			}
		}
		if depth != 0 {
			t.Errorf("%s: isolates of %q do not match", lang, p.Text)
		}
	}
	for name, has := range map[string]string{
		"subject": "", "measures": "", "territory": "", "duration": "2030-03-17 17:46 UTC",
		"facts": d.Facts, "source": "", "means": "", "terms": d.Reference,
		"explanation": d.Explanation, "redress": "21", "reference": w.Statements.Reference(d),
	} {
		text := said[name]
		if lang == "fa" && name == "redress" {
			has = "۲۱"
		}
		if text == "" || !strings.Contains(text, has) {
			t.Errorf("%s: %s of a statement is %q, lacks %q", lang, name, text, has)
		}
	}
	if strings.Contains(said["territory"], "DE") {
		t.Errorf("%s: a country is not named: %s", lang, said["territory"])
	}
}

// TestRightToLeft makes sure that a line of a right-to-left text begins with such a letter, so that
// clients lay it out from the right, and that what is put in stands in an isolate.
func TestRightToLeft(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	d := decide.Decision{Draft: safetytest.Draft(0, safety.Subject{Kind: safety.Message})}
	d.ContentDate = 1_700_000_000
	for _, lang := range []string{"fa", "ar"} {
		_, parts := w.Statements.Text(d, lang)
		for _, p := range parts {
			for line := range strings.SplitSeq(p.Label+"\n"+p.Text, "\n") {
				first := []rune(line)[0]
				if first != '\u2068' && !unicode.Is(unicode.Arabic, first) {
					t.Errorf("%s: a line begins with %q: %s", lang, first, line)
				}
			}
			bare := regexp.MustCompile("\u2068[^\u2069]*\u2069").ReplaceAllString(p.Text, "")
			if p.Name != "redress" && strings.ContainsAny(bare, "0123456789%") {
				t.Errorf("%s: something stands outside of isolates: %s", lang, p.Text)
			}
		}
	}
}

// buttons are the buttons under a message, in order.
func buttons(c message.Content) (out []message.Button) {
	for _, row := range c.Buttons {
		out = append(out, row...)
	}
	return out
}

func TestLettersArriveOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := safetytest.New(t, s)
		post := w.Post("send me money")
		report := w.Report(post)
		w.Decide(safetytest.Draft(report.Case, post))
		// The process stops after the message went out and before that was noted: twice.
		w.Statements.Crash = func(string) error { return store.ErrStopped }
		for range 2 {
			if _, err := w.Statements.Deliver(ctx()); !errors.Is(err, store.ErrStopped) {
				t.Errorf("the stopped process went on: %v", err)
			}
		}
		w.Statements.Crash = nil
		if n := w.Deliver(); n != 2 {
			t.Errorf("%d letters", n)
		}
		if n := w.Deliver(); n != 0 {
			t.Errorf("%d letters more", n)
		}
		got := w.Letters(safetytest.Author)
		if len(got) != 1 {
			t.Fatalf("%d messages to the author", len(got))
		}
		// The phone numbers of this world are German, and nobody has a device.
		c := w.Content(got[0])
		if !strings.HasPrefix(c.Text, "Entscheidung über Ihre Nachricht") ||
			!strings.Contains(c.Text, "Terms, rule 3") || len(c.Entities) == 0 {
			t.Errorf("%+v", c)
		}
		units := utf16.Encode([]rune(c.Text))
		for _, e := range c.Entities {
			if e.Offset+e.Length > len(units) {
				t.Errorf("%+v is outside of the text", e)
			}
		}
		if b := buttons(c); len(b) != 4 || b[0].Data == nil ||
			!strings.HasPrefix(b[1].URL, "https://chat.example.org/s/S") ||
			!strings.HasPrefix(b[2].URL, "https://chat.example.org/p/P") ||
			b[3].URL != b[1].URL+"#proof" {
			t.Errorf("%+v", b)
		}
		got = w.Letters(safetytest.Reporter)
		if len(got) != 1 || strings.Contains(w.Content(got[0]).Text, "money") {
			t.Fatalf("%+v to who reported", got)
		}
		if b := buttons(w.Content(got[0])); len(b) != 2 || b[0].Data != nil || b[1].Data != nil {
			t.Errorf("who got what he asked for may complain: %+v", b)
		}
		w.View(func(r *store.Reader) error {
			x, err := r.Report(post.Peer, report.Report)
			if x.Told == 0 {
				t.Error("it is not noted that who reported was told")
			}
			return err
		})
	})
}

// TestLettersGoOutAtOnce: a letter does not wait for another person's, and one person's letters come
// in their order.
func TestLettersGoOutAtOnce(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	var decisions []decide.Decision
	post := w.Post("text")
	report := w.Report(post)
	decisions = append(decisions, w.Decide(safetytest.Draft(report.Case, post)))
	for range 4 {
		w.Clock.Advance(time.Second)
		decisions = append(decisions, w.Decide(safetytest.Draft(0, w.Post("more"))))
	}
	// The author's first letter is not noted as sent before that to who reported is on its way.
	var mu sync.Mutex
	sent, both := 0, make(chan struct{})
	w.Statements.Crash = func(string) error {
		mu.Lock()
		if sent++; sent == 2 {
			close(both)
		}
		mu.Unlock()
		select {
		case <-both:
		case <-t.Context().Done():
		case <-time.After(30 * time.Second):
			t.Error("letters wait for one another")
		}
		return nil
	}
	if n := w.Deliver(); n != len(decisions)+1 {
		t.Errorf("%d letters", n)
	}
	list := w.Letters(safetytest.Author)
	if len(list) != len(decisions) {
		t.Fatalf("%d letters to the author", len(list))
	}
	for i, d := range decisions {
		if text := w.Content(list[i]).Text; !strings.Contains(text, w.Statements.Reference(d)) {
			t.Errorf("letter %d is not about the decision made then: %s", i, text)
		}
	}
}

// TestMisuseIsTold: who misused reports is warned in a message before anything follows, is told until
// when his reports are not dealt with, each once, and gets them dealt with again after that.
func TestMisuseIsTold(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	rule, who, n := intake.Misuse(), safetytest.Reporter, int64(0)
	unfounded := func(many int) {
		t.Helper()
		w.Clock.Advance(time.Second)
		for range many {
			n++
			post := w.Post(strconv.FormatInt(n, 10))
			_, err := w.Decisions.Dismiss(ctx(), post.Peer, w.Report(post).Case,
				safety.Actor{Staff: 7}, casefile.Unfounded, "Nothing is wrong with it.")
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Intake.Count(ctx()); err != nil {
			t.Fatal(err)
		}
	}
	tell := func(want int) {
		t.Helper()
		if got, err := w.Statements.TellStandings(ctx()); err != nil || got != want {
			t.Errorf("told %d, want %d: %v", got, want, err)
		}
	}
	last := func() string {
		t.Helper()
		err := w.Courier.Settled(ctx(), account.ServiceUser.Peer())
		if err != nil {
			t.Fatal(err)
		}
		list := w.Letters(who)
		return w.Content(list[len(list)-1]).Text
	}
	unfounded(rule.Warn)
	unfounded(rule.Suspend)
	w.Report(w.Post("not suspended before the warning has arrived"))
	tell(1)
	tell(0)
	if text := last(); !strings.Contains(text, "Warnung wegen") || !strings.Contains(text, "30") {
		t.Errorf("the warning: %s", text)
	}
	unfounded(rule.Suspend)
	tell(1)
	tell(0)
	if text := last(); !strings.Contains(text, "nicht bearbeitet") ||
		!strings.Contains(text, "2027-02") {
		t.Errorf("the suspension: %s", text)
	}
	report := intake.Report{
		Subject: w.Post("text"), Source: safety.OtherNotification, Reporter: who,
		Category: safety.OtherViolation, Keyword: safety.OtherKeyword, GoodFaith: true,
	}
	if _, err := w.Intake.Report(ctx(), report); !errors.Is(err, intake.ErrSuspended) {
		t.Errorf("a report of who is suspended: %v", err)
	}
	w.Clock.Advance(time.Duration(rule.Days)*24*time.Hour + time.Second)
	if _, err := w.Intake.Report(ctx(), report); err != nil {
		t.Errorf("after its end: %v", err)
	}
}

// write has somebody write to the service account.
func write(w *safetytest.World, from ids.UserID, random int64, text string) {
	w.Helper()
	w.Clock.Advance(time.Second)
	_, err := w.Message.Send(ctx(), message.Outgoing{
		From: from, To: account.ServiceUser.Peer(), Random: random,
		Content: message.Content{Text: text},
	})
	if err == nil {
		err = w.Courier.Settled(ctx(), from.Peer())
	}
	for range 2 {
		if err == nil {
			err = w.Statements.Listen(ctx())
		}
	}
	if err == nil {
		err = w.Courier.Settled(ctx(), account.ServiceUser.Peer())
	}
	if err != nil {
		w.Fatal(err)
	}
}

func TestComplainingInTheServiceChat(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	post := w.Post("text")
	d := w.Decide(safetytest.Draft(0, post))
	w.Deliver()
	letter := w.Letters(safetytest.Author)[0]
	data := buttons(w.Content(letter))[0].Data
	press := func(who ids.UserID, id int64, data []byte) (string, error) {
		return w.Statements.Press(ctx(), who, id, data)
	}
	if _, err := press(safetytest.Author, letter.ID, []byte("other")); !errors.Is(
		err, chat.Invalid("DATA_INVALID")) {
		t.Errorf("data of no button: %v", err)
	}
	if _, err := press(safetytest.Reader, letter.ID, data); !errors.Is(
		err, chat.ErrMessageIDInvalid) {
		t.Errorf("somebody else's button: %v", err)
	}
	write(w, safetytest.Author, 1, "too early")
	for _, want := range []string{"eingegangen", "bereits"} {
		if text, err := press(safetytest.Author, letter.ID, data); err != nil ||
			!strings.Contains(text, want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	write(w, safetytest.Author, 2, "It was satire.")
	a := complaint(w, d)
	w.Clock.Advance(time.Second)
	err := w.Appeals.Say(ctx(), a.Subject, a.ID, 8, 0, "Which part of it?")
	if err != nil {
		t.Fatal(err)
	}
	write(w, safetytest.Author, 3, "The second sentence.")
	w.View(func(r *store.Reader) error {
		lines, err := appeal.Dialogue(r, a.Subject, a.ID)
		if len(lines) != 3 || lines[0].Text != "It was satire." || lines[1].Staff != 8 ||
			lines[2].Text != "The second sentence." {
			t.Errorf("%+v", lines)
		}
		return err
	})
	w.Deliver()
	var texts []string
	for _, m := range w.Letters(safetytest.Author) {
		if !m.Flags.Has(store.Out) {
			texts = append(texts, w.Content(m).Text)
		}
	}
	for i, want := range []string{"Entscheidung über", "werden nur gelesen", "erhalten", "Which"} {
		if i >= len(texts) || !strings.Contains(texts[i], want) {
			t.Errorf("letter %d is not about %q: %q", i, want, texts)
		}
	}
}

func complaint(w *safetytest.World, d decide.Decision) (a appeal.Appeal) {
	w.Helper()
	w.View(func(r *store.Reader) error {
		list, err := appeal.Of(r, d.Subject.Peer, d.ID)
		if len(list) != 1 {
			w.Fatalf("complaints: %+v", list)
		}
		a = list[0]
		return err
	})
	return a
}

// TestNotifiersMayComplain also keeps the rows of the complaint from naming who reported.
func TestNotifiersMayComplain(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	post := w.Post("text")
	report := w.Report(post)
	d, err := w.Decisions.Dismiss(ctx(), post.Peer, report.Case, safety.Actor{Staff: 7},
		casefile.Refuted, "The post is a joke.")
	if err != nil {
		t.Fatal(err)
	}
	w.Deliver()
	letter := w.Letters(safetytest.Reporter)[0]
	c := w.Content(letter)
	if !strings.Contains(c.Text, "The post is a joke.") {
		t.Errorf("%s", c.Text)
	}
	_, err = w.Statements.Press(ctx(), safetytest.Reporter, letter.ID, buttons(c)[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	write(w, safetytest.Reporter, 1, "It is none.")
	a := complaint(w, d)
	if a.User != 0 || a.Report != report.Report {
		t.Errorf("%+v", a)
	}
	got, err := w.Appeals.Decide(ctx(), a.Subject, a.ID, appeal.Ruling{
		Staff: 8, Outcome: appeal.Reversed, Reason: "It is no joke.",
	})
	if err != nil || got.State != appeal.Reversed {
		t.Fatalf("%+v: %v", got, err)
	}
	w.Deliver()
	list := w.Letters(safetytest.Reporter)
	if last := w.Content(list[len(list)-1]).Text; !strings.Contains(last, "Sie haben recht") {
		t.Errorf("%s", last)
	}
	again := w.Decide(safetytest.Draft(report.Case, post))
	if again.State != decide.Effective || w.There(post) {
		t.Errorf("the case that was opened again: %+v", again)
	}
	w.Deliver()
	list = w.Letters(safetytest.Reporter)
	if last := w.Content(list[len(list)-1]).Text; !strings.Contains(last, "ergriffen. Vielen") {
		t.Errorf("told of the second decision: %s", last)
	}
}

// TestNotifiersHearOfReversals: who was told that his report led to measures is told when they are
// lifted, and may complain of that, to somebody else.
func TestNotifiersHearOfReversals(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	post := w.Post("text")
	report := w.Report(post)
	d := w.Decide(safetytest.Draft(report.Case, post))
	w.Deliver()
	record := func() (out map[int64]int64) {
		if err := w.Intake.Count(ctx()); err != nil {
			t.Fatal(err)
		}
		w.View(func(r *store.Reader) (err error) {
			out, err = r.ReporterOutcomes(safetytest.Reporter, 0)
			return err
		})
		return out
	}
	if got := record(); got[int64(casefile.Upheld)] != 1 {
		t.Errorf("the record is %v", got)
	}
	w.Clock.Advance(time.Second)
	a, err := w.Appeals.File(ctx(), w.Statements.Reference(d), "en", "It was satire.")
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Appeals.Decide(ctx(), a.Subject, a.ID, appeal.Ruling{
		Staff: 8, Outcome: appeal.Reversed, Reason: "It was satire about a minister.",
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Deliver()
	if n := w.Deliver(); n != 0 {
		t.Errorf("%d letters more", n)
	}
	list := w.Letters(safetytest.Reporter)
	last := w.Content(list[len(list)-1])
	if len(list) != 2 || !strings.Contains(last.Text, "wurden aufgehoben") ||
		strings.Contains(last.Text, "minister") {
		t.Errorf("%d letters, the last is %s", len(list), last.Text)
	}
	if got := record(); got[int64(casefile.Upheld)] != 0 || got[int64(casefile.Refuted)] != 1 {
		t.Errorf("after the reversal the record is %v", got)
	}
	w.Clock.Advance(time.Second)
	b := last.Buttons[0][0]
	_, err = w.Statements.Press(ctx(), safetytest.Reporter, list[1].ID, b.Data)
	if err != nil {
		t.Fatal(err)
	}
	w.View(func(r *store.Reader) error {
		open, err := appeal.Waiting(r, 0, 9)
		if len(open) != 1 || open[0].Report != report.Report {
			t.Fatalf("%+v", open)
		}
		a = open[0]
		return err
	})
	again := appeal.Ruling{Staff: 8, Outcome: appeal.Reversed, Reason: "It was no satire."}
	_, err = w.Appeals.Decide(ctx(), a.Subject, a.ID, again)
	if !errors.Is(err, decide.ErrSamePerson) {
		t.Errorf("decided by who reversed: %v", err)
	}
	again.Staff = 9
	if _, err = w.Appeals.Decide(ctx(), a.Subject, a.ID, again); err != nil {
		t.Fatal(err)
	}
	if got := record(); len(got) != 0 {
		t.Errorf("the record has what is to be decided anew: %v", got)
	}
	w.Decide(safetytest.Draft(report.Case, post))
	if got := record(); got[int64(casefile.Upheld)] != 1 {
		t.Errorf("in the end the record is %v", got)
	}
}

// TestMilderMeasuresAreTold: who reported is told that milder measures took the place of others,
// once, and not first of what does not hold any more.
func TestMilderMeasuresAreTold(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	post := w.Post("text")
	report := w.Report(post)
	d := w.Decide(safetytest.Draft(report.Case, post))
	a, err := w.Appeals.File(ctx(), w.Statements.Reference(d), "en", "It was satire.")
	if err != nil {
		t.Fatal(err)
	}
	note := safetytest.Draft(0, post)
	note.Measures = []safety.MeasureSpec{{Measure: safety.Label, Detail: "satire"}}
	a, err = w.Appeals.Decide(ctx(), a.Subject, a.ID, appeal.Ruling{
		Staff: 8, Outcome: appeal.Partly, Reason: "A note is enough.", Instead: &note,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Deliver()
	list := w.Letters(safetytest.Reporter)
	if len(list) != 1 {
		t.Fatalf("%d letters", len(list))
	}
	if text := w.Content(list[0]).Text; !strings.Contains(text, "hat sich geändert") {
		t.Errorf("%s", text)
	}
	_, err = w.Decisions.Lift(ctx(), post.Peer, a.Replaced, safety.Actor{Staff: 9}, "No note.")
	if err != nil {
		t.Fatal(err)
	}
	w.Deliver()
	if list = w.Letters(safetytest.Reporter); len(list) != 2 {
		t.Errorf("%d letters after the note was lifted as well", len(list))
	}
}

// TestOrdersAreToldAsSuch: whom an authority's order concerns is not told that somebody reported him.
func TestOrdersAreToldAsSuch(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	draft := safetytest.Draft(0, w.Post("text"))
	draft.Ordered = true
	ref := w.Statements.Reference(w.Decide(draft))
	w.View(func(r *store.Reader) error {
		v, err := w.Statements.Page(r, ref, "de")
		if err != nil {
			return err
		}
		said := ""
		for _, p := range v.Parts {
			if p.Name == "source" {
				said = p.Text
			}
		}
		if !strings.Contains(said, "angeordnet") || strings.Contains(said, "gemeldet") {
			t.Errorf("%q", said)
		}
		return nil
	})
}

func TestPages(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	post := w.Post("text")
	report := w.Report(post)
	page := func(ref string) (v statement.View, err error) {
		w.View(func(r *store.Reader) error {
			v, err = w.Statements.Page(r, ref, "fr")
			return nil
		})
		return v, err
	}
	if _, err := page(report.Reference); !errors.Is(err, appeal.ErrNothing) {
		t.Errorf("of a report that nobody decided: %v", err)
	}
	d := w.Decide(safetytest.Draft(report.Case, post))
	v, err := page(w.Statements.Reference(d))
	if err != nil || !v.MayAppeal || v.Title != "Décision concernant votre message" ||
		v.Who.User != safetytest.Author {
		t.Errorf("%+v: %v", v, err)
	}
	v, err = page(report.Reference)
	if err != nil || v.MayAppeal || v.Decision.Facts != "" || v.Who.Report != report.Report {
		t.Errorf("of who reported: %+v: %v", v, err)
	}
	if _, err := page("S" + report.Reference[1:]); !errors.Is(err, safety.ErrReference) {
		t.Errorf("a reference that was made up: %v", err)
	}
	hidden := safetytest.Draft(0, w.Post("other"))
	hidden.Bar = &decide.Bar{Basis: "court order"}
	b := w.Decide(hidden)
	if _, err := page(w.Statements.Reference(b)); !errors.Is(err, statement.ErrBarred) {
		t.Errorf("barred: %v", err)
	}
	all := func() (list []statement.Line) {
		ref := w.References.Make(safety.PersonRef, safetytest.Author.Peer(), 0)
		w.View(func(r *store.Reader) (err error) {
			list, _, err = w.Statements.Person(r, ref, "ko", math.MaxInt64, 10)
			return err
		})
		return list
	}
	if list := all(); len(list) != 1 || list[0].Decision.ID != d.ID {
		t.Errorf("%+v", list)
	}
	err = w.Decisions.LiftBar(ctx(), b.Subject.Peer, b.ID, safety.Actor{Staff: 3}, "it is over")
	if err != nil || len(all()) != 2 {
		t.Errorf("after the bar: %+v: %v", all(), err)
	}
	w.Clock.Advance(appeal.Window + 48*time.Hour)
	if v, err := page(w.Statements.Reference(d)); err != nil || v.MayAppeal {
		t.Errorf("after six months: %+v: %v", v.MayAppeal, err)
	}
}

// TestProxyOnRequest: who writes /proxy to the service account gets the links of proxies, once; where
// there are none he is told so.
func TestProxyOnRequest(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	const link = "tg://proxy?port=443&secret=ee00&server=192.0.2.7"
	ask := func(random int64) message.Content {
		t.Helper()
		write(w, safetytest.Author, random, "/proxy")
		for range 2 {
			if err := w.Statements.Listen(ctx()); err != nil {
				t.Fatal(err)
			}
			w.Deliver()
		}
		all := w.Letters(safetytest.Author)
		return w.Content(all[len(all)-1])
	}
	if c := ask(1); !strings.Contains(c.Text, "kein Proxy") || len(c.Buttons) != 0 {
		t.Errorf("answered %q", c.Text)
	}
	before := len(w.Letters(safetytest.Author))
	w.Statements.Proxies = func() []string { return []string{link} }
	c := ask(2)
	if !strings.Contains(c.Text, link) || len(c.Buttons) != 1 || c.Buttons[0][0].URL != link {
		t.Errorf("answered %q with %v", c.Text, c.Buttons)
	}
	if n := len(w.Letters(safetytest.Author)) - before; n != 2 {
		t.Errorf("%d messages for a question and its answer", n)
	}
}

// TestFoundIsTheAddress: of what was ordered the person is told the address, and no number of ours.
func TestFoundIsTheAddress(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	d := decide.Decision{Draft: safetytest.Draft(0, safety.Subject{Kind: safety.Message})}
	ref := w.References.Make(safety.OrderRef, 7, 9)
	for facts, want := range map[string]string{
		ref + " #2: https://t.me/news/5": "https://t.me/news/5",
		ref + " It is disputed: #3.":     "It is disputed: #3.",
		"It says so: #2: here.":          "It says so: #2: here.",
		ref:                              ref,
	} {
		d.Facts = facts
		_, parts := w.Statements.Text(d, "de")
		i := slices.IndexFunc(parts, func(p statement.Part) bool { return p.Name == "facts" })
		if got := strings.Trim(parts[i].Text, "\u2068\u2069"); got != want {
			t.Errorf("%q is told as %q", facts, got)
		}
	}
}
