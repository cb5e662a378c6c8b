package account

import (
	"context"
	"errors"
	"sync"
	"testing"

	"parley/internal/ids"
	"parley/internal/mtproto/crypt"
	"parley/internal/store"
)

// listed makes an account with a key on its list that does not act for it yet: a login under way.
func listed(t *testing.T, s *Service) (user ids.UserID, key int64) {
	t.Helper()
	k := crypt.NewAuthKey([crypt.KeySize]byte{1})
	if err := s.Devices.Add(t.Context(), k, 1, 2); err != nil {
		t.Fatal(err)
	}
	user = 1000
	err := s.Store.Update(t.Context(), user.Peer(), func(tx *store.Tx) error {
		return errors.Join(tx.PutUser(store.User{ID: user}),
			tx.PutAuthorization(store.Authorization{User: user, KeyID: k.ID, Hash: 1}))
	})
	if err != nil {
		t.Fatal(err)
	}
	return user, k.ID
}

func holdsNothing(t *testing.T, s *Service, key int64) {
	t.Helper()
	dev, err := s.Devices.Find(t.Context(), key)
	if err != nil || dev.User != 0 || dev.State != store.KeyFresh {
		t.Errorf("the key acts for %d in state %d, %v", dev.User, dev.State, err)
	}
}

func TestLoginThatIsRevokedOnTheWay(t *testing.T) {
	s, _ := newService(t)
	user, key := listed(t, s)
	if err := s.RevokeAll(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	if err := s.grant(t.Context(), user, key, store.KeyAuthorized); !errors.Is(err, errRestart) {
		t.Errorf("granted: %v", err)
	}
	holdsNothing(t, s, key)
}

// turnstile is a context that holds up whoever first waits for its end.
type turnstile struct {
	context.Context
	once             *sync.Once
	reached, release chan struct{}
}

func (c turnstile) Done() <-chan struct{} {
	c.once.Do(func() {
		close(c.reached)
		<-c.release
	})
	return nil
}

func TestLoginInTheMiddleOfARevocation(t *testing.T) {
	s, _ := newService(t)
	user, key := listed(t, s)
	ctx := turnstile{t.Context(), new(sync.Once), make(chan struct{}), make(chan struct{})}
	done := make(chan error)
	go func() { done <- s.revoke(ctx, user, []int64{key}) }()
	// The key has nothing to lose yet; now it gets something, before it is taken off the list.
	<-ctx.reached
	if err := s.grant(t.Context(), user, key, store.KeyAuthorized); err != nil {
		t.Fatal(err)
	}
	close(ctx.release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	holdsNothing(t, s, key)
}
