package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gotd/td/crypto"
	"github.com/gotd/td/tg"

	"parley/internal/ids"
)

// What a server is told, line by line, each followed by a channel, and what it answers.
const (
	// Take has the newest message of the channel removed by a decision.
	Take = "take "
	// Order has an authority order within one hour that the newest message of the channel be
	// withheld, and the order checked until one signature is missing; Sign gives that one.
	Order = "order "
	Sign  = "sign "
	// Taken answers what was done durably.
	Taken = "taken"
)

// takenMost is how many posts are removed.
const takenMost = 50

// measure is something that is done to a post.
type measure struct {
	letter, name, done string
	// before has it prepared, without that being measured; empty prepares nothing.
	before, act string
	target      string
}

// removal is a decision to remove a post.
func removal() measure {
	return measure{
		letter: "g", name: "measure", done: "until it is decided and durable", act: Take,
		target: "1 s",
	}
}

// hour is an authority's order to withhold a post within one hour, from the last signature under it
// on.
func hour() measure {
	return measure{
		letter: "h", name: "one-hour order", done: "until the last signature is durable",
		before: Order, act: Sign, target: "2 s",
	}
}

// measures measures how long something done to a post takes until it is durable, with its
// statement and all, and until the last of the channel's online members has been told. The floor is
// a frame to as many.
func (b *bench) measures(ctx context.Context, m measure, online int) error {
	online = b.scaled(online)
	dir, w, err := b.world(ctx, fmt.Sprintf("measures-%s-%d", m.letter, online))
	if err != nil {
		return err
	}
	users, keys, err := people(ctx, w, online+1)
	if err != nil {
		return errors.Join(err, w.Close())
	}
	channel, err := w.Channel(ctx, users[0], users[1:], online)
	hash := w.Hash(int64(users[0]), int64(channel))
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	p, addr, err := b.server(ctx, dir)
	if err != nil {
		return err
	}
	decided, last, frame, err := take(ctx, p, addr, keys, channel, hash, m)
	if err = errors.Join(err, p.stop()); err != nil {
		return err
	}
	if p, addr, err = b.floor(ctx); err != nil {
		return err
	}
	floor, err := floorPosts(p, addr, online, takenMost, frame)
	if err = errors.Join(err, p.stop()); err != nil {
		return err
	}
	name := fmt.Sprintf("(%s) %s to %d online: ", m.letter, m.name, online)
	for _, of := range []struct {
		percent int
		target  string
	}{{50, "-"}, {99, m.target}} {
		mark := fmt.Sprintf(", p%d of %d", of.percent, takenMost)
		b.print(Result{
			What: name + m.done + mark, Server: millis(percentile(decided, of.percent)),
			Floor: "-", Target: "-",
		})
		server, floor := percentile(last, of.percent), percentile(floor.each, of.percent)
		b.print(Result{
			What:   name + "until the last has been told" + mark,
			Server: millis(server), Floor: millis(floor),
			Ratio: float64(server) / float64(max(floor, 1)), Target: of.target,
		})
	}
	return nil
}

// take takes posts away, one after the other: the next when all have heard of the one before. It
// returns how long each took, and how large the frames were by which they heard.
func take(
	ctx context.Context, p *process, addr string, keys []crypto.AuthKey, channel ids.Peer,
	hash int64, m measure,
) (decided, last []time.Duration, frame int, err error) {
	list, err := connectAll(ctx, addr, keys)
	defer closeAll(list)
	if err != nil {
		return nil, nil, 0, err
	}
	poster, readers := list[0], list[1:]
	g := newGate(len(readers))
	size := count(readers, g)
	for i := range takenMost {
		_, err := poster.Ask(&tg.MessagesSendMessageRequest{
			Peer:    &tg.InputPeerChannel{ChannelID: int64(channel.Channel()), AccessHash: hash},
			Message: text(i), RandomID: int64(i) + 1,
		}, false)
		if err == nil {
			err = g.wait(len(readers))
		}
		if err != nil {
			return nil, nil, 0, err
		}
		if m.before != "" {
			if err := p.order(fmt.Sprint(m.before, int64(channel)), Taken); err != nil {
				return nil, nil, 0, err
			}
		}
		begin := time.Now()
		if err := p.order(fmt.Sprint(m.act, int64(channel)), Taken); err != nil {
			return nil, nil, 0, err
		}
		decided = append(decided, time.Since(begin))
		if err := g.wait(len(readers)); err != nil {
			return nil, nil, 0, err
		}
		last = append(last, time.Since(begin))
	}
	return decided, last, int(size.Load()), nil
}
