package clientconfig

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// testKey is a public key made for these tests; nobody has the private part.
const testKey = `-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEAqi8LD8bUR3B/of9v7/u0xJILJ53q5eOXy6fj/VsjtCeNP6DS/0fy
qGUv6EyZXXc6lyrP8T0KlC5vhv/vfEXym1D88eu8vTw3AGwEcra5uLqk/MLoWgOT
2YdZgKC4yRnkF/Hp7hvWOGLiaattk1gyYoOZ3R02xbk2Igdl0vNz41f3ACKKwAqm
y/vmAXWHM4DWrO3hOKRpO4JEEGwc2D+TCtswryv6LyvTGrMgjAVhC++HyLw1iFhZ
8IFsTRKCBYuFvl5XqhCXBLcTM9WkSyfNcI8ZbUC0JhDFrC5qWy5RSLclP0cMZdyj
HL2peTpOdyK+7znThBpPgZPL9GtLMmMFrQIDAQAB
-----END RSA PUBLIC KEY-----`

// testFingerprint is what three independent clients computed from testKey.
const testFingerprint = 0x4b50abd0512e0e7e

func parseKey(t *testing.T, text string) *rsa.PublicKey {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		t.Fatalf("no key in %q", text)
	}
	key, err := x509.ParsePKCS1PublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// servers are one of each address family.
func servers(t *testing.T) []Server {
	key := parseKey(t, testKey)
	return []Server{
		{Host: "192.0.2.7", Port: 44301, DC: 3, Key: key},
		{Host: "2001:db8::7", Port: 44301, DC: 3, Key: key},
	}
}

func written(t *testing.T, client string, server Server) string {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, client, server); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// dataCentres is how each client is told data centre 3 at port 44301, or all that it knows.
var dataCentres = map[string][]string{
	"gotd":     {"DC: 3,", "{ID: 3, ", "Port: 44301,"},
	"gramjs":   {"DC = 3;", "PORT = 44301;"},
	"mtcute":   {"id: 3,", "port: 44301,"},
	"tdesktop": {"\t{ 1, ", "\t{ 2, ", "\t{ 3, ", "\t{ 4, ", "\t{ 5, ", ", 44301 },"},
	"tdlib":    {"ports(1, ", "ports(2, ", "ports(3, ", "ports(4, ", "ports(5, ", "ports = {44301};"},
	"telethon": {", 44301, 3\n"},
}

func TestEveryClientIsToldEverything(t *testing.T) {
	for _, server := range servers(t) {
		for _, client := range Clients() {
			text := written(t, client, server)
			for _, want := range append(dataCentres[client], server.Host, "Parley") {
				if !strings.Contains(text, want) {
					t.Errorf("%s is not told %s", client, want)
				}
			}
			for _, bad := range []string{"{{", "<no value>", "<nil>", "%!"} {
				if strings.Contains(text, bad) {
					t.Errorf("%s is told %s", client, bad)
				}
			}
			if key := keyIn(t, client, text); !key.Equal(server.Key) {
				t.Errorf("%s is given another key", client)
			}
			for line := range strings.Lines(text) {
				if len(line) > 101 && client != "gramjs" {
					t.Errorf("%s: %d characters: %s", client, len(line), line)
				}
			}
		}
	}
}

// keyIn reads the key back as the client's compiler or interpreter would.
func keyIn(t *testing.T, client, text string) *rsa.PublicKey {
	t.Helper()
	switch client {
	case "gramjs":
		modulus := regexp.MustCompile(`Buffer\.from\("([0-9a-f]+)", "hex"\)`).FindStringSubmatch(text)
		exponent := regexp.MustCompile(`e: (\d+),`).FindStringSubmatch(text)
		if modulus == nil || exponent == nil {
			t.Fatalf("no key for gramjs in\n%s", text)
		}
		n, _ := new(big.Int).SetString(modulus[1], 16)
		e, _ := strconv.Atoi(exponent[1])
		return &rsa.PublicKey{N: n, E: e}
	case "tdlib":
		_, text, _ = strings.Cut(text, "add_pem(")
		var literal strings.Builder
		for _, quoted := range regexp.MustCompile(`"-?[^"]*"`).FindAllString(text, 8) {
			part, err := strconv.Unquote(quoted)
			if err != nil {
				t.Fatal(err)
			}
			literal.WriteString(part)
		}
		text = literal.String()
	case "tdesktop":
		_, text, _ = strings.Cut(text, "kPublicRSAKeys[] = { \"\\\n")
		text, _, _ = strings.Cut(text, "\" };")
		if strings.Count(text, "\\\n") != strings.Count(text, "\n") {
			t.Errorf("a line of the literal does not go on")
		}
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\\\n", ""), `\n`, "\n")
	default:
		text = regexp.MustCompile(`(?s)-----BEGIN.*-----END [A-Z ]+-----`).FindString(text)
	}
	return parseKey(t, text)
}

