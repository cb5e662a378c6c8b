package keyring

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gotd/td/crypto"
)

const (
	// rsaBits is the only length of an RSA key that MTProto knows.
	rsaBits   = 2048
	rsaPrefix = "rsa-"
	rsaSuffix = ".pem"
)

// AddRSA creates a further RSA key in dir and returns the path of its file. A server loads it at
// its next start and then offers all keys that it has: publish the new public key to clients, wait
// until the old one is out of use, and remove its file.
func AddRSA(dir string) (path string, err error) {
	keys := filepath.Join(dir, keysDir)
	if err := makeDir(keys); err != nil {
		return "", fmt.Errorf("keyring: %w", err)
	}
	names, err := rsaNames(keys)
	if err != nil {
		return "", fmt.Errorf("keyring: %w", err)
	}
	number := 1
	if len(names) > 0 {
		number = names[0].number + 1
	}
	path = rsaPath(keys, number)
	if err := createRSA(path); err != nil {
		return "", fmt.Errorf("keyring: %w", err)
	}
	return path, nil
}

func rsaPath(keys string, number int) string {
	return filepath.Join(keys, rsaPrefix+strconv.Itoa(number)+rsaSuffix)
}

// createRSA creates a key and its file.
func createRSA(path string) error {
	key, err := newRSA()
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return createSecret(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// newRSA generates a key that every client can find by its fingerprint.
func newRSA() (*rsa.PrivateKey, error) {
	for {
		key, err := rsa.GenerateKey(rand.Reader, rsaBits)
		if err != nil || findable(crypto.RSAFingerprint(&key.PublicKey)) {
			return key, err
		}
	}
}

// findable tells whether a fingerprint has all of its 16 hexadecimal digits: mtcute compares
// fingerprints by their digits and loses leading zeros on the way.
func findable(fingerprint int64) bool { return uint64(fingerprint)>>60 != 0 }

// rsaName is the file name of an RSA key and the number in it.
type rsaName struct {
	name   string
	number int
}

// rsaNames lists the RSA keys, the newest first.
func rsaNames(keys string) ([]rsaName, error) {
	entries, err := os.ReadDir(keys)
	if err != nil {
		return nil, err
	}
	var names []rsaName
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), rsaPrefix)
		digits, cut := strings.CutSuffix(digits, rsaSuffix)
		number, err := strconv.Atoi(digits)
		if ok && cut && err == nil {
			names = append(names, rsaName{e.Name(), number})
		}
	}
	slices.SortFunc(names, func(a, b rsaName) int { return cmp.Compare(b.number, a.number) })
	return names, nil
}

// loadRSA reads all RSA keys, the newest first.
func loadRSA(keys string) ([]*rsa.PrivateKey, error) {
	names, err := rsaNames(keys)
	if err != nil {
		return nil, err
	}
	var loaded []*rsa.PrivateKey
	for _, n := range names {
		path := filepath.Join(keys, n.name)
		b, err := readSecret(path)
		if err != nil {
			return nil, err
		}
		key, err := parseRSA(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		loaded = append(loaded, key)
	}
	return loaded, nil
}

// parseRSA reads one private key in PEM.
func parseRSA(b []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, errors.New("not PEM")
	}
	var key *rsa.PrivateKey
	switch block.Type {
	case "PRIVATE KEY":
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		var ok bool
		if key, ok = parsed.(*rsa.PrivateKey); !ok {
			return nil, errors.New("not an RSA key")
		}
	case "RSA PRIVATE KEY":
		var err error
		if key, err = x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
			return nil, err
		}
	default:
		return nil, errors.New("not a private key")
	}
	if key.N.BitLen() != rsaBits {
		return nil, fmt.Errorf("%d bits; want %d", key.N.BitLen(), rsaBits)
	}
	return key, nil
}

// encodePublic encodes the public halves as clients import them.
func encodePublic(keys []*rsa.PrivateKey) []byte {
	var out []byte
	for _, k := range keys {
		out = append(out, pem.EncodeToMemory(&pem.Block{
			Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&k.PublicKey),
		})...)
	}
	return out
}
