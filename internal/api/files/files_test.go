package files

import (
	"context"
	"math"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/gotd/td/tg"

	"parley/internal/api/chats/roomtest"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/media"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

const (
	alice = roomtest.Alice
	bob   = roomtest.Bob
	carol = roomtest.Carol
	photo = int64(501)
	paper = int64(502)
)

// newWorld returns handlers on a store with a photo and a document of alice's.
func newWorld(t *testing.T) (*roomtest.World, *Handlers) {
	t.Helper()
	s, err := store.Open(context.Background(), store.Options{
		URL: storetest.SQLiteURL(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w := roomtest.New(t, s)
	h := &Handlers{Desk: w.Desk, References: view.References{Clock: w.Clock}}
	w.Desk.Env.Reference = h.References.Make
	for id, kind := range map[int64]media.Kind{
		photo: media.PhotoKind, paper: media.DocumentKind,
	} {
		digest := make([]byte, 32)
		body, err := cbor.Marshal(media.File{Sizes: []media.Size{
			{Type: "x", Width: 8, Height: 8, Size: 3, Digest: digest},
		}})
		if err != nil {
			t.Fatal(err)
		}
		w.Update(ids.Peer(id), func(tx *store.Tx) error {
			return tx.PutMedia(store.Media{
				ID: id, Kind: int64(kind), Owner: alice, Size: 3, Digest: digest, Body: body,
			})
		})
	}
	return w, h
}

// TestAFileIsSentAsWhatItIs: a document is never a message's photo, nor the other way round.
func TestAFileIsSentAsWhatItIs(t *testing.T) {
	w, h := newWorld(t)
	reference := h.References.Make(view.Origin{Box: alice.Peer()})
	asPhoto := func(id int64) tg.InputMediaClass {
		return &tg.InputMediaPhoto{
			ID: &tg.InputPhoto{ID: id, AccessHash: id, FileReference: reference},
		}
	}
	asDocument := func(id int64) tg.InputMediaClass {
		return &tg.InputMediaDocument{
			ID: &tg.InputDocument{ID: id, AccessHash: id, FileReference: reference},
		}
	}
	invalid := chat.Invalid("MEDIA_INVALID")
	for _, c := range []struct {
		in   tg.InputMediaClass
		want error
	}{
		{asPhoto(photo), nil}, {asPhoto(paper), invalid},
		{asDocument(paper), nil}, {asDocument(photo), invalid},
		{&tg.InputMediaPhoto{ID: &tg.InputPhotoEmpty{}}, chat.Invalid("PHOTO_INVALID")},
		{&tg.InputMediaGeoPoint{GeoPoint: &tg.InputGeoPoint{Lat: math.NaN()}},
			chat.Invalid("GEO_POINT_INVALID")},
		{&tg.InputMediaGeoPoint{GeoPoint: &tg.InputGeoPoint{Lat: -90, Long: 180}}, nil},
	} {
		_, err := h.Medium(w.Call(alice), c.in)
		w.Refused(c.in.TypeName(), err, c.want)
	}
	_, err := h.updateProfilePhoto(w.Call(alice), &tg.PhotosUpdateProfilePhotoRequest{
		ID: &tg.InputPhoto{ID: paper, AccessHash: paper, FileReference: reference},
	})
	w.Refused("a document as the profile's photo", err, invalid)
	_, err = h.ChatPhoto(w.Call(alice), &tg.InputChatPhoto{
		ID: &tg.InputPhoto{ID: paper, AccessHash: paper, FileReference: reference},
	})
	w.Refused("a document as a chat's photo", err, invalid)
}

// TestReferencesFollowWhatOneSees: a file may be fetched where it was met, by who met it, and as
// long as it is there for him.
func TestReferencesFollowWhatOneSees(t *testing.T) {
	w, h := newWorld(t)
	ctx := context.Background()
	channel := ids.PeerChannel(5)
	w.Update(channel, func(tx *store.Tx) error {
		if err := tx.PutChat(store.Chat{Peer: channel, Flags: store.Megagroup}); err != nil {
			return err
		}
		for _, who := range []ids.UserID{alice, bob} {
			err := tx.PutMember(store.Member{Peer: channel, User: who, Role: store.Admin, Date: 1})
			if err != nil {
				return err
			}
		}
		return nil
	})
	send := func(to ids.Peer) store.Message {
		sent, err := w.Message.Send(ctx, message.Outgoing{
			From: alice, To: to, Random: w.Random(), Content: message.Content{
				Media: &message.Media{Kind: message.Document, ID: paper},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Settled(ctx, sent.Message.Box); err != nil {
			t.Fatal(err)
		}
		return sent.Message
	}
	fetch := func(who ids.UserID, o view.Origin) error {
		_, _, err := h.fetchable(w.Call(who), paper, paper, h.References.Make(o))
		return err
	}
	sent := send(bob.Peer())
	own := view.Origin{Box: alice.Peer(), Message: sent.ID}
	w.Refused("the sender", fetch(alice, own), nil)
	w.Refused("somebody with a reference of another's box", fetch(carol, own), errReference)
	if _, err := w.Message.Delete(ctx, alice, []int64{sent.ID}, false); err != nil {
		t.Fatal(err)
	}
	w.Refused("after the deletion", fetch(alice, own), errExpired)

	post := send(channel)
	there := view.Origin{Box: channel, Message: post.ID}
	w.Refused("a member", fetch(bob, there), nil)
	w.Refused("a stranger", fetch(carol, there), chat.ErrChannelPrivate)
	w.Update(bob.Peer(), func(tx *store.Tx) error {
		return tx.PutDialog(store.Dialog{User: bob, Peer: channel, MinID: post.ID})
	})
	w.Refused("who joined later", fetch(bob, there), errExpired)
	if _, err := w.Message.DeletePosts(ctx, alice, channel, []int64{post.ID}); err != nil {
		t.Fatal(err)
	}
	w.Refused("a deleted post", fetch(alice, there), errExpired)
	w.Refused("somebody else's upload", fetch(bob, view.Origin{Box: bob.Peer()}), errReference)
}
