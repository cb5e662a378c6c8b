package node

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// TestLateness: the log is late when the same lines wait for longer than they may, once for each
// wait, and not because others keep coming.
func TestLateness(t *testing.T) {
	l := lateness{count: prometheus.NewCounter(prometheus.CounterOpts{Name: "late"})}
	at := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for i, step := range []struct {
		appended, published int64
		after               time.Duration
		became, is          bool
	}{
		{0, 0, 0, false, false},
		{5, 0, time.Hour, false, false},
		{9, 3, lateAfter, false, false},
		{12, 5, time.Second, false, false},
		{14, 5, lateAfter, false, false},
		{14, 9, time.Second, true, true},
		{14, 9, time.Hour, false, true},
		{15, 15, time.Second, false, false},
		{16, 15, time.Hour, false, false},
		{16, 15, lateAfter + 1, true, true},
	} {
		at = at.Add(step.after)
		if got := l.look(step.appended, step.published, at); got != step.became {
			t.Errorf("step %d: became late: %v", i, got)
		}
		if l.is() != step.is || (l.probe(context.Background()) != nil) != step.is {
			t.Errorf("step %d: late: %v", i, l.is())
		}
	}
}
