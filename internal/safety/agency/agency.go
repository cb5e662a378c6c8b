// Package agency keeps who may ask: authorities and other bodies with a door of their own, and
// their officers. Nobody registers himself. An agency is proposed by one member of staff and
// approved by another, after somebody called it at a number from a public source that is not its
// own; so is each of its officers, who then binds a security key by a link that is good once. A
// mail address proves nothing here, whatever stands behind its @.
//
// Invariants: who approves is neither who proposed nor who called; an officer without a key has no
// standing; a new officer's emergency orders wait for a week, and so do those of an agency whose
// number or key was changed, which takes two people as well; what was not confirmed again within 90
// days has no standing either; a suspended agency comes back only by being checked and approved
// anew. What was done to an agency, and what its people were refused, is only ever added to.
// Fraud signals are scored for people and decide nothing.
//
// The package serves no pages, reads no orders and signs nobody in: it says who is whom.
package agency

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/words"
	"parley/internal/store"
)

// Kind is what an agency is. Values are stored.
type Kind int64

// The kinds of agencies.
const (
	Court      Kind = 1
	Prosecutor Kind = 2
	Police     Kind = 3
	// Regulator supervises media, markets or communication.
	Regulator Kind = 4
	// Coordinator is a Digital Services Coordinator (DSA Art. 49).
	Coordinator Kind = 5
	// TerroristContent is an authority that Regulation (EU) 2021/784 Art. 12 names.
	TerroristContent Kind = 6
	// Central is a central authority for requests between states.
	Central Kind = 7
	// TrustedFlagger is one by DSA Art. 22, Organisation one that is not official.
	TrustedFlagger Kind = 8
	Organisation   Kind = 9
	// Administrative is any other authority.
	Administrative Kind = 10
)

// Kinds are all kinds.
func Kinds() []Kind {
	return []Kind{
		Court, Prosecutor, Police, Regulator, Coordinator, TerroristContent, Central,
		TrustedFlagger, Organisation, Administrative,
	}
}

// String is the kind's name in pages, files and commands.
func (k Kind) String() string {
	names := [...]string{
		Court: "court", Prosecutor: "prosecutor", Police: "police", Regulator: "regulator",
		Coordinator: "coordinator", TerroristContent: "terrorist-content", Central: "central",
		TrustedFlagger: "trusted-flagger", Organisation: "organisation",
		Administrative: "administrative",
	}
	if k < Court || int(k) >= len(names) {
		return "unknown"
	}
	return names[k]
}

// ParseKind returns the kind of a name; 0 for none.
func ParseKind(name string) Kind {
	for _, k := range Kinds() {
		if k.String() == name {
			return k
		}
	}
	return 0
}

// Official tells whether the kind is an authority, which may give orders; the others give notices.
func (k Kind) Official() bool { return k != TrustedFlagger && k != Organisation }

// State is how far an agency or an officer is. Values are stored.
type State int64

// The states. Checked is an agency's, Enrolling an officer's.
const (
	Proposed  State = 1
	Checked   State = 2
	Enrolling State = 2
	Active    State = 3
	Suspended State = 4
)

// Agency is an authority or another body.
type Agency struct {
	ID      int64
	Name    string
	Country string
	Kind    Kind
	State   State
	// Lang is the language in which it is answered, one of words.Authorities.
	Lang                   string
	ProposedBy, ApprovedBy int64
	Created, Approved      int64
	// Attest is until when its standing has to be confirmed again, in Unix seconds.
	Attest int64
	Record
}

// Record is what is kept of how an agency was made sure of.
type Record struct {
	// Officials are those of the agency who answer for it, by name and office: two at least.
	Officials []Official `cbor:"1,keyasint,omitempty"`
	// Domains and Numbers are what the agency says of itself. They prove nothing: no check may rest
	// on them.
	Domains []string `cbor:"2,keyasint,omitempty"`
	Numbers []string `cbor:"3,keyasint,omitempty"`
	// Agreement is the SHA-256 of the signed agreement, in hexadecimal digits.
	Agreement string `cbor:"4,keyasint,omitempty"`
	// Check is the last one that was recorded. Its number is where the agency is called back.
	Check Check `cbor:"5,keyasint,omitempty"`
	// Key encrypts what it is given: an age recipient or an armoured OpenPGP key.
	Key string `cbor:"6,keyasint,omitempty"`
	// Answers is where it wants to be told that papers wait, or how what it reported ended: a mail
	// address.
	Answers string `cbor:"7,keyasint,omitempty"`
	// Owes are emergencies of it, by the ids of its orders, whose order never followed: its next
	// one waits for a person.
	Owes []int64 `cbor:"8,keyasint,omitempty"`
	// Change is another number that waits for a second person, Changed when the number or the key
	// was changed last, in Unix seconds.
	Change  *Change `cbor:"9,keyasint,omitempty"`
	Changed int64   `cbor:"10,keyasint,omitempty"`
}

