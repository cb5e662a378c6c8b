package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gotd/td/crypto"
	"github.com/gotd/td/tg"

	"parley/internal/ids"
	"parley/internal/rawclient"
)

// envelope is how much longer a frame is than the body in it, on the average: key id, msg_key,
// header and padding.
const envelope = 24 + 32 + 20

// connectAll connects devices and lets each ask for its state, so that it hears of everything.
func connectAll(
	ctx context.Context, addr string, keys []crypto.AuthKey,
) ([]*rawclient.Client, error) {
	out := make([]*rawclient.Client, len(keys))
	err := parallel(len(keys), func(i int) error {
		c, err := rawclient.Dial(ctx, addr, keys[i])
		if err != nil {
			return err
		}
		out[i] = c
		_, err = c.Ask(&tg.UpdatesGetStateRequest{}, true)
		return err
	})
	return out, err
}

func closeAll(list []*rawclient.Client) {
	for _, c := range list {
		if c != nil {
			c.Close()
		}
	}
}

// start measures from the start of the process to the first answer, on data that is there.
func (b *bench) start(ctx context.Context) error {
	dir, w, err := b.world(ctx, "start")
	if err != nil {
		return err
	}
	_, keys, err := people(ctx, w, 1)
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	const rounds = 5
	var server, floor, used, least []time.Duration
	for range rounds {
		begin := time.Now()
		p, addr, err := b.server(ctx, dir)
		if err != nil {
			return err
		}
		list, err := connectAll(ctx, addr, keys)
		server = append(server, time.Since(begin))
		cpu, cerr := p.cpu()
		used = append(used, cpu)
		closeAll(list)
		if err = errors.Join(err, cerr, p.stop()); err != nil {
			return err
		}
		begin = time.Now()
		if p, addr, err = b.floor(ctx); err != nil {
			return err
		}
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_, err = roundTrip(conn, 'h', 64)
			_ = conn.Close()
		}
		floor = append(floor, time.Since(begin))
		cpu, cerr = p.cpu()
		least = append(least, cpu)
		if err = errors.Join(err, cerr, p.stop()); err != nil {
			return err
		}
	}
	for _, of := range []struct {
		what, target  string
		server, floor []time.Duration
	}{
		{"(d) process start to first answer", "<= 100 ms where NATS takes 27", server, floor},
		{"(d) processor time of that", "-", used, least},
	} {
		s, f := percentile(of.server, 50), percentile(of.floor, 50)
		b.print(Result{
			What: of.what, Server: millis(s), Floor: millis(f),
			Ratio: float64(s) / float64(max(f, 1)), Target: of.target,
		})
	}
	return nil
}

// roundTrip asks the floor for one answer.
func roundTrip(conn net.Conn, kind byte, n int) (int, error) {
	ask := binary.LittleEndian.AppendUint32([]byte{kind}, uint32(n))
	if _, err := conn.Write(ask); err != nil {
		return 0, err
	}
	return readFrame(conn)
}

func readFrame(r io.Reader) (int, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, err
	}
	n := int(binary.LittleEndian.Uint32(head[:]))
	_, err := io.CopyN(io.Discard, r, int64(n))
	return n, err
}

// idle measures the memory of connections that are logged in and silent.
func (b *bench) idle(ctx context.Context) error {
	n := b.scaled(5000)
	dir, w, err := b.world(ctx, "idle")
	if err != nil {
		return err
	}
	_, keys, err := people(ctx, w, n)
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	p, addr, err := b.server(ctx, dir)
	if err != nil {
		return err
	}
	server, err := grown(p, func() (func(), error) {
		list, err := connectAll(ctx, addr, keys)
		return func() { closeAll(list) }, err
	})
	if err = errors.Join(err, p.stop()); err != nil {
		return err
	}
	if p, addr, err = b.floor(ctx); err != nil {
		return err
	}
	floor, err := grown(p, func() (func(), error) {
		list, err := subscribe(addr, n)
		return func() {
			for _, c := range list {
				_ = c.Close()
			}
		}, err
	})
	if err = errors.Join(err, p.stop()); err != nil {
		return err
	}
	kb := func(bytes int64) float64 { return float64(bytes) / 1024 / float64(n) }
	b.print(Result{
		What:   fmt.Sprintf("(c) memory of an idle connection, %d of them", n),
		Server: fmt.Sprintf("%.1f KB", kb(server)), Floor: fmt.Sprintf("%.1f KB", kb(floor)),
		Ratio: float64(server) / float64(max(floor, 1)), Target: "5 KB, good 10 KB",
	})
	return nil
}

