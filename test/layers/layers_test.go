// Package layers asks a whole server, through its socket, what it does at the edge of the API's
// layers: for clients newer than itself, for clients that say their layer only once, and for bodies
// that no layer knows.
package layers

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/crypto"
	"github.com/gotd/td/tg"

	"parley/internal/mtproto/crypt"
	"parley/internal/mtproto/layer"
	"parley/internal/mtproto/layer/layertest"
	"parley/internal/mtproto/layer/schema"
	"parley/internal/node/nodetest"
	"parley/internal/rawclient"
	"parley/internal/store"
)

func TestMain(m *testing.M) { nodetest.Main(m) }

// m is an object by the names of its fields; "_" is its constructor.
type m = layertest.M

// journal keeps what the server logs.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (*journal) Enabled(context.Context, slog.Level) bool { return true }
func (j *journal) WithAttrs([]slog.Attr) slog.Handler     { return j }
func (j *journal) WithGroup(string) slog.Handler          { return j }

// Handle implements slog.Handler.
func (j *journal) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
	return nil
}

func (j *journal) count(line string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, l := range j.lines {
		if l == line {
			n++
		}
	}
	return n
}

// world is a server with one account, whose device is ours.
type world struct {
	*nodetest.Server
	t     *testing.T
	log   *journal
	table *schema.Table
	key   crypt.AuthKey
	raw   crypto.AuthKey
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, log: &journal{}}
	w.Server = nodetest.Observe(t, w.log, nil)
	packed, err := os.ReadFile("../../internal/mtproto/layer/table.bin")
	if err != nil {
		t.Fatal(err)
	}
	if w.table, err = schema.Unpack(packed); err != nil {
		t.Fatal(err)
	}
	var value crypto.Key
	if _, err := rand.Read(value[:]); err != nil {
		t.Fatal(err)
	}
	w.raw, w.key = value.WithID(), crypt.NewAuthKey(value)
	user, _, err := w.Node.Account.CreateAccount(t.Context(), nodetest.Phone(1), "One", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Node.Device(t.Context(), user, w.key); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) book(l int) *layertest.Book { return layertest.NewBook(l, w.table.At(l)) }

// dial connects in a session of its own.
func (w *world) dial() *rawclient.Client {
	w.t.Helper()
	c, err := rawclient.Dial(w.t.Context(), w.Addr.String(), w.raw)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(c.Close)
	return c
}

// encoded is a query as it goes over the wire.
type encoded []byte

// Encode implements bin.Encoder.
func (e encoded) Encode(b *bin.Buffer) error { b.Put(e); return nil }

// announce wraps a query in what a client of a layer says of itself first.
func announce(l int, query []byte) encoded {
	var b bin.Buffer
	b.PutID(tg.InvokeWithLayerRequestTypeID)
	b.PutInt(l)
	b.PutID(tg.InitConnectionRequestTypeID)
	b.PutInt32(0)
	b.PutInt(1)
	for _, s := range []string{"a device", "1", "1", "en", "", "en"} {
		b.PutString(s)
	}
	b.Put(query)
	return b.Buf
}

var getConfig = m{"_": "help.getConfig"}

// isConfig checks that an answer is the configuration of a layer.
func (w *world) isConfig(c *rawclient.Client, l int, query encoded) {
	w.t.Helper()
	got, err := c.Ask(query, false)
	if err != nil {
		w.t.Fatal(err)
	}
	book := w.book(l)
	n, err := book.Read(got.Buf, book.Find("config").Result)
	if err != nil {
		w.t.Fatalf("no configuration of layer %d: %v", l, err)
	}
	if config := layertest.Unpack(n, book.Find("config").Result).(m); config["this_dc"] == 0 {
		w.t.Errorf("the configuration is %v", config)
	}
}

