package mailroom

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/owed"
	"parley/internal/safety/words"
	"parley/internal/smtp"
	"parley/internal/store"
	"parley/internal/tlog/paper"
)

const (
	// page is how many mails are answered at once.
	page = 100
	// lookEvery is how often it is looked whether an open order has a new paper.
	lookEvery = 2 * time.Minute
	// longest is the longest that the worker sleeps.
	longest = 30 * time.Second
	// giveUp is how often an answer is tried: for more than a week.
	giveUp = 40
)

// retry is between which times an answer is tried again.
func retry() owed.Backoff { return owed.Backoff{First: time.Minute, Last: 6 * time.Hour} }

// Run answers mails until ctx ends.
func (s *Service) Run(ctx context.Context) {
	s.worker.Run(ctx, longest, func(err error) { s.Log.Error("answering mails", "error", err) },
		func(ctx context.Context) error {
			_, err := s.Deliver(ctx)
			return err
		})
}

// Deliver sends all answers that are due, and returns how many the mail server took.
func (s *Service) Deliver(ctx context.Context) (int, error) {
	now := s.Clock.Now().Unix()
	return owed.Drain(ctx, func(ctx context.Context) (list []store.ArrivedMail, err error) {
		err = s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = r.OwedAnswers(now, page)
			return err
		})
		return list, err
	}, func(ctx context.Context, list []store.ArrivedMail) (n int, err error) {
		for _, m := range list {
			sent, err := s.answer(ctx, m, now)
			if err != nil {
				return n, err
			}
			if sent {
				n++
			}
		}
		return n, nil
	})
}

// answer sends what is new to who sent a mail, if anything is, and writes down when it is looked at
// again.
func (s *Service) answer(ctx context.Context, m store.ArrivedMail, now int64) (bool, error) {
	to, k, err := s.open(m)
	if err != nil {
		return false, err
	}
	l, open, err := s.letter(ctx, m, to, &k)
	if err != nil {
		return false, err
	}
	sent := false
	if l.Body != "" {
		if _, ok := s.answers.Allow(strings.ToLower(to.Address)); !ok {
			// Somebody has us write to him over and over: the papers wait.
			m.Due = now + int64(time.Hour/time.Second)
			return false, s.Store.Update(ctx, key(m.Agency), func(tx *store.Tx) error {
				return tx.ChangeArrivedMail(m)
			})
		}
		err := s.Send(ctx, l)
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		var failed *smtp.DeliveryError
		if errors.As(err, &failed) && failed.Temporary && m.Tries < giveUp {
			m.Tries++
			m.Due = now + int64(retry().After(m.Tries)/time.Second)
			s.Log.Warn("a mail was not answered", "mail", m.ID, "error", err)
			return false, s.Store.Update(ctx, key(m.Agency), func(tx *store.Tx) error {
				return tx.ChangeArrivedMail(m)
			})
		}
		if err != nil {
			s.Log.Warn("a mail is not answered", "mail", m.ID, "error", err)
			open = false
		}
		sent, m.Tries = err == nil, 0
	}
	m.Due = 0
	if open {
		m.Due = now + int64(lookEvery/time.Second)
	}
	if m.Body, err = json.Marshal(k); err != nil {
		return sent, fmt.Errorf("mailroom: %w", err)
	}
	return sent, s.Store.Update(ctx, key(m.Agency), func(tx *store.Tx) error {
		return tx.ChangeArrivedMail(m)
	})
}

// open reads who sent a mail, and what is kept of it.
func (s *Service) open(m store.ArrivedMail) (to sender, k kept, err error) {
	b, err := s.Box.Open(nil, m.Sealed, sealFor, m.ID)
	if err == nil {
		err = json.Unmarshal(b, &to)
	}
	if err == nil {
		err = json.Unmarshal(m.Body, &k)
	}
	if err != nil {
		return to, k, fmt.Errorf("mailroom: mail %d: %w", m.ID, err)
	}
	return to, k, nil
}

// answersIn is the language of answers to a mail in a language.
func (s *Service) answersIn(lang string) string {
	if _, ok := s.texts[lang]; ok {
		return lang
	}
	return words.Fallback
}

// letter writes what is new for the sender of a mail; its body is empty when nothing is. open is
// whether more may come.
func (s *Service) letter(
	ctx context.Context, m store.ArrivedMail, to sender, k *kept,
) (l smtp.Letter, open bool, err error) {
	lang := s.answersIn(k.Lang)
	l = smtp.Letter{
		To: to.Address, Lang: lang, Time: s.Clock.Now(), InReplyTo: to.MessageID,
		ReplyTo: s.Address(instrument.Door(m.Door)),
		Subject: subject(to, ""),
	}
	var b strings.Builder
	was := slices.Clone(k.About)
	err = s.Store.View(ctx, func(r *store.Reader) error {
		b.Reset() // it may run twice
		l.Files, open = nil, false
		if !k.Told && k.Said != "" {
			b.WriteString(k.Said + "\n\n")
		}
		copy(k.About, was)
		for i := range k.About {
			o, err := s.Orders.Of(r, m.Agency, k.About[i].ID)
			if err != nil {
				return err
			}
			if k.About[i].Others {
				if !k.Told {
					b.WriteString(s.text(lang, m.Outcome, o.Reference) + "\n\n")
				}
				continue
			}
			open = open || o.State.Open()
			l.Subject = subject(to, o.Reference)
			if err := s.papers(r, o, &k.About[i], lang, &b, &l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || b.Len() == 0 {
		return l, open, err
	}
	if k.Lost > 0 && !k.Told {
		b.WriteString(s.text(lang, "lost", k.Lost) + "\n\n")
	}
	k.Told = true
	l.ID = "mail" + strconv.FormatInt(m.ID, 36) + "." + strconv.Itoa(len(l.Files)) + "." +
		strconv.FormatInt(m.At, 36)
	l.Body = b.String() + s.text(lang, "foot", s.Name, s.URL+"/contact/where?lang="+lang) + "\n"
	return l, open, nil
}

// subject is the subject of an answer: that of the mail, and the reference by which an answer to
// the answer finds its order.
func subject(to sender, ref string) string {
	said := strings.TrimSpace(strings.ReplaceAll(to.Subject, "\n", " "))
	if len(said) < 3 || !strings.EqualFold(said[:3], "re:") {
		said = strings.TrimSpace("Re: " + said)
	}
	if ref == "" || strings.Contains(said, ref) {
		return said
	}
	return said + " [" + ref + "]"
}

// papers adds the papers of an order that were not mailed yet.
func (s *Service) papers(
	r *store.Reader, o order.Order, k *about, lang string, b *strings.Builder, l *smtp.Letter,
) error {
	list, err := order.Papers(r, o.Agency, o.ID)
	if err != nil {
		return err
	}
	for n := k.Mailed; n < len(list); n++ {
		p := list[n]
		if p.Kind == string(paper.Information) || p.Kind == string(paper.Scrutiny) {
			continue // what speaks of data, or to others, goes to nobody unknown
		}
		if said, err := s.Orders.Sign.Letter(p.Signed, lang); err == nil {
			b.WriteString(said.String() + "\n")
		}
		l.Files = append(l.Files, smtp.File{
			Name: fmt.Sprintf("%s-%s-%d.txt", o.Reference, p.Kind, p.N), Body: p.Signed,
		})
	}
	if k.Mailed == 0 && len(list) > 0 {
		b.WriteString(s.text(lang, "order", o.Reference, s.URL+"/authority?lang="+lang) + "\n\n")
	}
	k.Mailed = len(list)
	return nil
}
