package hotline

import (
	"context"
	"time"

	"parley/internal/safety"
	"parley/internal/store"
)

// heldProblem is why digests are refused that nobody let through.
const heldProblem = "not-confirmed"

// hold holds the digests of a submission back when they are more than an agency reports in a day
// without anybody asking it.
func (s *Service) hold(r *store.Reader, items []Item, now time.Time) error {
	var digests []int
	for n, i := range items {
		if i.Kind == Digest {
			digests = append(digests, n)
		}
	}
	if len(digests) == 0 {
		return nil
	}
	from := safety.FirstID(now.Add(-day * time.Second))
	before, err := r.CountHotlineDigests(items[0].Agency, from)
	if err != nil || before+int64(len(digests)) <= s.Digests {
		return err
	}
	for _, n := range digests {
		items[n].State = Held
	}
	return nil
}

// HeldSubmissions are up to limit submissions whose digests are held back, the oldest first.
func HeldSubmissions(r *store.Reader, limit int) (out []Submission, err error) {
	list, err := r.HeldSubmissions(limit)
	for _, x := range list {
		if x, err = r.Submission(x.Agency, x.ID); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, err
}

// Pass is the word of a member of staff about the digests of a submission that are held back:
// whether the agency says, asked at the number that was kept of it, that they are its own. When two
// have said so they are looked for; one who says that they are not ends them. ErrSamePerson is for
// who said so before, ErrState when nothing is held.
func (s *Service) Pass(ctx context.Context, staff, of, submission int64, theirs bool) error {
	err := s.Store.Update(ctx, key(of), func(tx *store.Tx) error {
		list, err := Items(&tx.Reader, of, submission, 0, MostItems)
		if err != nil {
			return err
		}
		some := false
		for _, i := range list {
			if i.State != Held {
				continue
			}
			some = true
			switch {
			case !theirs:
				i.State, i.Problem, i.Second = Refused, heldProblem, staff
			case i.Passed == 0:
				i.Passed = staff
			case i.Passed == staff || staff <= 0:
				return ErrSamePerson
			default:
				i.State, i.Second = Received, staff
			}
			row, err := i.row()
			if err != nil {
				return err
			}
			if err := tx.ChangeHotlineItem(row); err != nil {
				return err
			}
			if err := s.owe(tx, i); err != nil {
				return err
			}
		}
		if !some {
			return ErrState
		}
		return nil
	})
	if err == nil {
		s.worker.Wake()
	}
	return err
}
