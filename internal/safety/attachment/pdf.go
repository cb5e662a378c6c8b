package attachment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"os"
	"time"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/enums"
	pdferrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

const (
	// memoryPages is how much memory PDFium has, in pages of 64 KiB: 256 MiB.
	memoryPages = 4096
	// startTime is how long PDFium may take to answer that it is there.
	startTime = time.Minute
	// quality is that of pictures, of 100: small letters stay legible.
	quality = 80
)

// drawer draws PDF files. It has PDFium, which has neither files nor network: it is WebAssembly,
// and is given nothing to call but a clock and memory of its own.
type drawer struct{ pdfium pdfium.Pdfium }

// newDrawer starts PDFium. In a folder the machine's form of it is kept, which takes seconds to
// make; without one it is made again each time.
func newDrawer(cache string) (*drawer, error) {
	settings := wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling).
		WithMemoryLimitPages(memoryPages)
	if cache != "" {
		kept, err := wazero.NewCompilationCacheWithDir(cache)
		if err == nil {
			settings = settings.WithCompilationCache(kept)
		}
	}
	pool, err := webassembly.Init(webassembly.Config{
		Context: context.Background(), MinIdle: 1, MaxIdle: 1, MaxTotal: 1,
		RuntimeConfig: settings, FSConfig: wazero.NewFSConfig(),
		Stdout: io.Discard, Stderr: io.Discard,
	})
	if err != nil {
		return nil, fmt.Errorf("attachment: PDFium: %w", err)
	}
	p, err := pool.GetInstance(startTime)
	if err != nil {
		return nil, fmt.Errorf("attachment: PDFium: %w", err)
	}
	return &drawer{p}, nil
}

// draw writes the pages of a PDF file as they are drawn. An error is one of the pipe.
func (d *drawer) draw(file []byte, out io.Writer) error {
	v := View{Kind: PDF}
	opened, err := d.pdfium.OpenDocument(&requests.OpenDocument{File: &file})
	if err != nil {
		v.Reason = Broken
		if errors.Is(err, pdferrors.ErrPassword) || errors.Is(err, pdferrors.ErrSecurity) {
			v.Reason = Locked
		}
		return tell(v, out)
	}
	doc := opened.Document
	d.look(&v, doc, file)
	count, err := d.pdfium.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: doc})
	if err != nil || count.PageCount < 1 {
		v.Reason = Broken
		return tell(v, out)
	}
	v.Of = count.PageCount
	if v.Of > MaxPages {
		v.Reason = Cut
	}
	if err := tell(v, out); err != nil {
		return err
	}
	for n := range min(v.Of, MaxPages) {
		p, err := d.page(doc, n)
		if err != nil {
			if err := frame(out, frameReason, []byte(Broken)); err != nil {
				return err
			}
			continue
		}
		if err := frame(out, framePage, p.encode()); err != nil {
			return err
		}
	}
	return nil
}

// page draws a page.
func (d *drawer) page(doc references.FPDF_DOCUMENT, n int) (picture, error) {
	got, err := d.pdfium.RenderPageInPixels(&requests.RenderPageInPixels{
		Page:  requests.Page{ByIndex: &requests.PageByIndex{Document: doc, Index: n}},
		Width: Side, Height: Side, RenderFlags: enums.FPDF_RENDER_FLAG_ANNOT,
		// What was filled into a form is part of what it says.
		RenderForm: true,
	})
	if err != nil {
		return picture{}, err
	}
	defer got.Cleanup()
	seen := got.Result.Image
	if seen == nil || seen.Rect.Empty() {
		return picture{}, errWire
	}
	onWhite(seen)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, seen, &jpeg.Options{Quality: quality}); err != nil {
		return picture{}, err
	}
	return picture{width: seen.Rect.Dx(), height: seen.Rect.Dy(), jpeg: out.Bytes()}, nil
}

// onWhite puts a picture on white paper. PDFium does not multiply colours by their opacity.
func onWhite(m *image.RGBA) {
	for i := 0; i+3 < len(m.Pix); i += 4 {
		a := uint32(m.Pix[i+3])
		if a == 0xff {
			continue
		}
		for k := range 3 {
			m.Pix[i+k] = byte((uint32(m.Pix[i+k])*a + 0xff*(0xff-a)) / 0xff)
		}
		m.Pix[i+3] = 0xff
	}
}

// look notes what a PDF file would do elsewhere.
func (d *drawer) look(v *View, doc references.FPDF_DOCUMENT, file []byte) {
	scripts, err := d.pdfium.FPDFDoc_GetJavaScriptActionCount(
		&requests.FPDFDoc_GetJavaScriptActionCount{Document: doc})
	if err == nil && scripts.JavaScriptActionCount > 0 {
		v.found(Script)
	}
	files, err := d.pdfium.FPDFDoc_GetAttachmentCount(
		&requests.FPDFDoc_GetAttachmentCount{Document: doc})
	if err == nil && files.AttachmentCount > 0 {
		v.found(Inside)
	}
	form, err := d.pdfium.FPDF_GetFormType(&requests.FPDF_GetFormType{Document: doc})
	if err == nil && (form.FormType == enums.FPDF_FORMTYPE_XFA_FULL ||
		form.FormType == enums.FPDF_FORMTYPE_XFA_FOREGROUND) {
		v.found(Form)
	}
	// What stands in the open says more than PDFium is asked for.
	for _, x := range []struct {
		name string
		is   Finding
	}{
		{"/JavaScript", Script}, {"/JS", Script}, {"/Launch", Launch}, {"/EmbeddedFile", Inside},
		{"/RichMedia", Inside}, {"/SubmitForm", Outside}, {"/GoToR", Outside},
		{"/ImportData", Outside},
	} {
		if bytes.Contains(file, []byte(x.name)) {
			v.found(x.is)
		}
	}
}

// makeCache makes the folder for the machine's form of PDFium; "" for none.
func makeCache(dir string) string {
	if dir == "" || os.MkdirAll(dir, 0o700) != nil {
		return ""
	}
	return dir
}
