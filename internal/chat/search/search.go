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
	// indexStep is how many entries of a log are taken in at once.
	indexStep = 200
	// indexMost is how many entries one search takes in before it answers.
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

func (s *Service) step(ctx context.Context, channel ids.Peer) (more bool, err error) {
	var current bool
	err = s.Store.View(ctx, func(r *store.Reader) error {
		pts, pipeline, err := r.SearchMark(channel)
		if err != nil {
			return err
		}
		b, err := r.Box(channel)
		current = pts == b.Pts && pipeline == terms.Pipeline
		return err
	})
	if err != nil || current {
		return false, err
	}
	err = s.Store.Update(ctx, channel, func(tx *store.Tx) error {
		pts, pipeline, err := tx.SearchMark(channel)
		if err != nil {
			return err
		}
		if pipeline != terms.Pipeline {
			if err := tx.ClearMessageTerms(channel); err != nil {
				return err
			}
			pts = store.FirstPts
		}
		events, err := tx.Events(channel, pts, 1<<62, indexStep)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := take(tx, channel, e); err != nil {
				return err
			}
			pts = e.Pts
		}
		more = len(events) == indexStep
		if !more {
			b, err := tx.Box(channel)
			if err != nil {
				return err
			}
			pts = b.Pts
		}
		return tx.SetSearchMark(channel, pts, terms.Pipeline)
	})
	return more, err
}

// take adds the message of an entry to the index.
func take(tx *store.Tx, channel ids.Peer, e store.Event) error {
	if kind := box.Kind(e.Kind); kind != box.NewMessage && kind != box.EditMessage {
		return nil
	}
	entry, err := box.Decode(e)
	if err != nil {
		return err
	}
	m, err := tx.Message(channel, entry.ID)
	if store.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	c, err := message.DecodeContent(m.Body)
	if err != nil {
		return err
	}
	for _, term := range terms.Index(c.Text) {
		if err := tx.AddMessageTerm(channel, term, m.ID); err != nil {
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
