package account

import (
	"context"
	"testing"

	"parley/internal/chat/account/codesender"
	"parley/internal/ids"
	"parley/internal/store"
)

// nowhere takes codes and forgets them.
type nowhere struct{}

func (nowhere) Send(context.Context, codesender.Message) error { return nil }

// BenchmarkSendCode compares a number that has an account and a device with one that has neither:
// what differs must not show in the time of the answer.
func BenchmarkSendCode(b *testing.B) {
	s, _ := newService(b)
	s.Codes = nowhere{}
	s.Notify = func(context.Context, ids.UserID, string, string) error { return nil }
	ctx := context.Background()
	user, err := s.create(ctx, "4915112345678", "Alice", "", "en")
	if err != nil {
		b.Fatal(err)
	}
	err = s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		return tx.PutAuthorization(store.Authorization{User: user, KeyID: 1, Hash: 1})
	})
	if err != nil {
		b.Fatal(err)
	}
	for name, number := range map[string]string{
		"known": "4915112345678", "unknown": "4915187654321",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c := Caller{Key: store.AuthKey{ID: 2}}
				if _, err := s.SendCode(ctx, c, App{ID: 1}, number); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				s.Close()
				b.StartTimer()
			}
		})
	}
}
