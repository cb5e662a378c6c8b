package statement

import (
	"context"
	"strconv"

	"parley/internal/ids"
	"parley/internal/safety/intake"
	"parley/internal/store"
)

// standingsPage is how many warnings are read at once.
const standingsPage = 100

// TellStandings tells those who were warned of misusing reports, or whose reports are not dealt
// with for a time, of what, why and until when, and where to complain (DSA Art. 23). It returns how
// many it told, and may run twice.
//
// https://eur-lex.europa.eu/eli/reg/2022/2065/oj
func (s *Service) TellStandings(ctx context.Context) (n int, err error) {
	for after := ids.UserID(0); ; {
		var list []store.ReporterStanding
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = intake.PendingStandings(r, after, standingsPage)
			return err
		})
		if err != nil || len(list) == 0 {
			return n, err
		}
		for _, x := range list {
			after = x.User
			if err := s.tellStanding(ctx, x); err != nil {
				return n, err
			}
			n++
		}
	}
}

// tellStanding sends one such message, and notes that.
func (s *Service) tellStanding(ctx context.Context, x store.ReporterStanding) error {
	to := recipient{user: x.User}
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		to.lang, err = s.Language(r, x.User)
		return err
	})
	if err != nil {
		return err
	}
	t := s.texts
	rule := intake.Misuse()
	count := t.get(to.lang, "misuse.count", strconv.FormatInt(x.Refuted, 10),
		strconv.Itoa(rule.Record), strconv.FormatInt(x.Upheld, 10))
	text := letter{title: t.get(to.lang, "misuse.warned")}
	what := t.get(to.lang, "misuse.warning", strconv.Itoa(rule.Days))
	if intake.Stage(x.Stage) == intake.Suspended {
		text.title = t.get(to.lang, "misuse.suspended")
		what = t.get(to.lang, "misuse.until", moment(x.Until))
	}
	text.parts = []Part{
		t.part(to.lang, "measures", what), t.part(to.lang, "reason", count),
		t.part(to.lang, "redress", t.get(to.lang, "misuse.redress")),
	}
	text.buttons = s.link("button.contact", "/contact", "", to.lang)
	if _, err := s.send(ctx, to, text, randomID(x.User.Peer(), x.Since, x.Stage)); err != nil {
		return err
	}
	if err := s.crash("sent"); err != nil {
		return err
	}
	return s.Intake.StandingTold(ctx, x)
}
