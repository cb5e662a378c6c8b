package inquiry

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	netmail "net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/keyring"
	"parley/internal/safety"
	"parley/internal/safety/country"
	"parley/internal/safety/door"
	"parley/internal/safety/instrument"
	"parley/internal/smtp"
	"parley/internal/store"
)

// nobody is the agency of letters.
const nobody = 0

// Bounds of what the writer of a letter says of himself.
const (
	nameRunes = 200
	mailBytes = 254
)

// askerSealed is what the box is told that it seals.
const askerSealed = "writer of a letter"

// Fault says which fields of a letter are wrong: those that Wrong names.
type Fault struct{ Fields []string }

// Error implements error.
func (f *Fault) Error() string { return "inquiry: wrong: " + strings.Join(f.Fields, ", ") }

// Asker is what the writer of a letter says of himself. It proves nothing.
type Asker struct {
	Requester instrument.Requester `cbor:"1,keyasint"`
	Country   country.Code         `cbor:"2,keyasint"`
	Purpose   instrument.Purpose   `cbor:"3,keyasint"`
	Lang      string               `cbor:"4,keyasint"`
	// Name and Mail may be empty.
	Name string `cbor:"5,keyasint,omitempty"`
	Mail string `cbor:"6,keyasint,omitempty"`
}

// Letter tells whether somebody without a key asked.
func (i Inquiry) Letter() bool { return i.Agency == nobody }

// Letters is what the service needs for letters.
type Letters struct {
	References safety.References
	Guide      *door.Guide
	// Box seals who wrote.
	Box *keyring.Box
	// Calendar is in which days are counted.
	Calendar instrument.Calendar
	// Send hands a mail to the mail server; nil tells nobody by mail.
	Send func(context.Context, smtp.Letter) error
	// URL is what links to pages begin with, without a slash at its end; Name is what the service
	// calls itself.
	URL, Name string

	texts map[string]map[string]string
}

// Written is a letter that is stored.
type Written struct {
	Inquiry
	// Reference leads to it: whoever has it reads on and adds to it.
	Reference string
	Route     door.Route
}

// Wrong are the fields of a letter that are missing, too long or unknown: "way" for country,
// requester and purpose, "title", "text", "name", "mail".
func (s *Service) Wrong(by Asker, title, text string) (out []string) {
	wrong := func(field string, is bool) {
		if is {
			out = append(out, field)
		}
	}
	_, err := s.Letters.Guide.Route(by.Country, by.Requester, by.Purpose)
	wrong("way", errors.Is(err, door.ErrUnknown))
	_, err = said(title, TitleBytes)
	wrong("title", err != nil)
	_, err = said(text, TextBytes)
	wrong("text", err != nil)
	wrong("name", !utf8.ValidString(by.Name) || utf8.RuneCountInString(by.Name) > nameRunes)
	if by.Mail != "" {
		a, err := netmail.ParseAddress(by.Mail)
		wrong("mail", err != nil || a.Address != by.Mail || len(by.Mail) > mailBytes)
	}
	return out
}

// Write takes in a letter and starts the clock of the route that the guide knows for its writer.
// For a life in danger somebody is woken. The same letter under the same token is the one that was
// taken in before: who sent a form twice wrote once. Fault for what Wrong names.
func (s *Service) Write(ctx context.Context, token string, by Asker, title, text string) (
	w Written, err error,
) {
	if fields := s.Wrong(by, title, text); len(fields) > 0 {
		return w, &Fault{fields}
	}
	if w.Route, err = s.Letters.Guide.Route(by.Country, by.Requester, by.Purpose); err != nil {
		return w, err
	}
	if title, err = said(title, TitleBytes); err != nil {
		return w, err
	}
	row, err := s.asker(token, by, title, text)
	if err != nil {
		return w, fmt.Errorf("inquiry: %w", err)
	}
	now := s.Clock.Now()
	letter := Inquiry{Agency: nobody, ID: row.Inquiry, Title: title, Opened: now.Unix()}
	again := func(r *store.Reader) error {
		first, err := r.InquiryAskerOnce(nobody, row.Once)
		if err != nil {
			return err
		}
		x, err := r.Inquiry(nobody, first.Inquiry)
		w.Inquiry = read(x)
		return err
	}
	err = s.Store.Update(ctx, key(nobody), func(tx *store.Tx) error {
		if err := again(&tx.Reader); !store.IsNotFound(err) {
			return err
		}
		w.Inquiry, w.Due = letter, s.Letters.due(w.Route, now)
		if err := tx.PutInquiryAsker(row); err != nil {
			return err
		}
		return s.add(tx, &w.Inquiry, Line{Text: text})
	})
	if errors.Is(err, store.ErrConflict) { // the other one was stored meanwhile
		err = s.Store.View(ctx, again)
	}
	if err != nil {
		return w, err
	}
	w.Reference = s.Letters.reference(w.ID)
	s.worker.Wake()
	return w, nil
}

