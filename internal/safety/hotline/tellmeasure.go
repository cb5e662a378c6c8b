package hotline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/safety/owed"
	"parley/internal/safety/words"
	"parley/internal/smtp"
	"parley/internal/store"
)

// measurePage is how many measures are told at once, mostMeasureTries how often a mail is tried:
// with the waits between them for a week.
const (
	measurePage      = 100
	mostMeasureTries = 40
)

// Measures mails agencies which measures were taken against them and how their complaints ended. It
// may run twice: a mail that was sent twice has one Message-ID.
func (t *Teller) Measures(ctx context.Context) error {
	due := func(ctx context.Context, limit int) (list []Measure, err error) {
		now := t.Clock.Now().Unix()
		err = t.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = readMeasures(r.OwedHotlineMeasures(now, limit))
			return err
		})
		return list, err
	}
	id := func(m Measure) [2]int64 { return [2]int64{m.Agency, m.ID} }
	_, err := owed.Each(ctx, measurePage, due, id, func(
		ctx context.Context, m Measure,
	) (bool, error) {
		return true, t.measure(ctx, m)
	})
	return err
}

// measure mails an agency of one, and notes what became of that. What no mail server takes is given
// up; it stands on the agency's page all the same.
func (t *Teller) measure(ctx context.Context, m Measure) error {
	var of agency.Agency
	err := t.Store.View(ctx, func(r *store.Reader) (err error) {
		of, err = agency.Of(r, m.Agency)
		return err
	})
	if err != nil {
		return err
	}
	next, tried := int64(0), m.Tries
	if t.Send != nil && of.Answers != "" {
		err := t.Send(ctx, t.measured(of, m))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var failed *smtp.DeliveryError
		switch {
		case errors.As(err, &failed) && failed.Temporary && m.Tries < mostMeasureTries:
			tried++
			wait := owed.Backoff{First: period, Last: 6 * time.Hour}.After(tried)
			next = t.Clock.Now().Add(wait).Unix()
		case err != nil:
			t.Log.Warn("a measure was not mailed to a hotline", "agency", m.Agency, "error", err)
		}
	}
	return t.Store.Update(ctx, key(m.Agency), func(tx *store.Tx) error {
		list, err := Measures(&tx.Reader, m.Agency)
		if err != nil {
			return err
		}
		for _, now := range list {
			if now.ID == m.ID && now.Tell == m.Tell {
				now.Tell, now.Tries = next, tried
				return putMeasure(tx, now)
			}
		}
		return nil // something else is to be told by now
	})
}

// measured writes the mail about a measure: what it is and where its reasons are, and nothing of
// what was reported.
func (t *Teller) measured(of agency.Agency, m Measure) smtp.Letter {
	lang := of.Lang
	if t.texts[lang] == nil {
		lang = words.Fallback
	}
	say := t.texts[lang]
	subject, text := say["measure."+m.Step.String()], say["measure.complain"]
	if m.Appeal != NoAppeal {
		subject, text = say["measure.complaint."+m.Appeal.String()], say["measure.answer"]
	}
	body := subject + "\n" + say["measure.misuse."+string(m.Misuse)] + "\n"
	if m.Step == Suspension && m.Appeal != Reversed {
		until := time.Unix(m.Until, 0).UTC().Format(time.RFC3339)
		body += fmt.Sprintf(say["measure.until"], until) + "\n"
	}
	body += fmt.Sprintf("\n%s\n%s/hotline/measures?lang=%s\n", text, t.URL, lang)
	return smtp.Letter{
		To: of.Answers, Subject: subject, Lang: lang, Time: t.Clock.Now(),
		Body: body + "\n" + fmt.Sprintf(say["foot"], t.Name) + "\n",
		ID:   fmt.Sprintf("measure-%d-%d-%d", m.Agency, m.ID, m.Appeal),
	}
}
