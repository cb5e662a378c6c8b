package dialog

import (
	"context"
	"fmt"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/chat/box"
	"parley/internal/ids"
	"parley/internal/store"
)

// Notify is what a user has set about the notifications of a peer or of a class of peers; what is
// nil is as it is for the class, or as the client has it.
//
// https://core.telegram.org/constructor/peerNotifySettings
type Notify struct {
	ShowPreviews *bool  `cbor:"1,keyasint,omitempty"`
	Silent       *bool  `cbor:"2,keyasint,omitempty"`
	MuteUntil    *int64 `cbor:"3,keyasint,omitempty"`
	Sound        *Sound `cbor:"4,keyasint,omitempty"`
}

// SoundKind is a kind of sound. Values are stored.
type SoundKind uint8

// The kinds of sounds.
//
// https://core.telegram.org/type/NotificationSound
const (
	DefaultSound SoundKind = iota
	NoSound
	LocalSound
	Ringtone
)

// Sound is what a notification sounds like.
type Sound struct {
	Kind SoundKind `cbor:"1,keyasint"`
	// Title and Body describe a sound that the client has, ID is a document.
	Title string `cbor:"2,keyasint,omitempty"`
	Body  string `cbor:"3,keyasint,omitempty"`
	ID    int64  `cbor:"4,keyasint,omitempty"`
}

// The classes of peers that have settings of their own.
//
// https://core.telegram.org/type/NotifyPeer
const (
	NotifyUsers      = "users"
	NotifyChats      = "chats"
	NotifyBroadcasts = "broadcasts"
)

// notifyPrefix begins the names of settings about notifications.
const notifyPrefix = "notify:"

// NotifyKey names the settings for one peer.
func NotifyKey(peer ids.Peer) string { return peer.String() }

// NotifyOf returns a user's settings for a peer's key or a class of peers.
func NotifyOf(r *store.Reader, user ids.UserID, key string) (n Notify, err error) {
	b, err := r.Setting(user, notifyPrefix+key)
	if err != nil || b == nil {
		return n, err
	}
	if err := cbor.Unmarshal(b, &n); err != nil {
		return n, fmt.Errorf("dialog: notify settings: %w", err)
	}
	return n, nil
}

// SetNotify replaces a user's settings for a peer, or for 0 for a class, and tells his devices.
func SetNotify(
	ctx context.Context, s *store.Store, user ids.UserID, peer ids.Peer, class string, n Notify,
	now int64,
) error {
	body, err := cbor.Marshal(n)
	if err != nil {
		return err
	}
	key := class
	if peer != 0 {
		key = NotifyKey(peer)
	}
	return s.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		if err := tx.PutSetting(user, notifyPrefix+key, body); err != nil {
			return err
		}
		return noteNotify(tx, user, peer, key, now)
	})
}

func noteNotify(tx *store.Tx, user ids.UserID, peer ids.Peer, key string, now int64) error {
	_, err := box.Note(tx, user.Peer(), box.NotifySettings, now, box.Entry{Peer: peer, Text: key})
	return err
}

// ResetNotify forgets all of a user's settings about notifications, and tells his devices of each.
func ResetNotify(ctx context.Context, s *store.Store, user ids.UserID, now int64) error {
	return s.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		all, err := tx.Settings(user, notifyPrefix)
		if err != nil {
			return err
		}
		for name := range all {
			if err := tx.PutSetting(user, name, nil); err != nil {
				return err
			}
			key := strings.TrimPrefix(name, notifyPrefix)
			if err := noteNotify(tx, user, notifyPeer(key), key, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// notifyPeer is the peer that a key names, 0 for a class.
func notifyPeer(key string) ids.Peer {
	var peer ids.Peer
	if _, err := fmt.Sscan(key, &peer); err != nil {
		return 0
	}
	return peer
}

// Exceptions returns the peers for which a user has settings of their own.
func Exceptions(r *store.Reader, user ids.UserID) ([]ids.Peer, error) {
	all, err := r.Settings(user, notifyPrefix)
	if err != nil {
		return nil, err
	}
	var out []ids.Peer
	for name := range all {
		if peer := notifyPeer(strings.TrimPrefix(name, notifyPrefix)); peer != 0 {
			out = append(out, peer)
		}
	}
	return out, nil
}
