package crime_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"parley/internal/hook"
	"parley/internal/safety/answer"
	"parley/internal/safety/casefile"
	"parley/internal/safety/country"
	"parley/internal/safety/crime"
	"parley/internal/safety/duty"
	"parley/internal/safety/ledger"
	"parley/internal/safety/recipient"
	"parley/internal/safety/safetytest"
	"parley/internal/smtp"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// world is a world with an authority that is mailed (DE) and one with a program (Europol).
type world struct {
	*safetytest.World
	crimes *crime.Service
	sign   *answer.Signer
	key    *age.X25519Identity
	mails  []smtp.Letter
	// refuse is what the mail server answers.
	refuse error
	// posts are what the program got by their names; status is what it answers.
	posts  map[string][]byte
	status int
	alarms []string
	crash  string
	// during happens while the program is asked.
	during func()
}

func newWorld(t *testing.T, s *store.Store) *world {
	t.Helper()
	w := &world{
		World: safetytest.New(t, s), posts: map[string][]byte{}, status: http.StatusNoContent,
	}
	program := httptest.NewServer(http.HandlerFunc(
		func(rw http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.posts[r.Header.Get(hook.KeyHeader)] = body
			if w.during != nil {
				w.during()
			}
			rw.WriteHeader(w.status)
		}))
	t.Cleanup(program.Close)
	poster, err := hook.New(hook.Options{
		URL: program.URL, Secret: []byte("sixteen bytes and more"), AllowPrivate: true,
	})
	if err == nil {
		w.sign, err = answer.Open(t.TempDir(), "chat.example.org", rand.Reader)
	}
	if err == nil {
		w.key, err = age.GenerateX25519Identity()
	}
	if err != nil {
		t.Fatal(err)
	}
	key, err := recipient.Parse(w.key.Recipient().String())
	if err != nil {
		t.Fatal(err)
	}
	w.open([]crime.Authority{
		{Code: "DE", Mail: "desk@police.example", Key: key}, {Code: crime.Europol, Hook: poster},
	})
	return w
}

func (w *world) open(authorities []crime.Authority) {
	w.Helper()
	countries, err := country.Builtin()
	if err != nil {
		w.Fatal(err)
	}
	carrier := &crime.Carrier{
		Authorities: authorities, Sign: w.sign, Now: w.Clock.Now,
		Mail: func(_ context.Context, l smtp.Letter) error {
			w.mails = append(w.mails, l)
			return w.refuse
		},
	}
	w.crimes = &crime.Service{
		Service: duty.New(duty.Options{
			Store: w.Store, Clock: w.Clock, Random: rand.Reader,
			Log:  slog.New(slog.DiscardHandler),
			Kind: duty.Crime, Send: carrier.Send, Public: crime.Public,
			Alarm: func(_ store.Duty, why string) { w.alarms = append(w.alarms, why) },
			Crash: func(point string) error {
				if point == w.crash {
					return store.ErrStopped
				}
				return nil
			},
		}),
		Authorities: authorities, Established: "SE", Countries: countries,
	}
}

// suspect proposes a suspicion about a post that was reported.
func (w *world) suspect(concerned country.Code) store.Duty {
	w.Helper()
	post := w.Post("I will do it tonight")
	w.Report(post)
	var c store.Case
	w.View(func(r *store.Reader) (err error) {
		c, err = r.LastCase(casefile.About(post, 0))
		return err
	})
	x, err := w.crimes.Draw(context.Background(), c.Subject, c.ID)
	if err != nil {
		w.Fatal(err)
	}
	x.Facts, x.Threat, x.Ground = "He names a school.", "An attack is announced.", "The school."
	x.Country = concerned
	d, err := w.crimes.Propose(context.Background(), c.Subject, c.ID, 7, x)
	if err != nil {
		w.Fatal(err)
	}
	return d
}

func (w *world) get(d store.Duty) (out store.Duty) {
	w.Helper()
	w.View(func(r *store.Reader) (err error) {
		out, err = r.Duty(d.Subject, d.ID)
		return err
	})
	return out
}

func (w *world) approve(d store.Duty) {
	w.Helper()
	_, err := w.crimes.Approve(context.Background(), d.Subject, d.ID, 8, duty.Digest(d))
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) deliver() int {
	w.Helper()
	n, err := w.crimes.Deliver(context.Background())
	if err != nil {
		w.Fatal(err)
	}
	return n
}

