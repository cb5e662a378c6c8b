package keyring

import "testing"

func TestFingerprintsThatEveryClientFinds(t *testing.T) {
	for fingerprint, want := range map[int64]bool{
		0x1fffffffffffffff:  true,
		-0x7fffffffffffffff: true,
		-1:                  true,
		0x0fffffffffffffff:  false,
		0:                   false,
	} {
		if findable(fingerprint) != want {
			t.Errorf("%016x: %v, want %v", uint64(fingerprint), !want, want)
		}
	}
}
