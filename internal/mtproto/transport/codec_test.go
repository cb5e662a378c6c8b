package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"parley/internal/limit"
)

// frame builds a frame by hand, as a client would send it.
func frame(c Codec, seq uint32, payload []byte) []byte {
	n := uint32(len(payload))
	switch {
	case c == Abridged && n/4 < 0x7f:
		return append([]byte{byte(n / 4)}, payload...)
	case c == Abridged:
		return append(binary.LittleEndian.AppendUint32(nil, n/4<<8|0x7f), payload...)
	case c == Full:
		b := binary.LittleEndian.AppendUint32(nil, n+12)
		b = append(binary.LittleEndian.AppendUint32(b, seq), payload...)
		return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	default:
		return append(binary.LittleEndian.AppendUint32(nil, n), payload...)
	}
}

// announcement is a header that announces n bytes of payload, in the codec's own unit, and the
// payload's first bytes.
func announcement(c Codec, n uint32) []byte {
	b := binary.LittleEndian.AppendUint32(nil, n)
	switch c {
	case Abridged:
		b = binary.LittleEndian.AppendUint32(nil, n<<8|0x7f)
	case Full:
		b = append(b, 0, 0, 0, 0)
	}
	return append(b, 1, 2, 3, 4, 5, 6, 7, 8)
}

// TestClaimedLengths announces every interesting length (T-01) and then falls silent: no length
// may cost more memory than one step, and none but a possible one may get past Await.
func TestClaimedLengths(t *testing.T) {
	var lengths []uint32
	for n := range uint32(65) {
		lengths = append(lengths, n)
	}
	for k := 6; k < 32; k++ {
		lengths = append(lengths, 1<<k-1, 1<<k, 1<<k+1)
	}
	lengths = append(lengths, 0x7fffffff, 0xfffffffc, 0xffffffff, limit.FrameKeyed,
		limit.FrameKeyed+4, limit.FrameKeyed+12, limit.FrameKeyed+15, limit.FrameKeyed+16)
	for _, codec := range allCodecs() {
		for _, n := range lengths {
			size, want := int64(n), error(nil)
			switch codec {
			case Abridged:
				size = int64(n&0xffffff) * 4
			case Full:
				size -= 12
			default:
				size &= 0x7fffffff
			}
			most := int64(limit.FrameKeyed)
			if codec == Padded {
				most += 15
			}
			switch {
			case size > most:
				want = ErrFrameTooLong
			case size < 4 && !(codec == Full && size == 0), codec != Padded && size%4 != 0:
				want = ErrFrameLength
			}
			c := framed(Kind{codec, Plain}, newScript(announcement(codec, n)))
			c.SetMaxFrame(limit.FrameKeyed)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			h, err := c.Await()
			_, readErr := c.ReadFrame(nil)
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > limit.FrameStep+8<<10 {
				t.Errorf("%v, length %#x: %d bytes of heap", codec, n, grown)
			}
			if !errors.Is(err, want) {
				t.Errorf("%v, length %#x: %v, want %v", codec, n, err, want)
			}
			if want == nil && int64(h.Size) != size {
				t.Errorf("%v, length %#x: size %d", codec, n, h.Size)
			}
			if want != nil && !errors.Is(readErr, want) || size > 8 && readErr == nil {
				t.Errorf("%v, length %#x: read: %v", codec, n, readErr)
			}
		}
	}
}