// TestSuspicionIsMailed takes two people, and brings the authority of the state concerned a paper
// that anybody can check and a document that only it can read.
func TestSuspicionIsMailed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		d := w.suspect("DE")
		if n := w.deliver(); n != 0 || len(w.mails) != 0 {
			t.Fatalf("%d sent on the word of one", n)
		}
		for staff, digest := range map[int64]string{7: duty.Digest(d), 8: "another"} {
			_, err := w.crimes.Approve(context.Background(), d.Subject, d.ID, staff, digest)
			if !errors.Is(err, duty.ErrSamePerson) && !errors.Is(err, duty.ErrChanged) {
				t.Errorf("approved by %d: %v", staff, err)
			}
		}
		w.approve(d)
		if n := w.deliver(); n != 1 || len(w.mails) != 1 {
			t.Fatalf("%d sent, %d mails: %s", n, len(w.mails), w.get(d).Problem)
		}
		w.read(d, w.mails[0])
		got := w.get(d)
		if duty.State(got.State) != duty.Delivered || !strings.Contains(got.Receipt, "DE at ") {
			t.Errorf("%s: %s", duty.State(got.State), got.Receipt)
		}
		w.View(func(r *store.Reader) error {
			row, err := r.LedgerRow(d.Subject, d.ID, int64(ledger.Disclosure))
			if e, _ := ledger.Read(row); e.Instrument != "DSA_ARTICLE_18" || e.Country != "" {
				t.Errorf("logged as %s", row.Entry)
			}
			return err
		})
	})
}

// read reads a mail as the authority does.
func (w *world) read(d store.Duty, m smtp.Letter) {
	w.Helper()
	if m.To != "desk@police.example" || m.Lang != "de" || len(m.Files) != 2 {
		w.Fatalf("mail to %s in %s with %d files", m.To, m.Lang, len(m.Files))
	}
	if strings.Contains(m.Body, "school") || strings.Contains(string(m.Files[0].Body), "school") {
		w.Error("facts are in the clear")
	}
	p, err := w.sign.Read(m.Files[0].Body)
	if err != nil || p.Document != duty.Digest(d) || p.Reference != crime.Reference(d) {
		w.Errorf("paper %+v, %v", p, err)
	}
	plain, err := age.Decrypt(bytes.NewReader(m.Files[1].Body), w.key)
	if err != nil {
		w.Fatal(err)
	}
	document, err := io.ReadAll(plain)
	var x crime.Suspicion
	if err == nil {
		err = json.Unmarshal(document, &x)
	}
	if err != nil || x.Facts != "He names a school." || x.Account == nil ||
		x.Account.ID != int64(safetytest.Author) || len(x.Items) == 0 ||
		x.Items[len(x.Items)-1].Text != "I will do it tonight" {
		w.Errorf("document %s, %v", document, err)
	}
}

// TestRoute finds whom to tell: the state concerned, that of the service, Europol; nobody else.
func TestRoute(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	for _, x := range []struct {
		concerned, want country.Code
	}{
		{"DE", "DE"}, {"FR", crime.Europol}, {"", crime.Europol}, {"US", crime.Europol},
	} {
		if got, err := w.crimes.Route(x.concerned); got != x.want || err != nil {
			t.Errorf("%s: %s, %v", x.concerned, got, err)
		}
	}
	w.crimes.Established = "DE"
	if got, _ := w.crimes.Route("FR"); got != "DE" {
		t.Errorf("FR is told to %s", got)
	}
	w.crimes.Authorities = nil
	if _, err := w.crimes.Route("DE"); !errors.Is(err, crime.ErrAuthority) {
		t.Errorf("nobody is configured: %v", err)
	}
}

