package country

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"parley/internal/safety"
)

// table is what the program knows.
func table(t *testing.T) *Table {
	t.Helper()
	out, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCountries: there are the 249 of ISO 3166-1, and Kosovo.
func TestCountries(t *testing.T) {
	if n := len(All()); n != 250 {
		t.Errorf("there are %d", n)
	}
	for _, bad := range []Code{"", "D", "de", "UK", "EU", "AN", "SU", "ZZ", "QQ", "DEU", "276"} {
		if bad.Valid() {
			t.Errorf("%q is a country", bad)
		}
	}
}

// TestGroups: memberships are those that other packages know.
func TestGroups(t *testing.T) {
	c := table(t)
	members := func(g Group) (out []string) {
		for _, code := range All() {
			if c.Facts(code).In(g) {
				out = append(out, string(code))
			}
		}
		return out
	}
	if got := members(EEA); !slices.Equal(got, safety.EEA()) {
		t.Errorf("the EEA is %v", got)
	}
	if n := len(members(EU)); n != 27 {
		t.Errorf("the EU has %d members", n)
	}
	if n := len(members("e-evidence")); n != 26 {
		t.Errorf("%d are bound by the e-Evidence Regulation", n)
	}
	if len(members(Any)) != 250 || len(members(Home)) != 0 {
		t.Error("any and home")
	}
	for _, g := range c.Groups() {
		if g.Source == "" || g.AsOf == "" || !slices.IsSorted(g.Members) ||
			len(slices.Compact(slices.Clone(g.Members))) != len(g.Members) {
			t.Errorf("%s has no source or date, or is not in order", g.ID)
		}
	}
	home := c.At("IS")
	if !home.Facts("IS").In(Home) || c.Facts("IS").In(Home) || home.Facts("NO").In(Home) {
		t.Error("the country of the service")
	}
}

// TestIndices: a table is read with any headings, codes of two and three letters, and any scale.
func TestIndices(t *testing.T) {
	vdem := "\ufeffcountry_name,country_text_id,year,v2x_rule\n" +
		"Iceland,ISL,2023,0.98\nIceland,ISL,2024,0.97\nPalestine/Gaza,PSG,2024,0.1\n" +
		"Norway,NOR,2024,\nVanuatu,VUT,1900,0.5\n"
	got, err := ReadCSV(strings.NewReader(vdem), Columns{
		Country: "country_text_id", Year: "year", Value: "v2x_rule", Best: 1,
	})
	want := map[Code]Index{"IS": {0.97, 2024}, "VU": {0.5, 1900}}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%v %v", got, err)
	}
	got, err = ReadCSV(strings.NewReader("iso;x\n"), Columns{Country: "iso", Value: "x", Best: 1})
	if err == nil {
		t.Errorf("another separator: %v", got)
	}
	got, err = ReadCSV(strings.NewReader("iso,score\nFI,85\nNZ,0\n"), Columns{
		Country: "iso", Value: "score", Worst: 100, Best: 0, Fixed: 2025,
	})
	if err != nil || got["NZ"] != (Index{1, 2025}) || got["FI"].Value > 0.1501 {
		t.Errorf("a scale that falls: %v %v", got, err)
	}
	for text, says := range map[string]string{
		"":                        "line 1",
		"iso,score\nFI,101\n":     "line 2: 101 lies outside",
		"iso,score\nNZ,1\nFI\n":   "line 3: it has too few columns",
		"iso,points\nFI,1\n":      `no column "score"`,
		"iso,score\nNowhere,1\n":  ErrNoValues.Error(),
		"iso,score\nFI,NaN\n":     "line 2",
		"iso,score\nFI,\"1\nNZ,2": "",
	} {
		_, err := ReadCSV(strings.NewReader(text), Columns{
			Country: "iso", Value: "score", Best: 100, Fixed: 2025,
		})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := ReadCSV(strings.NewReader("a\n"), Columns{}); err == nil {
		t.Error("a scale without ends")
	}
}

// TestSeries: what was imported is found again, and what is wrong with it said.
func TestSeries(t *testing.T) {
	in := []Series{{
		Of: RuleOfLaw, Name: "N", Source: "https://example.org", Licence: "CC-BY-4.0",
		Values: map[Code]Index{"FI": {0.9, 2025}},
	}}
	text, err := WriteSeries(in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := ReadSeries(text)
	if err != nil || len(out) != 1 || out[0].Values["FI"] != in[0].Values["FI"] {
		t.Fatalf("%v %v", out, err)
	}
	measured := table(t).Measured(out[0])
	f := measured.Facts("FI")
	if f.RuleOfLaw == nil || f.RuleOfLaw.Value != 0.9 || f.PressFreedom != nil {
		t.Errorf("%+v", f)
	}
	if !measured.Facts("FI").In(EU) || table(t).Facts("FI").RuleOfLaw != nil {
		t.Error("the facts of one table got into another")
	}
	for _, bad := range []string{
		strings.Replace(string(text), "rule-of-law", "weather", 1),
		strings.Replace(string(text), "FI", "QQ", 1),
		strings.Replace(string(text), "0.9", "9.0", 1),
		string(text) + "\nmore = 1\n", "[",
	} {
		if _, err := ReadSeries([]byte(bad)); err == nil {
			t.Errorf("accepted: %s", bad)
		}
	}
}

// FuzzReadCSV: no table breaks the program, and what is read lies within the scale.
func FuzzReadCSV(f *testing.F) {
	f.Add("iso,score\nFI,85\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ReadCSV(strings.NewReader(text), Columns{
			Country: "iso", Value: "score", Best: 100, Fixed: 2025,
		})
		for code, x := range got {
			if err != nil || !code.Valid() || !(x.Value >= 0 && x.Value <= 1) {
				t.Fatalf("%s %v %v", code, x, err)
			}
		}
	})
}
