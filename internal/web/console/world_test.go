package console

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/blob"
	"parley/internal/chat/media"
	"parley/internal/chat/message"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/keyring"
	"parley/internal/mtproto/crypt"
	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/safety/dsadb"
	"parley/internal/safety/enforce"
	"parley/internal/safety/evidence"
	"parley/internal/smtp"
	"parley/internal/store"
	"parley/internal/store/storetest"
	"parley/internal/web/page"
	"parley/internal/web/staff"
)

// world is the console on a real store, with a public channel in which things are posted.
type world struct {
	t       testing.TB
	store   *store.Store
	clock   *clock.Fake
	blobs   blob.Store
	staff   *staff.Service
	console *Console
	channel ids.Peer
	// url is where the console listens, if it does.
	url string
	// members are the staff by role, with the secrets of their codes.
	members map[staff.Role]member
	posts   int64
	// sent are the mails that went out to senders of mails.
	sent []smtp.Letter
}

type member struct {
	staff.Member
	secret string
}

const password = "correct horse battery"

// author wrote all that is reported.
const author = ids.UserID(7001)

// newWorld builds a world whose console is reached at the two addresses.
func newWorld(t testing.TB, at, mediaAt string, limits staff.Limits) *world {
	t.Helper()
	w := &world{
		t: t, store: storetest.SQLite(t), clock: clock.NewFake(time.Unix(1_800_000_000, 0)),
		channel: ids.ChannelID(7).Peer(), url: at, members: make(map[staff.Role]member),
	}
	dir, err := blob.OpenDir(t.TempDir(), w.clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	papers, err := dir.Within("papers")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = papers.Close() })
	w.blobs = dir
	w.staff, err = staff.New(staff.Options{
		Store: w.store, Clock: w.clock, URL: at, Limits: limits, Key: [32]byte{2}, Memory: 64,
		Box: keyring.NewBox([32]byte{1}, crypt.NewRandom(rand.Reader)),
	})
	if err != nil {
		t.Fatal(err)
	}
	refs := safety.References{Key: [32]byte{3}}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	site, err := page.New(page.Options{URL: at, Name: "Parley", Clock: w.clock, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	decisions := &decide.Service{
		Store: w.store, Clock: w.clock, Random: rand.Reader, References: refs, Threshold: 50,
		Enforce: &enforce.Service{Store: w.store, Clock: w.clock},
	}
	law, agencies, orders := w.authorities(decisions, refs)
	crimes, tips := w.others()
	decisions.Owes = tips.Owes
	w.console, err = New(Rooms{
		EnrolOfficer: func(token string) string { return "https://example.org/e?token=" + token },
		Guide:        w.guide(), Law: law, Agencies: agencies, Orders: orders, Crimes: crimes, Tips: tips,
		DSA: dsadb.New(dsadb.Options{
			Store: w.store, Clock: w.clock, Log: log,
			Show: func(context.Context, []dsadb.Statement) error { return nil },
		}),
		DSAMode: "dry",
		Reports: Reports{Dir: filepath.Join(t.TempDir(), "forms"), Counted: w.counted},
		Site:    site, Store: w.store, Clock: w.clock, Staff: w.staff,
		Disclosures: w.disclosures(orders),
		Cases:       &casefile.Service{Store: w.store, Clock: w.clock, Random: rand.Reader},
		Evidence: &evidence.Service{
			Store: w.store, Clock: w.clock, Random: rand.Reader, Audit: Audit(w.staff),
		},
		Attachments: viewer(t, papers), Mails: w.mailroom(papers, orders, refs),
		Intake:    w.intake(refs),
		Decisions: decisions, Blobs: dir, Papers: papers, Key: [32]byte{4}, URL: at,
		MediaURL: mediaAt, Log: log,
		Appeals: &appeal.Service{
			Store: w.store, Clock: w.clock, Random: rand.Reader, References: refs,
			Decisions: decisions,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.people("Somebody", "News", "about it")
	return w
}

// served is a world whose console listens, at localhost for pages and at 127.0.0.1 for media.
func served(t testing.TB, limits staff.Limits) *world {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	w := newWorld(t, fmt.Sprintf("http://localhost:%d", port),
		fmt.Sprintf("http://127.0.0.1:%d", port), limits)
	server := &http.Server{Handler: w.console}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Shutdown(context.Background())
		<-done
	})
	return w
}

func (w *world) update(key ids.Peer, fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(context.Background(), key, fn); err != nil {
		w.t.Fatal(err)
	}
}

// people writes the channel and the author, with names that may be hostile.
func (w *world) people(name, title, about string) {
	w.t.Helper()
	w.update(author.Peer(), func(tx *store.Tx) error {
		return tx.PutUser(store.User{ID: author, FirstName: name, LastName: name, About: about,
			Created: 1})
	})
	w.update(w.channel, func(tx *store.Tx) error {
		return tx.PutChat(store.Chat{Peer: w.channel, Title: title, About: about, Creator: author,
			Created: 1, Members: 3})
	})
}

// post writes a post in the channel, with files, and returns its id.
func (w *world) post(text string, files ...media.File) int64 {
	w.t.Helper()
	content := message.Content{Text: text}
	for _, f := range files {
		content.Media = &message.Media{Kind: message.Document, ID: f.ID}
		if f.Kind == media.PhotoKind {
			content.Media.Kind = message.Photo
		}
	}
	body, err := content.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	w.posts++
	m := store.Message{Box: w.channel, Peer: w.channel, From: author.Peer(), Date: 5,
		Origin: w.channel, Nonce: w.posts, Body: body}
	w.update(w.channel, func(tx *store.Tx) error {
		x := m
		_, err := tx.AddMessage(&x, 1, func(int64) []byte { return nil })
		m.ID = x.ID
		return err
	})
	return m.ID
}

// file stores bytes as a file of people, and its row.
func (w *world) file(kind media.Kind, mime, name string, content []byte, small []byte) media.File {
	w.t.Helper()
	put := func(b []byte) []byte {
		d, _, err := w.blobs.Put(context.Background(), bytes.NewReader(b))
		if err != nil {
			w.t.Fatal(err)
		}
		return d[:]
	}
	w.posts++
	f := media.File{ID: 9000 + w.posts, Kind: kind, Mime: mime, Size: int64(len(content))}
	if name != "" {
		f.Attributes = []media.Attribute{{Kind: media.Filename, Text: name}}
	}
	if small != nil {
		f.Sizes = []media.Size{{Type: "s", Size: int64(len(small)), Digest: put(small)}}
	}
	body, err := cbor.Marshal(f)
	if err != nil {
		w.t.Fatal(err)
	}
	row := store.Media{ID: f.ID, Kind: int64(kind), Owner: author, Date: 1, Size: f.Size,
		Digest: put(content), Mime: mime, Body: body}
	w.update(ids.Peer(f.ID), func(tx *store.Tx) error { return tx.PutMedia(row) })
	return f
}

// allege reports something in a lane, as intake does: capture, case, report.
func (w *world) allege(about safety.Subject, lane safety.Lane, note string) store.Case {
	w.t.Helper()
	now := w.clock.Now()
	var id [3]int64
	for i := range id {
		var err error
		if id[i], err = safety.NewID(now, rand.Reader); err != nil {
			w.t.Fatal(err)
		}
	}
	var c store.Case
	w.update(about.Peer, func(tx *store.Tx) (err error) {
		c, _, err = casefile.Join(tx, casefile.Allegation{
			Subject: about, Lane: lane, Source: safety.OtherNotification,
			Category: safety.ScamsAndFraud, At: now.Unix(), Weight: 100, Reach: 3,
		}, id[0])
		if err != nil {
			return err
		}
		seen, err := evidence.Look(&tx.Reader, about, 0, now.Unix())
		if err != nil {
			return err
		}
		if err := evidence.Keep(tx, c.ID, seen, id[1]); err != nil {
			return err
		}
		return tx.AddReport(store.Report{
			Subject: about.Peer, ID: id[2], Case: c.ID, Reporter: id[2], At: now.Unix(),
			Source: string(safety.OtherNotification), Category: string(safety.ScamsAndFraud),
			Note: note, Weight: 100,
		})
	})
	return c
}

// report reports a post.
func (w *world) report(post int64, lane safety.Lane, note string) store.Case {
	w.t.Helper()
	return w.allege(safety.Subject{Peer: w.channel, Kind: safety.Message, Item: post,
		Author: author}, lane, note)
}

// member returns the member of staff of a role, who has a password and one-time codes.
func (w *world) member(role staff.Role) member {
	w.t.Helper()
	if m, ok := w.members[role]; ok {
		return m
	}
	m := w.enrolled("Member "+role.String(), role)
	w.members[role] = m
	return m
}

// enrolled adds somebody with a role to the staff.
func (w *world) enrolled(name string, role staff.Role) member {
	w.t.Helper()
	ctx := context.Background()
	id, token, err := w.staff.Add(ctx, staff.Operator, name, role)
	if err != nil {
		w.t.Fatal(err)
	}
	secret, err := w.staff.NewTOTP()
	if err != nil {
		w.t.Fatal(err)
	}
	err = w.staff.EnrolPassword(ctx, token, password, secret, w.code(secret))
	if err != nil {
		w.t.Fatal(err)
	}
	m, err := w.staff.Member(ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	w.clock.Advance(time.Minute) // a code is good once
	return member{m, secret}
}

// code is the one-time code of a secret now, as a generator computes it.
//
// https://datatracker.ietf.org/doc/html/rfc6238
func (w *world) code(secret string) string {
	w.t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		w.t.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, uint64(w.clock.Now().Unix()/30))
	sum := mac.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[19]&0xf:]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}

// seat is a browser in which a member of staff is signed in, without the browser.
type seat struct {
	*world
	cookie *http.Cookie
}

// sit signs a member of staff in.
func (w *world) sit(m member) *seat {
	w.t.Helper()
	s := &seat{world: w}
	status, _ := s.post("/signin", url.Values{
		"name": {m.Name}, "password": {password}, "code": {w.code(m.secret)},
	})
	if status != http.StatusSeeOther || s.cookie == nil {
		w.t.Fatalf("%s cannot sign in: %d", m.Name, status)
	}
	w.clock.Advance(time.Minute)
	return s
}

// send sends a request as a browser does, and returns status, body and where it leads.
func (s *seat) send(r *http.Request) (int, string) {
	if s.cookie != nil {
		r.AddCookie(s.cookie)
	}
	r.Header.Set("User-Agent", "test")
	w := httptest.NewRecorder()
	s.console.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		s.cookie = c
	}
	if at := w.Header().Get("Location"); at != "" {
		return w.Code, at
	}
	return w.Code, w.Body.String()
}

func (s *seat) get(at string) (int, string) {
	return s.send(httptest.NewRequest("GET", s.url+at, nil))
}

func (s *seat) post(at string, values url.Values) (int, string) {
	r := httptest.NewRequest("POST", s.url+at, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return s.send(r)
}

// formOf finds a form and its token on a page.
var formOf = regexp.MustCompile(
	`action="([^"?]+)[^>]*>\s*<input type="hidden" name="token" value="(\w+)">`)

// fill sends the form of a page that posts to a path.
func (s *seat) fill(on, at string, values url.Values) (int, string) {
	s.t.Helper()
	_, body := s.get(on)
	for _, m := range formOf.FindAllStringSubmatch(body, -1) {
		if m[1] == at {
			values.Set("token", m[2])
			return s.post(at, values)
		}
	}
	s.t.Fatalf("%s has no form for %s", on, at)
	return 0, ""
}
