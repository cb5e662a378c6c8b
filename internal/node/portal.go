package node

import (
	"context"

	"parley/internal/safety/agency"
	"parley/internal/web/officer"
	"parley/internal/web/page"
)

// officerDoor signs officers of agencies in, for all doors that agencies have.
func (n *Node) officerDoor(site *page.Site) (*officer.Door, error) {
	d, err := officer.New(officer.Rooms{
		Site: site, Store: n.Store, Clock: n.clock, Agencies: n.Agencies, Home: homeOf,
		Key: n.Keys.Derive("officer forms"), URL: n.Config.Web.PublicURL, Log: n.log,
	})
	n.officers = d
	return d, err
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
	if n.officers == nil {
		return nil
	}
	return n.officers.Sweep(ctx)
}
