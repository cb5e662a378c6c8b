package transport

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/internal/limit"
)

func wsRequest(path string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n" +
		"Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: binary\r\n\r\n"
}

// wsAnswer is the answer to wsRequest; key and value are the example of RFC 6455, section 1.3.
const wsAnswer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
	"Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" +
	"Sec-WebSocket-Protocol: binary\r\n\r\n"

const refusal = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

// wsFrame builds a frame as a client sends it.
func wsFrame(first byte, payload []byte) []byte {
	b := []byte{first, 0x80}
	switch n := len(payload); {
	case n < 126:
		b[1] |= byte(n)
	case n < 1<<16:
		b[1] |= 126
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b[1] |= 127
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	mask := []byte{0x11, 0x22, 0x33, 0x44}
	b = append(b, mask...)
	for i, p := range payload {
		b = append(b, p^mask[i%4])
	}
	return b
}

// readWSFrame reads a frame as the server sends it.
func readWSFrame(t *testing.T, r io.Reader) (first byte, payload []byte) {
	t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil {
		t.Fatal(err)
	}
	n := int(head[1])
	if n == 126 {
		long := make([]byte, 2)
		io.ReadFull(r, long)
		n = int(binary.BigEndian.Uint16(long))
	}
	payload = make([]byte, n)
	if _, err := io.ReadFull(r, payload); err != nil {
		t.Fatal(err)
	}
	return head[0], payload
}

func TestUpgrade(t *testing.T) {
	change := func(old, new string) string {
		return strings.Replace(wsRequest("/apiws"), old, new, 1)
	}
	origin := func(o string) string { return change("Host:", "Origin: "+o+"\r\nHost:") }
	hosts := []string{"app.example.org"}
	cases := []struct {
		name, request string
		origins       []string
		ok            bool
	}{
		{"plain", wsRequest("/apiws"), nil, true},
		{"test path", wsRequest("/apiws_test"), nil, true},
		{"query", wsRequest("/apiws?x=1"), nil, true},
		{"case", change("keep-alive, Upgrade", "UPGRADE"), nil, true},
		{"no origin where some are allowed", wsRequest("/apiws"), hosts, true},
		{"allowed origin", origin("https://App.example.org"), hosts, true},
		{"any origin", origin("https://evil.example"), nil, true},
		{"wrong origin", origin("https://evil.example"), hosts, false},
		{"origin null", origin("null"), hosts, false},
		{"origin that only begins right", origin("https://app.example.org.evil"), hosts, false},
		{"other path", wsRequest("/apiws1"), nil, false},
		{"path below", wsRequest("/apiws/x"), nil, false},
		{"root", wsRequest("/"), nil, false},
		{"POST", change("GET", "POST"), nil, false},
		{"HTTP/1.0", change("HTTP/1.1", "HTTP/1.0"), nil, false},
		{"no upgrade", change("Upgrade: websocket\r\n", ""), nil, false},
		{"other upgrade", change("Upgrade: websocket", "Upgrade: h2c"), nil, false},
		{"no connection", change("Connection: keep-alive, Upgrade\r\n", ""), nil, false},
		{"old version", change("Version: 13", "Version: 8"), nil, false},
		{"no key", change("dGhlIHNhbXBsZSBub25jZQ==", ""), nil, false},
		{"short key", change("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ=="), nil, false},
		{"malformed", "GET /apiws\r\n\r\n", nil, false},
		{"malformed header", change("Host: 127.0.0.1", "Host"), nil, false},
		{"head too long", change("Host:", "X: "+strings.Repeat("x", limit.HTTPHead)+"\r\nHost:"),
			nil, false},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			header, _ := obfuscatedOpening(t, Abridged, -4, Secret{})
			sc := newScript([]byte(tc.request), wsFrame(0x82, header))
			c, err := Accept(sc, Options{Origins: tc.origins})
			if tc.ok {
				if err != nil || c.Kind() != (Kind{Abridged, WebSocket}) || c.DC() != -4 {
					t.Errorf("err = %v", err)
				}
				if sc.out.String() != wsAnswer {
					t.Errorf("answer: %q", sc.out.String())
				}
				return
			}
			if !errors.Is(err, ErrHTTP) || sc.out.String() != refusal || !sc.closed {
				t.Errorf("err = %v, closed = %v, answer: %q", err, sc.closed, sc.out.String())
			}
		})
	}
	sc := newScript([]byte(change("Sec-WebSocket-Protocol: binary\r\n", "")))
	Accept(sc, Options{})
	want := strings.Replace(wsAnswer, "Sec-WebSocket-Protocol: binary\r\n", "", 1)
	if sc.out.String() != want {
		t.Errorf("answer without subprotocol: %q", sc.out.String())
	}
}

