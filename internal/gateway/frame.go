package gateway

import (
	"sync"
	"sync/atomic"

	"parley/internal/limit"
)

// frame is a frame whose buffer serves the queries in it. When the last of them has run, the buffer
// is used again, and the client gets the quick acknowledgement if it wanted one.
type frame struct {
	conn  *conn
	class int // of the buffer; -1 for none
	buf   []byte
	token uint32
	quick bool
	refs  atomic.Int32
}

// release gives up one use of the frame. The last one must not be followed by any other.
func (f *frame) release() {
	if f.refs.Add(-1) > 0 {
		return
	}
	if f.quick {
		f.conn.send(extra{kind: quickAck, token: f.token})
	}
	f.conn.server.frames.put(f)
}

// frames keeps frames with buffers of a few sizes.
type frames struct {
	pools [len(frameSizes)]sync.Pool
}

// frameSizes are the sizes of buffers, in bytes. Only those up to limit.FrameStep are lent on the
// word of an announced length.
var frameSizes = [...]int{1 << 10, 4 << 10, limit.FrameStep, 128 << 10, limit.FrameKeyed + 16}

// get returns a frame with room for n bytes.
func (p *frames) get(c *conn, n int) *frame {
	class := 0
	for class < len(frameSizes)-1 && frameSizes[class] < n {
		class++
	}
	f, _ := p.pools[class].Get().(*frame)
	if f == nil {
		f = &frame{class: class, buf: make([]byte, 0, frameSizes[class])}
	}
	f.conn = c
	return f
}

// put keeps a frame for later use, unless its buffer grew beyond its size.
func (p *frames) put(f *frame) {
	if cap(f.buf) > 2*frameSizes[f.class] {
		return
	}
	f.conn, f.token, f.quick = nil, 0, false
	p.pools[f.class].Put(f)
}
