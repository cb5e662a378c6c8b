package config

import (
	"slices"
	"strings"
)

// nearest returns the known name that is most like name, or "" when none is near. A name that
// differs only in its section is near.
func nearest(name string, known []string) string {
	slices.Sort(known)
	best, bestCost := "", 3+len(name)/8
	for _, candidate := range known {
		cost := distance(strings.ToLower(name), strings.ToLower(candidate))
		if last(name) == last(candidate) {
			cost = min(cost, 2)
		}
		if cost < bestCost {
			best, bestCost = candidate, cost
		}
	}
	return best
}

// last returns what follows the last dot.
func last(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// distance returns how many letters must be inserted, removed or replaced to turn a into b.
//
// https://en.wikipedia.org/wiki/Levenshtein_distance
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
