package intake_test

import (
	"context"
	"testing"

	"parley/internal/safety"
	"parley/internal/safety/intake"
	"parley/internal/safety/safetytest"
	"parley/internal/store/storetest"
)

// TestTakenIDsAreDrawnAgain reports two posts of one channel in the same millisecond while chance
// gives the second report the ids of the first.
func TestTakenIDsAreDrawnAgain(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	w.Intake.Random = &safetytest.Seed{}
	first := w.Report(w.Post("first"))
	w.Intake.Random = &safetytest.Seed{}
	second := w.Report(w.Post("second"))
	if second.Again || second.Report == first.Report || second.Case == first.Case {
		t.Fatalf("first report %+v, second %+v", first, second)
	}

	w.Intake.Random = &safetytest.Seed{}
	w.Intake.Rules = map[string]intake.Rule{"spam": {}}
	found, err := w.Intake.Signal(context.Background(), intake.Signal{
		Subject: w.Post("third"), Rule: "spam", Score: 1, Category: safety.ScamsAndFraud,
	})
	if err != nil || found.Case == first.Case {
		t.Fatalf("finding %+v: %v", found, err)
	}
}
