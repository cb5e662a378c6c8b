package tidy

import (
	"go/ast"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// dutiesLedger is the hand-written list of duties of the protocol, lawLedger of legal ones.
const (
	dutiesLedger = "spec/mtproto.tsv"
	lawLedger    = "spec/law.tsv"
)

// duties are the ids that the ledger must have: each kind with its numbers, both included.
var duties = []struct {
	kind        string
	first, last int
}{
	{"T", 1, 28}, {"T", 31, 37}, {"T", 51, 59}, {"H", 1, 29}, {"D", 1, 33}, {"P", 1, 4}, {"S", 1, 6},
	{"E", 1, 3}, {"L", 1, 5},
}

// states are what can be said of a duty, and whether it needs a reason, code and a test.
var states = map[string]struct{ reason, code, test bool }{
	"met":     {code: true, test: true},
	"partly":  {reason: true, code: true},
	"refused": {reason: true, code: true},
	"later":   {reason: true},
}

func TestDuties(t *testing.T) {
	seen := checkLedger(t, dutiesLedger)
	for _, want := range wanted() {
		if !seen[want] {
			t.Errorf("%s lacks %s", dutiesLedger, want)
		}
		delete(seen, want)
	}
	for id := range seen {
		t.Errorf("%s has %s, which is no duty", dutiesLedger, id)
	}
}

// law are the articles that the ledger of legal duties must have, whole or by paragraph.
var law = []string{"8", "9", "10", "11", "12", "13", "14", "16", "17", "18", "20", "21", "22", "23", "24"}

func TestLegalDuties(t *testing.T) {
	articles := make(map[string]bool)
	for id := range checkLedger(t, lawLedger) {
		article, _, _ := strings.Cut(strings.TrimPrefix(id, "DSA-"), "(")
		articles[article] = true
	}
	for _, article := range law {
		if !articles[article] {
			t.Errorf("%s lacks article %s of the DSA", lawLedger, article)
		}
	}
}

// checkLedger holds the rows of a ledger to the sources and returns their ids.
func checkLedger(t *testing.T, name string) map[string]bool {
	t.Helper()
	r := repository(t)
	tests := r.tests()
	seen := make(map[string]bool)
	for _, row := range table(t, r.texts[name], 6) {
		id, duty, status, code, test, reason := row[0], row[1], row[2], row[3], row[4], row[5]
		if seen[id] {
			t.Errorf("%s stands twice", id)
		}
		seen[id] = true
		needs, ok := states[status]
		switch {
		case !ok:
			t.Errorf("%s: there is no status %q", id, status)
		case duty == "", needs.reason && reason == "", needs.code && code == "",
			needs.test && test == "":
			t.Errorf("%s: a duty that is %s needs its words, and more than is there", id, status)
		}
		for _, at := range strings.Fields(code) {
			if !slices.ContainsFunc([]string{"internal/", "test/"}, func(top string) bool {
				_, err := os.Stat(root + "/" + top + at)
				return err == nil
			}) {
				t.Errorf("%s names %s, which does not exist", id, at)
			}
		}
		for _, at := range strings.Fields(test) {
			if !tests["internal/"+at] && !tests["test/"+at] {
				t.Errorf("%s names test %s, which does not exist", id, at)
			}
		}
	}
	return seen
}

// wanted are the ids of all duties.
func wanted() []string {
	var out []string
	for _, d := range duties {
		for n := d.first; n <= d.last; n++ {
			number := strconv.Itoa(n)
			if n < 10 {
				number = "0" + number
			}
			out = append(out, d.kind+"-"+number)
		}
	}
	return out
}

// tests are the tests of the repository as folder/name.
func (r *tree) tests() map[string]bool {
	out := make(map[string]bool)
	for _, s := range r.sources {
		if !s.test {
			continue
		}
		for _, decl := range s.file.Decls {
			if d, ok := decl.(*ast.FuncDecl); ok && d.Recv == nil && isTest(d.Name.Name) {
				out[s.dir+"/"+d.Name.Name] = true
			}
		}
	}
	return out
}

// table returns the rows of a tab-separated text without its comments and its heading.
func table(t *testing.T, text string, columns int) [][]string {
	t.Helper()
	var rows [][]string
	heading := true
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		if heading {
			heading = false
			continue
		}
		row := strings.Split(line, "\t")
		if len(row) != columns {
			t.Fatalf("line %d has %d columns, not %d", i+1, len(row), columns)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		t.Fatal("the ledger is empty")
	}
	return rows
}
