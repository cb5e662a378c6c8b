// Package ledger writes the lines of the transparency log: for each decision, lift, expiry, refusal
// to act, appeal and settlement one entry, in the transaction of what it tells of. It is the only
// writer of ledger rows; carrying them into the log is somebody else's job.
//
// Invariants: an entry has no personal data, only words of public vocabularies and a commitment to
// the record that lies beside it; the name and the salt of an entry are random, so that without
// salt and record nobody can tell whom it is about.
package ledger

import (
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"parley/internal/ids"
	"parley/internal/store"
	"parley/internal/tlog/entry"
)

// Kind is what a line tells of. Values are stored.
type Kind int64

// The kinds of lines.
const (
	Decision   Kind = 1
	Lift       Kind = 2
	Expiry     Kind = 3
	NoAction   Kind = 4
	Appeal     Kind = 5
	Settlement Kind = 6
	Correction Kind = 7
	Review     Kind = 8
	Order      Kind = 9
	Effect     Kind = 10
	Refusal    Kind = 11
	Disclosure Kind = 12
	Told       Kind = 13
)

// public is the kind's word in entries.
func (k Kind) public() entry.Kind {
	return map[Kind]entry.Kind{
		Decision: entry.Decision, Lift: entry.Lift, Expiry: entry.Expiry,
		NoAction: entry.NoAction, Appeal: entry.Appeal, Settlement: entry.Settlement,
		Correction: entry.Correction, Review: entry.Review, Order: entry.Order,
		Effect: entry.Effect, Refusal: entry.Refusal, Disclosure: entry.Disclosure,
		Told: entry.Told,
	}[k]
}

// ErrRecord says that a record is not the one that its entry commits to.
var ErrRecord = errors.New("ledger: the record is not the one of the entry")

// Line is what is to be logged.
type Line struct {
	Subject ids.Peer
	// ID is that of what the line tells of: the decision, the appeal.
	ID   int64
	Kind Kind
	// At is when it happened, in Unix seconds. AsOf is when that happened which it changes the
	// figures of, for a Correction and for Told; 0 for At itself.
	At, AsOf int64
	// Of is the decision or request of the same subject that this line is about, 0 for none.
	Of int64
	// Entry has the public fields; version, kind, name, day and commitment are filled in.
	Entry entry.Entry
	// Record is the whole of what happened; it is written down as JSON, so that whoever is given it
	// can read it.
	Record any
}

// Write stores a line in the transaction of its subject's peer. Name and salt come from random.
// store.ErrConflict says that this was logged before.
func Write(tx *store.Tx, random io.Reader, l Line) error {
	var name [16]byte
	var salt [entry.SaltSize]byte
	for _, b := range [][]byte{name[:], salt[:]} {
		if _, err := io.ReadFull(random, b); err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	record, err := json.Marshal(l.Record)
	if err != nil {
		return fmt.Errorf("ledger: record: %w", err)
	}
	e := l.Entry
	e.V, e.Kind, e.ID = entry.Version, l.Kind.public(), hex.EncodeToString(name[:])
	e.Day = entry.Day(time.Unix(l.At, 0))
	if l.AsOf != 0 {
		e.Day = entry.Day(time.Unix(l.AsOf, 0))
	}
	e.Commitment = entry.Commit(salt, record)
	if l.Of != 0 {
		if e.Of, err = nameOf(&tx.Reader, l.Subject, l.Of); err != nil {
			return err
		}
	}
	body, err := e.Encode()
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return tx.AddLedgerRow(store.LedgerRow{
		Subject: l.Subject, ID: l.ID, Kind: int64(l.Kind), Date: l.At, Entry: body, Salt: salt[:],
		Record: record,
	})
}

// nameOf is the name of the entry of a decision, of the decision to do nothing, or of a request and
// what came of it.
func nameOf(r *store.Reader, subject ids.Peer, of int64) (string, error) {
	for _, kind := range []Kind{Decision, NoAction, Order, Effect, Disclosure} {
		row, err := r.LedgerRow(subject, of, int64(kind))
		if store.IsNotFound(err) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("ledger: line of %d: %w", of, err)
		}
		e, err := entry.Parse(row.Entry)
		return e.ID, err
	}
	return "", fmt.Errorf("ledger: line of %d: %w", of, store.ErrNotFound)
}

// Read returns the entry of a row, and checks its record and salt, unless they were erased.
func Read(row store.LedgerRow) (entry.Entry, error) {
	e, err := entry.Parse(row.Entry)
	if err != nil || len(row.Salt) == 0 && len(row.Record) == 0 {
		return e, err
	}
	if len(row.Salt) != entry.SaltSize {
		return e, ErrRecord
	}
	want := entry.Commit([entry.SaltSize]byte(row.Salt), row.Record)
	if subtle.ConstantTimeCompare([]byte(want), []byte(e.Commitment)) != 1 {
		return e, ErrRecord
	}
	return e, nil
}
