package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// door is an HTTP listener.
type door struct {
	address string
	handler http.Handler
}

// headerTime and the others bound how long an HTTP client may take.
const (
	headerTime = 5 * time.Second
	bodyTime   = 30 * time.Second
	idleTime   = 2 * time.Minute
)

// openDoors listens for HTTP until the node stops, and returns where. Doors without an address stay
// closed.
func (n *Node) openDoors(doors []door) (at []net.Addr, err error) {
	for _, d := range doors {
		if d.address == "" {
			continue
		}
		l, err := net.Listen("tcp", d.address)
		if err != nil {
			return nil, fmt.Errorf("node: listen: %w", err)
		}
		at = append(at, l.Addr())
		s := &http.Server{
			Handler: d.handler, ReadHeaderTimeout: headerTime, ReadTimeout: bodyTime,
			WriteTimeout: bodyTime, IdleTimeout: idleTime, MaxHeaderBytes: 8 << 10,
			ErrorLog: slog.NewLogLogger(n.log.Handler(), slog.LevelWarn),
		}
		n.doors = append(n.doors, s)
		n.start(func() {
			if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				n.cancel(err)
			}
		})
	}
	return at, nil
}

// stopTime is how long what came in before the stop may take to be answered.
const stopTime = 10 * time.Second

// stop ends what Run started: first nobody comes in any more, then everybody who is in gets his
// answer, and only then ends what answers rest on. Being asked to stop is no error.
func (n *Node) stop() error {
	err := n.shut()
	n.endLife()
	n.work.Wait()
	if cause := context.Cause(n.ctx); !errors.Is(cause, errStopped) &&
		!errors.Is(cause, context.Canceled) {
		err = errors.Join(cause, err)
	}
	return err
}

// shut closes all doors and waits until those who came in are answered, or cuts them off when that
// takes too long.
func (n *Node) shut() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	var g errgroup.Group
	for _, s := range n.doors {
		g.Go(func() error {
			if s.Shutdown(ctx) == nil {
				return nil
			}
			n.log.Warn("requests were cut off at the stop")
			return s.Close()
		})
	}
	if n.receiver != nil {
		g.Go(func() error { return n.receiver.Shutdown(ctx) })
	}
	g.Go(func() error { return n.gateway.Shutdown(ctx) })
	return g.Wait()
}

func closeAll(listeners []clientPort) {
	for _, l := range listeners {
		_ = l.Close()
	}
}
