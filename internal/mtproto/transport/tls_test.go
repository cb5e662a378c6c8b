package transport

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"parley/internal/clock"
	"parley/internal/limit"
)

var helloTime = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

// clientHelloRecord builds a hello as TDLib does, with as many bytes of extensions as asked for.
func clientHelloRecord(s Secret, at time.Time, session, extensions int) []byte {
	b := append([]byte{0x16, 3, 1, 0, 0, 1, 0, 0, 0, 3, 3}, make([]byte, 32)...)
	b = append(b, byte(session))
	b = append(b, bytes.Repeat([]byte{0x5e}, session)...)
	b = append(b, 0, 8, 0x4a, 0x4a, 0x13, 0x02, 0x13, 0x01, 0xc0, 0x2b, 1, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(extensions))
	random := make([]byte, extensions)
	rand.Read(random)
	b = append(b, random...)
	binary.BigEndian.PutUint16(b[3:], uint16(len(b)-5))
	binary.BigEndian.PutUint16(b[7:], uint16(len(b)-9))
	return sign(s, at, b)
}

func sign(s Secret, at time.Time, b []byte) []byte {
	clear(b[11:43])
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write(b)
	copy(b[11:], mac.Sum(nil))
	binary.LittleEndian.PutUint32(b[39:], binary.LittleEndian.Uint32(b[39:])^uint32(at.Unix()))
	return b
}

func tlsOptions(t *testing.T) Options {
	return Options{
		Secrets: []Secret{secret(t, ""), secret(t, "dd"), {form: secretTLS}, secret(t, "ee")},
		Replay:  NewReplayCache(),
		Clock:   clock.NewFake(helloTime),
	}
}

func record(kind byte, b []byte) []byte {
	return append(append([]byte{kind, 3, 3}, byte(len(b)>>8), byte(len(b))), b...)
}

func TestFakeTLSHandshake(t *testing.T) {
	s := secret(t, "ee")
	for _, extensions := range []int{400, 1700, 3800} {
		hello := clientHelloRecord(s, helloTime, 32, extensions)
		random := bytes.Clone(hello[11:43])
		header, encrypt := obfuscatedOpening(t, Padded, 10002, s)
		m := message(9)
		body := frame(Padded, 0, m)
		encrypt.XORKeyStream(body, body)
		sc := newScript(hello, record(0x14, []byte{1}), record(0x17, header[:40]),
			record(0x17, slices.Concat(header[40:], body[:10])), record(0x17, nil),
			record(0x17, body[10:]))
		sc.in = iotest.HalfReader(sc.in)
		c, err := Accept(sc, tlsOptions(t))
		if err != nil {
			t.Fatal(err)
		}
		if c.Kind() != (Kind{Padded, FakeTLS}) || c.DC() != 10002 {
			t.Errorf("kind %v, dc %d", c.Kind(), c.DC())
		}
		if f, err := c.ReadFrame(nil); err != nil || !bytes.Equal(f.Payload, m) {
			t.Errorf("%x, %v", f.Payload, err)
		}
		checkFlight(t, s, random, sc.out.Bytes(), len(hello))
	}
}

// checkFlight reads the server's first flight as TDLib does, and as a TLS client would.
func checkFlight(t *testing.T, s Secret, random, flight []byte, helloLen int) {
	t.Helper()
	if len(flight) > 3*helloLen {
		t.Errorf("%d bytes answer %d", len(flight), helloLen)
	}
	rest := flight
	for _, prefix := range []string{"\x16\x03\x03", "\x14\x03\x03\x00\x01\x01\x17\x03\x03"} {
		if !bytes.HasPrefix(rest, []byte(prefix)) {
			t.Fatalf("flight: %x", flight)
		}
		rest = rest[len(prefix):]
		rest = rest[2+int(binary.BigEndian.Uint16(rest)):]
	}
	if len(rest) != 0 {
		t.Errorf("%d bytes after the flight", len(rest))
	}
	hello := flight[5:]
	if hello[0] != 2 || int(hello[3]) != int(flight[4])-4 || hello[38] != 32 ||
		!bytes.Equal(hello[39:71], bytes.Repeat([]byte{0x5e}, 32)) ||
		!bytes.Equal(hello[71:73], []byte{0x13, 0x02}) {
		t.Errorf("server hello: %x", hello[:73])
	}
	digest := bytes.Clone(flight[11:43])
	zeroed := bytes.Clone(flight)
	clear(zeroed[11:43])
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write(random)
	mac.Write(zeroed)
	if !bytes.Equal(mac.Sum(nil), digest) {
		t.Error("the flight is not signed")
	}
}

func TestHelloTime(t *testing.T) {
	const skew = limit.HelloSkew
	for offset, ok := range map[time.Duration]bool{
		0: true, skew: true, -skew: true, skew + time.Second: false, -skew - time.Second: false,
		24 * time.Hour: false, -helloTime.Sub(time.Unix(0, 0)): false,
	} {
		hello := clientHelloRecord(secret(t, "ee"), helloTime.Add(offset), 32, 400)
		sc := newScript(hello)
		_, err := Accept(sc, tlsOptions(t))
		if answered := sc.out.Len() > 0; answered != ok || errors.Is(err, ErrHello) == ok {
			t.Errorf("%v: answered = %v, %v", offset, answered, err)
		}
	}
}

