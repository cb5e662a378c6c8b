package cybertip_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"parley/internal/blob"
	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/safety/cybertip"
	"parley/internal/safety/decide"
	"parley/internal/safety/duty"
	"parley/internal/safety/evidence"
	"parley/internal/safety/ledger"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// world is a world with a tipline and what reports to it.
type world struct {
	*safetytest.World
	line   *tipline
	tips   *cybertip.Service
	blobs  *blob.Dir
	away   error // what the store of files answers instead
	alarms []string
	// crash ends a delivery at a point.
	crash string
}

func newWorld(t *testing.T, s *store.Store) *world {
	t.Helper()
	w := &world{World: safetytest.New(t, s)}
	w.line = newTipline(t, w.Clock)
	var err error
	if w.blobs, err = blob.OpenDir(t.TempDir(), w.Clock); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.blobs.Close() })
	w.open(password)
	return w
}

// open makes the service, as a process that starts does.
func (w *world) open(password string) {
	client := cybertip.NewClient(cybertip.Client{
		URL: w.line.URL + "/ispws/", User: user, Password: password, Blobs: shelf{w.blobs, w},
		Now: w.Clock.Now,
	}, time.Minute)
	w.tips = &cybertip.Service{
		Service: duty.New(duty.Options{
			Store: w.Store, Clock: w.Clock, Random: rand.Reader,
			Log:  slog.New(slog.DiscardHandler),
			Kind: duty.ChildAbuse, Send: client.Send, Public: cybertip.Public,
			Alarm: func(_ store.Duty, why string) { w.alarms = append(w.alarms, why) },
			Crash: func(point string) error {
				if point == w.crash {
					return store.ErrStopped
				}
				return nil
			},
		}),
		Reporter: cybertip.Reporter{
			First: "Trust", Last: "Desk", Email: "desk@chat.example.org", Service: "Parley",
			Legal: "https://chat.example.org/contact",
		},
		URL: "https://chat.example.org", Subject: true,
	}
	w.Decisions.Owes = w.tips.Owes
}

// shelf is the world's store of files, which is now and then away.
type shelf struct {
	*blob.Dir
	w *world
}

func (s shelf) Stat(ctx context.Context, of blob.Digest) (blob.Info, error) {
	if s.w.away != nil {
		return blob.Info{}, s.w.away
	}
	return s.Dir.Stat(ctx, of)
}

// reported makes a case about a post and draws its report up with a file.
func (w *world) reported(text string) (store.Case, cybertip.Report) {
	w.Helper()
	post := w.Post(text)
	w.Report(post)
	var c store.Case
	w.View(func(r *store.Reader) (err error) {
		c, err = r.LastCase(casefile.About(post, 0))
		return err
	})
	r, err := w.tips.Draw(context.Background(), c.Subject, c.ID)
	if err != nil {
		w.Fatal(err)
	}
	d, _, err := w.blobs.Put(context.Background(), strings.NewReader("bytes of "+text))
	if err != nil {
		w.Fatal(err)
	}
	r.Type = cybertip.Material
	r.Files = []cybertip.File{{
		Digest: d.String(), Name: "a \"name\".jpg", Mime: "image/jpeg", Viewed: true,
		Public: true, Class: "A2", Annotations: []string{"viral", "infant"},
	}}
	r.Annotations = []string{"informational", "csamSolicitation"}
	return c, r
}

func (w *world) send(c store.Case, r cybertip.Report) store.Duty {
	w.Helper()
	d, err := w.tips.Report(context.Background(), c.Subject, c.ID, 7, r)
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

// deliver runs the worker once.
func (w *world) deliver() (int, error) { return w.tips.Deliver(context.Background()) }

// TestReportArrives sends a report: whole, in the schema's order, once, with its files, a line in
// the public log, and evidence that is held for a year.
func TestReportArrives(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		c, r := w.reported("words <&> of a post")
		if len(r.URLs) == 0 && r.Room == "" || r.Content != "words <&> of a post" {
			t.Errorf("drawn up as %+v", r)
		}
		d := w.send(c, r)
		if n, err := w.deliver(); n != 1 || err != nil {
			t.Fatalf("delivered %d, %v: %s", n, err, w.get(d).Problem)
		}
		if n, err := w.deliver(); n != 0 || err != nil {
			t.Errorf("again: %d, %v", n, err)
		}
		all := w.line.finished()
		if len(all) != 1 {
			t.Fatalf("%d reports are filed", len(all))
		}
		for _, want := range []string{
			"words &lt;&amp;&gt; of a post", string(cybertip.Material), "<csamSolicitation>",
			"<espIdentifier>", "desk@chat.example.org",
		} {
			if !strings.Contains(all[0].document, want) {
				t.Errorf("the report has no %s:\n%s", want, all[0].document)
			}
		}
		if got := all[0].files["file-1"]; !bytes.Equal(got, []byte("bytes of "+r.Content)) {
			t.Errorf("the file arrived as %q", got)
		}
		if got := all[0].details["file-1"]; !strings.Contains(got, "A2") {
			t.Errorf("the file is described by %s", got)
		}
		w.kept(c, d)
		_, err := w.tips.Report(context.Background(), c.Subject, c.ID, 7, r)
		if !errors.Is(err, duty.ErrUnderWay) {
			t.Errorf("a second report of the case: %v", err)
		}
	})
}

