package order

import (
	"context"
	"errors"
	"slices"
	"strings"

	"parley/internal/safety/agency"
	"parley/internal/safety/policy"
	"parley/internal/store"
)

// Check records that a member of staff made a check that policy wants: that document and signature
// belong to the issuer, that the law covers what is asked. A call-back is recorded by CallBack, the
// sender's key by nobody: ErrState for either.
func (s *Service) Check(
	ctx context.Context, staff, of, id int64, c policy.Check, note string,
) (Order, error) {
	if !slices.Contains(policy.Checks(), c) || c == policy.SenderCheck || c == policy.CallBack ||
		c == policy.SupervisorCheck {
		return Order{}, ErrState
	}
	if !filled(note) || staff <= 0 {
		return Order{}, ErrReason
	}
	return s.change(ctx, of, id, func(w *work) error {
		return w.checked(Made{Check: c, Staff: staff, Note: note})
	})
}

// checked notes a check of an order that nobody has signed, and looks at it anew.
func (w *work) checked(m Made) error {
	if !w.o.State.Open() || w.o.State >= Approved {
		return ErrState
	}
	if slices.ContainsFunc(w.o.Checks, func(x Made) bool { return x.Check == m.Check }) {
		return nil
	}
	m.At = w.now
	w.o.Checks = append(w.o.Checks, m)
	kind := CheckMade
	if m.Check == policy.CallBack {
		kind = CalledBack
	}
	by := By{Staff: m.Staff, Officer: m.Officer}
	if err := w.event(kind, by, string(m.Check)+": "+m.Note); err != nil {
		return err
	}
	if len(w.o.Problems) > 0 {
		return nil // it waits for the authority all the same
	}
	return w.assess()
}

// deniedClass is why an order is refused that its agency says it never gave.
const deniedClass = "denied-by-agency"

// Call is a call-back.
type Call struct {
	// Number is what was called, which must be the number that is kept of the agency.
	Number string
	// Spoke is with whom; Confirmed whether he confirmed the order.
	Spoke     string
	Confirmed bool
}

