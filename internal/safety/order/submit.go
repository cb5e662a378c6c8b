package order

import (
	"context"
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

// Sender is who brought an order, as the door made sure of it. An officer is one who has just
// proved himself with his key; the zero Sender is nobody known, whatever address a mail came from.
type Sender struct {
	Agency, Officer int64
	// Program is set when a program of the agency brought it by a key, and no officer.
	Program bool
	// Mail is set for what came by mail before its sender was known.
	Mail bool
	// Signals are what the door noticed.
	Signals agency.Signals
}

// standing is what the sender's word is worth at a time.
func (f Sender) standing(r *store.Reader, now int64) (agency.Standing, error) {
	if f.Program && f.Officer == 0 {
		return agency.ProgramStanding(r, f.Agency, now)
	}
	return agency.StandingOf(r, f.Agency, f.Officer, now)
}

// Receipt is what the sender of an order is given.
type Receipt struct {
	Order Order
	// Signed is the signed receipt.
	Signed []byte
	// Again is set when the same order had come before, and this is its receipt.
	Again bool
}

// twins bounds how many orders of an agency under one number are looked at.
const twins = 100

// Submit stores an order, whoever sent it, and returns its signed receipt. What is wrong with it is
// no error: the order says so, and so do its papers. The same document again returns the first
// receipt.
func (s *Service) Submit(ctx context.Context, from Sender, d Document) (out Receipt, err error) {
	return s.SubmitWith(ctx, from, d, func(*store.Tx, Receipt) error { return nil })
}

// SubmitWith is Submit, and has the door that brought the order write in the same transaction what
// it must not forget.
func (s *Service) SubmitWith(
	ctx context.Context, from Sender, d Document, also func(*store.Tx, Receipt) error,
) (out Receipt, err error) {
	digest, err := d.digest()
	if err != nil {
		return out, err
	}
	found, err := s.find(ctx, d)
	if err != nil {
		return out, err
	}
	// What a commit without an answer did is found as a replay.
	err = store.Repeat(func() error {
		id, err := s.newID()
		if err != nil {
			return err
		}
		return s.Store.Update(ctx, key(from.Agency), func(tx *store.Tx) (err error) {
			if out, err = s.receive(tx, from, d, digest, id, found); err != nil {
				return err
			}
			return also(tx, out)
		})
	})
	if err != nil {
		return Receipt{}, err
	}
	s.crash("received")
	s.told(out)
	return out, nil
}

// told lets those know who wait for orders. An urgent one that came again rings again: perhaps the
// process ended before it did, and its sender has no receipt.
func (s *Service) told(r Receipt) {
	if !r.Order.State.Open() {
		if s.Done != nil && !r.Again {
			s.Done(r.Order)
		}
		return
	}
	if r.Order.FromNobody() {
		return // a mail wakes nobody: whoever can write one could keep everybody awake
	}
	urgent := r.Order.Document.Urgency == instrument.Life ||
		r.Order.Document.Instrument == instrument.Removal
	switch {
	case urgent || r.Order.Score >= agency.Suspicious:
		s.alarm(r.Order, "arrived")
	case slices.Contains(r.Order.Signals, agency.First):
		// Accounts were made elsewhere of agencies that do not exist: the first order shows it.
		s.alarm(r.Order, "the first order of its agency")
	}
}

// receive stores an order in the transaction of its agency, or finds that it came before.
func (s *Service) receive(
	tx *store.Tx, from Sender, d Document, digest string, id int64, found []safety.Subject,
) (out Receipt, err error) {
	w := &work{Service: s, tx: tx, now: s.Clock.Now().Unix(), in: s.instrument(d)}
	same, altered, err := s.twins(tx, from.Agency, d.Number, digest, id)
	if err != nil {
		return out, err
	}
	if same != 0 {
		return s.replay(tx, from, same)
	}
	standing, err := from.standing(&tx.Reader, w.now)
	if err != nil {
		return out, err
	}
	w.of = standing.Agency
	w.o = Order{
		Agency: from.Agency, ID: id, Digest: digest, State: Received, Country: d.Country,
		Officer: from.Officer, Received: w.now, Items: int64(d.named()), lapses: s.lapses(w.now),
		Reference: s.References.Make(safety.OrderRef, key(from.Agency), id),
		Kept: Kept{
			Document: d, New: standing.Quarantined, Standing: standing.Problem, Mail: from.Mail,
		},
	}
	if err := w.first(from, altered, found); err != nil {
		return out, err
	}
	list, err := tx.OrderPapers(from.Agency, id)
	if err != nil {
		return out, err
	}
	return Receipt{Order: w.o, Signed: list[0].Body}, nil
}

// first writes a new order with its receipt and its line for the log, and says what comes next.
func (w *work) first(from Sender, altered bool, found []safety.Subject) error {
	w.happened(instrument.Received)
	w.happened(instrument.Receipted)
	w.problems(altered)
	if err := w.score(from, altered); err != nil {
		return err
	}
	if w.o.Standing == "" {
		w.o.Checks = append(w.o.Checks, Made{
			Check: policy.SenderCheck, Officer: from.Officer, At: w.now,
		})
	}
	w.items = itemsOf(w.o.Document, found, w.now)
	x, err := w.o.row()
	if err != nil {
		return err
	}
	if err := w.tx.AddOrder(x); err != nil {
		return err
	}
	for _, i := range w.items {
		if err := w.put(i); err != nil {
			return err
		}
	}
	if err := w.documents(); err != nil {
		return err
	}
	err = w.add(Event{Kind: Arrived, By: By{Officer: from.Officer}, Document: &w.o.Document})
	if err != nil {
		return err
	}
	if err := w.cameEarly(); err != nil {
		return err
	}
	if w.o.Unlogged = w.o.FromNobody(); !w.o.Unlogged {
		if err := w.line(ledger.Order, entry.Entry{}); err != nil {
			return err
		}
	}
	if err := w.foresee(); err != nil {
		return err
	}
	if err := w.sign(paper.Paper{Kind: paper.Receipt, Due: paper.Time(w.o.Due)}); err != nil {
		return err
	}
	w.crash("receipt")
	if err := w.route(); err != nil {
		return err
	}
	if err := w.assess(); err != nil {
		return err
	}
	return w.save()
}

// foresee asks policy which periods run, so that the receipt can say by when it will be answered.
func (w *work) foresee() error {
	err := w.judge()
	w.o.tick(w.now)
	return err
}

// problems checks the document. altered is set when the number stands on another document as well.
func (w *work) problems(altered bool) {
	w.o.Problems = w.o.Document.Problems(w.in, w.of, w.now)
	if _, known := w.Instrument(w.o.Document.Instrument); !known {
		w.o.Problems = append(w.o.Problems, Problem{
			Law: w.in.Law, Field: "instrument", What: "unknown",
		})
	}
	if altered {
		w.o.Problems = append(w.o.Problems, Problem{
			Law: w.in.Law, Field: fieldName(instrument.Reference),
			What: "stands on another document as well", Manifest: true,
		})
	}
}

// score weighs what looks odd.
func (w *work) score(from Sender, altered bool) error {
	g, d := from.Signals, w.o.Document
	earlier, err := w.tx.OrdersOf(w.o.Agency, w.o.ID, recent)
	if err != nil {
		return err
	}
	if w.o.Early, err = w.early(); err != nil {
		return err
	}
	w.o.Owes = len(w.of.Owes) > 0 && w.in.ID == instrument.Emergency
	g.OwesPaper = w.o.Owes
	g.FirstOrder, g.NewOfficer, g.Early = len(earlier) == 0, w.o.New, w.o.Early
	g.Emergency, g.AlteredTwin = d.Urgency == instrument.Life, altered
	g.NoSupervisor = !filled(d.Supervisor)
	g.ForeignLaw = w.of.ID != 0 && d.Country != w.of.Country
	g.Broad = d.named() > broad || len(d.Data) > 0 && d.From == 0
	g.MailOnly = from.Mail || from.Officer == 0 && !from.Program
	for _, x := range earlier {
		if x.Officer == from.Officer && x.Received > w.now-3600 {
			g.Burst++
		}
	}
	w.o.Score, w.o.Signals = agency.Score(g)
	return nil
}

// recent is how many earlier orders of an agency are looked at for a burst.
const recent = 32

// broad is from how many items on an order is many people's.
const broad = 100

// documents notes the papers that came with the order.
func (w *work) documents() error { return w.papersOf(w.o.Document.Attached) }

// papersOf notes papers that came.
func (w *work) papersOf(list []Attachment) error {
	for _, a := range list[:min(len(list), MaxPapers)] {
		if !isDigest(a.Digest) {
			continue // named as a problem
		}
		err := w.tx.AddOrderDocument(store.OrderDocument{
			Agency: w.o.Agency, Order: w.o.ID, Digest: a.Digest, Name: clean(a.Name),
			Mime: clean(a.Mime), Size: a.Size, At: w.now,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// twins looks for orders of an agency under a number: the one with the same document, and whether
// there is one with another.
func (s *Service) twins(
	tx *store.Tx, of int64, number, digest string, but int64,
) (same int64, altered bool, err error) {
	x, err := tx.OrderSame(of, clean(number), digest)
	switch {
	case err == nil && x.ID != but:
		same = x.ID
	case err != nil && !store.IsNotFound(err):
		return 0, false, err
	}
	if clean(number) == "" {
		return same, false, nil // nothing by which it could be another's twin
	}
	rows, err := tx.OrdersNumbered(of, clean(number), twins)
	if err != nil {
		return 0, false, err
	}
	for _, x := range rows {
		switch {
		case x.ID == but:
		case x.Digest == digest:
			same = x.ID
		default:
			altered = true
		}
	}
	return same, altered, nil
}

// replay notes that an order came again and returns its first receipt.
func (s *Service) replay(tx *store.Tx, from Sender, id int64) (out Receipt, err error) {
	w := &work{Service: s, tx: tx, now: s.Clock.Now().Unix()}
	if err := w.load(&tx.Reader, from.Agency, id); err != nil {
		return out, err
	}
	if err := w.event(Replayed, By{Officer: from.Officer}, ""); err != nil {
		return out, err
	}
	if err := w.save(); err != nil {
		return out, err
	}
	list, err := tx.OrderPapers(from.Agency, id)
	if err != nil {
		return out, err
	}
	return Receipt{Order: w.o, Signed: list[0].Body, Again: true}, nil
}

// find finds what a document names; what is nowhere has no peer.
func (s *Service) find(ctx context.Context, d Document) (out []safety.Subject, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		out = nil
		for _, name := range names(d) {
			found, err := s.locate(r, name)
			if err != nil {
				return err
			}
			out = append(out, found)
		}
		return nil
	})
	return out, err
}

// names are what a document names, as identifiers.
func names(d Document) (out []Identifier) {
	if len(d.Items) > 0 {
		for _, t := range d.Items[:min(len(d.Items), MaxItems)] {
			out = append(out, Identifier{"url", t.URL})
		}
		return out
	}
	return slices.Clone(d.Accounts[:min(len(d.Accounts), MaxItems)])
}

// itemsOf are the items of a document with what was found of them.
func itemsOf(d Document, found []safety.Subject, now int64) (out []Item) {
	for k, name := range names(d) {
		i := Item{
			N: int64(k) + 1, State: Waiting, Subject: found[k], At: now,
			Detail: Detail{Location: name.Value},
		}
		if i.Subject.Peer == 0 {
			i.State, i.Reason = Absent, "not-here"
		}
		out = append(out, i)
	}
	return out
}

// locate finds whom or what an identifier names.
func (s *Service) locate(r *store.Reader, a Identifier) (safety.Subject, error) {
	nowhere := safety.Subject{}
	if !a.exact() {
		return nowhere, nil
	}
	switch a.Type {
	case "url":
		found, err := s.Places.Find(r, a.Value)
		if err != nil || found.Peer == 0 {
			return nowhere, err
		}
		if found.Kind != safety.Message {
			return found, nil
		}
		// What is not there (yet) cannot be acted against: to say that it was would be untrue.
		if _, err = r.Message(found.Peer, found.Item); store.IsNotFound(err) {
			return nowhere, nil
		}
		return found, err
	case "username":
		return s.Places.Find(r, "@"+trimmed(a.Value, "@"))
	case "phone":
		id, err := r.UserByPhone(trimmed(a.Value, "+"))
		return accountOr(nowhere, int64(id), err)
	default:
		var n int64
		for _, c := range a.Value {
			n = n*10 + int64(c-'0')
		}
		_, err := r.User(subjectPeer(n).User())
		return accountOr(nowhere, n, err)
	}
}
