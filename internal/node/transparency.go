package node

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/mod/sumdb/note"
	"k8s.io/klog/v2"

	"parley/internal/blob"
	"parley/internal/chat/account"
	"parley/internal/chat/media/imaging"
	"parley/internal/diag"
	"parley/internal/ids"
	"parley/internal/safety/disclose"
	"parley/internal/safety/ledger"
	"parley/internal/tlog"
	"parley/internal/tlog/archive"
	"parley/internal/tlog/verify"
	"parley/internal/web/page"
	webtransparency "parley/internal/web/transparency"
)

const (
	// carryEvery is how often lines are looked for that no commit told of.
	carryEvery = 2 * time.Second
	// documentsEvery is how often it is looked for new rules and statements of the operator.
	documentsEvery = time.Minute
)

// transparency is the public log and what works on it.
type transparency struct {
	log   *tlog.Log
	keys  *tlog.Keys
	lines *ledger.Publisher
	// witnesses are the public keys of those who must cosign.
	witnesses []string
	daily     *disclose.Service
	// mirror keeps a copy elsewhere; nil when nobody asked for one.
	mirror *tlog.Mirror
	// persons may sign canary statements.
	persons []note.Verifier
	// archive knows what is published, for the pages.
	archive *archive.Archive
	late    lateness
}

// openTransparency opens the public log.
func (n *Node) openTransparency() error {
	keys, err := n.logKeys()
	if err != nil {
		return err
	}
	var policy []byte
	if file := n.Config.Transparency.Witnesses; file != "" {
		if policy, err = os.ReadFile(file); err != nil {
			return err
		}
	}
	// Tessera writes its diagnostics through klog, and as warnings what nobody need know.
	klog.SetSlogLogger(slog.New(diag.AtLeast(n.log.Handler(), slog.LevelError)))
	t := &transparency{keys: keys, witnesses: witnesses(policy)}
	t.late.count = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "parley_log_late_total",
		Help: "How often lines of the public log were not published in time.",
	})
	n.registry.MustRegister(t.late.count)
	t.log, err = tlog.Open(n.ctx, tlog.Options{
		Dir:    filepath.Join(n.Config.Data, "log"),
		Signed: filepath.Join(n.keysDir(), "log.signed"),
		Keys:   keys, Witnesses: string(policy),
		Interval: time.Duration(n.Config.Transparency.Interval),
	})
	if err != nil {
		return err
	}
	n.close = append(n.close, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		err := t.log.Close(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			n.log.Warn("the newest lines of the public log are published at the next start")
			return nil
		}
		return err
	})
	if t.persons, err = verify.Persons(n.Config.Transparency.CanaryKeys); err != nil {
		return err
	}
	t.archive = archive.New(t.log.Origin(), t.log.Source())
	t.lines = &ledger.Publisher{Store: n.Store, Log: t.log}
	t.daily = disclose.New(disclose.Options{Log: t.log, Clock: n.clock, Drain: t.lines.Drain})
	t.daily.Published = n.poster().Post
	n.transparency = t
	return n.openMirror()
}

// openMirror opens the copy of the public log.
func (n *Node) openMirror() error {
	url := n.Config.Transparency.Mirror.Reveal()
	if url == "" {
		return nil
	}
	m := &tlog.Mirror{Log: n.transparency.log}
	if dir, ok := strings.CutPrefix(url, "dir:"); ok {
		m.To = tlog.Folder(dir)
	} else {
		bucket, err := blob.OpenBucket(n.ctx, url)
		if err != nil {
			return err
		}
		m.To = bucket
	}
	n.transparency.mirror = m
	return nil
}

// witnesses are the public keys that a policy file names.
//
// https://c2sp.org/tlog-policy
func witnesses(policy []byte) (out []string) {
	for line := range strings.Lines(string(policy)) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == "witness" {
			out = append(out, f[2])
		}
	}
	return out
}

// transparencyPages are the pages about the log.
func (n *Node) transparencyPages(site *page.Site) (*webtransparency.Pages, error) {
	t := n.transparency
	return webtransparency.New(webtransparency.Rooms{
		Site: site, Archive: t.archive, Clock: n.clock,
		Log: webtransparency.Log{
			Dir: t.log.File(""), Origin: t.log.Origin(), Keys: t.keys.Public(),
			Witnesses: t.witnesses, Persons: n.Config.Transparency.CanaryKeys,
			State: t.log.State, Receipt: t.log.Receipt, Late: t.late.is,
		},
	})
}

