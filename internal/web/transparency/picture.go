package transparency

import (
	"net/http"
	"slices"
	"strings"

	"parley/internal/safety/disclose"
	"parley/internal/tlog/report"
	"parley/internal/web/page"
	"parley/internal/web/plot"
)

// pictured is the figure of a topic that its picture shows, and the picture's title.
func pictured(t disclose.Topic, f report.Figures) (n int64, title string) {
	switch t {
	case disclose.ChildSafety:
		return f.Banned.ChildSafety, "Groups and channels banned for child abuse, by day"
	case disclose.Terrorism:
		return f.Banned.Terrorism, "Groups and channels banned for terrorism, by day"
	default:
		return f.Decisions, "Decisions by day"
	}
}

// Picture is the plot of a topic's figure over the days up to one, as a PNG, from the reports in
// the directory of a log. It is in the language of the daily posts. page.ErrNotFound says that
// there is no report of that day.
func Picture(dir, day string, t disclose.Topic) ([]byte, error) {
	p := &Pages{Rooms: Rooms{Log: Log{Dir: dir}}}
	days, err := p.days()
	if err != nil {
		return nil, err
	}
	at := slices.Index(days, day)
	if at < 0 {
		return nil, page.ErrNotFound
	}
	days = days[at:min(at+shown, len(days))]
	_, title := pictured(t, report.Figures{})
	var values []plot.Value
	for _, day := range slices.Backward(days) {
		r, err := p.read(day)
		if err != nil {
			return nil, err
		}
		n, _ := pictured(t, r.Today)
		values = append(values, plot.Value{Label: r.Day, N: n})
	}
	return plot.Of(title, values).PNG()
}

// pictureSuffix is that of the address of a report's picture.
const pictureSuffix = ".png"

// picture serves the picture of a day's report.
func (p *Pages) picture(w http.ResponseWriter, r *http.Request, day string) error {
	b, err := Picture(p.Log.Dir, strings.TrimSuffix(day, pictureSuffix), disclose.All)
	if err != nil {
		return err
	}
	p.public(w)
	p.Site.Bytes(w, r, http.StatusOK, "image/png", b)
	return nil
}
