package market_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"testing"
	"time"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety/country"
	"parley/internal/safety/market"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// open is a service on a store, with those whom it tells.
func open(s *store.Store) (*market.Service, *[]market.Told) {
	told := new([]market.Told)
	return &market.Service{
		Store: s, Clock: clock.NewFake(time.Unix(1_800_000_000, 0)),
		Tell: func(_ context.Context, to market.Told) error {
			*told = append(*told, to)
			return nil
		},
	}, told
}

func set(t *testing.T, m *market.Service, of country.Code, state market.State) {
	t.Helper()
	err := m.Set(context.Background(), of, market.Change{State: state, Why: "why", By: "board"})
	if err != nil {
		t.Fatal(err)
	}
}

// TestCountry knows the country of a number, also where several share a calling code.
func TestCountry(t *testing.T) {
	for phone, want := range map[string]country.Code{
		"4915112345678": "DE", "12025550123": "US", "16135550123": "CA", "79161234567": "RU",
		"77011234567": "KZ", "88812345678": "", "9996620001": "", "0": "", "821012345678": "KR",
	} {
		if got := market.Country(phone); got != want {
			t.Errorf("%s is of %q", phone, got)
		}
	}
}

// TestAdmit closes countries, and opens them again.
func TestAdmit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		m, _ := open(s)
		check := func(phone string, fresh, known error) {
			t.Helper()
			if err := m.Admit(context.Background(), phone, true); !errors.Is(err, fresh) {
				t.Errorf("a new account of %s: %v", phone, err)
			}
			if err := m.Admit(context.Background(), phone, false); !errors.Is(err, known) {
				t.Errorf("an account of %s: %v", phone, err)
			}
		}
		const german, russian, kazakh = "4915112345678", "79161234567", "77011234567"
		check(german, nil, nil)
		set(t, m, "RU", market.Restricted)
		set(t, m, "DE", market.Leaving)
		check(russian, market.ErrSignUp, nil)
		check(kazakh, nil, nil)
		check(german, market.ErrSignUp, nil)
		check("88812345678", nil, nil)
		set(t, m, "RU", market.Left)
		check(russian, market.ErrSignIn, market.ErrSignIn)
		set(t, m, "RU", market.Open)
		check(russian, nil, nil)
		err := s.View(context.Background(), func(r *store.Reader) error {
			all, err := market.All(r)
			if len(all) != 2 || all[0].Country != "DE" || len(all[1].Changes) != 3 {
				t.Errorf("%+v", all)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// TestRefused changes nothing without a country, a state, a reason and somebody.
func TestRefused(t *testing.T) {
	m, _ := open(storetest.SQLite(t))
	good := market.Change{State: market.Left, Why: "why", By: "board"}
	for _, x := range []struct {
		of     country.Code
		change func(*market.Change)
		want   error
	}{
		{"XX", func(*market.Change) {}, market.ErrCountry},
		{"DE", func(c *market.Change) { c.State = "gone" }, market.ErrState},
		{"DE", func(c *market.Change) { c.State = market.Open }, market.ErrState},
		{"DE", func(c *market.Change) { c.Why = " " }, market.ErrWhy},
		{"DE", func(c *market.Change) { c.By = "" }, market.ErrWhy},
	} {
		c := good
		x.change(&c)
		if err := m.Set(context.Background(), x.of, c); !errors.Is(err, x.want) {
			t.Errorf("%s %+v: %v", x.of, c, err)
		}
	}
}

// TestEverybodyIsToldOnce tells the people of one country, through a failure, and again when it is
// left; what else is said of a country that stays as it is nobody is told twice.
func TestEverybodyIsToldOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		m, told := open(s)
		for i := range 250 {
			phone := "491511234" + strconv.Itoa(1000+i)
			if i%2 == 1 {
				phone = "431511234" + strconv.Itoa(1000+i)
			}
			err := s.Update(context.Background(), 0, func(tx *store.Tx) error {
				return tx.TakePhone(phone, ids.UserID(5000+i))
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		set(t, m, "DE", market.Leaving)
		set(t, m, "AT", market.Restricted)
		tell, broken := m.Tell, errors.New("broken")
		m.Tell = func(ctx context.Context, to market.Told) error {
			if len(*told) == 185 {
				return broken
			}
			return tell(ctx, to)
		}
		if _, err := m.TellAll(context.Background()); !errors.Is(err, broken) {
			t.Fatal(err)
		}
		m.Tell = tell
		for range 2 {
			if _, err := m.TellAll(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		// Those before the failure are called for again: the same number makes one message.
		random := map[int64]ids.UserID{}
		for _, x := range *told {
			austrian := x.Country == "AT" && x.State == market.Restricted && x.User%2 == 1
			german := x.Country == "DE" && x.State == market.Leaving && x.User%2 == 0
			if !austrian && !german {
				t.Fatalf("told %+v", x)
			}
			random[x.Random] = x.User
		}
		if len(random) != 250 {
			t.Errorf("%d people were told", len(random))
		}
		more := market.Change{State: market.Restricted, Why: "More.", By: "board", Batch: 1}
		if err := m.Set(context.Background(), "AT", more); err != nil {
			t.Fatal(err)
		}
		set(t, m, "DE", market.Left)
		if n, err := m.TellAll(context.Background()); n != 125 || err != nil {
			t.Errorf("%d told that it was left, %v", n, err)
		}
	})
}