// kept looks at what stays of a delivered report.
func (w *world) kept(c store.Case, d store.Duty) {
	w.Helper()
	got := w.get(d)
	if duty.State(got.State) != duty.Delivered || got.Receipt != "4564655" || got.Settled == 0 {
		w.Errorf("it is %s, %q", duty.State(got.State), got.Receipt)
	}
	w.View(func(r *store.Reader) error {
		holds, err := r.Holds(c.Subject, c.ID)
		if len(holds) != 1 || holds[0].Ends != w.Clock.Now().Add(365*24*time.Hour).Unix() {
			w.Errorf("evidence is held by %+v", holds)
		}
		if err != nil {
			return err
		}
		row, err := r.LedgerRow(d.Subject, d.ID, int64(ledger.Disclosure))
		if err != nil {
			return err
		}
		e, err := ledger.Read(row)
		if e.Instrument != "US_18_USC_2258A" || e.Country != "US" ||
			strings.Contains(string(row.Entry), got.Receipt) {
			w.Errorf("logged as %s", row.Entry)
		}
		return err
	})
}

// TestKilledAnywhere ends the process after each step of a report: it is filed once all the same.
func TestKilledAnywhere(t *testing.T) {
	for _, point := range []string{"noted", "sent"} {
		t.Run(point, func(t *testing.T) {
			w := newWorld(t, storetest.SQLite(t))
			c, r := w.reported("post")
			d := w.send(c, r)
			w.crash = point
			if _, err := w.deliver(); !errors.Is(err, store.ErrStopped) {
				t.Fatalf("not ended: %v", err)
			}
			w.crash = ""
			w.open(password)
			if n, err := w.deliver(); n != 1 || err != nil {
				t.Fatalf("delivered %d, %v", n, err)
			}
			if got := w.get(d); len(w.line.finished()) != 1 || got.Receipt == "" {
				t.Errorf("%d filed; receipt %q", len(w.line.finished()), got.Receipt)
			}
		})
	}
}

// TestAnswersThatAreLost loses the answer to each call: the next try files the report once.
func TestAnswersThatAreLost(t *testing.T) {
	for _, path := range []string{"submit", "upload", "fileinfo", "finish"} {
		t.Run(path, func(t *testing.T) {
			w := newWorld(t, storetest.SQLite(t))
			c, r := w.reported("post")
			d := w.send(c, r)
			w.line.answers("/ispws/"+path, lost)
			if n, err := w.deliver(); n != 0 || err != nil {
				t.Fatalf("delivered %d, %v", n, err)
			}
			if got := w.get(d); duty.State(got.State) != duty.Owed || got.Tries != 1 {
				t.Fatalf("it is %s after %d tries", duty.State(got.State), got.Tries)
			}
			w.Clock.Advance(time.Minute)
			if n, err := w.deliver(); n != 1 || err != nil {
				t.Fatalf("delivered %d, %v: %s", n, err, w.get(d).Problem)
			}
			if n := len(w.line.finished()); n != 1 {
				t.Errorf("%d reports are filed", n)
			}
		})
	}
}

// TestExpired goes on with a report that was erased there because nobody finished it.
func TestExpired(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	c, r := w.reported("post")
	d := w.send(c, r)
	w.line.answers("/ispws/finish", func(w http.ResponseWriter, _ func()) {
		no(w, 1000, "Server error")
	})
	_, _ = w.deliver()
	w.Clock.Advance(48 * time.Hour)
	if n, err := w.deliver(); n != 1 || err != nil || w.get(d).Receipt != "4564656" {
		t.Errorf("delivered %d, %v: %+v", n, err, w.get(d))
	}
}

