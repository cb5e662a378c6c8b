package order_test

import (
	"slices"
	"testing"
	"time"
)

// TestFirstOrderIsTold: somebody looks at the first order of an agency, however ordinary it is, and
// at no later one for that.
func TestFirstOrderIsTold(t *testing.T) {
	w := start(t)
	d := w.information()
	w.submit(sender(w.abroad), d)
	if want := []string{"the first order of its agency"}; !slices.Equal(w.alarms, want) {
		t.Errorf("alarms: %q", w.alarms)
	}
	w.World.Clock.Advance(time.Minute)
	w.alarms, d.Number = nil, "9 UJs 3/26"
	w.submit(sender(w.abroad), d)
	if len(w.alarms) != 0 {
		t.Errorf("alarms about the second: %q", w.alarms)
	}
}
