// Package recipient reads the public keys that authorities give, and encrypts to them: age
// recipients, with or without post-quantum keys, or one OpenPGP key. It keeps nothing, decides
// nothing, and reads no private key: one that it is shown by mistake is refused and never repeated.
//
// Invariants: a key that cannot be encrypted to is refused before anything is; two keys have the
// same fingerprint only if they are the same.
//
// https://age-encryption.org/v1
// https://www.rfc-editor.org/rfc/rfc9580
package recipient

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Errors of keys.
var (
	// ErrKey says that a text is no key to which one can encrypt.
	ErrKey = errors.New("recipient: no key that can be encrypted to")
	// ErrPrivate says that it is a private key. Whoever gave it has to make another.
	ErrPrivate = errors.New("recipient: a private key")
)

const (
	// maxKey bounds a key in bytes: a post-quantum OpenPGP key with some signatures on it.
	maxKey = 256 << 10
	// maxRecipients is how many age recipients an authority may have at once.
	maxRecipients = 16
)

// Key is a public key, or several of whose holders each can read alone.
type Key struct {
	// Kind is age, age-hybrid (which holds against quantum computers too) or openpgp.
	Kind string
	// Fingerprint is what people compare, in lower-case hexadecimal digits: that of the OpenPGP
	// key, or the SHA-256 of the age recipients, sorted, one a line.
	Fingerprint string

	age    []age.Recipient
	entity *openpgp.Entity
}

// Parse reads a key: age recipients, one a line, or an armoured OpenPGP key. ErrKey or ErrPrivate
// says that it is none; neither repeats the text. Whether a key is good at a time, Good tells.
func Parse(text string) (Key, error) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	switch {
	case text == "" || len(text) > maxKey:
		return Key{}, ErrKey
	case strings.Contains(text, "AGE-SECRET-KEY-"),
		strings.Contains(text, "PRIVATE KEY BLOCK"):
		return Key{}, ErrPrivate
	case strings.Contains(text, "-----BEGIN PGP"):
		return parseOpenPGP(text)
	default:
		return parseAge(text)
	}
}

func parseAge(text string) (Key, error) {
	list, err := age.ParseRecipients(strings.NewReader(text))
	if err != nil || len(list) > maxRecipients {
		return Key{}, ErrKey
	}
	k := Key{Kind: "age-hybrid", age: list}
	var names []string
	for _, r := range list {
		name, ok := r.(fmt.Stringer)
		if !ok {
			return Key{}, ErrKey
		}
		names = append(names, name.String())
		if _, ok := r.(*age.HybridRecipient); !ok {
			k.Kind = "age"
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	sum := sha256.Sum256([]byte(strings.Join(names, "\n")))
	k.Fingerprint = hex.EncodeToString(sum[:])
	// Some kinds of recipients cannot be had together: that is found out without data in hand.
	if err := k.Encrypt(io.Discard, nil, time.Time{}); err != nil {
		return Key{}, ErrKey
	}
	return k, nil
}

func parseOpenPGP(text string) (Key, error) {
	if strings.Count(text, "-----BEGIN ") != 1 {
		return Key{}, ErrKey // whoever gives two expects both to be able to read
	}
	list, err := openpgp.ReadArmoredKeyRing(strings.NewReader(text))
	if err != nil || len(list) != 1 {
		return Key{}, ErrKey
	}
	e := list[0]
	if e.PrivateKey != nil {
		return Key{}, ErrPrivate
	}
	return Key{
		Kind: "openpgp", Fingerprint: hex.EncodeToString(e.PrimaryKey.Fingerprint), entity: e,
	}, nil
}

// Good says whether one can encrypt to the key at a time: it has neither run out nor been revoked.
// ErrKey says that one cannot.
func (k Key) Good(now time.Time) error {
	if k.entity == nil && len(k.age) > 0 {
		return nil
	}
	if k.entity == nil || k.entity.Revoked(now) {
		return ErrKey
	}
	if _, ok := k.entity.EncryptionKey(now); !ok {
		return ErrKey
	}
	return nil
}

// Encrypt writes data so that only the key's holders can read it. ErrKey says that the key is not
// good any more at a time.
func (k Key) Encrypt(to io.Writer, data []byte, now time.Time) error {
	if err := k.Good(now); err != nil {
		return err
	}
	w, err := k.writer(to, now)
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("recipient: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("recipient: %w", err)
	}
	return nil
}

func (k Key) writer(to io.Writer, now time.Time) (io.WriteCloser, error) {
	if k.entity == nil {
		w, err := age.Encrypt(to, k.age...)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKey, err)
		}
		return w, nil
	}
	w, err := openpgp.Encrypt(to, []*openpgp.Entity{k.entity}, nil,
		&openpgp.FileHints{IsBinary: true}, &packet.Config{
			Time:          func() time.Time { return now },
			DefaultCipher: packet.CipherAES256,
		})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return w, nil
}

// Suffix is what the name of a file that is encrypted to the key ends with.
func (k Key) Suffix() string {
	if k.entity != nil {
		return ".pgp"
	}
	return ".age"
}

// Same tells whether two fingerprints are the same, however people wrote them down.
func Same(a, b string) bool {
	fold := func(s string) string {
		return strings.ToLower(strings.Join(strings.FieldsFunc(s, func(r rune) bool {
			return r == ' ' || r == ':' || r == '-' || r == '\n' || r == '\t'
		}), ""))
	}
	return fold(a) != "" && fold(a) == fold(b)
}
