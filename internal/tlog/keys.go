package tlog

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"parley/internal/tlog/verify"
)

// KeysFile is where the log's public keys are published, one a line, the current one first.
const KeysFile = "keys"

// Files of keys in their directory: the current key, and those before it, the youngest last.
const (
	keyFile  = "log.key"
	oldFiles = "log-*.key"
)

// Keys are those that sign checkpoints: the current one, and older ones that sign beside it until
// everybody knows the current one.
type Keys struct {
	origin  string
	primary note.Signer
	older   []note.Signer
	public  []string
}

// OpenKeys reads the keys of a log of this origin from a directory, and makes one if there is none.
//
// https://c2sp.org/signed-note
func OpenKeys(dir, origin string, random io.Reader) (*Keys, error) {
	at := filepath.Join(dir, keyFile)
	if _, err := os.Stat(at); errors.Is(err, fs.ErrNotExist) {
		if err := writeKey(at, origin, random); err != nil {
			return nil, err
		}
	}
	k := &Keys{origin: origin}
	old, err := filepath.Glob(filepath.Join(dir, oldFiles))
	if err != nil {
		return nil, fmt.Errorf("tlog: keys: %w", err)
	}
	slices.Sort(old)
	for i, file := range append([]string{at}, old...) {
		signer, public, err := readKey(file)
		if err != nil {
			return nil, err
		}
		if signer.Name() != origin {
			return nil, fmt.Errorf("tlog: %s is the key of the log %q, not of %q",
				file, signer.Name(), origin)
		}
		if i == 0 {
			k.primary = signer
		} else {
			k.older = append(k.older, signer)
		}
		k.public = append(k.public, public)
	}
	return k, nil
}

// OpenKey reads a signing key of that name from a file, and makes it if there is none. It returns
// the public key as well.
//
// https://c2sp.org/signed-note
func OpenKey(file, name string, random io.Reader) (note.Signer, string, error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		if err := writeKey(file, name, random); err != nil {
			return nil, "", err
		}
	}
	signer, public, err := readKey(file)
	if err == nil && signer.Name() != name {
		err = fmt.Errorf("tlog: %s is the key of %q, not of %q", file, signer.Name(), name)
	}
	return signer, public, err
}

// NameOf returns the name of the log whose key lies in a directory, empty when there is none.
func NameOf(dir string) (string, error) {
	signer, _, err := readKey(filepath.Join(dir, keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return signer.Name(), nil
}

// RotateKey makes a new current key. The one before signs on beside it until its file is deleted.
func RotateKey(dir, origin string, random io.Reader) error {
	old, err := filepath.Glob(filepath.Join(dir, oldFiles))
	if err != nil {
		return fmt.Errorf("tlog: keys: %w", err)
	}
	at := filepath.Join(dir, keyFile)
	aside := filepath.Join(dir, fmt.Sprintf("log-%03d.key", len(old)+1))
	if err := os.Link(at, aside); err != nil {
		return fmt.Errorf("tlog: keys: %w", err)
	}
	return writeKey(at, origin, random)
}

func writeKey(at, origin string, random io.Reader) error {
	secret, _, err := note.GenerateKey(random, origin)
	if err != nil {
		return fmt.Errorf("tlog: make key: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(at), ".key-*")
	if err != nil {
		return fmt.Errorf("tlog: make key: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(secret + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), at)
	}
	if err != nil {
		return fmt.Errorf("tlog: make key: %w", err)
	}
	return nil
}

// readKey returns a key's signer and its public form.
func readKey(file string) (note.Signer, string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, "", fmt.Errorf("tlog: keys: %w", err)
	}
	signer, err := note.NewSigner(strings.TrimSpace(string(b)))
	if err != nil {
		return nil, "", fmt.Errorf("tlog: %s: %w", file, err)
	}
	public, err := publicOf(strings.TrimSpace(string(b)))
	if err != nil {
		return nil, "", fmt.Errorf("tlog: %s: %w", file, err)
	}
	return signer, public, nil
}

// publicOf is the public form of a secret key: PRIVATE+KEY+name+hash+base64 of type and seed.
func publicOf(secret string) (string, error) {
	rest, ok := strings.CutPrefix(secret, "PRIVATE+KEY+")
	parts := strings.SplitN(rest, "+", 3)
	if !ok || len(parts) != 3 {
		return "", errors.New("not a secret key")
	}
	b, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(b) != 1+ed25519.SeedSize {
		return "", errors.New("not a secret key")
	}
	private := ed25519.NewKeyFromSeed(b[1:])
	return note.NewEd25519VerifierKey(parts[0], private.Public().(ed25519.PublicKey))
}

// Public are the public keys, one a line.
func (k *Keys) Public() string { return strings.Join(k.public, "\n") + "\n" }

// ErrText says that a text is one of a checkpoint, which only the guard may sign.
var ErrText = errors.New("tlog: a checkpoint is not signed like this")

// Note signs a text that is no checkpoint. The signatures of an earlier note of the same text stay,
// by whichever keys they are; what has one by the current key stays as it is.
//
// https://c2sp.org/signed-note
func (k *Keys) Note(text string, earlier []byte) ([]byte, error) {
	if name, _, _ := strings.Cut(text, "\n"); name == k.origin {
		return nil, ErrText
	}
	n, err := note.Open(earlier, note.VerifierList(k.verifier().Log...))
	var others *note.UnverifiedNoteError
	if errors.As(err, &others) {
		n = others.Note
	}
	if n == nil || n.Text != text {
		n = &note.Note{Text: text}
	}
	for _, s := range n.Sigs {
		if s.Hash == k.primary.KeyHash() {
			return earlier, nil
		}
	}
	b, err := note.Sign(n, append([]note.Signer{k.primary}, k.older...)...)
	if err != nil {
		return nil, fmt.Errorf("tlog: sign a note: %w", err)
	}
	return b, nil
}

// verifier trusts these keys and asks for no witness.
func (k *Keys) verifier() verify.Keys {
	v, err := verify.NewKeys(k.origin, k.public, nil, 0)
	if err != nil {
		// The keys were read by the same library.
		panic(err)
	}
	return v
}
