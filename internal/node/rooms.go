package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/gotd/td/tg"

	"parley/internal/api/live"
	"parley/internal/api/view"
	accounts "parley/internal/chat/account"
	"parley/internal/chat/account/codesender"
	"parley/internal/chat/account/srp"
	"parley/internal/chat/channel"
	"parley/internal/chat/contact"
	"parley/internal/chat/fanout"
	"parley/internal/chat/group"
	"parley/internal/chat/media"
	"parley/internal/chat/message"
	"parley/internal/chat/presence"
	"parley/internal/chat/search"
	"parley/internal/chat/secret"
	"parley/internal/chat/username"
	"parley/internal/config"
	"parley/internal/hook"
	"parley/internal/ids"
	"parley/internal/keyring"
	"parley/internal/mtproto/crypt"
	"parley/internal/mtproto/layer"
	"parley/internal/store"
)

// env is what renderings depend on.
func (n *Node) env() *view.Env {
	hashes := keyring.NewAccessHashes(n.Keys.Derive("access hashes"))
	files := keyring.NewAccessHashes(n.Keys.Derive("file hashes"))
	return &view.Env{
		DC:         n.Config.DC,
		Hash:       hashes.AccessHash,
		MediaHash:  func(id int64) int64 { return files.AccessHash(0, id) },
		SecretHash: keyring.NewAccessHashes(n.Keys.Derive("secret chats")).AccessHash,
		Reference:  n.references().Make,
		Online:     func(id ids.UserID) int64 { return n.presence.Online(id) },
		Prefix:     n.Config.Web.PublicURL + "/",
	}
}

func (n *Node) references() view.References {
	return view.References{Key: n.Keys.Derive("file references"), Clock: n.clock}
}

// openRooms builds the rooms of the messenger.
func (n *Node) openRooms() error {
	n.openRestrict()
	n.Message = &message.Service{
		Store: n.Store, Clock: n.clock, Random: random, Accounts: n.accounts,
	}
	n.Group = &group.Service{
		Store: n.Store, Clock: n.clock, Message: n.Message, Rand: rand.Reader,
	}
	n.Channel = &channel.Service{
		Store: n.Store, Clock: n.clock, Message: n.Message, Group: n.Group, Settled: n.settled,
		Names: username.Rules{Page: n.hasPage},
	}
	n.group = crypt.NewGroup()
	n.search = &search.Service{Store: n.Store}
	n.presence = presence.New(n.Store, n.clock, n.log, n.statusChanged)
	n.Media = &media.Service{
		Store: n.Store, Blobs: n.Blobs, Parts: n.parts, Images: n.images, Clock: n.clock,
		Random: random,
	}
	n.Secret = &secret.Service{
		Store: n.Store, Clock: n.clock, Rand: rand.Reader, Group: n.group, Files: n.Media,
		Random: random, MayWrite: n.Message.MayWrite,
	}
	appliers := make(map[int64]fanout.Applier)
	for _, of := range []map[int64]func(*store.Tx, store.Outbox) error{
		n.Message.Appliers(), n.Group.Appliers(), n.Channel.Appliers(), n.Enforce.Appliers(),
		n.Secret.Appliers(),
	} {
		for kind, apply := range of {
			if appliers[kind] != nil {
				return fmt.Errorf("node: two appliers for outbox rows of kind %d", kind)
			}
			appliers[kind] = apply
		}
	}
	n.Courier = fanout.NewCourier(n.life, n.Store, appliers, n.log)
	renderer := &live.Renderer{Store: n.Store, Env: n.env(), Clock: n.clock}
	n.hub = fanout.NewHub(n.life, n.Store, renderer.Render(n.down), n.log, pushWorkers)
	n.Store.OnCommit(func(c store.Commit) {
		n.accounts.Committed(c)
		n.hub.Committed(c)
		n.Courier.Committed(c)
		n.hearServiceChat(c)
	})
	if err := n.accounts.Load(n.ctx); err != nil {
		return err
	}
	return n.openAccount()
}

// settled waits until what a box had to tell others is done.
func (n *Node) settled(ctx context.Context, box ids.Peer) error {
	return n.Courier.Settled(ctx, box)
}

// down rewrites an update for a client's layer; nil is one that the layer does not have.
func (n *Node) down(to int, body []byte) ([]byte, error) {
	out, err := n.layers.Down(nil, to, body)
	if errors.Is(err, layer.ErrDrop) {
		return nil, nil
	}
	return out, err
}

// cut ends the live sessions of a key. A tool has none.
func (n *Node) cut(key int64) {
	if !n.tool {
		n.gateway.DropKey(key)
	}
}

// serviceName is the name of the account through which the server speaks.
const serviceName = "Parley"

