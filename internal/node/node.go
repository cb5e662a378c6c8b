// Package node builds one process of the configuration: it opens the store, the keys and the files,
// ties the rooms of the messenger together, listens, and stops in order. It is the only package that
// imports the world, and decides nothing that another could decide.
package node

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/api"
	"parley/internal/blob"
	"parley/internal/chat/account"
	"parley/internal/chat/channel"
	"parley/internal/chat/device"
	"parley/internal/chat/erasure"
	"parley/internal/chat/fanout"
	"parley/internal/chat/group"
	"parley/internal/chat/media"
	"parley/internal/chat/media/imaging"
	"parley/internal/chat/message"
	"parley/internal/chat/presence"
	"parley/internal/chat/restrict"
	"parley/internal/chat/search"
	"parley/internal/chat/secret"
	"parley/internal/clock"
	"parley/internal/config"
	"parley/internal/diag"
	"parley/internal/gateway"
	"parley/internal/ids"
	"parley/internal/keyring"
	"parley/internal/mtproto/crypt"
	"parley/internal/mtproto/handshake"
	"parley/internal/mtproto/layer"
	"parley/internal/safety/agency"
	"parley/internal/safety/appeal"
	"parley/internal/safety/attachment"
	"parley/internal/safety/casefile"
	"parley/internal/safety/country"
	"parley/internal/safety/crime"
	"parley/internal/safety/cybertip"
	"parley/internal/safety/decide"
	"parley/internal/safety/disclosure"
	doors "parley/internal/safety/door"
	"parley/internal/safety/dsadb"
	"parley/internal/safety/enclosure"
	"parley/internal/safety/enforce"
	"parley/internal/safety/evidence"
	"parley/internal/safety/hotline"
	"parley/internal/safety/inquiry"
	"parley/internal/safety/instrument"
	"parley/internal/safety/intake"
	"parley/internal/safety/mail"
	"parley/internal/safety/mailroom"
	"parley/internal/safety/market"
	"parley/internal/safety/oncall"
	"parley/internal/safety/order"
	"parley/internal/safety/owed"
	"parley/internal/safety/policy"
	"parley/internal/safety/statement"
	"parley/internal/safety/webhook"
	"parley/internal/smtp/receiver"
	"parley/internal/store"
	"parley/internal/web/officer"
	"parley/internal/web/staff"
)

// pushWorkers is how many boxes are pushed to their readers at the same time.
const pushWorkers = 4

