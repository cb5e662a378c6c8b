// Package regulator has the pages of the line between regulators and the service: a regulator's
// officers ask, see the answers and until when they come, attach files, and close what is settled.
// The staff's side is in the console. Files that are attached are only ever handed out as files: no
// page shows or opens them.
package regulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/blob"
	"parley/internal/safety/enclosure"
	"parley/internal/safety/inquiry"
	"parley/internal/store"
	"parley/internal/web/officer"
	"parley/internal/web/page"
)

// files are the pages and their texts.
//
//go:embed all:pages texts
var files embed.FS

// Rooms are what the pages stand on.
type Rooms struct {
	Site      *page.Site
	Store     *store.Store
	Door      *officer.Door
	Inquiries *inquiry.Service
	// Papers keeps what is attached.
	Papers blob.Store
	// Print draws a signed receipt as pages in a language.
	Print func(signed []byte, lang string) ([]byte, error)
	// Key is secret and proves that a file was taken in here.
	Key [32]byte
}

// Pages serves the pages.
type Pages struct {
	Rooms
	set *page.Set
}

// New reads the pages.
func New(r Rooms) (*Pages, error) {
	set, err := r.Site.Set(files, officer.Shell())
	if err != nil {
		return nil, err
	}
	return &Pages{r, set}, nil
}

// home is where the pages begin.
const home = "/regulator"

const (
	// mostBytes is the largest form with its files, in bytes.
	mostBytes = 32 << 20
	// shown is how many inquiries one page has.
	shown = 50
	// nameRunes is the longest name of a file, in characters.
	nameRunes = 120
	// fileField is the field that stands for a file that was taken in.
	fileField = "file"
)

// Mount adds the pages to a mux.
func (p *Pages) Mount(mux *http.ServeMux) {
	access := officer.Access{
		May: inquiry.Regulates, Tabs: []officer.Tab{
			{Path: home, Text: "regulator.tab"}, {Path: "/authority", Text: "regulator.orders"},
		},
	}
	asks := access
	asks.Bytes, asks.File = mostBytes, p.keep
	mux.Handle("GET "+home, p.Door.Handle(access, p.list))
	mux.Handle("POST "+home, p.Door.Handle(asks, p.ask))
	mux.Handle("GET "+home+"/{id}", p.Door.Handle(access, p.dialogue))
	mux.Handle("POST "+home+"/{id}", p.Door.Handle(asks, p.say))
	mux.Handle("POST "+home+"/{id}/close", p.Door.Handle(access, p.close))
	mux.Handle("GET "+home+"/{id}/file/{n}/{k}", p.Door.Handle(access, p.file))
	for name, h := range map[string]func(dialogue, inquiry.Line, *officer.Visit) (
		handed, error){"message": p.message, "receipt": p.receipt, "pdf": p.printed} {
		mux.Handle("GET "+home+"/{id}/"+name+"/{n}", p.Door.Handle(access, p.hand(h)))
	}
}

// keep takes in a file of a form. What stands for it from then on can be made here alone, for this
// agency: else a form could name any file that the server has.
func (p *Pages) keep(v *officer.Visit, f officer.File) (field, value string, err error) {
	if f.Name == "" {
		return "", "", nil
	}
	digest, size, err := p.Papers.Put(v.Context(), f.Body)
	if err != nil || size == 0 {
		return "", "", err
	}
	name := path.Base(strings.ReplaceAll(f.Name, "\\", "/"))
	if r := []rune(name); len(r) > nameRunes {
		name = string(r[len(r)-nameRunes:])
	}
	b, err := cbor.Marshal(brought{
		File: inquiry.File{Name: name, Size: size, SHA256: hex.EncodeToString(digest[:])},
		At:   p.Door.Clock.Now().Unix(),
	})
	if err != nil {
		return "", "", fmt.Errorf("regulator: %w", err)
	}
	return fileField, base64.RawURLEncoding.EncodeToString(append(p.proof(v, b), b...)), nil
}

// brought is a file as it stands in a form, since At, in Unix seconds.
type brought struct {
	File inquiry.File
	At   int64
}

func (p *Pages) proof(v *officer.Visit, b []byte) []byte {
	h := hmac.New(sha256.New, p.Key[:])
	fmt.Fprintf(h, "%d ", v.Agency().ID)
	h.Write(b)
	return h.Sum(nil)
}

// attached are the files that came with a form. What was not made by keep is none, nor what was
// made longer ago than a session lasts.
func (p *Pages) attached(r *http.Request, v *officer.Visit) (out []inquiry.File) {
	since := p.Door.Clock.Now().Add(-enclosure.Within).Unix()
	for _, value := range r.PostForm[fileField] {
		b, err := base64.RawURLEncoding.DecodeString(value)
		if err != nil || len(b) < sha256.Size ||
			!hmac.Equal(b[:sha256.Size], p.proof(v, b[sha256.Size:])) {
			continue
		}
		var f brought
		if cbor.Unmarshal(b[sha256.Size:], &f) == nil && f.At > since {
			out = append(out, f.File)
		}
	}
	return out
}

