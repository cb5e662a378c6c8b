package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/gotd/td/crypto"
	"github.com/gotd/td/tg"

	"parley/internal/ids"
	"parley/internal/rawclient"
)

// patience is how long a post may take to reach all.
const patience = 2 * time.Minute

// gate counts arrivals and opens when all are there.
type gate struct {
	left atomic.Int64
	open chan struct{}
}

func newGate(n int) *gate {
	g := &gate{open: make(chan struct{}, 1)}
	g.left.Store(int64(n))
	return g
}

func (g *gate) pass() {
	if g.left.Add(-1) == 0 {
		g.open <- struct{}{}
	}
}

// wait waits for all and closes the gate again for n.
func (g *gate) wait(n int) error {
	select {
	case <-g.open:
		g.left.Store(int64(n))
		return nil
	case <-time.After(patience):
		return fmt.Errorf("bench: %d of %d did not get it", g.left.Load(), n)
	}
}

// fanout measures a post to a channel of members of whom some are online.
func (b *bench) fanout(ctx context.Context, online, members int) error {
	online, members = b.scaled(online), b.scaled(members)
	posts := max(100_000/online, 10)
	dir, w, err := b.world(ctx, fmt.Sprintf("fanout-%d-%d", online, members))
	if err != nil {
		return err
	}
	users, keys, err := people(ctx, w, online+1)
	if err != nil {
		return errors.Join(err, w.Close())
	}
	channel, err := w.Channel(ctx, users[0], users[1:], members)
	hash := w.Hash(int64(users[0]), int64(channel))
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	p, addr, err := b.server(ctx, dir)
	if err != nil {
		return err
	}
	server, frame, err := b.posts(ctx, p, addr, keys, channel, hash, posts)
	if err = errors.Join(err, p.stop()); err != nil {
		return err
	}
	if p, addr, err = b.floor(ctx); err != nil {
		return err
	}
	floor, err := floorPosts(p, addr, online, posts, frame)
	if err = errors.Join(err, p.stop()); err != nil {
		return err
	}
	name := fmt.Sprintf("(a) post to %d online", online)
	if members > online {
		name = fmt.Sprintf("(f) %d members, %d online", members, online)
	}
	b.print(Result{
		What:   name + ": processor per delivery",
		Server: fmt.Sprintf("%.1f us", micros(server.cpu, online*posts)),
		Floor:  fmt.Sprintf("%.1f us", micros(floor.cpu, online*posts)),
		Ratio:  float64(server.cpu) / float64(max(floor.cpu, 1)), Target: "1.25, good 1.6",
	})
	b.print(Result{
		What:   name + ": until the last has it",
		Server: fmt.Sprintf("%d ms", server.last.Milliseconds()),
		Floor:  fmt.Sprintf("%d ms", floor.last.Milliseconds()),
		Ratio:  float64(server.last) / float64(max(floor.last, 1)), Target: "1.5; (f) 1 s",
	})
	if members == online {
		return nil
	}
	stored, err := b.stored(ctx, dir, users[0], channel)
	if err != nil {
		return err
	}
	b.print(Result{
		What:   name + ": stored per post",
		Server: fmt.Sprintf("%d bytes", stored), Floor: fmt.Sprintf("%d bytes", textLength),
		Target: "under 2 KB, whatever the members",
	})
	return nil
}

// stored is by how much a post makes the database larger: many are written by the server's own
// code, and each time the database is closed, so that nothing is in its log.
func (b *bench) stored(
	ctx context.Context, dir string, from ids.UserID, channel ids.Peer,
) (int64, error) {
	const posts = 2000
	path := filepath.Join(dir, "parley.db")
	before, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	w, err := b.Open(ctx, dir)
	if err != nil {
		return 0, err
	}
	if err = errors.Join(w.Say(ctx, from, channel, text, posts), w.Close()); err != nil {
		return 0, err
	}
	after, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return (after.Size() - before.Size()) / posts, nil
}

// cost is what posts took.
type cost struct {
	cpu  time.Duration
	last time.Duration
	// each is what last is the average of; only the floor tells.
	each []time.Duration
}

// posts measures posts to subscribers, one after the other: the next when all have the one before.
func (b *bench) posts(
	ctx context.Context, p *process, addr string, keys []crypto.AuthKey, channel ids.Peer, hash int64,
	times int,
) (out cost, frame int, err error) {
	list, err := connectAll(ctx, addr, keys)
	defer closeAll(list)
	if err != nil {
		return out, 0, err
	}
	poster, readers := list[0], list[1:]
	g := newGate(len(readers))
	size := count(readers, g)
	post := func(n int64) error {
		_, err := poster.Ask(&tg.MessagesSendMessageRequest{
			Peer:    &tg.InputPeerChannel{ChannelID: int64(channel.Channel()), AccessHash: hash},
			Message: text(int(n)), RandomID: n,
		}, false)
		if err != nil {
			return err
		}
		return g.wait(len(readers))
	}
	if err := post(1); err != nil {
		return out, 0, err
	}
	wall, cpu, err := p.spent(func() error {
		for i := range times {
			if err := post(int64(i) + 2); err != nil {
				return err
			}
		}
		return nil
	})
	return cost{cpu: cpu, last: wall / time.Duration(times)}, int(size.Load()), err
}

// count passes a gate for every frame that clients get, and returns where it notes how large the
// last one was.
func count(readers []*rawclient.Client, g *gate) *atomic.Int64 {
	size := new(atomic.Int64)
	for _, c := range readers {
		go func() {
			for {
				n, err := c.Skip()
				if err != nil {
					return
				}
				size.Store(int64(n))
				g.pass()
			}
		}()
	}
	return size
}

// textLength is how long the messages are, in bytes.
const textLength = 200

// text is the nth message: words in no order, so that pages of them compress as speech does.
func text(n int) string {
	words := rand.New(rand.NewPCG(uint64(n), 0))
	b := make([]byte, 0, textLength+12)
	for len(b) < textLength {
		for range 2 + words.IntN(9) {
			b = append(b, "etaoinshrdlucmfwypvbgkjqxz"[min(words.IntN(26), words.IntN(26))])
		}
		b = append(b, ' ')
	}
	return string(b[:textLength-1]) + "."
}

// floorPosts measures the floor's posts of the same size.
func floorPosts(p *process, addr string, online, count, frame int) (cost, error) {
	list, err := subscribe(addr, online)
	defer func() {
		for _, c := range list {
			if c != nil {
				_ = c.Close()
			}
		}
	}()
	if err != nil {
		return cost{}, err
	}
	g := newGate(online)
	for _, c := range list {
		go func() {
			for {
				if _, err := readFrame(c); err != nil {
					return
				}
				g.pass()
			}
		}()
	}
	poster, err := net.Dial("tcp", addr)
	if err != nil {
		return cost{}, err
	}
	defer func() { _ = poster.Close() }()
	if _, err := poster.Write([]byte{'p'}); err != nil {
		return cost{}, err
	}
	post := func() error {
		length := binary.LittleEndian.AppendUint32(nil, uint32(max(frame-envelope, 64)))
		if _, err := poster.Write(length); err != nil {
			return err
		}
		return g.wait(online)
	}
	if err := post(); err != nil {
		return cost{}, err
	}
	each := make([]time.Duration, 0, count)
	wall, cpu, err := p.spent(func() error {
		for range count {
			begin := time.Now()
			if err := post(); err != nil {
				return err
			}
			each = append(each, time.Since(begin))
		}
		return nil
	})
	return cost{cpu: cpu, last: wall / time.Duration(count), each: each}, err
}
