package euform

import (
	"slices"
	"strconv"
	"strings"

	"parley/internal/safety"
	"parley/internal/safety/figures"
	"parley/internal/tlog/tally"
)

// The beginnings of indicators of part 7, and what the complaints are about of which they are.
var complaintRows = [...]struct {
	begins string
	about  []tally.Complaint
}{
	{"Number of complaints submitted", []tally.Complaint{
		tally.AboutVisibility, tally.AboutService, tally.AboutAccount, tally.AboutNotice,
		tally.AboutFlagged, tally.AboutReport,
	}},
	{"Complaint regarding a decision to remove", []tally.Complaint{tally.AboutVisibility}},
	{"Complaint regarding a decision to suspend or terminate the provision",
		[]tally.Complaint{tally.AboutService}},
	{"Complaint regarding a decision to suspend or terminate an account",
		[]tally.Complaint{tally.AboutAccount}},
	{"Complaint regarding a decision to restrict the ability to monetise", nil},
	{"Complaint regarding a decision not to take action on a notice submitted in",
		[]tally.Complaint{tally.AboutNotice}},
	{"Complaint regarding a decision not to take action on a notice submitted by",
		[]tally.Complaint{tally.AboutFlagged}},
}

// appeals fills in part 7.
func (f *filler) appeals(rows [][]string) [][]string {
	form := f.counted.Form
	for _, row := range rows[1:] {
		indicator, scope := row[4], strings.TrimSpace(row[5])
		switch {
		case strings.HasPrefix(indicator, "Number of restrictions newly imposed"):
			row[6] = number(form.NewlyImposed)
		case strings.HasPrefix(indicator, "Number of disputes"):
			row[6] = outcome(form.Settlements, scope)
		case strings.Contains(indicator, "manifestly illegal content"):
			row[6] = number(f.suspended())
			row[7] = "Suspensions of accounts on the ground of illegal content."
		case strings.Contains(indicator, "manifestly unfounded notices"):
			row[6] = number(form.SuspendedNotifiers)
		case strings.Contains(indicator, "manifestly unfounded complaints"):
			row[6] = number(0)
			row[7] = "The service does not suspend the processing of complaints."
		default:
			for _, c := range complaintRows {
				if strings.HasPrefix(indicator, c.begins) {
					row[6] = outcome(sum(form.Complaints, c.about), scope)
				}
			}
		}
	}
	f.common(rows)
	return rows
}

// sum adds up complaints about several things.
func sum(of map[tally.Complaint]*figures.Complaints, about []tally.Complaint) figures.Complaints {
	var out figures.Complaints
	for _, a := range about {
		if c := of[a]; c != nil {
			out.Merge(*c)
		}
	}
	return out
}

// outcome is the figure of a scope.
func outcome(c figures.Complaints, scope string) string {
	switch scope {
	case "Total number":
		return number(c.Total)
	case "Decisions upheld":
		return number(c.Upheld)
	case "Decisions partially reversed":
		return number(c.Partly)
	case "Decisions reversed":
		return number(c.Reversed)
	case "Median time":
		return hours(c.Took.Hours())
	case "Decision omitted":
		return number(c.Omitted)
	case "Percentage of outcomes implemented":
		return share(c.Implemented, c.Upheld+c.Partly+c.Reversed)
	default:
		return ""
	}
}

// suspended is how many accounts were suspended because of illegal content.
func (f *filler) suspended() (n int64) {
	for class, m := range f.counted.Tally.Measures {
		if strings.HasSuffix(class.Ground, "_ILLEGAL_CONTENT") {
			n += m.Restrictions["DECISION_ACCOUNT_SUSPENDED"]
		}
	}
	return n
}

// automated fills in part 8. What the log has of accuracy is the precision of what machines decided
// alone: the share that was right of those that people looked at again. Other shares are the
// operator's, if he measured any.
func (f *filler) automated(rows [][]string) [][]string {
	out := [][]string{rows[0]}
	var forms [][]string
	for _, row := range rows[1:] {
		scope := strings.TrimSpace(row[5])
		a, known := f.automation(scope)
		if !known {
			forms = append(forms, row)
			continue
		}
		row[6] = a.figure(row[4])
		out = append(out, row)
	}
	for _, language := range Languages() {
		done := map[string]bool{}
		for _, form := range forms {
			if done[form[4]] {
				continue
			}
			done[form[4]] = true
			row := slices.Clone(form)
			row[5], row[6] = language, ""
			if f.operator.VeryLarge {
				row[6] = f.inLanguage(language).figure(form[4])
			}
			out = append(out, row)
		}
	}
	f.common(out)
	return out
}

