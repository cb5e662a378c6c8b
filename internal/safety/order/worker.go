package order

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/ledger"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/paper"
)

// work is one transaction on an order: what it reads, changes and adds.
type work struct {
	*Service
	tx    *store.Tx
	o     Order
	items []Item
	in    instrument.Instrument
	of    agency.Agency
	now   int64
	// papers is how many papers there are, ended whether the order ended in this transaction.
	papers int64
	ended  bool
	// waited is whether the order waited for a review before this transaction.
	waited bool
	// quiet has a refusal write no line of its own for the public log: many have one together.
	quiet bool
}

// instrument is the instrument of a document, or any other order where it names none that we know.
func (s *Service) instrument(d Document) instrument.Instrument {
	in, ok := s.Instrument(d.Instrument)
	if !ok {
		in, _ = s.Instrument(instrument.Order)
	}
	return in
}

// change runs fn on an order in the transaction of its agency, and writes what it made of it.
func (s *Service) change(
	ctx context.Context, of, id int64, fn func(w *work) error,
) (out Order, err error) {
	ended := false
	err = s.Store.Update(ctx, key(of), func(tx *store.Tx) error {
		ended = false
		w := &work{Service: s, tx: tx, now: s.Clock.Now().Unix()}
		if err := w.load(&tx.Reader, of, id); err != nil {
			return err
		}
		if err := fn(w); err != nil {
			return err
		}
		if err := w.save(); err != nil {
			return err
		}
		out, ended = w.o, w.ended
		return nil
	})
	if err == nil && ended {
		if s.Done != nil {
			s.Done(out)
		}
		err = s.letGo(ctx, out)
	}
	return out, err
}

// load reads an order with what belongs to it.
func (w *work) load(r *store.Reader, of, id int64) (err error) {
	if w.o, err = w.Of(r, of, id); err != nil {
		return err
	}
	w.waited = w.o.waitsForReview()
	if w.items, err = Items(r, of, id); err != nil {
		return err
	}
	papers, err := r.OrderPapers(of, id)
	if err != nil {
		return err
	}
	w.papers = int64(len(papers))
	w.in = w.instrument(w.o.Document)
	if of != 0 {
		w.of, err = agency.Of(r, of)
	}
	return err
}

// save writes the order as it is now, with its clock.
func (w *work) save() error {
	if w.ended {
		if err := w.toPublish(); err != nil {
			return err
		}
	}
	if err := w.noteReview(); err != nil {
		return err
	}
	w.o.tick(w.now)
	x, err := w.o.row()
	if err != nil {
		return err
	}
	return w.tx.ChangeOrder(x)
}

// event appends what happened.
func (w *work) event(k EventKind, by By, text string) error {
	return w.add(Event{Kind: k, By: by, Text: text})
}

func (w *work) add(e Event) error {
	body, err := json.Marshal(told{Text: e.Text, Document: e.Document})
	if err != nil {
		return fmt.Errorf("order: event: %w", err)
	}
	w.o.events++
	return w.tx.AddOrderEvent(store.OrderEvent{
		Agency: w.o.Agency, Order: w.o.ID, N: w.o.events, At: w.now, Staff: e.Staff,
		Officer: e.Officer, Kind: int64(e.Kind), Body: body,
	})
}

// put writes an item.
func (w *work) put(i Item) error {
	x, err := i.row(w.o.Agency, w.o.ID)
	if err != nil {
		return err
	}
	for k := range w.items {
		if w.items[k].N == i.N {
			w.items[k] = i
		}
	}
	return w.tx.PutOrderItem(x)
}

// happened notes what periods are computed from, once for each kind but those that pause.
func (w *work) happened(e instrument.Event) {
	w.o.Happened = append(w.o.Happened, instrument.Happened{Event: e, At: moment(w.now)})
}

// word is the instrument's word in the public log.
func (w *work) word() string { return w.Word(w.in.ID, w.o.Document.Urgency) }

