package crypt

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/gotd/td/crypto"
)

// testKey returns a random key and the same key as the independent implementation holds it.
func testKey(t testing.TB) (*AuthKey, crypto.AuthKey) {
	t.Helper()
	var value [KeySize]byte
	rand.Read(value[:])
	k := NewAuthKey(value)
	return &k, crypto.Key(value).WithID()
}

func TestAuthKeyIDs(t *testing.T) {
	k, peer := testKey(t)
	if got := int64(binary.LittleEndian.Uint64(peer.ID[:])); k.ID != got {
		t.Errorf("ID = %x, want %x", k.ID, got)
	}
	aux := peer.Value.AuxHash()
	if got := int64(binary.LittleEndian.Uint64(aux[:])); k.AuxHash() != got {
		t.Errorf("AuxHash = %x, want %x", k.AuxHash(), got)
	}
}

func TestAuthKeyStaysSecret(t *testing.T) {
	k, _ := testKey(t)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", *k, "pointer", k)
	text := fmt.Sprintf("%v %+v %#v %s %v ", *k, *k, *k, k, k) + log.String()
	if strings.Contains(text, fmt.Sprint(k.Value[0])+" "+fmt.Sprint(k.Value[1])) ||
		strings.Count(text, "[auth key]") != 7 {
		t.Errorf("key printed: %s", text)
	}
}

func TestStoredKeyWorks(t *testing.T) {
	k, peer := testKey(t)
	stored := k.Stored()
	back, err := ParseStored(stored[:])
	if err != nil || back.ID != k.ID {
		t.Fatalf("ParseStored: %v, id %x", err, back.ID)
	}
	if bytes.Contains(stored[:], k.Value[usedSize:usedSize+16]) {
		t.Error("stored form holds bytes that no derivation reads")
	}
	frame := clientFrame(t, peer, Header{SessionID: 5}, []byte("abcd"))
	if p, err := Open(&back, frame); err != nil || string(p.Body) != "abcd" {
		t.Errorf("Open with stored key: %q, %v", p.Body, err)
	}
	sealed := AppendSealed(nil, &back, Header{}, []byte("abcd"), nil, NewRandom(rand.Reader))
	if _, err := clientOpen(peer, sealed); err != nil {
		t.Errorf("client cannot open what a stored key sealed: %v", err)
	}
	for _, n := range []int{0, StoredSize - 1, StoredSize + 1} {
		if _, err := ParseStored(make([]byte, n)); !errors.Is(err, ErrStored) {
			t.Errorf("ParseStored(%d bytes): %v", n, err)
		}
	}
}

func TestRandomHandsOutEachByteOnce(t *testing.T) {
	source := make([]byte, 5*randomBuffer)
	rand.Read(source)
	r := NewRandom(bytes.NewReader(source))
	var got []byte
	for _, n := range []int{1, 7, randomBuffer - 1, 31, randomBuffer, 500} {
		p := make([]byte, n)
		r.Read(p)
		got = append(got, p...)
	}
	seen := map[string]bool{}
	for i := 0; i+16 <= len(got); i += 16 {
		piece := string(got[i : i+16])
		if seen[piece] || bytes.Equal(got[i:i+16], make([]byte, 16)) {
			t.Fatalf("piece at %d repeated or empty", i)
		}
		seen[piece] = true
	}
}

func TestRandomErasesWhatItHandedOut(t *testing.T) {
	r := NewRandom(rand.Reader)
	b := &randomPool{used: randomBuffer}
	r.pool.New = func() any { return b }
	r.Read(make([]byte, 100))
	if b.used != 100 || !bytes.Equal(b.buf[:100], make([]byte, 100)) {
		t.Errorf("%d bytes used; the first are %x", b.used, b.buf[:8])
	}
}

func TestRandomConcurrent(t *testing.T) {
	r := NewRandom(rand.Reader)
	var mu sync.Mutex
	seen := map[[16]byte]bool{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 2000 {
				var p [16]byte
				r.Read(p[:])
				mu.Lock()
				if seen[p] {
					t.Error("same bytes handed out twice")
				}
				seen[p] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func TestRandomPanicsWithoutSource(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic although the source failed")
		}
	}()
	NewRandom(io.LimitReader(rand.Reader, 3)).Read(make([]byte, 8))
}
