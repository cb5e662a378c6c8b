package plot

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

const (
	// scale is how many pixels a unit of a plot has in a picture.
	scale = 2
	// head is the room for the title above the plot, margin that around all, in pixels.
	head, margin = 64, 24
	// titleSize and labelSize are sizes of letters in pixels.
	titleSize, labelSize = 32, 20
	// dots is the resolution at which a point is a pixel.
	dots = 72
)

// The colours of a picture.
var (
	paper = color.White
	ink   = color.Gray{Y: 0x22}
	grid  = color.Gray{Y: 0xcc}
	bars  = color.RGBA{R: 0x1f, G: 0x5f, B: 0xa8, A: 0xff}
)

// PNG draws a plot with its title for where no page is shown, such as a message. Its letters are
// Latin, Greek and Cyrillic.
func (p Plot) PNG() ([]byte, error) {
	letters, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("plot: font: %w", err)
	}
	c := canvas{Image: image.NewRGBA(image.Rect(0, 0, p.Width*scale+2*margin,
		p.Height*scale+head+margin))}
	for _, f := range []struct {
		face *font.Face
		size float64
	}{{&c.title, titleSize}, {&c.label, labelSize}} {
		*f.face, err = opentype.NewFace(letters, &opentype.FaceOptions{Size: f.size, DPI: dots})
		if err != nil {
			return nil, fmt.Errorf("plot: font: %w", err)
		}
	}
	c.draw(p)
	var out bytes.Buffer
	if err := png.Encode(&out, c.Image); err != nil {
		return nil, fmt.Errorf("plot: encode: %w", err)
	}
	return out.Bytes(), nil
}

// canvas is a picture that is drawn.
type canvas struct {
	draw.Image
	title, label font.Face
}

func (c canvas) draw(p Plot) {
	c.fill(c.Bounds(), paper)
	c.text(c.title, margin, head-margin, p.Title)
	for _, l := range p.Lines {
		y := head + l.Y*scale
		c.fill(image.Rect(margin+left*scale, y, margin+p.Width*scale, y+1), grid)
		c.text(c.label, margin, y+labelSize/2-scale, fmt.Sprint(l.Value))
	}
	for _, x := range p.Columns {
		at := image.Pt(margin+x.X*scale, head+x.Y*scale)
		size := image.Pt(x.Width*scale, x.Height*scale)
		c.fill(image.Rectangle{at, at.Add(size)}, bars)
		if x.Marked {
			c.text(c.label, at.X, head+p.Base*scale+labelSize+scale, x.Label)
		}
	}
	base := head + p.Base*scale
	c.fill(image.Rect(margin+left*scale, base, margin+p.Width*scale, base+scale), ink)
}

func (c canvas) fill(r image.Rectangle, with color.Color) {
	draw.Draw(c, r, image.NewUniform(with), image.Point{}, draw.Src)
}

// text writes a line from a point on its base line.
func (c canvas) text(face font.Face, x, y int, line string) {
	d := font.Drawer{Dst: c, Src: image.NewUniform(ink), Face: face, Dot: fixed.P(x, y)}
	d.DrawString(line)
}
