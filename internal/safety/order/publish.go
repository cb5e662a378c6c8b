package order

import (
	"context"
	"errors"
	"slices"
	"strings"

	"parley/internal/safety/decide"
	"parley/internal/safety/dsadb"
	"parley/internal/safety/ledger"
	"parley/internal/safety/orderform"
	"parley/internal/store"
	"parley/internal/tlog/entry"
)

// TextState is how far the publication of an order's text is. Values are stored.
type TextState int64

// The states.
const (
	// TextAwaited waits for a person who takes out what identifies people.
	TextAwaited TextState = 1
	// TextApproved is to be published, TextPublished was.
	TextApproved  TextState = 2
	TextPublished TextState = 3
	// TextKeptBack is not published, by a person's decision.
	TextKeptBack TextState = 4
)

// String is the state's name in pages.
func (s TextState) String() string {
	names := [...]string{
		TextAwaited: "awaited", TextApproved: "approved", TextPublished: "published",
		TextKeptBack: "kept-back",
	}
	if s < TextAwaited || int(s) >= len(names) {
		return "unknown"
	}
	return names[s]
}

// Text is what becomes of an order's text for the public.
type Text struct {
	Agency, Order int64
	State         TextState
	// Due is from when on the next step is waited for, At when somebody decided last, in Unix
	// seconds.
	Due, At int64
	Staff   int64
	// Body is what is published, Why the reason of who decided that nothing is.
	Body, Why string
}

// ErrUntold says that the text of an order cannot be published yet: somebody whom it concerns may
// not be told, or has not been.
var ErrUntold = errors.New("order: whom it concerns is not told yet")

// toPublish has the text of an order that is over wait for a person, where policy publishes it. An
// order whose agency says that it never gave it is not published in the agency's name.
func (w *work) toPublish() error {
	if !w.o.Verdict.Publish.Text || w.o.Agency == 0 || w.o.State == Attached {
		return nil
	}
	t, err := TextOf(&w.tx.Reader, w.o.Agency, w.o.ID)
	known := err == nil
	if err != nil && !store.IsNotFound(err) {
		return err
	}
	switch {
	case w.o.forged() && t.State == TextAwaited:
		t.State, t.At, t.Why = TextKeptBack, w.now, w.because("denied").English
	case w.o.forged() || known:
		return nil
	default:
		t = Text{
			Agency: w.o.Agency, Order: w.o.ID, State: TextAwaited, Due: w.o.TellAt(w.now),
		}
	}
	return w.tx.PutOrderPublication(t.row())
}

// forged tells whether the order's agency has said that it never gave it.
func (o Order) forged() bool {
	return o.Refused == deniedClass || o.End != nil && o.End.Denied
}

// untold is until when the text of an order waits because of whom it concerns, in Unix seconds; 0
// when nothing is in the way.
func untold(r *store.Reader, o Order, now int64) (until int64, err error) {
	later := func(at int64) {
		if at > now {
			until = max(until, at)
		}
	}
	later(o.TellAt(o.Closed))
	tellings, err := r.Tellings(o.Agency, o.ID)
	if err != nil {
		return 0, err
	}
	for _, t := range tellings {
		if t.Told == 0 {
			later(max(t.Due, now+1))
		}
	}
	items, err := Items(r, o.Agency, o.ID)
	for _, i := range items {
		if err != nil || i.Decision == 0 {
			continue
		}
		var d decide.Decision
		if d, err = i.inForce(r); err != nil {
			break
		}
		barred := false
		if barred, err = decide.StatementBarred(r, d, now); barred {
			later(now + secondsOfDay) // nobody knows until when
		}
	}
	return until, err
}

// TextOf returns what becomes of an order's text. store.ErrNotFound for one that is not over, or is
// not published.
func TextOf(r *store.Reader, of, id int64) (Text, error) {
	x, err := r.OrderPublication(of, id)
	return textOf(x), err
}

// Texts returns up to limit texts in a state for which the next step is due by a time, after the
// place of the last one seen, the oldest first.
func Texts(r *store.Reader, s TextState, by int64, after Place, limit int) ([]Text, error) {
	list, err := r.OrderPublications(int64(s), by, after.Due, after.ID, limit)
	out := make([]Text, len(list))
	for i, x := range list {
		out[i] = textOf(x)
	}
	return out, err
}

// Redacted is a first draft of an order's text for the public: who ordered what on which ground,
// and why it was refused, without what looks like personal data. It names no number and no
// location, for these lead to people. Whoever publishes it has to read it: names have no shape.
func (o Order) Redacted() string {
	d := o.Document
	parts := []string{d.Authority + " (" + d.Country + ")"}
	for _, b := range d.Basis {
		parts = append(parts, strings.TrimSuffix(strings.TrimSpace(b.Law+", "+b.Provision), ","))
	}
	text := strings.Join(parts, "\n") + "\n\n" + d.Reasons
	switch {
	case o.Said != "":
		text += "\n\n" + o.Said
	case o.Why != "":
		text += "\n\n" + o.Why
	}
	return dsadb.Redact(strings.TrimSpace(text))
}

