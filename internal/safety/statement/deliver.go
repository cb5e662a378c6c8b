package statement

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/internal/chat"
	"parley/internal/chat/account"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/safety/owed"
	"parley/internal/store"
)

const (
	// deliverPage is how many letters are read at once.
	deliverPage = 100
	// couriers is how many addressees are written to at once: each waits for the disk, mostly.
	couriers = 16
	// longest is the longest that the worker sleeps: bars end without waking it.
	longest = 30 * time.Second
	// reportsPage is how many notifiers are told at once.
	reportsPage = 100
)

// backoff is when a letter is tried again.
func backoff() owed.Backoff { return owed.Backoff{First: 30 * time.Second, Last: time.Hour} }

// Owed wakes the worker. It does not block.
func (s *Service) Owed() { s.worker.Wake() }

// Run delivers what is owed and takes in what is written to the service account, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	failed := func(err error) { s.Log.Error("delivering letters", "error", err) }
	s.worker.Run(ctx, longest, failed, func(ctx context.Context) error {
		_, letters := s.Deliver(ctx)
		_, standings := s.TellStandings(ctx)
		return errors.Join(letters, standings, s.Listen(ctx))
	})
}

// Deliver delivers all letters that are due and returns how many it delivered. One that fails is
// tried again later and holds up no other. It may run twice.
func (s *Service) Deliver(ctx context.Context) (n int, err error) {
	return owed.Drain(ctx, s.due, s.deliverAll)
}

// due are the next letters.
func (s *Service) due(ctx context.Context) (list []store.Letter, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		list, err = r.OwedLetters(s.Clock.Now().Unix(), deliverPage)
		return err
	})
	return list, err
}

