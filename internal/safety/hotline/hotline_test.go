package hotline_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/chat/media"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/hotline"
	"parley/internal/safety/oncall"
	"parley/internal/safety/safetytest"
	"parley/internal/safety/webhook"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// lane is a world with a hotline's lane.
type lane struct {
	*safetytest.World
	*hotline.Service
	woken []oncall.Emergency
	// told are the measures of which their agency was told, with what became of a complaint.
	told []string
	// fails is why nothing can be owed to programs.
	fails error
}

func ctx() context.Context { return context.Background() }

func newLane(t *testing.T) *lane {
	l := &lane{World: safetytest.New(t, storetest.SQLite(t))}
	l.Service = hotline.New(hotline.Options{
		Store: l.Store, Clock: l.Clock, Random: rand.Reader, References: l.World.References,
		Intake: l.Intake, Files: 1000, Digests: 2000, Log: slog.New(slog.DiscardHandler),
		Agencies: &agency.Service{Store: l.Store, Clock: l.Clock, Random: rand.Reader},
		Owe: func(_ *store.Tx, _ int64, e webhook.Event) error {
			if e.Path == "/hotline/api/v1/measures" {
				l.told = append(l.told, string(e.Event)+" "+e.State)
			}
			return l.fails
		},
		Wake: func(_ context.Context, e oncall.Emergency) error {
			l.woken = append(l.woken, e)
			return nil
		},
	})
	l.Statements.Flagged = l.Flagged
	l.Update(safetytest.Channel, func(tx *store.Tx) error {
		return tx.TakeUsername("news", safetytest.Channel)
	})
	return l
}

// agency makes an agency of a kind, as if two people had checked it. Trusted flaggers have an
// address for outcomes.
func (l *lane) agency(id int64, k agency.Kind) agency.Agency {
	l.Helper()
	record := agency.Record{}
	if k == agency.TrustedFlagger {
		record.Answers = fmt.Sprintf("desk%d@example.org", id)
	}
	body, err := cbor.Marshal(record)
	if err != nil {
		l.Fatal(err)
	}
	l.Update(ids.Peer(id), func(tx *store.Tx) error {
		return tx.PutAgency(store.Agency{
			ID: id, Name: fmt.Sprint("Agency ", id), Country: "DE", Kind: int64(k), State: 3,
			Lang: "en", ProposedBy: 1, ApprovedBy: 2, Approved: 1, Attest: math.MaxInt32,
			Body: body,
		})
	})
	var a agency.Agency
	l.View(func(r *store.Reader) (err error) {
		a, err = agency.Of(r, id)
		return err
	})
	return a
}

// violent is a submission of places.
func violent(reference string, places ...string) hotline.Document {
	d := hotline.Document{
		Reference: reference, GoodFaith: true, Category: safety.Violence,
		Explanation: "It calls for harm.",
	}
	for n, p := range places {
		d.Items = append(d.Items, hotline.Named{ID: fmt.Sprint("i", n), Location: p})
	}
	return d
}

func (l *lane) submit(of agency.Agency, d hotline.Document) hotline.Receipt {
	l.Helper()
	got, err := l.Submit(ctx(), of, 0, d)
	if err != nil {
		l.Fatal(err)
	}
	return got
}

func (l *lane) step() {
	l.Helper()
	if err := l.Step(ctx()); err != nil {
		l.Fatal(err)
	}
}

func (l *lane) items(of agency.Agency, submission int64) (out []hotline.Item) {
	l.Helper()
	l.View(func(r *store.Reader) (err error) {
		out, err = hotline.Items(r, of.ID, submission, 0, hotline.MostItems)
		return err
	})
	return out
}

// place is the link to a post.
func place(s safety.Subject) string { return fmt.Sprint("https://t.me/news/", s.Item) }

// remove decides that a post is removed, and tells those who reported.
func (l *lane) remove(s safety.Subject) int64 {
	l.Helper()
	d := safetytest.Draft(0, s)
	d.Source = safety.TrustedFlagger
	out := l.Decide(d)
	l.Deliver()
	return out.ID
}

