package bench

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"io"
	"net"
	"os"
	"sync"

	"parley/internal/mtproto/crypt"
)

// Floor is the least that a server of these clients can do on this machine: the same sockets, the
// same encryption, the same durability, and nothing else. No state, no TL, no rules, no database.
// It runs as a process of its own, so that its processor time is measured as the server's is.
//
// A connection begins with one byte that says what it is:
//
//	s  a subscriber: it gets what posters post, encrypted under a key of its own
//	p  a poster: each 4-byte length that it writes is a post of so many bytes to all subscribers
//	m  one of a pair: after its 4-byte number, each 4-byte length that it writes is a message of so
//	   many bytes that follow; it is decrypted, appended and synced to disk, and then encrypted to
//	   the other of the pair and acknowledged
//	h  a reader: each 4-byte length that it writes is answered by so many encrypted bytes
func Floor(ctx context.Context, l net.Listener, dir string) error {
	f, err := os.CreateTemp(dir, "floor")
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	s := &floor{
		random: crypt.NewRandom(rand.Reader), log: f, pairs: make(map[uint32]*floorPeer),
		appends: make(chan floorAppend, 1024),
	}
	go s.commit(ctx)
	context.AfterFunc(ctx, func() { _ = l.Close() })
	for {
		conn, err := l.Accept()
		if err != nil {
			return ctx.Err()
		}
		go s.serve(conn)
	}
}

type floor struct {
	random  *crypt.Random
	log     *os.File
	appends chan floorAppend

	mu          sync.Mutex
	subscribers []*floorPeer
	pairs       map[uint32]*floorPeer
}

type floorPeer struct {
	conn net.Conn
	key  crypt.AuthKey
	mu   sync.Mutex
	msg  int64
}

type floorAppend struct {
	body []byte
	done chan struct{}
}

// commit syncs what waits, together.
func (s *floor) commit(ctx context.Context) {
	var waiting []chan struct{}
	for {
		select {
		case a := <-s.appends:
			waiting = append(waiting[:0], a.done)
			_, _ = s.log.Write(a.body)
		case <-ctx.Done():
			return
		}
		for more := true; more; {
			select {
			case a := <-s.appends:
				waiting = append(waiting, a.done)
				_, _ = s.log.Write(a.body)
			default:
				more = false
			}
		}
		if err := s.log.Sync(); err != nil {
			return
		}
		for _, w := range waiting {
			close(w)
		}
	}
}

func newFloorPeer(conn net.Conn) *floorPeer {
	p := &floorPeer{conn: conn}
	var value [crypt.KeySize]byte
	_, _ = rand.Read(value[:])
	p.key = crypt.NewAuthKey(value)
	return p
}

// seal sends a body encrypted, in one frame and one write.
func (s *floor) seal(p *floorPeer, body []byte, buf []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.msg += 4
	buf = append(buf[:0], 0, 0, 0, 0)
	buf = crypt.AppendSealed(buf, &p.key, crypt.Header{Salt: 1, SessionID: 1, MsgID: p.msg | 3},
		body, nil, s.random)
	binary.LittleEndian.PutUint32(buf, uint32(len(buf)-4))
	_, _ = p.conn.Write(buf)
	return buf
}

func (s *floor) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	var kind [1]byte
	if _, err := io.ReadFull(conn, kind[:]); err != nil {
		return
	}
	p := newFloorPeer(conn)
	switch kind[0] {
	case 's':
		s.mu.Lock()
		s.subscribers = append(s.subscribers, p)
		s.mu.Unlock()
		_, _ = conn.Write(kind[:])
		_, _ = io.ReadFull(conn, kind[:])
	case 'p':
		s.posts(bufio.NewReader(conn))
	case 'm':
		s.messages(p)
	case 'h':
		s.pages(p)
	}
}

func readLength(r io.Reader) (int, error) {
	var b [4]byte
	_, err := io.ReadFull(r, b[:])
	return int(binary.LittleEndian.Uint32(b[:]) & 0xfffffc), err
}

func (s *floor) posts(r io.Reader) {
	var buf []byte
	for {
		n, err := readLength(r)
		if err != nil {
			return
		}
		body := make([]byte, n)
		s.mu.Lock()
		to := s.subscribers
		s.mu.Unlock()
		for _, p := range to {
			buf = s.seal(p, body, buf)
		}
	}
}

func (s *floor) pages(p *floorPeer) {
	var buf []byte
	for {
		n, err := readLength(p.conn)
		if err != nil {
			return
		}
		buf = s.seal(p, make([]byte, n), buf)
	}
}

func (s *floor) messages(p *floorPeer) {
	var number [4]byte
	if _, err := io.ReadFull(p.conn, number[:]); err != nil {
		return
	}
	mine := binary.LittleEndian.Uint32(number[:])
	s.mu.Lock()
	s.pairs[mine] = p
	s.mu.Unlock()
	// Who writes to somebody who is not known yet waits for ever.
	if _, err := p.conn.Write([]byte{'m'}); err != nil {
		return
	}
	var buf []byte
	ack := make([]byte, 32)
	for {
		n, err := readLength(p.conn)
		if err != nil {
			return
		}
		in := make([]byte, n)
		if _, err := io.ReadFull(p.conn, in); err != nil {
			return
		}
		var key, iv [32]byte
		crypt.DecryptIGE(&key, &iv, in[:n/16*16])
		a := floorAppend{body: in, done: make(chan struct{})}
		s.appends <- a
		<-a.done
		s.mu.Lock()
		other := s.pairs[mine^1]
		s.mu.Unlock()
		if other != nil {
			buf = s.seal(other, in, buf)
		}
		buf = s.seal(p, ack, buf)
	}
}
