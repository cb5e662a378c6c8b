package imaging

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"
)

// corners returns an image of four plain quarters: red, green, blue and white, clockwise from the
// upper left.
func corners(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	paint := func(x0, y0, x1, y1 int, c color.NRGBA) {
		draw.Draw(img, image.Rect(x0, y0, x1, y1), image.NewUniform(c), image.Point{}, draw.Src)
	}
	paint(0, 0, width/2, height/2, red)
	paint(width/2, 0, width, height/2, green)
	paint(width/2, height/2, width, height, blue)
	paint(0, height/2, width/2, height, white)
	return img
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asGIF(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gif.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bitWriter writes bits, the lowest first, as lossless WebP wants them.
type bitWriter struct {
	b    []byte
	used int
}

func (w *bitWriter) put(value uint32, bits int) {
	for i := range bits {
		if w.used%8 == 0 {
			w.b = append(w.b, 0)
		}
		w.b[w.used/8] |= byte(value>>i&1) << (w.used % 8)
		w.used++
	}
}

// asWebP returns a lossless WebP file of one colour: five prefix codes of one symbol each leave no
// bits for the pixels.
func asWebP(width, height int, c color.NRGBA, chunks ...[]byte) []byte {
	var w bitWriter
	w.put(0x2f, 8)
	w.put(uint32(width-1), 14)
	w.put(uint32(height-1), 14)
	w.put(1, 1)
	w.put(0, 3)
	w.put(0, 3)
	for _, symbol := range []uint8{c.G, c.R, c.B, c.A, 0} {
		w.put(0b101, 3)
		w.put(uint32(symbol), 8)
	}
	body := append([]byte("WEBP"), riffChunk("VP8L", w.b)...)
	for _, chunk := range chunks {
		body = append(body, chunk...)
	}
	return riffChunk("RIFF", body)
}

func riffChunk(name string, body []byte) []byte {
	b := append([]byte(name), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(body)))
	b = append(b, body...)
	if len(body)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

func pngChunk(name string, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(append(b, name...), body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// byteOrder reads and writes.
type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// exifData returns EXIF data with an orientation and a text that must not survive.
func exifData(order byteOrder, o orientation) []byte {
	mark := "II"
	if order.Uint16([]byte{0, 1}) == 1 {
		mark = "MM"
	}
	b := order.AppendUint16([]byte(mark), tiffMagic)
	b = order.AppendUint32(b, tiffHeader)
	b = order.AppendUint16(b, 2)
	// A tag before it: ImageDescription, as text of four bytes in place.
	b = order.AppendUint16(b, 0x010e)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint32(b, 4)
	b = append(b, "abc\x00"...)
	b = order.AppendUint16(b, tagOrientation)
	b = order.AppendUint16(b, tiffShort)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint16(b, uint16(o))
	b = order.AppendUint16(b, 0)
	b = order.AppendUint32(b, 0)
	return append(b, secretText...)
}

// secretText stands for the place where a photo was taken.
const secretText = "52.5200N 13.4050E"

// withJPEGExif puts an EXIF segment behind the first mark of a JPEG file, after another segment.
func withJPEGExif(file, exif []byte) []byte {
	body := append([]byte(exifHead), exif...)
	head := []byte{0xff, 0xd8, 0xff, 0xfe, 0, 6, 'n', 'o', 't', 'e', 0xff, 0xe1}
	head = binary.BigEndian.AppendUint16(head, uint16(len(body)+2))
	return append(append(head, body...), file[2:]...)
}

// withPNGExif puts an EXIF chunk behind the header of a PNG file.
func withPNGExif(file, exif []byte) []byte {
	const header = 8 + 12 + 13
	out := append([]byte(nil), file[:header]...)
	out = append(out, pngChunk("tEXt", []byte("Comment\x00"+secretText))...)
	out = append(out, pngChunk("eXIf", exif)...)
	return append(out, file[header:]...)
}

// pngHeader begins a PNG file of 16-bit pixels that never come.
func pngHeader(width, height uint32) []byte {
	header := binary.BigEndian.AppendUint32(nil, width)
	header = binary.BigEndian.AppendUint32(header, height)
	header = append(header, 16, 6, 0, 0, 0)
	return append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", header)...)
}

// floods returns files of a few bytes that announce more pixels than memory has.
func floods() map[string][]byte {
	return map[string][]byte{
		"png": pngHeader(65535, 65535),
		"gif": []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00" +
			",\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02"),
		"webp": asWebP(16384, 16384, color.NRGBA{A: 0xff}),
		"jpeg": []byte("\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x11\x00\x02\x11\x00" +
			"\x03\x11\x00\xff\xda\x00\x02"),
		"long": pngHeader(MaxSide+1, 1),
	}
}

// near says whether a pixel has about the wanted colour.
func near(img image.Image, x, y int, want color.Color) bool {
	const tolerance = 0x2800
	r, g, b, _ := img.At(img.Bounds().Min.X+x, img.Bounds().Min.Y+y).RGBA()
	wr, wg, wb, _ := want.RGBA()
	for _, d := range []int{int(r) - int(wr), int(g) - int(wg), int(b) - int(wb)} {
		if d > tolerance || d < -tolerance {
			return false
		}
	}
	return true
}
