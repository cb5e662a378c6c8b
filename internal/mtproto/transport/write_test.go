package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

// reluctant is a socket that takes a random number of bytes and then times out.
type reluctant struct {
	script
	rng      *rand.Rand
	deadline time.Time
}

func (r *reluctant) SetWriteDeadline(t time.Time) error { r.deadline = t; return nil }

func (r *reluctant) Write(p []byte) (int, error) {
	n := r.rng.IntN(2 * len(p))
	if r.rng.IntN(3) == 0 {
		n = r.rng.IntN(20)
	}
	if n >= len(p) {
		return r.out.Write(p)
	}
	r.out.Write(p[:n])
	return n, os.ErrDeadlineExceeded
}

// carriers are connections whose far end can be read with the same code, for none of them masks
// or numbers what the server sends.
func carriers() []Kind {
	return []Kind{
		{Intermediate, Plain}, {Abridged, Obfuscated}, {Full, Plain}, {Padded, FakeTLS},
		{Intermediate, WebSocket},
	}
}

// unwrap strips the carrier off what a server wrote.
func unwrap(t *testing.T, carrier Carrier, b []byte) []byte {
	t.Helper()
	var stream []byte
	for len(b) > 0 {
		var head, n int
		switch {
		case carrier == FakeTLS && bytes.HasPrefix(b, []byte{0x17, 3, 3}):
			head, n = 5, int(binary.BigEndian.Uint16(b[3:]))
			if n > 1<<14 || n == 0 {
				t.Fatalf("record of %d bytes", n)
			}
		case carrier == WebSocket && b[0] == 0x82 && b[1] == 126:
			head, n = 4, int(binary.BigEndian.Uint16(b[2:]))
		case carrier == WebSocket && b[0] == 0x82 && b[1] == 127:
			head, n = 10, int(binary.BigEndian.Uint64(b[2:]))
		case carrier == WebSocket && b[0] == 0x82 && b[1] < 126:
			head, n = 2, int(b[1])
		case carrier == WebSocket && b[0] == 0x8a && b[1] < 126:
			b = b[2+b[1]:]
			continue
		case carrier == WebSocket || carrier == FakeTLS:
			t.Fatalf("no record: %x", b[:min(len(b), 16)])
		default:
			n = len(b)
		}
		stream = append(stream, b[head:head+n]...)
		b = b[head+n:]
	}
	return stream
}

// TestInterruptedWrites continues writes that time out at random places, with pings that come at
// any moment, and checks that the peer cannot tell.
func TestInterruptedWrites(t *testing.T) {
	for _, kind := range carriers() {
		for seed := range uint64(15) {
			rng := rand.New(rand.NewPCG(seed, 7))
			nc := &reluctant{rng: rng}
			c := framed(kind, nc)
			mirror := framed(Kind{kind.Codec, Plain}, nil)
			if kind.Carrier != Plain {
				key := bytes.Repeat([]byte{byte(seed)}, 48)
				c.out.encrypt = keyStream(key, &Secret{})
				mirror.in.decrypt = keyStream(key, &Secret{})
			}
			var want [][]byte
			total := 0
			for range 20 {
				var buf []byte
				for range rng.IntN(3) + 1 {
					want = append(want, message(rng.IntN(20)+rng.IntN(2)*rng.IntN(6000)))
					buf = appendFrame(c, buf, want[len(want)-1])
				}
				total += writeAll(t, c, buf, rng, kind.Carrier == WebSocket)
			}
			if total > nc.out.Len() || kind.Carrier != WebSocket && total != nc.out.Len() {
				t.Errorf("%v: %d bytes counted, %d written", kind, total, nc.out.Len())
			}
			mirror.in.nc = newScript(unwrap(t, kind.Carrier, nc.out.Bytes()))
			for i := range want {
				f, err := mirror.ReadFrame(nil)
				if err != nil || !bytes.Equal(f.Payload, want[i]) {
					t.Fatalf("%v, seed %d: frame %d: %v", kind, seed, i, err)
				}
			}
		}
	}
}

