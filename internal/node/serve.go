package node

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/gotd/td/tg"
	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/api"
	apiaccount "parley/internal/api/account"
	"parley/internal/api/auth"
	"parley/internal/api/channels"
	"parley/internal/api/chats"
	"parley/internal/api/contacts"
	"parley/internal/api/desk"
	"parley/internal/api/files"
	"parley/internal/api/help"
	"parley/internal/api/langpack"
	"parley/internal/api/messages"
	"parley/internal/api/reports"
	"parley/internal/api/secret"
	"parley/internal/api/updates"
	"parley/internal/api/users"
	"parley/internal/api/view"
	"parley/internal/chat"
	accounts "parley/internal/chat/account"
	"parley/internal/chat/contact"
	"parley/internal/chat/device"
	"parley/internal/gateway"
	"parley/internal/ids"
	"parley/internal/keyring"
	"parley/internal/limit"
	"parley/internal/mtproto/handshake"
	"parley/internal/mtproto/session"
	"parley/internal/mtproto/transport"
	"parley/internal/store"
)

// methods are the rows of all namespaces.
func (n *Node) methods() []api.Method {
	d := desk.Desk{Store: n.Store, Env: n.env()}
	contactService := &contact.Service{Store: n.Store, Clock: n.clock}
	fileHandlers := &files.Handlers{
		Desk: d, Media: n.Media, Secret: n.Secret, References: n.references(),
		Changed: n.personChanged,
	}
	messageHandlers := &messages.Handlers{
		Desk: d, Message: n.Message, Media: fileHandlers.Medium, Tell: n.hub.Tell,
		Subscribers: n.hub.Subscribers, Settled: n.Courier.Settled, Shown: n.Account.CodeShown,
		Search: n.search,
	}
	helpHandlers := &help.Handlers{
		Store: n.Store, Env: d.Env, Addresses: n.addresses(), Name: serviceName,
		Support: accounts.ServiceUser, Appeal: n.personPage,
	}
	room := chats.Room{Desk: d, Settled: n.Courier.Settled}
	var all []api.Method
	for _, rows := range [][]api.Method{
		(&auth.Handlers{
			Desk: d, Account: n.Account, Terms: helpHandlers.TermsOfService(),
			DropTemps: func(key int64, except []int64) { n.gateway.DropTemps(key, except) },
			Refused:   n.refused,
		}).Methods(),
		(&apiaccount.Security{Desk: d, Account: n.Account}).Methods(),
		(&apiaccount.Profile{
			Desk: d, Presence: n.presence, Changed: n.personChanged, Names: n.Channel.Names,
		}).Methods(),
		helpHandlers.Methods(),
		(&langpack.Handlers{}).Methods(),
		(&users.Handlers{Desk: d}).Methods(),
		(&contacts.Handlers{Desk: d, Contact: contactService}).Methods(),
		(&updates.Handlers{Desk: d, Secret: n.Secret}).Methods(),
		(&secret.Handlers{Desk: d, Secret: n.Secret, Tell: n.hub.TellDevice}).Methods(),
		fileHandlers.Methods(),
		messageHandlers.Methods(),
		(&reports.Handlers{Desk: d, Intake: n.Intake, Press: n.Statements.Press}).Methods(),
		(&chats.Handlers{
			Room: room, Group: n.Group, Channel: n.Channel, Photo: fileHandlers.ChatPhoto,
			Subscribers: n.hub.Subscribers,
		}).Methods(),
		(&channels.Handlers{
			Room: room, Group: n.Group, Channel: n.Channel, Message: n.Message,
			Photo: fileHandlers.ChatPhoto, Messages: messageHandlers.ChannelMessages,
			Subscribers: n.hub.Subscribers,
		}).Methods(),
	} {
		all = append(all, rows...)
	}
	return all
}

// addresses are where clients are told to connect.
func (n *Node) addresses() []netip.AddrPort {
	var out []netip.AddrPort
	for _, a := range n.Config.Advertise {
		if addr, err := netip.ParseAddrPort(a); err == nil {
			out = append(out, addr)
		}
	}
	return out
}

// limits are how often an account may call the classes of methods.
func (n *Node) limits() api.Limits {
	l := n.Config.Limits
	bucket := func(r limit.Rate) *limit.Bucket[int64] {
		if r.Unlimited() {
			return nil
		}
		return limit.NewBucket[int64](r, limit.BucketKeys, n.clock)
	}
	return api.Limits{
		api.Read: bucket(l.Requests), api.Write: bucket(l.Requests), api.Send: bucket(l.Messages),
		api.Join: bucket(l.Joins), api.Costly: bucket(l.Contacts),
	}
}

func (n *Node) openAPI() error {
	called := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "parley_api_seconds",
		Help:    "How long methods of the API took, by method and outcome.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8),
	}, []string{"method", "outcome"})
	n.registry.MustRegister(called)
	var err error
	n.api, err = api.New(api.Options{
		Devices: n.devices, Layers: n.layers, Methods: n.methods(), Limits: n.limits(),
		Clock: n.clock, Log: n.log, DC: n.Config.DC,
		Standing: n.accounts.Of,
		Attend:   n.attend,
		Leave:    n.leave,
		Called: func(method, outcome string, took time.Duration) {
			called.WithLabelValues(method, outcome).Observe(took.Seconds())
		},
	})
	return err
}

