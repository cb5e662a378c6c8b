package page

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"parley/internal/limit"
)

// Names of the fields that every form has.
const (
	// tokenField holds the token, trapField is hidden from people and filled in by programs that
	// fill in everything.
	tokenField = "token"
	trapField  = "website"
)

// How old a form may be when it is sent. A person needs longer than the least to fill in anything,
// and a program that takes as long is bounded by the limit of its address.
const (
	leastAge = 2 * time.Second
	mostAge  = 12 * time.Hour
)

// ErrForm says that a form could not be checked: it is too old, was filled in by a program, or was
// not made here. The answer is the form again, with what was typed and a fresh token.
var ErrForm = errors.New("page: the form could not be checked")

// token is the time at which a form was made, and its proof.
func (s *Site) token(form string) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(s.o.Clock.Now().UnixMilli()))
	return base64.RawURLEncoding.EncodeToString(append(b, s.proof(form, b)...))
}

func (s *Site) proof(form string, at []byte) []byte {
	h := hmac.New(sha256.New, s.o.Key[:])
	h.Write(at)
	h.Write([]byte(form))
	return h.Sum(nil)
}

// Token is the token of a sent form: the same form sent twice has the same.
func Token(r *http.Request) string { return r.PostFormValue(tokenField) }

// Check tells whether a sent form is a fresh one of this name, filled in by a person as far as that
// can be told; ErrForm if not. Where it came from was checked before. It comes last, when nothing
// else is wrong with a form, because it counts: ErrTooMany when the address has sent too many.
func (s *Site) Check(r *http.Request, form string) error {
	return s.check(r, form, s.forms)
}

// CheckUrgent is Check for a form that must not wait because of others from its address: it has a
// limit of its own, as high.
func (s *Site) CheckUrgent(r *http.Request, form string) error {
	return s.check(r, form, s.urgent)
}

func (s *Site) check(r *http.Request, form string, count *limit.Bucket[netip.Prefix]) error {
	b, err := base64.RawURLEncoding.DecodeString(r.PostFormValue(tokenField))
	if err != nil || len(b) != 8+sha256.Size || !hmac.Equal(b[8:], s.proof(form, b[:8])) {
		return ErrForm
	}
	age := s.o.Clock.Now().Sub(time.UnixMilli(int64(binary.BigEndian.Uint64(b))))
	if age < leastAge || age > mostAge || r.PostFormValue(trapField) != "" {
		return ErrForm
	}
	if _, ok := count.Allow(prefix(s.Address(r))); !ok {
		return ErrTooMany
	}
	return nil
}
