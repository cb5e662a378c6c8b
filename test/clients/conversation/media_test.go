package conversation

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// exchange sends a file from one to the other and returns what both download again.
func (c *conversation) exchange(
	t *testing.T, from, to *person, as, name string, content []byte,
) (sender, receiver []byte) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	text := name + " from " + from.username
	var sent item
	from.do(t, "sendFile", map[string]any{
		"chat": from.peer, "path": path, "as": as, "text": text,
	}, &sent)
	got := to.expectText(t, text)
	fetch := func(p *person, id int) []byte {
		t.Helper()
		out := filepath.Join(dir, strconv.FormatInt(p.id, 10))
		p.do(t, "download", map[string]any{"chat": p.peer, "id": id, "path": out}, nil)
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	return fetch(from, sent.ID), fetch(to, got.ID)
}

// bothWays calls f for both directions.
func (c *conversation) bothWays(f func(from, to *person)) {
	f(c.a, c.b)
	f(c.b, c.a)
}

func (c *conversation) document(t *testing.T) {
	// Several parts of any size that a library cuts, and a multiple of none.
	content := make([]byte, 600_001)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(content)
	c.bothWays(func(from, to *person) {
		a, b := c.exchange(t, from, to, "document", "report.bin", content)
		if !bytes.Equal(a, content) || !bytes.Equal(b, content) {
			t.Errorf("%s sent %d bytes and downloads %d, the other %d, or others", from.name,
				len(content), len(a), len(b))
		}
	})
}

func (c *conversation) photo(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 700, 500))
	for x := range 700 {
		for y := range 500 {
			img.Set(x, y, color.RGBA{uint8(x), uint8(y), uint8(x * y), 255})
		}
	}
	var content bytes.Buffer
	if err := jpeg.Encode(&content, img, nil); err != nil {
		t.Fatal(err)
	}
	c.bothWays(func(from, to *person) {
		a, b := c.exchange(t, from, to, "photo", "picture.jpg", content.Bytes())
		if !bytes.Equal(a, b) {
			t.Errorf("%s downloads %d bytes and the other %d, or others", from.name, len(a), len(b))
		}
		got, err := jpeg.DecodeConfig(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if got.Width != 700 || got.Height != 500 {
			t.Errorf("the photo of %s is %dx%d", from.name, got.Width, got.Height)
		}
	})
}
