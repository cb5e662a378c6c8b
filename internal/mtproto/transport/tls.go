package transport

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"time"

	"parley/internal/limit"
)

// What a fake TLS session is made of.
//
// https://www.rfc-editor.org/rfc/rfc8446#section-5.1
const (
	recordHead       = 5
	recordMax        = 1 << 14 // bytes of payload that we put into one record
	recordCipherSpec = 0x14
	recordAlert      = 0x15
	recordHandshake  = 0x16
	recordData       = 0x17

	// helloRandom is where a hello's random bytes stand, within its record.
	helloRandom    = 11
	helloRandomEnd = helloRandom + 32
	// helloSigned is how many of the random bytes are the signature; the others hide the time.
	helloSigned = 28
	// flightMin and flightSpread say how many bytes stand in for the server's certificate.
	flightMin, flightSpread = 1024, 1024
)

// clientHello is what we need of a TLS ClientHello.
type clientHello struct {
	random  [32]byte
	session []byte // to be echoed
	suite   uint16 // the first TLS 1.3 cipher suite that was offered
}

// helloStart begins the record of a hello.
const helloStart = "\x16\x03\x01"

func isHello(b []byte) bool { return bytes.HasPrefix(b, []byte(helloStart)) }

// acceptTLS checks a hello and answers it, and opens the obfuscated stream inside.
func (c *Conn) acceptTLS(o *Options) error {
	record, err := c.readHello()
	var hello clientHello
	var secret Secret
	if err == nil {
		hello, secret, err = checkHello(record, o)
	}
	if err != nil && (o.Front || o.Hidden) {
		return c.stranger(record, err)
	}
	if err != nil {
		return err
	}
	answer, err := serverHello(hello, secret, len(record), o.Rand)
	if err != nil {
		return err
	}
	if _, err := c.in.nc.Write(answer); err != nil {
		return err
	}
	if err := c.renewDeadline(); err != nil {
		return err
	}
	c.kind.Carrier = FakeTLS
	c.carry(&tlsRecords{})
	err = c.acceptObfuscated([]Secret{secret})
	if errors.Is(err, ErrUnknown) || errors.Is(err, ErrRecord) {
		return errors.Join(err, c.alert(o.Rand))
	}
	return err
}

// checkHello finds the secret with which a hello was signed that was not used before.
func checkHello(record []byte, o *Options) (clientHello, Secret, error) {
	hello, err := parseHello(record)
	if err != nil {
		return hello, Secret{}, err
	}
	secret, ok := authenticate(record, hello, o.Secrets, o.Clock.Now())
	if !ok {
		return hello, secret, ErrHello
	}
	if !o.Replay.use(helloDigest(hello.random[:])) {
		return hello, secret, ErrReplay
	}
	return hello, secret, nil
}

// stranger is the error that hands a peer on who has sent some bytes, beside those that were read
// ahead. One who is gone, or from whom nothing more can be read, is not handed on.
func (c *Conn) stranger(sent []byte, err error) error {
	sent = append(sent, c.in.buf[c.in.r:c.in.w]...)
	ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	ours := errors.Is(err, ErrHello) || errors.Is(err, ErrReplay)
	if !ours && !errors.Is(err, os.ErrDeadlineExceeded) && (!ended || len(sent) == 0) {
		return err
	}
	return &StrangerError{Sent: sent, Err: err}
}

// alertBytes is the length of an encrypted alert: two bytes, its type, and a tag.
//
// https://www.rfc-editor.org/rfc/rfc8446#section-6
const alertBytes = 2 + 1 + 16

// alert writes what looks like a server's complaint about a record that does not open.
func (c *Conn) alert(rand io.Reader) error {
	record, _ := (&tlsRecords{}).header(nil, alertBytes)
	record = append(record, make([]byte, alertBytes)...)
	if _, err := io.ReadFull(rand, record[recordHead:]); err != nil {
		return err
	}
	_, err := c.in.nc.Write(record)
	return err
}

// readHello reads the record that holds the hello; with an error, as much of it as came.
func (c *Conn) readHello() ([]byte, error) {
	record, err := c.fill(nil, recordHead)
	if err != nil {
		return record, inside(err)
	}
	n := recordHead + int(binary.BigEndian.Uint16(record[3:]))
	if n > limit.TLSHello {
		return record, ErrHello
	}
	record, err = c.fill(record, n)
	return record, inside(err)
}

// parseHello parses a record with a ClientHello up to the cipher suites. What follows is
// decoration: that the hello is genuine is for its signature to show.
//
// https://www.rfc-editor.org/rfc/rfc8446#section-4.1.2
func parseHello(record []byte) (clientHello, error) {
	const fixed = helloRandomEnd + 1
	if len(record) < fixed || !isHello(record) || record[5] != 1 ||
		int(binary.BigEndian.Uint16(record[3:])) != len(record)-recordHead ||
		binary.BigEndian.Uint32(record[5:])&0xffffff != uint32(len(record)-recordHead-4) ||
		binary.BigEndian.Uint16(record[9:]) != 0x0303 {
		return clientHello{}, ErrHello
	}
	hello := clientHello{random: [32]byte(record[helloRandom:]), suite: 0x1301}
	rest, n := record[fixed:], int(record[helloRandomEnd])
	if n > 32 || len(rest) < n+2 {
		return clientHello{}, ErrHello
	}
	hello.session, rest = rest[:n], rest[n:]
	n, rest = int(binary.BigEndian.Uint16(rest)), rest[2:]
	if n%2 != 0 || len(rest) < n {
		return clientHello{}, ErrHello
	}
	for suites := rest[:n]; len(suites) > 0; suites = suites[2:] {
		if s := binary.BigEndian.Uint16(suites); s>>8 == 0x13 {
			hello.suite = s
			break
		}
	}
	return hello, nil
}

