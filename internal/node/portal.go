package node

import (
	"context"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/safety/country"
	"parley/internal/web/authority"
	"parley/internal/web/officer"
	"parley/internal/web/page"
)

// officerDoor signs officers of agencies in, for all doors that agencies have.
func (n *Node) officerDoor(site *page.Site) (*officer.Door, error) {
	d, err := officer.New(officer.Rooms{
		Site: site, Store: n.Store, Clock: n.clock, Agencies: n.Agencies, Home: homeOf,
		Webhooks: n.Webhooks,
		Key:      n.Keys.Derive("officer forms"), URL: n.Config.Web.PublicURL, Log: n.log,
		Night: func(c string, at time.Time) bool { return country.Night(country.Code(c), at) },
	})
	n.officers = d
	return d, err
}

// portal is where authorities give orders.
func (n *Node) portal(site *page.Site, officers *officer.Door) (*authority.Pages, error) {
	return authority.New(authority.Rooms{
		Site: site, Store: n.Store, Clock: n.clock, Officers: officers, Orders: n.Orders,
		Law: n.law, Countries: n.countries, Guide: n.guide, Papers: n.Papers, Receipt: n.Receipt,
		Disclosures: n.Disclosures,
		Key:         n.Keys.Derive("papers of authorities"),
	})
}

// homeOf is where an officer of a kind of agency begins.
func homeOf(k agency.Kind) string {
	if k.Official() {
		return "/authority"
	}
	return "/hotline"
}

// sweepOfficers forgets sessions of officers that have ended.
func (n *Node) sweepOfficers(ctx context.Context) error {
	if _, err := n.public(); err != nil {
		return err
	}
	return n.officers.Sweep(ctx)
}