func TestFrameBound(t *testing.T) {
	for _, codec := range allCodecs() {
		for _, bound := range []int{limit.FrameUnkeyed, 1 << 16, limit.FrameKeyed} {
			payload := message((bound - cipherHead) / cipherBlock)
			bound = len(payload)
			c := framed(Kind{codec, Plain}, newScript(
				frame(codec, 0, payload), frame(codec, 1, append(payload, 1, 2, 3, 4)),
				frame(codec, 2, append(payload, make([]byte, 16)...))))
			c.SetMaxFrame(bound)
			if f, err := c.ReadFrame(nil); err != nil || !bytes.Equal(f.Payload, payload) {
				t.Fatalf("%v, bound %d: %d bytes, %v", codec, bound, len(f.Payload), err)
			}
			// More bytes may be padding, where there is padding, but not that many.
			_, err := c.ReadFrame(nil)
			if codec == Padded {
				if err != nil {
					t.Errorf("bound %d: padded frame: %v", bound, err)
				}
				_, err = c.ReadFrame(nil)
			}
			if !errors.Is(err, ErrFrameTooLong) {
				t.Errorf("%v, bound %d: longer frame: %v", codec, bound, err)
			}
		}
	}
	beyond := announcement(Intermediate, limit.FrameKeyed+4)
	c := framed(Kind{Intermediate, Plain}, newScript(beyond))
	c.SetMaxFrame(1 << 30)
	if _, err := c.ReadFrame(nil); !errors.Is(err, ErrFrameTooLong) {
		t.Errorf("beyond every bound: %v", err)
	}
}

// TestAwaitTellsTheKey checks that a caller can raise the bound for a key that it knows.
func TestAwaitTellsTheKey(t *testing.T) {
	long := message(1000)
	binary.LittleEndian.PutUint64(long, 0x1122334455667788)
	for _, codec := range allCodecs() {
		c := framed(Kind{codec, Plain}, newScript(frame(codec, 0, long)))
		c.SetMaxFrame(limit.FrameUnkeyed)
		for range 2 {
			h, err := c.Await()
			if err != nil || h.KeyID != 0x1122334455667788 || h.Size != len(long) {
				t.Fatalf("%v: %+v, %v", codec, h, err)
			}
		}
		c.SetMaxFrame(limit.FrameKeyed)
		if f, err := c.ReadFrame(nil); err != nil || !bytes.Equal(f.Payload, long) {
			t.Errorf("%v: %d bytes, %v", codec, len(f.Payload), err)
		}
	}
}

func TestFullFramesAreChecked(t *testing.T) {
	good := func(seq uint32) []byte { return frame(Full, seq, message(2)) }
	damaged := good(1)
	damaged[20]++
	sum := good(1)
	sum[len(sum)-1]++
	cases := []struct {
		name   string
		second []byte
		want   error
	}{
		{"right", good(1), nil},
		{"empty", frame(Full, 1, nil), nil},
		{"repeated", good(0), ErrSequence},
		{"skipped", good(2), ErrSequence},
		{"damaged payload", damaged, ErrChecksum},
		{"damaged checksum", sum, ErrChecksum},
		{"cut checksum", good(1)[:66], io.ErrUnexpectedEOF},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			c := framed(Kind{Full, Plain}, newScript(good(0), tc.second, good(2)))
			if tc.want == io.ErrUnexpectedEOF {
				c = framed(Kind{Full, Plain}, newScript(good(0), tc.second))
			}
			if _, err := c.ReadFrame(nil); err != nil {
				t.Fatal(err)
			}
			if _, err := c.ReadFrame(nil); !errors.Is(err, tc.want) {
				t.Fatalf("second frame: %v, want %v", err, tc.want)
			}
			if _, err := c.ReadFrame(nil); !errors.Is(err, tc.want) {
				t.Errorf("third frame: %v, want %v", err, tc.want)
			}
		})
	}
}

