package handshake

import (
	"context"
	"crypto/sha1" // The protocol defines these hashes by SHA-1.
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"io"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/mt"

	"parley/internal/mtproto/crypt"
)

// Exchange is the handshakes of one connection, one after the other: a client may ping with req_pq,
// then create a permanent key, then a temporary one. It is not safe for concurrent use. Drop it
// whenever nothing unencrypted is expected any more.
type Exchange struct {
	server *Server
	// run is the handshake under way, or nil.
	run *run
	// dead says that a run was irregular: nothing is answered any more.
	dead bool
	// requests and acks count since the last completed run.
	requests, acks int
	// last is the latest query and its answer, for an exact repetition.
	last struct {
		query  [sha256.Size]byte
		answer []byte
		at     time.Time
	}
	lastMsgID int64
}

// run is one handshake: what one pair of nonces stands for.
type run struct {
	started     time.Time
	nonce       bin.Int128
	serverNonce bin.Int128
	p, q        [4]byte
	known       known

	// The rest is set once server_DH_params_ok has been sent, which keyed tells.
	keyed     bool
	in        inner
	tmpKey    [32]byte
	tmpIV     [32]byte
	a         [crypt.KeySize]byte
	retryID   int64
	collision int
}

// Step takes one unencrypted message of the client as its transport delivered it, and returns the
// unencrypted message to answer, which is nil for an acknowledgement. When the answer completes a
// handshake, done describes the new key; a permanent one has been saved by then. The error is
// always an *Error. Step may wait for the processor and for Save and Exists, never for the client.
func (x *Exchange) Step(ctx context.Context, payload []byte) (
	reply []byte, done *Result, err error,
) {
	now := x.server.clock.Now()
	msgID, body, ok := split(payload)
	switch {
	case x.dead:
		return nil, nil, &Error{Code: NotFound, Close: true, Reason: "the run was irregular"}
	case !ok:
		return nil, nil, x.kill(&Error{Code: NotFound, Close: true, Reason: "malformed message"})
	case !isTimely(msgID, now):
		return nil, nil, &Error{Code: NotFound, Reason: "message id"}
	}
	answer, done, failure := x.dispatch(ctx, now, trim(body))
	if failure != nil {
		return nil, nil, failure
	}
	if answer == nil {
		return nil, nil, nil
	}
	reply, x.lastMsgID = join(answer, now, x.lastMsgID)
	return reply, done, nil
}

// dispatch answers one query, from memory if it is an exact repetition of the latest.
//
// https://core.telegram.org/mtproto/auth_key#error-handling-lost-queries-and-responses
func (x *Exchange) dispatch(ctx context.Context, now time.Time, body []byte) (
	answer []byte, done *Result, err *Error,
) {
	id := binary.LittleEndian.Uint32(body)
	isRequest := id == mt.ReqPqRequestTypeID || id == mt.ReqPqMultiRequestTypeID
	if isRequest {
		if x.requests++; x.requests > maxRequests {
			return nil, nil, x.kill(
				&Error{Code: NotFound, Close: true, Reason: "too many requests for pq"})
		}
	}
	if x.run != nil && now.Sub(x.run.started) > memory {
		x.end()
	}
	query := sha256.Sum256(body)
	if x.last.answer != nil && query == x.last.query && now.Sub(x.last.at) <= memory {
		return x.last.answer, nil, nil
	}
	switch {
	case isRequest:
		answer, err = x.requestPQ(now, body)
	case id == mt.ReqDHParamsRequestTypeID:
		answer, err = x.requestDH(ctx, now, body)
	case id == mt.SetClientDHParamsRequestTypeID:
		answer, done, err = x.setClientDH(ctx, now, body)
	case id == mt.MsgsAckTypeID && isAck(body) && x.acks < maxAcks:
		x.acks++
		return nil, nil, nil
	default:
		return nil, nil, x.kill(
			&Error{Code: NotFound, Close: true, Reason: "not a query of the handshake"})
	}
	if err != nil {
		return nil, nil, err
	}
	x.last.query, x.last.answer, x.last.at = query, answer, now
	return answer, done, nil
}

// kill ends the run and refuses all that follows.
func (x *Exchange) kill(err *Error) *Error {
	x.end()
	x.dead = true
	return err
}

// refuse is what every irregular query meets.
func (x *Exchange) refuse(reason string) *Error {
	return x.kill(&Error{Code: NotFound, Reason: reason})
}

// fail is what a failure of the server itself leads to: no answer at all.
func (x *Exchange) fail(what string, err error) *Error {
	return x.kill(&Error{Close: true, Reason: what, Err: err})
}

// end forgets the run and erases its secrets.
func (x *Exchange) end() {
	if x.run != nil {
		*x.run = run{}
		x.run = nil
	}
}

// requestPQ begins a run, whatever became of the one before.
//
// https://core.telegram.org/mtproto/auth_key#2-server-sends-response-of-the-form
func (x *Exchange) requestPQ(now time.Time, body []byte) ([]byte, *Error) {
	if len(body) != bin.Word+len(bin.Int128{}) {
		return nil, x.refuse("malformed query")
	}
	x.end()
	r := &run{started: now, nonce: bin.Int128(body[bin.Word:])}
	if _, err := io.ReadFull(x.server.rand, r.serverNonce[:]); err != nil {
		return nil, x.fail("drawing a nonce", err)
	}
	p, q, err := drawPQ(x.server.rand)
	if err != nil {
		return nil, x.fail("drawing primes", err)
	}
	binary.BigEndian.PutUint32(r.p[:], p)
	binary.BigEndian.PutUint32(r.q[:], q)
	pq := binary.BigEndian.AppendUint64(nil, uint64(p)*uint64(q))
	var b bin.Buffer
	b.PutBytes(pq)
	b.PutBytes(r.p[:])
	b.PutBytes(r.q[:])
	b.PutInt128(r.nonce)
	b.PutInt128(r.serverNonce)
	r.known = known(b.Buf)
	answer := &mt.ResPQ{Nonce: r.nonce, ServerNonce: r.serverNonce, Pq: pq}
	for _, k := range x.server.keys {
		answer.ServerPublicKeyFingerprints = append(
			answer.ServerPublicKeyFingerprints, k.fingerprint)
	}
	x.run = r
	return encode(answer), nil
}

