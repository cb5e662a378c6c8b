// Package intake takes in what is alleged: reports from clients, notices from anybody, findings of
// rules, cases that staff make. It checks, captures what was seen, and stores; it enforces nothing,
// however many allege the same.
//
// Invariants: whoever gets a receipt has a stored report, in a case, with what was seen, written in
// one transaction; somebody's second report of the same thing is his first one; who reported is
// stored sealed, apart from the report and never in evidence.
//
// https://eur-lex.europa.eu/eli/reg/2022/2065/oj
package intake

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/chat"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/keyring"
	"parley/internal/limit"
	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/safety/evidence"
	"parley/internal/safety/location"
	"parley/internal/store"
)

// Bounds of what a report carries, in bytes.
const (
	textBytes  = 20_000
	nameBytes  = 400
	emailBytes = 254
	// places is how many locations one notice may name.
	places = 50
)

// Report is an allegation of a person.
type Report struct {
	// Subject is what it is about; the zero Subject leaves that to Locations.
	Subject safety.Subject
	Source  safety.Source
	// Reporter is the account that reports, 0 for somebody without one.
	Reporter ids.UserID
	// Name and Email are whom to answer.
	Name, Email string
	Category    safety.Category
	Keyword     safety.Keyword
	// Lane is where it is looked at, by the category when zero.
	Lane safety.Lane
	// Option is the choice in the menu.
	Option string
	// Text explains why the subject is against the law or the terms.
	Text string
	// Lang is the reporter's language.
	Lang      string
	GoodFaith bool
	// Locations are links to what it is about.
	Locations []string
	// Flagger is the agency that reports, a trusted flagger or another hotline; 0 for none. It is
	// known: it need not name itself, and safety/hotline tells it of the outcome.
	Flagger int64
	// ByMail owes the receipt of a notice by mail as well.
	ByMail bool
	// IP and Device are where a report came from, as far as known.
	IP, Device string
	// Secret is the secret chat that the report comes from, nil for none.
	Secret *evidence.SecretChat
	// Staff makes a case of the service's own (Source Voluntary).
	Staff int64
}

// Receipt says that a report is stored.
type Receipt struct {
	// Reference lets its holder see how the report ends.
	Reference string
	Subject   safety.Subject
	// Place is the location that a notice named, as it was written.
	Place  string
	Case   int64
	Report int64
	At     int64
	// Again is set when the reporter had reported the same already, and got that receipt again.
	Again bool
	// More are the receipts of a notice's further locations.
	More []Receipt
}

// MissingError says which fields a notice lacks.
type MissingError struct{ Fields []string }

// Error names the fields.
func (e *MissingError) Error() string { return "intake: missing " + strings.Join(e.Fields, ", ") }

// Errors of reports.
var (
	// ErrTooLong says that a field exceeds its bound.
	ErrTooLong = errors.New("intake: a field is too long")
	// ErrCategory says that there is no such category or keyword.
	ErrCategory = errors.New("intake: no such category")
	// ErrSuspended says that the reporter's reports are not dealt with for a time, because of how
	// his former ones ended; he was warned, and may appeal. Emergencies are excepted.
	ErrSuspended = chat.Forbidden("USER_RESTRICTED")
)

// Options are what a Service is made of.
type Options struct {
	Store      *store.Store
	Clock      clock.Clock
	Random     io.Reader
	References safety.References
	// Box seals who reported; Secret makes the numbers that stand for reporters.
	Box    *keyring.Box
	Secret [32]byte
	Places *location.Resolver
	// Rules are the rules that may send signals, by name.
	Rules map[string]Rule
	// Alarm hears that a rule's brake has stopped it; nil hears nothing.
	Alarm func(rule string, found int64)
	// Arrived hears of every stored report and finding by its lane; nil hears nothing.
	Arrived func(safety.Lane, safety.Source)
}

// Service takes in reports.
type Service struct {
	Options
	Menu    *Menu
	budgets budgets
}

// New returns a service.
func New(o Options) (*Service, error) {
	menu, err := LoadMenu()
	if err != nil {
		return nil, err
	}
	if o.Arrived == nil {
		o.Arrived = func(safety.Lane, safety.Source) {}
	}
	if o.Alarm == nil {
		o.Alarm = func(string, int64) {}
	}
	return &Service{Options: o, Menu: menu, budgets: newBudgets(o.Clock)}, nil
}

// budgets are how much one account may report.
type budgets struct{ ordinary, emergency *limit.Bucket[ids.UserID] }

func newBudgets(c clock.Clock) budgets {
	return budgets{
		ordinary: limit.NewBucket[ids.UserID](
			limit.Rate{Burst: 200, Per: 24 * time.Hour}, limit.BucketKeys, c),
		emergency: limit.NewBucket[ids.UserID](
			limit.Rate{Burst: 50, Per: 24 * time.Hour}, limit.BucketKeys, c),
	}
}

