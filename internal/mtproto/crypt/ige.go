package crypt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
)

// EncryptIGE encrypts data in place with AES-256 in infinite garble extension mode. The length must
// be a multiple of 16; the first half of iv is the block that precedes the ciphertext, the second
// the one that precedes the plaintext. It panics on any other length.
//
// https://core.telegram.org/mtproto/description#protocol-description
func EncryptIGE(key, iv *[32]byte, data []byte) {
	checkBlocks(data)
	if len(data) > 0 {
		encryptIGE(key, iv, data)
	}
}

// DecryptIGE is the inverse of EncryptIGE.
func DecryptIGE(key, iv *[32]byte, data []byte) {
	checkBlocks(data)
	if len(data) > 0 {
		decryptIGE(key, iv, data)
	}
}

func checkBlocks(data []byte) {
	if len(data)%aes.BlockSize != 0 {
		panic("crypt: data is not whole blocks")
	}
}

// newBlock returns the standard library's AES-256.
func newBlock(key *[32]byte) cipher.Block {
	b, err := aes.NewCipher(key[:])
	if err != nil {
		panic("crypt: " + err.Error())
	}
	return b
}

// encryptGeneric is EncryptIGE on the standard library's block cipher. Only the generic pair
// allocates.
func encryptGeneric(key, iv *[32]byte, data []byte) {
	const n = aes.BlockSize
	block := newBlock(key)
	before := *iv // previous ciphertext, previous plaintext
	var plain [n]byte
	for ; len(data) > 0; data = data[n:] {
		b := data[:n]
		copy(plain[:], b)
		subtle.XORBytes(b, b, before[:n])
		block.Encrypt(b, b)
		subtle.XORBytes(b, b, before[n:])
		copy(before[:n], b)
		copy(before[n:], plain[:])
	}
}

// decryptGeneric is DecryptIGE on the standard library's block cipher.
func decryptGeneric(key, iv *[32]byte, data []byte) {
	const n = aes.BlockSize
	block := newBlock(key)
	before := *iv
	var sealed [n]byte
	for ; len(data) > 0; data = data[n:] {
		b := data[:n]
		copy(sealed[:], b)
		subtle.XORBytes(b, b, before[n:])
		block.Decrypt(b, b)
		subtle.XORBytes(b, b, before[:n])
		copy(before[:n], sealed[:])
		copy(before[n:], b)
	}
}
