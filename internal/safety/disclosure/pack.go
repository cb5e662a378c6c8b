package disclosure

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"parley/internal/blob"
	"parley/internal/safety/order"
	"parley/internal/safety/recipient"
)

// Manifest is the name of the list of digests inside of a package, in the form that sha256sum -c
// reads.
const Manifest = "SHA256SUMS"

// heading says what a package is about.
type heading struct {
	Service   string `json:"service"`
	Reference string `json:"reference"`
	Number    string `json:"number"`
	Agency    string `json:"agency"`
	Country   string `json:"country"`
	// Document is the SHA-256 of the order, Plan that of what people signed, Content that of what
	// was let go.
	Document string `json:"document"`
	Plan     string `json:"plan"`
	Content  string `json:"content"`
	From     string `json:"from,omitempty"`
	To       string `json:"to,omitempty"`
	Released string `json:"released"`
}

// file is one file of a package.
type file struct {
	name string
	body []byte
}

// parcel is what goes into a package of an order.
type parcel struct {
	order   int64
	heading heading
	content Content
	files   []file
}

// packed is a package that only the agency can open.
type packed struct {
	body []byte
	// digest is that of the package, manifest that of the list of digests inside of it.
	digest, manifest string
}

// pack writes what leaves and encrypts it. It wants the proof that the disclosure's line for the
// public log is written: order.ErrUnlogged without it.
func pack(
	proof order.Logged, p parcel, to recipient.Key, at time.Time,
) (out packed, err error) {
	if !proof.Valid(p.order) {
		return out, order.ErrUnlogged
	}
	list, err := p.write()
	if err != nil {
		return out, err
	}
	manifest := sums(list)
	out.manifest = digestOf(manifest)
	list = append(list, file{Manifest, manifest})
	var plain, sealed bytes.Buffer
	z := zip.NewWriter(&plain)
	for _, f := range list {
		// No times: what is in a package says when.
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate})
		if err != nil {
			return out, fmt.Errorf("disclosure: %w", err)
		}
		if _, err := w.Write(f.body); err != nil {
			return out, fmt.Errorf("disclosure: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return out, fmt.Errorf("disclosure: %w", err)
	}
	if err := to.Encrypt(&sealed, plain.Bytes(), at); err != nil {
		return out, err
	}
	out.body, out.digest = sealed.Bytes(), digestOf(sealed.Bytes())
	return out, nil
}

// sums is the list of the digests of files.
func sums(list []file) []byte {
	var b bytes.Buffer
	for _, f := range list {
		fmt.Fprintf(&b, "%s  %s\n", digestOf(f.body), f.name)
	}
	return b.Bytes()
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// write makes the files of a package, by their names.
func (p parcel) write() ([]file, error) {
	about, err := json.MarshalIndent(p.heading, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("disclosure: %w", err)
	}
	data, err := json.MarshalIndent(p.content, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("disclosure: %w", err)
	}
	list := append([]file{
		{"data.json", append(data, '\n')},
		{"data.txt", []byte(p.heading.text() + p.content.text())},
		{"order.json", append(about, '\n')},
	}, p.files...)
	slices.SortFunc(list, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return list, nil
}

// text says what a package is about, to be read.
func (h heading) text() string {
	var b strings.Builder
	for _, l := range [][2]string{
		{"Service", h.Service}, {"Our reference", h.Reference}, {"Your reference", h.Number},
		{"Authority", h.Agency + " (" + h.Country + ")"}, {"SHA-256 of the order", h.Document},
		{"From", h.From}, {"To", h.To}, {"Released", h.Released},
	} {
		if l[1] != "" {
			b.WriteString(l[0] + ": " + l[1] + "\n")
		}
	}
	return b.String()
}

// text is the content, to be read: what is in it are the words of data.json.
func (c Content) text() string {
	var b strings.Builder
	for _, a := range c.Accounts {
		fmt.Fprintf(&b, "\nItem %d: %q\n", a.Item, a.Location)
		for _, r := range a.Records {
			fmt.Fprintf(&b, "\n[%s, %s]\n", r.Class, r.Of)
			if r.Kept != 0 {
				fmt.Fprintf(&b, "kept since: %s\n", moment(r.Kept))
			}
			for _, f := range r.Fields {
				fmt.Fprintf(&b, "%s: %s\n", f.Name, strings.ReplaceAll(f.Value, "\n", "\n  "))
			}
		}
		for _, class := range sorted(a.Lacks) {
			fmt.Fprintf(&b, "\n[%s]\nnothing: %s\n", class, a.Lacks[class])
		}
	}
	for _, x := range c.Struck {
		fmt.Fprintf(&b, "\nStruck out: item %d, %s %s: %s\n", x.Item, x.Class, x.Field, x.Reason)
	}
	return b.String()
}

func sorted[K ~string, V any](m map[K]V) (out []K) {
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func moment(at int64) string {
	if at == 0 {
		return ""
	}
	return time.Unix(at, 0).UTC().Format(time.RFC3339)
}

// bytesOf reads the files that a content names. personal.ErrMuch is for more than a package takes.
func (s *Service) bytesOf(ctx context.Context, c Content) (out []file, err error) {
	left := int64(maxFiles)
	for _, a := range c.Accounts {
		for _, r := range a.Records {
			digest, size, ok := r.File()
			name := "files/" + hex.EncodeToString(digest)
			if !ok || slices.ContainsFunc(out, func(f file) bool { return f.name == name }) {
				continue
			}
			if left -= size; left < 0 {
				return nil, ErrLarge
			}
			body, err := s.blob(ctx, digest, size)
			if err != nil {
				return nil, err
			}
			out = append(out, file{name, body})
		}
	}
	return out, nil
}

// ErrLarge says that the files are more than one package takes: some are struck out, or the order
// names a shorter time.
var ErrLarge = errors.New("disclosure: the files are more than one package takes")

// blob reads one file and holds it to its digest.
func (s *Service) blob(ctx context.Context, digest []byte, size int64) ([]byte, error) {
	if len(digest) != sha256.Size || s.Blobs == nil {
		return nil, blob.ErrNotFound
	}
	body := make([]byte, size)
	n, err := s.Blobs.ReadAt(ctx, blob.Digest(digest), body, 0)
	if errors.Is(err, io.EOF) && int64(n) == size {
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("disclosure: file: %w", err)
	}
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], digest) {
		return nil, fmt.Errorf("disclosure: file %x: %w", digest, blob.ErrNotFound)
	}
	return body, nil
}
