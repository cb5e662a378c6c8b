package moderation

import (
	"context"
	"fmt"
	"strings"

	"github.com/gotd/td/tg"

	"parley/internal/ids"
	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/tlog/paper"
	"parley/internal/web/staff"
)

// office is the authority of a conversation and the order that it gave.
type office struct {
	agency  agency.Agency
	officer agency.Officer
	given   order.Order
}

// opened onboards the authority, as two of the staff do.
func (s *scene) opened() *office {
	s.Helper()
	ctx, a := context.Background(), s.server.Node.Agencies
	of, err := a.Propose(ctx, 7, agency.New{
		Name: "Federal Office", Country: "DE", Lang: "de", Kind: agency.TerroristContent,
		Officials: []agency.Official{{Name: "A", Office: "Head"}, {Name: "B", Office: "Desk"}},
		Agreement: strings.Repeat("a", 64),
	})
	s.check(err)
	s.check(a.Verify(ctx, 7, of.ID, agency.Check{
		Number: "+49 30 5559 999", Source: agency.Register, Where: "register, page 3",
		Spoke: "B, desk", Confirmed: true,
	}))
	s.check(a.Approve(ctx, 8, of.ID))
	o, link, err := a.ProposeOfficer(ctx, 7, of.ID, "Officer", agency.Member)
	s.check(err)
	code, err := a.ApproveOfficer(ctx, 8, of.ID, o.ID)
	s.check(err)
	o, err = a.Bind(ctx, agency.Both(link, code), agency.Credential{ID: "key", Body: []byte{1}})
	s.check(err)
	return &office{agency: of, officer: o}
}

// orders has the authority order a post away within one hour.
func (s *scene) orders(post, reasons string) {
	s.Helper()
	if s.office == nil {
		s.office = s.opened()
	}
	n := s.server.Node
	r, err := n.Orders.Submit(context.Background(), order.Sender{
		Agency: s.office.agency.ID, Officer: s.office.officer.ID,
	}, order.Document{
		Instrument: instrument.Removal, Number: "7 Js 1/26", Issued: 1_700_000_000, Country: "DE",
		Authority: "Federal Office", Signed: "B, desk", Lang: "de",
		Basis:   []order.Basis{{Law: "Regulation (EU) 2021/784", Provision: "Art. 3(1)"}},
		Reasons: reasons, Redress: "Administrative court, one month.", Action: policy.Withhold,
		Items: []order.Target{{URL: "https://t.me/the_news/" + s.number(post)}},
	})
	s.check(err)
	s.office.given = r.Order
}

func (s *scene) number(post string) string {
	n := s.posts[post]
	var b []byte
	for ; n > 0; n /= 10 {
		b = append([]byte{byte('0' + n%10)}, b...)
	}
	return string(b)
}

// confirms makes the checks that policy wants and signs what would be carried out.
func (s *scene) confirms(staff int64) {
	s.Helper()
	ctx, n := context.Background(), s.server.Node
	o, err := s.office.given, error(nil)
	for _, c := range o.Verdict.Unverified {
		if c == policy.CallBack {
			o, err = n.Orders.CallBack(ctx, staff, o.Agency, o.ID, order.Call{
				Number: "+49 30 5559 999", Spoke: "B, desk", Confirmed: true,
			})
		} else {
			o, err = n.Orders.Check(ctx, staff, o.Agency, o.ID, c, "looked at it")
		}
		s.check(err)
	}
	plan, err := n.Orders.PlanOf(ctx, o.Agency, o.ID)
	s.check(err)
	for _, g := range o.Verdict.Sign {
		for range max(g.People, 1) {
			o, err = n.Orders.Approve(ctx, o.Agency, o.ID, order.Signature{
				Staff: s.signer(g.Role), Digest: plan.Digest,
			})
			s.check(err)
		}
	}
	s.check(n.Orders.CarryOut(ctx))
}

// signer is somebody new on the staff, who has a role.
func (s *scene) signer(role policy.Role) int64 {
	s.Helper()
	people, err := s.server.Node.Staff()
	s.check(err)
	as, err := staff.ParseRole(string(role))
	s.check(err)
	s.signers++
	id, _, err := people.Add(context.Background(), staff.Operator,
		fmt.Sprintf("Signer %d", s.signers), as)
	s.check(err)
	return id
}

// told checks the last paper of the authority: its kind, effect and reason.
func (s *scene) told(text string) {
	s.Helper()
	n := s.server.Node
	s.view(func(r *store.Reader) error {
		list, err := order.Papers(r, s.office.agency.ID, s.office.given.ID)
		if err != nil {
			return err
		}
		var p paper.Paper
		if p, err = n.Orders.Sign.Read(list[len(list)-1].Signed); err != nil {
			return err
		}
		got := strings.TrimSpace(string(p.Kind) + " " + p.Given + " " + p.Reason)
		if got != text {
			s.Errorf("was told %q", got)
		}
		return nil
	})
}

// lives gives somebody a number of a country, by which the service knows where he is.
func (s *scene) lives(p *person, phone string) {
	s.Helper()
	id := ids.UserID(p.self.ID)
	s.check(s.server.Node.Store.Update(context.Background(), id.Peer(), func(tx *store.Tx) error {
		u, err := tx.User(id)
		if err != nil {
			return err
		}
		u.Phone = phone
		return tx.PutUser(u)
	}))
}

// withheld looks whether a post says that it is withheld, and why, instead of its text.
func (s *scene) withheld(p *person, post string) bool {
	s.Helper()
	got, err := p.ChannelsGetMessages(p.ctx, &tg.ChannelsGetMessagesRequest{
		Channel: p.channel, ID: []tg.InputMessageClass{&tg.InputMessageID{ID: s.posts[post]}},
	})
	s.check(err)
	m, ok := got.(*tg.MessagesChannelMessages)
	if !ok || len(m.Messages) != 1 {
		s.Fatalf("got %T", got)
	}
	x, ok := m.Messages[0].(*tg.Message)
	return ok && len(x.RestrictionReason) > 0
}