// Official is somebody who answers for an agency.
type Official struct {
	Name   string `cbor:"1,keyasint"`
	Office string `cbor:"2,keyasint"`
}

// Errors of the package.
var (
	// ErrSamePerson says that it takes another person.
	ErrSamePerson = errors.New("agency: it takes another person")
	// ErrState says that the agency or the officer is not in the state that this needs.
	ErrState = errors.New("agency: the state does not allow it")
	// ErrTaken says that the country has an agency of that name.
	ErrTaken = errors.New("agency: there is one of that name")
	// ErrProof says that a link or key is good for nobody. It never says what was wrong.
	ErrProof = errors.New("agency: not proven")
)

// Refusal says which part of what was given is not as it has to be.
type Refusal struct {
	// Field is name, country, kind, lang, officials, agreement, number, source, spoke, role, key,
	// fingerprint, former.
	Field string
	// Reason is missing, long, unknown, own, unconfirmed, twice, private, changed, denied.
	Reason string
}

// Error names the field and the reason.
func (r Refusal) Error() string { return "agency: " + r.Field + ": " + r.Reason }

const (
	// quarantine is for how long emergency orders of a new officer wait.
	quarantine = 7 * 24 * time.Hour
	// attestation is after how long the standing of an agency or officer is confirmed again.
	attestation = 90 * 24 * time.Hour
	// linkTime is for how long an enrolment link is good.
	linkTime = 7 * 24 * time.Hour
	// nameRunes bounds names and offices in characters.
	nameRunes = 200
	// officialsLeast is how many named people answer for an agency.
	officialsLeast = 2
	// most bounds lists of officers, keys and agencies that are read at once.
	most = 1000
)

// Service keeps agencies. It is safe for concurrent use.
type Service struct {
	Store  *store.Store
	Clock  clock.Clock
	Random io.Reader
	// Alarm hears of what a person should look at at once; nil hears nothing.
	Alarm func(action string, agency int64, detail string)
	// Halted hears, once that is durable, that an officer was suspended or begins anew, or for
	// officer 0 his agency: what they ordered is stopped. nil hears nothing.
	Halted func(ctx context.Context, agency, officer int64)
}

func (s *Service) halted(ctx context.Context, agency, officer int64) {
	if s.Halted != nil {
		s.Halted(context.WithoutCancel(ctx), agency, officer)
	}
}

// key is the shard of an agency.
func key(agency int64) ids.Peer { return ids.Peer(agency) }

// folded is the form of an agency's name that is compared.
func folded(country, name string) string {
	return country + " " + strings.ToLower(strings.Join(strings.Fields(name), " "))
}

// New is what an agency is proposed with.
type New struct {
	Name, Country, Lang string
	Kind                Kind
	Officials           []Official
	Domains, Numbers    []string
	Agreement           string
	Key, Answers        string
}