// TestItems: each item has a receipt, joins a case with the source that the agency is, and ends as
// the case does; a complaint that reverses it counts as one.
func TestItems(t *testing.T) {
	l := newLane(t)
	flagger, ngo := l.agency(11, agency.TrustedFlagger), l.agency(12, agency.Organisation)
	post, other := l.Post("one"), l.Post("two")
	got := l.submit(flagger, violent("a", place(post), place(other), "https://t.me/nowhere1/5"))
	if got.Again || len(got.Items) != 3 || got.Items[2].Name != "i2" {
		t.Fatalf("%+v", got)
	}
	again := l.submit(flagger, violent("a", place(post), place(other), "https://t.me/nowhere1/5"))
	if !again.Again || again.ID != got.ID || again.Items[1].ID != got.Items[1].ID {
		t.Errorf("again: %+v", again)
	}
	if _, err := l.Submit(ctx(), flagger, 0, violent("a", place(post))); !errors.Is(err,
		hotline.ErrConflict) {
		t.Errorf("another one of that reference: %v", err)
	}
	theirs := l.submit(ngo, violent("a", place(post)))
	l.step()
	l.step()
	for _, i := range l.items(flagger, got.ID) {
		if i.State != hotline.InReview || i.Report == 0 {
			t.Errorf("%+v", i)
		}
	}
	l.source(l.items(flagger, got.ID)[0], safety.TrustedFlagger)
	l.source(l.items(ngo, theirs.ID)[0], safety.Article16)
	l.Clock.Advance(3 * time.Hour)
	decision := l.remove(post)
	one := l.items(flagger, got.ID)[0]
	if one.State != hotline.Decided || hotline.Ended(one.Outcome) != "upheld" ||
		one.Decision != decision || one.Decided-one.Created != 3*60*60 {
		t.Errorf("%+v", one)
	}
	if i := l.items(ngo, theirs.ID)[0]; i.State != hotline.Decided {
		t.Errorf("the other agency's: %+v", i)
	}
	f := l.figures(flagger)
	if f.Record.Decided != 1 || f.Record.Upheld != 1 {
		t.Errorf("%+v", f.Record)
	}
	for _, x := range f.Lanes {
		if x.Category == safety.Violence && (x.Decided != 1 || x.Median != 3*60*60 ||
			x.P90 != 3*60*60 || x.Promised != 12*60*60 || x.Late != 0) {
			t.Errorf("%+v", x)
		}
	}
	l.reverse(decision)
	one = l.items(flagger, got.ID)[0]
	if hotline.Ended(one.Outcome) != "rejected" || hotline.Ended(one.First) != "upheld" {
		t.Errorf("reversed: %+v", one)
	}
	if r := l.figures(flagger).Record; r.Reversed != 1 || r.Upheld != 0 || r.Decided != 1 {
		t.Errorf("%+v", r)
	}
}

// source checks what an item's report is to the law.
func (l *lane) source(i hotline.Item, want safety.Source) {
	l.Helper()
	l.View(func(r *store.Reader) error {
		x, err := r.Report(i.Subject, i.Report)
		if x.Source != string(want) || x.Flagger != i.Agency {
			l.Errorf("the report: %+v", x)
		}
		return err
	})
}

func (l *lane) figures(of agency.Agency) (f hotline.Figures) {
	l.Helper()
	l.View(func(r *store.Reader) (err error) {
		f, err = hotline.FiguresOf(r, of, l.Clock.Now().Unix())
		return err
	})
	return f
}

// reverse has the author's complaint about a decision reverse it.
func (l *lane) reverse(decision int64) {
	l.Helper()
	a, err := l.Appeals.FileAgainst(ctx(), safetytest.Channel, decision,
		appeal.Person{User: safetytest.Author}, "en", "It was art.")
	if err == nil {
		_, err = l.Appeals.Decide(ctx(), safetytest.Channel, a.ID, appeal.Ruling{
			Staff: 8, Outcome: appeal.Reversed, Reason: "It was art.",
		})
	}
	if err != nil {
		l.Fatal(err)
	}
	l.Deliver()
}

// TestSecondTime: what the agency reported before, and what was decided and did not change, has its
// outcome at once.
func TestSecondTime(t *testing.T) {
	l := newLane(t)
	of := l.agency(11, agency.TrustedFlagger)
	post := l.Post("one")
	l.submit(of, violent("a", place(post)))
	l.step()
	_, err := l.Decisions.Dismiss(ctx(), post.Peer, l.caseOf(post), safety.Actor{Staff: 7},
		casefile.Refuted, "It is satire.")
	if err != nil {
		t.Fatal(err)
	}
	l.Deliver()
	second := l.submit(of, violent("b", place(post)))
	l.step()
	if i := l.items(of, second.ID)[0]; i.State != hotline.Decided ||
		hotline.Ended(i.Outcome) != "rejected" || i.Decision == 0 || i.Decided < i.Created {
		t.Errorf("%+v", i)
	}
}

