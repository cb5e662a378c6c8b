package hotline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/internal/chat/media"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/safety/intake"
	"parley/internal/store"
)

const (
	// workPage is how many items, names or posts are read at once.
	workPage = 200
	// period is at most how long something waits that was not done because of a failure.
	period = time.Minute
)

// Run takes up what was reported until ctx ends; failed hears of the errors of rounds.
func (s *Service) Run(ctx context.Context, failed func(error)) {
	s.worker.Run(ctx, period, failed, s.Step)
}

// Step takes up everything that was received: places join cases, digests are looked for. It may run
// twice. What fails is taken up again later and holds up nothing else.
func (s *Service) Step(ctx context.Context) error {
	var failed []error
	var digests []Item
	for after := int64(0); ; {
		var list []Item
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = readAll(r.ReceivedHotlineItems(after, workPage))
			return err
		})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			break
		}
		for _, i := range list {
			after = i.ID
			if i.Kind == Digest {
				digests = append(digests, i)
				continue
			}
			if err := s.take(ctx, i); err != nil {
				failed = append(failed, fmt.Errorf("item %d: %w", i.ID, err))
			}
		}
	}
	if len(digests) > 0 {
		failed = append(failed, s.search(ctx, digests))
	}
	return errors.Join(failed...)
}

// take has an item's place looked at by people.
func (s *Service) take(ctx context.Context, i Item) error {
	got, problem, err := s.report(ctx, i, safety.Subject{})
	if err != nil {
		return err
	}
	return s.change(ctx, i.Agency, i.ID, func(i *Item) { got.into(i, problem) })
}

// taken is the report that an item became. It may be one that the agency made before, about what
// did not change since, and that was decided.
type taken struct {
	report   store.Report
	decision int64
}

func (t taken) into(i *Item, problem string) {
	if problem != "" {
		i.State, i.Problem = Refused, problem
		return
	}
	if i.State == Received {
		i.State = InReview
	}
	i.Subject, i.Report = t.report.Subject, t.report.ID
	if t.report.Outcome != 0 && i.Outcome == 0 {
		i.end(t.report, t.decision)
	}
}

// end gives an item the outcome of its report.
func (i *Item) end(x store.Report, decision int64) {
	if i.First == 0 {
		i.First = x.Outcome
	}
	i.State, i.Outcome, i.Decision, i.Notified = Decided, x.Outcome, decision, 0
	i.Decided = max(x.Decided, i.Created)
}

// report makes the report of an item: about a subject, or about what its location leads to. problem
// says why there is none for good.
func (s *Service) report(
	ctx context.Context, i Item, subject safety.Subject,
) (out taken, problem string, err error) {
	var of agency.Agency
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		of, err = agency.Of(r, i.Agency)
		return err
	})
	if err != nil {
		return out, "", err
	}
	source := sourceOf(of.Kind)
	if i.Ordinary {
		source = safety.Article16
	}
	r := intake.Report{
		Subject: subject, Source: source, Category: i.Category, Keyword: i.Keyword,
		Text: i.Why, Lang: i.Lang, GoodFaith: true, Flagger: i.Agency,
	}
	if i.Location != "" {
		r.Locations = []string{i.Location}
	}
	got, err := s.Intake.Report(ctx, r)
	var missing *intake.MissingError
	switch {
	case errors.As(err, &missing), errors.Is(err, intake.ErrCategory),
		errors.Is(err, intake.ErrTooLong):
		return out, "unfit", nil
	case err != nil:
		return out, "", err
	}
	err = s.Store.View(ctx, func(r *store.Reader) error {
		if out.report, err = r.Report(got.Subject.Peer, got.Report); err != nil {
			return err
		}
		c, err := r.Case(got.Subject.Peer, out.report.Case)
		out.decision = c.Decision
		return err
	})
	return out, "", err
}

// search compares digests with the files of public places: of channels and groups that have a
// username. It looks at no private chat, and at nothing that is uploaded later.
func (s *Service) search(ctx context.Context, digests []Item) error {
	x := &searching{
		Service: s, by: make(map[string][]Item), found: make(map[int64]int64),
		failed: make(map[int64]bool),
	}
	for _, i := range digests {
		x.by[i.SHA256] = append(x.by[i.SHA256], i)
	}
	if err := x.places(ctx); err != nil {
		return err
	}
	for _, i := range digests {
		if x.failed[i.ID] {
			continue // it is looked for again
		}
		err := s.change(ctx, i.Agency, i.ID, func(i *Item) {
			i.State, i.Looked, i.Found, i.Bounded = Searched, x.looked, x.found[i.ID], x.bounded
		})
		if err != nil {
			return err
		}
	}
	return errors.Join(x.errs...)
}

// searching is one pass over the files of public places.
type searching struct {
	*Service
	by      map[string][]Item
	looked  int64
	bounded bool
	found   map[int64]int64
	failed  map[int64]bool
	errs    []error
}

