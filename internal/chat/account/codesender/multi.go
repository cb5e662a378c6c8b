package codesender

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
)

// Multi sends by several ways at once.
type Multi struct {
	log     *slog.Logger
	senders []Sender
}

// NewMulti returns a sender that uses all given ones. What fails while another succeeds is told to
// the log, without the message.
func NewMulti(log *slog.Logger, senders ...Sender) *Multi {
	return &Multi{log: log, senders: senders}
}

// Send waits for all ways and returns nil when one of them took the message, else all errors. That
// some ways do not lead to this person is an error only when none does. See Sender.
func (s *Multi) Send(ctx context.Context, m Message) error {
	if err := m.check(); err != nil {
		return err
	}
	errs := make([]error, len(s.senders))
	var group sync.WaitGroup
	for i, sender := range s.senders {
		group.Go(func() { errs[i] = sender.Send(ctx, m) })
	}
	group.Wait()
	sent := false
	var failures []error
	for i, err := range errs {
		switch {
		case err == nil:
			sent = true
		case !errors.Is(err, ErrNoAddress):
			failures = append(failures, err)
			s.log.WarnContext(ctx, "a way to send codes failed",
				"sender", fmt.Sprintf("%T", s.senders[i]), "error", err)
		}
	}
	switch {
	case sent:
		return nil
	case len(failures) > 0:
		return errors.Join(failures...)
	default:
		return ErrNoAddress
	}
}
