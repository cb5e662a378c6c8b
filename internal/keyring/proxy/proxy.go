// Package proxy keeps the secrets by which clients reach the server where its network is blocked:
// each pretends to visit a website, so that a connection looks like that of a browser. It makes
// secrets, rotates them, and writes the links that clients open. It listens to nothing.
//
// Invariants: the newest secret has no end; a secret that ended is not accepted any more; the file
// is replaced as a whole, so that a crash leaves the old one or the new one.
//
// https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation
package proxy

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"parley/internal/mtproto/transport"
)

// keyBytes is the length of a secret's random part.
const keyBytes = 16

// mostSecrets bounds how many secrets are kept: each costs every new connection a comparison.
const mostSecrets = 16

// Errors of the package.
var (
	// ErrDomain says that something is no name of a website.
	ErrDomain = errors.New("proxy: not the name of a website")
	// ErrMany says that too many secrets are still accepted.
	ErrMany = errors.New("proxy: too many secrets are accepted; end some of them")
)

// Secret is one of them.
type Secret struct {
	// Hex is the secret as links have it, in hexadecimal.
	Hex  string    `json:"secret"`
	Made time.Time `json:"made"`
	// Ends is from when on it is not accepted; the newest has none.
	Ends time.Time `json:"ends,omitzero"`
}

// Domain is the website that the secret pretends to visit.
func (s Secret) Domain() string {
	t, err := transport.ParseSecret(s.Hex)
	if err != nil {
		return ""
	}
	return t.Domain()
}

// accepted tells whether the secret is accepted at a time.
func (s Secret) accepted(at time.Time) bool { return s.Ends.IsZero() || at.Before(s.Ends) }

// File is where the secrets lie. It may be read and written by several processes of one operator,
// by one of them at a time.
type File struct{ path string }

// In is the file of a directory of keys.
func In(dir string) File { return File{filepath.Join(dir, "proxy.json")} }

// All are all secrets that are kept, the oldest first; none where there is no file.
func (f File) All() (out []Secret, err error) {
	b, err := os.ReadFile(f.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	for _, s := range out {
		if _, err := transport.ParseSecret(s.Hex); err != nil {
			return nil, fmt.Errorf("proxy: %w", err)
		}
	}
	return out, nil
}

// Accepted are the secrets that are accepted at a time, the newest first.
func (f File) Accepted(at time.Time) (out []Secret, err error) {
	all, err := f.All()
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].accepted(at) {
			out = append(out, all[i])
		}
	}
	return out, err
}

// Rotate makes a secret that pretends to visit a website. All that were accepted are so for a time
// more, at most as long as before.
func (f File) Rotate(domain string, now time.Time, grace time.Duration, random io.Reader) (
	Secret, error,
) {
	var key [keyBytes]byte
	if _, err := io.ReadFull(random, key[:]); err != nil {
		return Secret{}, fmt.Errorf("proxy: %w", err)
	}
	fresh := Secret{
		Hex:  "ee" + hex.EncodeToString(key[:]) + hex.EncodeToString([]byte(domain)),
		Made: now.UTC().Truncate(time.Second),
	}
	if _, err := transport.ParseSecret(fresh.Hex); err != nil || domain == "" {
		return Secret{}, ErrDomain
	}
	all, err := f.All()
	if err != nil {
		return Secret{}, err
	}
	end := now.Add(grace).UTC().Truncate(time.Second)
	var kept []Secret
	for _, s := range all {
		if !s.accepted(now) {
			continue
		}
		if s.Ends.IsZero() || end.Before(s.Ends) {
			s.Ends = end
		}
		if grace > 0 {
			kept = append(kept, s)
		}
	}
	if len(kept) >= mostSecrets {
		return Secret{}, ErrMany
	}
	return fresh, f.write(append(kept, fresh))
}

// write replaces the file.
func (f File) write(all []Secret) error {
	b, err := json.MarshalIndent(all, "", "\t")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(f.path), 0o700)
	}
	var t *os.File
	if err == nil {
		t, err = os.CreateTemp(filepath.Dir(f.path), "proxy-*")
	}
	if err != nil {
		return fmt.Errorf("proxy: %w", err)
	}
	_, err = t.Write(append(b, '\n'))
	if err == nil {
		err = t.Sync()
	}
	if cerr := t.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(t.Name(), f.path)
	}
	if err != nil {
		_ = os.Remove(t.Name())
		return fmt.Errorf("proxy: %w", err)
	}
	return nil
}

// Link is how a client is told of a proxy.
type Link struct {
	// App opens in an application, Web in any browser, which asks for the application.
	App, Web string
	Host     string
	Port     int
	Secret   string
}

// LinkTo is the link to a server by a secret.
//
// https://core.telegram.org/api/links#mtproxy-links
func LinkTo(host string, port int, secret string) Link {
	q := url.Values{"server": {host}, "port": {strconv.Itoa(port)}, "secret": {secret}}.Encode()
	return Link{"tg://proxy?" + q, "https://t.me/proxy?" + q, host, port, secret}
}
