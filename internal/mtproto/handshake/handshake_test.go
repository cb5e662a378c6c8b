package handshake

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/crypto"
	"github.com/gotd/td/mt"
)

// bareInner encodes the inner data of a client by hand, in any of the four forms.
func (c *client) bareInner(id uint32, tail ...int32) []byte {
	var b bin.Buffer
	b.PutID(id)
	b.PutBytes(c.pq)
	b.PutBytes(c.p)
	b.PutBytes(c.q)
	b.PutInt128(c.nonce)
	b.PutInt128(c.server)
	b.PutInt256(c.newNonce)
	for _, v := range tail {
		b.PutInt32(v)
	}
	return b.Buf
}

// TestForms goes through every inner data and either padding that clients use.
func TestForms(t *testing.T) {
	tests := []struct {
		name string
		id   uint32
		tail []int32
		want Result
	}{
		{"plain", innerPlain, nil, Result{}},
		{"dc", innerDC, []int32{1}, Result{DC: 1}},
		{"last dc", innerDC, []int32{5}, Result{DC: 5}},
		{"media", innerDC, []int32{-2}, Result{DC: 2, Media: true}},
		{"test", innerDC, []int32{10002}, Result{DC: 2, Test: true}},
		{"test media", innerDC, []int32{-10002}, Result{DC: 2, Test: true, Media: true}},
		{"temp", innerTemp, []int32{3600},
			Result{Temp: true, ExpiresAt: testTime.Add(time.Hour)}},
		{"temp dc", innerTempDC, []int32{-1, 604800},
			Result{Temp: true, DC: 1, Media: true, ExpiresAt: testTime.Add(MaxTempLifetime)}},
	}
	for _, tt := range tests {
		for name, sha1Pad := range map[string]bool{"RSA_PAD": false, "SHA1": true} {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				w := newWorld(t)
				c := newClient(w)
				c.sha1Pad = sha1Pad
				c.upToPQ(t)
				c.upToDH(t, c.bareInner(tt.id, tt.tail...))
				got := *c.finish(t)
				if got.Temp && len(w.saved) != 0 || !got.Temp && len(w.saved) != 1 {
					t.Errorf("%d keys saved", len(w.saved))
				}
				if !got.Temp && w.saved[0] != got {
					t.Error("saved another key than returned")
				}
				tt.want.Key, tt.want.Salt = got.Key, got.Salt
				if got != tt.want {
					t.Errorf("result %+v, want %+v", got, tt.want)
				}
			})
		}
	}
}

// TestPaddedQueries is what TDLib does: every message of the exchange has the id 0, and bytes behind
// the query that hide its length.
func TestPaddedQueries(t *testing.T) {
	c := newClient(newWorld(t))
	c.padded = true
	c.upToPQ(t)
	c.upToDH(t, c.bareInner(innerDC, 2))
	c.finish(t)
}

// TestSeveralOnOneConnection is what clients do: a false start, a ping of two, a permanent key, a
// temporary one, with acknowledgements between.
func TestSeveralOnOneConnection(t *testing.T) {
	w := newWorld(t)
	c := newClient(w)
	if _, _, err := c.step(c.wrap(encode(&mt.ReqPqRequest{Nonce: bin.Int128{9}}))); err != nil {
		t.Fatal(err)
	}
	for run, inner := range []func() []byte{
		func() []byte { return c.bareInner(innerDC, 2) },
		func() []byte { return c.bareInner(innerTempDC, 2, 86400) },
		func() []byte { return c.bareInner(innerDC, 2) },
	} {
		c.nonce, c.newNonce = bin.Int128{byte(run)}, bin.Int256{byte(run), 7}
		c.upToPQ(t)
		c.upToPQ(t)
		for range maxAcks / 2 {
			ack := c.wrap(encode(&mt.MsgsAck{MsgIDs: []int64{1, 5}}))
			if reply, done, err := c.step(ack); reply != nil || done != nil || err != nil {
				t.Fatalf("acknowledgement: %x, %v, %v", reply, done, err)
			}
		}
		c.upToDH(t, inner())
		if done := c.finish(t); done.Temp != (run == 1) {
			t.Errorf("run %d: %+v", run, done)
		}
	}
}

