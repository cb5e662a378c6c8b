package webhook_test

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/internal/clock"
	"parley/internal/hook"
	"parley/internal/ids"
	"parley/internal/safety/agency"
	"parley/internal/safety/webhook"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// world is an agency whose program listens on this machine.
type world struct {
	testing.TB
	*webhook.Service
	clock    *clock.Fake
	agencies *agency.Service
	of       int64
	boss     agency.Officer
	member   agency.Officer
	program  *httptest.Server
	// ended hears of the end of each connection of the program.
	ended chan struct{}

	mu     sync.Mutex
	status int
	secret string
	got    []webhook.Event
	keys   []string
}

func ctx() context.Context { return context.Background() }

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func start(t *testing.T) *world {
	s := storetest.SQLite(t)
	w := &world{
		TB: t, clock: clock.NewFake(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)),
		status: http.StatusOK, ended: make(chan struct{}, 1000),
	}
	w.agencies = &agency.Service{Store: s, Clock: w.clock, Random: rand.Reader}
	w.program = httptest.NewUnstartedServer(http.HandlerFunc(w.receive))
	w.program.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			w.ended <- struct{}{}
		}
	}
	w.program.StartTLS()
	t.Cleanup(w.program.Close)
	roots := x509.NewCertPool()
	roots.AddCert(w.program.Certificate())
	w.Service = webhook.New(webhook.Options{
		Store: s, Clock: w.clock, Random: rand.Reader, Key: [32]byte{1}, Private: true,
		RootCAs: roots, Log: slog.New(slog.DiscardHandler),
	})
	a, err := w.agencies.Propose(ctx(), 7, agency.New{
		Name: "Office", Country: "DE", Lang: "de", Kind: agency.TrustedFlagger,
		Officials: []agency.Official{{Name: "A", Office: "Head"}, {Name: "B", Office: "Desk"}},
		Agreement: strings.Repeat("a", 64),
	})
	w.ok(err)
	w.ok(w.agencies.Verify(ctx(), 7, a.ID, agency.Check{
		Number: "+49 30 5559 999", Source: agency.Register, Where: "register, page 3",
		Spoke: "B, desk", Confirmed: true,
	}))
	w.ok(w.agencies.Approve(ctx(), 8, a.ID))
	w.of = a.ID
	w.boss, w.member = w.enrol("Boss", agency.Supervisor), w.enrol("Member", agency.Member)
	return w
}

func (w *world) enrol(name string, role agency.Role) agency.Officer {
	w.Helper()
	o, link, err := w.agencies.ProposeOfficer(ctx(), 7, w.of, name, role)
	w.ok(err)
	code, err := w.agencies.ApproveOfficer(ctx(), 8, w.of, o.ID)
	w.ok(err)
	o, err = w.agencies.Bind(ctx(), agency.Both(link, code),
		agency.Credential{ID: name, Body: []byte{1}})
	w.ok(err)
	return o
}

// receive is the agency's program: it takes what is signed with the secret that it was given.
func (w *world) receive(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	w.mu.Lock()
	defer w.mu.Unlock()
	sent, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get(hook.SignatureHeader), "t="), ",")
	at, _ := strconv.ParseInt(sent, 10, 64)
	want := hook.Sign([]byte(w.secret), time.Unix(at, 0), body)
	var e webhook.Event
	if err != nil || json.Unmarshal(body, &e) != nil ||
		r.Header.Get(hook.SignatureHeader) != want {
		w.Errorf("a call that is not signed: %s %s", r.Header.Get(hook.SignatureHeader), body)
	}
	w.got = append(w.got, e)
	w.keys = append(w.keys, r.Header.Get(hook.KeyHeader))
	rw.WriteHeader(w.status)
}

// set sets the address and keeps its secret.
func (w *world) set(url string) {
	w.Helper()
	secret, err := w.Set(ctx(), w.boss, url)
	w.ok(err)
	w.mu.Lock()
	w.secret = secret
	w.mu.Unlock()
}

