package imaging

import (
	"bytes"
	"encoding/hex"
	"image"
	"image/jpeg"
	"testing"
)

// clientHead is what clients put before a stripped thumbnail's data: the tables of the JPEG
// standard's annex K, quantized for quality 20, and a frame of three components whose dimensions
// are filled in at clientHeight and clientWidth.
//
// https://core.telegram.org/api/files#stripped-thumbnails
const (
	clientHead = "ffd8ffe000104a46494600010100000100010000ffdb004300281c1e231e1928" +
		"2321232d2b28303c64413c37373c7b585d4964918099968f808c8aa0b4e6c3a0" +
		"aadaad8a8cc8ffcbdaeef5ffffff9bc1fffffffaffe6fdfff8ffdb0043012b2d" +
		"2d3c353c76414176f8a58ca5f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8" +
		"f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8ffc0" +
		"0011080000000003012200021101031101ffc4001f0000010501010101010100" +
		"000000000000000102030405060708090a0bffc400b510000201030302040305" +
		"0504040000017d01020300041105122131410613516107227114328191a10823" +
		"42b1c11552d1f02433627282090a161718191a25262728292a3435363738393a" +
		"434445464748494a535455565758595a636465666768696a737475767778797a" +
		"838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7" +
		"b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1" +
		"f2f3f4f5f6f7f8f9faffc4001f01000301010101010101010100000000000001" +
		"02030405060708090a0bffc400b5110002010204040304070504040001027700" +
		"0102031104052131061241510761711322328108144291a1b1c109233352f015" +
		"6272d10a162434e125f11718191a262728292a35363738393a43444546474849" +
		"4a535455565758595a636465666768696a737475767778797a82838485868788" +
		"898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4" +
		"c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9" +
		"faffda000c03010002110311003f00"
	clientHeight = 164
	clientWidth  = 166
)

// inflate makes a JPEG file of a stripped thumbnail, the way clients do.
func inflate(t *testing.T, stripped []byte) image.Image {
	t.Helper()
	file, err := hex.DecodeString(clientHead)
	if err != nil {
		t.Fatal(err)
	}
	file[clientHeight], file[clientWidth] = stripped[1], stripped[2]
	file = append(file, stripped[3:]...)
	file = append(file, 0xff, 0xd9)
	img, err := jpeg.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatalf("a client could not show it: %v", err)
	}
	return img
}

func TestStripped(t *testing.T) {
	tests := []struct {
		purpose               Purpose
		width, height         int
		wantWidth, wantHeight int
	}{
		{Message, 400, 300, 40, 30},
		{Message, 100, 300, 13, 40},
		{Message, 30, 20, 30, 20},
		{Message, 1, 1, 1, 1},
		{Profile, 250, 200, 40, 40},
	}
	for _, test := range tests {
		got, err := render(test.purpose, asPNG(t, corners(test.width, test.height)))
		if err != nil {
			t.Fatal(err)
		}
		img := inflate(t, got.Stripped)
		w, h := img.Bounds().Dx(), img.Bounds().Dy()
		if w != test.wantWidth || h != test.wantHeight {
			t.Errorf("%dx%d became %dx%d", test.width, test.height, w, h)
		}
		if len(got.Stripped) > maxStripped || got.Stripped[0] != strippedVersion {
			t.Errorf("%dx%d: %d bytes", test.width, test.height, len(got.Stripped))
		}
		if w == strippedSide && !(near(img, w/8, h/8, red) && near(img, 7*w/8, h/8, green) &&
			near(img, 7*w/8, 7*h/8, blue) && near(img, w/8, 7*h/8, white)) {
			t.Errorf("%dx%d: wrong colours", test.width, test.height)
		}
	}
}

func TestScanDataRefuses(t *testing.T) {
	for _, file := range []string{"", "\xff\xd8", "\xff\xd8\xff\xdb\x00\x02\xff\xd9",
		"\xff\xd8\xff\xda\xff\xff\xff\xd9"} {
		if scan, err := scanData([]byte(file)); err == nil {
			t.Errorf("scanData(%x) = %x", file, scan)
		}
	}
}
