package gateway

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/crypto"
	"github.com/gotd/td/mt"

	"parley/internal/clock"
	"parley/internal/keyring"
	"parley/internal/mtproto/crypt"
	"parley/internal/mtproto/handshake"
	"parley/internal/mtproto/session"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// serverKey is the key of all servers in these tests.
var serverKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// storedKeys is where the tests' servers keep their permanent keys.
type storedKeys struct {
	mu    sync.Mutex
	byID  map[int64]Key
	fault error  // of Destroy
	read  func() // is called when a key was read and not handed on yet
}

func (k *storedKeys) Find(_ context.Context, id int64) (Key, error) {
	k.mu.Lock()
	key, ok := k.byID[id]
	read := k.read
	k.mu.Unlock()
	if !ok {
		return Key{}, ErrNoKey
	}
	if read != nil {
		read()
	}
	return key, nil
}

func (k *storedKeys) Destroy(_ context.Context, id int64) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.byID[id]; !ok {
		return ErrNoKey
	}
	if k.fault == nil {
		delete(k.byID, id)
	}
	return k.fault
}

func (k *storedKeys) put(key Key) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.byID[key.ID] = key
}

// script is a handler whose behaviour a test decides.
type script struct {
	ordered func(query []byte) bool
	invoke  func(ctx context.Context, s *Session, q session.Query) ([]byte, error)
	closed  chan *Session
}

func (h *script) Ordered(query []byte) bool { return h.ordered != nil && h.ordered(query) }

func (h *script) Invoke(ctx context.Context, s *Session, q session.Query) ([]byte, error) {
	if h.invoke == nil {
		return trueValue(), nil
	}
	return h.invoke(ctx, s, q)
}

func (h *script) Closed(s *Session) {
	select {
	case h.closed <- s:
	default:
	}
}

// world is a server on a loopback port.
type world struct {
	t    testing.TB
	addr string
	keys *storedKeys
	script
	*Server
}

func newWorld(t testing.TB, change ...func(*Options)) *world {
	t.Helper()
	w := &world{t: t, keys: &storedKeys{byID: make(map[int64]Key)}}
	w.closed = make(chan *Session, 100)
	shake, err := handshake.NewServer(handshake.Config{
		Keys: []*rsa.PrivateKey{serverKey()}, Clock: clock.System{}, Rand: rand.Reader,
		Save: func(_ context.Context, r handshake.Result) error {
			w.keys.put(Key{AuthKey: r.Key, DC: r.DC})
			return nil
		},
		Exists: func(ctx context.Context, id int64) (bool, error) {
			_, err := w.keys.Find(ctx, id)
			return err == nil, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Clock: clock.System{}, Rand: rand.Reader, Handshake: shake, Keys: w.keys,
		Log:   slog.New(slog.NewTextHandler(io.Discard, nil)),
		Salts: keyring.NewSalts([32]byte{1}, 1), Handler: &w.script,
	}
	for _, f := range change {
		f(&o)
	}
	w.Server = New(o)
	w.addr = w.listen()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := w.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) listen() string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	go w.Serve(context.Background(), ln)
	return ln.Addr().String()
}

// raw is a client that does as it is told, over intermediate frames.
type raw struct {
	t       testing.TB
	nc      net.Conn
	key     crypto.AuthKey
	session int64
	salt    int64
	last    int64
	quick   []uint32
	inbox   []received // read and not yet asked for
}

// newKey makes a permanent key that the server knows.
func (w *world) newKey() crypto.AuthKey {
	var k crypto.Key
	rand.Read(k[:])
	w.keys.put(Key{AuthKey: crypt.NewAuthKey([256]byte(k)), DC: 2})
	return k.WithID()
}

// client connects with a new key and the right salt.
func (w *world) client() *raw { return w.clientOf(w.newKey()) }

func (w *world) clientOf(key crypto.AuthKey) *raw {
	r := &raw{t: w.t, key: key, session: randomLong()}
	r.salt = w.o.Salts.Current(key.IntID(), time.Now())
	r.connect(w.addr)
	return r
}

func randomLong() int64 {
	var b [8]byte
	rand.Read(b[:])
	return int64(binary.LittleEndian.Uint64(b[:]))
}

func (r *raw) connect(addr string) { r.connectFrom("127.0.0.1", addr) }

func (r *raw) connectFrom(own, addr string) {
	r.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(own)}}
	nc, err := d.Dial("tcp", addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { nc.Close() })
	r.nc = nc
	r.write([]byte{0xee, 0xee, 0xee, 0xee})
}

