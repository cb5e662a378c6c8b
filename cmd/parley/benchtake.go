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

// takeOrders decides, for each line of input that names a channel, that its newest message is
// removed, and says so once that is durable.
func takeOrders(ctx context.Context, n *node.Node, in io.Reader, out io.Writer) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		channel, ok := strings.CutPrefix(lines.Text(), bench.Take)
		peer, err := strconv.ParseInt(channel, 10, 64)
		if !ok || err != nil {
			continue
		}
		if err := takeNewest(ctx, n, ids.Peer(peer)); err != nil {
			_, _ = fmt.Fprintln(out, "not decided:", err)
			continue
		}
		_, _ = fmt.Fprintln(out, bench.Taken)
	}
}

// takeNewest removes the newest post of a channel by a decision with all that belongs to one.
func takeNewest(ctx context.Context, n *node.Node, channel ids.Peer) error {
	var post store.Message
	err := n.Store.View(ctx, func(r *store.Reader) error {
		list, err := r.Older(channel, channel, 1<<31-1, 0, 1, 0)
		if err == nil && len(list) == 0 {
			err = store.ErrNotFound
		}
		if err == nil {
			post = list[0]
		}
		return err
	})
	if err != nil {
		return err
	}
	_, err = n.Decisions.Decide(ctx, decide.Draft{
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