// check says what is wrong with a report by itself.
func (r *Report) check() error {
	var missing []string
	need := func(name string, ok bool) {
		if !ok {
			missing = append(missing, name)
		}
	}
	if r.Source == safety.Article16 || r.Source == safety.TrustedFlagger {
		need("explanation", strings.TrimSpace(r.Text) != "")
		need("location", len(r.Locations) > 0 || r.Subject != safety.Subject{})
		if r.Flagger == 0 && !Anonymous(r.Category, r.Keyword) {
			need("name", strings.TrimSpace(r.Name) != "")
			need("email", strings.Count(r.Email, "@") == 1 && len(r.Email) > 2)
		}
		need("good_faith", r.GoodFaith)
	}
	switch {
	case missing != nil:
		return &MissingError{missing}
	case len(r.Text) > textBytes, len(r.Name) > nameBytes, len(r.Email) > emailBytes,
		len(r.Locations) > places:
		return ErrTooLong
	case !r.Category.Valid():
		return ErrCategory
	}
	if r.Lane == 0 {
		r.Lane = LaneOf(r.Category, r.Keyword, r.Source)
	}
	return nil
}

// Anonymous tells whether a notice is about the sexual abuse of a child, for which nobody need give
// his name (DSA Art. 16(2)(c)).
func Anonymous(c safety.Category, k safety.Keyword) bool {
	return c == safety.ProtectionMinors &&
		(strings.HasPrefix(string(k), "KEYWORD_CHILD_SEXUAL_ABUSE") ||
			k == "KEYWORD_GROOMING_SEXUAL_ENTICEMENT_MINORS")
}

// LaneOf is the lane of a category where no option of the menu names one.
func LaneOf(c safety.Category, k safety.Keyword, source safety.Source) safety.Lane {
	switch {
	case c == safety.ProtectionMinors && k != "KEYWORD_AGE_SPECIFIC_RESTRICTIONS_MINORS":
		return safety.ChildSafety
	case c == safety.SelfHarm, k == "KEYWORD_HUMAN_TRAFFICKING",
		k == "KEYWORD_TRAFFICKING_WOMEN_GIRLS":
		return safety.ThreatToLife
	case k == "KEYWORD_TERRORIST_CONTENT":
		return safety.Terrorism
	case source == safety.Article16, source == safety.TrustedFlagger:
		return safety.IllegalContent
	case c == safety.Violence, c == safety.CyberViolence, c == safety.AgainstWomen,
		c == safety.UnsafeProducts, c == safety.DataProtection:
		return safety.Harm
	case c == safety.OtherViolation:
		return safety.Terms
	default:
		return safety.IllegalContent
	}
}

// Report stores a report with what was seen and returns its receipt. The same account's or
// address's second report of the same thing returns the first one's.
func (s *Service) Report(ctx context.Context, r Report) (Receipt, error) {
	if err := r.check(); err != nil {
		return Receipt{}, err
	}
	found := []place{{subject: r.Subject}}
	if r.Subject == (safety.Subject{}) {
		var err error
		if found, err = s.resolve(ctx, r.Locations); err != nil {
			return Receipt{}, err
		}
	}
	var first Receipt
	for i, p := range found {
		r.Subject, r.ByMail = p.subject, r.ByMail && i == 0
		got, err := s.one(ctx, r)
		if err != nil {
			return first, err
		}
		got.Place = p.link
		if i == 0 {
			first = got
		} else {
			first.More = append(first.More, got)
		}
	}
	if len(first.More) == 0 {
		return first, nil
	}
	return first, s.join(ctx, first)
}

// place is a location of a notice and what it leads to.
type place struct {
	link    string
	subject safety.Subject
}

// resolve finds what locations lead to, each once. A place that cannot be found is a subject of its
// own, for people to look at.
func (s *Service) resolve(ctx context.Context, links []string) (out []place, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		out = nil
		for _, link := range links {
			subject, err := s.Places.Find(r, link)
			if err != nil {
				return err
			}
			known := false
			for _, x := range out {
				known = known || x.subject.Same(subject)
			}
			if !known {
				out = append(out, place{link, subject})
			}
		}
		return nil
	})
	if err == nil && len(out) == 0 {
		err = &MissingError{[]string{"location"}}
	}
	return out, err
}

// one stores a report about one subject.
func (s *Service) one(ctx context.Context, r Report) (Receipt, error) {
	now := s.Clock.Now()
	var seen seen
	err := s.Store.View(ctx, func(read *store.Reader) (err error) {
		seen, err = s.look(read, r, now.Unix())
		return err
	})
	if err != nil {
		return Receipt{}, err
	}
	if err := s.admit(&r, &seen, now); err != nil {
		return Receipt{}, err
	}
	var got Receipt
	err = s.update(ctx, r.Subject.Peer, now, func(tx *store.Tx, n numbers) (err error) {
		got, err = s.write(tx, r, seen, n, now.Unix())
		return err
	})
	if err != nil {
		return Receipt{}, fmt.Errorf("intake: %w", err)
	}
	got.Reference = s.References.Make(safety.ReportRef, got.Subject.Peer, got.Report)
	if !got.Again {
		s.Arrived(r.Lane, r.Source)
	}
	return got, nil
}

