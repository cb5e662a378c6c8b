package main

import (
	"fmt"
	"os"
	"strings"

	"parley/internal/node"
	"parley/internal/safety/agency"
	"parley/internal/store"
	"parley/internal/web/staff"
)

// agencyCmd is what the staff does with agencies where no browser reaches the console. Each step is
// taken in the name of a member of staff; no step can be taken alone that wants two.
type agencyCmd struct {
	Propose        agencyProposeCmd `cmd:"" help:"Propose an agency."`
	Verify         agencyVerifyCmd  `cmd:"" help:"Record a call to a public number of it."`
	Approve        agencyApproveCmd `cmd:"" help:"Approve it, as another person."`
	Suspend        agencySuspendCmd `cmd:"" help:"Take its standing."`
	List           agencyListCmd    `cmd:"" help:"List agencies and their officers."`
	Officer        officerCmd       `cmd:"" help:"Propose an officer."`
	ApproveOfficer approveCmd       `cmd:"" help:"Approve an officer; print his code, good once."`
	Reset          officerResetCmd  `cmd:"" help:"Take an officer's keys; print his new link."`
}

// agencyFlags are what all commands about one agency are given.
type agencyFlags struct {
	staffFlags
	Agency int64  `arg:"" help:"The agency's number."`
	As     string `help:"Who of the staff does it." required:"" placeholder:"NAME"`
	Apply  bool   `help:"Do it; without this, only say what would be done."`
}

// member is a member of staff who may sign in, by name.
func member(p *process, n *node.Node, name string) (staff.Member, error) {
	s, err := n.Staff()
	if err != nil {
		return staff.Member{}, err
	}
	m, err := named(p, s, name)
	if err == nil && m.Disabled {
		err = fmt.Errorf("%s may not work here any more", m.Name)
	}
	return m, err
}

// with runs fn on an agency in the name of a member of staff.
func (f agencyFlags) with(p *process, fn func(n *node.Node, staff int64) error) error {
	return p.tool(f.Data, func(n *node.Node) error {
		who, err := member(p, n, f.As)
		if err != nil {
			return err
		}
		var a agency.Agency
		err = n.Store.View(p.ctx, func(r *store.Reader) (err error) {
			a, err = agency.Of(r, f.Agency)
			return err
		})
		if store.IsNotFound(err) {
			err = fmt.Errorf("there is no agency %d; \"parley admin agency list\" has all",
				f.Agency)
		}
		if err != nil {
			return err
		}
		if !f.Apply {
			_, err = fmt.Fprintf(p.out, "would do it to %s (%s), which is %s; --apply does it\n",
				a.Name, a.Country, standing(a.State))
			return err
		}
		return fn(n, who.ID)
	})
}

// standing is what the state of an agency is called.
func standing(s agency.State) string {
	return map[agency.State]string{
		agency.Proposed: "proposed", agency.Checked: "called", agency.Active: "active",
		agency.Suspended: "suspended",
	}[s]
}

// enrolled is what the state of an officer is called.
func enrolled(s agency.State) string {
	if s == agency.Enrolling {
		return "enrolling"
	}
	return standing(s)
}

// stands says how an agency is after something was done to it, and what comes next.
func (f agencyFlags) stands(p *process, n *node.Node, err error) error {
	if err != nil {
		return err
	}
	return n.Store.View(p.ctx, func(r *store.Reader) error {
		a, err := agency.Of(r, f.Agency)
		if err != nil {
			return err
		}
		next := map[agency.State]string{
			agency.Proposed: "it has to be called at a public number (verify)",
			agency.Checked:  "somebody else than who proposed or called it approves it (approve)",
			agency.Active:   "its officers can be proposed (officer)",
		}[a.State]
		_, err = fmt.Fprintf(p.out, "state:         %s\n", standing(a.State))
		if err == nil && next != "" {
			_, err = fmt.Fprintf(p.out, "next:          %s\n", next)
		}
		return err
	})
}

