package console

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/store"
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

// Sizes of a plot in units of its own coordinates.
const (
	plotWidth, plotHeight = 640, 180
	plotLeft, plotBottom  = 40, 24
)

// plot is a row of columns over time, as coordinates of a picture.
type plot struct {
	Title         string
	Width, Height int
	Columns       []column
	// Lines are the values of the grid, from the bottom.
	Lines []gridLine
	// Base is where the columns stand.
	Base int
}

// column is one value of a plot.
type column struct {
	X, Y, Width, Height int
	Label               string
	Value               int64
	// Marked tells that its label is written below.
	Marked bool
}

type gridLine struct {
	Y     int
	Value int64
}

// series is a value for each of some labels.
type series struct {
	labels []string
	values []int64
}

// plotOf draws a series.
func plotOf(title string, s series) plot {
	p := plot{Title: title, Width: plotWidth, Height: plotHeight, Base: plotHeight - plotBottom}
	top := int64(1)
	for _, n := range s.values {
		top = max(top, n)
	}
	room := p.Base - 10
	for _, share := range []int64{1, 2} {
		value := (top*share + 1) / 2
		p.Lines = append(p.Lines, gridLine{p.Base - int(int64(room)*value/top), value})
	}
	step := float64(plotWidth-plotLeft) / float64(max(len(s.values), 1))
	for i, n := range s.values {
		h := int(int64(room) * n / top)
		p.Columns = append(p.Columns, column{
			X: plotLeft + int(float64(i)*step), Y: p.Base - h, Width: max(int(step)-2, 1),
			Height: h, Label: s.labels[i], Value: n, Marked: i%7 == 0,
		})
	}
	return p
}

// figuresView is what the work amounts to.
type figuresView struct {
	Plots  []plot
	Queues []queueFigures
	Rules  []ruleFigures
	Days   int
}

// queueFigures are those of a lane.
type queueFigures struct {
	Lane              string
	Waiting, InReview string
	// Age is how long the case that is next has waited.
	Age string
	bar
}

// ruleFigures are those of a rule in a language.
type ruleFigures struct {
	Reference, Lang string
	Count           int64
	// Precision and Reversal are shares in percent, "" when there is nothing to divide by.
	Precision, Reversal string
}

// Bounds of the figures.
const (
	figureDays = 28
	// mostFigured is how many decisions are counted for a plot.
	mostFigured = 100_000
)

// percent writes a part of a whole.
func percent(part, whole int64) string {
	if whole == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}

// idAt is the smallest number of what was made at a time.
func idAt(t time.Time) int64 { return t.UnixMilli() << 20 }

// figures shows what the work amounts to.
func (c *Console) figures(v *visit) error {
	body := figuresView{Days: figureDays}
	now := c.Clock.Now().UTC()
	from := now.Truncate(day).Add(-(figureDays - 1) * day)
	err := v.view(func(r *store.Reader) error {
		var err error
		if body.Queues, err = queueFigure(r, now); err != nil {
			return err
		}
		hits, err := r.DecisionHits(idAt(from), idAt(now.Add(day)))
		if err != nil {
			return err
		}
		body.Rules = nil
		for _, h := range hits {
			body.Rules = append(body.Rules, ruleFigures{
				Reference: h.Reference, Lang: h.Lang, Count: h.Count,
				Precision: percent(h.Right, h.Right+h.Wrong),
				Reversal:  percent(h.Lifted, h.Count),
			})
		}
		list, err := r.DecisionsBetween(idAt(from), idAt(now.Add(day)), mostFigured)
		body.Plots = []plot{
			plotOf(v.set.Text(v.r, "figures.decisions"), daily(list, from, false)),
			plotOf(v.set.Text(v.r, "figures.lifted"), daily(list, from, true)),
		}
		return err
	})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "figures", body)
}

// daily counts decisions by the day on which they were made, or lifted.
func daily(list []store.Decision, from time.Time, lifted bool) series {
	var s series
	for i := range figureDays {
		s.labels = append(s.labels, from.Add(time.Duration(i)*day).Format(time.DateOnly))
		s.values = append(s.values, 0)
	}
	for _, d := range list {
		at := d.Created
		if lifted {
			at = d.Ended
		}
		counts := lifted == (decide.State(d.State) == decide.Lifted) || !lifted
		i := int(time.Unix(at, 0).Sub(from) / day)
		if counts && at >= from.Unix() && i < figureDays {
			s.values[i]++
		}
	}
	return s
}

// queueFigure are the figures of all lanes.
func queueFigure(r *store.Reader, now time.Time) ([]queueFigures, error) {
	counts, err := casefile.Counts(r, mostCounted)
	if err != nil {
		return nil, err
	}
	most := int64(1)
	for _, n := range counts {
		most = max(most, n.Waiting)
	}
	var out []queueFigures
	for _, n := range counts {
		f := queueFigures{
			Lane: n.Lane.String(), Waiting: bounded(n.Waiting), InReview: bounded(n.InReview),
			bar: bar{Value: n.Waiting, Most: most},
		}
		if n.Oldest != 0 {
			f.Age = age(now.Sub(time.Unix(n.Oldest, 0)))
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
