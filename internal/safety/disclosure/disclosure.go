// Package disclosure hands data to authorities: what an approved order's plan names, and nothing
// else. One person lays out what would leave and may strike out of it; another, in another role,
// lets exactly that go. It is encrypted to the agency's key at once, can be fetched once by an
// officer of the agency, and is gone then. The people concerned are told: before, at once, or when
// a bar ends, by itself. Every step is an event of the order: who, when, and the digest of what.
//
// Invariants: nothing is packed before the line for the public log is written, in the transaction
// that stores the package; what leaves is what was laid out, whose digest the second person names;
// roles are looked up, never told; whatever changes in the order, its plan or the agency's key
// voids what was laid out. What leaves is never stored or served readable to anybody but the
// agency: until it is let go it is sealed with the server's key, afterwards only the agency can
// open it.
//
// The package takes no measure, reads no field that safety/personal does not list, and signs nobody
// in.
package disclosure

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"parley/internal/blob"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/keyring"
	"parley/internal/safety"
	"parley/internal/safety/order"
	"parley/internal/safety/owed"
	"parley/internal/safety/personal"
	"parley/internal/safety/policy"
	"parley/internal/safety/words"
	"parley/internal/store"
)

// State is how far a disclosure is. Values are stored.
type State int64

// The states.
const (
	// LaidOut waits for the second person.
	LaidOut State = 1
	// Released waits to be fetched, Fetched is gone.
	Released State = 2
	Fetched  State = 3
	// Dropped counts no more: something else was laid out, or it was not let go in time.
	Dropped State = 4
	// RanOut was not fetched in time.
	RanOut State = 5
)

// String is the state's name in pages.
func (s State) String() string {
	names := [...]string{
		LaidOut: "laid-out", Released: "released", Fetched: "fetched", Dropped: "dropped",
		RanOut: "ran-out",
	}
	if s < LaidOut || int(s) >= len(names) {
		return "unknown"
	}
	return names[s]
}

const (
	// layDays is how long something laid out waits to be let go, fetchDays how long a package waits
	// to be fetched. What is kept longer is only there to be lost.
	layDays   = 7
	fetchDays = 14
	day       = 24 * 60 * 60
	// maxFiles bounds the files of one package, in bytes: a package is held in memory and in one
	// row. What is more is named with its digest, and asked for by a narrower order.
	maxFiles = 32 << 20
)

// Errors of disclosures, beside those of safety/order.
var (
	// ErrGone says that there is nothing to fetch: it was fetched, or not in time, or never let go.
	ErrGone = errors.New("disclosure: nothing is there to be fetched")
	// ErrKey says that the agency has no key to which data can be encrypted, or another than the
	// one whose fingerprint it read out and that was signed.
	ErrKey = errors.New("disclosure: no confirmed key of the agency to encrypt to")
	// ErrAgency says that the agency has no standing now.
	ErrAgency = errors.New("disclosure: the agency has no standing")
	// ErrUntold says that the people concerned have to be told first, and that the time since is
	// too short.
	ErrUntold = errors.New("disclosure: the people concerned have not been told long enough before")
	// ErrProof says that who lets data go has not just proved who he is.
	ErrProof = errors.New("disclosure: who lets data go has to prove again who he is")
	// ErrNoPath says that something was to be struck out that is not there.
	ErrNoPath = errors.New("disclosure: no such field")
)

// files has the words of letters to people.
//
//go:embed texts/*.toml
var files embed.FS

// Service hands data over. It is safe for concurrent use.
type Service struct {
	Store  *store.Store
	Clock  clock.Clock
	Random io.Reader
	Orders *order.Service
	// Box seals what is laid out.
	Box *keyring.Box
	// Blobs has the bytes of files.
	Blobs blob.Store
	// Alarm hears of what needs somebody; nil hears nothing.
	Alarm func(o order.Order, why string)
	// Owed is called when letters are owed; nil calls nothing.
	Owed func()
	// Crash is called between the steps by tests that stop the process there; nil in production.
	Crash func(point string)

	texts  map[string]map[string]string
	worker owed.Worker
}

// Open reads the texts of a service and returns it.
func Open(s *Service) (*Service, error) {
	texts, err := words.Read(files, words.People())
	if err != nil {
		return nil, err
	}
	s.texts = texts
	return s, nil
}

func (s *Service) crash(point string) {
	if s.Crash != nil {
		s.Crash(point)
	}
}

// Content is what would leave of an order's data: what people look at, strike out of, and let go by
// its digest.
type Content struct {
	Accounts []Account `json:"accounts"`
	// Struck is what was struck out, without its values.
	Struck []Strike `json:"struck,omitempty"`
}