// tell owes the agency a call.
func (w *world) tell(e webhook.Event) {
	w.Helper()
	w.ok(w.Store.Update(ctx(), ids.Peer(w.of), func(tx *store.Tx) error {
		return w.Owe(tx, w.of, e)
	}))
}

func (w *world) events() (out []webhook.Kind) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.got {
		out = append(out, e.Event)
	}
	return out
}

func (w *world) owed() (n int) {
	w.Helper()
	w.ok(w.Store.View(ctx(), func(r *store.Reader) error {
		list, err := r.DueAgencyCalls(1<<62, 100)
		n = len(list)
		return err
	}))
	return n
}

func (w *world) address() (a webhook.Address) {
	w.Helper()
	w.ok(w.Store.View(ctx(), func(r *store.Reader) (err error) {
		a, err = webhook.AddressOf(r, w.of)
		return err
	}))
	return a
}

// TestDelivers: what is owed is told in order, signed; a receiver that fails is tried again under
// the same key, and what it took is told once.
func TestDelivers(t *testing.T) {
	w := start(t)
	w.tell(webhook.Event{Event: webhook.Warning}) // nobody wants to know
	if n := w.owed(); n != 0 {
		t.Errorf("%d calls are owed without an address", n)
	}
	w.set(w.program.URL + "/parley")
	w.ok(w.Deliver(ctx()))
	w.mu.Lock()
	w.status = http.StatusInternalServerError
	w.mu.Unlock()
	w.tell(webhook.Event{
		Event: webhook.Outcome, Reference: "F1", State: "upheld",
	})
	w.ok(w.Deliver(ctx()))
	w.ok(w.Deliver(ctx())) // not yet
	if a := w.address(); a.Problem == "" || w.owed() != 1 {
		t.Errorf("problem %q, %d owed", a.Problem, w.owed())
	}
	w.mu.Lock()
	w.status = http.StatusNoContent
	w.mu.Unlock()
	w.clock.Advance(time.Minute)
	w.ok(w.Deliver(ctx()))
	want := []webhook.Kind{webhook.Test, webhook.Outcome, webhook.Outcome}
	if got := w.events(); !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
	if w.keys[1] != w.keys[2] || w.keys[0] == w.keys[1] {
		t.Errorf("keys %q", w.keys)
	}
	if a := w.address(); a.Problem != "" || a.Took != w.clock.Now().Unix() || w.owed() != 0 {
		t.Errorf("after it was taken: %+v, %d owed", a, w.owed())
	}
}

// TestGivesUp: after three days nothing is tried any more, and an address that is taken away takes
// what is owed with it.
func TestGivesUp(t *testing.T) {
	w := start(t)
	w.status = http.StatusBadGateway
	w.set(w.program.URL)
	for range 30 {
		w.ok(w.Deliver(ctx()))
		w.clock.Advance(6 * time.Hour)
	}
	if n := len(w.events()); w.owed() != 0 || n < 10 || n > 25 {
		t.Errorf("%d tries, %d owed", n, w.owed())
	}
	w.tell(webhook.Event{Event: webhook.Warning})
	w.ok(w.Forget(ctx(), w.boss))
	if w.owed() != 0 {
		t.Error("owed to nobody")
	}
}