// https://core.telegram.org/mtproto/auth_key#dh-exchange-initiation
func TestFingerprint(t *testing.T) {
	key := parseKey(t, testKey)
	hash := sha1.New()
	hash.Write(append([]byte{254, 0, 1, 0}, key.N.Bytes()...))
	hash.Write([]byte{3, 1, 0, 1})
	sum := hash.Sum(nil)
	if got := binary.LittleEndian.Uint64(sum[12:]); got != testFingerprint {
		t.Fatalf("fingerprint is %x", got)
	}
	for _, client := range Clients() {
		want := "4b50abd0512e0e7e"
		if client == "gramjs" {
			want = strconv.FormatInt(testFingerprint, 10)
		}
		if !strings.Contains(written(t, client, servers(t)[0]), want) {
			t.Errorf("%s is not told the fingerprint %s", client, want)
		}
	}
}

func TestGoProgramIsGo(t *testing.T) {
	for _, server := range servers(t) {
		text := written(t, "gotd", server)
		file, err := parser.ParseFile(token.NewFileSet(), "main.go", text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if unresolved := unresolvedNames(file); len(unresolved) > 0 {
			t.Errorf("names that nothing declares: %v", unresolved)
		}
		formatted, err := format.Source([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if string(formatted) != text {
			t.Errorf("not formatted:\n%s", text)
		}
	}
}

// unresolvedNames lists names that are neither declared nor imported nor predeclared.
func unresolvedNames(file *ast.File) []string {
	known := []string{"string", "error", "nil", "true", "append", "byte"}
	for _, imported := range file.Imports {
		path, _ := strconv.Unquote(imported.Path.Value)
		known = append(known, path[strings.LastIndexByte(path, '/')+1:])
	}
	var unknown []string
	for _, name := range file.Unresolved {
		if !slices.Contains(known, name.Name) {
			unknown = append(unknown, name.Name)
		}
	}
	return unknown
}

// TestProgramsParse asks each language's own parser, where it is installed.
func TestProgramsParse(t *testing.T) {
	for _, test := range []struct{ client, file, program, arg string }{
		{"gramjs", "client.cjs", "node", "--check"},
		{"mtcute", "client.mjs", "node", "--check"},
		{"telethon", "client.py", "python3", "-mpy_compile"},
	} {
		t.Run(test.client, func(t *testing.T) {
			program, err := exec.LookPath(test.program)
			if err != nil {
				t.Skipf("%s is not installed", test.program)
			}
			for _, server := range servers(t) {
				path := filepath.Join(t.TempDir(), test.file)
				text := written(t, test.client, server)
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				out, err := exec.CommandContext(t.Context(), program, test.arg, path).CombinedOutput()
				if err != nil {
					t.Errorf("%v\n%s\n%s", err, out, text)
				}
			}
		})
	}
}

func TestWhatCannotBeDescribed(t *testing.T) {
	good := servers(t)[0]
	short := &rsa.PublicKey{N: big.NewInt(3233), E: 17}
	for name, change := range map[string]func(*Server){
		"host name":       func(s *Server) { s.Host = "chat.example.org" },
		"any host":        func(s *Server) { s.Host = "0.0.0.0" },
		"zone":            func(s *Server) { s.Host = "fe80::1%eth0" },
		"code in host":    func(s *Server) { s.Host = `1.2.3.4", 1); evil("` },
		"port 0":          func(s *Server) { s.Port = 0 },
		"port 65536":      func(s *Server) { s.Port = 65536 },
		"data centre 0":   func(s *Server) { s.DC = 0 },
		"data centre 6":   func(s *Server) { s.DC = 6 },
		"no key":          func(s *Server) { s.Key = nil },
		"too short a key": func(s *Server) { s.Key = short },
	} {
		server := good
		change(&server)
		var out bytes.Buffer
		if err := Write(&out, "gotd", server); !errors.Is(err, ErrServer) || out.Len() > 0 {
			t.Errorf("%s: got %v and %d bytes", name, err, out.Len())
		}
	}
	var unknown *UnknownClientError
	if err := Write(new(bytes.Buffer), "gotdd", good); !errors.As(err, &unknown) ||
		!strings.Contains(err.Error(), "telethon") {
		t.Errorf("unknown client: got %v", err)
	}
}

// TestKeyThatMtcuteCannotFind looks for a modulus whose fingerprint begins with a zero digit, which
// one key in sixteen has.
func TestKeyThatMtcuteCannotFind(t *testing.T) {
	server := servers(t)[0]
	const warning = "does not find keys whose fingerprint begins with 0"
	if strings.Contains(written(t, "mtcute", server), warning) {
		t.Error("warned about a good key")
	}
	key := *server.Key
	server.Key = &key
	for range 1000 {
		key.N = new(big.Int).Add(key.N, big.NewInt(2))
		text := written(t, "mtcute", server)
		if strings.Contains(text, "fingerprint is 0") {
			if !strings.Contains(text, warning) {
				t.Error("not warned about a key that mtcute does not find")
			}
			return
		}
	}
	t.Fatal("no fingerprint of a thousand begins with 0")
}