// Node is one process. Its fields are the rooms of the messenger, for tools that work beside the
// server: imports, the demo, administration.
type Node struct {
	Config config.Config
	Store  *store.Store
	Keys   *keyring.Keyring
	Blobs  blob.Store
	// Papers keeps what came with orders and letters, apart from people's files: equal bytes that a
	// person deletes are still here.
	Papers  *enclosure.Papers
	Account *account.Service
	Message *message.Service
	Group   *group.Service
	Channel *channel.Service
	Media   *media.Service
	Secret  *secret.Service
	Courier *fanout.Courier
	// Intake, Cases and Evidence are the rooms of moderation.
	Intake   *intake.Service
	Cases    *casefile.Service
	Evidence *evidence.Service
	// Decisions, Appeals and Statements decide, hear complaints, and tell people of both.
	Decisions  *decide.Service
	Appeals    *appeal.Service
	Statements *statement.Service
	// Agencies and Orders are who may ask and what they ordered.
	Agencies *agency.Service
	Orders   *order.Service
	law      *instrument.Set
	// countries and guide say who may ask by which instrument, and where a request belongs.
	countries *country.Table
	guide     *doors.Guide
	// Disclosures hands data to authorities.
	Disclosures *disclosure.Service
	// Mail is nil where no mail server is configured.
	Mail *mail.Service
	// Markets knows where the service is offered.
	Markets *market.Service
	// Webhooks tells the programs of agencies what happened.
	Webhooks *webhook.Service
	// exports makes the copies of their data that people have asked for.
	exports owed.Worker
	// Crimes tells authorities of suspicions; Tips reports the abuse of children, nil where that is
	// off.
	Crimes *crime.Service
	Tips   *cybertip.Service
	// Hotlines is the lane of trusted flaggers and hotlines.
	Hotlines *hotline.Service
	// Flaggers tells them by mail how what they reported ended.
	Flaggers *hotline.Teller
	// Inquiries are the questions of regulators.
	Inquiries *inquiry.Service
	// OnCall is the emergency line.
	OnCall *oncall.Service
	// DSA sends statements of reasons to the EU's database, or shows what it would send.
	DSA *dsadb.Service
	// Enforce carries measures out; only decisions give it orders.
	Enforce *enforce.Service

	// Mailroom is nil where no mails go out. Attachments shows papers.
	Mailroom    *mailroom.Service
	Attachments *attachment.Viewer

	receiver *receiver.Server
	// papersNext is when papers are looked through next.
	papersNext time.Time
	// mailsAt is where mails come in.
	mailsAt  netip.AddrPort
	staff    *staff.Service
	officers *officer.Door
	clock    clock.Clock
	log      *slog.Logger
	out      io.Writer
	tool     bool
	registry *prometheus.Registry
	devices  *device.Registry
	layers   *layer.Set
	hub      *fanout.Hub
	presence *presence.Tracker
	accounts *restrict.Accounts
	search   *search.Service
	group    *crypt.Group
	api      *api.Server
	gateway  *gateway.Server
	exchange *handshake.Server
	parts    *blob.Parts
	images   func() (*imaging.Worker, error)
	rules    func() (*policy.Policy, error)

	transparency *transparency
	// public are the pages of the public door.
	public func() (publicDoor, error)
	// desk are the pages of the console.
	desk func() (http.Handler, error)

	// ctx ends when the node is to stop; life ends later, once what came in before is answered.
	ctx     context.Context
	cancel  context.CancelCauseFunc
	life    context.Context
	endLife context.CancelFunc
	// doors are what answers over HTTP.
	doors []*http.Server
	work  sync.WaitGroup
	close []func() error
}

// Options are what a node is given besides its configuration.
type Options struct {
	Log *slog.Logger
	// Out is where the console prints login codes.
	Out io.Writer
	// Clock is the machine's when nil.
	Clock clock.Clock
	// Tool opens what tools work with beside a server that may be running: it takes over nothing of
	// that server's work, and cannot Run.
	Tool bool
}

// errStopped is why a node ends that was asked to.
var errStopped = errors.New("node: stopped")

// Open opens everything that a node needs to work, but does not listen yet.
func Open(ctx context.Context, cfg config.Config, o Options) (n *Node, err error) {
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	n = &Node{
		Config: cfg, clock: o.Clock, log: o.Log, out: o.Out, tool: o.Tool,
		registry: diag.NewRegistry(diag.ReadBuild()),
	}
	n.ctx, n.cancel = context.WithCancelCause(ctx)
	n.life, n.endLife = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			n.cancel(errStopped)
			err = errors.Join(err, n.Close())
			n = nil
		}
	}()
	n.images = sync.OnceValues(func() (*imaging.Worker, error) {
		return imaging.NewWorker(n.life, imaging.Options{})
	})
	n.public = sync.OnceValues(n.pages)
	n.desk = sync.OnceValues(n.console)
	steps := []func() error{
		n.openKeeping, n.openRooms, n.openSafety, n.openDecide, n.openOnCall, n.openWebhooks,
		n.openOrders, n.openDuties, n.openMarkets, n.openDisclosure, n.openDSA, n.openMail,
		n.openHotline, n.openMailroom, n.openAPI,
		n.openGateway, n.openTransparency, n.carryOn,
	}
	if o.Tool {
		steps = steps[:10]
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return n, err
		}
	}
	return n, nil
}