// TestTamperedHello flips every bit of a genuine hello. None of the results is answered, but for
// those with a slightly different time, which is not signed; these count as the same hello.
func TestTamperedHello(t *testing.T) {
	hello := clientHelloRecord(secret(t, "ee"), helloTime, 32, 200)
	retimed := 0
	for i := 8 * 3; i < 8*len(hello); i++ {
		o := tlsOptions(t)
		b := bytes.Clone(hello)
		b[i/8] ^= 1 << (i % 8)
		sc := newScript(b, make([]byte, limit.TLSHello))
		if _, err := Accept(sc, o); err == nil {
			t.Fatalf("bit %d: accepted", i)
		}
		if sc.out.Len() == 0 {
			continue
		}
		if i/8 < helloRandom+helloSigned || i/8 >= helloRandomEnd {
			t.Fatalf("bit %d: answered", i)
		}
		retimed++
		sc = newScript(hello)
		if _, err := Accept(sc, o); !errors.Is(err, ErrReplay) || sc.out.Len() > 0 {
			t.Errorf("bit %d changes the identity of the hello: %v", i, err)
		}
	}
	if retimed == 0 {
		t.Error("no change of time was accepted")
	}
}

func TestForeignHello(t *testing.T) {
	s := secret(t, "ee")
	unsigned := clientHelloRecord(s, helloTime, 32, 400)
	clear(unsigned[helloRandom:helloRandomEnd])
	foreign := Secret{form: secretTLS, key: [16]byte{9}}
	// custom is a signed hello of kind first, with as many bytes after the version as body has.
	custom := func(first byte, body ...byte) []byte {
		n := byte(len(body))
		b := []byte{0x16, 3, 1, 0, n + 6, first, 0, 0, n + 2, 3, 3}
		return sign(s, helloTime, append(b, body...))
	}
	random := make([]byte, 32)
	cases := map[string][]byte{
		"unsigned":      unsigned,
		"other secret":  clientHelloRecord(foreign, helloTime, 32, 400),
		"long session":  clientHelloRecord(s, helloTime, 33, 400),
		"server hello":  custom(2, append(random, 0, 0, 2, 0x13, 1)...),
		"no suites":     custom(1, append(random, 0, 0)...),
		"minimal":       custom(1, append(random, 0)...),
		"suites beyond": custom(1, append(random, 0, 0, 2)...),
		"odd suites":    custom(1, append(random, 0, 0, 3, 0x4a, 0x4a, 0x13)...),
		"empty record":  {0x16, 3, 1, 0, 0},
	}
	for name, hello := range cases {
		sc := newScript(hello)
		_, err := Accept(sc, tlsOptions(t))
		if !errors.Is(err, ErrHello) || sc.out.Len() > 0 || !sc.closed {
			t.Errorf("%s: %v, %d bytes answered", name, err, sc.out.Len())
		}
	}
	// A short session and no TLS 1.3 suite are odd but lawful.
	for _, session := range []int{0, 1, 31} {
		sc := newScript(clientHelloRecord(s, helloTime, session, 400))
		if Accept(sc, tlsOptions(t)); sc.out.Len() == 0 {
			t.Errorf("session of %d bytes is not answered", session)
		}
	}
}

func TestReplayedHello(t *testing.T) {
	o := tlsOptions(t)
	fake := o.Clock.(*clock.Fake)
	hello := clientHelloRecord(secret(t, "ee"), helloTime.Add(limit.HelloSkew), 32, 400)
	for i := range 3 {
		sc := newScript(hello)
		_, err := Accept(sc, o)
		if i == 0 && (sc.out.Len() == 0 || errors.Is(err, ErrReplay)) ||
			i > 0 && (sc.out.Len() > 0 || !errors.Is(err, ErrReplay)) {
			t.Errorf("time %d: %v, %d bytes answered", i, err, sc.out.Len())
		}
		fake.Advance(limit.HelloSkew) // the last time, the hello is as old as it may be
	}
	o.Replay = nil
	o.Clock = clock.NewFake(helloTime)
	sc := newScript(hello)
	if _, err := Accept(sc, o); !errors.Is(err, ErrReplay) || sc.out.Len() > 0 {
		t.Errorf("without a cache: %v", err)
	}
}

func TestReplayCacheForgetsTheOldest(t *testing.T) {
	r := NewReplayCache()
	digest := func(i int) (d helloDigest) {
		binary.LittleEndian.PutUint64(d[:], uint64(i))
		return d
	}
	for i := range limit.HelloReplays + 10 {
		if !r.use(digest(i)) {
			t.Fatalf("digest %d is new", i)
		}
	}
	if len(r.seen) != limit.HelloReplays || len(r.ring) != limit.HelloReplays {
		t.Errorf("%d, %d remembered", len(r.seen), len(r.ring))
	}
	if r.use(digest(10)) || !r.use(digest(9)) || r.use(digest(11)) || !r.use(digest(10)) {
		t.Error("not the oldest were forgotten")
	}
}

