package session

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/mt"

	"parley/internal/limit"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	goodSalt = 0x5a17
	oldSalt  = 0x01d
	uniqueID = 77
	method   = 0x11223344 // an API method, as far as a session can tell
)

// twoSalts accepts two salts at any time.
type twoSalts struct{}

func (twoSalts) Current(time.Time) int64 { return goodSalt }

func (twoSalts) Valid(salt int64, _ time.Time) bool { return salt == goodSalt || salt == oldSalt }

func (twoSalts) Future(now time.Time, n int) []Salt {
	salts := make([]Salt, n)
	for i := range salts {
		since := now.Add(time.Duration(i) * time.Hour)
		salts[i] = Salt{Since: since, Until: since.Add(time.Hour), Value: int64(goodSalt + i)}
	}
	return salts
}

// peer is a client of one session, with the session.
type peer struct {
	t testing.TB
	Session
	now    time.Time
	last   int64
	link   Link
	packet Packet
}

func newPeer(t testing.TB) *peer {
	p := &peer{t: t, now: start, link: 1}
	p.Session = New(Options{ID: 5, Unique: uniqueID, Salts: twoSalts{}, Gzip: &Gzip{}})
	p.Attach(1)
	return p
}

// msgID returns a fresh msg_id of the client's clock, which is right.
func (p *peer) msgID() int64 {
	p.last = max(msgID(p.now.UnixNano()), p.last+4)
	return p.last
}

func (p *peer) receive(id int64, seqNo int32, body []byte) ([]Query, error) {
	return p.Receive(p.now, Envelope{
		Link: p.link, Salt: goodSalt, MsgID: id, SeqNo: seqNo, Body: body,
	}, nil)
}

// ask sends one query and expects it to be handed out.
func (p *peer) ask() int64 {
	p.t.Helper()
	id := p.msgID()
	got, err := p.receive(id, 1, call32(method))
	if err != nil || len(got) != 1 || got[0].MsgID != id {
		p.t.Fatalf("query: got %v, %v", got, err)
	}
	return id
}

// service sends a message that is no query.
func (p *peer) service(v bin.Encoder) int64 {
	p.t.Helper()
	id := p.msgID()
	if got, err := p.receive(id, 0, encode(p.t, v)); err != nil || len(got) != 0 {
		p.t.Fatalf("service message: got %v, %v", got, err)
	}
	return id
}

// incoming is a message as the client sees it.
type incoming struct {
	inner
	contained bool
}

func (m *incoming) constructor() uint32 { return Constructor(m.body) }

// read takes everything that waits for the client's connection.
func (p *peer) read() []incoming { return p.readFrom(p.link) }

func (p *peer) readFrom(link Link) []incoming {
	p.t.Helper()
	var all []incoming
	for p.Next(p.now, link, &p.packet) {
		h := p.packet.Header
		if h.Salt != goodSalt || h.SessionID != 5 {
			p.t.Fatalf("header %+v", h)
		}
		body := slices.Clone(p.packet.Body)
		for _, patch := range p.packet.Patches {
			binary.LittleEndian.PutUint64(body[patch.Off:], uint64(patch.Value))
		}
		one := incoming{inner: inner{h.MsgID, h.SeqNo, body}}
		if one.constructor() != idContainer {
			all = append(all, one)
			continue
		}
		r := reader{b: body[wordBytes:]}
		for range r.count(messageHead, limit.ContainerSent) {
			m := incoming{r.next(), true}
			if m.id >= h.MsgID {
				p.t.Fatalf("message %d in container %d", m.id, h.MsgID)
			}
			all = append(all, m)
		}
		if r.bad || len(r.b) != 0 {
			p.t.Fatal("malformed container")
		}
	}
	return all
}

// expect reads and compares the constructors.
func (p *peer) expect(want ...uint32) []incoming {
	p.t.Helper()
	got := p.read()
	var have []uint32
	for _, m := range got {
		have = append(have, m.constructor())
	}
	if !slices.Equal(have, want) {
		p.t.Fatalf("received %x, want %x", have, want)
	}
	return got
}

// settle reads everything and acknowledges it.
func (p *peer) settle() {
	p.t.Helper()
	p.acknowledgeAll(p.read())
}

