package main

import (
	"fmt"
	"time"

	"parley/internal/node"
)

// adminCmd is what the operator does with the server's data. The server may be running.
type adminCmd struct {
	Invite  inviteCmd  `cmd:"" help:"Make an invitation: a number and a code with which somebody signs up."`
	Account accountCmd `cmd:"" help:"Make an account."`
	Code    codeCmd    `cmd:"" help:"Issue a login code for an account, to be handed over by you."`
	Staff   staffCmd   `cmd:"" help:"Who works in the moderators' console."`
	Agency  agencyCmd  `cmd:"" help:"Who may give orders: authorities and their officers."`
	Order   orderCmd   `cmd:"" help:"What authorities ordered."`
	Market  marketCmd  `cmd:"" help:"In which countries the service is offered, and why not."`
	Proxy   proxyCmd   `cmd:"" help:"Ways in where the network blocks the service."`
	DSA     dsaCmd     `cmd:"" name:"dsa" help:"Statements of reasons for the EU's database."`
	Report  reportCmd  `cmd:"" help:"Write reports that laws prescribe."`
}

// inviteCmd makes an invitation.
type inviteCmd struct {
	Data string        `help:"The server's data directory." placeholder:"DIR"`
	Uses int           `help:"How often it may be used; 0 is any number of times." default:"1"`
	For  time.Duration `help:"How long it may be used; 0 is for ever." default:"168h"`
}

// Run makes an invitation and prints it; it cannot be shown again.
func (c *inviteCmd) Run(p *process) error {
	return p.tool(c.Data, func(n *node.Node) error {
		var expires time.Time
		if c.For > 0 {
			expires = time.Now().Add(c.For)
		}
		i, err := n.Account.Invite(p.ctx, 0, c.Uses, expires)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.out, "phone number:  +%s\nlogin code:    %s\n", i.Number, i.Code)
		return err
	})
}

// accountCmd makes an account.
type accountCmd struct {
	Data  string `help:"The server's data directory." placeholder:"DIR"`
	Phone string `help:"Phone number; without one the account gets an anonymous number."`
	First string `arg:"" help:"First name."`
	Last  string `arg:"" optional:"" help:"Last name."`
}

// Run makes an account and prints its number and a first login code.
func (c *accountCmd) Run(p *process) error {
	return p.tool(c.Data, func(n *node.Node) error {
		user, phone, err := n.Account.CreateAccount(p.ctx, c.Phone, c.First, c.Last)
		if err != nil {
			return err
		}
		code, err := n.Account.IssueCode(p.ctx, phone)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.out, "account:       %d\nphone number:  +%s\nlogin code:    %s\n", user,
			phone, code)
		return err
	})
}

// codeCmd issues a login code.
type codeCmd struct {
	Data  string `help:"The server's data directory." placeholder:"DIR"`
	Phone string `arg:"" help:"The account's number."`
}

// Run issues a login code and prints it.
func (c *codeCmd) Run(p *process) error {
	return p.tool(c.Data, func(n *node.Node) error {
		code, err := n.Account.IssueCode(p.ctx, c.Phone)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.out, "login code:    %s\n", code)
		return err
	})
}

// tool opens the server's data beside a server that may be running, for fn.
func (p *process) tool(data string, fn func(*node.Node) error) (err error) {
	flags := make(map[string]string)
	if data != "" {
		flags["data"] = data
	}
	cfg, err := p.load(flags)
	if err != nil {
		return err
	}
	n, err := node.Open(p.ctx, cfg, node.Options{Log: p.logger(cfg), Out: p.out, Tool: true})
	if err != nil {
		return err
	}
	defer func() {
		if cerr := n.Close(); err == nil {
			err = cerr
		}
	}()
	return fn(n)
}