// openKeeping opens what keeps things: directory, keys, database, files.
func (n *Node) openKeeping() error {
	if err := os.MkdirAll(n.Config.Data, 0o700); err != nil {
		return fmt.Errorf("node: data directory: %w", err)
	}
	layers := sync.OnceValues(layer.New)
	go func() { _, _ = layers() }() // takes as long as all the rest
	var err error
	if n.Keys, err = keyring.Open(n.Config.Keyring.Dir, rand.Reader); err != nil {
		return err
	}
	n.Store, err = store.Open(n.ctx, store.Options{
		URL:   n.Config.Store.URL.Reveal(),
		Fatal: func(err error) { n.cancel(err) },
	})
	if err != nil {
		return err
	}
	n.close = append(n.close, n.Store.Close)
	if err := n.openBlobs(); err != nil {
		return err
	}
	n.devices = device.New(n.Store, n.Keys.Box(), n.clock)
	n.layers, err = layers()
	return err
}

// paperStore names the store within the blob store that keeps papers.
const paperStore = "papers"

func (n *Node) openBlobs() error {
	url := n.Config.Blob.URL.Reveal()
	if dir, ok := strings.CutPrefix(url, "dir:"); ok {
		d, err := blob.OpenDir(dir, n.clock)
		if err != nil {
			return err
		}
		papers, err := d.Within(paperStore)
		if err != nil {
			return errors.Join(err, d.Close())
		}
		n.Blobs, n.Papers = d, n.enclosures(papers)
		n.close = append(n.close, d.Close, papers.Close)
	} else {
		s, err := blob.OpenS3(n.ctx, url, filepath.Join(n.Config.Data, "spool"))
		if err != nil {
			return err
		}
		n.Blobs, n.Papers = s, n.enclosures(s.Within(paperStore))
	}
	var err error
	n.parts, err = blob.OpenParts(filepath.Join(n.Config.Data, "uploads"), n.Blobs, n.clock)
	if err == nil {
		n.close = append(n.close, n.parts.Close)
	}
	return err
}

func (n *Node) enclosures(papers blob.Store) *enclosure.Papers {
	return &enclosure.Papers{Store: papers, Rows: n.Store, Clock: n.clock}
}

// carryOn takes up what an earlier process left.
func (n *Node) carryOn() error { return n.Courier.Recover(n.ctx) }

// random returns a number that nobody guesses, positive and never 0.
func random() int64 {
	var b [8]byte
	for {
		// crypto/rand never fails: it ends the process instead.
		_, _ = rand.Read(b[:])
		if x := int64(binary.LittleEndian.Uint64(b[:]) >> 1); x != 0 {
			return x
		}
	}
}

// Run listens and serves until ctx ends or something fails that cannot be gone on from. ready is
// called with the addresses once clients can connect.
func (n *Node) Run(ctx context.Context, ready func(listen, web []net.Addr)) error {
	stop := context.AfterFunc(ctx, func() { n.cancel(errStopped) })
	defer stop()
	console, err := n.staffDoor()
	if err != nil {
		return err
	}
	pages := n.pagesLater(func() (http.Handler, error) { return n.public() })
	listeners, err := n.listen()
	if err != nil {
		return err
	}
	defer closeAll(listeners)
	var listen []net.Addr
	for _, l := range listeners {
		if !l.hidden {
			listen = append(listen, l.Addr())
		}
	}
	web, err := n.openDoors([]door{
		{n.Config.Inner.Listen, n.inner()}, {n.Config.Web.Listen, pages},
		{n.Config.Console.Listen, console},
	})
	if err == nil {
		err = n.takeMails()
	}
	if err != nil {
		n.cancel(errStopped)
		return errors.Join(err, n.stop())
	}
	n.serveClients(listeners)
	if ready != nil {
		ready(listen, web)
	}
	n.background()
	n.start(n.warm)
	<-n.ctx.Done()
	return n.stop()
}

