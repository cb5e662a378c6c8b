package transport

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"parley/internal/limit"
)

const (
	// lingerBytes and lingerTime bound what is read after a refusal, so that closing does not
	// destroy the answer before the peer could read it.
	lingerBytes = 64 << 10
	lingerTime  = time.Second
)

// isHTTP reports whether b begins an HTTP request. Clients keep GET, POST, HEAD and OPTIONS out of
// obfuscated headers; the others are too rare there to matter.
func isHTTP(b []byte) bool {
	switch string(b[:4]) {
	case "GET ", "POST", "HEAD", "OPTI", "PUT ", "DELE", "PATC", "CONN", "TRAC", "PRI ":
		return true
	}
	return false
}

// acceptHTTP opens the web socket that a request asks for, and the obfuscated stream inside; other
// requests are refused.
//
// https://core.telegram.org/mtproto/transports#websocket
func (c *Conn) acceptHTTP(o *Options) error {
	head, err := c.readHTTPHead()
	if err != nil {
		return err
	}
	answer, ok := upgrade(head, o.Origins)
	if !ok {
		c.refuse()
		return ErrHTTP
	}
	if _, err := c.in.nc.Write(answer); err != nil {
		return err
	}
	if err := c.renewDeadline(); err != nil {
		return err
	}
	c.kind.Carrier = WebSocket
	c.carry(&webSocket{out: &c.out})
	return c.acceptObfuscated([]Secret{{}})
}

// readHTTPHead reads up to and including the empty line. It returns a longer head than
// limit.HTTPHead cut off, without that line.
func (c *Conn) readHTTPHead() ([]byte, error) {
	var head []byte
	for len(head) < limit.HTTPHead {
		b, err := c.in.peek(1)
		if err != nil {
			return nil, inside(err)
		}
		head = append(head, b[0])
		c.in.skip(1)
		if bytes.HasSuffix(head, []byte("\n\r\n")) || bytes.HasSuffix(head, []byte("\n\n")) {
			break
		}
	}
	return head, nil
}

// upgrade judges the head of a request and returns the answer that makes the connection a web
// socket.
//
// https://www.rfc-editor.org/rfc/rfc6455#section-4.2
func upgrade(head []byte, origins []string) (answer []byte, ok bool) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
	if err != nil || r.Method != http.MethodGet || !r.ProtoAtLeast(1, 1) {
		return nil, false
	}
	if r.URL.Path != "/apiws" && r.URL.Path != "/apiws_test" {
		return nil, false
	}
	key := r.Header.Get("Sec-WebSocket-Key")
	nonce, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(nonce) != 16 || !hasToken(r.Header, "Connection", "upgrade") ||
		!hasToken(r.Header, "Upgrade", "websocket") ||
		r.Header.Get("Sec-WebSocket-Version") != "13" || !allowed(r.Header.Get("Origin"), origins) {
		return nil, false
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	answer = append(answer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"+
		"Connection: Upgrade\r\nSec-WebSocket-Accept: "...)
	answer = base64.StdEncoding.AppendEncode(answer, sum[:])
	if hasToken(r.Header, "Sec-WebSocket-Protocol", "binary") {
		answer = append(answer, "\r\nSec-WebSocket-Protocol: binary"...)
	}
	return append(answer, "\r\n\r\n"...), true
}

// hasToken reports whether a comma-separated header names the token, in whatever case.
func hasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for s := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(s), token) {
				return true
			}
		}
	}
	return false
}

// allowed reports whether pages of an origin may connect. Programs that are no browser send none.
func allowed(origin string, hosts []string) bool {
	if origin == "" || len(hosts) == 0 {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && slices.Contains(hosts, strings.ToLower(u.Host))
}

// refuse answers 404 and waits a moment for the peer to take it. Errors do not matter any more.
func (c *Conn) refuse() {
	nc := c.in.nc
	const answer = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
	if _, err := io.WriteString(nc, answer); err != nil {
		return
	}
	half, ok := nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || nc.SetDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	io.CopyN(io.Discard, &c.in, lingerBytes)
}
