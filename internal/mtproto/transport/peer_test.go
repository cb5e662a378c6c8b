package transport

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/gotd/td/bin"
	"github.com/gotd/td/mtproxy"
	"github.com/gotd/td/mtproxy/obfuscator"
	"github.com/gotd/td/proto/codec"

	"parley/internal/limit"
)

const (
	testKey    = "0123456789abcdef0123456789abcdef"
	testDomain = "example.org"
)

func secretText(prefix string) string {
	if prefix == "ee" {
		return prefix + testKey + hex.EncodeToString([]byte(testDomain))
	}
	return prefix + testKey
}

func secret(t testing.TB, prefix string) Secret {
	t.Helper()
	s, err := ParseSecret(secretText(prefix))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// script is a socket whose peer has said everything already. What we say to it is kept.
type script struct {
	net.Conn // nil: whatever is not overridden must not be called
	in       io.Reader
	out      bytes.Buffer
	closed   bool
}

func newScript(b ...[]byte) *script {
	return &script{in: bytes.NewReader(bytes.Join(b, nil))}
}

func (s *script) Read(p []byte) (int, error)       { return s.in.Read(p) }
func (s *script) Write(p []byte) (int, error)      { return s.out.Write(p) }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) Close() error                     { s.closed = true; return nil }

// framed returns a connection whose transport is known already.
func framed(k Kind, nc net.Conn) *Conn {
	c := &Conn{kind: k, rand: rand.Reader, max: limit.FrameKeyed}
	c.in.nc, c.out.nc = nc, nc
	switch k.Carrier {
	case WebSocket:
		c.carry(&webSocket{out: &c.out})
	case FakeTLS:
		c.carry(&tlsRecords{})
	}
	return c
}

func allCodecs() []Codec { return []Codec{Abridged, Intermediate, Padded, Full} }

// message returns what looks like an encrypted message with n blocks.
func message(n int) []byte {
	b := make([]byte, cipherHead+n*cipherBlock)
	rand.Read(b)
	b[0] |= 1
	return b
}

// listen accepts connections on the loopback, each in its own goroutine, and passes on what Accept
// returns.
func listen(t testing.TB, o Options) (string, <-chan accepted) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	results := make(chan accepted, 4096)
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				c, err := Accept(nc, o)
				results <- accepted{c, err}
			}()
		}
	}()
	return l.Addr().String(), results
}

type accepted struct {
	conn *Conn
	err  error
}

// client is an independent implementation of the other side: gotd's.
type client struct {
	io.ReadWriteCloser
	codec codec.Codec
}

func (c client) send(t testing.TB, b []byte) {
	t.Helper()
	if err := c.codec.Write(c, &bin.Buffer{Buf: bytes.Clone(b)}); err != nil {
		t.Error(err)
	}
}

func (c client) receive(t testing.TB) []byte {
	t.Helper()
	var b bin.Buffer
	if err := c.codec.Read(c, &b); err != nil {
		t.Fatal(err)
	}
	return b.Buf
}

func gotdCodec(c Codec) codec.Codec {
	return []codec.Codec{
		codec.Abridged{}, codec.Intermediate{}, codec.PaddedIntermediate{}, &codec.Full{},
	}[c]
}

// dial connects to addr as a client of the kind, with a secret or "".
func dial(t testing.TB, addr string, k Kind, secretPrefix string, dc int) client {
	t.Helper()
	var nc net.Conn
	var err error
	if k.Carrier == WebSocket {
		nc = dialWebSocket(t, addr)
	} else if nc, err = net.Dial("tcp", addr); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	cdc := gotdCodec(k.Codec)
	if k.Carrier == Plain {
		if err := cdc.WriteHeader(nc); err != nil {
			t.Fatal(err)
		}
		return client{nc, cdc}
	}
	var s mtproxy.Secret
	if secretPrefix != "" {
		raw, _ := hex.DecodeString(secretText(secretPrefix))
		if s, err = mtproxy.ParseSecret(raw); err != nil {
			t.Fatal(err)
		}
	}
	wrap := obfuscator.Obfuscated2
	if k.Carrier == FakeTLS {
		wrap = obfuscator.FakeTLS
	}
	oc := wrap(rand.Reader, nc)
	if err := oc.Handshake(cdc.(codec.TaggedCodec).ObfuscatedTag(), dc, s); err != nil {
		t.Fatal(err)
	}
	return client{oc, cdc}
}

func dialWebSocket(t testing.TB, addr string) net.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, "ws://"+addr+"/apiws", &websocket.DialOptions{
		Subprotocols: []string{"binary"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if ws.Subprotocol() != "binary" {
		t.Errorf("subprotocol = %q", ws.Subprotocol())
	}
	return websocket.NetConn(context.Background(), ws, websocket.MessageBinary)
}

// send writes payloads to the peer, coalesced.
func send(t testing.TB, c *Conn, payloads ...[]byte) {
	t.Helper()
	var buf []byte
	for _, p := range payloads {
		buf = appendFrame(c, buf, p)
	}
	if _, err := c.Write(buf); err != nil {
		t.Fatal(err)
	}
}

func appendFrame(c *Conn, buf, payload []byte) []byte {
	start := len(buf)
	buf = append(c.BeginFrame(buf, len(payload)), payload...)
	return c.EndFrame(buf, start)
}

// receiveError reads a frame that must hold a transport error.
func (c client) receiveError(t testing.TB) int32 {
	t.Helper()
	var protocol *codec.ProtocolErr
	if err := c.codec.Read(c, &bin.Buffer{}); !errors.As(err, &protocol) {
		t.Fatalf("no transport error: %v", err)
	}
	return protocol.Code
}

// obfuscatedOpening returns the header of an obfuscated stream, and the cipher that continues it.
func obfuscatedOpening(t testing.TB, c Codec, dc int16, s Secret) ([]byte, cipher.Stream) {
	t.Helper()
	header := make([]byte, obfuscatedHeader)
	for header[0] == 0 || header[0] == 0xef {
		rand.Read(header)
	}
	header[4] |= 1
	encrypt := keyStream(header[8:56], &s)
	tag := []byte{0xef, 0xee, 0xdd}[c]
	copy(header[56:], []byte{tag, tag, tag, tag, byte(dc), byte(dc >> 8)})
	whole := make([]byte, obfuscatedHeader)
	encrypt.XORKeyStream(whole, header)
	return append(header[:56], whole[56:]...), encrypt
}
