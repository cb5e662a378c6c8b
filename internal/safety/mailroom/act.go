package mailroom

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/internal/safety/instrument"
	"parley/internal/store"
)

const (
	// answerRunes bounds what a person writes to the sender of a mail, in characters.
	answerRunes = 10_000
	// mostActs bounds what people do with one mail.
	mostActs = 500
)

// Errors of what people do with mails.
var (
	// ErrChanged says that somebody else did something with the mail meanwhile.
	ErrChanged = errors.New("mailroom: the mail was changed meanwhile")
	// ErrText says that a text is missing or too long.
	ErrText = errors.New("mailroom: a text is missing or too long")
	// ErrNobody says that the mail names nobody to answer.
	ErrNobody = errors.New("mailroom: the mail has no sender")
	// ErrPlace says that the mail cannot go there.
	ErrPlace = errors.New("mailroom: the mail cannot go there")
)

// Act is what a member of staff does with a mail.
type Act struct {
	Staff int64
	// Seen is how many acts the mail had when he looked at it.
	Seen int
	// Text is what he writes, to the sender or for the record.
	Text string
}

// Did is an act that was done. What is the outcome that it brought; or "route", to the door To.
type Did struct {
	At    int64           `json:"at"`
	Staff int64           `json:"staff"`
	What  string          `json:"what"`
	To    instrument.Door `json:"to,omitempty"`
	Text  string          `json:"text,omitempty"`
}

// Routed is what Did calls passing a mail on.
const Routed = "route"

// Reading are the doors where people read mails.
func Reading() []instrument.Door {
	return []instrument.Door{instrument.PeopleDoor, instrument.HotlineDoor}
}

// act does something with a mail, in its transaction.
func (s *Service) act(
	tx *store.Tx, agency, id int64, by Act, did Did, fn func(*store.ArrivedMail, *kept) error,
) error {
	m, err := tx.ArrivedMail(agency, id)
	if err != nil {
		return err
	}
	_, k, err := s.open(m)
	if err != nil {
		return err
	}
	if by.Seen != len(k.Acts) {
		return ErrChanged
	}
	if len(k.Acts) >= mostActs || utf8.RuneCountInString(by.Text) > answerRunes {
		return ErrText
	}
	if err := fn(&m, &k); err != nil {
		return err
	}
	did.At, did.Staff, did.Text = s.Clock.Now().Unix(), by.Staff, by.Text
	k.Acts = append(k.Acts, did)
	if m.Body, err = json.Marshal(k); err != nil {
		return fmt.Errorf("mailroom: %w", err)
	}
	return tx.ChangeArrivedMail(m)
}

// do is act in a transaction of its own. What it says to the sender is sent at once.
func (s *Service) do(
	ctx context.Context, agency, id int64, by Act, did Did,
	fn func(*store.ArrivedMail, *kept) error,
) error {
	err := s.Store.Update(ctx, key(agency), func(tx *store.Tx) error {
		return s.act(tx, agency, id, by, did, fn)
	})
	if err == nil {
		s.worker.Wake()
	}
	return err
}

// say has the sender of a mail told something; one without a sender is told nothing.
func (s *Service) say(m *store.ArrivedMail, k *kept, text string) error {
	who, _, err := s.open(*m)
	if err != nil || who.Address == "" {
		return err
	}
	k.Words = append(k.Words, text)
	m.Due, m.Tries = s.Clock.Now().Unix(), 0
	return nil
}

// Answer has the sender of a mail told what a person writes. Errors: ErrText, ErrNobody,
// ErrChanged, store.ErrNotFound.
func (s *Service) Answer(ctx context.Context, agency, id int64, by Act) error {
	if by.Text = strings.TrimSpace(by.Text); by.Text == "" {
		return ErrText
	}
	return s.do(ctx, agency, id, by, Did{What: string(Answered)},
		func(m *store.ArrivedMail, k *kept) error {
			if who, _, err := s.open(*m); err != nil || who.Address == "" {
				return errors.Join(ErrNobody, err)
			}
			m.Outcome = string(Answered)
			return s.say(m, k, cut(by.Text, answerRunes))
		})
}

// Close says that a mail needs no answer, and why. Its sender is told nothing. Errors: ErrText,
// ErrChanged, store.ErrNotFound.
func (s *Service) Close(ctx context.Context, agency, id int64, by Act) error {
	if by.Text = strings.TrimSpace(by.Text); by.Text == "" {
		return ErrText
	}
	return s.do(ctx, agency, id, by, Did{What: string(Closed)},
		func(m *store.ArrivedMail, _ *kept) error {
			m.Outcome = string(Closed)
			return nil
		})
}

