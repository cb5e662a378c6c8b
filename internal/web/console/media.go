package console

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"parley/internal/blob"
	"parley/internal/safety/evidence"
	"parley/internal/store"
	"parley/internal/web/page"
	"parley/internal/web/staff"
)

// grantTime is how long the address of a file is good: long enough to load it, too short to hand it
// on.
const grantTime = 2 * time.Minute

// grant is a file that a visitor may load for a moment. Its address is all that it takes: the
// origin of media knows no cookies.
type grant struct {
	// paper says that it is in the store of papers, not among people's files.
	paper  bool
	digest []byte
	mime   string
	ends   int64
}

// mediaURL is the address of a file for the next moments.
func (c *Console) mediaURL(g grant) string {
	g.ends = c.Clock.Now().Add(grantTime).Unix()
	b := binary.BigEndian.AppendUint64(nil, uint64(g.ends))
	b = append(b, 0)
	if g.paper {
		b[len(b)-1] = 1
	}
	b = append(b, g.digest...)
	b = append(b, g.mime...)
	b = append(b, c.proof(b)...)
	return strings.TrimSuffix(c.MediaURL, "/") + "/" + base64.RawURLEncoding.EncodeToString(b)
}

// proof is what nobody else can write below an address.
func (c *Console) proof(b []byte) []byte {
	h := hmac.New(sha256.New, c.Key[:])
	h.Write([]byte("console media"))
	h.Write(b)
	return h.Sum(nil)
}

// readGrant reads an address; false for one that is not good, or not any more.
func (c *Console) readGrant(path string) (g grant, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(path, "/"))
	const ends, head, tail = 8, 8 + 1 + sha256.Size, sha256.Size
	if err != nil || len(b) < head+tail {
		return g, false
	}
	signed, proof := b[:len(b)-tail], b[len(b)-tail:]
	if !hmac.Equal(proof, c.proof(signed)) {
		return g, false
	}
	g = grant{
		ends: int64(binary.BigEndian.Uint64(signed)), paper: signed[ends] == 1,
		digest: signed[ends+1 : head], mime: string(signed[head:]),
	}
	return g, g.ends > c.Clock.Now().Unix()
}

// serveMedia sends a file of people. Whatever it is, it cannot do anything: it has no scripts, no
// origin, no cookies and no type but the one it was granted for.
func (c *Console) serveMedia(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex")
	// The console is another site, and loads it all the same.
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	g, ok := c.readGrant(r.URL.Path)
	if !ok {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	d := blob.Digest(g.digest)
	from := c.Blobs
	if g.paper {
		from = c.Papers
	}
	info, err := from.Stat(r.Context(), d)
	if errors.Is(err, blob.ErrNotFound) {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	if err != nil {
		c.Log.Error("console: media", "error", err)
		http.Error(w, "not available", http.StatusServiceUnavailable)
		return
	}
	h.Set("Content-Type", g.mime)
	h.Set("Content-Disposition", "inline")
	if kindOf(g.mime) == "file" {
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Disposition", `attachment; filename="evidence.bin"`)
	}
	body := &blobReader{ctx: r.Context(), blobs: from, digest: d, size: info.Size}
	http.ServeContent(w, r, "", time.Time{}, body)
}

// blobReader reads a file from the blob store, from any place.
type blobReader struct {
	ctx      context.Context
	blobs    blob.Store
	digest   blob.Digest
	at, size int64
}

// Read reads on from where the last read ended.
func (b *blobReader) Read(p []byte) (int, error) {
	if b.at >= b.size {
		return 0, io.EOF
	}
	n, err := b.blobs.ReadAt(b.ctx, b.digest, p, b.at)
	b.at += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// Seek moves to a place.
func (b *blobReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += b.at
	case io.SeekEnd:
		offset += b.size
	}
	if offset < 0 {
		return 0, blob.ErrRange
	}
	b.at = offset
	return offset, nil
}

// reveal gives the visitor the address of a file of his case, once it is written down and within
// what he should bear.
func (c *Console) reveal(v *visit) error {
	x, err := v.myCase()
	if err != nil {
		return err
	}
	var files []evidence.File
	err = v.view(func(r *store.Reader) error {
		list, err := evidence.Of(r, x.Subject, x.ID)
		files = filesOf(list)
		return err
	})
	if err != nil {
		return err
	}
	n := v.number("file")
	if v.field("file") == "" || n < 0 || n >= int64(len(files)) {
		return page.ErrNotFound
	}
	f := files[n]
	if kindOf(f.Mime) == "file" && sealed(x) {
		return v.sendJSON(http.StatusForbidden, v.fault("veil.sealed"))
	}
	err = c.Staff.Look(v.r.Context(), v.about(x, staff.Reveal, kindOf(f.Mime)))
	if errors.Is(err, staff.ErrLimit) {
		return v.sendJSON(http.StatusTooManyRequests, v.fault("veil.limit"))
	}
	if err != nil {
		return err
	}
	return v.sendJSON(http.StatusOK, struct {
		URL  string `json:"url"`
		Kind string `json:"kind"`
	}{c.mediaURL(grant{digest: f.Digest, mime: f.Mime}), kindOf(f.Mime)})
}