// TestRefused: what is wrong in the report itself is not tried again, alarms, and is sent once it is
// mended.
func TestRefused(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	c, r := w.reported("post")
	d := w.send(c, r)
	w.line.answers("/ispws/submit", func(w http.ResponseWriter, _ func()) {
		no(w, 4100, "Validation failed: reporter")
	})
	_, _ = w.deliver()
	got := w.get(d)
	if duty.State(got.State) != duty.Refused || !strings.Contains(got.Problem, "4100") ||
		fmt.Sprint(w.alarms) != "[refused]" {
		t.Fatalf("it is %s: %s; alarms %v", duty.State(got.State), got.Problem, w.alarms)
	}
	if _, err := w.tips.Mend(context.Background(), d.Subject, d.ID, 8, r); err != nil {
		t.Fatal(err)
	}
	if n, err := w.deliver(); n != 1 || err != nil {
		t.Errorf("delivered %d, %v", n, err)
	}
}

// TestFilesOutOfReach: a report whose files cannot be read now is sent once they can; one whose
// files are gone is for somebody to mend.
func TestFilesOutOfReach(t *testing.T) {
	for away, want := range map[error]duty.State{
		blob.ErrUnavailable: duty.Owed, blob.ErrNotFound: duty.Refused,
	} {
		w := newWorld(t, storetest.SQLite(t))
		c, r := w.reported("post")
		d := w.send(c, r)
		w.away = away
		n, err := w.deliver()
		if got := w.get(d); n != 0 || err != nil || duty.State(got.State) != want {
			t.Errorf("%v: delivered %d, %v; it is %s", away, n, err, duty.State(got.State))
		}
		w.away = nil
		w.Clock.Advance(24 * time.Hour)
		n, err = w.deliver()
		if sent := n == 1; sent != (want == duty.Owed) || err != nil {
			t.Errorf("%v, and back: delivered %d, %v", away, n, err)
		}
	}
}

// TestWrongPassword: nothing is lost, the receiver is left alone, somebody hears of it.
func TestWrongPassword(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	c, r := w.reported("post")
	d := w.send(c, r)
	w.open("wrong")
	for range 5 {
		if n, err := w.deliver(); n != 0 || err != nil {
			t.Fatalf("delivered %d, %v", n, err)
		}
	}
	if len(w.line.calls) != 1 || len(w.alarms) != 1 {
		t.Errorf("%d calls, alarms %v", len(w.line.calls), w.alarms)
	}
	w.open(password)
	w.Clock.Advance(time.Hour)
	if n, err := w.deliver(); n != 1 || err != nil {
		t.Errorf("delivered %d, %v: %s", n, err, w.get(d).Problem)
	}
}

// TestCheck names all that is missing, and sends nothing then.
func TestCheck(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	c, whole := w.reported("post")
	for _, x := range []struct {
		field  string
		change func(*cybertip.Report)
	}{
		{"incidentType", func(r *cybertip.Report) { r.Type = "Other" }},
		{"incidentDateTime", func(r *cybertip.Report) { r.At = time.Time{} }},
		{"incidentDateTime", func(r *cybertip.Report) { r.At = w.Clock.Now().Add(time.Hour) }},
		{"escalateToHighPriority", func(r *cybertip.Report) { r.Priority = "  " }},
		{"escalateToHighPriority", func(r *cybertip.Report) {
			r.Priority = strings.Repeat("x", 3001)
		}},
		{"reportAnnotations", func(r *cybertip.Report) { r.Annotations = []string{"odd"} }},
		{"espIdentifier", func(r *cybertip.Report) { r.Person.ID = "" }},
		{"ipAddress", func(r *cybertip.Report) {
			r.Person.Events = []cybertip.Event{{Address: "nowhere", Name: "Login", At: r.At}}
		}},
		{"eventName", func(r *cybertip.Report) {
			r.Person.Events = []cybertip.Event{{Address: "192.0.2.1", Name: "Visit", At: r.At}}
		}},
		{"url", func(r *cybertip.Report) { r.URLs = []string{"javascript:1"} }},
		{"file 1", func(r *cybertip.Report) { r.Files[0].Digest = "x" }},
		{"file 1/originalFileName", func(r *cybertip.Report) { r.Files[0].Name = "" }},
		{"file 1/industryClassification", func(r *cybertip.Report) { r.Files[0].Class = "C" }},
		{"content", func(r *cybertip.Report) { r.Files, r.Content, r.Note = nil, "", "" }},
	} {
		r := whole
		r.Files = append([]cybertip.File(nil), whole.Files...)
		x.change(&r)
		_, err := w.tips.Report(context.Background(), c.Subject, c.ID, 7, r)
		var no *cybertip.IncompleteError
		if !errors.As(err, &no) || no.Missing[0].Field != x.field {
			t.Errorf("%s: %v", x.field, err)
		}
	}
	whole.Files[0].Viewed, whole.Files[0].Class = false, ""
	if all := cybertip.Check(whole, w.Clock.Now()); len(all) < 2 || !all[len(all)-1].Advice {
		t.Errorf("advice: %v", all)
	}
	if n, _ := w.deliver(); n != 0 || len(w.line.calls) != 0 {
		t.Errorf("delivered %d", n)
	}
}

