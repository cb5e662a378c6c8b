// Package mail sends what is owed by mail to those who gave notice and have no account: the
// receipt, the outcome, and what concerns their complaint. It decides nothing.
//
// What is owed is a row, written with what it tells of, and ticked off after the mail server took
// the mail. A crash between the two sends the mail again under the same Message-ID, by which mail
// programs know it. What a mail server refuses for good, or for a week, is given up and counted.
//
// Invariants: a mail says that something was decided and where to read it, and repeats nothing of
// what was reported, of who reported and of what reviewers wrote; no address reaches diagnostics.
//
// https://eur-lex.europa.eu/eli/reg/2022/2065/oj
package mail

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"log/slog"
	"time"

	"parley/internal/clock"
	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/safety/intake"
	"parley/internal/safety/owed"
	"parley/internal/safety/statement"
	"parley/internal/safety/words"
	"parley/internal/smtp"
	"parley/internal/store"
)

const (
	// sendPage is how many mails are read at once.
	sendPage = 100
	// giveUp is how long a mail is tried, in seconds.
	giveUp = 7 * 24 * 60 * 60
	// longest is the longest that the worker sleeps.
	longest = 30 * time.Second
)

// Options are what a Service is made of.
type Options struct {
	Store      *store.Store
	Clock      clock.Clock
	References safety.References
	Intake     *intake.Service
	Statements *statement.Service
	// Send hands a mail to the mail server.
	Send func(context.Context, smtp.Letter) error
	// URL is what links to pages begin with, without a slash at its end; Name is what the service
	// calls itself.
	URL, Name string
	Log       *slog.Logger
	// Done hears of every mail that was sent or given up; nil hears nothing.
	Done func(sent bool)
}

// Service sends mails.
type Service struct {
	Options
	texts  texts
	worker owed.Worker
}

// New reads the texts.
func New(o Options) (*Service, error) {
	t, err := words.Read(files, words.People())
	if err != nil {
		return nil, err
	}
	if o.Done == nil {
		o.Done = func(bool) {}
	}
	return &Service{Options: o, texts: t}, nil
}

// Owe has a letter mailed to whoever made a report, in the transaction that ticks the letter off.
func (s *Service) Owe(tx *store.Tx, l store.Letter, report int64) error {
	of := l.Decision
	switch decide.LetterKind(l.Kind) {
	case decide.AppealFiled, decide.AppealAnswer:
		of = l.Appeal
	case decide.AppealMessage:
		of = l.Place
	}
	now := s.Clock.Now().Unix()
	return tx.OweMail(store.Mail{
		Subject: l.Subject, Report: report, Kind: l.Kind, Of: of, Created: now, Due: now,
	})
}

// backoff is when a mail is tried again.
func backoff() owed.Backoff { return owed.Backoff{First: time.Minute, Last: 6 * time.Hour} }

// Owed wakes the worker. It does not block.
func (s *Service) Owed() { s.worker.Wake() }

// Run sends what is owed until ctx ends.
func (s *Service) Run(ctx context.Context) {
	failed := func(err error) { s.Log.Error("sending mails", "error", err) }
	s.worker.Run(ctx, longest, failed, func(ctx context.Context) error {
		_, err := s.Deliver(ctx)
		return err
	})
}

// Deliver sends all mails that are due, and returns how many the mail server took. One that fails
// is tried again later and holds up no other.
func (s *Service) Deliver(ctx context.Context) (n int, err error) {
	return owed.Drain(ctx, s.due, s.deliverAll)
}

// due are the next mails.
func (s *Service) due(ctx context.Context) (list []store.Mail, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		list, err = r.OwedMails(s.Clock.Now().Unix(), sendPage)
		return err
	})
	return list, err
}

// deliverAll sends mails, one after the other, and returns how many the mail server took.
func (s *Service) deliverAll(ctx context.Context, list []store.Mail) (n int, err error) {
	for _, m := range list {
		sent, err := s.deliver(ctx, m, s.Clock.Now().Unix())
		if err != nil {
			return n, err
		}
		if sent {
			n++
		}
	}
	return n, nil
}

