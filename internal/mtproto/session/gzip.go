package session

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"parley/internal/limit"
)

// errUnpack says that gzip_packed holds no compressed data, or too much of it.
var errUnpack = errors.New("session: cannot unpack")

// Answers that carry bytes of files, which do not compress and are large.
const (
	idUploadFile    = 0x096a18d5
	idUploadWebFile = 0x21e753bc
	idUploadCDNFile = 0xa99fca4f
)

// Gzip packs answers and unpacks queries. It keeps what compression needs between uses, so one
// serves all sessions. It is safe for concurrent use; the zero Gzip is ready.
//
// https://core.telegram.org/mtproto/service_messages#packed-object
type Gzip struct {
	// PackFrom is the smallest answer, in bytes, that is packed; 0 stands for limit.PackFrom. To
	// pack costs about five times as much as to encrypt what is saved.
	PackFrom int

	writers, gzipReaders, zlibReaders sync.Pool
}

type packer struct {
	out bytes.Buffer
	gz  *gzip.Writer
}

// Pack returns a result as gzip_packed where that makes it shorter by a tenth, else as it is.
// Results with bytes of files are left alone.
func (g *Gzip) Pack(result []byte) []byte {
	from := g.PackFrom
	if from == 0 {
		from = limit.PackFrom
	}
	if len(result) < from {
		return result
	}
	switch Constructor(result) {
	case idUploadFile, idUploadWebFile, idUploadCDNFile, idGzip:
		return result
	}
	p, _ := g.writers.Get().(*packer)
	if p == nil {
		p = &packer{}
		p.gz, _ = gzip.NewWriterLevel(&p.out, gzip.BestSpeed)
	}
	defer g.writers.Put(p)
	p.out.Reset()
	p.gz.Reset(&p.out)
	if _, err := p.gz.Write(result); err != nil {
		return result
	}
	if err := p.gz.Close(); err != nil || p.out.Len() > len(result)*9/10 {
		return result
	}
	b := make([]byte, 0, wordBytes+longStringAt+p.out.Len()+wordBytes)
	return appendBytes(appendWord(b, idGzip), p.out.Bytes())
}

// unpack expands packed, which may be in gzip or in zlib format, to at most most bytes.
func (g *Gzip) unpack(packed []byte, most int) ([]byte, error) {
	pool, open := &g.zlibReaders, openZlib
	if bytes.HasPrefix(packed, []byte{0x1f, 0x8b}) {
		pool, open = &g.gzipReaders, openGzip
	}
	old, _ := pool.Get().(io.ReadCloser)
	z, err := open(old, bytes.NewReader(packed))
	if err != nil {
		return nil, errUnpack
	}
	out, err := readAll(z, min(4*len(packed)+bytes.MinRead, most+1), most)
	if err != nil {
		return nil, errUnpack
	}
	pool.Put(z)
	return out, nil
}

func readAll(z io.Reader, guess, most int) ([]byte, error) {
	out := make([]byte, 0, guess)
	for {
		n, err := z.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		switch {
		case len(out) > most:
			return nil, errUnpack
		case err == io.EOF:
			return out, nil
		case err != nil:
			return nil, err
		case len(out) == cap(out):
			larger := make([]byte, len(out), min(2*cap(out), most+1))
			copy(larger, out)
			out = larger
		}
	}
}

func openGzip(old io.ReadCloser, r io.Reader) (io.ReadCloser, error) {
	if z, ok := old.(*gzip.Reader); ok {
		return z, z.Reset(r)
	}
	return gzip.NewReader(r)
}

func openZlib(old io.ReadCloser, r io.Reader) (io.ReadCloser, error) {
	if z, ok := old.(zlib.Resetter); ok {
		return old, z.Reset(r, nil)
	}
	return zlib.NewReader(r)
}
