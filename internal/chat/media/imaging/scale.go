package imaging

import (
	"image"
	"image/color"
)

// reduce returns a rectangle of src made smaller, on white where it is transparent. Every pixel is
// the mean of the area that it covers, computed row by row, so that beside src and the result no
// more than two rows are in memory. Neither width nor height may exceed the rectangle's; an opaque
// image that has the wanted dimensions already is returned as it is.
func reduce(src image.Image, r image.Rectangle, width, height int) *image.RGBA {
	if done, ok := src.(*image.RGBA); ok && r == src.Bounds() &&
		r.Dx() == width && r.Dy() == height && r.Min == (image.Point{}) && done.Opaque() {
		return done
	}
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	columns := newSpread(r.Dx(), width)
	rows := newSpread(r.Dy(), height)
	line := make([]uint8, 3*r.Dx())
	across := make([]uint32, 3*width)
	sums := make([]uint64, 3*width)
	next := make([]uint64, 3*width)
	target := 0
	for y := range r.Dy() {
		readRow(src, r.Min.X, r.Min.Y+y, line)
		columns.sum(line, across)
		share := rows[y]
		if share.to != target {
			writeRow(out, target, sums, uint64(r.Dx())*uint64(r.Dy()))
			sums, next = next, sums
			clear(next)
			target = share.to
		}
		for i, v := range across {
			sums[i] += uint64(v) * uint64(share.weight)
			next[i] += uint64(v) * uint64(share.over)
		}
	}
	writeRow(out, target, sums, uint64(r.Dx())*uint64(r.Dy()))
	return out
}

// share says how one source pixel is divided: weight of it goes to the target pixel to, and over
// of it to the one after.
type share struct {
	to           int
	weight, over uint32
}

// spread divides each of a line's source pixels among at most two target pixels. A source pixel is
// as wide as there are target pixels and the other way round, so all weights are whole numbers.
type spread []share

// newSpread divides source pixels among target pixels; there must not be more of the latter.
func newSpread(source, target int) spread {
	s := make(spread, source)
	for i := range s {
		to := i * target / source
		inside := min((to+1)*source-i*target, target)
		s[i] = share{to: to, weight: uint32(inside), over: uint32(target - inside)}
	}
	return s
}

// sum adds up a line of RGB pixels into the target pixels' weighted sums.
func (s spread) sum(line []uint8, out []uint32) {
	clear(out)
	for i, share := range s {
		pixel := line[3*i : 3*i+3]
		at := 3 * share.to
		for c, v := range pixel {
			out[at+c] += uint32(v) * share.weight
		}
		if share.over > 0 {
			for c, v := range pixel {
				out[at+3+c] += uint32(v) * share.over
			}
		}
	}
}

// writeRow writes one row of means.
func writeRow(out *image.RGBA, y int, sums []uint64, total uint64) {
	row := out.Pix[y*out.Stride:]
	for i := 0; i < len(sums); i += 3 {
		p := row[i/3*4:][:4]
		p[0] = uint8((sums[i] + total/2) / total)
		p[1] = uint8((sums[i+1] + total/2) / total)
		p[2] = uint8((sums[i+2] + total/2) / total)
		p[3] = 0xff
	}
}

// readRow reads a row of an image as RGB on white, as many pixels from x as line has room for.
func readRow(src image.Image, x, y int, line []uint8) {
	switch src := src.(type) {
	case *image.YCbCr:
		for i := 0; i < len(line); i += 3 {
			luma, chroma := src.YOffset(x, y), src.COffset(x, y)
			line[i], line[i+1], line[i+2] = color.YCbCrToRGB(
				src.Y[luma], src.Cb[chroma], src.Cr[chroma])
			x++
		}
	case *image.RGBA:
		row := src.Pix[src.PixOffset(x, y):]
		for i := 0; i < len(line); i += 3 {
			p := row[i/3*4:][:4]
			white := 0xff - p[3]
			line[i], line[i+1], line[i+2] = p[0]+white, p[1]+white, p[2]+white
		}
	case *image.NRGBA:
		row := src.Pix[src.PixOffset(x, y):]
		for i := 0; i < len(line); i += 3 {
			p := row[i/3*4:][:4]
			line[i], line[i+1], line[i+2] = over(p[0], p[3]), over(p[1], p[3]), over(p[2], p[3])
		}
	case *image.Gray:
		row := src.Pix[src.PixOffset(x, y):]
		for i := 0; i < len(line); i += 3 {
			v := row[i/3]
			line[i], line[i+1], line[i+2] = v, v, v
		}
	case image.RGBA64Image:
		for i := 0; i < len(line); i += 3 {
			c := src.RGBA64At(x, y)
			white := 0xffff - c.A
			line[i] = uint8((c.R + white) >> 8)
			line[i+1] = uint8((c.G + white) >> 8)
			line[i+2] = uint8((c.B + white) >> 8)
			x++
		}
	default:
		for i := 0; i < len(line); i += 3 {
			r, g, b, a := src.At(x, y).RGBA()
			white := 0xffff - a
			line[i] = uint8((r + white) >> 8)
			line[i+1] = uint8((g + white) >> 8)
			line[i+2] = uint8((b + white) >> 8)
			x++
		}
	}
}

// over lays a value of the given opacity on white.
func over(v, alpha uint8) uint8 {
	a := uint32(alpha)
	return uint8((uint32(v)*a + 0xff*(0xff-a) + 0x7f) / 0xff)
}
