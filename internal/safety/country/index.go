package country

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/language"
)

// Subject is what an index measures.
type Subject string

// What indices measure.
const (
	RuleOfLaw    Subject = "rule-of-law"
	PressFreedom Subject = "press-freedom"
)

// Series is an index of countries that the operator has imported.
type Series struct {
	Of Subject `toml:"of"`
	// Name is what its makers call it, Source where it can be read, Licence by what it may be used.
	Name    string `toml:"name"`
	Source  string `toml:"source"`
	Licence string `toml:"licence"`
	// Values are the newest value of each country, scaled so that 0 is the worst and 1 the best.
	Values map[Code]Index `toml:"values"`
}

// Columns say how to read a table of an index.
type Columns struct {
	// Country has codes of ISO 3166-1, two or three letters; Year may be empty if no column has it.
	Country, Year, Value string
	// Worst and Best are the ends of the scale.
	Worst, Best float64
	// Fixed is the year of all rows where no column has it.
	Fixed int
}

// maxTable bounds a table of an index, in bytes: V-Dem's whole data set has several hundred MiB, of
// which the few columns that are needed are a small part.
const maxTable = 64 << 20

// ErrNoValues says that a table has no value for any country.
var ErrNoValues = errors.New("country: no row has a country, a year and a value")

// ReadCSV reads the values of an index from a table with a line of headings. Rows about what is no
// country, and rows without a value, are skipped; of several years the newest counts.
//
// https://www.rfc-editor.org/rfc/rfc4180
func ReadCSV(from io.Reader, c Columns) (map[Code]Index, error) {
	if c.Best == c.Worst {
		return nil, errors.New("country: the scale of an index needs two different ends")
	}
	r := csv.NewReader(io.LimitReader(from, maxTable))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("country: line 1: %w", err)
	}
	at, err := c.find(head)
	if err != nil {
		return nil, err
	}
	out := make(map[Code]Index)
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("country: %w", err)
		}
		line, _ := r.FieldPos(0)
		code, index, ok, err := c.row(row, at)
		if err != nil {
			return nil, fmt.Errorf("country: line %d: %w", line, err)
		}
		if old, has := out[code]; ok && (!has || old.Year < index.Year) {
			out[code] = index
		}
	}
	if len(out) == 0 {
		return nil, ErrNoValues
	}
	return out, nil
}

// find is where the columns for country, year and value are; -1 for no year.
func (c Columns) find(head []string) (at [3]int, err error) {
	if len(head) > 0 {
		head[0] = strings.TrimPrefix(head[0], "\ufeff")
	}
	for i, name := range []string{c.Country, c.Year, c.Value} {
		at[i] = slices.Index(head, name)
		if at[i] < 0 && (i != 1 || name != "") {
			return at, fmt.Errorf("country: line 1: there is no column %q", name)
		}
	}
	return at, nil
}

// row reads a row; ok is false when it is about no country or has no value.
func (c Columns) row(row []string, at [3]int) (code Code, x Index, ok bool, err error) {
	if len(row) <= slices.Max(at[:]) {
		return "", x, false, errors.New("it has too few columns")
	}
	region, err := language.ParseRegion(row[at[0]])
	if code = Code(region.String()); err != nil || !code.Valid() || row[at[2]] == "" {
		return "", x, false, nil
	}
	x.Year = c.Fixed
	if at[1] >= 0 {
		if x.Year, err = strconv.Atoi(row[at[1]]); err != nil {
			return "", x, false, fmt.Errorf("%q is no year", row[at[1]])
		}
	}
	value, err := strconv.ParseFloat(row[at[2]], 64)
	if err != nil {
		return "", x, false, nil
	}
	x.Value = (value - c.Worst) / (c.Best - c.Worst)
	if math.IsNaN(x.Value) || x.Value < 0 || x.Value > 1 {
		return "", x, false, fmt.Errorf("%v lies outside of the scale from %v to %v",
			value, c.Worst, c.Best)
	}
	return code, x, true, nil
}

// imported is the file of imported indices.
type imported struct {
	Series []Series `toml:"series"`
}

// ReadSeries reads the file that WriteSeries wrote.
func ReadSeries(text []byte) ([]Series, error) {
	var file imported
	d := toml.NewDecoder(bytes.NewReader(text))
	if err := d.DisallowUnknownFields().Decode(&file); err != nil {
		return nil, fmt.Errorf("country: imported indices: %w", err)
	}
	for _, s := range file.Series {
		if s.Of != RuleOfLaw && s.Of != PressFreedom {
			return nil, fmt.Errorf("country: imported indices: there is no subject %q", s.Of)
		}
		for code, x := range s.Values {
			if !code.Valid() || math.IsNaN(x.Value) || x.Value < 0 || x.Value > 1 {
				return nil, fmt.Errorf("country: imported indices: %s: %q is wrong", s.Of, code)
			}
		}
	}
	return file.Series, nil
}

// LoadSeries reads a file of imported indices; one that is missing has none.
func LoadSeries(file string) ([]Series, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("country: imported indices: %w", err)
	}
	all, err := ReadSeries(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return all, nil
}

// WriteSeries writes indices down.
func WriteSeries(all []Series) ([]byte, error) { return toml.Marshal(imported{all}) }
