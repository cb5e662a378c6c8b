package transport

import (
	"crypto/cipher"
	"encoding/binary"
	"hash/crc32"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxPadOut is the most padding, in bytes, that we add to a padded frame. Peers may add 15, but
	// some clients cut off no more than what exceeds a whole word.
	maxPadOut = 3
	// recordsPerCall is how many records go to the socket in one system call.
	recordsPerCall = 4
	// maxRecordHead is the longest header of a record: that of a web socket frame.
	maxRecordHead = 10
	// controlTimeout is how long a control frame may take to leave.
	controlTimeout = time.Second
)

// BeginFrame appends to dst the header of a frame with n bytes of payload; the caller appends
// exactly these and then calls EndFrame. Frames go out in the order in which they began, and a
// frame that was begun must go out. n is a multiple of 4, as the length of every message is.
func (c *Conn) BeginFrame(dst []byte, n int) []byte {
	switch c.kind.Codec {
	case Abridged:
		words := uint32(n) / 4
		if words < 0x7f {
			return append(dst, byte(words))
		}
		return binary.LittleEndian.AppendUint32(dst, words<<8|0x7f)
	case Full:
		dst = binary.LittleEndian.AppendUint32(dst, uint32(n+fullOverhead))
		dst = binary.LittleEndian.AppendUint32(dst, c.seqOut)
		c.seqOut++
		return dst
	case Padded:
		if _, err := io.ReadFull(c.rand, c.pad[:]); err == nil {
			n += int(c.pad[maxPadOut]) % (maxPadOut + 1)
		}
	}
	return binary.LittleEndian.AppendUint32(dst, uint32(n))
}

// EndFrame completes the frame that begins at dst[start], where BeginFrame put its header.
func (c *Conn) EndFrame(dst []byte, start int) []byte {
	switch c.kind.Codec {
	case Full:
		return binary.LittleEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[start:]))
	case Padded:
		pad := int(binary.LittleEndian.Uint32(dst[start:])) - (len(dst) - start - 4)
		return append(dst, c.pad[:pad]...)
	}
	return dst
}

// AppendError appends a frame with a transport error, such as -404, -429 or -444. It is not padded:
// clients know errors by their length.
//
// https://core.telegram.org/mtproto/mtproto-transports#transport-errors
func (c *Conn) AppendError(dst []byte, code int32) []byte {
	if c.kind.Codec == Padded {
		dst = binary.LittleEndian.AppendUint32(dst, 4)
		return binary.LittleEndian.AppendUint32(dst, uint32(code))
	}
	start := len(dst)
	dst = binary.LittleEndian.AppendUint32(c.BeginFrame(dst, 4), uint32(code))
	return c.EndFrame(dst, start)
}

// AppendQuickAck appends a quick acknowledgement: token is the first 32 bits, in little-endian
// order, of the hash that yields the msg_key; its top bit is set here. It appends nothing to a
// stream of full frames, which has none.
//
// https://core.telegram.org/mtproto/mtproto-transports#quick-ack
func (c *Conn) AppendQuickAck(dst []byte, token uint32) []byte {
	token |= 1 << 31
	switch c.kind.Codec {
	case Full:
		return dst
	case Abridged:
		return binary.BigEndian.AppendUint32(dst, token)
	default:
		return binary.LittleEndian.AppendUint32(dst, token)
	}
}

// Write sends buf, which holds frames as the functions above made them. It obfuscates buf in place
// and hands it to the socket in one call, or one for every 64 KiB inside fake TLS. It returns how
// many bytes the socket took, headers of records included.
//
// After an error that is a timeout, buf still belongs to the connection, and Flush continues where
// Write stopped; until that succeeds, Write returns ErrPending and leaves its argument untouched.
// After any other error the connection is dead.
func (c *Conn) Write(buf []byte) (int, error) { return c.out.write(buf) }

// Flush sends what an earlier Write could not, and returns like it. It does nothing when nothing is
// pending.
func (c *Conn) Flush() (int, error) { return c.out.resume() }

// outbox is the write side beneath the frames.
type outbox struct {
	mu      sync.Mutex // held while the socket is written to
	nc      net.Conn
	encrypt cipher.Stream // nil: not obfuscated
	rest    []byte        // of the caller's buffer, obfuscated, not yet sent or put into records
	records *records      // nil: no wrapper
}

