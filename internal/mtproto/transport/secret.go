package transport

import (
	"encoding/hex"
	"fmt"
	"strings"
)

const (
	secretKeyBytes = 16
	// maxDomain is the longest domain that clients put into a TLS hello whole.
	maxDomain = 182
)

type secretForm uint8

const (
	secretNone secretForm = iota
	secretPlain
	secretPadded
	secretTLS
)

// Secret is a proxy secret. Its fields are hidden so that it cannot be logged by accident; the zero
// value is no secret.
//
// https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation
type Secret struct {
	form   secretForm
	key    [secretKeyBytes]byte
	domain string
}

// ParseSecret parses a proxy secret as it stands in a proxy link, in hexadecimal: 16 bytes admit
// every obfuscated stream; dd and 16 bytes admit padded ones; ee, 16 bytes and the name of a
// domain admit only streams inside fake TLS that pretends to visit that domain. Errors are
// ErrSecret with a reason.
func ParseSecret(s string) (Secret, error) {
	b, err := hex.DecodeString(s)
	if err != nil {
		return Secret{}, fmt.Errorf("%w: not hexadecimal", ErrSecret)
	}
	switch {
	case len(b) == secretKeyBytes:
		return Secret{form: secretPlain, key: [secretKeyBytes]byte(b)}, nil
	case len(b) == 1+secretKeyBytes && b[0] == 0xdd:
		return Secret{form: secretPadded, key: [secretKeyBytes]byte(b[1:])}, nil
	case len(b) > 1+secretKeyBytes && b[0] == 0xee:
		domain := string(b[1+secretKeyBytes:])
		if !validDomain(domain) {
			return Secret{}, fmt.Errorf("%w: not a domain name", ErrSecret)
		}
		return Secret{secretTLS, [secretKeyBytes]byte(b[1:]), domain}, nil
	default:
		return Secret{}, fmt.Errorf("%w: unknown form", ErrSecret)
	}
}

func validDomain(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-."
	return len(s) <= maxDomain && strings.Trim(strings.ToLower(s), letters) == ""
}

// Domain returns the domain that a fake TLS secret pretends to visit, and "" for other secrets.
func (s Secret) Domain() string { return s.domain }

// String describes the secret without giving it away.
func (s Secret) String() string {
	switch s.form {
	case secretPlain:
		return "secret"
	case secretPadded:
		return "secret(padded)"
	case secretTLS:
		return "secret(" + s.domain + ")"
	default:
		return "no secret"
	}
}

// GoString keeps %#v from giving the secret away.
func (s Secret) GoString() string { return s.String() }
