package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/crypto"
	"github.com/gotd/td/mt"
	"github.com/gotd/td/tg"

	"parley/internal/limit"
	"parley/internal/mtproto/crypt"
	"parley/internal/mtproto/handshake"
	"parley/internal/mtproto/session"
)

type prefix = netip.Prefix

func address(text string) netip.Addr { return netip.MustParseAddr(text) }

// newTemp makes a temporary key as a key exchange would.
func (w *world) newTemp(life time.Duration) crypto.AuthKey {
	var k crypto.Key
	rand.Read(k[:])
	w.addKey(&handshake.Result{
		Key: crypt.NewAuthKey([256]byte(k)), Temp: true, ExpiresAt: time.Now().Add(life), DC: 3,
	})
	return k.WithID()
}

// binding is auth.bindTempAuthKey as a client makes it, before a test spoils it.
func (r *raw) binding(perm crypto.AuthKey, life time.Duration) (
	*tg.AuthBindTempAuthKeyRequest, *crypto.BindAuthKeyInner,
) {
	nonce, expires := randomLong(), int(time.Now().Add(life).Unix())
	return &tg.AuthBindTempAuthKeyRequest{
			PermAuthKeyID: perm.IntID(), Nonce: nonce, ExpiresAt: expires,
		}, &crypto.BindAuthKeyInner{
			Nonce: nonce, TempAuthKeyID: r.key.IntID(), PermAuthKeyID: perm.IntID(),
			TempSessionID: r.session, ExpiresAt: expires,
		}
}

// bind binds the client's temporary key and returns what the server says.
func (r *raw) bind(perm crypto.AuthKey) string { return r.bindFor(perm, time.Minute) }

func (r *raw) bindFor(perm crypto.AuthKey, life time.Duration) string {
	r.t.Helper()
	id := r.msgID()
	req, inner := r.binding(perm, life)
	return r.sendBinding(perm, id, id, req, inner)
}

func (r *raw) sendBinding(
	perm crypto.AuthKey, id, innerID int64, req *tg.AuthBindTempAuthKeyRequest,
	inner *crypto.BindAuthKeyInner,
) string {
	r.t.Helper()
	sealed, err := crypto.EncryptBindMessage(rand.Reader, perm, innerID, inner)
	if err != nil {
		r.t.Fatal(err)
	}
	req.EncryptedMessage = sealed
	r.write(r.seal(id, 1, r.encode(req)))
	return r.outcome(id)
}

// outcome returns "" for a boolTrue, else the error.
func (r *raw) outcome(id int64) string {
	r.t.Helper()
	var e mt.RPCError
	result := r.answer(id)
	if session.Constructor(result) == tg.BoolTrueTypeID {
		return ""
	}
	if err := e.Decode(buffer(result)); err != nil {
		r.t.Fatal(err)
	}
	return e.ErrorMessage
}

func TestBind(t *testing.T) {
	w := newWorld(t)
	perm := w.newKey()
	var queries []session.Query
	w.invoke = func(_ context.Context, s *Session, q session.Query) ([]byte, error) {
		queries = append(queries, q)
		return trueValue(), nil
	}
	c := w.clientOf(w.newTemp(time.Hour))
	if got := c.outcome(c.send(method())); got != "AUTH_KEY_PERM_EMPTY" {
		t.Errorf("unbound: %q", got)
	}
	announced := &tg.InvokeWithLayerRequest{Layer: 200, Query: &tg.HelpGetConfigRequest{}}
	if got := c.outcome(c.send(c.encode(announced))); got != "" {
		t.Errorf("help.getConfig: %q", got)
	}
	s := w.keys1(c).list()[0]
	if s.KeyID() != 0 || s.TempKeyID() != c.key.IntID() || s.DC() != 3 {
		t.Errorf("unbound session: %d, %d", s.KeyID(), s.TempKeyID())
	}
	if got := c.bind(perm); got != "" {
		t.Fatalf("bind: %q", got)
	}
	if got := c.bind(perm); got != "" {
		t.Errorf("bind again: %q", got)
	}
	if s.KeyID() != perm.IntID() || len(w.Sessions(perm.IntID())) != 1 {
		t.Error("not bound")
	}
	if got := c.outcome(c.send(method())); got != "" {
		t.Errorf("bound: %q", got)
	}
	if got := c.bind(w.newKey()); got != "TEMP_AUTH_KEY_ALREADY_BOUND" {
		t.Errorf("bind elsewhere: %q", got)
	}
	// What was said before there was a permanent key to remember it for comes with the first query.
	if n := len(queries); n != 2 || queries[1].Layer != 200 {
		t.Errorf("queries %+v", queries)
	}
	onPerm := w.clientOf(perm)
	if got := onPerm.bind(perm); got != "TEMP_AUTH_KEY_EMPTY" {
		t.Errorf("bind of a permanent key: %q", got)
	}
}

