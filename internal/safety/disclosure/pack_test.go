package disclosure

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"parley/internal/safety/order"
	"parley/internal/safety/personal"
	"parley/internal/safety/policy"
	"parley/internal/safety/recipient"
)

func sample() Content {
	return Content{Accounts: []Account{{
		Item: 1, Location: "1001", Person: 1001,
		Records: []personal.Record{
			{Class: policy.Subscriber, Of: "users", Fields: []personal.Field{
				{Name: "phone", Value: "1"}, {Name: "username", Value: "u"},
			}},
			{Class: policy.Logins, Of: "authorizations", Fields: []personal.Field{
				{Name: "ip", Value: "192.0.2.1"},
			}},
			{Class: policy.Logins, Of: "authorizations", Fields: []personal.Field{
				{Name: "ip", Value: "192.0.2.2"},
			}},
		},
	}}}
}

// TestNoPackageWithoutItsLine packs nothing for whoever cannot show that the line of the public log
// is written, nor with the proof of another order.
func TestNoPackageWithoutItsLine(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	key, err := recipient.Parse(id.Recipient().String())
	if err != nil {
		t.Fatal(err)
	}
	p, err := pack(order.Logged{}, parcel{order: 5, content: sample()}, key, time.Time{})
	if !errors.Is(err, order.ErrUnlogged) || p.body != nil {
		t.Errorf("packed %d bytes: %v", len(p.body), err)
	}
	if (order.Logged{}).Valid(0) {
		t.Error("no proof is a proof of nothing")
	}
}

func TestStrike(t *testing.T) {
	for _, c := range []struct {
		x    Strike
		left string
		err  error
	}{
		{Strike{Item: 1, Class: policy.Logins, Record: 2, Reason: "r"}, "1 u 192.0.2.1", nil},
		{Strike{Item: 1, Class: policy.Logins, Reason: "r"}, "1 u", nil},
		{Strike{Item: 1, Class: policy.Subscriber, Field: "phone", Reason: "r"},
			"u 192.0.2.1 192.0.2.2", nil},
		{Strike{Item: 2, Class: policy.Logins, Reason: "r"}, "", ErrNoPath},
		{Strike{Item: 1, Class: policy.Logins, Record: 3, Reason: "r"}, "", ErrNoPath},
		{Strike{Item: 1, Class: policy.Logins, Field: "phone", Reason: "r"}, "", ErrNoPath},
		{Strike{Item: 1, Class: policy.Messages, Reason: "r"}, "", ErrNoPath},
	} {
		content := sample()
		err := content.strike([]Strike{c.x})
		if !errors.Is(err, c.err) {
			t.Errorf("%+v: %v", c.x, err)
		}
		if err != nil {
			continue
		}
		var left []string
		for _, r := range content.Accounts[0].Records {
			for _, f := range r.Fields {
				left = append(left, f.Value)
			}
		}
		if got := strings.Join(left, " "); got != c.left {
			t.Errorf("%+v: left %q, want %q", c.x, got, c.left)
		}
		text := content.text()
		if !strings.Contains(text, "Struck out") {
			t.Errorf("%+v: the text does not say so", c.x)
		}
	}
}

// TestManifest is checked by the program that everybody has.
func TestManifest(t *testing.T) {
	program, err := exec.LookPath("sha256sum")
	if err != nil {
		t.Skip("no sha256sum")
	}
	list, err := parcel{
		heading: heading{Service: "s"}, content: sample(),
		files: []file{{"files/ab", []byte("bytes")}},
	}.write()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "files"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, f := range append(list, file{Manifest, sums(list)}) {
		if err := os.WriteFile(filepath.Join(dir, f.name), f.body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func() error {
		cmd := exec.Command(program, "--strict", "-c", Manifest)
		cmd.Dir = dir
		return cmd.Run()
	}
	if err := check(); err != nil {
		t.Errorf("as it was packed: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data.txt"), []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if check() == nil {
		t.Error("an altered file passed")
	}
}
