package staff

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"time"

	"parley/internal/safety"
	"parley/internal/store"
)

// Act is something that a member of staff looked at, did, or was refused.
type Act struct {
	// Staff is who; 0 for nobody that we know.
	Staff int64
	// Action is one word of the console's table of pages.
	Action  string
	Refused bool
	Subject safety.Subject
	Case    int64
	// Detail says what is not in the other fields: a purpose, a measure, a reason of refusal. It
	// has no words of others.
	Detail string
}

// maxDetail is how many bytes of a detail are kept.
const maxDetail = 500

// Record appends an act to the audit. What is not recorded must not be shown or done.
func (s *Service) Record(ctx context.Context, a Act) error {
	now := s.Clock.Now().Unix()
	err := s.Store.Update(ctx, key(a.Staff), func(tx *store.Tx) error {
		return appendAudit(tx, now, a)
	})
	if err != nil {
		return fmt.Errorf("staff: audit: %w", err)
	}
	return nil
}

func appendAudit(tx *store.Tx, now int64, a Act) error {
	last, err := tx.LastStaffAudit(a.Staff)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	row := store.StaffAudit{
		Staff: a.Staff, Number: last.Number + 1, At: now, Action: a.Action, Outcome: "done",
		Subject: int64(a.Subject.Peer), Case: a.Case, Detail: clipped(a.Detail),
	}
	if a.Refused {
		row.Outcome = "refused"
	}
	row.Chain = chained(last.Chain, row)
	return tx.AddStaffAudit(row)
}

func clipped(text string) string {
	if len(text) > maxDetail {
		text = text[:maxDetail]
	}
	return text
}

// chained is the digest of a row and of the chain before it.
func chained(before []byte, row store.StaffAudit) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%x\n%d\n%d\n%d\n%q\n%q\n%d\n%d\n%q\n", before, row.Staff,
		row.Number, row.At, row.Action, row.Outcome, row.Subject, row.Case, row.Detail))
	return sum[:]
}

// Entry is a row of the audit.
type Entry struct {
	Staff   int64
	Number  int64
	At      time.Time
	Action  string
	Refused bool
	Subject int64
	Case    int64
	Detail  string
}

func entry(a store.StaffAudit) Entry {
	return Entry{
		Staff: a.Staff, Number: a.Number, At: time.Unix(a.At, 0), Action: a.Action,
		Refused: a.Outcome == "refused", Subject: a.Subject, Case: a.Case, Detail: a.Detail,
	}
}

// Filter names rows of the audit.
type Filter struct {
	// Of is whose, 0 for everybody's; Action is what was done, empty for anything.
	Of     int64
	Action string
	Since  time.Time
	// Before are those before a place that Audit returned; empty begins with the last.
	Before string
}

// ErrPlace says that a place in the audit is none.
var ErrPlace = errors.New("staff: no such place in the audit")

// Audit returns up to limit rows of the audit that a filter names, the last first, and the place
// from which on to go on, empty when these were all.
func (s *Service) Audit(
	ctx context.Context, f Filter, limit int,
) (out []Entry, next string, err error) {
	below := store.AuditPlace{At: math.MaxInt64, Staff: math.MaxInt64, Number: math.MaxInt64}
	if f.Before != "" {
		_, err := fmt.Sscanf(f.Before, "%d.%d.%d", &below.At, &below.Staff, &below.Number)
		if err != nil {
			return nil, "", ErrPlace
		}
	}
	var rows []store.StaffAudit
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		rows, err = r.FilteredAudits(store.AuditFilter{
			Staff: f.Of, Action: f.Action, Since: f.Since.Unix(), Below: below,
		}, limit+1)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		at := rows[limit-1].Place()
		next = fmt.Sprintf("%d.%d.%d", at.At, at.Staff, at.Number)
	}
	for _, row := range rows {
		out = append(out, entry(row))
	}
	return out, next, nil
}

// ErrChain says that a row of the audit was changed or taken away.
var ErrChain = errors.New("staff: the audit was tampered with")

// Verify checks that the audit of a member of staff is whole; ErrChain names the first row that
// does not fit.
func (s *Service) Verify(ctx context.Context, id int64) (rows int64, err error) {
	const page = 500
	err = s.Store.View(ctx, func(r *store.Reader) error {
		rows = 0
		last, err := r.LastStaffAudit(id)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		below, expect := last.Number+1, last.Number
		var next *store.StaffAudit
		for {
			list, err := r.StaffAudits(id, below, page)
			if err != nil {
				return err
			}
			for _, row := range list {
				if row.Number != expect || next != nil &&
					!bytes.Equal(next.Chain, chained(row.Chain, *next)) {
					return fmt.Errorf("%w: row %d", ErrChain, expect)
				}
				next, expect, below = &row, expect-1, row.Number
				rows++
			}
			if len(list) < page {
				break
			}
		}
		if expect != 0 || next != nil && !bytes.Equal(next.Chain, chained(nil, *next)) {
			return fmt.Errorf("%w: row %d", ErrChain, expect+1)
		}
		return nil
	})
	return rows, err
}
