package order

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/ledger"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/paper"
)

// An order that came by mail is one of nobody known, whatever its sender's address says. It may be
// a court's that has never written here: it is received and waits, its clock stands still, and its
// sender is told how to prove who he is. Nothing is done because of it. When its agency has been
// let in, staff put it to the agency (Attach), where it goes the way of any other; when nobody
// comes, it is refused. So that whoever sends many mails fills no public log, orders that lapse are
// counted together there.

// FromNobody tells whether the order came from nobody known.
func (o Order) FromNobody() bool { return o.Agency == 0 && o.Standing == agency.Unknown }

// lapses is when an order of nobody known is refused that came at a time: at the end of the day on
// which its time to prove himself is over, so that all of a day are counted together.
func (s *Service) lapses(received int64) int64 {
	p := instrument.Period{Starts: instrument.Received, Length: s.Unknown}
	since := []instrument.Happened{{Event: instrument.Received, At: moment(received)}}
	due := p.Status(moment(received), since, instrument.Calendar{}).Due
	if due.IsZero() {
		return 0
	}
	return due.Truncate(24 * time.Hour).Add(24 * time.Hour).Unix()
}

// nobodysDaily is how many orders a day from nobody known are refused one by one, for what nobody
// gets whoever asks. Those beyond wait, and are counted together.
const nobodysDaily = 100

// fromNobody says what comes next for an order of nobody known: it waits, unless it asks for what
// has no handler, or such orders do not wait here.
func (w *work) fromNobody(v policy.Verdict) error {
	action := w.o.Document.Action
	many, err := w.many()
	switch {
	case err != nil:
		return err
	case w.o.lapses == 0:
		return w.refuse("sender-unknown", w.because("sender"))
	case slices.Contains(policy.Actions(), action) && !handled(action) && !many:
		return w.refuse("no-handler", w.because("handler"))
	}
	who := Problem{Law: w.in.Law, Field: fieldName(instrument.Identity), What: "not known here"}
	if !contains(w.o.Problems, who) {
		w.o.Problems = append([]Problem{who}, w.o.Problems...)
	}
	return w.incomplete(v)
}

// many tells whether more orders came from nobody known within a day than are refused one by one.
func (w *work) many() (bool, error) {
	rows, err := w.tx.OrdersOf(0, math.MaxInt64, nobodysDaily)
	if err != nil || len(rows) < nobodysDaily {
		return false, err
	}
	return rows[len(rows)-1].Received > w.now-secondsOfDay, nil
}

// lapse refuses the orders of a list whose sender nobody knew and nobody came to know, in one
// transaction with their lines for the public log: one for each instrument, however many they are.
func (s *Service) lapse(ctx context.Context, list []store.Order) error {
	var lapsed []int64
	for _, x := range list {
		if x.Agency == 0 && State(x.State) == Incomplete {
			lapsed = append(lapsed, x.ID)
		}
	}
	if len(lapsed) == 0 {
		return nil
	}
	var ended []Order
	err := store.Repeat(func() error {
		first, err := s.newID()
		if err != nil {
			return err
		}
		return s.Store.Update(ctx, key(0), func(tx *store.Tx) error {
			ended = nil
			of := make(map[string][]Order)
			for _, id := range lapsed {
				w := &work{Service: s, tx: tx, now: s.Clock.Now().Unix(), quiet: true}
				if err := w.lapsed(id); err != nil {
					return err
				}
				if w.ended {
					of[w.word()] = append(of[w.word()], w.o)
					ended = append(ended, w.o)
				}
			}
			return s.together(tx, of, first)
		})
	})
	if err == nil && s.Done != nil {
		for _, o := range ended {
			s.Done(o)
		}
	}
	return err
}

// lapsed refuses an order of nobody known, if its time is over.
func (w *work) lapsed(id int64) error {
	if err := w.load(&w.tx.Reader, 0, id); err != nil {
		return err
	}
	if !w.o.FromNobody() || w.o.State != Incomplete || w.o.lapses > w.now {
		return nil
	}
	if err := w.refuse("sender-unknown", w.because("sender")); err != nil {
		return err
	}
	return w.save()
}

// together writes the lines for the public log of orders that lapsed, by their instruments: that so
// many came from nobody known, and were refused for that. They commit to which they were.
func (s *Service) together(tx *store.Tx, of map[string][]Order, id int64) error {
	now := s.Clock.Now().Unix()
	for _, word := range slices.Sorted(maps.Keys(of)) {
		id++
		refs := make([]string, 0, len(of[word]))
		for _, o := range of[word] {
			refs = append(refs, o.Reference)
		}
		e := entry.Entry{
			Country: unknownCountry, Instrument: word, Items: entry.Band(int64(len(refs))),
		}
		l := ledger.Line{
			Subject: key(0), ID: id, Kind: ledger.Order, At: now, Entry: e, Record: refs,
		}
		if err := ledger.Write(tx, s.Random, l); err != nil {
			return err
		}
		l.Kind, l.Of, l.Entry.Reason = ledger.Refusal, id, "sender-unknown"
		if err := ledger.Write(tx, s.Random, l); err != nil {
			return err
		}
	}
	return nil
}

// Attach puts an order that came from nobody known to the agency that a member of staff knows it to
// be of by now. There it is an order that no officer has put his key to yet, and the agency is
// called about it; its clock begins with that. The first one ends, and its sender is told the
// reference of the other. It may run twice. ErrState for an order of somebody known, ErrStanding
// for an agency that has none.
func (s *Service) Attach(
	ctx context.Context, staff, id, to int64, reason string,
) (out Order, err error) {
	if !filled(reason) || staff <= 0 {
		return out, ErrReason
	}
	var was Order
	err = s.Store.View(ctx, func(r *store.Reader) error {
		if was, err = s.Of(r, 0, id); err != nil {
			return err
		}
		standing, err := agency.ProgramStanding(r, to, s.Clock.Now().Unix())
		if err == nil && standing.Problem != agency.Unsigned {
			err = ErrStanding
		}
		return err
	})
	switch {
	case err != nil:
		return out, err
	case !was.FromNobody() || was.State != Incomplete:
		return out, ErrState
	}
	d := was.Document
	got, err := s.SubmitWith(ctx, Sender{Agency: to, Program: true, Mail: true}, d,
		func(tx *store.Tx, r Receipt) error {
			if r.Again {
				return nil
			}
			w := &work{Service: s, tx: tx, now: s.Clock.Now().Unix()}
			if err := w.load(&tx.Reader, to, r.Order.ID); err != nil {
				return err
			}
			text := was.Reference + ", received " + moment(was.Received).Format(time.RFC3339)
			if err := w.event(WasAttached, By{Staff: staff}, text+": "+reason); err != nil {
				return err
			}
			return w.save()
		})
	if err != nil {
		return out, err
	}
	s.crash("attached")
	_, err = s.change(ctx, 0, id, func(w *work) error {
		if w.o.State != Incomplete {
			return nil
		}
		w.o.To = got.Order.Reference
		w.close(Attached)
		text := w.o.To + ": " + reason
		if err := w.event(WasAttached, By{Staff: staff}, text); err != nil {
			return err
		}
		return w.sign(paper.Paper{Kind: paper.Moved, Text: attachedText + w.o.To})
	})
	if err != nil {
		return out, err
	}
	err = s.Store.View(ctx, func(r *store.Reader) error {
		out, err = s.Of(r, to, got.Order.ID)
		return err
	})
	return out, err
}

const attachedText = "Your agency is known here now. The order is treated as one of your agency, " +
	"and waits for an officer of it who puts his key to it. Its reference: "
