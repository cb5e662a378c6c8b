package handshake

import (
	"context"
	"crypto/sha1" // The protocol defines these hashes by SHA-1.
	"crypto/subtle"
	"encoding/binary"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/mt"

	"parley/internal/mtproto/crypt"
)

// minClientInner is the length of the shortest sealed client_DH_inner_data: hash, object with an
// empty g_b, padding. The longest is bounded by maxPayload.
const minClientInner = 64

// The kinds of answer to set_client_DH_params, as their hashes count them.
const (
	hashOK    = 1
	hashRetry = 2
	hashFail  = 3
)

// setClientDH takes g_b and answers whether there is a key now.
//
// https://core.telegram.org/mtproto/auth_key#9-server-responds-in-one-of-three-ways
func (x *Exchange) setClientDH(ctx context.Context, now time.Time, body []byte) (
	[]byte, *Result, *Error,
) {
	if x.run == nil {
		return nil, nil, &Error{Code: NotFound, Reason: "no run under way"}
	}
	var query mt.SetClientDHParamsRequest
	if !x.run.keyed || !decode(body, &query) {
		return nil, nil, x.refuse("malformed query")
	}
	if !x.run.isFor(query.Nonce, query.ServerNonce) {
		return nil, nil, x.refuse("nonces")
	}
	in, ok := x.run.openClientInner(query.EncryptedData)
	if !ok || in.RetryID != x.run.retryID || !x.run.isFor(in.Nonce, in.ServerNonce) {
		return nil, nil, x.refuse("client inner data")
	}
	gb, err := x.server.group.Element(in.GB)
	if err != nil {
		return nil, nil, x.refuse("range of g_b")
	}
	release, busy := x.server.acquire(ctx)
	if busy != nil {
		return nil, nil, busy
	}
	value, err := x.server.group.Exp(&gb, x.run.a[:])
	release()
	if err != nil {
		return nil, nil, x.refuse("range of g_b")
	}
	key := crypt.NewAuthKey(value)
	clear(value[:])
	exists, err := x.server.exists(ctx, key.ID)
	if err != nil {
		return nil, nil, x.fail("looking for the key id", err)
	}
	if exists {
		return x.collide(&key), nil, nil
	}
	return x.complete(ctx, now, key)
}

// openClientInner opens client_DH_inner_data. The hash covers all but the padding, whose length is
// not told, so all sixteen are tried, always. If none fits, nothing is left to decode.
func (r *run) openClientInner(encrypted []byte) (in mt.ClientDHInnerData, ok bool) {
	if len(encrypted) < minClientInner || len(encrypted)%16 != 0 {
		return in, false
	}
	crypt.DecryptIGE(&r.tmpKey, &r.tmpIV, encrypted)
	sum, data := encrypted[:sha1.Size], encrypted[sha1.Size:]
	size := 0
	for padding := range 16 {
		got := sha1.Sum(data[:len(data)-padding])
		same := subtle.ConstantTimeCompare(got[:], sum)
		size = subtle.ConstantTimeSelect(same, len(data)-padding, size)
	}
	return in, decode(data[:size], &in)
}

// collide answers that the key's id is taken: the client shall try another b, or give up.
func (x *Exchange) collide(key *crypt.AuthKey) []byte {
	r := x.run
	if r.collision++; r.collision < maxAttempts {
		r.retryID = key.AuxHash()
		return encode(&mt.DhGenRetry{
			Nonce: r.nonce, ServerNonce: r.serverNonce, NewNonceHash2: r.hash(hashRetry, key),
		})
	}
	answer := encode(&mt.DhGenFail{
		Nonce: r.nonce, ServerNonce: r.serverNonce, NewNonceHash3: r.hash(hashFail, key),
	})
	x.end()
	return answer
}

// complete saves a permanent key, and only then makes the answer that tells the client of it.
func (x *Exchange) complete(ctx context.Context, now time.Time, key crypt.AuthKey) (
	[]byte, *Result, *Error,
) {
	r := x.run
	done := &Result{
		Key:  key,
		Temp: r.in.temp,
		Salt: int64(binary.LittleEndian.Uint64(r.in.newNonce[:]) ^
			binary.LittleEndian.Uint64(r.serverNonce[:])),
	}
	done.DC, done.Test, done.Media, _ = x.server.dataCentre(r.in)
	if done.Temp {
		done.ExpiresAt = now.Add(time.Duration(r.in.expiresIn) * time.Second)
	} else if err := x.server.save(ctx, *done); err != nil {
		return nil, nil, x.fail("saving the key", err)
	}
	answer := encode(&mt.DhGenOk{
		Nonce: r.nonce, ServerNonce: r.serverNonce, NewNonceHash1: r.hash(hashOK, &key),
	})
	x.end()
	x.requests, x.acks = 0, 0
	return answer, done, nil
}

// hash proves to the client which answer of the three it gets, and for which key.
func (r *run) hash(kind byte, key *crypt.AuthKey) bin.Int128 {
	in := make([]byte, 0, len(r.in.newNonce)+1+8)
	in = append(in, r.in.newNonce[:]...)
	in = append(in, kind)
	in = binary.LittleEndian.AppendUint64(in, uint64(key.AuxHash()))
	sum := sha1.Sum(in)
	clear(in)
	return bin.Int128(sum[4:])
}
