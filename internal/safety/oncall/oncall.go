// Package oncall is the emergency line: it wakes somebody when a child or a life is in danger, when
// content of terrorists is reported or an order gives one hour. An alert is a row; each call of
// each person on each way is a row as well, so that what was to be done is done after a crash. Who
// is called first says so by a link, in the console or by a button in the chat; if nobody does, the
// next level is called, and at the end all of them, loudly and again, until somebody does.
//
// Invariants: one emergency makes one alert, whoever raises it and however often; an alert that
// nobody has confirmed always has a time at which somebody is called next; a call that may have
// been made before is made under the same name, by which its receiver can tell. A call says what
// kind of emergency it is and where to look, and nothing of what was reported: telephones show it
// to whoever stands by. The package decides nothing about the emergency.
package oncall

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/chat/message"
	"parley/internal/clock"
	"parley/internal/hook"
	"parley/internal/safety/owed"
	"parley/internal/safety/words"
	"parley/internal/smtp"
	"parley/internal/store"
)

// Kind is what kind of emergency an alert is about.
type Kind string

// The kinds.
const (
	// Order is an authority's order that gives an hour or less, or has run out of time.
	Order Kind = "order"
	// Hotline is an emergency that a hotline or a trusted flagger reports.
	Hotline Kind = "hotline"
	// Regulator is a question of a regulator that is overdue.
	Regulator Kind = "regulator"
	// Crime is a suspicion of a crime against life that waits for somebody (DSA Art. 18).
	Crime Kind = "crime"
	// Letter is a letter of somebody without a key, about a life in danger or overdue.
	Letter Kind = "letter"
	// Mail is one that came in at the emergency address, or says by fields that it cannot wait.
	Mail Kind = "mail"
	// Test is a test of the line itself.
	Test Kind = "test"
)

// Kinds lists all kinds.
func Kinds() []Kind { return []Kind{Order, Hotline, Regulator, Crime, Letter, Mail, Test} }

// Person is somebody who is on call, and the ways on which he is called.
type Person struct {
	// Name is what others are told about who confirmed. No two have the same.
	Name string
	// Mail is his address, Account the @username or phone number of his account here, Hook the
	// address of a program of his; each may be empty.
	Mail, Account, Hook string
}

// State is how far an alert is. Values are stored.
type State int64

// The states.
const (
	Ringing   State = 1
	Confirmed State = 2
)

// Alert is something that wakes somebody.
type Alert struct {
	ID    int64
	Key   string
	Kind  Kind
	State State
	// Round is how often a level was called, Next when the next one is, in Unix seconds; 0 for
	// never.
	Round, Next, Created int64
	// Confirmed is when somebody confirmed it, By who, Via on which way.
	Confirmed int64
	By, Via   string
	About
}

// About is what is said of an emergency.
type About struct {
	// Reference is what the staff call it by, Path where it lies in the console.
	Reference string `cbor:"1,keyasint,omitempty"`
	Path      string `cbor:"2,keyasint,omitempty"`
	// Country is whose authority or hotline it is.
	Country string `cbor:"3,keyasint,omitempty"`
}

// Errors of the package.
var (
	// ErrToken says that a link is good for nothing.
	ErrToken = errors.New("oncall: no such link")
	// ErrOptions says that who is on call is configured wrongly.
	ErrOptions = errors.New("oncall: bad options")
)

// Options are what a Service is made of.
type Options struct {
	Store *store.Store
	Clock clock.Clock
	// Levels are who is called first, and who next.
	Levels [][]Person
	// Wait is how long a level has until the next one is called.
	Wait time.Duration
	// Lang is the language of the calls.
	Lang string
	// Mail hands a mail to the mail server; nil where there is none.
	Mail func(context.Context, smtp.Letter) error
	// Message sends the messages of the service account.
	Message *message.Service
	// Secret signs what is posted to hooks.
	Secret []byte
	// Key makes the links by which people confirm.
	Key [32]byte
	// URL and Console are what links to pages and to the console begin with; Name is the service.
	URL, Console, Name string
	Log                *slog.Logger
	// Called hears of every call by its way, and whether it was made; nil hears nothing.
	Called func(way string, made bool)
	// Unanswered hears of every round in which all levels are called, because nobody confirmed.
	Unanswered func(Alert)
}

// Service rings. It is safe for concurrent use.
type Service struct {
	Options
	texts map[string]map[string]string
	hooks map[string]*hook.Poster
	owed.Worker
}