func (r *raw) write(b []byte) {
	r.t.Helper()
	if _, err := r.nc.Write(b); err != nil {
		r.t.Fatal(err)
	}
}

// msgID returns a fresh msg_id.
func (r *raw) msgID() int64 {
	now := time.Now().UnixNano()
	id := now/1e9<<32 | (now%1e9<<32/1e9)&^3
	r.last = max(id, r.last+4)
	return r.last
}

// seal returns a whole frame.
func (r *raw) seal(id int64, seqNo int32, body []byte) []byte {
	r.t.Helper()
	var b bin.Buffer
	err := crypto.NewClientCipher(rand.Reader).Encrypt(r.key, crypto.EncryptedMessageData{
		Salt: r.salt, SessionID: r.session, MessageID: id, SeqNo: seqNo,
		MessageDataLen: int32(len(body)), MessageDataWithPadding: body,
	}, &b)
	if err != nil {
		r.t.Fatal(err)
	}
	return append(binary.LittleEndian.AppendUint32(nil, uint32(b.Len())), b.Buf...)
}

// send sends a message and returns its id.
func (r *raw) send(body []byte) int64 {
	r.t.Helper()
	id := r.msgID()
	r.write(r.seal(id, 1, body))
	return id
}

// sendPlain sends an unencrypted message.
func (r *raw) sendPlain(v bin.Encoder) {
	r.t.Helper()
	body := r.encode(v)
	frame := binary.LittleEndian.AppendUint32(nil, uint32(20+len(body)))
	frame = append(frame, make([]byte, 8)...)
	frame = binary.LittleEndian.AppendUint64(frame, uint64(r.msgID()))
	r.write(append(binary.LittleEndian.AppendUint32(frame, uint32(len(body))), body...))
}

func (r *raw) encode(v bin.Encoder) []byte {
	r.t.Helper()
	var b bin.Buffer
	if err := v.Encode(&b); err != nil {
		r.t.Fatal(err)
	}
	return b.Buf
}

// received is a message from the server, or a transport error.
type received struct {
	id        int64
	seqNo     int32
	body      []byte
	contained bool
	code      int32
}

func (m *received) constructor() uint32 { return session.Constructor(m.body) }

// errTimeout says that nothing came in time.
var errTimeout = os.ErrDeadlineExceeded

// receive reads one frame and returns the messages in it.
func (r *raw) receive(wait time.Duration) ([]received, error) {
	r.nc.SetReadDeadline(time.Now().Add(wait))
	for {
		var head [4]byte
		if _, err := io.ReadFull(r.nc, head[:]); err != nil {
			return nil, err
		}
		n := binary.LittleEndian.Uint32(head[:])
		if n>>31 != 0 {
			r.quick = append(r.quick, n)
			return nil, nil
		}
		frame := make([]byte, n)
		if _, err := io.ReadFull(r.nc, frame); err != nil {
			return nil, err
		}
		if n == 4 {
			return []received{{code: int32(binary.LittleEndian.Uint32(frame))}}, nil
		}
		return r.open(frame), nil
	}
}

