package staff

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"parley/internal/safety"
	"parley/internal/store"
	"parley/internal/web/signin"
)

// MaxTime is how long a session lasts at most.
const MaxTime = 10 * time.Hour

// How long a session lasts without a sign of life.
const (
	idleTime = 20 * time.Minute
	// touchTime is how old the last sign of life is before it is written again.
	touchTime = time.Minute
)

// Session is a signed-in browser.
type Session struct {
	Member Member
	// Strong tells that its holder has just proved who he is, and Proven when he did last.
	Strong bool
	Proven time.Time
	// Ends is when it ends at the latest.
	Ends time.Time
	hash string
	row  store.StaffSession
}

// splitSecret takes a token or cookie apart: whose it is, and its secret.
func splitSecret(token string) (id int64, secret string, ok bool) {
	whose, secret, ok := strings.Cut(token, ".")
	id, err := strconv.ParseInt(whose, 10, 64)
	return id, secret, ok && err == nil && id > 0 && len(secret) == 64
}

// binding is a digest of what a browser says of itself: a stolen cookie is of no use in another.
func binding(agent string) string { return digest("browser", agent)[:32] }

// Open signs a member of staff in, and returns the value of his cookie.
func (s *Service) Open(ctx context.Context, id int64, agent string) (cookie string, err error) {
	secret, err := signin.Secret(s.rand)
	if err != nil {
		return "", err
	}
	cookie = fmt.Sprintf("%d.%s", id, secret)
	now := s.Clock.Now()
	err = s.Store.Update(ctx, key(id), func(tx *store.Tx) error {
		return tx.PutStaffSession(store.StaffSession{
			Staff: id, Hash: digest("session", cookie), Binding: binding(agent),
			Created: now.Unix(), Seen: now.Unix(), Strong: now.Unix(),
			Expires: now.Add(MaxTime).Unix(),
		})
	})
	return cookie, err
}

// Session returns the session of a cookie; ErrNoSession for none, and for one whose holder may not
// sign in any more.
func (s *Service) Session(ctx context.Context, cookie, agent string) (Session, error) {
	out, err := s.Peek(ctx, cookie, agent)
	if err != nil {
		return out, err
	}
	now := s.Clock.Now()
	if now.Sub(time.Unix(out.row.Seen, 0)) >= touchTime {
		out.row.Seen = now.Unix()
		err = s.keepSession(ctx, out.row)
	}
	return out, err
}

// Peek is Session for what happens without its holder's doing, such as a page that refreshes
// itself: it is no sign of life.
func (s *Service) Peek(ctx context.Context, cookie, agent string) (Session, error) {
	id, _, ok := splitSecret(cookie)
	if !ok {
		return Session{}, ErrNoSession
	}
	out := Session{hash: digest("session", cookie)}
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		if out.row, err = r.StaffSession(id, out.hash); err != nil {
			return err
		}
		row, err := r.Staff(id)
		out.Member = member(row)
		return err
	})
	now := s.Clock.Now()
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Session{}, ErrNoSession
	case err != nil:
		return Session{}, err
	case out.Member.Disabled, out.row.Expires <= now.Unix(), out.row.Binding != binding(agent),
		now.Sub(time.Unix(out.row.Seen, 0)) > idleTime:
		return Session{}, ErrNoSession
	}
	out.Proven = time.Unix(out.row.Strong, 0)
	out.Strong = safety.FreshProof(out.Proven, now)
	out.Ends = time.Unix(out.row.Expires, 0)
	return out, nil
}

// keepSession writes a session that still exists.
func (s *Service) keepSession(ctx context.Context, row store.StaffSession) error {
	return s.Store.Update(ctx, key(row.Staff), func(tx *store.Tx) error {
		_, err := tx.StaffSession(row.Staff, row.Hash)
		if errors.Is(err, store.ErrNotFound) {
			return ErrNoSession
		} else if err != nil {
			return err
		}
		return tx.PutStaffSession(row)
	})
}

// Prove notes that the holder of a session has proved again who he is: by a fresh one-time code
// and password, or by a key that proved proven.
func (s *Service) Prove(ctx context.Context, session Session, proven Member) error {
	if proven.ID != session.Member.ID {
		return ErrProof
	}
	session.row.Strong = s.Clock.Now().Unix()
	return s.keepSession(ctx, session.row)
}

// Close signs a browser out.
func (s *Service) Close(ctx context.Context, session Session) error {
	return s.Store.Update(ctx, key(session.Member.ID), func(tx *store.Tx) error {
		return tx.EndStaffSession(session.Member.ID, session.hash)
	})
}

// Token is what a form of this session must carry that posts to a path.
func (s *Service) Token(session Session, path string) string {
	return signin.Token(s.Key, session.hash, path)
}

// TokenIs tells whether a form's token is the one of the session and path.
func (s *Service) TokenIs(session Session, path, token string) bool {
	return signin.TokenIs(s.Key, session.hash, path, token)
}

// Sweep forgets sessions that have ended.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.Clock.Now().Unix()
	return s.Store.Update(ctx, 0, func(tx *store.Tx) error { return tx.ExpireStaffSessions(now) })
}