// asker is the row of who writes a letter.
func (s *Service) asker(token string, by Asker, title, text string) (
	row store.InquiryAsker, err error,
) {
	now := s.Clock.Now()
	if row.Inquiry, err = safety.NewID(now, s.Random); err != nil {
		return row, err
	}
	sending, err := cbor.Marshal([]any{token, by, title, text})
	if err != nil {
		return row, err
	}
	once := sha256.Sum256(sending)
	who, err := cbor.Marshal(by)
	if err != nil {
		return row, err
	}
	row.Agency, row.Once = nobody, once[:]
	row.Sealed = s.Letters.Box.Seal(nil, who, askerSealed, row.Inquiry)
	if by.Purpose == instrument.Danger {
		row.Ring = now.Unix()
	}
	return row, nil
}

// due is until when a letter is answered that goes a way from now on.
func (l *Letters) due(way door.Route, now time.Time) int64 {
	p := way.Period
	began := []instrument.Happened{{Event: p.Starts, At: now}}
	return p.Status(now, began, l.Calendar).Due.Unix()
}

func (l *Letters) reference(id int64) string {
	return l.References.Make(safety.LetterRef, key(nobody), id)
}

// read is the letter that a reference leads to; store.ErrNotFound for any other.
func (l *Letters) read(ref string) (id int64, err error) {
	kind, subject, id, err := l.References.Read(ref)
	if err != nil || kind != safety.LetterRef || subject != key(nobody) {
		return 0, store.ErrNotFound
	}
	return id, nil
}

// Letter is a letter by its reference, with all that was said. store.ErrNotFound.
func (s *Service) Letter(ctx context.Context, ref string) (w Written, lines []Line, err error) {
	id, err := s.Letters.read(ref)
	if err != nil {
		return w, nil, err
	}
	var by Asker
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		if w.Inquiry, lines, err = Of(r, nobody, id); err == nil {
			by, err = s.Letters.Asker(r, id)
		}
		return err
	})
	if err != nil {
		return w, nil, err
	}
	w.Reference = s.Letters.reference(id)
	w.Route, err = s.Letters.Guide.Route(by.Country, by.Requester, by.Purpose)
	return w, lines, err
}

// Add adds to a letter what its writer says. store.ErrNotFound, ErrText, ErrClosed.
func (s *Service) Add(ctx context.Context, ref, text string) error {
	id, err := s.Letters.read(ref)
	if err == nil {
		_, err = s.Say(ctx, nobody, id, Line{Text: text})
	}
	return err
}

// Asker is what the writer of a letter said of himself. store.ErrNotFound.
func (l *Letters) Asker(r *store.Reader, id int64) (by Asker, err error) {
	row, err := r.InquiryAsker(nobody, id)
	if err != nil {
		return by, err
	}
	return l.open(row)
}

func (l *Letters) open(row store.InquiryAsker) (by Asker, err error) {
	b, err := l.Box.Open(nil, row.Sealed, askerSealed, row.Inquiry)
	if err == nil {
		err = cbor.Unmarshal(b, &by)
	}
	if err != nil {
		return by, fmt.Errorf("inquiry: writer of letter %d: %w", row.Inquiry, err)
	}
	return by, nil
}

// owe has the writer of a letter mailed that there is an answer, if he gave an address.
func (s *Service) owe(tx *store.Tx, i Inquiry, now int64) error {
	if i.Agency != nobody || s.Letters.Send == nil {
		return nil
	}
	row, err := tx.InquiryAsker(i.Agency, i.ID)
	if err != nil {
		return err
	}
	by, err := s.Letters.open(row)
	if err != nil || by.Mail == "" {
		return err
	}
	row.Tell, row.Tries = now, 0
	return tx.PutInquiryAsker(row)
}
