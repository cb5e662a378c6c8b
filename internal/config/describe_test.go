package config

import (
	"bytes"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
)

// manual is the copy of WriteDefault's output that operators read.
const manual = "../../docs/operate/parley.toml"

var update = flag.Bool("update", false, "rewrite "+manual)

func defaultFile(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := WriteDefault(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestDefaultFileParsesBackToTheDefaults(t *testing.T) {
	l := newLoader()
	*l.config = Config{}
	l.readTOML("parley.toml", defaultFile(t))
	if len(l.problems) > 0 {
		t.Fatal(l.problems)
	}
	for _, f := range fieldsOf(l.config) {
		if l.where[f.key] == "" {
			t.Errorf("%s is missing from the file", f.key)
		}
	}
	got, want := *l.config, Default()
	// The file cannot tell an empty list from none.
	want.Advertise, want.Origins, want.MTProxy.Secrets = []string{}, []string{}, []Secret{}
	want.MTProxy.Listen = []string{}
	want.Contact.Languages, want.Contact.Disputes = []string{}, []string{}
	want.Transparency.CanaryKeys = []string{}
	want.OnCall.People = []Callee{}
	want.Crime.Authorities = []Authority{}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestManualIsCurrent(t *testing.T) {
	want := defaultFile(t)
	if *update {
		if err := os.WriteFile(manual, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the code says; run: go test ./internal/config -update", manual)
	}
}

func TestEverySettingIsDescribed(t *testing.T) {
	settings, err := Describe()
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]string)
	for _, s := range settings {
		_, name := cutSection(s.Key)
		if !strings.HasPrefix(s.Doc, name+" ") || !strings.HasSuffix(s.Doc, ".") {
			t.Errorf("%s: doc %q does not begin with its name and end with a full stop", s.Key, s.Doc)
		}
		for _, outside := range []string{s.Key, s.Env, s.Flag} {
			if other, taken := seen[outside]; taken && outside != "" {
				t.Errorf("%s and %s are both called %s", other, s.Key, outside)
			}
			seen[outside] = s.Key
		}
	}
	for section := range strings.SplitSeq(string(defaultFile(t)), "\n[") {
		if before, _, _ := strings.Cut(section, "]"); strings.Contains(before, "\n") {
			continue
		}
		if !strings.Contains(section, "# ") {
			t.Errorf("section %q has no comment", section)
		}
	}
}

func TestFileLinesAreNarrow(t *testing.T) {
	for line := range strings.Lines(string(defaultFile(t))) {
		if len(line) > 100 {
			t.Errorf("%d characters: %s", len(line), line)
		}
		if strings.TrimSpace(line) == "#" {
			t.Errorf("an empty comment, so a section or setting has no doc")
		}
	}
}
