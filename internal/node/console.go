package node

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"parley/internal/web/console"
	"parley/internal/web/officer"
	"parley/internal/web/page"
	"parley/internal/web/staff"
)

// Staff keeps who works in the moderators' console, and what they look at and do.
func (n *Node) Staff() (*staff.Service, error) {
	return staff.New(staff.Options{
		Store: n.Store, Clock: n.clock, Box: n.Keys.Box(), Key: n.Keys.Derive("staff forms"),
		URL: n.Config.Console.PublicURL,
		Alarm: func(action, detail string) {
			n.log.Warn("staff", "action", action, "detail", detail)
		},
	})
}

// staffDoor is the moderators' console, where there is one.
func (n *Node) staffDoor() (http.Handler, error) {
	at := n.Config.Console
	if at.Listen == "" {
		return http.NotFoundHandler(), nil
	}
	people, err := n.Staff()
	if err != nil {
		return nil, err
	}
	n.staff = people
	n.Evidence.Audit = console.Audit(people)
	return n.pagesLater(n.desk), nil
}

// console are the pages of the console.
func (n *Node) console() (http.Handler, error) {
	at := n.Config.Console
	trusted, err := n.proxies()
	if err != nil {
		return nil, err
	}
	site, err := page.New(page.Options{
		URL: at.PublicURL, Name: serviceName, Key: n.Keys.Derive("console forms"), Clock: n.clock,
		Trusted: trusted, Log: n.log,
	})
	if err != nil {
		return nil, err
	}
	return console.New(console.Rooms{
		Site: site, Store: n.Store, Clock: n.clock, Staff: n.staff, Cases: n.Cases,
		Evidence: n.Evidence, Decisions: n.Decisions, Appeals: n.Appeals, Blobs: n.Blobs,
		Papers: n.Papers,
		Crimes: n.Crimes, Tips: n.Tips,
		OnCall: n.OnCall, Inquiries: n.Inquiries, Hotlines: n.Hotlines,
		DSA: n.DSA, DSAMode: string(n.Config.DSA.Mode),
		Reports: console.Reports{Dir: n.Config.Transparency.Forms, Counted: n.Counted},
		Orders:  n.Orders, Attachments: n.Attachments, Mails: n.Mailroom, Intake: n.Intake,
		Disclosures: n.Disclosures, Agencies: n.Agencies, Guide: n.guide, Law: n.law,
		EnrolOfficer: n.EnrolOfficer, Key: n.Keys.Derive("console media"),
		URL: at.PublicURL, MediaURL: at.MediaURL, Log: n.log,
	})
}

// EnrolOfficer is the address at which an officer of an agency binds his key by a token.
func (n *Node) EnrolOfficer(token string) string {
	return enrolment(n.Config.Web.PublicURL, officer.EnrolPath, token)
}

// EnrolStaff is the address at which a member of staff enrols by a token.
func (n *Node) EnrolStaff(token string) string {
	return enrolment(n.Config.Console.PublicURL, console.EnrolPath, token)
}

func enrolment(site, path, token string) string {
	return strings.TrimSuffix(site, "/") + path + "?" + url.Values{"token": {token}}.Encode()
}

// sweepStaff forgets sessions of the console that have ended.
func (n *Node) sweepStaff(ctx context.Context) error {
	if n.staff == nil {
		return nil
	}
	return n.staff.Sweep(ctx)
}