// sign signs a paper and stores it.
func (w *work) sign(p paper.Paper) error {
	p.At, p.Received = paper.Time(w.now), paper.Time(w.o.Received)
	p.Reference, p.Number, p.Document = w.o.Reference, w.o.Document.Number, w.o.Digest
	p.Agency, p.Country, p.Lang = w.of.Name, w.of.Country, w.lang()
	p.Instrument, p.Law = w.word(), w.in.Law
	signed, err := w.Sign.Sign(p)
	if err != nil {
		return err
	}
	w.papers++
	err = w.tx.AddOrderPaper(store.OrderPaper{
		Agency: w.o.Agency, Order: w.o.ID, N: w.papers, Kind: string(p.Kind), At: w.now,
		Body: signed,
	})
	if err != nil || w.OwePaper == nil || w.o.Agency == 0 {
		return err
	}
	return w.OwePaper(w.tx, w.o, string(p.Kind))
}

// lang is the language in which the sender is answered: the agency's, else that of his order.
func (w *work) lang() string {
	if w.of.Lang != "" {
		return w.of.Lang
	}
	if w.o.Document.Lang != "" {
		return w.o.Document.Lang
	}
	return "en"
}

// unknownCountry stands for the country of senders who are nobody known: what they say of
// themselves must not count for a state.
//
// https://www.iso.org/glossary-for-iso-3166.html
const unknownCountry = "ZZ"

// country is whose authority asked, for the public log.
func (w *work) country() string {
	if w.of.ID == 0 {
		return unknownCountry
	}
	return w.of.Country
}

// line writes the order's line of a kind for the public log.
func (w *work) line(k ledger.Kind, e entry.Entry) error { return w.lineAs(w.o.ID, k, 0, e) }

// lineAs writes a line of the order under a number of its own, which counts in the figures of
// another time where asOf is one.
func (w *work) lineAs(id int64, k ledger.Kind, asOf int64, e entry.Entry) error {
	d := w.o.Document
	e.Country, e.Instrument = w.country(), w.word()
	if d.Category.Valid() {
		e.Category = string(d.Category)
		for _, word := range d.Keywords {
			if slices.Contains(d.Category.Keywords(), word) {
				e.Keywords = append(e.Keywords, string(word))
			}
		}
	}
	e.Content = dataWords(d.Data)
	slices.Sort(e.Keywords)
	e.Keywords = slices.Compact(e.Keywords)
	e.Items = entry.Band(int64(d.named()))
	l := ledger.Line{
		Subject: key(w.o.Agency), ID: id, Kind: k, At: w.now, AsOf: asOf, Entry: e,
		Record: w.record(),
	}
	if k != ledger.Order {
		l.Entry.Minutes = max(w.now-w.o.Received, 0) / 60
		l.Of = w.o.ID
	}
	return ledger.Write(w.tx, w.Random, l)
}

// Record is the whole of an order and what came of it, to which its public entries commit. It names
// no member of staff.
type Record struct {
	Reference string   `json:"reference"`
	Digest    string   `json:"digest"`
	State     string   `json:"state"`
	Document  Document `json:"document"`
	Refused   string   `json:"refused,omitempty"`
	Why       string   `json:"why,omitempty"`
	Items     []Item   `json:"items,omitempty"`
}

func (w *work) record() Record {
	return Record{
		Reference: w.o.Reference, Digest: w.o.Digest, State: w.o.State.String(),
		Document: w.o.Document, Refused: w.o.Refused, Why: w.o.Why, Items: w.items,
	}
}

// dataWords are the classes of data asked for, in the words of the public log.
func dataWords(list []policy.Data) (out []string) {
	for _, x := range list {
		word := "DATA_CONTENT"
		switch x {
		case policy.Subscriber:
			word = "DATA_SUBSCRIBER"
		case policy.LastLogin:
			word = "DATA_IDENTIFYING"
		case policy.Logins, policy.Contacts, policy.Location:
			word = "DATA_TRAFFIC"
		}
		out = append(out, word)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// close gives the order its last state.
func (w *work) close(as State) {
	w.o.State, w.o.Closed, w.ended = as, w.now, true
}

// newID makes an id.
func (s *Service) newID() (int64, error) {
	id, err := safety.NewID(s.Clock.Now(), s.Random)
	if err != nil {
		return 0, fmt.Errorf("order: %w", err)
	}
	return id, nil
}
