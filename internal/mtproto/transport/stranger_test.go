package transport

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"parley/internal/clock"
	"parley/internal/limit"
)

// TestStrangers has peers without a secret come to a port that pretends to be a website: each is
// handed on with all that he sent, and nothing was said to him.
func TestStrangers(t *testing.T) {
	s := secret(t, "ee")
	hello := clientHelloRecord(s, helloTime, 32, 400)
	unsigned := bytes.Clone(hello)
	unsigned[20] ^= 1
	header, _ := obfuscatedOpening(t, Padded, 2, Secret{})
	for _, tc := range []struct {
		name string
		sent []byte
		want error
		// tls is for what looks like TLS: other ports hand it on as well.
		tls bool
	}{
		{"unsigned", unsigned, ErrHello, true},
		{"unsigned, and more", append(bytes.Clone(unsigned), make([]byte, 900)...), ErrHello, true},
		{"old", clientHelloRecord(s, helloTime.Add(-2*limit.HelloSkew), 32, 400), ErrHello, true},
		{"long", append([]byte{0x16, 3, 1, 0xff, 0xff}, make([]byte, 700)...), ErrHello, true},
		{"part", unsigned[:77], io.ErrUnexpectedEOF, true},
		{"head", unsigned[:5], io.ErrUnexpectedEOF, true},
		{"HTTP", []byte("GET /apiws HTTP/1.1\r\nHost: x\r\n\r\n"), ErrHello, false},
		{"abridged", append([]byte{0xef, 10}, make([]byte, 40)...), ErrHello, false},
		{"obfuscated", header, ErrHello, false},
		{"SSH", []byte("SSH-2.0-x\r\n"), ErrHello, false},
		{"other version", []byte{0x16, 3, 0, 0, 1, 0}, ErrHello, false},
		{"one byte", []byte{0x16}, io.EOF, false},
		{"two bytes", []byte{0x16, 3}, io.EOF, false},
	} {
		for _, hidden := range []bool{true, false} {
			if !hidden && !tc.tls {
				continue
			}
			o := tlsOptions(t)
			o.Hidden, o.Front = hidden, !hidden
			sc := newScript(tc.sent)
			_, err := Accept(sc, o)
			var stranger *StrangerError
			if !errors.As(err, &stranger) || !errors.Is(err, tc.want) || sc.closed ||
				sc.out.Len() > 0 {
				t.Errorf("%s: %v; closed %v, %d bytes said", tc.name, err, sc.closed, sc.out.Len())
				continue
			}
			rest, _ := io.ReadAll(sc.in)
			if got := append(stranger.Sent, rest...); !bytes.Equal(got, tc.sent) {
				t.Errorf("%s: handed on %x, not %x", tc.name, got, tc.sent)
			}
		}
	}
}

// TestReplayIsAStranger lets a genuine client in once, and hands on whoever repeats his words.
func TestReplayIsAStranger(t *testing.T) {
	o := tlsOptions(t)
	o.Hidden = true
	hello := clientHelloRecord(secret(t, "ee"), helloTime, 32, 400)
	header, _ := obfuscatedOpening(t, Padded, 2, secret(t, "ee"))
	said := append(bytes.Clone(hello), record(0x17, header)...)
	if _, err := Accept(newScript(said), o); err != nil {
		t.Fatal(err)
	}
	sc := newScript(said)
	_, err := Accept(sc, o)
	var stranger *StrangerError
	if !errors.As(err, &stranger) || !errors.Is(err, ErrReplay) || sc.out.Len() > 0 {
		t.Errorf("a replay: %v, %d bytes said", err, sc.out.Len())
	}
}

// TestSilentStranger sends nothing, or half a hello, and waits: the website decides how long.
func TestSilentStranger(t *testing.T) {
	for _, part := range []string{"", "\x16\x03", "\x16\x03\x01\x02\x00\x01"} {
		o := tlsOptions(t)
		o.Hidden = true
		sc := newScript()
		sc.in = io.MultiReader(strings.NewReader(part), stuck{})
		_, err := Accept(sc, o)
		var stranger *StrangerError
		if !errors.As(err, &stranger) || string(stranger.Sent) != part || sc.closed {
			t.Errorf("%q: %v", part, err)
		}
	}
	// One who went away without a word is nobody's guest.
	o := tlsOptions(t)
	o.Hidden = true
	sc := newScript()
	if _, err := Accept(sc, o); !errors.Is(err, io.EOF) || !sc.closed {
		t.Errorf("nobody: %v", err)
	}
}

// TestNonsenseInside has somebody with a genuine hello go on with what no client says, as who holds
// up a client's connection would: he sees a record as long as an encrypted alert, and the end.
func TestNonsenseInside(t *testing.T) {
	o := Options{
		Secrets: []Secret{secret(t, "ee")}, Replay: NewReplayCache(),
		Clock: clock.NewFake(helloTime), Hidden: true,
	}
	sc := newScript(clientHelloRecord(secret(t, "ee"), helloTime, 32, 400),
		record(0x17, bytes.Repeat([]byte{7}, obfuscatedHeader)))
	if _, err := Accept(sc, o); !errors.Is(err, ErrUnknown) || !sc.closed {
		t.Fatal(err)
	}
	out := sc.out.Bytes()
	tail := out[len(out)-recordHead-alertBytes:]
	if !bytes.HasPrefix(tail, []byte{0x17, 3, 3, 0, alertBytes}) {
		t.Errorf("it ends with %x", tail)
	}
}

// stuck is a peer who waits.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }
