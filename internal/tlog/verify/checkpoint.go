package verify

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// CheckpointFile is where a log's newest checkpoint lies, and checkpointMost its bound in bytes.
const (
	CheckpointFile = "checkpoint"
	checkpointMost = 64 << 10
)

// Keys are whom a stranger trusts.
type Keys struct {
	// Origin is the log's name, the first line of its checkpoints.
	Origin string
	// Log are the log's keys: one of them must have signed.
	Log []note.Verifier
	// Witnesses may cosign; Quorum of them must have.
	Witnesses []note.Verifier
	Quorum    int
}

// NewKeys reads keys in the form of signed notes: the log's, and those of witnesses. quorum is how
// many of these must have cosigned.
//
// https://c2sp.org/signed-note
func NewKeys(origin string, log, witnesses []string, quorum int) (Keys, error) {
	k := Keys{Origin: origin, Quorum: quorum}
	for _, s := range log {
		v, err := note.NewVerifier(s)
		if err != nil {
			return k, fmt.Errorf("verify: key of the log: %w", err)
		}
		if v.Name() != origin {
			return k, fmt.Errorf("verify: the key is of %q, the log is %q", v.Name(), origin)
		}
		k.Log = append(k.Log, v)
	}
	for _, s := range witnesses {
		v, err := fnote.NewVerifierForCosignatureV1(s)
		if err != nil {
			return k, fmt.Errorf("verify: key of a witness: %w", err)
		}
		k.Witnesses = append(k.Witnesses, v)
	}
	if len(k.Log) == 0 {
		return k, errors.New("verify: no key of the log")
	}
	if quorum < 0 || quorum > len(k.Witnesses) {
		return k, fmt.Errorf("verify: %d of %d witnesses", quorum, len(k.Witnesses))
	}
	return k, nil
}

// Checkpoint is what a log's key signed about its tree.
type Checkpoint struct {
	Size int64
	Root tlog.Hash
	// Raw is the signed note, Witnesses the names of those whose cosignatures are right.
	Raw       []byte
	Witnesses []string
}

// Open checks the signatures of a checkpoint and reads it. What is wrong with it is a *Finding.
//
// https://c2sp.org/tlog-checkpoint
func (k Keys) Open(raw []byte) (c Checkpoint, err error) {
	n, err := note.Open(raw, note.VerifierList(k.Log...))
	if err != nil {
		return c, finding(BadCheckpoint, CheckpointFile, "no signature by the log's key: %v", err)
	}
	if !strict(raw[len(n.Text):]) {
		return c, finding(BadCheckpoint, CheckpointFile, "a signature is not in its only form")
	}
	c.Raw = raw
	if c.Size, c.Root, err = Body(k.Origin, n.Text); err != nil {
		return c, err
	}
	for _, v := range k.Witnesses {
		if w, err := note.Open(raw, note.VerifierList(v)); err == nil && len(w.Sigs) == 1 {
			c.Witnesses = append(c.Witnesses, v.Name())
		}
	}
	if len(c.Witnesses) < k.Quorum {
		return c, finding(NoWitness, CheckpointFile, "%d of %d witnesses cosigned, %d must have",
			len(c.Witnesses), len(k.Witnesses), k.Quorum)
	}
	return c, nil
}

// strict refuses signature lines that could be written otherwise and mean the same: a signed note
// has one form, so that two of them can be compared.
func strict(lines []byte) bool {
	for line := range strings.Lines(strings.TrimPrefix(string(lines), "\n")) {
		at := strings.LastIndexByte(line, ' ') + 1
		text := strings.TrimSuffix(line[at:], "\n")
		if _, err := base64.StdEncoding.Strict().DecodeString(text); err != nil {
			return false
		}
	}
	return true
}

// Body reads the text of a checkpoint, which has three lines and may have more; who signed it is
// not looked at.
func Body(origin, text string) (size int64, root tlog.Hash, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] != origin {
		return 0, root, finding(BadCheckpoint, CheckpointFile, "it is not one of %s", origin)
	}
	size, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return 0, root, finding(BadCheckpoint, CheckpointFile, "its size is %q", lines[1])
	}
	b, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(b) != tlog.HashSize {
		return 0, root, finding(BadCheckpoint, CheckpointFile, "its hash is %q", lines[2])
	}
	return size, tlog.Hash(b), nil
}
