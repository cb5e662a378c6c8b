// Package personal reads what the server stores of a person, by classes of data and field by field,
// for orders that name these classes. What is stored and to which class it belongs stands in
// stored.tsv; what is not listed there for a class is never read. The package decides nothing,
// hands nothing out and keeps nothing.
//
// Invariants: a field comes out only under a class that was asked for, and only of the time that
// was asked for; only what the person himself gave or wrote comes out, never what others wrote to
// him; what does not exist any more, or what the server cannot read, is said and not made up for.
package personal

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"parley/internal/ids"
	"parley/internal/safety/policy"
	"parley/internal/store"
)

// Query is what is asked for.
type Query struct {
	Person ids.UserID
	// Classes are the classes of data, From and To of which time in Unix seconds; 0 is open.
	Classes  []policy.Data
	From, To int64
}

// covers tells whether a time is one that is asked for.
func (q Query) covers(at int64) bool {
	return at >= q.From && (q.To == 0 || at <= q.To)
}

// Field is one stored value, by the name of its column.
type Field struct {
	Name  string `json:"name" cbor:"1,keyasint"`
	Value string `json:"value" cbor:"2,keyasint"`
}

// Record is one stored row, as far as it is asked for.
type Record struct {
	Class policy.Data `json:"class" cbor:"1,keyasint"`
	// Of is the table, At when it is of, in Unix seconds; 0 for what has no time.
	Of     string  `json:"of" cbor:"2,keyasint"`
	At     int64   `json:"at,omitempty" cbor:"3,keyasint,omitempty"`
	Fields []Field `json:"fields" cbor:"4,keyasint"`
	// Kept is when it was set aside for an earlier order, 0 for what is stored now.
	Kept int64 `json:"kept,omitempty" cbor:"5,keyasint,omitempty"`
}

// Same tells whether two records say the same of the same thing.
func (x Record) Same(y Record) bool {
	return x.Class == y.Class && x.Of == y.Of && x.At == y.At && slices.Equal(x.Fields, y.Fields)
}

// Value is the value of a field; empty for none.
func (x Record) Value(name string) string {
	for _, f := range x.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// Lack is why nothing of a class can be given.
type Lack string

// The reasons. Each is a word of papers.
const (
	// NoneHeld: the server has nothing of this class of this time.
	NoneHeld Lack = "none-held"
	// Unreadable: the server has no key.
	Unreadable Lack = "no-key"
	// NotKept: the server does not store it at all.
	NotKept Lack = "never-stored"
	// Never: it opens the account; no order gets it.
	Never Lack = "never-given"
)

// Found is what there is.
type Found struct {
	Records []Record
	// Lacks are the classes of which nothing is there, and why.
	Lacks map[policy.Data]Lack
}

// MaxRecords bounds how many records are read of a person: more are more orders.
const MaxRecords = 20_000

// ErrMuch says that there is more than can be looked through by people in one go.
var ErrMuch = errors.New("personal: too many records for one order; a shorter time is needed")

// Collect reads what there is of a person. store.ErrNotFound says that there is no such account.
func Collect(r *store.Reader, q Query) (Found, error) {
	out := Found{Lacks: make(map[policy.Data]Lack)}
	u, err := r.User(q.Person)
	if err != nil {
		return out, err
	}
	for _, class := range policy.AllData() {
		if !slices.Contains(q.Classes, class) {
			continue
		}
		list, lack, err := collect(r, q, u, class)
		if err != nil {
			return out, fmt.Errorf("personal: %s: %w", class, err)
		}
		if len(list) == 0 {
			out.Lacks[class] = lack
		}
		if out.Records = append(out.Records, list...); len(out.Records) > MaxRecords {
			return out, ErrMuch
		}
	}
	return out, listed(out.Records)
}

func collect(
	r *store.Reader, q Query, u store.User, class policy.Data,
) (list []Record, lack Lack, err error) {
	lack = NoneHeld
	switch class {
	case policy.Subscriber:
		list, err = subscriber(r, u)
	case policy.LastLogin:
		list, err = lastLogin(r, q)
	case policy.Logins:
		list, err = logins(r, q)
	case policy.Contacts:
		list, err = contacts(r, q)
	case policy.Messages:
		list, err = messages(r, q)
	case policy.Files:
		list, err = files(r, q)
	case policy.Secret:
		lack = Unreadable
	case policy.Password:
		lack = Never
	default:
		lack = NotKept
	}
	return list, lack, err
}

// record makes a record of pairs of names and values, without those that are empty.
func record(class policy.Data, of string, at int64, pairs ...string) Record {
	x := Record{Class: class, Of: of, At: at}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			x.Fields = append(x.Fields, Field{pairs[i], pairs[i+1]})
		}
	}
	return x
}

