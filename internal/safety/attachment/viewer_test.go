package attachment

import (
	"bytes"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"parley/internal/blob"
	"parley/internal/chat/media/imaging"
	"parley/internal/clock"
	"parley/internal/confine"
)

func TestMain(m *testing.M) {
	if code, is := Worker(os.Args[1:], os.Stdin, os.Stdout); is {
		os.Exit(code)
	}
	if len(os.Args) > 1 && os.Args[1] == imaging.WorkerArg {
		os.Exit(imaging.WorkerMain(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// world is a viewer on a blob store of its own.
type world struct {
	*Viewer
	seen atomic.Int64
}

func open(t testing.TB, change func(*Options)) *world {
	t.Helper()
	blobs, err := blob.OpenDir(t.TempDir(), clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = blobs.Close() })
	w := &world{}
	o := Options{
		Papers: blobs, Cache: cacheDir(t), Timeout: 5 * time.Minute,
		Images: sync.OnceValues(func() (*imaging.Worker, error) {
			return imaging.NewWorker(t.Context(), imaging.Options{Timeout: time.Minute})
		}),
		Seen: func(_ View, is confine.Isolation) { w.seen.Add(1) },
	}
	if change != nil {
		change(&o)
	}
	if w.Viewer, err = New(o); err != nil {
		t.Fatal(err)
	}
	return w
}

// cacheDir is one folder for all tests of a run, so that PDFium is made ready once.
func cacheDir(t testing.TB) string {
	t.Helper()
	return filepath.Join(os.TempDir(), fmt.Sprintf("parley-attachment-test-%d", os.Getpid()))
}

func (w *world) put(t testing.TB, file []byte) blob.Digest {
	t.Helper()
	d, _, err := w.Papers.Put(t.Context(), bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (w *world) look(t testing.TB, file []byte) View {
	t.Helper()
	v, err := w.View(t.Context(), w.put(t, file))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// picture reads a page from the blob store.
func (w *world) picture(t testing.TB, p Page) []byte {
	t.Helper()
	info, err := w.Papers.Stat(t.Context(), p.Digest)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, info.Size)
	_, err = w.Papers.ReadAt(t.Context(), p.Digest, b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return b
}

// TestHostilePapers shows each paper of the pack: it ends in pictures, in text, or with a stated
// reason, asks nobody for anything, and leaves nothing behind.
func TestHostilePapers(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
	}))
	defer server.Close()
	planted := filepath.Join(t.TempDir(), "planted")
	w := open(t, func(o *Options) { o.CPU = 4 * time.Second })
	defer func() { _ = os.RemoveAll(cacheDir(t)) }()
	for name, h := range pack(t, server.URL, planted) {
		v := w.look(t, h.file)
		t.Logf("%s: %s, %d of %d pages, %d bytes of text, %q, %v",
			name, v.Kind, len(v.Pages), v.Of, len(v.Text), v.Reason, v.Findings)
		if v.Kind != h.kind {
			t.Errorf("%s: is a %s, want %s", name, v.Kind, h.kind)
		}
		if !slices.Contains(h.reasons, v.Reason) {
			t.Errorf("%s: reason %q, want one of %q", name, v.Reason, h.reasons)
		}
		for _, f := range h.finds {
			if !slices.Contains(v.Findings, f) {
				t.Errorf("%s: %q was not found: %v", name, f, v.Findings)
			}
		}
		if !strings.Contains(v.Text, h.says) || strings.Contains(v.Text, "root:") ||
			v.Kind == HTML && strings.Contains(v.Text, "alert(1)") {
			t.Errorf("%s: says %.80q", name, v.Text)
		}
		checkBounds(t, w, name, v)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("papers asked for %d things elsewhere", n)
	}
	if _, err := os.Stat(planted); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a paper has planted a file: %v", err)
	}
}

// checkBounds checks what always holds of a view.
func checkBounds(t *testing.T, w *world, name string, v View) {
	t.Helper()
	if len(v.Pages) == 0 && v.Text == "" && v.Reason == "" {
		t.Errorf("%s: neither shown nor a reason", name)
	}
	if len(v.Pages) > MaxPages || len(v.Text) > MaxText || !utf8.ValidString(v.Text) ||
		v.Text != visible(v.Text) {
		t.Errorf("%s: %d pages, %d bytes of text", name, len(v.Pages), len(v.Text))
	}
	for _, p := range v.Pages {
		c, err := jpeg.DecodeConfig(bytes.NewReader(w.picture(t, p)))
		if err != nil || c.Width != p.Width || c.Height != p.Height || c.Width > 2560 ||
			c.Height > 2560 {
			t.Errorf("%s: a page is %dx%d, %v", name, c.Width, c.Height, err)
		}
	}
}

// TestPagesAreDrawn draws an order of two pages and finds ink where it says something.
func TestPagesAreDrawn(t *testing.T) {
	w := open(t, nil)
	file := pdf("", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R 3 0 R]/Count 2>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"+
			"/Resources<</Font<</F1 5 0 R>>>>>>",
		stream("", "BT /F1 40 Tf 100 700 Td (ORDER) Tj ET"),
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
	v := w.look(t, file)
	if v.Kind != PDF || v.Of != 2 || len(v.Pages) != 2 || v.Reason != "" || len(v.Findings) != 0 {
		t.Fatalf("got %+v", v)
	}
	m, err := jpeg.Decode(bytes.NewReader(w.picture(t, v.Pages[0])))
	if err != nil {
		t.Fatal(err)
	}
	dark, light := 0, 0
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			if r, _, _, _ := m.At(x, y).RGBA(); r < 0x4000 {
				dark++
			} else if r > 0xf000 {
				light++
			}
		}
	}
	if dark < 1000 || light < m.Bounds().Dx()*m.Bounds().Dy()*9/10 {
		t.Errorf("%d dark points and %d light ones", dark, light)
	}
	again := w.look(t, file)
	if !slices.Equal(again.Pages, v.Pages) || w.seen.Load() != 1 {
		t.Errorf("opened %d times", w.seen.Load())
	}
	if _, err := w.View(t.Context(), blob.Digest{1}); !errors.Is(err, ErrMissing) {
		t.Errorf("a paper that is not there: %v", err)
	}
}

