package console

import (
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"parley/internal/safety/inquiry"
	"parley/internal/web/page"
)

// Bounds of a form with files: all of it in bytes, its texts in bytes, its fields and files, and
// the name of a file in characters.
const (
	formBytes = 32 << 20
	formText  = 1 << 20
	formParts = 50
	nameRunes = 120
)

// large tells whether a form of the row brings files.
func (at row) large() bool { return at.path == sayPath }

// parts reads a form that may bring files. They are kept as they come, after the token: nothing of
// a stranger's is.
func (v *visit) parts() error {
	kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type"))
	if !v.row.large() || err != nil || kind != "multipart/form-data" {
		return nil // ParseForm has read it
	}
	body, err := v.r.MultipartReader()
	if err != nil {
		return page.ErrForbidden
	}
	v.r.PostForm = make(url.Values)
	for n, left := 0, int64(formText); ; n++ {
		p, err := body.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && n >= formParts {
			err = page.ErrTooLarge
		}
		if err == nil {
			left, err = v.part(p, left)
		}
		if most := new(http.MaxBytesError); errors.As(err, &most) {
			return page.ErrTooLarge
		}
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, multipart.ErrMessageTooLarge) {
			return page.ErrForbidden
		}
		if err != nil {
			return err
		}
	}
	for name, values := range v.r.PostForm {
		v.r.Form[name] = append(slices.Clone(values), v.r.Form[name]...)
	}
	return nil
}

// part reads a text of at most left bytes, or keeps a file.
func (v *visit) part(p *multipart.Part, left int64) (int64, error) {
	if p.FileName() == "" {
		b, err := io.ReadAll(io.LimitReader(p, left+1))
		if err == nil && int64(len(b)) > left {
			err = page.ErrTooLarge
		}
		v.r.PostForm.Add(p.FormName(), page.Typed(string(b)))
		return left - int64(len(b)), err
	}
	if !v.tokenIs() {
		return left, nil // and the form is refused
	}
	digest, size, err := v.Papers.Put(v.r.Context(), p)
	if err != nil || size == 0 {
		return left, err
	}
	name := strings.ToValidUTF8(p.FileName(), "\ufffd")
	name = path.Base(strings.ReplaceAll(name, "\\", "/"))
	if r := []rune(name); len(r) > nameRunes {
		name = string(r[len(r)-nameRunes:])
	}
	v.files = append(v.files, inquiry.File{
		Name: name, Size: size, SHA256: hex.EncodeToString(digest[:]),
	})
	return left, nil
}

// tokenIs tells whether the form is one of this session for this path.
func (v *visit) tokenIs() bool {
	return v.Staff.TokenIs(v.session, v.r.URL.Path, v.r.PostFormValue("token"))
}
