package diag

import (
	"context"
	"log/slog"
)

// atLeast passes on what is important enough.
type atLeast struct {
	slog.Handler
	level slog.Level
}

// AtLeast returns a handler that gives lines of at least the level to another one.
func AtLeast(h slog.Handler, level slog.Level) slog.Handler { return atLeast{h, level} }

// Enabled tells whether a line of the level is written.
func (a atLeast) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= a.level && a.Handler.Enabled(ctx, level)
}

// WithAttrs returns the same with attributes.
func (a atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{a.Handler.WithAttrs(attrs), a.level}
}

// WithGroup returns the same in a group.
func (a atLeast) WithGroup(name string) slog.Handler {
	return atLeast{a.Handler.WithGroup(name), a.level}
}
