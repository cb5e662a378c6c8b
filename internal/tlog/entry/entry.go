// Package entry is the public format of the transparency log's entries: what it says of each
// decision, lift, refusal, appeal, order and disclosure, and how that is written down byte for
// byte. The server writes entries with it and strangers read them with it, so it imports nothing
// of the server, and a format that was published is never changed: a new one gets a new version.
//
// An entry has no personal data and no free text. It has coarse public fields, whose values are
// words of public vocabularies, and a commitment to the whole record: SHA-256 over a random salt
// and the record. Whoever is given salt and record can check that the entry is about them; once
// the salt is erased the entry is about nobody.
//
// An entry is one JSON object without white space, its members in the order of the fields of
// Entry, those that are empty left out. Parse takes exactly what Encode writes, so that equal
// entries have equal bytes and equal leaf hashes.
package entry

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Version is the version of the format.
const Version = 1

// MaxSize bounds an encoded entry in bytes, far below the 64 KiB that tiled logs allow.
const MaxSize = 4096

// ErrFormat says that something is not an entry as this package writes them.
var ErrFormat = errors.New("entry: not in the published format")

// Kind is what an entry is about.
type Kind string

// The kinds of entries.
const (
	// Decision is a measure taken, with its ground.
	Decision Kind = "decision"
	// Lift is the end of a decision's measures before their time, Expiry their end in time.
	Lift   Kind = "lift"
	Expiry Kind = "expiry"
	// NoAction is an allegation that led to nothing.
	NoAction Kind = "no-action"
	// Appeal is the outcome of a complaint against a decision.
	Appeal Kind = "appeal"
	// Settlement is the result of an out-of-court body.
	Settlement Kind = "settlement"
	// Order is an authority's order as received; Effect and Refusal are what came of it.
	Order   Kind = "order"
	Effect  Kind = "effect"
	Refusal Kind = "refusal"
	// Disclosure is data handed to an authority.
	Disclosure Kind = "disclosure"
	// Told is that people are told now of what an authority asked, who could not be told before.
	// Its Day is that of the entry that it is about, and its Untold repeats that one's.
	Told Kind = "told"
	// Correction replaces the outcome of an earlier settlement. Its Day is that of the settlement.
	Correction Kind = "correction"
	// Review is a decision that was drawn by lot and looked at again: its outcome is upheld or
	// reversed, and changes nothing by itself.
	Review Kind = "review"
	// Report is the daily report of a day, computed from all entries before this one. Its Items is
	// how many these are, its Commitment the SHA-256 of the published file.
	Report Kind = "report"
	// Publication is a document that the operator published: a text of his rules, or a statement
	// that a person signed. Its Subject is the document's name, its Day that of which the document
	// says it is, its Ends until when it holds, its Commitment the SHA-256 of the file.
	Publication Kind = "publication"
)

// Kinds are all kinds of entries.
func Kinds() []Kind {
	return []Kind{
		Decision, Lift, Expiry, NoAction, Appeal, Settlement, Order, Effect, Refusal, Disclosure,
		Told, Correction, Review, Report, Publication,
	}
}

// Entry is one entry of the log. The order of its fields is the order in which they are written.
type Entry struct {
	V    int  `json:"v"`
	Kind Kind `json:"kind"`
	// ID names the entry for ever: 32 hexadecimal digits, random.
	ID string `json:"id"`
	// Of is the ID of the entry that this one is about: the decision lifted or appealed.
	Of string `json:"of,omitempty"`
	// Day is the UTC day of the event, as 2026-11-28.
	Day string `json:"day"`
	// Subject is what it was about: account, chat, message, photo, reaction.
	Subject string `json:"subject,omitempty"`
	// Measures, Ground, Category, Keywords, Source and Decided are words of the EU's DSA
	// Transparency Database, in whose schema they are explained.
	//
	// https://transparency.dsa.ec.europa.eu/page/api-documentation
	Measures []string `json:"measures,omitempty"`
	Ground   string   `json:"ground,omitempty"`
	Category string   `json:"category,omitempty"`
	Keywords []string `json:"keywords,omitempty"`
	Source   string   `json:"source,omitempty"`
	// Detected says that a machine found it, Decided how far machines decided.
	Detected bool   `json:"detected,omitempty"`
	Decided  string `json:"decided,omitempty"`
	// Content has the types of content concerned, Lang its language as ISO 639-1 in capitals.
	Content []string `json:"content,omitempty"`
	Lang    string   `json:"lang,omitempty"`
	// Territory names countries by ISO 3166-1 alpha-2; none means everywhere. Ends is the day on
	// which the measures end, empty for never.
	Territory []string `json:"territory,omitempty"`
	Ends      string   `json:"ends,omitempty"`
	// Country is the country whose authority asked, for orders and what follows from them.
	Country string `json:"country,omitempty"`
	// Instrument is the legal instrument of an order, Reason the class of a refusal.
	Instrument string `json:"instrument,omitempty"`
	Reason     string `json:"reason,omitempty"`
	// Outcome is upheld, partly or reversed for an appeal; full, partial or none for an effect. An
	// appeal, a settlement, a review and a lift repeat Subject, Measures, Ground, Category, Source
	// and Decided of the decision that they are about, so that one pass over the log counts them.
	Outcome string `json:"outcome,omitempty"`
	// Was is the outcome that a correction replaces.
	Was string `json:"was,omitempty"`
	// Items is how many things it concerns, Accounts how many people's, Told how many were told,
	// Untold how many may not be told yet. Of what authorities ask they are bands; see Band.
	Items    int64 `json:"items,omitempty"`
	Accounts int64 `json:"accounts,omitempty"`
	Told     int64 `json:"told,omitempty"`
	Untold   int64 `json:"untold,omitempty"`
	// Minutes is how long it took from the first submission that led to it.
	Minutes int64 `json:"minutes,omitempty"`
	// Persons is how many people decided: two where the rules want two.
	Persons int64 `json:"persons,omitempty"`
	// Commitment is Commit of the salt and the record, in hexadecimal digits.
	Commitment string `json:"commitment"`
}

