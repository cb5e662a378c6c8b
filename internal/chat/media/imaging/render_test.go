package imaging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"strings"
	"testing"
)

var (
	red   = color.NRGBA{R: 0xff, A: 0xff}
	green = color.NRGBA{G: 0xff, A: 0xff}
	blue  = color.NRGBA{B: 0xff, A: 0xff}
	white = color.NRGBA{R: 0xff, G: 0xff, B: 0xff, A: 0xff}
)

// describe writes the sizes of a result as one line.
func describe(r Result) string {
	var parts []string
	for _, s := range r.Sizes {
		parts = append(parts, fmt.Sprintf("%s %dx%d", s.Type, s.Width, s.Height))
	}
	return strings.Join(parts, ", ")
}

// decodeSizes checks that every size is a JPEG of the dimensions that are told of it.
func decodeSizes(t *testing.T, r Result) []image.Image {
	t.Helper()
	var list []image.Image
	for _, s := range r.Sizes {
		img, err := jpeg.Decode(bytes.NewReader(s.JPEG))
		if err != nil {
			t.Fatalf("%s: %v", s.Type, err)
		}
		if img.Bounds() != image.Rect(0, 0, s.Width, s.Height) {
			t.Errorf("%s is %v, told %dx%d", s.Type, img.Bounds(), s.Width, s.Height)
		}
		list = append(list, img)
	}
	return list
}

func TestSizes(t *testing.T) {
	tests := []struct {
		purpose       Purpose
		width, height int
		want          string
	}{
		{Message, 1, 1, "s 1x1"},
		{Message, 100, 100, "s 100x100"},
		{Message, 101, 50, "s 100x50, m 101x50"},
		{Message, 320, 200, "s 100x63, m 320x200"},
		{Message, 500, 400, "s 100x80, m 320x256, x 500x400"},
		{Message, 600, 800, "s 75x100, m 240x320, x 600x800"},
		{Message, 1280, 90, "s 100x7, m 320x23, x 800x56, y 1280x90"},
		{Message, 1400, 70, "s 100x5, m 320x16, x 800x40, y 1280x64, w 1400x70"},
		{Message, 60, 4000, "s 2x100, m 5x320, x 12x800, y 19x1280, w 38x2560"},
		{Message, 5000, 2, "s 100x1, m 320x1, x 800x1, y 1280x1, w 2560x1"},
		{Profile, 1, 1, "a 1x1, b 1x1, c 1x1"},
		{Profile, 200, 300, "a 160x160, b 200x200, c 200x200"},
		{Profile, 640, 640, "a 160x160, b 320x320, c 640x640"},
		{Profile, 900, 700, "a 160x160, b 320x320, c 640x640"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%d %dx%d", test.purpose, test.width, test.height), func(t *testing.T) {
			got, err := render(test.purpose, asPNG(t, corners(test.width, test.height)))
			if err != nil {
				t.Fatal(err)
			}
			if describe(got) != test.want {
				t.Errorf("sizes %s; want %s", describe(got), test.want)
			}
			if got.Width != test.width || got.Height != test.height {
				t.Errorf("image is told %dx%d", got.Width, got.Height)
			}
			decodeSizes(t, got)
		})
	}
}

