package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"parley/internal/node"
	"parley/internal/safety"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/store"
)

// orderCmd is what the staff does with orders of authorities where no browser reaches the console.
// What changes something says what it would do, and does it with --apply.
type orderCmd struct {
	Submit   orderSubmitCmd   `cmd:"" help:"Take an order in, from a file of JSON, for an officer."`
	List     orderListCmd     `cmd:"" help:"List open orders, those due first first."`
	Show     orderShowCmd     `cmd:"" help:"Show an order: plan, signatures, items, events."`
	Check    orderCheckCmd    `cmd:"" help:"Record a check that policy wants."`
	CallBack orderCallBackCmd `cmd:"" help:"Record a call-back."`
	Approve  orderApproveCmd  `cmd:"" help:"Sign what would be carried out."`
	Refuse   orderRefuseCmd   `cmd:"" help:"Refuse an order, with reasons."`
	Attach   orderAttachCmd   `cmd:"" help:"Put an order of an unknown sender to its agency."`
	Clear    orderClearCmd    `cmd:"" help:"Record that a notified authority does not object."`
	Object   orderObjectCmd   `cmd:"" help:"Record that a notified authority objects."`
	Papered  orderPaperedCmd  `cmd:"" help:"Record that an emergency's order has come."`
	Annul    orderAnnulCmd    `cmd:"" help:"Take back all that an order did."`
	Papers   orderPapersCmd   `cmd:"" help:"Write the signed papers of an order to a folder."`
}

// orderFlags are what all commands about one order are given.
type orderFlags struct {
	staffFlags
	Reference string `arg:"" help:"Our reference of the order."`
	As        string `help:"Who of the staff does it." required:"" placeholder:"NAME"`
	Apply     bool   `help:"Do it; without this, only say what would be done."`
}

// with runs fn on an order in the name of a member of staff.
func (f orderFlags) with(
	p *process, fn func(n *node.Node, o order.Order, staff int64) error,
) error {
	return p.tool(f.Data, func(n *node.Node) error {
		who, err := member(p, n, f.As)
		if err != nil {
			return err
		}
		o, err := byReference(p, n, f.Reference)
		if err != nil {
			return err
		}
		if !f.Apply {
			_, err = fmt.Fprintf(p.out, "would do it to order %s of %s, which is %s\n",
				o.Document.Number, o.Document.Authority, o.State)
			return err
		}
		return fn(n, o, who.ID)
	})
}

// byReference is the order of a reference, for staff.
func byReference(p *process, n *node.Node, ref string) (o order.Order, err error) {
	kind, of, id, err := n.Orders.References.Read(ref)
	if err != nil || kind != safety.OrderRef {
		return o, errors.New("there is no such order")
	}
	err = n.Store.View(p.ctx, func(r *store.Reader) (err error) {
		o, err = n.Orders.Of(r, int64(of), id)
		return err
	})
	return o, err
}

// told says how an order is after something was done to it.
func (p *process) told(o order.Order, err error) error {
	if err != nil {
		return err
	}
	due := "-"
	if o.Due != 0 {
		due = time.Unix(o.Due, 0).UTC().Format(time.RFC3339)
	}
	_, _ = fmt.Fprintf(p.out, "reference:     %s\nstate:         %s\ndue:           %s\n",
		o.Reference, o.State, due)
	for _, x := range o.Problems {
		_, _ = fmt.Fprintf(p.out, "lacks:         %s\n", x.Error())
	}
	for _, c := range o.Verdict.Unverified {
		_, _ = fmt.Fprintf(p.out, "check:         %s\n", c)
	}
	for _, g := range o.Verdict.Sign {
		_, _ = fmt.Fprintf(p.out, "signature:     %s, %d\n", g.Role, max(g.People, 1))
	}
	if o.Refused != "" {
		_, _ = fmt.Fprintf(p.out, "refused:       %s\n%s\n", o.Refused, o.Why)
	}
	return nil
}

// orderSubmitCmd takes an order in.
type orderSubmitCmd struct {
	staffFlags
	File    string `arg:"" help:"The order as JSON." type:"existingfile"`
	Agency  int64  `help:"The agency's number; none for a sender whom nobody knows."`
	Officer int64  `help:"The officer's number."`
}

