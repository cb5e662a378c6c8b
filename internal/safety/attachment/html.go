package attachment

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// tokenBytes bounds one tag of a web page.
const tokenBytes = 1 << 20

// webPage reads the text of a web page, and what would have been loaded or run.
func webPage(b []byte) View {
	v := View{Kind: HTML}
	text, ok := decoded(b)
	if !ok {
		v.Reason = Broken
		return v
	}
	var w writer
	z := html.NewTokenizer(bytes.NewReader([]byte(text)))
	z.SetMaxBuf(tokenBytes)
	silent := atom.Atom(0)
	for !w.cut {
		switch z.Next() {
		case html.ErrorToken:
			if err := z.Err(); !errors.Is(err, io.EOF) {
				v.Reason = Broken
			}
			out := w.into(v)
			if v.Reason != "" {
				out.Reason = v.Reason
			}
			return out
		case html.TextToken:
			if silent == 0 {
				w.add(string(z.Text()))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			v.found(inTag(t)...)
			if t.Type == html.StartTagToken && unread(t.DataAtom) && silent == 0 {
				silent = t.DataAtom
			}
			if block(t.DataAtom) {
				w.line()
			}
		case html.EndTagToken:
			t := z.Token()
			if t.DataAtom == silent {
				silent = 0
			}
			if block(t.DataAtom) {
				w.line()
			}
		}
	}
	return w.into(v)
}

// unread tells whether what an element holds is no text for readers.
func unread(a atom.Atom) bool {
	return a == atom.Script || a == atom.Style || a == atom.Template || a == atom.Iframe ||
		a == atom.Object || a == atom.Svg || a == atom.Noscript
}

// block tells whether an element begins a line.
func block(a atom.Atom) bool {
	return slices.Contains([]atom.Atom{
		atom.P, atom.Div, atom.Br, atom.Tr, atom.Li, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5,
		atom.H6, atom.Table, atom.Pre, atom.Blockquote, atom.Hr, atom.Title, atom.Ul, atom.Ol,
	}, a)
}

// inTag are the findings of a tag.
func inTag(t html.Token) (out []Finding) {
	if t.DataAtom == atom.Script {
		out = append(out, Script)
	}
	if t.DataAtom == atom.Iframe || t.DataAtom == atom.Object || t.DataAtom == atom.Embed {
		out = append(out, Inside)
	}
	for _, a := range t.Attr {
		value := strings.ToLower(strings.ReplaceAll(a.Val, " ", ""))
		switch {
		case strings.HasPrefix(a.Key, "on"), strings.HasPrefix(value, "javascript:"):
			out = append(out, Script)
		case t.DataAtom == atom.A:
		case a.Key == "src", a.Key == "href", a.Key == "background", a.Key == "srcset",
			a.Key == "data", a.Key == "poster", strings.Contains(value, "url("):
			if strings.Contains(value, "//") {
				out = append(out, Outside)
			}
		case a.Key == "hidden", strings.Contains(value, "display:none"),
			strings.Contains(value, "visibility:hidden"), strings.Contains(value, "font-size:0"):
			out = append(out, Hidden)
		}
	}
	return out
}
