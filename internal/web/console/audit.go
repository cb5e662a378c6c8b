package console

import (
	"context"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/web/staff"
)

// Audit is what package evidence calls before anybody sees the evidence of a case: the look is
// written down and counted, and refused with staff.ErrLimit to who has seen enough.
func Audit(s *staff.Service) func(context.Context, int64, ids.Peer, int64) error {
	return func(ctx context.Context, who int64, subject ids.Peer, of int64) error {
		return s.Look(ctx, staff.Act{
			Staff: who, Action: staff.OpenCase, Subject: safety.Subject{Peer: subject}, Case: of,
		})
	}
}