// records is what the write side needs when it has a wrapper.
type records struct {
	wrapper wrapper
	heads   [recordsPerCall][maxRecordHead]byte
	parts   [2*recordsPerCall + 1][]byte
	unsent  net.Buffers // the tail of parts that the socket has not taken
	busy    bool        // rest or unsent hold bytes of the caller's

	// control is a frame that answers the peer, and waits until the socket is between two records.
	control atomic.Pointer[[]byte]

	deadlineMu sync.Mutex
	deadline   time.Time // the caller's
}

func (o *outbox) setDeadline(t time.Time) error {
	if o.records == nil {
		return o.nc.SetWriteDeadline(t)
	}
	o.records.deadlineMu.Lock()
	defer o.records.deadlineMu.Unlock()
	o.records.deadline = t
	return o.nc.SetWriteDeadline(t)
}

func (o *outbox) write(buf []byte) (int, error) {
	o.mu.Lock()
	if len(o.rest) > 0 || o.records != nil && o.records.busy {
		o.mu.Unlock()
		return 0, ErrPending
	}
	if o.encrypt != nil {
		o.encrypt.XORKeyStream(buf, buf)
	}
	o.rest = buf
	return o.finish()
}

func (o *outbox) resume() (int, error) {
	o.mu.Lock()
	return o.finish()
}

// finish flushes, unlocks, and sends an answer that was put off meanwhile.
func (o *outbox) finish() (int, error) {
	n, err := o.flush()
	o.mu.Unlock()
	if o.records != nil {
		o.sendControl()
	}
	return n, err
}

func (o *outbox) flush() (int, error) {
	if o.records != nil {
		return o.flushRecords()
	}
	if len(o.rest) == 0 {
		return 0, nil
	}
	n, err := o.nc.Write(o.rest)
	if o.rest = o.rest[n:]; len(o.rest) == 0 {
		o.rest = nil
	}
	return n, err
}

func (o *outbox) flushRecords() (int, error) {
	r, total := o.records, 0
	r.busy = r.busy || len(o.rest) > 0
	for {
		if len(r.unsent) == 0 {
			o.rest = r.load(o.rest)
		}
		if len(r.unsent) == 0 {
			r.busy = false
			return total, nil
		}
		n, err := r.unsent.WriteTo(o.nc)
		total += int(n)
		if err != nil {
			return total, err
		}
	}
}

// load puts a waiting answer and as much of rest as one call takes into unsent, and returns what
// remains of rest.
func (r *records) load(rest []byte) []byte {
	parts := r.parts[:0]
	if control := r.control.Swap(nil); control != nil {
		parts = append(parts, *control)
	}
	for i := 0; i < recordsPerCall && len(rest) > 0; i++ {
		head, n := r.wrapper.header(r.heads[i][:0], len(rest))
		parts = append(parts, head, rest[:n])
		rest = rest[n:]
	}
	r.unsent = parts
	if len(rest) == 0 {
		return nil
	}
	return rest
}

// answer sends a control frame, or leaves that to whoever holds the socket. Only the latest one
// matters, as the protocol has it, so that the peer cannot make them pile up.
//
// https://www.rfc-editor.org/rfc/rfc6455#section-5.5.3
func (o *outbox) answer(frame []byte) {
	o.records.control.Store(&frame)
	o.sendControl()
}

// sendControl sends a waiting answer unless a writer is at work, who will call it when done, or a
// write is pending, which takes the answer along. It looks again after unlocking, since the other
// side may have failed to lock in between.
func (o *outbox) sendControl() {
	r := o.records
	for r.control.Load() != nil && o.mu.TryLock() {
		var err error
		stuck := r.busy
		if !stuck {
			err = o.flushControl()
		}
		o.mu.Unlock()
		if stuck || err != nil {
			return
		}
	}
}

// flushControl flushes under a deadline of its own, for the caller's may have passed long ago.
func (o *outbox) flushControl() error {
	o.records.deadlineMu.Lock()
	err := o.nc.SetWriteDeadline(time.Now().Add(controlTimeout))
	o.records.deadlineMu.Unlock()
	if err == nil {
		_, err = o.flush()
	}
	o.records.deadlineMu.Lock()
	defer o.records.deadlineMu.Unlock()
	if restored := o.nc.SetWriteDeadline(o.records.deadline); err == nil {
		err = restored
	}
	return err
}
