package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"time"

	"github.com/gotd/td/crypto"

	"parley/internal/bench"
	"parley/internal/chat/message"
	"parley/internal/config"
	"parley/internal/ids"
	"parley/internal/importer"
	"parley/internal/mtproto/crypt"
	"parley/internal/node"
	"parley/internal/store"
)

// benchCmd measures this machine with the real server, and beside it the least it allows.
type benchCmd struct {
	Measure benchRunCmd   `cmd:"" name:"run" default:"withargs" help:"Measure and print ratios."`
	Floor   benchFloorCmd `cmd:"" hidden:"" help:"Run the floor."`
	Serve   benchServeCmd `cmd:"" hidden:"" help:"Run the server without limits."`
}

// benchRunCmd measures.
type benchRunCmd struct {
	Quick   bool   `help:"A tenth of everything."`
	Only    string `help:"The letters of what is measured, like be; by default all."`
	Dir     string `help:"Where the data goes; by default a temporary directory." type:"path"`
	Profile string `help:"Where servers write profiles (see go tool pprof); costs speed." type:"path"`
}

// Run measures and prints ratios.
func (c *benchRunCmd) Run(p *process) (err error) {
	dir := c.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "parley-bench"); err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	serve := []string{self, "bench", "serve"}
	if c.Profile != "" {
		serve = append(serve, "--profile", c.Profile)
	}
	return bench.Run(p.ctx, bench.Options{
		Open: openWorld, Dir: dir, Quick: c.Quick, Only: c.Only, Out: p.out,
		Serve: serve, Floor: []string{self, "bench", "floor"},
	})
}

// benchFloorCmd runs the floor.
type benchFloorCmd struct {
	Dir    string `arg:""`
	Listen string `arg:""`
}

// Run runs the floor until it is told to stop.
func (c *benchFloorCmd) Run(p *process) error {
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(p.out, "floor:", l.Addr()); err != nil {
		return err
	}
	return bench.Floor(p.ctx, l, c.Dir)
}

// benchServeCmd runs the server without limits.
type benchServeCmd struct {
	Dir     string `arg:""`
	Listen  string `arg:""`
	Profile string `type:"path"`
}

// benchConfig is the default configuration without the limits on one address and account, since all
// clients of a benchmark come from one address.
func benchConfig(dir, listen string) (config.Config, error) {
	cfg, err := config.Load(config.Sources{Flags: map[string]string{
		"data": dir, "listen": listen, "web": "127.0.0.1:0", "inner.listen": "", "console.listen": "",
		"log.level": "error",
	}})
	cfg.Limits = config.Limits{Connections: 100_000, ConnectionsPerAddress: 100_000}
	return cfg, err
}

// Run runs the server until it is told to stop.
func (c *benchServeCmd) Run(p *process) (err error) {
	if c.Profile != "" {
		stop, err := profile(p.ctx, filepath.Join(c.Profile, filepath.Base(c.Dir)))
		if err != nil {
			return err
		}
		defer stop()
	}
	cfg, err := benchConfig(c.Dir, c.Listen)
	if err != nil {
		return err
	}
	n, err := node.Open(p.ctx, cfg, node.Options{Log: p.logger(cfg), Out: p.out})
	if err != nil {
		return err
	}
	defer func() { _ = n.Close() }()
	return n.Run(p.ctx, func(listen, _ []net.Addr) {
		_, _ = fmt.Fprintln(p.out, "clients:", listen[0])
		go (&taker{Node: n}).obey(p.ctx, os.Stdin, p.out)
	})
}

// profile writes a processor profile of the time until stop, and a heap profile of when the heap
// was largest. The names begin with path.
func profile(ctx context.Context, path string) (stop func(), err error) {
	f, err := os.Create(path + ".cpu")
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	go func() {
		largest := uint64(0)
		for tick := time.Tick(time.Second); ctx.Err() == nil; <-tick {
			runtime.GC()
			var m runtime.MemStats
			if runtime.ReadMemStats(&m); m.HeapAlloc <= largest {
				continue
			}
			largest = m.HeapAlloc
			if h, err := os.Create(path + ".heap"); err == nil {
				_ = pprof.WriteHeapProfile(h)
				_ = h.Close()
			}
		}
	}()
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}

// world is the data of a server, for the benchmark to prepare.
type world struct{ *node.Node }

func openWorld(ctx context.Context, dir string) (bench.World, error) {
	cfg, err := benchConfig(dir, "127.0.0.1:1")
	if err != nil {
		return nil, err
	}
	n, err := node.Open(ctx, cfg, node.Options{
		Log: slog.New(slog.DiscardHandler), Out: os.Stderr, Tool: true,
	})
	return world{n}, err
}

// Person makes the nth account with a device.
func (w world) Person(ctx context.Context, n int) (ids.UserID, crypto.AuthKey, error) {
	var value crypto.Key
	if _, err := rand.Read(value[:]); err != nil {
		return 0, crypto.AuthKey{}, err
	}
	user := ids.UserID(100_000 + n)
	err := w.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		return tx.PutUser(store.User{
			ID: user, FirstName: "Member", LastName: fmt.Sprint(n), Phone: fmt.Sprint(4930_0000_0000 + n),
			Seen: 1,
		})
	})
	if err != nil {
		return 0, crypto.AuthKey{}, err
	}
	return user, value.WithID(), w.Device(ctx, user, crypt.NewAuthKey(value))
}

// memberBatch is how many members without devices are written at once.
const memberBatch = 5000

// Channel makes a channel with members; those without devices are rows and nothing else.
func (w world) Channel(
	ctx context.Context, owner ids.UserID, members []ids.UserID, total int,
) (ids.Peer, error) {
	im := w.Importer(owner)
	peer, err := im.Create(ctx, owner, importer.Place{Broadcast: true, Title: "Benchmark"})
	if err != nil {
		return 0, err
	}
	all := make([]ids.UserID, 0, total)
	all = append(all, members...)
	for n := len(all); n < total; n++ {
		all = append(all, ids.UserID(10_000_000+n))
	}
	for len(all) > 0 {
		batch := all[:min(len(all), memberBatch)]
		all = all[len(batch):]
		err := w.Store.Update(ctx, peer, func(tx *store.Tx) error {
			for _, user := range batch {
				m := store.Member{Peer: peer, User: user, Role: store.Participant, Date: 1}
				if err := tx.PutMember(m); err != nil {
					return err
				}
				if err := tx.PutDialog(store.Dialog{User: user, Peer: peer}); err != nil {
					return err
				}
			}
			return tx.CountMembers(peer, int64(len(batch)))
		})
		if err != nil {
			return 0, err
		}
	}
	return peer, nil
}

// Say writes messages of a text into a chat.
func (w world) Say(
	ctx context.Context, from ids.UserID, to ids.Peer, text func(int) string, count int,
) error {
	const senders = 64
	errs := make(chan error, senders)
	for lane := range senders {
		go func() {
			for i := lane; i < count; i += senders {
				_, err := w.Message.Send(ctx, message.Outgoing{
					From: from, To: to, Random: math.MaxInt64 - int64(i), Trusted: true,
					Content: message.Content{Text: text(i)},
				})
				if err != nil {
					errs <- err
					return
				}
			}
			errs <- w.Courier.Settled(ctx, message.BoxOf(from, to))
		}()
	}
	var err error
	for range senders {
		err = errors.Join(err, <-errs)
	}
	return err
}

// Hash is the access hash of a peer for a viewer.
func (w world) Hash(viewer, peer int64) int64 { return w.AccessHash(viewer, peer) }
