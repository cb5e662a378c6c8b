package authority

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/blob"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/keyring"
	"parley/internal/limit"
	"parley/internal/mtproto/crypt"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/answer"
	"parley/internal/safety/country"
	"parley/internal/safety/disclosure"
	"parley/internal/safety/door"
	"parley/internal/safety/evidence"
	"parley/internal/safety/instrument"
	"parley/internal/safety/ledger"
	"parley/internal/safety/location"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/store/storetest"
	"parley/internal/tlog/verify"
	"parley/internal/web/about"
	"parley/internal/web/officer"
	"parley/internal/web/officer/officertest"
	"parley/internal/web/page"
	"parley/internal/web/page/pagetest"
)

// TestTexts: all texts are there in all languages, also those whose keys are made of words.
func TestTexts(t *testing.T) {
	pagetest.Texts(t, files, page.Files(), about.Shell(), door.Texts(), safety.Texts(),
		officer.Shell())
	texts, err := page.ReadTexts(files)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for s := order.Received; s <= order.Annulled; s++ {
		keys = append(keys, "state."+s.String())
	}
	for s := order.Waiting; s <= order.Restored; s++ {
		keys = append(keys, "item."+s.String())
	}
	for k := order.Arrived; k < 100; k++ {
		if public(k) {
			keys = append(keys, "event."+k.String())
		}
	}
	for _, a := range policy.Actions() {
		keys = append(keys, "action."+string(a))
	}
	for _, s := range []instrument.State{
		instrument.Waiting, instrument.Running, instrument.Paused, instrument.Met, instrument.Late,
		instrument.Breached, instrument.Over,
	} {
		keys = append(keys, "clock."+string(s))
	}
	for _, u := range []instrument.Urgency{instrument.Routine, instrument.Urgent, instrument.Life} {
		keys = append(keys, "urgency."+string(u))
	}
	for _, f := range faults([]order.Problem{{Field: "issuing authority"}, {Field: "papers"}}) {
		keys = append(keys, "form."+f.Field)
	}
	for _, key := range keys {
		if !texts.Has(key) {
			t.Errorf("%s has no text", key)
		}
	}
}

// world is the portal with two agencies behind real rooms of moderation.
type world struct {
	*safetytest.World
	officertest.Office
	clock  *clock.Fake
	orders *order.Service
	pages  *Pages
	server *httptest.Server
	blobs  *blob.Dir
	// proved is the number of the line of the public log that was asked for last.
	proved int64
	// office is a German authority, bureau a French one.
	office, bureau agency.Agency
	// published tells whether the public log has the lines about orders.
	published bool
	// slow has the time for answers be over before they are written.
	slow bool
}

func start(t *testing.T) *world {
	t.Helper()
	s, keys := storetest.SQLite(t), t.TempDir()
	w := &world{World: safetytest.NewKept(t, s, keys)}
	w.clock = w.World.Clock
	w.Office = officertest.NewOffice(t, s, w.clock)
	var err error
	w.blobs, err = blob.OpenDir(t.TempDir(), w.clock)
	w.ok(err)
	t.Cleanup(func() { _ = w.blobs.Close() })
	w.rooms(s, keys)
	name, at := "the_news", safetytest.Channel
	w.World.Update(at, func(tx *store.Tx) error { return tx.TakeUsername(name, at) })
	w.office = w.Onboard("Federal Office", "DE", agency.TerroristContent)
	w.bureau = w.Onboard("Bureau", "FR", agency.Regulator)
	return w
}

// rooms builds the portal.
func (w *world) rooms(s *store.Store, keys string) {
	t := w.World.TB
	sign, err := answer.Open(keys, "chat.example.org", rand.Reader)
	w.ok(err)
	countries, err := country.Builtin()
	w.ok(err)
	rules, err := policy.Builtin(countries)
	w.ok(err)
	law, err := instrument.Builtin()
	w.ok(err)
	guide, err := door.New(countries, law)
	w.ok(err)
	w.orders = &order.Service{
		Store: s, Clock: w.clock, Random: rand.Reader, References: w.World.References,
		Places: &location.Resolver{}, Agencies: w.Office.Service, Decisions: w.World.Decisions,
		Evidence: &evidence.Service{Store: s, Clock: w.clock, Random: rand.Reader},
		Sign:     sign, Judge: rules.Judge, Instrument: law.Get,
		Route: order.Router(guide, law, countries),
		Word: func(id instrument.ID, _ instrument.Urgency) string {
			in, _ := law.Get(id)
			return in.Log
		},
		Role: func(_ context.Context, id int64) (policy.Role, error) { return roleOf(id), nil },
	}
	given, err := disclosure.Open(&disclosure.Service{
		Store: s, Clock: w.clock, Random: rand.Reader, Orders: w.orders, Blobs: w.blobs,
		Box: keyring.NewBox([32]byte{5}, crypt.NewRandom(rand.Reader)),
	})
	w.ok(err)
	mux := http.NewServeMux()
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.slow {
			_ = http.NewResponseController(rw).SetWriteDeadline(time.Unix(1, 0))
		}
		mux.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.server.Close)
	here := strings.Replace(w.server.URL, "127.0.0.1", "localhost", 1)
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	often := limit.Rate{Burst: 10_000, Per: time.Second}
	site, err := page.New(page.Options{
		URL: here, Name: "Parley", Clock: w.clock, Pages: often, Forms: often, Log: log,
	})
	w.ok(err)
	officers, err := officer.New(officer.Rooms{
		Site: site, Store: s, Clock: w.clock, Agencies: w.Office.Service, URL: here, Log: log,
		Home: func(agency.Kind) string { return homePath },
	})
	w.ok(err)
	w.pages, err = New(Rooms{
		Site: site, Store: s, Clock: w.clock, Officers: officers, Orders: w.orders, Law: law,
		Countries: countries, Guide: guide, Papers: w.blobs,
		Disclosures: given,
		Receipt: func(
			_ context.Context, _ ids.Peer, id int64, _ ledger.Kind,
		) (verify.Receipt, error) {
			w.proved = id
			if w.published {
				return verify.Receipt{Index: 7}, nil
			}
			return verify.Receipt{}, ledger.ErrWaiting
		},
	})
	w.ok(err)
	site.Mount(mux)
	officers.Mount(mux)
	w.pages.Mount(mux)
}

