package hotline

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"parley/internal/clock"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/owed"
	"parley/internal/safety/words"
	"parley/internal/smtp"
	"parley/internal/store"
)

// mailTexts has the words of the mails, one file for each language.
//
//go:embed texts/*.toml
var mailTexts embed.FS

// untold is Notified of an item of whose outcome nobody is told: its agency gave no address, or the
// address takes no mail. Its page and the interface have the outcome all the same. Between 0 and
// the time when it was told an item has the negative time at which its mail was begun.
const untold = -1

const (
	// gathering is how long an outcome waits for others, in seconds: a mail for each of a thousand
	// items would be read by nobody.
	gathering = 15 * 60
	// mostTold is how many outcomes one mail tells.
	mostTold = 500
	// giveUp is how long a mail is tried, in seconds.
	giveUp = 7 * 24 * 60 * 60
)

// Teller mails agencies how their items ended, and which measures were taken against them, to the
// address that they gave for that.
//
// The items of a mail are chosen in a transaction before it is sent, and ticked off after the mail
// server took it. A crash between the two sends the same mail again, under the same Message-ID, by
// which mail programs know it. A mail names our references and outcomes, and nothing of what was
// reported.
type Teller struct {
	TellerOptions
	texts  map[string]map[string]string
	worker owed.Worker

	mu sync.Mutex
	// rests are those of agencies whose mail was not taken.
	rests map[int64]*owed.Rest
}

// TellerOptions are what a Teller is made of.
type TellerOptions struct {
	Store      *store.Store
	Clock      clock.Clock
	References safety.References
	// Send hands a mail to the mail server; nil tells nobody.
	Send func(context.Context, smtp.Letter) error
	// URL is what links to pages begin with, without a slash at its end; Name is what the service
	// calls itself.
	URL, Name string
	Log       *slog.Logger
}

// NewTeller reads the texts.
func NewTeller(o TellerOptions) (*Teller, error) {
	texts, err := words.Read(mailTexts, words.Authorities())
	return &Teller{TellerOptions: o, texts: texts, rests: make(map[int64]*owed.Rest)}, err
}

// Run tells what is owed until ctx ends; failed hears of the errors of rounds.
func (t *Teller) Run(ctx context.Context, failed func(error)) {
	t.worker.Run(ctx, period, failed, func(ctx context.Context) error {
		return errors.Join(t.Tell(ctx), t.Measures(ctx))
	})
}

// Tell mails every agency whose outcomes have waited long enough. It may run twice. An agency whose
// mail fails holds up no other.
func (t *Teller) Tell(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var failed []error
	for after := int64(0); ; {
		var next store.HotlineItem
		err := t.Store.View(ctx, func(r *store.Reader) (err error) {
			next, err = r.NextUntoldHotline(after)
			return err
		})
		if store.IsNotFound(err) {
			return errors.Join(failed...)
		}
		if err != nil {
			return errors.Join(append(failed, err)...)
		}
		after = next.Agency
		for more := true; more; {
			if more, err = t.tell(ctx, next.Agency); err != nil {
				failed = append(failed, fmt.Errorf("telling agency %d: %w", next.Agency, err))
				more = false
			}
		}
	}
}

// batch are the outcomes that one mail tells.
type batch struct {
	of    agency.Agency
	begun int64
	items []Item
}

// tell mails an agency what it is owed, and tells whether there may be more.
func (t *Teller) tell(ctx context.Context, of int64) (more bool, err error) {
	now := t.Clock.Now()
	if rest := t.rests[of]; rest != nil && !rest.Over(now) {
		return false, nil
	}
	b, err := t.choose(ctx, of, now.Unix())
	if err != nil || len(b.items) == 0 {
		return false, err
	}
	told := int64(untold)
	if t.Send != nil && b.of.State == agency.Active && b.of.Answers != "" {
		again, err := t.mail(ctx, b, now)
		if again || ctx.Err() != nil {
			return false, errors.Join(err, ctx.Err())
		}
		if err == nil {
			told = now.Unix()
		} else {
			t.Log.Warn("outcomes were not mailed to a hotline", "agency", of, "error", err)
		}
	}
	delete(t.rests, of)
	return true, t.Store.Update(ctx, key(of), func(tx *store.Tx) error {
		for _, i := range b.items {
			// What ended anew meanwhile is told anew.
			if err := tx.TellHotlineItem(of, i.ID, -b.begun, told); err != nil {
				return err
			}
		}
		return nil
	})
}

// choose chooses the items of an agency's next mail: those of one that was begun before; else, when
// the first of them has waited for long enough, all that wait.
func (t *Teller) choose(ctx context.Context, of, now int64) (b batch, err error) {
	err = t.Store.Update(ctx, key(of), func(tx *store.Tx) error {
		b = batch{}
		list, err := readAll(tx.UntoldHotlineItems(of, mostTold))
		if err != nil || len(list) == 0 {
			return err
		}
		if b.of, err = agency.Of(&tx.Reader, of); err != nil {
			return err
		}
		if b.begun = -list[0].Notified; b.begun > 0 {
			for _, i := range list {
				if i.Notified == -b.begun {
					b.items = append(b.items, i)
				}
			}
			return nil
		}
		oldest := list[0].Decided
		for _, i := range list {
			oldest = min(oldest, i.Decided)
		}
		if oldest+gathering > now {
			return nil
		}
		for _, i := range list {
			if err := tx.TellHotlineItem(of, i.ID, 0, -now); err != nil {
				return err
			}
		}
		b.begun, b.items = now, list
		return nil
	})
	return b, err
}

// mail sends the mail of a batch; again says that it is to be tried again.
func (t *Teller) mail(ctx context.Context, b batch, now time.Time) (again bool, err error) {
	err = t.Send(ctx, t.letter(b))
	var failed *smtp.DeliveryError
	if !errors.As(err, &failed) || !failed.Temporary || b.begun+giveUp <= now.Unix() {
		return false, err
	}
	rest := t.rests[b.of.ID]
	if rest == nil {
		rest = &owed.Rest{Backoff: owed.Backoff{First: period, Last: 6 * time.Hour}}
		t.rests[b.of.ID] = rest
	}
	rest.Failed(now, 0, 0)
	return true, err
}

// letter writes the mail of a batch.
func (t *Teller) letter(b batch) smtp.Letter {
	lang := b.of.Lang
	if t.texts[lang] == nil {
		lang = words.Fallback
	}
	say := t.texts[lang]
	var body strings.Builder
	sum := sha256.New()
	fmt.Fprintf(sum, "hotline %d %d", b.of.ID, b.begun)
	body.WriteString(say["text"] + "\n\n")
	for _, i := range b.items {
		fmt.Fprintf(sum, " %d", i.ID)
		ref := t.References.Make(safety.FlagRef, key(i.Agency), i.ID)
		fmt.Fprintf(&body, "%s: %s", ref, say["outcome."+Ended(i.Outcome)])
		if i.First != i.Outcome {
			body.WriteString(" (" + say["changed"] + ")")
		}
		fmt.Fprintf(&body, "\n%s/hotline/item/%s?lang=%s\n", t.URL, ref, lang)
	}
	body.WriteString("\n" + fmt.Sprintf(say["foot"], t.Name) + "\n")
	return smtp.Letter{
		To: b.of.Answers, Subject: say["subject"], Body: body.String(), Lang: lang,
		Time: t.Clock.Now(), ID: hex.EncodeToString(sum.Sum(nil)[:16]),
	}
}