// TestDryRun writes a report down and sends nothing; once it is sent, it arrives.
func TestDryRun(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	c, r := w.reported("post")
	send := w.tips.Send
	dir := t.TempDir()
	w.tips.Send, w.tips.Show = nil, cybertip.Directory(dir)
	w.send(c, r)
	for range 2 {
		if n, err := w.deliver(); n != 0 || err != nil {
			t.Fatalf("delivered %d, %v", n, err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 || len(w.line.calls) != 0 {
		t.Fatalf("%d files, %v; %d calls", len(files), err, len(w.line.calls))
	}
	w.tips.Send = send
	w.Clock.Advance(time.Hour)
	if n, err := w.deliver(); n != 1 || err != nil {
		t.Errorf("delivered %d, %v", n, err)
	}
}

// TestNoDecisionWithoutReport: where the operator has to report, a member of staff decides such a
// case only after that, and what cannot wait leaves the question open.
func TestNoDecisionWithoutReport(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	draft := func(c store.Case) decide.Draft {
		d := safetytest.Draft(c.ID, casefile.Subject(c))
		d.Category = safety.ProtectionMinors
		d.Keywords = []safety.Keyword{"KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL"}
		return d
	}
	c, r := w.reported("one")
	if _, err := w.Decisions.Decide(context.Background(), draft(c)); !errors.Is(
		err, cybertip.ErrUnreported) {
		t.Fatalf("decided: %v", err)
	}
	w.send(c, r)
	w.Decide(draft(c))
	c, _ = w.reported("two")
	if _, err := w.tips.Decline(context.Background(), c.Subject, c.ID, 7, ""); !errors.Is(
		err, duty.ErrReason) {
		t.Errorf("declined without a reason: %v", err)
	}
	if _, err := w.tips.Decline(context.Background(), c.Subject, c.ID, 7, "drawn"); err != nil {
		t.Fatal(err)
	}
	w.Decide(draft(c))
	c, _ = w.reported("three")
	ordered := draft(c)
	ordered.Ordered = true
	w.Decide(ordered)
	w.Clock.Advance(2 * time.Hour)
	if err := w.tips.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(w.alarms) != "[waits for somebody: open]" {
		t.Errorf("alarms %v", w.alarms)
	}
	w.tips.Subject = false
	c, _ = w.reported("four")
	w.Decide(draft(c))
}

// TestEvidenceIsCaptured draws a report up for a case that has no evidence yet.
func TestEvidenceIsCaptured(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	post := w.Post("bare")
	var c store.Case
	w.Update(post.Peer, func(tx *store.Tx) (err error) {
		c, _, err = casefile.Join(tx, casefile.Allegation{
			Subject: post, Lane: safety.ChildSafety, Source: safety.Voluntary, At: 1,
		}, 99)
		return err
	})
	r, err := w.tips.Draw(context.Background(), c.Subject, c.ID)
	if err != nil || r.Content != "bare" {
		t.Fatalf("%+v, %v", r, err)
	}
	r.Type = cybertip.Unsolicited
	w.send(c, r)
	w.View(func(r *store.Reader) error {
		seen, err := evidence.Of(r, c.Subject, c.ID)
		if len(seen) != 1 {
			t.Errorf("%d captures", len(seen))
		}
		return err
	})
}
