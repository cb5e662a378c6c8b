//go:build !amd64 || purego

package crypt

import "crypto/cipher"

func encryptIGE(key, iv *[32]byte, data []byte) { encryptGeneric(key, iv, data) }

func decryptIGE(key, iv *[32]byte, data []byte) { decryptGeneric(key, iv, data) }

// prfCipher is one AES-256 key, expanded.
type prfCipher struct{ block cipher.Block }

func (c *prfCipher) init(key *[32]byte) { c.block = newBlock(key) }

func (c *prfCipher) encrypt(b *[16]byte) { c.block.Encrypt(b[:], b[:]) }
