package conversation

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/test/clients/fleet"
)

// python is Debian's, whose packages include Telethon.
const python = "/usr/bin/python3"

// kind is a client of the fleet over one transport.
type kind struct {
	client    fleet.Client
	transport string
	command   []string
}

// String names the kind in the names of tests.
func (k kind) String() string {
	return fmt.Sprintf("%s %s %s", k.client.Name, k.client.Version, k.transport)
}

// kinds are all clients of the fleet that converse, over each of their transports.
func kinds(t *testing.T) []kind {
	t.Helper()
	list, err := fleet.Clients()
	if err != nil {
		t.Fatal(err)
	}
	var out []kind
	for _, c := range list {
		if len(c.Converses) == 0 {
			continue
		}
		command := command(t, c)
		for _, transport := range c.Converses {
			out = append(out, kind{c, transport, command})
		}
	}
	return out
}

// command is what runs the driver of a client. The test is skipped where the client is not
// installed.
func command(t *testing.T, c fleet.Client) []string {
	t.Helper()
	switch c.Name {
	case "gotd":
		return []string{buildGotd(t, c)}
	case "Telethon":
		version, err := exec.Command(python, "-c",
			"import telethon; print(telethon.__version__, end='')").Output()
		if err != nil {
			t.Skip("python3-telethon is not installed: run make packages")
		}
		if string(version) != c.Version {
			t.Errorf("Telethon %s is installed, listed is %s", version, c.Version)
		}
		return []string{python, "../telethon/driver.py"}
	}
	scripts := map[string]string{
		"telegram": "gramjs.mjs", "@mtcute/core": "mtcute.mjs", "@mtcute/web": "browser.mjs",
	}
	script := scripts[c.Module]
	if script == "" {
		t.Fatalf("no driver of %s", c.Module)
	}
	needed := []string{"node"}
	if c.Module == "@mtcute/web" {
		needed = append(needed, "chromium")
	}
	for _, program := range needed {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed: run make packages", program)
		}
	}
	if _, err := os.Stat(filepath.Join("../js/node_modules", c.Module)); err != nil {
		t.Skipf("the npm package %s is not installed: run make packages", c.Module)
	}
	return []string{"node", filepath.Join("../js", script)}
}

// buildGotd builds the driver against one release of the library.
func buildGotd(t *testing.T, c fleet.Client) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "driver")
	// The types are one package, whose compilation takes gigabytes: one at a time.
	args := []string{"build", "-p=1", "-o", out}
	if c.Module != "go.mod" {
		file, err := filepath.Abs(filepath.Join("..", c.Module))
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, "-modfile="+file, fmt.Sprintf("-tags=layer%d", c.Layer))
	}
	cmd := exec.Command("go", append(args, "../gotd/driver")...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("gotd %s: %v\n%s", c.Version, err, text)
	}
	return out
}

// TestConversations lets each client, over each of its transports, take either part once. Who meets
// whom is half-way round the list, which is by layer: an old client always meets a new one.
func TestConversations(t *testing.T) {
	ring := kinds(t)
	for i, first := range ring {
		second := ring[(i+len(ring)/2)%len(ring)]
		t.Run(fmt.Sprintf("%s with %s", first, second), func(t *testing.T) {
			newConversation(t, first, second).run()
		})
	}
}

// TestWrongSecret tries a proxy by a secret that is not the server's.
func TestWrongSecret(t *testing.T) {
	list, err := fleet.Clients()
	if err != nil {
		t.Fatal(err)
	}
	const transport = "mtproxy"
	i := slices.IndexFunc(list, func(c fleet.Client) bool {
		return slices.Contains(c.Converses, transport)
	})
	if i < 0 {
		t.Fatal("no client of the list speaks to proxies")
	}
	k := kind{list[i], transport, command(t, list[i])}
	a := newConversation(t, k, k).a
	err = a.try("connect", a.route("dd"+strings.Repeat("5", 32), 1), nil)
	if err == nil || !strings.Contains(err.Error(), "Connection to Telegram failed") {
		t.Errorf("by a wrong secret %s finds: %v", k, err)
	}
	a.connect(t)
}
