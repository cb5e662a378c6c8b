package handshake

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/binary"
	"math/big"
	mathrand "math/rand/v2"
	"testing"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/crypto"
	"github.com/gotd/td/mt"
)

func shortKey(t testing.TB) *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// fate is what must become of the connection's handshakes after an irregular query.
type fate int

const (
	dead  fate = iota // every later query is refused, even a right one
	alive             // the same query, made right, goes on
)

// irregular is one way to be wrong, at one of the three queries.
type irregular struct {
	name string
	code Code
	fate fate
	// pq, dh, gen make the wrong query in place of the honest one.
	pq, dh, gen func(c *client) []byte
}

// outerDH bends the outer req_DH_params, innerDH what it encrypts; outerGen and innerGen likewise
// for set_client_DH_params.
func outerDH(bend func(c *client, q *mt.ReqDHParamsRequest)) func(c *client) []byte {
	return func(c *client) []byte {
		q := c.reqDH(encode(c.inner()))
		bend(c, q)
		return c.wrap(encode(q))
	}
}

func innerDH(bend func(c *client, in *mt.PQInnerDataDC)) func(c *client) []byte {
	return func(c *client) []byte {
		in := c.inner()
		bend(c, in)
		return c.wrap(encode(c.reqDH(encode(in))))
	}
}

func rawInnerDH(data func(c *client) []byte) func(c *client) []byte {
	return func(c *client) []byte { return c.wrap(encode(c.reqDH(data(c)))) }
}

func outerGen(bend func(q *mt.SetClientDHParamsRequest)) func(c *client) []byte {
	return func(c *client) []byte {
		q := c.setDH(encode(c.clientInner()))
		bend(q)
		return c.wrap(encode(q))
	}
}

func innerGen(bend func(in *mt.ClientDHInnerData)) func(c *client) []byte {
	return func(c *client) []byte {
		in := c.clientInner()
		bend(in)
		return c.wrap(encode(c.setDH(encode(in))))
	}
}

func withGB(x *big.Int) func(c *client) []byte {
	return innerGen(func(in *mt.ClientDHInnerData) { in.GB = x.Bytes() })
}

// atTime is an honest req_pq_multi with a message id of another time.
func atTime(seconds int64, low int64) func(c *client) []byte {
	return func(c *client) []byte {
		id := (c.w.clock.Now().Unix()+seconds)<<32 + low
		return plainMessage(id, encode(&mt.ReqPqMultiRequest{Nonce: c.nonce}))
	}
}

// another returns the nonces of a different run with the same server, as a recorded message has
// them.
func another(c *client) *client {
	o := newClient(c.w)
	reply, _, err := o.step(o.reqPQ())
	if err != nil || !o.readPQ(reply) {
		panic("no other run")
	}
	return o
}

var irregularTimes = []irregular{
	{name: "message id 72 hours old", fate: alive, pq: atTime(-72*3600, 0)},
	{name: "message id 301 seconds old", fate: alive, pq: atTime(-301, 0)},
	{name: "message id 31 seconds ahead", fate: alive, pq: atTime(32, 0)},
	{name: "message id 1 modulo 4", fate: alive, pq: atTime(0, 1)},
	{name: "message id 2 modulo 4", fate: alive, pq: atTime(0, 2)},
	{name: "message id 4", fate: alive, pq: func(c *client) []byte {
		return plainMessage(4, encode(&mt.ReqPqMultiRequest{Nonce: c.nonce}))
	}},
	{name: "negative message id", fate: alive, pq: atTime(-1<<31, 0)},
}