// sources are the names of where a number can be found that is not the agency's own word.
func sources() map[string]agency.Source {
	return map[string]agency.Source{
		"directory": agency.Directory, "register": agency.Register, "embassy": agency.Embassy,
		"switchboard": agency.Switchboard,
	}
}

// agencyProposeCmd proposes an agency.
type agencyProposeCmd struct {
	staffFlags
	As        string   `help:"Who of the staff does it." required:"" placeholder:"NAME"`
	Name      string   `arg:"" help:"Its official name."`
	Country   string   `help:"Its country." required:"" placeholder:"CC"`
	Kind      string   `help:"${kinds}." required:"" placeholder:"KIND"`
	Lang      string   `help:"${lang}." enum:"${langs}" required:"" placeholder:"LANG"`
	Official  []string `help:"Who answers for it: name, then office." placeholder:"NAME; OFFICE"`
	Agreement string   `help:"SHA-256 of the signed agreement." required:"" placeholder:"HEX"`
	Domain    []string `help:"Domains that it says are its own."`
	Number    []string `help:"Numbers that it says are its own."`
	Key       string   `help:"Its age or OpenPGP key." type:"existingfile" placeholder:"FILE"`
	Answers   string   `help:"Where it is told that papers wait." placeholder:"MAIL"`
}

// Run proposes an agency and prints its number.
func (c *agencyProposeCmd) Run(p *process) error {
	return p.tool(c.Data, func(n *node.Node) error {
		who, err := member(p, n, c.As)
		if err != nil {
			return err
		}
		d := agency.New{
			Name: c.Name, Country: c.Country, Kind: agency.ParseKind(c.Kind), Lang: c.Lang,
			Agreement: c.Agreement, Domains: c.Domain, Numbers: c.Number, Answers: c.Answers,
		}
		if c.Key != "" {
			key, err := os.ReadFile(c.Key)
			if err != nil {
				return err
			}
			d.Key = strings.TrimSpace(string(key))
		}
		for _, o := range c.Official {
			name, office, _ := strings.Cut(o, ";")
			d.Officials = append(d.Officials, agency.Official{
				Name: strings.TrimSpace(name), Office: strings.TrimSpace(office),
			})
		}
		a, err := n.Agencies.Propose(p.ctx, who.ID, d)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.out, "agency:        %d\n", a.ID)
		if err == nil && d.Key != "" {
			_, err = fmt.Fprintf(p.out, "fingerprint:   %s\n", a.Fingerprint())
		}
		if err != nil {
			return err
		}
		return agencyFlags{Agency: a.ID}.stands(p, n, nil)
	})
}

// agencyVerifyCmd records a check.
type agencyVerifyCmd struct {
	agencyFlags
	Number      string `arg:"" help:"The number that was called."`
	Source      string `help:"Where it was found: ${enum}." required:"" enum:"${sources}"`
	Where       string `help:"The page or volume." required:""`
	Spoke       string `help:"With whom, by name and office." required:""`
	Fingerprint string `help:"That of its key, as they read it out." placeholder:"HEX"`
	Denied      bool   `help:"They did not confirm it."`
}

// Run records a call.
func (c *agencyVerifyCmd) Run(p *process) error {
	return c.with(p, func(n *node.Node, who int64) error {
		return c.stands(p, n, n.Agencies.Verify(p.ctx, who, c.Agency, agency.Check{
			Number: c.Number, Source: sources()[c.Source], Where: c.Where, Spoke: c.Spoke,
			Confirmed: !c.Denied, Fingerprint: c.Fingerprint,
		}))
	})
}

// agencyApproveCmd approves an agency.
type agencyApproveCmd struct{ agencyFlags }

// Run approves an agency as another person than who proposed or called it.
func (c *agencyApproveCmd) Run(p *process) error {
	return c.with(p, func(n *node.Node, who int64) error {
		return c.stands(p, n, n.Agencies.Approve(p.ctx, who, c.Agency))
	})
}

