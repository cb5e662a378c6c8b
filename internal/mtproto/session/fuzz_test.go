package session

import (
	"testing"
	"time"

	"github.com/gotd/td/mt"

	"parley/internal/limit"
)

// FuzzReceive feeds one envelope to a session in the middle of a conversation, and checks what must
// hold whatever it was.
func FuzzReceive(f *testing.F) {
	query := call32(method, 1)
	f.Add(int64(0), int32(1), query)
	f.Add(int64(4), int32(2), container([]int64{400, 404}, query, call32(idPing, 1, 2)))
	f.Add(int64(8), int32(1), initConnection(idInit, 3, query))
	f.Add(int64(8), int32(1), wrap(pack(f, query, asZlib), idWithLayer, 9))
	f.Add(int64(8), int32(0), encode(f, &mt.MsgsStateReq{MsgIDs: []int64{1, 4, 8}}))
	f.Add(int64(8), int32(0), encode(f, &mt.MsgsAllInfo{MsgIDs: []int64{1}, Info: []byte{4}}))
	f.Add(int64(8), int32(0), encode(f, &mt.MsgResendReq{MsgIDs: []int64{1}}))
	f.Add(int64(8), int32(0), encode(f, &mt.RPCDropAnswerRequest{ReqMsgID: 4}))
	f.Fuzz(func(t *testing.T, offset int64, seqNo int32, body []byte) {
		p := newPeer(t)
		p.Reply(p.ask(), call32(method))
		running := p.ask()
		p.Push(Body{Bytes: call32(1)})
		p.read()
		id := p.msgID() + offset
		first, _ := p.receive(id, seqNo, body)
		seen := make(map[int64]bool)
		for _, q := range first {
			if seen[q.MsgID] || q.MsgID == running || q.MsgID&3 != 0 {
				t.Errorf("query %d handed out twice, or with a strange id", q.MsgID)
			}
			seen[q.MsgID] = true
		}
		if again, _ := p.receive(id, seqNo, body); len(again) != 0 {
			t.Errorf("%d queries of a repeated envelope", len(again))
		}
		for _, q := range first {
			p.Reply(q.MsgID, call32(method))
		}
		p.Reply(running, call32(method))
		sent := 0
		for _, m := range p.read() {
			sent += len(m.body)
		}
		if most := 64*(len(body)+1<<10) + limit.AnswerRepeated; sent > most {
			t.Errorf("%d bytes in, %d bytes out", len(body), sent)
		}
		if p.Running() != 0 || p.Ready(1) {
			t.Error("something is left over")
		}
		p.now = p.now.Add(time.Hour)
		p.Trim(p.now)
		if p.answers != 0 || p.window.ids != nil {
			t.Errorf("%d bytes of answers held after an hour", p.answers)
		}
	})
}
