package receiver

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/smtp"
	"net/textproto"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/clock"
	"parley/internal/limit"
)

// door is a server on loopback and what it took.
type door struct {
	*Server
	addr string
	took chan Mail
	// answer is what the reader says.
	answer atomic.Pointer[error]
}

func listen(t *testing.T, change func(*Options)) *door {
	t.Helper()
	d := &door{took: make(chan Mail, 100)}
	o := Options{
		Domain: "mx.example.org", MaxBytes: 64 << 10, Clock: clock.System{},
		Takes: func(a string) bool { return a == "authorities@example.org" },
		Rate:  limit.Rate{Burst: 50, Per: time.Hour},
		Deliver: func(_ context.Context, m Mail) error {
			if err := d.answer.Load(); err != nil {
				return *err
			}
			d.took <- m
			return nil
		},
		Failed: func(error) {},
	}
	if change != nil {
		change(&o)
	}
	d.Server = New(o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.addr = l.Addr().String()
	ended := make(chan error, 1)
	go func() { ended <- d.Serve(l) }()
	t.Cleanup(func() {
		if err := d.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return d
}

// send sends a mail with the standard library's client, which turns to TLS where that is offered.
func (d *door) send(to, body string) error {
	c, err := smtp.Dial(d.addr)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if err := c.Mail("clerk@court.example"); err != nil {
		return err
	}
	if err := c.Rcpt(to); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, body); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}

// code is the answer of the protocol that an error is, 0 for none.
func code(err error) int {
	var e *textproto.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

func TestMailIsTaken(t *testing.T) {
	d := listen(t, nil)
	if err := d.send("Authorities@Example.org", "Subject: x\r\n\r\nOrder\r\n"); err != nil {
		t.Fatal(err)
	}
	m := <-d.took
	if m.From != "clerk@court.example" || len(m.To) != 1 || m.To[0] != "authorities@example.org" ||
		!strings.Contains(string(m.Body), "Order") || m.TLS || !m.Remote.IsLoopback() {
		t.Errorf("took %+v", m)
	}
}

// TestMailIsRefused: nothing is relayed, nothing too large is taken, and what its reader could not
// store is sent again.
func TestMailIsRefused(t *testing.T) {
	d := listen(t, nil)
	for _, to := range []string{
		"anybody@elsewhere.example", "authorities%elsewhere.example@example.org",
		"authorities@example.org.evil.example", "postmaster",
	} {
		if err := d.send(to, "x"); code(err) < 500 {
			t.Errorf("%s: %v", to, err)
		}
	}
	if err := d.send("authorities@example.org", strings.Repeat("x\r\n", 64<<10)); code(err) != 552 {
		t.Errorf("too large: %v", err)
	}
	failed, none := io.ErrShortWrite, fmt.Errorf("%w: it is none", ErrRefused)
	d.answer.Store(&failed)
	if err := d.send("authorities@example.org", "x"); code(err) != 451 {
		t.Errorf("not stored: %v", err)
	}
	d.answer.Store(&none)
	if err := d.send("authorities@example.org", "x"); code(err) != 554 {
		t.Errorf("refused: %v", err)
	}
	if len(d.took) != 0 {
		t.Errorf("took %d mails", len(d.took))
	}
}

func TestMailsAreCounted(t *testing.T) {
	now := clock.NewFake(time.Unix(1_800_000_000, 0))
	d := listen(t, func(o *Options) {
		o.Rate, o.Clock = limit.Rate{Burst: 2, Per: time.Hour}, now
	})
	for n, want := range []int{0, 0, 451} {
		if err := d.send("authorities@example.org", "x\r\n"); code(err) != want {
			t.Errorf("mail %d: %v", n, err)
		}
	}
	now.Advance(time.Hour)
	if err := d.send("authorities@example.org", "x\r\n"); err != nil {
		t.Errorf("later: %v", err)
	}
}

func TestConnectionsAreCounted(t *testing.T) {
	d := listen(t, nil)
	var open []net.Conn
	greeting := func() string {
		c, err := net.Dial("tcp", d.addr)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
		line, _ := bufio.NewReader(c).ReadString('\n')
		return line
	}
	for range perAddress {
		if line := greeting(); !strings.HasPrefix(line, "220") {
			t.Errorf("greeted with %q", line)
		}
	}
	if line := greeting(); !strings.HasPrefix(line, "421") {
		t.Errorf("one too many was greeted with %q", line)
	}
	for _, c := range open {
		_ = c.Close()
	}
}

func TestStartTLS(t *testing.T) {
	cert := certificate(t)
	d := listen(t, func(o *Options) {
		o.Certificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &cert, nil }
	})
	c, err := smtp.Dial(d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	if err := c.StartTLS(&tls.Config{ServerName: "mx.example.org", RootCAs: roots}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Mail(""), c.Rcpt("authorities@example.org")); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, "x\r\n")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if m := <-d.took; !m.TLS || m.From != "" {
		t.Errorf("took %+v", m)
	}
}

// certificate makes a certificate for the test.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"mx.example.org"},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
