package imaging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"parley/internal/confine"
)

// The pipe protocol. A request is requestMagic, the purpose, the processor time in milliseconds,
// the memory in bytes, the length of the image, and the image; a reply is replyMagic, a status, the
// isolation that the worker put on itself, the dimensions of the image, the number of sizes, the
// sizes, and the stripped thumbnail. Both ends are one program, so there are no versions.
const (
	requestMagic = "PIQ1"
	replyMagic   = "PIR1"
	requestHead  = len(requestMagic) + 1 + 4 + 8 + 4
	replyHead    = len(replyMagic) + 1 + 1 + 4 + 4 + 1
	sizeHead     = 1 + 2 + 2 + 4
	// maxReply is the longest reply that is read, in bytes: beyond what five JPEGs in Telegram's
	// boxes can come to.
	maxReply = 16 << 20
	// maxStripped is the longest stripped thumbnail, in bytes.
	maxStripped = 4 << 10
)

// status is a worker's verdict.
type status uint8

const (
	statusDone status = iota + 1
	statusNotImage
	statusTooLarge
	statusFailed
)

var errWire = errors.New("malformed")

// request is what a worker is asked.
type request struct {
	purpose Purpose
	cpu     time.Duration
	memory  int64
	image   []byte
}

// encode returns the bytes of a request.
func (r request) encode() []byte {
	b := make([]byte, 0, requestHead+len(r.image))
	b = append(b, requestMagic...)
	b = append(b, byte(r.purpose))
	b = binary.BigEndian.AppendUint32(b, uint32(r.cpu.Milliseconds()))
	b = binary.BigEndian.AppendUint64(b, uint64(r.memory))
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.image)))
	return append(b, r.image...)
}

// readRequestHead reads a request up to the image, and returns the length of that. The server is
// trusted by its worker, so only mistakes are caught.
func readRequestHead(in io.Reader) (request, int, error) {
	var head [requestHead]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return request{}, 0, err
	}
	b, found := bytes.CutPrefix(head[:], []byte(requestMagic))
	if !found {
		return request{}, 0, errWire
	}
	r := request{
		purpose: Purpose(b[0]),
		cpu:     time.Duration(binary.BigEndian.Uint32(b[1:])) * time.Millisecond,
		memory:  int64(binary.BigEndian.Uint64(b[5:])),
	}
	length := binary.BigEndian.Uint32(b[13:])
	if r.purpose.boxes() == nil || length > MaxInput {
		return request{}, 0, errWire
	}
	return r, int(length), nil
}

// reply is what a worker answers.
type reply struct {
	status    status
	isolation confine.Isolation
	result    Result
}

// encode returns the bytes of a reply.
func (r reply) encode() []byte {
	b := append([]byte(nil), replyMagic...)
	b = append(b, byte(r.status), byte(r.isolation))
	b = binary.BigEndian.AppendUint32(b, uint32(r.result.Width))
	b = binary.BigEndian.AppendUint32(b, uint32(r.result.Height))
	b = append(b, byte(len(r.result.Sizes)))
	for _, s := range r.result.Sizes {
		b = append(b, s.Type[0])
		b = binary.BigEndian.AppendUint16(b, uint16(s.Width))
		b = binary.BigEndian.AppendUint16(b, uint16(s.Height))
		b = binary.BigEndian.AppendUint32(b, uint32(len(s.JPEG)))
		b = append(b, s.JPEG...)
	}
	return append(b, r.result.Stripped...)
}

// decodeReply reads the answer to a request of the given purpose. The worker may have been taken
// over by the image: everything is checked that the rest of the server relies on.
func decodeReply(purpose Purpose, b []byte) (reply, error) {
	if len(b) < replyHead || string(b[:len(replyMagic)]) != replyMagic {
		return reply{}, errWire
	}
	b = b[len(replyMagic):]
	r := reply{status: status(b[0]), isolation: confine.Isolation(b[1])}
	if r.status != statusDone {
		if r.status == 0 || r.status > statusFailed {
			return reply{}, errWire
		}
		return r, nil
	}
	width, height := binary.BigEndian.Uint32(b[2:]), binary.BigEndian.Uint32(b[6:])
	if width > MaxSide || height > MaxSide || checkDimensions(int(width), int(height)) != nil {
		return reply{}, fmt.Errorf("%w dimensions", errWire)
	}
	r.result.Width, r.result.Height = int(width), int(height)
	boxes, count := purpose.boxes(), int(b[10])
	if count == 0 || count > len(boxes) {
		return reply{}, fmt.Errorf("%w number of sizes", errWire)
	}
	b = b[replyHead-len(replyMagic):]
	for _, box := range boxes[:count] {
		size, rest, err := decodeSize(box, b)
		if err != nil {
			return reply{}, err
		}
		r.result.Sizes = append(r.result.Sizes, size)
		b = rest
	}
	if len(b) < 3 || len(b) > maxStripped || b[0] != strippedVersion ||
		b[1] == 0 || b[1] > strippedSide || b[2] == 0 || b[2] > strippedSide {
		return reply{}, fmt.Errorf("%w thumbnail", errWire)
	}
	r.result.Stripped = b
	return r, nil
}

// decodeSize reads one size and returns what follows it.
func decodeSize(box box, b []byte) (Size, []byte, error) {
	if len(b) < sizeHead || b[0] != box.letter {
		return Size{}, nil, fmt.Errorf("%w size", errWire)
	}
	s := Size{
		Type:   string(b[0]),
		Width:  int(binary.BigEndian.Uint16(b[1:])),
		Height: int(binary.BigEndian.Uint16(b[3:])),
	}
	length := uint64(binary.BigEndian.Uint32(b[5:]))
	b = b[sizeHead:]
	if s.Width < 1 || s.Height < 1 || s.Width > box.side || s.Height > box.side ||
		length > uint64(len(b)) || !bytes.HasPrefix(b[:length], []byte("\xff\xd8\xff")) {
		return Size{}, nil, fmt.Errorf("%w size", errWire)
	}
	s.JPEG = b[:length:length]
	return s, b[length:], nil
}
