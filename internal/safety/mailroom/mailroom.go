// Package mailroom reads mails to the service's addresses and sees to it that none is lost and each
// is answered. A mail to authorities' door is an order: as it says in an attached document (our
// JSON, a European certificate in XML) or in our form, or else an order of which all is missing
// that was not said. What came in at the wrong door is passed on, and its sender told. Whoever
// wrote is answered once, by mail, with the signed papers; automatic mails, lists and failures are
// kept and answered by nothing. What is no order waits for a person of the staff, who reads,
// answers, passes on or closes it. What comes in at the emergency address, or says by fields that a
// life is in danger or that it has an hour, rings the emergency line; all others are told of the
// page that does.
//
// A mail proves nobody: neither its sender's address nor a signature of his domain makes anybody an
// agency. So what a mail orders is an order of nobody known: safety/order receives it, does nothing
// because of it, and says how the agency gets a key; and what a mail adds to an agency's order is
// enclosed, to be looked at, and changes nothing.
//
// Invariants: a mail is stored, with its order and with what is owed to its sender, in one
// transaction before it is confirmed; the same mail again is the same mail; parsing is bounded in
// depth, parts, lengths and time; addresses of senders are sealed and reach no log.
//
// https://www.rfc-editor.org/rfc/rfc3834
package mailroom

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"parley/internal/blob"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/keyring"
	"parley/internal/limit"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/door"
	"parley/internal/safety/instrument"
	"parley/internal/safety/oncall"
	"parley/internal/safety/order"
	"parley/internal/safety/owed"
	"parley/internal/safety/words"
	"parley/internal/smtp"
	"parley/internal/store"
)

// files has the words of answers, one file for each language.
//
//go:embed texts/*.toml
var files embed.FS

// Outcome is what became of a mail. Values are stored; they are keys of texts, too.
type Outcome string

// The outcomes.
const (
	// Ordered is an order, or more.
	Ordered Outcome = "order"
	// Enclosed has added papers to an order.
	Enclosed Outcome = "enclosed"
	// Waiting waits for a person to read it; its sender was told so.
	Waiting Outcome = "waiting"
	// Answered was answered by a person, Closed was read by one and needs no answer.
	Answered Outcome = "answered"
	Closed   Outcome = "closed"
	// Noticed is a notice of illegal content by now, Inquired a regulator's question.
	Noticed  Outcome = "notice"
	Inquired Outcome = "inquiry"
	// Aside was written by a machine: a list, an answer, a failure. It is kept and not answered. An
	// order by its fields is never that, whatever wrote to whom.
	Aside Outcome = "aside"
)

// Outcomes lists all outcomes.
func Outcomes() []Outcome {
	return []Outcome{Waiting, Ordered, Enclosed, Answered, Closed, Noticed, Inquired, Aside}
}

const (
	// sealFor is what senders are sealed for.
	sealFor = "arrived mail"
	// answersPer bounds how many mails one address is answered in a day, whoever writes in its
	// name.
	answersPer = 20
	// answered is of how many addresses that is counted.
	answered = 1 << 14
)

// ErrMail says that a mail cannot be read at all, not even as one with nothing in it.
var ErrMail = errors.New("mailroom: no mail")

// Arrived is a mail as it came in.
type Arrived struct {
	// Door is where it came in.
	Door instrument.Door
	// From is the address to which failures are told, empty for a mail that tells of one.
	From string
	// Secret is set when nobody could listen to it on its last way.
	Secret bool
	Body   []byte
}

// Options are what a Service is made of.
type Options struct {
	Store *store.Store
	Clock clock.Clock
	// Papers keeps the mails and what came with them.
	Papers     blob.Store
	References safety.References
	Orders     *order.Service
	Guide      *door.Guide
	// Box seals who sent a mail; Key makes the numbers of mails, so that nobody can make a mail
	// with the number of another.
	Box *keyring.Box
	Key [32]byte
	// Send hands a mail to the mail server.
	Send func(context.Context, smtp.Letter) error
	// Address is the mail address of a door, "" for none; answers are sent in its name.
	Address func(instrument.Door) string
	// Lookup asks for TXT records, to check signatures of domains; nil asks nobody.
	Lookup func(domain string) ([]string, error)
	// URL is what links to pages begin with, without a slash at its end; Name is what the service
	// calls itself.
	URL, Name string
	Log       *slog.Logger
	// Wake rings the emergency line, and Awake tells whether anybody hears it; nil for none.
	Wake  func(context.Context, oncall.Emergency) error
	Awake func() bool
	// Done hears of every mail by its outcome; nil hears nothing.
	Done func(Outcome)
}

