package diag

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Types as other packages have them.
type (
	phoneNumber string
	authKey     [256]byte
	accessHash  int64
	peer        int64
	request     struct{ Message string }
	tally       int
)

func (peer) String() string      { return "peer" }
func (request) String() string   { return "meet me at noon" }
func (r *request) Error() string { return "refused" }

// discreet chooses its own form.
type discreet struct{ Text string }

func (d discreet) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("len", len(d.Text)), slog.String("text", d.Text))
}

// line logs one record in the given format and returns what was written.
func line(format Format, message string, args ...any) string {
	var out bytes.Buffer
	slog.New(NewHandler(&out, format, slog.LevelDebug)).Info(message, args...)
	return out.String()
}

func TestRedactsByNameAndType(t *testing.T) {
	const hidden = "meet me at noon"
	number := new(big.Int).SetBytes([]byte(hidden))
	for name, args := range map[string][]any{
		"name phone":          {"phone", hidden},
		"name snake":          {"login_code", hidden},
		"name camel":          {"phoneCodeHash", hidden},
		"name dotted":         {"smtp.password", hidden},
		"name text":           {"text", hidden},
		"secret number":       {"code", 24680},
		"secret duration":     {"salt", 24680 * time.Nanosecond},
		"group":               {slog.Group("message", "first", hidden)},
		"group around number": {slog.Group("token", "value", 24680)},
		"value with group":    {"sent", discreet{hidden}},
		"type string":         {"to", phoneNumber(hidden)},
		"type pointer":        {"to", new(phoneNumber)},
		"type array":          {"with", authKey{24, 68, 0}},
		"type number":         {"with", accessHash(24680)},
		"type list":           {"to", []phoneNumber{hidden}},
		"bytes":               {"frame", []byte(hidden)},
		"big number":          {"n", number},
		"big number value":    {"n", *number},
		"struct":              {"request", request{hidden}},
		"pointer to struct":   {"request", &struct{ Message string }{hidden}},
		"map":                 {"seen", map[string]string{"a": hidden}},
		"list of structs":     {"requests", []request{{hidden}}},
		"error of that name":  {"text", errors.New(hidden)},
	} {
		for _, format := range []Format{Text, JSON} {
			got := line(format, "test", args...)
			if !strings.Contains(got, Redacted) {
				t.Errorf("%s as %s: nothing redacted in %s", name, format, got)
			}
			for _, leak := range []string{hidden, "24680", "24.68", "noon", number.String()} {
				if strings.Contains(got, leak) {
					t.Errorf("%s as %s: %q in %s", name, format, leak, got)
				}
			}
		}
	}
}

func TestPassesWhatIsHarmless(t *testing.T) {
	var nilError *request
	for want, args := range map[string][]any{
		"auth_key_id=77":            {"auth_key_id", 77},
		"text_len=77":               {"text_len", 77},
		"messages=77":               {"messages", 77},
		"error_code=420":            {"error_code", 420},
		"status.code=200":           {"status.code", 200},
		"took=1.5s":                 {"took", 1500 * time.Millisecond},
		"err=refused":               {"err", error(&request{})},
		`err="keys: refused"`:       {"err", fmt.Errorf("keys: %w", &request{})},
		"err=<nil>":                 {"err", nilError},
		"none=<nil>":                {"none", nil},
		"addr=127.0.0.1:4430":       {"addr", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4430}},
		"from=192.0.2.0/24":         {"from", netip.MustParsePrefix("192.0.2.0/24")},
		"peer=peer":                 {"peer", peer(5)},
		"tally=5":                   {"tally", tally(5)},
		`doors="[gateway console]"`: {"doors", []string{"gateway", "console"}},
		"layers=\"[144 229]\"":      {"layers", []int{144, 229}},
		"zone=+02:00":               {"zone", "+02:00"},
		"sum=+123456":               {"sum", "+123456"},
	} {
		got := line(Text, "test", args...)
		if !strings.Contains(got, " "+want+"\n") {
			t.Errorf("want %s in %s", want, got)
		}
	}
}

