package restrict_test

import (
	"context"
	"os"
	"reflect"
	"sync"
	"testing"

	"parley/internal/chat/box"
	"parley/internal/chat/restrict"
	"parley/internal/ids"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

const (
	somebody = ids.UserID(1001)
	other    = ids.UserID(1002)
	room     = ids.Peer(-1000000000007)
)

func update(t testing.TB, s *store.Store, key ids.Peer, fn func(*store.Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), key, fn); err != nil {
		t.Fatal(err)
	}
}

// put writes a restriction, and the entry that tells of it.
func put(t testing.TB, s *store.Store, x store.Restriction) {
	t.Helper()
	update(t, s, x.Peer, func(tx *store.Tx) error {
		if _, err := tx.PutRestriction(x); err != nil {
			return err
		}
		_, err := box.Note(tx, x.Peer, box.Restricted, 1, box.Entry{User: x.Peer.User()})
		return err
	})
}

func account(decision, measure int64) store.Restriction {
	return store.Restriction{
		Restricts: store.Restricts{Peer: somebody.Peer(), Kind: restrict.Account},
		Decision:  decision, Measure: measure, Starts: decision,
	}
}

func TestCountry(t *testing.T) {
	for phone, want := range map[string]string{
		"4915112345678": "DE", "12025550123": "US", "14165550123": "CA", "79161234567": "RU",
		"989121234567": "IR", "88813371337": "", "9996621234": "", "": "", "x": "",
	} {
		if got := restrict.Country(phone); got != want {
			t.Errorf("%q is of %q, want %q", phone, got, want)
		}
	}
}

