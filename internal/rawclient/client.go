// Package rawclient is the least that a client of the server can be: one connection, one session,
// intermediate transport, real encryption, no key exchange and no retries. Benchmarks and fault
// tests drive the server with it where a whole client library would hide what happens. It shares no
// protocol code with the server.
package rawclient

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/crypto"
	"github.com/gotd/td/mt"
	"github.com/gotd/td/proto"
	"github.com/gotd/td/tg"
)

// answerTime is how long a client waits for an answer.
const answerTime = 2 * time.Minute

// Client is one connection with one session. Its methods are for one goroutine at a time.
type Client struct {
	conn    net.Conn
	cipher  crypto.Cipher
	key     crypto.AuthKey
	session int64
	salt    atomic.Int64
	last    int64
	seq     int32
	head    [4]byte
	buf     []byte
}

// Dial connects with an auth key that the server knows.
func Dial(ctx context.Context, addr string, key crypto.AuthKey) (*Client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &Client{conn: conn, cipher: crypto.NewClientCipher(rand.Reader), key: key}
	var b [8]byte
	_, _ = rand.Read(b[:])
	c.session = int64(binary.LittleEndian.Uint64(b[:]))
	_, err = conn.Write([]byte{0xee, 0xee, 0xee, 0xee})
	return c, err
}

// Close ends the connection.
func (c *Client) Close() { _ = c.conn.Close() }

// send encrypts and sends one query, as the first of its kind in a layer when first is set, and
// returns its msg_id.
func (c *Client) send(q bin.Encoder, first bool) (int64, error) {
	if first {
		q = &tg.InvokeWithLayerRequest{Layer: tg.Layer, Query: &tg.InitConnectionRequest{
			APIID: 1, DeviceModel: "bench", SystemVersion: "1", AppVersion: "1",
			SystemLangCode: "en", LangCode: "en", Query: object{q},
		}}
	}
	var body bin.Buffer
	if err := q.Encode(&body); err != nil {
		return 0, err
	}
	id := time.Now().Unix()<<32 | int64(time.Now().Nanosecond())&^3
	c.last = max(id, c.last+4)
	c.seq += 2
	var b bin.Buffer
	err := c.cipher.Encrypt(c.key, crypto.EncryptedMessageData{
		Salt: c.salt.Load(), SessionID: c.session, MessageID: c.last, SeqNo: c.seq - 1,
		MessageDataLen: int32(body.Len()), MessageDataWithPadding: body.Copy(),
	}, &b)
	if err != nil {
		return 0, err
	}
	frame := binary.LittleEndian.AppendUint32(nil, uint32(b.Len()))
	_, err = c.conn.Write(append(frame, b.Buf...))
	return c.last, err
}

// object makes an encoder an object, as wrappers want their query.
type object struct{ bin.Encoder }

// Decode is never called: queries are only sent.
func (object) Decode(*bin.Buffer) error { return errors.New("rawclient: a query is not decoded") }

// APIError is an answer that is an error.
type APIError struct {
	Code    int
	Message string
}

// Error returns the code and the name of the error.
func (e *APIError) Error() string { return fmt.Sprintf("%d %s", e.Code, e.Message) }

// frame reads one frame, which stays valid until the next.
func (c *Client) frame() ([]byte, error) {
	if _, err := io.ReadFull(c.conn, c.head[:]); err != nil {
		return nil, err
	}
	n := int(binary.LittleEndian.Uint32(c.head[:]) & 0x7fffffff)
	if n < 24 || n > 4<<20 {
		return nil, fmt.Errorf("rawclient: a frame of %d bytes", n)
	}
	if cap(c.buf) < n {
		c.buf = make([]byte, n)
	}
	c.buf = c.buf[:n]
	_, err := io.ReadFull(c.conn, c.buf)
	return c.buf, err
}

// Skip reads one frame, looks at nothing in it and returns its length.
func (c *Client) Skip() (int, error) {
	raw, err := c.frame()
	return len(raw), err
}

// receive reads and decrypts one frame and calls fn with each message in it.
func (c *Client) receive(fn func(id uint32, b *bin.Buffer) error) error {
	raw, err := c.frame()
	if err != nil {
		return err
	}
	data, err := c.cipher.DecryptFromBuffer(c.key, &bin.Buffer{Buf: raw})
	if err != nil {
		return err
	}
	return c.each(&bin.Buffer{Buf: data.Data()}, fn)
}

func (c *Client) each(b *bin.Buffer, fn func(id uint32, b *bin.Buffer) error) error {
	id, err := b.PeekID()
	if err != nil {
		return err
	}
	switch id {
	case proto.MessageContainerTypeID:
		var list proto.MessageContainer
		if err := list.Decode(b); err != nil {
			return err
		}
		for _, m := range list.Messages {
			if err := c.each(&bin.Buffer{Buf: m.Body}, fn); err != nil {
				return err
			}
		}
		return nil
	case proto.GZIPTypeID:
		var packed proto.GZIP
		if err := packed.Decode(b); err != nil {
			return err
		}
		return c.each(&bin.Buffer{Buf: packed.Data}, fn)
	case mt.BadServerSaltTypeID:
		var bad mt.BadServerSalt
		if err := bad.Decode(b); err != nil {
			return err
		}
		c.salt.Store(bad.NewServerSalt)
		return errSalt
	}
	return fn(id, b)
}

// errSalt says that the query must be sent again with the salt that came.
var errSalt = errors.New("rawclient: another salt")

// Ask sends a query, the first one of the client with what it says of itself, and waits for its
// result, which it returns undecoded. An error of the API is an *APIError.
func (c *Client) Ask(q bin.Encoder, first bool) (*bin.Buffer, error) {
	for {
		id, err := c.send(q, first)
		if err != nil {
			return nil, err
		}
		_ = c.conn.SetReadDeadline(time.Now().Add(answerTime))
		out, err := c.answer(id)
		if !errors.Is(err, errSalt) {
			_ = c.conn.SetReadDeadline(time.Time{})
			return out, err
		}
	}
}

func (c *Client) answer(id int64) (*bin.Buffer, error) {
	var out *bin.Buffer
	for out == nil {
		err := c.receive(func(what uint32, b *bin.Buffer) error {
			if what != proto.ResultTypeID {
				return nil
			}
			var r proto.Result
			if err := r.Decode(b); err != nil {
				return err
			}
			if r.RequestMessageID == id {
				out = &bin.Buffer{Buf: r.Result}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if what, err := out.PeekID(); err == nil && what == proto.GZIPTypeID {
		var packed proto.GZIP
		if err := packed.Decode(out); err != nil {
			return nil, err
		}
		out = &bin.Buffer{Buf: packed.Data}
	}
	if what, err := out.PeekID(); err == nil && what == mt.RPCErrorTypeID {
		var e mt.RPCError
		if err := e.Decode(out); err != nil {
			return nil, err
		}
		return nil, &APIError{Code: e.ErrorCode, Message: e.ErrorMessage}
	}
	return out, nil
}

// Pushed waits for an update that was not asked for.
func (c *Client) Pushed() error {
	_ = c.conn.SetReadDeadline(time.Now().Add(answerTime))
	for pushed := false; !pushed; {
		err := c.receive(func(id uint32, _ *bin.Buffer) error {
			pushed = pushed || id == tg.UpdatesTypeID || id == tg.UpdateShortTypeID
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
