package order

import "context"

// Halts is halts, which Run calls once an hour.
func (s *Service) Halts(ctx context.Context) error { return s.halts(ctx) }