// roleOf is the role of a member of staff of these tests: ten of each.
func roleOf(id int64) policy.Role { return policy.Roles()[id/10] }

// staffOf is the nth member of staff of a role.
func staffOf(role policy.Role, n int) int64 {
	return int64(slices.Index(policy.Roles(), role)*10 + n + 1)
}

// signed checks an order, has it signed as policy wants and carried out.
func (w *world) signed(o order.Order) order.Order {
	w.World.TB.Helper()
	ctx, legal := w.World.TB.Context(), staffOf(policy.Legal, 0)
	var err error
	for _, c := range o.Verdict.Unverified {
		if c == policy.CallBack {
			o, err = w.orders.CallBack(ctx, legal, o.Agency, o.ID, order.Call{
				Number: "+49 30 5559 999", Spoke: "B, desk", Confirmed: true,
			})
		} else {
			o, err = w.orders.Check(ctx, legal, o.Agency, o.ID, c, "looked at it")
		}
		w.ok(err)
	}
	plan, err := w.orders.PlanOf(ctx, o.Agency, o.ID)
	w.ok(err)
	for _, g := range o.Signs() {
		for n := range max(g.People, 1) {
			o, err = w.orders.Approve(ctx, o.Agency, o.ID, order.Signature{
				Staff: staffOf(g.Role, n), Digest: plan.Digest,
			})
			w.ok(err)
		}
	}
	w.ok(w.orders.CarryOut(ctx))
	w.World.View(func(r *store.Reader) (err error) {
		o, err = w.orders.Of(r, o.Agency, o.ID)
		return err
	})
	return o
}

func (w *world) ok(err error) {
	w.World.TB.Helper()
	if err != nil {
		w.World.TB.Fatal(err)
	}
}

// officer is a browser whose officer of an agency is signed in.
func (w *world) officer(of agency.Agency, name string, role agency.Role) *officertest.Browser {
	w.World.TB.Helper()
	b := officertest.NewBrowser(w.World.TB, w.server)
	_, token := w.Link(of.ID, name, role)
	if got := b.Enrol(token); got.Status != http.StatusOK {
		w.World.TB.Fatalf("enrolling: %d %s", got.Status, got.Body)
	}
	return b
}

// key is a key of an agency's program.
func (w *world) key(of agency.Agency) string {
	w.World.TB.Helper()
	key, err := w.IssueKey(context.Background(), 1, of.ID, "system",
		w.clock.Now().Add(time.Hour).Unix())
	w.ok(err)
	return key
}

// removal are the fields of a removal order, complete.
func (w *world) removal(number string) url.Values {
	post := w.World.Post("go and do it " + number)
	return url.Values{
		"number": {number}, "action": {"withhold"},
		"law0": {"Regulation (EU) 2021/784"}, "provision0": {"Art. 3(1)"},
		"items":   {"https://t.me/the_news/" + itoa(post.Item)},
		"reasons": {"It incites others to commit a terrorist offence."},
		"redress": {"Action before the administrative court."},
		"issued":  {w.clock.Now().UTC().Add(-time.Minute).Format(moment)},
		"signed":  {"B, desk"}, "language": {"de"}, "do": {"send"},
		"kind":    {"STATEMENT_CATEGORY_RISK_FOR_PUBLIC_SECURITY"},
		"keyword": {"STATEMENT_CATEGORY_RISK_FOR_PUBLIC_SECURITY/KEYWORD_TERRORIST_CONTENT"},
	}
}

func itoa(n int64) string {
	var b []byte
	for ; n > 0; n /= 10 {
		b = append([]byte{byte('0' + n%10)}, b...)
	}
	return string(b)
}

// send fills in a form and sends it.
func (w *world) send(b *officertest.Browser, at string, fields url.Values) officertest.Answer {
	w.World.TB.Helper()
	form := b.Get(at)
	if form.Status != http.StatusOK {
		w.World.TB.Fatalf("%s: %d", at, form.Status)
	}
	token := url.Values{"token": form.Hidden(at)["token"]}
	for name, values := range fields {
		token[name] = values
	}
	return b.Post(at, token)
}

// order is the order to which an answer leads.
func (w *world) order(of agency.Agency, a officertest.Answer) order.Order {
	w.World.TB.Helper()
	to, err := url.Parse(a.Header.Get("Location"))
	w.ok(err)
	ref, ok := strings.CutPrefix(to.Path, orderPath)
	if !ok {
		w.World.TB.Fatalf("%d leads to %q: %s", a.Status, to, a.Body)
	}
	o, err := w.orders.Find(context.Background(), order.Sender{Agency: of.ID}, ref)
	w.ok(err)
	return o
}

// events counts an agency's events of a kind.
func (w *world) events(of int64, kind agency.EventKind) (n int) {
	w.World.TB.Helper()
	w.World.View(func(r *store.Reader) error {
		list, err := agency.Events(r, of, 1<<62, 500)
		for _, e := range list {
			if e.Kind == kind {
				n++
			}
		}
		return err
	})
	return n
}
