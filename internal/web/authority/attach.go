package authority

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode"

	"parley/internal/blob"
	"parley/internal/safety/order"
	"parley/internal/web/officer"
	"parley/internal/web/page"
)

// Names of the fields of a form that bring files: papers to be kept, a certificate to be read.
const (
	paperField = "paper"
	xmlField   = "xml"
)

// paperName bounds the name of a paper, in characters.
const paperName = 200

// file keeps a paper that came with a form and returns what stands for it, or hands the text of a
// certificate on to the form.
func (p *Pages) file(v *officer.Visit, f officer.File) (field, value string, err error) {
	if f.Field == xmlField {
		b, err := io.ReadAll(io.LimitReader(f.Body, certificateBytes+1))
		return certificateField, string(b), err
	}
	x, err := p.keep(v.Context(), f.Name, f.Type, f.Body)
	if err != nil || x.Size == 0 {
		return "", "", err // an empty file is a field in which nothing was chosen
	}
	return "papers", p.seal(x, v.Agency().ID), nil
}

// keep stores a paper under its digest. Nothing here looks into it.
func (p *Pages) keep(
	ctx context.Context, name, kind string, body io.Reader,
) (order.Attachment, error) {
	digest, n, err := p.Blobs.Put(ctx, io.LimitReader(body, paperBytes+1))
	if errors.Is(err, blob.ErrTooLarge) || err == nil && n > paperBytes {
		return order.Attachment{}, page.ErrTooLarge
	}
	if err != nil {
		return order.Attachment{}, err
	}
	return order.Attachment{
		Name: clean(name), Mime: clean(kind), Digest: digest.String(), Size: n,
	}, nil
}

// clean is a name on one line.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if r := []rune(s); len(r) > paperName {
		s = string(r[:paperName])
	}
	return s
}

// seal writes a paper so that it can stand in a form of its agency: nobody names what he has not
// brought, or he could find out what else is kept here.
func (p *Pages) seal(a order.Attachment, of int64) string {
	b, err := json.Marshal(a)
	if err != nil {
		return "" // texts and a number can always be written
	}
	return base64.RawURLEncoding.EncodeToString(append(p.mac(b, of), b...))
}

func (p *Pages) mac(b []byte, of int64) []byte {
	h := hmac.New(sha256.New, p.Key[:])
	_, _ = h.Write(appendInt([]byte("paper\x00"), of))
	_, _ = h.Write(b)
	return h.Sum(nil)
}

func appendInt(b []byte, n int64) []byte {
	for range 8 {
		b = append(b, byte(n))
		n >>= 8
	}
	return b
}

// attached are the papers of a form that its agency brought.
func (p *Pages) attached(sealed []string, of int64) (out []order.Attachment) {
	for _, s := range sealed {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil || len(b) < sha256.Size ||
			!hmac.Equal(b[:sha256.Size], p.mac(b[sha256.Size:], of)) {
			continue
		}
		var a order.Attachment
		if json.Unmarshal(b[sha256.Size:], &a) == nil {
			out = append(out, a)
		}
	}
	return out
}
