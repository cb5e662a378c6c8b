package euform

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Problem is something that a report must not have.
type Problem struct {
	// Part is its number, Row the row's, from 2 on, as a spreadsheet counts; 0 for all of the part.
	Part, Row int
	What      string
}

// String is the problem with its place.
func (p Problem) String() string {
	if p.Row == 0 {
		return fmt.Sprintf("part %d: %s", p.Part, p.What)
	}
	return fmt.Sprintf("part %d, row %d: %s", p.Part, p.Row, p.What)
}

// countColumns are the columns of each part whose numbers add up.
var countColumns = map[int][]int{
	3: {6, 7, 10}, 4: {5, 6, 7, 8, 11, 12, 13, 14},
	5: {5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20},
	6: {5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20},
}

// medianColumns are those that have hours.
var medianColumns = map[int][]int{3: {8, 9, 11, 12}, 4: {9, 10}}

// Check reads a report as a stranger does and says what is wrong with it: forms, sums, bounds. It
// knows the cells alone, and not what they were filled from.
func Check(r Report) (out []Problem) {
	forms, err := forms()
	if err != nil || len(r.Parts) != Parts {
		return []Problem{{What: fmt.Sprintf("%d parts of %d", len(r.Parts), Parts)}}
	}
	for i, part := range r.Parts {
		n := i + 1
		if part.Name != forms[i].Name || len(part.Rows) < 2 ||
			!slices.Equal(part.Rows[0], forms[i].Rows[0]) {
			out = append(out, Problem{Part: n, What: "is not the official form"})
			continue
		}
		out = append(out, cells(n, part.Rows)...)
		if countColumns[n] != nil {
			out = append(out, sums(n, part.Rows)...)
		}
	}
	if len(out) == 0 {
		out = append(out, across(r)...)
	}
	return out
}

// cells checks each cell by itself.
func cells(n int, rows [][]string) (out []Problem) {
	for i, row := range rows {
		bad := func(what string, args ...any) {
			out = append(out, Problem{n, i + 1, fmt.Sprintf(what, args...)})
		}
		if len(row) != len(rows[0]) {
			bad("has %d cells of %d", len(row), len(rows[0]))
			continue
		}
		for _, cell := range row {
			switch {
			case utf8.RuneCountInString(cell) > textMost:
				bad("has a text of more than %d characters", textMost)
			case i > 0 && (cell == periodForm || cell == otherForm ||
				strings.Contains(cell, restForm) || cell == "Free text" || cell == "Text"):
				bad("has %q, which is to be filled in", cell)
			}
		}
		if i == 0 {
			continue
		}
		for _, c := range countColumns[n] {
			if x, err := strconv.ParseInt(row[c], 10, 64); err != nil || x < 0 {
				bad("%q is no count: %s", row[c], rows[0][c])
			}
		}
		for _, c := range medianColumns[n] {
			if x, err := strconv.ParseFloat(row[c], 64); row[c] != "" && (err != nil || x < 0) {
				bad("%q is no time in hours: %s", row[c], rows[0][c])
			}
		}
		if n == 7 || n == 8 {
			indicators(row, bad)
		}
	}
	return out
}

// indicators checks the value of a row of parts 7 and 8: a share, a time, or a count.
func indicators(row []string, bad func(string, ...any)) {
	indicator, scope, cell := row[4], strings.TrimSpace(row[5]), row[6]
	x, err := strconv.ParseFloat(cell, 64)
	switch {
	case strings.Contains(indicator, "Accuracy") || strings.HasPrefix(scope, "Percentage"):
		if cell != "" && (err != nil || x < 0 || x > 1) {
			bad("%q is no share from 0 to 1", cell)
		}
	case scope == "Median time":
		if cell != "" && (err != nil || x < 0) {
			bad("%q is no time in hours", cell)
		}
	case cell == "" && len(scope) == 2:
		// By language: very large platforms alone.
	default:
		if _, err := strconv.ParseInt(cell, 10, 64); err != nil || x < 0 {
			bad("%q is no count", cell)
		}
	}
}

