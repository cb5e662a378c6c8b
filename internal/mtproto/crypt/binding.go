package crypt

import (
	"crypto/sha1" // MTProto 1.0 defines the binding message by SHA-1.
	"crypto/subtle"
	"encoding/binary"
)

const (
	// bindInnerID is the constructor bind_auth_key_inner.
	bindInnerID = 0x75a3f765
	// bindPlain is random, msg_id, seqno, length and the inner message; bindPadded is its length in
	// whole blocks.
	bindPlain  = 16 + 8 + 4 + 4 + bindInner
	bindInner  = 40
	bindPadded = 80
)

// Binding is the content of a binding message, by which the owner of a permanent key vouches for a
// temporary one. Compare it as a whole with what auth.bindTempAuthKey says and with the key, the
// session and the message that carried the request.
//
// https://core.telegram.org/method/auth.bindTempAuthKey#binding-message-contents
type Binding struct {
	Nonce         int64
	TempKeyID     int64
	PermKeyID     int64
	TempSessionID int64
	// ExpiresAt is when the temporary key ends, in Unix seconds.
	ExpiresAt int
	// MsgID is the message id of the request that carries the binding message.
	MsgID int64
}

// OpenBinding decrypts the encrypted_message of auth.bindTempAuthKey, which is sealed with MTProto
// 1.0 under the permanent key. It leaves encrypted unchanged and answers ErrOpen for everything
// else than exactly one well-formed binding message for this permanent key.
//
// https://core.telegram.org/method/auth.bindTempAuthKey#encrypting-the-binding-message
func OpenBinding(perm *AuthKey, encrypted []byte) (Binding, error) {
	if len(encrypted) != prefixSize+bindPadded || keyID(encrypted) != perm.ID {
		return Binding{}, ErrOpen
	}
	msgKey := (*[msgKeySize]byte)(encrypted[8:])
	var data [bindPadded]byte
	copy(data[:], encrypted[prefixSize:])
	aesKey, aesIV := deriveKeysV1(perm, msgKey)
	DecryptIGE(&aesKey, &aesIV, data[:])
	sum := sha1.Sum(data[:bindPlain])
	if subtle.ConstantTimeCompare(sum[4:], msgKey[:]) != 1 {
		return Binding{}, ErrOpen
	}
	inner := data[32:]
	b := Binding{
		MsgID:         int64(binary.LittleEndian.Uint64(data[16:])),
		Nonce:         int64(binary.LittleEndian.Uint64(inner[4:])),
		TempKeyID:     int64(binary.LittleEndian.Uint64(inner[12:])),
		PermKeyID:     int64(binary.LittleEndian.Uint64(inner[20:])),
		TempSessionID: int64(binary.LittleEndian.Uint64(inner[28:])),
		ExpiresAt:     int(int32(binary.LittleEndian.Uint32(inner[36:]))),
	}
	seqNo := binary.LittleEndian.Uint32(data[24:])
	length := binary.LittleEndian.Uint32(data[28:])
	id := binary.LittleEndian.Uint32(inner)
	if seqNo != 0 || length != bindInner || id != bindInnerID || b.PermKeyID != perm.ID {
		return Binding{}, ErrOpen
	}
	return b, nil
}

// deriveKeysV1 is the key derivation of MTProto 1.0 for what clients send.
//
// https://core.telegram.org/mtproto/description_v1#defining-aes-key-and-initialization-vector
func deriveKeysV1(key *AuthKey, msgKey *[msgKeySize]byte) (aesKey, aesIV [32]byte) {
	var in [48]byte
	hash := func(parts ...[]byte) [sha1.Size]byte {
		n := 0
		for _, p := range parts {
			n += copy(in[n:], p)
		}
		return sha1.Sum(in[:])
	}
	k := &key.Value
	a := hash(msgKey[:], k[0:32])
	b := hash(k[32:48], msgKey[:], k[48:64])
	c := hash(k[64:96], msgKey[:])
	d := hash(msgKey[:], k[96:128])
	copy(aesKey[:], a[:8])
	copy(aesKey[8:], b[8:20])
	copy(aesKey[20:], c[4:16])
	copy(aesIV[:], a[8:20])
	copy(aesIV[12:], b[:8])
	copy(aesIV[20:], c[16:20])
	copy(aesIV[24:], d[:8])
	return aesKey, aesIV
}