// TestRefusalArrives sends requests with bodies, as a real client does, and expects to be able to
// read the answer.
func TestRefusalArrives(t *testing.T) {
	addr, results := listen(t, Options{})
	for _, size := range []int{0, 10, 40 << 10} {
		for _, method := range []string{"POST", "OPTIONS", "GET", "HEAD", "PUT", "DELETE"} {
			body := bytes.NewReader(make([]byte, size))
			req, _ := http.NewRequest(method, "http://"+addr+"/api", body)
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatalf("%s with %d bytes: %v", method, size, err)
			}
			resp.Body.Close()
			if resp.StatusCode != 404 || !resp.Close {
				t.Errorf("%s: %v", method, resp)
			}
			if r := <-results; !errors.Is(r.err, ErrHTTP) {
				t.Errorf("%s: %v", method, r.err)
			}
		}
	}
}

// TestRefusalWaitsForThePeer checks that what the peer sends is taken before the connection is
// closed, within bounds: closing over unread bytes makes many systems throw the answer away.
func TestRefusalWaitsForThePeer(t *testing.T) {
	const request = "POST /api HTTP/1.1\r\n\r\n"
	const flood = 1 << 20
	for sent, left := range map[int]int{
		0: 0, 40 << 10: 0, lingerBytes: 0, flood: flood - lingerBytes,
	} {
		body := strings.NewReader(strings.Repeat("x", sent))
		nc := &halfCloser{body: body}
		nc.in = io.MultiReader(strings.NewReader(request), body)
		Accept(nc, Options{})
		if nc.unreadAtFIN != sent || nc.out.String() != refusal || !nc.closed {
			t.Errorf("%d bytes: %d unread, answer %q", sent, nc.unreadAtFIN, nc.out.String())
		}
		if d := body.Len() - left; d > 0 || d < -readAhead {
			t.Errorf("%d bytes: %d not taken, want %d", sent, body.Len(), left)
		}
	}
}

// halfCloser is a socket that can close its sending side.
type halfCloser struct {
	script
	body        *strings.Reader
	unreadAtFIN int
}

func (h *halfCloser) CloseWrite() error { h.unreadAtFIN = h.body.Len(); return nil }

