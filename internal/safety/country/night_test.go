package country_test

import (
	"testing"
	"time"

	"parley/internal/safety/country"
)

// TestNight: it is night where all clocks of a country say so.
func TestNight(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 29, hour, 30, 0, 0, time.UTC) }
	for _, x := range []struct {
		code country.Code
		hour int
		want bool
	}{
		{"DE", 0, true}, {"DE", 2, true}, {"DE", 4, false}, {"DE", 12, false}, {"DE", 23, true}, {"DE", 21, false},
		{"KR", 16, true}, {"KR", 20, false}, {"RU", 0, false}, {"US", 8, false}, {"XX", 0, false},
		{"BR", 6, true},
	} {
		if got := country.Night(x.code, at(x.hour)); got != x.want {
			t.Errorf("%s at %d: %v", x.code, x.hour, got)
		}
	}
}
