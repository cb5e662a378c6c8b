package dialog

import (
	"context"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// Archive is the only folder besides the main list, 0.
const Archive = 1

// Pin pins a dialog on top of its folder, or unpins it.
func Pin(
	ctx context.Context, s *store.Store, user ids.UserID, peer ids.Peer, on bool, now int64,
) error {
	return s.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		d, err := tx.Dialog(user, peer)
		if store.IsNotFound(err) {
			return chat.ErrPeerInvalid
		}
		if err != nil || (d.Pin > 0) == on {
			return err
		}
		d.Pin = 0
		if on {
			all, err := tx.Dialogs(user)
			if err != nil {
				return err
			}
			pinned := int64(0)
			for _, other := range all {
				if other.Folder == d.Folder && other.Pin > 0 {
					pinned++
					d.Pin = max(d.Pin, other.Pin)
				}
			}
			if pinned >= limit.PinnedDialogs {
				return chat.Invalid("PINNED_DIALOGS_TOO_MUCH")
			}
			d.Pin++
		}
		if err := tx.PutDialog(d); err != nil {
			return err
		}
		_, err = box.Note(tx, user.Peer(), box.DialogPinned, now,
			box.Entry{Peer: peer, On: on, N: d.Folder})
		return err
	})
}

// Reorder puts the pinned dialogs of a folder in an order, the first on top. With exact those that
// are not named are unpinned.
func Reorder(
	ctx context.Context, s *store.Store, user ids.UserID, folder int64, order []ids.Peer,
	exact bool, now int64,
) error {
	return s.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		all, err := tx.Dialogs(user)
		if err != nil {
			return err
		}
		for _, d := range all {
			if d.Folder != folder {
				continue
			}
			pin := int64(0)
			if i := slices.Index(order, d.Peer); i >= 0 {
				pin = int64(len(order) - i)
			} else if !exact && d.Pin > 0 {
				continue
			}
			if d.Pin == pin {
				continue
			}
			d.Pin = pin
			if err := tx.PutDialog(d); err != nil {
				return err
			}
		}
		_, err = box.Note(tx, user.Peer(), box.PinnedDialogs, now, box.Entry{N: folder})
		return err
	})
}

// Move puts dialogs into a folder. Pins do not move along. It returns one entry per dialog moved.
func Move(
	ctx context.Context, s *store.Store, user ids.UserID, folders map[ids.Peer]int64, now int64,
) (events []store.Event, err error) {
	err = s.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		events = nil
		for peer, folder := range folders {
			if folder != 0 && folder != Archive {
				return chat.Invalid("FOLDER_ID_INVALID")
			}
			d, err := tx.Dialog(user, peer)
			if store.IsNotFound(err) {
				return chat.ErrPeerInvalid
			}
			if err != nil {
				return err
			}
			if d.Folder == folder {
				continue
			}
			d.Folder, d.Pin = folder, 0
			if err := tx.PutDialog(d); err != nil {
				return err
			}
			e, err := box.Append(tx, user.Peer(), box.FolderPeer, 1, now,
				box.Entry{Peer: peer, N: folder})
			if err != nil {
				return err
			}
			events = append(events, e)
		}
		return nil
	})
	return events, err
}

// Mark sets or takes off a user's own unread mark.
func Mark(
	ctx context.Context, s *store.Store, user ids.UserID, peer ids.Peer, on bool, now int64,
) error {
	return s.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		d, err := tx.Dialog(user, peer)
		if store.IsNotFound(err) {
			return chat.ErrPeerInvalid
		}
		if err != nil || d.Flags.Has(store.UnreadMark) == on {
			return err
		}
		d.Flags ^= store.UnreadMark
		if err := tx.PutDialog(d); err != nil {
			return err
		}
		_, err = box.Note(tx, user.Peer(), box.DialogUnreadMark, now,
			box.Entry{Peer: peer, On: on})
		return err
	})
}

// SaveDraft keeps a draft, or with an empty one forgets it.
func SaveDraft(
	ctx context.Context, s *store.Store, user ids.UserID, peer ids.Peer, draft Draft, now int64,
) error {
	var body []byte
	if draft.Text != "" || draft.ReplyTo != 0 {
		var err error
		if body, err = cbor.Marshal(draft); err != nil {
			return err
		}
	}
	return s.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		d, err := tx.Dialog(user, peer)
		if store.IsNotFound(err) {
			d, err = store.Dialog{User: user, Peer: peer}, nil
			if peer.Kind() == ids.Channel {
				// Only members have a line with a channel; a stranger's draft must not make one.
				d.Flags |= store.Hidden
			}
		}
		if err != nil || len(body) == 0 && len(d.Draft) == 0 {
			return err
		}
		d.Draft = body
		if err := tx.PutDialog(d); err != nil {
			return err
		}
		_, err = box.Note(tx, user.Peer(), box.Draft, now, box.Entry{Peer: peer})
		return err
	})
}

// ClearDrafts forgets all drafts of a user.
func ClearDrafts(ctx context.Context, s *store.Store, user ids.UserID, now int64) error {
	return s.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		all, err := tx.Dialogs(user)
		if err != nil {
			return err
		}
		for _, d := range all {
			if len(d.Draft) == 0 {
				continue
			}
			d.Draft = nil
			if err := tx.PutDialog(d); err != nil {
				return err
			}
			_, err := box.Note(tx, user.Peer(), box.Draft, now, box.Entry{Peer: d.Peer})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