// PublishText is a person's word that an order's text has nothing in it any more by which somebody
// can be identified, and may be published. ErrState for an order that its agency says it never
// gave, or that is to be looked at again because its sender was suspended, ErrUntold as long as
// whom it concerns may not be told, orderform.ErrText for a text that still looks as if it had
// personal data in it.
func (s *Service) PublishText(
	ctx context.Context, staff, of, id int64, text string,
) (Order, error) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	if !filled(text) || staff <= 0 {
		return Order{}, ErrReason
	}
	if err := orderform.Publishable(text); err != nil {
		return Order{}, err
	}
	var until int64
	err := s.Store.View(ctx, func(r *store.Reader) error {
		o, err := s.Of(r, of, id)
		if err == nil {
			until, err = untold(r, o, s.Clock.Now().Unix())
		}
		return err
	})
	if err != nil {
		return Order{}, err
	}
	late := false
	o, err := s.onText(ctx, of, id, func(w *work, t *Text) error {
		waits := t.State == TextAwaited || t.State == TextKeptBack
		if !waits || w.o.Review || w.o.forged() {
			return ErrState
		}
		if late = until != 0; late {
			t.Due = until
			return nil
		}
		t.State, t.Due, t.At, t.Staff, t.Body, t.Why = TextApproved, w.now, w.now, staff, text, ""
		return w.event(TextWasApproved, By{Staff: staff}, "")
	})
	if err == nil && late {
		err = ErrUntold
	}
	return o, err
}

// KeepTextBack is a person's decision that an order's text is not published, with the reason. It
// can be published later all the same.
func (s *Service) KeepTextBack(
	ctx context.Context, staff, of, id int64, reason string,
) (Order, error) {
	if !filled(reason) || staff <= 0 {
		return Order{}, ErrReason
	}
	return s.onText(ctx, of, id, func(w *work, t *Text) error {
		if t.State != TextAwaited {
			return ErrState
		}
		t.State, t.At, t.Staff, t.Why = TextKeptBack, w.now, staff, reason
		return w.event(TextWasKeptBack, By{Staff: staff}, reason)
	})
}

// TextIsOut notes that an approved text is in the public log. It may run twice.
func (s *Service) TextIsOut(ctx context.Context, of, id int64) error {
	_, err := s.onText(ctx, of, id, func(w *work, t *Text) error {
		if t.State != TextApproved {
			return nil
		}
		t.State = TextPublished
		return w.event(TextWasPublished, By{}, "")
	})
	return err
}

// onText runs fn on the text of an order, in the transaction of its agency.
func (s *Service) onText(
	ctx context.Context, of, id int64, fn func(*work, *Text) error,
) (Order, error) {
	return s.change(ctx, of, id, func(w *work) error {
		t, err := TextOf(&w.tx.Reader, of, id)
		if store.IsNotFound(err) {
			err = ErrState
		}
		if err == nil {
			err = fn(w, &t)
		}
		if err != nil {
			return err
		}
		return w.tx.PutOrderPublication(t.row())
	})
}

// Lines are the lines that the public log has, or will have, of an order and what came of it.
func Lines(r *store.Reader, of, id int64) (out []entry.Entry, err error) {
	type line struct {
		id   int64
		kind ledger.Kind
	}
	list := []line{{id, ledger.Order}, {id, ledger.Effect}, {id, ledger.Refusal}}
	given, err := r.Disclosures(of, id)
	if err != nil {
		return nil, err
	}
	for _, d := range given {
		list = append(list, line{d.ID, ledger.Disclosure})
	}
	for _, l := range list {
		row, err := r.LedgerRow(key(of), l.id, int64(l.kind))
		if store.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		e, err := entry.Parse(row.Entry)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	slices.SortStableFunc(out, func(a, b entry.Entry) int { return strings.Compare(a.Day, b.Day) })
	return out, nil
}

func textOf(x store.OrderPublication) Text {
	return Text{
		Agency: x.Agency, Order: x.Order, State: TextState(x.State), Due: x.Due, At: x.At,
		Staff: x.Staff, Body: x.Text, Why: x.Why,
	}
}

func (t Text) row() store.OrderPublication {
	return store.OrderPublication{
		Agency: t.Agency, Order: t.Order, State: int64(t.State), Due: t.Due, At: t.At,
		Staff: t.Staff, Text: t.Body, Why: t.Why,
	}
}