// authenticate finds the secret with which a hello was signed: its random bytes are an HMAC of the
// record in which they are zero, the last four combined with the client's time. The time must be
// close to ours. It is not signed: it stops clients with a wrong clock and thoughtless replays, and
// nobody else; see ReplayCache.
func authenticate(record []byte, h clientHello, secrets []Secret, now time.Time) (Secret, bool) {
	for _, s := range secrets {
		if s.form != secretTLS {
			continue
		}
		sum := signature(&s, record[:helloRandom], make([]byte, 32), record[helloRandomEnd:])
		if subtle.ConstantTimeCompare(sum[:helloSigned], h.random[:helloSigned]) == 0 {
			continue
		}
		stamp := binary.LittleEndian.Uint32(sum[helloSigned:]) ^
			binary.LittleEndian.Uint32(h.random[helloSigned:])
		return s, now.Sub(time.Unix(int64(stamp), 0)).Abs() <= limit.HelloSkew
	}
	return Secret{}, false
}

func signature(s *Secret, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, s.key[:])
	for _, p := range parts {
		mac.Write(p)
	}
	return mac.Sum(nil)
}

// serverHello returns the server's first flight: a ServerHello, a ChangeCipherSpec, and a record of
// random bytes where the encrypted certificate would stand. Its own random bytes are an HMAC of
// the client's and of the flight in which they are zero. The flight is at most three times as long
// as the hello, so that nobody gains by sending hellos in another's name.
//
// https://www.rfc-editor.org/rfc/rfc8446#section-4.1.3
func serverHello(h clientHello, s Secret, helloLen int, rand io.Reader) ([]byte, error) {
	seed := make([]byte, 32+2)
	if _, err := io.ReadFull(rand, seed); err != nil {
		return nil, err
	}
	private, err := ecdh.X25519().NewPrivateKey(seed[:32])
	if err != nil {
		return nil, err
	}
	body := binary.BigEndian.AppendUint16(nil, 0x0303)
	body = append(body, make([]byte, 32)...)
	body = append(body, byte(len(h.session)))
	body = append(body, h.session...)
	body = binary.BigEndian.AppendUint16(body, h.suite)
	// No compression; 46 bytes of extensions: an X25519 key share and the version, TLS 1.3.
	body = append(body, 0, 0, 46, 0, 51, 0, 36, 0, 29, 0, 32)
	body = append(body, private.PublicKey().Bytes()...)
	body = append(body, 0, 43, 0, 2, 3, 4)

	flight := []byte{recordHandshake, 3, 3}
	flight = binary.BigEndian.AppendUint16(flight, uint16(4+len(body)))
	flight = binary.BigEndian.AppendUint32(flight, 2<<24|uint32(len(body)))
	flight = append(flight, body...)
	flight = append(flight, recordCipherSpec, 3, 3, 0, 1, 1)

	fill := flightMin + int(binary.BigEndian.Uint16(seed[32:]))%flightSpread
	fill = max(0, min(fill, 3*helloLen-len(flight)-recordHead))
	flight, _ = (&tlsRecords{}).header(flight, fill)
	flight = append(flight, make([]byte, fill)...)
	if _, err := io.ReadFull(rand, flight[len(flight)-fill:]); err != nil {
		return nil, err
	}
	copy(flight[helloRandom:helloRandomEnd], signature(&s, h.random[:], flight))
	return flight, nil
}

// tlsRecords is the wrapper of fake TLS.
type tlsRecords struct {
	left int // bytes of the record that are not yet read
	head [recordHead]byte
}

// read implements wrapper. It skips the client's ChangeCipherSpec and takes an alert for the end.
func (t *tlsRecords) read(src *source, p []byte) (int, error) {
	for t.left == 0 {
		if _, err := io.ReadFull(src, t.head[:]); err != nil {
			return 0, err
		}
		n := int(binary.BigEndian.Uint16(t.head[3:]))
		switch {
		case t.head[1] != 3 || t.head[2] != 3:
			return 0, ErrRecord
		case t.head[0] == recordData:
			t.left = n
		case t.head[0] == recordCipherSpec && n == 1:
			if _, err := io.ReadFull(src, t.head[:1]); err != nil {
				return 0, inside(err)
			}
		case t.head[0] == recordAlert:
			return 0, io.EOF
		default:
			return 0, ErrRecord
		}
	}
	n, err := src.Read(p[:min(len(p), t.left)])
	t.left -= n
	return n, inside(err)
}

// header implements wrapper.
func (t *tlsRecords) header(dst []byte, n int) ([]byte, int) {
	n = min(n, recordMax)
	return binary.BigEndian.AppendUint16(append(dst, recordData, 3, 3), uint16(n)), n
}
