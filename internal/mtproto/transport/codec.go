package transport

import (
	"encoding/binary"
	"math"

	"parley/internal/limit"
)

const (
	// maxHead is the longest frame header: that of a full frame, length and sequence number.
	maxHead = 8
	// keyIDBytes is the length of the auth_key_id that every MTProto message begins with.
	keyIDBytes = 8
	// plainHead is what precedes the body of an unencrypted message: auth_key_id, msg_id, length.
	plainHead = 20
	// cipherHead is what precedes the encrypted part of a message: auth_key_id, msg_key.
	cipherHead = 24
	// cipherBlock is what the length of the encrypted part is a multiple of.
	cipherBlock = 16
	// fullOverhead is what a full frame adds to its payload: length, sequence number, checksum.
	fullOverhead = 12
	// checksumBytes is the length of a full frame's checksum.
	checksumBytes = 4
	// maxPad is the most padding, in bytes, that a peer may add to a padded frame.
	maxPad = 15
)

// parse reads a frame header from b, which holds the bytes of it that arrived so far. It returns
// how many bytes the header has, as far as these tell; when b holds that many, claim is what the
// header says. It refuses what no peer may send, whatever the caller's bound. The sequence number
// of a full frame is left to the caller.
//
// https://core.telegram.org/mtproto/mtproto-transports
func (c Codec) parse(b []byte) (headLen int, claim Head, err error) {
	if c == Abridged {
		switch {
		case len(b) == 0:
			return 1, Head{}, nil
		case b[0]&0x7f != 0x7f:
			claim = Head{Size: 4 * int(b[0]&0x7f), QuickAck: b[0]&0x80 != 0}
			return 1, claim, c.check(claim.Size)
		}
	}
	if len(b) < 4 {
		return 4, Head{}, nil
	}
	word := binary.LittleEndian.Uint32(b)
	switch c {
	case Abridged:
		claim = Head{Size: 4 * int(word>>8), QuickAck: b[0]&0x80 != 0}
		return 4, claim, c.check(claim.Size)
	case Full:
		if word < fullOverhead {
			return maxHead, Head{}, ErrFrameLength
		}
		claim.Size = int(min(word-fullOverhead, math.MaxInt32))
		return maxHead, claim, c.check(claim.Size)
	default:
		claim = Head{Size: int(word &^ (1 << 31)), QuickAck: word>>31 != 0}
		return 4, claim, c.check(claim.Size)
	}
}

// check judges an announced payload length. All payloads are whole words, and only a full frame
// may be empty.
func (c Codec) check(size int) error {
	most := limit.FrameKeyed
	if c == Padded {
		most += maxPad
	}
	switch {
	case size > most:
		return ErrFrameTooLong
	case c != Padded && size%4 != 0, c != Full && size < 4:
		return ErrFrameLength
	}
	return nil
}

// unpad cuts the padding off the payload of a padded frame. The frame does not tell how long the
// padding is, but the message does: an unencrypted one holds its length, an encrypted one consists
// of whole blocks. What is no message is left alone.
//
// https://core.telegram.org/mtproto/mtproto-transports#padded-intermediate
func unpad(p []byte) []byte {
	switch {
	case len(p) < plainHead:
		return p
	case binary.LittleEndian.Uint64(p) == 0:
		pad := int64(len(p)-plainHead) - int64(binary.LittleEndian.Uint32(p[16:]))
		if pad < 0 || pad > maxPad {
			return p
		}
		return p[:len(p)-int(pad)]
	case len(p) < cipherHead:
		return p
	default:
		return p[:len(p)-(len(p)-cipherHead)%cipherBlock]
	}
}
