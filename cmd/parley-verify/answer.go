package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"

	"parley/internal/tlog/paper"
	"parley/internal/tlog/verify"
)

// answerCmd checks what an authority was told about its order.
type answerCmd struct {
	Key   []string `help:"The service's key for answers." required:"" placeholder:"KEY"`
	Order string   `help:"The order as it was sent." type:"existingfile" placeholder:"FILE"`
	// Package is what was handed over, encrypted as it came.
	Package string `help:"The encrypted package." type:"existingfile" placeholder:"FILE"`
	// Opened is what was found in it.
	Opened string `help:"The package, decrypted." type:"existingfile" placeholder:"FILE"`
	File   string `arg:"" help:"The signed answer, or the PDF with it." type:"existingfile"`
}

// Run says what a signed paper says, if it is signed by the service.
func (c answerCmd) Run(p *process) error {
	b, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("parley-verify: %w", err)
	}
	var keys []note.Verifier
	for _, k := range c.Key {
		v, err := note.NewVerifier(k)
		if err != nil {
			return fmt.Errorf("parley-verify: key: %w", err)
		}
		keys = append(keys, v)
	}
	pdf := paper.IsPDF(b)
	if pdf {
		b, err = paper.FromPDF(b)
	}
	var got paper.Paper
	if err == nil {
		got, err = paper.Open(b, note.VerifierList(keys...))
	}
	if errors.Is(err, paper.ErrSignature) || errors.Is(err, paper.ErrFormat) {
		return &verify.Finding{What: verify.BadReceipt, Where: "answer", Why: err.Error()}
	}
	if err != nil {
		return err
	}
	if c.Order != "" {
		sent, err := os.ReadFile(c.Order)
		if err != nil {
			return fmt.Errorf("parley-verify: %w", err)
		}
		if sum := sha256.Sum256(sent); hex.EncodeToString(sum[:]) != got.Document {
			return &verify.Finding{
				What: verify.BadReceipt, Where: "answer", Why: "it is about another document",
			}
		}
	}
	if err := errors.Join(c.packed(got), c.opened(got)); err != nil {
		return err
	}
	c.tell(p, got)
	if pdf {
		p.say("This is what the paper says that is attached to the PDF, and it is signed. What " +
			"the pages of the PDF show was not looked at: where they say anything else, they " +
			"are wrong.")
	}
	return nil
}

// packed checks a package against the paper.
func (c answerCmd) packed(a paper.Paper) error {
	if c.Package == "" {
		return nil
	}
	b, err := os.ReadFile(c.Package)
	if err != nil {
		return fmt.Errorf("parley-verify: %w", err)
	}
	sum := sha256.Sum256(b)
	if a.Package == nil || hex.EncodeToString(sum[:]) != a.Package.Digest {
		return &verify.Finding{
			What: verify.BadReceipt, Where: "answer", Why: "it is about another package",
		}
	}
	return nil
}

func (c answerCmd) tell(p *process, a paper.Paper) {
	p.say("signed by %s on %s: %s", a.Issuer, a.At, a.Kind)
	p.say("order %s of %s (%s), %s, received %s", a.Number, a.Agency, a.Country, a.Instrument,
		a.Received)
	p.say("reference %s, SHA-256 of the order %s", a.Reference, a.Document)
	if a.Due != "" {
		p.say("to be answered by %s", a.Due)
	}
	if a.Given != "" {
		p.say("effect given: %s %s", a.Given, a.Reason)
	}
	for _, m := range a.Missing {
		p.say("%s: %s: %s", m.Law, m.Field, m.What)
	}
	for _, i := range a.Items {
		p.say("%4d %-10s %s %s %v %s", i.N, i.State, i.Location, i.Measure, i.Territory, i.Reason)
		for _, d := range i.Data {
			p.say("     %s: %s %s", d.Class, d.Given, d.Reason)
		}
	}
	if g := a.Package; g != nil {
		p.say("package of %d bytes with SHA-256 %s", g.Size, g.Digest)
		p.say("encrypted to the key %s", g.Key)
		p.say("SHA-256 of SHA256SUMS in it: %s; to be fetched until %s", g.Manifest, g.Until)
	}
	if a.Text != "" {
		p.say("%s", a.Text)
	}
}
