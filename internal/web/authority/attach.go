package authority

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode"

	"parley/internal/blob"
	"parley/internal/safety/enclosure"
	"parley/internal/safety/order"
	"parley/internal/web/officer"
	"parley/internal/web/page"
)

// Names of the fields of a form that bring files: papers to be kept, a certificate to be read.
const (
	paperField = "paper"
	xmlField   = "xml"
	listField  = "list"
)

// listBytes bounds a list of addresses: as many as one order names, each as long as may be.
const listBytes = order.MaxItems * 2600

// addresses reads a list of addresses, one a row, as rows of the form: the first column that begins
// like an address, and what the others say as a note. A row without an address stays, so that it is
// named as wrong; a first row that has none is a head.
func addresses(r io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, listBytes+1))
	if err != nil {
		return "", err
	}
	if len(b) > listBytes {
		return "", page.ErrTooLarge
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	in := csv.NewReader(bytes.NewReader(b))
	in.FieldsPerRecord, in.LazyQuotes, in.TrimLeadingSpace = -1, true, true
	if first, _, _ := strings.Cut(string(b), "\n"); strings.Count(first, ";") >
		strings.Count(first, ",") {
		in.Comma = ';'
	}
	var out []string
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return strings.Join(out, "\n"), nil
		}
		if err != nil {
			out = append(out, "?") // a row that cannot be read is a wrong line
			continue
		}
		line, found := asLine(row)
		if found || len(out) > 0 {
			out = append(out, line)
		} else if len(row) == 1 && strings.TrimSpace(row[0]) != "" && !isHead(row[0]) {
			out = append(out, line)
		}
	}
}

// asLine is a row of a list as a line of the form, and whether it has an address.
func asLine(row []string) (line string, found bool) {
	at := slices.IndexFunc(row, func(s string) bool {
		return strings.Contains(s, "://") || strings.HasPrefix(s, "t.me/")
	})
	if at < 0 {
		return clean(strings.Join(row, "_")), false
	}
	note := slices.Delete(slices.Clone(row), at, at+1)
	address := strings.ReplaceAll(strings.TrimSpace(row[at]), " ", "_")
	return strings.TrimSpace(address + " " + clean(strings.Join(note, " "))), true
}

// isHead tells whether a lonely word at the top of a list is a name and no address.
func isHead(s string) bool { return !strings.ContainsAny(s, "/.:") }

// paperName bounds the name of a paper, in characters.
const paperName = 200

// file keeps a paper that came with a form and returns what stands for it, or hands the text of a
// certificate on to the form.
func (p *Pages) file(v *officer.Visit, f officer.File) (field, value string, err error) {
	if f.Field == xmlField {
		b, err := io.ReadAll(io.LimitReader(f.Body, certificateBytes+1))
		return certificateField, string(b), err
	}
	if f.Field == listField {
		text, err := addresses(f.Body)
		return "items", text, err
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
	digest, n, err := p.Papers.Put(ctx, io.LimitReader(body, paperBytes+1))
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

// sealed is a paper as it stands in a form, since At, in Unix seconds.
type sealed struct {
	order.Attachment
	At int64 `json:"at"`
}

// seal writes a paper so that it can stand in a form of its agency: nobody names what he has not
// brought, or he could find out what else is kept here.
func (p *Pages) seal(a order.Attachment, of int64) string {
	b, err := json.Marshal(sealed{a, p.Clock.Now().Unix()})
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

// attached are the papers of a form that its agency brought, as long as they are kept for it.
func (p *Pages) attached(list []string, of int64) (out []order.Attachment) {
	since := p.Clock.Now().Add(-enclosure.Within).Unix()
	for _, s := range list {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil || len(b) < sha256.Size ||
			!hmac.Equal(b[:sha256.Size], p.mac(b[sha256.Size:], of)) {
			continue
		}
		var x sealed
		if json.Unmarshal(b[sha256.Size:], &x) == nil && x.At > since {
			out = append(out, x.Attachment)
		}
	}
	return out
}
