package intake

import (
	"context"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/ids"
	"parley/internal/store"
)

// ReceiptMail is the kind of a stored mail that confirms a notice. Others are kinds of letters.
const ReceiptMail int64 = 100

// Part is one report of a notice that named several places.
type Part struct {
	Subject ids.Peer `cbor:"1,keyasint"`
	Report  int64    `cbor:"2,keyasint"`
	// Place is the location as the notice named it.
	Place string `cbor:"3,keyasint"`
}

// join writes down which reports came in one notice, under the first of them, so that one reference
// leads to all. They are stored already: whoever is not told because of a crash here sends his
// notice again, and that finds them.
func (s *Service) join(ctx context.Context, first Receipt) error {
	parts := make([]Part, 0, 1+len(first.More))
	for _, x := range append([]Receipt{first}, first.More...) {
		parts = append(parts, Part{x.Subject.Peer, x.Report, x.Place})
	}
	b, err := cbor.Marshal(parts)
	if err != nil {
		return fmt.Errorf("intake: parts: %w", err)
	}
	return s.Store.Update(ctx, first.Subject.Peer, func(tx *store.Tx) error {
		return tx.PutNotice(first.Subject.Peer, first.Report, b)
	})
}

// Parts returns the reports of the notice whose first report one is; none when it named one place.
func Parts(r *store.Reader, subject ids.Peer, report int64) (out []Part, err error) {
	b, err := r.Notice(subject, report)
	if store.IsNotFound(err) {
		return nil, nil
	}
	if err == nil {
		out, err = ReadParts(b)
	}
	if err != nil {
		return nil, fmt.Errorf("intake: parts of report %d: %w", report, err)
	}
	return out, nil
}

// ReadParts reads the reports of a notice as they are stored.
func ReadParts(b []byte) (out []Part, err error) {
	if err := cbor.Unmarshal(b, &out); err != nil {
		return nil, fmt.Errorf("intake: parts: %w", err)
	}
	return out, nil
}
