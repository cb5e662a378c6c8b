// Package diag is how an operator sees the process from outside: its log lines, its metrics and
// whether it is alive and ready. It refuses to show people: no phone number, message text, login
// code, token or key leaves through it, whatever the caller hands over. It offers no profiles or
// heap dumps, because those contain all of the above.
//
// Invariants: a value whose attribute or type name says that it is secret is printed as [redacted];
// so is every composite value that does not say itself how it wants to be logged; and digits in
// international phone notation never reach the output, in whichever part of a line they stand.
package diag

import (
	"io"
	"log/slog"
)

// Format is how log lines are written.
type Format string

// The formats of log lines: logfmt-like text, and one JSON object a line.
const (
	Text Format = "text"
	JSON Format = "json"
)

// NewHandler returns a slog handler that writes redacted lines of at least the given level to w,
// as JSON when format says so and as text otherwise. Each line is one Write.
//
// An attribute is redacted for its name when a word of it is secret, as in phone or auth_key,
// unless its last word makes it harmless, as in auth_key_id or text_len. Write error codes as
// error_code and setting names as setting, since code and key alone are secret.
func NewHandler(w io.Writer, format Format, level slog.Leveler) slog.Handler {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: redact}
	w = scrubber{w}
	if format == JSON {
		return slog.NewJSONHandler(w, options)
	}
	return slog.NewTextHandler(w, options)
}
