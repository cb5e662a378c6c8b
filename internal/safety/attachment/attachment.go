// Package attachment shows the papers that came with an order: as pictures of their pages, or as
// their bare text. Whoever sends a paper to an authority's door chooses every byte of it, so a
// paper is opened in a confined process that lives for this one, never in the server's: that
// process draws or reads it, answers with pixels and characters, and can do nothing else. Nothing
// in a paper runs, and nothing that it points to is fetched: there is no interpreter of scripts and
// macros in the program, and the process has no network.
//
// PDF files are drawn by PDFium, compiled to WebAssembly, in a memory of its own within that
// process. Photos go through chat/media/imaging. Of files of office programs, web pages and
// archives the text is read, for no program that draws them is fit to be given a stranger's file;
// a page says so. What cannot be shown has a stated reason, and the paper as it came is kept under
// its digest either way.
//
// Invariants: a View holds pictures and valid text and nothing that a browser could execute; every
// paper ends in a View within the bounds below.
package attachment

import (
	"slices"

	"parley/internal/blob"
)

// Bounds of what is taken and given.
const (
	// MaxSize is the largest paper that is opened, in bytes.
	MaxSize = 25 << 20
	// MaxPages is how many pages are drawn.
	MaxPages = 50
	// MaxText is the longest text that is shown, in bytes.
	MaxText = 512 << 10
	// Side is the longest side of a page's picture, in pixels: a sheet of A4 at 150 to the inch.
	Side = 1754
)

// Kind is what a paper is, by its bytes: what it calls itself proves nothing. It is the key of a
// text, too.
type Kind string

// The kinds.
const (
	PDF     Kind = "pdf"
	Image   Kind = "image"
	Text    Kind = "text"
	HTML    Kind = "html"
	XML     Kind = "xml"
	Office  Kind = "office"
	Archive Kind = "archive"
	Unknown Kind = "unknown"
)

// Kinds lists all kinds.
func Kinds() []Kind { return []Kind{PDF, Image, Text, HTML, XML, Office, Archive, Unknown} }

// Reason is why a paper, or the rest of it, is not shown.
type Reason string

// The reasons.
const (
	// Locked needs a password, Broken is not what it begins as.
	Locked Reason = "locked"
	Broken Reason = "broken"
	// TooLarge exceeds a bound of what is opened, TooLong the time, TooMuch the memory of the
	// process or its means otherwise.
	TooLarge Reason = "too-large"
	TooLong  Reason = "too-long"
	TooMuch  Reason = "too-much"
	// Format is of a kind that is not shown, Empty has nothing in it to show.
	Format Reason = "format"
	Empty  Reason = "empty"
	// Cut is longer than what is shown.
	Cut Reason = "cut"
)

// Reasons lists all reasons.
func Reasons() []Reason {
	return []Reason{Locked, Broken, TooLarge, TooLong, TooMuch, Format, Empty, Cut}
}

// Finding is something in a paper that would do more than be read, were it opened otherwise.
type Finding string

// The findings.
const (
	// Script is code in a PDF file or a web page, Macro code of an office program, Launch starts a
	// program.
	Script Finding = "script"
	Macro  Finding = "macro"
	Launch Finding = "launch"
	// Inside are further files in it, Outside points at things elsewhere that opening it would
	// load.
	Inside  Finding = "inside"
	Outside Finding = "outside"
	// Entity is a document type in XML, Form a form whose fields another program fills in.
	Entity Finding = "entity"
	Form   Finding = "form"
	// Hidden is text that a web page or an office program would not show.
	Hidden Finding = "hidden"
)

// Findings lists all findings.
func Findings() []Finding {
	return []Finding{Script, Macro, Launch, Inside, Outside, Entity, Form, Hidden}
}

// Page is the picture of a page, a JPEG file in the blob store.
type Page struct {
	Digest        blob.Digest
	Width, Height int
}

// View is what is shown of a paper.
type View struct {
	Kind Kind
	// Pages are its pages, Of how many it has.
	Pages []Page
	Of    int
	// Text is its text where it has no pages, without anything that controls a terminal.
	Text     string
	Findings []Finding
	// Reason is why it, or the rest, is not shown; empty when all is.
	Reason Reason
}

// found adds findings, each once.
func (v *View) found(list ...Finding) {
	for _, f := range list {
		if !slices.Contains(v.Findings, f) {
			v.Findings = append(v.Findings, f)
		}
	}
}
