// Package layer speaks every client's API layer at the edge, so that the rest of the server knows
// only the current one. It rewrites encoded values byte by byte after a plan made once for each
// layer: requests of any known layer become requests of the current one (Up), answers and updates
// become what the client's layer can read (Down, DownResult).
//
// It refuses to guess: what a layer cannot express becomes a declared stand-in, is left out where
// leaving out is harmless, or fails the value with ErrDrop. No identifier unknown to a layer ever
// reaches its clients, and no required field is filled but by a rule that says why. It does not
// know service messages, containers or gzip_packed, which the session takes off first.
//
// Differences that names and types do not bridge are rules in the files rules_*.go. What they leave
// unbridged is listed, with reasons, in testdata/lint.txt.
//
// https://core.telegram.org/api/invoking#layers
package layer

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"sync"

	"parley/internal/mtproto/layer/schema"
)

//go:generate go run ./layergen -dir .

// Current is the layer of the types that the server works with.
const Current = 229

var (
	// ErrDrop reports a value that the other layer cannot express. An update is then not sent;
	// a request or a result becomes an RPC error.
	ErrDrop = errors.New("layer: cannot be expressed")
	// ErrRemoved reports a method that the current layer has neither kept nor replaced.
	ErrRemoved = errors.New("layer: method was removed")
	// ErrMalformed reports bytes that are no value of the schema.
	ErrMalformed = errors.New("layer: malformed value")
	// ErrLimit reports a value that is nested too deeply or would grow too much.
	ErrLimit = errors.New("layer: over the limit")
)

// UnknownError reports an identifier that no known layer has.
type UnknownError struct{ ID uint32 }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("layer: unknown constructor %#x", e.ID)
}

//go:embed table.bin
var packed []byte

// Set is the programs for all layers. It is safe for concurrent use.
type Set struct {
	table  *schema.Table
	layers []int
	up     *program
	down   []func() (*program, error)
	coders sync.Pool
}

// New reads the embedded table and prepares to read requests of all layers. The program for the
// answers in a layer is made when that layer is first used, which takes some milliseconds.
func New() (*Set, error) {
	table, err := schema.Unpack(packed)
	if err != nil {
		return nil, err
	}
	s := &Set{table: table, layers: table.Layers()}
	s.coders.New = func() any { return new(coder) }
	down, up, err := books()
	if err != nil {
		return nil, err
	}
	src := downSource(table)
	for _, layer := range s.layers {
		s.down = append(s.down, sync.OnceValues(func() (*program, error) {
			return newCompiler(src, layer, down, false).program()
		}))
	}
	s.up, err = newCompiler(upSource(table), Current, up, true).program()
	return s, err
}

// Known is the layers that clients may speak, ascending.
func (s *Set) Known() []int { return slices.Clone(s.layers) }

// Nearest is the layer in which a client that announced the given one is answered: the same if it
// is known, else the nearest lower one, and the oldest for clients older than that.
func (s *Set) Nearest(layer int) int { return s.layers[s.nearest(layer)] }

// nearest is the place of the nearest layer in the list.
func (s *Set) nearest(layer int) int {
	i, found := slices.BinarySearch(s.layers, layer)
	if !found && i > 0 {
		i--
	}
	return i
}

// Method is the identifier that a method of any known layer has in the current one, as Up would
// make it. It is false for what is no method, and for methods that were removed.
func (s *Set) Method(id uint32) (uint32, bool) {
	p := s.up.plans.get(id)
	if p == nil || p.method == 0 || !p.same && p.build == nil && p.stream == nil {
		return 0, false
	}
	return p.method, true
}

// Up is the request body, of any known layer, as one of the current layer. It returns body itself
// if nothing has to change. Wrappers are rewritten together with what they wrap.
//
// Errors: UnknownError, ErrRemoved, ErrDrop, ErrMalformed, ErrLimit.
func (s *Set) Up(body []byte) ([]byte, error) {
	c := s.coders.Get().(*coder)
	defer s.release(c)
	c.reset(s.up, nil, body)
	p := c.plan(nil, 0)
	switch {
	case p == nil:
		return nil, c.err
	case p.same:
		return body, nil
	}
	switch st := c.object(nil); {
	case st == failed:
		return nil, c.err
	case st != done:
		return nil, fmt.Errorf("%w: %s", ErrDrop, p.from.Name)
	case c.pos != len(body):
		return nil, fmt.Errorf("%w: %d bytes too many", ErrMalformed, len(body)-c.pos)
	case c.start == 0:
		return body, nil
	}
	c.flush(c.pos)
	return c.dst, nil
}

// Down appends to dst the object or update body of the current layer as the given layer knows it.
// Layers that are not known are taken as Nearest says. A bare vector needs DownResult.
//
// Errors: ErrDrop if the layer has nothing for it; others mean that body is no such object.
func (s *Set) Down(dst []byte, layer int, body []byte) ([]byte, error) {
	p, err := s.program(layer)
	if err != nil {
		return dst, err
	}
	if p == nil {
		return append(dst, body...), nil
	}
	return s.rewrite(dst, p, body, nil)
}

// DownResult appends to dst the result body of the method (identifier in the current layer) as the
// given layer expects it, also where the type of the result is another there.
//
// Errors: as Down; UnknownError if the method is none of the current layer, or a wrapper, whose
// result is that of what it wraps.
func (s *Set) DownResult(dst []byte, layer int, method uint32, body []byte) ([]byte, error) {
	p, err := s.program(layer)
	if err != nil {
		return dst, err
	}
	if p == nil {
		return append(dst, body...), nil
	}
	v := p.results[method]
	if v == nil {
		return dst, &UnknownError{ID: method}
	}
	return s.rewrite(dst, p, body, v)
}

// program is nil for the current layer.
func (s *Set) program(layer int) (*program, error) {
	i := s.nearest(layer)
	if s.layers[i] == Current {
		return nil, nil
	}
	return s.down[i]()
}

// rewrite rewrites a whole value: one of a known type, or any object if v is nil.
func (s *Set) rewrite(dst []byte, p *program, body []byte, v *conv) ([]byte, error) {
	c := s.coders.Get().(*coder)
	defer s.release(c)
	c.reset(p, dst, body)
	st := failed
	if v != nil {
		st = c.value(v)
	} else if len(body) < 4 {
		c.malformed("truncated object")
	} else if root := p.plans.get(c.word(0)); root == nil {
		c.fail(&UnknownError{ID: c.word(0)})
	} else {
		st = c.object(root.typ)
	}
	if st == done && c.pos != len(body) {
		c.malformed("bytes after the value")
		st = failed
	}
	switch st {
	case done:
		c.flush(c.pos)
		return c.dst, nil
	case failed:
		return dst, c.err
	default:
		return dst, ErrDrop
	}
}

// release forgets the values that a coder has seen.
func (s *Set) release(c *coder) {
	c.prog, c.src, c.dst, c.err = nil, nil, nil, nil
	s.coders.Put(c)
}
