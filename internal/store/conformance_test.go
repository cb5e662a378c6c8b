package store_test

import (
	"errors"
	"reflect"
	"sync"
	"testing"

	"parley/internal/ids"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// suite is what a store must do, whatever engine it has. Every part uses rows of its own, and
// together they run every statement of the package.
var suite = []struct {
	name string
	run  func(d *desk)
}{
	{"auth keys", testAuthKeys},
	{"authorizations", testAuthorizations},
	{"idle devices", testIdleAuthorizations},
	{"login codes", testLoginCodes},
	{"login tokens", testLoginTokens},
	{"counters", testCounters},
	{"invitations", testInvitations},
	{"passwords", testPasswords},
	{"users", testUsers},
	{"idle users", testIdleUsers},
	{"phones and names", testNames},
	{"name terms", testNameTerms},
	{"meta", testMeta},
	{"contacts", testContacts},
	{"blocks", testBlocks},
	{"settings", testSettings},
	{"forgotten user", testForgetUser},
	{"chats", testChats},
	{"members", testMembers},
	{"invites", testInvites},
	{"join requests", testJoinAsks},
	{"admin events", testAdminEvents},
	{"dialogs", testDialogs},
	{"mentions", testMentions},
	{"media", testMedia},
	{"imports", testImports},
	{"search", testSearch},
	{"mails", testMails},
	{"dsa statements", testDSAStatements},
	{"duties", testDuties},
	{"forms", testForms},
	{"staff", testStaff},
	{"staff proof", testStaffProof},
	{"staff roles", testStaffRoles},
	{"staff audit", testStaffAudit},
	{"messages", testMessages},
	{"history", testHistory},
	{"posts", testPosts},
	{"exactly once", testExactlyOnce},
	{"reading state", testReadingState},
	{"pins", testPins},
	{"secret chats", testSecretChats},
	{"secret queue", testSecretQueue},
	{"secret files", testSecretFiles},
	{"erased", testErased},
	{"early", testEarly},
	{"erasure", testErasure},
	{"deleted users", testDeletedUsers},
	{"views", testViews},
	{"reactions", testReactions},
	{"cases", testCases},
	{"case events", testCaseEvents},
	{"reports", testReports},
	{"reporters", testReporters},
	{"findings", testFindings},
	{"evidence", testEvidence},
	{"restrictions", testRestrictions},
	{"removed messages", testRemovedMessages},
	{"removed reactions and photos", testRemovedOthers},
	{"decisions", testDecisions},
	{"lists of decisions", testDecisionLists},
	{"batches", testBatches},
	{"letters", testLetters},
	{"appeals", testAppeals},
	{"settlements", testSettlements},
	{"ledger", testLedger},
	{"agencies", testAgencies},
	{"officers", testOfficers},
	{"orders", testOrders},
	{"parts of orders", testOrderParts},
	{"refusals", testRefusals},
	{"publications", testPublications},
	{"reviews", testReviews},
	{"alerts", testAlerts},
	{"hotlines", testHotlines},
	{"inquiries", testInquiries},
	{"webhooks", testWebhooks},
	{"arrived mails", testArrivedMails},
	{"papers", testPapers},
	{"disclosures", testDisclosures},
	{"tellings of disclosures", testTellings},
	{"boxes", testBoxes},
	{"events", testEvents},
	{"trimming", testTrimming},
	{"outbox", testOutbox},
	{"commits", testCommits},
	{"errors undo", testErrorsUndo},
	{"errors last", testErrorsLast},
	{"panics", testPanics},
	{"one result at a time", testOneResult},
	{"nulls", testNulls},
	{"snapshots", testSnapshots},
	{"values", testValues},
}

// TestConformance runs the suite on SQLite, on PostgreSQL, and on PostgreSQL with tables cut by
// shard key.
func TestConformance(t *testing.T) {
	for _, engine := range []struct {
		name string
		open func(t *testing.T) *store.Store
	}{
		{"sqlite", func(t *testing.T) *store.Store { return storetest.SQLite(t) }},
		{"postgres", func(t *testing.T) *store.Store { return storetest.Postgres(t) }},
		{"partitioned", func(t *testing.T) *store.Store {
			s, _ := openPartitioned(t)
			return s
		}},
	} {
		t.Run(engine.name, func(t *testing.T) { conform(t, engine.open(t)) })
	}
}

func conform(t *testing.T, s *store.Store) {
	var mu sync.Mutex
	ran := make(map[string]bool)
	s.Watch(func(name string) {
		mu.Lock()
		defer mu.Unlock()
		ran[name] = true
	})
	passed := 0
	for i, part := range suite {
		t.Run(part.name, func(t *testing.T) {
			part.run(&desk{T: t, s: s, base: int64(i+1) * 10_000})
			passed++
		})
	}
	if passed < len(suite) {
		return
	}
	for _, st := range store.Statements() {
		if !ran[st.Name] {
			t.Errorf("%s: no part of the suite runs it", st.Name)
		}
	}
}

// desk is where one part of the suite works.
type desk struct {
	*testing.T
	s    *store.Store
	base int64
}

// id is an id that only this part uses.
func (d *desk) id(n int64) int64         { return d.base + n }
func (d *desk) user(n int64) ids.UserID  { return ids.UserID(d.id(n)) }
func (d *desk) peer(n int64) ids.Peer    { return d.user(n).Peer() }
func (d *desk) channel(n int64) ids.Peer { return ids.ChannelID(d.id(n)).Peer() }
func (d *desk) chat(n int64) ids.Peer    { return ids.ChatID(d.id(n)).Peer() }
func (d *desk) update(fn func(*store.Tx) error) {
	d.Helper()
	d.updateAs(1, fn)
}

func (d *desk) updateAs(key ids.Peer, fn func(*store.Tx) error) {
	d.Helper()
	if err := d.s.Update(d.Context(), key, fn); err != nil {
		d.Fatal(err)
	}
}

// refused expects an error of a transaction.
func (d *desk) refused(want error, fn func(*store.Tx) error) {
	d.Helper()
	if err := d.s.Update(d.Context(), 1, fn); !errors.Is(err, want) {
		d.Fatalf("got error %v, want %v", err, want)
	}
}

// read returns what a method of a Reader returns.
func read[T any](d *desk, fn func(*store.Reader) (T, error)) T {
	d.Helper()
	var out T
	err := d.s.View(d.Context(), func(r *store.Reader) (err error) {
		out, err = fn(r)
		return err
	})
	if err != nil {
		d.Fatal(err)
	}
	return out
}

// absent expects that a method of a Reader finds nothing.
func absent[T any](d *desk, fn func(*store.Reader) (T, error)) {
	d.Helper()
	err := d.s.View(d.Context(), func(r *store.Reader) error {
		_, err := fn(r)
		return err
	})
	if !errors.Is(err, store.ErrNotFound) {
		d.Fatalf("got error %v, want %v", err, store.ErrNotFound)
	}
}

// equal compares; no elements are the same as nil.
func equal(d *desk, what string, got, want any) {
	d.Helper()
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	if g.Kind() == reflect.Slice && w.Kind() == reflect.Slice && g.Len() == 0 && w.Len() == 0 {
		return
	}
	if !reflect.DeepEqual(got, want) {
		d.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}