// automation is what machines did, and how well.
type automation struct {
	count, automated int64
	// shares are accuracy, precision and recall as they are written.
	shares map[string]string
}

// figure is the figure of an indicator.
func (a automation) figure(indicator string) string {
	indicator = strings.TrimSpace(indicator)
	for _, share := range [...]string{"Accuracy", "Precision", "Recall"} {
		if strings.HasSuffix(indicator, "- "+share) {
			return a.shares[strings.ToLower(share)]
		}
	}
	if strings.Contains(indicator, " solely ") {
		return number(a.automated)
	}
	return number(a.count - a.automated)
}

// automation is what machines did in a scope of part 8; false for a scope that is a language.
func (f *filler) automation(scope string) (a automation, known bool) {
	name := map[string]string{
		"Total number": "all", "Own-initiative": "own", "NAM Total": "notices",
		"NAM Trusted Flagger": "flagged",
	}[scope]
	within := func(source string) bool {
		switch name {
		case "own":
			return OwnInitiative(source)
		case "notices":
			return !OwnInitiative(source)
		case "flagged":
			return source == string(safety.TrustedFlagger)
		default:
			return true
		}
	}
	if name == "all" || name == "own" {
		for class, m := range f.counted.Tally.Measures {
			if within(class.Source) {
				a.count += m.Count
				a.automated += m.Automated
			}
		}
	} else {
		for class, n := range f.counted.Form.Notices {
			if class.Flagged || name == "notices" {
				a.count += n.Decided
				a.automated += n.Automated
			}
		}
	}
	var right, reviewed int64
	for source, r := range f.counted.Tally.Reviews {
		if within(source) {
			right += r.Right
			reviewed += r.Right + r.Wrong
		}
	}
	a.shares = f.shares(name)
	if reviewed > 0 {
		a.shares["precision"] = share(right, reviewed)
	}
	return a, name != ""
}

// inLanguage is what machines did about content in a language.
func (f *filler) inLanguage(language string) automation {
	a := automation{shares: f.shares(language)}
	if l := f.counted.Tally.Languages[strings.ToUpper(language)]; l != nil {
		a.count, a.automated = l.Count, l.Automated
	}
	return a
}

// shares are what the operator measured of a scope.
func (f *filler) shares(name string) map[string]string {
	out := map[string]string{}
	for _, share := range [...]string{"accuracy", "precision", "recall"} {
		if x, ok := f.operator.Accuracy[name+"."+share]; ok {
			out[share] = strconv.FormatFloat(x, 'f', 4, 64)
		}
	}
	return out
}

// people fills in part 9, for very large platforms.
func (f *filler) people(rows [][]string) [][]string {
	rows = spread(rows, 5, Languages())
	all := 0.0
	for _, language := range Languages() {
		all += f.operator.Moderators[language]
	}
	for _, row := range rows[1:] {
		if !f.operator.VeryLarge {
			continue
		}
		n := f.operator.Moderators[row[5]]
		switch {
		case strings.Contains(row[4], "internal"):
			n = f.operator.Moderators["internal"]
		case strings.Contains(row[4], "external"):
			n = f.operator.Moderators["external"]
		case row[5] == "Total number":
			n = all
		}
		row[6] = strconv.FormatFloat(n, 'f', -1, 64)
	}
	f.common(rows)
	return rows
}

// recipients fills in part 10, for very large platforms.
func (f *filler) recipients(rows [][]string) [][]string {
	rows = spread(rows, 5, MemberStates())
	var all int64
	for _, n := range f.operator.Recipients {
		all += n
	}
	for _, row := range rows[1:] {
		switch {
		case !f.operator.VeryLarge:
		case row[5] == total:
			row[6] = number(all)
		default:
			row[6] = number(f.operator.Recipients[row[5]])
		}
	}
	f.common(rows)
	return rows
}