// TestWebSocketFrames reads streams that are cut into frames in every lawful and unlawful way.
func TestWebSocketFrames(t *testing.T) {
	m := message(30)
	b := frame(Intermediate, 0, m)
	huge := append(binary.BigEndian.AppendUint64([]byte{0x82, 0xff}, 1<<40), 0, 0, 0, 0)
	negative := append(binary.BigEndian.AppendUint64([]byte{0x82, 0xff}, 1<<63), 0, 0, 0, 0)
	cases := []struct {
		name   string
		stream [][]byte
		want   error
		answer string
	}{
		{"one frame", [][]byte{wsFrame(0x82, b)}, nil, ""},
		{"two messages", [][]byte{wsFrame(0x82, b[:7]), wsFrame(0x82, b[7:])}, nil, ""},
		{"fragments", [][]byte{wsFrame(0x02, b[:3]), wsFrame(0, b[3:200]), wsFrame(0x80, b[200:])},
			nil, ""},
		{"empty frames", [][]byte{wsFrame(0x82, nil), wsFrame(0x02, nil), wsFrame(0x80, b)},
			nil, ""},
		{"ping between", [][]byte{wsFrame(0x02, b[:3]), wsFrame(0x89, []byte("hi")),
			wsFrame(0x80, b[3:])}, nil, "\x8a\x02hi"},
		{"pings", [][]byte{wsFrame(0x89, nil), wsFrame(0x89, []byte("x")), wsFrame(0x82, b)}, nil,
			"\x8a\x00\x8a\x01x"},
		{"long ping", [][]byte{wsFrame(0x89, b[:125]), wsFrame(0x82, b)}, nil,
			"\x8a\x7d" + string(b[:125])},
		{"pong", [][]byte{wsFrame(0x8a, []byte("hi")), wsFrame(0x82, b)}, nil, ""},
		{"close", [][]byte{wsFrame(0x88, []byte{3, 0xe8})}, io.EOF, "\x88\x02\x03\xe8"},
		{"close inside", [][]byte{wsFrame(0x82, b[:5]), wsFrame(0x88, nil)}, io.ErrUnexpectedEOF,
			"\x88\x00"},
		{"text", [][]byte{wsFrame(0x81, b)}, ErrRecord, ""},
		{"unmasked", [][]byte{{0x82, 4, 1, 2, 3, 4}}, ErrRecord, ""},
		{"reserved bit", [][]byte{wsFrame(0xc2, b)}, ErrRecord, ""},
		{"reserved opcode", [][]byte{wsFrame(0x83, b)}, ErrRecord, ""},
		{"reserved control", [][]byte{wsFrame(0x8b, nil)}, ErrRecord, ""},
		{"continuation of nothing", [][]byte{wsFrame(0x80, b)}, ErrRecord, ""},
		{"message inside a message", [][]byte{wsFrame(0x02, nil), wsFrame(0x82, b)}, ErrRecord, ""},
		{"fragmented ping", [][]byte{wsFrame(0x09, nil)}, ErrRecord, ""},
		{"ping too long", [][]byte{wsFrame(0x89, b[:126])}, ErrRecord, ""},
		{"huge", [][]byte{huge}, ErrFrameTooLong, ""},
		{"length with top bit", [][]byte{negative}, ErrFrameTooLong, ""},
		{"cut header", [][]byte{{0x82}}, io.ErrUnexpectedEOF, ""},
		{"cut length", [][]byte{{0x82, 0xfe, 1}}, io.ErrUnexpectedEOF, ""},
		{"cut payload", [][]byte{wsFrame(0x82, b)[:100]}, io.ErrUnexpectedEOF, ""},
		{"cut ping", [][]byte{wsFrame(0x89, []byte("hi"))[:7]}, io.ErrUnexpectedEOF, ""},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			sc := newScript(tc.stream...)
			c := framed(Kind{Intermediate, WebSocket}, sc)
			f, err := c.ReadFrame(nil)
			if !errors.Is(err, tc.want) || err == nil && !bytes.Equal(f.Payload, m) {
				t.Errorf("%d bytes, %v", len(f.Payload), err)
			}
			if sc.out.String() != tc.answer {
				t.Errorf("answer: %q", sc.out.String())
			}
		})
	}
}

// TestWebSocketClient lets an independent client ping and close.
func TestWebSocketClient(t *testing.T) {
	addr, results := listen(t, Options{})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, "ws://"+addr+"/apiws_test", nil)
	if err != nil {
		t.Fatal(err)
	}
	header, _ := obfuscatedOpening(t, Abridged, 0, Secret{})
	if err := ws.Write(ctx, websocket.MessageBinary, header); err != nil {
		t.Fatal(err)
	}
	r := <-results
	if r.err != nil {
		t.Fatal(r.err)
	}
	read := make(chan error)
	go func() {
		_, err := r.conn.Await()
		read <- err
	}()
	ctx = ws.CloseRead(ctx)
	for range 3 {
		if err := ws.Ping(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := ws.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Error(err)
	}
	if err := <-read; err != io.EOF {
		t.Errorf("after close: %v", err)
	}
	r.conn.Close()
}