func (x *searching) places(ctx context.Context) error {
	seen := make(map[ids.Peer]bool)
	for after := ""; ; {
		var names []store.Username
		err := x.Store.View(ctx, func(r *store.Reader) (err error) {
			names, err = r.UsernamesAfter(after, workPage)
			return err
		})
		if err != nil || len(names) == 0 {
			return err
		}
		for _, n := range names {
			after = n.Name
			if n.Peer.Kind() != ids.Channel || seen[n.Peer] {
				continue
			}
			seen[n.Peer] = true
			if err := x.posts(ctx, n.Peer); err != nil || x.bounded {
				return err
			}
		}
	}
}

// posts looks through the posts of one place.
func (x *searching) posts(ctx context.Context, peer ids.Peer) error {
	const last = int64(1) << 62
	for from := int64(0); ; {
		type hit struct {
			post  store.Message
			items []Item
		}
		var hits []hit
		var list []store.Message
		err := x.Store.View(ctx, func(r *store.Reader) (err error) {
			hits = nil
			if list, err = r.Newer(peer, peer, from, last, workPage); err != nil {
				return err
			}
			for _, m := range list {
				items, err := x.compare(r, m)
				if err != nil {
					return err
				}
				if len(items) > 0 {
					hits = append(hits, hit{m, items})
				}
			}
			return nil
		})
		if err != nil || len(list) == 0 {
			return err
		}
		from = list[len(list)-1].ID + 1
		for _, h := range hits {
			for _, i := range h.items {
				if err := x.match(ctx, i, h.post); err != nil {
					x.failed[i.ID] = true
					x.errs = append(x.errs, fmt.Errorf("item %d: %w", i.ID, err))
				}
			}
		}
		if x.looked >= x.Files {
			x.bounded = true
			return nil
		}
	}
}

// compare returns the items whose digest is that of a post's file, or of one of its sizes: what
// somebody downloads from here is one of them.
func (x *searching) compare(r *store.Reader, m store.Message) (out []Item, err error) {
	c, err := message.DecodeContent(m.Body)
	if err != nil || c.Media == nil ||
		c.Media.Kind != message.Photo && c.Media.Kind != message.Document {
		return nil, err
	}
	f, row, err := media.Load(r, c.Media.ID)
	if store.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	x.looked++
	digests := map[string]bool{fmt.Sprintf("%x", row.Digest): true}
	for _, size := range f.Sizes {
		digests[fmt.Sprintf("%x", size.Digest)] = true
	}
	for d := range digests {
		out = append(out, x.by[d]...)
	}
	return out, nil
}

// match has a post that has the file of a digest looked at by people, as an item of its own.
func (x *searching) match(ctx context.Context, i Item, m store.Message) error {
	subject := safety.Subject{Peer: m.Box, Kind: safety.Message, Item: m.ID}
	err := x.Store.View(ctx, func(r *store.Reader) error {
		chat, err := r.Chat(m.Box)
		subject.Author = chat.Creator
		if m.From.Kind() == ids.User {
			subject.Author = m.From.User()
		}
		return err
	})
	if err != nil {
		return err
	}
	got, problem, err := x.report(ctx, i, subject)
	if err != nil {
		return err
	}
	x.found[i.ID]++
	return store.Repeat(func() error { return x.add(ctx, i, got, problem) })
}

// add writes what was found for a digest, once.
func (x *searching) add(ctx context.Context, i Item, got taken, problem string) error {
	now := x.Clock.Now()
	id, err := safety.NewID(now, x.Random)
	if err != nil {
		return err
	}
	return x.Store.Update(ctx, key(i.Agency), func(tx *store.Tx) error {
		old, err := readAll(tx.HotlineItemsOfReport(i.Agency, got.report.ID))
		if err != nil {
			return err
		}
		for _, o := range old {
			if o.PartOf == i.ID {
				return nil // an earlier pass found it
			}
		}
		child := i
		child.ID, child.PartOf, child.Kind, child.Created = id, i.ID, Match, now.Unix()
		got.into(&child, problem)
		if err := add(tx, child); err != nil {
			return err
		}
		return x.owe(tx, child)
	})
}

// Flagged notes how a report of an agency ended, or that its outcome is another one now. Who tells
// those who reported calls it, and again when it failed.
func (s *Service) Flagged(ctx context.Context, x store.Report, d decide.Decision) error {
	return s.Store.Update(ctx, key(x.Flagger), func(tx *store.Tx) error {
		items, err := readAll(tx.HotlineItemsOfReport(x.Flagger, x.ID))
		if err != nil {
			return err
		}
		if len(items) == 0 {
			// The report was stored and its item not yet: the worker gets to it.
			s.worker.Wake()
			return errEarly
		}
		for _, i := range items {
			if i.Outcome == x.Outcome && i.Decision == d.ID {
				continue
			}
			i.end(x, d.ID)
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
		return nil
	})
}

// errEarly says that the item of a report is not written yet.
var errEarly = errors.New("hotline: the report has no item yet")

// Ended is how an item's outcome is called in files.
func Ended(outcome int64) string {
	switch casefile.Outcome(outcome) {
	case casefile.Upheld:
		return "upheld"
	case casefile.Partly:
		return "partly"
	case casefile.Refuted:
		return "rejected"
	case casefile.Unfounded:
		return "unfounded"
	default:
		return ""
	}
}