// Run stores an order and prints its signed receipt.
func (c *orderSubmitCmd) Run(p *process) error {
	return p.tool(c.Data, func(n *node.Node) error {
		b, err := os.ReadFile(c.File)
		if err != nil {
			return err
		}
		var d order.Document
		if err := json.Unmarshal(b, &d); err != nil {
			return fmt.Errorf("%s: %w", c.File, err)
		}
		r, err := n.Orders.Submit(p.ctx, order.Sender{Agency: c.Agency, Officer: c.Officer}, d)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(p.out, "%s\n", r.Signed)
		return p.told(r.Order, nil)
	})
}

// orderListCmd lists open orders.
type orderListCmd struct{ staffFlags }

// listed bounds how many orders of a state are listed.
const listed = 1000

// Run lists the open orders by state and due time.
func (c *orderListCmd) Run(p *process) error {
	return p.tool(c.Data, func(n *node.Node) error {
		return n.Store.View(p.ctx, func(r *store.Reader) error {
			for _, s := range order.OpenStates() {
				list, err := n.Orders.Queue(r, s, math.MinInt64, 0, listed)
				if err != nil {
					return err
				}
				for _, o := range list {
					_, _ = fmt.Fprintf(p.out, "%-10s %-14s %-4s %4d items  %s\n", o.State,
						o.Document.Instrument, o.Country, o.Items, o.Reference)
				}
			}
			return nil
		})
	})
}

// orderShowCmd shows an order.
type orderShowCmd struct {
	staffFlags
	Reference string `arg:"" help:"Our reference of the order."`
}

// Run prints an order as JSON: what it says, what would be carried out, and what happened.
func (c *orderShowCmd) Run(p *process) error {
	return p.tool(c.Data, func(n *node.Node) error {
		o, err := byReference(p, n, c.Reference)
		if err != nil {
			return err
		}
		plan, err := n.Orders.PlanOf(p.ctx, o.Agency, o.ID)
		if err != nil {
			return err
		}
		shown := struct {
			Order  order.Order
			Plan   order.Plan
			Digest string
			Items  []order.Item
			Events []order.Event
			Signed []store.OrderApproval
		}{Order: o, Plan: plan, Digest: plan.Digest}
		err = n.Store.View(p.ctx, func(r *store.Reader) (err error) {
			if shown.Items, err = order.Items(r, o.Agency, o.ID); err != nil {
				return err
			}
			if shown.Signed, err = order.Signatures(r, o.Agency, o.ID); err != nil {
				return err
			}
			shown.Events, err = order.Events(r, o.Agency, o.ID, 0, listed)
			return err
		})
		if err != nil {
			return err
		}
		e := json.NewEncoder(p.out)
		e.SetIndent("", "\t")
		return e.Encode(shown)
	})
}

// orderCheckCmd records a check.
type orderCheckCmd struct {
	orderFlags
	Check string `arg:"" help:"The check, as policy names it."`
	Note  string `arg:"" help:"What was looked at."`
}

// Run records a check that a member of staff made.
func (c *orderCheckCmd) Run(p *process) error {
	return c.with(p, func(n *node.Node, o order.Order, staff int64) error {
		return p.told(n.Orders.Check(p.ctx, staff, o.Agency, o.ID, policy.Check(c.Check), c.Note))
	})
}

// orderCallBackCmd records a call-back.
type orderCallBackCmd struct {
	orderFlags
	Number string `arg:"" help:"The number that was called."`
	Spoke  string `arg:"" help:"With whom, by name and office."`
	Denied bool   `help:"The agency does not know of the order."`
}

// Run records a call to the number that is kept of the agency.
func (c *orderCallBackCmd) Run(p *process) error {
	return c.with(p, func(n *node.Node, o order.Order, staff int64) error {
		return p.told(n.Orders.CallBack(p.ctx, staff, o.Agency, o.ID, order.Call{
			Number: c.Number, Spoke: c.Spoke, Confirmed: !c.Denied,
		}))
	})
}

// orderApproveCmd signs.
type orderApproveCmd struct {
	orderFlags
	Digest string `arg:"" help:"The digest of the plan, as show prints it."`
}

// Run signs the plan in the role that a member of staff has.
func (c *orderApproveCmd) Run(p *process) error {
	return c.with(p, func(n *node.Node, o order.Order, staff int64) error {
		return p.told(n.Orders.Approve(p.ctx, o.Agency, o.ID, order.Signature{
			Staff: staff, Digest: c.Digest,
		}))
	})
}

