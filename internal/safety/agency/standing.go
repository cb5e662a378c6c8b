package agency

import (
	"errors"
	"math"

	"parley/internal/store"
)

// Problem says why somebody has no standing; empty for who has.
type Problem string

// The problems.
const (
	// Unknown is nobody, or an officer of another agency.
	Unknown Problem = "unknown"
	// Unapproved was not checked and approved by two people, Unbound has no key.
	Unapproved Problem = "unapproved"
	Unbound    Problem = "unbound"
	Halted     Problem = "suspended"
	// Lapsed was not confirmed again in time.
	Lapsed Problem = "attestation-lapsed"
	// Unsigned came by a program of a known agency: no officer has put his key to it.
	Unsigned Problem = "unsigned"
)

// Standing is what somebody's word is worth.
type Standing struct {
	Agency  Agency
	Officer Officer
	Problem Problem
	// Quarantined is set while his emergency orders wait, until Ends in Unix seconds.
	Quarantined bool
	Ends        int64
}

// problem says why an agency has no standing at a time.
func (a Agency) problem(now int64) Problem {
	switch {
	case a.State == Suspended:
		return Halted
	case a.State != Active:
		return Unapproved
	case a.Attest <= now:
		return Lapsed
	default:
		return ""
	}
}

// StandingOf tells what the word of an officer of an agency is worth at a time. That there is no
// such officer is no error: his standing says so.
func StandingOf(r *store.Reader, agency, officer, now int64) (s Standing, err error) {
	s.Problem = Unknown
	if agency == 0 || officer == 0 {
		return s, nil
	}
	s.Agency, err = Of(r, agency)
	if errors.Is(err, store.ErrNotFound) {
		return Standing{Problem: Unknown}, nil
	}
	if err != nil {
		return s, err
	}
	s.Officer, err = OfficerOf(r, agency, officer)
	if errors.Is(err, store.ErrNotFound) {
		s.Officer = Officer{}
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.Problem = s.Agency.problem(now)
	if s.Problem == "" {
		s.Problem = s.Officer.problem(now)
	}
	s.Ends = max(s.Officer.Bound, s.Agency.Approved, s.Agency.Changed) + seconds(quarantine)
	s.Quarantined = now < s.Ends
	return s, nil
}

// FirstApproved is when an agency was approved for the first time, in Unix seconds; 0 for one that
// never was. A new key and a suspension take the standing, not the acquaintance.
func FirstApproved(r *store.Reader, agency int64) (at int64, err error) {
	for below := int64(math.MaxInt64); ; {
		list, err := Events(r, agency, below, most)
		if err != nil {
			return 0, err
		}
		for _, e := range list {
			if below = e.N; e.Kind == WasApproved {
				at = e.At
			}
		}
		if len(list) < most {
			return at, nil
		}
	}
}

// ProgramStanding tells what the word of an agency's program is worth at a time: never more than
// that the agency is known, which is Unsigned.
func ProgramStanding(r *store.Reader, agency, now int64) (s Standing, err error) {
	s.Agency, err = Of(r, agency)
	if errors.Is(err, store.ErrNotFound) {
		return Standing{Problem: Unknown}, nil
	}
	if err != nil {
		return s, err
	}
	if s.Problem = s.Agency.problem(now); s.Problem == "" {
		s.Problem = Unsigned
	}
	return s, nil
}

// problem says why an officer has no standing at a time.
func (o Officer) problem(now int64) Problem {
	switch {
	case o.State == Suspended:
		return Halted
	case o.State == Proposed:
		return Unapproved
	case o.State != Active || o.Bound == 0:
		return Unbound
	case o.Attest <= now:
		return Lapsed
	default:
		return ""
	}
}