// TestRandomPerRun checks that nothing of a run is predictable from another one.
func TestRandomPerRun(t *testing.T) {
	w := newWorld(t)
	nonces, products := map[bin.Int128]bool{}, map[string]bool{}
	for range 20 {
		c := newClient(w)
		c.upToPQ(t)
		if len(c.pq) != 8 || c.pq[0]&0x80 != 0 || len(c.p) != 4 || len(c.q) != 4 {
			t.Fatalf("pq = %x = %x * %x", c.pq, c.p, c.q)
		}
		nonces[c.server], products[string(c.pq)] = true, true
	}
	if len(nonces) != 20 || len(products) != 20 {
		t.Errorf("%d server nonces, %d products in 20 runs", len(nonces), len(products))
	}
}

func TestPairsAreUsedOnce(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- w.server.Run(ctx) }()
	seen := map[string]bool{}
	for range 6 {
		c := newClient(w)
		c.upToPQ(t)
		c.upToDH(t, encode(c.inner()))
		seen[c.ga.String()] = true
	}
	cancel()
	if err := <-stopped; !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
	if len(seen) != 6 {
		t.Errorf("%d different g_a in 6 runs", len(seen))
	}
}

// TestExactRepetition resends each query bit for bit and must get the same answer, once a key only.
func TestExactRepetition(t *testing.T) {
	w := newWorld(t)
	c := newClient(w)
	lastID := int64(0)
	again := func(query []byte) []byte {
		t.Helper()
		var first []byte
		for i := range 3 {
			reply, done, err := c.step(c.wrap(query))
			if err != nil || i > 0 && done != nil {
				t.Fatalf("time %d: %v, %v", i, done, err)
			}
			id := int64(binary.LittleEndian.Uint64(reply[8:]))
			if id <= lastID {
				t.Fatalf("message id %x after %x", id, lastID)
			}
			lastID = id
			if i > 0 && string(c.body(reply)) != string(c.body(first)) {
				t.Fatalf("time %d: another answer", i)
			}
			first = reply
		}
		return first
	}
	if !c.readPQ(again(encode(&mt.ReqPqMultiRequest{Nonce: c.nonce}))) {
		t.Fatal("no resPQ")
	}
	if err := c.readDH(again(encode(c.reqDH(encode(c.inner()))))); err != nil {
		t.Fatal(err)
	}
	last := encode(c.setDH(encode(c.clientInner())))
	again(last)
	if len(w.saved) != 1 {
		t.Errorf("saved %d times", len(w.saved))
	}
	w.clock.Advance(memory + time.Second)
	_, _, err := c.step(c.wrap(last))
	wantError(t, err, NotFound, false)
}

// wantError checks code and fate of the connection.
func wantError(t testing.TB, err error, code Code, closes bool) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code != code || e.Close != closes {
		t.Errorf("error %v, want code %d, close %v", err, code, closes)
	}
}

func TestRunsAreForgotten(t *testing.T) {
	w := newWorld(t)
	c := newClient(w)
	c.upToPQ(t)
	query := encode(c.reqDH(encode(c.inner())))
	w.clock.Advance(memory + time.Second)
	_, _, err := c.step(c.wrap(query))
	wantError(t, err, NotFound, false)
	c.upToPQ(t)
	c.upToDH(t, encode(c.inner()))
	c.finish(t)
}