func (p *peer) acknowledgeAll(all []incoming) {
	p.t.Helper()
	ack := &mt.MsgsAck{}
	for _, m := range all {
		ack.MsgIDs = append(ack.MsgIDs, m.id)
	}
	p.service(ack)
}

func call32(id uint32, words ...uint32) []byte {
	b := appendWord(nil, id)
	for _, w := range words {
		b = appendWord(b, w)
	}
	return b
}

func decode(t testing.TB, body []byte, v bin.Decoder) {
	t.Helper()
	b := bin.Buffer{Buf: body}
	if err := v.Decode(&b); err != nil || b.Len() != 0 {
		t.Fatalf("decode %T: %v, %d bytes left", v, err, b.Len())
	}
}

// container wraps messages with the given ids, all of them queries unless bodies say otherwise.
func container(ids []int64, bodies ...[]byte) []byte {
	b := appendWord(appendWord(nil, idContainer), uint32(len(ids)))
	for i, id := range ids {
		body := call32(method)
		if i < len(bodies) {
			body = bodies[i]
		}
		b = appendWord(appendWord(appendLong(b, id), 1), uint32(len(body)))
		b = append(b, body...)
	}
	return b
}

func TestFirstMessage(t *testing.T) {
	p := newPeer(t)
	if p.Begun() {
		t.Error("begun before anything came")
	}
	id := p.ask()
	p.Reply(id, call32(idPong, 1, 2, 3, 4))
	got := p.expect(idNewSession, idRPCResult)
	var created mt.NewSessionCreated
	decode(t, got[0].body, &created)
	want := mt.NewSessionCreated{FirstMsgID: id, UniqueID: uniqueID, ServerSalt: goodSalt}
	if created != want {
		t.Errorf("got %+v, want %+v", created, want)
	}
	if got[0].id&3 != 3 || got[1].id&3 != 1 || got[0].seqNo != 1 || got[1].seqNo != 3 {
		t.Errorf("ids and seqnos: %+v", got)
	}
	r := reader{b: got[1].body[wordBytes:]}
	if r.long() != id || !bytes.Equal(r.b, call32(idPong, 1, 2, 3, 4)) {
		t.Errorf("result %x", got[1].body)
	}
	p.ask()
	p.expect()
}

// TestFirstOfContainer: what came in the same container must not be sent again by the client.
func TestFirstOfContainer(t *testing.T) {
	p := newPeer(t)
	a, b, c := p.msgID(), p.msgID(), p.msgID()
	if _, err := p.receive(c, 2, container([]int64{b, a})); err != nil {
		t.Fatal(err)
	}
	var created mt.NewSessionCreated
	decode(t, p.read()[0].body, &created)
	if created.FirstMsgID != a {
		t.Errorf("first is %d, want %d", created.FirstMsgID, a)
	}
}

