package main

import (
	"crypto/rand"
	"fmt"
	"net"
	"strconv"

	"parley/internal/clientconfig"
	"parley/internal/keyring"
)

// clientConfigCmd prints how a client library connects to this server.
type clientConfigCmd struct {
	Client  string `arg:"" help:"gotd, telethon, gramjs, mtcute, tdlib, tdesktop or proxy."`
	Data    string `help:"The server's data directory." placeholder:"DIR"`
	Address string `help:"Where to connect; by default what is advertised." placeholder:"HOST:PORT"`
}

// Run prints the snippet or recipe of a client.
func (c *clientConfigCmd) Run(p *process) error {
	if c.Client == "proxy" {
		return p.tool(c.Data, p.printProxies)
	}
	flags := make(map[string]string)
	if c.Data != "" {
		flags["data"] = c.Data
	}
	if c.Address != "" {
		flags["advertise"] = c.Address
	}
	cfg, err := p.load(flags)
	if err != nil {
		return err
	}
	keys, err := keyring.Open(cfg.Keyring.Dir, rand.Reader)
	if err != nil {
		return err
	}
	if len(cfg.Advertise) == 0 {
		return fmt.Errorf("no address is advertised; set advertise in the configuration")
	}
	host, port, err := net.SplitHostPort(cfg.Advertise[0])
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	return clientconfig.Write(p.out, c.Client, clientconfig.Server{
		Host: host, Port: number, DC: cfg.DC, Key: &keys.RSA()[0].PublicKey,
	})
}
