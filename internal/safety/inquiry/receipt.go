package inquiry

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/store"
	"parley/internal/tlog/paper"
)

// document is what an officer said, as its receipt names it by its digest. It is given to him as a
// file: its form is public and does not change.
type document struct {
	Reference string         `json:"reference"`
	Number    int64          `json:"number"`
	Title     string         `json:"title"`
	Text      string         `json:"text"`
	Files     []documentFile `json:"files,omitempty"`
}

type documentFile struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Reference is what a regulator's inquiry is called by, with him and with the staff.
func (s *Service) Reference(i Inquiry) string {
	return s.References.Make(safety.LetterRef, key(i.Agency), i.ID)
}

// Document is what an officer said as a file, byte for byte what the receipt is about.
func (s *Service) Document(i Inquiry, l Line) ([]byte, error) {
	d := document{Reference: s.Reference(i), Number: l.N, Title: i.Title, Text: l.Text}
	for _, f := range l.Files {
		d.Files = append(d.Files, documentFile(f))
	}
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("inquiry: %w", err)
	}
	return append(b, '\n'), nil
}

// receipt signs that what an officer said is stored, and by when it is answered. Nothing is signed
// of what anybody else said.
func (s *Service) receipt(r *store.Reader, i Inquiry, l Line) ([]byte, error) {
	if s.Sign == nil || l.Officer == 0 {
		return nil, nil
	}
	of, err := agency.Of(r, i.Agency)
	if err != nil {
		return nil, err
	}
	b, err := s.Document(i, l)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	signed, err := s.Sign(paper.Paper{
		Kind: paper.Receipt, At: paper.Time(l.At), Reference: s.Reference(i),
		Agency: of.Name, Country: of.Country, Instrument: paper.Question,
		Document: hex.EncodeToString(sum[:]), Received: paper.Time(l.At), Due: paper.Time(i.Due),
		Lang: of.Lang,
	})
	if err != nil {
		return nil, fmt.Errorf("inquiry: %w", err)
	}
	return signed, nil
}