// publishDocuments has the operator's rules, forms and canary statement published, if they are new.
func (n *Node) publishDocuments(ctx context.Context) error {
	t, at := n.transparency, n.Config.Transparency
	var list []disclose.Document
	var wrong error
	if at.Rules != "" {
		list, wrong = disclose.Rules(at.Rules)
	}
	if at.Forms != "" {
		forms, err := disclose.Forms(at.Forms)
		list, wrong = append(list, forms...), errors.Join(wrong, err)
	}
	if at.Canary != "" {
		d, err := t.daily.Canary(ctx, at.Canary, t.persons)
		if err == nil {
			list = append(list, d)
		}
		wrong = errors.Join(wrong, err)
	}
	markets, err := n.marketDocument(ctx)
	list, wrong = append(list, markets...), errors.Join(wrong, err)
	if len(list) == 0 {
		return wrong
	}
	return errors.Join(wrong, t.daily.Put(ctx, list))
}

// follow has the archive read what was published since.
func (n *Node) follow(ctx context.Context) error {
	t := n.transparency
	_, published, err := t.log.State(ctx)
	if err != nil {
		return err
	}
	return t.archive.Follow(ctx, published)
}

// poster posts daily reports in the channels that the configuration names.
func (n *Node) poster() *disclose.Poster {
	p := &disclose.Poster{
		Store: n.Store, Message: n.Message, Now: n.clock.Now,
		Create: func(ctx context.Context, title, about, username string) (ids.Peer, error) {
			return n.create(ctx, account.ServiceUser, true, title, about, username)
		},
		Picture: func(t disclose.Topic, day string) ([]byte, error) {
			return webtransparency.Picture(filepath.Join(n.Config.Data, "log"), day, t)
		},
		Photo: func(ctx context.Context, image []byte) (int64, error) {
			f, err := n.Media.AddPhoto(ctx, account.ServiceUser, bytes.NewReader(image),
				imaging.Message)
			return f.ID, err
		},
		URL: func(day string) string {
			return n.Config.Web.PublicURL + "/transparency/report/" + day
		},
	}
	for topic, username := range map[disclose.Topic]string{
		disclose.All:         n.Config.Transparency.ReportChannel,
		disclose.ChildSafety: n.Config.Transparency.ChildSafetyChannel,
		disclose.Terrorism:   n.Config.Transparency.TerrorismChannel,
	} {
		if username != "" {
			p.Channels = append(p.Channels, disclose.Channel{Topic: topic, Username: username})
		}
	}
	return p
}

// keysDir is where keys lie.
func (n *Node) keysDir() string { return filepath.Join(n.Config.Keyring.Dir, "keys") }

// logKeys reads the keys of the log, which has the name that it had first.
func (n *Node) logKeys() (*tlog.Keys, error) {
	origin := n.Config.Transparency.Origin
	if origin == "" {
		var err error
		if origin, err = tlog.NameOf(n.keysDir()); err != nil {
			return nil, err
		}
	}
	if origin == "" {
		u, err := url.Parse(n.Config.Web.PublicURL)
		if err != nil {
			return nil, err
		}
		origin = u.Host + "/log"
	}
	return tlog.OpenKeys(n.keysDir(), origin, rand.Reader)
}

// Receipt proves that a decision, an appeal or another line is in the public log; see
// ledger.Publisher.Receipt.
func (n *Node) Receipt(
	ctx context.Context, subject ids.Peer, id int64, kind ledger.Kind,
) (verify.Receipt, error) {
	return n.transparency.lines.Receipt(ctx, subject, id, kind)
}

// Disclose carries all lines that wait into the public log and returns once they are published.
func (n *Node) Disclose(ctx context.Context) error {
	t := n.transparency
	if _, err := t.lines.Drain(ctx); err != nil {
		return err
	}
	size, err := t.log.Size(ctx)
	if err != nil || size == 0 {
		return err
	}
	if err := t.log.Published(ctx, size-1); err != nil {
		return err
	}
	return n.follow(ctx)
}

// publish carries lines into the log and makes the daily reports, until the node ends.
func (n *Node) publish() {
	t := n.transparency
	n.start(func() {
		n.every(carryEvery, func(ctx context.Context) error {
			if _, err := t.lines.Drain(ctx); err != nil {
				return err
			}
			return n.lookLate(ctx)
		})
	})
	if t.mirror != nil {
		n.start(func() { n.every(time.Duration(n.Config.Transparency.Interval), t.mirror.Update) })
	}
	n.start(func() { n.every(carryEvery, n.follow) })
	n.start(func() { n.every(documentsEvery, n.publishDocuments) })
	n.start(func() { n.every(documentsEvery, n.publishOrders) })
	n.start(func() { n.every(housekeeping, n.keepTallies) })
	n.start(func() {
		t.daily.Run(n.ctx, func(err error) { n.log.Error("daily report", "error", err) })
	})
}

// lookLate says when what is in the log was not published in time: a witness does not answer.
func (n *Node) lookLate(ctx context.Context) error {
	t := n.transparency
	appended, published, err := t.log.State(ctx)
	if err == nil && t.late.look(appended, published, n.clock.Now()) {
		n.log.Warn("the public log is late: too few witnesses cosign", "lines", appended,
			"published", published)
	}
	return err
}
