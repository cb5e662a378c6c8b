package entry

// Numbers of people whom an authority asks about are nowhere in the log but as bands. The report is
// a function of the log, so what it hid the log would tell, and so would the difference of two
// reports: what must not be known exactly must not be written down exactly.

// bandStarts are the least numbers of the bands: 0, 1-4, 5-49, 50-249, 250-999, and all above.
var bandStarts = [...]int64{0, 1, 5, 50, 250, 1000}

// Band is the least number of the band to which a number of people belongs, and stands for all of
// that band. A negative number counts as 0.
func Band(n int64) int64 {
	least := int64(0)
	for _, start := range bandStarts {
		if n >= start {
			least = start
		}
	}
	return least
}

// BandEnd is the greatest number of the band that begins with least; open tells that it has none.
func BandEnd(least int64) (most int64, open bool) {
	for i, start := range bandStarts[1:] {
		if least < start {
			return max(start-1, bandStarts[i]), false
		}
	}
	return least, true
}

// People writes down, as bands, how many accounts a request is about, how many of their people were
// told, and so how many may not be told yet.
func (e *Entry) People(accounts, told int64) {
	e.Accounts, e.Told, e.Untold = Band(accounts), Band(told), Band(accounts-told)
}

// banded tells whether the numbers of an entry are bands, where they must be.
func (e Entry) banded() bool {
	switch e.Kind {
	case Order, Effect, Refusal, Disclosure, Told:
	default:
		return e.Untold == 0
	}
	for _, n := range []int64{e.Items, e.Accounts, e.Told, e.Untold} {
		if Band(n) != n {
			return false
		}
	}
	return true
}
