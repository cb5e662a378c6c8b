package tdlib

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/internal/keyring/proxy"
	"parley/internal/node/nodetest"
)

// patience is how long a test waits for what must come.
const patience = 90 * time.Second

// library is TDLib as npm installs it, without anything of ours.
const library = "../js/node_modules/@prebuilt-tdlib/linux-x64-glibc/libtdjson.so"

// object is a value of TDLib's API. Its type stands under "_".
type object = map[string]any

// trusting copies the library with our server's key in the place of Telegram's. Both are keys of
// 2048 bits, so that nothing else moves.
func trusting(t *testing.T, s *nodetest.Server) string {
	t.Helper()
	if _, err := os.Stat(library); err != nil {
		t.Skip("TDLib is not installed: run make packages")
	}
	b, err := os.ReadFile(library)
	if err != nil {
		t.Fatal(err)
	}
	ours := bytes.TrimSpace(s.PublicKey())
	const head = "-----BEGIN RSA PUBLIC KEY-----"
	replaced := 0
	for at := 0; ; {
		i := bytes.Index(b[at:], []byte(head))
		if i < 0 {
			break
		}
		at += i
		end := bytes.IndexByte(b[at:], 0)
		old := bytes.TrimSpace(b[at : at+end])
		if len(old) == len(ours) {
			copy(b[at:], ours)
			replaced++
		}
		at += len(head)
	}
	if replaced == 0 {
		t.Fatalf("the library has no key of %d bytes", len(ours))
	}
	path := filepath.Join(t.TempDir(), "libtdjson.so")
	if err := os.WriteFile(path, b, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// bridge is a process with TDLib clients, which reach the server by the link of a proxy: they have
// no other way to be given an address.
type bridge struct {
	t     *testing.T
	link  proxy.Link
	stdin io.WriteCloser
	said  strings.Builder

	mu      sync.Mutex
	asked   int
	answers map[int]chan answer
	clients map[string]*client
	ended   chan struct{}
}

type answer struct {
	ID     int             `json:"id"`
	OK     json.RawMessage `json:"ok"`
	Error  string          `json:"error"`
	Client string          `json:"client"`
	Update object          `json:"update"`
}

func start(t *testing.T, link proxy.Link, lib string) *bridge {
	t.Helper()
	cmd := alone(t, link.Port, "node", "../js/tdlib.mjs", lib)
	b := &bridge{
		t: t, link: link, answers: make(map[int]chan answer), clients: make(map[string]*client),
		ended: make(chan struct{}),
	}
	cmd.Stderr = &b.said
	var err error
	if b.stdin, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	err = cmd.Start()
	if errors.Is(err, syscall.EPERM) {
		t.Skip("this system gives processes no network of their own")
	}
	if err != nil {
		t.Fatal(err)
	}
	go b.read(stdout)
	t.Cleanup(func() {
		_ = b.stdin.Close()
		select {
		case <-b.ended:
		case <-time.After(patience / 3):
			t.Error("TDLib does not end")
			_ = cmd.Process.Kill()
			<-b.ended
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("TDLib ended with %v", err)
		}
		if t.Failed() {
			text := b.said.String()
			t.Logf("TDLib wrote at last:\n%s", text[max(0, len(text)-6000):])
		}
	})
	return b
}

func (b *bridge) read(stdout io.Reader) {
	defer close(b.ended)
	in := bufio.NewScanner(stdout)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var a answer
		if err := json.Unmarshal(in.Bytes(), &a); err != nil {
			b.t.Errorf("TDLib's process wrote %q", in.Text())
			continue
		}
		b.mu.Lock()
		c, reply := b.clients[a.Client], b.answers[a.ID]
		delete(b.answers, a.ID)
		b.mu.Unlock()
		if a.Update != nil && c != nil {
			c.hear(a.Update)
		} else if reply != nil {
			reply <- a
		}
	}
}

// call asks a client to do something.
func (b *bridge) call(client, do string, with object) (object, error) {
	reply := make(chan answer, 1)
	b.mu.Lock()
	b.asked++
	id := b.asked
	b.answers[id] = reply
	line, err := json.Marshal(object{"id": id, "client": client, "do": do, "with": with})
	if err == nil {
		_, err = b.stdin.Write(append(line, '\n'))
	}
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case a := <-reply:
		if a.Error != "" {
			return nil, fmt.Errorf("%s: %v: %s", client, with["_"], a.Error)
		}
		var out object
		return out, json.Unmarshal(a.OK, &out)
	case <-b.ended:
		return nil, fmt.Errorf("%s: %v: TDLib has ended", client, with["_"])
	case <-time.After(patience):
		return nil, fmt.Errorf("%s: %v: no answer", client, with["_"])
	}
}

// client is one TDLib client, with a database of its own.
type client struct {
	*bridge
	name string
	dir  string

	mu   sync.Mutex
	told []object
	news chan struct{}
}

func (c *client) hear(u object) {
	c.mu.Lock()
	c.told = append(c.told, u)
	c.mu.Unlock()
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// do sends a request and stops the test unless TDLib answers it.
func (c *client) do(name string, with object) object {
	c.t.Helper()
	if with == nil {
		with = object{}
	}
	with["_"] = name
	out, err := c.call(c.name, "send", with)
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

// expect waits for an update that a check accepts, and takes it and all before it away.
func (c *client) expect(what, kind string, is func(object) bool) object {
	c.t.Helper()
	late := time.After(patience)
	for {
		c.mu.Lock()
		for i, u := range c.told {
			if u["_"] == kind && (is == nil || is(u)) {
				c.told = c.told[i+1:]
				c.mu.Unlock()
				return u
			}
		}
		n := len(c.told)
		c.mu.Unlock()
		select {
		case <-c.news:
		case <-c.ended:
			c.t.Fatalf("%s: TDLib ended before %s", c.name, what)
		case <-late:
			c.mu.Lock()
			defer c.mu.Unlock()
			kinds := make(map[any]int)
			for _, u := range c.told {
				kinds[u["_"]]++
			}
			c.t.Fatalf("%s did not learn of %s; of %d updates it has %v", c.name, what, n, kinds)
		}
	}
}

// at follows names into an object; nil when one leads nowhere.
func at(o object, path ...string) any {
	var v any = o
	for _, name := range path {
		m, ok := v.(object)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// text is the text that at leads to.
func text(o object, path ...string) string {
	s, _ := at(o, path...).(string)
	return s
}

// number is the number that at leads to.
func number(o object, path ...string) int64 {
	f, _ := at(o, path...).(float64)
	return int64(f)
}
