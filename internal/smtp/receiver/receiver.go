// Package receiver takes mails in: it speaks SMTP with other people's mail servers, for the few
// addresses that it is told, and hands each whole mail to who reads it. It relays nothing, knows no
// accounts and no passwords, and reads nothing of a mail but its length.
//
// Invariants: a mail is confirmed only after its reader has taken it, so that a crash before has
// the sender's server send it again; whatever a peer does, memory, time and connections are
// bounded; addresses of people appear in no log.
//
// https://www.rfc-editor.org/rfc/rfc5321
package receiver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"parley/internal/clock"
	"parley/internal/limit"
)

// Bounds of one peer.
const (
	// lineTime is how long one command may take, mailTime a mail from its first byte to its last,
	// and sessionTime all that a connection has to say.
	lineTime    = time.Minute
	mailTime    = 3 * time.Minute
	sessionTime = 10 * time.Minute
	// recipients is to how many addresses one mail may go.
	recipients = 10
	// connections is how many there may be at once, perAddress from one address.
	connections = 64
	perAddress  = 4
	// reading is how many mails are read at the same time, each of which is in memory as a whole:
	// more than one address can hold up.
	reading = 8
	// waitTime is how long a peer waits for its turn.
	waitTime = 30 * time.Second
	// deliverTime is how long the reader of a mail may take.
	deliverTime = time.Minute
	// remembered is of how many addresses it is known how much they sent.
	remembered = 1 << 14
)

// ErrRefused says that the reader takes no such mail, for good. Every other error of a reader has
// the sender's server try again.
var ErrRefused = errors.New("receiver: no such mail is taken")

// Mail is a mail with its envelope.
type Mail struct {
	// From is the address to which failures are told, empty for a mail that tells of one itself.
	From string
	// To are those of our addresses that it is for, in lower case.
	To []string
	// Remote is the address of the peer, Hello what it called itself, TLS whether nobody listened.
	Remote netip.Addr
	Hello  string
	TLS    bool
	// Body is the mail as it came.
	Body []byte
}

// Options are what a Server is made of.
type Options struct {
	// Domain is what the server calls itself.
	Domain string
	// Takes tells whether an address, in lower case, is one of ours.
	Takes func(address string) bool
	// Certificate gives the certificate for STARTTLS; nil offers none.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// MaxBytes bounds a mail.
	MaxBytes int64
	// Rate is how many mails one address may send; an address of IPv6 is its network of 64 bits.
	Rate  limit.Rate
	Clock clock.Clock
	// Deliver takes a mail. It returns nil once the mail is durable.
	Deliver func(context.Context, Mail) error
	// Failed hears of failures of the server itself.
	Failed func(error)
	// Done hears of every mail by how it ended: taken, refused, later, slow, relay, rate; nil hears
	// nothing.
	Done func(outcome string)
}

// Server takes mails in. It is safe for concurrent use.
type Server struct {
	Options
	smtp  *smtp.Server
	rates *limit.Bucket[netip.Addr]
	slots chan struct{}
	door  *doorkeeper
	times times
	ctx   context.Context
	stop  context.CancelFunc
}

// times are how long a peer may take.
type times struct{ line, mail, session time.Duration }

// New returns a server that listens nowhere yet.
func New(o Options) *Server {
	return newServer(o, times{line: lineTime, mail: mailTime, session: sessionTime})
}

func newServer(o Options, within times) *Server {
	if o.Done == nil {
		o.Done = func(string) {}
	}
	s := &Server{
		Options: o, rates: limit.NewBucket[netip.Addr](o.Rate, remembered, o.Clock),
		slots: make(chan struct{}, reading), times: within,
		door: &doorkeeper{
			session: within.session, in: map[*guest]bool{}, from: map[netip.Addr]int{},
		},
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	x := smtp.NewServer(smtp.BackendFunc(s.session))
	x.Domain, x.MaxRecipients, x.MaxMessageBytes = o.Domain, recipients, o.MaxBytes
	x.ReadTimeout, x.WriteTimeout = within.line, within.line
	x.EnableSMTPUTF8, x.EnableBINARYMIME = true, true
	x.ErrorLog = quiet{o.Failed}
	if o.Certificate != nil {
		x.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: o.Certificate}
	}
	s.smtp = x
	return s
}

