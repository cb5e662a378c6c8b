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
	File  string   `arg:"" help:"The signed answer." type:"existingfile"`
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
	got, err := paper.Open(b, note.VerifierList(keys...))
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
	c.tell(p, got)
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
	}
	if a.Text != "" {
		p.say("%s", a.Text)
	}
}
