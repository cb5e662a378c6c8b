package order

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/ledger"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/paper"
)

// Handover is an order for data, in the transaction of its agency. It is good only as long as the
// function runs that was given it.
type Handover struct {
	Order  Order
	Items  []Item
	Plan   Plan
	Agency agency.Agency
	Tx     *store.Tx
	// Now is the time of the transaction, in Unix seconds.
	Now int64

	w       *work
	signers []int64
	logged  *Logged
}

// Signers are who of the staff has signed the plan.
func (h *Handover) Signers() []int64 { return h.signers }

// Logged proves that the line of a disclosure for the public log is written in the transaction that
// it was returned in. Only Handover.Log makes one; whoever hands data out asks for it.
type Logged struct{ order int64 }

// Valid tells whether the proof is one, and of which order.
func (l Logged) Valid(order int64) bool { return l.order != 0 && l.order == order }

// handover loads what a function is given.
func (w *work) handover() (*Handover, error) {
	if w.o.Document.Action != policy.Disclose {
		return nil, ErrState
	}
	p, err := w.plan()
	if err != nil {
		return nil, err
	}
	return &Handover{
		Order: w.o, Items: w.items, Plan: p, Agency: w.of, Tx: w.tx, Now: w.now, w: w,
	}, nil
}

// Handover runs fn on an approved order for data in the transaction of its agency. The signatures
// are held to the plan as it is now: ErrChanged says that they are under another, and then the
// order waits for signatures again. ErrStanding is for an order whose officer is suspended by now,
// ErrState for any other.
func (s *Service) Handover(
	ctx context.Context, of, id int64, fn func(*Handover) error,
) (o Order, err error) {
	changed := false
	o, err = s.change(ctx, of, id, func(w *work) error {
		changed = false
		h, err := w.handover()
		if err != nil {
			return err
		}
		if w.o.State != Approved {
			return ErrState
		}
		// What somebody asked for whose key was stolen, or whom his agency denied, is not given.
		halted, err := w.halted()
		if err == nil && halted {
			err = ErrStanding
		}
		if err != nil {
			return err
		}
		signed, err := w.signatures(h.Plan.Digest)
		if err != nil {
			return err
		}
		if len(lacking(w.o.Signs(), signed)) > 0 {
			changed = true
			w.o.State = Assessed
			return w.void(h.Plan.Digest)
		}
		for _, a := range signed {
			h.signers = append(h.signers, a.Staff)
		}
		return fn(h)
	})
	if err == nil && changed {
		s.alarm(o, "signatures are under another plan")
		err = ErrChanged
	}
	return o, err
}

// Custody runs fn on an order for data in whatever state it is, in the transaction of its agency:
// for what is noted about data that was let go.
func (s *Service) Custody(
	ctx context.Context, of, id int64, fn func(*Handover) error,
) (Order, error) {
	return s.change(ctx, of, id, func(w *work) error {
		h, err := w.handover()
		if err != nil {
			return err
		}
		return fn(h)
	})
}

// Note appends to what happened to the order.
func (h *Handover) Note(k EventKind, by By, text string) error { return h.w.event(k, by, text) }

// People are how many accounts data is given of, and of how many the people have been told.
type People struct {
	Accounts, Told int64
	// Signed is how many people of the staff had a part in it.
	Signed int64
}

// Log writes the line of the disclosure for the public log, under a number of its own. Before that
// nothing can be handed out. ErrObjection says that an authority may still object.
func (h *Handover) Log(id int64, p People) (Logged, error) {
	if _, waits := h.Order.Waits(h.Now); waits {
		return Logged{}, ErrObjection
	}
	e := entry.Entry{Persons: p.Signed}
	e.People(p.Accounts, p.Told)
	if err := h.w.lineAs(id, ledger.Disclosure, 0, e); err != nil {
		return Logged{}, err
	}
	h.logged = &Logged{order: h.Order.ID}
	return *h.logged, nil
}

// ErrUnlogged says that data was to be answered with that no line of the public log tells of.
var ErrUnlogged = errors.New("order: no line of the public log tells of it")

// StruckOut is the reason of a class of data of which everything was struck out.
const StruckOut = "struck-out"

// Answer ends the order: each item as it was given, a signed paper with what became of each class
// of data, and its line for the public log. A package without a line of Log is ErrUnlogged.
func (h *Handover) Answer(data map[int64][]paper.Datum, given *paper.Package, text string) error {
	w := h.w
	if given != nil && h.logged == nil {
		return ErrUnlogged
	}
	var done, all int64
	for _, i := range slices.Clone(w.items) {
		if i.Reason == "not-named" {
			continue
		}
		all++
		if i.State != Waiting && i.State != Done {
			continue
		}
		i.State, i.Reason, i.At = Declined, "no-data", w.now
		if slices.ContainsFunc(data[i.N], func(d paper.Datum) bool { return d.Given == "yes" }) {
			i.State, i.Reason = Done, ""
			done++
		}
		if err := w.put(i); err != nil {
			return err
		}
	}
	out := outcome(done, all)
	if out == "full" && short(data) {
		out = "partial"
	}
	return h.informed(out, data, given, text)
}

