// Package answer signs what authorities are told, and says it in words: a signed paper is the
// answer, a letter says the same in the authority's language and names the paper's digest. It
// decides nothing, stores nothing and sends nothing.
//
// Invariants: a paper is signed with a key that has no other use, so that what it signed can be
// nothing else; every language has all texts; what a letter says is in the paper.
package answer

import (
	"embed"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"parley/internal/safety/words"
	"parley/internal/tlog"
	"parley/internal/tlog/paper"
)

// keyFile is where the key lies among the server's keys.
const keyFile = "answers.key"

// files has the words of papers, one file for each language.
//
//go:embed texts/*.toml
var files embed.FS

// Signer signs papers and has their words. It is safe for concurrent use.
type Signer struct {
	note   note.Signer
	public string
	texts  map[string]map[string]string
	// drawing is for PDFs.
	drawing drawing
}

// Open reads the key of a service's answers from the directory of its keys, and makes one if there
// is none. Its name is that of the service's host, with what it signs behind it.
func Open(dir, host string, random io.Reader) (*Signer, error) {
	name := host + "/answers"
	signer, public, err := tlog.OpenKey(filepath.Join(dir, keyFile), name, random)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	texts, err := words.Read(files, words.Authorities())
	if err != nil {
		return nil, err
	}
	return &Signer{note: signer, public: public, texts: texts}, nil
}

// Public is the key with which papers are checked, as authority-contact.json publishes it.
//
// https://c2sp.org/signed-note
func (s *Signer) Public() string { return s.public }

// Issuer is the name that signs.
func (s *Signer) Issuer() string { return s.note.Name() }

// Sign signs a paper in the service's name. It says in which language its letter is: the one that
// is asked for, or the fallback where there are no texts in that.
func (s *Signer) Sign(p paper.Paper) ([]byte, error) {
	p.Issuer, p.Lang = s.note.Name(), s.Lang(p.Lang)
	return paper.Sign(p, s.note)
}

// Read checks a paper that this service signed, and reads it.
func (s *Signer) Read(signed []byte) (paper.Paper, error) {
	v, err := note.NewVerifier(s.public)
	if err != nil {
		return paper.Paper{}, fmt.Errorf("answer: %w", err)
	}
	return paper.Open(signed, note.VerifierList(v))
}

// Lang is a language in which there are texts: the one asked for, or the fallback.
func (s *Signer) Lang(lang string) string {
	if _, ok := s.texts[strings.ToLower(lang)]; ok {
		return strings.ToLower(lang)
	}
	return words.Fallback
}

// text is a text in a language that there is.
func (s *Signer) text(lang, key string) string { return s.texts[lang][key] }
