package session

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/mt"

	"parley/internal/limit"
)

func TestPing(t *testing.T) {
	p := newPeer(t)
	id := p.service(&mt.PingRequest{PingID: 9})
	var pong mt.Pong
	decode(t, p.expect(idNewSession, idPong)[1].body, &pong)
	if pong.MsgID != id || pong.PingID != 9 {
		t.Errorf("pong %+v", pong)
	}
	if p.PingDelay() != 0 {
		t.Error("a delay without asking")
	}
	for asked, want := range map[int]time.Duration{
		75: 75 * time.Second, 60_000: limit.PingDelay, 0: time.Second, -1: time.Second,
	} {
		p.service(&mt.PingDelayDisconnectRequest{PingID: 10, DisconnectDelay: asked})
		p.expect(idPong)
		if got := p.PingDelay(); got != want {
			t.Errorf("asked for %d s: %v, want %v", asked, got, want)
		}
	}
}

func TestFutureSalts(t *testing.T) {
	for asked, want := range map[int]int{4: 4, 64: 64, 65: 64, 0: 1, -5: 1} {
		p := newPeer(t)
		id := p.service(&mt.GetFutureSaltsRequest{Num: asked})
		var salts mt.FutureSalts
		decode(t, p.expect(idNewSession, idFutureSalts)[1].body, &salts)
		if salts.ReqMsgID != id || salts.Now != int(start.Unix()) || len(salts.Salts) != want {
			t.Errorf("asked for %d: %+v", asked, salts)
		}
		if s := salts.Salts[0]; s.Salt != goodSalt || s.ValidUntil-s.ValidSince != 3600 {
			t.Errorf("salt %+v", s)
		}
	}
}

func TestMalformedService(t *testing.T) {
	for _, id := range []uint32{idPing, idPingDelay, idGetFutureSalts, idDropAnswer, idCopy} {
		p := newPeer(t)
		if _, err := p.receive(p.msgID(), 1, call32(id)); err != nil {
			t.Errorf("%x: %v", id, err)
		}
		p.acknowledgeAll(p.read())
		for _, id := range []uint32{idAck, idStateReq, idResendReq, idAllInfo} {
			if _, err := p.receive(p.msgID(), 0, call32(id, idVector, 3)); err != nil {
				t.Errorf("%x: %v", id, err)
			}
		}
	}
}

// TestAcks: what is acknowledged waits for company, unless it waits too long.
func TestAcks(t *testing.T) {
	p := newPeer(t)
	slow := p.ask()
	p.settle()
	p.expect()
	if !p.AckRunning() {
		t.Fatal("nothing to acknowledge")
	}
	var ack mt.MsgsAck
	decode(t, p.expect(idAck)[0].body, &ack)
	if !slices.Equal(ack.MsgIDs, []int64{slow}) {
		t.Errorf("acknowledged %v, want %d", ack.MsgIDs, slow)
	}
	if p.AckRunning() {
		t.Error("acknowledged twice")
	}
	odd := p.msgID()
	if _, err := p.receive(odd, 1, encode(t, &mt.MsgsAck{})); err != nil {
		t.Fatal(err)
	}
	p.expect()
	p.Reply(slow, call32(method))
	p.expect(idAck, idRPCResult)
}

// TestRepeatedQuery: a query that comes again is not run again.
func TestRepeatedQuery(t *testing.T) {
	repeat := func(p *peer, id int64) {
		t.Helper()
		if got, err := p.receive(id, 1, call32(method)); err != nil || len(got) != 0 {
			t.Fatalf("got %v, %v", got, err)
		}
	}
	p := newPeer(t)
	id := p.ask()
	p.settle()
	repeat(p, id)
	p.expect(idAck)
	p.Reply(id, call32(method))
	repeat(p, id)
	first := p.expect(idRPCResult)
	repeat(p, id)
	again := p.expect(idRPCResult)
	if again[0].id != first[0].id || !again[0].contained {
		t.Errorf("first %+v, then %+v", first, again)
	}
	repeat(p, id)
	p.expect()
	p.acknowledgeAll(again)
	repeat(p, id)
	p.expect(idAck)

	large := p.ask()
	p.Reply(large, make([]byte, 2*limit.AnswerRepeated))
	first = p.expect(idRPCResult)
	repeat(p, large)
	var info mt.MsgDetailedInfo
	decode(t, p.expect(idDetailedInfo)[0].body, &info)
	want := mt.MsgDetailedInfo{
		MsgID: large, AnswerMsgID: first[0].id, Bytes: 2*limit.AnswerRepeated + resultHead,
	}
	if info != want {
		t.Errorf("got %+v, want %+v", info, want)
	}
	p.service(&mt.MsgResendReq{MsgIDs: []int64{first[0].id}})
	if again = p.expect(idRPCResult); again[0].id != first[0].id || !again[0].contained {
		t.Errorf("sent again as %+v", again)
	}
	p.service(&mt.MsgResendReq{MsgIDs: []int64{first[0].id}})
	p.expect()
	p.now = p.now.Add(limit.ResendEvery)
	p.service(&mt.MsgResendReq{MsgIDs: []int64{first[0].id}})
	p.expect(idRPCResult)
}

