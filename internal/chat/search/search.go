// Package search finds messages of one chat by words, in all languages that package terms knows.
//
// Channels and supergroups have an index of terms. It follows their log: a search first takes in what
// was posted or edited since the last one, so that posting costs nothing and nothing is missed.
// Private chats and basic groups are never indexed; they are read through, up to a bound, so that
// nothing about them lies around.
//
// Results are checked against the message as it is now: the index may have more, never less.
package search

import (
	"context"
	"slices"

	"parley/internal/chat/box"
	"parley/internal/chat/message"
	"parley/internal/chat/search/terms"
	"parley/internal/ids"
	"parley/internal/store"
)

const (
	// indexStep is how many messages or entries of a log are taken in at once.
	indexStep = 200
	// indexMost is how many of them one search takes in before it answers.
	indexMost = 100_000
	// postings is how many messages of one term are looked at.
	postings = 20_000
	// scanStep and scanMost bound the reading through of a private chat.
	scanStep = 500
	scanMost = 20_000
)

// Service finds messages.
type Service struct {
	Store *store.Store
}

// Find returns up to limit ids of messages that the user sees with peer and that have all words of
// the query, below an id, newest first. Whether he may see the chat is for the caller to ask.
func (s *Service) Find(
	ctx context.Context, user ids.UserID, peer ids.Peer, query string, below int64, limit int,
) ([]int64, error) {
	groups := terms.Query(query)
	if len(groups) == 0 {
		return nil, nil
	}
	if peer.Kind() != ids.Channel {
		return s.scan(ctx, user, peer, groups, below, limit)
	}
	if err := s.follow(ctx, peer); err != nil {
		return nil, err
	}
	var out []int64
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		out, err = indexed(r, peer, groups, below, limit)
		return err
	})
	return out, err
}

// follow takes what happened in a channel since the last search into its index.
func (s *Service) follow(ctx context.Context, channel ids.Peer) error {
	for taken := 0; taken < indexMost; taken += indexStep {
		more, err := s.step(ctx, channel)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// step takes in a stretch of new messages or, when there are none, of edits. It says whether there is
// more to take in.
func (s *Service) step(ctx context.Context, channel ids.Peer) (more bool, err error) {
	var current bool
	err = s.Store.View(ctx, func(r *store.Reader) error {
		m, err := r.SearchMark(channel)
		if err != nil {
			return err
		}
		b, err := r.Box(channel)
		current = m == store.SearchMark{ID: b.TopID, Pts: b.Pts, Pipeline: terms.Pipeline}
		return err
	})
	if err != nil || current {
		return false, err
	}
	err = s.Store.Update(ctx, channel, func(tx *store.Tx) error {
		m, err := s.mark(tx, channel)
		if err != nil {
			return err
		}
		b, err := tx.Box(channel)
		if err != nil {
			return err
		}
		if m.ID < b.TopID {
			more = true
			err = takeNew(tx, channel, b, &m)
		} else {
			more, err = takeEdits(tx, channel, b, &m)
		}
		if err != nil {
			return err
		}
		return tx.SetSearchMark(channel, m)
	})
	return more, err
}

// mark returns how far a channel is indexed. An index by other terms, or one that has missed entries
// of the log that are no longer there, begins anew.
func (s *Service) mark(tx *store.Tx, channel ids.Peer) (store.SearchMark, error) {
	m, err := tx.SearchMark(channel)
	if err != nil {
		return m, err
	}
	first, err := tx.FirstEvent(channel)
	if err != nil || m.Pipeline == terms.Pipeline && m.Pts >= first {
		return m, err
	}
	b, err := tx.Box(channel)
	if err != nil {
		return m, err
	}
	return store.SearchMark{Pts: b.Pts, Pipeline: terms.Pipeline}, tx.ClearMessageTerms(channel)
}

func takeNew(tx *store.Tx, channel ids.Peer, b store.Box, m *store.SearchMark) error {
	rows, err := tx.Newer(channel, channel, m.ID+1, b.TopID+1, indexStep)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := take(tx, row); err != nil {
			return err
		}
		m.ID = row.ID
	}
	if len(rows) < indexStep {
		m.ID = b.TopID
	}
	return nil
}

func takeEdits(
	tx *store.Tx, channel ids.Peer, b store.Box, m *store.SearchMark,
) (more bool, err error) {
	events, err := tx.Events(channel, m.Pts, 1<<62, indexStep)
	if err != nil {
		return false, err
	}
	for _, e := range events {
		m.Pts = e.Pts
		if box.Kind(e.Kind) != box.EditMessage {
			continue
		}
		entry, err := box.Decode(e)
		if err != nil {
			return false, err
		}
		row, err := tx.Message(channel, entry.ID)
		if store.IsNotFound(err) {
			continue
		}
		if err == nil {
			err = take(tx, row)
		}
		if err != nil {
			return false, err
		}
	}
	if len(events) == indexStep {
		return true, nil
	}
	m.Pts = b.Pts
	return false, nil
}

// take adds a message to the index.
func take(tx *store.Tx, m store.Message) error {
	c, err := message.DecodeContent(m.Body)
	if err != nil {
		return err
	}
	for _, term := range terms.Index(c.Text) {
		if err := tx.AddMessageTerm(m.Box, term, m.ID); err != nil {
			return err
		}
	}
	return nil
}

// indexed intersects the messages of all groups of alternatives.
func indexed(
	r *store.Reader, channel ids.Peer, groups [][]string, below int64, limit int,
) ([]int64, error) {
	var found map[int64]bool
	for _, group := range groups {
		next := make(map[int64]bool)
		for _, term := range group {
			list, err := r.MessagesByTerm(channel, term, below, postings)
			if err != nil {
				return nil, err
			}
			for _, id := range list {
				if found == nil || found[id] {
					next[id] = true
				}
			}
		}
		found = next
	}
	list := make([]int64, 0, len(found))
	for id := range found {
		list = append(list, id)
	}
	slices.SortFunc(list, func(a, b int64) int { return int(b - a) })
	out := list[:0]
	for _, id := range list {
		m, err := r.Message(channel, id)
		if store.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		ok, err := matches(m, groups)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, id)
		}
		if len(out) == limit {
			break
		}
	}
	return out, nil
}

// matches tells whether a message has one alternative of each group.
func matches(m store.Message, groups [][]string) (bool, error) {
	c, err := message.DecodeContent(m.Body)
	if err != nil || c.Text == "" {
		return false, err
	}
	has := terms.Index(c.Text)
	for _, group := range groups {
		if !slices.ContainsFunc(group, func(t string) bool { return slices.Contains(has, t) }) {
			return false, nil
		}
	}
	return true, nil
}

// scan reads through a chat that has no index.
func (s *Service) scan(
	ctx context.Context, user ids.UserID, peer ids.Peer, groups [][]string, below int64, limit int,
) (out []int64, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		out = nil
		for looked := 0; looked < scanMost && len(out) < limit; looked += scanStep {
			rows, err := r.Older(user.Peer(), peer, below, 0, scanStep, 0)
			if err != nil {
				return err
			}
			for _, m := range rows {
				ok, err := matches(m, groups)
				if err != nil {
					return err
				}
				if ok && len(out) < limit {
					out = append(out, m.ID)
				}
			}
			if len(rows) < scanStep {
				return nil
			}
			below = rows[len(rows)-1].ID
		}
		return nil
	})
	return out, err
}
