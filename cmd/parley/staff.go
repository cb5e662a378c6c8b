package main

import (
	"fmt"

	"parley/internal/node"
	"parley/internal/store"
	"parley/internal/web/staff"
)

// staffCmd is what the operator does with the staff of the console. What takes something away says
// what it would do, and does it with --apply.
type staffCmd struct {
	Add   staffAddCmd   `cmd:"" help:"Add somebody; print a token to enrol with, good once."`
	List  staffListCmd  `cmd:"" help:"List the staff."`
	Role  staffRoleCmd  `cmd:"" help:"Give somebody another role; an administrator confirms it."`
	Reset staffResetCmd `cmd:"" help:"Take somebody's keys, password and sessions."`
}

// staffFlags are what all commands about staff are given.
type staffFlags struct {
	Data string `help:"The server's data directory." placeholder:"DIR"`
}

// with runs fn on the staff, beside a server that may be running.
func (f staffFlags) with(p *process, fn func(*staff.Service) error) error {
	return f.node(p, func(_ *node.Node, s *staff.Service) error { return fn(s) })
}

// node is with, for what wants the server's addresses as well.
func (f staffFlags) node(p *process, fn func(*node.Node, *staff.Service) error) error {
	return p.tool(f.Data, func(n *node.Node) error {
		s, err := n.Staff()
		if err != nil {
			return err
		}
		return fn(n, s)
	})
}

// named is the member of staff of a name.
func named(p *process, s *staff.Service, name string) (staff.Member, error) {
	m, err := s.Find(p.ctx, name)
	if store.IsNotFound(err) {
		err = fmt.Errorf("nobody of the staff is called %q", name)
	}
	return m, err
}

// enrols says where a member of staff enrols, once: the token is in no list.
func (p *process) enrols(n *node.Node, token string) error {
	_, err := fmt.Fprintf(p.out, "enrolment:     %s\n", n.EnrolStaff(token))
	return err
}

// staffAddCmd adds a member of staff.
type staffAddCmd struct {
	staffFlags
	Name string `arg:"" help:"Name."`
	Role string `help:"One of ${enum}." enum:"${roles}" default:"moderator"`
}

// Run adds a member of staff and prints his token; it cannot be shown again.
func (c *staffAddCmd) Run(p *process) error {
	return c.node(p, func(n *node.Node, s *staff.Service) error {
		role, err := staff.ParseRole(c.Role)
		if err != nil {
			return err
		}
		id, token, err := s.Add(p.ctx, staff.Operator, c.Name, role)
		if err != nil {
			return err
		}
		m, err := s.Member(p.ctx, id)
		if err != nil {
			return err
		}
		if err := s.Record(p.ctx, staff.Act{Action: "staff.add", Detail: c.Role}); err != nil {
			return err
		}
		if m.Role != role {
			_, _ = fmt.Fprintf(p.out, "the role %s awaits an administrator's word\n", role)
		}
		return p.enrols(n, token)
	})
}

// staffListCmd lists the staff.
type staffListCmd struct{ staffFlags }

// Run lists the staff by name.
func (c *staffListCmd) Run(p *process) error {
	return c.with(p, func(s *staff.Service) error {
		all, err := s.All(p.ctx)
		for _, m := range all {
			state := "active"
			switch {
			case m.Disabled:
				state = "disabled"
			case m.Enrolling:
				state = "enrolling"
			}
			_, _ = fmt.Fprintf(p.out, "%-20s %-10s %s\n", m.Name, m.Role, state)
		}
		return err
	})
}

// staffRoleCmd proposes another role.
type staffRoleCmd struct {
	staffFlags
	Name  string `arg:"" help:"Name."`
	Role  string `arg:"" help:"The new role."`
	Apply bool   `help:"Do it; without this, only say what would be done."`
}

// Run proposes another role for a member of staff.
func (c *staffRoleCmd) Run(p *process) error {
	return c.with(p, func(s *staff.Service) error {
		role, err := staff.ParseRole(c.Role)
		if err != nil {
			return err
		}
		m, err := named(p, s, c.Name)
		if err != nil {
			return err
		}
		if !c.Apply {
			_, err = fmt.Fprintf(p.out, "would change %s from %s to %s\n", m.Name, m.Role, role)
			return err
		}
		if err := s.ProposeRole(p.ctx, staff.Operator, m.ID, role); err != nil {
			return err
		}
		return s.Record(p.ctx, staff.Act{Action: "staff.role", Detail: c.Role})
	})
}

// staffResetCmd takes all that somebody proves himself with.
type staffResetCmd struct {
	staffFlags
	Name  string `arg:"" help:"Name."`
	Apply bool   `help:"Do it; without this, only say what would be done."`
}

// Run takes keys, password and sessions of a member of staff and prints a new token.
func (c *staffResetCmd) Run(p *process) error {
	return c.node(p, func(n *node.Node, s *staff.Service) error {
		m, err := named(p, s, c.Name)
		if err != nil {
			return err
		}
		if !c.Apply {
			_, err = fmt.Fprintf(p.out, "would reset %s (%s)\n", m.Name, m.Role)
			return err
		}
		if err := s.Record(p.ctx, staff.Act{Action: "staff.reset"}); err != nil {
			return err
		}
		token, err := s.Reset(p.ctx, staff.Operator, m.ID)
		if err != nil {
			return err
		}
		return p.enrols(n, token)
	})
}