// Account is the data of one account that an order names.
type Account struct {
	// Item is the number of the order's item, Location how the order names it.
	Item     int64             `json:"item"`
	Location string            `json:"location"`
	Person   ids.UserID        `json:"person"`
	Records  []personal.Record `json:"records"`
	// Lacks are the classes of which there is nothing, and why.
	Lacks map[policy.Data]personal.Lack `json:"lacks,omitempty"`
}

// Strike takes something out: a class of an account, one record of it, or one field of that.
type Strike struct {
	Item  int64       `json:"item"`
	Class policy.Data `json:"class"`
	// Record is which of the class's records, from 1; 0 is all of them.
	Record int `json:"record,omitempty"`
	// Field is which field; empty is all of them.
	Field string `json:"field,omitempty"`
	// Reason is why, in words.
	Reason string `json:"reason"`
}

// digest is the SHA-256 of the content as JSON, in hexadecimal digits.
func (c Content) digest() (body []byte, digest string, err error) {
	body, err = json.Marshal(c)
	if err != nil {
		return nil, "", fmt.Errorf("disclosure: %w", err)
	}
	sum := sha256.Sum256(body)
	return body, hex.EncodeToString(sum[:]), nil
}

// people are of how many people there is data.
func (c Content) people() (n int64) {
	var seen []ids.UserID
	for _, a := range c.Accounts {
		if len(a.Records) > 0 && !slices.Contains(seen, a.Person) {
			seen = append(seen, a.Person)
		}
	}
	return int64(len(seen))
}

// Draft is what would leave, as one person laid it out or it was let go.
type Draft struct {
	Row store.Disclosure
	// Content is what would leave; empty once it was let go or dropped.
	Content Content
}

// State is how far it is.
func (d Draft) State() State { return State(d.Row.State) }

// sealPurpose is for what the server's key seals contents.
const sealPurpose = "disclosure"

// read opens a row.
func (s *Service) read(x store.Disclosure) (Draft, error) {
	d := Draft{Row: x}
	if State(x.State) != LaidOut {
		return d, nil
	}
	body, err := s.Box.Open(nil, x.Sealed, sealPurpose, x.ID)
	if err != nil {
		return d, fmt.Errorf("disclosure: %d: %w", x.ID, err)
	}
	if err := json.Unmarshal(body, &d.Content); err != nil {
		return d, fmt.Errorf("disclosure: %d: %w", x.ID, err)
	}
	if _, digest, err := d.Content.digest(); err != nil || digest != x.Content {
		return d, errors.Join(order.ErrChanged, err)
	}
	return d, nil
}

// Drafts returns what was laid out of an order's data, the oldest first, to members of staff who
// may hand data over: order.ErrRole for others. That somebody looked is the caller's to write down.
func (s *Service) Drafts(ctx context.Context, staff, agency, id int64) (out []Draft, err error) {
	if _, err := s.role(ctx, staff); err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(r *store.Reader) error {
		out = nil
		rows, err := r.Disclosures(agency, id)
		for _, x := range rows {
			d, err := s.read(x)
			if err != nil {
				return err
			}
			out = append(out, d)
		}
		return err
	})
	return out, err
}

// handlers are the roles that hand data over. Both are needed, one for each act.
func handlers() []policy.Role { return []policy.Role{policy.Legal, policy.Lead} }

// role is the role of a member of staff, by the staff's records; order.ErrRole for one that does
// not hand data over.
func (s *Service) role(ctx context.Context, staff int64) (policy.Role, error) {
	if s.Orders.Role == nil || staff <= 0 {
		return "", order.ErrRole
	}
	r, err := s.Orders.Role(ctx, staff)
	if err == nil && !slices.Contains(handlers(), r) {
		err = order.ErrRole
	}
	return r, err
}

// newID makes an id.
func (s *Service) newID() (int64, error) {
	id, err := safety.NewID(s.Clock.Now(), s.Random)
	if err != nil {
		return 0, fmt.Errorf("disclosure: %w", err)
	}
	return id, nil
}

// current is what is laid out or released of an order, of which there is one at most; one without
// an id for none.
func current(rows []store.Disclosure) (x store.Disclosure) {
	for _, y := range rows {
		if State(y.State) == LaidOut || State(y.State) == Released {
			x = y
		}
	}
	return x
}

// laidOut is what is laid out of an order. order.ErrState says that nothing is.
func (s *Service) laidOut(ctx context.Context, agency, id int64) (d Draft, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		rows, err := r.Disclosures(agency, id)
		if err != nil {
			return err
		}
		x := current(rows)
		if State(x.State) != LaidOut {
			return order.ErrState
		}
		d, err = s.read(x)
		return err
	})
	return d, err
}
