package crypt

import (
	"bytes"
	"crypto/aes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/gotd/ige"
	"github.com/gotd/td/bin"
	"github.com/gotd/td/crypto"
)

type rawBody []byte

func (r rawBody) Encode(b *bin.Buffer) error { b.Put(r); return nil }

// clientFrame seals body as an independent client does.
func clientFrame(t testing.TB, key crypto.AuthKey, h Header, body []byte) []byte {
	t.Helper()
	var b bin.Buffer
	err := crypto.NewClientCipher(rand.Reader).Encrypt(key, crypto.EncryptedMessageData{
		Salt: h.Salt, SessionID: h.SessionID, MessageID: h.MsgID, SeqNo: h.SeqNo,
		MessageDataLen: int32(len(body)), Message: rawBody(body),
	}, &b)
	if err != nil {
		t.Fatal(err)
	}
	return b.Buf
}

// clientOpen opens a frame of the server as an independent client does.
func clientOpen(key crypto.AuthKey, frame []byte) (*crypto.EncryptedMessageData, error) {
	return crypto.NewClientCipher(rand.Reader).DecryptFromBuffer(key, &bin.Buffer{Buf: frame})
}

// rawFrame seals a client's plaintext exactly as given, whatever nonsense it holds.
func rawFrame(key crypto.AuthKey, plain []byte) []byte {
	msgKey := crypto.MessageKey(key.Value, plain, crypto.Client)
	k, iv := crypto.Keys(key.Value, msgKey, crypto.Client)
	c, _ := aes.NewCipher(k[:])
	out := append(append(bytes.Clone(key.ID[:]), msgKey[:]...), make([]byte, len(plain))...)
	ige.EncryptBlocks(c, iv[:], out[24:], plain)
	return out
}

// plainText lays out a client's plaintext: header, claimed length and total size of what follows.
func plainText(length int32, total int) []byte {
	p := make([]byte, headerSize+total)
	rand.Read(p[headerSize:])
	binary.LittleEndian.PutUint64(p[8:], 77)
	binary.LittleEndian.PutUint32(p[28:], uint32(length))
	return p
}

func TestOpenReadsClients(t *testing.T) {
	key, peer := testKey(t)
	h := Header{Salt: -1, SessionID: 1 << 62, MsgID: 0x5e0b700a00000004, SeqNo: 7}
	for size := 0; size < 400; size += 4 {
		body := make([]byte, size)
		rand.Read(body)
		sealed := clientFrame(t, peer, h, body)
		for _, junk := range []int{0, 1, 4, 15} {
			frame := append(bytes.Clone(sealed), make([]byte, junk)...)
			p, err := Open(key, frame)
			if err != nil {
				t.Fatalf("%d bytes, %d bytes of transport padding: %v", size, junk, err)
			}
			if got := (Header{p.Salt, p.SessionID, p.MsgID, p.SeqNo}); got != h {
				t.Fatalf("header %+v, want %+v", got, h)
			}
			if !bytes.Equal(p.Body, body) || cap(p.Body) != size {
				t.Fatalf("%d bytes: body differs or reaches into the padding", size)
			}
		}
	}
}