// list is all that a regulator asked.
type list struct {
	Form      officer.Form
	Inquiries []inquiry.Inquiry
	Older     int64
	Days      int
	// Title and Text are what was typed, Wrong is set when one of them is missing or too long.
	Title, Text string
	Wrong       bool
}

func (p *Pages) list(_ http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	return p.show(r, v, http.StatusOK, list{})
}

func (p *Pages) show(r *http.Request, v *officer.Visit, status int, body list) error {
	below := int64(math.MaxInt64)
	if n, err := strconv.ParseInt(r.FormValue("below"), 10, 64); err == nil {
		below = n
	}
	body.Form = v.Form(home)
	body.Days = int(max(p.Inquiries.Within/(24*time.Hour), 1))
	err := p.Store.View(r.Context(), func(rd *store.Reader) (err error) {
		body.Inquiries, err = inquiry.OfAgency(rd, v.Agency().ID, below, shown)
		return err
	})
	if err != nil {
		return err
	}
	if n := len(body.Inquiries); n == shown {
		body.Older = body.Inquiries[n-1].ID
	}
	return v.Show(p.set, status, "list", body)
}

func (p *Pages) ask(_ http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	title, text := r.PostFormValue("title"), r.PostFormValue("text")
	i, err := p.Inquiries.Ask(r.Context(), v.Agency(), v.Officer().ID, title, text,
		p.attached(r, v))
	if errors.Is(err, inquiry.ErrText) {
		return p.show(r, v, http.StatusUnprocessableEntity, list{
			Title: title, Text: text, Wrong: true,
		})
	}
	if err != nil {
		return err
	}
	return v.Leave(at(i.ID))
}

func at(id int64) string { return home + "/" + strconv.FormatInt(id, 10) }

// dialogue is an inquiry with what was said.
type dialogue struct {
	inquiry.Inquiry
	Said      []inquiry.Line
	Form, End officer.Form
	Path      string
	Text      string
	Wrong     bool
}

// find is the inquiry that the path names.
func (p *Pages) find(r *http.Request, v *officer.Visit) (d dialogue, err error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return d, page.ErrNotFound
	}
	d.Inquiry, d.Said, err = p.Inquiries.Find(r.Context(), v.Agency(), v.Officer().ID, id)
	if store.IsNotFound(err) {
		err = page.ErrNotFound
	}
	d.Path = at(id)
	d.Form, d.End = v.Form(d.Path), v.Form(d.Path+"/close")
	return d, err
}

func (p *Pages) dialogue(_ http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	d, err := p.find(r, v)
	if err != nil {
		return err
	}
	return v.Show(p.set, http.StatusOK, "dialogue", d)
}

func (p *Pages) say(_ http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	d, err := p.find(r, v)
	if err != nil {
		return err
	}
	d.Text = r.PostFormValue("text")
	_, err = p.Inquiries.Say(r.Context(), v.Agency().ID, d.ID, inquiry.Line{
		Officer: v.Officer().ID, Text: d.Text, Files: p.attached(r, v),
	})
	if errors.Is(err, inquiry.ErrText) || errors.Is(err, inquiry.ErrClosed) {
		d.Wrong = true
		return v.Show(p.set, http.StatusUnprocessableEntity, "dialogue", d)
	}
	if err != nil {
		return err
	}
	return v.Leave(d.Path)
}

func (p *Pages) close(_ http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	d, err := p.find(r, v)
	if err != nil {
		return err
	}
	if err := p.Inquiries.Close(r.Context(), v.Agency().ID, d.ID); err != nil {
		return err
	}
	return v.Leave(d.Path)
}

// file hands out a file that was attached, as one that no browser opens by itself.
func (p *Pages) file(w http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	d, err := p.find(r, v)
	if err != nil {
		return err
	}
	n, err1 := strconv.ParseInt(r.PathValue("n"), 10, 64)
	k, err2 := strconv.Atoi(r.PathValue("k"))
	if err1 != nil || err2 != nil {
		return page.ErrNotFound
	}
	for _, l := range d.Said {
		if l.N == n && k >= 0 && k < len(l.Files) {
			return Send(w, r, p.Site, p.Papers, l.Files[k])
		}
	}
	return page.ErrNotFound
}

// Send answers with a file that was attached, as one that no browser opens by itself.
func Send(
	w http.ResponseWriter, r *http.Request, site *page.Site, papers blob.Store, f inquiry.File,
) error {
	b, err := hex.DecodeString(f.SHA256)
	if err != nil || len(b) != sha256.Size {
		return page.ErrNotFound
	}
	body := make([]byte, f.Size)
	if n, err := papers.ReadAt(r.Context(), blob.Digest(b), body, 0); err != nil &&
		!(errors.Is(err, io.EOF) && int64(n) == f.Size) {
		return fmt.Errorf("regulator: file: %w", err)
	}
	w.Header().Set("Content-Disposition", `attachment; filename="attachment-`+f.SHA256[:12]+`"`)
	site.Bytes(w, r, http.StatusOK, "application/octet-stream", body)
	return nil
}