var irregularDH = []irregular{
	{name: "outer nonce", dh: outerDH(func(_ *client, q *mt.ReqDHParamsRequest) {
		q.Nonce[15] ^= 1
	})},
	{name: "outer server_nonce", dh: outerDH(func(_ *client, q *mt.ReqDHParamsRequest) {
		q.ServerNonce[0] ^= 1
	})},
	{name: "inner nonce", dh: innerDH(func(_ *client, in *mt.PQInnerDataDC) { in.Nonce[0] ^= 1 })},
	{name: "inner server_nonce", dh: innerDH(func(_ *client, in *mt.PQInnerDataDC) {
		in.ServerNonce[0] ^= 1
	})},
	{name: "RSA block of another run", dh: outerDH(func(c *client, q *mt.ReqDHParamsRequest) {
		o := another(c)
		q.EncryptedData = o.seal(encode(o.inner()))
	})},
	{name: "no proof of work", dh: outerDH(func(c *client, q *mt.ReqDHParamsRequest) {
		q.P, q.Q = nil, nil
	})},
	{name: "pq and 1 as factors", dh: outerDH(func(c *client, q *mt.ReqDHParamsRequest) {
		q.P, q.Q = []byte{1}, c.pq
	})},
	{name: "factors swapped", dh: outerDH(func(c *client, q *mt.ReqDHParamsRequest) {
		q.P, q.Q = c.q, c.p
	})},
	{name: "inner factors", dh: innerDH(func(_ *client, in *mt.PQInnerDataDC) {
		in.P = []byte{1, 2, 3, 4}
	})},
	{name: "inner pq", dh: innerDH(func(_ *client, in *mt.PQInnerDataDC) {
		in.Pq = []byte{1, 2, 3, 4, 5, 6, 7, 8}
	})},
	{name: "unknown fingerprint", dh: outerDH(func(_ *client, q *mt.ReqDHParamsRequest) {
		q.PublicKeyFingerprint++
	})},
	{name: "fingerprint of our other key", dh: outerDH(
		func(_ *client, q *mt.ReqDHParamsRequest) {
			q.PublicKeyFingerprint = crypto.RSAFingerprint(&testKeys()[1].PublicKey)
		})},
	{name: "no encrypted data", dh: withBlock(func([]byte) []byte { return nil })},
	{name: "255 bytes", dh: withBlock(func(b []byte) []byte { return b[:255] })},
	{name: "257 bytes", dh: withBlock(func(b []byte) []byte { return append([]byte{0}, b...) })},
	{name: "a byte too many", dh: withBlock(func(b []byte) []byte { return append(b, 0) })},
	{name: "ciphertext N", dh: withBlock(func([]byte) []byte {
		return testKeys()[0].N.Bytes()
	})},
	{name: "largest ciphertext", dh: withBlock(func(b []byte) []byte {
		for i := range b {
			b[i] = 0xff
		}
		return b
	})},
	{name: "ciphertext 0", dh: withBlock(func(b []byte) []byte { clear(b); return b })},
	{name: "ciphertext 1", dh: withBlock(func(b []byte) []byte { clear(b); b[255] = 1; return b })},
	{name: "spoiled ciphertext", dh: withBlock(func(b []byte) []byte { b[255] ^= 1; return b })},
	{name: "unknown inner constructor", dh: rawInnerDH(func(c *client) []byte {
		return c.bareInner(0xdeadbeef, 2)
	})},
	{name: "inner data in SHA-1 padding, cut", dh: func(c *client) []byte {
		c.sha1Pad = true
		return c.wrap(encode(c.reqDH(c.bareInner(innerTempDC, 2))))
	}},
	{name: "inner data in SHA-1 padding, too long", dh: func(c *client) []byte {
		c.sha1Pad = true
		return c.wrap(encode(c.reqDH(c.bareInner(innerPlain, 2))))
	}},
	{name: "inner data in SHA-1 padding, first byte not zero", dh: outerDH(
		func(c *client, q *mt.ReqDHParamsRequest) {
			block := make([]byte, rsaSize)
			block[0] = 1
			data := encode(c.inner())
			sum := sha1.Sum(data)
			copy(block[1+copy(block[1:], sum[:]):], data)
			q.EncryptedData = new(big.Int).Exp(new(big.Int).SetBytes(block),
				big.NewInt(int64(c.key.E)), c.key.N).FillBytes(block)
		})},
	{name: "negative expires_in", dh: rawInnerDH(func(c *client) []byte {
		return c.bareInner(innerTempDC, 2, -5)
	})},
	{name: "expires_in 0", dh: rawInnerDH(func(c *client) []byte {
		return c.bareInner(innerTemp, 0)
	})},
	{name: "expires_in beyond a week", dh: rawInnerDH(func(c *client) []byte {
		return c.bareInner(innerTempDC, 2, 604801)
	})},
	{name: "dc 0", code: WrongDC, dh: withDC(0)},
	{name: "dc 6", code: WrongDC, dh: withDC(6)},
	{name: "dc -6", code: WrongDC, dh: withDC(-6)},
	{name: "dc 10000", code: WrongDC, dh: withDC(10000)},
	{name: "dc 10006", code: WrongDC, dh: withDC(10006)},
	{name: "dc of least value", code: WrongDC, dh: withDC(-1 << 31)},
	{name: "trailing bytes", dh: func(c *client) []byte {
		return c.wrap(append(encode(c.reqDH(encode(c.inner()))), make([]byte, 256)...))
	}},
	{name: "set_client_DH_params too early", dh: func(c *client) []byte {
		c.key32, c.iv = make([]byte, 32), make([]byte, 32)
		return c.wrap(encode(c.setDH(encode(c.clientInner()))))
	}},
	{name: "method of the API", dh: func(c *client) []byte {
		return c.wrap(binary.LittleEndian.AppendUint32(nil, 0xc4f9186b))
	}},
	{name: "acknowledgement with a lie in its length", dh: func(c *client) []byte {
		b := encode(&mt.MsgsAck{MsgIDs: []int64{1}})
		b[8] = 2
		return c.wrap(b)
	}},
}

