package config

import (
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
)

// redacted is what a Secret shows of itself.
const redacted = "[redacted]"

// Secret is a text that must not be shown. In the configuration it may be written as "file:PATH",
// which stands for the content of that file without the line end.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String returns a placeholder, and nothing for the empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString returns what String does.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// LogValue implements slog.LogValuer with what String returns.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler with what String returns.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}

// Duration is a span of time whose text form knows days: "30d", "1d12h", "90s".
type Duration time.Duration

// String returns the duration in days if it is a whole number of them.
func (d Duration) String() string {
	if d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	return time.Duration(d).String()
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// longest is the longest duration that is accepted, a century.
const longest = 36525 * day

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	wrong := fmt.Errorf(`%q is not a duration such as "30d" or "12h"`, text)
	days, rest, found := strings.Cut(string(text), "d")
	if !found {
		days, rest = "0", days
	}
	n, err := strconv.ParseUint(days, 10, 32)
	if err != nil || !found && rest == "" {
		return wrong
	}
	var part time.Duration
	if rest != "" {
		if part, err = time.ParseDuration(rest); err != nil {
			return wrong
		}
	}
	if part < 0 || Duration(part) > longest || Duration(n) > longest/day {
		return fmt.Errorf("%q is not between 0 and a hundred years", text)
	}
	*d = Duration(n)*day + Duration(part)
	return nil
}

// Mode says who may make an account.
type Mode string

// The modes of registration.
const (
	Open   Mode = "open"
	Invite Mode = "invite"
	Closed Mode = "closed"
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *Mode) UnmarshalText(text []byte) error { return choose(m, text, "", Open, Invite, Closed) }

// DSAMode says what is done with statements of reasons for the EU's database.
type DSAMode string

// The modes of the EU's database.
const (
	DSADry  DSAMode = "dry"
	DSASend DSAMode = "send"
	DSAOff  DSAMode = "off"
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *DSAMode) UnmarshalText(text []byte) error {
	return choose(m, text, DSADry, DSASend, DSAOff)
}

// Sender says how login codes reach people.
type Sender string

// The senders of login codes.
const (
	Console   Sender = "console"
	JSONLines Sender = "jsonl"
	ByMail    Sender = "smtp"
	ByWebhook Sender = "webhook"
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Sender) UnmarshalText(text []byte) error {
	return choose(s, text, Console, JSONLines, ByMail, ByWebhook)
}

// SMTPTLS says how the connection to the mail server is encrypted.
type SMTPTLS string

// The encryptions of mail connections.
const (
	StartTLS SMTPTLS = "starttls"
	TLS      SMTPTLS = "tls"
	NoTLS    SMTPTLS = "none"
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *SMTPTLS) UnmarshalText(text []byte) error {
	return choose(t, text, StartTLS, TLS, NoTLS)
}

// Level is the least important line of diagnostics that is written.
type Level string

// The levels of diagnostics.
const (
	LevelDebug Level = "debug"
	LevelInfo  Level = "info"
	LevelWarn  Level = "warn"
	LevelError Level = "error"
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *Level) UnmarshalText(text []byte) error {
	return choose(l, text, LevelDebug, LevelInfo, LevelWarn, LevelError)
}

// Level implements slog.Leveler.
func (l Level) Level() slog.Level {
	switch l {
	case LevelDebug:
		return slog.LevelDebug
	case LevelWarn:
		return slog.LevelWarn
	case LevelError:
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}

// Format is how diagnostics are written. Its values are those of diag.Format.
type Format string

// The formats of diagnostics.
const (
	FormatText Format = "text"
	FormatJSON Format = "json"
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *Format) UnmarshalText(text []byte) error { return choose(f, text, FormatText, FormatJSON) }

// choose sets target to text if it is one of choices.
func choose[T ~string](target *T, text []byte, choices ...T) error {
	if !slices.Contains(choices, T(text)) {
		quoted := make([]string, 0, len(choices))
		for _, choice := range choices {
			if choice != "" {
				quoted = append(quoted, strconv.Quote(string(choice)))
			}
		}
		return fmt.Errorf("%q is none of %s", text, strings.Join(quoted, ", "))
	}
	*target = T(text)
	return nil
}
