// Package keyring keeps the server's long-lived secrets: the RSA keys of the handshake, and one key
// encryption key from which every other secret is derived.
//
// It stores nothing but these few files; what is sealed with them is stored elsewhere. It refuses
// key files that other users of the machine can read, and never overwrites one. It knows nothing of
// who may use a secret.
//
// Invariants: a key file is complete and on disk before its key is used; secrets of different
// labels tell nothing about each other or about the key encryption key; an access hash or salt is
// never 0.
//
//	DIR/keys/rsa-N.pem    RSA private keys, PKCS #8 or PKCS #1; more than one while rotating
//	DIR/keys/public.pem   their public halves, for clients
//	DIR/keys/kek          the key encryption key, 32 bytes
package keyring

import (
	"crypto/hkdf"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"parley/internal/mtproto/crypt"
)

const (
	keysDir    = "keys"
	kekFile    = "kek"
	publicFile = "public.pem"
)

// Keyring holds the loaded secrets. It is immutable and safe for concurrent use.
type Keyring struct {
	kek  [32]byte
	rsa  []*rsa.PrivateKey
	rand *crypt.Random
}

// Open loads the secrets under dir and creates what is missing, so that the first start of a server
// needs nothing else. It brings the file of public keys up to date. The source rand must be
// cryptographic and safe for concurrent use.
func Open(dir string, rand io.Reader) (*Keyring, error) {
	k := &Keyring{rand: crypt.NewRandom(rand)}
	keys := filepath.Join(dir, keysDir)
	if err := makeDir(keys); err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	if err := k.loadKEK(filepath.Join(keys, kekFile)); err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	var err error
	if k.rsa, err = loadRSA(keys); err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	if len(k.rsa) == 0 {
		err := createRSA(rsaPath(keys, 1))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("keyring: %w", err)
		}
		if k.rsa, err = loadRSA(keys); err != nil {
			return nil, fmt.Errorf("keyring: %w", err)
		}
	}
	if err := replaceFile(filepath.Join(keys, publicFile), encodePublic(k.rsa)); err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	return k, nil
}

// loadKEK reads the key encryption key and creates it first if there is none.
func (k *Keyring) loadKEK(path string) error {
	b, err := readSecret(path)
	if errors.Is(err, fs.ErrNotExist) {
		var fresh [32]byte
		k.rand.Read(fresh[:])
		if err := createSecret(path, fresh[:]); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		b, err = readSecret(path)
	}
	if err != nil {
		return err
	}
	if len(b) != len(k.kek) {
		return fmt.Errorf("%s: %d bytes; want %d", path, len(b), len(k.kek))
	}
	copy(k.kek[:], b)
	return nil
}

// RSA returns the private keys of the handshake, the newest first.
func (k *Keyring) RSA() []*rsa.PrivateKey { return append([]*rsa.PrivateKey(nil), k.rsa...) }

// PublicPEM returns what clients import: the public keys in PKCS #1, the newest first.
func (k *Keyring) PublicPEM() []byte { return encodePublic(k.rsa) }

// Derive returns the secret named label. The same label gives the same secret as long as the key
// encryption key lives; a changed label gives an unrelated one.
//
// https://www.rfc-editor.org/rfc/rfc5869
func (k *Keyring) Derive(label string) [32]byte {
	b, err := hkdf.Key(sha256.New, k.kek[:], nil, "parley/"+label, 32)
	if err != nil {
		panic("keyring: " + err.Error())
	}
	return [32]byte(b)
}

// Box returns the box for small secrets at rest.
func (k *Keyring) Box() *Box { return NewBox(k.Derive("box"), k.rand) }

// String hides the secrets.
func (*Keyring) String() string { return "[keyring]" }

// GoString hides the secrets.
func (*Keyring) GoString() string { return "[keyring]" }

// LogValue hides the secrets.
func (*Keyring) LogValue() slog.Value { return slog.StringValue("[keyring]") }

// makeDir creates the directory of the keys, and refuses one in which others may write.
func makeDir(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	err := os.Mkdir(path, 0o700)
	if err == nil {
		return syncDir(filepath.Dir(path))
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s: others may write: %w", path, ErrPermissions)
	}
	return nil
}
