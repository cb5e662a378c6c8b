package officer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley/internal/ids"
	"parley/internal/safety/agency"
	"parley/internal/store"
)

// How long a session lasts at most and without a sign of life, and how long after its holder has
// proved himself things are done in his agency's name without asking again.
const (
	maxTime   = 10 * time.Hour
	idleTime  = 30 * time.Minute
	freshTime = 10 * time.Minute
	// touchTime is how old the last sign of life is before it is written again.
	touchTime = time.Minute
)

// What the door notices.
const (
	// newTime is how long a network counts as one from which an officer never came.
	newTime = 7 * 24 * time.Hour
	// failedTime is how far back refusals at the door count, failedMost how many are looked at.
	failedTime = 24 * time.Hour
	failedMost = 50
	// placesMost bounds how many networks are kept of an officer.
	placesMost = 100
)

// Session is a signed-in browser, looked up for this request.
type Session struct {
	// Standing is what its holder's word is worth now. It has no Problem: else there is no session.
	Standing agency.Standing
	// Fresh tells that he has just proved who he is.
	Fresh bool
	// Signals are what the door noticed: a new place, the night there, refusals.
	Signals agency.Signals
	// Ends is when it ends at the latest.
	Ends time.Time
	hash string
	row  store.OfficerSession
}

// Agency and Officer are who is signed in.
func (s Session) Agency() agency.Agency { return s.Standing.Agency }

// Officer is who is signed in.
func (s Session) Officer() agency.Officer { return s.Standing.Officer }

// digest is all that the store knows of a secret.
func digest(purpose, secret string) string {
	sum := sha256.Sum256([]byte("parley officer " + purpose + "\x00" + secret))
	return hex.EncodeToString(sum[:])
}

// binding is a digest of what a browser says of itself: a stolen cookie is of no use in another.
func binding(r *http.Request) string { return digest("browser", r.UserAgent())[:32] }

// split takes a cookie apart: whose it is.
func split(cookie string) (of, id int64, ok bool) {
	parts := strings.Split(cookie, ".")
	if len(parts) != 3 || len(parts[2]) != 64 {
		return 0, 0, false
	}
	of, err1 := strconv.ParseInt(parts[0], 10, 64)
	id, err2 := strconv.ParseInt(parts[1], 10, 64)
	return of, id, err1 == nil && err2 == nil && of > 0 && id > 0
}

// open signs an officer in and gives his browser its cookie.
func (d *Door) open(w http.ResponseWriter, r *http.Request, o agency.Officer) (Session, error) {
	random, err := secret()
	if err != nil {
		return Session{}, err
	}
	now := d.Clock.Now()
	cookie := fmt.Sprintf("%d.%d.%s", o.Agency, o.ID, random)
	row := store.OfficerSession{
		Agency: o.Agency, Officer: o.ID, Hash: digest("session", cookie), Binding: binding(r),
		Place: d.place(d.Site.Address(r)), Created: now.Unix(), Seen: now.Unix(),
		Proved: now.Unix(), Expires: now.Add(maxTime).Unix(),
	}
	err = d.Store.Update(r.Context(), ids.Peer(o.Agency), func(tx *store.Tx) error {
		if err := d.came(tx, row); err != nil {
			return err
		}
		return tx.PutOfficerSession(row)
	})
	if err != nil {
		return Session{}, err
	}
	d.note(r.Context(), o.Agency, agency.Event{Officer: o.ID, Kind: agency.SignedIn, Text: o.Name})
	d.cookie.Set(w, cookie, maxTime)
	return d.read(r.Context(), row)
}

// came notes from which network an officer came. The first one of all is where he bound his key.
func (d *Door) came(tx *store.Tx, row store.OfficerSession) error {
	known, err := tx.OfficerPlaces(row.Agency, row.Officer, placesMost)
	if err != nil || row.Place == "" {
		return err
	}
	p := store.OfficerPlace{
		Agency: row.Agency, Officer: row.Officer, Place: row.Place, First: row.Created,
		Last: row.Created,
	}
	for _, x := range known {
		if x.Place == p.Place {
			return tx.PutOfficerPlace(p)
		}
	}
	if len(known) == 0 {
		p.First = 0
	}
	if len(known) >= placesMost {
		return nil // whoever comes from everywhere is new everywhere
	}
	return tx.PutOfficerPlace(p)
}