func (r *raw) open(frame []byte) []received {
	r.t.Helper()
	if binary.LittleEndian.Uint64(frame) == 0 {
		return []received{{body: frame[20:]}}
	}
	cipher := crypto.NewClientCipher(rand.Reader)
	m, err := cipher.DecryptFromBuffer(r.key, &bin.Buffer{Buf: frame})
	if err != nil || m.SessionID != r.session {
		r.t.Fatalf("frame does not open: %v", err)
	}
	one := received{id: m.MessageID, seqNo: m.SeqNo, body: m.Data()}
	if one.constructor() != 0x73f1f8dc {
		return []received{one}
	}
	var all []received
	b := bin.Buffer{Buf: one.body[4:]}
	count, _ := b.Int()
	for range count {
		id, _ := b.Long()
		seqNo, _ := b.Int()
		n, _ := b.Int()
		all = append(all, received{id: id, seqNo: int32(seqNo), body: b.Buf[:n], contained: true})
		b.Skip(n)
	}
	return all
}

// await reads until a message satisfies want, and leaves the others for later.
func (r *raw) await(want func(*received) bool) received {
	r.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		for i := range r.inbox {
			if m := r.inbox[i]; want(&m) {
				r.inbox = slices.Delete(r.inbox, i, i+1)
				return m
			}
		}
		all, err := r.receive(time.Until(deadline))
		if err != nil {
			r.t.Fatalf("waiting: %v", err)
		}
		r.inbox = append(r.inbox, all...)
	}
}

// answer waits for the answer to a query and returns its result.
func (r *raw) answer(id int64) []byte {
	r.t.Helper()
	m := r.await(func(m *received) bool {
		return m.constructor() == 0xf35c6d01 && int64(binary.LittleEndian.Uint64(m.body[4:])) == id
	})
	return m.body[12:]
}

// fault waits for the answer to a query, which must be an error.
func (r *raw) fault(id int64) mt.RPCError {
	r.t.Helper()
	var e mt.RPCError
	if err := e.Decode(&bin.Buffer{Buf: r.answer(id)}); err != nil {
		r.t.Fatal(err)
	}
	return e
}

// of waits for a message of a constructor.
func (r *raw) of(constructor uint32) received {
	r.t.Helper()
	return r.await(func(m *received) bool { return m.constructor() == constructor })
}

// quiet expects nothing but silence for a moment.
func (r *raw) quiet() {
	r.t.Helper()
	all, err := r.receive(100 * time.Millisecond)
	if !errors.Is(err, errTimeout) {
		r.t.Fatalf("received %d messages, %v", len(all), err)
	}
}

// closed waits for the end of the connection, whatever comes before.
func (r *raw) closed() {
	r.t.Helper()
	r.nc.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, r.nc); errors.Is(err, errTimeout) {
		r.t.Fatal("the connection is still open")
	}
}

// ping sends a ping and waits for the pong, so that everything before has been received.
func (r *raw) ping() {
	r.t.Helper()
	id := r.send(r.encode(&mt.PingRequest{PingID: 1}))
	r.await(func(m *received) bool {
		return m.constructor() == mt.PongTypeID &&
			int64(binary.LittleEndian.Uint64(m.body[4:])) == id
	})
}

// method is a query that only a handler could understand.
func method(words ...uint32) []byte {
	b := binary.LittleEndian.AppendUint32(nil, 0x11223344)
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

// container wraps messages, all with seqno 1.
func container(ids []int64, bodies ...[]byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, 0x73f1f8dc)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(ids)))
	for i, id := range ids {
		b = binary.LittleEndian.AppendUint64(b, uint64(id))
		b = binary.LittleEndian.AppendUint32(b, 1)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(bodies[i])))
		b = append(b, bodies[i]...)
	}
	return b
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatal("never: ", what)
}

func buffer(b []byte) *bin.Buffer { return &bin.Buffer{Buf: b} }

// slowly returns a handler that counts how many of it run.
func slowly(running, most, runs *atomic.Int32) func(
	context.Context, *Session, session.Query,
) ([]byte, error) {
	return func(context.Context, *Session, session.Query) ([]byte, error) {
		n := running.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		time.Sleep(time.Millisecond)
		running.Add(-1)
		runs.Add(1)
		return trueValue(), nil
	}
}