// agencySuspendCmd suspends an agency.
type agencySuspendCmd struct {
	agencyFlags
	Reason string `arg:"" help:"Why."`
}

// Run takes an agency's standing.
func (c *agencySuspendCmd) Run(p *process) error {
	return c.with(p, func(n *node.Node, who int64) error {
		return c.stands(p, n, n.Agencies.Suspend(p.ctx, who, c.Agency, c.Reason))
	})
}

// agencyListCmd lists agencies.
type agencyListCmd struct{ staffFlags }

// Run lists agencies with their officers.
func (c *agencyListCmd) Run(p *process) error {
	return p.tool(c.Data, func(n *node.Node) error {
		return n.Store.View(p.ctx, func(r *store.Reader) error {
			list, err := agency.All(r, 0, listed)
			if err != nil {
				return err
			}
			for _, a := range list {
				_, _ = fmt.Fprintf(p.out, "%d %-4s %-18s %-10s %s\n", a.ID, a.Country, a.Kind,
					standing(a.State), a.Name)
				officers, err := agency.Officers(r, a.ID)
				if err != nil {
					return err
				}
				for _, o := range officers {
					_, _ = fmt.Fprintf(p.out, "  %d %-10s %s\n", o.ID, enrolled(o.State), o.Name)
				}
			}
			return nil
		})
	})
}

// officerCmd proposes an officer.
type officerCmd struct {
	agencyFlags
	Name       string `arg:"" help:"His name."`
	Supervisor bool   `help:"He confirms emergencies of others."`
}

// Run proposes an officer and prints his number and link; the link cannot be shown again.
func (c *officerCmd) Run(p *process) error {
	return c.with(p, func(n *node.Node, who int64) error {
		role := agency.Member
		if c.Supervisor {
			role = agency.Supervisor
		}
		o, link, err := n.Agencies.ProposeOfficer(p.ctx, who, c.Agency, c.Name, role)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.out, "officer:       %d\nlink:          %s\n", o.ID,
			n.EnrolOfficer(link))
		return err
	})
}

// officerResetCmd has an officer begin anew.
type officerResetCmd struct {
	agencyFlags
	Officer int64  `arg:"" help:"The officer's number."`
	Reason  string `arg:"" help:"Why."`
}

// Run takes an officer's keys and prints his new link; it cannot be shown again.
func (c *officerResetCmd) Run(p *process) error {
	return c.with(p, func(n *node.Node, who int64) error {
		link, err := n.Agencies.ResetOfficer(p.ctx, who, c.Agency, c.Officer, c.Reason)
		if err != nil {
			return c.unknown(err, c.Officer)
		}
		_, err = fmt.Fprintf(p.out, "link:          %s\n", n.EnrolOfficer(link))
		return err
	})
}

// unknown says of which officer there is none.
func (f agencyFlags) unknown(err error, officer int64) error {
	if store.IsNotFound(err) {
		return fmt.Errorf("agency %d has no officer %d", f.Agency, officer)
	}
	return err
}

// approveCmd approves an officer.
type approveCmd struct {
	agencyFlags
	Officer int64 `arg:"" help:"The officer's number."`
}

// Run approves an officer and prints the code for his link; it cannot be shown again.
func (c *approveCmd) Run(p *process) error {
	return c.with(p, func(n *node.Node, who int64) error {
		code, err := n.Agencies.ApproveOfficer(p.ctx, who, c.Agency, c.Officer)
		if err != nil {
			return c.unknown(err, c.Officer)
		}
		_, err = fmt.Fprintf(p.out, "code:          %s\n", code)
		return err
	})
}

// kinds are the names of what an agency may be.
func kinds() string {
	var names []string
	for _, k := range agency.Kinds() {
		names = append(names, k.String())
	}
	return "One of " + strings.Join(names, ", ")
}