// TestFormats decodes each format and colour model, and looks at the middle of each quarter.
func TestFormats(t *testing.T) {
	const width, height = 350, 210
	full := corners(width, height)
	paletted := image.NewPaletted(full.Bounds(), palette.Plan9)
	draw.Draw(paletted, full.Bounds(), full, image.Point{}, draw.Src)
	deep := image.NewNRGBA64(full.Bounds())
	draw.Draw(deep, full.Bounds(), full, image.Point{}, draw.Src)
	premultiplied := image.NewRGBA(full.Bounds())
	draw.Draw(premultiplied, full.Bounds(), full, image.Point{}, draw.Src)
	files := map[string][]byte{
		"jpeg":      asJPEG(t, full),
		"png":       asPNG(t, full),
		"png rgb":   asPNG(t, premultiplied),
		"png 16":    asPNG(t, deep),
		"png index": asPNG(t, paletted),
		"gif":       asGIF(t, paletted),
	}
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			got, err := render(Message, file)
			if err != nil {
				t.Fatal(err)
			}
			for i, img := range decodeSizes(t, got) {
				w, h := img.Bounds().Dx(), img.Bounds().Dy()
				if !near(img, w/4, h/4, red) || !near(img, 3*w/4, h/4, green) ||
					!near(img, 3*w/4, 3*h/4, blue) || !near(img, w/4, 3*h/4, white) {
					t.Errorf("%s: wrong colours", got.Sizes[i].Type)
				}
			}
		})
	}
	got, err := render(Message, asWebP(300, 200, green))
	if err != nil || describe(got) != "s 100x67, m 300x200" {
		t.Fatalf("webp: %s, %v", describe(got), err)
	}
	if img := decodeSizes(t, got)[1]; !near(img, 150, 100, green) {
		t.Error("webp: wrong colour")
	}
	gray, err := render(Message, asJPEG(t, image.NewGray(image.Rect(0, 0, 50, 40))))
	if err != nil || !near(decodeSizes(t, gray)[0], 20, 20, color.Black) {
		t.Errorf("gray: %v", err)
	}
}

func TestTransparentIsWhite(t *testing.T) {
	half := image.NewNRGBA(image.Rect(0, 0, 60, 60))
	draw.Draw(half, image.Rect(0, 0, 30, 60), image.NewUniform(color.NRGBA{R: 0xff, A: 0x80}),
		image.Point{}, draw.Src)
	deep := image.NewNRGBA64(half.Bounds())
	draw.Draw(deep, half.Bounds(), half, image.Point{}, draw.Src)
	for name, file := range map[string][]byte{
		"8 bits": asPNG(t, half), "16 bits": asPNG(t, deep),
		"webp": asWebP(60, 60, color.NRGBA{R: 0xff, A: 0x80}),
	} {
		got, err := render(Message, file)
		if err != nil {
			t.Fatal(name, err)
		}
		img := decodeSizes(t, got)[0]
		if !near(img, 10, 30, color.NRGBA{R: 0xff, G: 0x7f, B: 0x7f, A: 0xff}) {
			t.Errorf("%s: half transparent red became %v", name, img.At(10, 30))
		}
		if name != "webp" && !near(img, 50, 30, white) {
			t.Errorf("%s: transparent became %v", name, img.At(50, 30))
		}
	}
}

func TestOrientation(t *testing.T) {
	const width, height = 120, 80
	// The colours that are to be seen, clockwise from the upper left.
	want := map[orientation][4]color.NRGBA{
		1: {red, green, blue, white},
		2: {green, red, white, blue},
		3: {blue, white, red, green},
		4: {white, blue, green, red},
		5: {red, white, blue, green},
		6: {white, red, green, blue},
		7: {blue, green, red, white},
		8: {green, blue, white, red},
	}
	for o, colours := range want {
		little, big := exifData(binary.LittleEndian, o), exifData(binary.BigEndian, o)
		img := corners(width, height)
		for name, file := range map[string][]byte{
			"jpeg II": withJPEGExif(asJPEG(t, img), little),
			"jpeg MM": withJPEGExif(asJPEG(t, img), big),
			"png":     withPNGExif(asPNG(t, img), big),
		} {
			for _, purpose := range []Purpose{Message, Profile} {
				got, err := render(purpose, file)
				if err != nil {
					t.Fatal(err)
				}
				w, h := o.dimensions(width, height)
				if got.Width != w || got.Height != h {
					t.Errorf("%s %d: told %dx%d, want %dx%d", name, o, got.Width, got.Height, w, h)
				}
				for i, img := range decodeSizes(t, got) {
					w, h := img.Bounds().Dx(), img.Bounds().Dy()
					if !near(img, w/4, h/4, colours[0]) || !near(img, 3*w/4, h/4, colours[1]) ||
						!near(img, 3*w/4, 3*h/4, colours[2]) || !near(img, w/4, 3*h/4, colours[3]) {
						t.Errorf("%s %d %s: turned wrongly", name, o, got.Sizes[i].Type)
					}
				}
			}
		}
	}
	exif := riffChunk("EXIF", append([]byte(exifHead), exifData(binary.LittleEndian, 6)...))
	got, err := render(Message, asWebP(90, 50, red, riffChunk("XMP ", []byte("odd")), exif))
	if err != nil || got.Width != 50 || got.Height != 90 {
		t.Errorf("webp: %dx%d, %v", got.Width, got.Height, err)
	}
}

