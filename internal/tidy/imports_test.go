package tidy

import (
	"strings"
	"testing"
)

// own is the prefix of this repository's import paths.
const own = "parley/"

// A boundary is a rule about imports.
type boundary struct {
	from   []string // folders that it binds; empty binds all
	except []string // folders below from that it does not bind
	never  []string // import paths, and what lies below them, that must not be imported
	tests  bool     // it binds tests as well
	reason string
}

// boundaries are the rules. Folders are named from the top, imports by their path.
var boundaries = []boundary{
	{
		from:   []string{"internal/mtproto"},
		except: []string{"internal/mtproto/layer/layertest"},
		never: []string{
			"parley/internal/store", "parley/internal/chat", "parley/internal/api",
			"parley/internal/gateway", "parley/internal/node", "github.com/gotd/td/tg",
		},
		reason: "the protocol knows no rows, no rules and no API types: it must be fuzzable alone",
	},
	{
		from: []string{"internal/chat"},
		never: []string{
			"parley/internal/api", "parley/internal/gateway", "parley/internal/node",
			"parley/internal/safety", "github.com/gotd/td/tg",
		},
		reason: "rules are stated in the words of the domain; translating to TL is the API's, " +
			"and what restricts an account is asked through hooks that node fills",
	},
	{
		from:  []string{"internal/store"},
		never: []string{"parley/internal/chat", "parley/internal/api", "parley/internal/gateway"},
		tests: true,
		reason: "the store knows rows, not rules: whoever reads it must be sure that nothing in " +
			"it depends on what the rules are today",
	},
	{
		from:   []string{"internal/api"},
		never:  []string{"parley/internal/gateway", "parley/internal/node", "parley/internal/blob"},
		reason: "handlers compute answers; sockets, wiring and files are not theirs",
	},
	{
		from:   []string{"internal/gateway"},
		never:  []string{"parley/internal/store", "parley/internal/chat", "parley/internal/api"},
		reason: "the gateway moves envelopes and keeps keys and sessions; it knows no methods",
	},
	{
		from: []string{
			"internal/tlog/entry", "internal/tlog/paper", "internal/tlog/report", "internal/tlog/verify",
			"internal/tlog/witness", "cmd/parley-verify",
		},
		never: []string{
			"parley/internal/store", "parley/internal/chat", "parley/internal/safety",
			"parley/internal/api", "parley/internal/gateway", "parley/internal/node",
			"parley/internal/config", "parley/internal/keyring",
		},
		reason: "strangers check the log with these: nothing of the server may be in what they trust",
	},
	{
		from:   []string{"internal/clock", "internal/ids", "internal/diag"},
		never:  []string{"parley/"},
		tests:  true,
		reason: "words and tools are the ground: they stand on nothing",
	},
	{
		except: []string{
			"cmd/parley", "internal/node", "internal/demo", "internal/importer", "internal/bench",
			"test",
		},
		never:  []string{"parley/internal/node"},
		reason: "node imports the world, so whoever imports node depends on everything",
	},
	{
		except: []string{"internal/store", "test/powercut"},
		never: []string{
			"database/sql", "github.com/jackc/pgx", "github.com/pressly/goose",
			"modernc.org/sqlite",
		},
		reason: "one place talks to the database, so one place knows what is durable",
	},
	{
		except: []string{
			"internal/mtproto/layer/layertest", "internal/bench", "internal/rawclient", "test",
		},
		never: []string{
			"github.com/gotd/td/exchange", "github.com/gotd/td/transport",
			"github.com/gotd/td/proto", "github.com/gotd/td/tgtest", "github.com/gotd/td/telegram",
		},
		reason: "the server speaks the protocol by itself; the library's client is for driving " +
			"it in tests and measurements, and its server parts skip most checks",
	},
	{
		except: []string{"internal/diag", "internal/gateway", "internal/node"},
		never:  []string{"github.com/prometheus/client_golang"},
		reason: "the rooms below count nothing: what a process shows is decided where it is built",
	},
}

func TestBoundaries(t *testing.T) {
	r := repository(t)
	for _, s := range r.sources {
		for at := range s.imports() {
			for _, b := range boundaries {
				if b.forbids(s, at) {
					t.Errorf("%s imports %s: %s", s.path, at, b.reason)
				}
			}
		}
	}
}

// forbids tells whether a file must not import a path.
func (b *boundary) forbids(s *source, at string) bool {
	if s.test && !b.tests {
		return false
	}
	if len(b.from) > 0 && !within(s.dir, b.from...) || within(s.dir, b.except...) {
		return false
	}
	for _, never := range b.never {
		if at == never || strings.HasPrefix(at, strings.TrimSuffix(never, "/")+"/") {
			return true
		}
	}
	return false
}

// rooms are the tiers of the code from the bottom up: a package imports its own tier and those
// below.
var rooms = [][]string{
	{"internal/clock", "internal/ids", "internal/limit", "internal/config", "internal/diag",
		"internal/confine"},
	{"internal/mtproto"},
	{"internal/store", "internal/blob", "internal/bus", "internal/keyring", "internal/smtp", "internal/hook",
		"internal/tlog"},
	{"internal/chat"},
	{"internal/safety"},
	{"internal/api"},
	{"internal/gateway", "internal/web", "internal/importer", "internal/clientconfig", "internal/rawclient"},
	{"internal/node", "internal/demo", "internal/bench"},
	{"cmd", "test", "internal/tidy"},
}

// room returns the tier of a folder, -1 when it has none.
func room(dir string) int {
	for i, folders := range rooms {
		if within(dir, folders...) {
			return i
		}
	}
	return -1
}

func TestImportsPointDown(t *testing.T) {
	for _, s := range repository(t).production() {
		from := room(s.dir)
		if from < 0 {
			t.Errorf("%s: the folder stands in no tier; give it one in rooms", s.path)
			continue
		}
		for at := range s.imports() {
			dir, ours := strings.CutPrefix(at, own)
			if ours && room(dir) > from {
				t.Errorf("%s imports %s: a package imports its own tier and those below, so that "+
					"each can be read and tested without what stands on it", s.path, at)
			}
		}
	}
}
