package order

import (
	"context"
	"slices"
	"strings"

	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/policy"
	"parley/internal/store"
)

func trimmed(s, prefix string) string { return strings.TrimPrefix(s, prefix) }

// accountOr is the account of an id, or another subject where there is none.
func accountOr(other safety.Subject, id int64, err error) (safety.Subject, error) {
	if store.IsNotFound(err) {
		return other, nil
	}
	if err != nil {
		return other, err
	}
	p := subjectPeer(id)
	return safety.Subject{Peer: p, Kind: safety.Account, Author: p.User()}, nil
}

// Find returns the order of a reference to somebody of the agency that gave it. To everybody else
// there is no such order: store.ErrNotFound, and the agency's events keep that he asked.
func (s *Service) Find(ctx context.Context, by Sender, ref string) (Order, error) {
	kind, peer, id, err := s.References.Read(ref)
	if err == nil && kind == safety.OrderRef && int64(peer) == by.Agency && by.Agency != 0 {
		var o Order
		err = s.Store.View(ctx, func(r *store.Reader) (err error) {
			o, err = s.Of(r, by.Agency, id)
			return err
		})
		if err == nil || !store.IsNotFound(err) {
			return o, err
		}
	}
	text := ref
	if len(text) > lineRunes {
		text = text[:lineRunes]
	}
	err = s.Agencies.Note(ctx, by.Agency, agency.Event{
		Officer: by.Officer, Kind: agency.Foreign, Text: strings.ToValidUTF8(text, ""),
	})
	if err != nil {
		return Order{}, err
	}
	return Order{}, store.ErrNotFound
}

// Supplement puts a completed or corrected document in the place of an open order's. What was
// signed before counts no more, because it was under something else. A program may do so as long as
// no officer has vouched for the order. ErrState is for an order that is being carried out or is
// over, ErrStanding for who has none, ErrReason for another number.
func (s *Service) Supplement(
	ctx context.Context, by Sender, id int64, d Document,
) (Order, error) {
	digest, err := d.digest()
	if err != nil {
		return Order{}, err
	}
	found, err := s.find(ctx, d)
	if err != nil {
		return Order{}, err
	}
	return s.change(ctx, by.Agency, id, func(w *work) error {
		standing, err := w.may(by)
		switch {
		case err != nil:
			return err
		case !w.o.State.Open() || w.o.State == Ending || w.begun():
			return ErrState
		case d.Number != w.o.Document.Number || d.Instrument != w.o.Document.Instrument:
			return ErrReason
		case digest == w.o.Digest:
			return nil
		}
		same, _, err := s.twins(w.tx, by.Agency, d.Number, digest, id)
		if err != nil {
			return err
		}
		if same != 0 {
			return store.ErrConflict
		}
		w.answers(by, standing)
		return w.replace(d, digest, found, By{Officer: by.Officer})
	})
}

// may tells whether the order is somebody's to change: an officer's who has standing, or as long as
// no officer has vouched for it, the program's of the agency that brought it. ErrStanding if not.
func (w *work) may(by Sender) (agency.Standing, error) {
	standing, err := by.standing(&w.tx.Reader, w.now)
	if err != nil {
		return standing, err
	}
	unsigned := standing.Problem == agency.Unsigned && w.o.Standing == agency.Unsigned
	if standing.Problem != "" && !unsigned {
		return standing, ErrStanding
	}
	return standing, nil
}

// answers makes whoever changes an order the one who answers for it: another has to confirm his
// emergency, and it waits while he is new. What was checked, believed or decided before was about
// the document as it was, and counts no more. An order that no officer has vouched for still waits
// for that.
func (w *work) answers(by Sender, standing agency.Standing) {
	w.o.Checks, w.o.Judged, w.o.Manifest = nil, nil, nil
	if w.o.Standing != "" {
		return
	}
	w.o.Officer, w.o.New = by.Officer, standing.Quarantined
	w.o.Stopped, w.o.Stood = nil, 0
	w.o.Checks = []Made{{Check: policy.SenderCheck, Officer: by.Officer, At: w.now}}
}

// begun tells whether carrying the order out has begun.
func (w *work) begun() bool {
	for _, i := range w.items {
		if i.Began != 0 || i.State == Done || i.State == Proposed {
			return true
		}
	}
	return false
}

// replace puts another document in the place of the order's, and looks at it anew.
func (w *work) replace(d Document, digest string, found []safety.Subject, by By) error {
	old := w.o.Document
	err := w.add(Event{Kind: Supplemented, By: by, Text: w.o.Digest, Document: &old})
	if err != nil {
		return err
	}
	if err := w.voided(); err != nil {
		return err
	}
	was := int64(len(w.items))
	w.o.Document, w.o.Digest, w.o.Items = d, digest, int64(d.named())
	w.in = w.instrument(d)
	w.items = itemsOf(d, found, w.now)
	for n := int64(len(w.items)) + 1; n <= was; n++ { // named before, and not any more
		gone := Item{N: n, State: Declined, At: w.now, Detail: Detail{Reason: "not-named"}}
		w.items = append(w.items, gone)
	}
	for _, i := range w.items {
		if err := w.put(i); err != nil {
			return err
		}
	}
	if err := w.documents(); err != nil {
		return err
	}
	w.problems(slices.Contains(w.o.Signals, "altered-twin"))
	return w.assess()
}

// voided notes that signatures count no more, if there are any.
func (w *work) voided() error {
	list, err := w.tx.OrderApprovals(w.o.Agency, w.o.ID)
	if err != nil || len(list) == 0 {
		return err
	}
	return w.void("")
}

// void has signatures count no more: what is signed from here on has another digest, whatever
// becomes of the plan.
func (w *work) void(text string) error {
	w.o.Voids++
	return w.event(Voided, By{}, text)
}

// Enclose puts papers to an order that somebody sent with its reference and proved nothing by: they
// are there to be looked at, and change nothing of what is asked. What text says is who sent them.
// also is written in the same transaction.
func (s *Service) Enclose(
	ctx context.Context, agency, id int64, text string, papers []Attachment,
	also func(*store.Tx, Order) error,
) (Order, error) {
	var out Order
	err := s.Store.Update(ctx, key(agency), func(tx *store.Tx) error {
		w := &work{Service: s, tx: tx, now: s.Clock.Now().Unix()}
		if err := w.load(&tx.Reader, agency, id); err != nil {
			return err
		}
		if err := w.event(Enclosed, By{}, clean(text)); err != nil {
			return err
		}
		if err := w.papersOf(papers); err != nil {
			return err
		}
		if err := w.save(); err != nil {
			return err
		}
		out = w.o
		return also(tx, w.o)
	})
	return out, err
}