func (n New) check() error {
	switch {
	case n.Name == "":
		return Refusal{"name", "missing"}
	case utf8.RuneCountInString(n.Name) > nameRunes:
		return Refusal{"name", "long"}
	case len(n.Country) != 2 || strings.Trim(n.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return Refusal{"country", "unknown"}
	case !slices.Contains(Kinds(), n.Kind):
		return Refusal{"kind", "unknown"}
	case !slices.Contains(words.Authorities(), n.Lang):
		return Refusal{"lang", "unknown"}
	case len(n.Agreement) != 64 || strings.Trim(n.Agreement, "0123456789abcdef") != "":
		return Refusal{"agreement", "missing"}
	case len(n.Officials) < officialsLeast:
		return Refusal{"officials", "missing"}
	}
	for i, o := range n.Officials {
		switch {
		case o.Name == "" || o.Office == "":
			return Refusal{"officials", "missing"}
		case utf8.RuneCountInString(o.Name+o.Office) > nameRunes:
			return Refusal{"officials", "long"}
		case slices.ContainsFunc(n.Officials[:i], func(p Official) bool {
			return strings.EqualFold(p.Name, o.Name)
		}):
			return Refusal{"officials", "twice"}
		}
	}
	return nil
}

// Propose writes an agency down, which has no standing until it is checked and approved. Another
// one that it could be taken for is noted. A Refusal says what is missing, ErrTaken that its
// country has one of that name.
func (s *Service) Propose(ctx context.Context, staff int64, n New) (Agency, error) {
	n.Name = strings.Join(strings.Fields(n.Name), " ")
	if err := n.check(); err != nil {
		return Agency{}, err
	}
	now := s.Clock.Now()
	if err := keyed(n.Key, now); err != nil {
		return Agency{}, err
	}
	id, err := safety.NewID(now, s.Random)
	if err != nil {
		return Agency{}, fmt.Errorf("agency: %w", err)
	}
	a := Agency{
		ID: id, Name: n.Name, Country: n.Country, Kind: n.Kind, State: Proposed, Lang: n.Lang,
		ProposedBy: staff, Created: now.Unix(),
		Record: Record{
			Officials: n.Officials, Domains: n.Domains, Numbers: n.Numbers,
			Agreement: n.Agreement, Key: n.Key, Answers: n.Answers,
		},
	}
	name := folded(n.Country, n.Name)
	err = s.Store.Update(ctx, key(id), func(tx *store.Tx) error {
		return tx.TakeAgencyName(name, id)
	})
	if errors.Is(err, store.ErrConflict) {
		return Agency{}, ErrTaken
	}
	if err != nil {
		return Agency{}, err
	}
	var known Names
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		known, err = NamesOf(r)
		return err
	})
	if err != nil {
		return Agency{}, err
	}
	like := known.resembled(a)
	return a, s.Store.Update(ctx, key(id), func(tx *store.Tx) error {
		err := put(tx, a, Event{At: a.Created, Staff: staff, Kind: WasProposed, Text: a.Name})
		if err != nil || like == "" {
			return err
		}
		return add(tx, id, Event{At: a.Created, Kind: Resembled, Text: like})
	})
}

// put writes an agency with what happened to it.
func put(tx *store.Tx, a Agency, e Event) error {
	body, err := cbor.Marshal(a.Record)
	if err != nil {
		return fmt.Errorf("agency: %w", err)
	}
	err = tx.PutAgency(store.Agency{
		ID: a.ID, Name: a.Name, Country: a.Country, Kind: int64(a.Kind), State: int64(a.State),
		Lang: a.Lang, ProposedBy: a.ProposedBy, ApprovedBy: a.ApprovedBy, Created: a.Created,
		Approved: a.Approved, Attest: a.Attest, Body: body,
	})
	if err != nil {
		return err
	}
	return add(tx, a.ID, e)
}

func read(x store.Agency) (Agency, error) {
	a := Agency{
		ID: x.ID, Name: x.Name, Country: x.Country, Kind: Kind(x.Kind), State: State(x.State),
		Lang: x.Lang, ProposedBy: x.ProposedBy, ApprovedBy: x.ApprovedBy, Created: x.Created,
		Approved: x.Approved, Attest: x.Attest,
	}
	if err := cbor.Unmarshal(x.Body, &a.Record); err != nil {
		return a, fmt.Errorf("agency: record of %d: %w", x.ID, err)
	}
	return a, nil
}

// Of returns an agency. store.ErrNotFound.
func Of(r *store.Reader, id int64) (Agency, error) {
	x, err := r.Agency(id)
	if err != nil {
		return Agency{}, err
	}
	return read(x)
}

// ByName returns the agency of a country under its name. store.ErrNotFound.
func ByName(r *store.Reader, country, name string) (Agency, error) {
	id, err := r.AgencyByName(folded(country, name))
	if err != nil {
		return Agency{}, err
	}
	return Of(r, id)
}

// All returns up to limit agencies with ids above one, the oldest first: for staff.
func All(r *store.Reader, after int64, limit int) (out []Agency, err error) {
	rows, err := r.Agencies(after, limit)
	if err != nil {
		return nil, err
	}
	out = make([]Agency, len(rows))
	for i, x := range rows {
		if out[i], err = read(x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// change runs fn on an agency and writes what it made of it with an event.
func (s *Service) change(
	ctx context.Context, id int64, fn func(tx *store.Tx, a *Agency, now int64) (Event, error),
) error {
	return s.Store.Update(ctx, key(id), func(tx *store.Tx) error {
		a, err := Of(&tx.Reader, id)
		if err != nil {
			return err
		}
		now := s.Clock.Now().Unix()
		e, err := fn(tx, &a, now)
		if err != nil {
			return err
		}
		e.At = now
		return put(tx, a, e)
	})
}