// TestAnswerGivenUp: of answers that nobody acknowledges, the oldest give way, and their clients
// learn that they must ask anew.
func TestAnswerGivenUp(t *testing.T) {
	p := newPeer(t)
	var ids []int64
	for range 20 {
		id := p.ask()
		ids = append(ids, id)
		p.Reply(id, make([]byte, 100<<10))
		p.read()
	}
	if p.answers > limit.AnswersHeld {
		t.Errorf("%d bytes held", p.answers)
	}
	p.receive(ids[0], 1, call32(method))
	var notice mt.BadMsgNotification
	decode(t, p.expect(idBadMsg)[0].body, &notice)
	if notice.BadMsgID != ids[0] || notice.ErrorCode != int(MsgIDForgotten) {
		t.Errorf("notice %+v", notice)
	}
	p.receive(ids[19], 1, call32(method))
	p.expect(idDetailedInfo)
}

func TestStates(t *testing.T) {
	p := newPeer(t)
	early := p.msgID()
	running, answered, done := p.ask(), p.ask(), p.ask()
	p.Reply(done, call32(method))
	p.settle()
	p.Reply(answered, call32(method))
	ping := p.service(&mt.PingRequest{})
	p.read()
	missing := p.msgID()
	ids := []int64{1, early, running, answered, done, ping, missing, p.last + 400, ping + 1}
	want := []byte{
		stateUnknown, stateMissing, stateReceived | stateRunning,
		stateReceived | stateRunning | stateAnswered, stateReceived, stateReceived,
		stateMissing, stateFuture, stateUnknown,
	}
	req := p.service(&mt.MsgsStateReq{MsgIDs: ids})
	var info mt.MsgsStateInfo
	decode(t, p.expect(idStateInfo)[0].body, &info)
	if info.ReqMsgID != req || !slices.Equal(info.Info, want) {
		t.Errorf("states %v, want %v", info.Info, want)
	}
	p.now = p.now.Add(time.Hour)
	p.ask()
	p.service(&mt.MsgsStateReq{MsgIDs: []int64{running}})
	decode(t, p.expect(idStateInfo)[0].body, &info)
	if info.Info[0] != stateUnknown {
		t.Errorf("state of what is long past: %v", info.Info)
	}
}

func TestResendUnknown(t *testing.T) {
	p := newPeer(t)
	p.ask()
	held := p.expect(idNewSession)
	p.service(&mt.MsgResendReq{MsgIDs: []int64{held[0].id, 12345}})
	p.expect(idNewSession, idStateInfo)
}

func TestDropAnswer(t *testing.T) {
	p := newPeer(t)
	running, answered := p.ask(), p.ask()
	p.settle()
	drop := func(id int64) []byte {
		t.Helper()
		req := p.service(&mt.RPCDropAnswerRequest{ReqMsgID: id})
		got := p.expect(idRPCResult)
		r := reader{b: got[0].body[wordBytes:]}
		if r.long() != req || got[0].seqNo&1 == 0 {
			t.Errorf("answer %x", got[0].body)
		}
		p.acknowledgeAll(got)
		return r.b
	}
	decode(t, drop(999), &mt.RPCAnswerUnknown{})
	decode(t, drop(running), &mt.RPCAnswerDroppedRunning{})
	p.Reply(running, call32(method))
	got := p.expect(idRPCResult)
	decode(t, got[0].body[resultHead:], &mt.RPCAnswerDroppedRunning{})
	p.acknowledgeAll(got)

	p.Reply(answered, call32(method, 1))
	got = p.expect(idRPCResult)
	var dropped mt.RPCAnswerDropped
	decode(t, drop(answered), &dropped)
	want := mt.RPCAnswerDropped{
		MsgID: got[0].id, SeqNo: int(got[0].seqNo), Bytes: len(got[0].body),
	}
	if dropped != want {
		t.Errorf("got %+v, want %+v", dropped, want)
	}
	p.Attach(2)
	p.link = 2
	p.expect()
	decode(t, drop(answered), &mt.RPCAnswerUnknown{})
}