func TestCollision(t *testing.T) {
	w := newWorld(t)
	taken := 0
	w.exists = func(int64) (bool, error) { taken--; return taken >= 0, nil }
	start := func(collisions int) *client {
		c := newClient(w)
		c.upToPQ(t)
		c.upToDH(t, encode(c.inner()))
		taken = collisions
		return c
	}
	retry := func(c *client, id int64) ([]byte, *Result, error) {
		in := c.clientInner()
		in.RetryID = id
		return c.step(c.wrap(encode(c.setDH(encode(in)))))
	}
	aux := func(c *client) int64 {
		h := c.authKey().AuxHash()
		return int64(binary.LittleEndian.Uint64(h[:]))
	}
	wantRetry := func(c *client, id int64) {
		t.Helper()
		reply, done, err := retry(c, id)
		var again mt.DhGenRetry
		if err != nil || done != nil || !decode(c.body(reply), &again) ||
			again.NewNonceHash2 != c.nonceHash(2, c.authKey()) {
			t.Fatalf("no dh_gen_retry: %v, %v", done, err)
		}
	}
	c := start(2)
	wantRetry(c, 0)
	wantRetry(c, aux(c))
	// The third answer in a row for one b comes from a query that is no repetition, because its
	// encryption pads at random.
	reply, done, err := retry(c, aux(c))
	if err != nil || done == nil {
		t.Fatalf("after two collisions: %v", err)
	}
	c.checkOK(t, reply, done)

	c = start(3)
	wantRetry(c, 0)
	wantRetry(c, aux(c))
	reply, done, err = retry(c, aux(c))
	var fail mt.DhGenFail
	if err != nil || done != nil || !decode(c.body(reply), &fail) ||
		fail.NewNonceHash3 != c.nonceHash(3, c.authKey()) {
		t.Fatalf("no dh_gen_fail: %v, %v", done, err)
	}
	_, _, err = retry(c, aux(c))
	wantError(t, err, NotFound, false)

	c = start(1)
	wantRetry(c, 0)
	_, _, err = retry(c, 0)
	wantError(t, err, NotFound, false)
	if len(w.saved) != 1 {
		t.Errorf("%d keys saved, want 1", len(w.saved))
	}
}

// TestNoAnswerBeforeSave fails the store at the moment that counts.
func TestNoAnswerBeforeSave(t *testing.T) {
	broken := errors.New("disk full")
	for name, breakIt := range map[string]func(w *world){
		"save":   func(w *world) { w.saveErr = broken },
		"exists": func(w *world) { w.exists = func(int64) (bool, error) { return false, broken } },
	} {
		w := newWorld(t)
		breakIt(w)
		c := newClient(w)
		c.upToPQ(t)
		c.upToDH(t, encode(c.inner()))
		query := encode(c.setDH(encode(c.clientInner())))
		reply, done, err := c.step(c.wrap(query))
		wantError(t, err, None, true)
		if reply != nil || done != nil || !errors.Is(err, broken) {
			t.Errorf("%s failed: %x, %v, %v", name, reply, done, err)
		}
		_, _, err = c.step(c.wrap(query))
		wantError(t, err, NotFound, true)
	}
}

