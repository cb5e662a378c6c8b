package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"parley/internal/keyring/proxy"
	"parley/internal/mtproto/transport"
	"parley/internal/safety/owed"
)

// ProxyFile is where the proxy secrets lie that the server makes.
func (n *Node) ProxyFile() proxy.File { return proxy.In(n.keysDir()) }

// secrets are all proxy secrets that are accepted now: those of the configuration, and those that
// the server made.
func (n *Node) secrets() (out []transport.Secret, err error) {
	texts := make([]string, 0, len(n.Config.MTProxy.Secrets))
	for _, s := range n.Config.MTProxy.Secrets {
		texts = append(texts, s.Reveal())
	}
	made, err := n.ProxyFile().Accepted(n.clock.Now())
	if err != nil {
		return nil, err
	}
	for _, s := range made {
		texts = append(texts, s.Hex)
	}
	for _, text := range texts {
		secret, err := transport.ParseSecret(text)
		if err != nil {
			return nil, err
		}
		out = append(out, secret)
	}
	return out, nil
}

// firstProxy makes the first proxy secret where the operator names a website to pretend to visit.
func (n *Node) firstProxy() error {
	domain := n.Config.MTProxy.Domain
	if domain == "" {
		return nil
	}
	all, err := n.ProxyFile().All()
	if err != nil || len(all) > 0 {
		return err
	}
	_, err = n.RotateProxy(domain, 0)
	return err
}

// RotateProxy makes a proxy secret, and has those before accepted for a time more. A server that is
// running takes it up within a minute.
func (n *Node) RotateProxy(domain string, grace time.Duration) (proxy.Secret, error) {
	return n.ProxyFile().Rotate(domain, n.clock.Now(), grace, rand.Reader)
}

// clientPort is a port for clients; a hidden one is for those alone who have a secret.
type clientPort struct {
	net.Listener
	hidden bool
}

// listen opens the ports for clients.
func (n *Node) listen() (out []clientPort, err error) {
	for _, at := range []struct {
		addresses []string
		hidden    bool
	}{{n.Config.Listen, false}, {n.Config.MTProxy.Listen, true}} {
		for _, address := range at.addresses {
			l, err := net.Listen("tcp", address)
			if err != nil {
				return nil, fmt.Errorf("node: listen: %w", err)
			}
			out = append(out, clientPort{l, at.hidden})
		}
	}
	return out, nil
}

// serveClients serves clients until the node stops.
func (n *Node) serveClients(ports []clientPort) {
	for _, p := range ports {
		serve := n.gateway.Serve
		if p.hidden {
			serve = n.gateway.ServeHidden
		}
		n.start(func() {
			if err := serve(n.ctx, p.Listener); err != nil && n.ctx.Err() == nil {
				n.cancel(err)
			}
		})
	}
}

// errCircle says that the website that strangers are to be handed on to is this server, which only
// a connection can show where mtproxy.front is a name.
var errCircle = errors.New("node: mtproxy.front leads back to this server")

// front connects to the website that strangers are handed on to; nil where there is none.
func (n *Node) front() func(context.Context) (net.Conn, error) {
	at := n.Config.MTProxy.Front
	if at == "" {
		return nil
	}
	return func(ctx context.Context) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, "tcp", at)
		if err != nil {
			return nil, err
		}
		from, to := nc.LocalAddr().(*net.TCPAddr), nc.RemoteAddr().(*net.TCPAddr)
		host, port := to.AddrPort().Addr().Unmap().String(), strconv.Itoa(to.Port)
		mine := []netip.Addr{from.AddrPort().Addr().Unmap()}
		if n.Config.LeadsHere(host, port, mine) != "" {
			return nil, errors.Join(errCircle, nc.Close())
		}
		return nc, nil
	}
}

// Proxies are the links by which clients reach the service where its network is blocked: the
// newest secret at every address that is advertised, or at the first hidden port.
func (n *Node) Proxies() (out []proxy.Link, err error) {
	accepted, err := n.ProxyFile().Accepted(n.clock.Now())
	if err != nil || len(accepted) == 0 {
		return nil, err
	}
	for _, at := range n.Config.Advertise {
		host, text, err := net.SplitHostPort(at)
		if err != nil {
			continue // the configuration was checked
		}
		if hidden := n.Config.MTProxy.Listen; len(hidden) > 0 {
			if _, text, err = net.SplitHostPort(hidden[0]); err != nil {
				continue
			}
		}
		if n.Config.MTProxy.Host != "" {
			host = n.Config.MTProxy.Host
		}
		if port, err := strconv.Atoi(text); err == nil {
			out = append(out, proxy.LinkTo(host, port, accepted[0].Hex))
		}
		if n.Config.MTProxy.Host != "" {
			break
		}
	}
	return out, nil
}

// waysIn are Proxies for pages, which show none when the file cannot be read.
func (n *Node) waysIn() []proxy.Link {
	links, err := n.Proxies()
	if err != nil {
		n.log.Error("proxy secrets", "error", err)
	}
	return links
}

// proxiesEvery is how often the file of proxy secrets is read: how long a rotation takes to arrive.
const proxiesEvery = time.Minute

// followProxies takes up what was rotated, and lets go what ended.
func (n *Node) followProxies() {
	n.start(func() {
		failed := func(err error) { n.log.Error("proxy secrets", "error", err) }
		new(owed.Worker).Run(n.ctx, proxiesEvery, failed, func(context.Context) error {
			secrets, err := n.secrets()
			if err == nil {
				n.gateway.SetSecrets(secrets)
			}
			return err
		})
	})
}

// proxyLinks are the links that an application opens.
func (n *Node) proxyLinks() (out []string) {
	for _, l := range n.waysIn() {
		out = append(out, l.App)
	}
	return out
}