// number is a number as a value, empty for 0.
func number[T ~int64](n T) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(int64(n), 10)
}

// moment is a time in Unix seconds as a value, empty for 0.
func moment(at int64) string {
	if at == 0 {
		return ""
	}
	return time.Unix(at, 0).UTC().Format(time.RFC3339)
}

func subscriber(r *store.Reader, u store.User) ([]Record, error) {
	out := []Record{record(policy.Subscriber, "users", 0,
		"user_id", number(u.ID), "phone", u.Phone, "first_name", u.FirstName,
		"last_name", u.LastName, "username", u.Username, "created", moment(u.Created))}
	p, err := r.Password(u.ID)
	if store.IsNotFound(err) || err == nil && p.Email == "" {
		return out, nil
	}
	return append(out, record(policy.Subscriber, "passwords", 0, "email", p.Email)), err
}

// devices are the logins that there are of the time that is asked for, the newest first. What a
// device's temporary keys add is no login.
func devices(r *store.Reader, q Query) (out []store.Authorization, err error) {
	list, err := r.Authorizations(q.Person)
	for _, a := range list {
		if a.Parent == 0 && q.covers(a.Created) {
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b store.Authorization) int {
		return int(b.Created - a.Created)
	})
	return out, err
}

// used is when a device was in use last and from which address, if that is of the time that is
// asked for. The address of the login itself is not kept, so none stands beside its time alone.
func used(q Query, a store.Authorization) (active, ip string) {
	if at := max(a.Active, a.Created); q.covers(at) {
		return moment(at), a.IP
	}
	return "", ""
}

func lastLogin(r *store.Reader, q Query) (out []Record, err error) {
	list, err := devices(r, q)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	a := list[0]
	active, ip := used(q, a)
	return []Record{record(policy.LastLogin, "authorizations", a.Created,
		"created", moment(a.Created), "active", active, "ip", ip)}, nil
}

func logins(r *store.Reader, q Query) (out []Record, err error) {
	list, err := devices(r, q)
	for _, a := range list {
		active, ip := used(q, a)
		out = append(out, record(policy.Logins, "authorizations", a.Created,
			"created", moment(a.Created), "active", active, "device", a.Device,
			"system", a.System, "app", a.App, "ip", ip))
	}
	return out, err
}

func contacts(r *store.Reader, q Query) (out []Record, err error) {
	list, err := r.Contacts(q.Person)
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		if q.covers(c.Created) {
			out = append(out, record(policy.Contacts, "contacts", c.Created,
				"contact_id", number(c.Contact), "phone", c.Phone, "first_name", c.FirstName,
				"last_name", c.LastName, "created", moment(c.Created)))
		}
	}
	places, err := groups(r, q.Person)
	if err != nil {
		return nil, err
	}
	for _, p := range places {
		m, err := r.Member(p, q.Person)
		if store.IsNotFound(err) || err == nil && (!m.Role.In() || !q.covers(m.Date)) {
			continue
		}
		if err != nil {
			return nil, err
		}
		c, err := r.Chat(p)
		if err != nil && !store.IsNotFound(err) {
			return nil, err
		}
		x := record(policy.Contacts, "members", m.Date, "peer_id", number(p),
			"role", role(m.Role), "date", moment(m.Date))
		if c.Title != "" {
			x.Fields = append(x.Fields, Field{"chats.title", c.Title})
		}
		out = append(out, x)
	}
	return out, nil
}

// role is what somebody is in a group, in a word.
func role(r store.Role) string {
	switch r {
	case store.Creator:
		return "creator"
	case store.Admin:
		return "admin"
	default:
		return "participant"
	}
}

// groups are the groups and channels that stand in somebody's list of chats, in their order.
func groups(r *store.Reader, person ids.UserID) (out []ids.Peer, err error) {
	list, err := r.Dialogs(person)
	for _, d := range list {
		if d.Peer.Kind() == ids.Chat || d.Peer.Kind() == ids.Channel {
			out = append(out, d.Peer)
		}
	}
	slices.Sort(out)
	return out, err
}

// File is the file of a record of files: its bytes lie in the blob store under the digest.
func (x Record) File() (digest []byte, size int64, ok bool) {
	if x.Of != "media" {
		return nil, 0, false
	}
	digest, err := hex.DecodeString(x.Value("digest"))
	if err != nil {
		return nil, 0, false
	}
	size, err = strconv.ParseInt(x.Value("size"), 10, 64)
	return digest, size, err == nil
}
