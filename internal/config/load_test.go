package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/limit"
)

// machine is the network of the machine in tests.
var machine = []netip.Addr{
	netip.MustParseAddr("127.0.0.1"),
	netip.MustParseAddr("fe80::1%eth0"),
	netip.MustParseAddr("10.0.0.7"),
	netip.MustParseAddr("2001:db8::7"),
	netip.MustParseAddr("192.0.2.7"),
}

// inFile writes a configuration file named parley.toml and returns its path.
func inFile(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "parley.toml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustLoad(t testing.TB, sources Sources) Config {
	t.Helper()
	if sources.Addresses == nil {
		sources.Addresses = machine
	}
	config, err := Load(sources)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func TestDefaultsAreComplete(t *testing.T) {
	got := mustLoad(t, Sources{})
	want := Default()
	want.Advertise = []string{"192.0.2.7:4430"}
	want.Web.PublicURL = "http://127.0.0.1:8080"
	want.Console.PublicURL = "http://localhost:4433"
	want.Console.MediaURL = "http://127.0.0.1:4433"
	want.Store.URL = "sqlite:parley-data/parley.db"
	want.Blob.URL = "dir:parley-data/blobs"
	want.DSA.Directory = "parley-data/dsa"
	want.CyberTip.Directory = "parley-data/cybertip"
	want.Policy.Indices = "parley-data/countries.toml"
	want.Keyring.Dir = "parley-data"
	want.Codes.File = "parley-data/login-codes.jsonl"
	want.Registration.Mode = Open
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestDefaultsExposeOnlyTheClientPort(t *testing.T) {
	c := mustLoad(t, Sources{})
	for _, address := range []string{c.Web.Listen, c.Inner.Listen, c.Console.Listen} {
		if where := netip.MustParseAddrPort(address); !where.Addr().IsLoopback() {
			t.Errorf("%s is open to the network", address)
		}
	}
}

func TestLaterSourcesOverrideEarlierOnes(t *testing.T) {
	file := inFile(t, `
		dc = 3
		data = "from-file"
		listen = ["127.0.0.1:1", "127.0.0.1:2"]
		[log]
		level = "debug"
	`)
	c := mustLoad(t, Sources{
		Env: []string{
			"HOME=/root", "PARLEY_CONFIG=" + file, "PARLEY_TEST_POSTGRES=postgres://127.0.0.1/x",
			"PARLEY_DATA=from-env", "PARLEY_LOG_LEVEL=warn", "PARLEY_WEB_TRUSTED_PROXIES=",
		},
		Flags: map[string]string{
			"data": "from-flag", "web": "127.0.0.1:9", "limits.messages": "1/1s", "demo": "true",
		},
	})
	if c.DC != 3 || c.Data != "from-flag" || c.Log.Level != LevelWarn ||
		c.Web.Listen != "127.0.0.1:9" || c.Limits.Messages != (limit.Rate{Burst: 1, Per: time.Second}) || !c.Demo ||
		len(c.Web.TrustedProxies) != 0 || c.Store.URL != "sqlite:from-flag/parley.db" ||
		!slices.Equal(c.Listen, []string{"127.0.0.1:1", "127.0.0.1:2"}) {
		t.Errorf("got %+v", c)
	}
}

func TestAllOfAFile(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "store-url")
	url := []byte("postgres://parley:geheim@db/parley\r\n")
	if err := os.WriteFile(secret, url, 0o600); err != nil {
		t.Fatal(err)
	}
	c := mustLoad(t, Sources{File: inFile(t, `
		dc = 1_0 # ten, which the environment corrects
		listen = ["0.0.0.0:443", ":80", "[2001:db8::7]:443"]
		web = { listen = "127.0.0.1:1", public_url = "https://chat.example.org" }
		store.url = "file:`+secret+`"
		[blob]
		url = "s3://name:geheim@s3.example.org/bucket?prefix=chat/"
		[registration]
		mode = "invite"
		[codes]
		sender = "smtp"
		[smtp]
		server = "mail.example.org:587"
		from = "Chat <chat@example.org>"
		[mtproxy]
		secrets = ["0123456789abcdef0123456789abcdef", "dd0123456789abcdef0123456789ABCDEF",
			"ee0123456789abcdef0123456789abcdef6578616d706c652e6f7267"]
		[retention]
		updates = "1000d12h"
		authorizations = "0d"
	`), Env: []string{"PARLEY_DC=5"}})
	if c.DC != 5 || c.Store.URL.Reveal() != "postgres://parley:geheim@db/parley" ||
		c.Web.Listen != "127.0.0.1:1" || c.Registration.Mode != Invite ||
		c.Retention.Updates != 1000*day+day/2 || len(c.MTProxy.Secrets) != 3 {
		t.Errorf("got %+v", c)
	}
	want := []string{"192.0.2.7:443", "192.0.2.7:80", "[2001:db8::7]:443"}
	if !slices.Equal(c.Advertise, want) {
		t.Errorf("advertises %v, want %v", c.Advertise, want)
	}
}

func TestAdvertise(t *testing.T) {
	for _, test := range []struct{ listen, machine, want string }{
		{"0.0.0.0:1", "10.0.0.7 192.0.2.7", "192.0.2.7:1"},
		{"0.0.0.0:1", "2001:db8::7 10.0.0.7", "10.0.0.7:1"},
		{"[::]:1", "2001:db8::7 10.0.0.7", "[2001:db8::7]:1"},
		{":1", "fd00::7 10.0.0.7", "10.0.0.7:1"},
		{":1", "fe80::1%eth0", "127.0.0.1:1"},
		{":1", "", "127.0.0.1:1"},
		{"198.51.100.3:1", "10.0.0.7", "198.51.100.3:1"},
		{"localhost:1", "10.0.0.7", "127.0.0.1:1"},
		{"chat.example.org:1", "10.0.0.7", ""},
	} {
		addresses := []netip.Addr{}
		for _, address := range strings.Fields(test.machine) {
			addresses = append(addresses, netip.MustParseAddr(address))
		}
		got := strings.Join(advertised([]string{test.listen}, addresses), " ")
		if got != test.want {
			t.Errorf("%s on %q: got %s, want %s", test.listen, test.machine, got, test.want)
		}
	}
}

// TestFrontIsAnother refuses a website that is the server itself, by whatever name it is known.
func TestFrontIsAnother(t *testing.T) {
	for _, test := range []struct{ front, listen, hidden, is string }{
		{"127.0.0.1:8443", "127.0.0.1:8443", "10.0.0.7:443", "listen"},
		{"localhost:8443", "127.0.0.1:8443", "10.0.0.7:443", "listen"},
		{"127.0.0.1:8443", "localhost:8443", "10.0.0.7:443", "listen"},
		{"127.0.0.1:8443", "0.0.0.0:8443", ":443", "listen"},
		{"[::ffff:10.0.0.7]:443", ":8443", "10.0.0.7:443", "mtproxy.listen"},
		{"10.0.0.7:443", ":8443", ":443", "mtproxy.listen"},
		{"[2001:db8::7]:443", ":8443", "[::]:443", "mtproxy.listen"},
		{"0.0.0.0:443", ":8443", ":443", "mtproxy.listen"},
		{"Door.example.org.:443", ":8443", "door.example.org:443", "mtproxy.listen"},
		{"way.example.org:443", ":8443", ":443", "mtproxy.host"},
		{"203.0.113.9:8443", ":8443", ":443", "advertise"},
		{"127.0.0.1:8080", ":8443", ":443", "web.listen"},
		{"[::1]:8443", "127.0.0.1:8443", ":443", ""},
		{"10.0.0.7:8443", "127.0.0.1:8443", ":443", ""},
		{"198.51.100.3:443", ":8443", ":443", ""},
		{"www.example.org:443", ":8443", ":443", ""},
		{"way.example.org:8444", ":8443", ":443", ""},
	} {
		_, err := Load(Sources{Addresses: machine, File: inFile(t, fmt.Sprintf(`
			listen = [%q]
			advertise = ["203.0.113.9:8443"]
			[mtproxy]
			front = %q
			host = "way.example.org"
			listen = [%q]
		`, test.listen, test.front, test.hidden))})
		if test.is == "" && err == nil {
			continue
		}
		want := fmt.Sprintf("mtproxy.front: %q is this server itself (%s)", test.front, test.is)
		if test.is == "" || err == nil || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

func TestDemoStaysOnLoopback(t *testing.T) {
	c := mustLoad(t, Sources{Flags: map[string]string{"demo": "true"}})
	if !slices.Equal(c.Listen, []string{demoListen}) {
		t.Errorf("a demo listens on %v", c.Listen)
	}
}

func TestFileProblems(t *testing.T) {
	cases, err := os.ReadFile("testdata/problems.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range strings.Split(string(cases), "====\n")[1:] {
		content, want, _ := strings.Cut(test, "\n----\n")
		path := inFile(t, content)
		_, err := Load(Sources{File: path, Addresses: machine})
		var problems Problems
		if !errors.As(err, &problems) {
			t.Errorf("%q: got %v, want Problems", content, err)
			continue
		}
		if got := strings.ReplaceAll(err.Error(), path, "F") + "\n"; got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", content, got, want)
		}
	}
}

func TestOtherProblems(t *testing.T) {
	for want, sources := range map[string]Sources{
		"cannot read /no/parley.toml: no such file or directory": {File: "/no/parley.toml"},
		"PARLEY_LISEN: unknown variable; did you mean PARLEY_LISTEN?": {
			Env: []string{"PARLEY_LISEN=:1"}},
		"PARLEY_DC: dc: must be a whole number": {Env: []string{"PARLEY_DC=two"}},
		"--lisen: unknown flag; did you mean listen?": {
			Flags: map[string]string{"lisen": ":1"}},
		`--web: web.listen: "8080" is not HOST:PORT`: {Flags: map[string]string{"web": "8080"}},
	} {
		_, err := Load(sources)
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	c := mustLoad(t, Sources{Env: []string{
		"PARLEY_STORE_URL=postgres://parley:geheim@db/parley",
		"PARLEY_MTPROXY_SECRETS=0123456789abcdef0123456789abcdef",
		"PARLEY_WEBHOOK_SECRET=geheim",
	}})
	marshaled, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("loaded", "store", c.Store.URL, "config", c)
	for how, shown := range map[string]string{
		"%v": fmt.Sprintf("%v", c), "%+v": fmt.Sprintf("%+v", &c), "%#v": fmt.Sprintf("%#v", c),
		"%s":   fmt.Sprintf("%s %q %x", c.Store.URL, c.Store.URL, c.Store.URL),
		"json": string(marshaled), "slog": logged.String(),
	} {
		if strings.Contains(shown, "geheim") || strings.Contains(shown, "0123456789abcdef") {
			t.Errorf("%s shows %s", how, shown)
		}
	}
	_, err = Load(Sources{Env: []string{
		"PARLEY_STORE_URL=mysql://parley:geheim@db/parley", "PARLEY_MTPROXY_SECRETS=geheim",
		"PARLEY_BLOB_URL=s4://parley:geheim@db/parley",
	}})
	if err == nil || strings.Contains(err.Error(), "geheim") {
		t.Errorf("the error shows a secret: %v", err)
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]Duration{
		"0d": 0, "1d": day, "36525d": 36525 * day, "12h": day / 2, "1d12h": day + day/2,
		"90s": Duration(90 * time.Second),
	} {
		var got Duration
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "d", "30", "-1d", "1.5d", "36526d", "1d1d", "-5h", "99999999999d",
	} {
		var got Duration
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is accepted as %v", text, got)
		}
	}
}

func FuzzDuration(f *testing.F) {
	f.Add("30d")
	f.Add("1d12h0m0.5s")
	f.Fuzz(func(t *testing.T, text string) {
		var first, second Duration
		if first.UnmarshalText([]byte(text)) != nil {
			return
		}
		if err := second.UnmarshalText([]byte(first.String())); err != nil || first != second {
			t.Fatalf("%q reads as %v, then as %v, %v", text, first, second, err)
		}
		if first < 0 {
			t.Fatalf("%q reads as %v", text, first)
		}
	})
}

func FuzzReadTOML(f *testing.F) {
	var defaults strings.Builder
	if err := WriteDefault(&defaults); err != nil {
		f.Fatal(err)
	}
	f.Add(defaults.String())
	for _, text := range []string{
		"dc = 1", "[web]\nlisten = ':1'", "web = { listen = ':1', x = { y = [] } }", "[[a.b]]",
		"listen = [[]]", "a.\"b.c\".d = 1979-01-01", "\"\" = 1", "[\"\"]", "listen = ['''\n''']",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l := newLoader()
		l.readTOML("f", []byte(text))
		if len(l.problems) == 0 {
			l.derive(machine)
			l.check(machine)
		}
		for _, problem := range l.problems {
			if problem.Text == "" || problem.Where != "" && problem.Where[0] != 'f' {
				t.Fatalf("%q: problem %+v", text, problem)
			}
		}
	})
}