func writeAll(t *testing.T, c *Conn, buf []byte, rng *rand.Rand, pings bool) int {
	t.Helper()
	total, err := c.Write(buf)
	for err != nil {
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		if pings && rng.IntN(2) == 0 {
			c.out.answer([]byte{0x8a, 3, 'a', 'b', 'c'})
		}
		untouched := []byte{1, 2, 3, 4}
		if n, err := c.Write(untouched); n != 0 || err != ErrPending ||
			!bytes.Equal(untouched, []byte{1, 2, 3, 4}) {
			t.Fatalf("write while one is pending: %d, %v, %x", n, err, untouched)
		}
		var n int
		n, err = c.Flush()
		total += n
	}
	if n, err := c.Flush(); n != 0 || err != nil {
		// An answer may still be on its way; it is not the caller's.
		if !pings {
			t.Fatalf("flush with nothing pending: %d, %v", n, err)
		}
		total += n
	}
	return total
}

// TestWriteNeedsOneCall counts system calls.
func TestWriteNeedsOneCall(t *testing.T) {
	for _, kind := range carriers() {
		nc := &counter{}
		c := framed(kind, nc)
		var buf []byte
		for range 5 {
			buf = appendFrame(c, buf, message(600))
		}
		if _, err := c.Write(buf); err != nil {
			t.Fatal(err)
		}
		// Without writev, one record is a header and a body.
		want := map[Carrier]int{Plain: 1, Obfuscated: 1, FakeTLS: 2 * 3, WebSocket: 2}[kind.Carrier]
		if nc.calls != want {
			t.Errorf("%v: %d calls, want %d", kind, nc.calls, want)
		}
	}
}

type counter struct {
	script
	calls int
}

func (c *counter) Write(p []byte) (int, error) { c.calls++; return len(p), nil }

// TestPongsAndWrites has a client that pings while the server writes; run it with -race.
func TestPongsAndWrites(t *testing.T) {
	addr, results := listen(t, Options{})
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	header, encrypt := obfuscatedOpening(t, Intermediate, 0, Secret{})
	io.WriteString(nc, wsRequest("/apiws"))
	if _, err := io.ReadFull(nc, make([]byte, len(wsAnswer))); err != nil {
		t.Fatal(err)
	}
	nc.Write(wsFrame(0x82, header))
	r := <-results
	if r.err != nil {
		t.Fatal(r.err)
	}
	c := r.conn
	const rounds = 300
	var work sync.WaitGroup
	work.Go(func() {
		for range rounds {
			nc.Write(wsFrame(0x89, []byte("ping")))
		}
		m := frame(Intermediate, 0, message(1))
		encrypt.XORKeyStream(m, m)
		nc.Write(wsFrame(0x82, m))
	})
	work.Go(func() {
		for range rounds {
			c.SetWriteDeadline(time.Now().Add(time.Minute))
			send(t, c, message(5))
		}
	})
	work.Go(func() {
		if _, err := c.ReadFrame(nil); err != nil {
			t.Error(err)
		}
	})
	frames, pongs := 0, 0
	for frames < rounds || pongs == 0 {
		op, _ := readWSFrame(t, nc)
		switch op {
		case 0x82:
			frames++
		case 0x8a:
			pongs++
		}
	}
	work.Wait()
	c.Close()
}

// TestStaleDeadlineDoesNotStopPongs checks that a ping is answered though the deadline of the last
// write has passed, and that this deadline is back afterwards.
func TestStaleDeadlineDoesNotStopPongs(t *testing.T) {
	nc := &reluctant{rng: rand.New(rand.NewPCG(0, 0))}
	nc.in = bytes.NewReader(wsFrame(0x89, []byte("are you there")))
	c := framed(Kind{Abridged, WebSocket}, &patient{nc})
	stale := time.Now().Add(-time.Hour)
	c.SetWriteDeadline(stale)
	if _, err := c.Await(); err != io.EOF {
		t.Fatal(err)
	}
	if got := nc.out.String(); got != "\x8a\x0dare you there" {
		t.Errorf("answer: %q", got)
	}
	if nc.deadline != stale {
		t.Errorf("deadline: %v", nc.deadline)
	}
}

// patient is a socket that heeds the write deadline.
type patient struct{ *reluctant }

func (p *patient) Write(b []byte) (int, error) {
	if time.Now().After(p.deadline) {
		return 0, os.ErrDeadlineExceeded
	}
	return p.out.Write(b)
}
