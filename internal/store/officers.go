package store

// OfficerSession is a browser in which an officer of an agency is signed in. Hash is the digest of
// the secret in its cookie.
type OfficerSession struct {
	Agency, Officer int64
	Hash            string
	// Binding is a digest of what the browser says of itself, Place that of its network.
	Binding, Place string
	Created, Seen  int64
	// Proved is when its holder last proved himself by his key.
	Proved  int64
	Expires int64
}

// OfficerPlace is a network from which an officer has signed in.
type OfficerPlace struct {
	Agency, Officer int64
	Place           string
	First, Last     int64
}

var (
	officerSessionGet = define("officer_session.get", "officer_sessions", "agency_id",
		`select binding, place, created, seen, proved, expires from officer_sessions
		where agency_id = $1 and officer_id = $2 and hash = $3`)
	officerSessionPut = define("officer_session.put", "officer_sessions", "agency_id",
		`insert into officer_sessions
		(agency_id, officer_id, hash, binding, place, created, seen, proved, expires)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		on conflict (agency_id, officer_id, hash) do update set seen = excluded.seen,
		proved = excluded.proved`)
	officerSessionDelete = define("officer_session.delete", "officer_sessions", "agency_id",
		`delete from officer_sessions where agency_id = $1 and officer_id = $2 and hash = $3`)
	officerSessionExpire = define("officer_session.expire", "officer_sessions", acrossShards,
		`delete from officer_sessions where expires < $1`)
	officerPlacePut = define("officer_place.put", "officer_places", "agency_id",
		`insert into officer_places (agency_id, officer_id, place, first, last)
		values ($1, $2, $3, $4, $5)
		on conflict (agency_id, officer_id, place) do update set last = excluded.last`)
	officerPlaceList = define("officer_place.list", "officer_places", "agency_id",
		`select place, first, last from officer_places where agency_id = $1 and officer_id = $2
		order by first, place limit $3`)
)

// OfficerSession returns a signed-in browser.
func (r *Reader) OfficerSession(agency, officer int64, hash string) (OfficerSession, error) {
	s := OfficerSession{Agency: agency, Officer: officer, Hash: hash}
	err := r.one(officerSessionGet, []any{agency, officer, hash}, &s.Binding, &s.Place, &s.Created,
		&s.Seen, &s.Proved, &s.Expires)
	return s, err
}

// PutOfficerSession writes a signed-in browser.
func (t *Tx) PutOfficerSession(s OfficerSession) error {
	return t.exec(officerSessionPut, s.Agency, s.Officer, s.Hash, s.Binding, s.Place, s.Created,
		s.Seen, s.Proved, s.Expires)
}

// EndOfficerSession signs a browser out.
func (t *Tx) EndOfficerSession(agency, officer int64, hash string) error {
	return t.exec(officerSessionDelete, agency, officer, hash)
}

// ExpireOfficerSessions forgets the sessions that ended before a time.
func (t *Tx) ExpireOfficerSessions(before int64) error {
	return t.exec(officerSessionExpire, before)
}

// PutOfficerPlace notes that an officer has signed in from a network; of one that is known only the
// last time is written.
func (t *Tx) PutOfficerPlace(p OfficerPlace) error {
	return t.exec(officerPlacePut, p.Agency, p.Officer, p.Place, p.First, p.Last)
}

// OfficerPlaces returns up to limit networks from which an officer has signed in, the first first.
func (r *Reader) OfficerPlaces(agency, officer int64, limit int) (out []OfficerPlace, err error) {
	err = r.each(officerPlaceList, []any{agency, officer, limit}, func(row rows) error {
		p := OfficerPlace{Agency: agency, Officer: officer}
		err := row.Scan(&p.Place, &p.First, &p.Last)
		out = append(out, p)
		return err
	})
	return out, err
}
