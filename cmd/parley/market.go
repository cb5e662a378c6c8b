package main

import (
	"fmt"
	"time"

	"parley/internal/node"
	"parley/internal/safety"
	"parley/internal/safety/country"
	"parley/internal/safety/decide"
	"parley/internal/safety/market"
	"parley/internal/store"
)

// marketCmd says where the service is offered.
type marketCmd struct {
	Data     string   `help:"The server's data directory." placeholder:"DIR"`
	Country  string   `arg:"" optional:"" help:"Two letters; none lists all."`
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
		if c.State == "" && c.Country != "" {
			return c.status(p, n)
		}
		if c.State == "" {
			return c.list(p, n)
		}
		effect := effectOf(market.State(c.State))
		if effect == "" {
			return fmt.Errorf("%q is no state: it is open, restricted, leaving or left", c.State)
		}
		change := market.Change{State: market.State(c.State), Why: c.Why, By: c.By}
		if len(c.Withhold) > 0 && c.Yes {
			return c.withhold(p, n, change)
		}
		if c.Yes {
			if err := n.Markets.Set(p.ctx, country.Code(c.Country), change); err != nil {
				return err
			}
			return c.status(p, n)
		}
		people, err := n.Markets.People(p.ctx, country.Code(c.Country))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.out, "%s: %d accounts have a number of this country (anonymous "+
			"numbers are of none); %s. Say --yes to do it.\n", c.Country, people, effect)
		return err
	})
}

// effectOf is what a state would do, "" for none that there is.
func effectOf(s market.State) string {
	return map[market.State]string{
		market.Open:       "sign-up and sign-in would be open, and all of them would be told",
		market.Restricted: "nobody new could sign up, and all of them would be told",
		market.Leaving:    "nobody new could sign up, and all of them would be told",
		market.Left:       "nobody could sign in, and all of them would be told",
	}[s]
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

// status says what is done and what is left of one country.
func (c *marketCmd) status(p *process, n *node.Node) error {
	st, err := n.Markets.Status(p.ctx, country.Code(c.Country))
	if err != nil {
		return err
	}
	people, err := n.Markets.People(p.ctx, st.Country)
	if err != nil {
		return err
	}
	if err := printChanges(p, st.Market); err != nil {
		return err
	}
	told := "all of them are told"
	switch {
	case len(st.Changes) == 0:
		told = "the country was always open"
	case st.Telling:
		told = "not all of them are told yet; the server goes on with it"
	}
	_, err = fmt.Fprintf(p.out, "%s is %s; %d accounts have a number of it: %s.\n",
		st.Country, st.State(), people, told)
	for _, b := range st.Batches {
		if err == nil {
			_, err = fmt.Fprintf(p.out, "mass measure %d: %s\n", b.ID, progress(b))
		}
	}
	return err
}

// progress says in words how far a withholding is.
func progress(b decide.Batch) string {
	proposed, force := b.Count[decide.Proposed], b.Count[decide.Effective]
	switch {
	case b.State == decide.BatchProposed && !b.Whole():
		return fmt.Sprintf("%d decisions are proposed, not all; the server goes on", proposed)
	case b.State == decide.BatchProposed:
		return fmt.Sprintf("%d of %d decisions wait for somebody to approve them in the console",
			proposed, b.Size)
	case b.State == decide.BatchApproved:
		return fmt.Sprintf("%d of %d decisions are in force, %d are left", force, b.Size, proposed)
	case b.State == decide.BatchDone:
		return fmt.Sprintf("%d of %d decisions are in force", force, b.Size)
	case b.State == decide.BatchWithdrawn:
		return fmt.Sprintf("withdrawn; %d of %d decisions are left to withdraw", proposed, b.Size)
	default:
		return fmt.Sprintf("lifted; %d of %d decisions are left to lift", force, b.Size)
	}
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
	if len(all) == 0 {
		_, err = fmt.Fprintln(p.out, "every country is open, and always was")
	}
	for _, m := range all {
		if err := printChanges(p, m); err != nil {
			return err
		}
	}
	return err
}

// printChanges prints what became of a country, a line each.
func printChanges(p *process, m market.Market) error {
	for _, x := range m.Changes {
		_, err := fmt.Fprintf(p.out, "%s  %s  %-10s  %s (%s)\n", m.Country,
			x.At.Format(time.DateTime), x.State, x.Why, x.By)
		if err != nil {
			return err
		}
	}
	return nil
}
