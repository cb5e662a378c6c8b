// Package market records in which countries the service is offered, and why not: restricted, being
// left, left, open again. What somebody's country is it knows from one thing alone, the country of
// his telephone number; whoever has an anonymous number is in none. It keeps every change with its
// reason, for the public, and decides nothing: an operator does.
//
// In a restricted country and in one that is being left nobody new signs up. In one that was left
// nobody signs in either; devices that are signed in stay so, so that people get at their data. Who
// is there is told of every state, and who is refused why, and where it is written.
//
// Invariants: a change is never taken out, only followed by another; a country that nobody named is
// open.
package market

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"parley/internal/chat"
	"parley/internal/chat/account"
	"parley/internal/clock"
	"parley/internal/safety"
	"parley/internal/safety/country"
	"parley/internal/safety/decide"
	"parley/internal/store"
)

// State is how far the service is offered in a country.
type State string

// The states.
const (
	Open State = "open"
	// Restricted takes no new accounts.
	Restricted State = "restricted"
	// Leaving takes none either, and people are told to fetch their data.
	Leaving State = "leaving"
	// Left lets nobody sign in.
	Left State = "left"
)

// States are all states.
func States() []State { return []State{Open, Restricted, Leaving, Left} }

// Bounds of what is written down, in characters.
const (
	whyRunes = 2000
	byRunes  = 100
)

// Errors of changes.
var (
	ErrCountry = errors.New("market: no such country")
	ErrState   = errors.New("market: no such state, or the country has it already")
	ErrWhy     = errors.New("market: a change needs a reason and who decided it")
)

// What who is shut out is told by the API.
var (
	// ErrSignUp refuses a new account.
	ErrSignUp = chat.Forbidden("COUNTRY_SIGNUP_CLOSED")
	// ErrSignIn refuses everybody.
	ErrSignIn = chat.Forbidden("COUNTRY_NOT_SERVED")
)

// Change is that a country got a state.
type Change struct {
	State State `json:"state"`
	// At is when, Why is published, By is who decided it and is not.
	At  time.Time `json:"at"`
	Why string    `json:"why"`
	By  string    `json:"by,omitempty"`
	// Withheld are the categories of which what is public is withheld in the country under Law, by
	// the mass measure Batch; of a batch that nobody approved nothing is. Staff proposed it. Both
	// are written before anything is proposed, so that a process that ends can be gone on with.
	Withheld []safety.Category `json:"withheld,omitempty"`
	Law      string            `json:"law,omitempty"`
	Batch    int64             `json:"batch,omitempty"`
	Staff    int64             `json:"staff,omitempty"`
}

// Market is a country with its changes, the oldest first.
type Market struct {
	Country country.Code `json:"country"`
	Changes []Change     `json:"changes"`
}

// State is the newest state.
func (m Market) State() State {
	if len(m.Changes) == 0 {
		return Open
	}
	return m.Changes[len(m.Changes)-1].State
}

// kept are the changes since the country was open last, and past those before, of which nothing is
// withheld any more.
func (m Market) kept() (past, kept []Change) {
	n := len(m.Changes)
	for n > 0 && m.Changes[n-1].State != Open {
		n--
	}
	return m.Changes[:n], m.Changes[n:]
}

// since is the place of the change that gave the country its state.
func (m Market) since() int {
	n := len(m.Changes) - 1
	for n > 0 && m.Changes[n-1].State == m.Changes[n].State {
		n--
	}
	return n
}

// why is the reason of the newest change.
func (m Market) why() string { return strings.TrimSpace(m.Changes[len(m.Changes)-1].Why) }

// Service keeps markets.
type Service struct {
	Store *store.Store
	Clock clock.Clock
	// Decisions make and lift what is withheld in restricted countries.
	Decisions *decide.Service
	// Tell tells an account what became of a country. It may be called twice with the same random
	// number, and tells once.
	Tell func(ctx context.Context, to Told) error
	// Crash is called between steps, by tests that end there.
	Crash func(point string)
}

func (s *Service) crash(point string) {
	if s.Crash != nil {
		s.Crash(point)
	}
}

// setting is the setting of the service account that has all markets.
const setting = "safety:markets"

// stored is how markets are kept: with who decided, and how far people were told.
type stored struct {
	Market
	// Place is the last number that was told of the newest change, "" for none and done for all.
	Place string `json:"place,omitempty"`
}

