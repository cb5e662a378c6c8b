package session

import (
	"fmt"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/gotd/td/mt"
	"github.com/gotd/td/tg"
)

// BenchmarkQuery is one query, its answer, and the acknowledgement of an earlier one.
func BenchmarkQuery(b *testing.B) {
	p := newPeer(b)
	p.ask()
	p.settle()
	body, result := call32(method, 1, 2, 3), make([]byte, 200)
	ack := encode(b, &mt.MsgsAck{MsgIDs: []int64{0}})
	var queries []Query
	b.ReportAllocs()
	for b.Loop() {
		p.now = p.now.Add(time.Millisecond)
		id := p.msgID()
		e := Envelope{Link: 1, Salt: goodSalt, MsgID: id, SeqNo: 1, Body: body}
		queries, _ = p.Receive(p.now, e, queries[:0])
		p.Reply(id, result)
		if len(queries) != 1 || !p.Next(p.now, 1, &p.packet) {
			b.Fatal("no answer")
		}
		appendLong(ack[:12], p.packet.Header.MsgID)
		e.MsgID, e.SeqNo, e.Body = p.msgID(), 0, ack
		p.Receive(p.now, e, queries[:0])
	}
}

// BenchmarkPush is one push, sent by itself and acknowledged.
func BenchmarkPush(b *testing.B) {
	p := newPeer(b)
	p.ask()
	p.settle()
	body := Body{Bytes: make([]byte, 272)}
	b.ReportAllocs()
	for b.Loop() {
		p.now = p.now.Add(time.Millisecond)
		p.Push(body)
		if !p.Next(p.now, 1, &p.packet) {
			b.Fatal("no packet")
		}
		p.acked(p.packet.Header.MsgID)
	}
}

// BenchmarkPushBacklog is eight pushes in one container.
func BenchmarkPushBacklog(b *testing.B) {
	p := newPeer(b)
	p.ask()
	p.settle()
	body := Body{Bytes: make([]byte, 272)}
	b.ReportAllocs()
	for b.Loop() {
		p.now = p.now.Add(time.Millisecond)
		for range 8 {
			p.Push(body)
		}
		if !p.Next(p.now, 1, &p.packet) {
			b.Fatal("no packet")
		}
		for len(p.sent) > 0 {
			p.acked(p.sent[0].id)
		}
	}
}

// BenchmarkPack compresses a page of history.
func BenchmarkPack(b *testing.B) {
	var page tg.MessagesMessages
	for i := range 50 {
		page.Messages = append(page.Messages, &tg.Message{
			ID: i, Date: 1_700_000_000 + i*37, PeerID: &tg.PeerUser{UserID: 1 << 33},
			FromID:  &tg.PeerUser{UserID: int64(i%7) << 30},
			Message: fmt.Sprintf("message number %d, and some words that say little (%x)", i, i*i*i),
		})
	}
	body := encode(b, &page)
	var g Gzip
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if packed := g.Pack(body); len(packed) == len(body) {
			b.Fatal("not packed")
		}
	}
	b.ReportMetric(float64(len(g.Pack(body)))/float64(len(body)), "ratio")
}

// BenchmarkIdleSession reports the memory of a session after its client fell silent.
func BenchmarkIdleSession(b *testing.B) {
	const n = 1000
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		all := make([]*peer, n)
		for i := range all {
			p := newPeer(b)
			for range 20 {
				p.Reply(p.ask(), call32(method))
			}
			p.settle()
			p.packet = Packet{}
			p.now = p.now.Add(time.Hour)
			p.Trim(p.now)
			all[i] = p
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		spare := unsafe.Sizeof(peer{}) - unsafe.Sizeof(Session{})
		each := (after.HeapAlloc-before.HeapAlloc)/n - uint64(spare)
		b.ReportMetric(float64(each), "B/session")
		runtime.KeepAlive(all)
	}
}
