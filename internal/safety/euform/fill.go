package euform

import (
	"slices"
	"strings"
	"time"

	"parley/internal/safety"
	"parley/internal/safety/figures"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/tally"
)

// filler fills rows in.
type filler struct {
	period   Period
	operator Operator
	counted  Counted
}

// common fills in what all rows of a part have in common.
func (f *filler) common(rows [][]string) {
	for _, row := range rows[1:] {
		row[1] = f.operator.Service
		if row[2] == periodForm {
			row[2] = f.period.String()
		}
	}
}

// summary fills in part 1.
func (f *filler) summary(rows [][]string) [][]string {
	values := []string{
		f.operator.Provider, f.operator.Published, f.operator.Previous,
		f.period.From.Format(time.DateOnly), f.period.To.Format(time.DateOnly),
	}
	for i, row := range rows[1:] {
		row[1], row[3] = f.operator.Service, values[i]
	}
	return rows
}

// names leaves part 2 as it is: the names of the categories.
func (f *filler) names(rows [][]string) [][]string { return rows }

// other describes the keyword "other" in a row, where anything is counted under it.
func (f *filler) other(row []string, column int, category string, counted bool) {
	if row[column] != otherForm {
		return
	}
	row[column] = ""
	if counted {
		row[column] = f.operator.Other[category]
	}
}

// orderColumns are where the numbers of part 3 begin, and the text about the items.
const (
	orderColumn  = 6
	orderContext = 13
)

// orders fills in part 3, for the Union and for each of its states.
func (f *filler) orders(rows [][]string) [][]string {
	out := [][]string{rows[0]}
	var union, state [][]string
	for _, row := range rows[1:] {
		if row[5] == total {
			union = append(union, row)
		} else {
			state = append(state, row)
		}
	}
	for _, scope := range append([]string{total}, MemberStates()...) {
		of := state
		if scope == total {
			of = union
		}
		for i, c := range codes(of, 3) {
			row := slices.Clone(of[i])
			row[5] = scope
			f.order(row, scope, c, of)
			out = append(out, row)
		}
	}
	f.common(out)
	return out
}

// order fills in a row of part 3.
func (f *filler) order(row []string, scope string, c [2]string, rows [][]string) {
	var act, inform tally.Orders
	for class, o := range f.counted.Tally.Orders {
		switch {
		case scope == total && !slices.Contains(MemberStates(), class.Country),
			scope != total && class.Country != scope,
			!matches(c, orderCode(class, rows)):
			continue
		}
		switch class.Instrument {
		case entry.ActOnContent:
			act.Merge(*o)
		case entry.GiveInformation:
			inform.Merge(*o)
		}
	}
	f.other(row, 4, c[0], act.Received+inform.Received > 0)
	at := row[orderColumn:]
	at[0], at[1] = number(act.Received), number(act.Items)
	at[2], at[3] = hours(act.Receipts.Hours()), hours(act.Effects.Hours())
	at[4] = number(inform.Received)
	at[5], at[6] = hours(inform.Receipts.Hours()), hours(inform.Effects.Hours())
	if act.Items > 0 {
		row[orderContext+1] = "Orders of more than one item are counted by the least number of a " +
			"band: 1, 5, 50, 250 or 1000."
	}
}

// orderCode is the row of part 3 under which an order counts.
func orderCode(c tally.OrderClass, rows [][]string) [2]string {
	return place(c.Category, c.Keyword, notSpecifiedOrder, codes(rows, 3))
}

// Categories of what was not said, in orders and in notices.
const (
	notSpecifiedOrder  = "STATEMENT_CATEGORY_NOT_SPECIFIED_ORDER"
	notSpecifiedNotice = string(safety.NotSpecified)
)

// narrower are keywords that some rows of the templates lack, and what they count under there.
var narrower = [...][2]string{
	{"KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL_DEEPFAKE", "KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL"},
}

// place is the row among some under which something counts: that of its category and keyword, of
// the category's keyword "other", or of what was not specified.
func place(category, keyword, unspecified string, among [][2]string) [2]string {
	if !slices.Contains(among, [2]string{category}) || category == "" {
		category = unspecified
	}
	if keyword != "" && slices.Contains(among, [2]string{category, keyword}) {
		return [2]string{category, keyword}
	}
	for _, n := range narrower {
		if n[0] == keyword && slices.Contains(among, [2]string{category, n[1]}) {
			return [2]string{category, n[1]}
		}
	}
	if other := [2]string{category, tally.OtherKeyword}; slices.Contains(among, other) {
		return other
	}
	return [2]string{category}
}

// matches tells whether something that counts under one row counts in another: in its own, in that
// of its category, and in the total.
func matches(row, of [2]string) bool {
	return row[0] == "" || row == of || row[1] == "" && row[0] == of[0]
}

