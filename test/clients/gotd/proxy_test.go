package gotd

import (
	"encoding/hex"
	"testing"

	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/dcs"
	"github.com/gotd/td/tg"

	"parley/internal/config"
	"parley/internal/node/nodetest"
)

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
			proxy, err := dcs.MTProxy(s.Addr.String(), secret, dcs.MTProxyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			a := connect(t, s, n, new(session.StorageMemory), func(o *telegram.Options) {
				o.Resolver = proxy
			})
			a.say(&tg.InputPeerSelf{}, "through a proxy")
		})
	}
}