// CallBack records that a member of staff called the agency at the number that is kept of it, and
// what it said. An order that is denied is refused, and its officer loses his standing. ErrNumber
// for another number, whatever the order says.
func (s *Service) CallBack(ctx context.Context, staff, of, id int64, c Call) (Order, error) {
	if !filled(c.Spoke) || staff <= 0 {
		return Order{}, ErrReason
	}
	foreign := errors.New("order: foreign number")
	o, err := s.change(ctx, of, id, func(w *work) error {
		if !w.o.State.Open() || w.o.State >= Approved {
			return ErrState
		}
		if number := onlyDigits(c.Number); number == "" || number != onlyDigits(w.of.Check.Number) {
			return foreign
		}
		if w.o.Stopped != nil {
			return w.stoodBy(staff, c)
		}
		if !c.Confirmed {
			err := w.event(CalledBack, By{Staff: staff}, "denied: "+c.Spoke)
			if err == nil && w.o.Officer != 0 {
				err = s.Agencies.SuspendOfficerIn(w.tx, staff, of, w.o.Officer,
					"the agency denied order "+w.o.Reference)
			}
			if err != nil {
				return err
			}
			return w.refuse(deniedClass, w.because("denied"))
		}
		return w.checked(Made{Check: policy.CallBack, Staff: staff, Note: c.Spoke})
	})
	switch {
	case errors.Is(err, foreign):
		_, err = s.change(ctx, of, id, func(w *work) error {
			return w.event(Tried, By{Staff: staff}, "call-back to another number")
		})
		return Order{}, errors.Join(ErrNumber, err)
	case err == nil && !c.Confirmed:
		s.alarm(o, "denied by the agency")
		if o.Officer != 0 { // what else he ordered
			err = s.Halt(ctx, of, o.Officer)
		}
	}
	return o, err
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// Confirm is a supervisor's word for an emergency that another officer of his agency told of. He
// needs a key of his own. ErrStanding for who is no supervisor, ErrSamePerson for who sent it,
// ErrState as long as no officer has: whoever vouches for it then might be himself.
func (s *Service) Confirm(ctx context.Context, by Sender, id int64) (Order, error) {
	return s.change(ctx, by.Agency, id, func(w *work) error {
		standing, err := agency.StandingOf(&w.tx.Reader, by.Agency, by.Officer, w.now)
		switch {
		case err != nil:
			return err
		case w.o.Officer == 0:
			return ErrState
		case by.Officer == w.o.Officer:
			return ErrSamePerson
		case standing.Problem != "" || standing.Officer.Role != agency.Supervisor:
			return ErrStanding
		}
		return w.checked(Made{
			Check: policy.SupervisorCheck, Officer: by.Officer, Note: standing.Officer.Name,
		})
	})
}

// Vouch is an officer's word, with his key, for an order that a program of his agency brought: from
// then on it is his, and his emergencies wait as they always do. ErrStanding for who has none,
// ErrState for an order that waits for no such word.
func (s *Service) Vouch(ctx context.Context, by Sender, id int64) (Order, error) {
	return s.change(ctx, by.Agency, id, func(w *work) error {
		standing, err := agency.StandingOf(&w.tx.Reader, by.Agency, by.Officer, w.now)
		switch {
		case err != nil:
			return err
		case standing.Problem != "":
			return ErrStanding
		case w.o.Standing != agency.Unsigned || !w.o.State.Open() || w.o.State == Ending:
			return ErrState
		}
		w.o.Officer, w.o.Standing, w.o.New = by.Officer, "", standing.Quarantined
		if err := w.score(by, slices.Contains(w.o.Signals, "altered-twin")); err != nil {
			return err
		}
		return w.checked(Made{
			Check: policy.SenderCheck, Officer: by.Officer, Note: standing.Officer.Name,
		})
	})
}

// Believe is a named person's decision that the emergency of an officer who is new, or of an agency
// that owes the order to an earlier one, may be believed, so that it does not wait for that. The
// checks that policy wants remain.
func (s *Service) Believe(
	ctx context.Context, staff, of, id int64, reason string,
) (Order, error) {
	if !filled(reason) || staff <= 0 {
		return Order{}, ErrReason
	}
	return s.change(ctx, of, id, func(w *work) error {
		if w.o.State != Held || !w.o.New && !w.o.Owes {
			return ErrState
		}
		w.o.New, w.o.Owes = false, false
		if err := w.event(Noted, By{Staff: staff}, "believed: "+reason); err != nil {
			return err
		}
		return w.assess()
	})
}

// Suspect notes that protected speech has been seen in what an order is about, or a manifest error
// in the order itself; policy is asked again. A manifest error is told to the authority.
func (s *Service) Suspect(
	ctx context.Context, by By, of, id int64, kinds []policy.Speech, manifest string,
) (Order, error) {
	return s.change(ctx, of, id, func(w *work) error {
		if !w.o.State.Open() || w.o.State >= Approved {
			return ErrState
		}
		changed := filled(manifest)
		for _, k := range kinds {
			if !slices.Contains(policy.Speeches(), k) {
				return ErrReason
			}
			if !slices.Contains(w.o.Protected, k) {
				w.o.Protected, changed = append(w.o.Protected, k), true
				if err := w.event(SpeechSeen, by, string(k)); err != nil {
					return err
				}
			}
		}
		if filled(manifest) {
			w.o.Manifest = append(w.o.Manifest, manifest)
			w.o.Problems = append(w.o.Problems, Problem{
				Law: w.in.Law, Field: foundField, What: manifest, Manifest: true,
			})
			if err := w.event(ManifestFound, by, manifest); err != nil {
				return err
			}
		}
		if changed { // whoever has signed did not know it
			if err := w.voided(); err != nil {
				return err
			}
		}
		return w.assess()
	})
}

// Decide is a named person's decision whether what an order is about is protected speech. If it is,
// the order is refused, or what was done provisionally is taken back. Before an order is carried
// out policy is asked again.
func (s *Service) Decide(
	ctx context.Context, staff, of, id int64, protected bool, reason string,
) (Order, error) {
	if !filled(reason) || staff <= 0 {
		return Order{}, ErrReason
	}
	return s.change(ctx, of, id, func(w *work) error {
		if w.o.Judged != nil || w.o.State == Refused || w.o.State >= Withdrawn ||
			w.o.State == Ending {
			return ErrState
		}
		w.o.Judged = &policy.Judgement{
			Staff: staff, At: moment(w.now), Protected: protected, Reason: reason,
		}
		text := "not protected: " + reason
		if protected {
			text = "protected: " + reason
		}
		if err := w.event(SpeechJudged, By{Staff: staff}, text); err != nil {
			return err
		}
		switch {
		case w.o.State == Answered || w.begun():
			if protected {
				return w.ending(End{State: Annulled, Staff: staff, Reason: reason})
			}
			return nil
		case w.o.State == Approved:
			if err := w.voided(); err != nil {
				return err
			}
		}
		return w.assess()
	})
}

// Signature is a member of staff's name under what would be carried out. It says no role: that is
// looked up.
type Signature struct {
	Staff int64
	// Digest is that of the plan that he has seen.
	Digest string
}

// Approve signs in the role that the signer has by the staff's own records. When all roles that
// policy wants have signed, each a different person, the order is carried out. ErrChanged says that
// the plan is another by now, ErrSamePerson that he has signed, ErrRole that no signature of his
// role is wanted, or that he has none.
func (s *Service) Approve(ctx context.Context, of, id int64, g Signature) (Order, error) {
	if s.Role == nil {
		return Order{}, ErrRole
	}
	role, err := s.Role(ctx, g.Staff)
	if err != nil {
		return Order{}, err
	}
	o, err := s.change(ctx, of, id, func(w *work) error {
		if w.o.State != Assessed {
			return ErrState
		}
		halted, err := w.halted()
		if err == nil && halted {
			err = ErrStanding
		}
		if err != nil {
			return err
		}
		p, err := w.plan()
		if err != nil {
			return err
		}
		if p.Digest != g.Digest {
			return ErrChanged
		}
		signed, err := w.signatures(p.Digest)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(signed, func(a store.OrderApproval) bool {
			return a.Staff == g.Staff
		}) || g.Staff <= 0 {
			return ErrSamePerson
		}
		if missing := lacking(w.o.Signs(), signed); missing[role] == 0 {
			return ErrRole
		}
		a := store.OrderApproval{
			Agency: of, Order: id, Digest: p.Digest, Staff: g.Staff, Role: string(role),
			At: w.now,
		}
		if err := w.tx.AddOrderApproval(a); err != nil {
			return err
		}
		err = w.event(Signed, By{Staff: g.Staff}, string(role)+" "+p.Digest)
		if err != nil || len(lacking(w.o.Signs(), append(signed, a))) > 0 {
			return err
		}
		w.o.State = Approved
		return w.event(WasApproved, By{}, p.Digest)
	})
	if err == nil && o.State == Approved {
		s.Wake()
	}
	return o, err
}

// Signs are the signatures that are wanted: one at least, whatever policy says.
func (o Order) Signs() []policy.Signature {
	if len(o.Verdict.Sign) == 0 {
		return []policy.Signature{{Role: policy.Moderator, People: 1}}
	}
	return o.Verdict.Sign
}

// signatures are those that were given under a plan.
func (w *work) signatures(digest string) (out []store.OrderApproval, err error) {
	list, err := w.tx.OrderApprovals(w.o.Agency, w.o.ID)
	for _, a := range list {
		if a.Digest == digest {
			out = append(out, a)
		}
	}
	return out, err
}

// Lacking are the signatures that are still wanted under a plan's digest, in the order in which
// policy named their roles.
func (o Order) Lacking(digest string, given []store.OrderApproval) (out []policy.Signature) {
	under := slices.DeleteFunc(slices.Clone(given), func(a store.OrderApproval) bool {
		return a.Digest != digest
	})
	missing := lacking(o.Signs(), under)
	for _, g := range o.Signs() {
		if n := missing[g.Role]; n > 0 {
			out = append(out, policy.Signature{Role: g.Role, People: n})
			delete(missing, g.Role)
		}
	}
	return out
}

// lacking is how many signatures of which roles are still wanted.
func lacking(wanted []policy.Signature, given []store.OrderApproval) map[policy.Role]int {
	out := make(map[policy.Role]int)
	for _, g := range wanted {
		out[g.Role] += max(g.People, 1)
	}
	for _, a := range given {
		if r := policy.Role(a.Role); out[r] > 0 {
			if out[r]--; out[r] == 0 {
				delete(out, r)
			}
		}
	}
	return out
}

// Refuse is a person's decision not to carry an order out: a class in one word and reasons in
// words.
func (s *Service) Refuse(
	ctx context.Context, staff, of, id int64, class, reason string,
) (Order, error) {
	word := class != "" && strings.Trim(class, "abcdefghijklmnopqrstuvwxyz-") == ""
	if !word || !filled(reason) || staff <= 0 {
		return Order{}, ErrReason
	}
	return s.change(ctx, of, id, func(w *work) error {
		if !w.o.State.Open() || w.o.State == Ending || w.begun() {
			return ErrState
		}
		if err := w.event(Noted, By{Staff: staff}, "refused: "+reason); err != nil {
			return err
		}
		return w.refuse(class, written(reason))
	})
}
