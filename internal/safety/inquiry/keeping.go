package inquiry

import (
	"context"
	"time"

	"parley/internal/store"
)

// recheck is after how long a letter is looked at again at the latest: by then letters may be kept
// shorter.
const recheck = 30 * 24 * time.Hour

// Forget forgets letters, with all that was said and who wrote, that are answered and of which
// nothing was heard for a time, and returns how many those were. One that waits for the service, or
// of which somebody is yet to be woken or told, is kept. Dialogues of regulators are kept with
// their agency. It may run twice.
func (s *Service) Forget(ctx context.Context, after time.Duration) (dropped int, err error) {
	for {
		now := s.Clock.Now()
		var list []store.Inquiry
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = r.InquiriesToLookAt(nobody, now.Unix(), page)
			return err
		})
		if err != nil || len(list) == 0 {
			return dropped, err
		}
		for _, x := range list {
			over := false
			err := s.Store.Update(ctx, key(nobody), func(tx *store.Tx) error {
				end, ends, err := end(&tx.Reader, x.ID, after)
				if err != nil {
					return err
				}
				if over = ends && !end.After(now); over {
					return tx.DropInquiry(nobody, x.ID)
				}
				until := now.Add(recheck)
				if ends && end.Before(until) {
					until = end
				}
				return tx.PutOffInquiry(nobody, x.ID, until.Unix())
			})
			if err != nil {
				return dropped, err
			}
			if over {
				dropped++
			}
		}
	}
}

// end is until when a letter is kept, if that can be told now.
func end(r *store.Reader, id int64, after time.Duration) (at time.Time, ends bool, err error) {
	x, err := r.Inquiry(nobody, id)
	if err != nil || State(x.State) == OursNow {
		return at, false, err
	}
	by, err := r.InquiryAsker(nobody, id)
	if err != nil || by.Ring > 0 || by.Tell > 0 {
		return at, false, err
	}
	last, err := r.InquiryLine(nobody, id, x.Lines)
	if err != nil {
		return at, false, err
	}
	return time.Unix(last.At, 0).Add(after), true, nil
}
