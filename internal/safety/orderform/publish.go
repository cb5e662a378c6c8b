package orderform

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/internal/safety/dsadb"
	"parley/internal/tlog/entry"
)

// textMost bounds a redacted text in characters.
const textMost = 100_000

// ErrText says that the text of an order cannot be published.
var ErrText = errors.New("orderform: the text cannot be published")

// Publication are orders as they are published. Types, kinds of requests and actions are named as
// public archives of such orders name them.
//
// https://lumendatabase.org/pages/researchers
type Publication struct {
	V int `json:"v"`
	// Log is the origin of the log in which each order is a line.
	Log     string   `json:"log"`
	Notices []Notice `json:"notices"`
}

// Notice is one order.
type Notice struct {
	// ID is that of the order's line in the log.
	ID string `json:"id"`
	// Type is GovernmentRequest for content and LawEnforcementRequest for data.
	Type       string   `json:"type"`
	Country    string   `json:"country"`
	Instrument string   `json:"instrument"`
	Received   string   `json:"date_received"`
	Category   string   `json:"category,omitempty"`
	Keywords   []string `json:"keywords,omitempty"`
	// Asked are the types of content or data, ItemsLeast the least number of things of a band.
	Asked      []string `json:"asked,omitempty"`
	ItemsLeast int64    `json:"items_least"`
	// ActionTaken is Yes, No, Partial or Unspecified: what the last line about it says.
	ActionTaken string `json:"action_taken"`
	Steps       []Step `json:"steps,omitempty"`
	// Body is the redacted text, empty where none is published.
	Body string `json:"body,omitempty"`
}

// Step is a line of the log about an order.
type Step struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	Day     string `json:"day"`
	Outcome string `json:"outcome,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

// Publish makes the publication of the orders among some entries, in their order, with the redacted
// texts of those that have one by their ids. ErrText names an order whose text cannot be published.
func Publish(origin string, entries []entry.Entry, texts map[string]string) (Publication, error) {
	out := Publication{V: Version, Log: origin, Notices: []Notice{}}
	at := map[string]int{}
	for _, e := range entries {
		switch e.Kind {
		case entry.Order:
			if err := Publishable(texts[e.ID]); err != nil {
				return out, fmt.Errorf("order %s: %w", e.ID, err)
			}
			at[e.ID] = len(out.Notices)
			out.Notices = append(out.Notices, Notice{
				ID: e.ID, Type: kind(e), Country: e.Country, Instrument: e.Instrument,
				Received: e.Day, Category: e.Category, Keywords: e.Keywords, Asked: e.Content,
				ItemsLeast: e.Items, ActionTaken: "Unspecified", Body: texts[e.ID],
			})
		case entry.Effect, entry.Refusal, entry.Disclosure:
			i, known := at[e.Of]
			if !known {
				continue // its order is of another time
			}
			out.Notices[i].step(e)
		}
	}
	for id := range texts {
		if _, known := at[id]; !known {
			return out, fmt.Errorf("%w: no order %s in this time", ErrText, id)
		}
	}
	return out, nil
}

// step adds a line about an order.
func (n *Notice) step(e entry.Entry) {
	n.Steps = append(n.Steps, Step{
		ID: e.ID, Kind: string(e.Kind), Day: e.Day, Outcome: e.Outcome, Reason: e.Reason,
	})
	switch {
	case e.Kind == entry.Refusal, e.Kind == entry.Effect && e.Outcome == "none":
		n.ActionTaken = "No"
	case e.Kind == entry.Effect && e.Outcome == "partial":
		n.ActionTaken = "Partial"
	case e.Kind == entry.Effect:
		n.ActionTaken = "Yes"
	}
}

// kind is what public archives call an order.
func kind(e entry.Entry) string {
	asksData := slices.ContainsFunc(e.Content, func(c string) bool {
		return strings.HasPrefix(c, "DATA_")
	})
	switch e.Instrument {
	case entry.GiveInformation, entry.Production, entry.EmergencyProduction, entry.Preservation:
		asksData = true
	}
	if asksData {
		return "LawEnforcementRequest"
	}
	return "GovernmentRequest"
}

// Publishable is ErrText, with the reason, for a redacted text that cannot be published.
func Publishable(text string) error {
	switch {
	case !utf8.ValidString(text):
		return fmt.Errorf("%w: not UTF-8", ErrText)
	case utf8.RuneCountInString(text) > textMost:
		return fmt.Errorf("%w: longer than %d characters", ErrText, textMost)
	}
	for _, f := range dsadb.Personal(text) {
		return fmt.Errorf("%w: something looks like personal data: %s", ErrText, f.Kind)
	}
	return nil
}

// JSON is the publication as it is published.
func (p Publication) JSON() ([]byte, error) { return encode(p) }
