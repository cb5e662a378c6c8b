package signin_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"parley/internal/clock"
	"parley/internal/web/signin"
)

// TestNext: nobody is sent to another site after he has signed in, whatever a link asked for.
func TestNext(t *testing.T) {
	for next, want := range map[string]string{
		"/orders?state=held": "/orders?state=held", "": "/home", "orders": "/home",
		"https://elsewhere.example": "/home", "//elsewhere.example": "/home",
		"/\\elsewhere.example": "/home", "/\t/elsewhere.example": "/home",
		"/\n/elsewhere.example": "/home", "/\r/elsewhere.example": "/home",
		"\t//elsewhere.example": "/home", "/\x00/elsewhere.example": "/home",
	} {
		r := httptest.NewRequest(http.MethodGet, "/?"+url.Values{"next": {next}}.Encode(), nil)
		if got := signin.Next(r, "/home"); got != want {
			t.Errorf("%q leads to %q", next, got)
		}
	}
}

// TestCeremoniesAreBounded: whoever opens many keeps nobody out: the newest are remembered.
func TestCeremoniesAreBounded(t *testing.T) {
	k, err := signin.NewKeys("https://chat.example.org", "Parley", clock.NewFake(time.Unix(1, 0)))
	if err != nil {
		t.Fatal(err)
	}
	for range 3000 {
		if _, _, err := k.BeginSignIn(); err != nil {
			t.Fatal(err)
		}
	}
	if n := k.Open(); n != 1000 {
		t.Errorf("%d are remembered", n)
	}
}
