package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"parley/internal/tlog/entry"
	"parley/internal/tlog/verify"
)

// canaryCmd are the commands about canary statements.
type canaryCmd struct {
	Key   canaryKeyCmd   `cmd:"" help:"Make a person's key."`
	Sign  canarySignCmd  `cmd:"" help:"Sign a statement, on a machine of the person's own."`
	Check canaryCheckCmd `cmd:"" help:"Check a log and its newest statement."`
}

// canaryKeyCmd makes the key of somebody who signs statements.
type canaryKeyCmd struct {
	Name string `arg:"" help:"The person's name, without spaces."`
	File string `arg:"" help:"Where to write the secret key." type:"path"`
}

// Run writes a new secret key and prints the public one.
func (c canaryKeyCmd) Run(p *process) error {
	secret, public, err := note.GenerateKey(rand.Reader, c.Name)
	if err != nil {
		return fmt.Errorf("parley-verify: %w", err)
	}
	if err := writeSecret(c.File, secret); err != nil {
		return err
	}
	p.say("%s", public)
	return nil
}

// writeSecret writes a secret key into a new file.
func writeSecret(file, secret string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("parley-verify: %w", err)
	}
	_, err = f.WriteString(secret + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("parley-verify: %w", err)
	}
	return nil
}

// canarySignCmd signs a statement.
type canarySignCmd struct {
	trust
	Log    string    `arg:"" help:"The log's web address, or a directory with a mirror of it."`
	Text   string    `arg:"" help:"The file of what is said." type:"existingfile"`
	Secret string    `help:"The file of the person's secret key." required:"" type:"existingfile"`
	Until  time.Time `help:"The last day of it." required:"" format:"2006-01-02" placeholder:"DAY"`
}

// Run prints the signed statement. It names the log's newest tree, whose signatures are checked.
func (c canarySignCmd) Run(p *process) error {
	keys, err := c.keys()
	if err != nil {
		return err
	}
	raw, err := verify.Open(c.Log).Get(p.ctx, verify.CheckpointFile, verify.DocumentMost)
	if err != nil {
		return err
	}
	now, err := keys.Open(raw)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(c.Text)
	if err != nil {
		return fmt.Errorf("parley-verify: %w", err)
	}
	secret, err := os.ReadFile(c.Secret)
	if err != nil {
		return fmt.Errorf("parley-verify: %w", err)
	}
	signer, err := note.NewSigner(strings.TrimSpace(string(secret)))
	if err != nil {
		return fmt.Errorf("parley-verify: %s: %w", c.Secret, err)
	}
	signed, err := verify.Canary{
		Origin: c.Origin, Day: entry.Day(p.clock.Now()), Until: entry.Day(c.Until), Size: now.Size,
		Root: now.Root, Text: string(text),
	}.Sign(signer)
	if err != nil {
		return err
	}
	_, err = p.out.Write(signed)
	return err
}

// canaryCheckCmd checks a log and its newest statement.
type canaryCheckCmd struct {
	target
	Person []string `help:"The public key of somebody who may sign." required:"" placeholder:"KEY"`
}

// Run says what the newest statement is and until when it holds.
func (c canaryCheckCmd) Run(p *process) error {
	persons, err := verify.Persons(c.Person)
	if err != nil {
		return err
	}
	r, err := c.check(p.ctx)
	if err != nil {
		return err
	}
	tell(p, r)
	said, err := r.Canary(p.ctx, verify.Open(c.Log), persons, p.clock.Now())
	if err != nil {
		return err
	}
	p.say("%s signed on %s, when the log had %d entries, and it holds until %s:", said.Signer,
		said.Day, said.Size, said.Until)
	p.say("%s", said.Text)
	return nil
}