// keys1 returns the table's entry of a client's key.
func (w *world) keys1(c *raw) *authKey { return w.Server.keys.get(c.key.IntID()) }

// TestBindRefused spoils every part of a binding.
func TestBindRefused(t *testing.T) {
	w := newWorld(t)
	perm, other := w.newKey(), w.newKey()
	c := w.clientOf(w.newTemp(time.Hour))
	spoil := map[string]func(*tg.AuthBindTempAuthKeyRequest, *crypto.BindAuthKeyInner, *int64){
		"nonce": func(r *tg.AuthBindTempAuthKeyRequest, _ *crypto.BindAuthKeyInner, _ *int64) {
			r.Nonce++
		},
		"temp key": func(_ *tg.AuthBindTempAuthKeyRequest, i *crypto.BindAuthKeyInner, _ *int64) {
			i.TempAuthKeyID++
		},
		"perm key inside": func(_ *tg.AuthBindTempAuthKeyRequest, i *crypto.BindAuthKeyInner, _ *int64) {
			i.PermAuthKeyID++
		},
		"other perm key": func(r *tg.AuthBindTempAuthKeyRequest, _ *crypto.BindAuthKeyInner, _ *int64) {
			r.PermAuthKeyID = other.IntID()
		},
		"unknown perm key": func(r *tg.AuthBindTempAuthKeyRequest, _ *crypto.BindAuthKeyInner, _ *int64) {
			r.PermAuthKeyID++
		},
		"temp as perm key": func(r *tg.AuthBindTempAuthKeyRequest, _ *crypto.BindAuthKeyInner, _ *int64) {
			r.PermAuthKeyID = c.key.IntID()
		},
		"session": func(_ *tg.AuthBindTempAuthKeyRequest, i *crypto.BindAuthKeyInner, _ *int64) {
			i.TempSessionID++
		},
		"expires outside": func(r *tg.AuthBindTempAuthKeyRequest, _ *crypto.BindAuthKeyInner, _ *int64) {
			r.ExpiresAt++
		},
		"expired": func(r *tg.AuthBindTempAuthKeyRequest, i *crypto.BindAuthKeyInner, _ *int64) {
			r.ExpiresAt = int(time.Now().Unix()) - 1
			i.ExpiresAt = r.ExpiresAt
		},
		"too long": func(r *tg.AuthBindTempAuthKeyRequest, i *crypto.BindAuthKeyInner, _ *int64) {
			r.ExpiresAt = int(time.Now().Add(2 * time.Hour).Unix())
			i.ExpiresAt = r.ExpiresAt
		},
		"message id": func(_ *tg.AuthBindTempAuthKeyRequest, _ *crypto.BindAuthKeyInner, id *int64) {
			*id += 4
		},
	}
	for name, f := range spoil {
		id := c.msgID()
		innerID := id
		req, inner := c.binding(perm, time.Minute)
		f(req, inner, &innerID)
		if got := c.sendBinding(perm, id, innerID, req, inner); got != "ENCRYPTED_MESSAGE_INVALID" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := c.outcome(c.send(method())); got != "AUTH_KEY_PERM_EMPTY" {
		t.Errorf("bound in spite of all: %q", got)
	}
	cut := c.encode(&tg.AuthBindTempAuthKeyRequest{})
	if got := c.outcome(c.send(cut[:12])); got != "INPUT_FETCH_FAIL" {
		t.Errorf("cut: %q", got)
	}
	if got := c.bind(perm); got != "" {
		t.Errorf("bind: %q", got)
	}
}

// TestTempKeyEnds: an expired key is not known any more, and neither is one too many.
func TestTempKeyEnds(t *testing.T) {
	w := newWorld(t, many)
	perm := w.newKey()
	first := w.clientOf(w.newTemp(time.Hour))
	first.bind(perm)
	for range limit.TempKeysPerKey {
		c := w.clientOf(w.newTemp(time.Hour))
		if got := c.bind(perm); got != "" {
			t.Fatal(got)
		}
	}
	first.send(method())
	if code := first.code(); code != codeNotFound {
		t.Errorf("code %d", code)
	}
	short := w.clientOf(w.newTemp(2 * time.Second))
	if got := short.bind(perm); got != "" {
		t.Fatal(got)
	}
	k := w.keys1(short)
	if k.fresh(time.Now().Add(2 * time.Second)) {
		t.Error("the key does not expire")
	}
	eventually(t, "expired", func() bool { return !k.fresh(time.Now()) })
	short.connect(w.addr)
	short.send(method())
	if code := short.code(); code != codeNotFound {
		t.Errorf("code %d", code)
	}
	if n := w.Server.keys.temps; n > limit.TempKeysPerKey+1 {
		t.Errorf("%d temporary keys", n)
	}
}

// TestDropKey ends everything under a permanent key.
func TestDropKey(t *testing.T) {
	w := newWorld(t)
	perm := w.newKey()
	release := make(chan struct{})
	w.invoke = func(_ context.Context, s *Session, q session.Query) ([]byte, error) {
		if len(q.Body) > 4 {
			w.DropKey(s.KeyID())
			<-release
		}
		return trueValue(), nil
	}
	direct, pfs := w.clientOf(perm), w.clientOf(w.newTemp(time.Hour))
	direct.answer(direct.send(method()))
	pfs.bind(perm)
	pfs.answer(pfs.send(method()))
	logOut := direct.send(method(1))
	eventually(t, "revoked", func() bool { return w.Sessions(perm.IntID())[0].revoked.Load() })
	if got := direct.outcome(direct.send(method())); got != "SESSION_REVOKED" {
		t.Errorf("after: %q", got)
	}
	close(release)
	if got := direct.outcome(logOut); got != "" {
		t.Errorf("log out: %q", got)
	}
	direct.closed()
	pfs.closed()
	eventually(t, "forgotten", func() bool { return len(w.Sessions(perm.IntID())) == 0 })
	direct.connect(w.addr)
	if got := direct.outcome(direct.send(method())); got != "" {
		t.Errorf("anew: %q", got)
	}
	pfs.connect(w.addr)
	pfs.send(method())
	if code := pfs.code(); code != codeNotFound {
		t.Errorf("code %d", code)
	}
}

// TestDropKeyWhileItIsLookedFor destroys a key between its reading and its use: what was read before
// is not believed, whether the server knew the key already or not.
func TestDropKeyWhileItIsLookedFor(t *testing.T) {
	for _, known := range []bool{false, true} {
		w := newWorld(t)
		perm := w.newKey()
		c := w.clientOf(perm)
		if known {
			c.answer(c.send(method()))
			w.DropKey(perm.IntID()) // has it looked for again
		}
		w.keys.mu.Lock()
		w.keys.read = sync.OnceFunc(func() {
			if err := w.keys.Destroy(context.Background(), perm.IntID()); err != nil {
				t.Error(err)
			}
			w.DropKey(perm.IntID())
		})
		w.keys.mu.Unlock()
		if _, err := w.findKey(context.Background(), perm.IntID()); !errors.Is(err, ErrNoKey) {
			t.Errorf("known %t: found a key that is destroyed: %v", known, err)
		}
		if k := w.Server.keys.get(perm.IntID()); k != nil && k.fresh(time.Now()) {
			t.Errorf("known %t: a key that is destroyed is remembered", known)
		}
	}
}

// TestDropKeyWhileItIsBound ends a permanent key between the check of a binding and its effect: no
// temporary key outlives it.
func TestDropKeyWhileItIsBound(t *testing.T) {
	w := newWorld(t)
	perm, temp := w.newKey(), w.newTemp(time.Hour)
	found, err := w.findKey(context.Background(), perm.IntID())
	if err != nil {
		t.Fatal(err)
	}
	w.DropKey(perm.IntID())
	_, err = w.Server.keys.bind(w.Server.keys.get(temp.IntID()), found, time.Now().Unix()+60)
	if !errors.Is(err, ErrNoKey) {
		t.Errorf("bound to a key that was dropped: %v", err)
	}
}

// TestDropTemps ends temporary keys, and neither the others nor the permanent one.
func TestDropTemps(t *testing.T) {
	w := newWorld(t)
	perm := w.newKey()
	direct := w.clientOf(perm)
	direct.answer(direct.send(method()))
	kept, dropped := w.clientOf(w.newTemp(time.Hour)), w.clientOf(w.newTemp(time.Hour))
	for _, c := range []*raw{kept, dropped} {
		if got := c.bind(perm); got != "" {
			t.Fatal(got)
		}
	}
	w.DropTemps(perm.IntID(), []int64{kept.key.IntID()})
	dropped.closed()
	dropped.connect(w.addr)
	dropped.send(method())
	if code := dropped.code(); code != codeNotFound {
		t.Errorf("code %d", code)
	}
	kept.answer(kept.send(method()))
	direct.answer(direct.send(method()))
}

func TestDestroyKey(t *testing.T) {
	w := newWorld(t)
	destroyKey := []byte{0x60, 0x51, 0x43, 0xd1}
	w.keys.fault = errors.New("no")
	c := w.client()
	c.send(destroyKey)
	c.of(0xea109b13)
	c.answer(c.send(method()))
	w.keys.fault = nil
	c.send(destroyKey)
	c.of(0xf660e1d4)
	c.closed()
	c.connect(w.addr)
	c.send(method())
	if code := c.code(); code != codeNotFound {
		t.Errorf("code %d", code)
	}
}

// TestTidy forgets what is not needed any more, and only that.
func TestTidy(t *testing.T) {
	w := newWorld(t)
	online, offline := w.client(), w.client()
	online.answer(online.send(method()))
	offline.answer(offline.send(method()))
	gone := w.Sessions(offline.key.IntID())[0]
	offline.nc.Close()
	eventually(t, "offline", func() bool { return !gone.Online() })
	unbound, bound := w.clientOf(w.newTemp(24*time.Hour)), w.clientOf(w.newTemp(24*time.Hour))
	bound.bindFor(online.key, 23*time.Hour)
	w.tidy(time.Now())
	if len(w.Server.keys.byID) != 4 || len(w.Sessions(offline.key.IntID())) != 1 {
		t.Errorf("%d keys", len(w.Server.keys.byID))
	}
	w.tidy(time.Now().Add(2 * limit.SessionKept))
	if s := <-w.closed; s != gone {
		t.Error("the wrong session was closed")
	}
	w.tidy(time.Now().Add(2 * limit.SessionKept))
	if w.keys1(offline) != nil || w.keys1(unbound) != nil {
		t.Error("keys were kept")
	}
	if w.keys1(online) == nil || w.keys1(bound) == nil {
		t.Error("keys were forgotten")
	}
}

func TestDataCentre(t *testing.T) {
	for dc, want := range map[int16]int{
		0: 0, 2: 2, -2: 2, 10003: 3, -10003: 3, 6: 0, 77: 0, -32768: 0,
	} {
		if got := dataCentre(dc); got != want {
			t.Errorf("%d: %d, want %d", dc, got, want)
		}
	}
}

func TestBudgetOf(t *testing.T) {
	for a, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32", "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
	} {
		if got := budgetOf(address(a)); got.String() != want {
			t.Errorf("%s: %v, want %s", a, got, want)
		}
	}
}
