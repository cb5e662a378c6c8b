package limit

import (
	"errors"
	"testing"
	"time"
)

func TestParseRate(t *testing.T) {
	for text, want := range map[string]Rate{
		"30/1m":    {30, time.Minute},
		"5/24h":    {5, 24 * time.Hour},
		"20/1m30s": {20, 90 * time.Second},
		"1/10s":    {1, 10 * time.Second},
		"off":      {},
	} {
		got, err := ParseRate(text)
		if err != nil || got != want {
			t.Errorf("ParseRate(%q) = %v, %v; want %v", text, got, err, want)
		}
		if got.String() != text {
			t.Errorf("ParseRate(%q) prints as %q", text, got)
		}
	}
	for _, text := range []string{"", "30", "30/", "/1m", "0/1m", "-1/1m", "30/0s", "30/m", "9/8ns", "30/1m/1h"} {
		var bad *RateError
		if _, err := ParseRate(text); !errors.As(err, &bad) {
			t.Errorf("ParseRate(%q) = %v, want a RateError", text, err)
		}
	}
}

func FuzzParseRate(f *testing.F) {
	for _, text := range []string{"30/1m", "off", "5/24h", "1/1h0m0.5s", "/", "9223372036854775807/1h"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rate, err := ParseRate(text)
		if err != nil {
			return
		}
		again, err := ParseRate(rate.String())
		if err != nil || again != rate {
			t.Fatalf("%q reads as %v, which reads as %v, %v", text, rate, again, err)
		}
	})
}