// TestTextIsRead reads what office programs, mail programs and old machines write.
func TestTextIsRead(t *testing.T) {
	w := open(t, nil)
	odt := archived(t, "mimetype", "application/vnd.oasis.opendocument.text",
		"META-INF/manifest.xml", "<x/>", "content.xml",
		`<office:d xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text=`+
			`"urn:oasis:names:tc:opendocument:xmlns:text:1.0"><text:h>Beschluss</text:h>`+
			`<text:p>Az. <text:span>12 Gs 34</text:span></text:p></office:d>`)
	xlsx := archived(t, "[Content_Types].xml", contentTypes, "xl/worksheets/sheet1.xml",
		`<worksheet><row><c><v>17</v></c></row></worksheet>`, "xl/sharedStrings.xml",
		`<sst><si><t>https://t.me/x/1</t></si></sst>`)
	for name, x := range map[string]struct {
		file []byte
		kind Kind
		want string
	}{
		"OpenDocument": {odt, Office, "Beschluss\nAz. 12 Gs 34"},
		"a sheet":      {xlsx, Office, "https://t.me/x/1\n\n17"},
		"Latin 1":      {[]byte("Verf\xfcgung"), Text, "Verfügung"},
		"UTF-16":       {[]byte("\xff\xfeO\x00K\x00"), Text, "OK"},
		"UTF-8":        {[]byte("\ufeffحكم"), Text, "حكم"},
		"lines":        {[]byte("a\r\nb\rc"), Text, "a\nb\nc"},
	} {
		v := w.look(t, x.file)
		if v.Kind != x.kind || v.Text != x.want || v.Reason != "" {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// TestAnswersAreSuspected: what a process that was taken over may say is refused; a frame carries
// nothing but words of them.
func TestAnswersAreSuspected(t *testing.T) {
	one := func(letter byte, body string) []byte {
		var b bytes.Buffer
		if err := frame(&b, letter, []byte(body)); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	jpg := "\xff\xd8\xff rest"
	for name, b := range map[string][]byte{
		"an unknown letter":    one('X', ""),
		"an unknown kind":      one(frameKind, "exe"),
		"an unknown finding":   one(frameFinding, "nothing"),
		"an unknown reason":    one(frameReason, "because"),
		"a count of one byte":  one(frameCount, "1"),
		"a page without size":  one(framePage, "\x00\x00\x00\x01"+jpg),
		"a page too wide":      one(framePage, "\xff\xff\x00\x01"+jpg),
		"a page that is none":  one(framePage, "\x00\x01\x00\x01<svg onload=x>"),
		"a short page":         one(framePage, "\x00"),
		"text that is none":    one(frameText, "\xff"),
		"text with a bell":     one(frameText, "\a"),
		"text without end":     one(frameText, strings.Repeat("x", MaxText+1)),
		"more after the end":   append(one(frameEnd, ""), 'x', 0, 0, 0, 0),
		"too many pages":       bytes.Repeat(one(framePage, "\x00\x01\x00\x01"+jpg), MaxPages+1),
		"an isolation of none": one(frameIsolation, ""),
	} {
		if _, err := readAnswer(PDF, b); !errors.Is(err, errWire) {
			t.Errorf("%s: %v", name, err)
		}
	}
	cut := append(one(frameReason, string(Cut)), one(frameText, "whole")[:7]...)
	if a, err := readAnswer(PDF, cut); err != nil || a.ended || a.Reason != Cut {
		t.Errorf("cut off: %+v, %v", a, err)
	}
}

func FuzzReadAnswer(f *testing.F) {
	var b bytes.Buffer
	_ = tell(View{Kind: PDF, Of: 3, Text: "x", Findings: Findings(), Reason: Cut}, &b)
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		a, _ := readAnswer(PDF, b)
		if len(a.pictures) > MaxPages || len(a.Text) > MaxText || !utf8.ValidString(a.Text) {
			t.Errorf("%d pages, text %q", len(a.pictures), a.Text)
		}
	})
}

// FuzzRead reads papers that are not drawn as the confined process does.
func FuzzRead(f *testing.F) {
	for _, h := range pack(f, "http://127.0.0.1:9", "/nonexistent/planted") {
		if len(h.file) < 1<<16 {
			f.Add(h.file)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		kind := kindOf(b)
		if kind == PDF || kind == Image || kind == Unknown {
			return
		}
		v := read(kind, b)
		var out bytes.Buffer
		if err := tell(v, &out); err != nil {
			t.Fatal(err)
		}
		if _, err := readAnswer(kind, out.Bytes()); err != nil {
			t.Errorf("%v: what was read of it is no answer: %+v", err, v)
		}
	})
}
