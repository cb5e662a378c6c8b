package keyring

import (
	"testing"
	"time"
)

var saltTime = time.Unix(1_790_000_000, 0)

func TestSaltsOverlap(t *testing.T) {
	s := NewSalts([32]byte{1}, 5)
	for key := int64(-3000); key < 3000; key += 7 {
		salts := s.Future(key, saltTime, 4)
		first := salts[0]
		if first.Value != s.Current(key, saltTime) || first.Since.After(saltTime) ||
			!saltTime.Before(first.Since.Add(saltSlot)) {
			t.Fatalf("key %d: first future salt is not the current one: %+v", key, first)
		}
		for i, salt := range salts {
			if salt.Value == 0 || salt.Until.Sub(salt.Since) != time.Hour ||
				!salt.Since.Equal(first.Since.Add(time.Duration(i)*saltSlot)) {
				t.Fatalf("key %d: salt %d is %+v", key, i, salt)
			}
			for _, at := range []struct {
				when time.Time
				want bool
			}{
				{salt.Since.Add(-saltSkew - time.Second), false},
				{salt.Since.Add(-saltSkew), true},
				{salt.Since, true},
				{salt.Until.Add(-time.Second), true},
				{salt.Until, false},
			} {
				if s.Valid(key, salt.Value, at.when, Initial{}) != at.want {
					t.Fatalf("key %d: salt %d at %v: valid = %v", key, i,
						at.when.Sub(salt.Since), !at.want)
				}
			}
		}
	}
}

func TestSaltsDepend(t *testing.T) {
	s := NewSalts([32]byte{1}, 5)
	now := s.Current(1, saltTime)
	for why, other := range map[string]int64{
		"key":    s.Current(2, saltTime),
		"epoch":  NewSalts([32]byte{1}, 6).Current(1, saltTime),
		"secret": NewSalts([32]byte{2}, 5).Current(1, saltTime),
		"time":   s.Current(1, saltTime.Add(saltSlot)),
	} {
		if other == now {
			t.Errorf("the salt does not depend on the %s", why)
		}
	}
	if NewSalts([32]byte{1}, 5).Current(1, saltTime) != now {
		t.Error("the salt is not the same after a restart")
	}
	if NewSalts([32]byte{1}, 6).Valid(1, now, saltTime, Initial{}) {
		t.Error("a salt survives its epoch")
	}
}

func TestInitialSalt(t *testing.T) {
	s := NewSalts([32]byte{1}, 5)
	initial := Initial{Value: 77, Since: saltTime}
	for _, tt := range []struct {
		salt    int64
		after   time.Duration
		initial Initial
		want    bool
	}{
		{77, 0, initial, true},
		{77, InitialSaltLife - time.Second, initial, true},
		{77, InitialSaltLife, initial, false},
		{77, 0, Initial{}, false},
		{78, 0, initial, false},
		{0, 0, initial, false},
		{0, 0, Initial{Since: saltTime}, false},
	} {
		if got := s.Valid(1, tt.salt, saltTime.Add(tt.after), tt.initial); got != tt.want {
			t.Errorf("salt %d after %v: valid = %v", tt.salt, tt.after, got)
		}
	}
}

func TestFutureBounds(t *testing.T) {
	s := NewSalts([32]byte{1}, 5)
	for n, want := range map[int]int{-1: 1, 0: 1, 1: 1, 64: 64, 65: 64, 1 << 30: 64} {
		if got := len(s.Future(1, saltTime, n)); got != want {
			t.Errorf("Future(%d) has %d salts, want %d", n, got, want)
		}
	}
}

func TestSaltsDoNotAllMoveAtOnce(t *testing.T) {
	s := NewSalts([32]byte{1}, 5)
	moves := map[int64]bool{}
	for key := range int64(100) {
		moves[s.Future(key*1_000_003, saltTime, 1)[0].Since.Unix()] = true
	}
	if len(moves) < 50 {
		t.Errorf("100 keys change their salts at only %d moments", len(moves))
	}
}

func TestAccessHash(t *testing.T) {
	h := NewAccessHashes([32]byte{1})
	seen := map[int64]bool{}
	for viewer := range int64(50) {
		for peer := range int64(50) {
			hash := h.AccessHash(viewer, -peer)
			if hash == 0 || seen[hash] {
				t.Fatalf("hash %d of (%d, %d) is 0 or not unique", hash, viewer, -peer)
			}
			seen[hash] = true
			if !h.Valid(viewer, -peer, hash) {
				t.Fatal("own hash refused")
			}
			wrong := h.Valid(viewer+1, -peer, hash) || h.Valid(viewer, -peer-1, hash) ||
				h.Valid(viewer, -peer, 0) || h.Valid(viewer, -peer, hash^1) ||
				h.Valid(viewer, -peer, hash^1<<40)
			if wrong {
				t.Fatalf("wrong hash accepted for (%d, %d)", viewer, -peer)
			}
		}
	}
	if NewAccessHashes([32]byte{2}).Valid(1, 2, h.AccessHash(1, 2)) {
		t.Error("hash of another secret accepted")
	}
	if nonZero(0) != 1 || nonZero(5) != 5 {
		t.Error("nonZero")
	}
}

func TestSaltsAndHashesDoNotAllocate(t *testing.T) {
	s, h := NewSalts([32]byte{1}, 5), NewAccessHashes([32]byte{1})
	n := testing.AllocsPerRun(100, func() {
		s.Valid(1, s.Current(1, saltTime), saltTime, Initial{})
		h.Valid(1, 2, h.AccessHash(1, 2))
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAccessHash(b *testing.B) {
	h := NewAccessHashes([32]byte{1})
	b.ReportAllocs()
	for b.Loop() {
		h.AccessHash(1, 2)
	}
}

func BenchmarkSaltValid(b *testing.B) {
	s := NewSalts([32]byte{1}, 5)
	salt := s.Current(1, saltTime)
	b.ReportAllocs()
	for b.Loop() {
		s.Valid(1, salt, saltTime, Initial{})
	}
}