// TestReplayOutlivesItsProcess plays a hello back that was accepted before a restart, as it was and
// with another time, which is not signed.
func TestReplayOutlivesItsProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hellos")
	restart := func() (Options, func()) {
		o := tlsOptions(t)
		var err error
		if o.Replay, err = OpenReplayCache(path, func(err error) { t.Error(err) }); err != nil {
			t.Fatal(err)
		}
		return o, func() {
			if err := o.Replay.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	hello := clientHelloRecord(secret(t, "ee"), helloTime, 32, 400)
	o, _ := restart() // and the process is killed
	if _, err := Accept(newScript(hello), o); errors.Is(err, ErrReplay) {
		t.Fatal(err)
	}
	for name, later := range map[string]uint32{"as it was": 0, "with another time": 1} {
		again := bytes.Clone(hello)
		again[39] ^= byte(later)
		o, stop := restart()
		if _, err := Accept(newScript(again), o); !errors.Is(err, ErrReplay) {
			t.Errorf("%s: %v", name, err)
		}
		stop()
	}
}

// TestReplayFile lets a file grow to its bound and beyond, and breaks it off within a digest.
func TestReplayFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hellos")
	open := func() *ReplayCache {
		r, err := OpenReplayCache(path, func(err error) { t.Error(err) })
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Close() })
		return r
	}
	digest := func(i int) (d helloDigest) {
		binary.LittleEndian.PutUint64(d[:], uint64(i))
		return d
	}
	const many = 2*limit.HelloReplays + 10
	r := open()
	for i := range many {
		if !r.use(digest(i)) {
			t.Fatalf("digest %d is new", i)
		}
	}
	stat, err := os.Stat(path)
	if err != nil || stat.Size() > 2*limit.HelloReplays*int64(len(helloDigest{})) {
		t.Fatalf("%d bytes: %v", stat.Size(), err)
	}
	if err := os.Truncate(path, stat.Size()-1); err != nil {
		t.Fatal(err)
	}
	r = open()
	if r.use(digest(many-2)) || !r.use(digest(many-1)) || r.use(digest(many-limit.HelloReplays)) {
		t.Error("not what the file had is remembered")
	}
	if r = open(); r.use(digest(many-1)) || r.use(digest(many-2)) {
		t.Error("what was added to a broken file is not remembered")
	}
}

func TestTLSRecords(t *testing.T) {
	m := message(40)
	b := frame(Abridged, 0, m)
	data := func(b []byte) []byte { return record(0x17, b) }
	cases := []struct {
		name   string
		stream [][]byte
		want   error
	}{
		{"one", [][]byte{data(b)}, nil},
		{"byte by byte", slices.Collect(func(yield func([]byte) bool) {
			for i := range b {
				if !yield(data(b[i : i+1])) {
					return
				}
			}
		}), nil},
		{"longest", [][]byte{data(append(bytes.Clone(b), make([]byte, 65535-len(b))...))}, nil},
		{"cipher spec between", [][]byte{data(b[:5]), record(0x14, []byte{1}), data(b[5:])}, nil},
		{"long cipher spec", [][]byte{record(0x14, []byte{1, 1}), data(b)}, ErrRecord},
		{"data in a cipher spec", [][]byte{record(0x14, append([]byte{1}, data(b)...))}, ErrRecord},
		{"alert", [][]byte{record(0x15, []byte{1, 0}), data(b)}, io.EOF},
		{"alert inside", [][]byte{data(b[:9]), record(0x15, []byte{1, 0})}, io.ErrUnexpectedEOF},
		{"handshake", [][]byte{record(0x16, b)}, ErrRecord},
		{"unknown type", [][]byte{record(0x99, b)}, ErrRecord},
		{"old version", [][]byte{{0x17, 3, 1, 0, 1, 1}}, ErrRecord},
		{"cut header", [][]byte{{0x17, 3}}, io.ErrUnexpectedEOF},
		{"cut record", [][]byte{data(b)[:50]}, io.ErrUnexpectedEOF},
		{"cut cipher spec", [][]byte{{0x14, 3, 3, 0, 1}}, io.ErrUnexpectedEOF},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			c := framed(Kind{Abridged, FakeTLS}, newScript(tc.stream...))
			f, err := c.ReadFrame(nil)
			if !errors.Is(err, tc.want) || err == nil && !bytes.Equal(f.Payload, m) {
				t.Errorf("%d bytes, %v", len(f.Payload), err)
			}
		})
	}
}

func TestHelloWithoutRandomness(t *testing.T) {
	hello := clientHelloRecord(secret(t, "ee"), helloTime, 32, 400)
	for _, n := range []int64{0, 33, 100} {
		o := tlsOptions(t)
		o.Rand = io.LimitReader(rand.Reader, n)
		sc := newScript(hello)
		if _, err := Accept(sc, o); err == nil || sc.out.Len() > 0 {
			t.Errorf("%d random bytes: %v, %d bytes answered", n, err, sc.out.Len())
		}
	}
}
