package auth_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/chat"
	"parley/internal/mtproto/layer"
	"parley/internal/mtproto/session"
)

// TestConnectionIsIntroduced asks something of the server before a key has said its layer, with
// layers that no client has, and after it.
func TestConnectionIsIntroduced(t *testing.T) {
	w := newWorld(t, nil)
	p := w.device(home)
	state := api.NewState(p)
	ask := func(at int, init *session.Init) error {
		t.Helper()
		var b bin.Buffer
		if err := (&tg.AuthExportLoginTokenRequest{APIID: 4, APIHash: "h"}).Encode(&b); err != nil {
			t.Fatal(err)
		}
		_, err := w.server.Serve(context.Background(), state, session.Query{
			Layer: at, Init: init, Body: b.Buf,
		})
		return err
	}
	want := func(what string, err error, reason string) {
		t.Helper()
		if !errors.Is(err, chat.Invalid(reason)) {
			t.Errorf("%s: %v, want %s", what, err, reason)
		}
	}
	init := &session.Init{APIID: 4, DeviceModel: "Pixel", SystemVersion: "1", AppVersion: "1"}
	want("before any layer", ask(0, nil), "CONNECTION_NOT_INITED")
	want("a client without a layer", ask(0, init), "CONNECTION_NOT_INITED")
	want("a negative layer", ask(-1, init), "CONNECTION_LAYER_INVALID")
	want("a layer beyond all", ask(math.MaxInt32, init), "CONNECTION_LAYER_INVALID")
	want("still not introduced", ask(0, nil), "CONNECTION_NOT_INITED")
	if err := ask(layer.Current, init); err != nil {
		t.Errorf("introduced: %v", err)
	}
	if err := ask(0, nil); err != nil {
		t.Errorf("the layer is not remembered: %v", err)
	}
	state = api.NewState(p)
	if err := ask(0, nil); err != nil {
		t.Errorf("the layer is not remembered with the key: %v", err)
	}
}
