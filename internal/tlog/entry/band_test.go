package entry

import (
	"errors"
	"testing"
)

func TestBand(t *testing.T) {
	for n, want := range map[int64]int64{
		-1: 0, 0: 0, 1: 1, 4: 1, 5: 5, 49: 5, 50: 50, 249: 50, 250: 250, 999: 250, 1000: 1000,
		1e9: 1000,
	} {
		if got := Band(n); got != want {
			t.Errorf("%d is in the band of %d, not %d", n, got, want)
		}
		most, open := BandEnd(want)
		if n >= 0 && (n > most && !open || n < want) {
			t.Errorf("%d is not from %d to %d", n, want, most)
		}
	}
}

// TestPeopleAreBands: whom authorities ask about is not counted exactly anywhere.
func TestPeopleAreBands(t *testing.T) {
	for _, kind := range []Kind{Order, Effect, Refusal, Disclosure, Told} {
		e := sample()
		e.Kind = kind
		e.People(7, 5)
		if _, err := e.Encode(); err != nil || e.Accounts != 5 || e.Told != 5 || e.Untold != 1 {
			t.Errorf("%s: %+v: %v", kind, e, err)
		}
		for field, exact := range map[string]*int64{
			"items": &e.Items, "accounts": &e.Accounts, "told": &e.Told, "untold": &e.Untold,
		} {
			was := *exact
			*exact = 3
			if _, err := e.Encode(); !errors.Is(err, ErrFormat) {
				t.Errorf("%s with exactly 3 %s: %v", kind, field, err)
			}
			*exact = was
		}
	}
}

// TestBandsTogether: the three bands of an entry, held against each other, leave at least three
// possible numbers of people who were told, and of those who may not be told yet.
func TestBandsTogether(t *testing.T) {
	type bands struct{ accounts, told, untold int64 }
	told, untold := map[bands]map[int64]bool{}, map[bands]map[int64]bool{}
	for accounts := range int64(1300) {
		for n := range accounts + 1 {
			var e Entry
			e.People(accounts, n)
			b := bands{e.Accounts, e.Told, e.Untold}
			if told[b] == nil {
				told[b], untold[b] = map[int64]bool{}, map[int64]bool{}
			}
			told[b][n], untold[b][accounts-n] = true, true
		}
	}
	for b := range told {
		if b.told > 0 && len(told[b]) < 3 || b.untold > 0 && len(untold[b]) < 3 {
			t.Errorf("%+v: %d told, %d untold are possible", b, len(told[b]), len(untold[b]))
		}
	}
}
