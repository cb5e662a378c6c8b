package transport

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"parley/internal/limit"
)

// Head is what is known of a frame before its body is read.
type Head struct {
	// Size is the length of the payload in bytes, as announced, with padding.
	Size int
	// KeyID is the auth_key_id, the payload's first 8 bytes. It is 0 for an unencrypted message,
	// and for a payload shorter than that.
	KeyID int64
	// QuickAck is set when the peer wants the frame acknowledged with AppendQuickAck.
	//
	// https://core.telegram.org/mtproto/mtproto-transports#quick-ack
	QuickAck bool
}

// Frame is a frame that was read.
type Frame struct {
	// Payload is an MTProto message, with the padding of the padded codec already cut off; or it
	// is too short for one, see Idle. It begins where the buffer of ReadFrame began, or a larger
	// one in its place.
	Payload []byte
	// QuickAck is as in Head.
	QuickAck bool
}

// Idle reports whether the payload is too short to be a message: some clients send a word or
// nothing at all to keep a connection alive. Such frames need no answer.
func (f Frame) Idle() bool { return len(f.Payload) < plainHead }

// SetMaxFrame sets the longest payload that ReadFrame admits, in bytes, padding not counted. It
// starts as limit.FrameUnkeyed; limit.FrameKeyed holds in any case. It may be called between Await
// and ReadFrame, when the auth key of the frame at hand is known.
func (c *Conn) SetMaxFrame(n int) { c.max = n }

// Await blocks until the next frame begins and returns what its first bytes tell. It needs no
// buffer, so that an idle connection need not hold one. Called again before ReadFrame, it returns
// the same. The error is io.EOF when the peer closed the connection between two frames, wraps the
// socket's error or one of this package's, and stays the same from then on.
func (c *Conn) Await() (Head, error) {
	if c.ready || c.err != nil {
		return c.claim, c.err
	}
	// Here an idle connection spends its life. With no more calls on top, a goroutine that does
	// nothing but await gets by with the smallest stack.
	if c.in.empty() {
		if err := c.in.refill(); err != nil {
			return Head{}, c.fail(err)
		}
	}
	return c.readClaim()
}

// readClaim reads what Await returns.
func (c *Conn) readClaim() (Head, error) {
	headLen, claim, err := c.readHead()
	if err == nil {
		err = c.fetch(headLen + min(keyIDBytes, claim.Size))
	}
	if err != nil {
		return Head{}, c.fail(err)
	}
	if claim.Size >= keyIDBytes {
		claim.KeyID = int64(binary.LittleEndian.Uint64(c.head[headLen:]))
	}
	c.headLen, c.claim, c.ready = headLen, claim, true
	return claim, nil
}

// readHead reads a frame's header. It takes several steps, for the first bytes tell its length.
func (c *Conn) readHead() (headLen int, claim Head, err error) {
	for {
		headLen, claim, err = c.kind.Codec.parse(c.head[:c.have])
		if err != nil || c.have == headLen {
			break
		}
		if err = c.fetch(headLen); err != nil {
			return 0, Head{}, err
		}
	}
	if err == nil && c.kind.Codec == Full {
		if binary.LittleEndian.Uint32(c.head[4:]) != c.seqIn {
			return 0, Head{}, ErrSequence
		}
		c.seqIn++
	}
	return headLen, claim, err
}

// fetch reads the frame's first bytes into head until n are there.
func (c *Conn) fetch(n int) error {
	m, err := io.ReadFull(&c.in, c.head[c.have:n])
	if c.have += m; c.have > 0 {
		err = inside(err)
	}
	return err
}

// fail ends the read side for good: after an error nobody knows where the next frame begins.
func (c *Conn) fail(err error) error {
	if err != io.EOF {
		err = fmt.Errorf("transport: read: %w", err)
	}
	c.err, c.ready, c.claim = err, false, Head{}
	return err
}

// ReadFrame reads the next frame into buf, whose length does not matter. When buf is too small, a
// larger one takes its place, growing as bytes arrive: memory is never more than limit.FrameStep or
// twice what was received. Errors are as for Await.
func (c *Conn) ReadFrame(buf []byte) (Frame, error) {
	claim, err := c.Await()
	if err != nil {
		return Frame{}, err
	}
	codec, size := c.kind.Codec, claim.Size
	if size > c.max && !(codec == Padded && size <= c.max+maxPad) {
		return Frame{}, c.fail(ErrFrameTooLong)
	}
	buf = append(buf[:0], c.head[c.headLen:c.have]...)
	trailer := 0
	if codec == Full {
		trailer = checksumBytes
	}
	if buf, err = c.fill(buf, size+trailer); err != nil {
		return Frame{}, c.fail(inside(err))
	}
	payload := buf[:size]
	switch codec {
	case Full:
		sum := crc32.Update(crc32.ChecksumIEEE(c.head[:maxHead]), crc32.IEEETable, payload)
		if binary.LittleEndian.Uint32(buf[size:]) != sum {
			return Frame{}, c.fail(ErrChecksum)
		}
	case Padded:
		payload = unpad(payload)
	}
	c.have, c.ready = 0, false
	return Frame{Payload: payload, QuickAck: claim.QuickAck}, nil
}

// fill reads into buf until it is n bytes long. With an error it returns what came.
func (c *Conn) fill(buf []byte, n int) ([]byte, error) {
	for len(buf) < n {
		if len(buf) == cap(buf) {
			larger := make([]byte, len(buf), min(n, max(limit.FrameStep, 2*len(buf))))
			copy(larger, buf)
			buf = larger
		}
		m, err := c.in.Read(buf[len(buf):min(n, cap(buf))])
		buf = buf[:len(buf)+m]
		if err != nil {
			return buf, err
		}
	}
	return buf, nil
}