func TestQuickAck(t *testing.T) {
	short, long := message(3), message(60)
	for _, codec := range []Codec{Abridged, Intermediate, Padded} {
		a, b := frame(codec, 0, short), frame(codec, 0, long)
		flagged := func(f []byte) []byte {
			f = bytes.Clone(f)
			if codec == Abridged {
				f[0] |= 0x80
			} else {
				f[3] |= 0x80
			}
			return f
		}
		c := framed(Kind{codec, Plain}, newScript(flagged(a), a, flagged(b), b))
		for i, want := range [][]byte{short, short, long, long} {
			h, err := c.Await()
			if err != nil {
				t.Fatal(err)
			}
			f, err := c.ReadFrame(nil)
			if err != nil || !bytes.Equal(f.Payload, want) {
				t.Fatalf("%v, frame %d: %v", codec, i, err)
			}
			if want := i%2 == 0; f.QuickAck != want || h.QuickAck != want {
				t.Errorf("%v, frame %d: flag %v, %v", codec, i, f.QuickAck, h.QuickAck)
			}
		}
	}
	answers := map[Codec][]byte{
		Abridged:     {0x81, 0x02, 0x03, 0x04},
		Intermediate: {0x04, 0x03, 0x02, 0x81},
		Padded:       {0x04, 0x03, 0x02, 0x81},
		Full:         nil,
	}
	for codec, want := range answers {
		got := framed(Kind{codec, Plain}, newScript()).AppendQuickAck(nil, 0x01020304)
		if !bytes.Equal(got, want) {
			t.Errorf("%v: %x, want %x", codec, got, want)
		}
	}
}

func TestPaddingIsCutOff(t *testing.T) {
	plain := append(make([]byte, 16), 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8)
	liar := bytes.Clone(plain)
	liar[16] = 12
	huge := bytes.Clone(plain)
	copy(huge[16:], "\xff\xff\xff\xff")
	much := append(make([]byte, 20), bytes.Repeat([]byte{0xbb}, 16)...)
	for pad := range 16 {
		padding := bytes.Repeat([]byte{0xaa}, pad)
		for _, m := range [][]byte{plain, message(3), message(50), liar, huge, much, {1, 2, 3, 4}} {
			want := m
			if raw := len(m) == 4 || m[0] == 0 && m[16] != 8; raw {
				want = append(bytes.Clone(m), padding...)
			}
			if len(m) > 16 && m[16] == 12 && m[0] == 0 && pad >= 4 {
				want = append(bytes.Clone(m), padding[:4]...) // it said that these belong to it
			}
			c := framed(Kind{Padded, Plain}, newScript(
				frame(Padded, 0, append(bytes.Clone(m), padding...))))
			f, err := c.ReadFrame(nil)
			if err != nil || !bytes.Equal(f.Payload, want) {
				t.Errorf("%d bytes, %d of padding: got %d, %v", len(m), pad, len(f.Payload), err)
			}
			if f.Idle() != (len(m) == 4) {
				t.Errorf("%d bytes and %d of padding: idle = %v", len(m), pad, f.Idle())
			}
		}
	}
}

func TestPaddingSent(t *testing.T) {
	c := framed(Kind{Padded, Plain}, newScript())
	seen := make(map[int]int)
	for range 400 {
		m := message(2)
		b := appendFrame(c, []byte("before"), m)
		b = b[len("before"):]
		if int(binary.LittleEndian.Uint32(b)) != len(b)-4 || !bytes.Equal(b[4:4+len(m)], m) {
			t.Fatalf("malformed: %x", b)
		}
		seen[len(b)-4-len(m)]++
	}
	for pad := range 4 {
		if seen[pad] < 50 {
			t.Errorf("%d bytes of padding: %d of 400", pad, seen[pad])
		}
	}
	if len(seen) != 4 {
		t.Errorf("paddings: %v", seen)
	}
	c.rand = iotest.ErrReader(io.ErrClosedPipe)
	if got, want := appendFrame(c, nil, message(1)), 4+40; len(got) != want {
		t.Errorf("without randomness: %d bytes, want %d", len(got), want)
	}
}

