package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"

	"parley/internal/config"
	"parley/internal/demo"
	"parley/internal/diag"
	"parley/internal/node"
)

// serveCmd runs the server.
type serveCmd struct {
	Data      string `help:"Directory for everything the server keeps." placeholder:"DIR"`
	Listen    string `help:"Where clients connect." placeholder:"HOST:PORT"`
	Advertise string `help:"Where clients are told to connect." placeholder:"HOST:PORT"`
	Web       string `help:"Where the pages for people are served." placeholder:"HOST:PORT"`
	Demo      bool   `help:"Fill an empty server with invented people and chats."`
}

// flags are those that were given.
func (s *serveCmd) flags() map[string]string {
	out := make(map[string]string)
	for name, value := range map[string]string{
		"data": s.Data, "listen": s.Listen, "advertise": s.Advertise, "web": s.Web,
	} {
		if value != "" {
			out[name] = value
		}
	}
	if s.Demo {
		out["demo"] = "true"
		if s.Listen == "" {
			// A demo's codes are known to everybody: it stays on this machine.
			out["listen"] = "127.0.0.1:4430"
		}
	}
	return out
}

// Run runs the server until it is told to stop.
func (s *serveCmd) Run(p *process) (err error) {
	cfg, err := p.load(s.flags())
	if err != nil {
		return err
	}
	log := p.logger(cfg)
	// Libraries that write where nobody asked them to are heard only when they fail.
	slog.SetDefault(slog.New(diag.AtLeast(log.Handler(), slog.LevelError)))
	n, err := node.Open(p.ctx, cfg, node.Options{Log: log, Out: p.out})
	if err != nil {
		return err
	}
	defer func() {
		if cerr := n.Close(); err == nil {
			err = cerr
		}
	}()
	if cfg.Demo {
		if err := n.FillDemo(p.ctx); err != nil {
			return err
		}
	}
	return n.Run(p.ctx, func(listen, web []net.Addr) { welcome(p.out, cfg, n, listen, web) })
}

// welcome tells the operator where everything is.
func welcome(w io.Writer, cfg config.Config, n *node.Node, listen, web []net.Addr) {
	line := func(what, format string, args ...any) {
		_, _ = fmt.Fprintf(w, "%-14s"+format+"\n", append([]any{what}, args...)...)
	}
	for _, a := range listen {
		line("clients:", "%s (every transport)", a)
	}
	line("data centre:", "%d", cfg.DC)
	line("public key:", "%s", filepath.Join(cfg.Keyring.Dir, "keys", "public.pem"))
	for _, f := range n.Fingerprints() {
		line("fingerprint:", "%016x", uint64(f))
	}
	line("registration:", "%s", cfg.Registration.Mode)
	line("pages:", "%s", cfg.Web.PublicURL)
	if cfg.Console.Listen != "" {
		line("console:", "%s", cfg.Console.PublicURL)
	}
	var doors []string
	for _, d := range [...]struct{ name, listen string }{
		{"metrics on:", cfg.Inner.Listen}, {"pages on:", cfg.Web.Listen},
		{"console on:", cfg.Console.Listen},
	} {
		if d.listen != "" {
			doors = append(doors, d.name)
		}
	}
	for i, a := range web {
		line(doors[i], "%s", a)
	}
	if cfg.Demo {
		line("demo:", "log in with +%s to +%s, code %s", demo.Phone(1), demo.Phone(demo.Members),
			demo.Code)
	}
	line("connect:", "parley client-config gotd|telethon|gramjs|mtcute|tdlib|tdesktop")
}
