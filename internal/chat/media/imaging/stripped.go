package imaging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
)

const (
	// strippedSide is the longest side of a stripped thumbnail, in pixels.
	strippedSide = 40
	// strippedQuality is the quality whose quantization tables clients put before the data. They
	// also expect the example Huffman tables of the JPEG standard and halved chroma, which are
	// what the standard library's encoder writes for every colour image.
	strippedQuality = 20
	// strippedVersion begins a stripped thumbnail.
	strippedVersion = 1
)

// strip encodes a small image as JPEG without the header and the end mark, which clients know: a
// version byte, the height, the width, and the entropy-coded data.
//
// https://core.telegram.org/api/files#stripped-thumbnails
func strip(img *image.RGBA) ([]byte, error) {
	var file bytes.Buffer
	err := jpeg.Encode(&file, img, &jpeg.Options{Quality: strippedQuality})
	if err != nil {
		return nil, fmt.Errorf("imaging: encode thumbnail: %w", err)
	}
	scan, err := scanData(file.Bytes())
	if err != nil {
		return nil, err
	}
	bounds := img.Bounds()
	head := []byte{strippedVersion, byte(bounds.Dy()), byte(bounds.Dx())}
	return append(head, scan...), nil
}

// scanData returns what lies between the scan header and the end mark of a baseline JPEG file.
func scanData(file []byte) ([]byte, error) {
	const startOfScan, marks, segmentHead = 0xda, 2, 4
	end := len(file) - marks
	for at := marks; at+segmentHead <= end; {
		next := at + marks + int(binary.BigEndian.Uint16(file[at+marks:]))
		if file[at+1] == startOfScan && next <= end {
			return file[next:end], nil
		}
		at = next
	}
	return nil, errors.New("imaging: encoder wrote no scan")
}
