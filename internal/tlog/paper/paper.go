// Package paper is the public format of the signed papers that authorities get: receipts,
// confirmations of effect, refusals with their reasons. A paper is one JSON object in a signed
// note, which anybody can check offline with the service's public key; so the package imports
// nothing of the server, and a form that was published is never changed.
//
// A paper says of every single thing that an order names what became of it. It repeats the
// authority's own words only where it must (reference, addresses), and names no person.
//
// https://c2sp.org/signed-note
package paper

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Version is the version of the format.
const Version = 1

// MaxSize bounds a signed paper in bytes: a thousand items with long addresses.
const MaxSize = 4 << 20

// Errors of papers.
var (
	// ErrFormat says that something is not a paper as this package writes them.
	ErrFormat = errors.New("paper: not in the published format")
	// ErrSignature says that a paper is not signed by a key that the caller trusts.
	ErrSignature = errors.New("paper: not signed by a known key")
)

// Kind is what a paper says.
type Kind string

// The kinds of papers.
const (
	// Receipt says that an order was stored, and by when it will be answered.
	Receipt Kind = "receipt"
	// Incomplete says what is missing or manifestly wrong, so that the clock stands still where the
	// law says so.
	Incomplete Kind = "incomplete"
	// Effect says for every item what was done; it answers the order.
	Effect Kind = "effect"
	// Refusal says why nothing was done; it answers the order.
	Refusal Kind = "refusal"
	// Moved says by which instrument and door the order is treated instead.
	Moved Kind = "moved"
	// Restored says that what was done was taken back, and why.
	Restored Kind = "restored"
	// Withdrawn confirms that the authority took its order back.
	Withdrawn Kind = "withdrawn"
	// Scrutiny asks the authority of the service's own state to scrutinise an order.
	Scrutiny Kind = "scrutiny"
	// Information answers an order for data: which was handed over, in which package, and which was
	// not, and why.
	Information Kind = "information"
	// Suspicion tells an authority of its own accord that a crime against life or safety is
	// suspected. Its document is what is sent along, Received when that was drawn up.
	Suspicion Kind = "suspicion"
)

// Question stands for the instrument in the receipt of what a regulator asked in the dialogue with
// him, which is under none.
const Question = "question"

// Kinds are all kinds.
func Kinds() []Kind {
	return []Kind{
		Receipt, Incomplete, Effect, Refusal, Moved, Restored, Withdrawn, Scrutiny, Information,
		Suspicion,
	}
}

// Paper is what is signed. The order of its fields is the order in which they are written. Times
// are UTC, as 2006-01-02T15:04:05Z.
type Paper struct {
	V    int  `json:"v"`
	Kind Kind `json:"kind"`
	// Issuer is the service, At when it signed.
	Issuer string `json:"issuer"`
	At     string `json:"at"`
	// Reference is the service's for the order; Number, Agency and Country are the authority's own.
	Reference string `json:"reference"`
	Number    string `json:"number"`
	Agency    string `json:"agency,omitempty"`
	Country   string `json:"country,omitempty"`
	// Instrument is the instrument's word in the public log, Law its citation.
	Instrument string `json:"instrument"`
	Law        string `json:"law,omitempty"`
	// Document is the SHA-256 of the order as it came, Received when it was stored.
	Document string `json:"document"`
	Received string `json:"received"`
	// Due is by when the order is answered, empty while its clock stands still.
	Due string `json:"due,omitempty"`
	// Lang is the language, by ISO 639-1, in which the authority is answered: its own, or English
	// where the service has no texts in that.
	Lang string `json:"lang"`
	// Given is whether effect was given: yes, partly, no.
	Given string `json:"given,omitempty"`
	// Reason is the class of a refusal, Text the reasons in words.
	Reason string `json:"reason,omitempty"`
	Text   string `json:"text,omitempty"`
	// Missing are the fields that are missing or wrong.
	Missing []Missing `json:"missing,omitempty"`
	Items   []Item    `json:"items,omitempty"`
	// Package is what data was handed over in.
	Package *Package `json:"package,omitempty"`
}

