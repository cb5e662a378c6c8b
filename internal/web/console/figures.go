package console

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"parley/internal/safety/decide"
	"parley/internal/safety/figures"
	"parley/internal/store"
	"parley/internal/web/plot"
)

// bar is a value as part of the most that it can be.
type bar struct {
	Label       string
	Value, Most int64
}

// Width is the bar's length in percent.
func (b bar) Width() int64 {
	if b.Most <= 0 {
		return 0
	}
	return min(100*max(b.Value, 0)/b.Most, 100)
}

// Full tells whether nothing is left.
func (b bar) Full() bool { return b.Value >= b.Most }

// figuresView is what the work amounts to.
type figuresView struct {
	Plots  []plot.Plot
	Queues []queueFigures
	Rules  []ruleFigures
	// Times are the medians of the official report forms.
	Times []timesFigures
	Days  int
}

// queueFigures are those of a lane.
type queueFigures struct {
	Lane              string
	Waiting, InReview string
	// Age is how long the case that is next has waited, Took the median time to a decision.
	Age, Took string
	bar
}

// ruleFigures are those of a rule in a language.
type ruleFigures struct {
	Reference, Lang string
	Count           int64
	// Precision and Reversal are shares in percent, "" when there is nothing to divide by.
	Precision, Reversal string
}

// timesFigures say how long something took; Key is its text.
type timesFigures struct {
	Key   string
	Count int64
	Took  string
}

// Bounds of the figures.
const (
	figureDays = 28
	// mostFigured is how many decisions are counted for a plot.
	mostFigured = 100_000
)

// percent writes a share; nothing when there is nothing to share.
func percent(share float64, known bool) string {
	if !known {
		return ""
	}
	return fmt.Sprintf("%.1f %%", 100*share)
}

// hours writes a median; nothing of nothing.
func hours(t figures.Times) string {
	if t.Count == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f h", t.Median)
}

// idAt is the smallest number of what was made at a time.
func idAt(t time.Time) int64 { return t.UnixMilli() << 20 }

// figures shows what the work amounts to.
func (c *Console) figures(v *visit) error {
	now := c.Clock.Now().UTC()
	from, to := now.Truncate(day).Add(-(figureDays-1)*day), now.Add(day)
	var body figuresView
	err := v.view(func(r *store.Reader) (err error) {
		body = figuresView{Days: figureDays}
		if body.Queues, err = queueFigure(r, from, to, now); err != nil {
			return err
		}
		if body.Rules, err = ruleFigure(r, from, to); err != nil {
			return err
		}
		if body.Times, err = timesFigure(r, from, to); err != nil {
			return err
		}
		list, err := r.DecisionsBetween(idAt(from), idAt(to), mostFigured)
		body.Plots = []plot.Plot{
			plot.Of(v.set.Text(v.r, "figures.decisions"), daily(list, from, false)),
			plot.Of(v.set.Text(v.r, "figures.lifted"), daily(list, from, true)),
		}
		return err
	})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "figures", body)
}

// daily counts decisions by the day on which they were made, or lifted.
func daily(list []store.Decision, from time.Time, lifted bool) []plot.Value {
	out := make([]plot.Value, figureDays)
	for i := range out {
		out[i].Label = from.Add(time.Duration(i) * day).Format(time.DateOnly)
	}
	for _, d := range list {
		at := d.Created
		if lifted {
			at = d.Ended
		}
		counts := lifted == (decide.State(d.State) == decide.Lifted) || !lifted
		i := int(time.Unix(at, 0).Sub(from) / day)
		if counts && at >= from.Unix() && i < figureDays {
			out[i].N++
		}
	}
	return out
}

// ruleFigure are the figures of all rules, those with the most hits first.
func ruleFigure(r *store.Reader, from, to time.Time) (out []ruleFigures, err error) {
	list, err := figures.Rules(r, from, to)
	figures.ByHits(list)
	for _, x := range list {
		out = append(out, ruleFigures{
			Reference: x.Reference, Lang: x.Lang, Count: x.Hits,
			Precision: percent(x.Precision()), Reversal: percent(x.ReversalRate()),
		})
	}
	return out, err
}

// timesFigure are the medians that the official forms ask for.
func timesFigure(r *store.Reader, from, to time.Time) ([]timesFigures, error) {
	notices, err := figures.OfNotices(r, from, to)
	if err != nil {
		return nil, err
	}
	people, notifiers, err := figures.OfComplaints(r, from, to)
	if err != nil {
		return nil, err
	}
	settlements, err := figures.OfSettlements(r, from, to)
	var out []timesFigures
	for _, x := range []struct {
		key string
		figures.Times
	}{
		{"figures.notices", notices.All}, {"figures.flagged", notices.Flagged},
		{"figures.people", people.Times}, {"figures.notifiers", notifiers.Times},
		{"figures.settlements", settlements.Times},
	} {
		out = append(out, timesFigures{Key: x.key, Count: x.Count, Took: hours(x.Times)})
	}
	return out, err
}

// queueFigure are the figures of all lanes.
func queueFigure(r *store.Reader, from, to, now time.Time) ([]queueFigures, error) {
	list, err := figures.Queues(r, from, to, now.Unix(), mostCounted)
	if err != nil {
		return nil, err
	}
	most := int64(1)
	for _, n := range list {
		most = max(most, n.Waiting)
	}
	var out []queueFigures
	for _, n := range list {
		f := queueFigures{
			Lane: n.Lane.String(), Waiting: bounded(n.Waiting), InReview: bounded(n.InReview),
			Took: hours(n.Decided), bar: bar{Value: n.Waiting, Most: most},
		}
		if n.Oldest > 0 {
			f.Age = age(time.Duration(n.Oldest) * time.Second)
		}
		out = append(out, f)
	}
	return out, nil
}

// age writes a time in its two largest units.
func age(d time.Duration) string {
	days, hours := int64(d/day), int64(d%day/time.Hour)
	if days > 0 {
		return fmt.Sprintf("%d d %d h", days, hours)
	}
	return strings.TrimSpace(fmt.Sprintf("%d h %d min", hours, int64(d%time.Hour/time.Minute)))
}
