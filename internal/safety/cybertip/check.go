package cybertip

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/internal/blob"
)

// Missing is something that a report lacks, or that is wrong in it.
type Missing struct {
	// Field is the element of the schema.
	Field string
	// What is missing, long, unknown, future, unviewed or useless.
	What string
	// Advice is set where the receiver takes a report without it, though it helps nobody then.
	Advice bool
}

// String names the field and what is wrong.
func (m Missing) String() string { return m.Field + ": " + m.What }

// IncompleteError says all that a report lacks.
type IncompleteError struct{ Missing []Missing }

// Error names all of it.
func (e *IncompleteError) Error() string {
	var all []string
	for _, m := range e.Missing {
		all = append(all, m.String())
	}
	return "cybertip: the report is incomplete: " + strings.Join(all, "; ")
}

// Check says what a report lacks of what the schema wants, and of what makes it useful: about one
// report in twelve that the CyberTipline gets lets nobody find out where it happened.
//
// https://report.cybertip.org/ispws/documentation
func Check(r Report, now time.Time) []Missing {
	var c checks
	c.must("incidentType", slices.Contains(IncidentTypes(), r.Type), "unknown")
	c.must("incidentDateTime", !r.At.IsZero(), "missing")
	c.must("incidentDateTime", !r.At.After(now), "future")
	c.length("incidentDateTimeDescription", r.Described, longRunes)
	c.length("escalateToHighPriority", r.Priority, longRunes)
	c.must("escalateToHighPriority", r.Priority == "" || strings.TrimSpace(r.Priority) != "",
		"missing")
	c.words("reportAnnotations", r.Annotations, Annotations())
	c.length("chatRoomName", r.Room, shortRunes)
	for _, at := range r.URLs {
		c.address("url", at)
	}
	c.must("reporter/email", strings.Contains(r.Reporter.Email, "@"), "missing")
	c.length("espService", r.Reporter.Service, 100)
	c.must("espService", r.Reporter.Service != "", "missing")
	if r.Reporter.Legal != "" {
		c.address("legalURL", r.Reporter.Legal)
	}
	c.person(r.Person, now)
	for i, f := range r.Files {
		c.file(fmt.Sprintf("file %d", i+1), f)
	}
	c.must("content", len(r.Files) > 0 || r.Content != "" || r.Note != "", "missing")
	return c.found
}

// checks collects what is missing.
type checks struct{ found []Missing }

func (c *checks) must(field string, ok bool, what string) {
	if !ok {
		c.found = append(c.found, Missing{Field: field, What: what})
	}
}

func (c *checks) should(field string, ok bool, what string) {
	if !ok {
		c.found = append(c.found, Missing{field, what, true})
	}
}

func (c *checks) length(field, text string, most int) {
	c.must(field, utf8.RuneCountInString(text) <= most, "long")
}

func (c *checks) words(field string, words, all []string) {
	for _, w := range words {
		c.must(field, slices.Contains(all, w), "unknown")
	}
}

func (c *checks) address(field, at string) {
	u, err := url.Parse(at)
	c.must(field, err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http"),
		"unknown")
	c.length(field, at, urlRunes)
}

func (c *checks) person(p Person, now time.Time) {
	c.must("espIdentifier", p.ID != "", "missing")
	c.length("espIdentifier", p.ID, shortRunes)
	c.length("screenName", p.Screen, shortRunes)
	c.length("groupIdentifier", p.Group, shortRunes)
	for _, e := range p.Events {
		_, err := netip.ParseAddr(e.Address)
		c.must("ipAddress", err == nil, "unknown")
		c.words("eventName", []string{e.Name},
			[]string{"Login", "Registration", "Purchase", "Upload", "Other", "Unknown"})
		c.must("ipCaptureEvent/dateTime", !e.At.IsZero() && !e.At.After(now), "future")
	}
	c.should("personOrUserReported", p.Phone != "" || len(p.Events) > 0 || p.Profile != "",
		"useless")
}

func (c *checks) file(which string, f File) {
	_, err := blob.ParseDigest(f.Digest)
	c.must(which, err == nil, "missing")
	c.must(which+"/originalFileName", f.Name != "", "missing")
	c.length(which+"/originalFileName", f.Name, urlRunes)
	c.must(which+"/industryClassification", f.Class == "" || slices.Contains(Classes(), f.Class),
		"unknown")
	c.words(which+"/fileAnnotations", f.Annotations, FileAnnotations())
	// A file that nobody looked at cannot be opened there without a warrant, so that the report
	// helps nobody soon.
	c.should(which+"/fileViewedByEsp", f.Viewed, "unviewed")
	c.should(which+"/industryClassification", f.Class != "", "missing")
}

// must are those without which nothing is sent.
func must(all []Missing) (out []Missing) {
	for _, m := range all {
		if !m.Advice {
			out = append(out, m)
		}
	}
	return out
}
