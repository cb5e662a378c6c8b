package gateway

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/mt"
	"github.com/gotd/td/tg"

	"parley/internal/limit"
	"parley/internal/mtproto/session"
)

func TestQuery(t *testing.T) {
	w := newWorld(t)
	var seen *Session
	w.invoke = func(_ context.Context, s *Session, q session.Query) ([]byte, error) {
		seen = s
		return append(method(), q.Body...), nil
	}
	c := w.client()
	id := c.send(method(5))
	c.of(mt.NewSessionCreatedTypeID)
	id2 := c.send(method(6))
	if got := c.answer(id2); !bytes.Equal(got, append(method(), method(6)...)) {
		t.Errorf("answer %x", got)
	}
	if id >= id2 {
		t.Error("ids")
	}
	port := c.nc.LocalAddr().(*net.TCPAddr).AddrPort()
	if seen.ID() != c.session || seen.KeyID() != c.key.IntID() || seen.TempKeyID() != 0 ||
		seen.RemoteAddr() != port || seen.IP() != "127.0.0.1" || seen.DC() != 2 ||
		!seen.Online() || time.Since(seen.LastActive()) > time.Minute {
		t.Errorf("session %+v", seen)
	}
	if seen.Attachment() != nil || seen.AttachIfNone(7) != 7 || seen.AttachIfNone(8) != 7 {
		t.Error("attachment before any")
	}
	seen.Attach(9)
	if seen.Attachment() != 9 {
		t.Error("attachment")
	}
	if got := w.Sessions(c.key.IntID()); !slices.Equal(got, []*Session{seen}) {
		t.Errorf("sessions %v", got)
	}
	c.nc.Close()
	eventually(t, "offline", func() bool { return !seen.Online() })
}

func TestErrors(t *testing.T) {
	w := newWorld(t)
	results := map[uint32]error{
		1: &RPCError{Code: 420, Message: "FLOOD_WAIT_3"}, 2: errors.New("disk on fire"),
	}
	w.invoke = func(_ context.Context, _ *Session, q session.Query) ([]byte, error) {
		switch n := binary.LittleEndian.Uint32(q.Body[4:]); n {
		case 3:
			panic("handler")
		case 4:
			return []byte("odd"), nil
		default:
			return nil, results[n]
		}
	}
	c := w.client()
	if got := c.fault(c.send(method(1))); got.ErrorCode != 420 || got.ErrorMessage != "FLOOD_WAIT_3" {
		t.Errorf("got %+v", got)
	}
	for _, n := range []uint32{2, 3, 4} {
		got := c.fault(c.send(method(n)))
		if got.ErrorCode != 500 || len(got.ErrorMessage) != len("INTERNAL_12345678") {
			t.Errorf("%d: got %+v", n, got)
		}
	}
	c.ping()
}

// TestReplay sends a recorded frame again in every way that there is.
func TestReplay(t *testing.T) {
	w := newWorld(t)
	var runs atomic.Int32
	w.invoke = func(context.Context, *Session, session.Query) ([]byte, error) {
		runs.Add(1)
		return trueValue(), nil
	}
	c := w.client()
	id := c.msgID()
	recorded := c.seal(id, 1, method(1))
	c.write(recorded)
	c.answer(id)
	for range 100 {
		c.write(recorded)
	}
	c.ping()
	other := *c
	other.connect(w.addr)
	for range 100 {
		other.write(recorded)
	}
	w.Sessions(c.key.IntID())[0].Push(session.Body{Bytes: method(9)})
	c.of(0x11223344)
	c.nc.Close()
	c.connect(w.addr)
	c.ping()
	if n := runs.Load(); n != 1 {
		t.Errorf("ran %d times", n)
	}
	// The session is given up; what it took must not be taken by the next under its id.
	destroyer := w.clientOf(c.key)
	destroyer.send(destroyer.encode(&mt.DestroySessionRequest{SessionID: c.session}))
	destroyer.of(mt.DestroySessionOkTypeID)
	other.write(recorded)
	other.ping()
	if n := runs.Load(); n != 1 {
		t.Errorf("ran %d times after its session was destroyed", n)
	}
}

// TestInterleaved: a client may ping with req_pq between its encrypted messages, and begin a key
// exchange that it never ends.
func TestInterleaved(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	for range 2 {
		c.sendPlain(&mt.ReqPqMultiRequest{Nonce: bin.Int128{1}})
		c.of(mt.ResPQTypeID)
		c.answer(c.send(method()))
	}
	c.sendPlain(&mt.ReqDHParamsRequest{})
	if code := c.code(); code != codeNotFound {
		t.Errorf("code %d", code)
	}
	c.answer(c.send(method()))
}

