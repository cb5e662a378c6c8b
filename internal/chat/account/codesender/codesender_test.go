package codesender

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/internal/hook"
)

// testMessage is what the tests send. None of its private parts may be seen in an error.
func testMessage() Message {
	return Message{
		Phone: "+15550100", Code: "40317", Purpose: Login, Lang: "en",
		Time:  time.Date(2026, 3, 1, 13, 30, 5, 999, time.FixedZone("", 3600)),
		Email: "river@example.org",
	}
}

// checkSilent fails the test when an error tells something private.
func checkSilent(t *testing.T, err error) {
	t.Helper()
	for _, private := range []string{"5550100", "40317", "river", "sesame"} {
		if err != nil && strings.Contains(err.Error(), private) {
			t.Errorf("the error tells %q: %v", private, err)
		}
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Message)
		ok     bool
	}{
		{"as it is", func(*Message) {}, true},
		{"no plus", func(m *Message) { m.Phone = "15550100" }, true},
		{"no mail address", func(m *Message) { m.Email = "" }, true},
		{"no phone", func(m *Message) { m.Phone = "" }, true},
		{"neither", func(m *Message) { m.Phone, m.Email = "", "" }, false},
		{"letters in phone", func(m *Message) { m.Phone = "1555x" }, false},
		{"line in phone", func(m *Message) { m.Phone = "1555\n1" }, false},
		{"two plus", func(m *Message) { m.Phone = "++1555" }, false},
		{"long phone", func(m *Message) { m.Phone = strings.Repeat("1", maxPhone+1) }, false},
		{"letters in code", func(m *Message) { m.Code = "aB-9" }, true},
		{"no code", func(m *Message) { m.Code = "" }, false},
		{"escape in code", func(m *Message) { m.Code = "1\x1b[2J" }, false},
		{"long code", func(m *Message) { m.Code = strings.Repeat("1", maxCode+1) }, false},
		{"unknown purpose", func(m *Message) { m.Purpose = "fun" }, false},
		{"name in address", func(m *Message) { m.Email = "River <river@example.org>" }, false},
		{"two addresses", func(m *Message) { m.Email = "a@example.org, b@example.org" }, false},
		{"header in address", func(m *Message) { m.Email = "a@example.org\r\nBcc: b@c.d" }, false},
		{"long address", func(m *Message) { m.Email = strings.Repeat("a", 251) + "@b.c" }, false},
	}
	for _, test := range tests {
		m := testMessage()
		test.change(&m)
		if err := m.check(); (err == nil) != test.ok || err != nil && !errors.Is(err, ErrMessage) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestEverySenderChecks sends a malformed and a cancelled message through every form.
func TestEverySenderChecks(t *testing.T) {
	webhook, err := NewWebhook(hook.Options{
		URL: "https://127.0.0.1:1/", Secret: make([]byte, hook.MinSecret), AllowPrivate: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	smtp, err := NewSMTP(SMTPOptions{
		Address: "127.0.0.1:1", From: "service@example.org", Service: "Example",
	})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	path := filepath.Join(t.TempDir(), FileName)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, s := range []Sender{
		NewConsole(&out), NewFile(path), webhook, smtp,
		NewMulti(slog.New(slog.DiscardHandler), smtp),
	} {
		bad := testMessage()
		bad.Code = "12\n34"
		if err := s.Send(t.Context(), bad); !errors.Is(err, ErrMessage) {
			t.Errorf("%T: a malformed message: %v", s, err)
		}
		if err := s.Send(cancelled, testMessage()); !errors.Is(err, context.Canceled) {
			t.Errorf("%T: a cancelled context: %v", s, err)
		}
	}
	if _, err := os.Stat(path); out.Len() != 0 || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was written: %q, %v", &out, err)
	}
}

func TestMessageIsSilent(t *testing.T) {
	var out bytes.Buffer
	m := testMessage()
	fmt.Fprintf(&out, "%v %+v %#v %s", m, m, m, &m)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("sent", "what", m)
	slog.New(slog.NewTextHandler(&out, nil)).Info("sent", "what", &m)
	checkSilent(t, errors.New(out.String()))
	if !strings.Contains(out.String(), "code for login") {
		t.Errorf("printed %s", &out)
	}
}

func TestConsole(t *testing.T) {
	var out bytes.Buffer
	c := NewConsole(&out)
	if err := c.Send(t.Context(), testMessage()); err != nil {
		t.Fatal(err)
	}
	m := testMessage()
	m.Phone, m.Purpose = "", Recovery
	if err := c.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	want := "2026-03-01T12:30:05Z login code for +15550100: 40317\n" +
		"2026-03-01T12:30:05Z recovery code for river@example.org: 40317\n"
	if out.String() != want {
		t.Errorf("wrote %q, want %q", &out, want)
	}
	err := NewConsole(brokenWriter{}).Send(t.Context(), m)
	var delivery *DeliveryError
	if !errors.As(err, &delivery) {
		t.Errorf("a broken console: %v", err)
	}
	checkSilent(t, err)
}

// brokenWriter fails with the text that it was to write.
type brokenWriter struct{}

func (brokenWriter) Write(p []byte) (int, error) { return 0, errors.New(string(p)) }

// readLines reads the file of codes as an operator's script would.
func readLines(t *testing.T, path string) []map[string]string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(content, []byte("\n")) {
		t.Error("the last line has no end")
	}
	var list []map[string]string
	for line := range strings.Lines(string(content)) {
		var fields map[string]string
		if json.Unmarshal([]byte(line), &fields) == nil {
			list = append(list, fields)
		}
	}
	return list
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	f := NewFile(path)
	if err := f.Send(t.Context(), testMessage()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"time":"2026-03-01T12:30:05Z","phone":"+15550100","code":"40317"}` + "\n"
	if string(content) != want {
		t.Errorf("wrote %s, want %s", content, want)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != fileMode {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	m := testMessage()
	m.Phone = ""
	if err := f.Send(t.Context(), m); !errors.Is(err, ErrNoAddress) {
		t.Errorf("without a phone: %v", err)
	}
}

func TestFileAppendsAndMends(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	// Another process wrote a line and a half, and opened the file to everybody.
	old := `{"time":"2026-01-01T00:00:00Z","phone":"1","code":"1"}` + "\n" + `{"time":"20`
	if err := os.WriteFile(path, []byte(old), 0o666); err != nil {
		t.Fatal(err)
	}
	f := NewFile(path)
	for range 2 {
		if err := f.Send(t.Context(), testMessage()); err != nil {
			t.Fatal(err)
		}
	}
	list := readLines(t, path)
	if len(list) != 3 || list[0]["code"] != "1" || list[2]["code"] != "40317" {
		t.Errorf("read %v", list)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != fileMode {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	// An operator moves the file away.
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := f.Send(t.Context(), testMessage()); err != nil {
		t.Fatal(err)
	}
	if list := readLines(t, path); len(list) != 1 {
		t.Errorf("after moving: %v", list)
	}
}

func TestFileInParallel(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	const writers, each = 4, 10
	f := NewFile(path)
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				m := testMessage()
				m.Code = fmt.Sprintf("%d-%d", w, i)
				if err := f.Send(t.Context(), m); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	seen := make(map[string]bool)
	for _, fields := range readLines(t, path) {
		seen[fields["code"]] = true
	}
	if len(seen) != writers*each {
		t.Errorf("%d codes, want %d", len(seen), writers*each)
	}
}

func TestFileFails(t *testing.T) {
	err := NewFile(filepath.Join(t.TempDir(), "absent", FileName)).Send(t.Context(), testMessage())
	var delivery *DeliveryError
	if !errors.As(err, &delivery) || !delivery.Temporary {
		t.Errorf("Send = %v", err)
	}
	checkSilent(t, err)
}

// fixed is a sender that always answers the same.
type fixed struct {
	err  error
	sent *int
}

func (f fixed) Send(context.Context, Message) error {
	*f.sent++
	return f.err
}

func TestMulti(t *testing.T) {
	broken := &DeliveryError{Via: "test", Reason: "broken"}
	other := &DeliveryError{Via: "test", Reason: "other"}
	tests := []struct {
		name    string
		answers []error
		want    []error
		warned  int
	}{
		{"all succeed", []error{nil, nil}, nil, 0},
		{"one fails", []error{broken, nil}, nil, 1},
		{"one has no address", []error{ErrNoAddress, nil}, nil, 0},
		{"all fail", []error{broken, other}, []error{broken, other}, 2},
		{"no address and failure", []error{ErrNoAddress, broken}, []error{broken}, 1},
		{"no address at all", []error{ErrNoAddress, ErrNoAddress}, []error{ErrNoAddress}, 0},
		{"no sender", nil, []error{ErrNoAddress}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			counts := make([]int, len(test.answers))
			var senders []Sender
			for i, err := range test.answers {
				senders = append(senders, fixed{err, &counts[i]})
			}
			err := NewMulti(slog.New(slog.NewTextHandler(&log, nil)), senders...).
				Send(t.Context(), testMessage())
			if (err == nil) != (test.want == nil) {
				t.Errorf("Send = %v", err)
			}
			for _, want := range test.want {
				if !errors.Is(err, want) {
					t.Errorf("Send = %v, want %v in it", err, want)
				}
			}
			for i, n := range counts {
				if n != 1 {
					t.Errorf("sender %d was used %d times", i, n)
				}
			}
			if n := strings.Count(log.String(), "level=WARN"); n != test.warned {
				t.Errorf("%d warnings, want %d: %s", n, test.warned, &log)
			}
			checkSilent(t, errors.New(log.String()))
		})
	}
}

func TestTexts(t *testing.T) {
	list, err := loadTexts()
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"en", "ru", "fa", "ar", "id", "de", "fr", "zh", "ko"} {
		bodies := make(map[string]Purpose)
		for _, p := range purposes() {
			body := checkText(t, list, lang, p)
			if other, taken := bodies[body]; taken {
				t.Errorf("%s: %s and %s read the same", lang, p, other)
			}
			bodies[body] = p
		}
	}
	for tag, want := range map[string]string{
		"": "en", "xx": "en", "DE": "de", "fr-CA": "fr", "zh_Hans": "zh", "zh-hant-tw": "zh",
		"../en": "en",
	} {
		if got, _ := list.choose(tag); got != want {
			t.Errorf("%q chooses %s, want %s", tag, got, want)
		}
	}
}

// checkText composes a mail and checks that the code stands on a line of its own and nowhere else.
func checkText(t *testing.T, list texts, lang string, p Purpose) (body string) {
	t.Helper()
	const service = "Exämple & <Co>"
	m := testMessage()
	m.Purpose, m.Lang = p, lang
	got, err := list.compose(m, service)
	if err != nil {
		t.Fatal(err)
	}
	if got.lang != lang || !strings.Contains(got.subject, service) {
		t.Errorf("%s %s: %+v", lang, p, got)
	}
	if strings.ContainsAny(got.subject, "\r\n") || strings.Contains(got.subject, m.Code) {
		t.Errorf("%s %s: subject %q", lang, p, got.subject)
	}
	alone := "\n\n" + m.Code + "\n\n"
	if strings.Count(got.body, alone) != 1 || strings.Count(got.body, m.Code) != 1 {
		t.Errorf("%s %s: body %q", lang, p, got.body)
	}
	if strings.Contains(got.subject+got.body, "{{") {
		t.Errorf("%s %s: %+v", lang, p, got)
	}
	return got.body
}

func FuzzCheck(f *testing.F) {
	f.Add("+15550100", "40317", "login", "river@example.org")
	f.Fuzz(func(t *testing.T, phone, code, purpose, email string) {
		m := Message{Phone: phone, Code: code, Purpose: Purpose(purpose), Email: email}
		if m.check() != nil {
			return
		}
		if strings.ContainsAny(phone+code+email, "\r\n\x00\x1b") {
			t.Errorf("accepted %q %q %q", phone, code, email)
		}
		var out bytes.Buffer
		if err := NewConsole(&out).Send(t.Context(), m); err != nil ||
			strings.Count(out.String(), "\n") != 1 {
			t.Errorf("wrote %q, %v", &out, err)
		}
	})
}
