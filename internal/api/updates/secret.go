package updates

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/limit"
	"parley/internal/store"
)

// chatsMost is how many secret chats that changed are told in one difference.
const chatsMost = 1000

// told is what a difference tells a device of its secret chats.
type told struct {
	messages []tg.EncryptedMessageClass
	chats    []tg.UpdateClass
	// qts is that of the last message, or of the device when all are told.
	qts int64
	// cut says that more messages wait.
	cut bool
}

// secrets tells the caller's device which messages wait for it after a qts, and which of its secret
// chats changed since a time. They are told as they are now: who missed a request and its end is
// told of the end.
//
// https://core.telegram.org/api/updates#secret-chats
func secrets(
	c *api.Call, r *store.Reader, v *view.View, qts, since int64,
) (out told, err error) {
	d, err := r.SecretDevice(c.Self, c.Key.ID)
	if err != nil {
		return out, err
	}
	out.qts = d.Qts
	if d.Waiting > 0 {
		if qts > d.Qts {
			qts = 0 // it is from another time of the device
		}
		if err := out.waiting(c, r, v, qts); err != nil {
			return out, err
		}
	}
	list, err := r.SecretChatsChanged(c.Self, since, chatsMost)
	for _, row := range list {
		u := v.SecretChanged(row)
		if u == nil {
			continue
		}
		out.chats = append(out.chats, u)
		if u = v.SecretRead(row); u != nil && row.ReadDate >= since {
			out.chats = append(out.chats, u)
		}
	}
	return out, err
}

// waiting adds the messages that wait after a qts, as many as one difference carries.
func (t *told) waiting(c *api.Call, r *store.Reader, v *view.View, qts int64) error {
	list, err := r.SecretMessages(c.Self, c.Key.ID, qts, slice+1)
	if err != nil {
		return err
	}
	bytes := 0
	for i, m := range list {
		if i > 0 && (i == slice || bytes+len(m.Body) > limit.SecretDifference) {
			t.cut, t.qts = true, list[i-1].Qts
			return nil
		}
		bytes += len(m.Body)
		t.messages = append(t.messages, v.SecretMessage(m))
	}
	return nil
}
