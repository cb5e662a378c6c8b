package handshake

import (
	"context"
	"crypto/aes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"math/big"
	"math/bits"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gotd/ige"
	"github.com/gotd/td/bin"
	"github.com/gotd/td/crypto"
	"github.com/gotd/td/mt"

	"parley/internal/clock"
	"parley/internal/mtproto/crypt"
)

// testTime is what the fake clocks of the tests show.
var testTime = time.Unix(1_790_000_000, 123_456_789)

var testKeys = sync.OnceValue(func() []*rsa.PrivateKey {
	var keys []*rsa.PrivateKey
	for range 2 {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys = append(keys, k)
	}
	return keys
})

// world is a server with what it stands on.
type world struct {
	server *Server
	clock  *clock.Fake
	saved  []Result
	// saveErr and exists steer the store.
	saveErr error
	exists  func(id int64) (bool, error)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{clock: clock.NewFake(testTime)}
	w.exists = func(int64) (bool, error) { return false, nil }
	server, err := NewServer(Config{
		Keys: testKeys(), Clock: w.clock, Rand: crypt.NewRandom(rand.Reader),
		Save: func(_ context.Context, r Result) error {
			w.saved = append(w.saved, r)
			return w.saveErr
		},
		Exists: func(_ context.Context, id int64) (bool, error) { return w.exists(id) },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.server = server
	return w
}

// reusePairs feeds the server one and the same Diffie-Hellman pair, which saves time where secrecy
// is not the point.
func (w *world) reusePairs(t testing.TB) {
	p, err := w.server.newPair()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	go func() {
		for {
			select {
			case w.server.pairs <- p:
			case <-done:
				return
			}
		}
	}()
}

// client performs the client's part with an independent implementation of the cryptography, one
// query at a time, so that a test can bend each of them.
type client struct {
	w         *world
	x         *Exchange
	key       *rsa.PublicKey
	sha1Pad   bool
	nonce     bin.Int128
	server    bin.Int128
	newNonce  bin.Int256
	pq, p, q  []byte
	key32, iv []byte
	ga        *big.Int
	msgID     int64
	// padded is a client that appends bytes to its queries and says 0 for every message id.
	padded bool
}

func newClient(w *world) *client {
	c := &client{w: w, x: w.server.Start(), key: &testKeys()[0].PublicKey}
	rand.Read(c.nonce[:])
	rand.Read(c.newNonce[:])
	return c
}

// wrap makes an unencrypted message.
func (c *client) wrap(body []byte) []byte {
	if c.padded {
		pad := make([]byte, -len(body)&15+15*16)
		return plainMessage(0, append(slices.Clone(body), pad...))
	}
	c.msgID = max(c.msgID+4, c.w.clock.Now().Unix()<<32)
	return plainMessage(c.msgID, body)
}

func plainMessage(msgID int64, body []byte) []byte {
	out := make([]byte, 20, 20+len(body))
	binary.LittleEndian.PutUint64(out[8:], uint64(msgID))
	binary.LittleEndian.PutUint32(out[16:], uint32(len(body)))
	return append(out, body...)
}

func (c *client) step(payload []byte) ([]byte, *Result, error) {
	return c.x.Step(context.Background(), payload)
}

// body checks the header of an answer and returns what follows.
func (c *client) body(reply []byte) []byte {
	if len(reply) < 24 || binary.LittleEndian.Uint64(reply) != 0 ||
		binary.LittleEndian.Uint64(reply[8:])%4 != 1 ||
		int(binary.LittleEndian.Uint32(reply[16:])) != len(reply)-20 {
		return nil
	}
	return reply[20:]
}

func (c *client) reqPQ() []byte {
	return c.wrap(encode(&mt.ReqPqMultiRequest{Nonce: c.nonce}))
}

// readPQ takes resPQ and does the proof of work.
func (c *client) readPQ(reply []byte) bool {
	var res mt.ResPQ
	if !decode(c.body(reply), &res) {
		return false
	}
	c.server, c.pq = res.ServerNonce, res.Pq
	p, q := factor(new(big.Int).SetBytes(res.Pq).Uint64())
	c.p, c.q = big.NewInt(int64(p)).Bytes(), big.NewInt(int64(q)).Bytes()
	return slices.Contains(res.ServerPublicKeyFingerprints, crypto.RSAFingerprint(c.key))
}

// inner is the inner data of a permanent key for data centre 2.
func (c *client) inner() *mt.PQInnerDataDC {
	return &mt.PQInnerDataDC{
		Pq: c.pq, P: c.p, Q: c.q, Nonce: c.nonce, ServerNonce: c.server,
		NewNonce: c.newNonce, DC: 2,
	}
}

// seal pads and encrypts inner data for the server.
func (c *client) seal(data []byte) []byte {
	pad := crypto.RSAPad
	if c.sha1Pad {
		pad = crypto.RSAEncryptHashed
	}
	out, err := pad(data, c.key, rand.Reader)
	if err != nil {
		panic(err)
	}
	return out
}

// reqDH is an honest req_DH_params around the given inner data.
func (c *client) reqDH(inner []byte) *mt.ReqDHParamsRequest {
	return &mt.ReqDHParamsRequest{
		Nonce: c.nonce, ServerNonce: c.server, P: c.p, Q: c.q,
		PublicKeyFingerprint: crypto.RSAFingerprint(c.key), EncryptedData: c.seal(inner),
	}
}

// readDH takes server_DH_params_ok and checks all that a client checks.
func (c *client) readDH(reply []byte) error {
	var ok mt.ServerDHParamsOk
	if !decode(c.body(reply), &ok) || ok.Nonce != c.nonce || ok.ServerNonce != c.server {
		return errors.New("not server_DH_params_ok")
	}
	c.key32, c.iv = crypto.TempAESKeys(c.newNonce.BigInt(), c.server.BigInt())
	data, err := crypto.DecryptExchangeAnswer(ok.EncryptedAnswer, c.key32, c.iv)
	if err != nil {
		return err
	}
	var in mt.ServerDHInnerData
	if !decode(data, &in) || in.Nonce != c.nonce || in.ServerNonce != c.server {
		return errors.New("not server_DH_inner_data")
	}
	if in.ServerTime != int(c.w.clock.Now().Unix()) || in.G != 3 {
		return errors.New("wrong time or generator")
	}
	c.ga = new(big.Int).SetBytes(in.GA)
	one := new(big.Int).SetBytes(in.DhPrime)
	return crypto.CheckDHParams(one, big.NewInt(3), c.ga, c.ga)
}

// clientSecret is b and g^b of all test clients: they have nothing to hide.
var clientSecret = sync.OnceValues(func() (b, gb *big.Int) {
	b = new(big.Int).SetBytes(make([]byte, 1))
	for b.BitLen() < 2000 {
		var buf [256]byte
		rand.Read(buf[:])
		b.SetBytes(buf[:])
	}
	return b, new(big.Int).Exp(big.NewInt(3), b, primeBig())
})

var primeBig = sync.OnceValue(func() *big.Int {
	p := crypt.NewGroup().Prime()
	return new(big.Int).SetBytes(p[:])
})

// clientInner is honest client_DH_inner_data.
func (c *client) clientInner() *mt.ClientDHInnerData {
	_, gb := clientSecret()
	return &mt.ClientDHInnerData{Nonce: c.nonce, ServerNonce: c.server, GB: gb.Bytes()}
}

// setDH is an honest set_client_DH_params around the given inner data.
func (c *client) setDH(inner []byte) *mt.SetClientDHParamsRequest {
	sealed, err := crypto.EncryptExchangeAnswer(rand.Reader, inner, c.key32, c.iv)
	if err != nil {
		panic(err)
	}
	return &mt.SetClientDHParamsRequest{
		Nonce: c.nonce, ServerNonce: c.server, EncryptedData: sealed,
	}
}

// authKey is what the client computes.
func (c *client) authKey() (k crypto.Key) {
	b, _ := clientSecret()
	new(big.Int).Exp(c.ga, b, primeBig()).FillBytes(k[:])
	return k
}

// nonceHash is new_nonce_hash1, 2 or 3.
func (c *client) nonceHash(kind byte, k crypto.Key) (h bin.Int128) {
	aux := k.AuxHash()
	sum := sha1.Sum(append(append(slices.Clone(c.newNonce[:]), kind), aux[:]...))
	copy(h[:], sum[4:])
	return h
}

// upToPQ brings the client to the point where it knows p and q.
func (c *client) upToPQ(t testing.TB) {
	t.Helper()
	reply, _, err := c.step(c.reqPQ())
	if err != nil || !c.readPQ(reply) {
		t.Fatalf("req_pq_multi: %v", err)
	}
}

// upToDH brings it to the point where it knows g_a.
func (c *client) upToDH(t testing.TB, inner []byte) {
	t.Helper()
	reply, _, err := c.step(c.wrap(encode(c.reqDH(inner))))
	if err != nil {
		t.Fatalf("req_DH_params: %v", err)
	}
	if err := c.readDH(reply); err != nil {
		t.Fatal(err)
	}
}

// finish sends set_client_DH_params and checks dh_gen_ok.
func (c *client) finish(t testing.TB) *Result {
	t.Helper()
	reply, done, err := c.step(c.wrap(encode(c.setDH(encode(c.clientInner())))))
	if err != nil || done == nil {
		t.Fatalf("set_client_DH_params: %v, %v", done, err)
	}
	c.checkOK(t, reply, done)
	return done
}

func (c *client) checkOK(t testing.TB, reply []byte, done *Result) {
	t.Helper()
	var ok mt.DhGenOk
	k := c.authKey()
	if !decode(c.body(reply), &ok) || ok.Nonce != c.nonce || ok.ServerNonce != c.server ||
		ok.NewNonceHash1 != c.nonceHash(1, k) {
		t.Fatal("wrong dh_gen_ok")
	}
	if done.Key.Value != [256]byte(k) || done.Salt != crypto.ServerSalt(c.newNonce, c.server) {
		t.Fatal("server holds another key or salt than the client")
	}
}

// encryptBlocks seals arbitrary bytes with the keys of the run.
func (c *client) encryptBlocks(data []byte) []byte {
	block, _ := aes.NewCipher(c.key32)
	out := make([]byte, len(data))
	ige.EncryptBlocks(block, c.iv, out, data)
	return out
}

// factor splits a product of two primes by Pollard's rho.
func factor(n uint64) (p, q uint64) {
	mul := func(a, b uint64) uint64 {
		hi, lo := bits.Mul64(a, b)
		_, rem := bits.Div64(hi, lo, n)
		return rem
	}
	gcd := func(a, b uint64) uint64 {
		for b > 0 {
			a, b = b, a%b
		}
		return a
	}
	for c := uint64(1); ; c++ {
		x, y, d := uint64(2), uint64(2), uint64(1)
		for d == 1 {
			x = (mul(x, x) + c) % n
			y = (mul(y, y) + c) % n
			y = (mul(y, y) + c) % n
			d = gcd(max(x, y)-min(x, y), n)
		}
		if d != n {
			return min(d, n/d), max(d, n/d)
		}
	}
}
