// Package faults kills the whole server in the middle of its work and looks for what it promised to
// keep.
package faults

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gotd/td/crypto"
	"github.com/gotd/td/tg"

	"parley/internal/chat/media/imaging"
	"parley/internal/config"
	"parley/internal/ids"
	"parley/internal/mtproto/crypt"
	"parley/internal/node"
	"parley/internal/rawclient"
	"parley/internal/store"
)

// Words by which the test program runs as a server.
const (
	serverArg = "serve-for-kill"
	// forgetful is a server that, when it starts, loses the newest messages of everybody: the checker
	// must notice it.
	forgetful = "forgetful"
)

// unsure is how many of a box's newest messages may not have been acknowledged when the server dies:
// one that its owner is sending, and one that was delivered from who writes to him.
const unsure = 2

// lost is how many messages a forgetful server loses of each box: one of them was acknowledged.
const lost = unsure + 1

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case imaging.WorkerArg:
			os.Exit(imaging.WorkerMain(os.Stdin, os.Stdout))
		case serverArg:
			if err := serve(os.Args[2], os.Args[3], os.Args[4]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

func configuration(dir, listen string) (config.Config, error) {
	cfg, err := config.Load(config.Sources{Flags: map[string]string{
		"data": dir, "listen": listen, "web": "127.0.0.1:0", "inner.listen": "", "console.listen": "",
	}})
	cfg.Limits = config.Limits{Connections: 1000, ConnectionsPerAddress: 1000}
	return cfg, err
}

// serve is the server to be killed.
func serve(dir, listen, kind string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg, err := configuration(dir, listen)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	n, err := node.Open(ctx, cfg, node.Options{Log: log, Out: os.Stderr})
	if err != nil {
		return err
	}
	if kind == forgetful {
		if err := forget(ctx, n); err != nil {
			return err
		}
	}
	return n.Run(ctx, func(_, _ []net.Addr) { fmt.Println("ready") })
}

func forget(ctx context.Context, n *node.Node) error {
	for i := range people {
		user := userID(i)
		err := n.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
			b, err := tx.Box(user.Peer())
			if err != nil {
				return err
			}
			for id, left := b.TopID, lost; id > 0 && left > 0; id-- {
				deleted, err := tx.DeleteMessage(user.Peer(), id)
				if err != nil {
					return err
				}
				if deleted {
					left--
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// people write to each other in pairs: 0 to 1, 2 to 3, and so on.
const people = 8

func userID(i int) ids.UserID { return ids.UserID(5000 + i) }

// trial is a server with the people who write on it, over its deaths.
type trial struct {
	t    *testing.T
	dir  string
	addr string
	kind string
	keys []crypto.AuthKey
	hash []int64

	mu sync.Mutex
	// acked are the messages of each sender that the server acknowledged: text by random_id.
	acked [people]map[int64]string
	next  int64
}

func newTrial(t *testing.T, kind string) *trial {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tr := &trial{t: t, dir: t.TempDir(), addr: l.Addr().String(), kind: kind}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range tr.acked {
		tr.acked[i] = make(map[int64]string)
	}
	cfg, err := configuration(tr.dir, tr.addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	n, err := node.Open(ctx, cfg, node.Options{
		Log: slog.New(slog.DiscardHandler), Out: os.Stderr, Tool: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range people {
		var key crypto.Key
		_, _ = rand.Read(key[:])
		tr.keys = append(tr.keys, key.WithID())
		err := n.Store.Update(ctx, userID(i).Peer(), func(tx *store.Tx) error {
			return tx.PutUser(store.User{ID: userID(i), FirstName: "Person"})
		})
		if err == nil {
			err = n.Device(ctx, userID(i), crypt.NewAuthKey(key))
		}
		if err != nil {
			t.Fatal(err)
		}
		tr.hash = append(tr.hash, n.AccessHash(int64(userID(i)), int64(userID(i^1))))
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	return tr
}

// boot starts the server and waits until it listens.
func (tr *trial) boot(kind string) *exec.Cmd {
	tr.t.Helper()
	cmd := exec.Command(os.Args[0], serverArg, tr.dir, tr.addr, kind)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		tr.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if lines.Text() == "ready" {
			return cmd
		}
	}
	tr.t.Fatalf("the server did not come up: %v", cmd.Wait())
	return nil
}

// number gives a random_id that was not used before.
func (tr *trial) number() int64 {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.next++
	return tr.next
}

// write sends messages as the ith person until the server dies, every fifth once more with the same
// random_id as soon as it was acknowledged. It calls acked for each.
func (tr *trial) write(i int, acked func()) {
	ctx := context.Background()
	c, err := rawclient.Dial(ctx, tr.addr, tr.keys[i])
	if err != nil {
		return
	}
	defer c.Close()
	for first := true; ; first = false {
		n := tr.number()
		req := &tg.MessagesSendMessageRequest{
			Peer:    &tg.InputPeerUser{UserID: int64(userID(i ^ 1)), AccessHash: tr.hash[i]},
			Message: "message " + strconv.FormatInt(n, 10), RandomID: n,
		}
		if _, err := c.Ask(req, first); err != nil {
			var refused *rawclient.APIError
			if errors.As(err, &refused) && !strings.HasPrefix(refused.Message, "INTERNAL") {
				tr.t.Errorf("a message was refused: %v", err)
			}
			return
		}
		tr.mu.Lock()
		tr.acked[i][n] = req.Message
		tr.mu.Unlock()
		acked()
		if n%5 == 0 {
			if _, err := c.Ask(req, false); err != nil {
				return
			}
		}
	}
}

// patience bounds how long a cycle may take: only a server that does not work reaches it.
const patience = 2 * time.Minute

// cycle starts the server, lets all write until each had so many acknowledgements and for a while
// after, and kills it.
func (tr *trial) cycle(each int, after time.Duration) {
	tr.t.Helper()
	cmd := tr.boot(tr.kind)
	var writing, counting sync.WaitGroup
	for i := range people {
		counting.Add(1)
		enough := sync.OnceFunc(counting.Done)
		left := each
		writing.Go(func() {
			defer enough()
			tr.write(i, func() {
				if left--; left == 0 {
					enough()
				}
			})
			if left > 0 {
				tr.t.Errorf("person %d stopped with %d acknowledgements to go", i, left)
			}
		})
	}
	timely := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	counting.Wait()
	timely.Stop()
	<-time.After(after)
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		tr.t.Fatal(err)
	}
	_ = cmd.Wait()
	writing.Wait()
}

// check starts the server a last time and looks for everything that was acknowledged.
func (tr *trial) check() (faults []string) {
	tr.t.Helper()
	cmd := tr.boot(tr.kind)
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}()
	for i := range people {
		sees, missing := tr.story(i)
		faults = append(faults, missing...)
		for _, from := range []int{i, i ^ 1} {
			for _, text := range tr.acked[from] {
				if sees[text] != 1 {
					faults = append(faults, fmt.Sprintf("person %d has %q of person %d %d times", i,
						text, from, sees[text]))
				}
			}
		}
	}
	return faults
}

// story reads all that happened to a person by differences, and how often each text is in it. A pts
// that is left out or repeated is a fault.
func (tr *trial) story(i int) (sees map[string]int, faults []string) {
	tr.t.Helper()
	c, err := rawclient.Dial(context.Background(), tr.addr, tr.keys[i])
	if err != nil {
		tr.t.Fatal(err)
	}
	defer c.Close()
	sees = make(map[string]int)
	pts := store.FirstPts
	for first := true; ; first = false {
		raw, err := c.Ask(&tg.UpdatesGetDifferenceRequest{Pts: pts, Date: 1}, first)
		if err != nil {
			tr.t.Fatal(err)
		}
		d, err := tg.DecodeUpdatesDifference(raw)
		if err != nil {
			tr.t.Fatal(err)
		}
		var messages []tg.MessageClass
		var others []tg.UpdateClass
		var state tg.UpdatesState
		done := true
		switch d := d.(type) {
		case *tg.UpdatesDifferenceEmpty:
			return sees, faults
		case *tg.UpdatesDifference:
			messages, others, state = d.NewMessages, d.OtherUpdates, d.State
		case *tg.UpdatesDifferenceSlice:
			messages, others, state = d.NewMessages, d.OtherUpdates, d.IntermediateState
			done = false
		default:
			tr.t.Fatalf("the difference is %T", d)
		}
		for _, m := range messages {
			if x, ok := m.(*tg.Message); ok {
				sees[x.Message]++
			}
		}
		if counted := len(messages) + moved(others); state.Pts-pts != counted {
			faults = append(faults, fmt.Sprintf("person %d: from pts %d to %d there are %d events",
				i, pts, state.Pts, counted))
		}
		pts = state.Pts
		if done {
			return sees, faults
		}
	}
}

// moved counts by how much updates move the pts.
func moved(list []tg.UpdateClass) (n int) {
	for _, u := range list {
		if x, ok := u.(interface{ GetPtsCount() int }); ok {
			n += x.GetPtsCount()
		}
	}
	return n
}

// cycles is how often the server is killed: a few times, or as PARLEY_TEST_CYCLES says.
func cycles(t *testing.T) int {
	if s := os.Getenv("PARLEY_TEST_CYCLES"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 8
}

func TestKillUnderLoad(t *testing.T) {
	tr := newTrial(t, "sound")
	n := cycles(t)
	for range n {
		tr.cycle(1+mathrand.N(20), mathrand.N(50*time.Millisecond))
	}
	faults := tr.check()
	acked := 0
	for _, m := range tr.acked {
		acked += len(m)
	}
	t.Logf("%d kills, %d messages acknowledged", n, acked)
	if acked == 0 {
		t.Error("nothing was acknowledged, so nothing was tested")
	}
	for _, f := range faults[:min(len(faults), 20)] {
		t.Error(f)
	}
}

func TestKillCheckerNoticesAForgetfulServer(t *testing.T) {
	tr := newTrial(t, forgetful)
	tr.cycle(lost, 0)
	if faults := tr.check(); len(faults) < people {
		t.Errorf("everybody lost an acknowledged message, but only this was noticed: %q", faults)
	}
}
