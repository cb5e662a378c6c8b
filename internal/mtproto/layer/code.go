package layer

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"parley/internal/mtproto/layer/schema"
)

// code is a value that only a function can make. Names are the fields that it is given, in order;
// without one of them, or if one has another type, the rule does not apply. Fields that are not
// set make the value absent.
type code struct {
	names []string
	types []string
	want  string
	emit  func(c *coder, fields [maxScopes]extent) status
}

func (f code) compile(_ *compiler, sc scope, want *schema.Type) (emitter, error) {
	if want.String() != f.want {
		return nil, fmt.Errorf("%w: code for %s as %s", errNotHere, f.want, want)
	}
	type place struct{ level, index int }
	var places []place
	for i, name := range f.names {
		level, index, ok := sc.find(name)
		if !ok || sc[level].Fields[index].Type.String() != f.types[i] {
			return nil, fmt.Errorf("%w: no field %s", errNotHere, name)
		}
		places = append(places, place{level, index})
	}
	return func(c *coder, e env) status {
		var fields [maxScopes]extent
		for i, p := range places {
			if fields[i] = c.ext[int(e[p.level])+p.index]; fields[i].lo < 0 {
				return absent
			}
		}
		return f.emit(c, fields)
	}, nil
}

// wholeSeconds is a duration in seconds without its fraction.
func wholeSeconds() code {
	return code{
		names: []string{string(self)}, types: []string{"double"}, want: "int",
		emit: func(c *coder, f [maxScopes]extent) status {
			v := math.Float64frombits(binary.LittleEndian.Uint64(c.src[f[0].lo:]))
			if !(v >= 0 && v <= math.MaxInt32) {
				return drop
			}
			c.dst = binary.LittleEndian.AppendUint32(c.dst, uint32(math.Round(v)))
			return done
		},
	}
}

// exactSeconds is a duration in seconds as one with a fraction.
func exactSeconds() code {
	return code{
		names: []string{string(self)}, types: []string{"int"}, want: "double",
		emit: func(c *coder, f [maxScopes]extent) status {
			v := math.Float64bits(float64(int32(c.word(int(f[0].lo)))))
			c.dst = binary.LittleEndian.AppendUint64(c.dst, v)
			return done
		},
	}
}

// months is a number of days as the nearest number of months, at least one.
func months() code {
	return code{
		names: []string{"days"}, types: []string{"int"}, want: "int",
		emit: func(c *coder, f [maxScopes]extent) status {
			days := int32(c.word(int(f[0].lo)))
			n := max(1, int32(math.Round(float64(days)/30)))
			c.dst = binary.LittleEndian.AppendUint32(c.dst, uint32(n))
			return done
		},
	}
}

// decimal is the number in the field value as text.
func decimal() code {
	return code{
		names: []string{"value"}, types: []string{"int"}, want: "string",
		emit: func(c *coder, f [maxScopes]extent) status {
			s := strconv.Itoa(int(int32(c.word(int(f[0].lo)))))
			c.dst = append(c.dst, byte(len(s)))
			c.dst = append(c.dst, s...)
			for n := len(s) + 1; n%4 != 0; n++ {
				c.dst = append(c.dst, 0)
			}
			return done
		},
	}
}

// correctAnswers is the options of the correct answers of a poll as their indexes.
func correctAnswers() code {
	return code{
		names: []string{"correct_answers", "poll"}, types: []string{"Vector<bytes>", "Poll"},
		want: "Vector<int>",
		emit: func(c *coder, f [maxScopes]extent) status {
			answers, ok := c.part(f[1], "answers")
			if !ok {
				return failed
			}
			base := len(c.ext)
			defer func() { c.ext = c.ext[:base] }()
			if !c.options(answers) {
				return failed
			}
			options := c.ext[base:]
			count, pos := int(c.word(int(f[0].lo)+4)), int(f[0].lo)+8
			c.dst = append(c.dst, c.src[f[0].lo:pos]...)
			for range count {
				end := c.skipString(pos)
				if end < 0 {
					return failed
				}
				i := 0
				for i < len(options) &&
					!bytes.Equal(c.src[options[i].lo:options[i].hi], c.src[pos:end]) {
					i++
				}
				if c.work -= i; i == len(options) || c.work < 0 {
					return drop
				}
				c.dst = binary.LittleEndian.AppendUint32(c.dst, uint32(i))
				pos = end
			}
			return done
		},
	}
}

// part is the named field of the object at x.
func (c *coder) part(x extent, name string) (extent, bool) {
	p := c.prog.plans.get(c.word(int(x.lo)))
	if p == nil {
		c.fail(&UnknownError{ID: c.word(int(x.lo))})
		return extent{}, false
	}
	base := len(c.ext)
	defer func() { c.ext = c.ext[:base] }()
	i := p.from.Field(name)
	if i < 0 {
		c.malformed(p.from.Name + " has no " + name)
		return extent{}, false
	}
	if c.scan(p, int(x.lo)) < 0 || c.ext[base+i].lo < 0 {
		c.malformed(p.from.Name + " without " + name)
		return extent{}, false
	}
	return c.ext[base+i], true
}

// options appends to c.ext where the options of the poll answers in vector x stand; an answer
// that has none yet counts as one with an empty extent.
func (c *coder) options(x extent) bool {
	count, pos := int(c.word(int(x.lo)+4)), int(x.lo)+8
	for range count {
		p := c.prog.plans.get(c.word(pos))
		if p == nil {
			c.fail(&UnknownError{ID: c.word(pos)})
			return false
		}
		end := c.skipObject(p.typ, pos)
		if end < 0 {
			return false
		}
		option := extent{}
		if p.from.Field("option") >= 0 {
			var ok bool
			if option, ok = c.part(extent{int32(pos), int32(end)}, "option"); !ok {
				return false
			}
		}
		c.ext = append(c.ext, option)
		pos = end
	}
	return true
}
