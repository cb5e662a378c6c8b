package keyring

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gotd/td/crypto"
)

func open(t *testing.T, dir string) *Keyring {
	t.Helper()
	k, err := Open(dir, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// testRSA is the content of one RSA key file: making a key takes longer than most tests.
var testRSA = sync.OnceValue(func() []byte {
	key, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		panic(err)
	}
	der := x509.MarshalPKCS1PrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der})
})

// prepared returns a directory in which only the RSA key is there.
func prepared(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "keys", "rsa-1.pem"), testRSA(), 0o600)
	return dir
}

func TestFirstStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	k := open(t, dir)
	if len(k.RSA()) != 1 || k.RSA()[0].N.BitLen() != 2048 {
		t.Fatalf("%d RSA keys", len(k.RSA()))
	}
	for name, mode := range map[string]os.FileMode{
		"": 0o700 | os.ModeDir, "kek": 0o600, "rsa-1.pem": 0o600, "public.pem": 0o644,
	} {
		info, err := os.Stat(filepath.Join(dir, "keys", name))
		if err != nil || info.Mode() != mode {
			t.Errorf("keys/%s: mode %v, %v", name, info.Mode(), err)
		}
	}
	public, err := os.ReadFile(filepath.Join(dir, "keys", "public.pem"))
	if err != nil || !bytes.Equal(public, k.PublicPEM()) {
		t.Errorf("public.pem differs, %v", err)
	}
	clients, err := crypto.ParseRSAPublicKeys(public)
	if err != nil || len(clients) != 1 || !clients[0].Equal(&k.RSA()[0].PublicKey) {
		t.Errorf("a client reads %d keys, %v", len(clients), err)
	}
	if entries, _ := os.ReadDir(filepath.Join(dir, "keys")); len(entries) != 3 {
		t.Errorf("temporary files are left: %v", entries)
	}
}

func TestSecretsOutliveProcess(t *testing.T) {
	dir := prepared(t)
	first, second := open(t, dir), open(t, dir)
	if first.Derive("a") != second.Derive("a") || !first.RSA()[0].Equal(second.RSA()[0]) {
		t.Error("another start has other secrets")
	}
	if first.Derive("a") == first.Derive("b") || first.Derive("a") == first.kek {
		t.Error("derived secrets are not apart")
	}
	if other := open(t, prepared(t)); other.Derive("a") == first.Derive("a") {
		t.Error("two servers share a secret")
	}
}

func TestRotation(t *testing.T) {
	dir := prepared(t)
	old := open(t, dir).RSA()[0]
	path, err := AddRSA(dir)
	if err != nil || filepath.Base(path) != "rsa-2.pem" {
		t.Fatalf("AddRSA = %s, %v", path, err)
	}
	// An operator's own key, in the older form, and files that are none of ours.
	own, _ := rsa.GenerateKey(rand.Reader, 2048)
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(own)}
	write(t, filepath.Join(dir, "keys", "rsa-10.pem"), pem.EncodeToMemory(block), 0o600)
	for _, name := range []string{"rsa-x.pem", "rsa-3.pem.bak", "rsa-4", "5.pem"} {
		write(t, filepath.Join(dir, "keys", name), nil, 0o644)
	}
	k := open(t, dir)
	if n := len(k.RSA()); n != 3 || !k.RSA()[0].Equal(own) || !k.RSA()[2].Equal(old) {
		t.Fatalf("%d keys, or not the newest first", n)
	}
	clients, err := crypto.ParseRSAPublicKeys(k.PublicPEM())
	if err != nil || len(clients) != 3 {
		t.Errorf("a client reads %d keys, %v", len(clients), err)
	}
	if err := os.Remove(filepath.Join(dir, "keys", "rsa-1.pem")); err != nil {
		t.Fatal(err)
	}
	k = open(t, dir)
	if len(k.RSA()) != 2 {
		t.Errorf("%d keys after one was removed", len(k.RSA()))
	}
	public, _ := os.ReadFile(filepath.Join(dir, "keys", "public.pem"))
	if !bytes.Equal(public, k.PublicPEM()) {
		t.Error("public.pem offers other keys than the server")
	}
}

func write(t *testing.T, path string, content []byte, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
}

func TestRefusesWhatOthersCanRead(t *testing.T) {
	for _, tt := range []struct {
		name string
		mode os.FileMode
	}{
		{"kek", 0o640}, {"kek", 0o604}, {"kek", 0o620}, {"rsa-1.pem", 0o644}, {"", 0o770},
		{"", 0o707},
	} {
		dir := prepared(t)
		open(t, dir)
		if err := os.Chmod(filepath.Join(dir, "keys", tt.name), tt.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, rand.Reader); !errors.Is(err, ErrPermissions) {
			t.Errorf("keys/%s with mode %o: %v", tt.name, tt.mode, err)
		}
	}
}

