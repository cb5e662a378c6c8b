// Package clientconfig prints what makes an existing client library or application talk to this
// server: a ready program for libraries that can be told, a recipe of edits for clients whose
// servers are compiled in. It refuses to be clever: it prints, and changes nothing.
//
// Invariant: what it prints for a library runs as it is, without an edit.
package clientconfig

import (
	"crypto/rsa"
	"crypto/x509"
	"embed"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/gotd/td/crypto"
)

// Server is what a client must know of a server.
type Server struct {
	// Host is the numeric address that clients dial.
	Host string
	// Port is the port that clients dial.
	Port int
	// DC is the number of the data centre that the server claims to be.
	DC int
	// Key is the RSA key with which a client begins.
	Key *rsa.PublicKey
}

// ErrServer says that a Server lacks something or has something that no client accepts.
var ErrServer = errors.New("server cannot be described to clients")

// UnknownClientError says that there is no text for a client of that name.
type UnknownClientError struct {
	Client string
}

// Error implements error.
func (e *UnknownClientError) Error() string {
	return fmt.Sprintf("unknown client %q; known are %s", e.Client, strings.Join(Clients(), ", "))
}

//go:embed templates/*.tmpl
var templates embed.FS

// Clients lists the clients that Write knows, in alphabetical order.
func Clients() []string {
	return []string{"gotd", "gramjs", "mtcute", "tdesktop", "tdlib", "telethon"}
}

// Write writes what makes a client talk to server. The error is an *UnknownClientError, wraps
// ErrServer, or comes from w.
func Write(w io.Writer, client string, server Server) error {
	if !slices.Contains(Clients(), client) {
		return &UnknownClientError{client}
	}
	view, err := newView(server)
	if err != nil {
		return err
	}
	name := client + ".tmpl"
	text, err := template.New(name).Option("missingkey=error").ParseFS(templates, "templates/"+name)
	if err != nil {
		return fmt.Errorf("client %s: %w", client, err)
	}
	return text.Execute(w, view)
}

// view is what the templates show.
type view struct {
	Server
	Address     string   // HOST:PORT
	IPv6        bool     // whether Host is one
	PEM         string   // PKCS #1, without the last line end
	PEMLines    []string // the same, line by line
	Modulus     string   // hexadecimal
	Fingerprint int64
	Hex         string // Fingerprint in 16 hexadecimal digits
	DCs         []int  // the numbers that clients with compiled-in servers know
}

func newView(server Server) (view, error) {
	host, err := netip.ParseAddr(server.Host)
	switch {
	case err != nil || host.Zone() != "" || host.IsUnspecified():
		return view{}, fmt.Errorf("%w: host %q is not a numeric address to dial", ErrServer, server.Host)
	case server.Port < 1 || server.Port > 65535:
		return view{}, fmt.Errorf("%w: port %d", ErrServer, server.Port)
	case server.DC < 1 || server.DC > 5:
		return view{}, fmt.Errorf("%w: data centre %d is not 1 to 5", ErrServer, server.DC)
	case server.Key == nil || server.Key.Size() != 256:
		return view{}, fmt.Errorf("%w: the key must have 2048 bits", ErrServer)
	}
	block := &pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(server.Key)}
	text := strings.TrimSuffix(string(pem.EncodeToMemory(block)), "\n")
	fingerprint := crypto.RSAFingerprint(server.Key)
	return view{
		Server:      server,
		Address:     net.JoinHostPort(server.Host, strconv.Itoa(server.Port)),
		IPv6:        host.Is6() && !host.Is4In6(),
		PEM:         text,
		PEMLines:    strings.Split(text, "\n"),
		Modulus:     hex.EncodeToString(server.Key.N.Bytes()),
		Fingerprint: fingerprint,
		Hex:         fmt.Sprintf("%016x", uint64(fingerprint)),
		DCs:         []int{1, 2, 3, 4, 5},
	}, nil
}