// done is the place after all numbers.
const done = "~"

func read(r *store.Reader) (all []stored, err error) {
	b, err := r.Setting(account.ServiceUser, setting)
	if err == nil && len(b) > 0 {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		return nil, fmt.Errorf("market: %w", err)
	}
	return all, nil
}

// stored are all markets as they are kept.
func (s *Service) stored(ctx context.Context) (all []stored, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		all, err = read(r)
		return err
	})
	return all, err
}

// all are all markets.
func (s *Service) all(ctx context.Context) (all []Market, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		all, err = All(r)
		return err
	})
	return all, err
}

func write(tx *store.Tx, all []stored) error {
	b, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("market: %w", err)
	}
	return tx.PutSetting(account.ServiceUser, setting, b)
}

// All are the countries that were ever something else than open, by code.
func All(r *store.Reader) (out []Market, err error) {
	all, err := read(r)
	for _, m := range all {
		out = append(out, m.Market)
	}
	return out, err
}

// Set gives a country a state. ErrCountry, ErrState, ErrWhy.
func (s *Service) Set(ctx context.Context, of country.Code, c Change) error {
	if err := s.check(of, c); err != nil {
		return err
	}
	c.At = s.Clock.Now().UTC().Truncate(time.Second)
	return s.Store.Update(ctx, account.ServiceUser.Peer(), func(tx *store.Tx) error {
		all, err := read(&tx.Reader)
		if err != nil {
			return err
		}
		i, there := slices.BinarySearchFunc(all, of, func(m stored, of country.Code) int {
			return strings.Compare(string(m.Country), string(of))
		})
		if !there {
			all = slices.Insert(all, i, stored{Market: Market{Country: of}})
		}
		if all[i].State() != c.State {
			all[i].Place = ""
		} else if c.Batch == 0 {
			return ErrState
		}
		all[i].Changes = append(all[i].Changes, c)
		return write(tx, all)
	})
}

// check says what a change lacks.
func (s *Service) check(of country.Code, c Change) error {
	switch {
	case !of.Valid():
		return ErrCountry
	case !slices.Contains(States(), c.State):
		return ErrState
	case strings.TrimSpace(c.Why) == "" || strings.TrimSpace(c.By) == "" ||
		utf8.RuneCountInString(c.Why) > whyRunes || utf8.RuneCountInString(c.By) > byRunes:
		return ErrWhy
	}
	return nil
}

// Country is the country of a telephone number in digits; "" for a number of none, as anonymous
// numbers are.
func Country(phone string) country.Code {
	n, err := phonenumbers.Parse("+"+phone, "")
	if err != nil {
		return ""
	}
	of := country.Code(phonenumbers.GetRegionCodeForNumber(n))
	if !of.Valid() {
		return ""
	}
	return of
}

// Public is the register of markets as it is published: every change with its reason, without who
// decided it.
func Public(all []Market) ([]byte, error) {
	for i := range all {
		all[i].Changes = slices.Clone(all[i].Changes)
		for j := range all[i].Changes {
			c := &all[i].Changes[j]
			c.By, c.Batch, c.Staff = "", 0, 0
		}
	}
	b, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		return nil, fmt.Errorf("market: %w", err)
	}
	return append(b, '\n'), nil
}

// of is the market of a telephone number; one without changes where it was always open.
func (s *Service) of(ctx context.Context, phone string) (m Market, err error) {
	all, err := s.all(ctx)
	if err != nil || len(all) == 0 {
		return m, err
	}
	m.Country = Country(phone)
	for _, x := range all {
		if x.Country == m.Country {
			return x, nil
		}
	}
	return m, nil
}

// Admit refuses a number of a country whose market is closed: everybody where it was left, and who
// is new also where it is being left or restricted.
func (s *Service) Admit(ctx context.Context, phone string, fresh bool) error {
	m, err := s.of(ctx, phone)
	switch state := m.State(); {
	case err != nil:
		return err
	case state == Left:
		return ErrSignIn
	case fresh && state != Open:
		return ErrSignUp
	}
	return nil
}

// Why is the country of a number and the reason of its state, empty where it was always open.
func (s *Service) Why(ctx context.Context, phone string) (country.Code, string, error) {
	m, err := s.of(ctx, phone)
	if err != nil || len(m.Changes) == 0 {
		return m.Country, "", err
	}
	return m.Country, m.why(), nil
}
