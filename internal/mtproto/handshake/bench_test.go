package handshake

import (
	"crypto/rand"
	"math/big"
	"testing"
	"time"
)

// BenchmarkHandshake measures the server's processor time for a whole handshake, pool included, and
// the same three operations on plain math/big, in one run. The last metric is their ratio.
func BenchmarkHandshake(b *testing.B) {
	w := newWorld(b)
	w.server.group.ExpGenerator(new([256]byte))
	key := testKeys()[0]
	var own, plain time.Duration
	b.ReportAllocs()
	for b.Loop() {
		c := newClient(w)
		server := func(payload []byte) []byte {
			start := time.Now()
			reply, _, err := c.step(payload)
			own += time.Since(start)
			if err != nil {
				b.Fatal(err)
			}
			return reply
		}
		if !c.readPQ(server(c.reqPQ())) {
			b.Fatal("no resPQ")
		}
		if err := c.readDH(server(c.wrap(encode(c.reqDH(encode(c.inner())))))); err != nil {
			b.Fatal(err)
		}
		server(c.wrap(encode(c.setDH(encode(c.clientInner())))))

		var secret [256]byte
		rand.Read(secret[:])
		_, gb := clientSecret()
		start := time.Now()
		new(big.Int).Exp(gb, key.D, key.N)
		a := new(big.Int).SetBytes(secret[:])
		new(big.Int).Exp(big.NewInt(3), a, primeBig())
		new(big.Int).Exp(gb, a, primeBig())
		plain += time.Since(start)
	}
	b.ReportMetric(float64(own.Microseconds())/float64(b.N), "own-µs/op")
	b.ReportMetric(float64(plain.Microseconds())/float64(b.N), "plain-µs/op")
	b.ReportMetric(float64(plain)/float64(own), "plain/own")
}

func BenchmarkRequestPQ(b *testing.B) {
	w := newWorld(b)
	c := newClient(w)
	b.ReportAllocs()
	for b.Loop() {
		c.x = w.server.Start()
		if _, _, err := c.step(c.reqPQ()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecrypt(b *testing.B) {
	k, err := newPrivateKey(testKeys()[0])
	if err != nil {
		b.Fatal(err)
	}
	in := [rsaSize]byte{rsaSize - 1: 7}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.decrypt(&in, rand.Reader); err != nil {
			b.Fatal(err)
		}
	}
}
