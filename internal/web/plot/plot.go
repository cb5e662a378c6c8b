// Package plot places the columns and lines of a small picture, which the template "plot" of
// web/page draws, and PNG for where there is no page.
package plot

// Sizes of a plot in units of its own coordinates.
const (
	width, height = 640, 180
	left, bottom  = 40, 24
	// air is above the highest column.
	air = 10
	// broadest is the width of a column where there are few.
	broadest = 48
	// markEvery is for how many columns one label is written.
	markEvery = 7
)

// Plot is a row of columns over time.
type Plot struct {
	Title         string
	Width, Height int
	Columns       []Column
	// Lines are those of the grid, from the top.
	Lines []Line
	// Base is where the columns stand.
	Base int
}

// Column is one value of a plot.
type Column struct {
	X, Y, Width, Height int
	Label               string
	Value               int64
	// Marked tells that its label is written below.
	Marked bool
}

// Line is a line of the grid and the value that it stands for.
type Line struct {
	Y     int
	Value int64
}

// Value is a value with its label.
type Value struct {
	Label string
	N     int64
}

// Of places values, none of which is negative.
func Of(title string, values []Value) Plot {
	p := Plot{Title: title, Width: width, Height: height, Base: height - bottom}
	top := int64(1)
	for _, v := range values {
		top = max(top, v.N)
	}
	room := p.Base - air
	for _, share := range []int64{2, 1} {
		value := (top*share + 1) / 2
		p.Lines = append(p.Lines, Line{p.Base - int(int64(room)*value/top), value})
	}
	step := float64(width-left) / float64(max(len(values), 1))
	for i, v := range values {
		h := int(int64(room) * v.N / top)
		p.Columns = append(p.Columns, Column{
			X: left + int(float64(i)*step), Y: p.Base - h,
			Width: min(max(int(step)-2, 1), broadest), Height: h,
			Label: v.Label, Value: v.N, Marked: i%markEvery == 0,
		})
	}
	return p
}
