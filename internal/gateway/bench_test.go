package gateway

import (
	"encoding/binary"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gotd/td/crypto"
	"github.com/gotd/td/mt"

	"parley/internal/mtproto/session"
)

// crowd connects n clients, each with a session of its own key, and has them count what comes.
func (w *world) crowd(n int) (sessions []*Session, bytes *atomic.Int64) {
	bytes = new(atomic.Int64)
	for range n {
		c := w.client()
		c.answer(c.send(method()))
		ack := &mt.MsgsAck{}
		for _, m := range c.inbox {
			ack.MsgIDs = append(ack.MsgIDs, m.id)
		}
		c.send(c.encode(ack))
		c.ping()
		sessions = append(sessions, w.Sessions(c.key.IntID())[0])
		c.nc.SetReadDeadline(time.Time{})
		go func() {
			buf := make([]byte, 16<<10)
			for {
				n, err := c.nc.Read(buf)
				bytes.Add(int64(n))
				if err != nil {
					return
				}
			}
		}()
	}
	return sessions, bytes
}

func many(o *Options) { o.Limits.ConnectionsPerAddress = 1 << 20 }

func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPush1000 pushes one body of 272 bytes to 1000 sessions, one push at a time. The CPU time
// includes the clients' reading; nothing is acknowledged.
func BenchmarkPush1000(b *testing.B) { benchmarkPush(b, 1) }

// BenchmarkPush1000Backlog is the same with 8 pushes waiting for each session.
func BenchmarkPush1000Backlog(b *testing.B) { benchmarkPush(b, 8) }

func benchmarkPush(b *testing.B, burst int) {
	const n = 1000
	w := newWorld(b, many)
	sessions, bytes := w.crowd(n)
	body := session.Body{Bytes: make([]byte, 272)}
	binary.LittleEndian.PutUint32(body.Bytes, 0x11223344)
	b.ReportAllocs()
	before, round := cpuTime(), 0
	for b.Loop() {
		want := bytes.Load() + int64(n*burst*len(body.Bytes))
		for _, s := range sessions {
			for range burst {
				s.Push(body)
			}
		}
		for bytes.Load() < want {
			time.Sleep(100 * time.Microsecond)
		}
		if round++; round*burst > 400 {
			round = 0
			renew(sessions)
		}
	}
	used := float64(cpuTime() - before)
	b.ReportMetric(used/float64(b.N)/float64(n*burst), "cpu-ns/delivery")
}

// renew gives sessions a new state, so that what is unacknowledged does not pile up.
func renew(sessions []*Session) {
	for _, s := range sessions {
		s.mu.Lock()
		s.state = session.New(session.Options{ID: s.id, Salts: s.key, Gzip: &s.server.gzip})
		s.state.Attach(s.conns[0].link)
		s.mu.Unlock()
	}
}

// BenchmarkIdle reports the resident memory of idle connections, before and after they have asked
// something. It includes the clients' ends.
func BenchmarkIdle(b *testing.B) {
	const n = 5000
	w := newWorld(b, many)
	all := make([]*raw, n)
	keys := make([]crypto.AuthKey, n)
	for i := range all {
		keys[i] = w.newKey()
	}
	empty := resident(b)
	for i := range all {
		all[i] = w.clientOf(keys[i])
	}
	connected := resident(b)
	for _, c := range all {
		c.answer(c.send(method()))
		c.inbox = nil
	}
	w.tidy(time.Now().Add(6 * time.Minute))
	keyed := resident(b)
	for b.Loop() {
		runtime.Gosched()
	}
	b.ReportMetric(float64(connected-empty)/n, "B/connected")
	b.ReportMetric(float64(keyed-empty)/n, "B/session")
	for _, c := range all {
		c.nc.Close()
	}
}

func resident(b *testing.B) int {
	for range 4 {
		debug.FreeOSMemory()
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	kb, _ := strconv.Atoi(strings.Fields(after)[0])
	return kb << 10
}

// BenchmarkQuery is one query and its answer over loopback.
func BenchmarkQuery(b *testing.B) {
	w := newWorld(b)
	c := w.client()
	c.answer(c.send(method()))
	b.ReportAllocs()
	for b.Loop() {
		c.answer(c.send(method(1, 2, 3)))
	}
}
