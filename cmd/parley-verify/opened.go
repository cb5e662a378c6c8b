package main

import (
	"archive/zip"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"parley/internal/tlog/paper"
	"parley/internal/tlog/verify"
)

// sumsName is the list of digests inside of a package, in the form of sha256sum.
const sumsName = "SHA256SUMS"

// opened checks a package that was decrypted against the paper: the list of digests is the one that
// was signed, each file is as it says, and no other is there.
func (c answerCmd) opened(a paper.Paper) error {
	if c.Opened == "" {
		return nil
	}
	z, err := zip.OpenReader(c.Opened)
	if err != nil {
		return fmt.Errorf("parley-verify: %s: %w", c.Opened, err)
	}
	defer func() { _ = z.Close() }()
	bad := func(format string, args ...any) error {
		return &verify.Finding{
			What: verify.BadReceipt, Where: "package", Why: fmt.Sprintf(format, args...),
		}
	}
	sum, err := digest(&z.Reader, sumsName)
	if errors.Is(err, fs.ErrNotExist) {
		return bad("it has no %s", sumsName)
	}
	if err != nil {
		return err
	}
	if a.Package == nil || sum != a.Package.Manifest {
		return bad("its %s is not the one that was signed", sumsName)
	}
	want, err := sums(&z.Reader)
	if err != nil {
		return err
	}
	for _, f := range z.File {
		if f.Name == sumsName {
			continue
		}
		listed, known := want[f.Name]
		if !known {
			return bad("%q is not in %s, or stands twice", f.Name, sumsName)
		}
		delete(want, f.Name)
		got, err := digest(&z.Reader, f.Name)
		if err != nil {
			return err
		}
		if got != listed {
			return bad("%q was changed", f.Name)
		}
	}
	for name := range want {
		return bad("%q is missing", name)
	}
	return nil
}

// sums reads the list of digests.
func sums(z *zip.Reader) (map[string]string, error) {
	f, err := z.Open(sumsName)
	if err != nil {
		return nil, fmt.Errorf("parley-verify: %w", err)
	}
	defer func() { _ = f.Close() }()
	out := make(map[string]string)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		sum, name, _ := strings.Cut(lines.Text(), "  ")
		out[name] = sum
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("parley-verify: %s: %w", sumsName, err)
	}
	return out, nil
}

// digest is that of a file of a package.
func digest(z *zip.Reader, name string) (string, error) {
	f, err := z.Open(name)
	if err != nil {
		return "", fmt.Errorf("parley-verify: %w", err)
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("parley-verify: %s: %w", name, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