func TestWrongSalt(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	right := c.salt
	c.salt = 0
	c.send(method(1))
	m := c.of(mt.BadServerSaltTypeID)
	if got := int64(binary.LittleEndian.Uint64(m.body[len(m.body)-8:])); got != right {
		t.Errorf("salt %x, want %x", got, right)
	}
	c.salt = right
	c.answer(c.send(method(1)))
}

// TestSessionOfOther: the session id of another key opens no session of it.
func TestSessionOfOther(t *testing.T) {
	w := newWorld(t)
	a, b := w.client(), w.client()
	b.session = a.session
	a.answer(a.send(method()))
	b.answer(b.send(method()))
	ours := w.Sessions(a.key.IntID())
	if len(ours) != 1 || ours[0] == w.Sessions(b.key.IntID())[0] {
		t.Fatal("one session for two keys")
	}
	ours[0].Push(session.Body{Bytes: method(1)})
	a.of(0x11223344)
	b.quiet()
}

// TestReconnect: what a client did not acknowledge comes again over its next connection.
func TestReconnect(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	c.answer(c.send(method()))
	s := w.Sessions(c.key.IntID())[0]
	for i := range uint32(3) {
		s.Push(session.Body{Bytes: method(i)})
	}
	var ids []int64
	for len(ids) < 3 {
		ids = append(ids, c.of(0x11223344).id)
	}
	c.nc.Close()
	eventually(t, "offline", func() bool { return !s.Online() })
	s.Push(session.Body{Bytes: method(3)})
	c.connect(w.addr)
	c.send(c.encode(&mt.MsgsAck{MsgIDs: ids[:1]}))
	again := make(map[uint32]int64)
	for len(again) < 3 {
		m := c.of(0x11223344)
		if !m.contained && m.id <= ids[2] {
			t.Error("sent again outside a container")
		}
		again[binary.LittleEndian.Uint32(m.body[4:])] = m.id
	}
	if again[1] != ids[1] || again[2] != ids[2] || again[3] <= ids[2] {
		t.Errorf("first %v, again %v", ids, again)
	}
	if len(w.Sessions(c.key.IntID())) != 1 {
		t.Error("another session")
	}
}

// TestTwoConnections: an answer goes where its query came from, a push to the newest.
func TestTwoConnections(t *testing.T) {
	w := newWorld(t)
	release := make(chan struct{})
	w.invoke = func(_ context.Context, _ *Session, q session.Query) ([]byte, error) {
		if len(q.Body) > 4 {
			<-release
		}
		return trueValue(), nil
	}
	first := w.client()
	first.answer(first.send(method()))
	first.send(first.encode(&mt.MsgsAck{}))
	slow := first.send(method(1))
	first.ping()
	second := *first
	second.connect(w.addr)
	second.ping()
	close(release)
	first.answer(slow)
	s := w.Sessions(first.key.IntID())[0]
	s.Push(session.Body{Bytes: method()})
	second.of(0x11223344)
	second.nc.Close()
	eventually(t, "one connection", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.conns) == 1
	})
	s.Push(session.Body{Bytes: method()})
	first.of(0x11223344)
}

func TestQuickAck(t *testing.T) {
	w := newWorld(t)
	release := make(chan struct{})
	w.invoke = func(context.Context, *Session, session.Query) ([]byte, error) {
		<-release
		return trueValue(), nil
	}
	c := w.client()
	id := c.msgID()
	frame := c.seal(id, 1, method())
	frame[3] |= 0x80
	c.write(frame)
	c.ping()
	if len(c.quick) != 0 {
		t.Error("acknowledged before the handler returned")
	}
	close(release)
	eventually(t, "acknowledged", func() bool {
		c.receive(time.Millisecond)
		return len(c.quick) == 1
	})
	bad := c.seal(id+1, 1, method())
	bad[3] |= 0x80
	c.write(bad)
	c.ping()
	if len(c.quick) != 1 {
		t.Error("acknowledged a refused message")
	}
}

