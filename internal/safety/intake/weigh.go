package intake

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"parley/internal/chat"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/safety/evidence"
	"parley/internal/store"
)

const (
	day = 24 * 60 * 60
	// full is the weight of an ordinary reporter, in thousandths.
	full = 1000
	// alikeMost is how many reporters that have something in common are counted: more change
	// nothing that matters.
	alikeMost = 200
	// recordDays is how far back a reporter's record counts.
	recordDays = 180
)

// seen is what was found out before a report is written.
type seen struct {
	capture  evidence.Capture
	reach    int64
	row      store.Report
	standing store.ReporterStanding
}

// changedSince tells whether the subject is another since a time, as far as that can be known: a
// message that was edited. An account or a chat may have changed after a week.
func (s seen) changedSince(at int64) bool {
	if s.capture.Item != nil {
		return s.capture.Item.Edited > at
	}
	return s.capture.Subject.Kind != safety.Message && s.capture.Taken > at+7*day
}

// look captures the subject and weighs the reporter.
func (s *Service) look(r *store.Reader, in Report, now int64) (out seen, err error) {
	if in.Subject.Peer != 0 {
		if out.capture, err = evidence.Look(r, in.Subject, in.Reporter, now); err != nil {
			return out, err
		}
		out.capture.Secret = in.Secret
		if out.reach, err = reach(r, in.Subject); err != nil {
			return out, err
		}
	} else {
		out.capture = evidence.Capture{Subject: in.Subject, Taken: now}
	}
	out.row = store.Report{
		Subject: in.Subject.Peer, Source: string(in.Source), Category: string(in.Category),
		Keyword: string(in.Keyword), Note: in.Text, Places: strings.Join(in.Locations, "\n"),
		Lang: in.Lang, Flagger: in.Flagger, Weight: full,
		Net: s.pseudonym("net", block(in.IP)), Device: s.pseudonym("device", in.Device),
	}
	if in.Flagger != 0 {
		out.row.Reporter = s.pseudonym("flagger", strconv.FormatInt(in.Flagger, 10))
		return out, nil
	}
	if in.Reporter == 0 {
		out.row.Reporter = s.pseudonym("email", strings.ToLower(in.Email))
		return out, nil
	}
	out.row.Reporter = s.pseudonym("user", strconv.FormatInt(int64(in.Reporter), 10))
	return out, s.weigh(r, in.Reporter, now, &out)
}

// weigh says how much an account's report counts: less for a young one, more or less by how its
// reports ended.
func (s *Service) weigh(r *store.Reader, who ids.UserID, now int64, out *seen) error {
	u, err := r.User(who)
	if err != nil && !store.IsNotFound(err) {
		return err
	}
	out.row.Joined = s.pseudonym("joined", strconv.FormatInt(u.Created/3600, 10))
	weight := int64(full)
	switch age := now - u.Created; {
	case age < day:
		weight /= 4
	case age < 7*day:
		weight /= 2
	}
	record, err := r.ReporterOutcomes(who, now-recordDays*day)
	if err != nil {
		return err
	}
	upheld := record[int64(casefile.Upheld)] + record[int64(casefile.Partly)]
	refuted := record[int64(casefile.Refuted)] + record[int64(casefile.Unfounded)]
	out.row.Weight = weight * 2 * (upheld + 1) / (upheld + refuted + 2)
	out.standing, err = r.ReporterStanding(who)
	return err
}

// block is the network that an address is in: a /24 of IPv4, a /48 of IPv6.
func block(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	bits := 48
	if addr = addr.Unmap(); addr.Is4() {
		bits = 24
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}

// reach is how many people see a subject.
func reach(r *store.Reader, s safety.Subject) (int64, error) {
	if s.Peer.Kind() == ids.User {
		return 1, nil
	}
	c, err := r.Chat(s.Peer)
	if err != nil {
		if store.IsNotFound(err) {
			err = nil
		}
		return 0, err
	}
	if s.Kind != safety.Message || s.Peer.Kind() != ids.Channel {
		return c.Members, nil
	}
	views, _, err := r.Views(s.Peer, s.Item)
	return max(views, c.Members), err
}

// admit lets a report in, or refuses it: its reporter's budget is spent, or his reports are not
// dealt with for a time. Emergencies are always let in; beyond a bound they count nothing.
func (s *Service) admit(r *Report, seen *seen, now time.Time) error {
	if r.Reporter == 0 {
		return nil
	}
	if r.Lane.Emergency() {
		if _, ok := s.budgets.emergency.Allow(r.Reporter); !ok || suspended(seen.standing, now) {
			seen.row.Weight, seen.reach = 0, 0
		}
		return nil
	}
	if suspended(seen.standing, now) {
		return ErrSuspended
	}
	if wait, ok := s.budgets.ordinary.Allow(r.Reporter); !ok {
		return chat.Wait(int((wait + time.Second - 1) / time.Second))
	}
	return nil
}
