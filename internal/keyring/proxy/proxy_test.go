package proxy_test

import (
	"crypto/rand"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"parley/internal/keyring/proxy"
)

// TestRotate makes secrets: the newest has no end, those before are accepted for a time, and then
// forgotten.
func TestRotate(t *testing.T) {
	dir := t.TempDir()
	f := proxy.In(dir)
	now := time.Unix(1_800_000_000, 0)
	if all, err := f.All(); err != nil || len(all) != 0 {
		t.Fatalf("a file that is not there: %v, %v", all, err)
	}
	rotate := func(domain string, grace time.Duration) proxy.Secret {
		t.Helper()
		s, err := f.Rotate(domain, now, grace, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	accepted := func(want ...proxy.Secret) {
		t.Helper()
		got, err := f.Accepted(now)
		if err != nil || len(got) != len(want) {
			t.Fatalf("accepted are %v, %v", got, err)
		}
		for i := range want {
			if got[i].Hex != want[i].Hex {
				t.Errorf("%d is %s", i, got[i].Hex)
			}
		}
	}
	first := rotate("www.example.org", time.Hour)
	if first.Domain() != "www.example.org" {
		t.Errorf("it pretends to visit %q", first.Domain())
	}
	accepted(first)
	second := rotate("cdn.example.net", time.Hour)
	accepted(second, first)
	now = now.Add(30 * time.Minute)
	third := rotate("www.example.org", time.Hour)
	accepted(third, second, first)
	now = now.Add(30 * time.Minute)
	accepted(third, second)
	last := rotate("www.example.org", 0)
	accepted(last)
	now = now.Add(1000 * time.Hour)
	accepted(last)
	for _, bad := range []string{"", "a b", "http://x", "x/y"} {
		if _, err := f.Rotate(bad, now, 0, rand.Reader); !errors.Is(err, proxy.ErrDomain) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if list, _ := os.ReadDir(dir); len(list) != 1 {
		t.Errorf("%d files are left", len(list))
	}
	info, err := os.Stat(filepath.Join(dir, "proxy.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestBroken reads no file that it did not write, and keeps it.
func TestBroken(t *testing.T) {
	dir := t.TempDir()
	at := filepath.Join(dir, "proxy.json")
	for _, text := range []string{"{", `[{"secret":"zz"}]`} {
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := proxy.In(dir).Rotate("www.example.org", time.Now(), 0, rand.Reader)
		if b, _ := os.ReadFile(at); err == nil || string(b) != text {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestLinks has server, port and secret as clients read them.
func TestLinks(t *testing.T) {
	l := proxy.LinkTo("2001:db8::7", 443, "ee00")
	for _, at := range []string{l.App, l.Web} {
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		if q.Get("server") != "2001:db8::7" || q.Get("port") != "443" || q.Get("secret") != "ee00" {
			t.Errorf("%s", at)
		}
	}
}
