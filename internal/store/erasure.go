package store

import (
	"errors"
	"math"

	"parley/internal/ids"
)

var (
	eraseUpTo = define("erase.up_to", "messages", "box_id",
		`select coalesce(max(id), 0) from (select id from messages where box_id = $1
		order by id limit $2) oldest`)
	eraseMessages = define("erase.messages", "messages", "box_id",
		`delete from messages where box_id = $1 and id <= $2`)
	eraseReactions = define("erase.reactions", "reactions", "box_id",
		`delete from reactions where box_id = $1 and id <= $2`)
	eraseUpdates = define("erase.updates", "updates", "box_id",
		`delete from updates where box_id = $1`)
	eraseEarly = define("erase.early", "early_tells", "box_id",
		`delete from early_tells where box_id = $1`)
	eraseErased = define("erase.erased", "erased_messages", "box_id",
		`delete from erased_messages where box_id = $1`)
	eraseRemoved = define("erase.removed", "removed_messages", "box_id",
		`delete from removed_messages where box_id = $1`)
	eraseTaken = define("erase.removed_reactions", "removed_reactions", "box_id",
		`delete from removed_reactions where box_id = $1`)
	eraseHidden = define("erase.removed_photos", "removed_photos", "peer_id",
		`delete from removed_photos where peer_id = $1`)
	erasePhotos = define("erase.photos", "profile_photos", "peer_id",
		`delete from profile_photos where peer_id = $1`)
	eraseMentions = define("erase.mentions", "mentions", "user_id",
		`delete from mentions where user_id = $1`)
	eraseCalls = define("erase.removed_mentions", "removed_mentions", "user_id",
		`delete from removed_mentions where user_id = $1`)
	eraseSecrets = define("erase.secret_chats", "secret_chats", "user_id",
		`delete from secret_chats where user_id = $1`)
	eraseSecretDevices = define("erase.secret_devices", "secret_devices", "user_id",
		`delete from secret_devices where user_id = $1`)
	eraseSecretQueue = define("erase.secret_queue", "secret_queue", "user_id",
		`delete from secret_queue where user_id = $1`)
	eraseSecretSent = define("erase.secret_sent", "secret_sent", "user_id",
		`delete from secret_sent where user_id = $1`)
	// The rows stay until the bytes that they name are erased with them.
	eraseSecretFiles = define("erase.secret_files", "secret_files", "user_id",
		`update secret_files set shut = 1 where user_id = $1`)
	eraseDialogs = define("erase.dialogs", "dialogs", "user_id",
		`delete from dialogs where user_id = $1`)
)

// EraseMessages removes up to limit messages of a box, the oldest first, as if they had never been
// there, and returns how many. It is for boxes that nobody uses any more.
func (t *Tx) EraseMessages(box ids.Peer, limit int) (int64, error) {
	var upTo int64
	err := t.one(eraseUpTo, []any{box, limit}, &upTo)
	if errors.Is(err, ErrNotFound) || err == nil && upTo == 0 {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if err := t.exec(eraseReactions, box, upTo); err != nil {
		return 0, err
	}
	n, err := t.q.exec(t.ctx, eraseMessages, box, upTo)
	if err != nil {
		return 0, err
	}
	return n, t.exec(boxRemoved, box, n)
}

// EraseBox removes whatever else is kept of a user's box, and what he has set. The state of the box
// stays, so that its numbers are never used twice; its outbox stays until the others were told.
func (t *Tx) EraseBox(user ids.UserID) error {
	if err := t.exec(eraseReactions, user.Peer(), int64(math.MaxInt64)); err != nil {
		return err
	}
	for _, st := range []*statement{
		eraseUpdates, eraseEarly, eraseErased, eraseRemoved, eraseTaken, eraseHidden, erasePhotos,
		eraseMentions, eraseCalls, eraseDialogs, messageTermClear, settingClear,
		eraseSecrets, eraseSecretDevices, eraseSecretQueue, eraseSecretSent, eraseSecretFiles,
	} {
		if err := t.exec(st, user); err != nil {
			return err
		}
	}
	return nil
}
