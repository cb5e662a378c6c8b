package gotd

import (
	"crypto/rand"
	"encoding/hex"
	"path/filepath"
	"testing"
	"time"

	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/dcs"
	"github.com/gotd/td/tg"

	"parley/internal/config"
	"parley/internal/keyring/proxy"
	"parley/internal/node/nodetest"
)

// TestRotatedSecret connects by the secret that the server made, and by it and the next one after
// it was rotated.
func TestRotatedSecret(t *testing.T) {
	s := nodetest.Start(t, func(cfg *config.Config) { cfg.MTProxy.Domain = "www.example.org" })
	file := proxy.In(filepath.Join(s.Dir, "keys"))
	accepted, err := file.Accepted(time.Now())
	if err != nil || len(accepted) != 1 {
		t.Fatalf("secrets %v, %v", accepted, err)
	}
	n := 0
	reach := func(secret proxy.Secret) {
		t.Helper()
		n++
		b, err := hex.DecodeString(secret.Hex)
		if err != nil {
			t.Fatal(err)
		}
		way, err := dcs.MTProxy(s.Addr.String(), b, dcs.MTProxyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		a := connect(t, s, n, new(session.StorageMemory), func(o *telegram.Options) {
			o.Resolver = way
		})
		a.say(&tg.InputPeerSelf{}, "through a proxy")
	}
	reach(accepted[0])
	fresh, err := file.Rotate("cdn.example.net", time.Now(), time.Hour, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s.Restart()
	reach(fresh)
	reach(accepted[0])
}

// TestProxySecrets connects through the proxy protocol that the server speaks on its own port, with
// secrets of all three forms.
func TestProxySecrets(t *testing.T) {
	const key = "0123456789abcdef0123456789abcdef"
	secrets := map[string]string{
		"plain":    key,
		"padded":   "dd" + key,
		"fake TLS": "ee" + key + hex.EncodeToString([]byte("example.org")),
	}
	s := nodetest.Start(t, func(cfg *config.Config) {
		for _, secret := range secrets {
			cfg.MTProxy.Secrets = append(cfg.MTProxy.Secrets, config.Secret(secret))
		}
	})
	n := 0
	for name, text := range secrets {
		n++
		t.Run(name, func(t *testing.T) {
			secret, err := hex.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			way, err := dcs.MTProxy(s.Addr.String(), secret, dcs.MTProxyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			a := connect(t, s, n, new(session.StorageMemory), func(o *telegram.Options) {
				o.Resolver = way
			})
			a.say(&tg.InputPeerSelf{}, "through a proxy")
		})
	}
}
