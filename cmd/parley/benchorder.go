package main

import (
	"context"
	"fmt"
	"strings"

	"parley/internal/ids"
	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/web/staff"
)

// benchNumber is at which the benchmark's authority is called.
const benchNumber = "+49 30 5559 999"

// benchOffice is an authority that orders posts away, and who signs for that.
type benchOffice struct {
	agency  agency.Agency
	officer agency.Officer
	signers map[policy.Role][]int64
	given   order.Order
}

// onboard takes the authority in, as two of the staff do.
func (t *taker) onboard(ctx context.Context) error {
	a, o := t.Agencies, &t.office
	of, err := a.Propose(ctx, 7, agency.New{
		Name: "Federal Office", Country: "DE", Lang: "de", Kind: agency.TerroristContent,
		Officials: []agency.Official{{Name: "A", Office: "Head"}, {Name: "B", Office: "Desk"}},
		Agreement: strings.Repeat("a", 64),
	})
	if err == nil {
		err = a.Verify(ctx, 7, of.ID, agency.Check{
			Number: benchNumber, Source: agency.Register, Where: "register, page 3",
			Spoke: "B, desk", Confirmed: true,
		})
	}
	if err == nil {
		err = a.Approve(ctx, 8, of.ID)
	}
	var link, code string
	if err == nil {
		o.officer, link, err = a.ProposeOfficer(ctx, 7, of.ID, "Officer", agency.Member)
	}
	if err == nil {
		code, err = a.ApproveOfficer(ctx, 8, of.ID, o.officer.ID)
	}
	if err == nil {
		o.officer, err = a.Bind(ctx, agency.Both(link, code), agency.Credential{
			ID: "key", Body: []byte{1},
		})
	}
	o.agency, o.signers = of, map[policy.Role][]int64{}
	return err
}

// order has the authority order a post away within one hour, and makes the checks that policy
// wants.
func (t *taker) order(ctx context.Context, channel ids.Peer, post store.Message) error {
	if t.office.signers == nil {
		if err := t.onboard(ctx); err != nil {
			return err
		}
	}
	r, err := t.Orders.Submit(ctx, order.Sender{
		Agency: t.office.agency.ID, Officer: t.office.officer.ID,
	}, order.Document{
		Instrument: instrument.Removal, Number: fmt.Sprint("7 Js ", post.ID), Issued: post.Date,
		Country: "DE", Authority: "Federal Office", Signed: "B, desk", Lang: "de",
		Basis:   []order.Basis{{Law: "Regulation (EU) 2021/784", Provision: "Art. 3(1)"}},
		Reasons: "It calls for an attack.", Redress: "Administrative court, one month.",
		Action: policy.Withhold,
		Items: []order.Target{{
			URL: fmt.Sprintf("https://t.me/c/%d/%d", channel.Channel(), post.ID),
		}},
	})
	if err != nil {
		return err
	}
	o := r.Order
	for _, c := range o.Verdict.Unverified {
		if c == policy.CallBack {
			o, err = t.Orders.CallBack(ctx, 7, o.Agency, o.ID, order.Call{
				Number: benchNumber, Spoke: "B, desk", Confirmed: true,
			})
		} else {
			o, err = t.Orders.Check(ctx, 7, o.Agency, o.ID, c, "looked at it")
		}
		if err != nil {
			return err
		}
	}
	if t.office.given = o; o.State != order.Assessed {
		return fmt.Errorf("the order is %s: %v %v", o.State, o.Problems, o.Verdict.Refusals)
	}
	return t.hire(ctx, o)
}

// hire makes sure that there are as many of each role as have to sign.
func (t *taker) hire(ctx context.Context, o order.Order) error {
	people, err := t.Staff()
	if err != nil {
		return err
	}
	for _, g := range o.Verdict.Sign {
		role, err := staff.ParseRole(string(g.Role))
		if err != nil {
			return err
		}
		for n := len(t.office.signers[g.Role]); n < max(g.People, 1); n++ {
			name := fmt.Sprintf("Signer %s %d", g.Role, n)
			id, _, err := people.Add(ctx, staff.Operator, name, role)
			if err != nil {
				return err
			}
			t.office.signers[g.Role] = append(t.office.signers[g.Role], id)
		}
	}
	return nil
}

// sign gives the signatures under the order.
func (t *taker) sign(ctx context.Context, _ ids.Peer, _ store.Message) error {
	o := t.office.given
	plan, err := t.Orders.PlanOf(ctx, o.Agency, o.ID)
	if err != nil {
		return err
	}
	for _, g := range o.Verdict.Sign {
		for n := range max(g.People, 1) {
			_, err := t.Orders.Approve(ctx, o.Agency, o.ID, order.Signature{
				Staff: t.office.signers[g.Role][n], Digest: plan.Digest,
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