// Serve takes mails from a listener until Shutdown. It closes the listener, and is called once.
func (s *Server) Serve(l net.Listener) error {
	s.door.Listener = l
	return s.smtp.Serve(s.door)
}

// Shutdown lets nobody in any more, hears no more commands, and waits until the mails that have
// begun are taken and answered. When ctx ends before, it cuts them off: a mail that was not
// confirmed is sent again.
//
// https://www.rfc-editor.org/rfc/rfc5321#section-3.8
func (s *Server) Shutdown(ctx context.Context) error {
	for _, g := range s.door.close() {
		g.leave()
	}
	err := s.smtp.Shutdown(ctx)
	s.stop()
	for _, g := range s.door.close() {
		_ = g.Close()
	}
	if err != nil && !errors.Is(err, smtp.ErrServerClosed) {
		return fmt.Errorf("receiver: shutdown: %w", err)
	}
	return nil
}

// session is one connection.
type session struct {
	*Server
	conn *smtp.Conn
	mail Mail
}

func (s *Server) session(c *smtp.Conn) (smtp.Session, error) {
	return &session{Server: s, conn: c}, nil
}

// answer is an answer of the protocol.
func answer(code int, class, subject, detail int, text string) error {
	return &smtp.SMTPError{
		Code: code, EnhancedCode: smtp.EnhancedCode{class, subject, detail}, Message: text,
	}
}

// Mail begins a mail.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	remote := addressOf(s.conn.Conn())
	if _, ok := s.rates.Allow(network(remote)); !ok {
		s.Done("rate")
		return answer(451, 4, 7, 1, "Too many mails from your address; try again later")
	}
	_, secret := s.conn.TLSConnectionState()
	s.mail = Mail{From: from, Remote: remote, Hello: s.conn.Hostname(), TLS: secret}
	return nil
}

// Rcpt names a recipient. Whatever is not ours is refused: this server relays nothing.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	to = strings.ToLower(to)
	if !s.Takes(to) {
		s.Done("relay")
		return answer(550, 5, 7, 1, "No such address here, and nothing is relayed")
	}
	s.mail.To = append(s.mail.To, to)
	return nil
}

// Data reads the mail and hands it on.
func (s *session) Data(r io.Reader) error {
	turn := time.NewTimer(waitTime)
	defer turn.Stop()
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-turn.C:
		s.Done("later")
		return answer(451, 4, 3, 2, "Too busy; try again later")
	case <-s.ctx.Done():
		return answer(421, 4, 3, 2, "Closing")
	}
	peer := guestOf(s.conn.Conn())
	if !peer.begin(s.times.mail) {
		return answer(421, 4, 3, 2, "Closing")
	}
	defer peer.end()
	body, err := io.ReadAll(io.LimitReader(r, s.MaxBytes+1))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.Done("slow")
		return answer(451, 4, 4, 2, "The mail took too long; try again later")
	}
	if err != nil {
		return err // too large or cut off: the library says which
	}
	if int64(len(body)) > s.MaxBytes {
		return answer(552, 5, 3, 4, "The mail is too large")
	}
	s.mail.Body = body
	ctx, cancel := context.WithTimeout(s.ctx, deliverTime)
	defer cancel()
	switch err := s.Deliver(ctx, s.mail); {
	case err == nil:
		s.Done("taken")
		return nil
	case errors.Is(err, ErrRefused):
		s.Done("refused")
		return answer(554, 5, 6, 0, "The mail cannot be taken")
	default:
		s.Done("later")
		s.Failed(err)
		return answer(451, 4, 3, 0, "The mail could not be stored; try again later")
	}
}

// Reset forgets the mail.
func (s *session) Reset() { s.mail = Mail{} }

// Logout ends the session.
func (s *session) Logout() error { return nil }

// quiet hears of the library's failures. What it says of them names addresses.
type quiet struct{ failed func(error) }

var errSession = errors.New("receiver: a session failed")

// Printf is called for failures.
func (q quiet) Printf(string, ...any) { q.failed(errSession) }

// Println is called for failures.
func (q quiet) Println(...any) { q.failed(errSession) }
