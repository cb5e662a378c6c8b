package report

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"parley/internal/tlog/entry"
)

// Book is what the entries of a log add up to. It is fed all of them, in order.
type Book struct {
	// Log is the log's origin.
	Log string

	days    map[string]*tally
	entries int64
	// last is the day of the last report, empty before the first.
	last string
	// was has the figures, as last published, of days that changed since the last report.
	was map[string]Figures
}

// NewBook returns the book of a log that has no entries yet.
func NewBook(origin string) *Book {
	return &Book{Log: origin, days: map[string]*tally{}, was: map[string]Figures{}}
}

// Entries is how many entries the book was fed.
func (b *Book) Entries() int64 { return b.entries }

// Last is the day of the last report in the log, empty before the first.
func (b *Book) Last() string { return b.last }

// Days are the days of which there are entries, in order.
func (b *Book) Days() []string { return slices.Sorted(maps.Keys(b.days)) }

// Add feeds the book the next entry. That of a report closes its day; ErrOrder says that it does
// not follow the one before.
func (b *Book) Add(e entry.Entry) error {
	if e.Kind == entry.Report {
		if err := b.close(e); err != nil {
			return err
		}
		b.entries++
		return nil
	}
	if e.Kind == entry.Publication {
		b.entries++ // its day is the document's own, which may be long ago or yet to come
		return nil
	}
	t := b.days[e.Day]
	if t == nil {
		t = newTally()
		b.days[e.Day] = t
	}
	if _, known := b.was[e.Day]; !known && e.Day <= b.last {
		b.was[e.Day] = t.figures()
	}
	t.add(e)
	b.entries++
	return nil
}

// close ends a day by the entry of its report.
func (b *Book) close(e entry.Entry) error {
	if e.Items != b.entries {
		return fmt.Errorf("%w: the report of %s is of %d entries, and %d stand before it",
			ErrOrder, e.Day, e.Items, b.entries)
	}
	if b.last != "" {
		next, err := Next(b.last)
		if err != nil {
			return err
		}
		if e.Day != next {
			return fmt.Errorf("%w: the report of %s follows that of %s", ErrOrder, e.Day, b.last)
		}
	}
	b.last = e.Day
	clear(b.was)
	return nil
}

// Report is the report of a day, of all entries that the book was fed so far.
func (b *Book) Report(day string) (Report, error) {
	r := Report{V: Version, Day: day, Log: b.Log, Entries: b.entries}
	today, sum := newTally(), newTally()
	for d, t := range b.days {
		if month(d) == month(day) && d <= day {
			sum.merge(t)
		}
	}
	if t := b.days[day]; t != nil {
		today = t
	}
	r.Today, r.Month = today.figures(), sum.figures()
	for _, d := range slices.Sorted(maps.Keys(b.was)) {
		list, err := differences(b.was[d], b.days[d].figures())
		if err != nil {
			return r, err
		}
		for _, c := range list {
			c.Day = d
			r.Corrections = append(r.Corrections, c)
		}
	}
	return r, nil
}

// Figure is one figure by its name: the path of its JSON members, joined by dots.
type Figure struct{ Name, Value string }

// Flat lists figures by name, in the order of their names.
func (f Figures) Flat() ([]Figure, error) {
	m, err := flat(f)
	if err != nil {
		return nil, err
	}
	out := make([]Figure, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, Figure{k, m[k]})
	}
	return out, nil
}

// Differences lists the figures in which two reports of one day differ.
func Differences(was, is Report) ([]Correction, error) {
	a, err := flat(was)
	if err != nil {
		return nil, err
	}
	b, err := flat(is)
	if err != nil {
		return nil, err
	}
	return compare(a, b), nil
}

func differences(was, is Figures) ([]Correction, error) {
	a, err := flat(was)
	if err != nil {
		return nil, err
	}
	b, err := flat(is)
	if err != nil {
		return nil, err
	}
	return compare(a, b), nil
}

func compare(was, is map[string]string) (out []Correction) {
	names := maps.Clone(was)
	maps.Copy(names, is)
	for _, k := range slices.Sorted(maps.Keys(names)) {
		if was[k] != is[k] {
			out = append(out, Correction{Figure: k, Was: was[k], Is: is[k]})
		}
	}
	return out
}

// flat lists the members of a JSON object by their paths.
func flat(v any) (map[string]string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("report: encode: %w", err)
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, fmt.Errorf("report: decode: %w", err)
	}
	out := map[string]string{}
	walk(out, "", tree)
	return out, nil
}

func walk(out map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			walk(out, strings.TrimPrefix(path+"."+k, "."), x)
		}
	case []any:
		for i, x := range v {
			walk(out, fmt.Sprintf("%s.%d", path, i), x)
		}
	default:
		out[path] = fmt.Sprint(v)
	}
}
