package receiver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/clock"
	"parley/internal/limit"
)

// pipes is a listener whose connections are pipes, with deadlines by the clock of a bubble.
type pipes struct {
	come chan net.Conn
	done chan struct{}
	once sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.come:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.IPAddr{} }

// bubble is a server inside a bubble of fake time.
type bubble struct {
	*Server
	t     *testing.T
	pipes *pipes
	took  chan Mail
	ended chan error
}

// inBubble runs fn with a server by a fake clock; deliver may be nil.
func inBubble(t *testing.T, deliver func(context.Context, Mail) error, fn func(b *bubble)) {
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{
			t: t, pipes: &pipes{come: make(chan net.Conn), done: make(chan struct{})},
			took: make(chan Mail, 10), ended: make(chan error, 1),
		}
		b.Server = New(Options{
			Domain: "mx.example.org", MaxBytes: 64 << 10, Clock: clock.System{},
			Takes: func(string) bool { return true }, Rate: limit.Rate{Burst: 50, Per: time.Hour},
			Deliver: func(ctx context.Context, m Mail) error {
				if deliver != nil {
					if err := deliver(ctx, m); err != nil {
						return err
					}
				}
				b.took <- m
				return nil
			},
			Failed: func(error) {},
		})
		go func() { b.ended <- b.Serve(b.pipes) }()
		fn(b)
		if err := b.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-b.ended; err != nil {
			t.Error(err)
		}
	})
}

// peer is a client that says what a test wants, when it wants.
type peer struct {
	t testing.TB
	net.Conn
	from *bufio.Reader
}

// peer connects; lines are what it says at once, each of which is answered.
func (b *bubble) peer(lines ...string) *peer {
	b.t.Helper()
	mine, its := net.Pipe()
	b.pipes.come <- its
	p := &peer{t: b.t, Conn: mine, from: bufio.NewReader(mine)}
	p.told("220")
	for _, line := range lines {
		p.say(line)
	}
	return p
}

func (p *peer) say(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p, line+"\r\n"); err != nil {
		p.t.Fatalf("%s: %v", line, err)
	}
	p.told("")
}

// told reads one whole answer, which begins so.
func (p *peer) told(want string) {
	p.t.Helper()
	for {
		line, err := p.from.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, want) {
			p.t.Fatalf("told %q, %v; want %q", line, err, want)
		}
		if len(line) > 3 && line[3] == ' ' {
			return
		}
	}
}

// trickle says a text again and again, a step apart, until the server hears no more, and returns
// what it said then and for how long it heard.
func (p *peer) trickle(text string, step time.Duration) (said string, heard time.Duration) {
	begun := time.Now()
	var saying sync.WaitGroup
	saying.Go(func() {
		for {
			<-time.After(step)
			if _, err := io.WriteString(p, text); err != nil {
				return
			}
		}
	})
	all, _ := io.ReadAll(p.from)
	heard = time.Since(begun)
	_ = p.Close()
	saying.Wait()
	return string(all), heard
}

var envelope = []string{
	"EHLO peer.example", "MAIL FROM:<a@peer.example>", "RCPT TO:<authorities@example.org>",
}

// TestTricklers: whoever sends a little now and then holds a place no longer than the bounds say,
// in whatever he is slow; nothing of a mail that was too slow is taken, or for commands.
func TestTricklers(t *testing.T) {
	for name, x := range map[string]struct {
		before []string
		text   string
		step   time.Duration
		within time.Duration
		// told is what the last answers begin with.
		told []string
	}{
		"a command":     {nil, "N", 20 * time.Second, lineTime, []string{"421"}},
		"many commands": {envelope[:1], "NOOP\r\n", 10 * time.Second, sessionTime, []string{"421"}},
		"a mail": {
			append(envelope[:3:3], "DATA"), "QUIT\r\n", time.Second, mailTime,
			[]string{"451", "421"},
		},
		"a mail in chunks": {
			envelope, "BDAT 6\r\nQUIT\r\n", 50 * time.Second, 50*time.Second + mailTime,
			[]string{"421"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(b *bubble) {
				all, heard := b.peer(x.before...).trickle(x.text, x.step)
				if heard > x.within {
					t.Errorf("heard for %v, want at most %v", heard, x.within)
				}
				said := strings.Split(strings.TrimSpace(all), "\r\n")
				last := said[max(len(said)-len(x.told), 0):]
				for i, want := range x.told {
					if i >= len(last) || !strings.HasPrefix(last[i], want) {
						t.Errorf("told %q at last, want %q", last, x.told)
					}
				}
				synctest.Wait()
				if len(b.took) != 0 || len(b.slots) != 0 || len(b.door.in) != 0 {
					t.Errorf("%d mails, %d slots, %d peers", len(b.took), len(b.slots), len(b.door.in))
				}
			})
		})
	}
}

// TestShutdown: a mail that has begun is taken and confirmed, others are told that the server
// closes, and nobody new comes in.
func TestShutdown(t *testing.T) {
	var gate chan struct{} // of the bubble
	deliver := func(context.Context, Mail) error { <-gate; return nil }
	inBubble(t, deliver, func(b *bubble) {
		gate = make(chan struct{})
		busy := b.peer(append(envelope[:3:3], "DATA")...)
		if _, err := io.WriteString(busy, "x\r\n.\r\n"); err != nil {
			t.Fatal(err)
		}
		idle := b.peer(envelope...)
		synctest.Wait()
		done := make(chan error, 1)
		go func() { done <- b.Shutdown(context.Background()) }()
		idle.told("421")
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("shut down while a mail was being taken: %v", err)
		case <-b.pipes.done:
		}
		close(gate)
		busy.told("250")
		busy.told("421")
		if err := <-done; err != nil || len(b.took) != 1 {
			t.Errorf("%d mails: %v", len(b.took), err)
		}
	})
}

// TestShutdownCutsOff: who does not come to an end is not waited for.
func TestShutdownCutsOff(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		p := b.peer(append(envelope[:3:3], "DATA")...)
		var trickling sync.WaitGroup
		defer trickling.Wait()
		trickling.Go(func() { p.trickle("x", time.Second) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := b.Shutdown(ctx); err == nil {
			t.Error("waited for a trickler")
		}
		if _, err := fmt.Fprint(p, "x"); err == nil {
			t.Error("is heard still")
		}
	})
}