func (l *lane) caseOf(s safety.Subject) (id int64) {
	l.Helper()
	l.View(func(r *store.Reader) error {
		c, err := r.OpenCase(casefile.About(s, 0))
		id = c.ID
		return err
	})
	return id
}

// TestDigests: a digest finds the posts of public places that have the file, says how many files it
// was compared with, and finds nothing in a private chat.
func TestDigests(t *testing.T) {
	l := newLane(t)
	of := l.agency(11, agency.TrustedFlagger)
	file := sha256.Sum256([]byte("a file"))
	subject := l.file(1, file[:])
	unknown := sha256.Sum256([]byte("another"))
	other := l.file(2, unknown[:])
	private := sha256.Sum256([]byte("a private file"))
	l.Update(1, func(tx *store.Tx) error {
		return tx.PutMedia(store.Media{ID: 3, Kind: int64(media.DocumentKind), Digest: private[:],
			Body: []byte{0xa0}})
	})
	_, err := l.Message.Send(ctx(), message.Outgoing{
		From: safetytest.Author, To: safetytest.Reader.Peer(), Random: 77,
		Content: message.Content{Media: &message.Media{Kind: message.Document, ID: 3}},
	})
	if err != nil {
		t.Fatal(err)
	}
	d := violent("a")
	for _, sum := range [][32]byte{file, private} {
		hex := strings.ToUpper(hex.EncodeToString(sum[:]))
		d.Items = append(d.Items, hotline.Named{SHA256: hex})
	}
	got := l.submit(of, d)
	l.Clock.Advance(time.Second)
	l.step()
	l.step()
	items := l.items(of, got.ID)
	if len(items) != 3 {
		t.Fatalf("%+v", items)
	}
	hit, miss, match := items[0], items[1], items[2]
	if hit.State != hotline.Searched || hit.Looked != 2 || hit.Found != 1 || hit.Bounded {
		t.Errorf("found: %+v", hit)
	}
	if miss.State != hotline.Searched || miss.Looked != 2 || miss.Found != 0 {
		t.Errorf("not found: %+v", miss)
	}
	if match.Kind != hotline.Match || match.PartOf != hit.ID || match.State != hotline.InReview {
		t.Errorf("the match: %+v", match)
	}
	l.remove(subject)
	if i := l.items(of, got.ID)[2]; i.State != hotline.Decided {
		t.Errorf("decided: %+v", i)
	}
	if !l.There(other) {
		t.Error("another file's post is gone")
	}
	l.Files = 1
	bounded := l.submit(of, hotline.Document{
		Reference: "b", GoodFaith: true, Category: safety.Violence, Explanation: "x",
		Items: []hotline.Named{{SHA256: hex.EncodeToString(make([]byte, 32))}},
	})
	l.step()
	if i := l.items(of, bounded.ID)[0]; !i.Bounded {
		t.Errorf("a bounded search does not say so: %+v", i)
	}
}

// file posts a file in the channel.
func (l *lane) file(id int64, digest []byte) safety.Subject {
	l.Helper()
	l.Update(1, func(tx *store.Tx) error {
		return tx.PutMedia(store.Media{ID: id, Kind: int64(media.DocumentKind), Digest: digest,
			Body: []byte{0xa0}})
	})
	sent, err := l.Message.Send(ctx(), message.Outgoing{
		From: safetytest.Author, To: safetytest.Channel, Random: 1000 + id,
		Content: message.Content{Media: &message.Media{Kind: message.Document, ID: id}},
	})
	if err != nil {
		l.Fatal(err)
	}
	return safety.Subject{
		Peer: safetytest.Channel, Kind: safety.Message, Item: sent.Message.ID,
		Author: safetytest.Author,
	}
}

// TestEmergencyWakes: an emergency wakes somebody, and only where the category is one.
func TestEmergencyWakes(t *testing.T) {
	l := newLane(t)
	of := l.agency(11, agency.TrustedFlagger)
	d := violent("a", "@news")
	d.Emergency = true
	l.submit(of, d)
	if len(l.woken) != 0 {
		t.Errorf("woken for violence: %+v", l.woken)
	}
	d.Reference, d.Category = "b", safety.SelfHarm
	got := l.submit(of, d)
	l.submit(of, d)
	if len(l.woken) != 2 || l.woken[0].Key != l.woken[1].Key ||
		l.woken[0].Reference != l.Service.Reference(got.Items[0]) {
		t.Errorf("%+v", l.woken)
	}
}

