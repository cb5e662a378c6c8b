package witness

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// FuzzRequest reads what anybody may send to a witness: what is taken is written as it came.
func FuzzRequest(f *testing.F) {
	hash := base64.StdEncoding.EncodeToString(make([]byte, 32))
	f.Add("old 5\n" + hash + "\n\nlog.example.org\n6\n")
	f.Add("old 0\n\n")
	f.Add("old 05\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		q, err := parse([]byte(text))
		if err != nil {
			var no *Refusal
			if !errors.As(err, &no) {
				t.Fatalf("%v is no refusal", err)
			}
			return
		}
		var again strings.Builder
		fmt.Fprintf(&again, "old %d\n", q.old)
		for _, h := range q.proof {
			fmt.Fprintln(&again, base64.StdEncoding.EncodeToString(h[:]))
		}
		fmt.Fprintf(&again, "\n%s", q.checkpoint)
		if got := strings.ReplaceAll(text, "\r\n", "\n"); again.String() != got {
			t.Fatalf("%q was read as %q", text, again.String())
		}
	})
}