// TestOrder sends ordered and other queries in a container, not in the order of their msg_ids.
func TestOrder(t *testing.T) {
	w := newWorld(t)
	w.ordered = func(query []byte) bool { return binary.LittleEndian.Uint32(query[4:]) < 100 }
	var running, most atomic.Int32
	order := make(chan uint32, 200)
	free := make(chan struct{})
	w.invoke = func(_ context.Context, _ *Session, q session.Query) ([]byte, error) {
		n := binary.LittleEndian.Uint32(q.Body[4:])
		if n >= 100 {
			<-free
			return trueValue(), nil
		}
		most.Store(max(most.Load(), running.Add(1)))
		order <- n
		time.Sleep(time.Millisecond)
		running.Add(-1)
		return trueValue(), nil
	}
	c := w.client()
	var ids []int64
	var bodies [][]byte
	for i := range uint32(50) {
		ids, bodies = append(ids, c.msgID()), append(bodies, method(i))
		if i%10 == 0 {
			ids, bodies = append(ids, c.msgID()), append(bodies, method(100+i))
		}
	}
	last := c.msgID()
	slices.Reverse(ids)
	slices.Reverse(bodies)
	c.write(c.seal(last, 1, container(ids, bodies...)))
	for i := range uint32(50) {
		select {
		case n := <-order:
			if n != i {
				t.Fatalf("%d ran in place %d", n, i)
			}
		case <-time.After(patience):
			t.Fatalf("%d did not run", i)
		}
	}
	if most.Load() != 1 {
		t.Errorf("%d ordered queries at once", most.Load())
	}
	close(free)
	c.ping()
}

func after(query []byte, ids ...int64) []byte {
	b := binary.LittleEndian.AppendUint32(nil, tg.InvokeAfterMsgsRequestTypeID)
	b = binary.LittleEndian.AppendUint32(b, 0x1cb5c415)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(ids)))
	for _, id := range ids {
		b = binary.LittleEndian.AppendUint64(b, uint64(id))
	}
	return append(b, query...)
}

func TestInvokeAfter(t *testing.T) {
	w := newWorld(t)
	release := make(chan struct{})
	var done atomic.Int32
	w.invoke = func(_ context.Context, _ *Session, q session.Query) ([]byte, error) {
		switch binary.LittleEndian.Uint32(q.Body[4:]) {
		case 1:
			<-release
			done.Add(1)
		case 2:
			return nil, &RPCError{Code: 400, Message: "NO"}
		case 3:
			if done.Load() == 0 {
				t.Error("ran before what it follows")
			}
		}
		return trueValue(), nil
	}
	c := w.client()
	slow, failing := c.msgID(), c.msgID()
	follower := c.send(after(method(3), slow))
	c.write(c.seal(slow, 1, method(1)))
	close(release)
	c.answer(slow)
	c.answer(follower)
	again := c.send(after(method(3), slow, follower))
	c.answer(again)

	c.write(c.seal(failing, 1, method(2)))
	c.fault(failing)
	for name, body := range map[string][]byte{
		"after a failure":     after(method(3), slow, failing),
		"after itself":        after(method(3), c.last+4),
		"after what is later": after(method(3), c.last+400),
		"after nothing":       after(method(3), slow-400),
	} {
		start := time.Now()
		if got := c.fault(c.send(body)); got.ErrorMessage != "MSG_WAIT_FAILED" {
			t.Errorf("%s: %+v", name, got)
		}
		if took := time.Since(start); name == "after nothing" && took < limit.AfterArrival {
			t.Errorf("%s: after %v", name, took)
		}
	}
	// One that follows a failure has failed itself.
	id := c.send(after(method(3), failing))
	if got := c.fault(c.send(after(method(3), id))); got.ErrorMessage != "MSG_WAIT_FAILED" {
		t.Errorf("got %+v", got)
	}
}

// TestMany runs more queries than a session may at once, and reads no more than it may.
func TestMany(t *testing.T) {
	w := newWorld(t)
	var running, most atomic.Int32
	release := make(chan struct{})
	w.invoke = func(context.Context, *Session, session.Query) ([]byte, error) {
		for n := running.Add(1); ; {
			old := most.Load()
			if n <= old || most.CompareAndSwap(old, n) {
				break
			}
		}
		<-release
		running.Add(-1)
		return trueValue(), nil
	}
	c := w.client()
	const all = 3 * limit.QueriesWaiting
	for range all {
		c.send(method())
	}
	s := func() *Session {
		if list := w.Sessions(c.key.IntID()); len(list) == 1 {
			return list[0]
		}
		return nil
	}
	load := func() int {
		s := s()
		if s == nil {
			return 0
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.pending) + s.running
	}
	eventually(t, "full", func() bool { return load() == limit.QueriesWaiting })
	time.Sleep(20 * time.Millisecond)
	if n := load(); n != limit.QueriesWaiting || most.Load() > limit.QueriesPerSession {
		t.Errorf("%d waiting, %d at once", n, most.Load())
	}
	close(release)
	for answers := 0; answers < all; {
		all, err := c.receive(patience)
		if err != nil {
			t.Fatal(err)
		}
		for i := range all {
			if all[i].constructor() == mt.RPCResultTypeID {
				answers++
			}
		}
	}
}