func (n *Node) openAccount() error {
	codes, mail, err := n.senders()
	if err != nil {
		return err
	}
	passwords := srp.NewServer(srp.Config{
		Clock: n.clock, Rand: rand.Reader, Secret: n.Keys.Derive("password salts"),
		Group: n.group,
	})
	mode := map[config.Mode]accounts.Mode{
		config.Open: accounts.Open, config.Invite: accounts.Invite, config.Closed: accounts.Closed,
	}[n.Config.Registration.Mode]
	n.Account = accounts.New(accounts.Options{
		Store: n.Store, Devices: n.devices, Clock: n.clock, Rand: rand.Reader, SRP: passwords,
		Seal: n.Keys.Box(), Codes: codes, Mail: mail, Log: n.log, Mode: mode,
		Demo:            n.Config.Demo,
		CodesPerPhone:   n.Config.Limits.CodesPerPhone,
		CodesPerAddress: n.Config.Limits.CodesPerAddress,
		CodesTotal:      n.Config.Limits.CodesTotal,
		IdleDevices:     time.Duration(n.Config.Retention.Authorizations),
		KeepAddresses:   time.Duration(n.Config.Retention.Addresses),
		CodesLater:      n.Config.Codes.Sender == config.ByMail,
		Notify:          n.notify,
		Ended:           secret.Ended,
		Cut:             n.cut,
		TokenAccepted:   n.tokenAccepted,
	})
	return n.Account.Start(n.ctx, serviceName)
}

// senders are what carries login codes, and what carries mail.
func (n *Node) senders() (codes, mail codesender.Sender, err error) {
	c := n.Config
	if c.SMTP.Server != "" {
		mail, err = codesender.NewSMTP(codesender.SMTPOptions{
			Address: c.SMTP.Server, TLS: codesender.TLSMode(c.SMTP.TLS), Username: c.SMTP.Username,
			Password: c.SMTP.Password.Reveal(), From: c.SMTP.From, Service: serviceName,
		})
		if err != nil {
			return nil, nil, err
		}
	}
	switch c.Codes.Sender {
	case config.ByMail:
		return mail, mail, nil
	case config.ByWebhook:
		// The operator names the program himself, so it may be in his own network.
		codes, err = codesender.NewWebhook(hook.Options{
			URL: c.Webhook.URL, Secret: []byte(c.Webhook.Secret.Reveal()), AllowPrivate: true,
		})
		return codes, mail, err
	case config.JSONLines:
		return codesender.NewFile(c.Codes.File), mail, nil
	default:
		return codesender.NewMulti(n.log, codesender.NewFile(c.Codes.File),
			codesender.NewConsole(n.out)), mail, nil
	}
}

// notify writes a message of the service account to a user.
func (n *Node) notify(ctx context.Context, user ids.UserID, text, _ string) error {
	_, err := n.Message.Send(ctx, message.Outgoing{
		From: accounts.ServiceUser, To: user.Peer(), Random: random(), Protected: true, Trusted: true,
		Content: message.Content{Text: text},
	})
	if err != nil {
		return err
	}
	return n.Courier.Settled(ctx, accounts.ServiceUser.Peer())
}

// statusChanged tells the live sessions of those who may know that somebody came or went.
func (n *Node) statusChanged(ctx context.Context, user ids.UserID) {
	n.tellAbout(ctx, user, func(v *view.View) tg.UpdateClass {
		return &tg.UpdateUserStatus{UserID: int64(user), Status: v.Status(user)}
	})
}

// personChanged tells the live sessions of those who know somebody that he looks different.
func (n *Node) personChanged(ctx context.Context, user ids.UserID) error {
	n.tellAbout(ctx, user, func(v *view.View) tg.UpdateClass {
		v.User(user)
		return &tg.UpdateUser{UserID: int64(user)}
	})
	return nil
}

// tellAbout pushes an update about somebody, rendered for each, to those who know him and are live.
func (n *Node) tellAbout(
	ctx context.Context, user ids.UserID, render func(*view.View) tg.UpdateClass,
) {
	env := n.env()
	err := n.Store.View(ctx, func(r *store.Reader) error {
		audience, err := contact.Audience(r, user)
		if err != nil {
			return err
		}
		now := n.clock.Now().Unix()
		for _, id := range audience {
			if !n.hub.Live(id) {
				continue
			}
			v := view.New(r, env, id, now)
			body, err := view.Encode(v.Updates([]tg.UpdateClass{render(v)}))
			if err != nil || v.Err() != nil {
				return err
			}
			n.hub.Tell(body, id)
		}
		return nil
	})
	if err != nil {
		n.log.Warn("telling of a person", "error", err)
	}
}
