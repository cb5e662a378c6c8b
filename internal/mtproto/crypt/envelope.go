package crypt

import (
	"crypto/aes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

const (
	// prefixSize is auth_key_id and msg_key, which stand before the encrypted part.
	prefixSize = 8 + msgKeySize
	msgKeySize = 16
	// headerSize is salt, session_id, msg_id, seq_no and the body's length.
	headerSize = 8 + 8 + 8 + 4 + 4
	// minPadding and maxPadding bound the random bytes after the body.
	minPadding = 12
	maxPadding = 1024
	// extraBlocks is the number of further lengths that an outgoing envelope may have beyond the
	// shortest, 16 bytes each: it blurs the body's length at little cost per envelope.
	extraBlocks = 4
	// maxAppended is the longest padding of an outgoing envelope.
	maxAppended = minPadding + aes.BlockSize - 1 + (extraBlocks-1)*aes.BlockSize
	// MaxOverhead is the most that AppendSealed adds to a body, in bytes.
	MaxOverhead = prefixSize + headerSize + maxAppended
)

// The offsets into the auth key that tell the two directions apart.
const (
	fromClient = 0
	fromServer = 8
)

// ErrOpen says that a frame is no envelope sealed with the key. Nothing more is known about it, by
// design: every way of being wrong is this one.
var ErrOpen = errors.New("crypt: frame does not open")

// Header is what an envelope carries besides its body.
//
// https://core.telegram.org/mtproto/description#encrypted-message-encrypted-data
type Header struct {
	Salt      int64
	SessionID int64
	MsgID     int64
	SeqNo     int32
}

// Plain is an opened envelope. Body aliases the frame that it was opened from.
type Plain struct {
	Salt      int64
	SessionID int64
	MsgID     int64
	SeqNo     int32
	Body      []byte
	// QuickAck is the token that acknowledges the frame when its transport asked for a quick
	// acknowledgement; little-endian on the wire, except in the abridged transport.
	//
	// https://core.telegram.org/mtproto/mtproto-transports#quick-ack
	QuickAck uint32
}

// Patch overwrites eight bytes of a body with Value, little-endian, at offset Off.
type Patch struct {
	Off   int
	Value int64
}

// Open decrypts a frame from a client in place. The frame must begin with the key's id; up to 15
// bytes after the last whole block are transport padding and ignored. It answers ErrOpen for
// everything that is no envelope of MTProto 2.0 under this key, and then the frame is garbage.
//
// https://core.telegram.org/mtproto/description#defining-aes-key-and-initialization-vector
func Open(key *AuthKey, frame []byte) (Plain, error) {
	blocks := (len(frame) - prefixSize) / aes.BlockSize * aes.BlockSize
	if blocks < headerSize+aes.BlockSize || keyID(frame) != key.ID {
		return Plain{}, ErrOpen
	}
	msgKey := (*[msgKeySize]byte)(frame[8:])
	data := frame[prefixSize : prefixSize+blocks]
	aesKey, aesIV := deriveKeys(key, msgKey, fromClient)
	DecryptIGE(&aesKey, &aesIV, data)
	large := msgKeyLarge(key, data, fromClient)
	if subtle.ConstantTimeCompare(large[8:8+msgKeySize], msgKey[:]) != 1 {
		return Plain{}, ErrOpen
	}
	length := int(int32(binary.LittleEndian.Uint32(data[28:])))
	padding := len(data) - headerSize - length
	if length < 0 || length%4 != 0 || padding < minPadding || padding > maxPadding {
		return Plain{}, ErrOpen
	}
	return Plain{
		Salt:      int64(binary.LittleEndian.Uint64(data)),
		SessionID: int64(binary.LittleEndian.Uint64(data[8:])),
		MsgID:     int64(binary.LittleEndian.Uint64(data[16:])),
		SeqNo:     int32(binary.LittleEndian.Uint32(data[24:])),
		Body:      data[headerSize : headerSize+length : headerSize+length],
		QuickAck:  binary.LittleEndian.Uint32(large[:]) | 1<<31,
	}, nil
}

// AppendSealed appends to dst an envelope for the client that holds key, and returns the extended
// slice. The body is copied and then patched, so that one body may serve many receivers; its length
// must be a multiple of four and every patch must lie within it, else AppendSealed panics. It does
// not allocate when dst has room for len(body)+MaxOverhead bytes.
func AppendSealed(
	dst []byte, key *AuthKey, h Header, body []byte, patches []Patch, rand *Random,
) []byte {
	if len(body)%4 != 0 {
		panic("crypt: body is not whole words")
	}
	var prefix [prefixSize + headerSize]byte
	binary.LittleEndian.PutUint64(prefix[:], uint64(key.ID))
	binary.LittleEndian.PutUint64(prefix[24:], uint64(h.Salt))
	binary.LittleEndian.PutUint64(prefix[32:], uint64(h.SessionID))
	binary.LittleEndian.PutUint64(prefix[40:], uint64(h.MsgID))
	binary.LittleEndian.PutUint32(prefix[48:], uint32(h.SeqNo))
	binary.LittleEndian.PutUint32(prefix[52:], uint32(len(body)))
	start := len(dst)
	dst = append(dst, prefix[:]...)
	dst = append(dst, body...)
	copied := dst[start+len(prefix):]
	for _, p := range patches {
		binary.LittleEndian.PutUint64(copied[p.Off:p.Off+8:len(copied)], uint64(p.Value))
	}
	dst = appendPadding(dst, headerSize+len(body), rand)
	data := dst[start+prefixSize:]
	large := msgKeyLarge(key, data, fromServer)
	msgKey := (*[msgKeySize]byte)(dst[start+8:])
	copy(msgKey[:], large[8:])
	aesKey, aesIV := deriveKeys(key, msgKey, fromServer)
	EncryptIGE(&aesKey, &aesIV, data)
	return dst
}

// appendPadding appends random bytes so that length, the size of the plaintext before it, becomes a
// multiple of the block size.
func appendPadding(dst []byte, length int, rand *Random) []byte {
	var extra [1]byte
	rand.fillSmall(extra[:])
	n := minPadding + (aes.BlockSize-(length+minPadding)%aes.BlockSize)%aes.BlockSize
	n += int(extra[0]) % extraBlocks * aes.BlockSize
	var noise [maxAppended]byte
	rand.fillSmall(noise[:n])
	return append(dst, noise[:n]...)
}

// keyID reads the auth_key_id of a frame of at least eight bytes.
func keyID(frame []byte) int64 { return int64(binary.LittleEndian.Uint64(frame)) }

// msgKeyLarge hashes the padded plaintext with the key's part for the direction x.
func msgKeyLarge(key *AuthKey, plain []byte, x int) [sha256.Size]byte {
	var out [sha256.Size]byte
	h := sha256.New()
	h.Write(key.Value[88+x : 88+x+32])
	h.Write(plain)
	h.Sum(out[:0])
	return out
}

// deriveKeys derives key and initialization vector of an envelope from its message key.
func deriveKeys(key *AuthKey, msgKey *[msgKeySize]byte, x int) (aesKey, aesIV [32]byte) {
	var in [msgKeySize + 36]byte
	copy(in[:], msgKey[:])
	copy(in[msgKeySize:], key.Value[x:x+36])
	a := sha256.Sum256(in[:])
	copy(in[:], key.Value[40+x:40+x+36])
	copy(in[36:], msgKey[:])
	b := sha256.Sum256(in[:])
	copy(aesKey[:], a[:8])
	copy(aesKey[8:], b[8:24])
	copy(aesKey[24:], a[24:])
	copy(aesIV[:], b[:8])
	copy(aesIV[8:], a[8:24])
	copy(aesIV[24:], b[24:])
	return aesKey, aesIV
}