// deliverAll delivers letters, those of different addressees at once, and returns how many.
func (s *Service) deliverAll(ctx context.Context, list []store.Letter) (int, error) {
	now := s.Clock.Now().Unix()
	var n atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(couriers)
	for _, letters := range rounds(list) {
		g.Go(func() error {
			for _, l := range letters {
				switch err := s.deliver(ctx, l); {
				case err == nil:
					n.Add(1)
					s.Delivered(decide.LetterKind(l.Kind))
				case ctx.Err() != nil, errors.Is(err, store.ErrStopped):
					return err
				default:
					s.Log.Warn("a letter is tried again later", "letter", l.ID, "error", err)
					if err := s.putOff(ctx, l, now); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	err := g.Wait()
	return int(n.Load()), err
}

// rounds divides letters by whom they are for, each in their order: the account that they name, or
// those who reported a subject.
func rounds(list []store.Letter) (out [][]store.Letter) {
	at := make(map[ids.Peer]int)
	for _, l := range list {
		to := l.Subject
		if l.Recipient != 0 {
			to = l.Recipient.Peer()
		}
		i, ok := at[to]
		if !ok {
			i = len(out)
			at[to], out = i, append(out, nil)
		}
		out[i] = append(out[i], l)
	}
	return out
}

// putOff has a letter tried again later.
func (s *Service) putOff(ctx context.Context, l store.Letter, now int64) error {
	return s.Store.Update(ctx, l.Subject, func(tx *store.Tx) error {
		x, err := tx.Letter(l.Subject, l.ID)
		if err != nil || x.Delivered != 0 {
			return err
		}
		waited := time.Duration(now-x.Created) * time.Second
		x.Due = now + int64(backoff().Waited(waited)/time.Second)
		return tx.ChangeLetter(x)
	})
}

// letter is what is written to one person.
type letter struct {
	title   string
	parts   []Part
	buttons []message.Button
}

// recipient is whom a letter goes to: an account, or whoever made a report and left a mail address.
type recipient struct {
	user   ids.UserID
	lang   string
	report int64
}

// deliver sends one letter and ticks it off.
func (s *Service) deliver(ctx context.Context, l store.Letter) error {
	switch decide.LetterKind(l.Kind) {
	case decide.Outcome, decide.Changed:
		return s.tellNotifiers(ctx, l)
	case decide.ToAuthority:
		if s.Authority == nil {
			return fmt.Errorf("statement: nobody tells authorities")
		}
		if err := s.Authority(ctx, l.Place, l.Appeal, l.Decision); err != nil {
			return err
		}
		return s.tickOff(ctx, l, recipient{}, 0)
	}
	var to recipient
	var text letter
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		if to, err = s.recipient(r, l); err != nil {
			return err
		}
		text, err = s.write(r, l, to)
		return err
	})
	if err != nil {
		return err
	}
	var id int64
	if to.user != 0 {
		if id, err = s.send(ctx, to, text, randomID(l.Subject, l.ID, 0)); err != nil {
			return err
		}
	}
	if err := s.crash("sent"); err != nil {
		return err
	}
	return s.tickOff(ctx, l, to, id)
}

func (s *Service) crash(point string) error {
	if s.Crash != nil {
		return s.Crash(point)
	}
	return nil
}

// tickOff notes that a letter is delivered, or that a mail will do so.
func (s *Service) tickOff(ctx context.Context, l store.Letter, to recipient, id int64) error {
	now := s.Clock.Now().Unix()
	return s.Store.Update(ctx, l.Subject, func(tx *store.Tx) error {
		x, err := tx.Letter(l.Subject, l.ID)
		if err != nil {
			return err
		}
		x.Delivered, x.Message = now, id
		if err := tx.ChangeLetter(x); err != nil {
			return err
		}
		return s.oweMail(tx, l, to)
	})
}

// oweMail has a letter mailed to somebody without an account who left an address.
func (s *Service) oweMail(tx *store.Tx, l store.Letter, to recipient) error {
	if to.report == 0 || s.Mail == nil {
		return nil
	}
	return s.Mail(tx, l, to.report)
}

// randomID is the random_id of a letter's message, by which it is sent once.
func randomID(subject ids.Peer, id, report int64) int64 {
	b := []byte("letter")
	for _, n := range []int64{int64(subject), id, report} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	sum := sha256.Sum256(b)
	return int64(binary.BigEndian.Uint64(sum[:])>>1) | 1
}

// recipient is whom a letter is for: the account that its row names, or who made the report that a
// complaint is about.
func (s *Service) recipient(r *store.Reader, l store.Letter) (to recipient, err error) {
	if l.Recipient != 0 {
		to.user = l.Recipient
		to.lang, err = s.Language(r, l.Recipient)
		return to, err
	}
	a, err := appeal.Get(r, l.Subject, l.Appeal)
	if err != nil {
		return to, err
	}
	if to, err = s.notifier(r, l.Subject, a.Report); err == nil && a.Lang != "" {
		to.lang = s.texts.in(a.Lang)
	}
	return to, err
}

// notifier is who made a report.
func (s *Service) notifier(
	r *store.Reader, subject ids.Peer, report int64,
) (to recipient, err error) {
	who, err := s.Intake.Identify(r, subject, report)
	if err != nil {
		return to, err
	}
	to = recipient{user: who.User, lang: s.texts.in(who.Lang)}
	if who.User != 0 {
		to.lang, err = s.Language(r, who.User)
	} else if who.Email != "" {
		to.report = report
	}
	return to, err
}

// write writes a letter to one person.
func (s *Service) write(r *store.Reader, l store.Letter, to recipient) (out letter, err error) {
	switch decide.LetterKind(l.Kind) {
	case decide.DataAsked, decide.DataLeft:
		if s.Data == nil {
			return out, fmt.Errorf("statement: nobody writes letters of kind %d", l.Kind)
		}
		out.title, out.parts, err = s.Data(r, l, to.lang)
		return out, err
	default:
		return s.about(r, l, to)
	}
}

// about writes a letter about a decision or a complaint against it.
func (s *Service) about(r *store.Reader, l store.Letter, to recipient) (out letter, err error) {
	d, err := decide.Of(r, l.Subject, l.Decision)
	if err != nil {
		return out, err
	}
	t, lang := s.texts, to.lang
	reason := func(text string) Part { return t.part(lang, "reason", isolate+text+popped) }
	page := s.link("button.page", "/s/", s.Reference(d), lang)
	switch decide.LetterKind(l.Kind) {
	case decide.Statement:
		out.title, out.parts = s.Text(d, lang)
		all := s.References.Make(safety.PersonRef, l.Recipient.Peer(), 0)
		out.buttons = append(s.appealButton(s.Reference(d), lang), page...)
		out.buttons = append(out.buttons, s.link("button.all", "/p/", all, lang)...)
		out.buttons = append(out.buttons, s.proof("/s/", s.Reference(d), lang)...)
		return out, nil
	case decide.EndedEarly:
		out.title = t.get(lang, "ended.title")
		out.parts = []Part{
			t.part(lang, "subject", s.subject(d, lang)), {Text: t.get(lang, "ended.text")},
			reason(d.EndReason),
		}
		out.buttons = page
		return out, nil
	}
	a, err := appeal.Get(r, l.Subject, l.Appeal)
	if err != nil {
		return out, err
	}
	notifier := ""
	out.buttons = page
	if a.Report != 0 {
		notifier = "notifier."
		ref := s.References.Make(safety.ReportRef, l.Subject, a.Report)
		out.buttons = s.link("button.page", "/r/", ref, lang)
	}
	switch decide.LetterKind(l.Kind) {
	case decide.AppealFiled:
		out.title = t.get(lang, "filed.title")
		out.parts = []Part{{Text: t.get(lang, "filed.text")}}
	case decide.AppealAnswer:
		out.title = t.get(lang, "answer.title")
		key := "answer." + notifier + a.State.String()
		out.parts = []Part{t.part(lang, "outcome", t.get(lang, key)), reason(a.Reason)}
		path, ref := "/s/", s.Reference(d)
		if a.Report != 0 {
			path, ref = "/r/", s.References.Make(safety.ReportRef, l.Subject, a.Report)
		}
		out.buttons = append(out.buttons, s.proof(path, ref, lang)...)
	case decide.AppealMessage:
		out.title = t.get(lang, "message.title")
		lines, err := appeal.Dialogue(r, l.Subject, a.ID)
		if err != nil {
			return out, err
		}
		for _, line := range lines {
			if line.ID == l.Place {
				out.parts = []Part{{Text: isolate + line.Text + popped}}
			}
		}
	default:
		return out, fmt.Errorf("statement: no letter of kind %d", l.Kind)
	}
	return out, nil
}

// link is a button that opens a page, none where there are no pages.
func (s *Service) link(key, path, ref, lang string) []message.Button {
	if s.URL == "" {
		return nil
	}
	return []message.Button{{
		Text: s.texts.get(lang, key), URL: s.URL + path + ref,
	}}
}

// proof is a button that leads to the receipts of a page's lines in the public log.
func (s *Service) proof(path, ref, lang string) []message.Button {
	return s.link("button.proof", path, ref+"#proof", lang)
}

// appealButton is the button by which a decision is complained about.
func (s *Service) appealButton(ref, lang string) []message.Button {
	return []message.Button{{
		Text: s.texts.get(lang, "button.appeal"), Data: []byte(ref),
	}}
}

// send sends a letter to an account and returns the message's id in the service account's box, 0
// when the account takes no messages: then its page has it.
func (s *Service) send(
	ctx context.Context, to recipient, l letter, random int64,
) (int64, error) {
	c := content(l.title, l.parts)
	for _, b := range l.buttons {
		c.Buttons = append(c.Buttons, []message.Button{b})
	}
	sent, err := s.Message.Send(ctx, message.Outgoing{
		From: account.ServiceUser, To: to.user.Peer(), Random: random, Trusted: true, Content: c,
	})
	var refusal chat.Refusal
	if errors.As(err, &refusal) || store.IsNotFound(err) {
		return 0, nil
	}
	return sent.Message.ID, err
}

// tellNotifiers tells all who reported a case how it ended, one after the other.
func (s *Service) tellNotifiers(ctx context.Context, l store.Letter) error {
	for {
		var reports []store.Report
		var d decide.Decision
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			if d, err = decide.Of(r, l.Subject, l.Decision); err != nil {
				return err
			}
			reports, err = r.Reports(l.Subject, d.Case, l.Place, reportsPage)
			return err
		})
		if err != nil {
			return err
		}
		// The result that another letter takes back need not be told first.
		stale := decide.LetterKind(l.Kind) == decide.Outcome &&
			(d.State == decide.Lifted || d.State == decide.Superseded)
		if len(reports) == 0 || stale {
			return s.tickOff(ctx, l, recipient{}, 0)
		}
		for _, x := range reports {
			if err := s.tellNotifier(ctx, l, d, x); err != nil {
				return err
			}
			l.Place = x.ID
		}
	}
}

// tellNotifier tells one notifier, and notes that he was told.
func (s *Service) tellNotifier(
	ctx context.Context, l store.Letter, d decide.Decision, x store.Report,
) error {
	var to recipient
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		to, err = s.notifier(r, x.Subject, x.ID)
		return err
	})
	if err != nil {
		return err
	}
	if x.Flagger != 0 && s.Flagged != nil {
		if err := s.Flagged(ctx, x, d); err != nil {
			return err
		}
	}
	text := letter{}
	text.title, text.parts = s.outcome(d, x, to.lang)
	if decide.LetterKind(l.Kind) == decide.Changed {
		text.title = s.texts.get(to.lang, "outcome.changed")
	}
	ref := s.References.Make(safety.ReportRef, x.Subject, x.ID)
	if casefile.Outcome(x.Outcome) != casefile.Upheld {
		text.buttons = s.appealButton(ref, to.lang)
	}
	text.buttons = append(text.buttons, s.link("button.page", "/r/", ref, to.lang)...)
	text.buttons = append(text.buttons, s.proof("/r/", ref, to.lang)...)
	if to.user != 0 {
		_, err := s.send(ctx, to, text, randomID(l.Subject, l.ID, x.ID))
		if err != nil {
			return err
		}
	}
	if err := s.crash("sent"); err != nil {
		return err
	}
	now := s.Clock.Now().Unix()
	return s.Store.Update(ctx, l.Subject, func(tx *store.Tx) error {
		y, err := tx.Letter(l.Subject, l.ID)
		if err != nil {
			return err
		}
		y.Place = x.ID
		if err := tx.ChangeLetter(y); err != nil {
			return err
		}
		if to.report != 0 && s.Mail != nil {
			return s.oweMail(tx, y, to) // who sends the mail notes that it was sent
		}
		return casefile.SetTold(tx, x.Subject, x.ID, now)
	})
}
