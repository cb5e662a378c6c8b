package mailroom

import (
	"bytes"
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

// lookAfter is in how many seconds it is looked again for papers of an order whose mail is so old:
// what has waited for long is not hurried by looking often.
func lookAfter(age int64) int64 {
	return max(int64(lookEvery/time.Second), min(age/10, 6*60*60))
}

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

// Deliver sends all answers that are due, and returns how many the mail server took. One that fails
// holds up no other.
func (s *Service) Deliver(ctx context.Context) (int, error) {
	now := s.Clock.Now().Unix()
	due := func(ctx context.Context, limit int) (list []store.ArrivedMail, err error) {
		err = s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = r.OwedAnswers(now, limit)
			return err
		})
		return list, err
	}
	id := func(m store.ArrivedMail) [2]int64 { return [2]int64{m.Agency, m.ID} }
	return owed.Each(ctx, page, due, id, func(
		ctx context.Context, m store.ArrivedMail,
	) (bool, error) {
		return s.answer(ctx, m, now)
	})
}

// Letter is a mail that went to who sent one.
type Letter struct {
	At      int64  `json:"at"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	// Files are the names of what was in it.
	Files []string `json:"files,omitempty"`
	// Failed is set when no mail server took it: he was not told.
	Failed bool `json:"failed,omitempty"`
}

// progress is what an answer would bring forward.
type progress struct {
	about  []about
	told   bool
	worded int
	// open is whether more may come.
	open   bool
	letter *Letter
}

// apply writes down in a mail what was brought forward; it may have changed meanwhile.
func (p progress) apply(m *store.ArrivedMail, k *kept) {
	for _, x := range p.about {
		for i := range k.About {
			if k.About[i].ID == x.ID {
				k.About[i].Mailed = max(k.About[i].Mailed, x.Mailed)
			}
		}
	}
	if p.letter == nil {
		return
	}
	if p.letter.Failed && p.worded > k.Worded {
		m.Outcome = string(Waiting) // what a person wrote has not arrived: a person must know
	}
	k.Told, k.Worded = k.Told || p.told, max(k.Worded, p.worded)
	k.Letters = append(k.Letters, *p.letter)
}

// answer sends what is new to who sent a mail, if anything is, and writes down when it is looked at
// again.
func (s *Service) answer(ctx context.Context, m store.ArrivedMail, now int64) (bool, error) {
	to, k, err := s.open(m)
	if err != nil {
		return false, err
	}
	l, p, err := s.letter(ctx, m, to, k)
	if err != nil {
		return false, err
	}
	sent := false
	if l.Body != "" {
		if _, ok := s.answers.Allow(strings.ToLower(to.Address)); !ok {
			// Somebody has us write to him over and over: the papers wait.
			return false, s.change(ctx, m, func(m *store.ArrivedMail, _ *kept) {
				m.Due = now + int64(time.Hour/time.Second)
			})
		}
		err := s.Send(ctx, l)
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		var failed *smtp.DeliveryError
		if errors.As(err, &failed) && failed.Temporary && m.Tries < giveUp {
			s.Log.Warn("a mail was not answered", "mail", m.ID, "error", err)
			return false, s.change(ctx, m, func(m *store.ArrivedMail, _ *kept) {
				m.Tries++
				m.Due = now + int64(retry().After(m.Tries)/time.Second)
			})
		}
		if err != nil {
			s.Log.Warn("a mail is not answered", "mail", m.ID, "error", err)
			p.open = false
		}
		sent = err == nil
		p.letter = &Letter{At: now, Subject: l.Subject, Text: l.Body, Failed: !sent}
		for _, f := range l.Files {
			p.letter.Files = append(p.letter.Files, f.Name)
		}
	}
	return sent, s.change(ctx, m, func(fresh *store.ArrivedMail, k *kept) {
		fresh.Due = 0
		switch {
		case !bytes.Equal(fresh.Body, m.Body):
			fresh.Due = now // a person did something meanwhile
		case p.open:
			fresh.Due = now + lookAfter(now-m.At)
		}
		if sent {
			fresh.Tries = 0
		}
		p.apply(fresh, k)
	})
}

// change writes what is new of a mail into it, as it is now.
func (s *Service) change(
	ctx context.Context, m store.ArrivedMail, fn func(*store.ArrivedMail, *kept),
) error {
	return s.Store.Update(ctx, key(m.Agency), func(tx *store.Tx) error {
		fresh, err := tx.ArrivedMail(m.Agency, m.ID)
		if err != nil {
			return err
		}
		var k kept
		if err := json.Unmarshal(fresh.Body, &k); err != nil {
			return fmt.Errorf("mailroom: mail %d: %w", m.ID, err)
		}
		fn(&fresh, &k)
		if fresh.Body, err = json.Marshal(k); err != nil {
			return fmt.Errorf("mailroom: %w", err)
		}
		return tx.ChangeArrivedMail(fresh)
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

// letter writes what is new for the sender of a mail; its body is empty when nothing is.
func (s *Service) letter(
	ctx context.Context, m store.ArrivedMail, to sender, k kept,
) (l smtp.Letter, p progress, err error) {
	lang := s.answersIn(k.Lang)
	l = smtp.Letter{
		To: to.Address, Lang: lang, Time: s.Clock.Now(), InReplyTo: to.MessageID,
		ReplyTo: s.Address(instrument.Door(m.Door)),
		Subject: subject(to, ""),
	}
	var b strings.Builder
	err = s.Store.View(ctx, func(r *store.Reader) error {
		b.Reset() // it may run twice
		l.Files, p = nil, progress{about: slices.Clone(k.About), told: true, worded: len(k.Words)}
		for _, said := range append([]string{unsaid(k)}, k.Words[k.Worded:]...) {
			if said != "" {
				b.WriteString(said + "\n\n")
			}
		}
		for i := range p.about {
			o, err := s.Orders.Of(r, m.Agency, p.about[i].ID)
			if err != nil {
				return err
			}
			if p.about[i].Others {
				if !k.Told {
					b.WriteString(s.text(lang, string(Enclosed), o.Reference) + "\n\n")
				}
				continue
			}
			p.open = p.open || o.State.Open()
			l.Subject = subject(to, o.Reference)
			if err := s.papers(r, o, &p.about[i], lang, &b, &l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || b.Len() == 0 {
		return l, p, err
	}
	if k.Lost > 0 && !k.Told {
		b.WriteString(s.text(lang, "lost", k.Lost) + "\n\n")
	}
	if said := s.danger(lang, k); said != "" && !k.Told {
		b.WriteString(said + "\n\n")
	}
	l.ID = threadOf(m.ID) + "." + strconv.Itoa(len(k.Letters)) + "." + strconv.FormatInt(m.At, 36)
	foot := "foot"
	if len(l.Files) == 0 {
		foot = "person"
	}
	l.Body = b.String() + s.text(lang, foot, s.Name, s.URL+"/contact/where?lang="+lang) + "\n"
	return l, p, nil
}

// unsaid is what the sender of a mail was to be told at once, and was not.
func unsaid(k kept) string {
	if k.Told {
		return ""
	}
	return k.Said
}

// thread begins the Message-IDs of our answers to a mail, so that an answer to one is known. The
// numbers of mails are nobody's to guess.
const thread = "mail"

func threadOf(id int64) string { return thread + strconv.FormatInt(id, 36) }

// continues finds the mail to whose answer this one is an answer.
func (a *arrival) continues(ctx context.Context) error {
	return a.Store.View(ctx, func(r *store.Reader) error {
		a.Before = 0
		for _, word := range strings.FieldsFunc(a.m.answers, func(c rune) bool {
			return c == '<' || c == '>' || c <= ' '
		}) {
			word, _, found := strings.Cut(word, ".")
			digits, ours := strings.CutPrefix(word, thread)
			id, err := strconv.ParseInt(digits, 36, 64)
			if !found || !ours || err != nil || a.Before != 0 {
				continue
			}
			m, err := r.ArrivedMail(0, id)
			if store.IsNotFound(err) {
				continue
			}
			if err != nil {
				return err
			}
			a.Before = id
			if !ofAuthorities(instrument.Door(m.Door)) {
				a.row.Door = m.Door // where the others of the talk are
			}
		}
		return nil
	})
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
	if k.Mailed == 0 && len(list) > 0 && o.Agency == 0 && o.State.Open() {
		b.WriteString(s.text(lang, "unknown", s.URL+"/authority/first?lang="+lang) + "\n\n")
	}
	if k.Mailed == 0 && len(list) > 0 {
		b.WriteString(s.text(lang, "order", o.Reference, s.URL+"/authority?lang="+lang) + "\n\n")
	}
	k.Mailed = len(list)
	return nil
}
