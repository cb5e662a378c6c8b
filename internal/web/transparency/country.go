package transparency

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"parley/internal/tlog/report"
	"parley/internal/web/page"
)

// countryView is what the page of a country shows.
type countryView struct {
	report.Country
	// Instruments are counted for all months together.
	Instruments []figure
}

// countries is the page of all countries of which the log has something.
func (p *Pages) countries(w http.ResponseWriter, r *http.Request) error {
	list, err := p.allCountries()
	if err != nil {
		return err
	}
	return p.show(w, r, "countries", list)
}

func (p *Pages) countriesJSON(w http.ResponseWriter, r *http.Request) error {
	list, err := p.allCountries()
	if err != nil {
		return err
	}
	out := make([]report.Country, len(list))
	for i, c := range list {
		out[i] = c.Country
		out[i].Months = nil
	}
	return p.json(w, r, http.StatusOK, out)
}

// allCountries are those of which the log has something, in the order of their codes.
func (p *Pages) allCountries() (list []countryView, err error) {
	err = p.Archive.Read(func(b *report.Book) error {
		for _, code := range b.Countries() {
			list = append(list, countryView{Country: b.Country(code)})
		}
		return nil
	})
	return list, err
}

// refusalsCSV is the register of what was refused to authorities, by country, month, instrument and
// reason, for spreadsheets. The JSON of each country has the same.
func (p *Pages) refusalsCSV(w http.ResponseWriter, _ *http.Request) error {
	var body []byte
	err := p.Archive.Read(func(b *report.Book) (err error) {
		body, err = b.RefusalsCSV()
		return err
	})
	if err != nil {
		return err
	}
	p.public(w)
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	_, err = w.Write(body)
	return err
}

// country is the page of one country, or what it shows for programs: CODE or CODE.json.
func (p *Pages) country(w http.ResponseWriter, r *http.Request) error {
	code, asJSON := cutJSON(r.PathValue("code"))
	if !isCountry(code) {
		return page.ErrNotFound
	}
	body := countryView{}
	err := p.Archive.Read(func(b *report.Book) error {
		body.Country = b.Country(code)
		return nil
	})
	if err != nil {
		return err
	}
	if asJSON {
		b, err := body.JSON()
		if err == nil {
			p.public(w)
			p.Site.JSON(w, r, http.StatusOK, b)
		}
		return err
	}
	body.Instruments = counted(body.All.Instruments)
	return p.show(w, r, "country", body)
}

// counted lists words with how often they occur, the most frequent first.
func counted(of map[string]int64) (out []figure) {
	words := slices.SortedFunc(maps.Keys(of), func(a, b string) int {
		if of[a] != of[b] {
			return int(of[b] - of[a])
		}
		return strings.Compare(a, b)
	})
	for _, w := range words {
		out = append(out, figureOf(w, of[w]))
	}
	return out
}

// cutJSON takes the ending of the JSON twin of a page off.
func cutJSON(name string) (string, bool) { return strings.CutSuffix(name, ".json") }