// TestAddresses: only a supervisor sets the address, only of https, and one that leads into a
// private network is given up unasked.
func TestAddresses(t *testing.T) {
	w := start(t)
	if _, err := w.Set(ctx(), w.member, w.program.URL); !errors.Is(err, webhook.ErrStanding) {
		t.Errorf("by a member: %v", err)
	}
	stranger := w.boss
	stranger.ID++
	if _, err := w.Set(ctx(), stranger, w.program.URL); !errors.Is(err, webhook.ErrStanding) {
		t.Errorf("by nobody: %v", err)
	}
	w.Private = false
	for _, bad := range []string{
		"", "http://example.org/", "https://me:secret@example.org/", "ftp://example.org",
		"https://", "http://127.0.0.1:80/", "https://example.org/" + strings.Repeat("a", 500),
	} {
		if _, err := w.Set(ctx(), w.boss, bad); !errors.Is(err, webhook.ErrURL) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	w.set(w.program.URL)
	w.ok(w.Deliver(ctx()))
	if len(w.events()) != 0 || w.owed() != 0 || w.address().Problem != hook.ErrPrivate.Error() {
		t.Errorf("a private address got %v, %d owed, problem %q", w.events(), w.owed(),
			w.address().Problem)
	}
	w.ok(w.agencies.SuspendOfficer(ctx(), 7, w.of, w.boss.ID, "key stolen"))
	if err := w.Forget(ctx(), w.boss); !errors.Is(err, webhook.ErrStanding) {
		t.Errorf("by a suspended supervisor: %v", err)
	}
}

// TestReceiverIsDown: a receiver that is out of order is tried once, whatever else it is owed: each
// try can take its whole time, in which those of others wait. Afterwards it is told all, in order.
func TestReceiverIsDown(t *testing.T) {
	w := start(t)
	w.set(w.program.URL)
	w.ok(w.Deliver(ctx()))
	for _, k := range []webhook.Kind{webhook.Receipt, webhook.Outcome, webhook.Warning} {
		w.tell(webhook.Event{Event: k})
		w.clock.Advance(time.Second)
	}
	w.status = http.StatusServiceUnavailable
	w.ok(w.Deliver(ctx()))
	if got := w.events(); len(got) != 2 || w.owed() != 3 {
		t.Fatalf("a receiver that is down was told %v, %d are owed", got, w.owed())
	}
	w.clock.Advance(time.Minute)
	w.mu.Lock()
	w.status = http.StatusOK
	w.mu.Unlock()
	w.ok(w.Deliver(ctx()))
	want := []webhook.Kind{
		webhook.Test, webhook.Receipt, webhook.Receipt, webhook.Outcome, webhook.Warning,
	}
	if got := w.events(); !slices.Equal(got, want) || w.owed() != 0 {
		t.Errorf("told %v, want %v; %d owed", got, want, w.owed())
	}
}

// TestDownForDays: what a receiver did not take in three days is given up together.
func TestDownForDays(t *testing.T) {
	w := start(t)
	w.status = http.StatusBadGateway
	w.set(w.program.URL)
	for range 20 {
		w.tell(webhook.Event{Event: webhook.Outcome})
	}
	for range 30 {
		w.ok(w.Deliver(ctx()))
		w.clock.Advance(6 * time.Hour)
	}
	if n := len(w.events()); w.owed() != 0 || n > 60 {
		t.Errorf("%d tries, %d owed", n, w.owed())
	}
}

// TestConnectionsEnd: a call leaves no connection open, or one agency's would fill the process.
func TestConnectionsEnd(t *testing.T) {
	w := start(t)
	w.set(w.program.URL)
	w.ok(w.Deliver(ctx()))
	select {
	case <-w.ended:
	case <-time.After(20 * time.Second):
		t.Error("the connection of a call stays open")
	}
}

// TestWithTheTransaction: what did not happen is told to nobody.
func TestWithTheTransaction(t *testing.T) {
	w := start(t)
	w.set(w.program.URL)
	w.ok(w.Deliver(ctx()))
	undone := errors.New("undone")
	err := w.Store.Update(ctx(), ids.Peer(w.of), func(tx *store.Tx) error {
		if err := w.Owe(tx, w.of, webhook.Event{Event: webhook.Receipt}); err != nil {
			return err
		}
		return undone
	})
	if !errors.Is(err, undone) || w.owed() != 0 {
		t.Errorf("%v, %d owed", err, w.owed())
	}
}
