package gateway

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"parley/internal/limit"
	"parley/internal/mtproto/crypt"
	"parley/internal/mtproto/session"
)

// Answers to auth.bindTempAuthKey.
//
// https://core.telegram.org/method/auth.bindTempAuthKey#possible-errors
var (
	errNotTemp      = &RPCError{Code: 400, Message: "TEMP_AUTH_KEY_EMPTY"}
	errAlreadyBound = &RPCError{Code: 400, Message: "TEMP_AUTH_KEY_ALREADY_BOUND"}
	errBinding      = &RPCError{Code: 400, Message: "ENCRYPTED_MESSAGE_INVALID"}
	errMalformed    = &RPCError{Code: 400, Message: "INPUT_FETCH_FAIL"}
)

// isControl reports whether a query is about keys or sessions themselves, and so the gateway's.
func isControl(q *session.Query) bool {
	if _, ok := q.DestroysSession(); ok {
		return true
	}
	return q.DestroysKey() || session.Constructor(q.Body) == tg.AuthBindTempAuthKeyRequestTypeID
}

// servedUnbound reports whether a temporary key may make a query before it is bound.
//
// https://core.telegram.org/api/pfs
func servedUnbound(q *session.Query) bool {
	switch session.Constructor(q.Body) {
	case tg.HelpGetConfigRequestTypeID, tg.HelpGetNearestDCRequestTypeID:
		return true
	}
	return false
}

// control runs a query that is the gateway's.
func (s *Server) control(ctx context.Context, sess *Session, q *session.Query) ([]byte, error) {
	if id, ok := q.DestroysSession(); ok {
		return s.destroySession(sess, q, id)
	}
	if q.DestroysKey() {
		return s.destroyKey(ctx, sess, q)
	}
	if err := s.bind(ctx, sess, q); err != nil {
		return nil, err
	}
	return trueValue(), nil
}

func trueValue() []byte { return binary.LittleEndian.AppendUint32(nil, tg.BoolTrueTypeID) }

// destroySession forgets another session of the same key.
//
// https://core.telegram.org/mtproto/service_messages#request-to-destroy-session
func (s *Server) destroySession(sess *Session, q *session.Query, id int64) ([]byte, error) {
	outcome := session.NotFound
	for _, other := range sess.key.list() {
		if other.id == id && other != sess {
			outcome = session.Gone
			sess.key.forget(other)
		}
	}
	sess.mu.Lock()
	defer sess.mu.Unlock()
	sess.state.ReplyDestroyed(q.MsgID, id, outcome, q.Wrapped())
	return trueValue(), nil
}

// destroyKey forgets the device's permanent key and everything under it.
func (s *Server) destroyKey(
	ctx context.Context, sess *Session, q *session.Query,
) ([]byte, error) {
	outcome := session.Gone
	perm := sess.KeyID()
	if perm != 0 {
		switch err := s.o.Keys.Destroy(ctx, perm); {
		case errors.Is(err, ErrNoKey):
			outcome = session.NotFound
		case err != nil:
			outcome = session.Failed
			s.o.Log.Error("key not destroyed", "error", err)
		}
	}
	sess.mu.Lock()
	sess.state.ReplyDestroyed(q.MsgID, 0, outcome, q.Wrapped())
	sess.wake()
	sess.mu.Unlock()
	switch {
	case outcome == session.Failed:
	case perm == 0:
		s.drop([]*authKey{sess.key})
	default:
		s.DropKey(perm)
	}
	return trueValue(), nil
}

// bind makes the session's temporary key stand for the permanent key that vouches for it.
//
// https://core.telegram.org/method/auth.bindTempAuthKey
func (s *Server) bind(ctx context.Context, sess *Session, q *session.Query) error {
	temp := sess.key
	if !temp.temp {
		return errNotTemp
	}
	var req tg.AuthBindTempAuthKeyRequest
	b := bin.Buffer{Buf: q.Body}
	if err := req.Decode(&b); err != nil || b.Len() != 0 {
		return errMalformed
	}
	perm, err := s.findKey(ctx, req.PermAuthKeyID)
	if errors.Is(err, ErrNoKey) || err == nil && perm.temp {
		return errBinding
	}
	if err != nil {
		return err
	}
	binding, err := crypt.OpenBinding(&perm.AuthKey, req.EncryptedMessage)
	now := s.o.Clock.Now().Unix()
	latest := temp.expires.Load() + int64(limit.BindSkew.Seconds())
	expires := int64(req.ExpiresAt)
	wanted := crypt.Binding{
		Nonce: req.Nonce, TempKeyID: temp.ID, PermKeyID: perm.ID, TempSessionID: sess.id,
		ExpiresAt: req.ExpiresAt, MsgID: q.MsgID,
	}
	if err != nil || binding != wanted || expires <= now || expires > latest {
		return errBinding
	}
	oldest, err := s.keys.bind(temp, perm, expires)
	switch {
	case errors.Is(err, errBound):
		return errAlreadyBound
	case err != nil:
		return errBinding
	}
	temp.note(q)
	if oldest != nil {
		s.drop([]*authKey{oldest})
	}
	return nil
}

// Sessions returns the sessions of a permanent key, over itself or over temporary keys.
func (s *Server) Sessions(permKeyID int64) []*Session {
	var all []*Session
	for _, k := range s.keys.device(permKeyID) {
		all = append(all, k.list()...)
	}
	return all
}

// DropKey ends all use of a permanent key and of the temporary keys that stand for it, as after a
// log out. What is being answered still is; connections end a moment later. If the key still
// exists, its client may come back and begin anew.
func (s *Server) DropKey(permKeyID int64) { s.drop(s.keys.outdate(permKeyID)) }

// drop ends the use of keys. The entries of permanent keys stay, for what must not be replayed to
// their next sessions.
func (s *Server) drop(all []*authKey) {
	for _, k := range all {
		if k.temp {
			s.keys.remove(k)
		}
		for _, sess := range k.list() {
			sess.Revoke()
		}
	}
}