// Service reads mails. It is safe for concurrent use.
type Service struct {
	Options
	texts   map[string]map[string]string
	answers *limit.Bucket[string]
	worker  owed.Worker
}

// New reads the texts.
func New(o Options) (*Service, error) {
	t, err := words.Read(files, words.Authorities())
	if err != nil {
		return nil, err
	}
	if o.Wake == nil {
		o.Wake = func(context.Context, oncall.Emergency) error { return nil }
	}
	if o.Awake == nil {
		o.Awake = func() bool { return false }
	}
	if o.Done == nil {
		o.Done = func(Outcome) {}
	}
	return &Service{Options: o, texts: t, answers: limit.NewBucket[string](
		limit.Rate{Burst: answersPer, Per: 24 * time.Hour}, answered, o.Clock)}, nil
}

// text is a text in a language, or in the fallback where there is none.
func (s *Service) text(lang, key string, args ...any) string {
	t, ok := s.texts[lang]
	if !ok {
		t = s.texts[words.Fallback]
	}
	if len(args) == 0 {
		return t[key]
	}
	return fmt.Sprintf(t[key], args...)
}

// sender is who wrote a mail, as it is sealed.
type sender struct {
	Address string `json:"address"`
	Name    string `json:"name,omitempty"`
	Subject string `json:"subject,omitempty"`
	// MessageID is that of his mail, which answers name.
	MessageID string `json:"message_id,omitempty"`
}

// kept is what else is known of a mail.
type kept struct {
	Lang string `json:"lang,omitempty"`
	// About are the orders that came with it, or that it adds to.
	About []about `json:"about,omitempty"`
	// Said is what its sender is told besides, Told whether he was.
	Said string `json:"said,omitempty"`
	Told bool   `json:"told,omitempty"`
	// Words are what people of the staff had him told, Worded how many of them he was told.
	Words  []string `json:"words,omitempty"`
	Worded int      `json:"worded,omitempty"`
	// Letters are all that went to him, Acts what people of the staff did.
	Letters []Letter `json:"letters,omitempty"`
	Acts    []Did    `json:"acts,omitempty"`
	// Asked is the inquiry that it became.
	Asked Asked `json:"asked,omitzero"`
	// Before is the mail that it goes on from, 0 for none.
	Before int64 `json:"before,omitempty"`
	// After are the mails that go on from it.
	After []int64 `json:"after,omitempty"`
	// Rings is set for what rang the emergency line.
	Rings bool `json:"rings,omitempty"`
	// Signs are what was noticed; none proves anything.
	Signs []string `json:"signs,omitempty"`
	// Parts are the digests of its papers.
	Parts []string `json:"parts,omitempty"`
	// Lost is how many parts could not be taken.
	Lost int `json:"lost,omitempty"`
}

// Asked is an inquiry that a mail became; the zero value is none.
type Asked struct {
	Agency int64 `json:"agency"`
	ID     int64 `json:"id"`
}

// about is an order that a mail is about, and how many of its papers were mailed; others of an
// order that the mail only adds to.
type about struct {
	ID     int64 `json:"id"`
	Mailed int   `json:"mailed,omitempty"`
	Others bool  `json:"others,omitempty"`
}

// number is a number that stands for something, which nobody can choose.
func (s *Service) number(kind string, parts ...[]byte) int64 {
	h := hmac.New(sha256.New, s.Key[:])
	h.Write([]byte(kind))
	for _, p := range parts {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
		h.Write(p)
	}
	return int64(binary.BigEndian.Uint64(h.Sum(nil)) >> 1)
}

// arrival is a mail while it is taken in.
type arrival struct {
	*Service
	in  Arrived
	m   content
	row store.ArrivedMail
	kept
	// parts are its parts in the blob store, typed those documents that are orders by themselves.
	parts []order.Attachment
	typed []order.Document
	done  Outcome
	// known are the names of agencies, alike is set when the sender's domain is made to be taken
	// for one of theirs.
	known agency.Names
	alike bool
}

// Receive takes a mail in. When it returns nil the mail is stored, with what became of it.
func (s *Service) Receive(ctx context.Context, in Arrived) error {
	m, err := parse(in.Body)
	if err != nil {
		return err
	}
	if m.from.Address == "" {
		m.from.Address = in.From // its line in the head cannot be read
	}
	a := &arrival{Service: s, in: in, m: m}
	a.row = store.ArrivedMail{
		ID: s.number("mail", m.identity()...), At: s.Clock.Now().Unix(), Door: string(in.Door),
		Size: int64(len(in.Body)),
	}
	a.row.Message = a.row.ID
	if m.id != "" {
		a.row.Message = s.number("message", []byte(m.id))
	}
	a.Lang, a.Lost = m.lang, m.lost
	a.Signs = s.signs(in, m)
	if err := a.resembles(ctx); err != nil {
		return err
	}
	if err := a.keep(ctx); err != nil {
		return err
	}
	a.Rings = a.urgent()
	if err := a.take(ctx); err != nil {
		return err
	}
	// Whoever is told of a failure here sends the mail again, and that rings.
	if err := a.ring(ctx); err != nil {
		return err
	}
	if a.done != "" {
		s.Done(a.done)
		s.worker.Wake()
	}
	return nil
}

