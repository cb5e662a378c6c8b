package statement

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"parley/internal/chat"
	"parley/internal/chat/account"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/store"
)

// exportCommand asks for a copy of one's data.
const exportCommand = "/export"

// exportWait is how long somebody waits for another copy of his data, in seconds: making one reads
// all of it.
const exportWait = 60 * 60

// exportedSetting is the setting of an account that says when it last got a copy of its data.
const exportedSetting = "safety:exported"

// exportPrefix begins the settings of the service account that are copies which are owed; what
// follows is the account.
const exportPrefix = "safety:export:"

// owedCopy is a copy of somebody's data that is being made.
type owedCopy struct {
	// Message is where it was asked for.
	Message int64 `json:"message"`
	// Sent is how many parts were sent, Next what Export said was to come.
	Sent int             `json:"sent"`
	Next json.RawMessage `json:"next,omitempty"`
}

// queueExport owes who asks a copy of his data, at most once an hour and one at a time. It is made
// by SendExports, so that nobody waits for what somebody else has written.
func (s *Service) queueExport(ctx context.Context, m store.Message) error {
	user, now := m.Peer.User(), s.Clock.Now().Unix()
	var last int64
	err := s.Store.View(ctx, func(r *store.Reader) error {
		b, err := r.Setting(user, exportedSetting)
		if len(b) == 8 {
			last = int64(binary.BigEndian.Uint64(b))
		}
		return err
	})
	if err != nil {
		return err
	}
	if s.Export != nil && now-last >= exportWait {
		key := exportPrefix + strconv.FormatInt(int64(user), 10)
		err := s.Store.Update(ctx, account.ServiceUser.Peer(), func(tx *store.Tx) error {
			old, err := tx.Setting(account.ServiceUser, key)
			if err != nil || old != nil {
				return err
			}
			b, err := json.Marshal(owedCopy{Message: m.ID})
			if err != nil {
				return fmt.Errorf("statement: %w", err)
			}
			return tx.PutSetting(account.ServiceUser, key, b)
		})
		if err != nil {
			return err
		}
		if s.Asked != nil {
			s.Asked()
		}
	}
	_, err = s.Message.Read(ctx, account.ServiceUser, m.Peer, m.ID)
	return err
}

// SendExports makes the next part of each copy that is owed and sends it, until none is; it returns
// how many parts it sent. A process that ends loses at most the part that it was making. What fails
// for one account is not in the way of the others.
func (s *Service) SendExports(ctx context.Context) (n int, err error) {
	failed := map[string]bool{}
	for {
		var list map[string][]byte
		viewed := s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = r.Settings(account.ServiceUser, exportPrefix)
			return err
		})
		if viewed != nil {
			return n, errors.Join(err, viewed)
		}
		left := 0
		for key, b := range list {
			if failed[key] {
				continue
			}
			left++
			if e := s.sendPart(ctx, key, b); e != nil {
				failed[key], err = true, errors.Join(err, e)
				continue
			}
			n++
		}
		if left == 0 || ctx.Err() != nil {
			return n, err
		}
	}
}

// sendPart makes and sends one part of a copy, and notes that.
func (s *Service) sendPart(ctx context.Context, key string, b []byte) error {
	id, err := strconv.ParseInt(key[len(exportPrefix):], 10, 64)
	if err != nil {
		return fmt.Errorf("statement: export %q: %w", key, err)
	}
	user := ids.UserID(id)
	var c owedCopy
	if err := json.Unmarshal(b, &c); err != nil {
		return fmt.Errorf("statement: export of %d: %w", user, err)
	}
	medium, next, err := s.Export(ctx, user, c.Next)
	var refusal chat.Refusal
	gone := errors.As(err, &refusal) || store.IsNotFound(err)
	if err != nil && !gone {
		return err
	}
	if !gone {
		_, err = s.Message.Send(ctx, message.Outgoing{
			From: account.ServiceUser, To: user.Peer(), Trusted: true,
			Random:  randomID(user.Peer(), c.Message, int64(-1-c.Sent)),
			Content: message.Content{Media: medium},
		})
		gone = errors.As(err, &refusal) || store.IsNotFound(err)
		if err != nil && !gone {
			return err
		}
	}
	if gone || next == nil {
		return s.exported(ctx, user, key)
	}
	if b, err = json.Marshal(owedCopy{c.Message, c.Sent + 1, next}); err != nil {
		return fmt.Errorf("statement: %w", err)
	}
	return s.Store.Update(ctx, account.ServiceUser.Peer(), func(tx *store.Tx) error {
		return tx.PutSetting(account.ServiceUser, key, b)
	})
}

// exported notes that a copy is sent, or that nobody is there any more to send it to.
func (s *Service) exported(ctx context.Context, user ids.UserID, key string) error {
	err := s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		at := binary.BigEndian.AppendUint64(nil, uint64(s.Clock.Now().Unix()))
		return tx.PutSetting(user, exportedSetting, at)
	})
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, account.ServiceUser.Peer(), func(tx *store.Tx) error {
		return tx.PutSetting(account.ServiceUser, key, nil)
	})
}