// sums checks that keywords add up to their category, and categories to the total, in each scope;
// and that "other" says what it is where it counts something.
func sums(n int, rows [][]string) (out []Problem) {
	for first := 1; first < len(rows); {
		last := first + 1
		for last < len(rows) && rows[last][3] != total {
			last++
		}
		block := rows[first:last]
		all := codes(block, 3)
		for _, c := range countColumns[n] {
			out = append(out, sumColumn(n, first, block, all, c, rows[0][c])...)
		}
		for i, code := range all {
			counted := slices.ContainsFunc(countColumns[n], func(c int) bool {
				return block[i][c] != "0"
			})
			if code[1] == "KEYWORD_OTHER" && counted && strings.TrimSpace(block[i][4]) == "" {
				out = append(out, Problem{n, first + i + 1, "other." + code[0] + " is missing"})
			}
		}
		first = last
	}
	return out
}

// sumColumn checks the sums of one column of a scope.
func sumColumn(
	n, first int, block [][]string, all [][2]string, c int, header string,
) (out []Problem) {
	value := func(i int) int64 {
		x, err := strconv.ParseInt(block[i][c], 10, 64)
		if err != nil {
			return -1 // named already
		}
		return x
	}
	var categories int64
	keywords, has := map[string]int64{}, map[string]bool{}
	for i, code := range all {
		switch {
		case code[0] == "":
		case code[1] == "":
			categories += value(i)
		default:
			keywords[code[0]] += value(i)
			has[code[0]] = true
		}
	}
	for i, code := range all {
		want := categories
		if code[0] != "" {
			want = keywords[code[0]]
		}
		if code[1] != "" || code[0] != "" && !has[code[0]] || value(i) == want {
			continue
		}
		out = append(out, Problem{n, first + i + 1, fmt.Sprintf(
			"%s has %s, and its parts add up to %d: %s", block[i][3], block[i][c], want, header)})
	}
	return out
}

// across checks what parts say of each other.
func across(r Report) (out []Problem) {
	own := func(part int) int64 {
		n, _ := strconv.ParseInt(r.Parts[part-1].Rows[1][measureColumn], 10, 64)
		return n
	}
	var automated int64
	for _, row := range r.Parts[7].Rows[1:] {
		if strings.TrimSpace(row[5]) == "Own-initiative" &&
			strings.HasPrefix(row[4], "Number of measures") {
			n, _ := strconv.ParseInt(row[6], 10, 64)
			automated += n
		}
	}
	if own(5)+own(6) != automated {
		out = append(out, Problem{8, 0, fmt.Sprintf("%d measures at own initiative, and parts 5 "+
			"and 6 have %d", automated, own(5)+own(6))})
	}
	// The scopes of part 3 add up to the Union.
	for _, c := range countColumns[3] {
		var union, states int64
		for _, row := range r.Parts[2].Rows[1:] {
			n, _ := strconv.ParseInt(row[c], 10, 64)
			switch {
			case row[3] != total:
			case row[5] == total:
				union += n
			default:
				states += n
			}
		}
		if union != states {
			out = append(out, Problem{3, 0, fmt.Sprintf(
				"%d in the Union, and its states have %d: %s", union, states,
				r.Parts[2].Rows[0][c])})
		}
	}
	days := []string{}
	for _, row := range r.Parts[0].Rows[1:] {
		days = append(days, row[3])
	}
	for i, day := range days[1:] {
		if _, err := time.Parse(time.DateOnly, day); err != nil && (day != "" || i != 1) {
			out = append(out, Problem{1, i + 3, fmt.Sprintf("%q is no day", day)})
		}
	}
	if len(out) == 0 && (days[3] > days[4] || days[1] <= days[4]) {
		out = append(out, Problem{1, 0, "the days of the period and of publication are not " +
			"in order"})
	}
	return out
}
