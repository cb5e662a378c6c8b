package node

import (
	"context"

	"github.com/gotd/td/crypto"

	"parley/internal/chat/channel"
	"parley/internal/demo"
	"parley/internal/ids"
	"parley/internal/importer"
	"parley/internal/mtproto/crypt"
	"parley/internal/mtproto/layer"
	"parley/internal/store"
)

// Fingerprints are the fingerprints of the keys by which clients know the server.
func (n *Node) Fingerprints() []int64 {
	var out []int64
	for _, k := range n.Keys.RSA() {
		out = append(out, crypto.RSAFingerprint(&k.PublicKey))
	}
	return out
}

// create makes a channel or supergroup, public if it has a username.
func (n *Node) create(
	ctx context.Context, owner ids.UserID, broadcast bool, title, about, username string,
) (ids.Peer, error) {
	peer, _, err := n.Channel.Create(ctx, channel.New{
		Creator: owner, Title: title, About: about, Broadcast: broadcast,
	})
	if err == nil && username != "" {
		err = n.Channel.SetUsername(ctx, owner, peer, username)
	}
	if err != nil {
		return peer, err
	}
	return peer, n.settled(ctx, peer)
}

// Importer brings histories into this server, owned by somebody.
func (n *Node) Importer(owner ids.UserID) *importer.Importer {
	return &importer.Importer{
		Store: n.Store, Message: n.Message, Media: n.Media, Owner: owner,
		Settled: n.Courier.Settled,
		Create: func(ctx context.Context, owner ids.UserID, p importer.Place) (ids.Peer, error) {
			return n.create(ctx, owner, p.Broadcast, p.Title, "", p.Username)
		},
	}
}

// FillDemo fills an empty server with something to look at.
func (n *Node) FillDemo(ctx context.Context) error {
	return demo.Fill(ctx, demo.Rooms{
		Store: n.Store, Clock: n.clock, Message: n.Message, Settled: n.Courier.Settled,
		Register: func(ctx context.Context, phone, first, last string) (ids.UserID, error) {
			id, _, err := n.Account.CreateAccount(ctx, phone, first, last)
			return id, err
		},
		Create: func(ctx context.Context, owner ids.UserID, p demo.Place) (ids.Peer, error) {
			return n.create(ctx, owner, p.Broadcast, p.Title, p.About, p.Username)
		},
		Join: func(ctx context.Context, user ids.UserID, chat ids.Peer) error {
			_, err := n.Group.Join(ctx, user, chat)
			return err
		},
	})
}

// Device makes an auth key act for an account, as a login does. It is for benchmarks, which bring
// their devices along.
func (n *Node) Device(ctx context.Context, user ids.UserID, key crypt.AuthKey) error {
	if err := n.devices.Add(ctx, key, 0, n.Config.DC); err != nil {
		return err
	}
	now := n.clock.Now().Unix()
	err := n.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		return tx.PutAuthorization(store.Authorization{
			User: user, KeyID: key.ID, Hash: key.ID, Created: now, Active: now,
		})
	})
	if err != nil {
		return err
	}
	_, err = n.devices.Change(ctx, key.ID, func(k *store.AuthKey) error {
		k.User, k.State, k.Layer = user, store.KeyAuthorized, layer.Current
		return nil
	})
	return err
}

// AccessHash is the access hash of a peer for a viewer.
func (n *Node) AccessHash(viewer, peer int64) int64 { return n.env().Hash(viewer, peer) }