func TestDestroy(t *testing.T) {
	p := newPeer(t)
	id := p.msgID()
	got, err := p.receive(id, 1, encode(t, &mt.DestroySessionRequest{SessionID: 8}))
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	if session, ok := got[0].DestroysSession(); !ok || session != 8 {
		t.Errorf("destroys %d, %v", session, ok)
	}
	p.ReplyDestroyed(id, 8, Gone, got[0].Wrapped())
	var gone mt.DestroySessionOk
	decode(t, p.expect(idNewSession, idSessionGone)[1].body, &gone)
	if gone.SessionID != 8 || p.Running() != 0 {
		t.Errorf("answer %+v, %d running", gone, p.Running())
	}
	for _, layer := range []uint32{0, 150} {
		body, want := call32(idDestroyKey), []uint32{idKeyGone}
		if layer != 0 {
			body, want = call32(idWithLayer, layer, idDestroyKey), []uint32{idRPCResult}
		}
		id = p.msgID()
		if got, err = p.receive(id, 1, body); err != nil || !got[0].DestroysKey() {
			t.Fatal(got, err)
		}
		p.ReplyDestroyed(id, 0, Gone, got[0].Wrapped())
		p.expect(want...)
	}
}

func TestCopy(t *testing.T) {
	p := newPeer(t)
	original, id := p.msgID(), p.msgID()
	body := appendLong(appendWord(nil, idCopy), original)
	body = append(appendWord(appendWord(body, 1), wordBytes), call32(method)...)
	got, err := p.receive(id, 0, body)
	if err != nil || len(got) != 1 || got[0].MsgID != original {
		t.Fatalf("got %v, %v", got, err)
	}
	if got, err = p.receive(original, 1, call32(method)); err != nil || len(got) != 0 {
		t.Errorf("taken twice: %v, %v", got, err)
	}
}

func TestAllInfoAcknowledges(t *testing.T) {
	p := newPeer(t)
	p.ask()
	got := p.expect(idNewSession)
	p.service(&mt.MsgsAllInfo{MsgIDs: []int64{got[0].id}, Info: []byte{stateReceived}})
	p.Attach(2)
	p.link = 2
	p.expect()
}

func TestIgnored(t *testing.T) {
	p := newPeer(t)
	p.ask()
	p.settle()
	for _, v := range []bin.Encoder{
		&mt.HTTPWaitRequest{MaxDelay: 1 << 30}, &mt.MsgsStateInfo{}, &mt.Pong{},
		&mt.NewSessionCreated{},
	} {
		p.service(v)
	}
	p.expect()
}

// TestFlood asks for more service than any client needs.
func TestFlood(t *testing.T) {
	many := make([]int64, limit.ServiceIDs+1)
	for name, v := range map[string]bin.Encoder{
		"acks": &mt.MsgsAck{MsgIDs: many}, "states": &mt.MsgsStateReq{MsgIDs: many},
		"resend": &mt.MsgResendReq{MsgIDs: many}, "info": &mt.MsgsAllInfo{MsgIDs: many},
	} {
		p := newPeer(t)
		if _, err := p.receive(p.msgID(), 0, encode(t, v)); !errors.Is(err, ErrFlood) {
			t.Errorf("%s: %v", name, err)
		}
	}
	tests := map[string]struct {
		body []byte
		most int
	}{
		"pings unread": {encode(t, &mt.PingRequest{}), limit.NoticesHeld + 1},
		"bad messages": {container([]int64{1 << 62}), limit.NoticesHeld + 1},
		"resend often": {encode(t, &mt.MsgResendReq{MsgIDs: []int64{1}}), limit.ResendRequests + 1},
		"states often": {encode(t, &mt.MsgsStateReq{MsgIDs: []int64{1}}), limit.ResendRequests + 1},
	}
	for name, test := range tests {
		p := newPeer(t)
		sent := 0
		for ; sent <= test.most; sent++ {
			if _, err := p.receive(p.msgID(), 0, test.body); errors.Is(err, ErrFlood) {
				break
			}
		}
		if sent > test.most || sent < 50 {
			t.Errorf("%s: stopped after %d", name, sent)
		}
	}
}
