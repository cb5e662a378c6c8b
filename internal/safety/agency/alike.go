package agency

import (
	"slices"
	"strings"
	"unicode"

	"github.com/mtibben/confusables"
	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"parley/internal/store"
)

// editLeast is from how many characters on a name that differs by one of them is no chance.
const editLeast = 5

// Alike returns the mail domain of those known that a domain is made to be taken for: one that
// looks the same, is one slip of a finger away, has another end, or wears the whole known domain
// inside of its own. It is "" for a known domain, for what lies below one, and for what resembles
// none. That a domain resembles one proves nothing, nor does that it does not.
//
// https://www.unicode.org/reports/tr39/#Confusable_Detection
func Alike(domain string, known []string) string {
	own := readable(domain)
	if own == "" {
		return ""
	}
	like := ""
	for _, k := range known {
		k = readable(k)
		switch {
		case k == "":
		case own == k || strings.HasSuffix(own, "."+k):
			return ""
		case like == "" && alike(own, k):
			like = k
		}
	}
	return like
}

// alike tells whether one domain is made to be taken for another, different one.
func alike(a, b string) bool {
	wa, wb := dashed(a), dashed(b)
	if strings.Contains("-"+wa+"-", "-"+wb+"-") && strings.Contains(wb, "-") {
		return true // bka-bund-de.example, bka.bund.de.example
	}
	na, ea := registered(a)
	nb, eb := registered(b)
	sa, sb := skeleton(na), skeleton(nb)
	if sa == "" || sb == "" {
		return false // nobody registered it
	}
	if ea != eb || sa != sb {
		return sa == sb || ea == eb && long(sb) && oneEdit(sa, sb)
	}
	return na != nb // of the same registrant otherwise: the state's, or the town's
}

// AlikeName returns the one of the names known, other than itself, that a name is made to be taken
// for, or "". Spaces, marks and capitals count for nothing.
func AlikeName(name string, known []string) string {
	own := letters(name)
	for _, k := range known {
		if strings.EqualFold(name, k) || own == "" {
			continue
		}
		if x := letters(k); own == x || long(x) && oneEdit(own, x) {
			return k
		}
	}
	return ""
}

// Names are what known agencies can be recognised by, suspended ones' as well.
type Names struct {
	// Domains are the mail domains that they say they have.
	Domains []string
	// Of are their names in each country.
	Of map[string][]string
}

// NamesOf reads the names of all agencies.
func NamesOf(r *store.Reader) (Names, error) {
	n := Names{Of: make(map[string][]string)}
	for after := int64(0); ; {
		list, err := All(r, after, most)
		if err != nil {
			return Names{}, err
		}
		for _, a := range list {
			n.Domains = append(n.Domains, a.Domains...)
			n.Of[a.Country] = append(n.Of[a.Country], a.Name)
			after = a.ID
		}
		if len(list) < most {
			return n, nil
		}
	}
}

// resembled says which of them an agency that is proposed could be taken for, "" for none.
func (n Names) resembled(by Agency) string {
	if like := AlikeName(by.Name, n.Of[by.Country]); like != "" {
		return like
	}
	for _, d := range by.Domains {
		if like := Alike(d, n.Domains); like != "" {
			return like
		}
	}
	return ""
}

// readable is a domain as people read it, in lower case; "" for what is none.
func readable(domain string) string {
	domain = strings.Trim(strings.ToLower(strings.TrimSpace(domain)), ".@")
	if u, err := idna.ToUnicode(domain); err == nil {
		domain = strings.ToLower(u)
	}
	if !strings.Contains(domain, ".") {
		return ""
	}
	return domain
}

// registered splits a domain into the label that its registrant chose and what stands behind it.
func registered(domain string) (label, end string) {
	end, _ = publicsuffix.PublicSuffix(domain)
	label = strings.TrimSuffix(strings.TrimSuffix(domain, end), ".")
	return label[strings.LastIndexByte(label, '.')+1:], end
}

// dashed is how a domain looks with dashes for its dots.
func dashed(domain string) string { return strings.ReplaceAll(skeleton(domain), ".", "-") }

// skeleton is the same for what looks the same.
func skeleton(s string) string { return strings.ToLower(confusables.Skeleton(s)) }

// letters is what of a name is compared.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, skeleton(strings.ToLower(name)))
}

func long(s string) bool { return len([]rune(s)) >= editLeast }

// oneEdit tells whether two different texts are one character apart: another one, one more, one
// less, or two exchanged.
func oneEdit(a, b string) bool {
	x, y := []rune(a), []rune(b)
	for len(x) > 0 && len(y) > 0 && x[0] == y[0] {
		x, y = x[1:], y[1:]
	}
	for len(x) > 0 && len(y) > 0 && x[len(x)-1] == y[len(y)-1] {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	if len(x) == 2 && len(y) == 2 {
		slices.Reverse(x)
		return slices.Equal(x, y)
	}
	return len(x) <= 1 && len(y) <= 1 && len(x)+len(y) > 0
}
