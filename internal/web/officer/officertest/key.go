// Package officertest has what tests of doors for officers need: a security key in software, and
// agencies with officers.
package officertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// Key is a security key in software: it holds one resident credential and its owner touches it at
// once. It is not safe for concurrent use.
//
// https://www.w3.org/TR/webauthn-3/
type Key struct {
	t       testing.TB
	origin  string
	secret  *ecdsa.PrivateKey
	id      []byte
	handle  []byte
	counter uint32
}

// NewKey returns a key that is used in a browser at an origin.
func NewKey(t testing.TB, origin string) *Key {
	t.Helper()
	k := &Key{t: t, origin: origin, id: make([]byte, 32)}
	var err error
	if k.secret, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	_, _ = rand.Read(k.id)
	return k
}

// Twin is a copy of the key as it is now, as a thief would make it.
func (k *Key) Twin() *Key {
	other := *k
	return &other
}

// begun are the parts of a ceremony's options that a key looks at.
type begun struct {
	Name    string `json:"name"`
	Options struct {
		PublicKey struct {
			Challenge string `json:"challenge"`
			RPID      string `json:"rpId"`
			RP        struct {
				ID string `json:"id"`
			} `json:"rp"`
			User struct {
				ID string `json:"id"`
			} `json:"user"`
		} `json:"publicKey"`
	} `json:"options"`
}

// b64 is how bytes stand in the JSON of WebAuthn.
func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (k *Key) read(options []byte) (out begun) {
	k.t.Helper()
	if err := json.Unmarshal(options, &out); err != nil {
		k.t.Fatalf("%v: %s", err, options)
	}
	return out
}

// client is what the browser says of a ceremony.
func (k *Key) client(kind, challenge string) []byte {
	k.t.Helper()
	b, err := json.Marshal(map[string]any{
		"type": kind, "challenge": challenge, "origin": k.origin, "crossOrigin": false,
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return b
}

// Flags of authenticator data: present, verified, with attested data.
const (
	present  = 1
	verified = 4
	attested = 64
)

// data is the authenticator's data.
func (k *Key) data(rp string, flags byte) []byte {
	hash := sha256.Sum256([]byte(rp))
	b := append(hash[:], flags)
	k.counter++
	return binary.BigEndian.AppendUint32(b, k.counter)
}

// answer is what the script sends back.
func (k *Key) answer(name string, response map[string]any) string {
	k.t.Helper()
	b, err := json.Marshal(map[string]any{"name": name, "answer": map[string]any{
		"id": b64(k.id), "rawId": b64(k.id), "type": "public-key", "response": response,
		"clientExtensionResults": map[string]any{},
	}})
	if err != nil {
		k.t.Fatal(err)
	}
	return string(b)
}

// Create answers the options with which a key is enrolled.
func (k *Key) Create(options []byte) string {
	k.t.Helper()
	o := k.read(options)
	var err error
	if k.handle, err = base64.RawURLEncoding.DecodeString(o.Options.PublicKey.User.ID); err != nil {
		k.t.Fatal(err)
	}
	public, err := k.secret.PublicKey.Bytes()
	if err != nil {
		k.t.Fatal(err)
	}
	cose, err := cbor.Marshal(map[int]any{
		1: 2, 3: -7, -1: 1, -2: public[1:33], -3: public[33:],
	})
	if err != nil {
		k.t.Fatal(err)
	}
	data := k.data(o.Options.PublicKey.RP.ID, present|verified|attested)
	data = append(data, make([]byte, 16)...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(k.id)))
	data = append(append(data, k.id...), cose...)
	object, err := cbor.Marshal(map[string]any{
		"fmt": "none", "attStmt": map[string]any{}, "authData": data,
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return k.answer(o.Name, map[string]any{
		"clientDataJSON":    b64(k.client("webauthn.create", o.Options.PublicKey.Challenge)),
		"attestationObject": b64(object),
	})
}

// Get answers the options with which somebody signs in.
func (k *Key) Get(options []byte) string {
	k.t.Helper()
	o := k.read(options)
	client := k.client("webauthn.get", o.Options.PublicKey.Challenge)
	data := k.data(o.Options.PublicKey.RPID, present|verified)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte(nil), data...), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, k.secret, digest[:])
	if err != nil {
		k.t.Fatal(err)
	}
	return k.answer(o.Name, map[string]any{
		"clientDataJSON": b64(client), "authenticatorData": b64(data),
		"signature": b64(signature), "userHandle": b64(k.handle),
	})
}
