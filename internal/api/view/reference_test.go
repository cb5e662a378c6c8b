package view

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"parley/internal/clock"
	"parley/internal/ids"
)

// FuzzReference opens file references as clients send them: only what was made here is good.
func FuzzReference(f *testing.F) {
	now := clock.NewFake(time.Unix(1_800_000_000, 0))
	x := References{Key: [32]byte{1}, Clock: now}
	good := x.Make(Origin{Box: ids.UserID(5).Peer(), Message: 6, Peer: -7})
	f.Add(good)
	f.Add(References{Key: [32]byte{2}, Clock: now}.Make(Origin{Box: 5, Message: 6}))
	f.Add(good[:len(good)-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := x.Open(b)
		switch {
		case err == nil && !bytes.Equal(b, good):
			t.Fatalf("%x leads to %+v", b, o)
		case err != nil && !errors.Is(err, ErrReference):
			t.Fatalf("%x: %v", b, err)
		}
	})
}

func TestReferenceExpires(t *testing.T) {
	now := clock.NewFake(time.Unix(1_800_000_000, 0))
	x := References{Key: [32]byte{1}, Clock: now}
	want := Origin{Box: ids.UserID(5).Peer(), Message: 6, Peer: -7}
	b := x.Make(want)
	now.Advance(referenceLife)
	if o, err := x.Open(b); err != nil || o != want {
		t.Errorf("%+v, %v", o, err)
	}
	now.Advance(time.Second)
	if _, err := x.Open(b); !errors.Is(err, ErrReferenceExpired) {
		t.Errorf("after its time: %v", err)
	}
}