// noticeColumn is where the numbers of part 4 begin.
const noticeColumn = 5

// notices fills in part 4.
func (f *filler) notices(rows [][]string) [][]string {
	all := codes(rows[1:], 3)
	for i, c := range all {
		var sum, flagged figures.NoticeCount
		for class, n := range f.counted.Form.Notices {
			if !matches(c, place(class.Category, class.Keyword, notSpecifiedNotice, all)) {
				continue
			}
			sum.Merge(*n)
			if class.Flagged {
				flagged.Merge(*n)
			}
		}
		row := rows[i+1]
		f.other(row, 4, c[0], sum.Notices > 0)
		at := row[noticeColumn:]
		at[0], at[1] = number(sum.Notices), number(flagged.Notices)
		at[2], at[3] = number(sum.Items), number(flagged.Items)
		at[4], at[5] = hours(sum.Took.Hours()), hours(flagged.Took.Hours())
		at[6], at[7] = number(sum.Illegal), number(flagged.Illegal)
		at[8], at[9] = number(sum.Terms), number(flagged.Terms)
	}
	f.common(rows)
	return rows
}

// measureColumn is where the numbers of parts 5 and 6 begin.
const measureColumn = 5

// restrictions are the words of the columns of parts 5 and 6 behind the first two.
var restrictions = [...][]string{
	{"DECISION_VISIBILITY_CONTENT_REMOVED"}, {"DECISION_VISIBILITY_CONTENT_DISABLED"},
	{"DECISION_VISIBILITY_CONTENT_DEMOTED"}, {"DECISION_VISIBILITY_CONTENT_AGE_RESTRICTED"},
	{"DECISION_VISIBILITY_CONTENT_INTERACTION_RESTRICTED"},
	{"DECISION_VISIBILITY_CONTENT_LABELLED"}, {"DECISION_VISIBILITY_OTHER"},
	{"DECISION_MONETARY_SUSPENSION"}, {"DECISION_MONETARY_TERMINATION"},
	{"DECISION_MONETARY_OTHER"},
	{"DECISION_PROVISION_PARTIAL_SUSPENSION", "DECISION_PROVISION_TOTAL_SUSPENSION"},
	{"DECISION_PROVISION_PARTIAL_TERMINATION", "DECISION_PROVISION_TOTAL_TERMINATION"},
	{"DECISION_ACCOUNT_SUSPENDED"}, {"DECISION_ACCOUNT_TERMINATED"},
}

// illegal fills in part 5, terms part 6.
func (f *filler) illegal(rows [][]string) [][]string {
	return f.measures(rows, safety.Illegal)
}

func (f *filler) terms(rows [][]string) [][]string {
	return f.measures(rows, safety.Incompatible)
}

// OwnInitiative tells whether what has a source was done at the provider's own initiative: without
// a notice under Article 16. A user's report in the client is no such notice.
func OwnInitiative(source string) bool {
	return source != string(safety.Article16) && source != string(safety.TrustedFlagger)
}

func (f *filler) measures(rows [][]string, ground safety.Ground) [][]string {
	all := codes(rows[1:], 3)
	for i, c := range all {
		var count, detected int64
		var columns [len(restrictions)]int64
		for class, m := range f.counted.Tally.Measures {
			if class.Ground != string(ground) || !OwnInitiative(class.Source) ||
				!matches(c, place(class.Category, class.Keyword, "", all)) {
				continue
			}
			count += m.Count
			detected += m.Detected
			for k, words := range restrictions {
				for _, word := range words {
					columns[k] += m.Restrictions[word]
				}
			}
		}
		row := rows[i+1]
		f.other(row, 4, c[0], count > 0)
		at := row[measureColumn:]
		at[0], at[1] = number(count), number(detected)
		for k, n := range columns {
			at[2+k] = number(n)
		}
	}
	f.common(rows)
	return rows
}

// texts fills in part 11.
func (f *filler) texts(rows [][]string) [][]string {
	for i, row := range rows[1:] {
		row[4] = ""
		if i < forAll || f.operator.VeryLarge {
			row[4] = f.operator.Texts[TextNames()[i]]
		}
	}
	f.common(rows)
	return rows
}

// spread replaces rows that stand for a list by one for each of its words: first, the rest, last.
func spread(rows [][]string, column int, words []string) (out [][]string) {
	for i := 0; i < len(rows); i++ {
		row := rows[i]
		if i+2 < len(rows) && strings.Contains(rows[i+1][column], restForm) &&
			row[column] == words[0] {
			for _, word := range words {
				one := slices.Clone(row)
				one[column] = word
				out = append(out, one)
			}
			i += 2
			continue
		}
		out = append(out, row)
	}
	return out
}
