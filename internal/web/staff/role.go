package staff

import (
	"context"
	"fmt"
	"slices"
	"time"

	"parley/internal/ids"
	"parley/internal/store"
)

// Role is what somebody is here for. Values are stored.
type Role int64

// The roles.
const (
	NoRole    Role = 0
	Moderator Role = 1
	Lead      Role = 2
	Legal     Role = 3
	Auditor   Role = 4
	Admin     Role = 5
)

// Roles are all roles that somebody can have.
func Roles() []Role { return []Role{Moderator, Lead, Legal, Auditor, Admin} }

// names are the roles' names by value.
func (Role) names() []string {
	return []string{"none", "moderator", "lead", "legal", "auditor", "admin"}
}

// String is the role's name.
func (r Role) String() string {
	if names := r.names(); r >= 0 && int(r) < len(names) {
		return names[r]
	}
	return "unknown"
}

// Valid tells whether somebody can have the role.
func (r Role) Valid() bool { return r >= Moderator && r <= Admin }

// ParseRole reads a role's name; ErrRole for one that is none.
func ParseRole(name string) (Role, error) {
	for _, r := range Roles() {
		if r.String() == name {
			return r, nil
		}
	}
	return NoRole, ErrRole
}

// Power is something that a role lets somebody do.
type Power int

// The powers.
const (
	// Review takes cases, looks at what was reported, and decides; appeals too.
	Review Power = iota
	// Second approves what another proposed, and lifts decisions.
	Second
	// Bulk decides many cases at once.
	Bulk
	// Bar keeps a person from seeing a decision about him, for a legal reason that is logged.
	Bar
	// Figures sees statistics.
	Figures
	// Audit sees what the staff looked at and did.
	Audit
	// Manage adds and removes staff. Whoever manages staff sees no cases.
	Manage
	// Orders sees what authorities order, and does all that the law wants done with it but sign.
	Orders
	// Sign signs what would be carried out of an order, where policy wants a signature of the role.
	Sign
	// Onboard makes sure who the agencies and their officers are, and lets them in.
	Onboard
	// Refusals sees the register of orders that were refused.
	Refusals
	// Forms makes the official reports, and has statements sent again to the EU's database.
	Forms
)

// String is the power's name in templates of pages.
func (p Power) String() string {
	names := [...]string{
		"review", "second", "bulk", "bar", "figures", "audit", "manage", "orders", "sign",
		"onboard", "refusals", "forms",
	}
	if p < Review || int(p) >= len(names) {
		return "unknown"
	}
	return names[p]
}

// Powers are all powers.
func Powers() (out []Power) {
	for p := Review; p <= Forms; p++ {
		out = append(out, p)
	}
	return out
}

// May tells whether the role has a power.
func (r Role) May(p Power) bool {
	powers := map[Role][]Power{
		Moderator: {Review, Figures, Sign},
		Lead:      {Review, Second, Bulk, Figures, Orders, Sign, Onboard, Refusals, Forms},
		Legal:     {Review, Second, Bar, Figures, Orders, Sign, Onboard, Refusals, Forms},
		Auditor:   {Audit, Figures, Refusals},
		Admin:     {Manage, Audit, Figures},
	}
	return slices.Contains(powers[r], p)
}

// unconfirmed and withdrawn stand where the confirmer of a change of role would.
const (
	unconfirmed = -1
	withdrawn   = -2
)

// Change is a role that somebody proposed and that awaits a second person.
type Change struct {
	ID       int64
	Member   Member
	Role     Role
	Proposer int64
	Proposed time.Time
}

// propose writes a change of role that awaits a second person.
func (s *Service) propose(tx *store.Tx, id, by int64, role Role) error {
	change, err := s.newID()
	if err != nil {
		return err
	}
	return tx.PutStaffRoleChange(store.StaffRoleChange{
		Staff: id, ID: change, Role: int64(role), Proposer: by, Proposed: s.Clock.Now().Unix(),
		Confirmer: unconfirmed,
	})
}

// ProposeRole proposes a role for a member of staff; NoRole takes his away. It takes effect once
// somebody else has confirmed it.
func (s *Service) ProposeRole(ctx context.Context, by, id int64, role Role) error {
	if !role.Valid() && role != NoRole {
		return ErrRole
	}
	if by == id {
		return ErrSamePerson
	}
	alone, err := s.mayActAlone(ctx, by)
	if err != nil {
		return err
	}
	return s.change(ctx, id, func(tx *store.Tx, row *store.Staff) error {
		if alone {
			row.Role = int64(role)
			return nil
		}
		return s.propose(tx, id, by, role)
	})
}

// Proposed lists the changes of roles that await a second person.
func (s *Service) Proposed(ctx context.Context) (out []Change, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		out = nil
		rows, err := r.OpenStaffRoleChanges(MaxStaff)
		if err != nil {
			return err
		}
		for _, row := range rows {
			m, err := r.Staff(row.Staff)
			if err != nil {
				return err
			}
			out = append(out, Change{
				ID: row.ID, Member: member(m), Role: Role(row.Role), Proposer: row.Proposer,
				Proposed: time.Unix(row.Proposed, 0),
			})
		}
		return nil
	})
	return out, err
}

// ConfirmRole lets a proposed role take effect, or withdraws it. Whoever proposed it, and whom it
// is for, cannot confirm it: ErrSamePerson. A changed role ends its holder's sessions.
func (s *Service) ConfirmRole(ctx context.Context, by, id, change int64, yes bool) error {
	err := s.change(ctx, id, func(tx *store.Tx, row *store.Staff) error {
		c, err := tx.StaffRoleChange(id, change)
		if err != nil {
			return err
		}
		if c.Confirmer != unconfirmed {
			return ErrRole
		}
		c.Confirmer, c.Confirmed = withdrawn, s.Clock.Now().Unix()
		if !yes {
			return tx.PutStaffRoleChange(c)
		}
		if by == c.Proposer || by == id {
			return ErrSamePerson
		}
		c.Confirmer, row.Role = by, c.Role
		if err := tx.PutStaffRoleChange(c); err != nil {
			return err
		}
		return tx.EndStaffSessions(id)
	})
	if err != nil {
		return fmt.Errorf("staff: confirm role: %w", err)
	}
	return nil
}

// key is the shard key of all that is about a member of staff.
func key(id int64) ids.Peer { return ids.Peer(id) }
