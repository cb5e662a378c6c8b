// Package inquiry is the line on which somebody asks and the staff answers: a regulator by his
// officers, and whoever has no key by a letter, which he follows by its reference. Either side goes
// on until the asker is content. A question starts a clock; when it is over somebody is woken.
// Nothing that was said is changed or lost, and both sides see the same. It gives no data of people
// and carries out no order: those have doors of their own, and who asks for that here is told.
//
// What the writer of a letter says of himself proves nothing. It is sealed, and no mail goes to an
// address before a member of staff has answered: nobody can have the service write to others.
//
// Invariants: every line is stored before it counts as said, that of an officer with a signed
// receipt, by which he can prove to anybody what he asked and when; an inquiry that waits for the
// service has a time until which it is answered; another agency's inquiries do not exist, and that
// somebody asked for one is written down.
package inquiry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/oncall"
	"parley/internal/safety/owed"
	"parley/internal/store"
	"parley/internal/tlog/paper"
)

// State says whose turn it is. Values are stored.
type State int64

// The states.
const (
	// OursNow waits for the service, TheirsNow for the regulator.
	OursNow   State = 1
	TheirsNow State = 2
	Closed    State = 3
)

// String is the state's name in pages and files.
func (s State) String() string {
	switch s {
	case OursNow:
		return "ours"
	case TheirsNow:
		return "theirs"
	case Closed:
		return "closed"
	default:
		return "unknown"
	}
}

// Bounds of what is said.
const (
	// TitleBytes and TextBytes are the longest titles and texts, in bytes.
	TitleBytes = 300
	TextBytes  = 50_000
	// MostFiles is how many files one line has.
	MostFiles = 10
	// MostLines is how many lines an inquiry has before who asked can add none, mostLetter the same
	// of a letter: its page shows all of them to whoever has the reference.
	MostLines  = 1000
	mostLetter = 100
	// page is how many inquiries a sweep looks at.
	page = 100
	// period is at most how late somebody is woken.
	period = time.Minute
)

// Errors of the package.
var (
	// ErrText says that a title or a text is missing or too long.
	ErrText = errors.New("inquiry: a text is missing or too long")
	// ErrClosed says that the inquiry is closed.
	ErrClosed = errors.New("inquiry: closed")
	// ErrKind says that the agency is no regulator.
	ErrKind = errors.New("inquiry: the agency is no regulator")
)

// Inquiry is a dialogue about one question.
type Inquiry struct {
	Agency, ID int64
	Title      string
	State      State
	// Opened and Due are in Unix seconds; Due is 0 while the service has nothing to answer.
	Opened, Due int64
	// Alarmed is when somebody was woken because Due was missed.
	Alarmed, Lines int64
}

// Line is something said.
type Line struct {
	N, At int64
	// Staff or Officer said it.
	Staff, Officer int64
	Text           string
	Files          []File
	// Receipt is the signed paper about what an officer said, nil for none. Its document is what
	// Document returns.
	Receipt []byte
	// Mail is the mail that it came by, 0 for none.
	Mail int64
}

// File is something attached. Its bytes lie under their digest.
type File struct {
	Name   string `cbor:"1,keyasint"`
	Size   int64  `cbor:"2,keyasint"`
	SHA256 string `cbor:"3,keyasint"`
}

// body is a line as it is stored.
type body struct {
	Text  string `cbor:"1,keyasint,omitempty"`
	Files []File `cbor:"2,keyasint,omitempty"`
	// Receipt and Mail are those of Line.
	Receipt []byte `cbor:"3,keyasint,omitempty"`
	Mail    int64  `cbor:"4,keyasint,omitempty"`
}

// Service keeps inquiries. It is safe for concurrent use.
type Service struct {
	Store    *store.Store
	Clock    clock.Clock
	Random   io.Reader
	Agencies *agency.Service
	// Within is how long the service has to answer.
	Within time.Duration
	// Wake rings the emergency line; nil rings nobody.
	Wake func(context.Context, oncall.Emergency) error
	// Letters is what letters need; nil takes none.
	Letters *Letters
	// References makes the references of regulators' inquiries.
	References safety.References
	// Sign signs receipts; nil gives none.
	Sign func(paper.Paper) ([]byte, error)

	worker owed.Worker
}

func key(of int64) ids.Peer { return ids.Peer(of) }

// Regulates tells whether an agency may ask on this line.
func Regulates(a agency.Agency) bool {
	return a.Kind == agency.Regulator || a.Kind == agency.Coordinator
}

func read(x store.Inquiry) Inquiry {
	return Inquiry{
		Agency: x.Agency, ID: x.ID, Title: x.Title, State: State(x.State), Opened: x.Opened,
		Due: x.Due, Alarmed: x.Alarmed, Lines: x.Lines,
	}
}

func put(tx *store.Tx, i Inquiry) error {
	return tx.PutInquiry(store.Inquiry{
		Agency: i.Agency, ID: i.ID, Title: i.Title, State: int64(i.State), Opened: i.Opened,
		Due: i.Due, Alarmed: i.Alarmed, Lines: i.Lines,
	})
}