func TestOpenBounds(t *testing.T) {
	key, peer := testKey(t)
	tests := []struct {
		name   string
		length int32
		total  int
		ok     bool
	}{
		{"least padding", 4, 16, true},
		{"most padding", 16, 16 + 1024, true},
		{"empty body", 0, 16, true},
		{"padding 8", 8, 16, false},
		{"padding 0", 16, 16, false},
		{"padding 1040", 0, 1040, false},
		{"padding 1028", 12, 1040, false},
		{"length beyond the end", 20, 16, false},
		{"negative length", -4, 16, false},
		{"smallest length", -1 << 31, 16, false},
		{"largest length", 1<<31 - 4, 16, false},
		{"length of no whole words", 3, 32, false},
	}
	for _, tt := range tests {
		_, err := Open(key, rawFrame(peer, plainText(tt.length, tt.total)))
		if tt.ok && err != nil || !tt.ok && !errors.Is(err, ErrOpen) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestOpenRefusesForgeries(t *testing.T) {
	key, peer := testKey(t)
	other, _ := testKey(t)
	good := clientFrame(t, peer, Header{SessionID: 1}, []byte("12345678"))
	for i := range good {
		frame := bytes.Clone(good)
		frame[i] ^= 0x10
		if _, err := Open(key, frame); !errors.Is(err, ErrOpen) {
			t.Fatalf("flipped bit in byte %d: %v", i, err)
		}
	}
	for n := range good {
		if _, err := Open(key, bytes.Clone(good[:n])); !errors.Is(err, ErrOpen) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	if _, err := Open(other, bytes.Clone(good)); !errors.Is(err, ErrOpen) {
		t.Errorf("other key: %v", err)
	}
	renamed := *other
	renamed.ID = key.ID
	if _, err := Open(&renamed, bytes.Clone(good)); !errors.Is(err, ErrOpen) {
		t.Errorf("other key under the same id: %v", err)
	}
	rand := NewRandom(rand.Reader)
	mirrored := AppendSealed(nil, key, Header{SessionID: 1}, []byte("1234"), nil, rand)
	if _, err := Open(key, mirrored); !errors.Is(err, ErrOpen) {
		t.Errorf("our own envelope sent back: %v", err)
	}
}

func TestQuickAck(t *testing.T) {
	key, peer := testKey(t)
	for range 40 {
		plain := plainText(4, 32)
		p, err := Open(key, rawFrame(peer, plain))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(append(bytes.Clone(key.Value[88:120]), plain...))
		if want := binary.LittleEndian.Uint32(sum[:]) | 0x80000000; p.QuickAck != want {
			t.Fatalf("QuickAck = %08x, want %08x", p.QuickAck, want)
		}
	}
}

func TestAppendSealedReadByClients(t *testing.T) {
	key, peer := testKey(t)
	r := NewRandom(rand.Reader)
	h := Header{Salt: 9, SessionID: -3, MsgID: 0x5e0b700a00000001, SeqNo: 1}
	for size := 0; size < 400; size += 4 {
		body := make([]byte, size)
		rand.Read(body)
		shared := bytes.Clone(body)
		out := AppendSealed([]byte("before"), key, h, body, nil, r)
		if string(out[:6]) != "before" {
			t.Fatal("what stood in dst is gone")
		}
		frame := out[6:]
		if len(frame) > size+MaxOverhead {
			t.Fatalf("%d bytes grew to %d", size, len(frame))
		}
		msg, err := clientOpen(peer, frame)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		got := Header{msg.Salt, msg.SessionID, msg.MessageID, msg.SeqNo}
		if got != h || !bytes.Equal(msg.Data(), body) {
			t.Fatalf("%d bytes: client reads %+v", size, got)
		}
		padding := len(msg.MessageDataWithPadding) - size
		if padding < minPadding || padding > maxPadding {
			t.Fatalf("%d bytes: %d bytes of padding", size, padding)
		}
		if !bytes.Equal(body, shared) {
			t.Fatal("the shared body changed")
		}
	}
}

func TestAppendSealedBlursLength(t *testing.T) {
	key, _ := testKey(t)
	r := NewRandom(rand.Reader)
	lengths := map[int]bool{}
	for range 200 {
		lengths[len(AppendSealed(nil, key, Header{}, make([]byte, 8), nil, r))] = true
	}
	if len(lengths) != extraBlocks {
		t.Errorf("%d different lengths of one body", len(lengths))
	}
}

func TestAppendSealedRefusesPartOfWord(t *testing.T) {
	key, _ := testKey(t)
	defer func() {
		if recover() == nil {
			t.Error("no panic for a body of 6 bytes")
		}
	}()
	AppendSealed(nil, key, Header{}, make([]byte, 6), nil, NewRandom(rand.Reader))
}

func TestAppendSealedPatches(t *testing.T) {
	key, peer := testKey(t)
	r := NewRandom(rand.Reader)
	body := bytes.Repeat([]byte{1}, 40)
	shared := bytes.Clone(body)
	patches := []Patch{{Off: 0, Value: -2}, {Off: 32, Value: 1 << 40}}
	msg, err := clientOpen(peer, AppendSealed(nil, key, Header{}, body, patches, r))
	if err != nil {
		t.Fatal(err)
	}
	want := bytes.Clone(body)
	for _, p := range patches {
		binary.LittleEndian.PutUint64(want[p.Off:], uint64(p.Value))
	}
	if !bytes.Equal(msg.Data(), want) || !bytes.Equal(body, shared) {
		t.Errorf("client reads %x; shared body %x", msg.Data(), body)
	}
	for _, p := range []Patch{{Off: -8}, {Off: 33}, {Off: 40}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("patch at %d accepted", p.Off)
				}
			}()
			AppendSealed(nil, key, Header{}, body, []Patch{p}, r)
		}()
	}
}

