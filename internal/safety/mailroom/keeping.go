package mailroom

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"parley/internal/clock"
	"parley/internal/safety/inquiry"
	"parley/internal/safety/order"
	"parley/internal/store"
)

const (
	// recheck is after how many seconds a mail is looked at again at the latest: by then it may
	// have been closed, or kept shorter.
	recheck = 30 * 24 * 60 * 60
	// soon is after how many seconds one is looked at again that changed while it was.
	soon = 60 * 60
	// lookPage is how many mails are looked at in one go.
	lookPage = 200
)

// Keeping forgets mails. It needs no mail server: what came in while there was one ends as well.
type Keeping struct {
	Store  *store.Store
	Clock  clock.Clock
	Orders *order.Service
	// Acted is how long mails are kept on which somebody acted, Aside how long all others, since
	// the last that happened to them.
	Acted, Aside time.Duration
}

// Sweep forgets the mails whose time is over, and returns how many those were. A mail that waits
// for a person, whose sender is owed an answer, that belongs to an order that stands or to an
// inquiry that is not closed, or from which a later one goes on, is kept; so is one of which that
// cannot be told, which is an error and keeps no other. The mail as it came and its papers stay in
// the store of papers, until enclosure finds that nothing names them. It may run twice.
func (k Keeping) Sweep(ctx context.Context) (dropped int, err error) {
	var failed []error
	for {
		now := k.Clock.Now().Unix()
		var list []store.ArrivedMail
		err := k.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = r.ArrivedMailsToLookAt(now, lookPage)
			return err
		})
		if err != nil || len(list) == 0 {
			return dropped, errors.Join(append(failed, err)...)
		}
		for _, m := range list {
			end := int64(never)
			err := k.Store.View(ctx, func(r *store.Reader) (err error) {
				end, err = k.end(r, m)
				return err
			})
			if err != nil {
				failed = append(failed, fmt.Errorf("mailroom: keeping mail %d: %w", m.ID, err))
				end = never
			}
			over, err := k.settle(ctx, m, end, now)
			if err != nil {
				return dropped, errors.Join(append(failed, err)...)
			}
			if over {
				dropped++
			}
		}
	}
}

// Named visits the digests of all mails as they came, and of what came with them.
func Named(r *store.Reader, visit func(digest string)) error {
	return r.EachArrivedMail(func(digest string, body []byte) error {
		var k kept
		if err := json.Unmarshal(body, &k); err != nil {
			return fmt.Errorf("mailroom: %w", err)
		}
		visit(digest)
		for _, d := range k.Parts {
			visit(d)
		}
		return nil
	})
}

// settle forgets a mail that is to be kept until a time, or has it looked at again.
func (k Keeping) settle(ctx context.Context, m store.ArrivedMail, end, now int64) (
	over bool, err error,
) {
	err = k.Store.Update(ctx, key(m.Agency), func(tx *store.Tx) error {
		over = false
		fresh, err := tx.ArrivedMail(m.Agency, m.ID)
		if err != nil {
			return err
		}
		until := min(end, now+recheck)
		if fresh.Outcome != m.Outcome || fresh.Due != m.Due || !bytes.Equal(fresh.Body, m.Body) {
			until = now + soon
		}
		if until > now {
			return tx.PutOffArrivedMail(m.Agency, m.ID, until)
		}
		over = true
		return tx.DropArrivedMail(m.Agency, m.ID)
	})
	return over, err
}

// never is the end of what nobody has ended the keeping of.
const never = math.MaxInt64

// end is until when a mail is kept, in Unix seconds, as far as that can be told now.
func (k Keeping) end(r *store.Reader, m store.ArrivedMail) (int64, error) {
	var is kept
	if err := json.Unmarshal(m.Body, &is); err != nil {
		return 0, err
	}
	if Outcome(m.Outcome) == Waiting || m.Due > 0 {
		return never, nil
	}
	for _, id := range is.After {
		if _, err := r.ArrivedMail(m.Agency, id); !store.IsNotFound(err) {
			return never, err
		}
	}
	last := is.last(m.At)
	for _, x := range is.About {
		stands, over, err := k.Orders.Stands(r, m.Agency, x.ID)
		if err != nil || stands {
			return never, err
		}
		last = max(last, over)
	}
	if is.Asked.ID != 0 {
		i, lines, err := inquiry.Of(r, is.Asked.Agency, is.Asked.ID)
		if err != nil || i.State != inquiry.Closed {
			return never, err
		}
		for _, l := range lines {
			last = max(last, l.At)
		}
	}
	keep := k.Acted
	if !is.acted(Outcome(m.Outcome)) {
		keep = k.Aside
	}
	return last + int64(keep/time.Second), nil
}

// last is when the last thing happened to a mail that came at a time.
func (k kept) last(at int64) int64 {
	for _, l := range k.Letters {
		at = max(at, l.At)
	}
	for _, d := range k.Acts {
		at = max(at, d.At)
	}
	return at
}

// acted tells whether somebody acted on a mail of an outcome: made something of it, or answered.
func (k kept) acted(done Outcome) bool {
	return done != Aside && done != Closed || slices.ContainsFunc(k.Acts, func(d Did) bool {
		return d.What != Routed && d.What != string(Closed)
	})
}

// follow notes with the mail from which this one goes on that it does.
func (a *arrival) follow(tx *store.Tx) error {
	m, err := tx.ArrivedMail(a.row.Agency, a.Before)
	if store.IsNotFound(err) {
		return nil // forgotten meanwhile
	}
	if err != nil {
		return err
	}
	var k kept
	if err := json.Unmarshal(m.Body, &k); err != nil {
		return fmt.Errorf("mailroom: mail %d: %w", m.ID, err)
	}
	k.After = append(k.After, a.row.ID)
	if m.Body, err = json.Marshal(k); err != nil {
		return fmt.Errorf("mailroom: %w", err)
	}
	return tx.ChangeArrivedMail(m)
}
