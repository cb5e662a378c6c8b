package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"parley/internal/limit"
	"parley/internal/mtproto/transport"
)

// front hands a stranger on to the website that the port pretends to be, from his first byte on:
// what he sees is that website, its certificate and its errors included.
func (s *Server) front(nc net.Conn, stranger *transport.StrangerError) {
	ctx, cancel := context.WithTimeout(s.ctx, limit.FrontDial)
	defer cancel()
	site, err := s.o.Front(ctx)
	if err != nil {
		s.metrics.refused.WithLabelValues("front").Inc()
		s.o.Log.Warn("the website that strangers are handed on to does not answer", "error", err)
		return
	}
	defer func() { _ = site.Close() }()
	defer context.AfterFunc(s.ctx, func() { _ = site.Close() })()
	s.metrics.refused.WithLabelValues("stranger").Inc()
	if err := writeSoon(site, stranger.Sent); err != nil {
		return
	}
	var both sync.WaitGroup
	both.Go(func() {
		if ended := errors.Is(stranger.Err, io.EOF) ||
			errors.Is(stranger.Err, io.ErrUnexpectedEOF); ended {
			closeWrite(site)
			return
		}
		relay(site, nc)
	})
	both.Go(func() { relay(nc, site) })
	both.Wait()
}

// relay copies what one side sends to the other, until it ends or nothing comes for long. An end is
// passed on as one; a broken connection breaks the other.
func relay(to, from net.Conn) {
	buf := make([]byte, limit.FrameStep)
	for {
		err := from.SetReadDeadline(time.Now().Add(limit.FrontIdle))
		n := 0
		if err == nil {
			n, err = from.Read(buf)
		}
		if werr := writeSoon(to, buf[:n]); werr != nil {
			_ = from.Close()
			_ = to.Close()
			return
		}
		if errors.Is(err, io.EOF) {
			closeWrite(to)
			return
		}
		if err != nil {
			_ = from.Close()
			_ = to.Close()
			return
		}
	}
}

// writeSoon writes to a peer that may not take forever.
func writeSoon(to net.Conn, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if err := to.SetWriteDeadline(time.Now().Add(limit.FrontIdle)); err != nil {
		return err
	}
	_, err := to.Write(b)
	return err
}

// closeWrite tells a peer that nothing more will come.
func closeWrite(nc net.Conn) {
	if half, ok := nc.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	_ = nc.Close()
}
