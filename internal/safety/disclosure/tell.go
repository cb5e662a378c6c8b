package disclosure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/internal/ids"
	"parley/internal/safety/decide"
	"parley/internal/safety/order"
	"parley/internal/safety/owed"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/tlog/paper"
)

// Kinds of tellings. Values are stored.
const (
	ahead = 1
	after = 2
)

// page is how many rows a step of the worker looks at.
const page = 100

// every is how often the worker looks for what falls due by itself.
const every = 30 * time.Second

// Wake has the worker look at once. It does not block.
func (s *Service) Wake() { s.worker.Wake() }

// Run tells people of what was or will be disclosed of them, and drops what was not let go or
// fetched in time, until ctx ends. failed hears of errors.
func (s *Service) Run(ctx context.Context, failed func(error)) {
	s.worker.Run(ctx, every, failed, s.Work)
}

// Work is one round of Run. It may run twice.
func (s *Service) Work(ctx context.Context) error {
	_, err := s.Tell(ctx)
	return errors.Join(s.announceAll(ctx), err, s.Sweep(ctx))
}

// announce writes down that the people of an order are told before anything leaves, where policy
// wants that.
func (s *Service) announce(h *order.Handover) error {
	if h.Order.TellBefore() == 0 {
		return nil
	}
	for _, person := range order.PeopleOf(h.Items) {
		err := h.Tx.AddTelling(store.Telling{
			Agency: h.Order.Agency, Order: h.Order.ID, Kind: ahead, Number: h.Order.Again + 1,
			Person: person, Due: h.Now,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// announceAll announces what of the approved orders has not been.
func (s *Service) announceAll(ctx context.Context) error {
	var due, last int64
	for {
		var list []order.Order
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = s.Orders.Queue(r, order.Approved, due, last, page)
			return err
		})
		if err != nil {
			return err
		}
		for _, o := range list {
			due, last = o.Due, o.ID
			if o.Document.Action != policy.Disclose || o.TellBefore() == 0 ||
				o.Document.Extends != "" {
				continue
			}
			_, err := s.Orders.Handover(ctx, o.Agency, o.ID, s.announce)
			if err != nil && !errors.Is(err, order.ErrChanged) &&
				!errors.Is(err, order.ErrState) && !errors.Is(err, order.ErrStanding) {
				return err
			}
		}
		if len(list) < page {
			return nil
		}
	}
}

// toldBefore tells whether all people of an order have been told long enough before.
func (s *Service) toldBefore(h *order.Handover) error {
	before := h.Order.TellBefore()
	if before == 0 {
		return nil
	}
	list, err := h.Tx.Tellings(h.Order.Agency, h.Order.ID)
	if err != nil {
		return err
	}
	told := make(map[ids.UserID]bool)
	for _, x := range list {
		if x.Kind == ahead && x.Number == h.Order.Again+1 && x.Told != 0 &&
			x.Told+before <= h.Now {
			told[x.Person] = true
		}
	}
	for _, person := range order.PeopleOf(h.Items) {
		if !told[person] {
			return ErrUntold
		}
	}
	return nil
}

// oweTellings writes down that the people whose data leaves are told.
func oweTellings(h *order.Handover, d Draft) error {
	at := h.Order.TellAt(h.Now)
	for _, a := range d.Content.Accounts {
		if len(a.Records) == 0 {
			continue
		}
		err := h.Tx.AddTelling(store.Telling{
			Agency: h.Order.Agency, Order: h.Order.ID, Kind: after, Number: d.Row.ID,
			Person: a.Person, Due: at,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Tell makes all tellings that are due, and returns how many. It may run twice: nobody gets the
// same letter again. One that fails holds up no other.
func (s *Service) Tell(ctx context.Context) (n int, err error) {
	due := func(ctx context.Context, limit int) (list []store.Telling, err error) {
		err = s.Store.View(ctx, func(r *store.Reader) error {
			list, err = r.TellingsDue(s.Clock.Now().Unix(), limit)
			return err
		})
		return list, err
	}
	id := func(x store.Telling) store.Telling { return x }
	return owed.Each(ctx, page, due, id, func(
		ctx context.Context, x store.Telling,
	) (bool, error) {
		told, err := s.tell(ctx, x)
		if err != nil {
			err = fmt.Errorf("disclosure: telling of order %d: %w", x.Order, err)
		}
		return told, err
	})
}

// tell makes one telling, unless a later order has put it off.
func (s *Service) tell(ctx context.Context, x store.Telling) (told bool, err error) {
	var o order.Order
	var disclosed store.Disclosure
	var account bool
	err = s.Store.View(ctx, func(r *store.Reader) error {
		if o, err = s.Orders.Of(r, x.Agency, x.Order); err != nil {
			return err
		}
		if disclosed, err = numbered(r, x); err != nil {
			return err
		}
		u, err := r.User(x.Person)
		account = err == nil && u.Flags&store.UserDeleted == 0
		if store.IsNotFound(err) {
			err = nil
		}
		return err
	})
	if err != nil {
		return false, err
	}
	if at := o.TellAt(disclosed.Released); x.Kind == after && at > s.Clock.Now().Unix() {
		x.Due = at // its bar lasts longer by now
		return false, s.put(ctx, x)
	}
	if account {
		if err := s.owe(ctx, x); err != nil {
			return false, err
		}
		s.crash("letter")
	}
	return true, s.told(ctx, x, disclosed, account)
}

// numbered is the disclosure that a telling is about; an empty one for what has not left yet.
func numbered(r *store.Reader, x store.Telling) (out store.Disclosure, err error) {
	rows, err := r.Disclosures(x.Agency, x.Order)
	for _, d := range rows {
		if x.Kind == after && d.ID == x.Number {
			return d, nil
		}
	}
	if err == nil && x.Kind == after {
		err = store.ErrNotFound
	}
	return out, err
}

func (s *Service) put(ctx context.Context, x store.Telling) error {
	return s.Store.Update(ctx, ids.Peer(x.Agency), func(tx *store.Tx) error {
		return tx.ChangeTelling(x)
	})
}

// owe writes the letter of a telling to the person, once.
func (s *Service) owe(ctx context.Context, x store.Telling) error {
	now := s.Clock.Now().Unix()
	kind := decide.DataLeft
	if x.Kind == ahead {
		kind = decide.DataAsked
	}
	err := s.Store.Update(ctx, x.Person.Peer(), func(tx *store.Tx) error {
		list, err := tx.LettersOf(x.Person.Peer(), x.Order)
		if err != nil {
			return err
		}
		for _, l := range list {
			if l.Kind == int64(kind) && l.Appeal == x.Number {
				return nil
			}
		}
		return s.Orders.Decisions.Owe(tx, store.Letter{
			Subject: x.Person.Peer(), Kind: int64(kind), Decision: x.Order, Appeal: x.Number,
			Place: x.Agency, Recipient: x.Person,
		}, now)
	})
	if err == nil && s.Owed != nil {
		s.Owed()
	}
	return err
}

// told notes that a telling was made. When all whom a bar kept from knowing have been told, the
// public log says so.
func (s *Service) told(
	ctx context.Context, x store.Telling, disclosed store.Disclosure, account bool,
) error {
	number, err := s.newID()
	if err != nil {
		return err
	}
	_, err = s.Orders.Custody(ctx, x.Agency, x.Order, func(h *order.Handover) error {
		list, err := h.Tx.Tellings(x.Agency, x.Order)
		if err != nil {
			return err
		}
		late, waiting := int64(0), false
		for _, y := range list {
			same := y.Kind == x.Kind && y.Number == x.Number
			if same && y.Person == x.Person && y.Told != 0 {
				return nil // an earlier run did it
			}
			if same && y.Kind == after {
				late++
				waiting = waiting || y.Told == 0 && y.Person != x.Person
			}
		}
		x.Told = h.Now
		if err := h.Tx.ChangeTelling(x); err != nil {
			return err
		}
		text := ""
		if !account {
			text = "the account is no more"
		}
		kind := order.WasTold
		if x.Kind == ahead {
			kind = order.Announced
		}
		if err := h.Note(kind, order.By{}, text); err != nil {
			return err
		}
		if x.Kind != after || waiting || h.Order.TellAt(disclosed.Released) <= disclosed.Released {
			return nil
		}
		return h.Told(number, disclosed.ID, late)
	})
	s.crash("told")
	return err
}

// Sweep drops what was not let go in time, and what was not fetched in time: then the data was
// handed to nobody, and giving it takes a new decision.
func (s *Service) Sweep(ctx context.Context) error {
	due := func(ctx context.Context, limit int) (list []store.Disclosure, err error) {
		err = s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = r.DisclosuresEnding(s.Clock.Now().Unix(), limit)
			return err
		})
		return list, err
	}
	id := func(x store.Disclosure) [2]int64 { return [2]int64{x.Agency, x.ID} }
	_, err := owed.Each(ctx, page, due, id, func(
		ctx context.Context, x store.Disclosure,
	) (bool, error) {
		return true, s.end(ctx, x)
	})
	return err
}

// end erases one disclosure whose time is over.
func (s *Service) end(ctx context.Context, x store.Disclosure) error {
	ran := false
	o, err := s.Orders.Custody(ctx, x.Agency, x.Order, func(h *order.Handover) error {
		ran = false
		rows, err := h.Tx.Disclosures(x.Agency, x.Order)
		if err != nil {
			return err
		}
		for _, y := range rows {
			if y.ID != x.ID || State(y.State) > Released || y.Ends > h.Now {
				continue
			}
			kind, text := order.Dropped, y.Content+" not let go in time"
			if ran = State(y.State) == Released; ran {
				kind, text = order.RanOut, y.Digest
				y.State = int64(RanOut)
			} else {
				y.State = int64(Dropped)
			}
			y.Sealed, y.Package = []byte{}, []byte{}
			if err := h.Tx.PutDisclosure(y); err != nil {
				return err
			}
			return h.Note(kind, order.By{}, text)
		}
		return nil
	})
	if err == nil && ran && s.Alarm != nil {
		s.Alarm(o, "data was not fetched in time")
	}
	return err
}

// Letter is what a person is told of an order for his data.
type Letter struct {
	Title, Text string
	// Lines are what there is to know, each a name and a value.
	Lines [][2]string
	// Rights is what he can do about it.
	Rights string
}

// Letter writes the letter of a row, in a language: for safety/statement, which delivers it.
func (s *Service) Letter(r *store.Reader, l store.Letter, lang string) (out Letter, err error) {
	o, err := s.Orders.Of(r, l.Place, l.Decision)
	if err != nil {
		return out, err
	}
	if s.texts[lang] == nil {
		lang = "en"
	}
	say := func(key string) string { return s.texts[lang][key] }
	given, x, err := s.given(r, l, o)
	if err != nil {
		return out, err
	}
	which := "left"
	switch {
	case decide.LetterKind(l.Kind) == decide.DataAsked:
		which = "asked"
	case State(x.State) == RanOut || State(x.State) == Dropped:
		which = "unfetched" // and erased: it is untrue by now that it left
	}
	d := o.Document
	out = Letter{
		Title: say(which + ".title"), Text: say(which + ".text"), Rights: say(which + ".rights"),
	}
	line := func(key, value string) {
		if value != "" {
			out.Lines = append(out.Lines, [2]string{say("line." + key), value})
		}
	}
	line("authority", d.Authority+" ("+d.Country+")")
	var law []string
	for _, b := range d.Basis {
		law = append(law, b.Law+", "+b.Provision)
	}
	line("law", strings.Join(law, "; "))
	line("number", d.Number)
	line("reference", o.Reference)
	var classes []string
	for _, c := range given {
		classes = append(classes, s.Orders.Sign.Class(lang, c))
	}
	line("data", strings.Join(classes, ", "))
	if d.From != 0 || d.To != 0 {
		line("time", moment(d.From)+" – "+moment(d.To))
	}
	line("redress", d.Redress)
	if which == "left" {
		line("released", moment(x.Released))
	}
	return out, nil
}

// given are the classes of data that a letter is about: those that were given of its addressee, by
// the signed answer; before anything leaves, those that the order's plan has. The disclosure is
// empty then.
func (s *Service) given(
	r *store.Reader, l store.Letter, o order.Order,
) (out []policy.Data, x store.Disclosure, err error) {
	if decide.LetterKind(l.Kind) == decide.DataAsked {
		return o.Verdict.Most.Data, x, nil
	}
	x, err = numbered(r, store.Telling{
		Agency: l.Place, Order: l.Decision, Kind: after, Number: l.Appeal,
	})
	if err != nil {
		return nil, x, err
	}
	items, err := order.Items(r, l.Place, l.Decision)
	if err != nil {
		return nil, x, err
	}
	papers, err := order.Papers(r, l.Place, l.Decision)
	if err != nil {
		return nil, x, err
	}
	for _, p := range papers {
		if p.Kind != string(paper.Information) {
			continue
		}
		signed, err := s.Orders.Sign.Read(p.Signed)
		if err != nil {
			return nil, x, err
		}
		if signed.Package == nil || signed.Package.Digest != x.Digest {
			continue
		}
		for _, i := range signed.Items {
			if i.N > int64(len(items)) || items[i.N-1].Subject.Author != l.Recipient {
				continue
			}
			for _, d := range i.Data {
				class := policy.Data(d.Class)
				if d.Given == "yes" && !slices.Contains(out, class) {
					out = append(out, class)
				}
			}
		}
	}
	return out, x, nil
}
