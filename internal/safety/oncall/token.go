package oncall

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"parley/internal/ids"
	"parley/internal/store"
)

// Sizes of the parts of a token, in bytes: the alert, whom it was sent, and the proof. With them a
// token fits into the data of a button.
const (
	alertSize  = 8
	personSize = 4
	proofSize  = 12
)

// token is what a person confirms an alert with. Whoever holds it is that person.
func (s *Service) token(alert int64, person string) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(alert))
	b = append(b, mark(person)...)
	return base64.RawURLEncoding.EncodeToString(append(b, s.proof(b)...))
}

// mark tells the people of one alert apart.
func mark(person string) []byte {
	sum := sha256.Sum256([]byte(person))
	return sum[:personSize]
}

func (s *Service) proof(b []byte) []byte {
	h := hmac.New(sha256.New, s.Key[:])
	h.Write(b)
	return h.Sum(nil)[:proofSize]
}

// Read returns the alert that a token is for, and whom it was sent. ErrToken.
func (s *Service) Read(r *store.Reader, token string) (a Alert, person string, err error) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != alertSize+personSize+proofSize ||
		!hmac.Equal(b[alertSize+personSize:], s.proof(b[:alertSize+personSize])) {
		return a, "", ErrToken
	}
	id := int64(binary.BigEndian.Uint64(b))
	if a, err = Of(r, id); err != nil {
		if store.IsNotFound(err) {
			err = ErrToken
		}
		return a, "", err
	}
	calls, err := r.AlertCalls(id)
	if err != nil {
		return a, "", err
	}
	for _, c := range calls {
		if string(mark(c.Person)) == string(b[alertSize:alertSize+personSize]) {
			return a, c.Person, nil
		}
	}
	return a, "", ErrToken
}

// ConfirmLink confirms the alert of a token as whoever was sent it. ErrToken.
func (s *Service) ConfirmLink(ctx context.Context, token, via string) (Alert, error) {
	var a Alert
	var person string
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		a, person, err = s.Read(r, token)
		return err
	})
	if err != nil {
		return a, err
	}
	return s.Confirm(ctx, a.ID, person, via)
}

// Press confirms by the button of a message, whose data is given; ours is false for a button of
// somebody else. The answer is what the client shows. Only the account that has the message can
// press it.
func (s *Service) Press(
	ctx context.Context, _ ids.UserID, data string,
) (answer string, ours bool, err error) {
	token, ours := strings.CutPrefix(data, pressed)
	if !ours {
		return "", false, nil
	}
	a, err := s.ConfirmLink(ctx, token, byChat)
	if err != nil {
		return "", true, err
	}
	return s.Taken(a), true, nil
}

// Taken says who deals with an alert.
func (s *Service) Taken(a Alert) string {
	return strings.ReplaceAll(s.texts[s.Lang]["taken"], "%s", a.By)
}