func withDC(dc int32) func(c *client) []byte {
	return rawInnerDH(func(c *client) []byte { return c.bareInner(innerDC, dc) })
}

func withBlock(bend func(b []byte) []byte) func(c *client) []byte {
	return outerDH(func(_ *client, q *mt.ReqDHParamsRequest) {
		q.EncryptedData = bend(q.EncryptedData)
	})
}

func irregularGen() []irregular {
	p, one := primeBig(), big.NewInt(1)
	low := new(big.Int).Lsh(one, 1984)
	return []irregular{
		{name: "g_b = 0", gen: withGB(new(big.Int))},
		{name: "g_b = 1", gen: withGB(one)},
		{name: "g_b = 3", gen: withGB(big.NewInt(3))},
		{name: "g_b = 2^1984", gen: withGB(low)},
		{name: "g_b = p-2^1984", gen: withGB(new(big.Int).Sub(p, low))},
		{name: "g_b = p-1", gen: withGB(new(big.Int).Sub(p, one))},
		{name: "g_b = p", gen: withGB(p)},
		{name: "g_b = p+1", gen: withGB(new(big.Int).Add(p, one))},
		{name: "g_b = 2^2048-1", gen: withGB(
			new(big.Int).Sub(new(big.Int).Lsh(one, 2048), one))},
		{name: "g_b = 2^4000", gen: withGB(new(big.Int).Lsh(one, 4000))},
		{name: "outer nonce again", gen: outerGen(func(q *mt.SetClientDHParamsRequest) {
			q.Nonce[3] ^= 1
		})},
		{name: "outer server_nonce again", gen: outerGen(func(q *mt.SetClientDHParamsRequest) {
			q.ServerNonce[3] ^= 1
		})},
		{name: "inner nonce again", gen: innerGen(func(in *mt.ClientDHInnerData) {
			in.Nonce[3] ^= 1
		})},
		{name: "inner server_nonce again", gen: innerGen(func(in *mt.ClientDHInnerData) {
			in.ServerNonce[3] ^= 1
		})},
		{name: "retry_id at the first attempt", gen: innerGen(func(in *mt.ClientDHInnerData) {
			in.RetryID = 1
		})},
		{name: "spoiled answer", gen: outerGen(func(q *mt.SetClientDHParamsRequest) {
			q.EncryptedData[40] ^= 1
		})},
		{name: "answer of no whole blocks", gen: outerGen(func(q *mt.SetClientDHParamsRequest) {
			q.EncryptedData = q.EncryptedData[:len(q.EncryptedData)-4]
		})},
		{name: "empty answer", gen: outerGen(func(q *mt.SetClientDHParamsRequest) {
			q.EncryptedData = nil
		})},
		{name: "answer without hash", gen: func(c *client) []byte {
			data := make([]byte, 336)
			copy(data[20:], encode(c.clientInner()))
			return c.wrap(encode(&mt.SetClientDHParamsRequest{
				Nonce: c.nonce, ServerNonce: c.server, EncryptedData: c.encryptBlocks(data),
			}))
		}},
		{name: "second req_DH_params", gen: func(c *client) []byte {
			c.newNonce[0] ^= 1
			return c.wrap(encode(c.reqDH(encode(c.inner()))))
		}},
	}
}