func TestRefusesBrokenFiles(t *testing.T) {
	short, _ := rsa.GenerateKey(rand.Reader, 1024)
	encode := func(kind string, der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(short)
	for name, tt := range map[string]struct {
		file    string
		content []byte
	}{
		"short kek":       {"kek", make([]byte, 31)},
		"long kek":        {"kek", make([]byte, 33)},
		"empty kek":       {"kek", nil},
		"huge kek":        {"kek", make([]byte, 1<<20)},
		"huge PEM":        {"rsa-1.pem", append(testRSA(), make([]byte, maxFile)...)},
		"no PEM":          {"rsa-1.pem", []byte("hello")},
		"public key":      {"rsa-1.pem", encode("RSA PUBLIC KEY", []byte{1})},
		"broken PKCS #8":  {"rsa-1.pem", encode("PRIVATE KEY", []byte{1})},
		"broken PKCS #1":  {"rsa-1.pem", encode("RSA PRIVATE KEY", []byte{1})},
		"1024 bits":       {"rsa-1.pem", encode("PRIVATE KEY", pkcs8)},
		"second key only": {"rsa-2.pem", nil},
	} {
		dir := prepared(t)
		open(t, dir)
		write(t, filepath.Join(dir, "keys", tt.file), tt.content, 0o600)
		if _, err := Open(dir, rand.Reader); err == nil {
			t.Errorf("%s: accepted", name)
		}
		kept, _ := os.ReadFile(filepath.Join(dir, "keys", tt.file))
		if !bytes.Equal(kept, tt.content) {
			t.Errorf("%s: the file was changed", name)
		}
	}
}

// TestConcurrentFirstStart opens one directory many times at once: all must see the same secrets.
func TestConcurrentFirstStart(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[[32]byte]bool{}
	for range 4 {
		wg.Go(func() {
			k, err := Open(dir, rand.Reader)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			seen[k.Derive("x")] = true
			if len(k.RSA()) != 1 {
				t.Errorf("%d RSA keys", len(k.RSA()))
			}
		})
	}
	wg.Wait()
	if len(seen) != 1 {
		t.Errorf("%d different key encryption keys", len(seen))
	}
}

func TestKeyringStaysSecret(t *testing.T) {
	k := open(t, prepared(t))
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "keyring", k)
	text := fmt.Sprintf("%v %+v %#v", k, k, k) + log.String()
	if strings.Count(text, "[keyring]") != 4 || strings.Contains(text, fmt.Sprint(k.kek[:2])) {
		t.Errorf("keyring printed: %s", text)
	}
}

func TestBox(t *testing.T) {
	dir := prepared(t)
	box := open(t, dir).Box()
	secret := []byte("a secret of some length")
	sealed := box.Seal([]byte("before"), secret, "auth key", 7)
	if string(sealed[:6]) != "before" || len(sealed) != 6+len(secret)+BoxOverhead {
		t.Fatalf("sealed into %d bytes", len(sealed))
	}
	sealed = sealed[6:]
	if bytes.Contains(sealed, secret[:8]) {
		t.Fatal("the secret shows")
	}
	if bytes.Equal(sealed, box.Seal(nil, secret, "auth key", 7)) {
		t.Error("sealed twice into the same bytes")
	}
	got, err := open(t, dir).Box().Open([]byte("x"), sealed, "auth key", 7)
	if err != nil || string(got) != "x"+string(secret) {
		t.Errorf("Open = %q, %v", got, err)
	}
	refuses := func(why string, b *Box, sealed []byte, purpose string, id int64) {
		t.Helper()
		if out, err := b.Open(nil, sealed, purpose, id); !errors.Is(err, ErrSealed) || out != nil {
			t.Errorf("%s: %q, %v", why, out, err)
		}
	}
	refuses("other id", box, sealed, "auth key", 8)
	refuses("other purpose", box, sealed, "auth kez", 7)
	refuses("shifted purpose", box, sealed, "auth key\x00", 7)
	refuses("other server", open(t, prepared(t)).Box(), sealed, "auth key", 7)
	for i := range sealed {
		forged := bytes.Clone(sealed)
		forged[i] ^= 1
		refuses(fmt.Sprintf("flipped bit in byte %d", i), box, forged, "auth key", 7)
		refuses(fmt.Sprintf("cut to %d bytes", i), box, sealed[:i], "auth key", 7)
	}
}

func FuzzBoxOpen(f *testing.F) {
	box := NewBox([32]byte{1}, nil)
	f.Add(make([]byte, BoxOverhead), "auth key", int64(1))
	f.Fuzz(func(t *testing.T, sealed []byte, purpose string, id int64) {
		if _, err := box.Open(nil, sealed, purpose, id); !errors.Is(err, ErrSealed) {
			t.Fatalf("error %v", err)
		}
	})
}

func FuzzParseRSA(f *testing.F) {
	k, _ := rsa.GenerateKey(rand.Reader, 1024)
	f.Add(pem.EncodeToMemory(&pem.Block{
		Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k),
	}))
	f.Fuzz(func(t *testing.T, in []byte) {
		if key, err := parseRSA(in); (key == nil) == (err == nil) {
			t.Fatalf("key %v with error %v", key != nil, err)
		}
	})
}