// grown is how much memory a process takes on by something.
func grown(p *process, fn func() (undo func(), err error)) (int64, error) {
	if err := p.settle(); err != nil {
		return 0, err
	}
	before, err := p.rss()
	if err != nil {
		return 0, err
	}
	undo, err := fn()
	defer undo()
	if err = errors.Join(err, p.settle()); err != nil {
		return 0, err
	}
	after, err := p.rss()
	return after - before, err
}

// subscribe connects subscribers to the floor.
func subscribe(addr string, n int) ([]net.Conn, error) {
	list := make([]net.Conn, n)
	err := parallel(n, func(i int) (err error) {
		if list[i], err = net.Dial("tcp", addr); err != nil {
			return err
		}
		if _, err = list[i].Write([]byte{'s'}); err != nil {
			return err
		}
		_, err = io.ReadFull(list[i], make([]byte, 1))
		return err
	})
	return list, err
}

// pairs measures messages between two people: acknowledged when durable, and delivered.
func (b *bench) pairs(ctx context.Context) error {
	const count = 100
	each := max(b.scaled(100), 40)
	dir, w, err := b.world(ctx, "pairs")
	if err != nil {
		return err
	}
	users, keys, err := people(ctx, w, 2*count)
	hashes := make([]int64, count)
	for i := range hashes {
		hashes[i] = w.Hash(int64(users[2*i]), int64(users[2*i+1]))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	p, addr, err := b.server(ctx, dir)
	if err != nil {
		return err
	}
	list, err := connectAll(ctx, addr, keys)
	if err != nil {
		return errors.Join(err, p.stop())
	}
	wall, cpu, err := p.spent(func() error {
		return together(count, func(i int) error {
			return talk(list[2*i], list[2*i+1], users[2*i+1], hashes[i], each)
		})
	})
	closeAll(list)
	if err = errors.Join(err, p.stop()); err != nil {
		return err
	}
	if p, addr, err = b.floor(ctx); err != nil {
		return err
	}
	floorWall, floorCPU, err := p.spent(func() error { return floorPairs(addr, count, each) })
	if err = errors.Join(err, p.stop()); err != nil {
		return err
	}
	n := count * each
	b.print(Result{
		What:   "(b) 1:1 durable and delivered, 100 pairs: processor per message",
		Server: fmt.Sprintf("%.0f us", micros(cpu, n)),
		Floor:  fmt.Sprintf("%.0f us", micros(floorCPU, n)),
		Ratio:  float64(cpu) / float64(max(floorCPU, 1)), Target: "1.9, good 3.5 (15x, 8x ejabberd+PG)",
	})
	b.print(Result{
		What:   "(b) 1:1 messages a second",
		Server: fmt.Sprintf("%.0f", float64(n)/wall.Seconds()),
		Floor:  fmt.Sprintf("%.0f", float64(n)/floorWall.Seconds()),
		Ratio:  float64(wall) / float64(floorWall), Target: "-",
	})
	return nil
}

// together calls fn for 0 to n-1, all at once, and returns the first error.
func together(n int, fn func(i int) error) error {
	errs := make(chan error, n)
	for i := range n {
		go func() { errs <- fn(i) }()
	}
	var first error
	for range n {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// talk sends messages from one to another, each when the one before was acknowledged and delivered.
func talk(from, to *rawclient.Client, peer ids.UserID, hash int64, count int) error {
	got := make(chan error, 1)
	for i := range count {
		go func() { got <- to.Pushed() }()
		_, err := from.Ask(&tg.MessagesSendMessageRequest{
			Peer:    &tg.InputPeerUser{UserID: int64(peer), AccessHash: hash},
			Message: text(i), RandomID: int64(i + 1),
		}, false)
		if err = errors.Join(err, <-got); err != nil {
			return err
		}
	}
	return nil
}

func floorPairs(addr string, count, each int) error {
	var mu sync.Mutex
	conns := make([]net.Conn, 2*count)
	defer func() {
		for _, c := range conns {
			if c != nil {
				_ = c.Close()
			}
		}
	}()
	for i := range conns {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return err
		}
		mu.Lock()
		conns[i] = c
		mu.Unlock()
		hello := binary.LittleEndian.AppendUint32([]byte{'m'}, uint32(i))
		if _, err := c.Write(hello); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, hello[:1]); err != nil {
			return err
		}
	}
	return together(count, func(i int) error {
		from, to := conns[2*i], conns[2*i+1]
		message := binary.LittleEndian.AppendUint32(nil, 320)
		message = append(message, make([]byte, 320)...)
		got := make(chan error, 1)
		for range each {
			go func() { _, err := readFrame(to); got <- err }()
			if _, err := from.Write(message); err != nil {
				return err
			}
			_, err := readFrame(from)
			if err = errors.Join(err, <-got); err != nil {
				return err
			}
		}
		return nil
	})
}

// historyLeast is how many messages there must be for pages to be taken from the last thousand.
const historyLeast = 1100

// history measures pages of fifty messages.
func (b *bench) history(ctx context.Context) error {
	const readers, page = 50, 50
	each := max(b.scaled(100), 30)
	dir, w, err := b.world(ctx, "history")
	if err != nil {
		return err
	}
	users, keys, err := people(ctx, w, readers)
	if err != nil {
		return errors.Join(err, w.Close())
	}
	channel, err := w.Channel(ctx, users[0], users[1:], readers)
	if err == nil {
		err = w.Say(ctx, users[0], channel, text, max(b.scaled(20_000), historyLeast))
	}
	hashes := make([]int64, readers)
	for i := range hashes {
		hashes[i] = w.Hash(int64(users[i]), int64(channel))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	p, addr, err := b.server(ctx, dir)
	if err != nil {
		return err
	}
	list, err := connectAll(ctx, addr, keys)
	if err != nil {
		return errors.Join(err, p.stop())
	}
	var bytes atomic.Int64
	_, cpu, err := p.spent(func() error {
		return together(readers, func(i int) error {
			return readPages(list[i], channel, hashes[i], each, page, &bytes)
		})
	})
	closeAll(list)
	if err = errors.Join(err, p.stop()); err != nil {
		return err
	}
	n := readers * each
	size := int(bytes.Load()) / n
	if p, addr, err = b.floor(ctx); err != nil {
		return err
	}
	_, floorCPU, err := p.spent(func() error {
		return together(readers, func(int) error { return floorPages(addr, each, size) })
	})
	if err = errors.Join(err, p.stop()); err != nil {
		return err
	}
	b.print(Result{
		What:   fmt.Sprintf("(e) history pages of %d (%d KB): processor per page", page, size>>10),
		Server: fmt.Sprintf("%.0f us", micros(cpu, n)),
		Floor:  fmt.Sprintf("%.0f us", micros(floorCPU, n)),
		Ratio:  float64(cpu) / float64(max(floorCPU, 1)), Target: "278 us (40x ejabberd+PG), good 555",
	})
	return nil
}

func readPages(
	c *rawclient.Client, channel ids.Peer, hash int64, count, page int, bytes *atomic.Int64,
) error {
	for i := range count {
		raw, err := c.Ask(&tg.MessagesGetHistoryRequest{
			Peer:  &tg.InputPeerChannel{ChannelID: int64(channel.Channel()), AccessHash: hash},
			Limit: page, AddOffset: i * page % 1000,
		}, false)
		if err != nil {
			return err
		}
		bytes.Add(int64(raw.Len()))
		var m tg.MessagesChannelMessages
		if err := m.Decode(raw); err != nil {
			return err
		}
		if len(m.Messages) != page {
			return fmt.Errorf("bench: a page of %d messages", len(m.Messages))
		}
	}
	return nil
}

// floorPages reads answers of a size from the floor, one after the other.
func floorPages(addr string, count, size int) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte{'h'}); err != nil {
		return err
	}
	for range count {
		length := binary.LittleEndian.AppendUint32(nil, uint32(size))
		if _, err := conn.Write(length); err != nil {
			return err
		}
		if _, err := readFrame(conn); err != nil {
			return err
		}
	}
	return nil
}
