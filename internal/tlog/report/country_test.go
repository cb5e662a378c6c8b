package report

import (
	"slices"
	"testing"

	"parley/internal/tlog/entry"
)

// TestCountry: requests are counted by month with what came of them, what is withheld in a country
// is counted there, and people are counted in bands.
func TestCountry(t *testing.T) {
	b := NewBook("chat.example/log")
	for _, e := range []entry.Entry{
		{Kind: entry.Order, Day: "2026-10-30", Country: "FR", Instrument: "TCO"},
		{Kind: entry.Effect, Day: "2026-10-31", Country: "FR", Outcome: "full", Accounts: 1, Told: 1,
			Minutes: 30},
		{Kind: entry.Order, Day: "2026-11-01", Country: "FR", Instrument: "TCO"},
		{Kind: entry.Refusal, Day: "2026-11-02", Country: "FR", Instrument: "TCO",
			Reason: "overbroad", Minutes: 90},
		{Kind: entry.Effect, Day: "2026-11-03", Country: "NL", Instrument: "EPO", Outcome: "partial"},
		{Kind: entry.Effect, Day: "2026-11-03", Country: "NL", Instrument: "EPO", Outcome: "partial",
			Reason: "offence-too-light"},
		{Kind: entry.Disclosure, Day: "2026-11-03", Country: "FR", Accounts: 5, Untold: 5},
		{Kind: entry.Decision, Day: "2026-11-03", Territory: []string{"DE", "FR"}, Items: 3},
		{Kind: entry.Decision, Day: "2026-11-03", Items: 5},
	} {
		if err := b.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.Countries(); !slices.Equal(got, []string{"DE", "FR", "NL"}) {
		t.Errorf("countries: %v", got)
	}
	fr := b.Country("FR")
	if fr.Entries != 9 || len(fr.Months) != 2 || fr.Months[0].Month != "2026-11" {
		t.Fatalf("%+v", fr)
	}
	november, october := fr.Months[0], fr.Months[1]
	if november.Received != 1 || november.Refused != 1 || november.Reasons["overbroad"] != 1 ||
		november.Accounts != "5-49" || november.Told != "0" || november.Untold != "5-49" ||
		november.MedianMinutes != 90 || november.Withheld != 1 || november.WithheldItems != 3 {
		t.Errorf("November: %+v", november)
	}
	if october.Complied != 1 || october.Accounts != "1-4" || october.Told != "1-4" {
		t.Errorf("October: %+v", october)
	}
	if fr.All.Received != 2 || fr.All.Accounts != "6-53" || fr.All.Told != "1-4" ||
		fr.All.Instruments["TCO"] != 2 {
		t.Errorf("all: %+v", fr.All)
	}
	want := "country,month,instrument,reason,count\r\nFR,2026-11,TCO,overbroad,1\r\n" +
		"NL,2026-11,EPO,offence-too-light,1\r\n"
	if got, err := b.RefusalsCSV(); err != nil || string(got) != want {
		t.Errorf("the register of refusals: %q, %v", got, err)
	}
	if de := b.Country("DE"); de.All.WithheldItems != 3 || de.All.Received != 0 ||
		de.All.Accounts != "0" {
		t.Errorf("another country: %+v", de)
	}
	if none := b.Country("IT"); len(none.Months) != 0 || none.All.Withheld != 0 {
		t.Errorf("a country without anything: %+v", none)
	}
}
