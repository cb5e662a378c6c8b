package main

import (
	"encoding/json"
	"fmt"
	"time"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/node"
	"parley/internal/safety"
	"parley/internal/safety/dsadb"
	"parley/internal/store"
)

// dsaCmd is what the operator does with statements of reasons for the EU's database.
type dsaCmd struct {
	Status dsaStatusCmd `cmd:"" help:"Count statements, list those that need somebody."`
	Show   dsaShowCmd   `cmd:"" help:"Show a statement as it would be sent."`
	Retry  dsaRetryCmd  `cmd:"" help:"Have rejected or held statements sent again."`
}

// dsaFlags are what all commands about the EU's database are given.
type dsaFlags struct {
	Data string `help:"The server's data directory." placeholder:"DIR"`
}

// dsaPage is how many statements are read at once.
const dsaPage = 200

// dsaStatusCmd counts statements.
type dsaStatusCmd struct{ dsaFlags }

// Run prints how many statements are in each state, and those that somebody has to look at.
func (c *dsaStatusCmd) Run(p *process) error {
	return p.tool(c.Data, func(n *node.Node) error {
		return n.Store.View(p.ctx, func(r *store.Reader) error {
			counts, err := dsadb.Status(r, time.Unix(0, 0), time.Now().Add(time.Hour))
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(p.out, "mode:      %s\n", n.Config.DSA.Mode)
			for _, s := range dsadb.States() {
				_, _ = fmt.Fprintf(p.out, "%-10s %d\n", s.String()+":", counts[s].Count)
			}
			for _, s := range []dsadb.State{dsadb.Rejected, dsadb.Held} {
				if err := c.list(p, n, r, s); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// list prints the statements of a state.
func (c *dsaStatusCmd) list(p *process, n *node.Node, r *store.Reader, s dsadb.State) error {
	for after := int64(0); ; {
		rows, err := dsadb.In(r, s, after, dsaPage)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			after = row.Decision
			_, err := fmt.Fprintf(p.out, "%-8s %s  %s\n", s,
				n.Reference(safety.DecisionRef, row.Subject, row.Decision), row.Problem)
			if err != nil {
				return err
			}
		}
	}
}

// dsaShowCmd shows a statement.
type dsaShowCmd struct {
	dsaFlags
	Decision string `arg:"" help:"The decision's reference."`
}

// Run prints a statement, its state, and the rules that it breaks.
func (c *dsaShowCmd) Run(p *process) error {
	return p.tool(c.Data, func(n *node.Node) error {
		subject, id, err := decisionOf(n, c.Decision)
		if err != nil {
			return err
		}
		row, err := n.DSA.Compose(p.ctx, subject, id)
		if err != nil {
			return err
		}
		b, err := json.MarshalIndent(row.StatementOfReason, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.out, "state:     %s\nproblem:   %s\nreceipt:   %s\n%s\n", row.State,
			row.Problem, row.Receipt, b)
		return err
	})
}

// decisionOf is the decision that a reference leads to.
func decisionOf(n *node.Node, ref string) (subject ids.Peer, id int64, err error) {
	kind, subject, id, err := n.ReadReference(ref)
	if err == nil && kind != safety.DecisionRef && kind != safety.StatementRef {
		err = safety.ErrReference
	}
	return subject, id, err
}

// dsaRetryCmd has statements sent again.
type dsaRetryCmd struct {
	dsaFlags
	Decision string `arg:"" optional:"" help:"Decision's reference; none for all rejected."`
	Redact   bool   `help:"Leave out of the texts what looks like personal data."`
	Apply    bool   `help:"Do it; without this, only say what would be done."`
}

// Run has statements sent again.
func (c *dsaRetryCmd) Run(p *process) error {
	return p.tool(c.Data, func(n *node.Node) error {
		if c.Decision != "" {
			subject, id, err := decisionOf(n, c.Decision)
			if err != nil {
				return err
			}
			return c.retry(p, n, subject, id)
		}
		for after := int64(0); ; {
			var rows []dsadb.Row
			err := n.Store.View(p.ctx, func(r *store.Reader) (err error) {
				rows, err = dsadb.In(r, dsadb.Rejected, after, dsaPage)
				return err
			})
			if err != nil || len(rows) == 0 {
				return err
			}
			for _, row := range rows {
				after = row.Decision
				if err := c.retry(p, n, row.Subject, row.Decision); err != nil {
					return err
				}
			}
		}
	})
}

// retry has one statement sent again, or says that it would.
func (c *dsaRetryCmd) retry(p *process, n *node.Node, subject ids.Peer, id int64) error {
	ref := n.Reference(safety.DecisionRef, subject, id)
	if !c.Apply {
		_, err := fmt.Fprintf(p.out, "would send %s again\n", ref)
		return err
	}
	err := dsadb.Retry(p.ctx, n.Store, clock.System{}, subject, id, c.Redact)
	if err != nil {
		return fmt.Errorf("%s: %w", ref, err)
	}
	_, err = fmt.Fprintf(p.out, "%s is sent again\n", ref)
	return err
}