func TestPingDelay(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	c.send(c.encode(&mt.PingDelayDisconnectRequest{PingID: 1, DisconnectDelay: 1}))
	c.of(mt.PongTypeID)
	start := time.Now()
	c.closed()
	if took := time.Since(start); took < 500*time.Millisecond || took > 10*time.Second {
		t.Errorf("closed after %v", took)
	}
}

func TestIdle(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Limits.Idle, o.Limits.Unkeyed = 300*time.Millisecond, 200*time.Millisecond
	})
	w.client().closed()
	c := w.client()
	c.ping()
	c.closed()
}

// TestAcks: a query that takes long is acknowledged by itself.
func TestAcks(t *testing.T) {
	w := newWorld(t)
	release := make(chan struct{})
	w.invoke = func(context.Context, *Session, session.Query) ([]byte, error) {
		<-release
		return trueValue(), nil
	}
	c := w.client()
	id := c.send(method())
	m := c.of(mt.MsgsAckTypeID)
	if got := int64(binary.LittleEndian.Uint64(m.body[12:])); got != id {
		t.Errorf("acknowledged %d, want %d", got, id)
	}
	close(release)
	c.answer(id)
}

// TestSessionsOfKey: a key has so many sessions, and the longest silent goes first.
func TestSessionsOfKey(t *testing.T) {
	w := newWorld(t)
	first := w.client()
	first.answer(first.send(method()))
	gone := w.Sessions(first.key.IntID())[0]
	first.nc.Close()
	eventually(t, "offline", func() bool { return !gone.Online() })
	for range limit.SessionsPerKey {
		c := w.clientOf(first.key)
		c.answer(c.send(method()))
	}
	if n := len(w.Sessions(first.key.IntID())); n != limit.SessionsPerKey {
		t.Errorf("%d sessions", n)
	}
	select {
	case s := <-w.closed:
		if s != gone {
			t.Error("the wrong session went")
		}
	case <-time.After(patience):
		t.Error("the handler did not hear of it")
	}
}

func TestOverflow(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	c.answer(c.send(method()))
	s := w.Sessions(c.key.IntID())[0]
	c.nc.Close()
	eventually(t, "offline", func() bool { return !s.Online() })
	for range 2 * limit.PushesHeld {
		s.Push(session.Body{Bytes: method(1)})
	}
	c.connect(w.addr)
	c.send(method())
	c.of(tg.UpdatesTooLongTypeID)
	s.Push(session.Body{Bytes: method(2)})
	if m := c.of(0x11223344); !bytes.Equal(m.body, method(2)) {
		t.Errorf("received %x", m.body)
	}
}

func TestPushRefused(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	c.answer(c.send(method()))
	s := w.Sessions(c.key.IntID())[0]
	s.Push(session.Body{})
	s.Push(session.Body{Bytes: []byte("odd")})
	c.ping()
}

func TestShutdown(t *testing.T) {
	w := newWorld(t)
	release := make(chan struct{})
	w.invoke = func(context.Context, *Session, session.Query) ([]byte, error) {
		<-release
		return trueValue(), nil
	}
	c := w.client()
	id := c.send(method())
	c.ping()
	ended := make(chan error)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		ended <- w.Shutdown(ctx)
	}()
	eventually(t, "refusing", func() bool {
		nc, err := net.Dial("tcp", w.addr)
		if err == nil {
			nc.Close()
		}
		return err != nil
	})
	select {
	case <-ended:
		t.Error("did not wait for the query")
	default:
	}
	close(release)
	c.answer(id)
	c.closed()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestShutdownCut ends everything although nothing is done.
func TestShutdownCut(t *testing.T) {
	w := newWorld(t)
	w.invoke = func(ctx context.Context, _ *Session, _ session.Query) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	c := w.client()
	for range 2 * limit.QueriesWaiting {
		c.send(method())
	}
	eventually(t, "busy", func() bool { return w.workers.busy() == limit.QueriesPerSession })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := w.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	ended := make(chan struct{})
	go func() {
		w.Server.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("goroutines go on")
	}
}