// TestMisuse: no suspension without a warning; what is suspended is refused but for dangers; a
// complaint is decided by somebody else, and what is reversed does not hold.
func TestMisuse(t *testing.T) {
	l := newLane(t)
	of := l.agency(11, agency.TrustedFlagger)
	suspend := func(how hotline.Misuse, lasts time.Duration) (hotline.Measure, error) {
		return l.Suspend(ctx(), 7, of, how, lasts, "It went on.")
	}
	refused := func(what string, how hotline.Misuse) {
		t.Helper()
		if _, err := suspend(how, time.Hour); !errors.Is(err, hotline.ErrNoWarning) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("without a warning", hotline.Imprecise)
	_, err := l.Warn(ctx(), 7, of, hotline.Imprecise, "Half of what you report names no law.")
	if err != nil {
		t.Fatal(err)
	}
	l.fails = errors.New("no room")
	_, err = l.Warn(ctx(), 7, of, hotline.Imprecise, "Half of what you report names no law.")
	l.View(func(r *store.Reader) error {
		list, not := hotline.Measures(r, of.ID)
		if len(list) != 1 || !errors.Is(err, l.fails) {
			t.Errorf("a measure that its agency cannot be told of: %d, %v", len(list), err)
		}
		return not
	})
	l.fails, l.told = nil, l.told[:1]
	refused("at once after the warning", hotline.Imprecise)
	l.Clock.Advance(8 * 24 * time.Hour)
	refused("for something else", hotline.Flooding)
	refused("for something else", hotline.Unfounded)
	if _, err := l.Warn(ctx(), 7, of, hotline.Unfounded, "Half of it is satire."); err != nil {
		t.Fatal(err)
	}
	l.Clock.Advance(8 * 24 * time.Hour)
	refused("nothing unfounded after the warning", hotline.Unfounded)
	m, err := suspend(hotline.Imprecise, 365*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := suspend(hotline.Imprecise, time.Hour); !errors.Is(err, hotline.ErrState) {
		t.Errorf("twice: %v", err)
	}
	digest := violent("digests", "@news")
	digest.Items[0].Location, digest.Items[0].SHA256 = "", strings.Repeat("a", 64)
	l.submit(of, digest) // proposed is not suspended
	if err := l.Complain(ctx(), of.ID, 3, m.ID, "x"); !errors.Is(err, hotline.ErrState) {
		t.Errorf("a complaint about what was not taken: %v", err)
	}
	if err := l.Confirm(ctx(), 7, of.ID, m.ID, true); !errors.Is(err, hotline.ErrSamePerson) {
		t.Errorf("confirmed by who proposed it: %v", err)
	}
	if err := l.Confirm(ctx(), 8, of.ID, m.ID, true); err != nil {
		t.Fatal(err)
	}
	l.View(func(r *store.Reader) error {
		now, err := hotline.SuspensionOf(r, of.ID, l.Clock.Now().Unix())
		if now == nil || now.Until-now.At != int64(hotline.LongestSuspension/time.Second) {
			t.Errorf("%+v", now)
		}
		return err
	})
	digest.Reference = "more digests"
	if _, err := l.Submit(ctx(), of, 0, digest); !errors.Is(err, hotline.ErrSuspended) {
		t.Errorf("while it is suspended: %v", err)
	}
	post := l.Post("one")
	l.ordinary(of, l.submit(of, violent("a", place(post))), true)
	danger := violent("b", "@news")
	danger.Category = safety.SelfHarm
	l.ordinary(of, l.submit(of, danger), false)
	if err := l.Complain(ctx(), of.ID, 3, m.ID, "It was not satire."); err != nil {
		t.Fatal(err)
	}
	if err := l.Complain(ctx(), of.ID, 3, m.ID, "Again."); !errors.Is(err, hotline.ErrState) {
		t.Errorf("twice: %v", err)
	}
	for _, who := range []int64{7, 8} {
		if err := l.Review(ctx(), who, of.ID, m.ID, true, "No."); !errors.Is(err,
			hotline.ErrSamePerson) {
			t.Errorf("by %d, who had a part in it: %v", who, err)
		}
	}
	if err := l.Review(ctx(), 9, of.ID, m.ID, false, "You are right."); err != nil {
		t.Fatal(err)
	}
	digest.Reference = "digests once more"
	l.submit(of, digest)
	told := []string{
		"warning imprecise", "warning unfounded", "suspension imprecise", "complaint reversed",
	}
	if !slices.Equal(l.told, told) {
		t.Errorf("told %q, want %q", l.told, told)
	}
	l.submit(of, violent("c", "@news"))
	var events []agency.Event
	l.View(func(r *store.Reader) (err error) {
		events, err = agency.Events(r, of.ID, math.MaxInt64, 10)
		return err
	})
	if len(events) != 4 || events[0].Kind != agency.Misuse {
		t.Errorf("written down: %+v", events)
	}
}

// ordinary checks as whose notices the items of a submission are dealt with.
func (l *lane) ordinary(of agency.Agency, got hotline.Receipt, want bool) {
	l.Helper()
	l.step()
	for _, i := range l.items(of, got.ID) {
		if i.State != hotline.InReview || i.Ordinary != want {
			l.Errorf("%v, ordinary %v", i.State, i.Ordinary)
			continue
		}
		l.View(func(r *store.Reader) error {
			x, err := r.Report(i.Subject, i.Report)
			if got := safety.Source(x.Source) == safety.Article16; got != want {
				l.Errorf("the notice came from source %s", x.Source)
			}
			return err
		})
	}
}

// TestTenancy: another agency's item does not exist, and that somebody asked is written down.
func TestTenancy(t *testing.T) {
	l := newLane(t)
	of, other := l.agency(11, agency.TrustedFlagger), l.agency(12, agency.Organisation)
	ref := l.Service.Reference(l.submit(of, violent("a", "@news")).Items[0])
	if _, err := l.Find(ctx(), of.ID, ref); err != nil {
		t.Error(err)
	}
	if _, err := l.Find(ctx(), other.ID, ref); !store.IsNotFound(err) {
		t.Errorf("another's: %v", err)
	}
	var events []agency.Event
	l.View(func(r *store.Reader) (err error) {
		events, err = agency.Events(r, other.ID, math.MaxInt64, 10)
		return err
	})
	if len(events) != 1 || events[0].Kind != agency.Foreign {
		t.Errorf("%+v", events)
	}
}

// TestProblems: each fault names its field.
func TestProblems(t *testing.T) {
	l := newLane(t)
	of := l.agency(11, agency.TrustedFlagger)
	for want, change := range map[string]func(*hotline.Document){
		"submission missing": func(d *hotline.Document) {
			d.Reference = " "
		},
		"submission long": func(d *hotline.Document) {
			d.Reference = strings.Repeat("x", 101)
		},
		"submission unknown": func(d *hotline.Document) {
			d.Reference = "a\x00"
		},
		"good_faith missing": func(d *hotline.Document) {
			d.GoodFaith = false
		},
		"lang unknown": func(d *hotline.Document) {
			d.Lang = "deu"
		},
		"items missing": func(d *hotline.Document) {
			d.Items = nil
		},
		"items many": func(d *hotline.Document) {
			d.Items = make([]hotline.Named, 1001)
		},
		"items[0].location missing": func(d *hotline.Document) {
			d.Items[0].Location = ""
		},
		"items[0].location long": func(d *hotline.Document) {
			d.Items[0].Location = strings.Repeat("x", 3000)
		},
		"items[0].sha256 both": func(d *hotline.Document) {
			d.Items[0].SHA256 = strings.Repeat("a", 64)
		},
		"items[1].id twice": func(d *hotline.Document) {
			d.Items[1].ID = "i0"
		},
		"items[1].category unknown": func(d *hotline.Document) {
			d.Items[1].Category = "X"
		},
		"items[1].keyword unknown": func(d *hotline.Document) {
			d.Items[1].Keyword = "X"
		},
		"items[0].explanation missing": func(d *hotline.Document) {
			d.Explanation = ""
		},
		"items[0].explanation unknown": func(d *hotline.Document) {
			d.Explanation = "a\xffb"
		},
		"items[0].location unknown": func(d *hotline.Document) {
			d.Items[0].Location = "@a\xff"
		},
		"items[1].sha256 unknown": func(d *hotline.Document) {
			d.Items[1] = hotline.Named{SHA256: "abc"}
		},
	} {
		d := violent("a", "@news", "@other")
		change(&d)
		_, err := l.Submit(ctx(), of, 0, d)
		var problems hotline.Problems
		if !errors.As(err, &problems) || problems[0].Field+" "+problems[0].Reason != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	police := l.agency(13, agency.Police)
	if _, err := l.Submit(ctx(), police, 0, violent("a", "@x")); !errors.Is(err, hotline.ErrKind) {
		t.Errorf("an authority: %v", err)
	}
}
