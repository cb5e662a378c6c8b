package session

import (
	"bytes"
	"slices"
	"testing"

	"github.com/gotd/td/mt"

	"parley/internal/limit"
	"parley/internal/mtproto/crypt"
)

func TestPushIsNotCopied(t *testing.T) {
	p := newPeer(t)
	p.ask()
	p.settle()
	p.expect()
	body := Body{
		Bytes:   call32(1, 2, 3, 4, 5),
		Patches: []crypt.Patch{{Off: 8, Value: 0x1122334455667788}},
	}
	p.Push(body)
	if !p.Next(p.now, 1, &p.packet) {
		t.Fatal("nothing to send")
	}
	if &p.packet.Body[0] != &body.Bytes[0] || &p.packet.Patches[0] != &body.Patches[0] {
		t.Error("the body was copied")
	}
	p.Push(body)
	p.Push(body)
	for _, m := range p.expect(1, 1) {
		if want := call32(1, 2, 0x55667788, 0x11223344, 5); !bytes.Equal(m.body, want) {
			t.Errorf("received %x, want %x", m.body, want)
		}
	}
	if !bytes.Equal(body.Bytes, call32(1, 2, 3, 4, 5)) {
		t.Error("the shared body was written to")
	}
}

func TestBodyCheck(t *testing.T) {
	four := make([]byte, 8)
	tests := map[string]struct {
		body Body
		good bool
	}{
		"empty":    {Body{}, false},
		"odd":      {Body{Bytes: four[:5]}, false},
		"good":     {Body{Bytes: four, Patches: []crypt.Patch{{Off: 0}}}, true},
		"beyond":   {Body{Bytes: four, Patches: []crypt.Patch{{Off: 1}}}, false},
		"before":   {Body{Bytes: four, Patches: []crypt.Patch{{Off: -1}}}, false},
		"too long": {Body{Bytes: four[:4], Patches: []crypt.Patch{{Off: 0}}}, false},
	}
	for name, test := range tests {
		if err := test.body.Check(); (err == nil) != test.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOverflow: a client that acknowledges nothing gets one updatesTooLong for all it missed, and
// pushes again afterwards.
func TestOverflow(t *testing.T) {
	for name, size := range map[string]int{"many": 1, "large": 1 << 14} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t)
			p.ask()
			p.settle()
			body := Body{Bytes: bytes.Repeat(call32(1), size)}
			for range 2 * limit.PushesHeld {
				p.Push(body)
			}
			if !p.Lost() {
				t.Error("not lost")
			}
			p.expect(idUpdatesTooLong)
			p.Push(body)
			p.expect(1)
			p.Attach(2)
			p.link = 2
			p.expect(idUpdatesTooLong, 1)
		})
	}
}

func TestReconnect(t *testing.T) {
	p := newPeer(t)
	p.ask()
	p.settle()
	p.Push(Body{Bytes: call32(1)})
	p.Push(Body{Bytes: call32(2)})
	first := p.expect(1, 2)
	p.Detach(1, 0)
	p.Push(Body{Bytes: call32(3)})
	if p.Ready(1) || p.Ready(2) {
		t.Error("ready without a connection")
	}
	p.Attach(2)
	p.link = 2
	again := p.expect(1, 2, 3)
	for i, m := range first {
		if again[i].id != m.id || again[i].seqNo != m.seqNo || !again[i].contained {
			t.Errorf("sent as %+v, again as %+v", m, again[i])
		}
	}
	p.acknowledgeAll(again)
	p.Attach(3)
	p.link = 3
	p.expect()
}

// TestHalfOpen: the old connection looks alive when the new one comes.
func TestHalfOpen(t *testing.T) {
	p := newPeer(t)
	id := p.ask()
	p.settle()
	p.Push(Body{Bytes: call32(1)})
	p.expect(1)
	p.Attach(2)
	p.Reply(id, call32(method))
	p.Push(Body{Bytes: call32(2)})
	p.expect(idRPCResult)
	p.link = 2
	p.expect(1, 2)
	p.Detach(1, 2)
	if got := p.expect(idRPCResult); !got[0].contained {
		t.Error("sent again by itself")
	}
}

// TestAloneAgain: the same msg_id must not be sealed twice by itself.
func TestAloneAgain(t *testing.T) {
	p := newPeer(t)
	p.ask()
	p.settle()
	p.Push(Body{Bytes: call32(1)})
	if got := p.expect(1); got[0].contained {
		t.Error("needlessly in a container")
	}
	p.Attach(2)
	p.link = 2
	if got := p.expect(1); !got[0].contained {
		t.Error("sent again by itself")
	}
}

func TestManyWaiting(t *testing.T) {
	p := newPeer(t)
	p.Reply(p.ask(), call32(method))
	p.settle()
	for range 100 {
		p.ask()
	}
	for _, c := range slices.Clone(p.running) {
		p.Reply(c.id, make([]byte, 20<<10))
	}
	packets, answers := 0, 0
	for p.Next(p.now, 1, &p.packet) {
		packets++
		if len(p.packet.Body) > limit.ContainerBytes+64 {
			t.Errorf("packet of %d bytes", len(p.packet.Body))
		}
		r := reader{b: p.packet.Body[wordBytes:]}
		answers += r.count(messageHead, limit.ContainerSent)
	}
	if packets != 4 || answers != 100 {
		t.Errorf("%d answers in %d packets", answers, packets)
	}
}

func TestLargeAnswerGoesAlone(t *testing.T) {
	p := newPeer(t)
	id := p.ask()
	p.service(&mt.MsgsAck{})
	p.Reply(id, make([]byte, limit.DownloadPart))
	got := p.expect(idNewSession, idRPCResult)
	if got[1].contained || len(got[1].body) != limit.DownloadPart+resultHead {
		t.Error("the answer went in a container")
	}
	if p.WaitingBytes() != 0 {
		t.Error("bytes still wait")
	}
}

func TestFailureEndsContainer(t *testing.T) {
	p := newPeer(t)
	p.ask()
	p.settle()
	first, second := p.ask(), p.ask()
	p.Reply(first, (&RPCError{400, "NO"}).Encode())
	p.Reply(second, call32(1, 2))
	p.Push(Body{Bytes: call32(3, 4)})
	var after [][]byte
	for p.Next(p.now, p.link, &p.packet) {
		after = append(after, slices.Clone(p.packet.Body))
	}
	failure := (&RPCError{400, "NO"}).Encode()
	if len(after) != 2 || !bytes.HasSuffix(after[0], failure) || bytes.Contains(after[1], failure) {
		t.Errorf("a failure and what follows in %d packets: %x", len(after), after)
	}
}