// keep puts the mail and its parts into the blob store.
func (a *arrival) keep(ctx context.Context) error {
	put := func(name, mime string, b []byte) (order.Attachment, error) {
		d, n, err := a.Papers.Put(ctx, strings.NewReader(string(b)))
		if err != nil {
			return order.Attachment{}, fmt.Errorf("mailroom: %w", err)
		}
		return order.Attachment{Name: name, Mime: mime, Digest: d.String(), Size: n}, nil
	}
	whole, err := put("mail.eml", "message/rfc822", a.in.Body)
	if err != nil {
		return err
	}
	a.row.Digest = whole.Digest
	for _, p := range a.m.parts {
		x, err := put(p.name, p.mime, p.body)
		if err != nil {
			return err
		}
		a.parts = append(a.parts, x)
		a.Parts = append(a.Parts, x.Digest)
		if d, ok := typed(p); ok {
			a.typed = append(a.typed, d)
		}
	}
	if d, ok := form(a.m.text); ok && len(a.typed) == 0 {
		a.typed = append(a.typed, d)
	}
	if len(a.typed) == 0 && a.in.Door != instrument.PeopleDoor {
		// Nothing of it can be read as fields, so all of it is the document.
		a.parts = append([]order.Attachment{whole}, a.parts...)
	}
	a.parts = a.parts[:min(len(a.parts), mostParts)]
	return nil
}

// byMachine tells whether a machine wrote a mail that is no order by fields.
func (a *arrival) byMachine() bool {
	by := a.m.written
	return a.in.From == "" || by == aResponder || by == aList && len(a.typed) == 0
}

// take decides what becomes of the mail.
func (a *arrival) take(ctx context.Context) error {
	if a.byMachine() {
		return a.alone(ctx, Aside)
	}
	if kind, peer, id, ok := a.reference(); ok && kind == safety.OrderRef {
		done, err := a.enclose(ctx, int64(peer), id)
		if done || err != nil {
			return err
		}
	}
	if len(a.typed) > 0 {
		return a.orders(ctx, a.typed)
	}
	if err := a.continues(ctx); err != nil {
		return err
	}
	if a.Before != 0 {
		return a.alone(ctx, Waiting) // a person has written to him: no machine answers in between
	}
	if who, ok := asked(a.m.text); ok {
		d := a.Guide.Direct(a.in.Door, who.country, who.by, who.what)
		if d.Wrong() {
			a.Said = a.Guide.Say(a.Lang, d)
		}
		if to := d.Route.Instrument; to.ID != "" && ofAuthorities(d.To) {
			return a.orders(ctx, []order.Document{a.untyped(to.ID, string(who.country))})
		}
		return a.wait(ctx, d.To)
	}
	if !ofAuthorities(a.in.Door) {
		return a.wait(ctx, a.in.Door)
	}
	return a.orders(ctx, []order.Document{a.untyped(instrument.Order, "")})
}

// ofAuthorities tells whether what comes in at a door is an order, whatever it says.
func ofAuthorities(d instrument.Door) bool {
	return d == instrument.AuthorityDoor || d == instrument.EmergencyDoor ||
		d == instrument.RegulatorDoor
}

// untyped is the order of a mail that says nothing by fields. All that it does not say is missing.
func (a *arrival) untyped(of instrument.ID, country string) order.Document {
	return order.Document{
		Instrument: of, Country: country, Lang: a.Lang,
		Reasons: cut(strings.TrimSpace(a.m.subject+"\n\n"+a.m.text), reasonRunes),
	}
}

// orders submits what the mail orders, and with the last of it the mail's own row.
func (a *arrival) orders(ctx context.Context, list []order.Document) error {
	err := a.submit(ctx, list, func(tx *store.Tx) error { return a.write(tx, Ordered) })
	if errors.Is(err, errKnown) {
		return nil
	}
	return err
}

