package transport

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"parley/internal/clock"
	"parley/internal/limit"
)

func TestSniff(t *testing.T) {
	body := frame(Full, 0, message(1))
	cases := []struct {
		first []byte
		kind  Kind
		err   error
	}{
		{[]byte{0xef}, Kind{Abridged, Plain}, nil},
		{[]byte{0xee, 0xee, 0xee, 0xee}, Kind{Intermediate, Plain}, nil},
		{[]byte{0xdd, 0xdd, 0xdd, 0xdd}, Kind{Padded, Plain}, nil},
		{body, Kind{Full, Plain}, nil},
		{nil, Kind{}, io.EOF},
		{[]byte{0xee}, Kind{}, io.ErrUnexpectedEOF},
		{[]byte{0xee, 0xee, 0xee}, Kind{}, io.ErrUnexpectedEOF},
		{[]byte("\x01\x02\x03\x04\x05\x06"), Kind{}, io.ErrUnexpectedEOF},
		{bytes.Repeat([]byte{1}, 63), Kind{}, io.ErrUnexpectedEOF},
		{bytes.Repeat([]byte{1}, 64), Kind{}, ErrUnknown},
		{[]byte("SSH-2.0-OpenSSH_9.6\r\n" + strings.Repeat("x", 64)), Kind{}, ErrUnknown},
		{[]byte("\x16\x03\x01\x00\x05hello"), Kind{}, ErrHello},
		{[]byte("\x16\x03\x01\x40\x00"), Kind{}, ErrHello},
		{[]byte("\x16\x03\x01\x02\x00hel"), Kind{}, io.ErrUnexpectedEOF},
		{[]byte("GET / HTTP/1.1\r\n\r\n"), Kind{}, ErrHTTP},
		{[]byte("POST /api HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"), Kind{}, ErrHTTP},
		{[]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Kind{}, ErrHTTP},
		{[]byte("GET / HTTP/1.1\r\nHost:"), Kind{}, io.ErrUnexpectedEOF},
	}
	for _, tc := range cases {
		for _, slow := range []bool{false, true} {
			sc := newScript(tc.first)
			if slow {
				sc.in = iotest.OneByteReader(sc.in)
			}
			c, err := Accept(sc, testOptions(t))
			if !errors.Is(err, tc.err) || (err == nil) != (tc.err == nil) {
				t.Errorf("%q: %v, want %v", tc.first, err, tc.err)
				continue
			}
			if err == nil && c.Kind() != tc.kind {
				t.Errorf("%q: %v, want %v", tc.first, c.Kind(), tc.kind)
			}
			if sc.closed != (err != nil) {
				t.Errorf("%q: closed = %v", tc.first, sc.closed)
			}
		}
	}
	c, err := Accept(newScript(body), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if f, err := c.ReadFrame(nil); err != nil || !bytes.Equal(f.Payload, body[8:len(body)-4]) {
		t.Errorf("what was sniffed is lost: %x, %v", f.Payload, err)
	}
}

// TestSlowOpening lets peers dawdle (T-03): Accept must give up on time, whatever trickles in.
func TestSlowOpening(t *testing.T) {
	header, _ := obfuscatedOpening(t, Padded, 2, Secret{})
	request := []byte(wsRequest("/apiws"))
	hello := clientHelloRecord(secret(t, "ee"), helloTime, 32, 400)
	const once, twice = limit.FirstBytes, 4*time.Second + limit.FirstBytes
	cases := []struct {
		name string
		wait time.Duration // before anything is sent
		all  []byte        // sent one byte every 2 s, except for
		fast int           // so many bytes, which are sent at once
		want time.Duration
	}{
		{"silent", 0, nil, 0, once},
		{"obfuscated, byte by byte", 0, header, 0, once},
		{"obfuscated, one byte short", 0, header[:63], 63, once},
		{"full, four bytes", 0, []byte{40, 0, 0, 0}, 4, once},
		{"HTTP, byte by byte", 0, request, 0, once},
		{"HTTP, endless", 0, bytes.Repeat([]byte("GET "), 100), 300, once},
		{"TLS, record header", 0, []byte{0x16, 3, 1, 2, 0}, 5, once},
		{"TLS, no stream", 4 * time.Second, hello, len(hello), twice},
		{"web socket, no stream", 4 * time.Second, request, len(request), twice},
		{"web socket, slow stream", 4 * time.Second, append(request, 0x82, 0x80, 1, 2, 3, 4),
			len(request), twice},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				defer theirs.Close()
				go io.Copy(io.Discard, theirs)
				var peer sync.WaitGroup
				peer.Go(func() {
					time.Sleep(tc.wait)
					dawdle(theirs, tc.all, tc.fast)
				})
				start := time.Now()
				o := testOptions(t)
				o.Clock = clock.NewFake(helloTime)
				_, err := Accept(ours, o)
				if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != tc.want {
					t.Errorf("%v after %v", err, time.Since(start))
				}
				if _, err := ours.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
					t.Errorf("not closed: %v", err)
				}
				peer.Wait()
			})
		})
	}
}