// orderRefuseCmd refuses.
type orderRefuseCmd struct {
	orderFlags
	Class  string `arg:"" help:"The class of the refusal, one word."`
	Reason string `arg:"" help:"The reasons, as the authority is told."`
}

// Run refuses an order.
func (c *orderRefuseCmd) Run(p *process) error {
	return c.with(p, func(n *node.Node, o order.Order, staff int64) error {
		return p.told(n.Orders.Refuse(p.ctx, staff, o.Agency, o.ID, c.Class, c.Reason))
	})
}

// orderAttachCmd puts a waiting order to an agency.
type orderAttachCmd struct {
	orderFlags
	Agency int64  `arg:"" help:"The agency's number."`
	Reason string `arg:"" help:"How it is known to be the agency's."`
}

// Run puts an order that came from nobody known to the agency that was let in since.
func (c *orderAttachCmd) Run(p *process) error {
	return c.with(p, func(n *node.Node, o order.Order, staff int64) error {
		if o.Agency != 0 {
			return order.ErrState
		}
		return p.told(n.Orders.Attach(p.ctx, staff, o.ID, c.Agency, c.Reason))
	})
}

// orderClearCmd records that nobody objects.
type orderClearCmd struct {
	orderFlags
	Note string `arg:"" help:"Which authority said so, and how."`
}

// Run records that the notified authority raises no ground for refusal.
func (c *orderClearCmd) Run(p *process) error {
	return c.with(p, func(n *node.Node, o order.Order, staff int64) error {
		return p.told(n.Orders.Clear(p.ctx, staff, o.Agency, o.ID, c.Note))
	})
}

// orderObjectCmd records an objection.
type orderObjectCmd struct {
	orderFlags
	Ground string `arg:"" help:"immunity, fundamental-rights, ne-bis-in-idem or no-offence."`
	Note   string `arg:"" help:"Which authority said what, and how."`
}

// Run records that the notified authority raised a ground for refusal.
func (c *orderObjectCmd) Run(p *process) error {
	return c.with(p, func(n *node.Node, o order.Order, staff int64) error {
		return p.told(n.Orders.Object(p.ctx, staff, o.Agency, o.ID, order.Ground(c.Ground), c.Note))
	})
}

// orderPaperedCmd records the order to an emergency.
type orderPaperedCmd struct {
	orderFlags
	Note string `arg:"" help:"What came, and how."`
}

// Run records that the order came which an emergency did not wait for.
func (c *orderPaperedCmd) Run(p *process) error {
	return c.with(p, func(n *node.Node, o order.Order, staff int64) error {
		return p.told(n.Orders.Papered(p.ctx, staff, o.Agency, o.ID, c.Note))
	})
}

// orderAnnulCmd takes back.
type orderAnnulCmd struct {
	orderFlags
	Reason string `arg:"" help:"Who annulled it, and why."`
}

// Run undoes all that an order did.
func (c *orderAnnulCmd) Run(p *process) error {
	return c.with(p, func(n *node.Node, o order.Order, staff int64) error {
		return p.told(n.Orders.Annul(p.ctx, staff, o.Agency, o.ID, c.Reason))
	})
}

// orderPapersCmd writes papers.
type orderPapersCmd struct {
	staffFlags
	Reference string `arg:"" help:"Our reference of the order."`
	Folder    string `arg:"" help:"Where to." type:"existingdir"`
	Lang      string `help:"${lang}." enum:"${langs}" default:"en"`
}

// Run writes each signed paper to a file of its own, which parley-verify answer checks.
func (c *orderPapersCmd) Run(p *process) error {
	return p.tool(c.Data, func(n *node.Node) error {
		o, err := byReference(p, n, c.Reference)
		if err != nil {
			return err
		}
		var list []order.Paper
		err = n.Store.View(p.ctx, func(r *store.Reader) (err error) {
			list, err = order.Papers(r, o.Agency, o.ID)
			return err
		})
		if err != nil {
			return err
		}
		for _, x := range list {
			at := filepath.Join(c.Folder, fmt.Sprintf("%d-%s.txt", x.N, x.Kind))
			if err := os.WriteFile(at, x.Signed, 0o600); err != nil {
				return err
			}
			letter, err := n.Orders.Sign.Letter(x.Signed, c.Lang)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(p.out, "%s\n%s\n", at, letter)
		}
		_, err = fmt.Fprintf(p.out, "key:           %s\n", n.Orders.Sign.Public())
		return err
	})
}