// warm does what takes long and no client waits for, once clients can connect: it makes the pages,
// tries out a process for images, and reads the rules for orders. A server for which one of these
// fails must not go on.
func (n *Node) warm() {
	_, err := n.public()
	if err == nil && n.staff != nil {
		_, err = n.desk()
	}
	if err == nil {
		_, err = n.images()
	}
	if err == nil {
		_, err = n.rules()
	}
	if err != nil && n.ctx.Err() == nil {
		n.cancel(err)
	}
}

func (n *Node) start(fn func()) {
	n.work.Add(1)
	go func() {
		defer n.work.Done()
		fn()
	}()
}

// background starts what works besides requests, once clients can connect.
func (n *Node) background() {
	n.start(func() { _ = n.exchange.Run(n.ctx) })
	n.start(func() { n.every(housekeeping, n.clean) })
	n.start(n.expire)
	n.carryOutDecisions()
	n.carryOutOrders()
	n.tellOthers()
	n.tellOfDisclosures()
	n.followProxies()
	n.tellMarkets()
	n.sendExports()
	n.ring()
	n.takeUpHotlines()
	n.callPrograms()
	if n.Mail != nil {
		n.start(func() { n.Mail.Run(n.ctx) })
	}
	if n.Config.DSA.Mode != config.DSAOff {
		n.start(func() { n.DSA.Run(n.ctx) })
	}
	n.publish()
}

// housekeeping is how often what has run out is cleared away.
const housekeeping = 10 * time.Minute

func (n *Node) every(interval time.Duration, fn func(context.Context) error) {
	t := time.NewTicker(interval)
	defer t.Stop()
	for {
		select {
		case <-n.ctx.Done():
			return
		case <-t.C:
			if err := fn(n.ctx); err != nil && n.ctx.Err() == nil {
				n.log.Error("housekeeping", "error", err)
			}
		}
	}
}

// clean clears away unfinished uploads, what accounts have done with, and old entries of boxes.
// What cannot be cleared away keeps nothing else from it.
func (n *Node) clean(ctx context.Context) error {
	now := n.clock.Now()
	kept := now.Add(-time.Duration(n.Config.Retention.Updates)).Unix()
	var failed []error
	for _, sweep := range []func(context.Context) error{
		func(context.Context) error {
			_, err := n.parts.Expire(now.Add(-time.Duration(n.Config.Retention.Uploads)))
			return err
		},
		func(ctx context.Context) error { return n.forget(ctx, kept) },
		n.sweepSafety, n.sweepLetters, n.sweepPapers,
		n.sweepStaff, n.sweepOfficers, n.Account.Sweep,
		func(ctx context.Context) error { return n.Secret.Sweep(ctx, kept) },
		(&erasure.Service{Store: n.Store, Group: n.Group}).Sweep,
	} {
		failed = append(failed, sweep(ctx))
	}
	return errors.Join(failed...)
}

// forget clears away what boxes have kept from before a time.
func (n *Node) forget(ctx context.Context, before int64) error {
	return n.Store.Update(ctx, 0, func(tx *store.Tx) error {
		if err := tx.ForgetErased(before); err != nil {
			return err
		}
		if err := tx.ForgetEarly(before); err != nil {
			return err
		}
		return tx.TrimOldEvents(before)
	})
}

// Close ends the node's work and closes what it opened, the last first.
func (n *Node) Close() error {
	n.cancel(errStopped)
	n.endLife()
	if n.Courier != nil {
		n.Courier.Wait()
	}
	if n.Account != nil {
		n.Account.Close()
	}
	var errs []error
	for i := len(n.close) - 1; i >= 0; i-- {
		errs = append(errs, n.close[i]())
	}
	n.close = nil
	return errors.Join(errs...)
}

// inner answers the operator's machines.
func (n *Node) inner() http.Handler {
	return diag.Handler(n.registry, diag.Check{Name: "store", Probe: func(ctx context.Context) error {
		return n.Store.View(ctx, func(r *store.Reader) error {
			_, err := r.Box(ids.Peer(1))
			return err
		})
	}}, diag.Check{Name: "log", Probe: n.transparency.late.probe, Aside: true})
}