// numbers are the ids that a report may need.
type numbers struct{ report, of, evidence int64 }

func (s *Service) numbers(now time.Time) (n numbers, err error) {
	for _, id := range []*int64{&n.report, &n.of, &n.evidence} {
		if *id, err = safety.NewID(now, s.Random); err != nil {
			return n, fmt.Errorf("intake: %w", err)
		}
	}
	return n, nil
}

// update writes in a transaction of a peer with fresh ids, and again with others where one is
// taken.
func (s *Service) update(
	ctx context.Context, peer ids.Peer, now time.Time, write func(*store.Tx, numbers) error,
) error {
	return store.Repeat(func() error {
		n, err := s.numbers(now)
		if err != nil {
			return err
		}
		return s.Store.Update(ctx, peer, func(tx *store.Tx) error { return write(tx, n) })
	})
}

// write stores a report, its case and its evidence, in the transaction of the subject's peer.
func (s *Service) write(
	tx *store.Tx, r Report, seen seen, n numbers, now int64,
) (Receipt, error) {
	row := seen.row
	got := Receipt{Subject: r.Subject, At: now}
	last, err := tx.LastCase(casefile.About(r.Subject, 0))
	if err != nil && !store.IsNotFound(err) {
		return got, err
	}
	if err == nil {
		old, err := tx.ReportBy(r.Subject.Peer, last.ID, row.Reporter)
		if err != nil && !store.IsNotFound(err) {
			return got, err
		}
		if err == nil && (last.Closed == 0 || !seen.changedSince(last.Closed)) {
			got.Case, got.Report, got.At, got.Again = last.ID, old.ID, old.At, true
			return got, nil
		}
		row.Case = last.ID
		net, device, joined, err := tx.ReportsAlike(row, alikeMost)
		if err != nil {
			return got, err
		}
		row.Weight /= 1 + max(net, device, joined)
	}
	c, _, err := casefile.Join(tx, casefile.Allegation{
		Subject: r.Subject, Lane: r.Lane, Source: r.Source, Category: r.Category,
		Keyword: r.Keyword, At: now, Weight: row.Weight, Reach: seen.reach,
		By: safety.Actor{Staff: r.Staff},
	}, n.of)
	if err != nil {
		return got, err
	}
	row.ID, row.Case, row.At = n.report, c.ID, now
	got.Case, got.Report = c.ID, n.report
	if err := tx.AddReport(row); err != nil {
		return got, err
	}
	if r.ByMail && r.Email != "" {
		err := tx.OweMail(store.Mail{
			Subject: r.Subject.Peer, Report: n.report, Kind: ReceiptMail, Created: now, Due: now,
		})
		if err != nil {
			return got, err
		}
	}
	if err := evidence.Keep(tx, c.ID, seen.capture, n.evidence); err != nil {
		return got, err
	}
	if r.Reporter == 0 && r.Name == "" && r.Email == "" {
		return got, nil
	}
	sealed, err := s.seal(n.report, r)
	if err != nil {
		return got, err
	}
	return got, tx.PutReporter(r.Subject.Peer, n.report, sealed)
}

// Identity is who made a report.
type Identity struct {
	User  ids.UserID `cbor:"1,keyasint,omitempty"`
	Name  string     `cbor:"2,keyasint,omitempty"`
	Email string     `cbor:"3,keyasint,omitempty"`
	Lang  string     `cbor:"4,keyasint,omitempty"`
}

// sealFor is what identities are sealed for.
const sealFor = "reporter"

func (s *Service) seal(report int64, r Report) ([]byte, error) {
	b, err := cbor.Marshal(Identity{r.Reporter, r.Name, r.Email, r.Lang})
	if err != nil {
		return nil, fmt.Errorf("intake: identity: %w", err)
	}
	return s.Box.Seal(nil, b, sealFor, report), nil
}

// Identify returns who made a report, for telling him; the zero Identity for somebody who did not
// say. It is not for showing.
func (s *Service) Identify(r *store.Reader, subject ids.Peer, report int64) (Identity, error) {
	var out Identity
	sealed, err := r.Reporter(subject, report)
	if store.IsNotFound(err) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	b, err := s.Box.Open(nil, sealed, sealFor, report)
	if err == nil {
		err = cbor.Unmarshal(b, &out)
	}
	if err != nil {
		return out, fmt.Errorf("intake: identity of report %d: %w", report, err)
	}
	return out, nil
}

// pseudonym is a number that stands for something about a reporter, 0 for nothing.
func (s *Service) pseudonym(of, value string) int64 {
	if value == "" {
		return 0
	}
	h := hmac.New(sha256.New, s.Secret[:])
	h.Write([]byte(of + "\x00" + value))
	return int64(binary.BigEndian.Uint64(h.Sum(nil))>>1) | 1
}