// SaltSize is the size of a salt in bytes.
const SaltSize = 32

// commitLabel separates commitments from other hashes of the same bytes.
const commitLabel = "parley/entry/1\x00"

// Commit is the commitment to a record under a salt, in hexadecimal digits.
func Commit(salt [SaltSize]byte, record []byte) string {
	h := sha256.New()
	h.Write([]byte(commitLabel))
	h.Write(salt[:])
	h.Write(record)
	return hex.EncodeToString(h.Sum(nil))
}

// Digest is the SHA-256 of a published file in hexadecimal digits, as the entry of a report has it.
func Digest(file []byte) string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:])
}

// Encode writes an entry; ErrFormat says which field is not as the format wants it.
func (e Entry) Encode() ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if len(b) > MaxSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrFormat, len(b))
	}
	return b, nil
}

// Parse reads an entry; ErrFormat for anything that Encode does not write.
func Parse(b []byte) (Entry, error) {
	if len(b) > MaxSize {
		return Entry{}, fmt.Errorf("%w: %d bytes", ErrFormat, len(b))
	}
	var e Entry
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return Entry{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	again, err := e.Encode()
	if err != nil {
		return Entry{}, err
	}
	if !bytes.Equal(b, again) {
		return Entry{}, fmt.Errorf("%w: not as it is written here", ErrFormat)
	}
	return e, nil
}

// dayForm is the form of a day.
const dayForm = "2006-01-02"

// Day is the UTC day of a time as entries have it.
func Day(t time.Time) string { return t.UTC().Format(dayForm) }

// check tells which field is not as it must be.
func (e Entry) check() error {
	for _, c := range []struct {
		field string
		ok    bool
	}{
		{"v", e.V == Version},
		{"kind", slices.Contains(Kinds(), e.Kind)},
		{"id", isHex(e.ID, 32)},
		{"of", e.Of == "" || isHex(e.Of, 32)},
		{"day", isDay(e.Day)},
		{"ends", e.Ends == "" || isDay(e.Ends)},
		{"subject", isWord(e.Subject)},
		{"measures", areWords(e.Measures)},
		{"ground", isWord(e.Ground)},
		{"category", isWord(e.Category)},
		{"keywords", areWords(e.Keywords)},
		{"source", isWord(e.Source)},
		{"decided", isWord(e.Decided)},
		{"content", areWords(e.Content)},
		{"lang", e.Lang == "" || isCode(e.Lang)},
		{"territory", areCodes(e.Territory)},
		{"country", e.Country == "" || isCode(e.Country)},
		{"instrument", isWord(e.Instrument)},
		{"reason", isWord(e.Reason)},
		{"outcome", isWord(e.Outcome)},
		{"was", isWord(e.Was)},
		{"items", e.Items >= 0},
		{"accounts", e.Accounts >= 0},
		{"told", e.Told >= 0},
		{"items, accounts, told, untold", e.banded()},
		{"minutes", e.Minutes >= 0},
		{"persons", e.Persons >= 0},
		{"commitment", isHex(e.Commitment, 2*sha256.Size)},
	} {
		if !c.ok {
			return fmt.Errorf("%w: %s", ErrFormat, c.field)
		}
	}
	return nil
}

func isHex(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdef") == ""
}

func isDay(s string) bool {
	t, err := time.Parse(dayForm, s)
	return err == nil && t.Format(dayForm) == s
}

// wordMost bounds a word in bytes. Words are of public vocabularies, so nobody needs more.
const wordMost = 80

// isWord tells whether something is a word of a vocabulary: no space, no sentence, no name.
func isWord(s string) bool {
	return len(s) <= wordMost && strings.Trim(s,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

func isCode(s string) bool {
	return len(s) == 2 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// areWords tells whether a list has words in ascending order, none twice, none empty.
func areWords(list []string) bool {
	return ascending(list) && !slices.ContainsFunc(list, func(s string) bool {
		return s == "" || !isWord(s)
	})
}

func areCodes(list []string) bool {
	return ascending(list) && !slices.ContainsFunc(list, func(s string) bool { return !isCode(s) })
}

func ascending(list []string) bool {
	for i := 1; i < len(list); i++ {
		if list[i-1] >= list[i] {
			return false
		}
	}
	return true
}