// keptLayer is the layer in the row of the key.
func (w *world) keptLayer() (out int64) {
	w.t.Helper()
	err := w.Node.Store.View(w.t.Context(), func(r *store.Reader) error {
		k, err := r.AuthKey(w.key.ID)
		out = k.Layer
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// TestNewerClient: a client newer than the server is served the newest layer that both know, and it
// is logged, once in a session.
func TestNewerClient(t *testing.T) {
	w := newWorld(t)
	const newer = layer.Current + 11
	c := w.dial()
	query := w.book(layer.Current).Pack(getConfig)
	w.isConfig(c, layer.Current, announce(newer, query))
	w.isConfig(c, layer.Current, query)
	line := fmt.Sprintf("client of a layer that is not known layer=%d served=%d", newer,
		layer.Current)
	if n := w.log.count(line); n != 1 {
		t.Errorf("%d lines say %q, want 1: %q", n, line, w.log.lines)
	}
	if got := w.keptLayer(); got != newer {
		t.Errorf("layer %d is kept, want what the client said", got)
	}
	_, err := c.Ask(announce(1<<30, query), false)
	if got := reason(err); got != "CONNECTION_LAYER_INVALID" {
		t.Errorf("an absurd layer: %v", err)
	}
}

// TestLayerIsKept: the layer is the permanent key's. It outlives sessions, connections and the
// process, for clients that say it only once.
func TestLayerIsKept(t *testing.T) {
	w := newWorld(t)
	const old = 144
	query := w.book(old).Pack(getConfig)
	w.isConfig(w.dial(), old, announce(old, query))
	w.isConfig(w.dial(), old, query)
	w.Restart()
	c := w.dial()
	w.isConfig(c, old, query)
	if got := w.keptLayer(); got != old {
		t.Errorf("layer %d is kept, want %d", got, old)
	}
	// The application was updated.
	w.isConfig(w.dial(), layer.Current, announce(layer.Current, query))
	w.isConfig(c, layer.Current, query)
}

func reason(err error) string {
	var refused *rawclient.APIError
	if errors.As(err, &refused) {
		return refused.Message
	}
	return fmt.Sprint(err)
}

// TestHostileBodies: what is no request gets the protocol's error, and the connection, the session
// and the process go on.
func TestHostileBodies(t *testing.T) {
	w := newWorld(t)
	now := w.book(layer.Current)
	old := w.book(158)
	peer := m{"_": "inputPeerSelf"}
	message := m{"_": "messages.sendMessage", "peer": peer, "message": "hi", "random_id": 1}
	good, goodOld := now.Pack(message), old.Pack(message)
	// The peer is the first field after the flags.
	odd := func(b []byte) []byte {
		b = slices.Clone(b)
		binary.LittleEndian.PutUint32(b[8:], 0xdeadbeef)
		return b
	}
	object := now.Pack(m{"_": "peerUser", "user_id": 1})
	c := w.dial()
	w.isConfig(c, 158, announce(158, old.Pack(getConfig)))
	longer := func(b []byte) []byte { return append(slices.Clone(b), 0, 0, 0, 0) }
	const noMethod = "INPUT_METHOD_INVALID_"
	gone := w.book(144).Pack(m{"_": "messages.getAllChats", "except_ids": []any{}})
	for name, x := range map[string]struct {
		body []byte
		want string
	}{
		"no method":            {[]byte{0x78, 0x56, 0x34, 0x12}, noMethod + "305419896_4"},
		"an object":            {object, fmt.Sprint(noMethod, tg.PeerUserTypeID, "_12")},
		"a method of the past": {gone, "METHOD_INVALID"},
		"not offered":          {now.Pack(m{"_": "phone.getCallConfig"}), "METHOD_INVALID"},
		"truncated":            {good[:len(good)-4], "INPUT_FETCH_FAIL"},
		"truncated, old":       {goodOld[:len(goodOld)-4], "INPUT_FETCH_FAIL"},
		"too long":             {longer(good), "INPUT_FETCH_FAIL"},
		"too long, old":        {longer(goodOld), "INPUT_FETCH_FAIL"},
		"too long, alike":      {longer(now.Pack(getConfig)), "INPUT_REQUEST_TOO_LONG"},
		"no peer":              {odd(good), "INPUT_CONSTRUCTOR_INVALID"},
		"no peer, old":         {odd(goodOld), "INPUT_CONSTRUCTOR_INVALID"},
	} {
		if _, err := c.Ask(encoded(x.body), false); reason(err) != x.want {
			t.Errorf("%s: %v, want %s", name, err, x.want)
		}
	}
	r := mathrand.New(mathrand.NewPCG(1, 2))
	for range 400 {
		b := slices.Clone(good)
		if r.IntN(2) == 0 {
			b = slices.Clone(goodOld)
		}
		for range 1 + r.IntN(4) {
			b[4+r.IntN(len(b)-4)] = byte(r.Uint32())
		}
		b = b[:4+r.IntN(len(b)-4)&^3]
		var refused *rawclient.APIError
		if _, err := c.Ask(encoded(b), false); err != nil && !errors.As(err, &refused) {
			t.Fatalf("%x: %v", b, err)
		} else if refused != nil && refused.Code >= 500 {
			t.Errorf("%x: %v", b, err)
		}
	}
	w.isConfig(c, 158, old.Pack(getConfig))
}
