package transport

import (
	"encoding/binary"
	"io"
	"strings"
)

// tag is how a codec announces itself: as the first bytes of a plain stream (abridged: the first
// byte alone) and inside an obfuscated header.
func tag(b []byte) (Codec, bool) {
	switch binary.BigEndian.Uint32(b) {
	case 0xefefefef:
		return Abridged, true
	case 0xeeeeeeee:
		return Intermediate, true
	case 0xdddddddd:
		return Padded, true
	}
	return 0, false
}

// recognise recognises the transport, of those that the options admit.
func (c *Conn) recognise(o *Options) error {
	if !o.Hidden {
		return c.sniff(o)
	}
	for n := 1; n <= len(helloStart); n++ {
		b, err := c.in.peek(n)
		if err == nil && !strings.HasPrefix(helloStart, string(b)) {
			err = ErrHello
		}
		if err != nil {
			return c.stranger(nil, err)
		}
	}
	return c.acceptTLS(o)
}

// sniff recognises the transport. The order follows from what clients keep out of the random
// first bytes of an obfuscated header: the first byte of abridged, the tags, HTTP methods, a TLS
// hello, and zeros where a full frame has its first sequence number.
//
// https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation
func (c *Conn) sniff(o *Options) error {
	b, err := c.in.peek(1)
	if err != nil {
		return err
	}
	if b[0] == 0xef {
		c.in.skip(1)
		c.kind = Kind{Abridged, Plain}
		return nil
	}
	if b, err = c.in.peek(4); err != nil {
		return inside(err)
	}
	codec, tagged := tag(b)
	switch {
	case tagged:
		c.in.skip(len(b))
		c.kind = Kind{codec, Plain}
		return nil
	case isHTTP(b):
		return c.acceptHTTP(o)
	case isHello(b):
		return c.acceptTLS(o)
	}
	if b, err = c.in.peek(8); err != nil {
		return inside(err)
	}
	if binary.LittleEndian.Uint32(b[4:]) == 0 {
		c.kind = Kind{Full, Plain}
		return nil
	}
	c.kind.Carrier = Obfuscated
	return c.acceptObfuscated(append([]Secret{{}}, o.Secrets...))
}

// acceptObfuscated reads an obfuscated header and tries the secrets on it; the zero Secret stands
// for none.
func (c *Conn) acceptObfuscated(secrets []Secret) error {
	header := make([]byte, obfuscatedHeader)
	if _, err := io.ReadFull(&c.in, header); err != nil {
		return inside(err)
	}
	for i := range secrets {
		if o, ok := openObfuscated(header, &secrets[i], c.kind.Carrier); ok {
			c.obfuscate(o)
			return nil
		}
	}
	return ErrUnknown
}
