package attachment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/internal/confine"
)

// The pipe protocol. A question is questionMagic, the kind's number, the processor time in
// milliseconds, the memory in bytes, the paper's length, and the paper. The answer is a row of
// frames, each a letter, a length and a body, written as soon as there is something to say: what
// was drawn before the process had to be ended is shown. Both ends are one program, so there are no
// versions.
const (
	questionMagic = "ATQ1"
	questionHead  = len(questionMagic) + 1 + 4 + 8 + 4
	frameHead     = 1 + 4
	// maxAnswer is the longest answer that is read, in bytes: pages of a megabyte each.
	maxAnswer = 64 << 20
)

// The frames.
const (
	frameIsolation = 'I'
	frameKind      = 'K'
	frameCount     = 'C'
	framePage      = 'P'
	frameText      = 'T'
	frameFinding   = 'F'
	frameReason    = 'R'
	// frameEnd says that the process came to its end.
	frameEnd = 'E'
)

var errWire = errors.New("malformed")

// question is what a process is asked.
type question struct {
	kind   Kind
	cpu    time.Duration
	memory int64
	paper  []byte
}

// encode returns the bytes of a question.
func (q question) encode() []byte {
	b := make([]byte, 0, questionHead+len(q.paper))
	b = append(b, questionMagic...)
	b = append(b, byte(slices.Index(Kinds(), q.kind)))
	b = binary.BigEndian.AppendUint32(b, uint32(q.cpu.Milliseconds()))
	b = binary.BigEndian.AppendUint64(b, uint64(q.memory))
	b = binary.BigEndian.AppendUint32(b, uint32(len(q.paper)))
	return append(b, q.paper...)
}

// readHead reads a question up to the paper, and returns the length of that. The server is trusted
// by its process, so only mistakes are caught.
func readHead(in io.Reader) (q question, length int, err error) {
	var head [questionHead]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return q, 0, err
	}
	b, found := bytes.CutPrefix(head[:], []byte(questionMagic))
	if !found || int(b[0]) >= len(Kinds()) {
		return q, 0, errWire
	}
	q = question{
		kind:   Kinds()[b[0]],
		cpu:    time.Duration(binary.BigEndian.Uint32(b[1:])) * time.Millisecond,
		memory: int64(binary.BigEndian.Uint64(b[5:])),
	}
	n := binary.BigEndian.Uint32(b[13:])
	if n > MaxSize {
		return q, 0, errWire
	}
	return q, int(n), nil
}

// frame writes a frame.
func frame(out io.Writer, letter byte, body []byte) error {
	b := append(make([]byte, 0, frameHead+len(body)), letter)
	b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
	_, err := out.Write(append(b, body...))
	return err
}

// picture is a page as the process drew it.
type picture struct {
	width, height int
	jpeg          []byte
}

func (p picture) encode() []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(p.width))
	b = binary.BigEndian.AppendUint16(b, uint16(p.height))
	return append(b, p.jpeg...)
}

// answer is what a process answered.
type answer struct {
	View
	pictures  []picture
	isolation confine.Isolation
	// ended is set when the process came to its end.
	ended bool
}

// readAnswer reads an answer as far as it goes. The process may have been taken over by the paper:
// all is checked that the rest of the server relies on. errWire is for an answer that no process
// of ours gives; what was read before stays.
func readAnswer(kind Kind, b []byte) (a answer, err error) {
	a.Kind = kind
	for len(b) >= frameHead && !a.ended {
		n := uint64(binary.BigEndian.Uint32(b[1:]))
		if n > uint64(len(b)-frameHead) {
			break // cut off with the process
		}
		letter, body := b[0], b[frameHead:frameHead+n]
		b = b[frameHead+n:]
		if err := a.frame(letter, body); err != nil {
			return a, err
		}
	}
	if a.ended && len(b) > 0 {
		return a, fmt.Errorf("%w: more than an answer", errWire)
	}
	return a, nil
}

// frame takes in a frame.
func (a *answer) frame(letter byte, body []byte) error {
	switch letter {
	case frameIsolation:
		if len(body) != 1 {
			return errWire
		}
		a.isolation = confine.Isolation(body[0])
	case frameKind:
		if !slices.Contains(Kinds(), Kind(body)) {
			return errWire
		}
		a.Kind = Kind(body)
	case frameCount:
		if len(body) != 4 {
			return errWire
		}
		a.Of = int(binary.BigEndian.Uint32(body) & (1<<31 - 1))
	case framePage:
		return a.page(body)
	case frameText:
		if len(body) > MaxText || !utf8.Valid(body) || visible(string(body)) != string(body) {
			return errWire
		}
		a.Text = string(body)
	case frameFinding:
		if !slices.Contains(Findings(), Finding(body)) {
			return errWire
		}
		a.found(Finding(body))
	case frameReason:
		if !slices.Contains(Reasons(), Reason(body)) {
			return errWire
		}
		a.Reason = Reason(body)
	case frameEnd:
		a.ended = true
	default:
		return errWire
	}
	return nil
}

// page takes in a page.
func (a *answer) page(body []byte) error {
	if len(body) < 4 || len(a.pictures) >= MaxPages {
		return errWire
	}
	p := picture{
		width:  int(binary.BigEndian.Uint16(body)),
		height: int(binary.BigEndian.Uint16(body[2:])),
		jpeg:   bytes.Clone(body[4:]),
	}
	if p.width < 1 || p.height < 1 || p.width > Side || p.height > Side ||
		!strings.HasPrefix(string(p.jpeg), "\xff\xd8\xff") {
		return errWire
	}
	a.pictures = append(a.pictures, p)
	return nil
}
