package auth_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gotd/td/tg"
)

// TestDropTempKeys drops the temporary keys of the device that asks, also before it has logged in,
// and of no other. What becomes of the keys is the gateway's to test.
func TestDropTempKeys(t *testing.T) {
	w := newWorld(t, nil)
	in, out := w.device(home), w.device(home)
	in.join(alice, "Alice")
	for _, p := range []*phone{in, out} {
		w.temps = nil
		ok := must[tg.BoolBox](p, &tg.AuthDropTempAuthKeysRequest{ExceptAuthKeys: []int64{7, 9}})
		if _, yes := ok.Bool.(*tg.BoolTrue); !yes {
			t.Errorf("answered with %v", ok.Bool)
		}
		if len(w.temps) != 1 || w.temps[0].key != p.key ||
			!slices.Equal(w.temps[0].except, []int64{7, 9}) {
			t.Errorf("dropped %v, want those of %d", w.temps, p.key)
		}
	}
}

// TestTwoPlacesAreTold tells the account, in its language, whose key is in use from two places, and
// nobody of a key without an account.
func TestTwoPlacesAreTold(t *testing.T) {
	w := newWorld(t, nil)
	in, out := w.device(home), w.device(home)
	user := in.join(alice, "Alice")
	w.account.InTwoPlaces(t.Context(), out.key)
	w.account.InTwoPlaces(t.Context(), in.key)
	if list := w.noted(user, "two places"); len(list) != 1 || !strings.Contains(list[0].text, "Pixel") {
		t.Errorf("told %v", list)
	}
}
