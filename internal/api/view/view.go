// Package view renders what is stored for one viewer: it is the only place where objects of the API
// that carry content are made, so it is the one place that decides what a viewer may see of people,
// chats and messages. It changes nothing.
//
// A View collects the people and chats that its messages refer to, so that every answer can carry
// them. The first error sticks and is returned by Err; renderings after it are incomplete and must
// not be sent.
//
// A View for nobody (viewer 0) renders what all subscribers of a channel see alike: people and
// chats in their min form, with placeholders for the per-viewer access hashes (see Placeholder), so
// that one encoding serves all of them. What the service withholds is withheld in every rendering;
// a shared view is one audience's, and says if another sees it otherwise.
package view

import (
	"encoding/binary"
	"errors"

	"github.com/gotd/td/tg"

	"parley/internal/chat/contact"
	"parley/internal/chat/restrict"
	"parley/internal/ids"
	"parley/internal/store"
)

// Env is what renderings depend on besides the store.
type Env struct {
	// DC is the data centre that files are in.
	DC int
	// Hash makes the access hash of a peer for a viewer.
	Hash func(viewer, peer int64) int64
	// MediaHash makes the access hash of a photo or document.
	MediaHash func(id int64) int64
	// SecretHash makes a viewer's access hash of a secret chat, or of an encrypted file.
	SecretHash func(viewer, id int64) int64
	// Reference makes a file reference that is good for a while, from where the viewer met it.
	Reference func(Origin) []byte
	// Online tells until when a user counts as online, 0 when he does not.
	Online func(ids.UserID) int64
	// Prefix is what links to this server begin with, like "https://example.org/".
	Prefix string
}

// Origin is where a viewer met a file: whoever can still see that may fetch the file.
type Origin struct {
	// Box and Message are the message, in a channel's box or the viewer's own.
	Box     ids.Peer
	Message int64
	// Peer is whose profile photo it is, when there is no message.
	Peer ids.Peer
}

// View renders for one viewer from one snapshot.
type View struct {
	r      *store.Reader
	env    *Env
	viewer ids.UserID
	// device is the viewer's device that it is rendered for, 0 for all alike.
	device int64
	now    int64
	err    error

	users     map[ids.UserID]tg.UserClass
	userOrder []ids.UserID
	chats     map[ids.Peer]tg.ChatClass
	chatOrder []ids.Peer
	rows      map[ids.Peer]store.Chat
	tallies   map[ids.Peer]tally
	patches   []ids.Peer
	// audience is what of the viewer decides what is withheld from him, once it was needed, and
	// verdicts are those on the people and chats that are restricted.
	audience *restrict.Audience
	verdicts map[ids.Peer]restrict.Verdict
	varies   bool
	// status is the viewer's own rule about his status, once it was read.
	status *contact.Rule
}

// New returns a view of the snapshot for a viewer at a time in Unix seconds.
func New(r *store.Reader, env *Env, viewer ids.UserID, now int64) *View {
	return &View{
		r: r, env: env, viewer: viewer, now: now,
		users:   make(map[ids.UserID]tg.UserClass),
		chats:   make(map[ids.Peer]tg.ChatClass),
		rows:    make(map[ids.Peer]store.Chat),
		tallies: make(map[ids.Peer]tally), verdicts: make(map[ids.Peer]restrict.Verdict),
	}
}

// On makes the view one for a device of the viewer, by its permanent key, and returns it. Without
// that nothing of secret chats is rendered.
func (v *View) On(device int64) *View {
	v.device = device
	return v
}

// Err returns the first error that a rendering met.
func (v *View) Err() error { return v.err }

// fail keeps the first error; what no longer exists is none.
func (v *View) fail(err error) bool {
	if err == nil {
		return false
	}
	if v.err == nil && !errors.Is(err, store.ErrNotFound) {
		v.err = err
	}
	return true
}

// shared tells whether this is the view for nobody.
func (v *View) shared() bool { return v.viewer == 0 }

// hash returns the viewer's access hash of a peer, or its placeholder in a shared view.
func (v *View) hash(peer ids.Peer) int64 {
	if v.shared() {
		v.patches = append(v.patches, peer)
		return Placeholder(peer)
	}
	return v.env.Hash(int64(v.viewer), int64(peer))
}

// Placeholder is what a shared view has in the place of the access hash of a peer. It is no valid
// hash of anybody's, and unlikely to occur elsewhere in an encoding.
func Placeholder(peer ids.Peer) int64 {
	const salt = 0x5ca1ab1ec0dedbad
	x := uint64(peer) ^ salt
	x ^= x >> 31
	x *= 0x9e3779b97f4a7c15
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	return int64(x ^ x>>32)
}

// Patch is a place in an encoding where a viewer's access hash of a peer belongs.
type Patch struct {
	Off  int
	Peer ids.Peer
}

// Patches finds the placeholders of this view in an encoding.
func (v *View) Patches(encoded []byte) []Patch {
	var out []Patch
	seen := make(map[ids.Peer]bool)
	for _, peer := range v.patches {
		if seen[peer] {
			continue
		}
		seen[peer] = true
		var want [8]byte
		binary.LittleEndian.PutUint64(want[:], uint64(Placeholder(peer)))
		for off := 0; off+8 <= len(encoded); off += 4 {
			if [8]byte(encoded[off:]) == want {
				out = append(out, Patch{Off: off, Peer: peer})
			}
		}
	}
	return out
}

// Users returns the people that were referred to.
func (v *View) Users() []tg.UserClass {
	out := make([]tg.UserClass, 0, len(v.userOrder))
	for _, id := range v.userOrder {
		out = append(out, v.users[id])
	}
	return out
}

// Chats returns the chats that were referred to.
func (v *View) Chats() []tg.ChatClass {
	out := make([]tg.ChatClass, 0, len(v.chatOrder))
	for _, id := range v.chatOrder {
		out = append(out, v.chats[id])
	}
	return out
}

// Peer notes that an answer refers to a peer and returns its API form.
func (v *View) Peer(p ids.Peer) tg.PeerClass {
	switch p.Kind() {
	case ids.User:
		v.User(p.User())
		return &tg.PeerUser{UserID: int64(p.User())}
	case ids.Chat:
		v.Chat(p)
		return &tg.PeerChat{ChatID: int64(p.Chat())}
	case ids.Channel:
		v.Chat(p)
		return &tg.PeerChannel{ChannelID: int64(p.Channel())}
	}
	return nil
}
