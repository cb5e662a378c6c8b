package order

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/store"
)

// read is an order as it was stored.
func (s *Service) read(x store.Order) (Order, error) {
	o := Order{
		Agency: x.Agency, ID: x.ID, Digest: x.Digest, State: State(x.State), Country: x.Country,
		Officer: x.Officer, Received: x.Received, Due: x.Due, Paused: x.Paused, next: x.Next,
		Alarmed: x.Alarmed, Breached: x.Breached, Items: x.Items, events: x.Events,
		Closed: x.Closed, Reference: s.References.Make(safety.OrderRef, key(x.Agency), x.ID),
	}
	if err := json.Unmarshal(x.Body, &o.Kept); err != nil {
		return o, fmt.Errorf("order: %d: %w", x.ID, err)
	}
	o.lapses = s.lapses(o.Received)
	return o, nil
}

// row is an order as it is stored.
func (o Order) row() (store.Order, error) {
	body, err := json.Marshal(o.Kept)
	if err != nil {
		return store.Order{}, fmt.Errorf("order: %d: %w", o.ID, err)
	}
	return store.Order{
		Agency: o.Agency, ID: o.ID, Instrument: clean(string(o.Document.Instrument)),
		Number: clean(o.Document.Number), Digest: o.Digest, State: int64(o.State),
		Country: clean(o.Country), Officer: o.Officer, Received: o.Received, Due: o.Due,
		Paused: o.Paused, Next: o.next,
		Alarmed: o.Alarmed, Breached: o.Breached, Items: o.Items, Events: o.events,
		Closed: o.Closed, Body: body,
	}, nil
}

// clean is a text as a column of every engine takes it: what is not one was named as a problem, and
// the document itself is kept as it came.
func clean(s string) string { return cleaned(s, lineRunes) }

// cleaned is clean with another bound, in characters.
func cleaned(s string, most int) string {
	s = strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s), "")
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

func readItem(x store.OrderItem) (Item, error) {
	i := Item{
		N: x.N, State: ItemState(x.State), Decision: x.Decision, Hold: x.Hold, At: x.At,
		Subject: safety.Subject{
			Peer: x.Peer, Kind: safety.Kind(x.Kind), Item: x.Item, Author: x.Author,
		},
	}
	if err := json.Unmarshal(x.Body, &i.Detail); err != nil {
		return i, fmt.Errorf("order: item %d of %d: %w", x.N, x.Order, err)
	}
	return i, nil
}

func (i Item) row(agency, order int64) (store.OrderItem, error) {
	body, err := json.Marshal(i.Detail)
	if err != nil {
		return store.OrderItem{}, fmt.Errorf("order: item: %w", err)
	}
	return store.OrderItem{
		Agency: agency, Order: order, N: i.N, Peer: i.Subject.Peer, Kind: int64(i.Subject.Kind),
		Item: i.Subject.Item, Author: i.Subject.Author, State: int64(i.State),
		Decision: i.Decision, Hold: i.Hold, At: i.At, Body: body,
	}, nil
}

// Of returns an order of an agency. store.ErrNotFound.
func (s *Service) Of(r *store.Reader, agency, id int64) (Order, error) {
	x, err := r.Order(agency, id)
	if err != nil {
		return Order{}, err
	}
	return s.read(x)
}

// OfAgency returns up to limit orders of an agency with ids below one, the newest first.
func (s *Service) OfAgency(r *store.Reader, agency, below int64, limit int) ([]Order, error) {
	rows, err := r.OrdersOf(agency, below, limit)
	return s.readAll(rows, err)
}

// Queue returns up to limit open orders in a state behind a place of the queue, those that are due
// first first: for staff. The place is due time and id of the last one seen, 0 and 0 at first.
func (s *Service) Queue(
	r *store.Reader, in State, due, after int64, limit int,
) ([]Order, error) {
	rows, err := r.OrderQueue(int64(in), due, after, limit)
	return s.readAll(rows, err)
}

func (s *Service) readAll(rows []store.Order, err error) ([]Order, error) {
	if err != nil {
		return nil, err
	}
	out := make([]Order, len(rows))
	for i, x := range rows {
		if out[i], err = s.read(x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Items returns what an order names, in order.
func Items(r *store.Reader, agency, id int64) ([]Item, error) {
	rows, err := r.OrderItems(agency, id, most)
	if err != nil {
		return nil, err
	}
	out := make([]Item, len(rows))
	for i, x := range rows {
		if out[i], err = readItem(x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Signatures returns who signed what would be carried out of an order, the oldest first.
func Signatures(r *store.Reader, agency, id int64) ([]store.OrderApproval, error) {
	return r.OrderApprovals(agency, id)
}

// Paper is a signed paper to an agency.
type Paper struct {
	N, At, Fetched int64
	Kind           string
	Signed         []byte
}

// Named visits the digests of all documents that came with orders.
func Named(r *store.Reader, visit func(digest string)) error {
	return r.EachOrderDocument(func(digest string) error {
		visit(digest)
		return nil
	})
}

// Papers returns the papers about an order, in order.
func Papers(r *store.Reader, agency, id int64) (out []Paper, err error) {
	rows, err := r.OrderPapers(agency, id)
	for _, x := range rows {
		out = append(out, Paper{N: x.N, At: x.At, Fetched: x.Fetched, Kind: x.Kind, Signed: x.Body})
	}
	return out, err
}

// subjectPeer is the peer of an account by its id.
func subjectPeer(id int64) ids.Peer { return ids.UserID(id).Peer() }
