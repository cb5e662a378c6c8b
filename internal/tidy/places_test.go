package tidy

import (
	"go/ast"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// statement is what an SQL statement begins with.
var statement = regexp.MustCompile(`(?i)^\s*(select\s[\s\S]+\sfrom\s|insert\s+into\s|` +
	`update\s+\w+\s+set\s|delete\s+from\s|(create|alter|drop)\s+(table|index|database)\s)`)

func TestSQLStandsInStoreOnly(t *testing.T) {
	r := repository(t)
	for _, s := range r.production() {
		if within(s.dir, "internal/store") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			if text, err := strconv.Unquote(lit.Value); err == nil && statement.MatchString(text) {
				t.Errorf("%s:%d: SQL outside internal/store: there each statement names its shard "+
					"key and is tested on both engines", s.path, r.line(lit.Pos()))
			}
			return true
		})
	}
}

// content are the types of the API that carry what people wrote or who they are.
var content = []string{
	"Message", "MessageService", "User", "UserFull", "Chat", "ChatFull", "Channel",
	"ChannelFull", "ChatForbidden", "ChannelForbidden", "Photo", "Document", "MessageFwdHeader",
	"MessageReplyHeader", "MessageReactions", "Dialog",
}

// rendering are the folders that may make them.
var rendering = []string{"internal/api/view"}

func TestContentIsRenderedInOnePlace(t *testing.T) {
	r := repository(t)
	built := make(map[string]bool)
	for _, name := range content {
		built["tg."+name] = true
	}
	for _, s := range r.production() {
		if !within(s.dir, "internal") || within(s.dir, rendering...) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if ok && built[selector(lit.Type)] && len(lit.Elts) > 0 {
				t.Errorf("%s:%d makes a %s: what a viewer may see is decided in one place, "+
					"internal/api/view", s.path, r.line(lit.Pos()), selector(lit.Type))
			}
			return true
		})
	}
}

// A ban forbids a call outside some folders.
type ban struct {
	call   string
	except map[string]string // file or folder -> why it may
	only   func(s *source) bool
	reason string
}

// production tells the files that end up in a program.
func production(s *source) bool { return !s.test }

// bans are the forbidden calls.
var bans = []ban{
	{
		call: "time.Now",
		except: map[string]string{
			"internal/clock":             "it is the clock",
			"internal/gateway":           "deadlines on sockets follow the machine's clock",
			"internal/mtproto/transport": "deadlines on sockets follow the machine's clock",
			"internal/api/server.go":     "how long a call took",
			"internal/bench":             "it measures",
			"internal/rawclient":         "it stands for a client, which has a clock of its own",
			"cmd/parley":                 "a command line is typed at the machine's time",
		},
		only:   production,
		reason: "time is injected (internal/clock), so that tests decide what time it is",
	},
	{call: "fmt.Print", only: outsideCommands, reason: noise},
	{call: "fmt.Printf", only: outsideCommands, reason: noise},
	{call: "fmt.Println", only: outsideCommands, reason: noise},
	{call: "log.Fatal", only: production, reason: exits},
	{call: "log.Fatalf", only: production, reason: exits},
	{
		call: "time.Sleep",
		except: map[string]string{
			"internal/gateway/gateway_test.go":           "nothing must come within a time",
			"internal/gateway/hostile_test.go":           "peers that are slow on purpose",
			"internal/gateway/bench_test.go":             "it polls a counter that has no event",
			"internal/gateway/world_test.go":             "it polls, bounded, what has no event",
			"internal/chat/fanout/fanout_test.go":        "it polls, bounded, what has no event",
			"internal/chat/media/imaging/worker_test.go": "a worker that never answers",
			"internal/mtproto/transport/accept_test.go":  "a peer that is slow on purpose",
		},
		only:   func(s *source) bool { return s.test },
		reason: "a test that sleeps is slow, and wrong on a slow machine; await the event",
	},
}

const (
	noise = "only commands speak to the terminal; everything else returns errors or logs to " +
		"slog, where secrets are taken out"
	exits = "only main ends the process, after what is open was closed in order"
)

// outsideCommands tells the production files that are no command's.
func outsideCommands(s *source) bool {
	return !s.test && s.file.Name.Name != "main"
}

func TestBans(t *testing.T) {
	r := repository(t)
	used := make(map[string]bool)
	for _, s := range r.sources {
		for _, b := range bans {
			if !b.only(s) {
				continue
			}
			for _, line := range calls(r, s, b.call) {
				if at, ok := b.excepted(s); ok {
					used[b.call+" "+at] = true
					continue
				}
				t.Errorf("%s:%d calls %s: %s", s.path, line, b.call, b.reason)
			}
		}
	}
	for _, b := range bans {
		for at := range b.except {
			if _, err := os.Stat(root + "/" + at); err == nil && !used[b.call+" "+at] {
				t.Errorf("%s no longer calls %s: remove its exception", at, b.call)
			}
		}
	}
}

// excepted tells whether a ban does not hold for a file, and by which entry.
func (b *ban) excepted(s *source) (string, bool) {
	for at := range b.except {
		if s.path == at || within(s.dir, at) {
			return at, true
		}
	}
	return "", false
}

// calls are the lines on which a file calls a function of another package, or names it.
func calls(r *tree, s *source, name string) []int {
	pkg, _, _ := strings.Cut(name, ".")
	if local, ok := s.imports()[pkg]; !ok || local != pkg {
		return nil
	}
	var lines []int
	ast.Inspect(s.file, func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok && selector(e) == name {
			lines = append(lines, r.line(e.Pos()))
		}
		return true
	})
	return lines
}

// foreign are places of the machine on which something was written, which mean nothing elsewhere.
// The alternatives are split so that this file does not name them itself.
var foreign = regexp.MustCompile(`(^|[\s"'=(:` + "`" + `])/(root|home/\w+|work/\w+|tmp/\w+)/\w`)

func TestNoMachinePaths(t *testing.T) {
	r := repository(t)
	check := func(name, text string) {
		for i, line := range strings.Split(text, "\n") {
			if foreign.MatchString(line) {
				t.Errorf("%s:%d names a folder of one machine: nobody else has it", name, i+1)
			}
		}
	}
	for _, s := range r.sources {
		check(s.path, s.text)
	}
	for name, text := range r.texts {
		check(name, text)
	}
}