// requestDH takes the proof of work and the client's secret, and answers with g^a.
//
// https://core.telegram.org/mtproto/auth_key#6-server-responds-with
func (x *Exchange) requestDH(ctx context.Context, now time.Time, body []byte) ([]byte, *Error) {
	if x.run == nil {
		return nil, &Error{Code: NotFound, Reason: "no run under way"}
	}
	var query mt.ReqDHParamsRequest
	if x.run.keyed || !decode(body, &query) {
		return nil, x.refuse("malformed query")
	}
	if !x.run.isFor(query.Nonce, query.ServerNonce) {
		return nil, x.refuse("nonces")
	}
	if string(query.P) != string(x.run.p[:]) || string(query.Q) != string(x.run.q[:]) {
		return nil, x.refuse("proof of work")
	}
	key := x.server.key(query.PublicKeyFingerprint)
	if key == nil {
		return nil, x.refuse("fingerprint")
	}
	if len(query.EncryptedData) != rsaSize {
		return nil, x.refuse("encrypted data")
	}
	release, busy := x.server.acquire(ctx)
	if busy != nil {
		return nil, busy
	}
	defer release()
	block, err := key.decrypt((*[rsaSize]byte)(query.EncryptedData), x.server.rand)
	if err != nil && !errors.Is(err, errRange) {
		return nil, x.fail("private operation", err)
	}
	// A ciphertext out of range has left the block empty, which does not open either.
	in, ok := openInner(&block, &x.run.known)
	clear(block[:])
	if !ok {
		return nil, x.refuse("encrypted data")
	}
	return x.answerDH(now, in)
}

// answerDH judges the inner data of the client, draws a and answers.
func (x *Exchange) answerDH(now time.Time, in inner) ([]byte, *Error) {
	if _, _, _, ok := x.server.dataCentre(in); !ok {
		return nil, x.kill(&Error{Code: WrongDC, Reason: "data centre"})
	}
	if in.temp && (in.expiresIn <= 0 || in.expiresIn > int32(MaxTempLifetime/time.Second)) {
		return nil, x.refuse("lifetime")
	}
	if !x.server.nonces.add(&in.newNonce) {
		return nil, x.refuse("repeated new_nonce")
	}
	pair, err := x.server.pair()
	if err != nil {
		return nil, x.fail("drawing a", err)
	}
	r := x.run
	r.in, r.a, r.keyed = in, pair.a, true
	r.deriveTemp()
	prime := x.server.group.Prime()
	answer := encode(&mt.ServerDHInnerData{
		Nonce: r.nonce, ServerNonce: r.serverNonce, G: crypt.Generator,
		DhPrime: prime[:], GA: pair.ga[:], ServerTime: int(now.Unix()),
	})
	sum := sha1.Sum(answer)
	sealed := append(sum[:], answer...)
	padding := make([]byte, (16-len(sealed)%16)%16)
	if _, err := io.ReadFull(x.server.rand, padding); err != nil {
		return nil, x.fail("drawing padding", err)
	}
	sealed = append(sealed, padding...)
	crypt.EncryptIGE(&r.tmpKey, &r.tmpIV, sealed)
	return encode(&mt.ServerDHParamsOk{
		Nonce: r.nonce, ServerNonce: r.serverNonce, EncryptedAnswer: sealed,
	}), nil
}

// dataCentre reads the data centre that a client named; ok says whether it is ours. A client that
// named none is right.
func (s *Server) dataCentre(in inner) (dc int, test, media, ok bool) {
	if !in.hasDC {
		return 0, false, false, true
	}
	dc = int(in.dc)
	if dc < 0 {
		dc, media = -dc, true
	}
	if dc > testDC {
		dc, test = dc-testDC, true
	}
	return dc, test, media, dc >= 1 && dc <= s.dcs
}

// isFor compares both nonces in constant time.
func (r *run) isFor(nonce, serverNonce bin.Int128) bool {
	return subtle.ConstantTimeCompare(r.nonce[:], nonce[:])&
		subtle.ConstantTimeCompare(r.serverNonce[:], serverNonce[:]) == 1
}

// deriveTemp derives the keys that protect the two remaining messages.
//
// https://core.telegram.org/mtproto/auth_key#6-server-responds-with
func (r *run) deriveTemp() {
	hash := func(a, b []byte) [sha1.Size]byte {
		var in [64]byte
		return sha1.Sum(in[:copy(in[:], a)+copy(in[len(a):], b)])
	}
	newNonce := r.in.newNonce[:]
	ns := hash(newNonce, r.serverNonce[:])
	sn := hash(r.serverNonce[:], newNonce)
	nn := hash(newNonce, newNonce)
	copy(r.tmpKey[:], ns[:])
	copy(r.tmpKey[20:], sn[:12])
	copy(r.tmpIV[:], sn[12:])
	copy(r.tmpIV[8:], nn[:])
	copy(r.tmpIV[28:], newNonce[:4])
}