func TestFrameHeaders(t *testing.T) {
	cases := []struct {
		codec Codec
		n     int
		want  []byte
	}{
		{Abridged, 4, []byte{1}},
		{Abridged, 4 * 0x7e, []byte{0x7e}},
		{Abridged, 4 * 0x7f, []byte{0x7f, 0x7f, 0, 0}},
		{Abridged, 4 * 0x123456, []byte{0x7f, 0x56, 0x34, 0x12}},
		{Intermediate, 0x123456, []byte{0x56, 0x34, 0x12, 0}},
		{Full, 0x123450, []byte{0x5c, 0x34, 0x12, 0, 0, 0, 0, 0}},
		{Full, 4, []byte{16, 0, 0, 0, 1, 0, 0, 0}},
	}
	conns := make(map[Codec]*Conn)
	for _, codec := range allCodecs() {
		conns[codec] = framed(Kind{codec, Plain}, newScript())
	}
	for _, tc := range cases {
		if got := conns[tc.codec].BeginFrame(nil, tc.n); !bytes.Equal(got, tc.want) {
			t.Errorf("%v, %d bytes: %x, want %x", tc.codec, tc.n, got, tc.want)
		}
	}
}

func TestRecordHeaders(t *testing.T) {
	cases := []struct {
		wrapper    wrapper
		n, covered int
		want       []byte
	}{
		{&webSocket{}, 1, 1, []byte{0x82, 1}},
		{&webSocket{}, 125, 125, []byte{0x82, 125}},
		{&webSocket{}, 126, 126, []byte{0x82, 126, 0, 126}},
		{&webSocket{}, 65535, 65535, []byte{0x82, 126, 0xff, 0xff}},
		{&webSocket{}, 65536, 65536, []byte{0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
		{&tlsRecords{}, 1, 1, []byte{0x17, 3, 3, 0, 1}},
		{&tlsRecords{}, 1 << 14, 1 << 14, []byte{0x17, 3, 3, 0x40, 0}},
		{&tlsRecords{}, 1<<14 + 1, 1 << 14, []byte{0x17, 3, 3, 0x40, 0}},
	}
	for _, tc := range cases {
		got, covered := tc.wrapper.header(nil, tc.n)
		if !bytes.Equal(got, tc.want) || covered != tc.covered || len(got) > maxRecordHead {
			t.Errorf("%T, %d bytes: %x for %d", tc.wrapper, tc.n, got, covered)
		}
	}
}

func TestErrorFrames(t *testing.T) {
	code := []byte{0x6c, 0xfe, 0xff, 0xff} // -404
	want := map[Codec][]byte{
		Abridged:     append([]byte{1}, code...),
		Intermediate: append([]byte{4, 0, 0, 0}, code...),
		Padded:       append([]byte{4, 0, 0, 0}, code...),
		Full:         frame(Full, 0, code),
	}
	for codec, w := range want {
		c := framed(Kind{codec, Plain}, newScript())
		if got := c.AppendError(nil, -404); !bytes.Equal(got, w) {
			t.Errorf("%v: %x, want %x", codec, got, w)
		}
	}
}

// TestReadersBuffer checks that a buffer that is large enough is used, and that one that is not
// grows with what arrives.
func TestReadersBuffer(t *testing.T) {
	m := message(100)
	for _, codec := range allCodecs() {
		c := framed(Kind{codec, Plain}, newScript(frame(codec, 0, m), frame(codec, 1, m)))
		buf := make([]byte, 17, len(m)+4)
		f, err := c.ReadFrame(buf)
		if err != nil || &f.Payload[0] != &buf[0] || !bytes.Equal(f.Payload, m) {
			t.Errorf("%v: large buffer not used: %v", codec, err)
		}
		f, err = c.ReadFrame(make([]byte, 0, 64))
		if err != nil || !bytes.Equal(f.Payload, m) {
			t.Errorf("%v: small buffer: %v", codec, err)
		}
	}
	for _, sent := range []int{100, limit.FrameStep - 8, limit.FrameStep, 200 << 10} {
		b := frame(Intermediate, 0, make([]byte, limit.FrameKeyed))[:4+sent]
		c := framed(Kind{Intermediate, Plain}, newScript(b))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := c.ReadFrame(nil)
		runtime.ReadMemStats(&after)
		grown := int(after.TotalAlloc - before.TotalAlloc)
		if !errors.Is(err, io.ErrUnexpectedEOF) || grown > 4*max(limit.FrameStep, sent)+4096 {
			t.Errorf("%d bytes sent: %d bytes of heap, %v", sent, grown, err)
		}
	}
}

// TestHalfFrames cuts a valid stream everywhere.
func TestHalfFrames(t *testing.T) {
	for _, codec := range allCodecs() {
		whole := slices.Concat(frame(codec, 0, message(1)), frame(codec, 1, message(40)))
		first := len(frame(codec, 0, message(1)))
		for n := range len(whole) {
			c := framed(Kind{codec, Plain}, newScript(whole[:n]))
			var err error
			for err == nil {
				_, err = c.ReadFrame(nil)
			}
			want := io.ErrUnexpectedEOF
			if n == 0 || n == first {
				want = io.EOF
			}
			if !errors.Is(err, want) {
				t.Errorf("%v, cut at %d: %v, want %v", codec, n, err, want)
			}
		}
	}
}

// TestChunks delivers a stream of many frames in pieces of every kind.
func TestChunks(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, codec := range allCodecs() {
		var want [][]byte
		var stream []byte
		for i := range 200 {
			want = append(want, message(rng.IntN(100)+1))
			stream = append(stream, frame(codec, uint32(i), want[i])...)
		}
		readers := map[string]io.Reader{
			"one byte": iotest.OneByteReader(bytes.NewReader(stream)),
			"half":     iotest.HalfReader(bytes.NewReader(stream)),
			"with EOF": iotest.DataErrReader(bytes.NewReader(stream)),
		}
		for name, r := range readers {
			c := framed(Kind{codec, Plain}, &script{in: r})
			buf := make([]byte, 0, 2048)
			for i := range want {
				f, err := c.ReadFrame(buf)
				if err != nil || !bytes.Equal(f.Payload, want[i]) {
					t.Fatalf("%v, %s: frame %d: %v", codec, name, i, err)
				}
			}
			if _, err := c.ReadFrame(buf); err != io.EOF {
				t.Errorf("%v, %s: at the end: %v", codec, name, err)
			}
		}
	}
}

func TestKindNames(t *testing.T) {
	seen := make(map[string]bool)
	for carrier := range Carrier(4) {
		for codec := range Codec(4) {
			name := Kind{codec, carrier}.String()
			if seen[name] || strings.Count(name, "/") != 1 {
				t.Errorf("name %q", name)
			}
			seen[name] = true
		}
	}
}

func TestParseSecret(t *testing.T) {
	domain := func(n int) string { return strings.Repeat("61", n) }
	cases := []struct {
		in     string
		form   secretForm
		domain string
		ok     bool
	}{
		{testKey, secretPlain, "", true},
		{strings.ToUpper(testKey), secretPlain, "", true},
		{"dd" + testKey, secretPadded, "", true},
		{secretText("ee"), secretTLS, testDomain, true},
		{"ee" + testKey + domain(182), secretTLS, strings.Repeat("a", 182), true},
		{"ee" + testKey + domain(183), 0, "", false},
		{"ee" + testKey, 0, "", false},
		{"ee" + testKey + "200a", 0, "", false},
		{"ef" + testKey, 0, "", false},
		{"dd" + testKey + "61", 0, "", false},
		{testKey[2:], 0, "", false},
		{testKey[1:], 0, "", false},
		{"", 0, "", false},
		{"zz", 0, "", false},
	}
	for _, tc := range cases {
		s, err := ParseSecret(tc.in)
		if (err == nil) != tc.ok || s.form != tc.form || s.Domain() != tc.domain {
			t.Errorf("%s: form %d, domain %q, %v", tc.in, s.form, s.Domain(), err)
		}
		if err != nil && (!errors.Is(err, ErrSecret) || len(tc.in) > 4 &&
			strings.Contains(err.Error(), tc.in[:4])) {
			t.Errorf("%s: error %v", tc.in, err)
		}
	}
}
