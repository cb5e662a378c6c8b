package transport

import (
	"encoding/binary"
	"io"
	"math/bits"
)

// Opcodes and bits of web socket frames.
//
// https://www.rfc-editor.org/rfc/rfc6455#section-5.2
const (
	wsContinue = 0x0
	wsBinary   = 0x2
	wsClose    = 0x8
	wsPing     = 0x9
	wsPong     = 0xa

	wsFin  = 0x80
	wsMask = 0x80
	// wsControlMax is the longest payload of a control frame.
	wsControlMax = 125
	// wsFrameMax bounds the length of a data frame, which costs no memory: the payload is a stream,
	// and its own frames have their own bound.
	wsFrameMax = 16 << 20
)

// webSocket is the wrapper of web sockets, server side, without extensions. The boundaries of
// messages mean nothing: their payloads are one stream.
type webSocket struct {
	out        *outbox // takes answers to control frames
	left       int     // bytes of the data frame that are not yet read
	mask       uint32  // turned so that its lowest byte belongs to the next byte of the frame
	fragmented bool
	head       [14]byte
}

// read implements wrapper. It answers pings, and takes a close frame for the end.
//
// https://www.rfc-editor.org/rfc/rfc6455#section-5.4
func (w *webSocket) read(src *source, p []byte) (int, error) {
	for w.left == 0 {
		op, n, err := w.next(src)
		if err != nil {
			return 0, err
		}
		switch {
		case op >= wsClose:
			if err := w.control(src, op, n); err != nil {
				return 0, err
			}
		case op == wsBinary && !w.fragmented, op == wsContinue && w.fragmented:
			w.fragmented = w.head[0]&wsFin == 0
			w.left = n
		default:
			return 0, ErrRecord
		}
	}
	n, err := src.Read(p[:min(len(p), w.left)])
	w.unmask(p[:n])
	w.left -= n
	return n, inside(err)
}

// next reads the header of a frame.
func (w *webSocket) next(src *source) (op byte, n int, err error) {
	if _, err := io.ReadFull(src, w.head[:2]); err != nil {
		return 0, 0, err
	}
	op = w.head[0] & 0x0f
	length := uint64(w.head[1] &^ wsMask)
	extended := 0
	switch length {
	case 126:
		extended = 2
	case 127:
		extended = 8
	}
	// Reserved bits belong to extensions; a client must mask; control frames stand in one piece.
	if w.head[0]&0x70 != 0 || w.head[1]&wsMask == 0 ||
		op >= wsClose && (w.head[0]&wsFin == 0 || length > wsControlMax) {
		return 0, 0, ErrRecord
	}
	if _, err := io.ReadFull(src, w.head[2:2+extended+4]); err != nil {
		return 0, 0, inside(err)
	}
	switch extended {
	case 2:
		length = uint64(binary.BigEndian.Uint16(w.head[2:]))
	case 8:
		length = binary.BigEndian.Uint64(w.head[2:])
	}
	if length > wsFrameMax {
		return 0, 0, ErrFrameTooLong
	}
	w.mask = binary.LittleEndian.Uint32(w.head[2+extended:])
	return op, int(length), nil
}

// control reads the payload of a control frame and answers with the same.
//
// https://www.rfc-editor.org/rfc/rfc6455#section-5.5
func (w *webSocket) control(src *source, op byte, n int) error {
	frame := append(make([]byte, 0, 2+n), wsFin|op, byte(n))[:2+n]
	if _, err := io.ReadFull(src, frame[2:]); err != nil {
		return inside(err)
	}
	w.unmask(frame[2:])
	switch op {
	case wsPing:
		frame[0] = wsFin | wsPong
		w.out.answer(frame)
		return nil
	case wsPong:
		return nil
	case wsClose:
		w.out.answer(frame)
		return io.EOF
	default:
		return ErrRecord
	}
}

func (w *webSocket) unmask(p []byte) {
	twice := uint64(w.mask)<<32 | uint64(w.mask)
	for ; len(p) >= 8; p = p[8:] {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^twice)
	}
	for i := range p {
		p[i] ^= byte(w.mask)
		w.mask = bits.RotateLeft32(w.mask, -8)
	}
}

// header implements wrapper: the header of a whole message, which the server does not mask.
func (w *webSocket) header(dst []byte, n int) ([]byte, int) {
	switch {
	case n <= wsControlMax:
		return append(dst, wsFin|wsBinary, byte(n)), n
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, wsFin|wsBinary, 126), uint16(n)), n
	default:
		return binary.BigEndian.AppendUint64(append(dst, wsFin|wsBinary, 127), uint64(n)), n
	}
}
