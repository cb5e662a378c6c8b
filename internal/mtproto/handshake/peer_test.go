package handshake

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/exchange"

	"parley/internal/clock"
	"parley/internal/mtproto/crypt"
)

// pipe carries messages behind their length, which is the least that a transport can do.
type pipe struct{ conn net.Conn }

func (p pipe) Send(_ context.Context, b *bin.Buffer) error { return p.write(b.Buf) }

func (p pipe) Recv(_ context.Context, b *bin.Buffer) error {
	payload, err := p.read()
	b.ResetTo(payload)
	return err
}

func (p pipe) Close() error { return p.conn.Close() }

func (p pipe) write(payload []byte) error {
	frame := binary.LittleEndian.AppendUint32(nil, uint32(len(payload)))
	_, err := p.conn.Write(append(frame, payload...))
	return err
}

func (p pipe) read() ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(p.conn, size[:]); err != nil {
		return nil, err
	}
	payload := make([]byte, binary.LittleEndian.Uint32(size[:]))
	_, err := io.ReadFull(p.conn, payload)
	return payload, err
}

// serve answers everything on conn and hands out the keys that come of it.
func serve(s *Server, conn net.Conn, keys chan<- Result) error {
	p, x := pipe{conn}, s.Start()
	for {
		payload, err := p.read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		reply, done, err := x.Step(context.Background(), payload)
		if err != nil {
			return err
		}
		if err := p.write(reply); err != nil {
			return err
		}
		if done != nil {
			keys <- *done
		}
	}
}

// TestIndependentClient lets an independent client create a permanent and a temporary key over one
// connection, the one with our first RSA key and the other with our second.
func TestIndependentClient(t *testing.T) {
	saved := make(chan Result, 1)
	server, err := NewServer(Config{
		Keys: testKeys(), Clock: clock.System{}, Rand: crypt.NewRandom(rand.Reader),
		Save: func(_ context.Context, r Result) error { saved <- r; return nil },
		Exists: func(context.Context, int64) (bool, error) {
			return false, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	here, there := net.Pipe()
	keys := make(chan Result, 2)
	served := make(chan error, 1)
	go func() { served <- serve(server, here, keys) }()
	run := func(e exchange.Exchanger, key *rsa.PrivateKey) exchange.ClientExchangeResult {
		t.Helper()
		public := []exchange.PublicKey{{RSA: &key.PublicKey}}
		result, err := e.Client(public).Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	e := exchange.NewExchanger(pipe{there}, 2)
	perm := run(e, testKeys()[0])
	temp := run(e.WithTempMode(3600), testKeys()[1])
	there.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
	for _, side := range []struct {
		client exchange.ClientExchangeResult
		server Result
		temp   bool
	}{{perm, <-keys, false}, {temp, <-keys, true}} {
		same := side.server.Key.Value == [256]byte(side.client.AuthKey.Value) &&
			side.server.Salt == side.client.ServerSalt && side.server.DC == 2 &&
			side.server.Temp == side.temp
		if !same {
			t.Errorf("the sides disagree, temporary %v", side.temp)
		}
		left := time.Until(side.server.ExpiresAt)
		if side.temp && (left > time.Hour || left < 50*time.Minute) {
			t.Errorf("temporary key ends in %v", left)
		}
	}
	if (<-saved).Temp || len(saved) != 0 {
		t.Error("not exactly the permanent key was saved")
	}
}
