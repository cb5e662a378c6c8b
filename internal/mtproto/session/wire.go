package session

import (
	"encoding/binary"
	"fmt"

	"parley/internal/limit"
)

// Constructors of service messages.
//
// https://core.telegram.org/schema/mtproto
const (
	idRPCResult       = 0xf35c6d01
	idRPCError        = 0x2144ca19
	idAnswerUnknown   = 0x5e2ad36e
	idAnswerRunning   = 0xcd78e586
	idAnswerDropped   = 0xa43ad8b7
	idDropAnswer      = 0x58e4a740
	idGetFutureSalts  = 0xb921bd04
	idFutureSalts     = 0xae500895
	idPing            = 0x7abe77ec
	idPingDelay       = 0xf3427b8c
	idPong            = 0x347773c5
	idDestroySession  = 0xe7512126
	idSessionGone     = 0xe22045fc
	idSessionNone     = 0x62d350c9
	idDestroyKey      = 0xd1435160
	idKeyGone         = 0xf660e1d4
	idKeyNone         = 0x0a9f2259
	idKeyFail         = 0xea109b13
	idNewSession      = 0x9ec20908
	idContainer       = 0x73f1f8dc
	idCopy            = 0xe06046b2
	idGzip            = 0x3072cfa1
	idAck             = 0x62d6b459
	idBadMsg          = 0xa7eff811
	idBadSalt         = 0xedab447b
	idResendReq       = 0x7d861a08
	idStateReq        = 0xda69fb52
	idStateInfo       = 0x04deb57d
	idAllInfo         = 0x8cc0d131
	idDetailedInfo    = 0x276d3ec6
	idNewDetailedInfo = 0x809db6df
	idHTTPWait        = 0x9299359f
	idVector          = 0x1cb5c415
	idUpdatesTooLong  = 0xe317af7e
)

const (
	wordBytes = 4
	longBytes = 8
	// messageHead is msg_id, seqno and length before each message of a container.
	messageHead = 16
	// resultHead is constructor and req_msg_id of rpc_result.
	resultHead = 12
)

// RPCError is the answer to a query that failed.
//
// https://core.telegram.org/mtproto/service_messages#rpc-error
type RPCError struct {
	Code    int
	Message string
}

// Error implements error.
func (e *RPCError) Error() string { return fmt.Sprintf("%d %s", e.Code, e.Message) }

// Encode returns the error as the result of a query.
func (e *RPCError) Encode() []byte {
	b := make([]byte, 0, 2*wordBytes+wordBytes+len(e.Message)+wordBytes)
	b = appendWord(b, idRPCError)
	b = appendWord(b, uint32(int32(e.Code)))
	return appendBytes(b, e.Message)
}

// Constructor returns the constructor id at the beginning of a TL value, 0 if there is none.
func Constructor(body []byte) uint32 {
	if len(body) < wordBytes {
		return 0
	}
	return binary.LittleEndian.Uint32(body)
}

func appendWord(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }

func appendLong(b []byte, v int64) []byte {
	return binary.LittleEndian.AppendUint64(b, uint64(v))
}

// Short strings carry their length in one byte, longer ones in three after a marker.
//
// https://core.telegram.org/mtproto/serialize#base-types
const (
	longString    = 254
	shortStringAt = 1
	longStringAt  = 4
)

func appendBytes[T ~string | ~[]byte](b []byte, v T) []byte {
	start := len(b)
	if len(v) < longString {
		b = append(b, byte(len(v)))
	} else {
		b = append(b, longString, byte(len(v)), byte(len(v)>>8), byte(len(v)>>16))
	}
	b = append(b, v...)
	for (len(b)-start)%wordBytes != 0 {
		b = append(b, 0)
	}
	return b
}

// reader reads TL values from b. After an attempt to read past the end, it is bad and yields zeros.
type reader struct {
	b   []byte
	bad bool
}

// take returns the next n bytes, or nil.
func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	p := r.b[:n:n]
	r.b = r.b[n:]
	return p
}

func (r *reader) word() uint32 {
	if p := r.take(wordBytes); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

func (r *reader) int() int32 { return int32(r.word()) }

func (r *reader) long() int64 {
	if p := r.take(longBytes); p != nil {
		return int64(binary.LittleEndian.Uint64(p))
	}
	return 0
}

// bytes reads a string or bytes; the result aliases the input.
func (r *reader) bytes() []byte {
	if len(r.b) == 0 {
		r.bad = true
		return nil
	}
	n, at := int(r.b[0]), shortStringAt
	if n >= longString {
		if len(r.b) < longStringAt || n > longString {
			r.bad, r.b = true, nil
			return nil
		}
		n = int(r.b[1]) | int(r.b[2])<<8 | int(r.b[3])<<16
		at = longStringAt
	}
	whole := (at + n + wordBytes - 1) / wordBytes * wordBytes
	p := r.take(whole)
	if p == nil {
		return nil
	}
	return p[at : at+n : at+n]
}

func (r *reader) string() string { return string(r.bytes()) }

// count reads the number of elements of a bare vector, each of at least size bytes and at most most
// of them in all.
func (r *reader) count(size, most int) int {
	n := int(r.int())
	if r.bad || n < 0 || n > most || n > len(r.b)/size {
		r.bad, r.b = true, nil
		return 0
	}
	return n
}

// longs reads a Vector<long> of at most most elements and returns their bytes.
func (r *reader) longs(most int) longs {
	if r.word() != idVector {
		r.bad = true
	}
	return longs(r.take(longBytes * r.count(longBytes, most)))
}

// longs is the body of a vector of longs as it came.
type longs []byte

func (l longs) len() int { return len(l) / longBytes }

func (l longs) at(i int) int64 {
	return int64(binary.LittleEndian.Uint64(l[i*longBytes:]))
}

// tooManyIDs reports whether a service message names more messages than is reasonable.
func tooManyIDs(body []byte) bool {
	r := reader{b: body}
	r.take(2 * wordBytes)
	n := r.int()
	return !r.bad && n > limit.ServiceIDs
}