// TestIrregularHandshakes refuses every wrong query with the same error and checks what becomes of
// the connection. In 14 of these ways a handshake passed a server that is in wide use for tests.
func TestIrregularHandshakes(t *testing.T) {
	w := newWorld(t)
	w.reusePairs(t)
	tests := append(append(irregularTimes, irregularDH...), irregularGen()...)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(w)
			if tt.code == None {
				tt.code = NotFound
			}
			if tt.pq != nil {
				refused(t, c, tt, tt.pq(c))
			}
			if tt.fate == alive {
				c.upToPQ(t)
				c.upToDH(t, encode(c.inner()))
				c.finish(t)
				return
			}
			c.upToPQ(t)
			if tt.dh != nil {
				right := c.wrap(encode(c.reqDH(encode(c.inner()))))
				refused(t, c, tt, tt.dh(c))
				stays(t, c, right)
				return
			}
			c.upToDH(t, encode(c.inner()))
			right := c.wrap(encode(c.setDH(encode(c.clientInner()))))
			refused(t, c, tt, tt.gen(c))
			stays(t, c, right)
		})
	}
}

// refused sends an irregular query and checks the answer.
func refused(t *testing.T, c *client, tt irregular, query []byte) {
	t.Helper()
	reply, done, err := c.step(query)
	if reply != nil || done != nil {
		t.Fatalf("answered with %x, %v", reply, done)
	}
	closes := err.(*Error).Reason == "not a query of the handshake"
	wantError(t, err, tt.code, closes)
}

// stays checks that a dead connection answers nothing, however right.
func stays(t *testing.T, c *client, right []byte) {
	t.Helper()
	for _, query := range [][]byte{right, c.reqPQ()} {
		reply, done, err := c.step(query)
		if reply != nil || done != nil {
			t.Errorf("a right query after a wrong one is answered with %x", reply)
		}
		wantError(t, err, NotFound, true)
	}
}

// TestRepeatedNewNonce sends a new_nonce that was used before.
func TestRepeatedNewNonce(t *testing.T) {
	w := newWorld(t)
	w.reusePairs(t)
	first := newClient(w)
	first.upToPQ(t)
	first.upToDH(t, encode(first.inner()))
	second := newClient(w)
	second.newNonce = first.newNonce
	second.upToPQ(t)
	_, _, err := second.step(second.wrap(encode(second.reqDH(encode(second.inner())))))
	wantError(t, err, NotFound, false)
	var s seen
	for i := range rememberedNonces + 10 {
		if !s.add(&[32]byte{byte(i), byte(i >> 8), 1}) {
			t.Fatalf("nonce %d is not new", i)
		}
	}
	if len(s.set) > rememberedNonces || s.add(&[32]byte{20, 0, 1}) {
		t.Errorf("%d nonces remembered", len(s.set))
	}
}

