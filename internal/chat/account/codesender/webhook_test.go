package codesender

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"parley/internal/hook"
)

// TestWebhook: the receiver gets the message as JSON, and its refusal comes back as the sender's.
func TestWebhook(t *testing.T) {
	bodies := make(chan []byte, 1)
	status := http.StatusAccepted
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		bodies <- body
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	w, err := NewWebhook(hook.Options{
		URL: server.URL, Secret: []byte("sesame, open wide"), AllowPrivate: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Send(t.Context(), testMessage()); err != nil {
		t.Fatal(err)
	}
	var body map[string]string
	if err := json.Unmarshal(<-bodies, &body); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"time": "2026-03-01T12:30:05Z", "phone": "+15550100", "code": "40317", "purpose": "login",
		"lang": "en", "email": "river@example.org",
	} {
		if body[name] != want {
			t.Errorf("%s is %q, want %q", name, body[name], want)
		}
	}
	status = http.StatusServiceUnavailable
	err = w.Send(t.Context(), testMessage())
	var delivery *DeliveryError
	if !errors.As(err, &delivery) || delivery.Via != "webhook" || !delivery.Temporary {
		t.Errorf("refused: %v", err)
	}
	checkSilent(t, err)
	if _, err := NewWebhook(hook.Options{URL: "http://example.org/"}); !errors.Is(err, ErrOptions) {
		t.Errorf("not an address: %v", err)
	}
}
