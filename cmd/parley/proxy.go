package main

import (
	"fmt"
	"time"

	"parley/internal/node"
)

// proxyCmd is about the proxy secrets by which clients reach a server whose network is blocked.
type proxyCmd struct {
	List   proxyListCmd   `cmd:"" help:"Show the secrets that are accepted, with their links."`
	Rotate proxyRotateCmd `cmd:"" help:"Make another secret; those before are accepted for a time."`
}

// proxyListCmd shows secrets.
type proxyListCmd struct {
	Data string `help:"The server's data directory." placeholder:"DIR"`
}

// Run lists the secrets that are accepted and the links of the newest.
func (c *proxyListCmd) Run(p *process) error {
	return p.tool(c.Data, func(n *node.Node) error {
		list, err := n.ProxyFile().Accepted(time.Now())
		if err != nil {
			return err
		}
		for _, s := range list {
			until := "no end"
			if !s.Ends.IsZero() {
				until = "until " + s.Ends.Format(time.DateTime)
			}
			_, err := fmt.Fprintf(p.out, "%s  %s  made %s, %s\n", s.Hex, s.Domain(),
				s.Made.Format(time.DateTime), until)
			if err != nil {
				return err
			}
		}
		return p.printProxies(n)
	})
}

// printProxies prints the links of the newest secret.
func (p *process) printProxies(n *node.Node) error {
	links, err := n.Proxies()
	if err != nil {
		return err
	}
	if len(links) == 0 {
		_, err := fmt.Fprintln(p.out, "no secret; set mtproxy.domain, or rotate")
		return err
	}
	for _, l := range links {
		if _, err := fmt.Fprintf(p.out, "%s\n%s\n", l.App, l.Web); err != nil {
			return err
		}
	}
	return nil
}

// proxyRotateCmd makes a secret.
type proxyRotateCmd struct {
	Data   string        `help:"The server's data directory." placeholder:"DIR"`
	Domain string        `help:"The website to pretend to visit; mtproxy.domain by default."`
	For    time.Duration `help:"How long the secrets before are accepted." default:"720h"`
	Yes    bool          `help:"Do it; without this, only say what would happen."`
}

// Run makes a secret, or says what that would do.
func (c *proxyRotateCmd) Run(p *process) error {
	return p.tool(c.Data, func(n *node.Node) error {
		domain := c.Domain
		if domain == "" {
			domain = n.Config.MTProxy.Domain
		}
		old, err := n.ProxyFile().Accepted(time.Now())
		if err != nil {
			return err
		}
		if !c.Yes {
			_, err = fmt.Fprintf(p.out, "would make a secret for %q; %d before it would be "+
				"accepted until %s at most. Say --yes to do it.\n", domain, len(old),
				time.Now().Add(c.For).Format(time.DateTime))
			return err
		}
		if _, err := n.RotateProxy(domain, c.For); err != nil {
			return err
		}
		return p.printProxies(n)
	})
}
