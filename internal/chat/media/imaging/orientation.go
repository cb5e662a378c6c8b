package imaging

import (
	"bytes"
	"encoding/binary"
	"image"
)

// orientation is how an image is to be turned and mirrored to be seen as meant: the values 1 to 8
// of the EXIF tag.
//
// https://www.cipa.jp/std/documents/e/DC-X008-Translation-2019-E.pdf
type orientation uint16

const (
	upright orientation = 1
	// turned is the first of the orientations that swap width and height.
	turned orientation = 5
	last   orientation = 8
)

// The parts of the TIFF structure that are read.
const (
	tiffHeader     = 8
	tiffMagic      = 42
	tiffEntry      = 12
	tiffShort      = 3
	tagOrientation = 0x0112
)

// exifHead begins the EXIF segment of a JPEG, and by mistake that of some WebP files.
const exifHead = "Exif\x00\x00"

// dimensions returns the width and height of an image after it was turned.
func (o orientation) dimensions(width, height int) (int, int) {
	if o >= turned {
		return height, width
	}
	return width, height
}

// apply turns and mirrors an image.
func (o orientation) apply(src *image.RGBA) *image.RGBA {
	if o <= upright || o > last {
		return src
	}
	sw, sh := src.Bounds().Dx(), src.Bounds().Dy()
	width, height := o.dimensions(sw, sh)
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			sx, sy := o.source(x, y, sw, sh)
			copy(out.Pix[out.PixOffset(x, y):][:4], src.Pix[src.PixOffset(sx, sy):][:4])
		}
	}
	return out
}

// source returns where the pixel (x, y) of the turned image lies in a source of the given size.
func (o orientation) source(x, y, width, height int) (int, int) {
	right, bottom := width-1, height-1
	switch o {
	case 2:
		return right - x, y
	case 3:
		return right - x, bottom - y
	case 4:
		return x, bottom - y
	case 5:
		return y, x
	case 6:
		return y, bottom - x
	case 7:
		return right - y, bottom - x
	case 8:
		return right - y, x
	default:
		return x, y
	}
}

// exifOrientation reads the orientation from EXIF data, which is a TIFF file. Data that make no
// sense mean upright.
func exifOrientation(data []byte) orientation {
	if len(data) < tiffHeader {
		return upright
	}
	var order binary.ByteOrder
	switch string(data[:2]) {
	case "II":
		order = binary.LittleEndian
	case "MM":
		order = binary.BigEndian
	default:
		return upright
	}
	start := uint64(order.Uint32(data[4:]))
	if order.Uint16(data[2:]) != tiffMagic || start+2 > uint64(len(data)) {
		return upright
	}
	entries := data[start+2:]
	for range order.Uint16(data[start:]) {
		if len(entries) < tiffEntry {
			return upright
		}
		if order.Uint16(entries) == tagOrientation {
			value := orientation(order.Uint16(entries[8:]))
			if order.Uint16(entries[2:]) != tiffShort || value < upright || value > last {
				return upright
			}
			return value
		}
		entries = entries[tiffEntry:]
	}
	return upright
}

// jpegExif finds the EXIF data of a JPEG file: an APP1 segment before the image itself.
func jpegExif(data []byte) []byte {
	const app1, startOfScan, segmentHead = 0xe1, 0xda, 4
	data = data[2:]
	for len(data) >= segmentHead && data[0] == 0xff {
		if data[1] == 0xff {
			data = data[1:]
			continue
		}
		length := int(binary.BigEndian.Uint16(data[2:])) + 2
		if data[1] == startOfScan || length < segmentHead || length > len(data) {
			return nil
		}
		exif, found := bytes.CutPrefix(data[segmentHead:length], []byte(exifHead))
		if data[1] == app1 && found {
			return exif
		}
		data = data[length:]
	}
	return nil
}

// pngExif finds the EXIF data of a PNG file: an eXIf chunk.
//
// https://www.w3.org/TR/png-3/#eXIf
func pngExif(data []byte) []byte {
	const signature, chunkHead, checksum = 8, 8, 4
	data = data[signature:]
	for len(data) >= chunkHead {
		length := uint64(binary.BigEndian.Uint32(data))
		if chunkHead+length+checksum > uint64(len(data)) {
			return nil
		}
		if string(data[4:chunkHead]) == "eXIf" {
			return data[chunkHead : chunkHead+length]
		}
		data = data[chunkHead+length+checksum:]
	}
	return nil
}

// webpExif finds the EXIF data of a WebP file: a chunk of its RIFF container.
//
// https://developers.google.com/speed/webp/docs/riff_container
func webpExif(data []byte) []byte {
	const head, chunkHead = 12, 8
	data = data[head:]
	for len(data) >= chunkHead {
		length := uint64(binary.LittleEndian.Uint32(data[4:]))
		if chunkHead+length > uint64(len(data)) {
			return nil
		}
		if string(data[:4]) == "EXIF" {
			return bytes.TrimPrefix(data[chunkHead:chunkHead+length], []byte(exifHead))
		}
		// Chunks begin at even places.
		data = data[min(chunkHead+length+length&1, uint64(len(data))):]
	}
	return nil
}
