//go:build !purego

#include "textflag.h"

// AES-256 in IGE mode with the processor's AES instructions, one stream. Each block depends on the
// one before it in both directions, so the latency of fourteen rounds is the limit and loading the
// round keys from memory costs nothing.

// EVEN makes an even round key in X0 from the one two before it in X0, and stores it.
// The generator works on the previous round key, in X2.
#define EVEN(rcon, offset) \
	AESKEYGENASSIST $rcon, X2, X1; \
	PSHUFD $0xff, X1, X1;          \
	MOVO   X0, X3;                 \
	PSLLO  $4, X3;                 \
	PXOR   X3, X0;                 \
	PSLLO  $4, X3;                 \
	PXOR   X3, X0;                 \
	PSLLO  $4, X3;                 \
	PXOR   X3, X0;                 \
	PXOR   X1, X0;                 \
	MOVOU  X0, offset(AX)

// ODD does the same for an odd round key in X2; the previous round key is in X0.
#define ODD(offset) \
	AESKEYGENASSIST $0, X0, X1; \
	PSHUFD $0xaa, X1, X1;       \
	MOVO   X2, X3;              \
	PSLLO  $4, X3;              \
	PXOR   X3, X2;              \
	PSLLO  $4, X3;              \
	PXOR   X3, X2;              \
	PSLLO  $4, X3;              \
	PXOR   X3, X2;              \
	PXOR   X1, X2;              \
	MOVOU  X2, offset(AX)

// func expandKey(s *schedule, key *[32]byte)
TEXT ·expandKey(SB), NOSPLIT, $0-16
	MOVQ  s+0(FP), AX
	MOVQ  key+8(FP), BX
	MOVOU 0(BX), X0
	MOVOU 16(BX), X2
	MOVOU X0, 0(AX)
	MOVOU X2, 16(AX)
	EVEN(0x01, 32)
	ODD(48)
	EVEN(0x02, 64)
	ODD(80)
	EVEN(0x04, 96)
	ODD(112)
	EVEN(0x08, 128)
	ODD(144)
	EVEN(0x10, 160)
	ODD(176)
	EVEN(0x20, 192)
	ODD(208)
	EVEN(0x40, 224)
	RET

// func invertKey(s *schedule)
TEXT ·invertKey(SB), NOSPLIT, $0-8
	MOVQ s+0(FP), AX
	MOVQ $13, CX

inverse:
	ADDQ   $16, AX
	MOVOU  0(AX), X0
	AESIMC X0, X0
	MOVOU  X0, 0(AX)
	SUBQ   $1, CX
	JNZ    inverse
	RET

#define ENCRYPT_ROUND(offset) \
	MOVOU  offset(AX), X4; \
	AESENC X4, X0

// func encryptBlocks(s *schedule, iv *[32]byte, data *byte, n int)
TEXT ·encryptBlocks(SB), NOSPLIT, $0-32
	MOVQ  s+0(FP), AX
	MOVQ  iv+8(FP), BX
	MOVQ  data+16(FP), DI
	MOVQ  n+24(FP), CX
	MOVOU 0(BX), X1  // previous ciphertext
	MOVOU 16(BX), X2 // previous plaintext

encrypt:
	MOVOU      0(DI), X3
	MOVO       X3, X0
	PXOR       X1, X0
	MOVOU      0(AX), X4
	PXOR       X4, X0
	ENCRYPT_ROUND(16)
	ENCRYPT_ROUND(32)
	ENCRYPT_ROUND(48)
	ENCRYPT_ROUND(64)
	ENCRYPT_ROUND(80)
	ENCRYPT_ROUND(96)
	ENCRYPT_ROUND(112)
	ENCRYPT_ROUND(128)
	ENCRYPT_ROUND(144)
	ENCRYPT_ROUND(160)
	ENCRYPT_ROUND(176)
	ENCRYPT_ROUND(192)
	ENCRYPT_ROUND(208)
	MOVOU      224(AX), X4
	AESENCLAST X4, X0
	PXOR       X2, X0
	MOVOU      X0, 0(DI)
	MOVO       X0, X1
	MOVO       X3, X2
	ADDQ       $16, DI
	SUBQ       $1, CX
	JNZ        encrypt
	RET

#define DECRYPT_ROUND(offset) \
	MOVOU  offset(AX), X4; \
	AESDEC X4, X0

// func decryptBlocks(s *schedule, iv *[32]byte, data *byte, n int)
TEXT ·decryptBlocks(SB), NOSPLIT, $0-32
	MOVQ  s+0(FP), AX
	MOVQ  iv+8(FP), BX
	MOVQ  data+16(FP), DI
	MOVQ  n+24(FP), CX
	MOVOU 0(BX), X1  // previous ciphertext
	MOVOU 16(BX), X2 // previous plaintext

decrypt:
	MOVOU      0(DI), X3
	MOVO       X3, X0
	PXOR       X2, X0
	MOVOU      224(AX), X4
	PXOR       X4, X0
	DECRYPT_ROUND(208)
	DECRYPT_ROUND(192)
	DECRYPT_ROUND(176)
	DECRYPT_ROUND(160)
	DECRYPT_ROUND(144)
	DECRYPT_ROUND(128)
	DECRYPT_ROUND(112)
	DECRYPT_ROUND(96)
	DECRYPT_ROUND(80)
	DECRYPT_ROUND(64)
	DECRYPT_ROUND(48)
	DECRYPT_ROUND(32)
	DECRYPT_ROUND(16)
	MOVOU      0(AX), X4
	AESDECLAST X4, X0
	PXOR       X1, X0
	MOVOU      X0, 0(DI)
	MOVO       X3, X1
	MOVO       X0, X2
	ADDQ       $16, DI
	SUBQ       $1, CX
	JNZ        decrypt
	RET