// dawdle sends the first bytes at once and the others with long pauses, until nobody listens.
func dawdle(nc net.Conn, b []byte, fast int) {
	for i := range b {
		if i >= fast {
			time.Sleep(2 * time.Second)
		}
		if _, err := nc.Write(b[i : i+1]); err != nil {
			return
		}
	}
}

// TestDeadlinesAreCleared checks that Accept leaves no deadline behind, and that the caller's are
// obeyed.
func TestDeadlinesAreCleared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		go theirs.Write([]byte{0xef})
		c, err := Accept(ours, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		time.Sleep(time.Hour)
		go theirs.Write(frame(Abridged, 0, message(1)))
		if _, err := c.ReadFrame(nil); err != nil {
			t.Fatal(err)
		}
		go io.CopyN(io.Discard, theirs, 41)
		send(t, c, message(1))
		c.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := c.Await(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v", err)
		}
		c.SetWriteDeadline(time.Now().Add(time.Minute))
		if _, err := c.Write(make([]byte, 4)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %v", err)
		}
	})
}

// TestHugeClaims sends the four bytes that cost others 64 MiB (T-02), over many connections.
func TestHugeClaims(t *testing.T) {
	const connections = 1000
	addr, results := listen(t, Options{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var conns []*Conn
	for range connections {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.Write([]byte{0xef, 0x7f, 0xff, 0xff, 0xff})
		r := <-results
		if r.err != nil {
			t.Fatal(r.err)
		}
		defer r.conn.Close()
		if _, err := r.conn.ReadFrame(nil); !errors.Is(err, ErrFrameTooLong) {
			t.Fatal(err)
		}
		conns = append(conns, r.conn)
	}
	runtime.ReadMemStats(&after)
	grown := after.TotalAlloc - before.TotalAlloc
	if grown > connections*16<<10 {
		t.Errorf("%d connections allocated %d bytes", len(conns), grown)
	}
}

// TestPortProbe connects and goes away at once, politely and not (T-04).
func TestPortProbe(t *testing.T) {
	addr, results := listen(t, Options{})
	goroutines := runtime.NumGoroutine()
	const probes = 1000
	for i := range probes {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			nc.(*net.TCPConn).SetLinger(0)
		}
		if i%3 == 0 {
			nc.Write(make([]byte, i%8))
		}
		nc.Close()
	}
	for range probes {
		if r := <-results; r.err == nil {
			t.Error("a probe was accepted")
		}
	}
	for range 1000 {
		if runtime.NumGoroutine() <= goroutines {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), goroutines)
}

// TestGarbage feeds random first bytes: nothing random is taken for a transport with a secret.
func TestGarbage(t *testing.T) {
	for range 2000 {
		b := make([]byte, 256)
		rand.Read(b)
		b[0], b[4] = 1, 1
		if c, err := Accept(newScript(b), testOptions(t)); !errors.Is(err, ErrUnknown) {
			t.Fatalf("%x: %v, %v", b[:64], c.Kind(), err)
		}
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	for _, prefix := range []string{"", "dd", "ee"} {
		s := secret(t, prefix)
		o := Options{Secrets: []Secret{s}}
		for _, text := range []string{
			fmt.Sprint(s), fmt.Sprintf("%+v %#v", s, s), fmt.Sprintf("%+v", o),
			fmt.Sprintf("%q", s),
		} {
			if strings.Contains(text, testKey[:6]) {
				t.Errorf("%q gives the secret away", text)
			}
		}
	}
}