func TestMetadataIsGone(t *testing.T) {
	for name, file := range map[string][]byte{
		"jpeg": withJPEGExif(asJPEG(t, corners(330, 330)), exifData(binary.LittleEndian, 1)),
		"png":  withPNGExif(asPNG(t, corners(330, 330)), exifData(binary.LittleEndian, 1)),
	} {
		if !bytes.Contains(file, []byte(secretText)) {
			t.Fatal("the sample has no metadata")
		}
		got, err := render(Message, file)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range got.Sizes {
			for _, mark := range []string{secretText, "Exif"} {
				if bytes.Contains(s.JPEG, []byte(mark)) {
					t.Errorf("%s: %s in %s", name, mark, s.Type)
				}
			}
		}
	}
}

func TestRefused(t *testing.T) {
	big := pngHeader(5001, 5000)
	tests := map[string]struct {
		file []byte
		want error
	}{
		"nothing":         {nil, ErrNotImage},
		"one byte":        {[]byte{0xff}, ErrNotImage},
		"text":            {[]byte("not an image at all, whatever its name says"), ErrNotImage},
		"svg":             {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), ErrNotImage},
		"bare jpeg mark":  {[]byte("\xff\xd8\xff"), ErrNotImage},
		"bare png mark":   {[]byte("\x89PNG\r\n\x1a\n"), ErrNotImage},
		"bare gif mark":   {[]byte("GIF89a"), ErrNotImage},
		"bare webp mark":  {[]byte("RIFF\x04\x00\x00\x00WEBP"), ErrNotImage},
		"too many pixels": {big, ErrTooLarge},
		"too many bytes":  {make([]byte, MaxInput+1), ErrTooLarge},
	}
	for name, test := range tests {
		if _, err := render(Message, test.file); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	for name, file := range floods() {
		// Allocating the pixels would be felt: 65535 squared in 16 bits is 34 GB.
		if _, err := render(Message, file); !errors.Is(err, ErrTooLarge) {
			t.Errorf("flood %s: %v", name, err)
		}
	}
}

func TestTruncatedAndDamaged(t *testing.T) {
	noise := image.NewNRGBA(image.Rect(0, 0, 64, 48))
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise.Pix)
	for name, file := range map[string][]byte{
		"jpeg": asJPEG(t, noise), "png": asPNG(t, noise), "gif": asGIF(t, noise),
		"webp": asWebP(64, 48, red),
	} {
		for cut := range len(file) - 1 {
			if cut%7 != 0 && cut < len(file)-16 {
				continue
			}
			_, err := render(Message, file[:cut])
			if err != nil && !errors.Is(err, ErrNotImage) {
				t.Errorf("%s cut at %d: %v", name, cut, err)
			}
			if err == nil && cut < len(file)/2 {
				t.Errorf("%s cut at %d of %d: accepted", name, cut, len(file))
			}
		}
		dice := rand.New(rand.NewPCG(1, 2))
		for range 100 {
			damaged := bytes.Clone(file)
			for range 1 + dice.IntN(4) {
				damaged[dice.IntN(len(damaged))] = byte(dice.Uint32())
			}
			got, err := render(Message, damaged)
			if err != nil && !errors.Is(err, ErrNotImage) && !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s damaged: %v", name, err)
			}
			if err == nil {
				decodeSizes(t, got)
			}
		}
	}
}

