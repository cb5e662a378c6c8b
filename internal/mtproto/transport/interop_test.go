package transport

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"parley/internal/limit"
)

// peer is a transport and a secret that clients come with.
type peer struct {
	kind   Kind
	secret string
}

func (p peer) name() string { return p.kind.String() + "/" + p.secret }

func peers() []peer {
	return []peer{
		{Kind{Abridged, Plain}, ""},
		{Kind{Intermediate, Plain}, ""},
		{Kind{Padded, Plain}, ""},
		{Kind{Full, Plain}, ""},
		{Kind{Abridged, Obfuscated}, ""},
		{Kind{Intermediate, Obfuscated}, ""},
		{Kind{Padded, Obfuscated}, ""},
		{Kind{Padded, Obfuscated}, "dd"},
		{Kind{Abridged, WebSocket}, ""},
		{Kind{Intermediate, WebSocket}, ""},
		{Kind{Padded, FakeTLS}, "ee"},
		{Kind{Intermediate, FakeTLS}, "ee"},
	}
}

func testOptions(t testing.TB) Options {
	return Options{
		Secrets: []Secret{secret(t, "dd"), secret(t, "ee")},
		Replay:  NewReplayCache(),
	}
}

func TestEveryTransportCarriesFramesBothWays(t *testing.T) {
	for _, p := range peers() {
		t.Run(p.name(), func(t *testing.T) {
			addr, results := listen(t, testOptions(t))
			cl := dial(t, addr, p.kind, p.secret, -10003)
			sizes := []int{3, 1, 6, 7, 8, 30, 31, 32, 2000, 4000, 65000, 3}
			if p.kind.Carrier == FakeTLS {
				sizes = sizes[:len(sizes)-2] // the peer fails with what exceeds a record
			}
			var sent [][]byte
			for _, n := range sizes {
				sent = append(sent, message(n))
			}
			go func() {
				for _, m := range sent {
					cl.send(t, m)
				}
			}()
			r := <-results
			if r.err != nil {
				t.Fatal(r.err)
			}
			c := r.conn
			defer c.Close()
			if c.Kind() != p.kind {
				t.Errorf("kind = %v", c.Kind())
			}
			if want := int16(-10003); p.kind.Carrier != Plain && c.DC() != want {
				t.Errorf("dc = %d, want %d", c.DC(), want)
			}
			c.SetMaxFrame(limit.FrameKeyed)
			for i, want := range sent {
				f, err := c.ReadFrame(nil)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(f.Payload, want) || f.QuickAck {
					t.Fatalf("message %d: %d bytes, want %d", i, len(f.Payload), len(want))
				}
			}
			send(t, c, sent...)
			for i, want := range sent {
				if got := cl.receive(t); !bytes.Equal(got, want) {
					t.Fatalf("message %d: %d bytes, want %d", i, len(got), len(want))
				}
			}
			go cl.Close()
			if _, err := c.Await(); !errors.Is(err, io.EOF) {
				t.Errorf("after close: %v", err)
			}
		})
	}
}

func TestPlainSecretAdmitsEveryObfuscatedCodec(t *testing.T) {
	o := Options{Secrets: []Secret{{}, secret(t, "")}}
	o.Secrets[0] = Secret{form: secretPlain} // another one, to be tried first
	for _, codec := range []Codec{Abridged, Intermediate, Padded} {
		header, _ := obfuscatedOpening(t, codec, 5, secret(t, ""))
		c, err := Accept(newScript(header), o)
		if err != nil {
			t.Fatal(codec, err)
		}
		if c.Kind() != (Kind{codec, Obfuscated}) || c.DC() != 5 {
			t.Errorf("%v: kind %v, dc %d", codec, c.Kind(), c.DC())
		}
	}
}

func TestSecretsOpenOnlyWhatTheyAreFor(t *testing.T) {
	cases := []struct {
		name     string
		codec    Codec
		with, to string
		ok       bool
	}{
		{"padded secret, padded stream", Padded, "dd", "dd", true},
		{"padded secret, abridged stream", Abridged, "dd", "dd", false},
		{"padded secret, intermediate stream", Intermediate, "dd", "dd", false},
		{"TLS secret outside TLS", Padded, "ee", "ee", false},
		{"unknown secret", Padded, "dd", "ee", false},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			header, _ := obfuscatedOpening(t, tc.codec, 2, secret(t, tc.with))
			sc := newScript(header)
			_, err := Accept(sc, Options{Secrets: []Secret{secret(t, tc.to)}})
			if tc.ok != (err == nil) {
				t.Fatalf("err = %v", err)
			}
			if !tc.ok && (!errors.Is(err, ErrUnknown) || !sc.closed) {
				t.Errorf("err = %v, closed = %v", err, sc.closed)
			}
		})
	}
}

func TestErrorsAndPlaintextReachThePeer(t *testing.T) {
	for _, p := range peers() {
		t.Run(p.name(), func(t *testing.T) {
			addr, results := listen(t, testOptions(t))
			cl := dial(t, addr, p.kind, p.secret, 2)
			plain := append(make([]byte, 16), 4, 0, 0, 0, 1, 2, 3, 4)
			go cl.send(t, plain)
			r := <-results
			if r.err != nil {
				t.Fatal(r.err)
			}
			defer r.conn.Close()
			f, err := r.conn.ReadFrame(nil)
			if err != nil || !bytes.Equal(f.Payload, plain) || f.Idle() {
				t.Fatalf("%x, %v", f.Payload, err)
			}
			send(t, r.conn, plain)
			if got := cl.receive(t); !bytes.Equal(got, plain) {
				t.Fatalf("got %x", got)
			}
			if _, err := r.conn.Write(r.conn.AppendError(nil, -404)); err != nil {
				t.Fatal(err)
			}
			if code := cl.receiveError(t); code != 404 {
				t.Errorf("error code = %d", code)
			}
		})
	}
}