// Package is an encrypted package of data. Digests are SHA-256 in hexadecimal digits.
type Package struct {
	// Digest is that of the package as it is handed over, Size its size in bytes.
	Digest string `json:"digest"`
	Size   int64  `json:"size"`
	// Manifest is the digest of the list of digests inside of it, by which each file is checked
	// once the package has been opened.
	Manifest string `json:"manifest"`
	// Key is the fingerprint of the key that it is encrypted to, Until when it can be fetched.
	Key   string `json:"key"`
	Until string `json:"until"`
}

// Datum is what became of one class of data of one account.
type Datum struct {
	// Class is the class of data, Given yes, none (nothing is held) or no, Reason why not.
	Class  string `json:"class"`
	Given  string `json:"given"`
	Reason string `json:"reason,omitempty"`
}

// Missing is a field that is missing or wrong.
type Missing struct {
	Law   string `json:"law"`
	Field string `json:"field"`
	What  string `json:"what"`
}

// Item is what became of one thing that an order names.
type Item struct {
	N int64 `json:"n"`
	// Location is the item as the order names it.
	Location string `json:"location"`
	// State is done, waiting, not-here, declined or restored.
	State string `json:"state"`
	At    string `json:"at,omitempty"`
	// Measure is what was done, Territory where (none is everywhere), Until to when (empty is
	// without an end).
	Measure   string   `json:"measure,omitempty"`
	Territory []string `json:"territory,omitempty"`
	Until     string   `json:"until,omitempty"`
	Reason    string   `json:"reason,omitempty"`
	// Data is what became of each class of data that was asked for.
	Data []Datum `json:"data,omitempty"`
}

// Time writes a time in Unix seconds as papers have it; empty for 0.
func Time(at int64) string {
	if at == 0 {
		return ""
	}
	return time.Unix(at, 0).UTC().Format(time.RFC3339)
}

// text is what is signed: the paper as one line of JSON.
func (p Paper) text() ([]byte, error) {
	p.V = Version
	if err := p.check(); err != nil {
		return nil, err
	}
	b, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return append(b, '\n'), nil
}

func (p Paper) check() error {
	switch {
	case p.V != Version:
		return fmt.Errorf("%w: version %d", ErrFormat, p.V)
	case !slices.Contains(Kinds(), p.Kind):
		return fmt.Errorf("%w: kind %q", ErrFormat, p.Kind)
	case p.Reference == "" || p.Issuer == "" || p.Instrument == "":
		return fmt.Errorf("%w: reference, issuer or instrument missing", ErrFormat)
	case len(p.Document) != hex.EncodedLen(sha256.Size):
		return fmt.Errorf("%w: document", ErrFormat)
	}
	for _, at := range []string{p.At, p.Received} {
		if _, err := time.Parse(time.RFC3339, at); err != nil || !strings.HasSuffix(at, "Z") {
			return fmt.Errorf("%w: time %q", ErrFormat, at)
		}
	}
	return nil
}

// Sign writes a paper as a signed note.
func Sign(p Paper, by note.Signer) ([]byte, error) {
	text, err := p.text()
	if err != nil {
		return nil, err
	}
	b, err := note.Sign(&note.Note{Text: string(text)}, by)
	if err != nil {
		return nil, fmt.Errorf("paper: sign: %w", err)
	}
	return b, nil
}

// Open checks the signature of a paper and reads it. ErrSignature for one that is not signed by one
// of the keys, ErrFormat for one that Sign would not have written.
func Open(b []byte, keys note.Verifiers) (Paper, error) {
	if len(b) > MaxSize {
		return Paper{}, fmt.Errorf("%w: %d bytes", ErrFormat, len(b))
	}
	n, err := note.Open(b, keys)
	if err != nil {
		return Paper{}, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	for _, sig := range append(n.Sigs, n.UnverifiedSigs...) {
		if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
			return Paper{}, fmt.Errorf("%w: %w", ErrFormat, err) // the same bits in other letters
		}
	}
	return parse([]byte(n.Text))
}

// parse reads what text wrote, and nothing else.
func parse(text []byte) (p Paper, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return Paper{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	again, err := p.text()
	if err != nil {
		return Paper{}, err
	}
	if p.V != Version || !bytes.Equal(text, again) {
		return Paper{}, fmt.Errorf("%w: not as it is written here", ErrFormat)
	}
	return p, nil
}