func TestWrongSalt(t *testing.T) {
	p := newPeer(t)
	id := p.msgID()
	e := Envelope{Link: 1, Salt: 0, MsgID: id, SeqNo: 1, Body: call32(method)}
	got, err := p.Receive(p.now, e, nil)
	var bad *BadMsgError
	if !errors.As(err, &bad) || bad.Fault != WrongSalt || len(got) != 0 || p.Begun() {
		t.Fatalf("got %v, %v", got, err)
	}
	var notice mt.BadServerSalt
	decode(t, p.expect(idBadSalt)[0].body, &notice)
	want := mt.BadServerSalt{BadMsgID: id, BadMsgSeqno: 1, ErrorCode: 48, NewServerSalt: goodSalt}
	if notice != want {
		t.Errorf("got %+v, want %+v", notice, want)
	}
	for _, salt := range []int64{oldSalt, goodSalt} {
		e.Salt = salt
		if got, err = p.Receive(p.now, e, nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 0 {
		t.Error("taken twice")
	}
}

// TestRefused sends what must be refused as a whole.
func TestRefused(t *testing.T) {
	past := func(d time.Duration) int64 { return msgID(start.Add(-d).UnixNano()) + 4 }
	now := past(0)
	many := make([]int64, limit.ContainerTaken+1)
	for i := range many {
		many[i] = now - int64(4*i) - 4
	}
	cut := container([]int64{now - 4})
	tests := []struct {
		name string
		id   int64
		seq  int32
		body []byte
		want Fault
	}{
		{"odd", now + 1, 1, call32(method), MsgIDBits},
		{"two", now + 2, 1, call32(method), MsgIDBits},
		{"old", past(301 * time.Second), 1, call32(method), MsgIDTooLow},
		{"negative", -4, 1, call32(method), MsgIDTooLow},
		{"early", past(-32 * time.Second), 1, call32(method), MsgIDTooHigh},
		{"negative seqno", now, -1, call32(method), SeqNoTooLow},
		{"nested", now, 2, container([]int64{now - 4}, container(nil)), ContainerInvalid},
		{"many", now, 2, container(many), ContainerInvalid},
		{"id above", now, 2, container([]int64{now - 4, now + 4}), ContainerInvalid},
		{"id equal", now, 2, container([]int64{now}), ContainerInvalid},
		{"id odd", now, 2, container([]int64{now - 4, now - 9}), ContainerInvalid},
		{"id zero", now, 2, container([]int64{0}), ContainerInvalid},
		{"cut", now, 2, cut[:len(cut)-4], ContainerInvalid},
		{"longer", now, 2, append(slices.Clone(cut), 0, 0, 0, 0), ContainerInvalid},
		{"no count", now, 2, call32(idContainer), ContainerInvalid},
		{"negative count", now, 2, call32(idContainer, 1<<31), ContainerInvalid},
		{"odd length", now, 2, container([]int64{now - 4}, []byte("12345")), ContainerInvalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := newPeer(t)
			got, err := p.receive(test.id, test.seq, test.body)
			var bad *BadMsgError
			if !errors.As(err, &bad) || bad.Fault != test.want || len(got) != 0 {
				t.Fatalf("got %v, %v", got, err)
			}
			var notice mt.BadMsgNotification
			decode(t, p.expect(idBadMsg)[0].body, &notice)
			if notice.BadMsgID != test.id || notice.ErrorCode != int(test.want) {
				t.Errorf("notice %+v", notice)
			}
			if p.Begun() {
				t.Error("the session has begun")
			}
		})
	}
}

// TestAccepted sends what looks odd and is not, as known clients do.
func TestAccepted(t *testing.T) {
	now := msgID(start.UnixNano())
	tests := []struct {
		name string
		id   int64
		seq  int32
		body []byte
		want int
	}{
		{"whole second", start.Unix() << 32, 1, call32(method), 1},
		{"299 seconds ago", msgID(start.Add(-299 * time.Second).UnixNano()), 1, call32(method), 1},
		{"29 seconds ahead", msgID(start.Add(29 * time.Second).UnixNano()), 1, call32(method), 1},
		{"even seqno of a query", now, 0, call32(method), 1},
		{"odd seqno of an ack", now, 1, call32(idAck, idVector, 0), 0},
		{"empty container", now, 0, container(nil), 0},
		{"old message in a container", now, 2, container([]int64{400}), 1},
		{"largest container", now, 2, container(descending(now, limit.ContainerTaken)), 1024},
		{"empty body", now, 1, nil, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := newPeer(t)
			got, err := p.receive(test.id, test.seq, test.body)
			if err != nil || len(got) != test.want {
				t.Errorf("got %d queries, %v", len(got), err)
			}
			if !slices.IsSortedFunc(got, byMsgID) {
				t.Error("not in the order of msg_ids")
			}
		})
	}
}

func descending(below int64, n int) []int64 {
	ids := make([]int64, n)
	for i := range ids {
		ids[i] = below - int64(4*i) - 4
	}
	return ids
}

// TestReplay repeats every message of a long conversation, each of them several times later.
func TestReplay(t *testing.T) {
	p := newPeer(t)
	var ids []int64
	for range 3 * limit.MsgWindow {
		ids = append(ids, p.ask())
		p.Reply(ids[len(ids)-1], call32(idPong))
		p.settle()
		p.now = p.now.Add(time.Millisecond)
		for _, back := range []int{0, 1, 49, 99, limit.MsgWindow - 1, limit.MsgWindow + 300} {
			if back >= len(ids) {
				continue
			}
			got, err := p.receive(ids[len(ids)-1-back], 1, call32(method))
			if err != nil || len(got) != 0 {
				t.Fatalf("message %d replayed after %d: %v, %v", len(ids), back, got, err)
			}
		}
	}
}