func TestLinesKeepTimeLevelAndSource(t *testing.T) {
	var out bytes.Buffer
	zone := time.FixedZone("east", 5*3600+45*60)
	record := slog.NewRecord(time.Date(2026, 3, 1, 12, 0, 0, 0, zone), slog.LevelWarn, "slow disk", 0)
	if err := NewHandler(&out, Text, slog.LevelDebug).Handle(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	const want = "time=2026-03-01T12:00:00.000+05:45 level=WARN msg=\"slow disk\"\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestLevel(t *testing.T) {
	var level slog.LevelVar
	handler := NewHandler(io.Discard, JSON, &level)
	if handler.Enabled(t.Context(), slog.LevelDebug) {
		t.Error("debug lines are on at info")
	}
	level.Set(slog.LevelDebug)
	if !handler.Enabled(t.Context(), slog.LevelDebug) {
		t.Error("the level cannot be changed while running")
	}
}

func TestPhoneNumbersNeverComeOut(t *testing.T) {
	for _, phone := range []string{
		"+15550123456", "+1 555 012-34-56", "+49 (30) 555.0123", "+442079460123", "+3725550123",
		"+1\u00a0555\u00a0012\u00a03456", "+1/555/0123456", "%2B15550123456",
	} {
		log := func(format Format) string {
			var out bytes.Buffer
			base := slog.New(NewHandler(&out, format, slog.LevelDebug))
			base.Info("code sent to "+phone+", waiting", "to", phone)
			base.Info("failed", "err", fmt.Errorf("dial <%s>: refused", phone))
			base.Info("in a name", "user "+phone, 1)
			base.With("who", phone).WithGroup("of "+phone).Info("in a group", "a", "b")
			base.Info("in a list", "them", []string{"a", phone})
			return out.String()
		}
		for _, format := range []Format{Text, JSON} {
			got := log(format)
			if leak := leaked(got, phone); leak != "" {
				t.Errorf("%s as %s: %q in\n%s", phone, format, leak, got)
			}
			if !strings.Contains(got, "code sent to "+Redacted+", waiting") {
				t.Errorf("%s as %s: the rest of the message is gone:\n%s", phone, format, got)
			}
		}
	}
}

// leaked returns the longest run of four digits of phone that text shows.
func leaked(text, phone string) string {
	for _, run := range regexp.MustCompile(`[0-9]{3,}`).FindAllString(phone, -1) {
		// Times of day and years have runs of digits of their own.
		if strings.Contains(regexp.MustCompile(`"?time"?[=:]\S+?Z`).ReplaceAllString(text, ""), run) {
			return run
		}
	}
	return ""
}

var anyPhone = regexp.MustCompile(`(\+|%2[Bb])[0-9]([-. ()/]*[0-9]){6}`)

func FuzzScrub(f *testing.F) {
	for _, text := range []string{
		"", "+", "+1", "%2", "call +1 555 0123456 now", "+++15550123456", "a+123456+1234567",
		"+1 (555) 012 34 56) or +4420794601",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		clean := scrub(text)
		if anyPhone.Match(clean) {
			t.Fatalf("%q became %q", text, clean)
		}
		if !bytes.Equal(text, before) {
			t.Fatalf("scrubbing changed its input %q", before)
		}
		if !anyPhone.Match(text) && !bytes.Contains(text, []byte("%")) &&
			!bytes.Contains(text, []byte("+")) && !bytes.Equal(clean, text) {
			t.Fatalf("%q became %q", text, clean)
		}
	})
}

func FuzzHandler(f *testing.F) {
	f.Add("sent", "to", "+15550123456", false)
	f.Add("sent +1", "555", "0123456", true)
	f.Fuzz(func(t *testing.T, message, key, value string, json bool) {
		format := Text
		if json {
			format = JSON
		}
		got := line(format, message, key, value, slog.Group(key, value, message))
		if leak := anyPhone.FindString(got); leak != "" {
			t.Fatalf("%q in %s", leak, got)
		}
	})
}

func BenchmarkHandler(b *testing.B) {
	for name, handler := range map[string]slog.Handler{
		"plain slog": slog.NewTextHandler(io.Discard, nil),
		"redacted":   NewHandler(io.Discard, Text, slog.LevelInfo),
	} {
		b.Run(name, func(b *testing.B) {
			log := slog.New(handler)
			b.ReportAllocs()
			for b.Loop() {
				log.Info("connection closed", "addr", "192.0.2.7:51342", "auth_key_id", int64(77),
					"bytes", 12345, "reason", "idle", "err", io.EOF)
			}
		})
	}
}