// TestVerdicts: what restrictions mean together, for each audience.
func TestVerdicts(t *testing.T) {
	legal := restrict.Reason{
		Word: "legal", Text: "This is not available in your country.",
	}
	type expected struct{ hidden, varies, still, demoted, scam bool }
	germany, france := []string{"DE"}, []string{"FR", "DE"}
	one := func(measure int64, territory []string, detail string) store.Restriction {
		return store.Restriction{
			Restricts: store.Restricts{Kind: restrict.Chat}, Measure: measure,
			Territory: territory, Detail: detail,
		}
	}
	cases := []struct {
		name string
		list []store.Restriction
		who  restrict.Audience
		want expected
	}{
		{"nothing", nil, restrict.Audience{}, expected{}},
		{"here", []store.Restriction{one(restrict.Disable, germany, "")},
			restrict.Audience{Country: "DE"}, expected{hidden: true, varies: true}},
		{"elsewhere", []store.Restriction{one(restrict.Disable, germany, "")},
			restrict.Audience{Country: "FR"}, expected{varies: true}},
		{"nobody knows where", []store.Restriction{one(restrict.Disable, germany, "")},
			restrict.Audience{Stranger: true}, expected{hidden: true, varies: true}},
		{"everywhere", []store.Restriction{one(restrict.Disable, nil, "")},
			restrict.Audience{Country: "FR"}, expected{hidden: true, varies: true}},
		{"for grown-ups", []store.Restriction{one(restrict.AgeRestrict, nil, "")},
			restrict.Audience{}, expected{hidden: true, varies: true}},
		{"to a grown-up", []store.Restriction{one(restrict.AgeRestrict, nil, "")},
			restrict.Audience{Sensitive: true}, expected{varies: true}},
		{"of several countries", []store.Restriction{
			one(restrict.InteractionRestrict, france, ""), one(restrict.Demote, germany, ""),
			one(restrict.Label, nil, "SCAM"),
		}, restrict.Audience{Country: "FR"}, expected{varies: true, still: true, scam: true}},
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for n, c := range cases {
			in := room - ids.Peer(n)
			for i, x := range c.list {
				x.Peer, x.Decision = in, int64(i)+1
				put(t, s, x)
			}
			err := s.View(context.Background(), func(r *store.Reader) error {
				v, err := restrict.OfPeer(r, c.who, in)
				got := expected{v.Hidden(), v.Varies, v.Still, v.Demoted, v.Scam}
				if got != c.want {
					t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
				}
				if c.name == "here" && !reflect.DeepEqual(v.Withheld, []restrict.Reason{legal}) {
					t.Errorf("withheld for %v", v.Withheld)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestSentences: everybody is told why in his client's language, in English where there is none.
func TestSentences(t *testing.T) {
	for code, want := range map[string]string{
		"de": "de", "de-raw": "de", "FA": "fa", "zh-hans": "zh", "en": "", "pt-br": "", "": "",
	} {
		if got := restrict.Language(code); got != want {
			t.Errorf("%q is told in %q, not %q", code, got, want)
		}
	}
	s := storetest.SQLite(t)
	everywhere := store.Restriction{
		Restricts: store.Restricts{Peer: room, Kind: restrict.Chat}, Decision: 1,
		Measure: restrict.Disable,
	}
	there := everywhere
	there.Decision, there.Territory = 2, []string{"DE"}
	grown := everywhere
	grown.Decision, grown.Measure = 3, restrict.AgeRestrict
	for _, x := range []store.Restriction{everywhere, there, grown} {
		put(t, s, x)
	}
	update(t, s, somebody.Peer(), func(tx *store.Tx) error {
		return tx.PutUser(store.User{ID: somebody, Phone: "989121234567", Lang: "fa-raw"})
	})
	err := s.View(context.Background(), func(r *store.Reader) error {
		a, err := restrict.Of(r, somebody)
		if want := (restrict.Audience{Country: "IR", Lang: "fa"}); a != want {
			t.Errorf("of %+v, not %+v", a, want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, lang := range []string{"", "ar", "de", "fa", "fr", "id", "ko", "ru", "zh"} {
		err := s.View(context.Background(), func(r *store.Reader) error {
			v, err := restrict.OfPeer(r, restrict.Audience{Country: "DE", Lang: lang}, room)
			if len(v.Withheld) != 3 {
				t.Errorf("%q: %v", lang, v.Withheld)
			}
			for _, why := range v.Withheld {
				if of, twice := seen[why.Text]; why.Text == "" || twice {
					t.Errorf("%q has the words of %q: %q", lang, of, why.Text)
				}
				seen[why.Text] = lang
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestAccounts: who asks after a commit gets what it made, and so does a process that starts later.
func TestAccounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := restrict.NewAccounts(s)
		s.OnCommit(a.Committed)
		put(t, s, account(1, restrict.Suspend))
		put(t, s, account(2, restrict.LimitSending))
		later := restrict.NewAccounts(s)
		if err := later.Load(context.Background()); err != nil {
			t.Fatal(err)
		}
		want := restrict.Standing{Frozen: true, Since: 1, Quiet: true}
		for name, x := range map[string]*restrict.Accounts{"told": a, "loaded": later} {
			expect(t, x, s, name, somebody, want)
			expect(t, x, s, name, other, restrict.Standing{})
		}
		end(t, s, account(1, restrict.Suspend), 9)
		expect(t, a, s, "ended", somebody, restrict.Standing{Quiet: true})
	})
}

// TestAccountsMeanwhile has many ask for a standing while it changes: none of those who read before
// a commit keeps it from those who ask after.
func TestAccountsMeanwhile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := restrict.NewAccounts(s)
		s.OnCommit(a.Committed)
		ctx, stop := context.WithCancel(context.Background())
		var asking sync.WaitGroup
		defer asking.Wait()
		defer stop()
		for range 4 {
			asking.Go(func() {
				for ctx.Err() == nil {
					if _, err := a.Of(ctx, somebody); err != nil && ctx.Err() == nil {
						t.Error(err)
						return
					}
				}
			})
		}
		rounds := int64(60)
		if testing.Short() {
			rounds = 10
		}
		for round := range rounds {
			x := account(round+1, restrict.Suspend)
			put(t, s, x)
			want := restrict.Standing{Frozen: true, Since: round + 1}
			expect(t, a, s, "suspended", somebody, want)
			end(t, s, x, round+1)
			expect(t, a, s, "ended", somebody, restrict.Standing{})
		}
	})
}

// end ends a restriction, and writes the entry that tells of it.
func end(t testing.TB, s *store.Store, x store.Restriction, now int64) {
	t.Helper()
	update(t, s, x.Peer, func(tx *store.Tx) error {
		if _, err := tx.EndRestriction(x, now); err != nil {
			return err
		}
		_, err := box.Note(tx, x.Peer, box.Restricted, now, box.Entry{User: x.Peer.User()})
		return err
	})
}

// expect asks for a standing both ways.
func expect(
	t *testing.T, a *restrict.Accounts, s *store.Store, name string, user ids.UserID,
	want restrict.Standing,
) {
	t.Helper()
	got, err := a.Of(context.Background(), user)
	if err != nil || got != want {
		t.Errorf("%s: %+v, want %+v: %v", name, got, want, err)
	}
	err = s.View(context.Background(), func(r *store.Reader) error {
		got, err := a.In(r, user)
		if got != want {
			t.Errorf("%s, in a snapshot: %+v, want %+v", name, got, want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// BenchmarkFree is what the dispatcher pays for a request of somebody who is not restricted, beside
// the least that any request costs: one read of the store.
func BenchmarkFree(b *testing.B) {
	s := storetest.SQLite(b)
	a := restrict.NewAccounts(s)
	put(b, s, account(1, restrict.Suspend))
	if err := a.Load(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.Run("standing", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := a.Of(context.Background(), other); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("one read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			err := s.View(context.Background(), func(r *store.Reader) error {
				_, err := r.Box(other.Peer())
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