// TestReduce compares with the definition: the mean of the covered area.
func TestReduce(t *testing.T) {
	src := image.NewNRGBA(image.Rect(3, 5, 3+37, 5+23))
	_, _ = rand.NewChaCha8([32]byte{2}).Read(src.Pix)
	for i := 3; i < len(src.Pix); i += 4 {
		src.Pix[i] = 0xff
	}
	for _, size := range []image.Point{{37, 23}, {36, 22}, {19, 12}, {10, 23}, {37, 1},
		{1, 1}, {7, 5}} {
		got := reduce(src, src.Bounds(), size.X, size.Y)
		for y := range size.Y {
			for x := range size.X {
				r, g, b := meanOf(src, x, y, size)
				p := got.RGBAAt(x, y)
				for c, d := range []float64{float64(p.R) - r, float64(p.G) - g, float64(p.B) - b} {
					if d > 0.51 || d < -0.51 {
						t.Fatalf("%v: pixel (%d, %d) channel %d is off by %.2f", size, x, y, c, d)
					}
				}
			}
		}
	}
}

// meanOf computes one pixel of a reduced image slowly.
func meanOf(src *image.NRGBA, x, y int, size image.Point) (r, g, b float64) {
	bounds := src.Bounds()
	share := func(i, n, source, target int) float64 {
		from, to := float64(n*source)/float64(target), float64((n+1)*source)/float64(target)
		return max(0, min(to, float64(i+1))-max(from, float64(i)))
	}
	var area float64
	for j := range bounds.Dy() {
		for i := range bounds.Dx() {
			w := share(i, x, bounds.Dx(), size.X) * share(j, y, bounds.Dy(), size.Y)
			p := src.NRGBAAt(bounds.Min.X+i, bounds.Min.Y+j)
			r, g, b = r+w*float64(p.R), g+w*float64(p.G), b+w*float64(p.B)
			area += w
		}
	}
	return r / area, g / area, b / area
}

func FuzzRender(f *testing.F) {
	f.Add(uint8(Message), asJPEG(f, corners(40, 30)))
	f.Add(uint8(Profile), asPNG(f, corners(40, 30)))
	f.Add(uint8(Message), asGIF(f, corners(40, 30)))
	f.Add(uint8(Message), asWebP(40, 30, red))
	f.Add(uint8(Message), withJPEGExif(asJPEG(f, corners(8, 6)), exifData(binary.BigEndian, 6)))
	f.Add(uint8(Message), withPNGExif(asPNG(f, corners(8, 6)), exifData(binary.LittleEndian, 5)))
	for _, file := range floods() {
		f.Add(uint8(Message), file)
	}
	f.Fuzz(func(t *testing.T, p uint8, file []byte) {
		purpose := Purpose(p%2 + 1)
		// Large images only make the fuzzer slow.
		if known, ok := sniff(file); ok {
			c, err := known.config(bytes.NewReader(file))
			if err == nil && c.Width*c.Height > 1<<16 && checkDimensions(c.Width, c.Height) == nil {
				return
			}
		}
		got, err := render(purpose, file)
		if err != nil {
			if !errors.Is(err, ErrNotImage) && !errors.Is(err, ErrTooLarge) {
				t.Fatal(err)
			}
			return
		}
		answer := reply{status: statusDone, result: got}
		if _, err := decodeReply(purpose, answer.encode()); err != nil {
			t.Fatalf("a good result is refused: %v", err)
		}
	})
}

func FuzzExif(f *testing.F) {
	f.Add(exifData(binary.LittleEndian, 3))
	f.Add(exifData(binary.BigEndian, 8))
	f.Fuzz(func(t *testing.T, data []byte) {
		if o := exifOrientation(data); o < upright || o > last {
			t.Errorf("orientation %d", o)
		}
		for _, format := range formats() {
			if format.exif != nil && len(data) >= 12 {
				format.exif(data)
			}
		}
	})
}

func BenchmarkRender(b *testing.B) {
	for name, img := range map[string]image.Image{
		"1280x960": corners(1280, 960), "4000x3000": corners(4000, 3000),
	} {
		file := asJPEG(b, img)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := render(Message, file); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
