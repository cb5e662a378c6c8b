// Package handshake is the server side of auth key creation: a state machine that takes unencrypted
// messages one by one and answers each, for permanent and temporary keys.
//
// It reads no socket, keeps no key and knows no user: the caller frames, stores and limits by
// address. It refuses every irregularity with the same transport error, and a run that was
// irregular once stays refused. Old clients are served on purpose: inner data without a data
// centre, and the SHA-1 padding that preceded RSA_PAD.
//
// Invariants: nothing that a peer sends reaches dh_gen_ok unless every nonce, the proof of work,
// the fingerprint and the range of g_b are right; a permanent key is saved before its dh_gen_ok
// exists; secrets are exponents only in constant-time arithmetic and are erased when their run
// ends; all state of a connection is bounded.
//
// https://core.telegram.org/mtproto/auth_key
package handshake

import (
	"fmt"
	"time"

	"parley/internal/mtproto/crypt"
)

// Code is a transport error, sent to the client as four bytes in place of a message.
//
// https://core.telegram.org/mtproto/mtproto-transports#transport-errors
type Code int32

// The transport errors that a handshake can end in. None means that nothing is sent.
const (
	None     Code = 0
	NotFound Code = -404
	Flood    Code = -429
	WrongDC  Code = -444
)

// Error is the only error that Step returns.
type Error struct {
	// Code is the transport error to answer, or None.
	Code Code
	// Close says that the connection must be closed after Code has been sent.
	Close bool
	// Reason names the broken rule, for diagnostics. It never holds what the peer sent.
	Reason string
	// Err is the failure of the server itself that stopped the run, if that is what happened.
	Err error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("handshake: %s: %v", e.Reason, e.Err)
	}
	return fmt.Sprintf("handshake: %s (%d)", e.Reason, e.Code)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Result is an auth key that a handshake has created, as the client asked for it.
type Result struct {
	Key crypt.AuthKey
	// Salt is the first server salt of the key.
	Salt int64
	// Temp says that the key must be kept in memory only and until ExpiresAt at most.
	Temp bool
	// ExpiresAt is when a temporary key ends; zero for a permanent one.
	ExpiresAt time.Time
	// DC is the data centre that the client believes to be talking to, or 0 when it named none.
	DC int
	// Test and Media say that it named a test or a media data centre.
	Test, Media bool
}

// Bounds of one connection's handshake.
const (
	// maxRequests is how often a connection may send req_pq or req_pq_multi before a run completes.
	// Some clients send a false one first, others use a pair of them as a ping.
	maxRequests = 5
	// maxAcks is how many unencrypted acknowledgements may come before a run completes. They change
	// nothing, but some clients send one for every answer.
	maxAcks = 16
	// maxAttempts is how often g_b may lead to a key id that exists already.
	maxAttempts = 3
	// memory is how long a run and its last answer are remembered.
	memory = 10 * time.Minute
	// maxAge and maxAhead bound the time that a client's message id tells.
	//
	// https://core.telegram.org/mtproto/description#message-identifier-msg-id
	maxAge   = 300 * time.Second
	maxAhead = 30 * time.Second
	// MaxTempLifetime is the longest life of a temporary key that is accepted.
	MaxTempLifetime = 7 * 24 * time.Hour
	// maxKeys keeps resPQ, the answer to 40 bytes, under three times their size.
	maxKeys = 4
	// maxPayload is the longest unencrypted message; the longest honest one has some 400 bytes.
	maxPayload = 1024
)

// Data centres are named by their number, negative for media, beyond testDC for test servers.
const (
	testDC     = 10000
	defaultDCs = 5
)