// refused is why a class of data was refused that the order asks for, in one word: policy has it
// not given, or all of it was struck out. Empty where none was: what is not here was not refused.
func (h *Handover) refused(data map[int64][]paper.Datum) string {
	for _, i := range h.w.items {
		for _, d := range data[i.N] {
			planned := slices.Contains(h.Plan.Data, policy.Data(d.Class))
			if d.Given == "no" && (!planned || d.Reason == StruckOut) {
				return d.Reason
			}
		}
	}
	return ""
}

// short tells whether some class of data was not given that was asked for.
func short(data map[int64][]paper.Datum) bool {
	for _, list := range data {
		for _, d := range list {
			if d.Given == "no" {
				return true
			}
		}
	}
	return false
}

// informed ends an order for data with all that it owes.
func (h *Handover) informed(
	outcome string, data map[int64][]paper.Datum, in *paper.Package, text string,
) error {
	w := h.w
	w.close(Answered)
	if in != nil {
		w.happened(instrument.Effected)
	}
	w.happened(instrument.Informed)
	if err := w.event(WasAnswered, By{}, outcome); err != nil {
		return err
	}
	reason := ""
	if outcome == "none" {
		reason = w.noneBecause()
	}
	items := w.paperItems()
	for k := range items {
		items[k].Data = data[items[k].N]
	}
	err := w.sign(paper.Paper{
		Kind: paper.Information, Given: given(outcome), Reason: reason, Text: text,
		Items: items, Package: in,
	})
	if err != nil {
		return err
	}
	class := cmp.Or(partly(w.items), h.refused(data))
	if err := w.declined(class); err != nil {
		return err
	}
	has, err := w.hasOutcome()
	if err != nil || has {
		return err // it is answered once more: its outcome stands in the log
	}
	return w.line(ledger.Effect, entry.Entry{Outcome: outcome, Reason: cmp.Or(reason, class)})
}

// Told writes the line for the public log that so many people have been told of the disclosure with
// a number, who could not be told as it was made.
func (h *Handover) Told(id, disclosed, people int64) error {
	row, err := h.Tx.LedgerRow(key(h.Order.Agency), disclosed, int64(ledger.Disclosure))
	if err != nil {
		return err
	}
	of, err := entry.Parse(row.Entry)
	if err != nil {
		return err
	}
	return h.w.lineAs(id, ledger.Told, row.Date, entry.Entry{
		Told: entry.Band(people), Untold: of.Untold,
	})
}

// TellBefore is by how many seconds earlier than anything leaves the people concerned are told; 0
// where they are not told before.
func (o Order) TellBefore() int64 {
	if o.Verdict.Tell.When != policy.Before {
		return 0
	}
	return int64(o.Verdict.Tell.Days) * secondsOfDay
}

// secondsOfDay is the length of a day.
const secondsOfDay = 24 * 60 * 60

// TellAt is when the people concerned are told of what left at a time. A bar counts for no longer
// than policy has it, from the order on, unless another order has made it longer.
func (o Order) TellAt(left int64) int64 {
	t := o.Verdict.Tell
	switch {
	case t.When == policy.After:
		return left + int64(t.Days)*secondsOfDay
	case t.When == policy.BarEnds && o.BarUntil != 0:
		return max(o.BarUntil, left)
	case t.When == policy.BarEnds && o.Document.Bar != nil:
		at := o.Document.Bar.Until
		if last := o.lastBar(o.Received); at == 0 || last != 0 && at > last {
			at = last
		}
		return max(at, left)
	default:
		return left
	}
}

// lastBar is until when a bar lasts at most that was ordered at a time; 0 where nothing bounds it.
func (o Order) lastBar(since int64) int64 {
	length := o.Verdict.Tell.Bar
	if length.IsZero() {
		return 0
	}
	p := instrument.Period{Starts: instrument.Received, Length: length}
	happened := []instrument.Happened{{Event: instrument.Received, At: moment(since)}}
	return p.Status(moment(since), happened, instrument.Calendar{}).Due.Unix()
}

// Reopen has an answered order decided anew, because its data is to be handed over again: what was
// signed counts no more. ErrState is for any other order, and for one to which a notified authority
// has objected: nothing more of it leaves.
func (s *Service) Reopen(ctx context.Context, staff, of, id int64, reason string) (Order, error) {
	if !filled(reason) || staff <= 0 {
		return Order{}, ErrReason
	}
	return s.change(ctx, of, id, func(w *work) error {
		if w.o.State != Answered || w.o.Document.Action != policy.Disclose ||
			w.o.Objected != nil {
			return ErrState
		}
		for _, i := range slices.Clone(w.items) {
			if i.State != Done {
				continue
			}
			i.State, i.At = Waiting, w.now
			if err := w.put(i); err != nil {
				return err
			}
		}
		w.o.Again++
		w.o.State, w.o.Closed, w.o.Stood, w.o.Free = Received, 0, 0, false
		err := w.event(Reopened, By{Staff: staff}, reason)
		if err != nil {
			return err
		}
		if halted, err := w.halted(); err != nil || halted {
			return errors.Join(err, w.stop())
		}
		return w.assess()
	})
}

// PeopleOf are the accounts that an order's items are about.
func PeopleOf(items []Item) (out []ids.UserID) {
	for _, i := range items {
		if i.Subject.Kind == safety.Account && i.Subject.Author != 0 &&
			!slices.Contains(out, i.Subject.Author) {
			out = append(out, i.Subject.Author)
		}
	}
	return out
}