// New checks who is on call. Errors: ErrOptions.
func New(o Options) (*Service, error) {
	t, err := words.Read(files, words.People())
	if err != nil {
		return nil, err
	}
	if t[o.Lang] == nil {
		o.Lang = words.Fallback
	}
	if o.Wait <= 0 {
		return nil, fmt.Errorf("%w: a level has no time", ErrOptions)
	}
	if o.Called == nil {
		o.Called = func(string, bool) {}
	}
	if o.Unanswered == nil {
		o.Unanswered = func(Alert) {}
	}
	s := &Service{Options: o, texts: t, hooks: make(map[string]*hook.Poster)}
	var names []string
	for _, level := range o.Levels {
		for _, p := range level {
			if p.Name == "" || slices.Contains(names, p.Name) {
				return nil, fmt.Errorf("%w: %q is called twice, or has no name", ErrOptions, p.Name)
			}
			names = append(names, p.Name)
			if p.Hook == "" {
				continue
			}
			// The operator named it himself: it may be in his own network.
			s.hooks[p.Name], err = hook.New(hook.Options{
				URL: p.Hook, Secret: o.Secret, AllowPrivate: true,
			})
			if err != nil {
				return nil, fmt.Errorf("%w: %s: %w", ErrOptions, p.Name, err)
			}
		}
	}
	return s, nil
}

// Awake tells whether anybody is called at all.
func (o Options) Awake() bool {
	for _, level := range o.Levels {
		for _, p := range level {
			if len(p.ways()) > 0 {
				return true
			}
		}
	}
	return false
}

// Emergency is what is rung for.
type Emergency struct {
	// Key names it: the same key is the same emergency.
	Key  string
	Kind Kind
	About
}

// bells is for how long what anybody can write rings one bell.
const bells = 10 * time.Minute

// Bell is the key of what anybody can write who proves nothing, and that came in at a time: all of
// a kind within ten minutes is one emergency. Who is woken sees all that wait, and who writes many
// keeps nobody from sleeping.
func Bell(k Kind, at time.Time) string {
	return fmt.Sprintf("%s %d", k, at.Truncate(bells).Unix())
}

// idOf is the id of the alert about an emergency.
func idOf(key string) int64 {
	sum := sha256.Sum256([]byte("alert\x00" + key))
	return int64(binary.BigEndian.Uint64(sum[:])>>1) | 1
}

// Raise rings for an emergency. It is durable when Raise returns; the first level is called at once
// by the worker. again tells that it was raised before.
func (s *Service) Raise(ctx context.Context, e Emergency) (a Alert, again bool, err error) {
	body, err := cbor.Marshal(e.About)
	if err != nil {
		return a, false, fmt.Errorf("oncall: %w", err)
	}
	id := idOf(e.Key)
	err = s.Store.Update(ctx, store.AlertKey(id), func(tx *store.Tx) error {
		x, err := tx.Alert(id)
		if again = err == nil; again || !store.IsNotFound(err) {
			if err == nil {
				a, err = read(x)
			}
			return err
		}
		now := s.Clock.Now().Unix()
		x = store.Alert{
			ID: id, Key: e.Key, Kind: string(e.Kind), State: int64(Ringing), Next: now,
			Created: now, Body: body,
		}
		if err := tx.AddAlert(x); err != nil {
			return err
		}
		a, err = read(x)
		return err
	})
	if err != nil {
		return a, false, fmt.Errorf("oncall: %w", err)
	}
	s.Wake()
	return a, again, nil
}

func read(x store.Alert) (Alert, error) {
	a := Alert{
		ID: x.ID, Key: x.Key, Kind: Kind(x.Kind), State: State(x.State), Round: x.Round,
		Next: x.Next, Created: x.Created, Confirmed: x.Acked, By: x.AckedBy, Via: x.Via,
	}
	if err := cbor.Unmarshal(x.Body, &a.About); err != nil {
		return a, fmt.Errorf("oncall: alert %d: %w", x.ID, err)
	}
	return a, nil
}

func (a Alert) row() store.Alert {
	return store.Alert{
		ID: a.ID, State: int64(a.State), Round: a.Round, Next: a.Next, Acked: a.Confirmed,
		AckedBy: a.By, Via: a.Via,
	}
}

// Of returns an alert. store.ErrNotFound.
func Of(r *store.Reader, id int64) (Alert, error) {
	x, err := r.Alert(id)
	if err != nil {
		return Alert{}, err
	}
	return read(x)
}

// Newest returns up to limit alerts, the newest first.
func Newest(r *store.Reader, limit int) (out []Alert, err error) {
	rows, err := r.Alerts(limit)
	for _, x := range rows {
		a, err := read(x)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, err
}
