// Package transport turns a fresh socket into a stream of MTProto frames and back. One port speaks
// every transport: Accept looks at the first bytes and recognises abridged, intermediate, padded
// and full framing, the obfuscated forms of the first three, the same inside a web socket, and
// inside the fake TLS of proxies.
//
// The package knows nothing of keys, sessions or messages; a payload is bytes. It starts no
// goroutine, blocks only in the caller's, and keeps no state outside a Conn and a ReplayCache.
//
// Invariants: no length is trusted before it is checked, and memory for a frame grows with the
// bytes that arrived, never with the length that was announced. After a read error the connection
// yields nothing but that error. A write that a deadline cut short can be continued, and nothing is
// interleaved with it.
//
// https://core.telegram.org/mtproto/mtproto-transports
package transport

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"parley/internal/clock"
	"parley/internal/limit"
)

// Options says what Accept admits.
type Options struct {
	// Secrets are the proxy secrets that obfuscated and fake TLS peers may use. Connections
	// without a secret are admitted whatever stands here.
	Secrets []Secret
	// Origins are the hosts whose pages may open a web socket. Empty admits every page: the
	// protocol has no cookie or other credential that a foreign page could borrow.
	Origins []string
	// Front hands on peers with a TLS hello that is not ours, instead of closing the connection:
	// Accept returns a *StrangerError. With Hidden nothing is admitted but fake TLS, and whoever
	// sends anything else is handed on alike.
	Front, Hidden bool
	// Replay remembers accepted fake TLS hellos. Without it every such hello is refused.
	Replay *ReplayCache
	// Clock checks the age of fake TLS hellos; nil means the machine's.
	Clock clock.Clock
	// Rand fills padding and the server's TLS hello; nil means crypto/rand.
	Rand io.Reader
}

// Codec is how frames are cut from the stream.
type Codec uint8

// The codecs.
const (
	Abridged Codec = iota
	Intermediate
	Padded
	Full
)

// String returns the codec's name, fit for a metric's label.
func (c Codec) String() string {
	return [...]string{"abridged", "intermediate", "padded", "full"}[c&3]
}

// Carrier is what carries the stream of frames.
type Carrier uint8

// The carriers. Every one but Plain carries an obfuscated stream.
const (
	Plain Carrier = iota
	Obfuscated
	WebSocket
	FakeTLS
)

// String returns the carrier's name, fit for a metric's label.
func (c Carrier) String() string {
	return [...]string{"plain", "obfuscated", "websocket", "faketls"}[c&3]
}

// Kind tells the transports apart, for metrics.
type Kind struct {
	Codec   Codec
	Carrier Carrier
}

// String returns carrier and codec, as in "obfuscated/intermediate".
func (k Kind) String() string { return k.Carrier.String() + "/" + k.Codec.String() }

// Conn is one framed connection. One goroutine may use its read side (Await, ReadFrame,
// SetMaxFrame) while another uses its write side (BeginFrame to Flush); SetReadDeadline,
// SetWriteDeadline, Close and the accessors may be called by any.
type Conn struct {
	in   stream
	out  outbox
	kind Kind
	dc   int16

	// Read side: the frame at hand.
	head    [maxHead + keyIDBytes]byte
	headLen int
	have    int // bytes of head that arrived
	claim   Head
	ready   bool // claim is valid
	max     int
	seqIn   uint32
	err     error // the error that ended reading

	// Write side.
	seqOut uint32
	rand   io.Reader
	pad    [maxPadOut + 1]byte
}

// Accept recognises the transport of a fresh connection by its first bytes and returns it framed,
// with deadlines cleared. It blocks until these bytes came, for limit.FirstBytes at most, and as
// long again for what follows a TLS hello or a web socket upgrade; so it belongs in the
// connection's own goroutine, never in a loop that accepts.
//
// An HTTP request that opens no web socket is answered with 404 and yields ErrHTTP. After any error
// but a *StrangerError nc is closed.
//
// https://core.telegram.org/mtproto/mtproto-transports
func Accept(nc net.Conn, o Options) (*Conn, error) {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	c := &Conn{rand: o.Rand, max: limit.FrameUnkeyed}
	c.in.nc = nc
	c.out.nc = nc
	err := c.renewDeadline()
	if err == nil {
		err = c.recognise(&o)
	}
	var stranger *StrangerError
	if err == nil || errors.As(err, &stranger) {
		if derr := nc.SetDeadline(time.Time{}); derr != nil {
			err, stranger = derr, nil
		}
	}
	if stranger != nil {
		return nil, stranger
	}
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("transport: accept: %w", err)
	}
	return c, nil
}

func (c *Conn) renewDeadline() error {
	return c.in.nc.SetDeadline(time.Now().Add(limit.FirstBytes))
}

// carry puts the connection's bytes into w's records from now on, in both directions.
func (c *Conn) carry(w wrapper) {
	c.in.wrapper = w
	c.out.records = &records{wrapper: w}
}

// obfuscate starts the ciphers of an obfuscated stream.
func (c *Conn) obfuscate(o obfuscation) {
	c.kind.Codec, c.dc = o.codec, o.dc
	c.in.decrypt, c.out.encrypt = o.decrypt, o.encrypt
}

// Kind returns which transport the peer speaks.
func (c *Conn) Kind() Kind { return c.kind }

// DC returns the data center that an obfuscated header named: negative for its media servers, plus
// 10000 for the test environment, 0 when the peer named none.
//
// https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation
func (c *Conn) DC() int16 { return c.dc }

// RemoteAddr returns the address of the socket's other end.
func (c *Conn) RemoteAddr() net.Addr { return c.in.nc.RemoteAddr() }

// SetReadDeadline bounds Await and ReadFrame; a zero time removes the bound.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.in.nc.SetReadDeadline(t) }

// SetWriteDeadline bounds Write and Flush; a zero time removes the bound.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.out.setDeadline(t) }

// Close closes the socket and wakes up whoever reads or writes.
func (c *Conn) Close() error { return c.in.nc.Close() }
