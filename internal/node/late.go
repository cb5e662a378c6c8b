package node

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// lateAfter is after how long an entry that is not published yet is told of.
const lateAfter = 2 * time.Minute

// errLate says that too few witnesses cosign the public log.
var errLate = errors.New("lines wait to be published: too few witnesses cosign them")

// lateness watches how long entries of the public log wait for their witnesses.
type lateness struct {
	// count counts how often something waited for longer than lateAfter.
	count prometheus.Counter

	mu sync.Mutex
	// size is how many entries the log had when it was seen to be behind, since then.
	size  int64
	since time.Time
	late  bool
}

// look is told how far the log is, and returns whether it has become late.
func (l *lateness) look(appended, published int64, now time.Time) (became bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case published >= l.size && appended == published:
		l.size, l.since, l.late = 0, time.Time{}, false
	case published >= l.size:
		// What was waited for is there, and other entries wait since now.
		l.size, l.since, l.late = appended, now, false
	case !l.late && now.Sub(l.since) > lateAfter:
		l.late = true
		l.count.Inc()
		return true
	}
	return false
}

// is tells whether entries wait for too long.
func (l *lateness) is() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.late
}

// probe is the line of the public log in /readyz.
func (l *lateness) probe(context.Context) error {
	if l.is() {
		return errLate
	}
	return nil
}