func readAll(rows []store.Inquiry, err error) ([]Inquiry, error) {
	out := make([]Inquiry, len(rows))
	for n, x := range rows {
		out[n] = read(x)
	}
	return out, err
}

// OfAgency returns up to limit inquiries of an agency with ids below one, the newest first.
func OfAgency(r *store.Reader, of, below int64, limit int) ([]Inquiry, error) {
	return readAll(r.Inquiries(of, below, limit))
}

// Waiting returns up to limit inquiries that wait for the service behind a place, those due first
// first. The place is when the last one seen is due, and its id; 0 for the first of all.
func Waiting(r *store.Reader, due, id int64, limit int) ([]Inquiry, error) {
	return readAll(r.WaitingInquiries(due, id, limit))
}

// Of returns an inquiry with all that was said. store.ErrNotFound.
func Of(r *store.Reader, of, id int64) (Inquiry, []Line, error) {
	x, err := r.Inquiry(of, id)
	if err != nil {
		return Inquiry{}, nil, err
	}
	rows, err := r.InquiryLines(of, id)
	if err != nil {
		return Inquiry{}, nil, err
	}
	out := make([]Line, len(rows))
	for n, l := range rows {
		out[n] = Line{N: l.N, At: l.At, Staff: l.Staff, Officer: l.Officer}
		var b body
		if err := cbor.Unmarshal(l.Body, &b); err != nil {
			return Inquiry{}, nil, fmt.Errorf("inquiry: line %d of %d: %w", l.N, id, err)
		}
		out[n].Text, out[n].Files = b.Text, b.Files
		out[n].Receipt, out[n].Mail = b.Receipt, b.Mail
	}
	return read(x), out, nil
}

// Named visits the digests of all files that were attached to something said.
func Named(r *store.Reader, visit func(digest string)) error {
	return r.EachInquiryLine(func(line []byte) error {
		var b body
		if err := cbor.Unmarshal(line, &b); err != nil {
			return fmt.Errorf("inquiry: %w", err)
		}
		for _, f := range b.Files {
			visit(f.SHA256)
		}
		return nil
	})
}

// Find is Of for somebody of an agency: what is another's is store.ErrNotFound, like what is not
// there, and that he asked is written down.
func (s *Service) Find(ctx context.Context, of agency.Agency, officer, id int64) (
	i Inquiry, lines []Line, err error,
) {
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		i, lines, err = Of(r, of.ID, id)
		return err
	})
	if store.IsNotFound(err) {
		err = errors.Join(err, s.Agencies.Note(ctx, of.ID, agency.Event{
			Officer: officer, Kind: agency.Foreign, Text: "an inquiry",
		}))
	}
	return i, lines, err
}

// said is a text without spaces around it, within a bound in bytes.
func said(text string, most int) (string, error) {
	if text = strings.TrimSpace(text); text == "" || len(text) > most {
		return "", ErrText
	}
	return strings.ToValidUTF8(text, "\ufffd"), nil
}

// Ask opens an inquiry of a regulator: the clock for the answer starts. The same question again,
// while his last one waits without a further word, is that one: a form that was sent twice.
func (s *Service) Ask(
	ctx context.Context, of agency.Agency, officer int64, title, text string, files []File,
) (Inquiry, error) {
	if !Regulates(of) {
		return Inquiry{}, ErrKind
	}
	title, err := said(title, TitleBytes)
	if err != nil {
		return Inquiry{}, err
	}
	now := s.Clock.Now()
	id, err := safety.NewID(now, s.Random)
	if err != nil {
		return Inquiry{}, fmt.Errorf("inquiry: %w", err)
	}
	first := Line{Officer: officer, Text: text, Files: files}
	var i Inquiry
	err = s.Store.Update(ctx, key(of.ID), func(tx *store.Tx) error {
		last, err := tx.Inquiries(of.ID, math.MaxInt64, 1)
		if err != nil {
			return err
		}
		i = Inquiry{Agency: of.ID, ID: id, Title: title, Opened: now.Unix()}
		if len(last) == 1 && last[0].Title == title && last[0].Lines == 1 &&
			State(last[0].State) == OursNow {
			again, err := repeats(tx, read(last[0]), first)
			if again {
				i = read(last[0])
			}
			if again || err != nil {
				return err
			}
		}
		return s.add(tx, &i, first)
	})
	return i, err
}

// mails is below which number those of inquiries from mails of one second are, beside it.
const mails = 1_000_000

// AskByMail opens an inquiry of a regulator from what he mailed: a mail, by its number, that came
// at a time in Unix seconds. It may run twice: a mail is one inquiry of an agency.
// store.ErrConflict is for a number that another mail has.
func (s *Service) AskByMail(
	ctx context.Context, of agency.Agency, at, mail int64, title, text string,
) (i Inquiry, err error) {
	if !Regulates(of) {
		return i, ErrKind
	}
	if title, err = said(title, TitleBytes); err != nil {
		return i, err
	}
	id := safety.FirstID(time.Unix(at, 0)) + mail%mails
	err = s.Store.Update(ctx, key(of.ID), func(tx *store.Tx) error {
		known, lines, err := Of(&tx.Reader, of.ID, id)
		switch {
		case err == nil && lines[0].Mail != mail:
			return store.ErrConflict
		case err == nil:
			i = known
			return nil
		case !store.IsNotFound(err):
			return err
		}
		i = Inquiry{Agency: of.ID, ID: id, Title: title, Opened: s.Clock.Now().Unix()}
		return s.add(tx, &i, Line{Text: text, Mail: mail})
	})
	return i, err
}

