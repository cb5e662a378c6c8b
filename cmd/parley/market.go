package main

import (
	"fmt"
	"time"

	"parley/internal/node"
	"parley/internal/safety"
	"parley/internal/safety/country"
	"parley/internal/safety/market"
	"parley/internal/store"
)

// marketCmd says where the service is offered.
type marketCmd struct {
	Data     string   `help:"The server's data directory." placeholder:"DIR"`
	Country  string   `arg:"" optional:"" help:"The country, two letters; none lists all."`
	State    string   `arg:"" optional:"" help:"open, restricted, leaving or left."`
	Why      string   `help:"The reason, which is published."`
	By       string   `help:"Who decided it, which is not."`
	Withhold []string `help:"Propose to withhold what was decided there." placeholder:"CATEGORY"`
	Law      string   `help:"The provision by which it is withheld." placeholder:"TEXT"`
	As       string   `help:"Who of the staff proposes to withhold it." placeholder:"NAME"`
	Yes      bool     `help:"Do it; without this, only say what would happen."`
}

// Run lists the markets, or gives a country a state.
func (c *marketCmd) Run(p *process) error {
	return p.tool(c.Data, func(n *node.Node) error {
		if c.State == "" {
			return c.list(p, n)
		}
		change := market.Change{State: market.State(c.State), Why: c.Why, By: c.By}
		if len(c.Withhold) > 0 && c.Yes {
			return c.withhold(p, n, change)
		}
		if c.Yes {
			if err := n.Markets.Set(p.ctx, country.Code(c.Country), change); err != nil {
				return err
			}
			return c.list(p, n)
		}
		people, err := n.Markets.People(p.ctx, country.Code(c.Country))
		if err != nil {
			return err
		}
		effect := map[market.State]string{
			market.Open:       "sign-up and sign-in would be open",
			market.Restricted: "nobody new could sign up",
			market.Leaving:    "nobody new could sign up, and all of them would be told",
			market.Left:       "nobody could sign in, and all of them would be told",
		}[change.State]
		if effect == "" {
			return market.ErrState
		}
		_, err = fmt.Fprintf(p.out, "%s: %d accounts have a number of this country (anonymous "+
			"numbers are of none); %s. Say --yes to do it.\n", c.Country, people, effect)
		return err
	})
}

// withhold restricts a country and proposes what is withheld there.
func (c *marketCmd) withhold(p *process, n *node.Node, change market.Change) error {
	who, err := member(p, n, c.As)
	if err != nil {
		return err
	}
	w := market.Withholding{Law: c.Law, Staff: who.ID}
	for _, x := range c.Withhold {
		w.Categories = append(w.Categories, safety.Category(x))
	}
	b, err := n.Markets.Restrict(p.ctx, country.Code(c.Country), change, w)
	if err != nil {
		return err
	}
	by := "somebody of the staff"
	if b.NeedsSecond {
		by = "somebody of the staff other than " + who.Name
	}
	_, err = fmt.Fprintf(p.out, "%s takes no new accounts. %d decisions to withhold are proposed "+
		"as mass measure %d: nothing is withheld before %s approves it in the console.\n",
		c.Country, b.Size, b.ID, by)
	return err
}

// list lists the markets that were ever closed.
func (c *marketCmd) list(p *process, n *node.Node) error {
	var all []market.Market
	err := n.Store.View(p.ctx, func(r *store.Reader) (err error) {
		all, err = market.All(r)
		return err
	})
	if err != nil {
		return err
	}
	for _, m := range all {
		for _, x := range m.Changes {
			_, err := fmt.Fprintf(p.out, "%s  %s  %-10s  %s (%s)\n", m.Country,
				x.At.Format(time.DateTime), x.State, x.Why, x.By)
			if err != nil {
				return err
			}
		}
	}
	return nil
}
