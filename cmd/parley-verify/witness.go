package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"parley/internal/tlog/verify"
	"parley/internal/tlog/witness"
)

// keyCmd makes a key.
type keyCmd struct {
	Name string `arg:"" help:"The witness's name, such as its host."`
	File string `arg:"" help:"Where to write the secret key." type:"path"`
}

// Run writes a new secret key and prints the public one, which verifiers and logs need.
func (c keyCmd) Run(p *process) error {
	secret, public, err := note.GenerateKey(rand.Reader, c.Name)
	if err != nil {
		return fmt.Errorf("parley-verify: %w", err)
	}
	cosigner, err := fnote.VKeyToCosignatureV1(public)
	if err != nil {
		return fmt.Errorf("parley-verify: %w", err)
	}
	if err := writeSecret(c.File, secret); err != nil {
		return err
	}
	p.say("%s", cosigner)
	return nil
}

// witnessCmd runs a witness.
type witnessCmd struct {
	Listen string   `help:"Where to listen." default:"127.0.0.1:4480"`
	Dir    string   `help:"Where to remember what was cosigned." required:"" type:"path"`
	Secret string   `help:"The file of the secret key." required:"" type:"existingfile"`
	Key    []string `help:"Public key of a log to follow." required:"" placeholder:"KEY"`
}

// Times after which a slow client is left.
const (
	readTime = 10 * time.Second
	stopTime = 5 * time.Second
)

// Run serves the witness protocol until it is stopped.
func (c witnessCmd) Run(p *process) error {
	w, err := c.witness()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("parley-verify: %w", err)
	}
	p.say("witness on http://%s", l.Addr())
	s := &http.Server{Handler: w, ReadTimeout: readTime, WriteTimeout: readTime}
	defer context.AfterFunc(p.ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		_ = s.Shutdown(ctx)
	})()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("parley-verify: %w", err)
	}
	return nil
}

func (c witnessCmd) witness() (*witness.Witness, error) {
	b, err := os.ReadFile(c.Secret)
	if err != nil {
		return nil, fmt.Errorf("parley-verify: %w", err)
	}
	signer, err := fnote.NewSignerForCosignatureV1(strings.TrimSpace(string(b)))
	if err != nil {
		return nil, fmt.Errorf("parley-verify: %s: %w", c.Secret, err)
	}
	logs := map[string]witness.Log{}
	for _, key := range c.Key {
		v, err := note.NewVerifier(key)
		if err != nil {
			return nil, fmt.Errorf("parley-verify: key of a log: %w", err)
		}
		keys, err := verify.NewKeys(v.Name(), []string{key}, nil, 0)
		if err != nil {
			return nil, err
		}
		l := logs[v.Name()]
		l.Origin, l.Keys = v.Name(), append(l.Keys, keys.Log...)
		logs[v.Name()] = l
	}
	list := make([]witness.Log, 0, len(logs))
	for _, l := range logs {
		list = append(list, l)
	}
	return witness.New(c.Dir, signer, list...)
}
