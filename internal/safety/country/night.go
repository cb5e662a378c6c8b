package country

import (
	_ "embed"
	"strconv"
	"strings"
	"time"
)

// clocks says how far the clocks of countries are ahead of UTC.
//
//go:embed clocks.tsv
var clocks string

// nightEnds is the hour at which the night is over, which begins at midnight.
const nightEnds = 5

// Night tells whether it is the middle of the night at a time in all of a country, whatever the
// season: from midnight to five. In a country whose clocks differ by more than that it never is,
// nor in one that does not exist.
func Night(c Code, at time.Time) bool {
	for line := range strings.Lines(clocks) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if name != string(c) || strings.HasPrefix(name, "#") {
			continue
		}
		least, most, _ := strings.Cut(rest, "\t")
		return asleep(at, least) && asleep(at, most) && near(least, most)
	}
	return false
}

// near tells whether two differences are less than a night apart.
func near(least, most string) bool {
	a, err1 := strconv.Atoi(least)
	b, err2 := strconv.Atoi(most)
	return err1 == nil && err2 == nil && b-a < nightEnds*60
}

// asleep tells whether it is night where clocks are so many minutes ahead of UTC.
func asleep(at time.Time, ahead string) bool {
	n, err := strconv.Atoi(ahead)
	return err == nil && at.UTC().Add(time.Duration(n)*time.Minute).Hour() < nightEnds
}
