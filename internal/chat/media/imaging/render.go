package imaging

import (
	"bytes"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

// jpegQuality is the quality of the sizes made, of 100.
const jpegQuality = 87

// format is an image format that is read. The standard library's registry of formats is not used:
// any import elsewhere in the program could add a decoder to it.
type format struct {
	// magic begins the file; a question mark stands for any byte.
	magic  string
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	exif   func([]byte) []byte
}

// formats lists the formats that are read. Of an animation only the first frame is decoded.
func formats() []format {
	return []format{
		{"\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode, jpegExif},
		{"\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode, pngExif},
		{"GIF87a", gif.DecodeConfig, gif.Decode, nil},
		{"GIF89a", gif.DecodeConfig, gif.Decode, nil},
		{"RIFF????WEBP", webp.DecodeConfig, webp.Decode, webpExif},
	}
}

// sniff finds the format of a file by its first bytes.
func sniff(data []byte) (format, bool) {
	for _, f := range formats() {
		if len(data) < len(f.magic) {
			continue
		}
		same := true
		for i := range len(f.magic) {
			same = same && (f.magic[i] == '?' || f.magic[i] == data[i])
		}
		if same {
			return f, true
		}
	}
	return format{}, false
}

// render makes the sizes of an image. It decodes, so outside of tests it runs in a worker only.
// Errors: ErrNotImage, ErrTooLarge.
func render(purpose Purpose, data []byte) (Result, error) {
	if len(data) > MaxInput {
		return Result{}, ErrTooLarge
	}
	f, known := sniff(data)
	if !known {
		return Result{}, ErrNotImage
	}
	// The dimensions come first: a few bytes can announce an image that fills the memory.
	config, err := f.config(bytes.NewReader(data))
	if err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrNotImage, err)
	}
	if err := checkDimensions(config.Width, config.Height); err != nil {
		return Result{}, err
	}
	src, err := f.decode(bytes.NewReader(data))
	if err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrNotImage, err)
	}
	bounds := src.Bounds()
	if err := checkDimensions(bounds.Dx(), bounds.Dy()); err != nil {
		return Result{}, err
	}
	turn := upright
	if f.exif != nil {
		turn = exifOrientation(f.exif(data))
	}
	if purpose == Profile {
		return profileSizes(src, turn)
	}
	return messageSizes(src, turn)
}

// checkDimensions refuses images without pixels and with too many.
func checkDimensions(width, height int) error {
	if width < 1 || height < 1 {
		return ErrNotImage
	}
	if width > MaxSide || height > MaxSide || width*height > MaxPixels {
		return ErrTooLarge
	}
	return nil
}

// messageSizes makes the sizes that fit Telegram's boxes, up to the one that holds all of src.
func messageSizes(src image.Image, turn orientation) (Result, error) {
	bounds := src.Bounds()
	width, height := turn.dimensions(bounds.Dx(), bounds.Dy())
	boxes := Message.boxes()
	largest := 0
	for largest < len(boxes)-1 && boxes[largest].side < max(width, height) {
		largest++
	}
	boxes = boxes[:largest+1]
	w, h := fit(bounds.Dx(), bounds.Dy(), boxes[largest].side)
	base := turn.apply(reduce(src, bounds, w, h))
	return shrink(base, boxes, Result{Width: width, Height: height}, func(side int) (int, int) {
		return fit(width, height, side)
	})
}

// profileSizes makes squares of the middle of src.
func profileSizes(src image.Image, turn orientation) (Result, error) {
	bounds := src.Bounds()
	width, height := turn.dimensions(bounds.Dx(), bounds.Dy())
	short := min(width, height)
	corner := bounds.Min.Add(image.Pt((bounds.Dx()-short)/2, (bounds.Dy()-short)/2))
	square := image.Rectangle{Min: corner, Max: corner.Add(image.Pt(short, short))}
	boxes := Profile.boxes()
	side := min(short, boxes[len(boxes)-1].side)
	base := turn.apply(reduce(src, square, side, side))
	return shrink(base, boxes, Result{Width: width, Height: height}, func(side int) (int, int) {
		return min(short, side), min(short, side)
	})
}

// shrink makes the sizes of boxes and the stripped thumbnail, each from the next larger one.
func shrink(
	base *image.RGBA, boxes []box, result Result, dimensions func(side int) (int, int),
) (Result, error) {
	result.Sizes = make([]Size, len(boxes))
	for i := len(boxes) - 1; i >= 0; i-- {
		w, h := dimensions(boxes[i].side)
		base = reduce(base, base.Bounds(), w, h)
		var out bytes.Buffer
		if err := jpeg.Encode(&out, base, &jpeg.Options{Quality: jpegQuality}); err != nil {
			return Result{}, fmt.Errorf("imaging: encode: %w", err)
		}
		result.Sizes[i] = Size{
			Type: string(boxes[i].letter), Width: w, Height: h, JPEG: out.Bytes(),
		}
	}
	w, h := fit(base.Bounds().Dx(), base.Bounds().Dy(), strippedSide)
	stripped, err := strip(reduce(base, base.Bounds(), w, h))
	if err != nil {
		return Result{}, err
	}
	result.Stripped = stripped
	return result, nil
}

// fit returns the dimensions of an image made to fit a square box, never larger than it is.
func fit(width, height, side int) (int, int) {
	long := max(width, height)
	if long <= side {
		return width, height
	}
	scaled := func(n int) int { return max(1, (n*side+long/2)/long) }
	return scaled(width), scaled(height)
}