// TestFresh: a recorded envelope does not make its sender the client.
func TestFresh(t *testing.T) {
	p := newPeer(t)
	id := p.ask()
	if !p.Fresh() {
		t.Error("a new message is not fresh")
	}
	p.settle()
	p.Reply(id, call32(method))
	p.expect(idRPCResult)
	p.link = 2
	p.receive(id, 1, call32(method))
	if p.Fresh() {
		t.Error("a repeated message is fresh")
	}
	p.expect()
	p.link = 1
	p.expect(idRPCResult)
}

func TestReplayInContainer(t *testing.T) {
	p := newPeer(t)
	a, b, c := p.msgID(), p.msgID(), p.msgID()
	body := container([]int64{a, b})
	if got, err := p.receive(c, 2, body); err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	var bad *BadMsgError
	if got, err := p.receive(c, 2, body); len(got) != 0 ||
		!errors.As(err, &bad) || bad.Fault != ContainerTwice {
		t.Errorf("the same container: %v, %v", got, err)
	}
	d := p.msgID()
	if got, err := p.receive(d, 2, container([]int64{b, a, b})); len(got) != 0 || err != nil {
		t.Errorf("the same messages: %v, %v", got, err)
	}
}

// TestFloor: a session whose earlier state was dropped refuses what that may have taken.
func TestFloor(t *testing.T) {
	p := newPeer(t)
	before, after := p.msgID(), p.msgID()
	p.Session = New(Options{ID: 5, Floor: before, Salts: twoSalts{}, Gzip: &Gzip{}})
	p.Attach(1)
	if got, err := p.receive(before, 1, call32(method)); len(got) != 0 || err != nil || p.Begun() {
		t.Errorf("got %v, %v", got, err)
	}
	var notice mt.BadMsgNotification
	decode(t, p.expect(idBadMsg)[0].body, &notice)
	if notice.ErrorCode != int(MsgIDForgotten) {
		t.Errorf("notice %+v", notice)
	}
	if got, err := p.receive(after, 1, call32(method)); len(got) != 1 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestClockSetBack: our clock may jump; a session's ids rise, and its client stays in step.
func TestClockSetBack(t *testing.T) {
	p := newPeer(t)
	highest := int64(0)
	push := func() {
		t.Helper()
		p.Push(Body{Bytes: call32(1)})
		for _, m := range p.read() {
			if m.id <= highest {
				t.Fatalf("msg_id %d after %d", m.id, highest)
			}
			highest = m.id
		}
	}
	p.ask()
	push()
	server := p.now.Add(-time.Hour)
	for range 100 {
		// The client's clock goes on, 2 seconds a round, and so does ours, an hour behind.
		p.now, server = p.now.Add(2*time.Second), server.Add(2*time.Second)
		id := p.msgID()
		got, err := p.Receive(server, Envelope{
			Link: 1, Salt: goodSalt, MsgID: id, SeqNo: 1, Body: call32(method),
		}, nil)
		if err != nil || len(got) != 1 {
			t.Fatalf("got %v, %v", got, err)
		}
		ahead := p.now
		p.now = server
		push()
		p.now = ahead
	}
}

func TestTrim(t *testing.T) {
	p := newPeer(t)
	for range 100 {
		p.Reply(p.ask(), make([]byte, 100))
	}
	p.settle()
	p.Reply(p.ask(), make([]byte, 100))
	p.Push(Body{Bytes: call32(1)})
	p.read()
	p.now = p.now.Add(10 * time.Minute)
	p.Trim(p.now)
	if p.window.ids != nil || p.running != nil || len(p.sent) != 1 || cap(p.sent) > 2 ||
		p.answers != 0 {
		t.Errorf("kept %d ids, %d calls, %d messages, %d bytes",
			cap(p.window.ids), cap(p.running), cap(p.sent), p.answers)
	}
	if got, err := p.receive(p.last, 1, call32(method)); len(got) != 0 || err == nil {
		t.Errorf("replayed after trimming: %v, %v", got, err)
	}
}
