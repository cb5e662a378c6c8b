// Package hotline is the lane of organisations that report what others put here: trusted flaggers
// (DSA Art. 22) and other hotlines, each an agency with keys of its own. They report in bulk,
// places and digests of files; each thing has a receipt, a case, an outcome and, when it was
// decided, what proves it. They see what time they were promised, what it took in truth, and how
// their word has held. Who misuses the lane is warned, then suspended for a time, and may complain
// to somebody else.
//
// Invariants: what a receipt names is stored; the same submission twice is one; an item that was
// taken in always ends in an outcome or says why there is none; nothing is removed because a
// hotline said so: its items join cases that people decide; nobody is suspended without a warning
// about the same before, by one person, or for good, and whoever had a part in it does not review
// it; what is reported meanwhile is a notice like anybody's, and dangers to a child or to life keep
// their lane. More digests in a day than an agency usually has wait until two people have let them
// through: its keys may have been stolen. A digest is compared with files of public places alone.
// Another agency's items do not exist.
//
// https://eur-lex.europa.eu/eli/reg/2022/2065/oj
package hotline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/intake"
	"parley/internal/safety/oncall"
	"parley/internal/safety/owed"
	"parley/internal/safety/webhook"
	"parley/internal/store"
)

// Kind is what an item names. Values are stored.
type Kind int64

// The kinds.
const (
	// Place is a link, a @username or a link to a message.
	Place Kind = 1
	// Digest is the SHA-256 of a file.
	Digest Kind = 2
	// Match is a place that has a file of a digest.
	Match Kind = 3
)

// String is the kind's name in files.
func (k Kind) String() string {
	switch k {
	case Place:
		return "location"
	case Digest:
		return "sha256"
	case Match:
		return "match"
	default:
		return "unknown"
	}
}

// State is how far an item is. Values are stored.
type State int64

// The states.
const (
	// Received is stored, and nothing was done with it yet.
	Received State = 1
	// InReview is with people.
	InReview State = 2
	// Decided has an outcome.
	Decided State = 3
	// Searched is a digest that was looked for: Looked and Found say where and with what result.
	Searched State = 4
	// Refused could not be taken up: Problem says why.
	Refused State = 5
	// Held is a digest that waits until two people of the staff have let it through.
	Held State = 6
)

// String is the state's name in pages and files.
func (s State) String() string {
	switch s {
	case Received:
		return "received"
	case InReview:
		return "in-review"
	case Decided:
		return "decided"
	case Searched:
		return "searched"
	case Refused:
		return "refused"
	case Held:
		return "held"
	default:
		return "unknown"
	}
}

// Item is one thing that an agency reported.
type Item struct {
	Agency, ID, Submission int64
	// PartOf is the digest that led here, 0 for what was named.
	PartOf   int64
	Kind     Kind
	State    State
	Category safety.Category
	Subject  ids.Peer
	Report   int64
	// Created and Decided are when it was received and decided, in Unix seconds.
	Created, Decided int64
	// Outcome is how it ended, First how it ended before that was changed; 0 for not yet.
	Outcome, First int64
	Decision       int64
	// Notified is when the agency was told of the outcome by mail, 0 or less for not.
	Notified int64
	Said
}

// Said is what an agency says of an item, and what was found.
type Said struct {
	// Name is the agency's own for the item.
	Name     string         `cbor:"1,keyasint,omitempty"`
	Location string         `cbor:"2,keyasint,omitempty"`
	SHA256   string         `cbor:"3,keyasint,omitempty"`
	Keyword  safety.Keyword `cbor:"4,keyasint,omitempty"`
	// Why explains why it is illegal.
	Why string `cbor:"5,keyasint,omitempty"`
	// Looked is how many stored files a digest was compared with, Found how many places have it;
	// Bounded says that there were more files than are looked at.
	Looked  int64 `cbor:"6,keyasint,omitempty"`
	Found   int64 `cbor:"7,keyasint,omitempty"`
	Bounded bool  `cbor:"8,keyasint,omitempty"`
	// Problem says why an item could not be taken up.
	Problem string `cbor:"9,keyasint,omitempty"`
	Lang    string `cbor:"10,keyasint,omitempty"`
	// Ordinary is set for what was reported while the agency had no lane: it is dealt with as a
	// notice of anybody is.
	Ordinary bool `cbor:"11,keyasint,omitempty"`
	// Passed is the member of staff who first let through what was held, Second the other.
	Passed int64 `cbor:"12,keyasint,omitempty"`
	Second int64 `cbor:"13,keyasint,omitempty"`
}

