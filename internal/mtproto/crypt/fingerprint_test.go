package crypt

import (
	"crypto/rand"
	"crypto/rsa"
	"testing"

	"github.com/gotd/td/crypto"
)

func TestFingerprintAgreesWithPeer(t *testing.T) {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := Fingerprint(&k.PublicKey), crypto.RSAFingerprint(&k.PublicKey); got != want {
		t.Errorf("Fingerprint = %x, want %x", got, want)
	}
}
