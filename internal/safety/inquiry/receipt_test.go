package inquiry_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"parley/internal/safety/agency"
	"parley/internal/safety/answer"
	"parley/internal/safety/inquiry"
	"parley/internal/store"
	"parley/internal/tlog/paper"
)

// lines are what was said in an inquiry.
func (l *line) lines(i inquiry.Inquiry) (out []inquiry.Line) {
	l.Helper()
	err := l.Store.View(ctx(), func(r *store.Reader) (err error) {
		_, out, err = inquiry.Of(r, i.Agency, i.ID)
		return err
	})
	if err != nil {
		l.Fatal(err)
	}
	return out
}

// TestReceipts: what a regulator's officer says has a signed receipt that anybody can check offline
// against the file of what he said; it says in words that a message arrived, and not that an order
// did. What the staff says, and what came by mail, has none.
func TestReceipts(t *testing.T) {
	l := newLine(t)
	sign, err := answer.Open(t.TempDir(), "chat.example.org", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	l.Sign = sign.Sign
	of := l.agency(11, agency.Coordinator)
	file := inquiry.File{Name: "a.pdf", Size: 3, SHA256: strings.Repeat("ab", 32)}
	i, err := l.Ask(ctx(), of, 5, "Figures", "Where are they?", []inquiry.File{file})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []inquiry.Line{{Staff: 7, Text: "There."}, {Officer: 5, Text: "Where?"}} {
		if i, err = l.Say(ctx(), of.ID, i.ID, x); err != nil {
			t.Fatal(err)
		}
	}
	key, err := note.NewVerifier(sign.Public())
	if err != nil {
		t.Fatal(err)
	}
	said := l.lines(i)
	if len(said) != 3 || said[1].Receipt != nil {
		t.Fatalf("%+v", said)
	}
	for _, x := range []inquiry.Line{said[0], said[2]} {
		p, err := paper.Open(x.Receipt, note.VerifierList(key))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := l.Document(i, x)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(doc)
		if p.Kind != paper.Receipt || p.Reference != l.Reference(i) || p.Agency != of.Name ||
			p.Received != paper.Time(x.At) || p.Due != paper.Time(x.At+72*3600) ||
			p.Document != hex.EncodeToString(sum[:]) {
			t.Errorf("%+v", p)
		}
		letter, err := sign.Letter(x.Receipt, "de")
		if err != nil || !strings.Contains(letter.Text, "Nachricht") ||
			strings.Contains(letter.String(), "Anordnung") {
			t.Errorf("%s, %v", letter, err)
		}
		x.Text += "!"
		other, err := l.Document(i, x)
		if err != nil || sha256.Sum256(other) == sum {
			t.Errorf("the receipt is about any text: %v", err)
		}
	}
}

// TestMailIsOneQuestion: a mail that is made a question twice, as after a crash between that and
// noting it, is one, with the mail behind it; another mail of that second is another.
func TestMailIsOneQuestion(t *testing.T) {
	l := newLine(t)
	of := l.agency(11, agency.Regulator)
	at := l.clock.Now().Unix()
	one, err := l.AskByMail(ctx(), of, at, 1234567890123, "Figures", "Where?")
	if err != nil {
		t.Fatal(err)
	}
	again, err := l.AskByMail(ctx(), of, at, 1234567890123, "Figures, please", "Where?")
	if err != nil || again.ID != one.ID || again.Title != "Figures" || len(l.lines(one)) != 1 {
		t.Errorf("again: %+v, %v", again, err)
	}
	if said := l.lines(one)[0]; said.Mail != 1234567890123 || said.Officer != 0 {
		t.Errorf("%+v", said)
	}
	other, err := l.AskByMail(ctx(), of, at, 77, "Figures", "Where?")
	if err != nil || other.ID == one.ID {
		t.Errorf("another: %+v, %v", other, err)
	}
	_, err = l.AskByMail(ctx(), of, at, 77+1_000_000, "Figures", "Where?")
	if !errors.Is(err, store.ErrConflict) {
		t.Errorf("another one of the same number: %v", err)
	}
	flagger := l.agency(12, agency.TrustedFlagger)
	if _, err := l.AskByMail(ctx(), flagger, at, 1, "a", "b"); !errors.Is(err, inquiry.ErrKind) {
		t.Errorf("no regulator: %v", err)
	}
}
