package conversation

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what must come.
const patience = 90 * time.Second

// mostShown is how many bytes of what a driver wrote are shown after a failure.
const mostShown = 6000

// driver is a process in which a client library acts for one person. It reads one call a line and
// writes one answer or event a line, in JSON.
type driver struct {
	t      *testing.T
	name   string
	stdin  io.WriteCloser
	called int

	mu      sync.Mutex
	answers map[int]chan answer
	events  []event
	news    chan struct{}
	ended   chan struct{}
}

type call struct {
	ID   int    `json:"id"`
	Do   string `json:"do"`
	With any    `json:"with"`
}

type answer struct {
	ID    int             `json:"id"`
	OK    json.RawMessage `json:"ok"`
	Error string          `json:"error"`
	Event *event          `json:"event"`
}

// event is what a library told its application without being asked.
type event struct {
	Kind string `json:"kind"` // message, edited, deleted, read
	Chat int64  `json:"chat"` // marked as in the Bot API; 0 where the library does not know it
	ID   int    `json:"id"`
	IDs  []int  `json:"ids"` // of what was deleted
	Text string `json:"text"`
	// Reactions holds the emoji under an edited message.
	Reactions []string `json:"reactions"`
}

// start starts a driver and ends it with the test.
func start(t *testing.T, k kind, name string) *driver {
	t.Helper()
	cmd := exec.Command(k.command[0], k.command[1:]...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	name += " (" + k.String() + ")"
	said := &lines{t: t, name: name}
	cmd.Stderr = said
	d := &driver{
		t: t, name: name, stdin: stdin, answers: make(map[int]chan answer),
		news: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go d.read(stdout)
	t.Cleanup(func() {
		_ = stdin.Close()
		select {
		case <-d.ended:
		case <-time.After(patience / 10):
			t.Errorf("%s does not end", name)
			_ = cmd.Process.Kill()
			<-d.ended
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s ended with %v", name, err)
		}
		said.show()
	})
	return d
}

// lines keeps what a driver writes beside the protocol, for a test that failed.
type lines struct {
	t    *testing.T
	name string
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) show() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if text := l.text.String(); l.t.Failed() && text != "" {
		l.t.Logf("%s wrote at last:\n%s", l.name, text[max(0, len(text)-mostShown):])
	}
}

func (d *driver) read(stdout io.Reader) {
	defer close(d.ended)
	in := bufio.NewScanner(stdout)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var a answer
		if err := json.Unmarshal(in.Bytes(), &a); err != nil {
			a.Event = &event{Kind: "garbage", Text: in.Text()}
		}
		d.mu.Lock()
		if a.Event != nil {
			d.events = append(d.events, *a.Event)
		} else if c := d.answers[a.ID]; c != nil {
			c <- a
		}
		d.mu.Unlock()
		select {
		case d.news <- struct{}{}:
		default:
		}
	}
}

// try calls and returns what the library threw.
func (d *driver) try(do string, with map[string]any, result any) error {
	d.called++
	c := call{ID: d.called, Do: do, With: with}
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	reply := make(chan answer, 1)
	d.mu.Lock()
	d.answers[c.ID] = reply
	d.mu.Unlock()
	if _, err := d.stdin.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("%s is gone: %w", d.name, err)
	}
	select {
	case a := <-reply:
		if a.Error != "" {
			return fmt.Errorf("%s: %s: %s", d.name, do, a.Error)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(a.OK, result)
	case <-d.ended:
		return fmt.Errorf("%s ended during %s", d.name, do)
	case <-time.After(patience):
		return fmt.Errorf("%s: no answer to %s", d.name, do)
	}
}

// do calls and stops the test unless the call succeeds.
func (d *driver) do(t *testing.T, do string, with map[string]any, result any) {
	t.Helper()
	if err := d.try(do, with, result); err != nil {
		t.Fatal(err)
	}
}

// expect waits for an event that matches and takes it out of those that came.
func (d *driver) expect(t *testing.T, what string, match func(event) bool) event {
	t.Helper()
	// Longer than what the difference of a channel tells clients to wait between two of them: gotd
	// keeps to it even when it is told that the channel has more.
	deadline := time.After(patience / 2)
	for {
		if e, ok := d.take(match); ok {
			return e
		}
		select {
		case <-d.news:
		case <-d.ended:
			t.Fatalf("%s ended before %s", d.name, what)
		case <-deadline:
			d.mu.Lock()
			defer d.mu.Unlock()
			t.Fatalf("%s did not learn of %s; it has %+v", d.name, what, d.events)
		}
	}
}

func (d *driver) take(match func(event) bool) (event, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, e := range d.events {
		if match(e) {
			d.events = append(d.events[:i], d.events[i+1:]...)
			return e, true
		}
	}
	return event{}, false
}

// expectText waits for a message with this text.
func (d *driver) expectText(t *testing.T, text string) event {
	t.Helper()
	return d.expect(t, fmt.Sprintf("the message %q", text), func(e event) bool {
		return e.Kind == "message" && e.Text == text
	})
}