// Route passes a mail on to another door where people read, and tells its sender. What the person
// adds, if anything, is told as well. Errors: ErrPlace for a door where it is or that is none of
// Reading, ErrText, ErrChanged, store.ErrNotFound.
func (s *Service) Route(
	ctx context.Context, agency, id int64, by Act, to instrument.Door,
) error {
	by.Text = strings.TrimSpace(by.Text)
	return s.do(ctx, agency, id, by, Did{What: Routed, To: to},
		func(m *store.ArrivedMail, k *kept) error {
			if string(to) == m.Door || !slices.Contains(Reading(), to) {
				return ErrPlace
			}
			said := s.routed(k.Lang, instrument.Door(m.Door), to)
			if by.Text != "" {
				said += "\n\n" + cut(by.Text, answerRunes)
			}
			if err := s.say(m, k, said); err != nil {
				return err
			}
			m.Door, m.Outcome = string(to), string(Waiting)
			return nil
		})
}

// routed is what a sender is told whose mail is passed on.
func (s *Service) routed(lang string, from, to instrument.Door) string {
	lang = s.answersIn(lang)
	return s.text(lang, "routed", s.Guide.Door(lang, from), s.Guide.Door(lang, to))
}

// Became says that a person made a notice of a mail, or an inquiry, which is there by now, and
// tells its sender so. Errors: ErrPlace, ErrChanged, store.ErrNotFound.
func (s *Service) Became(
	ctx context.Context, agency, id int64, by Act, done Outcome, asked Asked,
) error {
	to, ok := map[Outcome]instrument.Door{
		Noticed: instrument.NoticeDoor, Inquired: instrument.RegulatorDoor,
	}[done]
	if !ok {
		return ErrPlace
	}
	return s.do(ctx, agency, id, by, Did{What: string(done), To: to},
		func(m *store.ArrivedMail, k *kept) error {
			m.Outcome, k.Asked = string(done), asked
			return s.say(m, k, s.routed(k.Lang, instrument.Door(m.Door), to))
		})
}

// Order makes an order of a mail that was taken for something else: as it says by fields, or else
// under the instrument and country that the person names. It is an order of nobody known, like
// every one that came by mail. Errors: ErrPlace for an instrument that does not come in at a door
// of authorities and for a mail that adds to an order, ErrChanged, store.ErrNotFound.
func (s *Service) Order(
	ctx context.Context, agency, id int64, by Act, of instrument.ID, country string,
) error {
	in, ok := s.Orders.Instrument(of)
	if !ok || !ofAuthorities(in.Door) || agency != 0 {
		return ErrPlace
	}
	a := &arrival{Service: s}
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		a.row, err = r.ArrivedMail(agency, id)
		return err
	})
	if err != nil {
		return err
	}
	_, k, err := s.open(a.row)
	if err != nil {
		return err
	}
	if by.Seen != len(k.Acts) {
		return ErrChanged
	}
	b, err := s.whole(ctx, a.row.Digest, a.row.Size)
	if err != nil {
		return err
	}
	if a.m, err = parse(b); err != nil {
		return err
	}
	a.in, a.Lang = Arrived{Door: in.Door, Body: b}, k.Lang
	if err := a.keep(ctx); err != nil {
		return err
	}
	if err := a.resembles(ctx); err != nil {
		return err
	}
	list := a.typed
	if len(list) == 0 {
		list = append(list, a.untyped(of, strings.ToUpper(country)))
	}
	by.Text = strings.TrimSpace(by.Text)
	err = a.submit(ctx, list, func(tx *store.Tx) error {
		return s.act(tx, agency, id, by, Did{What: string(Ordered), To: in.Door},
			func(m *store.ArrivedMail, k *kept) error {
				k.About = append(k.About, a.About...)
				m.Door, m.Outcome = string(in.Door), string(Ordered)
				m.Due, m.Tries = s.Clock.Now().Unix(), 0
				return nil
			})
	})
	if err == nil {
		s.worker.Wake()
	}
	return err
}

// Counts are how many mails wait for a person at each door, and since when.
func (s *Service) Counts(r *store.Reader) ([]store.ArrivedCount, error) {
	return r.ArrivedCounts(string(Waiting))
}