// Say adds what an officer of the agency says, or a member of staff; the other side is next. What
// he has just said is not said twice. ErrClosed for an inquiry that is closed, or so long that who
// asked can add nothing.
func (s *Service) Say(ctx context.Context, of, id int64, l Line) (i Inquiry, err error) {
	defer s.worker.Wake()
	err = s.Store.Update(ctx, key(of), func(tx *store.Tx) error {
		x, err := tx.Inquiry(of, id)
		if err != nil {
			return err
		}
		most := int64(MostLines)
		if i = read(x); i.Letter() {
			most = mostLetter
		}
		if i.State == Closed || l.Staff == 0 && i.Lines >= most {
			return ErrClosed
		}
		if again, err := repeats(tx, i, l); again || err != nil {
			return err
		}
		return s.add(tx, &i, l)
	})
	return i, err
}

// row is a line as it is stored, but for where and when it was said.
func (l Line) row() (x store.InquiryLine, err error) {
	text, err := said(l.Text, TextBytes)
	if err != nil || len(l.Files) > MostFiles {
		return x, ErrText
	}
	x = store.InquiryLine{Staff: l.Staff, Officer: l.Officer}
	if x.Body, err = cbor.Marshal(body{text, l.Files, l.Receipt, l.Mail}); err != nil {
		return x, fmt.Errorf("inquiry: %w", err)
	}
	return x, nil
}

// repeats tells whether a line is what was said last, by whom it was said.
func repeats(tx *store.Tx, i Inquiry, l Line) (bool, error) {
	x, err := l.row()
	if err != nil {
		return false, err
	}
	last, err := tx.InquiryLine(i.Agency, i.ID, i.Lines)
	if err != nil || last.Staff != x.Staff || last.Officer != x.Officer {
		return false, err
	}
	var b body
	if err := cbor.Unmarshal(last.Body, &b); err != nil {
		return false, fmt.Errorf("inquiry: line %d of %d: %w", i.Lines, i.ID, err)
	}
	b.Receipt = nil // which says when it was said
	said, err := cbor.Marshal(b)
	if err != nil {
		return false, fmt.Errorf("inquiry: %w", err)
	}
	return bytes.Equal(said, x.Body), nil
}

// add writes a line and whose turn it is then.
func (s *Service) add(tx *store.Tx, i *Inquiry, l Line) error {
	text, err := said(l.Text, TextBytes)
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	i.Lines++
	switch {
	case l.Staff != 0:
		i.State, i.Due, i.Alarmed = TheirsNow, 0, 0
		if err := s.owe(tx, *i, now.Unix()); err != nil {
			return err
		}
	case i.State != OursNow:
		// What is added to a question that waits does not give the service more time.
		if i.Due == 0 {
			if i.Due, err = s.again(tx, *i, now); err != nil {
				return err
			}
		}
		i.State, i.Alarmed = OursNow, 0
	}
	if err := put(tx, *i); err != nil {
		return err
	}
	l.N, l.At, l.Text = i.Lines, now.Unix(), text
	if l.Receipt, err = s.receipt(&tx.Reader, *i, l); err != nil {
		return err
	}
	x, err := l.row()
	if err != nil {
		return err
	}
	x.Agency, x.Inquiry, x.N, x.At = i.Agency, i.ID, l.N, l.At
	return tx.AddInquiryLine(x)
}

// again is until when the service answers what is asked now: as long as a regulator waits, or as
// long as the way of a letter's writer takes. For a life in danger somebody is woken again.
func (s *Service) again(tx *store.Tx, i Inquiry, now time.Time) (due int64, err error) {
	if !i.Letter() {
		return now.Add(s.Within).Unix(), nil
	}
	row, err := tx.InquiryAsker(i.Agency, i.ID)
	if err != nil {
		return 0, err
	}
	by, err := s.Letters.open(row)
	if err != nil {
		return 0, err
	}
	route, err := s.Letters.Guide.Route(by.Country, by.Requester, by.Purpose)
	if err != nil {
		return 0, fmt.Errorf("inquiry: %w", err)
	}
	if by.Purpose == instrument.Danger {
		row.Ring = now.Unix()
	}
	return s.Letters.due(route, now), tx.PutInquiryAsker(row)
}

// Close ends an inquiry: the regulator is content. Only he can say so.
func (s *Service) Close(ctx context.Context, of, id int64) error {
	return s.Store.Update(ctx, key(of), func(tx *store.Tx) error {
		x, err := tx.Inquiry(of, id)
		if err != nil {
			return err
		}
		i := read(x)
		i.State, i.Due = Closed, 0
		return put(tx, i)
	})
}
