package transport

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"parley/internal/clock"
	"parley/internal/limit"
)

// fuzzFrames reads frames from arbitrary bytes, whole and byte by byte: both must tell the same
// story, within the bounds.
func fuzzFrames(f *testing.F, kind Kind, wrap func([]byte) []byte) {
	for _, n := range []int{1, 40, 300} {
		b := append(frame(kind.Codec, 0, message(n)), frame(kind.Codec, 1, []byte{1, 2, 3, 4})...)
		f.Add(wrap(b), uint16(4096))
		f.Add(wrap(b)[:len(b)/2], uint16(4096))
	}
	for _, n := range []uint32{0, 1, 4, 8, 12, 1 << 16, 0x7fffffff, 0xffffffff} {
		f.Add(wrap(announcement(kind.Codec, n)), uint16(64))
	}
	f.Fuzz(func(t *testing.T, b []byte, bound uint16) {
		whole := framed(kind, newScript(b))
		pieces := framed(kind, &script{in: iotest.OneByteReader(bytes.NewReader(b))})
		whole.SetMaxFrame(int(bound))
		pieces.SetMaxFrame(int(bound))
		for consumed := 0; ; {
			head, headErr := whole.Await()
			got, err := whole.ReadFrame(nil)
			again, againErr := pieces.ReadFrame(make([]byte, 0, 16))
			if (err == nil) != (againErr == nil) || got.QuickAck != again.QuickAck ||
				!bytes.Equal(got.Payload, again.Payload) {
				t.Fatalf("%x, %v; in pieces %x, %v", got.Payload, err, again.Payload, againErr)
			}
			if err != nil {
				if headErr != nil && headErr != err {
					t.Fatalf("await: %v, read: %v", headErr, err)
				}
				if _, err2 := whole.ReadFrame(nil); err2 != err {
					t.Fatalf("%v, and then %v", err, err2)
				}
				return
			}
			consumed += len(got.Payload)
			if consumed > len(b) || len(got.Payload) > head.Size || cap(got.Payload) > 1<<17 ||
				len(got.Payload) > int(bound)+maxPad {
				t.Fatalf("%d bytes of payload from %d, %+v", len(got.Payload), len(b), head)
			}
		}
	})
}

func unwrapped(b []byte) []byte { return b }

func FuzzAbridged(f *testing.F) { fuzzFrames(f, Kind{Abridged, Plain}, unwrapped) }

func FuzzIntermediate(f *testing.F) { fuzzFrames(f, Kind{Intermediate, Plain}, unwrapped) }

func FuzzPadded(f *testing.F) { fuzzFrames(f, Kind{Padded, Plain}, unwrapped) }

func FuzzFull(f *testing.F) { fuzzFrames(f, Kind{Full, Plain}, unwrapped) }

func FuzzWebSocket(f *testing.F) {
	fuzzFrames(f, Kind{Abridged, WebSocket}, func(b []byte) []byte {
		cut := len(b) / 3
		return bytes.Join([][]byte{
			wsFrame(0x02, b[:cut]), wsFrame(0x89, []byte("ping")), wsFrame(0x80, b[cut:]),
			wsFrame(0x88, nil),
		}, nil)
	})
}

func FuzzTLSRecords(f *testing.F) {
	fuzzFrames(f, Kind{Intermediate, FakeTLS}, func(b []byte) []byte {
		cut := len(b) / 3
		return bytes.Join([][]byte{
			record(0x14, []byte{1}), record(0x17, b[:cut]), record(0x17, b[cut:]),
			record(0x15, []byte{1, 0}),
		}, nil)
	})
}