func TestRequestLimit(t *testing.T) {
	w := newWorld(t)
	c := newClient(w)
	for i := range maxRequests {
		c.nonce[0] = byte(i)
		c.upToPQ(t)
	}
	_, _, err := c.step(c.reqPQ())
	wantError(t, err, NotFound, true)
	_, _, err = c.step(c.wrap(encode(c.reqDH(encode(c.inner())))))
	wantError(t, err, NotFound, true)
	c = newClient(w)
	ack := encode(&mt.MsgsAck{MsgIDs: []int64{1}})
	for range maxAcks {
		if _, _, err := c.step(c.wrap(ack)); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err = c.step(c.wrap(ack))
	wantError(t, err, NotFound, true)
}

// TestBusy fills all slots: queries queue up to a bound, then meet Flood, and the run survives.
func TestBusy(t *testing.T) {
	w := newWorld(t)
	c := newClient(w)
	c.upToPQ(t)
	query := encode(c.reqDH(encode(c.inner())))
	for range cap(w.server.slots) {
		w.server.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	canceled := newClient(w)
	canceled.upToPQ(t)
	_, _, err := canceled.x.Step(ctx, canceled.wrap(encode(canceled.reqDH(nil))))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("canceled while waiting: %v", err)
	}
	w.server.waiting.Add(int64(waitingPerSlot * cap(w.server.slots)))
	_, _, err = c.step(c.wrap(query))
	wantError(t, err, Flood, false)
	w.server.waiting.Store(0)
	for range cap(w.server.slots) {
		<-w.server.slots
	}
	reply, _, err := c.step(c.wrap(query))
	if err != nil || c.readDH(reply) != nil {
		t.Fatalf("the run did not survive: %v", err)
	}
	c.finish(t)
	if len(w.server.slots) != 0 || w.server.waiting.Load() != 0 {
		t.Error("slots leak")
	}
}

func TestTransportPadding(t *testing.T) {
	w := newWorld(t)
	c := newClient(w)
	for n := range 16 {
		c.x = w.server.Start()
		reply, _, err := c.step(append(c.reqPQ(), make([]byte, n)...))
		if err != nil || !c.readPQ(reply) {
			t.Errorf("%d bytes of padding: %v", n, err)
		}
	}
	_, _, err := c.step(append(c.reqPQ(), make([]byte, 16)...))
	wantError(t, err, NotFound, true)
}

// TestSecretsAreErased looks at the memory of a run after its end.
func TestSecretsAreErased(t *testing.T) {
	w := newWorld(t)
	c := newClient(w)
	c.upToPQ(t)
	c.upToDH(t, encode(c.inner()))
	r := c.x.run
	if r.in.newNonce != [32]byte(c.newNonce) || r.a == [256]byte{} {
		t.Fatal("the run does not hold what this test looks for")
	}
	c.finish(t)
	if *r != (run{}) || c.x.run != nil {
		t.Error("secrets survive their run")
	}
	c.newNonce[0] ^= 1
	c.nonce[0] ^= 1
	c.upToPQ(t)
	c.upToDH(t, encode(c.inner()))
	r = c.x.run
	c.nonce[0] ^= 1
	c.upToPQ(t)
	if *r != (run{}) {
		t.Error("secrets survive a new run")
	}
}

func TestAmplification(t *testing.T) {
	w := newWorld(t)
	c := newClient(w)
	query := c.reqPQ()
	reply, _, err := c.step(query)
	if err != nil || !c.readPQ(reply) {
		t.Fatal(err)
	}
	if len(reply) > 3*len(query) {
		t.Errorf("%d bytes out for %d in", len(reply), len(query))
	}
	query = c.wrap(encode(c.reqDH(encode(c.inner()))))
	reply, _, err = c.step(query)
	if err != nil || len(reply) > 3*len(query) {
		t.Errorf("%d bytes out for %d in, %v", len(reply), len(query), err)
	}
}

func TestNewServerRefuses(t *testing.T) {
	good := Config{
		Keys: testKeys(), Clock: newWorld(t).clock, Rand: crypto.DefaultRand(),
		Save:   func(context.Context, Result) error { return nil },
		Exists: func(context.Context, int64) (bool, error) { return false, nil },
	}
	if _, err := NewServer(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(c *Config){
		"no key":    func(c *Config) { c.Keys = nil },
		"five keys": func(c *Config) { c.Keys = slices.Repeat(c.Keys[:1], maxKeys+1) },
		"short key": func(c *Config) { c.Keys = append(c.Keys[:1:1], shortKey(t)) },
		"no clock":  func(c *Config) { c.Clock = nil },
		"no rand":   func(c *Config) { c.Rand = nil },
		"no save":   func(c *Config) { c.Save = nil },
		"no exists": func(c *Config) { c.Exists = nil },
	} {
		c := good
		spoil(&c)
		if _, err := NewServer(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