// session is that of a request; ErrNoSession for none, and for one whose holder has no standing any
// more.
func (d *Door) session(r *http.Request) (Session, error) {
	cookie := d.cookie.Read(r)
	of, id, ok := split(cookie)
	if !ok {
		return Session{}, ErrNoSession
	}
	var row store.OfficerSession
	err := d.Store.View(r.Context(), func(rd *store.Reader) (err error) {
		row, err = rd.OfficerSession(of, id, digest("session", cookie))
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return Session{}, ErrNoSession
	}
	if err != nil {
		return Session{}, err
	}
	now := d.Clock.Now()
	if row.Expires <= now.Unix() || row.Binding != binding(r) ||
		now.Sub(time.Unix(row.Seen, 0)) > idleTime {
		return Session{}, ErrNoSession
	}
	s, err := d.read(r.Context(), row)
	if err != nil {
		return Session{}, err
	}
	if o := s.Standing.Officer; s.Standing.Problem != "" || row.Created < o.Bound {
		return Session{}, ErrNoSession
	}
	if now.Sub(time.Unix(row.Seen, 0)) >= touchTime {
		s.row.Seen = now.Unix()
		err = d.keep(r.Context(), s.row)
	}
	return s, err
}

// read looks up what a session is worth now.
func (d *Door) read(ctx context.Context, row store.OfficerSession) (s Session, err error) {
	now := d.Clock.Now()
	s = Session{
		hash: row.Hash, row: row, Ends: time.Unix(row.Expires, 0),
		Fresh: now.Sub(time.Unix(row.Proved, 0)) <= freshTime,
	}
	err = d.Store.View(ctx, func(r *store.Reader) error {
		s.Standing, err = agency.StandingOf(r, row.Agency, row.Officer, now.Unix())
		if err != nil {
			return err
		}
		s.Signals, err = d.signals(r, row, now)
		return err
	})
	if country := s.Standing.Agency.Country; d.Night != nil && country != "" {
		s.Signals.NightThere = d.Night(country, now)
	}
	return s, err
}

// signals are what the door noticed of a session.
func (d *Door) signals(
	r *store.Reader, row store.OfficerSession, now time.Time,
) (g agency.Signals, err error) {
	places, err := r.OfficerPlaces(row.Agency, row.Officer, placesMost)
	if err != nil {
		return g, err
	}
	g.NewPlace = true
	for _, p := range places {
		if p.Place == row.Place {
			g.NewPlace = now.Sub(time.Unix(p.First, 0)) < newTime
		}
	}
	g.Failed, err = d.failed(r, row.Agency, now)
	return g, err
}

// failed is how often people of an agency were refused lately.
func (d *Door) failed(r *store.Reader, of int64, now time.Time) (n int, err error) {
	list, err := agency.Events(r, of, latest, failedMost)
	for _, e := range list {
		recent := e.At > now.Add(-failedTime).Unix()
		if recent && (e.Kind == agency.Refused || e.Kind == agency.Foreign) {
			n++
		}
	}
	return n, err
}

// latest is above the number of every event.
const latest = 1 << 62

// keep writes a session that still exists.
func (d *Door) keep(ctx context.Context, row store.OfficerSession) error {
	return d.Store.Update(ctx, ids.Peer(row.Agency), func(tx *store.Tx) error {
		_, err := tx.OfficerSession(row.Agency, row.Officer, row.Hash)
		if errors.Is(err, store.ErrNotFound) {
			return ErrNoSession
		}
		if err != nil {
			return err
		}
		return tx.PutOfficerSession(row)
	})
}

// proved notes that the holder of a session has proved himself again.
func (d *Door) proved(ctx context.Context, s *Session) error {
	s.row.Proved = d.Clock.Now().Unix()
	s.Fresh = true
	return d.keep(ctx, s.row)
}

// close signs a browser out.
func (d *Door) close(w http.ResponseWriter, r *http.Request, s Session) error {
	d.cookie.Clear(w)
	return d.Store.Update(r.Context(), ids.Peer(s.row.Agency), func(tx *store.Tx) error {
		return tx.EndOfficerSession(s.row.Agency, s.row.Officer, s.row.Hash)
	})
}
