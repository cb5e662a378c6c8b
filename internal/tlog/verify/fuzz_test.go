package verify

import (
	"encoding/json"
	"errors"
	"testing"
)

// FuzzReceipt checks receipts that no log has made: whatever is wrong with one is a finding.
func FuzzReceipt(f *testing.F) {
	for _, r := range []Receipt{
		{V: ReceiptVersion, Origin: "log.example.org", Entry: "{}", Checkpoint: "log.example.org\n1\n"},
		{V: ReceiptVersion, Index: -1, Salt: []byte{1}, Record: []byte{2}},
	} {
		b, err := json.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	keys := Keys{Origin: "log.example.org"}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseReceipt(b)
		if err == nil {
			_, err = keys.Receipt(r)
		}
		var found *Finding
		if !errors.As(err, &found) {
			t.Fatalf("without any key it is good: %v", err)
		}
	})
}

// FuzzCheckpoint reads checkpoints of strangers.
func FuzzCheckpoint(f *testing.F) {
	f.Add("log.example.org\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
	f.Add("log.example.org\n-1\n\n")
	keys := Keys{Origin: "log.example.org"}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := keys.Open([]byte(text)); err == nil {
			t.Fatal("a checkpoint that nobody signed is good")
		}
		size, _, err := Body(keys.Origin, text)
		if err == nil && size < 0 {
			t.Fatalf("a tree of %d entries", size)
		}
	})
}
