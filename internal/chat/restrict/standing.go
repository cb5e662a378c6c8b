package restrict

import (
	"context"
	"sync"

	"parley/internal/chat/box"
	"parley/internal/ids"
	"parley/internal/store"
)

// Standing is what an account may do by what the service decided of it. The zero value is that of
// everybody who is not restricted.
type Standing struct {
	// Frozen is a suspended account, from Since until Until in Unix seconds, 0 for no end.
	Frozen       bool
	Since, Until int64
	// Terminated is an account that the service ended.
	Terminated bool
	// Quiet may not write to others, Stay not make or enter chats.
	Quiet, Stay bool
}

// StandingOf reads the standing of an account.
func StandingOf(r *store.Reader, user ids.UserID) (s Standing, err error) {
	list, err := r.Restrictions(store.Restricts{Peer: user.Peer(), Kind: Account})
	for _, x := range list {
		switch x.Measure {
		case Suspend:
			if !s.Frozen || x.Starts < s.Since {
				s.Since = x.Starts
			}
			if !s.Frozen || x.Ends == 0 || s.Until != 0 && x.Ends > s.Until {
				s.Until = x.Ends
			}
			s.Frozen = true
		case Terminate:
			s.Terminated = true
		case LimitSending:
			s.Quiet = true
		case LimitJoining:
			s.Stay = true
		}
	}
	return s, err
}

// Accounts knows the standing of all accounts that are restricted, in memory, so that asking costs
// next to nothing. It must hear of every commit; who asks after a commit gets what it made. It is
// safe for concurrent use.
type Accounts struct {
	store *store.Store
	// Changed hears of every account whose standing changed, once; it may be nil and may block.
	Changed func(ids.UserID, Standing)

	mu    sync.RWMutex
	known map[ids.UserID]Standing
	// commits counts those about accounts, and stale holds the number of the last one about an
	// account that known does not have yet. No number comes twice, so that whoever read before a
	// commit never takes it for the one that he read after.
	commits uint64
	stale   map[ids.UserID]uint64
}

// NewAccounts returns the accounts of a store. Load comes before the first question.
func NewAccounts(s *store.Store) *Accounts {
	return &Accounts{
		store: s, known: make(map[ids.UserID]Standing), stale: make(map[ids.UserID]uint64),
	}
}

// Load reads who is restricted.
func (a *Accounts) Load(ctx context.Context) error {
	var list []ids.Peer
	err := a.store.View(ctx, func(r *store.Reader) (err error) {
		list, err = r.Restricted(Account)
		return err
	})
	for _, peer := range list {
		a.outdate(peer.User())
	}
	for _, peer := range list {
		if _, err := a.Of(ctx, peer.User()); err != nil {
			return err
		}
	}
	return err
}

// Committed takes note of what a commit says of accounts. It does not block.
func (a *Accounts) Committed(c store.Commit) {
	for _, e := range c.Events {
		if box.Kind(e.Kind) != box.Restricted || e.Box.Kind() != ids.User {
			continue
		}
		user := e.Box.User()
		a.outdate(user)
		if a.Changed != nil {
			go a.tell(user)
		}
	}
}

// outdate has the standing of an account read again.
func (a *Accounts) outdate(user ids.UserID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.commits++
	a.stale[user] = a.commits
}

func (a *Accounts) tell(user ids.UserID) {
	if s, err := a.Of(context.Background(), user); err == nil {
		a.Changed(user, s)
	}
}

// In returns the standing of an account as a snapshot or transaction has it, and reads it only of
// somebody who may be restricted. nil Accounts restrict nobody.
func (a *Accounts) In(r *store.Reader, user ids.UserID) (Standing, error) {
	if a == nil {
		return Standing{}, nil
	}
	a.mu.RLock()
	_, known := a.known[user]
	_, stale := a.stale[user]
	a.mu.RUnlock()
	if !known && !stale {
		return Standing{}, nil
	}
	return StandingOf(r, user)
}

// Of returns the standing of an account. nil Accounts restrict nobody.
func (a *Accounts) Of(ctx context.Context, user ids.UserID) (s Standing, err error) {
	if a == nil {
		return Standing{}, nil
	}
	for {
		a.mu.RLock()
		known := a.known[user]
		commit, stale := a.stale[user]
		a.mu.RUnlock()
		if !stale {
			return known, nil
		}
		err = a.store.View(ctx, func(r *store.Reader) (err error) {
			s, err = StandingOf(r, user)
			return err
		})
		if err != nil || a.learn(user, s, commit) {
			return s, err
		}
	}
}

// learn remembers a standing that was read after a commit, unless another came since.
func (a *Accounts) learn(user ids.UserID, s Standing, commit uint64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stale[user] != commit {
		return false
	}
	delete(a.stale, user)
	if s == (Standing{}) {
		delete(a.known, user)
	} else {
		a.known[user] = s
	}
	return true
}
