package access

import (
	"net/http"

	"parley/internal/safety/market"
	"parley/internal/web/page"
)

// marketLine is a change of a country as the register shows it, the newest first.
type marketLine struct {
	Country string
	State   market.State
	// At is in Unix seconds.
	At  int64
	Why string
}

// register shows where the service is not offered, since when, and why.
func (p *Pages) register(w http.ResponseWriter, r *http.Request) error {
	all, err := p.markets(r.Context())
	if err != nil {
		return err
	}
	var lines []marketLine
	for _, m := range all {
		for i := len(m.Changes) - 1; i >= 0; i-- {
			c := m.Changes[i]
			lines = append(lines, marketLine{string(m.Country), c.State, c.At.Unix(), c.Why})
		}
	}
	return p.set.Render(w, r, http.StatusOK, "markets", lines)
}

// registerJSON is the register for machines, byte for byte as the public log has it.
func (p *Pages) registerJSON(w http.ResponseWriter, r *http.Request) error {
	all, err := p.markets(r.Context())
	if err != nil {
		return err
	}
	body, err := market.Public(all)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return page.ErrNotFound
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(body)
	return err
}
