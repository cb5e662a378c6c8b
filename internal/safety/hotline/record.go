package hotline

import (
	"slices"

	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/casefile"
	"parley/internal/safety/intake"
	"parley/internal/store"
)

const (
	// RecordDays is how far back a record and the times of the lane count, in days.
	RecordDays = 180
	// recordMost bounds how many items they are computed from.
	recordMost = 100_000
	day        = 24 * 60 * 60
)

// Record is how the word of an agency has held.
type Record struct {
	// Decided is how many items ended; the others count them by how they did.
	Decided, Upheld, Partly, Rejected, Unfounded int64
	// Reversed is how many have another outcome now than at first, because of a complaint.
	Reversed int64
}

// Rejections is the part that led to nothing, in thousandths; 0 of nothing.
func (x Record) Rejections() int64 {
	if x.Decided == 0 {
		return 0
	}
	return (x.Rejected + x.Unfounded) * 1000 / x.Decided
}

func (x *Record) count(i Item) {
	x.Decided++
	switch casefile.Outcome(i.Outcome) {
	case casefile.Upheld:
		x.Upheld++
	case casefile.Partly:
		x.Partly++
	case casefile.Unfounded:
		x.Unfounded++
	default:
		x.Rejected++
	}
	if i.First != i.Outcome {
		x.Reversed++
	}
}

// Lane is what an agency was promised for a category, and what it took in truth.
type Lane struct {
	Category safety.Category
	// Promised is within how many seconds an item is to be decided: what the queue is ordered by.
	Promised int64
	// Median and P90 are within how many seconds half and nine tenths of Decided items were.
	Median, P90, Decided int64
	// Late is how many of them took longer than promised.
	Late int64
}

// Figures are an agency's record and its lane's times, over the last RecordDays days.
type Figures struct {
	Record Record
	Lanes  []Lane
}

// FiguresOf computes the figures of an agency at a time: from its own items, of which each counts
// from when it was received.
func FiguresOf(r *store.Reader, of agency.Agency, now int64) (out Figures, err error) {
	items, err := readAll(r.DecidedHotlineItems(of.ID, now-RecordDays*day, 0, recordMost))
	if err != nil {
		return out, err
	}
	took := make(map[safety.Category][]int64)
	late := make(map[safety.Category]int64)
	for _, i := range items {
		out.Record.count(i)
		seconds := i.Decided - i.Created
		took[i.Category] = append(took[i.Category], seconds)
		if seconds > i.Promised(of.Kind) {
			late[i.Category]++
		}
	}
	for _, c := range safety.Categories() {
		l := Lane{Category: c, Promised: Promised(of.Kind, c, ""), Late: late[c]}
		if list := took[c]; len(list) > 0 {
			slices.Sort(list)
			l.Decided = int64(len(list))
			l.Median, l.P90 = quantile(list, 50), quantile(list, 90)
		}
		out.Lanes = append(out.Lanes, l)
	}
	return out, nil
}

// Promised is within how many seconds an item of a kind of agency is to be decided: what its lane
// gives to such notices, and what the queue is ordered by.
func Promised(k agency.Kind, c safety.Category, w safety.Keyword) int64 {
	clock := casefile.ClockOf(intake.LaneOf(c, w, sourceOf(k)))
	if k == agency.TrustedFlagger {
		return clock.Flagged
	}
	return clock.Notice
}

// Promised is within how many seconds the item of a kind of agency is to be decided: as anybody's
// notice, where the agency had no lane as it reported it.
func (i Item) Promised(k agency.Kind) int64 {
	if i.Ordinary {
		k = agency.Organisation
	}
	return Promised(k, i.Category, i.Keyword)
}

// quantile is the least number of a sorted list that so many of a hundred do not exceed.
func quantile(list []int64, of int) int64 {
	return list[max((len(list)*of+99)/100, 1)-1]
}
