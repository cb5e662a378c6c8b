package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"os"

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
	Quick bool   `help:"A tenth of everything."`
	Dir   string `help:"Where the data of the run goes; by default a temporary directory." type:"path"`
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
	return bench.Run(p.ctx, bench.Options{
		Open: openWorld, Dir: dir, Quick: c.Quick, Out: p.out,
		Serve: []string{self, "bench", "serve"}, Floor: []string{self, "bench", "floor"},
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
	Dir    string `arg:""`
	Listen string `arg:""`
}

// benchConfig is the default configuration without the limits on one address and account, since all
// clients of a benchmark come from one address.
func benchConfig(dir, listen string) (config.Config, error) {
	cfg, err := config.Load(config.Sources{Flags: map[string]string{
		"data": dir, "listen": listen, "web": "127.0.0.1:0", "inner.listen": "", "log.level": "error",
	}})
	cfg.Limits = config.Limits{Connections: 100_000, ConnectionsPerAddress: 100_000}
	return cfg, err
}

// Run runs the server until it is told to stop.
func (c *benchServeCmd) Run(p *process) (err error) {
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
	})
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
		return tx.PutUser(store.User{ID: user, FirstName: "Member", LastName: fmt.Sprint(n)})
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

// Say writes messages into a chat.
func (w world) Say(ctx context.Context, from ids.UserID, to ids.Peer, count int) error {
	for i := range count {
		_, err := w.Message.Send(ctx, message.Outgoing{
			From: from, To: to, Random: int64(i + 1), Trusted: true,
			Content: message.Content{Text: fmt.Sprintf("message %d of many, long enough to be one", i)},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Hash is the access hash of a peer for a viewer.
func (w world) Hash(viewer, peer int64) int64 { return w.AccessHash(viewer, peer) }
