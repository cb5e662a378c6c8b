package moderation

import (
	"sync/atomic"
	"time"

	gotd "github.com/gotd/td/clock"
)

// hours is the clock of a conversation, for the server and all clients: it goes as the machine's
// does, and a line of the conversation sets it ahead.
type hours struct {
	gotd.Clock
	ahead atomic.Int64
}

func newHours() *hours { return &hours{Clock: gotd.System} }

// Now is the time of the conversation.
func (h *hours) Now() time.Time {
	return h.Clock.Now().Add(time.Duration(h.ahead.Load()))
}

// pass sets the clock ahead.
func (h *hours) pass(d time.Duration) { h.ahead.Add(int64(d)) }

// pass lets time go by, and has the server do what falls due by itself. Everybody who was signed in
// with a security key or a code has to do that again.
func (s *scene) pass(d time.Duration) {
	s.Helper()
	s.hours.pass(d)
	for _, o := range s.offices {
		o.away()
	}
	s.desk.away()
	s.settle()
}

// settle has the server do what it does by itself when something falls due.
func (s *scene) settle() {
	s.Helper()
	ctx, n := s.Context(), s.server.Node
	s.check(n.Orders.CarryOut(ctx))
	_, err := n.Orders.Sweep(ctx)
	s.check(err)
	s.check(n.Disclosures.Work(ctx))
	s.check(n.Inquiries.Sweep(ctx))
	s.check(n.Hotlines.Step(ctx))
	_, err = n.Statements.Deliver(ctx)
	s.check(err)
}
