package plot

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
)

// TestPNG: columns stand where they were placed, as high as their values, and the title is there.
func TestPNG(t *testing.T) {
	p := Of("Decisions", []Value{{"2026-11-27", 0}, {"2026-11-28", 50}, {"2026-11-29", 100}})
	b, err := p.PNG()
	if err != nil {
		t.Fatal(err)
	}
	again, err := p.PNG()
	if err != nil || !bytes.Equal(b, again) {
		t.Errorf("the same plot is another picture: %v", err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range p.Columns {
		height := 0
		at := margin + (x.X+x.Width/2)*scale
		for y := range img.Bounds().Dy() {
			if color.RGBAModel.Convert(img.At(at, y)) == bars {
				height++
			}
		}
		if height > x.Height*scale || height < x.Height*scale-scale {
			t.Errorf("column %d is %d pixels high, not %d", i, height, x.Height*scale)
		}
	}
	dark := func(r image.Rectangle) (n int) {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				if v, _, _, _ := img.At(x, y).RGBA(); v < 0x8000 {
					n++
				}
			}
		}
		return n
	}
	if n := dark(image.Rect(0, 0, img.Bounds().Dx(), head-margin/2)); n < 100 {
		t.Errorf("the title has %d dark pixels", n)
	}
}

// TestPNGOfNothing: a service without reports has a picture too.
func TestPNGOfNothing(t *testing.T) {
	if _, err := Of("Decisions", nil).PNG(); err != nil {
		t.Error(err)
	}
}
