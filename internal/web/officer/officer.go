// Package officer is how officers of agencies prove who they are, at every door that agencies have:
// they bind a key by a link that is good once, sign in with it, and prove themselves again before
// what is done in their agency's name. Programs of agencies come with a key of theirs. What
// somebody may do at a door, and what he does there, is that door's.
//
// Nobody registers himself and nobody has a password. Invariants: the store has digests of cookies
// only; whoever has no standing any more, or got another key, has no session; a form of somebody
// else's session or of another path does nothing; what was typed is asked for again, never thrown
// away, when its sender has to prove himself first.
package officer

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"parley/internal/clock"
	"parley/internal/limit"
	"parley/internal/safety/agency"
	"parley/internal/safety/webhook"
	"parley/internal/store"
	"parley/internal/web/about"
	"parley/internal/web/page"
	"parley/internal/web/signin"
)

// files are the pages and their texts.
//
//go:embed all:pages texts
var files embed.FS

// Shell are the files of the menu of a signed-in officer and of his forms, for other packages' sets
// of pages.
func Shell() fs.FS { return files }

// Errors of the package. What is wrong with a proof is signin's to say.
var (
	// ErrNoSession says that a cookie stands for no session, or for one that has ended.
	ErrNoSession = errors.New("officer: no session")
	// ErrStanding says that somebody proved himself and may do nothing all the same.
	ErrStanding = errors.New("officer: no standing")
)

// Rooms are what the door stands on.
type Rooms struct {
	Site     *page.Site
	Store    *store.Store
	Clock    clock.Clock
	Agencies *agency.Service
	// Webhooks tells programs of agencies; nil has no page for that.
	Webhooks *webhook.Service
	// Night tells whether it is the middle of the night in all of a country; nil never.
	Night func(country string, at time.Time) bool
	// Home is where an officer of a kind of agency begins, a path of this site.
	Home func(agency.Kind) string
	// Key is the secret of tokens in forms and of the places from which officers come.
	Key [32]byte
	// URL is where people reach the door: its host is what keys are bound to.
	URL string
	Log *slog.Logger
}

// Door signs officers in. It is safe for concurrent use.
type Door struct {
	Rooms
	set    *page.Set
	keys   *signin.Keys
	cookie signin.Cookie
	tries  *limit.Bucket[netip.Prefix]
	calls  *limit.Bucket[int64]
}

// triesRate is how often one owner's network may try to sign in, or to enrol, or come with a key
// that is none.
var triesRate = limit.Rate{Burst: 10, Per: 5 * time.Minute}

// callsRate is how often the programs of one agency may call.
var callsRate = limit.Rate{Burst: 120, Per: time.Minute}

// New builds the door. An error is one of the embedded files or of the address.
func New(r Rooms) (*Door, error) {
	at, err := url.Parse(r.URL)
	if err != nil {
		return nil, fmt.Errorf("officer: %w", err)
	}
	d := &Door{
		Rooms:  r,
		cookie: signin.Cookie{Name: "officer", Secure: at.Scheme == "https"},
		tries:  limit.NewBucket[netip.Prefix](triesRate, limit.BucketKeys, r.Clock),
		calls:  limit.NewBucket[int64](callsRate, limit.BucketKeys, r.Clock),
	}
	if d.keys, err = signin.NewKeys(r.URL, r.Site.Name(), r.Clock); err != nil {
		return nil, err
	}
	if d.set, err = r.Site.Set(files, about.Shell(), signin.Files()); err != nil {
		return nil, err
	}
	d.set.Policy = page.Policy{Scripts: true}
	return d, nil
}

// Paths of the door.
const (
	signInPath  = "/officer/signin"
	signOutPath = "/officer/signout"
	// EnrolPath is where an officer enrols with his link and the code for it.
	EnrolPath = "/officer/enrol"
)

// Mount adds the pages to a mux.
func (d *Door) Mount(mux *http.ServeMux) {
	for at, h := range map[string]page.Handler{
		"GET " + signInPath:              d.signInPage,
		"POST " + signInPath + "/key":    d.beginKey,
		"POST " + signInPath + "/answer": d.finishKey,
		"GET " + EnrolPath:               d.enrolPage,
		"POST " + EnrolPath:              d.enrolPage,
		"POST " + EnrolPath + "/key":     d.beginEnrol,
		"POST " + EnrolPath + "/answer":  d.finishEnrol,
	} {
		mux.Handle(at, d.Site.Handle(h))
	}
	mux.Handle("POST "+signOutPath, d.Handle(Access{}, d.signOut))
	d.mountHook(mux)
}

// tooOften counts a try of the network that a request comes from.
func (d *Door) tooOften(r *http.Request) bool {
	_, ok := d.tries.Allow(d.Site.Network(r))
	return !ok
}

// place is the digest of the network that an address lies in: how far networks reach that one
// operator gives to one town is not exact, and need not be.
func (d *Door) place(a netip.Addr) string {
	bits := 16
	if a.Is6() {
		bits = 32
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return ""
	}
	mac := hmac.New(sha256.New, d.Key[:])
	mac.Write([]byte("place\x00" + p.String()))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// note appends to the events of an agency what one of its people did or was refused.
func (d *Door) note(ctx context.Context, of int64, e agency.Event) {
	if err := d.Agencies.Note(ctx, of, e); err != nil {
		d.Log.Error("officer: event", "error", err)
	}
}

// Sweep forgets sessions that have ended.
func (d *Door) Sweep(ctx context.Context) error {
	now := d.Clock.Now().Unix()
	return d.Store.Update(ctx, 0, func(tx *store.Tx) error {
		return tx.ExpireOfficerSessions(now)
	})
}

// secret draws what a cookie holds.
func secret() (string, error) { return signin.Secret(rand.Reader) }