// FuzzAccept gives arbitrary first bytes to Accept, and reads on if they are taken for a transport.
func FuzzAccept(f *testing.F) {
	s := secret(f, "ee")
	for _, b := range [][]byte{
		{0xef}, {0xee, 0xee, 0xee, 0xee}, {0xdd, 0xdd, 0xdd, 0xdd}, frame(Full, 0, message(1)),
		[]byte(wsRequest("/apiws")), []byte(wsRequest("/")), []byte("POST /api HTTP/1.1\r\n\r\n"),
		clientHelloRecord(s, helloTime, 32, 400), make([]byte, 64), bytes.Repeat([]byte{9}, 80),
	} {
		f.Add(append(b, frame(Intermediate, 0, message(2))...))
	}
	for _, c := range []Codec{Abridged, Intermediate, Padded} {
		header, _ := obfuscatedOpening(f, c, 2, Secret{})
		f.Add(append(header, message(4)...))
		f.Add(append([]byte(wsRequest("/apiws")), wsFrame(0x82, header)...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		sc := newScript(b)
		c, err := Accept(sc, Options{
			Secrets: []Secret{secret(t, "dd"), s}, Replay: NewReplayCache(),
			Clock: clock.NewFake(helloTime), Rand: rand.Reader,
		})
		if (err != nil) != sc.closed {
			t.Fatalf("closed = %v, %v", sc.closed, err)
		}
		if sc.out.Len() > 3*len(b) && !bytes.HasPrefix(sc.out.Bytes(), []byte("HTTP/1.1 ")) {
			t.Fatalf("%d bytes answer %d", sc.out.Len(), len(b))
		}
		for err == nil {
			_, err = c.ReadFrame(nil)
		}
	})
}

// FuzzHello signs whatever hello it gets, so that the code behind the signature is reached.
func FuzzHello(f *testing.F) {
	s := secret(f, "ee")
	f.Add(clientHelloRecord(s, helloTime, 32, 400), true)
	f.Add(clientHelloRecord(s, helloTime, 0, 0), true)
	f.Add(clientHelloRecord(s, helloTime, 33, 10), true)
	f.Add(clientHelloRecord(s, helloTime, 32, 3000), false)
	f.Add([]byte{0x16, 3, 1, 0, 39, 1, 0, 0, 35, 3, 3}, false)
	f.Fuzz(func(t *testing.T, b []byte, signed bool) {
		if len(b) > helloRandomEnd && signed {
			b = sign(s, helloTime, bytes.Clone(b))
		}
		hello, err := parseHello(b)
		if err != nil {
			if !errors.Is(err, ErrHello) {
				t.Fatal(err)
			}
			return
		}
		if len(hello.session) > 32 || hello.suite>>8 != 0x13 {
			t.Fatalf("%+v", hello)
		}
		got, ok := authenticate(b, hello, []Secret{{}, s}, helloTime)
		if signed && !ok || !ok && got != (Secret{}) && got != s {
			t.Fatalf("authentic = %v", ok)
		}
		if !ok {
			return
		}
		flight, err := serverHello(hello, s, len(b), rand.Reader)
		if err != nil || len(flight) > max(3*len(b), 138+32) {
			t.Fatalf("%d bytes answer %d, %v", len(flight), len(b), err)
		}
	})
}

// FuzzUpgrade judges arbitrary request heads.
func FuzzUpgrade(f *testing.F) {
	f.Add([]byte(wsRequest("/apiws")), "app.example.org")
	foreign := strings.Replace(wsRequest("/apiws"), "Host", "Origin: https://a.b\r\nHost", 1)
	f.Add([]byte(foreign), "a.b")
	f.Add([]byte("GET http://[::1]:namedport/apiws HTTP/1.1\r\n\r\n"), "")
	f.Add([]byte("OPTIONS * HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), "")
	f.Fuzz(func(t *testing.T, head []byte, origin string) {
		answer, ok := upgrade(head, []string{origin})
		if ok != bytes.HasPrefix(answer, []byte("HTTP/1.1 101 ")) ||
			ok != bytes.HasSuffix(answer, []byte("\r\n\r\n")) ||
			bytes.Count(answer, []byte("\n")) > 6 {
			t.Fatalf("%v, %q", ok, answer)
		}
		c := framed(Kind{}, newScript(head))
		got, err := c.readHTTPHead()
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) || len(got) > limit.HTTPHead {
			t.Fatalf("%d bytes of head, %v", len(got), err)
		}
	})
}

func FuzzParseSecret(f *testing.F) {
	for _, prefix := range []string{"", "dd", "ee"} {
		f.Add(secretText(prefix))
	}
	f.Add("ee" + testKey + "00")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSecret(text)
		if (err == nil) != (s != Secret{}) || err != nil && !errors.Is(err, ErrSecret) {
			t.Fatalf("%v, %v", s, err)
		}
		if (s.form == secretTLS) != (s.Domain() != "") || len(s.Domain()) > maxDomain {
			t.Fatalf("%v", s)
		}
	})
}