// TestUnclearGoesToBoth: where the state concerned is not known, the authority of the service's own
// state and Europol are both told, each by a paper of its own, and somebody is woken.
func TestUnclearGoesToBoth(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.crimes.Established = "DE"
	woken := 0
	w.crimes.Wake = func(context.Context, store.Duty) error {
		woken++
		return nil
	}
	for concerned, also := range map[country.Code]country.Code{
		"": crime.Europol, "FR": crime.Europol, "DE": "",
	} {
		d := w.suspect(concerned)
		if x, err := crime.Read(d); err != nil || x.Authority != "DE" || x.Also != also {
			t.Errorf("%q: %s and %q, %v", concerned, x.Authority, x.Also, err)
		}
	}
	if woken != 3 {
		t.Errorf("woken %d times", woken)
	}
	w.crimes.Wake = func(context.Context, store.Duty) error { return errors.New("no bell") }
	d := w.suspect("") // it is written down all the same, and says so
	if _, err := w.crimes.Approve(context.Background(), d.Subject, d.ID, 8,
		duty.Digest(d)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.crimes.Deliver(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(w.mails) != 1 || len(w.posts) != 1 {
		t.Errorf("%d mails, %d posts", len(w.mails), len(w.posts))
	}
}

// TestUrgent goes out on the word of one person who says why, and others hear of that.
func TestUrgent(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	d := w.suspect("")
	_, err := w.crimes.Urge(context.Background(), d.Subject, d.ID, 7, "")
	if !errors.Is(err, duty.ErrReason) {
		t.Errorf("urged without a reason: %v", err)
	}
	_, err = w.crimes.Urge(context.Background(), d.Subject, d.ID, 7, "He stands at the door.")
	if n := w.deliver(); err != nil || n != 1 || len(w.posts[crime.Reference(d)]) == 0 {
		t.Fatalf("%d sent, %v", n, err)
	}
	if got := w.get(d); got.Flags&duty.Urgent == 0 || len(w.alarms) != 1 {
		t.Errorf("flags %d, alarms %v", got.Flags, w.alarms)
	}
}

// TestTriedAgain: a program that fails is tried again under the same name, one that refuses is not.
func TestTriedAgain(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	d := w.suspect("")
	w.approve(d)
	w.status = http.StatusBadGateway
	if n := w.deliver(); n != 0 || w.get(d).Tries != 1 {
		t.Fatalf("%d sent, %+v", n, w.get(d))
	}
	w.crash, w.status = "sent", http.StatusOK
	w.Clock.Advance(time.Hour)
	if _, err := w.crimes.Deliver(context.Background()); !errors.Is(err, store.ErrStopped) {
		t.Fatal(err)
	}
	w.crash = ""
	w.open(w.crimes.Authorities)
	if n := w.deliver(); n != 1 || len(w.posts) != 1 {
		t.Errorf("%d sent, %d names", n, len(w.posts))
	}
	w.status = http.StatusBadRequest
	d = w.suspect("")
	w.approve(d)
	w.deliver()
	if got := w.get(d); duty.State(got.State) != duty.Refused ||
		!strings.Contains(fmt.Sprint(w.alarms), "refused") {
		t.Errorf("%s, alarms %v", duty.State(got.State), w.alarms)
	}
	_, err := w.crimes.Withdraw(context.Background(), d.Subject, d.ID, 7, "told by telephone")
	if got := w.get(d); err != nil || duty.State(got.State) != duty.Withdrawn {
		t.Errorf("%s, %v", duty.State(got.State), err)
	}
}

// TestWithdrawnMeanwhile: what is withdrawn while the receiver refuses it stays withdrawn, with its
// reason.
func TestWithdrawnMeanwhile(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	d := w.suspect("")
	w.approve(d)
	w.status = http.StatusBadRequest
	w.during = func() {
		_, err := w.crimes.Withdraw(context.Background(), d.Subject, d.ID, 7, "a mistake")
		if err != nil {
			t.Error(err)
		}
	}
	if n := w.deliver(); n != 0 {
		t.Errorf("%d sent", n)
	}
	if got := w.get(d); duty.State(got.State) != duty.Withdrawn {
		t.Errorf("%s: %+v", duty.State(got.State), got)
	}
}

// TestIncomplete refuses what says nothing.
func TestIncomplete(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	whole := crime.Suspicion{Facts: "a", Threat: "b", Ground: "c"}
	for field, change := range map[string]func(*crime.Suspicion){
		"facts":   func(x *crime.Suspicion) { x.Facts = " " },
		"threat":  func(x *crime.Suspicion) { x.Threat = "" },
		"ground":  func(x *crime.Suspicion) { x.Ground = strings.Repeat("x", 5001) },
		"country": func(x *crime.Suspicion) { x.Country = "XX" },
	} {
		x := whole
		change(&x)
		_, err := w.crimes.Propose(context.Background(), safetytest.Channel, 1, 7, x)
		var no crime.Refusal
		if !errors.As(err, &no) || no.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