// TestMalformedMessages sends payloads that are no unencrypted messages.
func TestMalformedMessages(t *testing.T) {
	w := newWorld(t)
	good := newClient(w).reqPQ()
	claim := func(n uint32) []byte {
		out := append([]byte(nil), good...)
		binary.LittleEndian.PutUint32(out[16:], n)
		return out
	}
	for name, payload := range map[string][]byte{
		"empty":            nil,
		"header only":      good[:20],
		"cut":              good[:len(good)-1],
		"length 0":         claim(0),
		"length 0 exactly": plainMessage(testTime.Unix()<<32, nil),
		"length 0, padded": append(plainMessage(testTime.Unix()<<32, nil), 1, 2, 3, 4),
		"length 19":        claim(19),
		"length 24":        claim(24),
		"length negative":  claim(1 << 31),
		"largest length":   claim(1<<32 - 4),
		"long":             plainMessage(testTime.Unix()<<32, make([]byte, 1<<20)),
		"encrypted":        append([]byte{1}, good[1:]...),
	} {
		x := w.server.Start()
		reply, done, err := x.Step(context.Background(), payload)
		if reply != nil || done != nil {
			t.Errorf("%s: answered", name)
		}
		wantError(t, err, NotFound, true)
	}
}

// mutate performs a handshake in which one of the three queries has one byte changed, outside of
// the message id, and reports whether the server created a key.
func mutate(t testing.TB, w *world, query, position int, change byte) bool {
	c := newClient(w)
	bend := func(n int, payload []byte) []byte {
		if n == query {
			position %= len(payload)
			if position >= 8 && position < 16 {
				position += 8
			}
			payload[position] ^= change
		}
		return payload
	}
	reply, done, err := c.step(bend(0, c.reqPQ()))
	if err != nil || !c.readPQ(reply) {
		return done != nil
	}
	reply, done, err = c.step(bend(1, c.wrap(encode(c.reqDH(encode(c.inner()))))))
	if err != nil || done != nil || c.readDH(reply) != nil {
		return done != nil
	}
	_, done, _ = c.step(bend(2, c.wrap(encode(c.setDH(encode(c.clientInner()))))))
	return done != nil
}

func TestMutationsCreateNoKey(t *testing.T) {
	w := newWorld(t)
	w.reusePairs(t)
	random := mathrand.New(mathrand.NewPCG(1, 2))
	for i := range 400 {
		query, position := i%3, random.IntN(1024)
		change := byte(1 << random.IntN(8))
		if mutate(t, w, query, position, change) {
			t.Fatalf("query %d, byte %d, change %02x: dh_gen_ok", query, position, change)
		}
	}
	if len(w.saved) != 0 {
		t.Errorf("%d keys saved", len(w.saved))
	}
	c := newClient(w)
	c.upToPQ(t)
	c.upToDH(t, encode(c.inner()))
	c.finish(t)
}

func FuzzMutations(f *testing.F) {
	w := newWorld(f)
	w.reusePairs(f)
	f.Add(0, 24, byte(1))
	f.Add(1, 60, byte(0x80))
	f.Add(2, 100, byte(4))
	f.Fuzz(func(t *testing.T, query, position int, change byte) {
		if change == 0 || position < 0 {
			return
		}
		if mutate(t, w, ((query%3)+3)%3, position, change) {
			t.Fatal("dh_gen_ok")
		}
	})
}

// FuzzStep feeds arbitrary payloads, cut from one input, to one connection.
func FuzzStep(f *testing.F) {
	w := newWorld(f)
	w.reusePairs(f)
	c := newClient(w)
	id := testTime.Unix() << 32
	f.Add(plainMessage(id, encode(&mt.ReqPqMultiRequest{Nonce: c.nonce})), 40)
	f.Add(plainMessage(id, encode(&mt.ReqDHParamsRequest{EncryptedData: make([]byte, 256)})), 400)
	f.Add(plainMessage(id, encode(&mt.SetClientDHParamsRequest{Nonce: bin.Int128{1}})), 64)
	f.Fuzz(func(t *testing.T, in []byte, size int) {
		x := w.server.Start()
		size = max(1, size)
		for len(in) > 0 {
			n := min(size, len(in))
			if _, done, _ := x.Step(context.Background(), in[:n]); done != nil {
				t.Fatal("a key from arbitrary bytes")
			}
			in = in[n:]
		}
	})
}
