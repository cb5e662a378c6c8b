package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"parley/internal/bench"
	"parley/internal/ids"
	"parley/internal/node"
	"parley/internal/safety"
	"parley/internal/safety/decide"
	"parley/internal/store"
)

// taker does to a channel's newest post what it is told.
type taker struct {
	*node.Node
	office benchOffice
}

// obey does, for each line of input, what it says, and says so once that is durable.
func (t *taker) obey(ctx context.Context, in io.Reader, out io.Writer) {
	does := map[string]func(context.Context, ids.Peer, store.Message) error{
		bench.Take: t.take, bench.Order: t.order, bench.Sign: t.sign,
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		for word, do := range does {
			channel, ok := strings.CutPrefix(lines.Text(), word)
			peer, err := strconv.ParseInt(channel, 10, 64)
			if !ok || err != nil {
				continue
			}
			post, err := t.newest(ctx, ids.Peer(peer))
			if err == nil {
				err = do(ctx, ids.Peer(peer), post)
			}
			if err != nil {
				_, _ = fmt.Fprintln(out, "not done:", err)
				continue
			}
			_, _ = fmt.Fprintln(out, bench.Taken)
		}
	}
}

// newest is the newest post of a channel.
func (t *taker) newest(ctx context.Context, channel ids.Peer) (post store.Message, err error) {
	err = t.Store.View(ctx, func(r *store.Reader) error {
		list, err := r.Older(channel, channel, 1<<31-1, 0, 1, 0)
		if err == nil && len(list) == 0 {
			err = store.ErrNotFound
		}
		if err == nil {
			post = list[0]
		}
		return err
	})
	return post, err
}

// take removes a post by a decision with all that belongs to one.
func (t *taker) take(ctx context.Context, channel ids.Peer, post store.Message) error {
	_, err := t.Decisions.Decide(ctx, decide.Draft{
		Subject: safety.Subject{
			Peer: channel, Kind: safety.Message, Item: post.ID, Author: post.Origin.User(),
		},
		Ground: safety.Incompatible, Reference: "Terms, benchmark",
		Explanation: "The post is there to be removed.", Facts: "The post is of a benchmark.",
		Category: safety.ScamsAndFraud, Keywords: []safety.Keyword{"KEYWORD_PHISHING"},
		Measures: []safety.MeasureSpec{{Measure: safety.Remove}},
		Means:    safety.Means{Decided: safety.NotAutomated}, Source: safety.Voluntary, Lang: "en",
		ContentType: []safety.ContentType{safety.TextContent}, By: safety.Actor{Staff: 1},
	})
	return err
}