func read(x store.HotlineItem) (Item, error) {
	i := Item{
		Agency: x.Agency, ID: x.ID, Submission: x.Submission, PartOf: x.PartOf, Kind: Kind(x.Kind),
		State: State(x.State), Category: safety.Category(x.Category), Subject: x.Subject,
		Report: x.Report, Created: x.Created, Decided: x.Decided, Outcome: x.Outcome,
		First: x.First, Decision: x.Decision, Notified: x.Notified,
	}
	if err := cbor.Unmarshal(x.Body, &i.Said); err != nil {
		return i, fmt.Errorf("hotline: item %d: %w", x.ID, err)
	}
	return i, nil
}

func readAll(rows []store.HotlineItem, err error) ([]Item, error) {
	if err != nil {
		return nil, err
	}
	out := make([]Item, len(rows))
	for n, x := range rows {
		if out[n], err = read(x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// row is an item as it is stored.
func (i Item) row() (store.HotlineItem, error) {
	body, err := cbor.Marshal(i.Said)
	if err != nil {
		return store.HotlineItem{}, fmt.Errorf("hotline: item %d: %w", i.ID, err)
	}
	return store.HotlineItem{
		Agency: i.Agency, ID: i.ID, Submission: i.Submission, PartOf: i.PartOf,
		Kind: int64(i.Kind), State: int64(i.State), Category: string(i.Category),
		Subject: i.Subject, Report: i.Report, Created: i.Created, Decided: i.Decided,
		Outcome: i.Outcome, First: i.First, Decision: i.Decision, Notified: i.Notified, Body: body,
	}, nil
}

// add writes a new item; store.ErrConflict for an id that the agency has.
func add(tx *store.Tx, i Item) error {
	x, err := i.row()
	if err != nil {
		return err
	}
	return tx.AddHotlineItem(x)
}

// change runs fn on an item and writes what it made of it.
func (s *Service) change(ctx context.Context, of, id int64, fn func(i *Item)) error {
	return s.Store.Update(ctx, key(of), func(tx *store.Tx) error {
		i, err := s.item(&tx.Reader, of, id)
		if err != nil {
			return err
		}
		was := i.State
		fn(&i)
		x, err := i.row()
		if err != nil {
			return err
		}
		if err := tx.ChangeHotlineItem(x); err != nil || i.State == was {
			return err
		}
		return s.owe(tx, i)
	})
}

// api is where programs find items and submissions.
const api = "/hotline/api/v1"

// owe has an agency's programs told what became of an item, if something has.
func (s *Service) owe(tx *store.Tx, i Item) error {
	state := Ended(i.Outcome)
	switch i.State {
	case Decided:
	case Searched, Refused:
		state = i.State.String()
	default:
		return nil
	}
	ref := s.Reference(i)
	return s.Owe(tx, i.Agency, webhook.Event{
		Event: webhook.Outcome, Reference: ref, State: state, Path: api + "/items/" + ref,
		Of: s.References.Make(safety.FlagRef, key(i.Agency), i.Submission),
	})
}

// Errors of the package.
var (
	// ErrConflict says that the agency has another submission of that reference.
	ErrConflict = errors.New("hotline: the reference stands for another submission")
	// ErrSuspended says that the agency has no lane for a time: what only a lane takes is refused.
	ErrSuspended = errors.New("hotline: suspended")
	// ErrKind says that the agency is no hotline.
	ErrKind = errors.New("hotline: the agency gives orders, not notices")
	// ErrNoWarning says that nobody is suspended who was not warned before about the same, or who
	// has heeded it.
	ErrNoWarning = errors.New("hotline: there was no warning")
	// ErrSamePerson says that it takes another person.
	ErrSamePerson = errors.New("hotline: it takes another person")
	// ErrState says that the measure is not in the state that this needs.
	ErrState = errors.New("hotline: the state does not allow it")
	// ErrText says that a reason is missing or too long.
	ErrText = errors.New("hotline: a reason is missing or too long")
)

// Options are what a Service is made of.
type Options struct {
	Store      *store.Store
	Clock      clock.Clock
	Random     io.Reader
	References safety.References
	Intake     *intake.Service
	Agencies   *agency.Service
	// Wake rings the emergency line; nil rings nobody.
	Wake func(context.Context, oncall.Emergency) error
	// Files is how many stored files a digest is compared with at most, Digests how many digests an
	// agency reports within a day before two people look at them.
	Files, Digests int64
	Log            *slog.Logger
	// Owe writes what an agency's programs are to be told, in the transaction of what it tells of;
	// nil owes nothing.
	Owe func(*store.Tx, int64, webhook.Event) error
	// Arrived hears of the items of each submission by kind of agency; nil hears nothing.
	Arrived func(of agency.Kind, items int)
}

// Service takes in what hotlines report. It is safe for concurrent use.
type Service struct {
	Options
	worker owed.Worker
}

// New returns a service.
func New(o Options) *Service {
	if o.Arrived == nil {
		o.Arrived = func(agency.Kind, int) {}
	}
	if o.Owe == nil {
		o.Owe = func(*store.Tx, int64, webhook.Event) error { return nil }
	}
	return &Service{Options: o}
}

// key is the shard of an agency.
func key(of int64) ids.Peer { return ids.Peer(of) }

// Reference is what an agency calls an item by.
func (s *Service) Reference(i Item) string {
	return s.References.Make(safety.FlagRef, key(i.Agency), i.ID)
}

// Find returns the item of an agency that a reference leads to. Another agency's is
// store.ErrNotFound, and written down.
func (s *Service) Find(ctx context.Context, of int64, ref string) (i Item, err error) {
	kind, owner, id, err := s.References.Read(ref)
	if err != nil || kind != safety.FlagRef {
		return i, store.ErrNotFound
	}
	if owner != key(of) {
		err := s.Agencies.Note(ctx, of, agency.Event{Kind: agency.Foreign, Text: "an item"})
		if err != nil {
			return i, err
		}
		return i, store.ErrNotFound
	}
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		i, err = s.item(r, of, id)
		return err
	})
	return i, err
}

func (s *Service) item(r *store.Reader, of, id int64) (Item, error) {
	x, err := r.HotlineItem(of, id)
	if err != nil {
		return Item{}, err
	}
	return read(x)
}

// Items returns up to limit items of a submission with ids above one, in their order.
func Items(r *store.Reader, of, submission, after int64, limit int) ([]Item, error) {
	return readAll(r.HotlineItems(of, submission, after, limit))
}

// DecidedSince returns up to limit items of an agency that were decided after a time, or at it with
// ids above one, those decided first first.
func DecidedSince(r *store.Reader, of, since, above int64, limit int) ([]Item, error) {
	return readAll(r.DecidedHotlineItems(of, since, above, limit))
}

// Submission is what an agency reported at once.
type Submission = store.HotlineSubmission

// Submissions returns up to limit submissions of an agency with ids below one, the newest first.
func Submissions(r *store.Reader, of, below int64, limit int) ([]Submission, error) {
	return r.Submissions(of, below, limit)
}

// sourceOf is what the notices of an agency are to the law: only a trusted flagger is one.
func sourceOf(k agency.Kind) safety.Source {
	if k == agency.TrustedFlagger {
		return safety.TrustedFlagger
	}
	return safety.Article16
}

// text is a text without spaces around it, whose length is within a bound in bytes.
func text(s string, most int) (string, error) {
	if s = strings.TrimSpace(s); s == "" || len(s) > most || !utf8.ValidString(s) {
		return "", ErrText
	}
	return s, nil
}
