package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"parley/internal/tlog/entry"
)

// ReceiptVersion is the version of the form of receipts.
const ReceiptVersion = 1

// Receipt proves without a network that an entry is in the log, and with Salt and Record what the
// entry is about.
type Receipt struct {
	V      int    `json:"v"`
	Origin string `json:"origin"`
	Index  int64  `json:"index"`
	Entry  string `json:"entry"`
	// Proof is the way from the entry to the root (RFC 6962, section 2.1.1).
	Proof []tlog.Hash `json:"proof"`
	// Checkpoint is the signed note with its cosignatures.
	Checkpoint string `json:"checkpoint"`
	// Salt and Record open the entry's commitment; both are empty where nothing is to be opened.
	Salt   []byte `json:"salt,omitempty"`
	Record []byte `json:"record,omitempty"`
}

// receiptMost bounds a receipt in bytes.
const receiptMost = 1 << 20

// NewReceipt makes the receipt of an entry by a checkpoint of its log.
func NewReceipt(
	ctx context.Context, src Source, origin string, c Checkpoint, index int64,
) (Receipt, error) {
	r := Receipt{V: ReceiptVersion, Origin: origin, Index: index, Checkpoint: string(c.Raw)}
	if index < 0 || index >= c.Size {
		return r, finding(BadReceipt, fmt.Sprint(index), "the log has %d entries", c.Size)
	}
	w := int(min(c.Size-index/width*width, width))
	b, at, err := read(ctx, src, -1, index/width, w, bundleMost)
	if err != nil {
		return r, err
	}
	list, err := Bundle(b, w)
	if err != nil {
		return r, finding(BadEntry, at, "%v", err)
	}
	r.Entry = string(list[index%width])
	r.Proof, err = tlog.ProveRecord(c.Size, index, Hashes(ctx, src, c.Size, c.Root))
	if err != nil {
		return r, fmt.Errorf("verify: proof of entry %d: %w", index, err)
	}
	return r, nil
}

// ParseReceipt reads a receipt; what is wrong with its form is a *Finding.
func ParseReceipt(b []byte) (r Receipt, err error) {
	if len(b) > receiptMost {
		return r, finding(BadReceipt, "file", "it has more than %d bytes", receiptMost)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, finding(BadReceipt, "file", "%v", err)
	}
	if r.V != ReceiptVersion {
		return r, finding(BadReceipt, "file", "it is of version %d", r.V)
	}
	return r, only(b, r)
}

// only refuses a receipt that could be written otherwise and mean the same, but for white space
// between its parts: so every program that reads receipts comes to the same verdict.
func only(b []byte, r Receipt) error {
	again, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("verify: encode: %w", err)
	}
	var is bytes.Buffer
	if json.Compact(&is, b) != nil || r.Proof == nil || !bytes.Equal(is.Bytes(), again) {
		return finding(BadReceipt, "file", "it is not in the only form of a receipt")
	}
	return nil
}

// Proof is what a receipt proves.
type Proof struct {
	Entry      entry.Entry
	Index      int64
	Checkpoint Checkpoint
	// Opened tells that the entry's commitment is to the receipt's record.
	Opened bool
}

// Receipt checks a receipt. What does not fit is a *Finding.
func (k Keys) Receipt(r Receipt) (p Proof, err error) {
	p.Index = r.Index
	if r.Origin != k.Origin {
		return p, finding(BadReceipt, "origin", "it is of the log %s", r.Origin)
	}
	if p.Checkpoint, err = k.Open([]byte(r.Checkpoint)); err != nil {
		return p, err
	}
	if r.Index < 0 || r.Index >= p.Checkpoint.Size {
		return p, finding(BadReceipt, "index", "the log has %d entries", p.Checkpoint.Size)
	}
	err = tlog.CheckRecord(r.Proof, p.Checkpoint.Size, p.Checkpoint.Root, r.Index,
		tlog.RecordHash([]byte(r.Entry)))
	if err != nil {
		return p, finding(BadReceipt, "proof", "it does not lead from the entry to the root")
	}
	if p.Entry, err = entry.Parse([]byte(r.Entry)); err != nil {
		return p, finding(BadReceipt, "entry", "%v", err)
	}
	if len(r.Salt) == 0 && len(r.Record) == 0 {
		return p, nil
	}
	if len(r.Salt) != entry.SaltSize ||
		entry.Commit([entry.SaltSize]byte(r.Salt), r.Record) != p.Entry.Commitment {
		return p, finding(BadReceipt, "record", "the entry is not about this record")
	}
	p.Opened = true
	return p, nil
}
