package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"parley/internal/node"
	"parley/internal/safety/orderform"
)

// orderReportFlags are what all reports about orders are given.
type orderReportFlags struct {
	periodFlags
	Data string `help:"The server's data directory." placeholder:"DIR"`
}

// tcoReportCmd prints the statistics about terrorist content.
type tcoReportCmd struct {
	orderReportFlags
	Operator string `help:"What no log knows (TOML)." type:"path" placeholder:"FILE"`
}

// Run prints the statistics as JSON.
func (c *tcoReportCmd) Run(p *process) error {
	period, err := c.period()
	if err != nil {
		return err
	}
	var court orderform.Court
	if c.Operator != "" {
		f, err := os.Open(c.Operator)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		if err := toml.NewDecoder(f).DisallowUnknownFields().Decode(&court); err != nil {
			return err
		}
	}
	return p.tool(c.Data, func(n *node.Node) error {
		t, err := n.Tally(p.ctx, period.Span())
		if err != nil {
			return err
		}
		b, err := orderform.OfTerror(t, period.Span(), court).JSON()
		if err == nil {
			_, err = p.out.Write(b)
		}
		return err
	})
}

// evidenceReportCmd prints the statistics about electronic evidence.
type evidenceReportCmd struct {
	orderReportFlags
	Table bool `help:"Print a table (CSV) instead of JSON."`
}

// Run prints the statistics.
func (c *evidenceReportCmd) Run(p *process) error {
	period, err := c.period()
	if err != nil {
		return err
	}
	return p.tool(c.Data, func(n *node.Node) error {
		t, err := n.Tally(p.ctx, period.Span())
		if err != nil {
			return err
		}
		of := orderform.OfEvidence(t, period.Span())
		write := of.JSON
		if c.Table {
			write = of.CSV
		}
		b, err := write()
		if err == nil {
			_, err = p.out.Write(b)
		}
		return err
	})
}

// ordersReportCmd prints the orders of a period as they are published.
type ordersReportCmd struct {
	orderReportFlags
	Texts string `help:"Redacted texts, each in a file ID.txt." type:"path" placeholder:"DIR"`
}

// Run prints the publication as JSON.
func (c *ordersReportCmd) Run(p *process) error {
	period, err := c.period()
	if err != nil {
		return err
	}
	texts, err := redactedTexts(c.Texts)
	if err != nil {
		return err
	}
	return p.tool(c.Data, func(n *node.Node) error {
		origin, list, err := n.OrderLines(p.ctx, period.Span())
		if err != nil {
			return err
		}
		out, err := orderform.Publish(origin, list, texts)
		if err != nil {
			return err
		}
		b, err := out.JSON()
		if err == nil {
			_, err = p.out.Write(b)
		}
		return err
	})
}

// redactedTexts reads the texts in a directory by the names of their files.
func redactedTexts(dir string) (map[string]string, error) {
	out := map[string]string{}
	if dir == "" {
		return out, nil
	}
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, f := range list {
		id, ok := strings.CutSuffix(f.Name(), ".txt")
		if !ok {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		out[id] = string(b)
	}
	return out, err
}
