//go:build !purego

package crypt

import (
	"crypto/cipher"

	"golang.org/x/sys/cpu"
)

// schedule holds the fifteen round keys of AES-256.
type schedule [15][16]byte

// expandKey computes the round keys of key with the processor's AES instructions.
//
//go:noescape
func expandKey(s *schedule, key *[32]byte)

// invertKey turns round keys for encryption into those for decryption, in place.
//
//go:noescape
func invertKey(s *schedule)

// encryptBlocks encrypts n > 0 blocks in place in IGE mode. It does not change iv.
//
//go:noescape
func encryptBlocks(s *schedule, iv *[32]byte, data *byte, n int)

// decryptBlocks is the inverse of encryptBlocks; s must be inverted.
//
//go:noescape
func decryptBlocks(s *schedule, iv *[32]byte, data *byte, n int)

func encryptIGE(key, iv *[32]byte, data []byte) {
	if !cpu.X86.HasAES {
		encryptGeneric(key, iv, data)
		return
	}
	var s schedule
	expandKey(&s, key)
	encryptBlocks(&s, iv, &data[0], len(data)/16)
}

func decryptIGE(key, iv *[32]byte, data []byte) {
	if !cpu.X86.HasAES {
		decryptGeneric(key, iv, data)
		return
	}
	var s schedule
	expandKey(&s, key)
	invertKey(&s)
	decryptBlocks(&s, iv, &data[0], len(data)/16)
}

// prfCipher is one AES-256 key, expanded. The standard library's form of it, block, is used on
// processors without AES instructions only.
type prfCipher struct {
	s     schedule
	block cipher.Block
}

func (c *prfCipher) init(key *[32]byte) {
	if !cpu.X86.HasAES {
		c.block = newBlock(key)
		return
	}
	expandKey(&c.s, key)
}

func (c *prfCipher) encrypt(b *[16]byte) {
	if c.block != nil {
		encryptSlow(c.block, b)
		return
	}
	// One block of IGE after two zero blocks is one plain block.
	encryptBlocks(&c.s, &[32]byte{}, &b[0], 1)
}

// encryptSlow copies the block, because a call through an interface would move the caller's to the
// heap on the fast path too.
func encryptSlow(block cipher.Block, b *[16]byte) {
	c := *b
	block.Encrypt(c[:], c[:])
	*b = c
}