// submit submits orders, and runs also in the transaction of the last.
func (a *arrival) submit(
	ctx context.Context, list []order.Document, also func(*store.Tx) error,
) error {
	list = list[:min(len(list), mostOrders)]
	for i, d := range list {
		d.Attached = a.parts
		if d.Lang == "" {
			d.Lang = a.Lang
		}
		before := a.About
		from := order.Sender{Signals: agency.Signals{LookAlike: a.alike ||
			agency.AlikeName(d.Authority, a.known.Of[d.Country]) != ""}}
		_, err := a.Orders.SubmitWith(ctx, from, d,
			func(tx *store.Tx, got order.Receipt) error {
				a.About = append(slices.Clone(before), about{ID: got.Order.ID})
				if i < len(list)-1 {
					return nil
				}
				return also(tx)
			})
		if err != nil {
			return fmt.Errorf("mailroom: %w", err)
		}
	}
	return nil
}

// errKnown says that the mail was there already.
var errKnown = errors.New("mailroom: the mail is known")

// write stores the mail's row: the last thing of its transaction.
func (a *arrival) write(tx *store.Tx, done Outcome) error {
	old, err := tx.ArrivedMail(a.row.Agency, a.row.ID)
	if err == nil {
		a.row.At = old.At
		return errKnown // and nothing else of the transaction happens again
	}
	if !store.IsNotFound(err) {
		return err
	}
	same, err := tx.ArrivedMailsOf(a.row.Agency, a.row.Message, 1)
	if err != nil {
		return err
	}
	a.row.Outcome, a.done = string(done), done
	a.row.Due = 0
	// A machine's answer to our answer would be answered again: only what it says by fields is.
	if done != Aside && len(same) == 0 && (a.m.written == aPerson || len(a.typed) > 0) {
		a.row.Due = a.row.At
	}
	who, err := json.Marshal(sender{
		Address: a.m.from.Address, Name: a.m.from.Name, Subject: a.m.subject, MessageID: a.m.id,
	})
	if err != nil {
		return fmt.Errorf("mailroom: %w", err)
	}
	if a.row.Body, err = json.Marshal(a.kept); err != nil {
		return fmt.Errorf("mailroom: %w", err)
	}
	a.row.Sealed = a.Box.Seal(nil, who, sealFor, a.row.ID)
	if err := tx.AddArrivedMail(a.row); err != nil || a.Before == 0 {
		return err
	}
	return a.follow(tx)
}

// alone stores a mail that is about no order.
func (a *arrival) alone(ctx context.Context, done Outcome) error {
	err := a.Store.Update(ctx, 0, func(tx *store.Tx) error { return a.write(tx, done) })
	if errors.Is(err, errKnown) {
		return nil
	}
	return err
}

// wait stores a mail that somebody reads, at the door where it belongs, and says so.
func (a *arrival) wait(ctx context.Context, to instrument.Door) error {
	page := map[instrument.Door]string{
		instrument.NoticeDoor: "/notice", instrument.PeopleDoor: "/notice",
		instrument.HotlineDoor: "/hotline", instrument.ReferenceDoor: "/r",
	}[to]
	if page == "" {
		page = "/contact/where"
	}
	a.row.Door = string(instrument.PeopleDoor)
	if to == instrument.HotlineDoor {
		a.row.Door = string(to)
	}
	said := a.text(a.Lang, "read", a.URL+page+"?lang="+a.answersIn(a.Lang))
	a.Said = strings.TrimSpace(a.Said + "\n\n" + said)
	return a.alone(ctx, Waiting)
}

// errAnew says that a mail under an order's reference brings an order of its own.
var errAnew = errors.New("mailroom: the mail brings another order")

// enclose puts the mail to the order whose reference it carries; false when there is no such order,
// or the mail brings another one. Nobody works on an order that is over, so a person reads what
// comes to it.
func (a *arrival) enclose(ctx context.Context, agency, id int64) (bool, error) {
	a.row.Agency = agency
	_, err := a.Orders.Enclose(ctx, agency, id, "mail "+a.row.Digest, a.parts,
		func(tx *store.Tx, o order.Order) error {
			if a.anew(o) {
				return errAnew
			}
			a.About = []about{{ID: o.ID, Others: true}}
			if !o.State.Open() {
				return a.write(tx, Waiting)
			}
			return a.write(tx, Enclosed)
		})
	switch {
	case errors.Is(err, errKnown):
		return true, nil
	case errors.Is(err, errAnew), store.IsNotFound(err):
		a.row.Agency, a.About = 0, nil
		return false, nil
	case err != nil:
		return false, fmt.Errorf("mailroom: %w", err)
	}
	return true, nil
}

// anew tells whether what the mail orders by fields is another order than the one whose reference
// it carries: one of another number, or any when that is over.
func (a *arrival) anew(o order.Order) bool {
	return slices.ContainsFunc(a.typed, func(d order.Document) bool {
		return !o.State.Open() || d.Number != "" && d.Number != o.Document.Number
	})
}

// key is the shard of an agency's mails.
func key(agency int64) ids.Peer { return ids.Peer(agency) }
