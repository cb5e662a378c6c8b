package inquiry

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"parley/internal/safety/owed"
	"parley/internal/safety/words"
	"parley/internal/smtp"
	"parley/internal/store"
)

// mailTexts has the words of the mail, one file for each language.
//
//go:embed texts/*.toml
var mailTexts embed.FS

// Texts are the files of the mail's words.
func Texts() fs.FS { return mailTexts }

// mostTries is how often a mail is tried: with the waits between them for a week.
const mostTries = 40

// waits are those between two tries of a mail.
func waits() owed.Backoff { return owed.Backoff{First: period, Last: 6 * time.Hour} }

// Open reads the texts of mails about letters, and takes letters from then on.
func (s *Service) Open(l Letters) (err error) {
	if l.texts, err = words.Read(mailTexts, words.Authorities()); err == nil {
		s.Letters = &l
	}
	return err
}

// Tell mails those who wrote letters that they are answered. It may run twice: a mail that was sent
// twice has one Message-ID. What the mail server refuses for good is given up; the answer stands on
// the letter's page all the same.
func (s *Service) Tell(ctx context.Context) error {
	if s.Letters == nil || s.Letters.Send == nil {
		return nil
	}
	due := func(ctx context.Context, limit int) (list []store.InquiryAsker, err error) {
		now := s.Clock.Now().Unix()
		err = s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = r.OwedInquiryAskers(now, limit)
			return err
		})
		return list, err
	}
	_, err := owed.Each(ctx, page, due, letterOf, func(
		ctx context.Context, row store.InquiryAsker,
	) (bool, error) {
		return true, s.tell(ctx, row)
	})
	return err
}

// tell mails one of them, and notes what became of it.
func (s *Service) tell(ctx context.Context, row store.InquiryAsker) error {
	by, err := s.Letters.open(row)
	if err != nil {
		return err
	}
	begun := row.Tell
	err = s.Letters.Send(ctx, s.Letters.answered(by, row, s.Clock.Now()))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var failed *smtp.DeliveryError
	row.Tell = 0
	if errors.As(err, &failed) && failed.Temporary && row.Tries < mostTries {
		row.Tries++
		row.Tell = s.Clock.Now().Add(waits().After(row.Tries)).Unix()
	}
	return s.Store.Update(ctx, key(row.Agency), func(tx *store.Tx) error {
		now, err := tx.InquiryAsker(row.Agency, row.Inquiry)
		if err != nil || now.Tell != begun {
			return err // answered anew meanwhile
		}
		now.Tell, now.Tries = row.Tell, row.Tries
		return tx.PutInquiryAsker(now)
	})
}

// answered is the mail that says that there is an answer, and where; it repeats nothing of it.
func (l *Letters) answered(by Asker, row store.InquiryAsker, now time.Time) smtp.Letter {
	lang := by.Lang
	if l.texts[lang] == nil {
		lang = words.Fallback
	}
	say, ref := l.texts[lang], l.reference(row.Inquiry)
	return smtp.Letter{
		To: by.Mail, Subject: say["subject"], Lang: lang, Time: now,
		Body: fmt.Sprintf("%s\n\n%s/contact/letter/%s?lang=%s\n\n%s\n",
			say["text"], l.URL, ref, lang, fmt.Sprintf(say["foot"], l.Name)),
		// A mail that was sent and not noted is sent again, with the same time of its try.
		ID: fmt.Sprintf("letter-%d-%d", row.Inquiry, row.Tell),
	}
}
