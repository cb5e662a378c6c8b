package transport

import (
	"bytes"
	"fmt"
	"testing"
)

// sink is a socket that takes everything.
type sink struct{ script }

func (*sink) Write(p []byte) (int, error) { return len(p), nil }

var benchSizes = []int{10, 4000} // blocks of 16 bytes: 184 bytes and 64 KB

// BenchmarkWrite frames, obfuscates and writes one message.
func BenchmarkWrite(b *testing.B) {
	for _, p := range peers() {
		if p.secret == "dd" {
			continue
		}
		for _, n := range benchSizes {
			m := message(n)
			b.Run(fmt.Sprintf("%v/%d", p.kind, len(m)), func(b *testing.B) {
				c := framed(p.kind, &sink{})
				if p.kind.Carrier != Plain {
					_, c.out.encrypt = obfuscatedOpening(b, Abridged, 0, Secret{})
				}
				buf := make([]byte, 0, len(m)+64)
				b.SetBytes(int64(len(m)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.Write(appendFrame(c, buf, m)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// repeat delivers the same bytes for ever.
type repeat struct {
	b []byte
	r bytes.Reader
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.r.Len() == 0 {
		r.r.Reset(r.b)
	}
	return r.r.Read(p)
}

// BenchmarkRead reads one message into a buffer that is large enough.
func BenchmarkRead(b *testing.B) {
	for _, codec := range []Codec{Abridged, Intermediate, Padded} {
		for _, carrier := range []Carrier{Plain, FakeTLS, WebSocket} {
			for _, n := range benchSizes {
				m := message(n)
				kind := Kind{codec, carrier}
				stream := frame(codec, 0, m)
				switch carrier {
				case FakeTLS:
					stream = record(0x17, stream)
				case WebSocket:
					stream = wsFrame(0x82, stream)
				}
				b.Run(fmt.Sprintf("%v/%d", kind, len(m)), func(b *testing.B) {
					c := framed(kind, &script{in: &repeat{b: stream}})
					buf := make([]byte, 0, len(m)+64)
					b.SetBytes(int64(len(m)))
					b.ReportAllocs()
					for b.Loop() {
						if f, err := c.ReadFrame(buf); err != nil || len(f.Payload) != len(m) {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}

// BenchmarkAccept recognises transports.
func BenchmarkAccept(b *testing.B) {
	header, _ := obfuscatedOpening(b, Intermediate, 2, Secret{})
	o := Options{Secrets: []Secret{secret(b, "dd")}, Replay: NewReplayCache()}
	for name, first := range map[string][]byte{
		"abridged": {0xef}, "obfuscated": header, "garbage": bytes.Repeat([]byte{7}, 64),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Accept(newScript(first), o)
			}
		})
	}
}

// TestWriteDoesNotAllocate holds the write path to what BenchmarkWrite shows.
func TestWriteDoesNotAllocate(t *testing.T) {
	for _, kind := range carriers() {
		c := framed(kind, &sink{})
		_, c.out.encrypt = obfuscatedOpening(t, Abridged, 0, Secret{})
		m := message(9000)
		buf := make([]byte, 0, len(m)+64)
		if n := testing.AllocsPerRun(50, func() { c.Write(appendFrame(c, buf, m)) }); n > 0 {
			t.Errorf("%v: %v allocations", kind, n)
		}
	}
}
