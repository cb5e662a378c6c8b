package instrument

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// written is how a length is written: a number and a unit.
var written = regexp.MustCompile(`^([0-9]{1,4})(min|h|d|wd|mo)$`)

// ParseLength reads a length such as "1h", "10d", "3wd" or "6mo"; an empty text is no length.
func ParseLength(text string) (Length, error) {
	if text == "" {
		return Length{}, nil
	}
	m := written.FindStringSubmatch(text)
	if m == nil {
		return Length{}, fmt.Errorf("instrument: %q is no length such as 1h, 10d, 3wd, 6mo", text)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n == 0 {
		return Length{}, fmt.Errorf("instrument: %q is not a length", text)
	}
	return Length{N: n, Unit: Unit(m[2])}, nil
}

// UnmarshalText reads a length.
func (l *Length) UnmarshalText(text []byte) (err error) {
	*l, err = ParseLength(string(text))
	return err
}

// MarshalText writes the length as ParseLength reads it.
func (l Length) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// IsZero tells whether there is no length.
func (l Length) IsZero() bool { return l.N == 0 }

// String is the length as it is written.
func (l Length) String() string {
	if l.IsZero() {
		return ""
	}
	return strconv.Itoa(l.N) + string(l.Unit)
}

// Calendar says which days are working days, and where a day begins.
type Calendar struct {
	// Zone is where days are counted; nil is UTC.
	Zone *time.Location
	// Weekend are the days of the week without work; none is Saturday and Sunday.
	Weekend []time.Weekday
	// Holidays are days without work, as 2006-01-02.
	Holidays []string
}

// zone is where days are counted.
func (c Calendar) zone() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

// Works tells whether the day of a time is a working day.
func (c Calendar) Works(t time.Time) bool {
	t = t.In(c.zone())
	weekend := c.Weekend
	if len(weekend) == 0 {
		weekend = []time.Weekday{time.Saturday, time.Sunday}
	}
	return !slices.Contains(weekend, t.Weekday()) &&
		!slices.Contains(c.Holidays, t.Format(time.DateOnly))
}

// maxRoll bounds the search for a working day, in days: no holidays last so long.
const maxRoll = 60

// after is the time that lies a length after another, as time passes. A month ends on the same day
// of a later month, or on its last day where that has none.
func (c Calendar) after(t time.Time, l Length) time.Time {
	t = t.In(c.zone())
	switch l.Unit {
	case Minutes:
		return t.Add(time.Duration(l.N) * time.Minute)
	case Hours:
		return t.Add(time.Duration(l.N) * time.Hour)
	case Days:
		return t.AddDate(0, 0, l.N)
	case Months:
		end := t.AddDate(0, l.N, 0)
		if end.Day() != t.Day() {
			end = end.AddDate(0, 0, -end.Day())
		}
		return end
	case WorkingDays:
		for n, bound := 0, l.N*7+maxRoll; n < l.N && bound > 0; bound-- {
			if t = t.AddDate(0, 0, 1); c.Works(t) {
				n++
			}
		}
	}
	return t
}

// whole is the end of a period that is counted in days as Regulation 1182/71 counts: the last day
// is whole, and the next working day is the last if that is none. The day of the event is left out,
// since a day later is the next one.
//
// https://eur-lex.europa.eu/eli/reg/1971/1182/oj
func (c Calendar) whole(end time.Time) time.Time {
	end = end.In(c.zone())
	for range maxRoll {
		if c.Works(end) {
			break
		}
		end = end.AddDate(0, 0, 1)
	}
	y, m, d := end.Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, c.zone())
}