// attend lets a session hear of everything that concerns its account, and notes that its device is in
// use.
func (n *Node) attend(ctx context.Context, user ids.UserID, s *api.State) error {
	d, err := n.devices.Find(ctx, s.KeyID())
	if err != nil {
		return err
	}
	err = n.Account.Touch(ctx, accounts.Caller{Key: d.AuthKey, IP: s.Live.IP()})
	if err != nil {
		return err
	}
	return n.hub.Attach(ctx, user, s)
}

// leave lets a session go; with the last one its account goes offline.
func (n *Node) leave(user ids.UserID, s *api.State) {
	if n.hub.Detach(user, s) {
		return
	}
	n.start(func() { n.presence.Gone(n.life, user, n.hub.Live) })
}

// handler joins the gateway to the dispatcher.
type handler struct{ node *Node }

// Ordered tells whether a query runs in its session's order.
func (h handler) Ordered(query []byte) bool { return h.node.api.Ordered(query) }

// Invoke answers a query.
func (h handler) Invoke(ctx context.Context, s *gateway.Session, q session.Query) ([]byte, error) {
	st, ok := s.Attachment().(*api.State)
	if !ok {
		if st, ok = s.AttachIfNone(api.NewState(s)).(*api.State); !ok {
			return nil, errors.New("node: a session carries something else")
		}
	}
	body, err := h.node.api.Serve(ctx, st, q)
	var refusal chat.Refusal
	if errors.As(err, &refusal) {
		return nil, &gateway.RPCError{Code: refusal.Code, Message: refusal.Reason}
	}
	return body, err
}

// Closed forgets a session.
func (h handler) Closed(s *gateway.Session) {
	if st, ok := s.Attachment().(*api.State); ok {
		h.node.api.Closed(st)
	}
}

// keys lets the gateway find keys.
type keys struct {
	devices *device.Registry
	account *accounts.Service
}

// Find returns a permanent key.
func (k keys) Find(ctx context.Context, id int64) (gateway.Key, error) {
	d, err := k.devices.Find(ctx, id)
	if errors.Is(err, device.ErrUnknown) {
		err = gateway.ErrNoKey
	}
	return gateway.Key{AuthKey: d.Key, DC: int(d.DC)}, err
}

// Destroy forgets a permanent key, and logs its device out where its client did not.
func (k keys) Destroy(ctx context.Context, id int64) error {
	d, err := k.devices.Find(ctx, id)
	if errors.Is(err, device.ErrUnknown) {
		return gateway.ErrNoKey
	}
	if err == nil && d.User != 0 {
		err = k.account.LogOut(ctx, accounts.Caller{Key: d.AuthKey})
	}
	if err != nil {
		return err
	}
	return k.devices.Destroy(ctx, id)
}

func (n *Node) openGateway() error {
	var err error
	n.exchange, err = handshake.NewServer(handshake.Config{
		Keys: n.Keys.RSA(), Clock: n.clock, Rand: rand.Reader,
		Save: func(ctx context.Context, r handshake.Result) error {
			return n.devices.Add(ctx, r.Key, r.Salt, r.DC)
		},
		Exists: n.devices.Exists,
	})
	if err != nil {
		return err
	}
	epoch, err := n.epoch()
	if err != nil {
		return err
	}
	if err := n.firstProxy(); err != nil {
		return err
	}
	secrets, err := n.secrets()
	if err != nil {
		return err
	}
	replays, err := transport.OpenReplayCache(filepath.Join(n.Config.Data, "hellos"),
		func(err error) { n.log.Error("remembering who came in by a proxy secret", "error", err) })
	if err != nil {
		return err
	}
	n.close = append(n.close, replays.Close)
	n.gateway = gateway.New(gateway.Options{
		Clock: n.clock, Rand: rand.Reader, Log: n.log, Handshake: n.exchange,
		Keys: keys{n.devices, n.Account}, Salts: keyring.NewSalts(n.Keys.Derive("salts"), epoch),
		Handler: handler{n}, Metrics: n.registry, Secrets: secrets,
		Origins: n.Config.Origins, Front: n.front(),
		Copied: func(key int64) { n.Account.InTwoPlaces(n.ctx, key) },
		Replay: replays,
		Limits: gateway.Limits{
			Connections:           n.Config.Limits.Connections,
			ConnectionsPerAddress: n.Config.Limits.ConnectionsPerAddress,
			Handshakes:            n.Config.Limits.Handshakes,
		},
	})
	return nil
}

// epoch counts the starts of the server: with each one all salts change, so that what was recorded
// before cannot be replayed to a server that has forgotten it.
func (n *Node) epoch() (uint32, error) {
	var epoch int64
	err := n.Store.Update(n.ctx, 0, func(tx *store.Tx) (err error) {
		epoch, err = tx.Next("epoch", 1)
		return err
	})
	return uint32(epoch), err
}

// tokenAccepted tells the sessions of a key that its login token was accepted.
func (n *Node) tokenAccepted(key int64) {
	n.tellKey(key, &tg.UpdateLoginToken{}, func(*api.State) bool { return true })
}

// tellKey sends an update to those sessions of a key that a check names, logged in or not.
func (n *Node) tellKey(key int64, u tg.UpdateClass, is func(*api.State) bool) {
	body, err := view.Encode(&tg.UpdateShort{Update: u, Date: int(n.clock.Now().Unix())})
	if err != nil {
		return
	}
	for _, s := range n.gateway.Sessions(key) {
		if st, ok := s.Attachment().(*api.State); ok && is(st) {
			if down, err := n.down(st.Layer(), body); err == nil && down != nil {
				st.Push(session.Body{Bytes: down})
			}
		}
	}
}
