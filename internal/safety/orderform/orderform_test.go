package orderform_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"parley/internal/safety/orderform"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/tally"
)

// lines are orders of several kinds, and what came of them.
func lines() []entry.Entry {
	n := 0
	id := func() string { n++; return fmt.Sprintf("%032x", n) }
	order := func(country, instrument string, items int64, content ...string) entry.Entry {
		return entry.Entry{
			Kind: entry.Order, ID: id(), Day: "2026-05-06", Country: country,
			Instrument: instrument, Items: items, Content: content, Minutes: 5,
		}
	}
	effect := func(o entry.Entry, outcome, reason string, minutes int64) entry.Entry {
		o.Kind, o.Of, o.ID, o.Outcome, o.Reason = entry.Effect, o.ID, id(), outcome, reason
		o.Day, o.Minutes = "2026-05-07", minutes
		return o
	}
	removal := order("FR", entry.RemoveTerror, 5)
	wrong := order("DE", entry.RemoveTerror, 1)
	epoc := order("DE", entry.Production, 0, entry.SubscriberData, entry.TrafficData)
	urgent := order("DE", entry.EmergencyProduction, 0, entry.SubscriberData)
	refused := effect(epoc, "", "DataNotHeld", 120)
	refused.Kind = entry.Refusal
	terror := []string{"KEYWORD_TERRORIST_CONTENT"}
	return []entry.Entry{
		removal, wrong, effect(removal, "full", "", 30), effect(wrong, "none", "ManifestErrors", 90),
		epoc, urgent, refused, effect(urgent, "full", "", 60),
		order("US", "US_WARRANT", 1),
		{
			Kind: entry.Decision, Keywords: terror, Source: "SOURCE_VOLUNTARY",
			Measures: []string{"DECISION_VISIBILITY_CONTENT_REMOVED"},
		},
		{Kind: entry.Appeal, Keywords: terror, Outcome: "reversed"},
		{Kind: entry.Appeal, Keywords: terror, Outcome: "upheld"},
	}
}

func counted() *tally.Tally {
	t := tally.New()
	for _, e := range lines() {
		t.Add(&e)
	}
	return t
}

func span() tally.Span { return tally.Span{From: "2026-01-01", To: "2026-12-31"} }

func TestTerroristContent(t *testing.T) {
	got := orderform.OfTerror(counted(), span(), orderform.Court{Brought: 1})
	b, err := got.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var flat map[string]any
	if err := json.Unmarshal(b, &flat); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"orders": "2", "full": "1", "none": "1", "reasons": "map[ManifestErrors:1]",
		"countries": "map[DE:1 FR:1]", "items_least": "6", "measures": "1", "complaints": "2",
		"reinstated": "1", "median_hours": "1",
	} {
		if fmt.Sprint(flat[name]) != want {
			t.Errorf("%s is %v, want %s", name, flat[name], want)
		}
	}
}

func TestElectronicEvidence(t *testing.T) {
	got := orderform.OfEvidence(counted(), span())
	b, err := got.CSV()
	if err != nil {
		t.Fatal(err)
	}
	want := "country,certificate,emergency,received,fulfilled,partly,unfulfilled,average_hours," +
		"DATA_SUBSCRIBER,DATA_TRAFFIC,DataNotHeld\r\n" +
		"DE,EPOC,false,1,0,0,1,2.0000,1,1,1\r\nDE,EPOC,true,1,1,0,0,1.0000,1,0,0\r\n"
	if string(b) != want {
		t.Errorf("got\n%s\nwant\n%s", b, want)
	}
	empty, err := orderform.OfEvidence(tally.New(), span()).JSON()
	if err != nil || !strings.Contains(string(empty), `"rows": []`) {
		t.Errorf("%s, %v", empty, err)
	}
}

func TestOrdersArePublished(t *testing.T) {
	list := lines()
	removal := list[0].ID
	got, err := orderform.Publish("example.org/log", list, map[string]string{
		removal: "The authority of […] orders the removal of five posts.",
	})
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, n := range got.Notices {
		said = append(said, strings.Join([]string{n.Type, n.Country, n.ActionTaken}, " "))
	}
	want := []string{
		"GovernmentRequest FR Yes", "GovernmentRequest DE No", "LawEnforcementRequest DE No",
		"LawEnforcementRequest DE Yes", "GovernmentRequest US Unspecified",
	}
	if strings.Join(said, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q", said)
	}
	if first := got.Notices[0]; first.Body == "" || len(first.Steps) != 1 ||
		first.Steps[0].ID == first.ID {
		t.Errorf("%+v", first)
	}
	for text, of := range map[string]string{
		"Write to judge@example.org": removal, "fine": strings.Repeat("f", 32), "\xff": removal,
	} {
		_, err := orderform.Publish("example.org/log", list, map[string]string{of: text})
		if !errors.Is(err, orderform.ErrText) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
