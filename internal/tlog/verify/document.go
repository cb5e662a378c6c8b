package verify

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"parley/internal/tlog/entry"
)

// DocumentMost bounds a published document in bytes.
const DocumentMost = 16 << 20

// FormPrefix begins the names of forms that laws prescribe. The name of the form and the kind of
// the file follow: form-eu-2024-2835-zip. Rules and canary statements have other names.
const FormPrefix = "form-"

// OrderPrefix begins the names of orders of authorities that are published without what identifies
// people. The name of the order's line follows.
const OrderPrefix = "order-"

// DocumentFile is the path of a published document, by the digest that its entry commits to.
func DocumentFile(digest string) string { return "documents/" + digest }

// document checks that a published document is the one that its entry commits to.
func (p *pass) document(e entry.Entry) error {
	if p.out.Newest == nil {
		p.out.Newest = make(map[string]entry.Entry)
	}
	p.out.Newest[e.Subject] = e
	if !p.check.Reports {
		return nil
	}
	_, err := Document(p.ctx, p.check.Source, e)
	return err
}

// Document reads the document that an entry is about. What does not fit is a *Finding.
func Document(ctx context.Context, src Source, e entry.Entry) ([]byte, error) {
	at := DocumentFile(e.Commitment)
	b, err := src.Get(ctx, at, DocumentMost)
	var bad *Finding
	switch {
	case errors.Is(err, ErrMissing):
		return nil, finding(BadDocument, at, "it is missing")
	case errors.As(err, &bad):
		return nil, finding(BadDocument, at, "%s", bad.Why)
	case err != nil:
		return nil, err
	case entry.Digest(b) != e.Commitment:
		return nil, finding(BadDocument, at, "it is not the file that was published")
	}
	return b, nil
}

// CanaryName is the name of canary statements among published documents.
const CanaryName = "canary"

// canaryHead is the first line of a canary statement. A checkpoint cannot begin so: its first line
// is a log's name, and has no space.
const canaryHead = "parley canary/v1"

// Canary is a statement that a person signs at intervals as long as it is true. It names the tree
// of the log at the time, so that it cannot have been signed before that was known.
type Canary struct {
	// Origin is the log's name.
	Origin string
	// Day is when it was signed, Until the last day on which it holds.
	Day, Until string
	// Size and Root are of the log at the time.
	Size int64
	Root tlog.Hash
	// Text is what the person says.
	Text string
	// Signer is the name of the key that signed.
	Signer string
}

// Expired tells whether a statement does not hold any more.
func (c Canary) Expired(now time.Time) bool { return entry.Day(now) > c.Until }

// Sign writes the statement down and signs it.
//
// https://c2sp.org/signed-note
func (c Canary) Sign(by note.Signer) ([]byte, error) {
	text := fmt.Sprintf("%s\nlog %s\nsigned %s\nuntil %s\ntree %d %s\n\n%s\n", canaryHead, c.Origin,
		c.Day, c.Until, c.Size, c.Root, strings.TrimSpace(c.Text))
	if _, err := parseCanary(text); err != nil {
		return nil, err
	}
	b, err := note.Sign(&note.Note{Text: text}, by)
	if err != nil {
		return nil, fmt.Errorf("verify: sign: %w", err)
	}
	return b, nil
}

// Persons reads the public keys of those who may sign statements.
func Persons(keys []string) (out []note.Verifier, err error) {
	for _, k := range keys {
		v, err := note.NewVerifier(k)
		if err != nil {
			return nil, fmt.Errorf("verify: key of a person: %w", err)
		}
		out = append(out, v)
	}
	return out, nil
}

// OpenCanary reads a statement that one of some persons signed. What is wrong is a *Finding.
func OpenCanary(raw []byte, persons []note.Verifier) (c Canary, err error) {
	n, err := note.Open(raw, note.VerifierList(persons...))
	if err != nil {
		return c, finding(BadCanary, CanaryName, "no signature by a person's key: %v", err)
	}
	if c, err = parseCanary(n.Text); err == nil {
		c.Signer = n.Sigs[0].Name
	}
	return c, err
}

// parseCanary reads the text of a statement.
func parseCanary(text string) (c Canary, err error) {
	head, said, ok := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || len(lines) != 5 || lines[0] != canaryHead || strings.TrimSpace(said) == "" {
		return c, finding(BadCanary, CanaryName, "it is not in the form of one")
	}
	c.Text = strings.TrimSuffix(said, "\n")
	var tree string
	for i, f := range []struct {
		name string
		to   *string
	}{{"log ", &c.Origin}, {"signed ", &c.Day}, {"until ", &c.Until}, {"tree ", &tree}} {
		if *f.to, ok = strings.CutPrefix(lines[i+1], f.name); !ok {
			return c, finding(BadCanary, CanaryName, "line %d does not begin with %q", i+2, f.name)
		}
	}
	for _, day := range []string{c.Day, c.Until} {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return c, finding(BadCanary, CanaryName, "%q is not a day", day)
		}
	}
	size, root, _ := strings.Cut(tree, " ")
	if c.Size, err = strconv.ParseInt(size, 10, 64); err != nil || c.Size < 1 {
		return c, finding(BadCanary, CanaryName, "its tree has the size %q", size)
	}
	if c.Root, err = tlog.ParseHash(root); err != nil {
		return c, finding(BadCanary, CanaryName, "its tree has the hash %q", root)
	}
	return c, nil
}

// Began checks that the log of which a checkpoint is begins with another tree.
func Began(ctx context.Context, src Source, c Checkpoint, size int64, root tlog.Hash) error {
	if size > c.Size {
		return finding(Rollback, CheckpointFile, "the log had %d entries and has %d", size, c.Size)
	}
	proof, err := tlog.ProveTree(c.Size, size, Hashes(ctx, src, c.Size, c.Root))
	if err != nil {
		return fmt.Errorf("verify: proof of %d entries: %w", size, err)
	}
	if tlog.CheckTree(proof, c.Size, c.Root, size, root) != nil {
		return finding(Fork, CheckpointFile, "the first %d entries are not those of before", size)
	}
	return nil
}

// Canary checks the newest canary statement of a log that was checked: that it is there, is signed
// by one of some persons, is about this log as it was then, and holds at a time.
func (r Result) Canary(
	ctx context.Context, src Source, persons []note.Verifier, now time.Time,
) (c Canary, err error) {
	e, ok := r.Newest[CanaryName]
	if !ok {
		return c, finding(BadCanary, CanaryName, "the log has none")
	}
	raw, err := Document(ctx, src, e)
	if err != nil {
		return c, err
	}
	if c, err = OpenCanary(raw, persons); err != nil {
		return c, err
	}
	switch {
	case c.Origin != r.Book.Log:
		return c, finding(BadCanary, CanaryName, "it is about the log %s", c.Origin)
	case c.Day != e.Day || c.Until != e.Ends:
		return c, finding(BadCanary, CanaryName, "its days are not those of its entry")
	case c.Expired(now):
		return c, finding(BadCanary, CanaryName, "it expired on %s", c.Until)
	}
	return c, Began(ctx, src, r.Checkpoint, c.Size, c.Root)
}
