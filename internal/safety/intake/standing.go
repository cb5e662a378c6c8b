package intake

import (
	"context"
	"time"

	"parley/internal/ids"
	"parley/internal/safety/casefile"
	"parley/internal/store"
)

// Stage is what followed for an account from manifestly unfounded reports. Values are stored.
//
// https://eur-lex.europa.eu/eli/reg/2022/2065/oj
type Stage int64

// The stages: nobody is suspended who was not told of a warning before (DSA Art. 23(2)).
const (
	NoStage   Stage = 0
	Warned    Stage = 1
	Suspended Stage = 2
)

// What leads from one stage to the next: how many reports were refuted within the time of a record,
// and what part of all that ended they were. Numbers and proportion alone warn; that reports are
// dealt with again after a month, and in emergencies always, keeps it proportionate.
const (
	warnAfter    = 20
	suspendAfter = 10 // since the warning
	badPart      = 9  // of ten
	suspendDays  = 30
)

// MisuseRule is when misuse of reports has consequences, to be published (DSA Art. 23(4)).
type MisuseRule struct {
	// Warn and Suspend are how many manifestly unfounded reports lead to a warning, and how many
	// more to a suspension; Record is over how many days they count, Days how many it lasts.
	Warn, Suspend, Record, Days int
}

// Misuse is the rule that Count follows.
func Misuse() MisuseRule {
	return MisuseRule{
		Warn: warnAfter, Suspend: suspendAfter, Record: recordDays, Days: suspendDays,
	}
}

func suspended(s store.ReporterStanding, now time.Time) bool {
	return Stage(s.Stage) == Suspended && s.Until > now.Unix()
}

// countPage is how many outcomes are entered into records at once.
const countPage = 200

// Count enters decided reports into the records of those who made them, and warns or suspends where
// the record wants it. It may run twice.
func (s *Service) Count(ctx context.Context) error {
	after := int64(0)
	for {
		var list []store.Report
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = r.UncountedReports(after, countPage)
			return err
		})
		if err != nil || len(list) == 0 {
			return err
		}
		for _, x := range list {
			after = x.ID
			if err := s.count(ctx, x); err != nil {
				return err
			}
		}
	}
}

// count enters one report into its maker's record, and then notes that it is there: a crash between
// the two enters it again, to no effect.
func (s *Service) count(ctx context.Context, x store.Report) error {
	var who Identity
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		who, err = s.Identify(r, x.Subject, x.ID)
		return err
	})
	if err != nil {
		return err
	}
	now := s.Clock.Now().Unix()
	if who.User != 0 {
		err := s.Store.Update(ctx, who.User.Peer(), func(tx *store.Tx) error {
			if x.Outcome == 0 {
				return tx.DeleteReporterOutcome(who.User, x.ID)
			}
			if err := tx.PutReporterOutcome(who.User, x.ID, x.Decided, x.Outcome); err != nil {
				return err
			}
			return advance(tx, who.User, now)
		})
		if err != nil {
			return err
		}
	}
	return s.Store.Update(ctx, x.Subject, func(tx *store.Tx) error {
		y, err := tx.Report(x.Subject, x.ID)
		if err != nil || y.Outcome != x.Outcome || y.Decided != x.Decided {
			return err // it changed meanwhile, and is entered again
		}
		if x.Outcome == 0 {
			now = 0
		}
		return tx.SetReportCounted(x.Subject, x.ID, now)
	})
}

// advance moves an account's standing on by its record.
func advance(tx *store.Tx, who ids.UserID, now int64) error {
	standing, err := tx.ReporterStanding(who)
	if err != nil {
		return err
	}
	since := now - recordDays*day
	if standing.Stage != int64(NoStage) {
		since = max(since, standing.Since)
	}
	record, err := tx.ReporterOutcomes(who, since)
	if err != nil {
		return err
	}
	upheld := record[int64(casefile.Upheld)] + record[int64(casefile.Partly)]
	refuted := record[int64(casefile.Unfounded)]
	total := upheld + refuted + record[int64(casefile.Refuted)]
	bad := refuted*10 >= badPart*total
	next := store.ReporterStanding{User: who, Since: now, Upheld: upheld, Refuted: refuted}
	switch stage := Stage(standing.Stage); {
	case stage == NoStage && refuted >= warnAfter && bad:
		next.Stage = int64(Warned)
	case stage == Warned && standing.Told != 0 && refuted >= suspendAfter && bad,
		stage == Suspended && standing.Until < now && refuted >= suspendAfter && bad:
		next.Stage, next.Until = int64(Suspended), now+suspendDays*day
	default:
		return nil
	}
	return tx.PutReporterStanding(next)
}

// PendingStandings returns up to limit accounts after one that were warned or suspended and have
// yet to be told, with how to appeal.
func PendingStandings(
	r *store.Reader, after ids.UserID, limit int,
) ([]store.ReporterStanding, error) {
	return r.UntoldStandings(after, limit)
}

// StandingTold notes that an account was told of a standing, unless that is another one meanwhile.
func (s *Service) StandingTold(ctx context.Context, told store.ReporterStanding) error {
	return s.Store.Update(ctx, told.User.Peer(), func(tx *store.Tx) error {
		standing, err := tx.ReporterStanding(told.User)
		if err != nil || standing != told {
			return err
		}
		standing.Told = s.Clock.Now().Unix()
		return tx.PutReporterStanding(standing)
	})
}

// Lift ends an account's suspension, because its appeal was right.
func (s *Service) Lift(ctx context.Context, who ids.UserID) error {
	now := s.Clock.Now().Unix()
	return s.Store.Update(ctx, who.Peer(), func(tx *store.Tx) error {
		return tx.PutReporterStanding(store.ReporterStanding{
			User: who, Stage: int64(NoStage), Since: now, Told: now,
		})
	})
}