func TestEnvelopeDoesNotAllocate(t *testing.T) {
	block := make([]byte, 16)
	ige := func() { EncryptIGE(&[32]byte{}, &[32]byte{}, block) }
	if testing.AllocsPerRun(10, ige) > 0 {
		t.Skip("the generic cipher allocates its schedule")
	}
	key, peer := testKey(t)
	r := NewRandom(rand.Reader)
	body := make([]byte, 200)
	dst := make([]byte, 0, len(body)+MaxOverhead)
	patches := []Patch{{Off: 8, Value: 1}}
	sealing := func() { AppendSealed(dst, key, Header{}, body, patches, r) }
	if n := testing.AllocsPerRun(200, sealing); n != 0 {
		t.Errorf("AppendSealed: %v allocations", n)
	}
	frame := clientFrame(t, peer, Header{}, body)
	work := make([]byte, len(frame))
	opening := func() {
		copy(work, frame)
		if _, err := Open(key, work); err != nil {
			t.Error(err)
		}
	}
	if n := testing.AllocsPerRun(200, opening); n != 0 {
		t.Errorf("Open: %v allocations", n)
	}
}

func FuzzOpen(f *testing.F) {
	key, peer := testKey(f)
	f.Add(clientFrame(f, peer, Header{SessionID: 1}, []byte("12345678")), false)
	f.Add(plainText(4, 16), true)
	f.Fuzz(func(t *testing.T, in []byte, seal bool) {
		frame := bytes.Clone(in)
		if seal {
			frame = rawFrame(peer, in[:len(in)/16*16])
		}
		p, err := Open(key, frame)
		if err != nil {
			if !errors.Is(err, ErrOpen) {
				t.Fatalf("error %v", err)
			}
			return
		}
		padding := len(frame) - prefixSize - headerSize - len(p.Body)
		if len(p.Body)%4 != 0 || padding < minPadding || padding > maxPadding+15 {
			t.Fatalf("accepted body of %d bytes in a frame of %d", len(p.Body), len(frame))
		}
	})
}

func BenchmarkAppendSealed(b *testing.B) {
	key, peer := testKey(b)
	r := NewRandom(rand.Reader)
	body := make([]byte, 200)
	dst := make([]byte, 0, len(body)+MaxOverhead)
	b.Run("own", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			AppendSealed(dst, key, Header{}, body, nil, r)
		}
	})
	b.Run("peer", func(b *testing.B) {
		b.ReportAllocs()
		c := crypto.NewServerCipher(rand.Reader)
		var buf bin.Buffer
		for b.Loop() {
			data := crypto.EncryptedMessageData{
				MessageDataLen: int32(len(body)), Message: rawBody(body),
			}
			if err := c.Encrypt(peer, data, &buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	key, peer := testKey(b)
	frame := clientFrame(b, peer, Header{}, make([]byte, 200))
	work := make([]byte, len(frame))
	b.ReportAllocs()
	for b.Loop() {
		copy(work, frame)
		if _, err := Open(key, work); err != nil {
			b.Fatal(err)
		}
	}
}
