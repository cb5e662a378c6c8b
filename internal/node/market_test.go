package node

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/gotd/td/tg"

	"parley/internal/chat"
	"parley/internal/chat/account"
	"parley/internal/safety/market"
)

// sent is the code that was sent to a number last.
func (w *world) sent(phone string) (code string) {
	w.t.Helper()
	file, err := os.ReadFile(w.cfg.Codes.File)
	if err != nil {
		w.t.Fatal(err)
	}
	for line := range bytes.Lines(file) {
		var x struct{ Phone, Code string }
		if err := json.Unmarshal(line, &x); err != nil {
			w.t.Fatal(err)
		}
		if x.Phone == phone {
			code = x.Code
		}
	}
	return code
}

// arrives signs in with a number of a real country, and up when it has no account yet; it returns
// what the API refuses it with, if it does.
func (w *world) arrives(phone string) (p *person, err error) {
	w.t.Helper()
	p = &person{client: w.device(), phone: phone}
	sent, err := p.AuthSendCode(ctx(), &tg.AuthSendCodeRequest{
		PhoneNumber: phone, APIID: 4, APIHash: "h",
	})
	if err != nil {
		return nil, err
	}
	hash := sent.(*tg.AuthSentCode).PhoneCodeHash
	in := &tg.AuthSignInRequest{PhoneNumber: phone, PhoneCodeHash: hash}
	in.SetPhoneCode(w.sent(phone))
	a, err := p.AuthSignIn(ctx(), in)
	if _, fresh := a.(*tg.AuthAuthorizationSignUpRequired); fresh && err == nil {
		a, err = p.AuthSignUp(ctx(), &tg.AuthSignUpRequest{
			PhoneNumber: phone, PhoneCodeHash: hash, FirstName: "Member",
		})
	}
	if err != nil {
		return nil, err
	}
	p.enter(a)
	return p, nil
}

// reads waits for a message of the service account that a check accepts.
func (d *client) reads(is func(*tg.Message) bool) (found *tg.Message) {
	d.w.t.Helper()
	d.wait(func(list []tg.UpdateClass) bool {
		for _, u := range list {
			u, ok := u.(*tg.UpdateNewMessage)
			if !ok {
				continue
			}
			if m, ok := u.Message.(*tg.Message); ok && !m.Out && is(m) {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// TestMarkets: a country that is being left takes nobody new and tells who is there; one that was
// left lets nobody in, and who is in stays in; one that is open again takes all. Other countries
// notice nothing.
func TestMarkets(t *testing.T) {
	w := newWorld(t)
	const known, fresh, abroad = "4915112345678", "4915112345679", "436601234567"
	is := func(state market.State) {
		t.Helper()
		err := w.n.Markets.Set(ctx(), "DE", market.Change{State: state, Why: "A law.", By: "board"})
		if err != nil {
			t.Fatal(err)
		}
	}
	old := must(w.arrives(known))(t)
	expect := func(phone, reason string) {
		t.Helper()
		_, err := w.arrives(phone)
		var r chat.Refusal
		if reason == "" && err != nil || reason != "" && (!errors.As(err, &r) || r.Reason != reason) {
			t.Errorf("%s: %v, want %q", phone, err, reason)
		}
	}
	is(market.Leaving)
	expect(fresh, "COUNTRY_SIGNUP_CLOSED")
	expect(known, "")
	expect(abroad, "")
	must(w.n.Markets.TellAll(ctx()))(t)
	old.reads(func(m *tg.Message) bool {
		return strings.Contains(m.Message, "Germany") && strings.Contains(m.Message, "/export")
	})
	is(market.Left)
	expect(fresh, "COUNTRY_NOT_SERVED")
	expect(known, "COUNTRY_NOT_SERVED")
	expect(abroad, "")
	must(old.UpdatesGetState(ctx()))(t)
	is(market.Open)
	expect(known, "")
	expect(fresh, "")
}

// unpacked is a file of a ZIP archive.
func unpacked(t *testing.T, archive []byte, name string) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := fs.ReadFile(z, name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestExport: who writes /export to the service account is sent his messages as a file, and nobody
// else can fetch it, whatever he knows of it.
func TestExport(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	a.say(b.self.Peer(), "between us")
	a.say(account.ServiceUser.Peer(), "/export")
	w.settle()
	if err := w.n.Statements.Listen(ctx()); err != nil {
		t.Fatal(err)
	}
	must(w.n.Statements.SendExports(ctx()))(t)
	m := a.reads(func(m *tg.Message) bool { return m.Media != nil })
	doc := m.Media.(*tg.MessageMediaDocument).Document.(*tg.Document)
	var got struct {
		Person struct {
			ID int64 `json:"user_id"`
		} `json:"personal_information"`
	}
	file := unpacked(t, a.fetch(t, doc), "result.json")
	if err := json.Unmarshal(file, &got); err != nil || got.Person.ID != int64(a.self) ||
		!bytes.Contains(file, []byte("between us")) {
		t.Errorf("%v: %s", err, file)
	}
	at := doc.AsInputDocumentFileLocation("")
	_, err := b.UploadGetFile(ctx(), &tg.UploadGetFileRequest{Location: at, Limit: 4096})
	if err == nil {
		t.Error("somebody else fetched it")
	}
	_, err = b.MessagesSendMedia(ctx(), &tg.MessagesSendMediaRequest{
		Peer: b.input(b.self.Peer()), RandomID: random(),
		Media: &tg.InputMediaDocument{ID: &tg.InputDocument{
			ID: doc.ID, AccessHash: doc.AccessHash, FileReference: doc.FileReference,
		}},
	})
	if err == nil {
		t.Error("somebody else sent it on")
	}
	if len(b.history(t, account.ServiceUser.Peer())) != 0 {
		t.Error("somebody else was sent something")
	}
}