// deliver sends one mail and writes down how that went.
func (s *Service) deliver(ctx context.Context, m store.Mail, now int64) (sent bool, err error) {
	l, err := s.write(ctx, m)
	if err != nil {
		return false, err
	}
	err = smtp.ErrAddress // nobody to write to
	if l.To != "" {
		err = s.Send(ctx, l)
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	var failed *smtp.DeliveryError
	again := errors.As(err, &failed) && failed.Temporary && now < m.Created+giveUp
	m.Tries++
	if again {
		m.Due = now + int64(backoff().After(m.Tries)/time.Second)
	} else {
		m.Sent = now
		s.Done(err == nil)
	}
	if err != nil {
		s.Log.Warn("a mail was not sent", "report", m.Report, "again", again, "error", err)
	}
	return err == nil, s.Store.Update(ctx, m.Subject, func(tx *store.Tx) error {
		if kind := decide.LetterKind(m.Kind); err == nil &&
			(kind == decide.Outcome || kind == decide.Changed) {
			if err := casefile.SetTold(tx, m.Subject, m.Report, now); err != nil {
				return err
			}
		}
		return tx.ChangeMail(m)
	})
}

// write writes a mail; To is empty when its recipient left no address.
func (s *Service) write(ctx context.Context, m store.Mail) (l smtp.Letter, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		who, err := s.Intake.Identify(r, m.Subject, m.Report)
		if err != nil {
			return err
		}
		l = smtp.Letter{
			To: who.Email, Lang: s.texts.in(who.Lang), Time: s.Clock.Now(), ID: id(m),
		}
		ref := s.References.Make(safety.ReportRef, m.Subject, m.Report)
		said := ""
		switch decide.LetterKind(m.Kind) {
		case decide.Outcome, decide.Changed:
			l.Subject, said, err = s.outcome(r, ref, l.Lang)
			if err != nil {
				return err
			}
			if decide.LetterKind(m.Kind) == decide.Changed {
				l.Subject = s.texts.get(l.Lang, "changed.subject")
			}
		default:
			l.Subject = s.texts.get(l.Lang, name(m.Kind)+".subject")
		}
		l.Body = said + s.texts.get(l.Lang, name(m.Kind)+".text") + "\n" + s.URL + "/r/" + ref +
			"?lang=" + l.Lang + "\n\n" + s.proof(m, ref, l.Lang) +
			s.texts.get(l.Lang, "foot", s.Name) + "\n"
		return nil
	})
	return l, err
}

// outcome is the subject of the mail about an outcome, and what it says: the result and what can be
// done about it. The reasons are on the page: somebody's words may name what was reported.
func (s *Service) outcome(
	r *store.Reader, ref, lang string,
) (subject, said string, err error) {
	v, err := s.Statements.Page(r, ref, lang)
	if err != nil {
		return "", "", err
	}
	for _, p := range v.Parts {
		if p.Name != "reason" {
			said += p.Label + "\n" + p.Text + "\n\n"
		}
	}
	return v.Title, said, nil
}

// proof says where the receipt of what is told is, if that has a line in the public log.
func (s *Service) proof(m store.Mail, ref, lang string) string {
	of := ""
	switch decide.LetterKind(m.Kind) {
	case decide.Outcome:
	case decide.AppealAnswer:
		of = "/complaint"
	default:
		return ""
	}
	return s.texts.get(lang, "proof") + "\n" + s.URL + "/r/" + ref + "/receipt" + of + "\n\n"
}

// name is how the texts call a kind of mail.
func name(kind int64) string {
	if kind == intake.ReceiptMail {
		return "receipt"
	}
	switch decide.LetterKind(kind) {
	case decide.AppealFiled:
		return "filed"
	case decide.AppealAnswer:
		return "answer"
	case decide.AppealMessage:
		return "message"
	default:
		return "outcome"
	}
}

// id is the part of a mail's Message-ID by which it is known when it comes twice.
func id(m store.Mail) string {
	b := []byte("mail")
	for _, n := range []int64{int64(m.Subject), m.Report, m.Kind, m.Of} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}
