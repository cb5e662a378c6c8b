package fleet

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// alias is the name under which an older release is installed beside others.
var alias = regexp.MustCompile(`^(gramjs|mtcute|teleproto)-\d+$`)

// TestVersions: the versions of the list are those that are installed.
func TestVersions(t *testing.T) {
	list, err := Clients()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../js/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct{ Version string }
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]bool)
	for _, c := range list {
		listed[c.Module] = true
		switch c.Name {
		case "gotd":
			path := filepath.Join("..", c.Module)
			if c.Module == "go.mod" {
				path = "../../../go.mod"
			}
			text, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(text), "/td v"+c.Version+"\n") &&
				!strings.Contains(string(text), "/td v"+c.Version+" ") {
				t.Errorf("%s does not require version %s: %v", c.Module, c.Version, err)
			}
		case "GramJS", "mtcute", "teleproto":
			if got := lock.Packages["node_modules/"+c.Module].Version; got != c.Version {
				t.Errorf("layer %d: %s %q is installed, listed is %q", c.Layer, c.Module, got,
					c.Version)
			}
		}
	}
	for path := range lock.Packages {
		name, _ := strings.CutPrefix(path, "node_modules/")
		if alias.MatchString(name) && !listed[name] {
			t.Errorf("%s is installed for nothing", name)
		}
	}
}

func TestList(t *testing.T) {
	const head = clientColumns + "\n"
	list, err := parse("# about\n" + head + "7\tA\t1\tm\tyes\t-\n7\tB\t2\tn\t-\tx y\n9\tC\t3\to\t-\t-\n")
	if err != nil || len(list) != 3 || len(list[1].Converses) != 2 || !list[0].Reads {
		t.Fatalf("%+v, %v", list, err)
	}
	if got := Claimed(list); len(got) != 1 || got[0] != 7 {
		t.Errorf("claimed are %v", got)
	}
	for _, text := range []string{
		"layer\n", head + "7\tA\n", head + "x\tA\t1\tm\t-\t-\n",
		head + "8\tA\t1\tm\t-\t-\n7\tA\t1\tm\t-\t-\n",
	} {
		if _, err := parse(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}
