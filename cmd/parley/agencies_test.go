package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// field is what a command printed behind a name.
func field(t *testing.T, out, name string) string {
	t.Helper()
	for l := range strings.Lines(out) {
		if value, ok := strings.CutPrefix(l, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("no %s in %q", name, out)
	return ""
}

// TestAgencyByCommand lets an agency and its officer in without a browser: each step says what comes
// next, links are whole addresses, and who or what does not exist is named.
func TestAgencyByCommand(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	do := func(args ...string) string {
		t.Helper()
		status, out, errs := line(t, append(append([]string{"admin"}, args...), "--data", data)...)
		if status != 0 {
			t.Fatalf("%v: %d %s", args, status, errs)
		}
		return out
	}
	fails := func(want string, args ...string) {
		t.Helper()
		status, _, errs := line(t, append(append([]string{"admin"}, args...), "--data", data)...)
		if status == 0 || !strings.Contains(errs, want) {
			t.Errorf("%v: %d %q lacks %q", args, status, errs, want)
		}
	}
	for _, name := range []string{"anna", "boris"} {
		link := field(t, do("staff", "add", name, "--role", "lead"), "enrolment")
		if !strings.Contains(link, "/enrol?token=") {
			t.Errorf("staff enrol at %q", link)
		}
	}
	propose := []string{"agency", "propose", "Federal Office", "--country", "DE", "--lang", "de",
		"--kind", "court", "--official", "A; Head", "--official", "B; Desk",
		"--agreement", strings.Repeat("0", 64), "--as"}
	fails(`nobody of the staff is called "carla"`, append(propose, "carla")...)
	fails(`--lang must be one of "en","ru"`, append(propose, "anna", "--lang", "hu")...)
	out := do(append(propose, "anna")...)
	if !strings.Contains(field(t, out, "next"), "verify") {
		t.Errorf("after the proposal: %q", out)
	}
	number := field(t, out, "agency")
	call := func(agency, source string) []string {
		return []string{"agency", "verify", agency, "+49 30 0000000", "--source", source,
			"--where", "register, page 3", "--spoke", "B, desk", "--as", "anna", "--apply"}
	}
	fails("there is no agency 5", call("5", "register")...)
	fails("--source must be one of", call(number, "letterhead")...)
	if got := field(t, do(call(number, "register")...), "state"); got != "called" {
		t.Errorf("called: %s", got)
	}
	fails("another person", "agency", "approve", number, "--as", "anna", "--apply")
	do("agency", "approve", number, "--as", "boris", "--apply")
	out = do("agency", "officer", number, "Officer One", "--as", "anna", "--apply")
	if link := field(t, out, "link"); !strings.Contains(link, "/officer/enrol?token=") {
		t.Errorf("officers enrol at %q", link)
	}
	officer := field(t, out, "officer")
	fails("has no officer 7", "agency", "approve-officer", number, "7", "--as", "boris", "--apply")
	do("agency", "approve-officer", number, officer, "--as", "boris", "--apply")
	out = do("agency", "reset", number, officer, "lost it", "--as", "boris", "--apply")
	if link := field(t, out, "link"); !strings.Contains(link, "/officer/enrol?token=") {
		t.Errorf("who begins anew enrols at %q", link)
	}
}

// TestMarketByCommand: where nothing was changed the list says so, and a word that is no state is named.
func TestMarketByCommand(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if status, out, errs := line(t, "admin", "market", "--data", data); status != 0 ||
		!strings.Contains(out, "every country is open") {
		t.Errorf("%d %q %q", status, out, errs)
	}
	if status, _, errs := line(t, "admin", "market", "FR", "closed", "--data", data); status == 0 ||
		!strings.Contains(errs, `"closed" is no state`) {
		t.Errorf("%d %q", status, errs)
	}
}
