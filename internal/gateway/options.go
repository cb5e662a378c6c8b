package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/clock"
	"parley/internal/keyring"
	"parley/internal/limit"
	"parley/internal/mtproto/handshake"
	"parley/internal/mtproto/session"
	"parley/internal/mtproto/transport"
)

// Handler runs queries.
type Handler interface {
	// Ordered reports whether a query must run in the order of its session, as writes must.
	Ordered(query []byte) bool
	// Invoke runs a query and returns its result, a TL value that the gateway takes over. An error
	// that is an *RPCError goes to the client; of any other it learns only that there was one. The
	// query's body is valid until Invoke returns.
	Invoke(ctx context.Context, s *Session, q session.Query) ([]byte, error)
	// Closed says that a session is forgotten, for which queries were invoked. It must not block.
	Closed(s *Session)
}

// RPCError is an error that a client may see.
type RPCError = session.RPCError

// Keys knows the permanent auth keys.
type Keys interface {
	// Find returns the key with an id, or ErrNoKey.
	Find(ctx context.Context, id int64) (Key, error)
	// Destroy forgets a key for good. It answers ErrNoKey if there is none.
	Destroy(ctx context.Context, id int64) error
}

// ErrNoKey says that no key has the id.
var ErrNoKey = errors.New("gateway: no such auth key")

// Options are what a Server is made of. Fields without a remark must be set.
type Options struct {
	Clock     clock.Clock
	Rand      io.Reader // cryptographic, and safe for concurrent use
	Log       *slog.Logger
	Handshake *handshake.Server
	Keys      Keys
	Salts     *keyring.Salts
	Handler   Handler
	// Metrics may be nil.
	Metrics prometheus.Registerer
	// Secrets are those of proxies, Origins as in transport.Options. Both may be nil. Replay is one
	// of the server's own if it is nil; servers with the same secrets do well to share one.
	Secrets []transport.Secret
	Origins []string
	Replay  *transport.ReplayCache
	// Front connects to the website that ports of fake TLS pretend to be: whoever comes there
	// without a secret is handed on. nil closes his connection; ServeHidden needs it.
	Front  func(context.Context) (net.Conn, error)
	Limits Limits
	// Copied hears of a permanent key that is in use from two places at once. It must not block.
	// It may be nil.
	Copied func(permKeyID int64)
}

// Limits are bounds that depend on the machine and the place. A zero field stands for its default.
type Limits struct {
	Connections           int
	ConnectionsPerAddress int
	// Handshakes is how often one address may begin the costly part of a key exchange.
	Handshakes limit.Rate
	// Queries is how many queries run at once.
	Queries int
	// Idle is how long a client may be silent that did not ask for longer, Unkeyed how long a key
	// exchange may take, SlowWrite how long a peer may take for each limit.SlowBytes.
	Idle, Unkeyed, SlowWrite time.Duration
	// PackFrom is the smallest answer, in bytes, that is compressed.
	PackFrom int
}

func (l *Limits) fill() {
	if l.Connections == 0 {
		l.Connections = limit.Connections
	}
	if l.ConnectionsPerAddress == 0 {
		l.ConnectionsPerAddress = limit.ConnectionsPerAddress
	}
	if l.Handshakes == (limit.Rate{}) {
		l.Handshakes = limit.Rate{Burst: 60, Per: time.Minute}
	}
	if l.Queries == 0 {
		l.Queries = limit.Queries
	}
	if l.Idle == 0 {
		l.Idle = limit.Idle
	}
	if l.Unkeyed == 0 {
		l.Unkeyed = limit.Unkeyed
	}
	if l.SlowWrite == 0 {
		l.SlowWrite = limit.SlowWrite
	}
}
